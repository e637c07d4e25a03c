"""Graph of a model's histories: the states of its Markov chain, and the transition probabilities.

Legend: n is the order; S the number of histories, s one of them; E the number of followers of all
of them; a history is (level, row) as in the sampler; its node is base[level] + row.

A history without a follower that may be drawn is replaced by the longest end of it that has one, as in the
sampler, so every target has followers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..arrays.sorting import ragged
from ..model.table import Table
from ..text.types import EOS
from .sampler import Sampler
from .shape import Shape, shaped_weights

_FOLLOWERS = 1 << 20  # followers read at one time
BYTES_EACH = 72  # of memory for each follower while the graph is made


@dataclass
class Histories:
    """Histories and their followers.

    start   the history before the first token
    first   int64 (S + 1,), history s has followers first[s]..first[s+1], at least one
    token   int32 (E,)
    p       float64 (E,), above 0; sums to 1 for each history
    target  int32 (E,), the history after the token; 0 where the token is EOS
    end     float64 (S,), the p of EOS
    """

    start: int
    first: np.ndarray
    token: np.ndarray
    p: np.ndarray
    target: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.end)


class TooLarge(Exception):
    """The graph would have too many followers."""


class Walk(Protocol):
    """Explores histories as nodes: base[level] + row."""

    base: np.ndarray

    def pieces(self, nodes: np.ndarray) -> list[np.ndarray]:
        """Divide nodes into groups of one level, of a size that memory allows."""
        ...

    def followers(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Number of followers of each node of one level; token, p and target node of all of them."""
        ...


def estimate(table: Table) -> int:
    """Estimated number of followers in the graph, from the size of the table alone."""
    return len(table.orders[-1])


def histories(table: Table, shape: Shape, start: tuple[int, int]) -> Histories:
    """Graph of all histories of n - 1 tokens, the start, and the histories reachable from them.

    A few histories of n - 1 tokens are not reachable from the start; finding them would cost more than keeping them.
    """
    walk = _Walk(table, shape)
    begin = walk.drawable(np.array([start[0]]), np.array([start[1]]))
    n = table.order
    if n > 1 and len(table.orders[n - 2]):
        rows = np.arange(len(table.orders[n - 2]))
        low, high = walk.sampler._drawable(n - 1, rows)
        todo = walk.base[n - 1] + rows[low < high]
        if begin[0] < walk.base[n - 1]:
            todo = np.concatenate((begin, todo))
    else:
        todo = begin
    return explored(walk, int(begin[0]), todo)


def explored(walk: Walk, begin: int, todo: np.ndarray, most: int = 1 << 62) -> Histories:
    """Graph of some nodes, `begin` among them, and of all nodes that they reach; TooLarge above `most` edges."""
    parts: list[tuple[np.ndarray, ...]] = []
    edges = 0
    seen = np.zeros(walk.base[-1], bool)
    while len(todo):
        seen[todo] = True
        new = np.zeros(walk.base[-1], bool)
        for nodes in walk.pieces(todo):
            size, token, p, target = walk.followers(nodes)
            parts.append((nodes, size, token, p, target))
            edges += len(token)
            if edges > most:
                raise TooLarge(f"more than {most:,} followers")
            new[target[token != EOS]] = True
        todo = np.flatnonzero(new & ~seen)
    nodes, size, token, p, target = (np.concatenate(column) for column in zip(*parts, strict=True))
    number = np.zeros(walk.base[-1], np.int32)
    number[nodes] = np.arange(len(nodes))
    first = np.zeros(len(nodes) + 1, np.int64)
    np.cumsum(size, out=first[1:])
    ends = np.flatnonzero(token == EOS)
    end = np.zeros(len(nodes))
    end[np.searchsorted(first, ends, "right") - 1] = p[ends]
    target = number[target]
    target[ends] = 0
    return Histories(int(number[begin]), first, token, p, target, end)


class _Walk:
    """Explores histories as nodes: base[level] + row."""

    def __init__(self, table: Table, shape: Shape) -> None:
        self.table, self.shape = table, shape
        self.sampler = Sampler(table, shape)
        sizes = [1, *(len(o) for o in table.orders[:-1])]
        self.base = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
        for level in range(max(table.order - 2, 1), table.order - 1):
            table.index(level)

    def drawable(self, level: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Nodes of the longest ends of histories that have a follower that may be drawn."""
        level, row = level.copy(), row.copy()
        for k in range(self.table.order - 1, -1, -1):
            here = np.flatnonzero(level == k)
            low, high = self.sampler._drawable(k, row[here])
            stuck = here[low >= high]
            if len(stuck):
                if k == 0:
                    raise IndexError("a table without anything to draw")
                row[stuck] = self.table.shorter(k, row[stuck])
                level[stuck] = k - 1
        return self.base[level] + row

    def pieces(self, nodes: np.ndarray) -> list[np.ndarray]:
        """Divide nodes into groups of one level, with about _FOLLOWERS followers each."""
        out = []
        level = np.searchsorted(self.base, nodes, "right") - 1
        for k in range(self.table.order):
            here = nodes[level == k]
            if not len(here):
                continue
            row = here - self.base[k]
            self.table.followers_of_each(k, row)
            low, high = self.sampler._drawable(k, row)
            group = np.cumsum(high - low) // _FOLLOWERS
            out += np.split(here, np.flatnonzero(np.diff(group)) + 1)
        return out

    def followers(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Number of followers of each node of one level; token, p and target node of all of them."""
        k = int(np.searchsorted(self.base, nodes[0], "right")) - 1
        row = nodes - self.base[k]
        low, high = self.sampler._drawable(k, row)
        size = high - low
        found = ragged(low, size)
        count = self.table.orders[k].count.at(found)
        if not self.shape.plain:
            count = shaped_weights(count, size, self.shape)
        owner = np.repeat(np.arange(len(nodes)), size)
        total = np.add.reduceat(count, np.cumsum(size) - size)
        p = count / total[owner]
        if (count <= 0).any():  # cut off by top-k and the like
            keep = count > 0
            found, owner, p = found[keep], owner[keep], p[keep]
            size = np.bincount(owner, minlength=len(nodes))
        token = self.table.tokens(k + 1, found)
        target = np.zeros(len(found), np.int64)
        on = np.flatnonzero(token != EOS)
        if len(on):
            level, after = self.sampler._after(k, row[owner[on]], found[on], token[on])
            target[on] = self.drawable(level, after)
        return size, token.astype(np.int32), p, target
