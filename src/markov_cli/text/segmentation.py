"""Divides text into sequences: sentences, lines, paragraphs or files.

Legend: a is a block's bytes; a gap is a run of white space, [begin, end); a drop is a
stretch of bytes between two sequences that belongs to neither, [begin, end).

The sentence rule: a sentence-ending mark, closing quotes or brackets if any, then white
space. A blank line ends one too. Full stops of scripts written without spaces need no white
space behind them. A point does not end a sentence behind a title or abbreviation of
`ABBREVIATIONS` or behind a single capital letter other than I (`J. R. Hale`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .char_classes import Wide
from .tokenizer import Gaps

UNITS = ("sentence", "line", "paragraph", "file")

# English titles and abbreviations that stand inside a sentence; case does not matter.
ABBREVIATIONS = (
    "mr", "mrs", "ms", "dr", "st", "prof", "rev", "hon", "gen", "col", "capt", "lt", "sgt",
    "messrs", "mme", "mlle", "vs", "cf", "e.g", "i.e",
)  # fmt: skip

_NEITHER, _CLOSER, _END, _POINT = range(4)
_ROLE = np.zeros(256, np.uint8)
_ROLE[[ord(c) for c in "\"')]}"]] = _CLOSER
_ROLE[[ord(c) for c in "!?"]] = _END
_ROLE[ord(".")] = _POINT
_ROLE_TABLE = _ROLE.tobytes()
_WIDE_CLOSERS = np.array([0x2019, 0x201D, 0xBB, 0x203A, 0x300D, 0x300F, 0xFF09, 0x3009, 0x300B, 0x3011])
# U+2026 is the ellipsis; the rest are full stops, question and exclamation marks
_WIDE_ENDS = np.array(
    [0x2026, 0x203C, 0x203D, 0x2047, 0x2048, 0x2049, 0x0589, 0x061D, 0x061E, 0x061F, 0x06D4, 0x0964,
     0x0965, 0x104A, 0x104B, 0x1362, 0x1367, 0x17D4, 0x17D5, 0x3002, 0xFF01, 0xFF0E, 0xFF1F, 0xFF61]
)  # fmt: skip
# those that end a sentence without white space behind them
_WIDE_STOPS = np.array([0x3002, 0xFF01, 0xFF1F, 0xFF61])
_WIDE_ROLE = np.zeros(0x110000, np.uint8)
_WIDE_ROLE[_WIDE_CLOSERS], _WIDE_ROLE[_WIDE_ENDS] = _CLOSER, _END
_IS_STOP = np.zeros(0x110000, bool)
_IS_STOP[_WIDE_STOPS] = True


class Breaks(NamedTuple):
    """The places between sequences, in order: int64 (b,) each, [begin, end)."""

    begin: np.ndarray
    end: np.ndarray


NO_BREAKS = Breaks(np.empty(0, np.int64), np.empty(0, np.int64))


def find_breaks(
    a: np.ndarray,
    m: int,
    unit: str,
    gaps: Gaps,
    wide: Wide | None,
    first: bool,
    last: bool,
    original: np.ndarray | None = None,
    seams: np.ndarray = NO_BREAKS.begin,
) -> Breaks:
    """The breaks of one block.

    wide      the block's characters above U+007F, None where there are none
    first     the text begins with this block: white space there is a break (sentence, paragraph)
    last      the text ends with it: likewise
    original  the block before it was lowered, where it was: only there an initial is a capital
    seams     newlines between texts, in order: there is a break at each
    """
    if unit == "file":
        return Breaks(seams, seams + 1) if len(seams) else NO_BREAKS
    newline = np.flatnonzero(a[:m] == 10)
    if unit == "line":
        returned = (newline > 0) & (a[np.maximum(newline - 1, 0)] == 13)
        returned[np.searchsorted(newline, seams)] = False  # a text that ends in CR keeps it
        return Breaks(newline - returned, newline + 1)
    breaks = _blank(newline, gaps)
    if first and len(gaps.begin) and gaps.begin[0] == 0:
        breaks[0] = True
    if last and len(gaps.end) and gaps.end[-1] == m:
        breaks[-1] = True
    begin, end = gaps
    breaks[np.searchsorted(begin, seams, "right") - 1] = True
    if unit == "sentence":
        role = _roles(a, m, wide)
        breaks |= _sentence_ends(a, role, begin, original)
        if wide is not None:
            stop = _unspaced_stops(m, role, wide)
            if len(begin):  # where white space follows, the gap says it already
                stop = stop[begin[np.searchsorted(begin, stop).clip(0, len(begin) - 1)] != stop]
            at = np.concatenate((begin[breaks], stop))
            to = np.concatenate((end[breaks], stop))
            order = np.argsort(at, kind="stable")
            return Breaks(at[order], to[order])
    return Breaks(begin[breaks], end[breaks])


def _blank(newline: np.ndarray, gaps: Gaps) -> np.ndarray:
    """True for gaps with two newlines, so with a blank line: bool."""
    breaks = np.zeros(len(gaps.begin), bool)
    gap = np.searchsorted(gaps.begin, newline, "right") - 1
    breaks[gap[1:][gap[1:] == gap[:-1]]] = True
    return breaks


def _roles(a: np.ndarray, m: int, wide: Wide | None) -> np.ndarray:
    """The role of the character each byte belongs to, and `_NEITHER` for offset -1: uint8 (m + 1,)."""
    role = np.frombuffer(bytearray(a[: m + 1].tobytes().translate(_ROLE_TABLE)), np.uint8)
    role[m] = _NEITHER
    if wide is not None:
        kind = _WIDE_ROLE[wide.cp]
        some = np.flatnonzero(kind)
        at, length = wide.at[some], wide.length[some]
        for i in range(4):
            inside = length > i
            role[at[inside] + i] = kind[some[inside]]
    return role


def _sentence_ends(a: np.ndarray, role: np.ndarray, begin: np.ndarray, original: np.ndarray | None) -> np.ndarray:
    """True for gaps where a sentence ends: bool."""
    ends = np.zeros(len(begin), bool)
    where = np.flatnonzero(role[begin - 1])
    i = begin[where] - 1
    closed = np.flatnonzero(role[i] == _CLOSER)
    if len(closed):
        run, _ = _closer_runs(role)
        i[closed] = run[np.searchsorted(run, i[closed], "right") - 1] - 1
    what = role[i]
    point = np.flatnonzero(what == _POINT)
    if original is None:
        short = _abbreviated(a, i[point])
    else:  # lowering changes lengths here and there, but not how many points there are
        nth = np.searchsorted(np.flatnonzero(a[: len(role) - 1] == ord(".")), i[point])
        short = _abbreviated(original, np.flatnonzero(original == ord("."))[nth])
    what[point[short]] = _NEITHER
    ends[where] = (what == _END) | (what == _POINT)
    return ends


def _closer_runs(role: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Runs of closing quotes and brackets, in bytes: where each begins and ends."""
    closer = np.flatnonzero(role == _CLOSER)
    head = np.ones(len(closer), bool)
    head[1:] = np.diff(closer) != 1
    tail = np.ones(len(closer), bool)
    tail[:-1] = head[1:]
    return closer[head], closer[tail] + 1


def _letters_before(a: np.ndarray, i: np.ndarray) -> np.ndarray:
    """The eight bytes before each offset as a uint64, the nearest one highest, spaces before the text."""
    view = np.ndarray((len(a) - 7,), "<u8", a, strides=(1,))
    word = view[np.maximum(i - 8, 0)]
    for j in np.flatnonzero(i < 8).tolist():  # at most eight
        word[j] = int.from_bytes(a[: i[j]].tobytes().rjust(8), "little")
    return word


_FOLD = np.uint64(0x2020202020202020)  # ASCII letters to lower case; `.` is left as it is


def _key(text: str) -> tuple[np.uint64, np.uint64]:
    return np.uint64(int.from_bytes(text.encode(), "little")), np.uint64(8 * (8 - len(text)))


def _abbreviated(a: np.ndarray, i: np.ndarray) -> np.ndarray:
    """True for points i behind an abbreviation or an initial: bool."""
    before = _letters_before(a, i)
    folded = before | _FOLD
    found = np.zeros(len(i), bool)
    for text in ABBREVIATIONS:
        key, shift = _key(text)
        hit = np.flatnonzero((folded >> shift) == key)
        found[hit] |= _opens_word((before[hit] >> (shift - np.uint64(8))) & np.uint64(255))
    last = before >> np.uint64(56)
    capital = (last >= ord("A")) & (last <= ord("Z")) & (last != ord("I"))
    return found | (capital & _opens_word((before >> np.uint64(48)) & np.uint64(255)))


def _opens_word(byte: np.ndarray) -> np.ndarray:
    """A word can begin behind this byte: it is no letter, digit or part of a wide character."""
    fold = byte | np.uint64(0x20)
    letter = (fold >= ord("a")) & (fold <= ord("z"))
    digit = (byte >= ord("0")) & (byte <= ord("9"))
    return ~(letter | digit | (byte >= 0x80) | (byte == ord("'")))


def _unspaced_stops(m: int, role: np.ndarray, wide: Wide) -> np.ndarray:
    """Offsets behind a full stop that needs no white space, and behind its closers."""
    stop = _IS_STOP[wide.cp]
    if not stop.any():
        return NO_BREAKS.begin
    at = wide.at[stop] + wide.length[stop]
    run, run_end = _closer_runs(role)
    if len(run):
        j = np.maximum(np.searchsorted(run, at, "right") - 1, 0)
        inside = (run[j] <= at) & (at < run_end[j])
        at = np.where(inside, run_end[j], at)  # still rises
        at = at[np.diff(at, prepend=-1) > 0]
    at = at[at < m]
    return at[(role[at] != _END) & (role[at] != _POINT)]
