"""Tokens of `--tokenizer regex` are those of `re.finditer` over each sequence by itself."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine
from conftest import examples
from markov_cli.text.encoder import Encoder, TextOptions
from markov_cli.text.interning import TypeInterner
from markov_cli.text.pattern_tokens import PatternTokenizer
from markov_cli.text.reading import Repairs, Source, blocks

JOINING = [
    r"\w+|[^\w\s]", r"\w+", r"\b\w", r"\B\w", r"(\w)(\d)?", r"(\w)\1|\d", r"(?P<a>\w)(?P=a)", r"\w*", r"(?i)[a-f]+|\S",
    "(?x) \\w+  # words\n | \\. ", r"\w+(?!\w)", r"(?<=a)b|(?<!b)c", "x*", r"\0|\w", "é+|[ab]?", r"(a|(b))+?",
    r"[^\s]{2}", ".", "[a-z ]+", "(?:a|b(?=c)| )+", r"[^\n]+", "(.)(.)?", r"\r?[ab]",
]  # fmt: skip
ALONE = [
    "(?s).", r"^\w|\w+$", r"\S+(?=\s)", r"(?<=\s)\w+", r"(?<!\n)a", r"(?m)^\w+", r"\s+|\S+", r"(?s:.)a", r"a(?!\s)",
    r"\A.", r".\Z", r"[\s]|a", r"[^a]b",
]  # fmt: skip
CHARACTERS = ["a", "b", "c", "A", "1", ".", " ", "\n", "\r", "\t", "\0", "é", "\u3000", "日", "x"]
texts = st.lists(st.sampled_from(CHARACTERS), max_size=40).map("".join)


def plain(text, pattern):
    """Tokens with flags, and characters left out that are not white space."""
    out, seen, left = [], -1, 0
    for match in re.finditer(pattern, text):
        i, j = match.span()
        if i < j:
            out.append((match.group().encode(), 1 if i == seen else 0))
            left += sum(not c.isspace() for c in text[max(seen, 0) : i])
            seen = j
    return out, left + sum(not c.isspace() for c in text[max(seen, 0) :])


def encoded(text, pattern, unit, block_bytes):
    encoder = Encoder(TextOptions("regex", unit, False, pattern), keep_text=True)
    placed, base = [], 0
    for block in blocks(Source("t", data=text.encode()), block_bytes=block_bytes, repairs=Repairs()):
        cut = encoder.encode(block).cut
        placed += zip((cut.start + base).tolist(), cut.length.tolist(), strict=True)
        base += block.size
    return placed, encoder.repairs.unmatched


@pytest.mark.parametrize("pattern", JOINING + ALONE)
@given(text=texts, unit=st.sampled_from(["line", "file"]), block_bytes=st.integers(1, 20))
@examples(60)
def test_tokens_are_those_of_finditer(pattern, text, unit, block_bytes):
    sequences = [line.removesuffix("\r") for line in text.split("\n")] if unit == "line" else [text]
    if unit == "line" and "\n" in text and text.endswith("\r"):
        sequences[-1] += "\r"  # no line break behind it
    elif unit == "line" and text.endswith("\r"):
        sequences = [text]
    wanted = [plain(sequence, pattern) for sequence in sequences]
    found = engine.sequences(text, "regex", unit, block_bytes, pattern=pattern)
    assert found == [tokens for tokens, _ in wanted if tokens]
    places, unmatched = encoded(text, pattern, unit, block_bytes)
    data = text.encode()
    assert [data[a : a + n] for a, n in places] == [token for tokens, _ in wanted for token, _ in tokens]
    assert unmatched == sum(left for _, left in wanted)


@pytest.mark.parametrize("pattern", JOINING)
def test_patterns_that_cannot_match_line_breaks_are_joined(pattern):
    assert PatternTokenizer(re.compile(pattern), TypeInterner())._joins


@pytest.mark.parametrize("pattern", ALONE)
def test_other_patterns_are_not(pattern):
    assert not PatternTokenizer(re.compile(pattern), TypeInterner())._joins


def test_strings_are_forgotten_beyond_a_limit(monkeypatch):
    from markov_cli.text import pattern_tokens

    text = " ".join(f"w{i % 50}" for i in range(400)) + "."
    whole = engine.sequences(text, "regex", "file", 64)
    monkeypatch.setattr(pattern_tokens, "_KNOWN", 20)
    assert engine.sequences(text, "regex", "file", 64) == whole
    tokenizer = PatternTokenizer(re.compile(r"\w+"), TypeInterner())
    for i in range(60):
        tokenizer.tokens(b"a%d b" % i, np.array([0]), np.array([5]))
        assert len(tokenizer._tokens) < 30
