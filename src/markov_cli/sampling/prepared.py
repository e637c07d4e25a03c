"""A table unpacked for very many draws.

Legend: n is the order; a row is one of order n-1, a history of full length; `found` is one
of order n, a history and its follower.

Packed counts are looked up and searched; unpacked, the n-gram that holds the x-th count of the
whole order is one look-up, so a draw costs the same however many followers there are.
"""

from __future__ import annotations

import numpy as np

from ..model.table import Table
from ..text.types import UNK

LIMIT = 1 << 25  # counts, and rows, up to which this is done: 16 bytes each, so half a GB is kept at most
_U = np.uint64


class Prepared:
    """The top order of a table, ready to be drawn from by arrays."""

    def __init__(self, table: Table) -> None:
        top, below = table.orders[-1], table.orders[-2]
        assert top.token is not None and below.first is not None
        self.level = table.order - 1
        self._token = top.token
        self._count, self._link = top.count, table.shorter
        counts = top.count.slice(0, len(top))
        running = np.zeros(len(top) + 1, np.uint32)
        running[1:] = np.cumsum(counts)
        first = below.first.astype(np.int64)
        self._begin = running[first]  # counts before each history's followers
        self._owner = np.repeat(np.arange(len(top), dtype=np.uint32), counts)
        self._keys = np.empty(0, _U)
        self._bits = _U(max(table.n_ids - 1, 1).bit_length())
        if self.level > 1:
            above = table.orders[-3].first
            assert above is not None and below.token is not None
            n_followers: np.ndarray = np.diff(above.astype(np.int64))
            self._keys = np.repeat(np.arange(len(above) - 1, dtype=_U), n_followers)
            self._keys <<= self._bits
            self._keys |= below.token

    @classmethod
    def of(cls, table: Table) -> Prepared | None:
        """None where the table is too large, cannot be drawn from without looking, or is damaged."""
        if table.order < 2 or table.pruned or int(table.orders[0].count.at(np.array([UNK]))[0]):
            return None
        top = table.orders[-1]
        if max(top.count.total, len(top), len(table.orders[-2])) > LIMIT:
            return None
        for above, below in zip(table.orders, table.orders[1:], strict=False):
            assert above.first is not None
            first = above.first.astype(np.int64)
            if int(first[0]) or int(first[-1]) != len(below) or (np.diff(first) < 0).any():
                return None
        counts = top.count.slice(0, len(top))
        if int(counts.sum()) != top.count.total or int(counts.min(initial=1)) < 1:
            return None
        return cls(table)

    def draw(self, row: np.ndarray, uniform: np.ndarray, bits: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """A follower of each history, in proportion to its count.

        row      int64 (m,), histories that are followed by something
        uniform  float64 (m,) in [0, 1)
        returns  tokens, int64 (m,), and -log2 of their probabilities where `bits` asks for them
        """
        begin = self._begin[row]
        total = self._begin[row + 1] - begin
        target = begin + np.minimum((uniform * total).astype(np.uint32), total - np.uint32(1))
        found = self._owner[target]
        token = self._token[found].astype(np.int64)
        return token, np.log2(total / self._count.at(found)) if bits else None

    def after(self, row: np.ndarray, token: np.ndarray) -> np.ndarray:
        """The history, in full length, once `token` was drawn behind `row`: int64 (m,), -1 for none."""
        if self.level == 1:
            return token
        shorter = self._link(self.level, row).astype(_U)
        return _search(self._keys, shorter << self._bits | token.astype(_U))


def _search(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Places of `wanted` among sorted keys, -1 where there is none: int64 (m,).

    Sorted queries are found several times faster, for they walk through the keys; each one's
    number rides in its low bits where there is room.
    """
    own_bits = max(len(wanted) - 1, 0).bit_length()
    order = None
    if len(wanted) > 64 and int(wanted.max()).bit_length() + own_bits <= 64:
        ridden = wanted << _U(own_bits) | np.arange(len(wanted), dtype=_U)
        ridden.sort()
        order = (ridden & _U((1 << own_bits) - 1)).astype(np.int64)
        wanted = ridden >> _U(own_bits)
    found = np.searchsorted(keys, wanted)
    found[found == len(keys)] = 0
    found[keys[found] != wanted] = -1
    if order is None:
        return found
    out = np.empty_like(found)
    out[order] = found
    return out
