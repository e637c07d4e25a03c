"""Renumbers the ids of tables: adds several tables up, or maps types of one to `<unk>`.

Legend: a part is a table with what its ids become; a row map says which row of the new table
each row of a part becomes; k is an order; own is a number that rides in the low bits of a key.

A row of order k+1 is the row of its history and an id. So, order by order, the key of each
part's row is (new row of its history, new id), and the distinct keys in order are the new rows: their
counts are the sums of what they were made of. The rows are taken in ranges of new histories, so
that each range is sorted alone, by one of several threads.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import ragged, sort_keys, starts_new
from ..arrays.threads import thread_pool
from ..counting.levels import Level
from ..counting.suffixes import SUFFIX_ROWS, left_neighbours
from ..errors import ModelFileError
from .count_column import DAMAGED
from .table import Table

_RANGE_ROWS = 1 << 19
_U = np.uint64


@dataclass
class Part:
    """One table.

    new_id  int64 (V,), what each id becomes; two may become one
    weight  what its counts are multiplied by
    """

    table: Table
    new_id: np.ndarray
    weight: int | float = 1


def relabelled(parts: list[Part], n_ids: int, jobs: int = 1, range_rows: int = _RANGE_ROWS) -> list[Level]:
    """The rows of all parts under their new ids, equal ones made one.

    parts    unpruned tables of one order
    n_ids    ids of the new table
    returns  as `count_ngrams` does; counts are int64, or float64 where a weight or a count is
    """
    order = max(part.table.order for part in parts)
    bits = max(int(n_ids - 1).bit_length(), 2)
    levels = [Level(np.arange(n_ids, dtype=np.uint32), _id_counts(parts, n_ids))]
    maps = [part.new_id for part in parts]
    with thread_pool(jobs) as pool:
        for k in range(1, order):
            maps = _next_level(levels, parts, maps, k, bits, range_rows, pool, k + 1 == order)
            if not len(levels[-1].token):
                break  # as in counting: one order without rows
        if len(levels) > 1:
            left_neighbours(levels, bits, min(SUFFIX_ROWS, 4 * range_rows), jobs, pool)
    return levels


def _id_counts(parts: list[Part], n_ids: int) -> np.ndarray:
    counts = [part.table.orders[0].count.slice(0, part.table.n_ids) * part.weight for part in parts]
    total = np.zeros(n_ids, np.result_type(*counts))
    for part, count in zip(parts, counts, strict=True):
        np.add.at(total, part.new_id, count)
    return total


def _next_level(
    levels: list[Level],
    parts: list[Part],
    maps: list[np.ndarray],
    k: int,
    bits: int,
    range_rows: int,
    pool: ThreadPoolExecutor,
    last: bool,
) -> list[np.ndarray]:
    """Put the rows of order k+1 behind `levels`, from the row maps of order k; returns their row maps."""
    n_parents = len(levels[-1].token)
    sources = [_Source.of(part, new_row, k) for part, new_row in zip(parts, maps, strict=True)]
    size = np.zeros(n_parents, np.int64)
    for s in sources:
        np.add.at(size, s.new_row, s.size)
    edges = edges_of(size, range_rows)
    out = [np.zeros(0 if last else len(s.token), np.int64) for s in sources]

    def one(i: int) -> _Range:
        return _range(sources, int(edges[i]), int(edges[i + 1]), bits, not last)

    tokens, counts, children = [], [], []
    at = 0
    for found in pool.map(one, range(len(edges) - 1)):
        tokens.append(found.token)
        counts.append(found.count)
        children.append(found.children)
        for new_row, (rows, rank) in zip(out, found.places, strict=True):
            new_row[rows] = rank + at
        at += len(found.token)
    levels[-1].children = np.concatenate(children) if children else np.zeros(n_parents, np.int64)
    none = np.empty(0, np.uint32), levels[0].count[:0]
    levels.append(Level(np.concatenate(tokens) if tokens else none[0], np.concatenate(counts) if counts else none[1]))
    return out


@dataclass
class _Source:
    """One part's rows of order k+1, by the new rows of their histories.

    new_row  int64 (h,), the new rows of the part's histories, rising
    low      int64 (h,), where the followers of each begin
    size     int64 (h,), and how many there are
    """

    part: Part
    k: int
    token: np.ndarray
    new_row: np.ndarray
    low: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, part: Part, new_row: np.ndarray, k: int) -> _Source:
        if k >= part.table.order:  # none of its sequences is so long
            none = np.empty(0, np.int64)
            return cls(part, k, np.empty(0, np.uint8), none, none, none)
        here, below = part.table.orders[k - 1], part.table.orders[k]
        if here.first is None or below.token is None or len(here.first) != len(new_row) + 1:
            raise ModelFileError(f"order {k}: rows without their followers", DAMAGED)
        low, high = part.table.followers_of_each(k, np.arange(len(new_row)))
        if len(below) and int(below.token.max()) >= part.table.n_ids:
            raise ModelFileError(f"order {k + 1}: an id outside the vocabulary", DAMAGED)
        order = _rising(new_row)
        filled = order[(high > low)[order]]
        return cls(part, k, below.token, new_row[filled], low[filled], (high - low)[filled])

    def counts(self, row: np.ndarray) -> np.ndarray:
        """The counts of rows, times the weight."""
        orders = self.part.table.orders
        return orders[min(self.k, len(orders) - 1)].count.at(row) * self.part.weight


def _rising(values: np.ndarray) -> np.ndarray:
    """Stable argsort of integers from 0: int64 (n,)."""
    if len(values) < 2 or (values[1:] >= values[:-1]).all():
        return np.arange(len(values))
    return sort_keys(values.astype(_U), int(values.max()).bit_length())[1]


def edges_of(size: np.ndarray, range_rows: int) -> np.ndarray:
    """Edges of ranges of histories with about `range_rows` followers each: int64 (ranges + 1,)."""
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(size)))
    n_ranges = max(int(before[-1]) // range_rows, 1)
    inner = np.searchsorted(before, np.arange(1, n_ranges) * range_rows)
    edges = np.concatenate(([0], inner, [len(size)]))
    return edges[np.append(True, edges[1:] > edges[:-1])]


@dataclass
class _Range:
    """New rows of one range of histories.

    token, count, children  as in `Level`; children of the histories
    places                  per part, its rows, and the number of each one's new row in this range
    """

    token: np.ndarray
    count: np.ndarray
    children: np.ndarray
    places: list[tuple[np.ndarray, np.ndarray]]


def _range(sources: list[_Source], low: int, high: int, bits: int, wants_places: bool) -> _Range:
    """The followers of new histories low..high-1."""
    keys, counts, rows = [], [], []
    for s in sources:
        a, b = np.searchsorted(s.new_row, [low, high])
        row = ragged(s.low[a:b], s.size[a:b])
        parent = np.repeat(s.new_row[a:b] - low, s.size[a:b]).astype(_U)
        keys.append(parent << _U(bits) | s.part.new_id[s.token[row]].astype(_U))
        counts.append(s.counts(row))
        rows.append(row)
    grouped = group(np.concatenate(keys), np.concatenate(counts), (high - low - 1).bit_length() + bits)
    parent = (grouped.key >> _U(bits)).astype(np.int64)
    token = (grouped.key & _U((1 << bits) - 1)).astype(np.uint32)
    places = [(row[:0], row[:0]) for row in rows]
    if wants_places:
        ends = np.cumsum([0, *map(len, rows)]).tolist()
        places = [(row, grouped.number[i:j]) for row, i, j in zip(rows, ends, ends[1:], strict=False)]
    return _Range(token, grouped.count, np.bincount(parent, minlength=high - low), places)


@dataclass
class Grouped:
    """Distinct keys in order: uint64 (u,), the sum of the counts of each, and the number of each given key."""

    key: np.ndarray
    count: np.ndarray
    number: np.ndarray


def group(key: np.ndarray, count: np.ndarray, key_bits: int) -> Grouped:
    """Equal keys made one.

    key      uint64 (m,), below 2**key_bits
    count    int64 or float64 (m,)
    """
    m = len(key)
    ranked, order = sort_keys(key, key_bits)
    new = starts_new(ranked)
    begin = np.flatnonzero(new)
    number = np.empty(m, np.int64)
    number[order] = np.cumsum(new) - 1
    with np.errstate(over="ignore"):  # of a damaged file's
        summed = np.add.reduceat(count[order], begin) if m else count
    return Grouped(ranked[begin], summed, number)
