"""Longest matches: for every place of a text, the longest string that occurs in a streamed corpus, and where.

Legend: m codes of the text, with marks between its sequences; a batch is a part of the corpus that is sorted
together with the text (suffix_array.py).

The next batch begins with the longest end of this one that occurs in the text, so no string is cut and none is
counted twice: the size of the batches does not change the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...arrays.sorting import starts_new
from ...arrays.threads import one_behind
from .suffix_array import Shared, find, share, unfinished

SORTED_CODES = 1 << 21  # codes sorted together, for a small text: keys fit 64 bits
_TIMES = 5  # the same, in lengths of a large text (measured: 2 takes half as much time again, 10 no less)


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


class Unigrams:
    """Counts and first places of single tokens, in the corpus read so far.

    count       int64 (ids,), occurrences of each id
    files       int64 (ids,), number of files with it
    file, line  int64 (ids,), its first occurrence
    """

    def __init__(self, ids: int) -> None:
        self.ids = ids
        self.count, self.files = np.zeros(ids, np.int64), np.zeros(ids, np.int64)
        self.file, self.line = np.zeros(ids, np.int64), np.zeros(ids, np.int64)
        self._latest = np.full(ids, -1, np.int64)

    def watch(self, corpus: Iterable[Part]) -> Iterator[Part]:
        """Count the tokens of each part, and pass the part on."""
        for part in corpus:
            if len(part.codes):
                self._add(part)
            yield part

    def _add(self, part: Part) -> None:
        """Count the tokens of a part."""
        codes, n = part.codes, len(part.codes)
        place = np.empty(self.ids + 1, np.int64)
        place[codes[::-1]] = np.arange(n - 1, -1, -1)  # the first occurrence is written last
        count = np.bincount(codes, minlength=self.ids + 1)[: self.ids]
        seen = np.flatnonzero(count)
        first = part.file[place[seen]].astype(np.int64)
        fresh = np.flatnonzero(self.count[seen] == 0)
        self.file[seen[fresh]], self.line[seen[fresh]] = first[fresh], part.line[place[seen[fresh]]]
        n_files, last = self._files(part, seen, first)
        self.files[seen] += n_files - (self._latest[seen] == first)
        self._latest[seen] = last
        self.count += count

    def _files(self, part: Part, seen: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Number of files of a part that have each of the tokens `seen`, and the last of them: int64 each."""
        base, span = int(part.file[0]), int(part.file[-1]) - int(part.file[0]) + 1
        if span == 1:
            return np.ones(len(seen), np.int64), first
        pair = np.sort(part.codes * span + (part.file - base))
        pair = pair[starts_new(pair)]
        n_files = np.bincount(pair // span, minlength=self.ids + 1)[seen]
        return n_files, pair[np.cumsum(n_files) - 1] % span + base  # the pairs of marks are the last


def match(
    text: np.ndarray, ids: int, corpus: Iterable[Part], sorted_codes: int | None = None, jobs: int = 1
) -> tuple[Matches, Unigrams]:
    """Find the longest matches of a text in a corpus.

    text          int64 (m,), ids from 0 to `ids`, exclusive; `ids` for a mark
    sorted_codes  number of codes sorted at one time, with the text; None to choose it
    jobs          with 2 or more, a batch is sorted while matches are looked for in the one before
    """
    if sorted_codes is None:  # every batch sorts the text again
        sorted_codes = max(SORTED_CODES, _TIMES * len(text))
    out = Matches.none(len(text))
    single = Unigrams(ids)
    latest = np.full(len(text), -1, np.int64)  # the last file in which each string was counted
    tail = NO_PART

    def room() -> int:
        return max(sorted_codes - len(text) - len(tail.codes), len(text), 1)

    def settle(both: Shared, batch: Part, limit: int) -> None:
        found = find(both, out.length, limit, batch.file)
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

    with one_behind(settle, jobs) as next_:
        for part, last in _batches(single.watch(corpus), room):
            batch = joined([tail, part])
            both = share(text, batch.codes, ids)
            limit = len(batch.codes) - (0 if last else unfinished(both))
            tail = batch.cut(limit)[1]
            next_(both, batch, limit)
            del both
    alone = np.flatnonzero((out.length == 0) & (text < ids))
    alone = alone[single.count[text[alone]] > 0]
    token = text[alone]
    out.length[alone], out.count[alone], out.files[alone] = 1, single.count[token], single.files[token]
    out.file[alone], out.line[alone] = single.file[token], single.line[token]
    return out, single


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
