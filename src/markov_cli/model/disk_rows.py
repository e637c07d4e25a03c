"""Writes the rows of a table to columns on disk, from the front.

Rows come in pieces. A piece is put in the form that it has on disk by whoever made it, which may be another machine;
the one that writes puts pieces behind each other.

Legend as in table.py; n_ids is the number of types and markers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from ..arrays.disk_array import BLOCK, Column, Writer
from ..text.types import BOS, EOS
from .count_column import smallest
from .disk_counts import CountPiece, CountWriter
from .disk_table import StreamedOrder, StreamedTable
from .thresholds import Protection

_U = np.uint64
Level = tuple[np.ndarray, ...]  # of a piece: token, count, children; see `counting.ngrams.rows_of`


@dataclass
class RowPiece:
    """Neighbouring rows of one order above 1, as they are put on disk; the dtypes are those of the columns.

    first  where the followers of the next row begin, of each row; None at the highest order
    keep   bool (r,), see `StreamedOrder`; None where all rows stay
    """

    token: np.ndarray
    count: CountPiece
    first: np.ndarray | None
    keep: np.ndarray | None


@dataclass(frozen=True)
class RowLayout:
    """Facts that the columns of a table are made by.

    order       the highest that is counted
    protection  by what n-grams are counted, and which have `keep`
    """

    order: int
    n_ids: int
    protection: Protection

    def pieces(self, levels: list[Level], at: list[int], followers: list[int]) -> list[RowPiece]:
        """The pieces of rows of orders 2 and higher.

        levels     those of orders 2.., where `count` may have columns, see measures.py
        at         per order from 2, the number of rows before them
        followers  per order from 2, the number of followers of all rows before them
        """
        out = []
        token_type = smallest(self.n_ids - 1)
        for k, (token, count, children) in enumerate(levels, 2):
            keep = None
            if count.ndim > 1:
                count, keep = self.protection.judged(count)
            first = None
            if k < self.order:
                first = np.cumsum(children, dtype=_U)
                first += _U(followers[k - 2])
            kept = keep if self.protection.drops else None
            out.append(RowPiece(token.astype(token_type), CountPiece.of(count, at[k - 2]), first, kept))
        return out


class RowWriter:
    """Writes tokens, counts, `first` and `keep` of orders 1..order."""

    def __init__(self, layout: RowLayout, id_counts: Column, folder: str, borders: bool) -> None:
        """Without rows.

        id_counts  int64 (V,)
        borders    False: BOS and EOS are not counted
        """
        self.layout, self._id_counts, self._borders = layout, id_counts, borders
        orders = range(2, layout.order + 1)

        def path(name: str, k: int) -> str:
            return os.path.join(folder, f"{name}_{k}")

        token_type = smallest(layout.n_ids - 1)
        self._tokens = [Writer(path("token", k), token_type) for k in orders]
        self._counts = [CountWriter(path("count", k)) for k in orders]
        self._firsts = [FirstWriter(path("first", k)) for k in orders if k < layout.order]
        self._keeps = [Writer(path("keep", k), bool) for k in orders] if layout.protection.drops else []
        self._one = CountWriter(path("count", 1))
        self._first = FirstWriter(path("first", 1))
        self._done = 0  # ids

    def add(self, levels: list[Level]) -> None:
        """Write the next rows of all orders; see `counting.external_sort.stitched`."""
        at = [tokens.n for tokens in self._tokens]
        followers = [*(first.total for first in self._firsts), 0]
        self.add_heads(levels[0])
        self.put(self.layout.pieces(levels[1:], at, followers))

    def add_heads(self, level: Level) -> None:
        """Write the next rows of order 1: rising ids, each once, with those between them that nothing begins with."""
        heads, count, children = level
        if not len(heads):
            return
        high = int(heads[-1]) + 1
        place = heads.astype(np.int64) - self._done
        wide = np.zeros(high - self._done, np.int64)
        wide[place] = children
        self._first.append(wide)
        if self.layout.protection.caps:
            held = self._id_counts.read(self._done, high).astype(np.int64)
            held[place], _ = self.layout.protection.judged(count)
            self._one.append(held)
        self._done = high

    def put(self, pieces: list[RowPiece]) -> None:
        """Write the next rows of orders 2 and higher."""
        for k, piece in enumerate(pieces):
            self._tokens[k].append(piece.token)
            self._counts[k].put(piece.count)
            if piece.first is not None:
                self._firsts[k].put(piece.first)
            if piece.keep is not None:
                self._keeps[k].append(piece.keep)

    def close(self) -> StreamedTable:
        """The table, complete but for left neighbours and links."""
        order, n_ids, caps = self.layout.order, self.layout.n_ids, self.layout.protection.caps
        for low in range(self._done if caps and order > 1 else 0, n_ids, BLOCK):
            some = self._id_counts.read(low, low + BLOCK)
            if not self._borders and not low:
                some[[BOS, EOS]] = 0
            self._one.append(some)
        if order == 1:
            return StreamedTable([StreamedOrder(self._one.close())])
        for low in range(self._done, n_ids, BLOCK):
            self._first.append(np.zeros(min(BLOCK, n_ids - low), np.int64))
        orders = [StreamedOrder(self._one.close(), None, self._first.close())]
        for k in range(order - 1):
            below = self._firsts[k].close() if k < order - 2 else None
            enough = self._keeps[k].close() if self._keeps else None
            orders.append(StreamedOrder(self._counts[k].close(), self._tokens[k].close(), below, keep=enough))
        return StreamedTable(orders)


class FirstWriter:
    """Writes running sums of numbers of followers, from 0; `total` is the last."""

    def __init__(self, path: str) -> None:
        self._writer, self.total = Writer(path, _U), 0
        self._writer.append(np.zeros(1, _U))

    def append(self, children: np.ndarray) -> None:
        """Numbers of followers of the next rows."""
        self.put(np.cumsum(children, dtype=np.int64) + self.total)

    def put(self, running: np.ndarray) -> None:
        """The next running sums."""
        if len(running):
            self.total = int(running[-1])
        self._writer.append(running)

    def close(self) -> Column:
        """The column, one entry longer than there are rows."""
        return self._writer.close()
