"""Keeps the provisional numbers of a text in a file, and counts them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays.disk_array import Column, Writer
from .encoder import Piece

END = 0  # in the file, where a sequence ends; numbers are one more than they were
_GROUP = 1 << 20  # tokens written at one time, and the fewest that are counted together


def _groups(pieces: list[Piece]) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    n = 0
    for piece in pieces:
        group.append(piece)
        n += len(piece.number)
        if n >= _GROUP:
            yield group
            group, n = [], 0
    if group:
        yield group


class TokenSpool:
    """Writes pieces in their order; the file opens with END, as a text in memory does."""

    def __init__(self, path: str) -> None:
        self._writer = Writer(path, np.uint32)
        self._writer.append(np.zeros(1, np.uint32))
        self._count = np.zeros(1 << 16, np.int64)
        self._held: list[np.ndarray] = []  # numbers yet to be counted
        self.closed = 0  # sequences
        self.base = 0  # is added to numbers
        self.places = [(0, -1)]  # in the file, each with the number of END before it, less one

    def add(self, pieces: list[Piece], times: np.ndarray | None = None) -> None:
        """Put pieces at the end; they are used up.

        times  int64, how often each of their sequences counts, the one that is open at the end, too; None for once
        """
        for some in _groups(pieces):
            for piece in some:
                out = np.zeros(len(piece.number) + len(piece.end), np.uint32)
                token = np.ones(len(out), bool)
                token[piece.end + np.arange(len(piece.end))] = False
                out[token] = piece.number + np.uint32(1 + self.base)
                self._writer.append(out)
            self._held += [p.number for p in some]
            if times is not None:
                before = np.cumsum([0, *(len(p.number) for p in some)])
                end = np.concatenate([p.end + n for p, n in zip(some, before[:-1], strict=True)])
                which = np.searchsorted(end, np.arange(int(before[-1])), "right")
                self._count_held(times[which])
                times = times[len(end) :]
            elif sum(map(len, self._held)) >= max(_GROUP, len(self._count)):  # each time all counts are gone through
                self._count_held()
            self.closed += sum(len(p.end) for p in some)
            self.places.append((self._writer.n, self.closed))
        pieces.clear()

    def _count_held(self, times: np.ndarray | None = None) -> None:
        number = np.concatenate([np.empty(0, np.uint32), *self._held])
        self._held.clear()
        found = np.bincount(number, times).astype(np.int64, copy=False)  # float64 holds sums of times exactly
        if len(found) > len(self._count):
            larger = np.zeros(max(len(found), 2 * len(self._count)), np.int64)
            larger[: len(self._count)] = self._count
            self._count = larger
        self._count[: len(found)] += found

    def counts(self, n_types: int) -> np.ndarray:
        """The count of each provisional number: int64 (n_types,)."""
        self._count_held()
        out = np.zeros(n_types, np.int64)
        n = min(n_types, len(self._count))
        out[:n] = self._count[:n]
        return out

    def renumber(self, n_types: int) -> None:
        """Numbers start again, behind n_types of them."""
        self.base += n_types
        self._held.clear()
        self._count = np.zeros(1 << 16, np.int64)

    def close(self) -> Column:
        """The stream: uint32 (N + S + 1,)."""
        return self._writer.close()
