"""Pages for a browser: nothing from outside becomes markup, and only the page's own style and scripts may run."""

import json
from pathlib import Path

import pytest

import markov_cli
from markov_cli.render.html.blocks import (
    bar_table,
    cards,
    figure,
    header,
    legend,
    meanings,
    scrolled,
    search,
    shaded,
    shaded_text,
    table,
)
from markov_cli.render.html.markup import data_block, inline, text
from markov_cli.render.html.page import asset
from markov_cli.render.html.svg import bars, curves, decades
from pages import HOSTILE, Elements, assert_harmless, of

FOLDER = Path(markov_cli.__file__).parent / "render" / "html"


@pytest.mark.parametrize("word", HOSTILE, ids=ascii)
def test_no_word_becomes_markup(word):
    plain = of(blocks("word"))
    found = assert_harmless(of(blocks(word)))
    assert [(tag, sorted(a)) for tag, a, _ in found.found] == [
        (tag, sorted(a)) for tag, a, _ in Elements(plain).found
    ], "the elements and attributes of a harmless word"
    (held,) = (inside for _, a, inside in found.all("script") if a.get("type"))
    assert json.loads(held) == [word]


def blocks(word):
    series = [(word, [0.5, None])]
    return [
        header(word, word), cards([(word, word, word)]), table([word], [[word]], caption=word), search(word, word),
        figure(bars(word, [word, "b"], series, top=1.0), word), figure(curves(word, [word, "b"], series), word),
        figure(decades(word, [(0, 2), (1, 0)], word, word, word), word), scrolled("", word),
        bar_table([word], [([word], 0.5)], word),
        meanings([(word, word)]), legend([(word, word)]), shaded_text([shaded(word, 2, word), text(word)]),
        data_block("data", [word]),
    ]  # fmt: skip


def test_invisible_characters_are_written_out():
    assert inline("a\x00\u202e\n\tb") == r"a\x00\u202e\n\tb"
    assert text("a\n\tb\u2028") == "a\n\tb\\u2028"


@pytest.mark.parametrize("name", sorted(p.name for p in FOLDER.glob("*.js")))
def test_scripts_are_allowed_by_their_hash_and_cannot_end_early(name):
    assert_harmless(of(["<p>text</p>\n"], [name]))
    said = asset(name)
    assert "</script" not in said and "<!--" not in said
    assert "innerHTML" not in said and "eval(" not in said and "fetch" not in said
    assert "http" not in said.replace("http://www.w3.org/2000/svg", "")  # a name, never an address


def test_the_style_fetches_nothing():
    said = asset("style.css")
    assert "url(" not in said and "@import" not in said and "</style" not in said
