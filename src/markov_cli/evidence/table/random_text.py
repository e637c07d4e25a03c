"""Draws a text with exactly this table, uniformly among all such texts (a random Eulerian circuit).

Legend: a node branches if its history has several followers; S counts as branching.

Draw a random spanning tree of last exits toward S, with the counts as weights; put the other exits of each node in
random order, and the tree's exit last; then walk from S and take each node's exits in turn. Between branching nodes
there is only one way, so tree and walk visit branching nodes alone, and the edges between are filled in at the end.

Source: Wilson 1996 (the tree); Kandel, Matias, Unger and Winkler 1996 (exits in random order).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

import numpy as np

from ...arrays.numbers import whole
from ...arrays.sorting import ragged
from ...sampling.random_stream import uniform
from ...text.types import EOS
from .forced_strings import follow
from .ngram_graph import Graph

_BLOCK = 1 << 16
_STEPS = 64  # edges of a run that are filled one by one


class _Uniform:
    """Uniform numbers in [0, 1) of a PCG64 stream, in blocks."""

    def __init__(self, generator: np.random.PCG64) -> None:
        self._generator = generator
        self._size = 128

    def refill(self) -> list[float]:
        """Next block of numbers; each is twice as long as the last, up to a limit, as small tables need few."""
        self._size = min(self._size * 2, _BLOCK)
        return uniform(self._generator.random_raw(self._size)).tolist()


def circuit(g: Graph, seed: int) -> np.ndarray:
    """Edges of a random text, in order: int64 (sum of all counts,). The graph must be complete.

    Takes one step of plain Python for each token after a branching history, about a million a second.
    """
    branching = np.diff(g.first) > 1
    branching[g.root] = True
    if g.ahead is None:
        onward = np.where(branching[g.target], np.arange(g.n_edges), g.first[:-1][g.target])
        g.ahead = onward, *follow(onward)
    onward, last, length = g.ahead
    node = np.flatnonzero(branching)
    number = np.full(g.n_nodes, -1, np.int64)
    number[node] = np.arange(len(node))
    edge = np.flatnonzero(branching[g.source])
    land = number[g.target[last[edge]]]
    first = np.append(np.searchsorted(edge, g.first[node]), len(edge))
    root = int(number[g.root])
    generator = np.random.PCG64(whole("seed", seed))
    tree = _tree(first, land, g.count[edge], root, _Uniform(generator))
    taken = _walk(first, land, g.count[edge], root, tree, generator)
    return fill(edge[taken], 1 + length, onward)


def _tree(first: np.ndarray, land: np.ndarray, count: np.ndarray, root: int, random: _Uniform) -> np.ndarray:
    """Random spanning tree: edge of the last exit from each node, int64 (b,), -1 for the root (Wilson 1996)."""
    n = len(first) - 1
    running = [0, *np.cumsum(count).tolist()]
    begin, to = first.tolist(), land.tolist()
    done = bytearray(n)
    done[root] = 1
    way = [-1] * n
    numbers, at = random.refill(), 0
    for v in range(n):
        u = v
        while not done[u]:  # a walk to the tree; `way` keeps only the last exit, which erases loops
            low, high = begin[u], begin[u + 1]
            below = running[low]
            if at == len(numbers):
                numbers, at = random.refill(), 0
            target = below + int(numbers[at] * (running[high] - below))
            at += 1
            e = bisect_right(running, target, low, high) - 1
            way[u] = e
            u = to[e]
        u = v
        while not done[u]:
            done[u] = 1
            u = to[way[u]]
    way[root] = -1
    return np.array(way, np.int64)


def _walk(
    first: np.ndarray, land: np.ndarray, count: np.ndarray, root: int, tree: np.ndarray, generator: np.random.PCG64
) -> np.ndarray:
    """Walk from the root that takes each node's exits in random order, the tree's exit last."""
    n = len(first) - 1
    copies = np.repeat(np.arange(len(land)), count)
    begin = np.concatenate(([0], np.cumsum(count)))
    node = np.repeat(np.arange(n, dtype=np.uint64), np.diff(begin[first]))
    bits = np.uint64(max(n.bit_length(), 1))
    key = np.atleast_1d(generator.random_raw(len(copies))) >> bits
    key[begin[tree[tree >= 0]]] = np.uint64(2**64 - 1) >> bits  # last; ties have probability below 2**-40 each
    key |= node << (np.uint64(64) - bits)
    order = np.argsort(key, kind="stable")
    exits = copies[order]
    to = array("q", land[exits].tobytes())
    place = begin[first].tolist()
    out = array("q", bytes(8 * len(exits)))
    v = root
    for i in range(len(exits)):
        p = place[v]
        place[v] = p + 1
        out[i] = p
        v = to[p]
    return exits[np.frombuffer(out, np.int64)]


def fill(taken: np.ndarray, length: np.ndarray, onward: np.ndarray) -> np.ndarray:
    """Edges taken, each followed by the edges that `onward` leads to: the dtype of `onward`.

    length  int (e,), number of these edges, with the edge taken

    Most runs are short, so they are filled step by step, in blocks of runs; the rest of a long run by doubling.
    """
    size = length[taken]
    end = np.cumsum(size, dtype=np.int64)
    out = np.empty(int(end[-1]) if len(end) else 0, onward.dtype)
    begins, sizes = [], []
    for a in range(0, len(taken), _BLOCK):
        edge, left = taken[a : a + _BLOCK], size[a : a + _BLOCK]
        at = end[a : a + _BLOCK] - left
        out[at] = edge
        for _ in range(_STEPS):
            some = np.flatnonzero(left > 1)
            if not len(some):
                break
            edge, left, at = onward[edge[some]], left[some] - 1, at[some] + 1
            out[at] = edge
        else:
            some = np.flatnonzero(left > 1)
            begins.append(at[some])
            sizes.append(left[some])
    if begins:
        _fill_long(out, np.concatenate(begins), np.concatenate(sizes), onward)
    return out


def _fill_long(out: np.ndarray, begin: np.ndarray, size: np.ndarray, onward: np.ndarray) -> None:
    """Fill runs whose first edge is there; each round doubles the filled part of each."""
    filled = 1
    while True:
        more = np.flatnonzero(size > filled)
        if not len(more):
            return
        begin, size = begin[more], size[more]
        at = ragged(begin, np.minimum(size - filled, filled))
        out[at + filled] = onward[out[at]]
        onward = onward[onward]
        filled *= 2


def labels(g: Graph, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A circuit as sequences: ids of all sequences, joined, and the number of ids of each: int64."""
    ids = g.label[edges]
    ends = np.flatnonzero(ids == EOS)
    return ids[ids != EOS], np.diff(ends, prepend=-1) - 1
