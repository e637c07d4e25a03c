"""Ids -> probabilities.

Legend: L is the length of a stream of ids; n the order; the node of order k at place i is the
row of the k-gram that ends there, -1 where the table has none.

The node of order k at i is child `stream[i]` of the node of order k-1 at i-1. So the nodes of all
places come order by order, and with them p(w | h) from p(w | h').
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ..arrays.sorting import sort_keys, starts_new
from ..model.distribution import Distribution
from ..text.marker_stream import behind
from ..text.types import BOS


class Scorer:
    """Scores streams of ids under one distribution."""

    def __init__(self, distribution: Distribution) -> None:
        self.distribution = distribution
        self.table = distribution.table

    def prepare(self, jobs: int = 1) -> None:
        """Get ready for very many tokens, at the cost of some memory."""
        with ThreadPoolExecutor(jobs) as pool:
            for done in [pool.submit(self.distribution.prepare)] + [
                pool.submit(self.table.index, level) for level in range(1, self.table.order)
            ]:
                done.result()

    def score(self, stream: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """p of every id of a stream behind those before it, and the length of the n-gram found there.

        stream   unsigned (L,), sequences that open with BOS and close with EOS, one behind another;
                 what stands before the first BOS continues a sequence whose beginning is not here
        returns  float64 (L,), uint32 (L,); at a BOS 1 and 0, for it is never predicted
        """
        ids = stream.astype(np.int64)
        p = self.distribution.extend(0, np.zeros(len(ids), np.int64), ids, np.empty(0))
        longest = np.ones(len(ids), np.uint32)
        before = behind(ids) if self.distribution.minds_missing else ids
        place = np.arange(1, len(ids))  # where the history is in the table
        node = ids[:-1]  # and which row it is
        for level in range(1, self.table.order):
            if self.distribution.minds_missing:
                p = self._missing(level, p, place, before)
            elif not len(place):
                break
            child = self._extend(level, node, ids, place, p)
            found = np.flatnonzero(child >= 0)
            place, node = place[found], child[found]
            longest[place] = level + 1
            # the k-gram found at i is the history of i + 1
            place = place + 1
            if len(place) and place[-1] == len(ids):
                place, node = place[:-1], node[:-1]
        opening = ids == BOS
        p[opening], longest[opening] = 1.0, 0
        return p, longest

    def _extend(self, level: int, history: np.ndarray, ids: np.ndarray, place: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Make p at some places that of histories of `level` tokens; returns their n-grams' rows.

        Many places have the same n-gram. Each is looked up once, in the order of the table.
        """
        token = ids[place]
        sorted_ = _distinct(history, token, self.table.id_bits)
        if sorted_ is None:
            child = self.table.child(level, history, token)
            p[place] = self.distribution.extend(level, history, child, p[place])
            return child
        order, key, first, which = sorted_
        bits = np.uint64(self.table.id_bits)
        history, token = (key >> bits).view(np.int64), (key & ((np.uint64(1) << bits) - np.uint64(1))).view(np.int64)
        row = self.table.child(level, history, token, rising=True)
        mine = p[1:] if level == 1 else p[place]  # a copy, but for level 1, where every place has a history
        q = self.distribution.extend(level, history, row, mine[order[first]])
        child = np.empty(len(place), np.int64)
        child[order] = row[which]
        mine[order] = q[which]
        if level > 1:
            p[place] = mine
        return child

    def _missing(self, level: int, p: np.ndarray, place: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Tell the distribution where a text has a history of this length and the table has not."""
        known = np.zeros(len(p), bool)
        known[place] = True
        lost = np.flatnonzero((before >= level) & ~known)
        p[lost] = self.distribution.missing(p[lost])
        return p


def _distinct(
    history: np.ndarray, token: np.ndarray, bits: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Pairs by history, then by token.

    returns  their order int64 (m,), the distinct ones as history << bits | token uint64 (u,), the places
             in the order at which each begins int64 (u,), and which of them each of the ordered is
             int32 (m,); None for few, or too large ones
    """
    bits_of_key = int(history.max(initial=0)).bit_length() + bits
    if len(token) < 64 or bits_of_key + (len(token) - 1).bit_length() > 64:
        return None
    key = history.astype(np.uint64)
    key <<= np.uint64(bits)
    key |= token.astype(np.uint64)
    key, order = sort_keys(key, bits_of_key)
    new = starts_new(key)
    which = np.cumsum(new, dtype=np.int32)
    which -= 1
    first = np.flatnonzero(new)
    return order, key[first], first, which
