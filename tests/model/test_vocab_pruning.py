"""`prune --vocab`, `train --prune-vocab`: n-grams of other words are dropped, probabilities stay those of the text."""

import io
import itertools
import json
import random
from collections import Counter

import pytest

import markov_cli
from conftest import CORPORA
from engine import model_of, rows_of
from helpers import chi_squared, two_lines
from helpers import run_in_process as run
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import MarkovError, NeedsCounts
from markov_cli.inspecting.verify import damage
from markov_cli.model.discounts import SmoothingMethod
from markov_cli.model.distribution import full_distribution
from markov_cli.model.smoothing import Smoothed as Ours
from markov_cli.text.word_list import WordList
from oracle_smoothing import Smoothed

HARBOUR = CORPORA / "harbour.txt"


def bytes_of(model):
    data = io.BytesIO()
    model.save(data)
    return data.getvalue()


def corpus(seed):
    r = random.Random(seed)
    words = [f"w{i}" for i in range(r.choice([2, 4, 9]))]
    lines = [r.choices(words, [1 / (i + 1) for i in range(len(words))], k=r.randint(1, 8)) for _ in range(12)]
    return lines, sorted(w for w in words if r.random() < 0.6) or words[:1]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("smoothing", ["none", "kn", "wb", "abs", "lidstone"])
def test_every_probability_is_that_of_the_oracle(smoothing, seed):
    """The oracle counts all n-grams, drops those of other words, and divides by the totals of all."""
    lines, kept = corpus(seed)
    order, prune = 1 + seed % 4, [(), (0, 1)][seed % 2]
    text = "\n".join(map(" ".join, lines))
    made = model_of(text, order, "spaces", "line", prune=prune[:order], prune_vocab=WordList.of([*kept, "never"]))
    names = ["<unk>", "<s>", "</s>", *(made.types.bytes_of(i)[0].decode() for i in range(len(made.types)))]
    others = sorted({w for line in lines for w in line} - set(names))
    ids = {w: i for i, w in enumerate([*names, *others])}
    inside = range(len(names))
    oracle = Smoothed(
        [[ids[w] for w in line] for line in lines], order, len(ids), smoothing, prune=prune[:order], amount=1 / 2,
        keep=lambda gram: all(i in inside for i in gram),
    )  # fmt: skip
    oracle.v = len(names) - 1
    assert {g for rows in rows_of(made.table)[1:] for g in rows} == {
        (*h, w) for h in oracle.kept for w in oracle.kept[h] if h
    }
    ours = Ours(made.table, SmoothingMethod.parse(smoothing))
    for k in range(order):
        for history in itertools.product(inside, repeat=k):
            row = made.table.row_of(list(history))
            if row < 0 or 2 in history:
                continue
            p = full_distribution(ours, k, row if k else 0)
            assert p == pytest.approx([float(oracle.p(history, w)) for w in inside], abs=1e-12)
            assert p.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "more", [{}, {"prune": (0, 0, 1)}, {"min_type_count": 3}, {"min_sequences": 2}, {"order": 1}], ids=str
)
def test_training_and_pruning_give_the_same_bytes(more):
    words = WordList.of(["the", "clock", "a", "of", ".", ",", "never"])
    prune = more.get("prune", ())
    trained = markov_cli.train(HARBOUR, **{"order": 4, **more}, prune_vocab=words)
    whole = markov_cli.train(HARBOUR, **{"order": 4, **more, "prune": ()})
    assert bytes_of(markov_cli.prune(whole, prune, vocab=words)) == bytes_of(trained)
    steps = markov_cli.prune(markov_cli.prune(whole, prune) if prune else whole, vocab=words)
    assert bytes_of(steps) == bytes_of(trained)
    fewer = WordList.of(["the", "clock", ".", "zebra"])
    twice = markov_cli.prune(trained, vocab=fewer)
    assert bytes_of(twice) == bytes_of(markov_cli.prune(whole, prune, vocab=fewer))
    assert (twice.header.prune_vocab, len(markov_cli.vocabulary(twice))) == (4, 3)
    assert not damage(reopened(twice))


def reopened(model):
    import tempfile

    from markov_cli.model.model_file import load

    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes_of(model))
        file.flush()
        return load(file.name)


@pytest.mark.parametrize("smoothing", ["none", "kn", "wb"])
def test_texts_are_drawn_by_these_probabilities(smoothing):
    lines, _ = corpus(5)
    text = "\n".join(map(" ".join, lines))
    model = markov_cli.train(texts=text, tokenizer="spaces", unit="line", order=2, prune_vocab=["w0", "w2"])
    n = 4000
    first = Counter(t.text or None for t in model.generate(n, 3, smoothing=smoothing, max_tokens=1))
    found = markov_cli.inspect_history(model, at_start=True, smoothing=smoothing, top=99).followers
    p = {f.token: f.probability for f in found if f.token}  # neither <unk> nor an empty text is written
    whole = sum(p.values())
    assert set(first) <= set(p)
    assert chi_squared(first, {t: x / whole for t, x in p.items()}, n) < 4


def test_the_command(tmp_path):
    words, whole, out = tmp_path / "w.txt", tmp_path / "whole.npz", tmp_path / "out.npz"
    words.write_text("the\nclock\n\nzebra\n")
    run("train", HARBOUR, "-o", whole, "-q")
    ran = run("prune", whole, "--vocab", words, "-o", out, "--json")
    assert ran.code == 0
    assert ran.stderr.splitlines()[-2:] == [
        f"note     {words}: 1 blank line left out", f"note     1 of 3 words of {words} never occur: zebra",
    ]  # fmt: skip
    found = json.loads(ran.stdout)
    assert (found["types"], found["vocab"]["words"], found["tokens"]) == (2, 3, 9119)
    trained = tmp_path / "trained.npz"
    ran = run("train", HARBOUR, "--prune-vocab", words, "-o", trained, "--json")
    assert json.loads(ran.stdout)["vocab"] == found["vocab"]
    assert trained.read_bytes() == out.read_bytes()
    assert "pruned to a list of 3 words" in run("inspect", out).stdout
    for command in (
        ("inspect", out, "--verify"),
        ("audit", out),
        ("score", out, HARBOUR),
        ("generate", out, "-s", "1"),
    ):
        assert run(*command).code == 0
    assert run("audit", out, "--corpus", HARBOUR).code in (0, 3)
    two_lines(run("train", HARBOUR, "--update", whole, "--prune-vocab", words, "-o", out), 2, "cannot be updated")
    two_lines(run("prune", out, "--max-types", "1", "-o", trained), 1, "pruned (to a list of 3 words)")
    two_lines(run("merge", out, whole, "-o", trained), 1, "pruned (to a list of 3 words)")
    two_lines(run("prune", whole, "--vocab", words, "--threshold", "0.1", "-o", trained), 2, "excludes other ways")
    arpa = tmp_path / "m.arpa"
    run("export", whole, "-o", arpa, "-q")
    with pytest.raises(NeedsCounts):
        markov_cli.prune(markov_cli.import_arpa(arpa), vocab=words)
    with pytest.raises(MarkovError, match="weighted"):
        markov_cli.prune(markov_cli.merge([str(whole)], [0.5]), vocab=words)


def test_damage_to_the_sums_is_found():
    made = as_model(model_of(HARBOUR.read_text(encoding="utf-8"), 3, prune_vocab=WordList.of(["the", "clock"])))
    for name, value, said in (("total_0", 5, "total_0 is 5"), ("left_total_0", 1, "left_total_0 is below")):
        changed = as_model(model_of(HARBOUR.read_text(encoding="utf-8"), 3, prune_vocab=WordList.of(["the", "clock"])))
        setattr(changed.header, name, value)
        assert any(said in line for line in damage(reopened(changed)))
    assert not damage(reopened(made))
