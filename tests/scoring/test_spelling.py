"""Spelling: the probabilities of all words that a vocabulary lacks sum to 1, and score adds their bits."""

import json
import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli as m
import oracle_smoothing as oracle
from conftest import examples
from helpers import run_in_process, two_lines
from markov_cli.errors import OptionError
from markov_cli.scoring.spelling import ORDER, Speller
from markov_cli.text.types import BOS, EOS, Types
from markov_cli.text.vocabulary import Vocabulary

WORDS = [b"cat", b"cart", b"art", b"a", b"zoo", "é".encode(), b"carts"]
EVERY = [bytes(w) for n in (1, 2) for w in product(range(256), repeat=n)]  # all words of one or two bytes


def types_of(words, flags=0):
    length = np.array([len(w) for w in words])
    blob = np.frombuffer(b"".join(words), np.uint8)
    return Types(blob, np.cumsum(length) - length, length, np.full(len(words), flags, np.uint8))


def speller_of(words):
    return Speller(Vocabulary.of(types_of(words), "spaces"))


class Oracle:
    """s of words, by the oracle of Kneser-Ney: one word a sequence, each id a byte, and id 0 the byte 255."""

    def __init__(self, words):
        self.words = words
        ids = [[self.id_of(b) for b in w] for w in words]
        self.p = oracle.Smoothed(ids, min(ORDER, max(map(len, words)) + 3), 258, number=float).p
        self.known = sum(map(self.q, words))

    @staticmethod
    def id_of(byte):
        return 0 if byte == 255 else byte + 3

    def prefix(self, word):
        """The probability that a word begins so."""
        history, p = (oracle.BOS,), 1 / (1 - self.p((oracle.BOS,), oracle.EOS))
        for byte in word:
            p *= self.p(history, self.id_of(byte))
            history = (*history, self.id_of(byte))
        return p, history

    def q(self, word):
        p, history = self.prefix(word)
        return p * self.p(history, oracle.EOS)

    def bits(self, word):
        return -math.log2(self.q(word) / (1 - self.known))


def test_bits_are_those_of_plain_python():
    plain, speller = Oracle(WORDS), speller_of(WORDS)
    assert speller.known == pytest.approx(plain.known, rel=1e-9)
    new = [b"car", b"cats", b"zart", b"q", b"\xff\x00", "éé".encode(), b"carts" * 4]
    assert speller.bits(types_of(new)).tolist() == pytest.approx([plain.bits(w) for w in new], rel=1e-9)


@examples(3)
@given(st.lists(st.binary(min_size=1, max_size=2), min_size=1, unique=True))
def test_the_probabilities_of_all_words_sum_to_one(words):
    """Words of one and two bytes by their bits; of longer ones, all that begin with two bytes and do not end there."""
    speller = speller_of(words)
    s = np.exp2(-speller.bits(types_of(EVERY)))
    new = s.sum() - s[[EVERY.index(w) for w in words]].sum()
    stream = np.array([[BOS, Oracle.id_of(a), Oracle.id_of(b), EOS] for a, b in EVERY[256:]], np.uint32)
    p = speller._scorer.score(stream.ravel())[0].reshape(-1, 4)
    empty = speller._scorer.score(np.array([BOS, EOS], np.uint32))[0][1]
    longer = (p[:, 1] * p[:, 2] * (1 - p[:, 3])).sum() / (1 - empty) / (1 - speller.known)
    assert new + longer == pytest.approx(1, abs=1e-9)


def test_flags_share_the_probability():
    """Equal bytes with other flags are another type; over all flags, and bytes, the sum is 1 again."""
    model = m.train(texts=["a, b , c. d .e"])
    speller = Speller(model.vocabulary)
    by_flags = np.exp2([-speller.bits(types_of([b"new"], f))[0] for f in range(4)])
    seen = np.bincount(model.vocabulary.types().flags, minlength=4) + 1
    assert by_flags / by_flags.sum() == pytest.approx(seen / seen.sum())


@pytest.mark.parametrize("tokenizer", ["words", "spaces", "chars", "bytes", "regex"])
def test_score_adds_the_bits_of_each_oov(tokenizer):
    """In totals, units, tokens and records alike; a token that is known costs what it did."""
    model = m.train(texts=["the cat sat.\na cat ran\n"], tokenizer=tokenizer, unit="line")
    text = "the dog sat.\nZoë ran and ran\nthe cat\n"
    plain, spelled = (m.score(model, texts=[text], spell=spell) for spell in (False, True))
    before, after = (list(m.score_tokens(model, texts=[text], spell=spell)) for spell in (False, True))
    assert all((a.bits > b.bits) == b.oov and a.token == b.token for a, b in zip(after, before, strict=True))
    more = sum(a.bits - b.bits for a, b in zip(after, before, strict=True))
    assert spelled.spelled_bits == pytest.approx(more) and plain.spelled_bits is None and more > 0
    assert spelled.bits == pytest.approx(plain.bits + more)
    assert spelled.perplexity_without_oov == pytest.approx(plain.perplexity_without_oov)
    units = list(m.score_units(model, texts=[text], spell=True))
    assert sum(u.bits for u in units) == pytest.approx(spelled.bits)
    assert model.score(texts=[text], spell=True).bits == spelled.bits
    (whole,) = m.score_texts(model, [text], spell=True)
    assert whole.bits_per_byte == pytest.approx(spelled.bits / len(text.encode()), abs=1e-6)


def test_few_words_are_no_gain(harbour):
    """Without spelling, a model that knows 20 words looks better than one that knows all."""
    half = len(harbour) // 2
    text, other = harbour[:half], harbour[half:]
    models = [m.train(texts=[text]), m.train(texts=[text], max_types=20)]
    full, few = (m.score(one, texts=[other]).bits_per_byte for one in models)
    assert few < full
    full, few = (m.score(one, texts=[other], spell=True).bits_per_byte for one in models)
    assert full < few


def test_words_of_no_end_and_no_words():
    """A word of 5,000 bytes has bits, though its probability is no float64; a list may leave no type at all."""
    model = m.train(texts=["ab ba"], tokenizer="spaces")
    assert 5_000 < m.score(model, texts=["ab " + "x" * 5_000], spell=True).bits < math.inf
    nothing = m.train(texts=["ab ba"], tokenizer="spaces", vocab=["zz"])
    assert nothing.header.types == 0
    assert Speller(nothing.vocabulary).bits(types_of([b"a", b"ab"])).tolist() == pytest.approx(
        [8 + math.log2(257), 8 + 2 * math.log2(257)]
    )


def test_command(tmp_path):
    (tmp_path / "a.txt").write_text("the cat sat\n")
    (tmp_path / "b.txt").write_text("the dog sat\n")
    m.train(tmp_path / "a.txt").save(tmp_path / "a.npz")
    m.train(tmp_path / "b.txt").save(tmp_path / "b.npz")
    one = run_in_process("score", "a.npz", "b.txt", "--spell", "--json", cwd=tmp_path)
    want = m.score(tmp_path / "a.npz", tmp_path / "b.txt", spell=True)
    assert json.loads(one.stdout) == want.to_dict()
    both = run_in_process("score", "a.npz", "b.txt", "--model", "b.npz", "--spell", "--json", cwd=tmp_path)
    assert [x["bits_per_byte"] for x in json.loads(both.stdout)] == [
        want.bits_per_byte,
        m.score(tmp_path / "b.npz", tmp_path / "b.txt").bits_per_byte,
    ]
    assert "spelled" in run_in_process("score", "a.npz", "b.txt", "--spell", cwd=tmp_path).stdout
    mixed = run_in_process("score", "a.npz", "b.txt", "--model", "b.npz", "--mix", "1,1", "--spell", cwd=tmp_path)
    two_lines(mixed, 2, "--spell and --mix exclude each other")
    with pytest.raises(OptionError, match="--spell works with one model"):
        m.score([tmp_path / "a.npz", tmp_path / "b.npz"], tmp_path / "b.txt", spell=True)
