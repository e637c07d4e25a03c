"""A text against a corpus that streams past it: the longest string shared at every place, and where it stands.

Legend: m codes of the text, marks between its sequences included; a batch is a part of the corpus that is sorted
together with the text (suffixes.py).

A batch ends somewhere in the corpus. What it ends with, as far as the text holds it, is read again at the
beginning of the next one, so that no string is cut and none is counted twice: the answer is the same whatever the
batches. One batch with the whole corpus is its index; many are a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .suffix_array import find, share, unfinished

SORTED_CODES = 1 << 21  # sorted together, at most, while the text is small beside it: their keys fit 64 bits


class Part(NamedTuple):
    """Some of a corpus.

    codes  int64 (B,), ids of the text's types; `ids`, their number, for a mark or any other token
    file   int32 (B,), rising
    line   int32 (B,), from 1
    """

    codes: np.ndarray
    file: np.ndarray
    line: np.ndarray

    def cut(self, at: int) -> tuple[Part, Part]:
        """What stands before a place, and what behind it."""
        return Part(*(c[:at] for c in self)), Part(*(c[at:] for c in self))


NO_PART = Part(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))


def joined(parts: list[Part]) -> Part:
    """Several parts as one."""
    return Part(*(np.concatenate(c) for c in zip(NO_PART, *parts, strict=True)))


@dataclass
class Matches:
    """For every place of a text the longest string that begins there and stands in the corpus: int64 (m,) each.

    length      0 where the token itself is not in the corpus
    count       how often the string stands there
    files       in how many files
    file, line  where it stands first
    """

    length: np.ndarray
    count: np.ndarray
    files: np.ndarray
    file: np.ndarray
    line: np.ndarray

    @classmethod
    def none(cls, m: int) -> Matches:
        """Nothing found."""
        return cls(*(np.zeros(m, np.int64) for _ in range(5)))

    def take(self, which: np.ndarray) -> Matches:
        """Those at some places."""
        return Matches(self.length[which], self.count[which], self.files[which], self.file[which], self.line[which])


class Unigrams:
    """Single tokens of a corpus, as far as it has been read.

    count       int64 (ids,), how often each id occurs
    files       int64 (ids,), in how many files
    file, line  int64 (ids,), where first
    """

    def __init__(self, ids: int) -> None:
        self.ids = ids
        self.count, self.files = np.zeros(ids, np.int64), np.zeros(ids, np.int64)
        self.file, self.line = np.zeros(ids, np.int64), np.zeros(ids, np.int64)
        self._latest = np.full(ids, -1, np.int64)

    def watch(self, corpus: Iterable[Part]) -> Iterator[Part]:
        """Pass the parts on, counted."""
        for part in corpus:
            for begin in np.flatnonzero(np.diff(part.file, prepend=-1)).tolist():
                self._add(part.cut(begin)[1])
            yield part

    def _add(self, part: Part) -> None:
        """Count what stands in the first file of a part."""
        file = int(part.file[0])
        n = int(np.searchsorted(part.file, file, "right"))
        codes, lines = part.codes[:n], part.line[:n]
        place = np.empty(self.ids + 1, np.int64)
        place[codes[::-1]] = np.arange(n - 1, -1, -1)  # the first one stays
        count = np.bincount(codes, minlength=self.ids + 1)[: self.ids]
        seen = np.flatnonzero(count)
        fresh = seen[self.count[seen] == 0]
        self.file[fresh], self.line[fresh] = file, lines[place[fresh]]
        self.files[seen] += self._latest[seen] != file
        self._latest[seen] = file
        self.count += count


def match(
    text: np.ndarray, ids: int, corpus: Iterable[Part], sorted_codes: int = SORTED_CODES
) -> tuple[Matches, Unigrams]:
    """Hold a text against a corpus.

    text          int64 (m,), ids from 0 to `ids`, exclusive; `ids` for a mark
    sorted_codes  how much is sorted at one time, the text included
    """
    out = Matches.none(len(text))
    single = Unigrams(ids)
    latest = np.full(len(text), -1, np.int64)  # the last file in which each string was counted
    tail = NO_PART

    def room() -> int:
        return max(sorted_codes - len(text) - len(tail.codes), len(text), 1)

    for part, last in _batches(single.watch(corpus), room):
        batch = joined([tail, part])
        both = share(text, batch.codes, ids)
        limit = len(batch.codes) - (0 if last else unfinished(both))
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
        tail = batch.cut(limit)[1]
    alone = np.flatnonzero((out.length == 0) & (text < ids))
    alone = alone[single.count[text[alone]] > 0]
    token = text[alone]
    out.length[alone], out.count[alone], out.files[alone] = 1, single.count[token], single.files[token]
    out.file[alone], out.line[alone] = single.file[token], single.line[token]
    return out, single


def _batches(corpus: Iterable[Part], room: Callable[[], int]) -> Iterator[tuple[Part, bool]]:
    """Parts of the size there is room for, each with whether it is the last."""
    held: list[Part] = []
    n = 0
    for part in corpus:
        held.append(part)
        n += len(part.codes)
        while n > (size := room()):  # never all of it: the last batch is known by what is left
            now, rest = joined(held).cut(size)
            held, n = [rest], n - size
            yield now, False
    yield joined(held), True
