"""`Counts` of tables larger than memory: written from the front, read in ranges.

Legend as in count_column.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays.disk_array import BLOCK, Column, Writer
from .count_column import ASIDE, SPAN, smallest


@dataclass
class CountColumns:
    """`Counts` on disk: its four arrays, `big_row`, `big` and `sums` as uint64."""

    small: Column
    big_row: Column
    big: Column
    sums: Column

    def __len__(self) -> int:
        return len(self.small)

    def columns(self) -> list[Column]:
        """The four, in order."""
        return [self.small, self.big_row, self.big, self.sums]

    @property
    def total(self) -> int:
        """Their sum."""
        return int(self.sums.read(self.sums.n - 1)[0])

    def slices(self, edges: np.ndarray) -> Iterator[np.ndarray]:
        """Counts of neighbouring ranges of rows, int64 each.

        edges  int64 (ranges + 1,), rising
        """
        at, rows, values = 0, np.empty(0, np.int64), np.empty(0, np.int64)
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            out = self.small.read(low, high).astype(np.int64)
            while at < len(self.big_row) and not (len(rows) and rows[-1] >= high):
                more = self.big_row.read(at, at + BLOCK).astype(np.int64)
                rows = np.concatenate((rows, more))
                values = np.concatenate((values, self.big.read(at, at + BLOCK).astype(np.int64)))
                at += len(more)
            first, last = np.searchsorted(rows, [low, high])
            out[rows[first:last] - low] = values[first:last]
            rows, values = rows[last:], values[last:]
            yield out

    def blocks(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        """All counts, in order: int64."""
        edges = np.append(np.arange(0, len(self), size), len(self))
        return self.slices(edges)

    def members(self) -> list[tuple[str, Column, np.dtype]]:
        """As a model file has them: the end of the name, the column, the dtype it is to have there."""
        largest = max((int(b.max()) for b in self.big.blocks()), default=0)
        return [
            ("", self.small, np.dtype(np.uint8)),
            ("_big_row", self.big_row, smallest(len(self))),
            ("_big", self.big, smallest(largest)),
            ("_sums", self.sums, smallest(self.total)),
        ]


@dataclass
class CountPiece:
    """Neighbouring counts, as they are put on disk.

    small  uint8 (m,), counts, with ASIDE for the large ones
    large  int64 (b,) and (b,): the rows of the large ones, and their counts
    sums   int64 (s,), the sum of each span, or of what is here of it
    """

    small: np.ndarray
    large: tuple[np.ndarray, np.ndarray]
    sums: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, at: int) -> CountPiece:
        """Counts of the rows from `at` on: int (m,)."""
        large = np.flatnonzero(values >= ASIDE)
        begin = np.arange(-(at % SPAN), len(values), SPAN)
        begin[:1] = 0
        sums = np.add.reduceat(values, begin, dtype=np.int64) if len(values) else np.empty(0, np.int64)
        small = np.minimum(values, ASIDE).astype(np.uint8)
        return cls(small, (large + at, values[large].astype(np.int64)), sums)


class CountWriter:
    """Writes `Counts` from the front."""

    def __init__(self, path: str) -> None:
        self._small = Writer(f"{path}.small", np.uint8)
        self._big_row = Writer(f"{path}.big_row", np.uint64)
        self._big = Writer(f"{path}.big", np.uint64)
        self._sums = Writer(f"{path}.sums", np.uint64)
        self._total = 0
        self._sums.append(np.zeros(1, np.uint64))

    @property
    def n(self) -> int:
        """The number of counts written."""
        return self._small.n

    def append(self, values: np.ndarray) -> None:
        """Put counts at the end: int (m,)."""
        self.put(CountPiece.of(values, self.n))

    def put(self, piece: CountPiece) -> None:
        """Put counts at the end, of the rows from `n` on."""
        self._small.append(piece.small)
        self._big_row.append(piece.large[0])
        self._big.append(piece.large[1])
        if len(piece.sums):
            running = np.cumsum(piece.sums) + self._total
            self._total = int(running[-1])
            self._sums.append(running[:-1] if self.n % SPAN else running)

    def close(self) -> CountColumns:
        """The counts, complete."""
        if self.n % SPAN:
            self._sums.append(np.array([self._total]))
        return CountColumns(self._small.close(), self._big_row.close(), self._big.close(), self._sums.close())
