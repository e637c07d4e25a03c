"""Longest matches: for every place of a text, the longest string that occurs in a streamed corpus, and where.

Legend: m codes of the text, with marks between its sequences; a batch is a part of the corpus.

Matches of up to seven ids are n-grams of the text that occur in the corpus: a batch's are looked up and counted
(text_ngrams.py, occurrences.py). Longer ones are found by sorting the few places of a batch that share eight ids with
the text, together with the text's (suffix_array.py).

The next batch begins with the longest end of this one that occurs in the text, so no string is cut and none is
counted twice: the size of the batches does not change the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...arrays.threads import one_behind
from .occurrences import Occurrences
from .suffix_array import Found, NumberedText, Shared, find, longest_end
from .text_ngrams import DEPTH, Places, TextNgrams, open_end

BATCH_CODES = 1 << 21  # and no fewer than twice a text's: places of the text are sorted with every batch


class Part(NamedTuple):
    """A part of a corpus.

    codes  int64 (B,), ids of the text's types; `ids`, their number, for a mark or any other token
    file   int32 (B,), rising
    line   int32 (B,), from 1
    """

    codes: np.ndarray
    file: np.ndarray
    line: np.ndarray

    def cut(self, at: int) -> tuple[Part, Part]:
        """Divide into the parts before and after index `at`."""
        return Part(*(c[:at] for c in self)), Part(*(c[at:] for c in self))


NO_PART = Part(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))


def joined(parts: list[Part]) -> Part:
    """Join parts."""
    return Part(*(np.concatenate(c) for c in zip(NO_PART, *parts, strict=True)))


@dataclass
class Matches:
    """Longest string from every place of a text that occurs in the corpus: int64 (m,) each.

    length      0 where the token itself is not in the corpus
    count       number of its occurrences
    files       number of files with it
    file, line  its first occurrence
    """

    length: np.ndarray
    count: np.ndarray
    files: np.ndarray
    file: np.ndarray
    line: np.ndarray

    @classmethod
    def none(cls, m: int) -> Matches:
        """No match at any of m places."""
        return cls(*(np.zeros(m, np.int64) for _ in range(5)))

    def take(self, which: np.ndarray) -> Matches:
        """Matches at the places `which`."""
        return Matches(self.length[which], self.count[which], self.files[which], self.file[which], self.line[which])


def match(
    text: np.ndarray, ids: int, corpus: Iterable[Part], batch_codes: int | None = None, jobs: int = 1
) -> tuple[Matches, np.ndarray]:
    """Find the longest matches of a text in a corpus; also how often each id occurs there: int64 (ids,).

    text         int64 (m,), ids from 0 to `ids`, exclusive; `ids` for a mark
    batch_codes  number of codes looked at together; None to choose it
    jobs         with 2 or more, a batch is looked up while what was found in the one before is counted
    """
    ngrams = TextNgrams(text, ids)
    numbered = NumberedText(ngrams)
    counted = [Occurrences(rows) for rows in ngrams.size[: DEPTH - 1]]
    out = Matches.none(len(text))
    latest = np.full(len(text), -1, np.int64)  # the last file in which each string was counted
    tail, size = NO_PART, batch_codes or max(BATCH_CODES, 2 * len(text))

    def room() -> int:
        return max(size - len(tail.codes), len(tail.codes), 1)

    def settle(found: list[Places], shared: Shared | None, batch: Part, limit: int) -> None:
        known = np.flatnonzero(batch.codes[:limit] < ids)
        counted[0].add(batch.codes[known], batch.file[known], batch.line[known])
        for occurrences, places in zip(counted[1:], found, strict=False):
            n = int(np.searchsorted(places.at, limit))
            at = places.at[:n]
            occurrences.add(places.row[:n], batch.file[at], batch.line[at])
        if shared is None and len(found[-1].at):
            shared = numbered.share(batch.codes, found)
        if shared is not None:
            _add_long(out, latest, find(shared, out.length, limit, batch.file), batch)

    with one_behind(settle, jobs) as next_:
        for part, last in _batches(corpus, room):
            batch = joined([tail, part])
            found = ngrams.places(batch.codes, jobs)
            shared, open_ = None, open_end(batch.codes, found, ids)
            if open_ > len(batch.codes) // 16 and open_ >= DEPTH:  # much to read again: find out how much is needed
                shared = numbered.share(batch.codes, found)
                open_ = longest_end(shared)
            limit = len(batch.codes) - (0 if last else open_)
            tail = batch.cut(limit)[1]
            next_(found, shared, batch, limit)
            del found, shared
    for n in range(DEPTH - 1, 0, -1):
        _add_short(out, n, ngrams.row[n - 1], counted[n - 1])
    return out, counted[0].count


def _add_long(out: Matches, latest: np.ndarray, found: Found, batch: Part) -> None:
    """Add the matches of a batch that are as long as those before, or longer.

    latest  int64 (m,), the last file in which each place's string was counted
    """
    at, length = found.at, found.length[found.at]
    first, final = batch.file[found.first], batch.file[found.last]
    new = length > out.length[at]
    known = at[~new]
    out.count[known] += found.count[~new]
    out.files[known] += found.groups[~new] - (first[~new] == latest[known])
    which = at[new]
    out.length[which], out.count[which] = length[new], found.count[new]
    out.files[which], out.file[which] = found.groups[new], first[new]
    out.line[which] = batch.line[found.first[new]]
    latest[at] = final


def _add_short(out: Matches, n: int, row: np.ndarray, occurrences: Occurrences) -> None:
    """Add the matches of n ids, for places that have no longer one.

    row  int32 (m,), of the n-gram that begins at each place
    """
    at = np.flatnonzero((out.length == 0) & (row >= 0))
    at = at[occurrences.count[row[at]] > 0]
    which = row[at]
    out.length[at], out.count[at], out.files[at] = n, occurrences.count[which], occurrences.files[which]
    out.file[at], out.line[at] = occurrences.file[which], occurrences.line[which]


def _batches(corpus: Iterable[Part], room: Callable[[], int]) -> Iterator[tuple[Part, bool]]:
    """Regroup parts to the size that `room` allows; True with the last one."""
    held: list[Part] = []
    n = 0
    for part in corpus:
        held.append(part)
        n += len(part.codes)
        while n > (size := room()):  # keep something back, so that the last batch is known
            now, rest = joined(held).cut(size)
            held, n = [rest], n - size
            yield now, False
    yield joined(held), True
