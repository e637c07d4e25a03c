"""Eulerian circuit of a table's graph, by whole-array steps: some text with exactly this table.

Legend: a copy is one of the c(e) uses of an edge; `after` is a permutation of the copies: each is followed by one that
leaves the node it leads to; a cycle is a cycle of that permutation; M copies.

As many copies enter a node as leave it, so every pairing of them, node by node, gives closed walks of all copies.
Two cycles that meet in a node become one when they exchange successors there; in a connected graph this ends with
one cycle. The pairs are random, but the texts are not equally likely: random_text.py draws uniformly, but more
slowly. Every certain string occurs in this text too, so the sweep of forced_strings.py reads it.

Source: Hierholzer 1873 (splicing); cycles are numbered from many places at once, as in list ranking
(Reid-Miller 1994).
"""

from __future__ import annotations

import numpy as np

from ...arrays.sorting import distinct_values, ragged, sort_keys, starts_new
from ...sampling.random_stream import rehash
from .forced_strings import follow
from .ngram_graph import Graph
from .random_text import fill

_STRIDE = 32  # mean number of copies between two starts
_FEW = 1 << 12  # fewer copies are walked by plain Python
_U = np.uint64


def some_circuit(g: Graph) -> np.ndarray:
    """Edges of some text, in order: the dtype of `g.target`, (sum of all counts,). The graph must be complete."""
    branching = np.diff(g.first) > 1
    branching[g.root] = True
    onward = np.where(branching[g.target], np.arange(g.n_edges, dtype=g.target.dtype), _only(g)[g.target])
    last, length = follow(onward)
    g.ahead = onward, last, length
    node = np.flatnonzero(branching)
    number = np.full(g.n_nodes, -1, g.target.dtype)
    number[node] = np.arange(len(node))
    edge = np.flatnonzero(branching[g.source])
    copies = np.repeat(edge, g.count[edge])  # (M,), by the node they leave
    land = number[g.target[last[copies]]]
    order = _one_cycle(_paired(land, len(node)), land)
    first = int(np.searchsorted(copies, g.first[g.root]))
    at = int(np.flatnonzero(order == first)[0])
    return fill(copies[np.concatenate((order[at:], order[:at]))], 1 + length, onward)


def _one_cycle(after: np.ndarray, land: np.ndarray) -> np.ndarray:
    """All copies in the order of one cycle, made by splicing the cycles of `after`."""
    order, begin = cycles(after)
    if len(begin) == 2:
        return order
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    changed, to = _spliced(land, order, begin, after)
    # parts between two changes stay together
    cut = distinct_values(np.concatenate((begin, place[changed] + 1)))
    part = np.full(len(cut) - 1, -1)
    part[np.searchsorted(cut, place[changed] + 1) - 1] = np.searchsorted(cut, place[to])
    ends = np.flatnonzero(part < 0)
    part[ends] = np.searchsorted(cut, place[after[order[cut[ends + 1] - 1]]])
    outer, _ = cycles(part)
    return order[ragged(cut[outer], np.diff(cut)[outer])]


def _only(g: Graph) -> np.ndarray:
    """First edge of each node, and of the node that stands for missing histories: (n + 1,)."""
    return np.minimum(g.first, max(g.n_edges - 1, 0)).astype(g.target.dtype)


def _paired(land: np.ndarray, n: int) -> np.ndarray:
    """Random successor for each copy among those that leave the node it leads to: int32 or int64 (M,)."""
    m = len(land)
    free = 64 - (m.bit_length() + n.bit_length())
    key = land.astype(np.uint64) << _U(free)
    key |= rehash(np.arange(m, dtype=np.uint64), 1) >> _U(64 - free)
    _, order = sort_keys(key, n.bit_length() + free)
    after = np.empty(m, np.int32 if m < 1 << 31 else np.int64)
    after[order] = np.arange(m)  # both sides are sorted by node
    return after


def cycles(after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cycles of a permutation.

    returns  int (M,), the elements cycle by cycle, and where each cycle begins, with the end of the last:
             int64 (cycles + 1,)
    """
    m = len(after)
    if m < _FEW:
        return _cycles_of_few(after)
    chosen = rehash(np.arange(m, dtype=np.uint64), 3) < _U(2**64 // _STRIDE)
    start = np.flatnonzero(chosen).astype(after.dtype)
    stretch, offset = np.full(m, -1, after.dtype), np.zeros(m, after.dtype)
    _walk(after, chosen, start, 0, stretch, offset)
    rest = np.flatnonzero(stretch < 0)
    if len(rest):  # cycles without a start
        more = _smallest(after, rest)
        chosen[more] = True
        _walk(after, chosen, more, len(start), stretch, offset)
        start = np.concatenate((start, more))
    size = np.bincount(stretch, minlength=len(start))
    end = np.empty(len(start), after.dtype)
    tail = np.flatnonzero(offset == size[stretch] - 1)
    end[stretch[tail]] = tail
    number = np.empty(m, after.dtype)
    number[start] = np.arange(len(start))
    to = number[after[end]]
    longer = np.flatnonzero(to != np.arange(len(to)))  # cycles of several stretches
    number = np.empty(len(to), after.dtype)
    number[longer] = np.arange(len(longer))
    outer, first = cycles(number[to[longer]])
    alone = np.flatnonzero(to == np.arange(len(to)))
    outer = np.concatenate((longer[outer], alone))
    first = np.concatenate((first, first[-1] + 1 + np.arange(len(alone))))
    running = np.cumsum(size[outer])
    place = np.empty(len(start), np.int64)
    place[outer] = running - size[outer]
    order = np.empty(m, after.dtype)
    order[place[stretch] + offset] = np.arange(m)
    return order, np.append(0, running)[first]


def _cycles_of_few(after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    to, seen = after.tolist(), bytearray(len(after))
    order: list[int] = []
    begin = [0]
    for i in range(len(to)):
        if seen[i]:
            continue
        j = i
        while not seen[j]:
            seen[j] = 1
            order.append(j)
            j = to[j]
        begin.append(len(order))
    return np.array(order, after.dtype), np.array(begin, np.int64)


def _walk(
    after: np.ndarray, chosen: np.ndarray, start: np.ndarray, base: int, stretch: np.ndarray, offset: np.ndarray
) -> None:
    """Walk from each start up to the next chosen element; sets the stretch and the offset of each element."""
    at, which, far = start, np.arange(base, base + len(start), dtype=after.dtype), 0
    while len(at):
        stretch[at], offset[at] = which, far
        at = after[at]
        on = np.flatnonzero(~chosen[at])
        at, which, far = at[on], which[on], far + 1


def _smallest(after: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Smallest element of each cycle in `rest`, which holds whole cycles."""
    number = np.empty(len(after), after.dtype)
    number[rest] = np.arange(len(rest))
    to = number[after[rest]]
    low = np.arange(len(rest))
    while True:
        lower = np.minimum(low, low[to])
        if np.array_equal(lower, low):
            return rest[np.flatnonzero(low == np.arange(len(rest)))].astype(after.dtype)
        low, to = lower, to[to]


def _spliced(
    land: np.ndarray, order: np.ndarray, begin: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Exchanges of successors that leave one cycle: the copies that change, and their new successors.

    In each round every cycle joins the smallest cycle that it meets, in one node. Numbers only fall along such
    steps, so the joins form a forest, and each exchange reduces the number of cycles.
    """
    n = len(begin) - 1
    number = rehash(np.arange(n, dtype=np.uint64), 5).argsort()  # random, so that chains of joins stay short
    node, of, copy = _meetings(land, order, begin, number)
    changed = np.zeros(0, copy.dtype)
    to = changed
    while len(node):  # one entry for each node and cycle through it, for nodes with several cycles
        first = np.flatnonzero(starts_new(node))
        low = np.repeat(np.minimum.reduceat(of, first), np.diff(np.append(first, len(node))))
        best = np.arange(n)
        np.minimum.at(best, of, low)
        joins = np.flatnonzero((low == best[of]) & (low < of))
        joins = joins[np.unique(of[joins], return_index=True)[1]]  # one node for each cycle
        host = np.zeros(len(node), bool)
        host[np.searchsorted(node, node[joins])] = True  # the smallest comes first in each node
        host[joins] = True
        group = np.flatnonzero(host)
        mine = copy[group]
        old = after[mine]
        known = np.flatnonzero(np.isin(mine, changed))
        if len(known):
            old[known] = to[np.searchsorted(changed, mine[known])]
        begins = np.flatnonzero(starts_new(node[group]))
        turned = np.append(old[1:], old[:1])
        turned[np.append(begins[1:], len(group)) - 1] = old[begins]
        every, value = np.concatenate((mine, changed)), np.concatenate((turned, to))
        changed, one = np.unique(every, return_index=True)  # the new ones come first
        to = value[one]
        while True:
            further = best[best]
            if np.array_equal(further, best):
                break
            best = further
        node, of, copy = _apart(node, best[of], copy)
    return changed, to


def _meetings(
    land: np.ndarray, order: np.ndarray, begin: np.ndarray, number: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes on several cycles, those cycles, and a copy of each that leads there; sorted by node, then cycle.

    Most copies are on one cycle; for that one, a copy at each node that others visit is enough.
    """
    size = np.diff(begin)
    large = int(size.argmax())
    low, high = int(begin[large]), int(begin[large + 1])
    rest = np.concatenate((order[:low], order[high:]))
    of = np.concatenate((np.repeat(number[:large], size[:large]), np.repeat(number[large + 1 :], size[large + 1 :])))
    touched = np.zeros(int(land.max()) + 1, bool)
    touched[land[rest]] = True
    inside = order[low:high]
    inside = inside[touched[land[inside]]]
    one = np.full(len(touched), -1, order.dtype)
    one[land[inside]] = inside
    one = one[one >= 0]
    copy = np.concatenate((rest, one))
    return _apart(land[copy], np.concatenate((of, np.full(len(one), number[large]))), copy)


def _apart(node: np.ndarray, of: np.ndarray, copy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort entries by node, then cycle, and keep one for each pair; drops nodes on only one cycle."""
    order = np.lexsort((of, node))
    node, of, copy = node[order], of[order], copy[order]
    once = starts_new(node, of)
    node, of, copy = node[once], of[once], copy[once]
    new = starts_new(node)
    alone = new & np.append(new[1:], True)
    return node[~alone], of[~alone], copy[~alone]
