"""Pages for a browser: nothing from outside becomes markup, and only the page's own style and scripts may run."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import markov_cli
from markov_cli.render.html.blocks import cards, figure, header, legend, meanings, search, shaded, shaded_text, table
from markov_cli.render.html.markup import data_block, inline, text
from markov_cli.render.html.page import asset, page
from markov_cli.render.html.svg import bars, curves

FOLDER = Path(markov_cli.__file__).parent / "render" / "html"
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='\"",
    "</style><!--",
    "]]>&lt;&#60;",
    "a\u2028b\u2029c",
    "\u202eleft\u2066\u200f",
    "nul\x00\x1b[31m\x85",
    "\ud800 lone",
)


class Elements(HTMLParser):
    """The elements of a page as a browser's parser finds them: (tag, attributes, text inside) each, in order."""

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.found, self.open = [], []
        self.feed(data)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])
        if tag not in ("meta", "input"):
            self.open.append(self.found[-1])

    def handle_startendtag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1][2] += data

    def all(self, tag):
        return [one for one in self.found if one[0] == tag]


def of(body, scripts=()):
    return b"".join(page("a title", body, scripts)).decode()


def assert_harmless(data):
    """No element or attribute that runs or fetches something, and a policy that allows what is there and no more."""
    found = Elements(data)
    tags = {one[0] for one in found.found}
    assert not tags & {"img", "iframe", "object", "embed", "link", "form", "base"}
    for _, attributes, _ in found.found:
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in ("src", "style")
            assert name != "href" or value.startswith("#")
    hashes = {
        tag: [
            f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'"
            for _, attributes, inside in found.all(tag)
            if "type" not in attributes
        ]
        for tag in ("style", "script")
    }
    (policy,) = (a["content"] for _, a, _ in found.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == (
        f"default-src 'none'; style-src {' '.join(hashes['style'])}; "
        f"script-src {' '.join(hashes['script']) or chr(39) + 'none' + chr(39)}; base-uri 'none'; form-action 'none'"
    )
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u200f\u202e\u2066\ud800-\udfff]", data)
    return found


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
    assert "innerHTML" not in said and "eval(" not in said and "http" not in said


def test_the_style_fetches_nothing():
    said = asset("style.css")
    assert "url(" not in said and "@import" not in said and "</style" not in said
