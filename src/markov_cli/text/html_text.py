"""Takes the text out of HTML (`--strip html`): no tags, comments, scripts and styles; entities as characters.

Legend: a token is a tag, a comment, a declaration or the whole of an element whose content is no text; a simple tag has
no < or > inside.

A block element (a paragraph, a heading, a row of a table, ...) ends a paragraph, so a blank line stands between two of
them; `<br>` is a line break, several are a blank line. Other white space becomes one space, but in `<pre>`. The rules
are those of the HTML standard, section 13.2.5: nothing is an error, and what is broken is read as a browser reads it. A
quote or comment that is never closed ends at the first `>`, so that it does not take the rest of a page along.

Simple tags are found by one expression, in linear time, for it never looks beyond the next < or >. The standard
library's parser takes five times as long (see benchmarks/README.md); it is the oracle of the tests.
"""

from __future__ import annotations

import re
from html import unescape

_TOKEN = re.compile(
    r"""<(/?[a-zA-Z][^\s/<>"']*)[^<>"']*(?:(?:"[^"<>]*"|'[^'<>]*')[^<>"']*)*>|<(?=[a-zA-Z/!?])""", re.ASCII
)
_PARAGRAPH, _LINE, _NOTHING = "\x1d", "\x1e", "\x1c"  # stand for separators until white space is put in order
_HARD, _TAB = "\x1f", "\x1a"  # white space that stays as it is
_SEPARATORS = re.compile(f"[{_PARAGRAPH}{_LINE}{_NOTHING}{_HARD}{_TAB}]")
_SPACES = re.compile("  +")
_PARAGRAPHS = re.compile(f"{_PARAGRAPH}[ {_PARAGRAPH}{_LINE}]*")
_BLANK_LINES = re.compile(f"{_LINE} *(?:{_LINE}[ {_LINE}]*)+(?:\n\n)?|{_LINE} *\n\n")
_LINES = re.compile(f"{_LINE}[ {_LINE}]*")
_BEHIND = f" {_PARAGRAPH}{_LINE}"
_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)", re.ASCII)
_IN_TAG = re.compile(r"""=\s*["']|>""")
_LONGEST_ENTITY = 40  # characters, and more than any has
_BLOCKS = (  # noqa: SIM905
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li main menu nav ol optgroup option p "
    "pre search section select summary table tbody tfoot thead title tr ul"
).split()
_NO_TEXT = ("script", "style", "template", "noscript", "iframe", "noembed", "noframes", "svg", "math", "object")
_SPECIAL = re.compile(rf"<(?:!|(?:{'|'.join(_NO_TEXT)})(?=[\s/>]))", re.IGNORECASE | re.ASCII)
_CLOSES = {name: re.compile(rf"</{name}(?=[\s/>])[^>]*>", re.IGNORECASE | re.ASCII) for name in _NO_TEXT}
_PRE, _PRE_TAG = ("pre", "/pre"), re.compile(r"<pre(?=[\s/>])", re.IGNORECASE | re.ASCII)
_COMMENT = re.compile(r"""<!--[^<>"']*-->""")  # harmless wherever it stands
_LONGEST = 1 << 26  # characters without the end of a token; then it ends at the first >
_INLINE = (  # noqa: SIM905
    "a abbr acronym b bdi bdo big button cite code data del dfn em font i ins kbd label mark meta link output path q s "
    "samp small source span strike strong sub sup time tt u var video wbr"
).split()


class _Between(dict[str, str]):
    """The separator that each tag makes."""

    def __missing__(self, name: str) -> str:
        return self.get(name.lower(), _NOTHING)


_BETWEEN = _Between(
    {
        **{slash + name: _PARAGRAPH for name in _BLOCKS for slash in ("", "/")},
        **dict.fromkeys(("td", "th", "/td", "/th", "img", "input"), " "),
        **dict.fromkeys(("br", "/br"), _LINE),
        **{slash + name: _NOTHING for name in _INLINE for slash in ("", "/")},
    }
)


def html_text(page: str) -> str:
    """The text of a page, its paragraphs divided by blank lines.

    >>> html_text("<h1>Seas &amp; <i>lakes</i></h1><script>if (a<b) c()</script><p>It's\\n wet.<br>Cold.")
    "Seas & lakes\\n\\nIt's wet.\\nCold."
    """
    return HtmlText().feed(page, True)


class HtmlText:
    """Takes the text out of a page that is read piece by piece; the pieces do not matter to the text."""

    def __init__(self) -> None:
        self._rest = ""  # of the page, not yet read
        self._pieces: list[str] = []  # behind it
        self._held = 0  # their characters
        self._behind = ""  # white space and separators at the end of the text so far
        self._begun = False  # text was written
        self._closes: re.Pattern[str] | None = None  # the end of the element that is left out
        self._pre = 0  # open `<pre>`
        self._hard = False  # there was one

    def feed(self, piece: str, last: bool) -> str:
        """The text of the page up to this piece, so far as it was not yet given; all of it with the last one."""
        if _SEPARATORS.search(piece):
            piece = _SEPARATORS.sub(" ", piece)
        self._pieces.append(piece)
        self._held += len(piece)
        if not last and self._held < len(self._rest):  # a token that is still open is looked at when it has doubled
            return ""
        page = "".join((self._rest, *self._pieces))
        self._pieces, self._held = [], 0
        if "<!--" in page:
            page = _COMMENT.sub(_NOTHING, page)
        out: list[str] = []
        end = self._read(page, last or len(page) > _LONGEST, out)
        self._rest = page[end:]
        return self._finished("".join(out), last)

    def _read(self, page: str, last: bool, out: list[str]) -> int:
        """Add the text of a page to `out`; the place up to which it was read."""
        at = 0
        unclosed: set[str] = set()  # what has no end behind here
        pre = self._pre or _PRE_TAG.search(page)
        while True:
            if self._closes is not None:
                at = self._end_of_element(page, at, last)
                if self._closes is not None:
                    return at
            special = _SPECIAL.search(page, at)
            stop = special.start() if special else len(page) if last else _end_of_text(page, at)
            parts = _TOKEN.split(page[at:stop])
            names = parts[1::2]
            if pre or None in names:
                at, known = self._read_each(page, at, stop, last, unclosed, out)
                if not known:
                    return at
                if at > stop:  # what is special there lies in a tag
                    continue
            else:
                parts[1::2] = map(_BETWEEN.__getitem__, names)
                self._text("".join(parts), out)
                at = stop
            if special is None:
                return at
            found = _end_of_token(page, at, last, unclosed)
            if found is None:
                return at
            name, at = found
            self._closes = _CLOSES.get(name.lower())

    def _read_each(
        self, page: str, at: int, stop: int, last: bool, unclosed: set[str], out: list[str]
    ) -> tuple[int, bool]:
        """Add the text up to a place, tag by tag: where it was read to, and False if the page must go on for more."""
        for token in _TOKEN.finditer(page, at):
            begin = token.start()
            if begin >= stop:
                break
            if begin < at:
                continue
            name, end = token[1], token.end()
            if name is None:
                found = _end_of_token(page, begin, last, unclosed)
                if found is None:
                    self._text(page[at:begin], out)
                    return begin, False
                name, end = found
            self._text(page[at:begin], out)
            at = end
            out.append(_BETWEEN[name])
            if name.lower() in _PRE:
                self._pre = max(self._pre + (-1 if name[0] == "/" else 1), 0)
        if at < stop:
            self._text(page[at:stop], out)
            at = stop
        return at, True

    def _end_of_element(self, page: str, at: int, last: bool) -> int:
        """The place behind an element that is left out; where it is not closed, the place from which to look on."""
        assert self._closes is not None
        found = self._closes.search(page, at)
        if found is None:
            if last:
                return len(page)
            tag = page.rfind("<", at)
            return tag if tag >= 0 and ">" not in page[tag:] else len(page)
        self._closes = None
        return found.end()

    def _text(self, raw: str, out: list[str]) -> None:
        if "&" in raw:
            raw = unescape(raw)
        if self._pre:
            self._hard = True
            raw = raw.replace("\r\n", "\n").replace("\n", _LINE).replace(" ", _HARD).replace("\t", _TAB)
        out.append(raw)

    def _finished(self, text: str, last: bool) -> str:
        """Text with its white space in order; what may yet grow at its end is kept."""
        for white in (_NOTHING, "\n", "\t", "\r", "\f"):
            if white in text:
                text = text.replace(white, "" if white == _NOTHING else " ")
        text = _SPACES.sub(" ", self._behind + text)
        kept = text.rstrip(_BEHIND)
        self._behind = "" if last else text[len(kept) :]
        if not self._begun:
            kept = kept.lstrip(_BEHIND)
            self._behind = self._behind if kept else ""
        self._begun = self._begun or bool(kept)
        kept = _PARAGRAPHS.sub("\n\n", kept)
        if _LINE in kept:
            kept = _LINES.sub("\n", _BLANK_LINES.sub("\n\n", kept))
        kept = kept.replace(" \n", "\n")
        return kept.replace(_HARD, " ").replace(_TAB, "\t") if self._hard else kept


def _end_of_text(page: str, at: int) -> int:
    """Where text ends that has no token behind it: before a < or & that may begin one in the next piece."""
    end = len(page)
    if page.endswith("<") and end > at:
        end -= 1
    entity = page.rfind("&", max(at, end - _LONGEST_ENTITY), end)
    return end if entity < 0 or ";" in page[entity:end] else entity


def _end_of_token(page: str, at: int, last: bool, unclosed: set[str]) -> tuple[str, int] | None:
    """The name of a token that is no simple tag, empty for none, and where it ends; None if that is not yet known.

    unclosed  ends that were looked for and are not there, so that no page is searched twice
    """
    if page.startswith("<!--", at):
        return _end_of_comment(page, at, last, unclosed)
    named = _NAME.match(page, at)
    if named is None:
        if not last and len(page) - at < 4:
            return None
        end = page.find(">", at)
        return ("", end + 1) if end >= 0 else (("", len(page)) if last else None)
    name = page[at + 1 : named.end()]
    here = named.end()
    while found := _IN_TAG.search(page, here):
        if found[0] == ">":
            return name, found.end()
        quote = page[found.end() - 1]
        end = -1 if quote in unclosed else page.find(quote, found.end())
        if end < 0:
            unclosed.add(quote)
            break
        here = end + 1
    if not last:
        return None
    end = page.find(">", named.end()) if ">" not in unclosed else -1
    if end < 0:
        unclosed.add(">")
        return "", len(page)  # as the standard has it, a tag without an end is no text
    return name, end + 1


def _end_of_comment(page: str, at: int, last: bool, unclosed: set[str]) -> tuple[str, int] | None:
    for short in ("<!-->", "<!--->"):
        if page.startswith(short, at):
            return "", at + len(short)
    ends = [page.find(mark, at + 4) if mark not in unclosed else -1 for mark in ("-->", "--!>")]
    unclosed.update(mark for mark, end in zip(("-->", "--!>"), ends, strict=True) if end < 0)
    found = [(end, end + size) for end, size in zip(ends, (3, 4), strict=True) if end >= 0]
    if found:
        return "", min(found)[1]
    if not last:
        return None
    end = page.find(">", at)
    return "", end + 1 if end >= 0 else len(page)
