"""`Counts` of tables larger than memory: written from the front, read in ranges.

Legend as in compact.py.
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


class CountWriter:
    """Writes `Counts` from the front."""

    def __init__(self, path: str) -> None:
        self._small = Writer(f"{path}.small", np.uint8)
        self._big_row = Writer(f"{path}.big_row", np.uint64)
        self._big = Writer(f"{path}.big", np.uint64)
        self._sums = Writer(f"{path}.sums", np.uint64)
        self._rest = np.empty(0, np.int64)  # of a span that is not yet full
        self._total = 0
        self._sums.append(np.zeros(1, np.uint64))

    @property
    def n(self) -> int:
        """The number of counts written."""
        return self._small.n

    def append(self, values: np.ndarray) -> None:
        """Put counts at the end."""
        values = values.astype(np.int64, copy=False)
        large = np.flatnonzero(values >= ASIDE)
        self._big_row.append(large + self._small.n)
        self._big.append(values[large])
        self._small.append(np.minimum(values, ASIDE).astype(np.uint8))
        held = np.concatenate((self._rest, values)) if len(self._rest) else values
        whole = len(held) // SPAN * SPAN
        self._sum(held[:whole])
        self._rest = held[whole:].copy()

    def _sum(self, values: np.ndarray) -> None:
        if len(values):
            spans = np.add.reduceat(values, np.arange(0, len(values), SPAN), dtype=np.int64)
            running = np.cumsum(spans) + self._total
            self._total = int(running[-1])
            self._sums.append(running)

    def close(self) -> CountColumns:
        """The counts, complete."""
        self._sum(self._rest)
        return CountColumns(self._small.close(), self._big_row.close(), self._big.close(), self._sums.close())
