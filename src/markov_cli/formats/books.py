r"""Reads n-gram files of Google Books, summed over years.

Legend: m lines; a field is what stands between tabs, or commas; a group is neighbouring lines of one n-gram.

    ngram <tab> year <tab> count <tab> volumes                      version 2 (2012)
    ngram <tab> year <tab> count <tab> pages <tab> volumes          version 1 (2009)
    ngram <tab> year,count,volumes <tab> year,count,volumes ...     version 3 (2020)

Words have a space between them. N-grams with tags of parts of speech (`burnt_VERB`, `_DET_`) count the same places
once more and are left out; `_START_` and `_END_` are the borders of sentences.
Source: the pages of the data sets; Y. Lin and others, Syntactic Annotations for the Google Books Ngram Corpus, 2012.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from ..arrays.sorting import ragged
from ..errors import MarkovError
from ..text.types import BOS, EOS, N_MARKERS, Types
from .cut_counts import ranked
from .lower_orders import Rows
from .ngram_counts import CountRows, whole_numbers
from .ngram_listing import Notes
from .opening import ForeignFile, line_blocks

_BLOCK_BYTES = 1 << 22
_LINE_BYTES = 1 << 20  # a line of version 3 has some 10 kB; each of its numbers takes many times its bytes
_FORM = "a line is: ngram, year, count, volumes, with tabs between"
_TAG = re.compile(rb"(.*_)?(NOUN|VERB|ADJ|ADV|PRON|DET|ADP|NUM|CONJ|PRT|X|\.)_?|_ROOT_", re.DOTALL)
_BORDERS = {b"_START_": BOS, b"_END_": EOS}
_TAB, _NEWLINE, _COMMA, _RETURN, _SPACE = 9, 10, 44, 13, 32

Years = tuple[int | None, int | None]  # the first and the last, None for any


def read_books(files: Iterable[ForeignFile], years: Years, notes: Notes) -> tuple[dict[int, Rows], Types]:
    """Read the n-grams of files, by their order, and the types of the ids from N_MARKERS on.

    years  whose counts are added up
    notes  takes what is left out

    MarkovError, with the number of the line, for an invalid line.
    """
    found = CountRows()
    for file in files:
        for block, line in line_blocks(file, _BLOCK_BYTES, _LINE_BYTES):
            found.add(_summed(block, line, years, file.name), None, file.name)
    given, types = found.finish(notes)
    return _untagged(given, types, notes)


def _summed(block: bytes, line: int, years: Years, name: str) -> bytes:
    """Lines `ngram<tab>count` of a block of whole lines, groups as one; without those whose sum is 0."""
    if not block.endswith(b"\n"):
        block += b"\n"
    a = np.frombuffer(block + bytes(8), np.uint8)
    size = len(block)
    newline = np.flatnonzero(a[:size] == _NEWLINE)
    begin = np.append(0, newline[:-1] + 1)
    end = newline - ((newline > begin) & (a[newline - 1] == _RETURN))
    lines = np.flatnonzero(end > begin)  # that are not blank
    begin, end, newline = begin[lines], end[lines], newline[lines]

    def fail(i: int, what: str) -> MarkovError:
        return MarkovError(f"{name}, line {line + int(lines[i]):,}: {what}", _FORM)

    tab = np.flatnonzero(a[:size] == _TAB)
    at = np.searchsorted(tab, begin)
    first = np.append(tab, size)[at]  # of each line
    if (wrong := (first >= end) | (first == begin)).any():
        raise fail(int(np.argmax(wrong)), "no n-gram, or no tab after it")
    count = _year_sums(a, first, end, years, fail)
    keep = np.flatnonzero(count)
    begin, length, count = begin[keep], (first - begin)[keep], count[keep]
    if not len(count):
        return b""
    groups = np.flatnonzero(~_like_the_last(a, begin, length))
    total = np.add.reduceat(count, groups)
    return _lines(a, begin[groups], length[groups], total)


def _year_sums(a: np.ndarray, first: np.ndarray, end: np.ndarray, years: Years, fail: object) -> np.ndarray:
    """The sum of each line's counts of some years: int64 (m,)."""
    assert callable(fail)
    sep = np.flatnonzero((a == _TAB) | (a == _COMMA))
    of_line = np.searchsorted(end, sep, "right")
    inside = of_line < len(end)
    sep, of_line = sep[inside], of_line[inside]
    inside = sep >= first[of_line]  # an n-gram may hold commas
    sep, of_line = sep[inside], of_line[inside]
    start = sep + 1
    stop = np.minimum(np.append(sep[1:], end[-1] if len(end) else 0), end[of_line])
    n = np.bincount(of_line, minlength=len(end))
    before = np.cumsum(n) - n
    place = np.arange(len(sep)) - before[of_line]  # of a field in its line
    commas = np.bincount(of_line, a[sep] == _COMMA, minlength=len(end)) > 0
    form = np.where(commas, n % 3 == 0, (n == 3) | (n == 4))
    if not form.all():
        raise fail(int(np.argmin(form)), "the fields are not year, count and volumes")
    odd = (a[sep] == _COMMA) != (commas[of_line] & (place % 3 != 0))
    if odd.any():
        raise fail(int(of_line[np.argmax(odd)]), "the fields are not year, count and volumes")
    value, wrong = whole_numbers(a, start, stop - start)
    wrong |= stop <= start
    if wrong.any():
        i = int(np.argmax(wrong))
        shown = a[start[i] : min(stop[i], start[i] + 30)].tobytes().decode("utf-8", "replace")
        raise fail(int(of_line[i]), f"{shown!r} is not a whole number")
    period = np.where(commas[of_line], 3, n[of_line])
    year = np.flatnonzero(place % period == 0)
    low, high = years
    chosen = year[(value[year] >= (low or 0)) & (value[year] <= (1 << 62 if high is None else high))]
    total = np.zeros(len(end), np.int64)
    np.add.at(total, of_line[chosen], value[chosen + 1])
    return total


def _like_the_last(a: np.ndarray, begin: np.ndarray, length: np.ndarray) -> np.ndarray:
    """True where the bytes of a piece are those of the piece before: bool (m,)."""
    alike = np.zeros(len(begin), bool)
    some = np.flatnonzero(length[1:] == length[:-1]) + 1
    if not len(some):
        return alike
    differs = a[ragged(begin[some], length[some])] != a[ragged(begin[some - 1], length[some])]
    alike[some] = ~np.logical_or.reduceat(differs, np.cumsum(length[some]) - length[some])
    return alike


def _lines(a: np.ndarray, begin: np.ndarray, length: np.ndarray, count: np.ndarray) -> bytes:
    """Pieces of `a` with their counts, a line each."""
    values, which = np.unique(count, return_inverse=True)
    said = [b"\t%d\n" % v for v in values.tolist()]
    digits = np.frombuffer(b"".join(said), np.uint8)
    size = np.array([len(s) for s in said], np.int64)
    start = (np.cumsum(size) - size)[which]
    size = size[which]
    end = np.cumsum(length + size)
    out = np.empty(int(end[-1]), np.uint8)
    out[ragged(end - size - length, length)] = a[ragged(begin, length)]
    out[ragged(end - size, size)] = digits[ragged(start, size)]
    return out.tobytes()


def _untagged(given: dict[int, Rows], types: Types, notes: Notes) -> tuple[dict[int, Rows], Types]:
    """Without n-grams that hold a tag; borders as markers; equal n-grams, of several files, as one."""
    new_id = np.arange(N_MARKERS + len(types))
    tagged = np.zeros(len(new_id), bool)
    under = np.flatnonzero(types.blob == ord("_"))
    some = np.searchsorted(under, types.start) < np.searchsorted(under, types.start + types.length)
    for i in np.flatnonzero(some).tolist():
        word = types.bytes_of(i)[0]
        if word in _BORDERS:
            new_id[i + N_MARKERS] = _BORDERS[word]
        elif b"_" in word and _TAG.fullmatch(word):
            tagged[i + N_MARKERS] = True
    kept = np.flatnonzero(~tagged & (new_id == np.arange(len(new_id))))
    place = np.zeros(len(new_id), np.int64)
    place[kept] = np.arange(len(kept))
    out = {}
    for k, rows in given.items():
        number, one = ranked(rows.ids, max(len(new_id) - 1, 1).bit_length())
        ids, total = rows.ids[one], np.zeros(len(one), np.int64)
        np.add.at(total, number, rows.count)
        plain = ~tagged[ids].any(axis=1)
        notes.tagged += len(plain) - int(np.count_nonzero(plain))
        if plain.any():
            ids = place[new_id[ids[plain]]].astype(np.uint32)
            out[k] = Rows(ids, total[plain], np.zeros(len(ids), np.int64))
    return out, types.take(kept[N_MARKERS:] - N_MARKERS)
