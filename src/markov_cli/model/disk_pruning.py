"""Leaves rows of a table on disk out: n-grams that are rare, of few sequences, of other types, or with markers.

Legend as in disk_table.py; the kept rows of an order are a bit for each row, in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from ..arrays.disk_array import BLOCK, Column, Writer
from ..text.types import BOS, EOS
from .building import threshold
from .count_column import smallest
from .disk_counts import CountColumns, CountWriter
from .disk_rows import FirstWriter
from .disk_table import StreamedOrder, StreamedTable, by_family, families, opened_by_bos

_U = np.uint64
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1).astype(np.uint8)


class Kept:
    """Rows of one order that stay: a bit for each row, and their running number every 64."""

    def __init__(self, blocks: Iterable[np.ndarray]) -> None:
        """Bits from arrays of bool, in the order of the rows."""
        bits, rest = [], np.empty(0, bool)
        for block in blocks:
            rest = np.concatenate((rest, block))
            whole = len(rest) & ~7
            bits.append(np.packbits(rest[:whole], bitorder="little"))
            rest = rest[whole:]
        self._hold(np.concatenate([*bits, np.packbits(rest, bitorder="little")]))

    def _hold(self, bits: np.ndarray) -> None:
        self.bits = bits
        in_byte = _ONES[bits]
        words = np.add.reduceat(in_byte, np.arange(0, len(in_byte), 8), dtype=np.int64) if len(in_byte) else in_byte
        self._before = np.concatenate((np.zeros(1, np.int64), np.cumsum(words, dtype=np.int64)))

    def both(self, other: Kept) -> Kept:
        """Rows that stay in both."""
        out = Kept(())
        out._hold(self.bits & other.bits)
        return out

    def of(self, rows: slice) -> np.ndarray:
        """Which of some rows stay: bool."""
        begin = rows.start >> 3
        some = np.unpackbits(self.bits[begin : -(-rows.stop // 8)], bitorder="little")
        return some[rows.start - 8 * begin : rows.stop - 8 * begin].view(bool)

    def rank(self, row: np.ndarray) -> np.ndarray:
        """Kept rows before each of these: int64."""
        out = self._before[row >> 6]
        byte = row >> 3
        for back in range(1, 8):
            there = byte - back
            inside = (there >= 0) & (there >> 3 == byte >> 3)
            out = out + np.where(inside, _ONES[self.bits[np.maximum(there, 0)]], 0)
        below = (np.uint8(1) << (row & 7).astype(np.uint8)) - np.uint8(1)
        return out + _ONES[self.bits[byte] & below]


# ------------------------------------------------------------ which rows stay


def by_count(table: StreamedTable, prune: tuple[int, ...]) -> list[Kept]:
    """Rows of order 1, and of others those that occur more often than the threshold; see `prune_levels`."""
    least = [-1, *(threshold(prune, k) for k in range(2, len(table.orders) + 1))]
    return [Kept(c > t for c in o.count.blocks()) for o, t in zip(table.orders, least, strict=True)]


def by_holders(table: StreamedTable) -> list[Kept]:
    """Rows of order 1, and of others those with enough sequences and files."""
    return [Kept([np.ones(len(o), bool)] if o.keep is None else o.keep.blocks()) for o in table.orders]


def by_ids(table: StreamedTable, ids: np.ndarray) -> list[Kept]:
    """Rows of these ids alone, bool (V,), of order 1 too."""
    return _chained(table, ids, ids)


def inside(table: StreamedTable) -> list[Kept]:
    """Rows without BOS and EOS, and all of order 1."""
    first = np.ones(table.n_ids, bool)
    last = first.copy()
    first[BOS] = last[EOS] = False
    return [Kept([np.ones(len(first), bool)]), *_chained(table, first, last)[1:]]


def _chained(table: StreamedTable, first: np.ndarray, last: np.ndarray) -> list[Kept]:
    """Rows that begin with some ids and go on with some ids."""
    out = [Kept([first])]
    for above, order in zip(table.orders, table.orders[1:], strict=False):
        out.append(Kept(_followers(out[-1], above, order, last)))
    return out


def _followers(kept: Kept, above: StreamedOrder, order: StreamedOrder, last: np.ndarray) -> Iterator[np.ndarray]:
    assert above.first is not None and order.token is not None
    for family in families(above.first):
        token = order.token.read(family.rows.start, family.rows.stop)
        yield np.repeat(kept.of(family.parents), family.size) & last[token]


# ------------------------------------------------------------ tables without the others


def pruned(table: StreamedTable, kept: list[Kept], folder: str, ids: np.ndarray | None = None) -> StreamedTable:
    """The table with these rows, and what the others leave behind: counts of counts and sums of left neighbours.

    ids  bool (V,), those that stay, where some do not; they are numbered anew
    """
    stats, empty = _counts_of_counts(table), None
    if ids is not None:
        one = table.orders[0]
        bos = int(next(one.count.slices(np.array([BOS, BOS + 1])))[0])
        empty = one.count.total - bos, one.left.total if one.left is not None else 0
    with_sums(table, "left", "left_total", folder)
    out = selected(table, kept, folder, "pruned", ids)
    out.counts_of_counts, out.empty = stats, empty
    return out


def with_sums(table: StreamedTable, of: str, name: str, folder: str) -> None:
    """Add the sum of `count` or `left` over the followers of each row, up to the highest order that has both."""
    for k, (above, order) in enumerate(zip(table.orders, table.orders[1:], strict=False), 1):
        values = getattr(order, of)
        if values is not None and above.first is not None:
            writer = CountWriter(os.path.join(folder, f"{name}_{k}"))
            for family, counts in by_family(values, above.first):
                writer.append(_sums(counts, family.first - family.rows.start))
            setattr(above, name, writer.close())


def selected(
    table: StreamedTable, kept: list[Kept], folder: str, name: str, ids: np.ndarray | None = None
) -> StreamedTable:
    """The kept rows alone, in columns of their own whose names begin with `name`."""
    new_id, token_type = None, smallest(table.n_ids - 1)
    if ids is not None:
        new_id, token_type = np.cumsum(ids) - 1, smallest(max(int(np.count_nonzero(ids)) - 1, 0))
    out = []
    for k, order in enumerate(table.orders, 1):
        here = kept[k - 1]
        made = StreamedOrder(order.count)
        path = os.path.join(folder, f"{name}_%s_{k}")
        for part in ("count", "left", "left_total", "total"):
            counts = getattr(order, part)
            if counts is not None:
                writer = CountWriter(path % part)
                for rows, values in _blocks(counts):
                    writer.append(values[here.of(rows)])
                setattr(made, part, writer.close())
        if order.token is not None:
            made.token = _column(order.token, here, path % "token", token_type, new_id)
        if order.link is not None:
            made.link = _column(order.link, here, path % "link", np.dtype(_U), kept[k - 2])
        if order.first is not None:
            first = FirstWriter(path % "first")
            for family in families(order.first):
                stays = kept[k].of(family.rows).astype(np.int64)
                first.append(_sums(stays, family.first - family.rows.start)[here.of(family.parents)])
            made.first = first.close()
        out.append(made)
    return replace(table, orders=out)


def _blocks(counts: CountColumns) -> Iterator[tuple[slice, np.ndarray]]:
    at = 0
    for values in counts.blocks():
        yield slice(at, at + len(values)), values
        at += len(values)


def _column(column: Column, kept: Kept, path: str, dtype: np.dtype, new: np.ndarray | Kept | None) -> Column:
    """The kept entries, as what `new` makes of them."""
    writer = Writer(path, dtype)
    for at in range(0, len(column), BLOCK):
        some = column.read(at, at + BLOCK)
        some = some[kept.of(slice(at, at + len(some)))]
        if new is not None:
            some = new.rank(some.astype(np.int64)) if isinstance(new, Kept) else new[some]
        writer.append(some)
    return writer.close()


def _counts_of_counts(table: StreamedTable) -> np.ndarray:
    """As `building.counts_of_counts`."""
    out = np.zeros((len(table.orders), 5), np.int64)
    for k, (order, (low, high)) in enumerate(zip(table.orders, opened_by_bos(table), strict=True)):
        lefts = order.count.blocks() if order.left is None else order.left.blocks()
        for (rows, count), left in zip(_blocks(order.count), lefts, strict=True):
            row = np.arange(rows.start, rows.stop)
            opens = (row >= low) & (row < high)
            adjusted = np.where(opens, count, left)
            if k == 0:
                adjusted = adjusted[~opens]
            out[k] += np.bincount(np.minimum(adjusted, 5), minlength=6)[:5]
    out[:, 0] = 0
    return out


def _sums(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)))
    return running[edges[1:]] - running[edges[:-1]]
