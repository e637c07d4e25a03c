"""Joining ids to text gives the text back, with each run of white space as one space."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from conftest import CORPORA, SCRIPTS, examples
from engine import model_of, sequences
from markov_cli.api.model import Model
from markov_cli.api.train import model_of as as_model
from markov_cli.text.vocabulary import Vocabulary
from strategies import TOKENIZERS, UNITS, texts

FILES = [*SCRIPTS, *(CORPORA / f"{n}.txt" for n in ("harbour", "messages", "change"))]


def joined(found, tokenizer):
    """Sequences of (token, flags) through the program's own `Vocabulary.join`."""
    types = sorted({t for s in found for t in s})
    number = {t: 3 + i for i, t in enumerate(types)}
    sizes = [0, 0, 0, *(len(t) for t, _ in types)]
    vocabulary = Vocabulary(
        np.frombuffer(b"".join(t for t, _ in types), np.uint8),
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        np.array([0, 0, 0, *(f for _, f in types)], np.uint8),
        tokenizer,
    )
    ids = np.array([number[t] for s in found for t in s], np.int64)
    return cut(*vocabulary.join(ids, np.array([len(s) for s in found], np.int64)))


def cut(text, edges):
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def whole(text, tokenizer, unit="file"):
    return b"".join(joined(sequences(text, tokenizer, unit), tokenizer))


@examples(300)
@given(texts)
def test_words_give_the_text_back(text):
    assert whole(text, "words").decode() == oracle.plain(text)


@given(texts)
def test_spaces_give_the_text_back(text):
    assert whole(text, "spaces").decode() == oracle.plain(text, oracle.SPACES.__contains__)


@given(texts)
def test_chars_give_the_text_back(text):
    assert whole(text, "chars").decode() == text.replace("\r\n", "\n")


@given(st.binary(max_size=60))
def test_bytes_give_the_bytes_back(data):
    data = b"." + data  # never the first bytes of a compressed file
    assert whole(data, "bytes") == data


@given(texts)
def test_regex_gives_the_text_back_where_it_matches_everything(text):
    found = sequences(text, "regex", "file", pattern=r"\S")
    text = text.replace("\0", "_")  # NUL is not white space to `re`
    assert b"".join(joined(found, "regex")).replace(b"\0", b"_").decode() == " ".join(text.split())


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_corpus_file_comes_back_unchanged(file):
    text = file.read_text(encoding="utf-8")
    assert whole(text, "words").decode() == " ".join(text.split())


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_joined_sentences_lose_only_white_space(file):
    text = file.read_text(encoding="utf-8")
    assert "".join(whole(text, "words", "sentence").decode().split()) == "".join(text.split())


@examples(100)
@given(texts, st.sampled_from(TOKENIZERS), st.sampled_from(UNITS))
def test_joining_equals_the_oracle(text, tokenizer, unit):
    found = oracle.sequences(text.encode() if tokenizer == "bytes" else text, tokenizer, unit)
    spaced = tokenizer not in ("chars", "bytes")
    assert joined(found, tokenizer) == [oracle.join(s, spaced) for s in found]


def test_sequences_of_no_tokens_are_empty_texts():
    vocabulary = Vocabulary(
        np.frombuffer(b"ab", np.uint8), np.array([0, 0, 0, 0, 1, 2]), np.array([], np.uint8), "words"
    )
    ids, none = np.array([3, 4]), np.array([], np.int64)
    assert cut(*vocabulary.join(ids, np.array([0, 1, 0, 1, 0]))) == [b"", b"a", b"", b"b", b""]
    assert cut(*vocabulary.join(none, np.array([0]))) == [b""]
    assert cut(*vocabulary.join(none, none)) == []


def test_texts_are_joined_alike_in_parts_of_any_size(monkeypatch):
    """Part sizes from one token upward."""
    found = oracle.sequences("One (two) three. Four, five! Six? Seven." * 5)
    expected = [oracle.join(s) for s in found]
    for tokens in (1, 2, 7, 1000):
        monkeypatch.setattr("markov_cli.text.vocabulary._JOIN_TOKENS", tokens)
        assert joined(found, "words") == expected


def test_markers_are_left_out_of_texts_and_shown_in_ngrams():
    model: Model = as_model(model_of("a b, c"))
    a, comma = model.vocabulary.find(b"a")[0], model.vocabulary.find(b",")[0]
    assert model.vocabulary.join_one([1, a, comma, 2]) == "a,"
    assert model.vocabulary.show([1, a, comma, 2]) == "<s> a , </s>"


def test_a_text_comes_the_same_in_parts_however_small(monkeypatch):
    text = "It is (we said) 'so'. A 7th, long sentence, with marks; and more of it! Ab. c? " * 3
    for tokenizer in ("words", "spaces", "chars"):
        model = as_model(model_of(text, tokenizer=tokenizer))
        ids = np.array([i for i in range(3, len(model.vocabulary)) for _ in range(3)] * 2)
        lengths = np.array([0, 1, len(ids) - 9, 0, 8, 0])
        whole = model.vocabulary.join(ids, lengths, b"\n--\n")[0]
        for tokens, size in ((1, 1), (3, 1000), (1 << 14, 7), (1 << 14, 1 << 24)):
            monkeypatch.setattr("markov_cli.text.vocabulary._JOIN_TOKENS", tokens)
            monkeypatch.setattr("markov_cli.text.vocabulary._PART_BYTES", size)
            assert b"".join(model.vocabulary.join_parts(ids, lengths, b"\n--\n")) == whole
