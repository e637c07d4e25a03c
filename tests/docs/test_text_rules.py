"""The rules that reference/tokens-and-sequences.md states are those of the program."""

import re

from documents import ROOT, page_text

import markov_cli
from markov_cli.generation.prompt import tokens_of
from markov_cli.text.segmentation import ABBREVIATIONS, BEFORE_LOWER, BEFORE_NUMBERS, UNITS

PAGE = ROOT / "docs/reference/tokens-and-sequences.md"


def _cells(heading):
    """Rows of the tables below a heading whose last cells are a text and what becomes of it, in backticks."""
    text = page_text(PAGE)
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        cells = [re.findall(r"`([^`]+)`", c) for c in line.strip("|").split(" | ")]
        if line.startswith("|") and len(cells) >= 2 and len(cells[-2]) == 1:
            yield cells[-2][0], cells[-1]


def test_the_token_rules_are_true():
    rows = [
        r for r in [*_cells("Tokens"), *_cells("Touching")] if r[1] and " " not in "".join(r[1]) and "--" not in r[0]
    ]
    assert len(rows) >= 11
    for text, tokens in rows:
        model = markov_cli.train(texts=[text], unit="file", order=1)
        assert [t.decode() for t, _ in tokens_of(text, model.header.options)] == tokens


def test_the_sentence_rules_are_true():
    rows = [r for r in _cells("Sequences") if len(r[0]) > 5 and r[0] not in UNITS]
    assert len(rows) >= 8
    for text, sentences in rows:
        whole = sentences if len(sentences) > 1 else [text]
        one = markov_cli.train(texts=[text], tokenizer="spaces")
        other = markov_cli.train(texts=whole, tokenizer="spaces", unit="file")
        for a, b in zip(one.table.orders[1:], other.table.orders[1:], strict=True):
            assert a.token is not None and b.token is not None
            assert a.token.tolist() == b.token.tolist(), text
        assert one.header.sequences == len(whole), text


def test_every_abbreviation_is_listed():
    text = page_text(PAGE).lower()
    assert not [a for a in ABBREVIATIONS + BEFORE_LOWER + BEFORE_NUMBERS if f"`{a}`" not in text]
