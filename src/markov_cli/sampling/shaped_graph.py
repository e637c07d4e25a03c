"""Graph of a distribution's histories after temperature, top-k and top-p: each token kept is an edge.

Legend: V is the number of ids; a node is base[level] + row, as in `state_graph`.

With top-k a history has k edges at most, which `backoff_top_p` finds among the beginnings of sorted lists. With any
other shape all V probabilities of each history are computed, which suits small vocabularies.
"""

from __future__ import annotations

import numpy as np

from ..model.distribution import Distribution, histories
from ..model.table import Table
from ..text.types import BOS, EOS, UNK
from .alias_tables import backs_off
from .backoff_top_p import ShapedBackoff
from .next_history import after
from .shape import Shape, shaped_weights
from .state_graph import Histories, TooLarge, explored

_PROBABILITIES = 1 << 20  # computed at one time
WORK = 1 << 25  # most probabilities that are computed


def shaped_histories(distribution: Distribution, shape: Shape, start: tuple[int, int], most: int) -> Histories:
    """Graph of all histories reachable from the start; TooLarge above `most` edges, or where it takes too long."""
    walk = _ShapedWalk(distribution, shape)
    begin = int(walk.base[start[0]]) + start[1]
    return explored(walk, begin, np.array([begin]), most)


class _ShapedWalk:
    """Explores histories as nodes; see `state_graph.Walk`."""

    def __init__(self, distribution: Distribution, shape: Shape) -> None:
        self.distribution, self.shape, self.table = distribution, shape, distribution.table
        sizes = [1, *(len(order) for order in self.table.orders[:-1])]
        self.base = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
        distribution.prepare()
        self.lists = None
        if backs_off(distribution) and (shape.top_k or not shape.temperature):
            self.lists = ShapedBackoff(distribution, shape)
        self.left = WORK

    def pieces(self, nodes: np.ndarray) -> list[np.ndarray]:
        """Divide nodes into groups of one level."""
        level = np.searchsorted(self.base, nodes, "right") - 1
        size = max(_PROBABILITIES // (16 * self.lists.k if self.lists else self.table.n_ids), 1)
        out = []
        for k in range(self.table.order):
            here = nodes[level == k]
            out += [here[a : a + size] for a in range(0, len(here), size)]
        return out

    def followers(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Number of tokens kept after each node of one level; token, p and target node of all of them."""
        level = np.searchsorted(self.base, nodes, "right") - 1
        row = nodes - self.base[level]
        token, p, size = self.lists.first(level, row) if self.lists else self._all(level, row)
        if (size == 0).any():
            raise IndexError("after some history only <unk> can be drawn")
        w = p if self.shape.plain else shaped_weights(p, size, self.shape)
        owner = np.repeat(np.arange(len(nodes)), size)
        share = w / np.add.reduceat(w.astype(np.float64), np.cumsum(size) - size)[owner]
        keep = np.flatnonzero(w)
        token, owner, share = token[keep], owner[keep], share[keep]
        to_level, to_row = after(self.table, level[owner], row[owner], token)
        target = np.where(token == EOS, 0, self.base[to_level] + to_row)
        return np.bincount(owner, minlength=len(nodes)), token.astype(np.int32), share, target

    def _all(self, level: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids above 0, their p, and their number for each history."""
        table: Table = self.table
        v = table.n_ids
        self.left -= len(row) * v
        if self.left < 0:
            raise TooLarge(f"more than {WORK:,} probabilities")
        p = np.zeros((len(row), v))
        every = np.arange(v)
        for k, (here, rows) in enumerate(histories(table, level, row)):
            one, which = np.repeat(rows, v), np.tile(every, len(rows))
            child = table.child(k, one, which)
            p[here] = self.distribution.extend(k, one, child, p[here].reshape(-1)).reshape(len(rows), v)
        p[:, [UNK, BOS]] = 0.0
        owner, token = np.nonzero(p > 0)
        return token, p[owner, token], np.bincount(owner, minlength=len(row))


__all__ = ["TooLarge", "shaped_histories"]
