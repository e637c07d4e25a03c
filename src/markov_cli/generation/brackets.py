"""Checks that every quote and bracket of a text is closed.

A closing mark must match the innermost open one, so `(a [b) c]` fails. Brackets and curved quotes are paired by
shape, German „ “ and » « as well as French « ». A straight " opens or closes depending on the characters beside
it. ’ closes an open ‘, and is an apostrophe elsewhere and within words. A straight ' is ignored, because a quote
and an apostrophe look the same.
"""

from __future__ import annotations

import re

_CLOSES = {
    ")": "(", "]": "[", "}": "{", "”": "“„", "“": "„", "»": "«", "«": "»", "›": "‹", "‹": "›", "’": "‘",
    "」": "「", "』": "『", "）": "（", "》": "《", "〉": "〈", "】": "【", "］": "［",
}  # fmt: skip
_BOTH = "“»«›‹"  # open a quote where they cannot close one
_OPENS = frozenset("([{“„«‹‘「『（《〈【［") | frozenset(_BOTH)
_MARKS = re.compile("[" + re.escape("".join({*_CLOSES, *_OPENS, '"'})) + "]")


def balanced(text: str) -> bool:
    """True if every mark that opens is closed, and no mark closes that is not open.

    >>> [balanced(t) for t in ("“Yes,” (he) said.", "“Yes, he said.", "he said.)", "don’t", "„Ja“", "«oui»", "»ja«")]
    [True, False, False, True, True, True, True]
    >>> [balanced(t) for t in ('"a" b', 'a" b', '"a b', 'a "b "c" d" e', '("a)"')]
    [True, False, False, False, False]
    """
    open_ones: list[str] = []
    for found in _MARKS.finditer(text):
        mark = found.group()
        before, after = text[: found.start()][-1:], text[found.end() : found.end() + 1]
        if mark == '"':
            mark = _straight(open_ones, before, after)
        elif mark == "’" and (not open_ones or open_ones[-1] != "‘" or (before.isalnum() and after.isalnum())):
            continue
        elif open_ones and open_ones[-1] in _CLOSES.get(mark, ""):
            mark = "close"
        elif mark not in _OPENS:
            return False
        if mark == "close":
            open_ones.pop()
        elif mark:
            open_ones.append(mark)
        else:
            return False
    return not open_ones


def _straight(open_ones: list[str], before: str, after: str) -> str:
    """Role of a straight quote: `"` opens, `close` closes, empty where it can do neither."""
    at_left = not before or before.isspace() or before in _OPENS or before in "-–—"
    at_right = not after or after.isspace() or after in _CLOSES or after in ".,;:!?…-–—"
    inner = bool(open_ones) and open_ones[-1] == '"'
    if at_left and not at_right:
        return "" if '"' in open_ones else '"'
    if at_right and not at_left:
        return "close" if inner else ""
    return "close" if inner else '"'
