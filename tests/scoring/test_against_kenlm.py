"""KenLM's Python module and pyctcdecode read our ARPA files; skipped where they are not installed."""

import itertools
import math

import numpy as np
import pytest

from conftest import peer
from markov_cli import train
from markov_cli.api.convert import export_arpa
from markov_cli.scoring.scorer import Scorer
from markov_cli.text.types import BOS, EOS, UNK
from markov_cli.text.word_escapes import names_of


@pytest.fixture(scope="module")
def halves(harbour):
    lines = [line for line in harbour.split("\n") if line.strip()]
    return "\n".join(lines[::2]), lines[1::2]


def words_of(model):
    blob, offsets = names_of(model.vocabulary)
    return [blob[a:b].tobytes().decode() for a, b in itertools.pairwise(offsets)]


@pytest.mark.parametrize("order", [2, 3, 4, 5, 6])
def test_kenlm_gives_the_same_scores(halves, order, tmp_path):
    kenlm = peer("kenlm")
    text, held_out = halves
    model = train(texts=[text], order=order, tokenizer="spaces", unit="line")
    path = tmp_path / "x.arpa"
    with path.open("wb") as out:
        export_arpa(model, out)
    theirs = kenlm.Model(str(path))
    scorer = Scorer(model.distribution("kn"))
    ids = {w: i for i, w in enumerate(words_of(model))}
    checked = 0
    for line in held_out:
        words = line.split()
        stream = np.array([BOS, *(ids.get(w, UNK) for w in words), EOS], np.uint32)
        p, longest = scorer.score(stream)
        for (log10, n, oov), one, k, i in zip(
            theirs.full_scores(" ".join(words)), p[1:].tolist(), longest[1:].tolist(), stream[1:].tolist(), strict=True
        ):
            assert log10 == pytest.approx(math.log10(one), abs=2e-6)
            assert oov == (i == UNK) and (oov or n == k)
            checked += 1
    assert checked > 1000


def test_pyctcdecode_finds_every_word(halves, tmp_path):
    reader = peer("pyctcdecode.language_model")
    model = train(texts=[halves[0]], order=3, tokenizer="spaces", unit="line")
    path = tmp_path / "x.arpa"
    with path.open("wb") as out:
        export_arpa(model, out)
    assert set(words_of(model)[3:]) <= reader.load_unigram_set_from_arpa(str(path))
