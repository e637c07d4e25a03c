"""Table rows of ranges that stay where they were merged: how they join, and what one range asks of the others.

Legend: a range is a part of all windows, see external_sort.py. Two ranges share a row where the first window of one
begins as the last of the range before does; the row belongs to the first range that has it. A row's number is that in
the whole table. Its suffix is the row, one order below, of its n-gram without its first id; a suffix key is, packed
into uint64, the number of the suffix of the row's parent and the row's last id. Suffix keys of an order rise as the
suffixes do, so each range of suffixes is an interval of keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..arrays.sorting import distinct, run_edges
from ..text.types import BOS
from .external_sort import Rows, shared_orders

_U = np.uint64


# ------------------------------------------------------------ joining


@dataclass
class RangeEdges:
    """Figures of a range's rows by which they are joined to others; all lists go by order, from 1.

    size         rows
    count        that of the first row; int, or int64 (c,) where `Rows` have columns of counts
    children     that of the first row, and of all rows together
    opened       the rows [low, high) that open with BOS
    heads        from order 2 on, of the first and of the second row: the parent, and the last id; a parent of order 1
                 is an id, another its place among the rows of the range
    first, last  ids of the first and the last window: uint32 (n,)
    """

    size: list[int]
    count: list[np.ndarray]
    children: list[tuple[int, int]]
    opened: list[tuple[int, int]]
    heads: list[list[tuple[int, int]]]
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> RangeEdges:
        """Those of merged rows."""
        levels = rows.levels
        size = [len(token) for token, *_ in levels]
        count = [count[:1].astype(np.int64).sum(axis=0) for _, count, _ in levels]
        children = [(int(c[:1].sum()), int(c.sum(dtype=np.int64))) for _, _, c in levels]
        low, high = np.searchsorted(levels[0][0], [BOS, BOS + 1]).tolist()
        opened, heads = [(low, high)], []
        for k, (token, *_) in enumerate(levels[1:], 1):
            above, more = levels[k - 1][0], np.cumsum(levels[k - 1][2], dtype=np.int64)
            low, high = (int(more[edge - 1]) if edge else 0 for edge in (low, high))
            opened.append((low, high))
            parent = np.searchsorted(more, np.arange(min(len(token), 2)), "right")
            of = above[parent] if k == 1 else parent
            heads.append([*zip(of.tolist(), token[:2].tolist(), strict=True)])
        return cls(size, count, children, opened, heads, rows.first, rows.last)


@dataclass
class RangePlace:
    """Place of a range's rows in the table; all lists go by order, from 1.

    shared     orders whose first row belongs to an earlier range
    at         rows before those that belong to this range; of order 1, ids that windows begin with
    size       rows that belong to it
    followers  rows of the next order that follow those before
    count, children  what later ranges add to the last row that belongs to it
    opened     the rows [low, high) that open with BOS, by their numbers
    key        from order 2 on, the suffix key that the first row has as a suffix; None where no row belongs to it
    """

    shared: int
    at: list[int]
    size: list[int]
    followers: list[int]
    count: list[np.ndarray | int]
    children: list[int]
    opened: list[tuple[int, int]]
    key: list[int | None] = field(default_factory=list)

    def inside(self, k: int) -> slice:
        """The rows of order k of the range that belong to it."""
        return slice(int(k <= self.shared), None)

    def opened_here(self, k: int) -> tuple[int, int]:
        """Place among its rows of order k of the first that opens with BOS, or would, and the number of these."""
        low, high = (min(max(edge - self.at[k - 1], 0), self.size[k - 1]) for edge in self.opened[k - 1])
        return low, high - low


def joined(edges: Sequence[RangeEdges], bits: int) -> list[RangePlace]:
    """The places of the rows of all ranges, which are given in order and not empty.

    bits  of an id
    """
    n = len(edges[0].size) if edges else 0
    at, followers = [0] * n, [0] * n
    opened: list[list[int]] = [[0, 0] for _ in range(n)]
    places: list[RangePlace] = []
    owner: list[RangePlace | None] = [None] * n  # of the last row so far
    last: np.ndarray | None = None
    for e in edges:
        shared = 0 if last is None else shared_orders(last, e.first)
        size = [e.size[k] - (k < shared) for k in range(n)]
        place = RangePlace(shared, at.copy(), size, [0] * n, [0] * n, [0] * n, [])
        for k in range(n):
            before = owner[k]
            more = e.children[k][1]
            if k < shared:
                assert before is not None
                before.count[k] = before.count[k] + e.count[k]
                more_of_first = e.children[k][0] - (k + 1 < shared)
                before.children[k] += more_of_first
                followers[k] += more_of_first
                more -= e.children[k][0]
            if size[k]:
                owner[k] = place
            place.followers[k] = followers[k]
            followers[k] += more
            at[k] += size[k]
            for i, edge in enumerate(e.opened[k]):
                opened[k][i] += edge - (k < shared and edge > 0)
            if k:
                heads = e.heads[k - 1][int(k < shared) :]
                key = None
                if heads and size[k]:
                    parent, token = heads[0]
                    parent += place.at[k - 1] - (k - 1 < shared) if k > 1 else 0
                    key = parent << bits | token
                place.key.append(key)
        places.append(place)
        last = e.last
    for place in places:
        place.opened = [(low, high) for low, high in opened]
    return places


def own_levels(rows: Rows, place: RangePlace) -> list[tuple[np.ndarray, ...]]:
    """The rows that belong to a range, complete: per order (token, count, children)."""
    out: list[tuple[np.ndarray, ...]] = []
    for k, level in enumerate(rows.levels):
        token, count, children = (column[place.inside(k + 1)] for column in level)
        if len(token):
            count = count.astype(np.int64)
            count[-1] += place.count[k]
        if len(children):
            children = children.astype(np.int64)
            children[-1] += place.children[k]
        out.append((token, count, children))
    return out


# ------------------------------------------------------------ left neighbours and links


@dataclass
class RangeSuffixes:
    """The distinct suffixes of the rows of one order that belong to a range.

    key     uint64 (s,), their suffix keys, rising
    rows    int64 (s,), rows that each is the suffix of; without those that open with BOS, where BOS is no neighbour
    number  int64 (r,), the one of each row; None where no links are wanted
    """

    key: np.ndarray
    rows: np.ndarray
    number: np.ndarray | None

    @classmethod
    def of(
        cls, rows: Rows, place: RangePlace, k: int, suffix: np.ndarray, bits: int, links: bool, borders: bool
    ) -> RangeSuffixes:
        """Those of order k, 3 or higher.

        suffix   of each row of order k - 1 of the range, of the first, too, where it belongs to another
        bits     of an id
        links    they are wanted, so `number` is kept
        borders  False: BOS is no left neighbour
        """
        key = np.repeat(suffix.astype(_U), rows.levels[k - 2][2])
        key <<= _U(bits)
        key |= rows.levels[k - 1][0]
        key = key[place.inside(k)]
        if borders and not links:
            key.sort()
            edge = run_edges(key)
            return cls(key[edge[:-1]], np.diff(np.flatnonzero(edge)), None)
        some, number = distinct(key)
        n = np.bincount(number, minlength=len(some))
        if not borders:
            low, opened = place.opened_here(k)
            n -= np.bincount(number[low : low + opened], minlength=len(some))
        return cls(some.view(_U), n, number if links else None)

    def divided(self, cuts: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Keys and rows of the intervals of keys that begin at 0 and at each cut."""
        at = np.searchsorted(self.key, np.array(cuts, _U))
        return [*zip(np.split(self.key, at), np.split(self.rows, at), strict=True)]


def met_suffixes(
    parts: list[tuple[np.ndarray, np.ndarray]], place: RangePlace, k: int
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The left neighbours of the rows of order k that belong to a range, and the number of the row of each key.

    parts    of all ranges, (key, rows) of those suffixes that lie here
    returns  int64 (r,), and for each part uint64

    IndexError where the rows of two orders do not fit together.
    """
    some, which = distinct(np.concatenate([key for key, _ in parts]))
    n = np.concatenate([rows for _, rows in parts])
    low, opened = place.opened_here(k)
    if len(some) != place.size[k - 1] - opened:
        raise IndexError(
            f"order {k}: {place.size[k - 1] - opened:,} n-grams, and {len(some):,} that end one of order {k + 1}"
        )
    left = np.zeros(place.size[k - 1], np.int64)
    row = np.arange(len(some))
    row[low:] += opened
    left[row] = np.bincount(which, n, len(some)).astype(np.int64)
    row += place.at[k - 1]
    edges = np.cumsum([len(key) for key, _ in parts])[:-1]
    return left, np.split(row[which].astype(_U), edges)
