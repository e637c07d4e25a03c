"""Scores streams of ids: p(w | h) of every id, order by order.

Legend: L is the length of a stream of ids; n the order; the node of order k at place i is the
row of the k-gram that ends there, -1 where the table has none.

The node of order k at i is child `stream[i]` of the node of order k-1 at i-1. So all places of a stream
are looked up at once, order by order, and each order computes p(w | h) from p(w | h').
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import sort_keys, starts_new
from ..model.distribution import Distribution
from ..model.row_values import RowValues, run_all
from ..text.marker_stream import behind
from ..text.types import BOS

_PIECE = 1 << 16


class Scorer:
    """Scorer of streams of ids under one distribution."""

    def __init__(self, distribution: Distribution) -> None:
        self.distribution = distribution
        self.table = distribution.table

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return self.table.rows

    def prepare(self, jobs: int = 1) -> None:
        """Index the table for many tokens; takes some memory."""

        def index() -> None:
            for level in range(self.table.order - 1, 0, -1):
                self.table.index(level)

        # a long part beside many short ones
        run_all(lambda part: part(), [(index,), (lambda: self.distribution.prepare(jobs),)], min(jobs, 2))

    def score(self, stream: np.ndarray, within: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Probability of every id of a stream after those before it, and the length of the longest n-gram found.

        stream   unsigned (L,), sequences from BOS to EOS; ids before the first BOS continue an earlier sequence
        within   a BOS is no history: the first token of a sequence has none, as in KenLM's null context
        returns  p float64 (L,), length uint32 (L,); 1 and 0 at a BOS, which is never predicted
        """
        ids = stream.astype(np.int64)
        if self.distribution.values is not None:
            return self._look_up(ids, self.distribution.values, within)
        p = self.distribution.extend(0, np.zeros(len(ids), np.int64), ids, np.empty(0))
        longest = np.ones(len(ids), np.uint32)
        opening = ids == BOS
        before = behind(ids) if self.distribution.minds_missing else ids
        place = np.arange(1, len(ids))  # places whose history is in the table
        node = ids[:-1]  # row of that history
        if within:
            before = before - np.maximum.accumulate(opening)
            place = place[~opening[:-1] & ~opening[1:]]
            node = ids[place - 1]
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
            if within and len(place):
                goes_on = ~opening[np.minimum(place, len(ids) - 1)]
                place, node = place[goes_on], node[goes_on]
            if len(place) and place[-1] == len(ids):
                place, node = place[:-1], node[:-1]
        p[opening], longest[opening] = 1.0, 0
        return p, longest

    def _look_up(self, ids: np.ndarray, values: RowValues, within: bool) -> tuple[np.ndarray, np.ndarray]:
        """`score` by known values of every row; some ids at a time, so that their arrays stay in the cache."""
        p, longest = np.empty(len(ids)), np.empty(len(ids), np.uint32)
        for begin in range(0, len(ids), _PIECE):
            before = max(begin - self.table.order + 1, 0)  # no history reaches further back
            some = ids[before : begin + _PIECE]
            new = slice(begin, begin + len(some) - (begin - before))
            found, length = self._look_up_piece(some, values, within)
            p[new], longest[new] = found[begin - before :], length[begin - before :]
        return p, longest

    def _look_up_piece(self, ids: np.ndarray, values: RowValues, within: bool) -> tuple[np.ndarray, np.ndarray]:
        p = values.unigram.take(ids, mode="clip")
        longest = np.ones(len(ids), np.uint32)
        looked_up = ids[1:] != BOS  # nothing is looked up for what is never predicted
        if within:
            looked_up &= ids[:-1] != BOS
        place = np.flatnonzero(looked_up)
        node = ids.take(place)
        place += 1
        b = values.of[0].take(node, axis=0, mode="clip")[:, 1] if len(values.of) > 1 else p
        for level in range(1, self.table.order):
            if not len(place):
                break
            child = self.table.child(level, node, ids.take(place, mode="clip"))
            q = p.take(place, mode="clip")
            q *= b
            found = np.flatnonzero(child >= 0)
            node = child.take(found)
            both = values.of[level].take(node, axis=0, mode="clip")
            if values.adds:
                q[found] += both[:, 0]
            else:
                q[found] = both[:, 0]
            p[place] = q
            place = place.take(found)
            longest[place] = level + 1
            place += 1  # the k-gram found at i is the history of i + 1
            if len(place) and place[-1] == len(ids):
                place, node, both = place[:-1], node[:-1], both[:-1]
            if within:
                goes_on = ids.take(place) != BOS
                place, node, both = place[goes_on], node[goes_on], both[goes_on]
            if level < self.table.order - 1:
                b = both[:, 1]
        opening = ids == BOS
        p[opening], longest[opening] = 1.0, 0
        return p, longest

    def _extend(self, level: int, history: np.ndarray, ids: np.ndarray, place: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Set p at `place` to that of histories of `level` tokens; returns the rows of their n-grams.

        Many places share an n-gram. Each n-gram is looked up once, in table order.
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
        row = self.table.child(level, history, token)
        every = len(place) == len(ids) - 1  # as at level 1: then a view, else a copy
        mine = p[1:] if every else p[place]
        q = self.distribution.extend(level, history, row, mine[order[first]])
        child = np.empty(len(place), np.int64)
        child[order] = row[which]
        mine[order] = q[which]
        if not every:
            p[place] = mine
        return child

    def _missing(self, level: int, p: np.ndarray, place: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Adjust p at places whose history of this length is not in the table."""
        known = np.zeros(len(p), bool)
        known[place] = True
        lost = np.flatnonzero((before >= level) & ~known)
        p[lost] = self.distribution.missing(p[lost])
        return p


def _distinct(
    history: np.ndarray, token: np.ndarray, bits: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Distinct pairs, sorted by history, then by token; None for few pairs, or ids that do not fit one key.

    returns  sorting permutation int64 (m,); distinct pairs as history << bits | token, uint64 (u,); index of the
             first of each in the sorted pairs, int64 (u,); index of the distinct pair of each sorted one, int32 (m,)
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
