"""Ids -> probabilities.

Legend: L is the length of a stream of ids; n the order; the node of order k at place i is the
row of the k-gram that ends there, -1 where the table has none.

The node of order k at i is child `stream[i]` of the node of order k-1 at i-1. So the nodes of all
places come order by order, and with them p(w | h) from p(w | h').
"""

from __future__ import annotations

import numpy as np

from ..model.distribution import Distribution
from ..text.types import BOS


class Scorer:
    """Scores streams of ids under one distribution."""

    def __init__(self, distribution: Distribution) -> None:
        self.distribution = distribution
        self.table = distribution.table

    def prepare(self) -> None:
        """Pays when about as many tokens will be scored as the table has rows."""
        self.distribution.prepare()
        for level in range(1, self.table.order):
            self.table.index(level)

    def score(self, stream: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """p of every id of a stream behind those before it, and the length of the n-gram found there.

        stream   unsigned (L,), sequences that open with BOS and close with EOS, one behind another;
                 what stands before the first BOS continues a sequence whose beginning is not here
        returns  float64 (L,), uint32 (L,); at a BOS 1 and 0, for it is never predicted
        """
        ids = stream.astype(np.int64)
        p = self.distribution.extend(0, np.zeros(len(ids), np.int64), ids, np.empty(0))
        longest = np.ones(len(ids), np.uint32)
        node = ids
        behind = _behind(ids) if self.distribution.minds_missing else ids
        place = np.arange(1, len(ids))  # where the history is in the table
        for level in range(1, self.table.order):
            history = node[: len(place)] if level == 1 else node
            child = self.table.child(level, history, ids[place])
            if self.distribution.minds_missing:
                p = self._missing(level, p, place, behind)
            p[place] = self.distribution.extend(level, history, child, p[place])
            found = child >= 0
            longest[place[found]] = level + 1
            # the k-gram found at i is the history of i + 1
            place = place[found] + 1
            node = child[found]
            if len(place) and place[-1] == len(ids):
                place, node = place[:-1], node[:-1]
            if not len(place) and not self.distribution.minds_missing:
                break
        opening = ids == BOS
        p[opening], longest[opening] = 1.0, 0
        return p, longest

    def _missing(self, level: int, p: np.ndarray, place: np.ndarray, behind: np.ndarray) -> np.ndarray:
        """Tell the distribution where a text has a history of this length and the table has not."""
        known = np.zeros(len(p), bool)
        known[place] = True
        lost = np.flatnonzero((behind >= level) & ~known)
        p[lost] = self.distribution.missing(p[lost])
        return p


def _behind(ids: np.ndarray) -> np.ndarray:
    """How many ids of its own sequence stand before each place: int64 (L,)."""
    here = np.arange(len(ids))
    begin = np.where(ids == BOS, here, 0)
    return here - np.maximum.accumulate(begin)
