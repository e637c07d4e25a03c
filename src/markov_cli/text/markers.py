"""Finds `<s>`, `</s>` and `<unk>` that stand in a text as words of their own (`--markers`).

Legend: a is a block's bytes, uint8 (m + 8,); a mark is one such word; a gap is a run of white space, [begin, end), and
the marks `<s>` and `</s>` are white space here.

A text with marks becomes one without: `<s>` and `</s>` are overwritten with spaces, so that every other byte stays
where it was. No block begins with a mark (see `reading.blocks`), so the answer is the same for blocks of any size.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays.sorting import distinct_values, ragged
from .segmentation import Breaks
from .sources import READINGS
from .tokenizer import Gaps

TEXT, BORDERS, SPACE = READINGS
_U = np.uint64
_WHITE = np.zeros(256, bool)
_WHITE[[0, 9, 10, 13, 32]] = True
_LESS = ord("<")  # a mark of its own to every tokenizer, and neither a capital nor a small letter


def _pattern(word: bytes) -> tuple[int, np.uint64, np.uint64, np.uint64]:
    """A word as the eight bytes from its first on: size, bits that are compared, their value, bits of letters' case."""
    case = bytes(0x20 if chr(c).isalpha() else 0 for c in word)
    mask, value, fold = (int.from_bytes(b, "little") for b in (b"\xff" * len(word), word, case))
    return len(word), _U(mask), _U(value), _U(fold)


_BORDERS = [_pattern(b"<s>"), _pattern(b"</s>")]
_UNK = _pattern(b"<unk>")


class Marks(NamedTuple):
    """The marks of a block: int64, rising.

    border   where each `<s>` and `</s>` begins, and size its bytes
    unknown  where each `<unk>` begins
    """

    border: np.ndarray
    size: np.ndarray
    unknown: np.ndarray


def find_marks(a: np.ndarray, m: int) -> Marks | None:
    """The marks of a block, in capital or small letters; None where there is none."""
    less = np.flatnonzero(a[:m] == _LESS)
    less = less[(less == 0) | _WHITE[a[np.maximum(less - 1, 0)]]]
    if not len(less):
        return None
    eight = np.ndarray((len(a) - 7,), "<u8", a, strides=(1,))[less]
    size = np.zeros(len(less), np.int64)
    for n, mask, value, fold in (*_BORDERS, _UNK):
        behind = np.minimum(less + n, m)
        closed = (less + n <= m) & ((behind == m) | _WHITE[a[behind]])
        size[((eight | fold) & mask == value) & closed] = n
    border, unknown = (size > 0) & (size < _UNK[0]), size == _UNK[0]
    if not (border.any() or unknown.any()):
        return None
    return Marks(less[border], size[border], less[unknown])


def without_marks(a: np.ndarray, marks: Marks, markers: str) -> tuple[np.ndarray, np.ndarray]:
    """A block whose marks are white space, and the same with its `<unk>` as it is, to be shown.

    With `borders` each `<unk>` becomes a run of `<`, which `with_unknown` finds by its place.
    """
    shown = a.copy()
    shown[ragged(marks.border, marks.size)] = 32
    inside = ragged(marks.unknown, np.full(len(marks.unknown), _UNK[0]))
    read = shown if not len(inside) else shown.copy()
    if markers == SPACE:
        read[inside] = shown[inside] = 32
    else:
        read[inside] = _LESS
    return read, shown


def with_unknown(
    number: np.ndarray, start: np.ndarray, length: np.ndarray, unknown: np.ndarray, of_unknown: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tokens of a block, each `<unk>` as one.

    number, start, length  of its tokens
    unknown                int64, where each `<unk>` begins
    of_unknown             its provisional number
    """
    n = _UNK[0]
    if not len(unknown):
        return number, start, length
    mark = np.searchsorted(unknown, start, "right") - 1
    other = (mark < 0) | (start >= unknown[np.maximum(mark, 0)] + n)
    start = np.concatenate((start[other], unknown))
    order = np.argsort(start, kind="stable")
    number = np.concatenate((number[other], np.full(len(unknown), of_unknown, number.dtype)))
    length = np.concatenate((length[other], np.full(len(unknown), n, length.dtype)))
    return number[order], start[order], length[order]


def dropped_bytes(a: np.ndarray, m: int, unit: str, gaps: Gaps, marks: Marks, markers: str) -> np.ndarray:
    """The bytes that are no tokens where white space is one (`chars`): int64.

    With `borders` all white space around `<s>` and `</s>`, of their lines where a sequence is a line; otherwise the
    marks and a space behind each.
    """
    if markers == BORDERS:
        which = np.searchsorted(gaps.begin, marks.border, "right") - 1
        begin, end = gaps.begin[which], gaps.end[which]
        if unit == "line":
            edge = np.concatenate(([-1], np.flatnonzero(a[:m] == 10), [m]))
            line = np.searchsorted(edge, marks.border)
            begin, end = np.maximum(begin, edge[line - 1] + 1), np.minimum(end, edge[line])
        rest = ragged(marks.unknown + 1, np.full(len(marks.unknown), _UNK[0] - 1))
        return np.concatenate((distinct_values(ragged(begin, end - begin)), rest))
    at = np.concatenate((marks.border, marks.unknown))
    size = np.concatenate((marks.size, np.full(len(marks.unknown), _UNK[0])))
    behind = a[at + size]
    return distinct_values(ragged(at, size + ((behind == 32) | (behind == 9))))


def _gaps_of(at: np.ndarray, gaps: Gaps) -> np.ndarray:
    """The gaps that hold these places: int64, rising."""
    return distinct_values(np.searchsorted(gaps.begin, at, "right") - 1)


def with_borders(
    breaks: Breaks, unit: str, gaps: Gaps, border: np.ndarray, m: int, last: bool, seams: np.ndarray
) -> Breaks:
    """The breaks of a block, and one at each gap with a mark.

    border  int64, where each `<s>` and `</s>` begins
    last    the text ends with the block
    seams   newlines between its texts

    The edges of a text are none: it begins and ends there anyway. Where a sequence is a line, the marks at the ends of
    a line belong to its line break.
    """
    if not len(border):
        return breaks
    which = _gaps_of(border, gaps)
    begin, end = gaps.begin[which], gaps.end[which]
    at_edge = (begin == 0) | (last & (end == m))
    if unit == "line":
        breaks = Breaks(breaks.begin.copy(), breaks.end.copy())
        low, high = np.searchsorted(breaks.begin, begin), np.searchsorted(breaks.end, end, "right")
        some = np.flatnonzero(high > low)
        first = border[np.searchsorted(border, begin[some])]
        final = border[np.searchsorted(border, end[some]) - 1]
        before = some[first < breaks.begin[low[some]]]
        behind = some[final >= breaks.end[high[some] - 1]]
        breaks.begin[low[before]], breaks.end[high[behind] - 1] = begin[before], end[behind]
        fresh = (high == low) & ~at_edge
    else:
        holds_seam = np.searchsorted(seams, begin) < np.searchsorted(seams, end)
        fresh = ~at_edge & ~holds_seam & ~np.isin(begin, breaks.begin)
    both = np.concatenate((breaks.begin, begin[fresh])), np.concatenate((breaks.end, end[fresh]))
    order = np.argsort(both[0], kind="stable")
    return Breaks(both[0][order], both[1][order])
