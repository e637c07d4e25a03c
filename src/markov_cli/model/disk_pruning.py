"""Prunes a table on disk in one more pass over its columns.

Legend as in streamed.py.
"""

from __future__ import annotations

import os

import numpy as np

from ..arrays.disk_array import BLOCK, Column, Writer
from .building import threshold
from .disk_counts import CountColumns, CountWriter
from .disk_table import FirstWriter, StreamedOrder, StreamedTable, by_family, families, opened_by_bos

_U = np.uint64


def pruned(table: StreamedTable, prune: tuple[int, ...], folder: str) -> StreamedTable:
    """The table without n-grams seen too seldom; see `prune_levels`. Its columns are new ones."""
    stats = _counts_of_counts(table)
    out = [_pruned_rows(table, k, prune, folder) for k in range(1, len(table.orders) + 1)]
    return StreamedTable(out, stats)


def _counts_of_counts(table: StreamedTable) -> np.ndarray:
    """As `building.counts_of_counts`."""
    out = np.zeros((len(table.orders), 5), np.int64)
    for k, (order, (low, high)) in enumerate(zip(table.orders, opened_by_bos(table), strict=True)):
        at = 0
        lefts = order.count.blocks() if order.left is None else order.left.blocks()
        for count, left in zip(order.count.blocks(), lefts, strict=True):
            row = np.arange(at, at + len(count))
            opens = (row >= low) & (row < high)
            adjusted = np.where(opens, count, left)
            if k == 0:
                adjusted = adjusted[~opens]
            out[k] += np.bincount(np.minimum(adjusted, 5), minlength=6)[:5]
            at += len(count)
    out[:, 0] = 0
    return out


def _kept(count: np.ndarray, k: int, prune: tuple[int, ...]) -> np.ndarray:
    return count > threshold(prune, k) if k > 1 else np.ones(len(count), bool)


def _pruned_rows(table: StreamedTable, k: int, prune: tuple[int, ...], folder: str) -> StreamedOrder:
    """The rows of order k that are kept, with what each keeps and leaves behind."""
    order = table.orders[k - 1]
    path = {name: os.path.join(folder, f"kept_{name}_{k}") for name in ("token", "count", "first", "left", "link")}
    count, left = CountWriter(path["count"]), CountWriter(path["left"]) if order.left is not None else None
    token = Writer(path["token"], order.token.dtype) if order.token is not None else None
    link = Writer(path["link"], _U) if order.link is not None else None
    rank = _Rank(table.orders[k - 2].count, k - 1, prune) if order.link is not None else None
    at = 0
    lefts = iter(order.left.blocks()) if order.left is not None else None
    for values in order.count.blocks():
        kept = _kept(values, k, prune)
        count.append(values[kept])
        if token is not None and order.token is not None:
            token.append(order.token.read(at, at + len(values))[kept])
        if left is not None and lefts is not None:
            left.append(next(lefts)[kept])
        if link is not None and order.link is not None and rank is not None:
            link.append(rank.of(order.link.read(at, at + len(values))[kept].astype(np.int64)))
        at += len(values)
    first, totals = _pruned_families(table, k, prune, path["first"]) if order.first is not None else (None, None)
    return StreamedOrder(
        count.close(),
        token.close() if token is not None else None,
        first,
        left.close() if left is not None else None,
        link.close() if link is not None else None,
        totals,
    )


def _pruned_families(
    table: StreamedTable, k: int, prune: tuple[int, ...], path: str
) -> tuple[Column, CountColumns | None]:
    """Where the kept followers of each kept history begin, and what `left` of all of them sums to."""
    order, below = table.orders[k - 1], table.orders[k]
    assert order.first is not None
    first = FirstWriter(path)
    counts = by_family(below.count, order.first)
    own = order.count.slices(np.array([*(f.parents.start for f in families(order.first)), len(order)]))
    lefts = by_family(below.left, order.first) if below.left is not None else None
    totals = CountWriter(f"{path}.left_total") if lefts is not None else None
    for (family, values), mine in zip(counts, own, strict=True):
        kept = _kept(mine, k, prune)
        edges = family.first - family.rows.start
        first.append(_sums(_kept(values, k + 1, prune).astype(np.int64), edges)[kept])
        if totals is not None and lefts is not None:
            totals.append(_sums(next(lefts)[1], edges)[kept])
    return first.close(), totals.close() if totals is not None else None


def _sums(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)))
    return running[edges[1:]] - running[edges[:-1]]


class _Rank:
    """The new rows of rows that are kept: a bit for each row, and their running number every 64."""

    def __init__(self, count: CountColumns, k: int, prune: tuple[int, ...]) -> None:
        size = BLOCK  # a multiple of 64
        bits = [np.packbits(_kept(values, k, prune), bitorder="little") for values in count.blocks(size)]
        self._bits = np.concatenate(bits) if bits else np.empty(0, np.uint8)
        ones = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1).astype(np.uint8)
        self._ones = ones
        in_byte = ones[self._bits]
        words = np.add.reduceat(in_byte, np.arange(0, len(in_byte), 8), dtype=np.int64) if len(in_byte) else in_byte
        self._before = np.concatenate((np.zeros(1, np.int64), np.cumsum(words, dtype=np.int64)))

    def of(self, row: np.ndarray) -> np.ndarray:
        """Kept rows before each of these: int64."""
        out = self._before[row >> 6]
        byte = row >> 3
        for back in range(1, 8):
            there = byte - back
            inside = (there >= 0) & (there >> 3 == byte >> 3)
            out = out + np.where(inside, self._ones[self._bits[np.maximum(there, 0)]], 0)
        below = (np.uint8(1) << (row & 7).astype(np.uint8)) - np.uint8(1)
        return out + self._ones[self._bits[byte] & below]
