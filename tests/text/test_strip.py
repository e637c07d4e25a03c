"""`--strip`: the text of HTML and of subtitles, against the standard library's parser and by hand."""

import gzip
import io
import json
import random
import re
from html.parser import HTMLParser

import pytest

import markov_cli
from markov_cli.errors import OptionError
from markov_cli.text.html_text import _BLOCKS, _NO_TEXT, HtmlText, html_text
from markov_cli.text.strip import Stripped, encoding_of_page
from markov_cli.text.subtitles import SubtitleText, subtitle_text

PARTS = [
    "<p>", "</p>", "<div class='a b'>", "</DIV>", "<b>", "</b>", "<br>", "<br/>", "<td>", "<tr>", "<p title=\"a>b\">",
    "<a href='/?a<b'>", "<i a=b c>", "<!-- no -->", "<!-- <p> \"no\" -->", "<script>if (a<b) x('</p>')</script>",
    "<STYLE>p > a {}</STYLE>", "<noscript>no</noscript>", "&amp;", "&lt;p&gt;", "&eacute;", "&#233;", "&nbsp;", "word",
    "two words", "é", " ", "\n", "\r\n", " < ", "1<2", "a & b", "<!DOCTYPE html>", "<my-tag x>", "<?php no ?>",
]  # fmt: skip
BROKEN = [
    *PARTS,
    "<p",
    "<",
    "</",
    "<!--",
    "<a '",
    '"',
    "'",
    ">",
    "<pre>",
    "</pre>",
    "<script>",
    "</script>",
    "&",
    "&am",
    "-->",
]


class Parser(HTMLParser):
    """The text of a page with separators, by the standard library."""

    def __init__(self):
        super().__init__()
        self.out, self.inside = [], None

    def handle_starttag(self, tag, attributes):
        if self.inside is None:
            self.out.append({"br": "\n", "td": " "}.get(tag, "\n\n" if tag in _BLOCKS else ""))
            self.inside = tag if tag in _NO_TEXT else None

    def handle_endtag(self, tag):
        if tag == self.inside:
            self.inside = None
        elif self.inside is None:
            self.out.append("\n\n" if tag in _BLOCKS else "")

    def handle_data(self, data):
        if self.inside is None:
            self.out.append(re.sub("[ \t\r\n]+", " ", data))

    def text(self, page):
        self.feed(page)
        self.close()
        text = re.sub(" *\n[ \n]*", lambda m: "\n\n" if m[0].count("\n") > 1 else "\n", "".join(self.out))
        return re.sub("  +", " ", text).strip(" \n")


def test_pages_equal_the_standard_librarys_parser():
    rng = random.Random(13)
    for _ in range(300):
        page = "".join(rng.choices(PARTS, k=rng.randrange(1, 30)))
        assert html_text(page) == Parser().text(page), page


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<pre>a\n  b\r\nc</pre>d\ne", "a\n  b\nc\n\nd e"),
        ("<p>one<p>two</p>three", "one\n\ntwo\n\nthree"),
        ("a <b title='x>y'>b</b", "a b"),  # a tag without an end is no text
        ("a <b title='x>y", "a y"),  # a quote without an end: up to the first >
        ("a <!-- b > c", "a c"),  # a comment without an end
        ("a <!--> b <!---> c", "a b c"),
        ("a <!-- x --!> b", "a b"),
        ("<script>a", ""),
        ("a</script>b", "ab"),
        ("<scripts>a</scripts>", "a"),
        ("a <3 b < c <> d </ e> f", "a <3 b < c <> d f"),
        ("<![CDATA[x]]>y", "y"),
        ("x &copy &notin; &#0; &bogus; &amp;lt; y", "x © ∉ \ufffd &bogus; &lt; y"),
        ("a\x1db", "a b"),
        ("", ""),
    ],
)
def test_broken_pages_are_read_as_a_browser_reads_them(page, text):
    assert html_text(page) == text


@pytest.mark.parametrize(("kind", "parts"), [
    (HtmlText, BROKEN),
    (SubtitleText, ["1\n", "00:01,000 --> 00:02,000\n", "\n", "\n\n", "word\n", "<i>x</i>\n", "NOTE a\n", "\r\n", "x"]),
])  # fmt: skip
def test_pieces_do_not_matter(kind, parts):
    rng = random.Random(7)
    for _ in range(300):
        page = "".join(rng.choices(parts, k=rng.randrange(1, 40)))
        one, cuts, out = kind(), sorted(rng.choices(range(len(page) + 1), k=rng.randrange(4))), []
        for a, b in zip([0, *cuts], [*cuts, len(page)], strict=True):
            out.append(one.feed(page[a:b], False))
        out.append(one.feed("", True))
        assert "".join(out) == kind().feed(page, True), (page, cuts)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\n{\\an8}<font a=b>Who</font>\r\nis it?\r\n\r\n", "Who is it?\n"),
        ("1\n00:01,0 --> 00:02,0\na\n2\n00:03,0 --> 00:04,0\nb\n", "a\nb\n"),  # no blank line between
        ("1\n00:00:01.000 --> 00:00:02.000 align:start\n\n2\n00:00:03.000 --> 00:00:04.000\n42\n", "42\n"),
        ("WEBVTT - title\nKind: c\n\nSTYLE\n::cue {}\n\nintro\n00:01.000 --> 00:02.000\n<v Ann>a &amp; b\n", "a & b\n"),
        ("NOTE is a word.\n\n3 < 4 {x}\n", "NOTE is a word.\n3 < 4 {x}\n"),  # no subtitles
        ("", ""),
    ],
)  # fmt: skip
def test_subtitles_become_a_line_a_cue(text, found):
    assert subtitle_text(text) == found


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "a.html").write_bytes('<meta charset="windows-1252"><p>A café. <p>Two.'.encode("cp1252"))
    (tmp_path / "b.html").write_text("<p>A café.\n</p>\n<p>Two.</p>", encoding="utf-8")
    (tmp_path / "c.jsonl").write_text(json.dumps({"t": "<b>A</b> caf&eacute;.<p>Two."}) + "\n")
    (tmp_path / "d.html.gz").write_bytes(gzip.compress((tmp_path / "b.html").read_bytes()))
    (tmp_path / "e.csv").write_text('t\n"<b>A</b> caf&eacute;.<p>Two."\n')
    return tmp_path


@pytest.mark.parametrize("name", ["a.html", "b.html", "c.jsonl", "d.html.gz", "e.csv"])
def test_every_door_gives_the_same_model(pages, name):
    records = {name[2:]: "t"} if name[0] in "ce" else {}
    found = markov_cli.train(pages / name, strip="html", **records)
    plain = markov_cli.train(texts="A café.\n\nTwo.", strip=None)
    assert found.header.as_dict() == plain.header.as_dict() | {"corpus_bytes": found.header.corpus_bytes}
    assert found.vocabulary.blob.tobytes() == plain.vocabulary.blob.tobytes()


def test_commands_read_pages_and_say_what_they_did(pages, run):
    ran = run("train", pages / "a.html", pages / "b.html", "--strip", "html", "-o", pages / "m.npz")
    assert "read in the encoding that <meta> names: " in ran.stderr and "a.html (cp1252)" in ran.stderr
    rows = run("score", pages / "m.npz", pages / "b.html", "--strip", "html", "--each", "line").stdout.splitlines()[1:]
    assert [row.split("\t")[0] for row in rows] == ["A café.", "Two."]
    ran = run("train", pages / "b.html", "--encoding", "latin-1", "--strip", "html", "-o", pages / "m.npz")
    assert "<meta>" not in ran.stderr  # the option goes before the page
    (pages / "s.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nYes.\n\n" * 9)
    assert "--strip srt" in run("train", pages / "s.srt", "-o", pages / "m.npz").stderr
    assert "note" not in run("train", pages / "s.srt", "--strip", "srt", "-o", pages / "m.npz").stderr


def test_a_stream_keeps_bytes_that_are_no_text():
    class Bytes(io.BytesIO):
        done_on_disk = 0

    stream = Stripped(Bytes(b"<p>a\xffb" + b"<p>\xc3\xa9" * 3), "html")
    assert b"".join(iter(lambda: stream.read(1), b"")) == b"a\xffb\n\n" + b"\n\n".join([b"\xc3\xa9"] * 3)


def test_names_of_encodings():
    assert encoding_of_page(b"<meta http-equiv=x content='text/html; charset=Shift_JIS'>") == "shift_jis"
    for head in (b"", b"<meta charset=utf-8>", b"<meta charset=utf-16>", b"<meta charset=nonsense>", b"charset=cp1252"):
        assert encoding_of_page(head) is None
    with pytest.raises(OptionError, match="strip 'xml'"):
        markov_cli.train(texts="a", strip="xml")
