r"""Finds the texts of JSON lines that have the shape of a line parsed before, by whole-array operations.

Legend: a value is a string that no colon follows directly.

The shape of a line is all of it but the insides of its values, with numbers as far as their validity depends on them:
`{"id": 170, "text": "Good day."}` has the shape of `{"id": 5, "text": ""}`. If a line of a shape is an object with a
text in the wanted field, so is every line of the shape, and the text is the value at the same place. So the parser
reads one line of each shape. Left to the parser are lines with control characters, with an escape that is none, with
an odd number of quotes, with digits in a key, and with a space between a key and its colon; blocks with many escapes
such as `\u00e9`, which are faster parsed; and long lines, which would take many times their size here.

The parser holds Python's lock; nearly all of this does not, so that other threads count meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .records import Bad, field_of

_QUOTE, _COLON, _NEWLINE, _BACKSLASH, _U = b'":\n\\u'
_ZERO, _ONE = b"01"
_MORE = 1  # stands for all digits of a number but the first; in no line with a shape
PROBE = "\x7f"  # before the numbers of values in a line that is parsed to learn where the text is
_LONGEST = 600  # bytes outside of values; Python can be told to refuse numbers with more than 640 digits
_MOST_SHAPES = 64
_NEW_SHAPES = 8  # in one block
_PAUSE = 15  # blocks that go without, where most lines of one had no shape, or it had many escapes with a number
_CODE_BYTES = 200  # to each escape with a number: with fewer the parser is faster


@dataclass
class Shape:
    """The shape of a line.

    outside  uint8, its bytes outside of values
    value    which value is the text; -1 for a line that the parser must read
    """

    outside: np.ndarray
    value: int


@dataclass
class _Lines:
    """The lines of a block, without newlines, and their values.

    first, end        int64 (L,), where each line begins and ends
    opens, closes     int64 (v,), the quotes of each value
    n_values          int64 (L,)
    outside           uint8, the bytes outside of values of all lines, each with its newline
    outside_end       int64 (L,), the newline of each there
    backslashes       int64, the places of all backslashes; `codes` those of escapes with a number
    alike             bool (L,), the line may have the shape of another
    """

    data: bytes
    first: np.ndarray
    end: np.ndarray
    opens: np.ndarray
    closes: np.ndarray
    n_values: np.ndarray
    outside: np.ndarray
    outside_end: np.ndarray
    backslashes: np.ndarray
    codes: np.ndarray
    alike: np.ndarray


@dataclass
class Places:
    """Where the lines of a block and their texts are.

    first, end  int64 (L,), where each line begins and ends
    low, high   int64 (L,), where its text begins and ends; -1 for a line that the parser must read
    escaped     bool (L,), the text has escapes; `coded` some with a number
    """

    first: np.ndarray
    end: np.ndarray
    low: np.ndarray
    high: np.ndarray
    escaped: np.ndarray
    coded: np.ndarray


class Shapes:
    """The shapes of lines of one file, and where in each the text of a field is."""

    def __init__(self, field: str, parsed: Callable[[str], dict[str, Any] | None]) -> None:
        """Know no shape yet; `parsed` gives the object of a line, and raises Bad where it is none."""
        self.field, self._parsed = field, parsed
        self.shapes: list[Shape] = []
        self._pause = 0

    def find(self, data: bytes) -> Places | None:
        """Where the lines of a block and their texts are; None for a block that the parser must read.

        data  whole lines in valid UTF-8, without the last newline and without CR LF
        """
        if self._pause:
            self._pause -= 1
            return None
        if data.count(b"\\u") * _CODE_BYTES > len(data):
            self._pause = _PAUSE
            return None
        lines = lines_of(data)
        low, high = np.full((2, len(lines.first)), -1, np.int64)
        size = np.diff(lines.outside_end, prepend=-1) - 1
        begin = lines.outside_end - size
        before = np.cumsum(lines.n_values) - lines.n_values
        todo = np.flatnonzero(lines.alike)
        known, new = 0, 0
        while len(todo):
            if known < len(self.shapes):
                shape, known = self.shapes[known], known + 1
            elif new < _NEW_SHAPES and len(self.shapes) < _MOST_SHAPES:
                one = int(todo[0])
                shape = Shape(
                    lines.outside[begin[one] : lines.outside_end[one]].copy(),
                    self._value(lines, one, int(before[one])),
                )
                self.shapes.append(shape)
                known, new = known + 1, new + 1
            else:
                break
            same = size[todo] == len(shape.outside)
            same[same] = _equal_to(shape.outside, lines.outside, begin[todo[same]])
            found, todo = todo[same], todo[~same]
            if shape.value >= 0:
                at = before[found] + shape.value
                low[found], high[found] = lines.opens[at] + 1, lines.closes[at]
        if 2 * np.count_nonzero(low >= 0) < len(low):
            self._pause = _PAUSE
        escaped, coded = (
            np.searchsorted(at, low) < np.searchsorted(at, high) for at in (lines.backslashes, lines.codes)
        )
        return Places(lines.first, lines.end, low, high, escaped, coded)

    def _value(self, lines: _Lines, one: int, before: int) -> int:
        """Which value of a line is the text, found by the parser in the line with numbers for its values."""
        at, pieces = int(lines.first[one]), []
        for i in range(int(lines.n_values[one])):
            pieces += [lines.data[at : int(lines.opens[before + i]) + 1], f"{PROBE}{i}".encode()]
            at = int(lines.closes[before + i])
        pieces.append(lines.data[at : int(lines.end[one])])
        try:
            found = self._parsed(b"".join(pieces).decode("utf-8"))
            text = None if found is None else field_of(found, self.field)
        except Bad:
            return -1
        if not isinstance(text, str) or not text.startswith(PROBE) or _is_ambiguous(b"".join(pieces[::2])):
            return -1
        return int(text[1:])


def _equal_to(wanted: np.ndarray, outside: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """True where the bytes from each place on are those that are wanted: bool."""
    if not len(wanted) or not len(begin):
        return np.ones(len(begin), bool)
    windows = np.lib.stride_tricks.sliding_window_view(outside, len(wanted))
    equal: np.ndarray = (windows[begin] == wanted).all(axis=1)
    return equal


def _is_ambiguous(outside: bytes) -> bool:
    """True for a line with a key that its shape does not tell: with a digit in it, or a space before its colon.

    outside  the line without the insides of its values
    """
    line = re.sub(rb"\\.", b"", outside)
    return re.search(rb'" +:', line) is not None or any(re.search(rb"\d", key) for key in line.split(b'"')[1::2])


def lines_of(data: bytes) -> _Lines:
    """The lines of a block, and what is outside of their values."""
    a = np.frombuffer(data + b"\n", np.uint8)
    control = few_places(a < 32)
    is_end = a[control] == _NEWLINE
    end = control[is_end]
    first = np.concatenate((np.zeros(1, np.int64), end[:-1] + 1))
    alike = np.ones(len(end), bool)
    if len(control) > len(end):
        alike[np.searchsorted(end, control[~is_end])] = False
    is_quote = a == _QUOTE
    backslashes = few_places(a == _BACKSLASH) if b"\\" in data else end[:0]
    codes = end[:0]
    if len(backslashes):
        escaped = _escaped(backslashes)
        codes = escaped[a[escaped] == _U]
        is_quote[escaped] = False
        alike[np.searchsorted(end, escaped[~_is_escape(a, escaped)])] = False
    quotes = np.flatnonzero(is_quote)
    each = np.diff(np.searchsorted(quotes, end), prepend=0)
    alike &= each % 2 == 0
    if not alike.all():
        quotes = quotes[np.repeat(alike, each)]
    opens, closes = quotes[::2], quotes[1::2]
    is_value = a[closes + 1] != _COLON
    opens, closes = opens[is_value], closes[is_value]
    n_values = np.diff(np.searchsorted(opens, end), prepend=0)
    inside = np.concatenate((np.zeros(1, np.int64), np.cumsum(closes - opens - 1)))[np.cumsum(n_values)]
    alike &= end - first - np.diff(inside, prepend=0) <= _LONGEST
    edges = np.empty(2 * len(opens) + 1, np.int64)
    edges[:-1:2], edges[1::2], edges[-1] = opens + 1, closes, len(a)
    kept = (np.arange(len(edges)) % 2 == 0).repeat(np.diff(edges, prepend=0))
    outside = _numbers_alike(a[kept])
    ends = few_places(outside == _NEWLINE)
    return _Lines(data, first, end, opens, closes, n_values, outside, ends, backslashes, codes, alike)


def few_places(mask: np.ndarray) -> np.ndarray:
    """np.flatnonzero of a mask that is seldom True, several times faster: int64."""
    whole = len(mask) & ~7
    words = np.flatnonzero(mask[:whole].view(np.uint64) != 0)
    inside, place = np.nonzero(mask[:whole].reshape(-1, 8)[words])
    return np.concatenate((8 * words[inside] + place, whole + np.flatnonzero(mask[whole:])))


def _escaped(backslashes: np.ndarray) -> np.ndarray:
    """The places behind the backslashes that are not escaped themselves: int64."""
    index = np.arange(len(backslashes))
    begins = np.diff(backslashes, prepend=-2) > 1
    before = np.maximum.accumulate(np.where(begins, index, 0))  # where the run of each begins
    return backslashes[(index - before) % 2 == 0] + 1


def _is_escape(a: np.ndarray, escaped: np.ndarray) -> np.ndarray:
    """True where a backslash and the bytes from here on are an escape of JSON: bool."""
    good = _MAY_FOLLOW[a[escaped]]
    of_code = np.flatnonzero(a[escaped] == _U)
    if len(of_code):
        code = np.minimum(escaped[of_code, None] + np.arange(1, 5), len(a) - 1)
        good[of_code] = _IS_HEX[a[code]].all(axis=1)
    return good


def _bytes_in(some: bytes) -> np.ndarray:
    found = np.zeros(256, bool)
    found[list(some)] = True
    return found


_MAY_FOLLOW = _bytes_in(b'"\\/bfnrtu')
_IS_HEX = _bytes_in(b"0123456789abcdefABCDEF")


def _numbers_alike(outside: np.ndarray) -> np.ndarray:
    """Each number as its first digit, 1 unless that is 0, and one `_MORE` for all digits behind it."""
    digits = few_places((outside - np.uint8(_ZERO)) < 10)
    if not len(digits):
        return outside
    out = outside.copy()
    out[digits] = np.minimum(out[digits], np.uint8(_ONE))
    more = digits[1:][np.diff(digits) == 1]
    out[more] = _MORE
    again = more[1:][np.diff(more) == 1]
    if not len(again):
        return out
    kept = np.ones(len(out), bool)
    kept[again] = False
    return out[kept]
