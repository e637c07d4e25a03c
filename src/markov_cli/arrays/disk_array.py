"""Arrays on disk, written from the front and read in pieces.

A column is read with plain reads and never mapped, so that what it takes of memory is what was asked for.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .sorting import distinct_values

BLOCK = 1 << 20  # entries read at one time
_MAX_BUCKETS = 200  # files open at one time, twice that with what goes along


@dataclass
class Column:
    """n numbers of one dtype in a file."""

    path: str
    dtype: np.dtype
    n: int
    crc: int = 0

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return Path(self.path).name

    def described(self) -> list[Any]:
        """The data that a journal keeps, and that `of` makes the array from."""
        return [self.name, self.dtype.str, self.n, self.crc]

    @classmethod
    def of(cls, folder: str, described: list[Any]) -> Column:
        """A column that was written before."""
        name, dtype, n, crc = described
        return cls(os.path.join(folder, name), np.dtype(dtype), n, crc)

    def whole(self) -> tuple[int, int]:
        """Its bytes and checksum."""
        return self.n * self.dtype.itemsize, self.crc

    def __len__(self) -> int:
        return self.n

    def read(self, low: int = 0, high: int | None = None) -> np.ndarray:
        """Entries low..high-1."""
        high = self.n if high is None else min(high, self.n)
        if high <= low:
            return np.empty(0, self.dtype)
        out = np.fromfile(self.path, self.dtype, high - low, offset=low * self.dtype.itemsize)
        if len(out) != high - low:
            raise OSError(5, "a file of this run was cut short", self.path)
        return out

    def blocks(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        """All entries, in order."""
        for low in range(0, self.n, size):
            yield self.read(low, low + size)

    def drop(self) -> None:
        """Remove the file."""
        os.unlink(self.path)


class Writer:
    """Writes one column; `crc` is what was written so far. The file is open only while it is written to."""

    def __init__(self, path: str, dtype: np.typing.DTypeLike) -> None:
        self.path, self.dtype, self.n, self.crc = path, np.dtype(dtype), 0, 0
        open(path, "wb").close()

    def append(self, values: np.ndarray) -> None:
        """Put values at the end."""
        data = np.ascontiguousarray(values, self.dtype)
        if len(data):
            view = memoryview(data.view(np.uint8).data)
            with open(self.path, "ab", buffering=0) as f:
                written = 0
                while written < len(view):  # a write may take less than it is given
                    written += f.write(view[written:])
            self.crc = zlib.crc32(view, self.crc)
            self.n += len(data)

    def close(self) -> Column:
        """The column, complete."""
        return Column(self.path, self.dtype, self.n, self.crc)


class Buckets:
    """Records sorted into files by ranges of their keys, so that each file can be taken into memory.

    edges  uint64 (b - 1,), rising: bucket i holds edges[i-1] <= key < edges[i]
    """

    def __init__(self, folder: str, name: str, edges: np.ndarray, extra: np.typing.DTypeLike | None = None) -> None:
        self._edges = edges
        n = len(edges) + 1
        self._keys = [Writer(os.path.join(folder, f"{name}.{i}.key"), np.uint64) for i in range(n)]
        self._extra = (
            [] if extra is None else [Writer(os.path.join(folder, f"{name}.{i}.extra"), extra) for i in range(n)]
        )

    def add(self, key: np.ndarray, extra: np.ndarray | None = None) -> None:
        """Put records where they belong: uint64 (m,), and what goes with each."""
        self.append(*self.arranged(key, extra))

    def arranged(
        self, key: np.ndarray, extra: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray | None, list[int]]:
        """Records in the order of their buckets, and the edges of these among them; several threads may do this."""
        where = np.searchsorted(self._edges, key, "right").astype(np.uint8)  # at most 256 files
        order = np.argsort(where, kind="stable")  # of uint8: a counting sort
        cuts = [0, *np.cumsum(np.bincount(where, minlength=len(self._keys))).tolist()]
        return key[order], None if extra is None else extra[order], cuts

    def append(self, key: np.ndarray, extra: np.ndarray | None, cuts: list[int]) -> None:
        """Write records that are arranged."""
        for i, (low, high) in enumerate(pairwise(cuts)):
            if low < high:
                self._keys[i].append(key[low:high])
                if extra is not None:
                    self._extra[i].append(extra[low:high])

    def take(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Each bucket's keys and extras in the order of the ranges; the files are used up."""
        keys = [w.close() for w in self._keys]
        extras = [w.close() for w in self._extra]
        for i, key in enumerate(keys):
            values = key.read()
            key.drop()
            more = extras[i].read() if extras else values[:0]
            if extras:
                extras[i].drop()
            yield values, more


class Placed:
    """Writes a column whose values come in any order: each with its row."""

    def __init__(self, path: str, n: int, size: int, dtype: np.typing.DTypeLike = np.uint64) -> None:
        """A column of n rows; about `size` of them are put in order in memory at one time."""
        self._n, self._path, self._dtype = n, path, dtype
        parts = min(max(2 * n // size, 1), _MAX_BUCKETS)
        self._edges = distinct_values(np.arange(1, parts) * n // parts).astype(np.uint64)
        self._buckets = Buckets(os.path.dirname(path), "place", self._edges, dtype)

    def add(self, row: np.ndarray, value: np.ndarray) -> None:
        """Values of rows."""
        self._buckets.add(row.astype(np.uint64), value)

    def close(self) -> Column:
        """The column, complete."""
        writer = Writer(self._path, self._dtype)
        low = [0, *self._edges.tolist()]
        high = [*self._edges.tolist(), self._n]
        for begin, end, (row, value) in zip(low, high, self._buckets.take(), strict=True):
            out = np.empty(end - begin, self._dtype)
            out[row.astype(np.int64) - begin] = value
            writer.append(out)
        return writer.close()


class Lookup:
    """Values of a column by their indices, those of one look-up near each other, or 0."""

    def __init__(self, column: Column) -> None:
        self._column, self._zero = column, column.read(0, 1)

    def __getitem__(self, which: np.ndarray) -> np.ndarray:
        """The values at some indices."""
        far = which > 0
        if not far.any():
            return np.repeat(self._zero, len(which))
        first = int(which[far].min())
        values = self._column.read(first, int(which.max()) + 1)
        return np.where(far, values[np.maximum(which, first) - first], self._zero)
