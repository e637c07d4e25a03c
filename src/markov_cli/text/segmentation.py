"""Divides text into sequences: sentences, lines, paragraphs or files.

Legend: a is a block's bytes; a gap is a run of white space, [begin, end); a drop is a
stretch of bytes between two sequences that belongs to neither, [begin, end).

The sentence rule: a sentence-ending mark, closing quotes or brackets if any, then white
space. A blank line ends one too. Full stops of scripts written without spaces need no white
space behind them. No sentence ends

    behind a title or abbreviation of `ABBREVIATIONS`, or a single capital letter other than I (`J. R. Hale`)
    between an abbreviation of `BEFORE_NUMBERS` and a number (`Fig. 3`)
    before a lower-case letter, behind `...` or `…`, closing quotes or brackets, or an
    abbreviation of `BEFORE_LOWER` (`5 p.m. and`)

Only the eight bytes before a mark and the eight behind the white space decide, so a block needs no more of the next.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .char_classes import Wide
from .tokenizer import Gaps

UNITS = ("sentence", "line", "paragraph", "file")

# English abbreviations of at most seven letters; case does not matter. These stand inside a sentence.
ABBREVIATIONS = (
    "mr", "mrs", "ms", "dr", "st", "prof", "rev", "hon", "gen", "col", "capt", "lt", "sgt",
    "messrs", "mme", "mlle", "vs", "cf", "e.g", "i.e",
    "drs", "sen", "gov", "maj", "adm", "cmdr", "cpl", "supt", "insp", "mt", "viz", "approx",
)  # fmt: skip
# These stand inside a sentence where a number follows.
BEFORE_NUMBERS = (
    "fig", "figs", "no", "nos", "nr", "p", "pp", "vol", "vols", "eq", "eqs", "eqn", "ca", "c", "sec", "al",
    "ch", "chap", "art", "para", "op", "pt", "l", "ll", "n", "v", "vv", "rm", "apt", "ext", "tel",
    "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
)  # fmt: skip
# These stand inside a sentence where a lower-case letter follows: times, and what often ends a sentence.
BEFORE_LOWER = (
    "a.m", "p.m", "sec", "secs", "min", "mins", "hr", "hrs", "wk", "wks", "yr", "yrs",
    "etc", "al", "univ", "jr", "sr", "inc", "ltd", "co", "corp", "bros", "dept", "est", "ca", "resp", "incl", "ed",
    "eds", "vol", "vols", "fig", "figs", "ft", "oz", "lb", "lbs", "sq",
)  # fmt: skip

_U = np.uint64
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
    seams: np.ndarray = NO_BREAKS.begin,
    cased: np.ndarray | None = None,
    after: bytes = b"",
    is_text: bool = True,
) -> Breaks:
    """The breaks of one block.

    wide     the block's characters above U+007F, None where there are none
    first    the text begins with this block: white space there is a break (sentence, paragraph)
    last     the text ends with it: likewise
    seams    newlines between texts, in order: there is a break at each
    cased    the block with its capital letters where `a` is lowered, of the same size
    after    the first bytes of the next block
    is_text  False for bytes, of which only ASCII counts
    """
    if unit == "file":
        return Breaks(seams, seams + 1) if len(seams) else NO_BREAKS
    newline = np.flatnonzero(a[:m] == 10) if gaps.newline is None else gaps.newline
    if unit == "line":
        returned = (newline > 0) & (a[np.maximum(newline - 1, 0)] == 13)
        returned[np.searchsorted(newline, seams)] = False  # a text that ends in CR keeps it
        return Breaks(newline - returned, newline + 1)
    breaks = _blank(newline, gaps)
    if first and len(gaps.begin) and gaps.begin[0] == 0:
        breaks[0] = True
    if last and len(gaps.end) and gaps.end[-1] == m:
        breaks[-1] = True
    begin, end = gaps.begin, gaps.end
    breaks[np.searchsorted(begin, seams, "right") - 1] = True
    if unit == "sentence":
        role = _roles(a, m, wide)
        breaks |= _sentence_ends(a if cased is None else cased, m, role, gaps, is_text, after)
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
    gap = np.searchsorted(gaps.begin, newline, "right") - 1 if gaps.of is None else gaps.of
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


def _sentence_ends(a: np.ndarray, m: int, role: np.ndarray, gaps: Gaps, is_text: bool, after: bytes) -> np.ndarray:
    """True for gaps where a sentence ends: bool."""
    ends = np.zeros(len(gaps.begin), bool)
    where = np.flatnonzero(role[gaps.begin - 1])
    i = gaps.begin[where] - 1
    closed = np.flatnonzero(role[i] == _CLOSER)
    if len(closed):
        run, _ = _closer_runs(role)
        i[closed] = run[np.searchsorted(run, i[closed], "right") - 1] - 1
    what = role[i]
    end = np.flatnonzero((what == _END) | (what == _POINT))
    where, i, point = where[end], i[end], what[end] == _POINT
    then = _view(a)[gaps.end[where]]
    if len(where) and gaps.end[where[-1]] == m:
        then[-1] = int.from_bytes(after[:8].ljust(8, b"\0"), "little")
    lower, number = _is_lower(then, is_text), _opens_number(then)
    inside = np.zeros(len(where), bool)
    if len(closed):
        inside |= lower & (gaps.begin[where] - 1 != i)
    before = _letters_before(a, i)
    inside |= lower & (point & (before >> _U(56) == ord(".")) | _is_ellipsis(before, a[i]))
    some = np.flatnonzero(point & ~inside)
    inside[some] = _abbreviated(before[some], lower[some], number[some])
    ends[where[~inside]] = True
    return ends


def _closer_runs(role: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Runs of closing quotes and brackets, in bytes: where each begins and ends."""
    closer = np.flatnonzero(role == _CLOSER)
    head = np.ones(len(closer), bool)
    head[1:] = np.diff(closer) != 1
    tail = np.ones(len(closer), bool)
    tail[:-1] = head[1:]
    return closer[head], closer[tail] + 1


def _view(a: np.ndarray) -> np.ndarray:
    """The eight bytes from each offset on as a uint64, the first one lowest."""
    return np.ndarray((len(a) - 7,), "<u8", a, strides=(1,))


def _letters_before(a: np.ndarray, i: np.ndarray) -> np.ndarray:
    """The eight bytes before each offset as a uint64, the nearest one highest, spaces before the text."""
    word = _view(a)[np.maximum(i - 8, 0)]
    for j in np.flatnonzero(i < 8).tolist():  # at most eight
        word[j] = int.from_bytes(a[: i[j]].tobytes().rjust(8), "little")
    return word


def _is_ellipsis(before: np.ndarray, last: np.ndarray) -> np.ndarray:
    """True for U+2026, given its last byte and the eight before it: bool."""
    return (last == 0xA6) & (before >> _U(48) == 0x80E2)


def _is_lower(then: np.ndarray, is_text: bool) -> np.ndarray:
    """True for lower-case letters, given the eight bytes from each on: bool."""
    first = then & _U(255)
    lower = (first >= ord("a")) & (first <= ord("z"))
    some = np.flatnonzero(first >= 0xC0)
    if is_text and len(some):
        distinct, which = np.unique(then[some] & _U(2**32 - 1), return_inverse=True)
        lower[some] = np.array([_is_lower_wide(c) for c in distinct.tolist()], bool)[which]
    return lower


@lru_cache(1 << 12)
def _is_lower_wide(letters: int) -> bool:
    """True where four bytes, the first one lowest, begin with a lower-case letter."""
    text = letters.to_bytes(4, "little").decode("utf-8", "replace")
    return unicodedata.category(text[0]) == "Ll"


def _opens_number(then: np.ndarray) -> np.ndarray:
    """True for numbers, also behind one opening mark or sign, given the eight bytes from each on: bool."""
    first, second = then & _U(255), then >> _U(8) & _U(255)
    return _is_digit(first) | (_OPENS_NUMBER[first.astype(np.intp)] & _is_digit(second))


_OPENS_NUMBER = np.zeros(256, bool)
_OPENS_NUMBER[[ord(c) for c in "([#$+-~"]] = True
_FOLD = _U(0x2020202020202020)  # ASCII letters to lower case; `.` is left as it is


def _ends_with(texts: tuple[str, ...], before: np.ndarray) -> np.ndarray:
    """True where one of these words stands, given the eight bytes before its end: bool."""
    folded = before | _FOLD
    found = np.zeros(len(before), bool)
    for shift, keys in _keys(texts):
        word = folded >> shift
        hit = np.flatnonzero(keys[np.searchsorted(keys[:-1], word)] == word)
        found[hit] |= _opens_word(before[hit] >> (shift - _U(8)) & _U(255))
    return found


@lru_cache
def _keys(texts: tuple[str, ...]) -> list[tuple[np.uint64, np.ndarray]]:
    """The words of each length as rising numbers, and the bits above which they stand; the last word is there twice."""
    out = []
    for n in sorted({len(text) for text in texts}):
        keys = sorted(int.from_bytes(t.encode(), "little") for t in texts if len(t) == n)
        out.append((_U(8 * (8 - n)), np.array([*keys, keys[-1]], _U)))
    return out


def _abbreviated(before: np.ndarray, lower: np.ndarray, number: np.ndarray) -> np.ndarray:
    """True for points behind an abbreviation or an initial, inside a sentence: bool.

    before         the eight bytes before each
    lower, number  what follows it
    """
    last = before >> _U(56)
    capital = (last >= ord("A")) & (last <= ord("Z")) & (last != ord("I"))
    found = capital & _opens_word(before >> _U(48) & _U(255)) & ~_ends_with(("a.m", "p.m"), before)
    found |= _ends_with(ABBREVIATIONS, before)
    for follows, texts in ((lower, BEFORE_LOWER), (number, BEFORE_NUMBERS)):
        some = np.flatnonzero(follows)
        found[some] |= _ends_with(texts, before[some])
    return found


def _is_digit(byte: np.ndarray) -> np.ndarray:
    return (byte >= ord("0")) & (byte <= ord("9"))


def _opens_word(byte: np.ndarray) -> np.ndarray:
    """A word can begin behind this byte: it is no letter, digit or part of a wide character."""
    fold = byte | _U(0x20)
    letter = (fold >= ord("a")) & (fold <= ord("z"))
    return ~(letter | _is_digit(byte) | (byte >= 0x80) | (byte == ord("'")))


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
