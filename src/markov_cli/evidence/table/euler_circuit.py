"""Some text with exactly this table, by whole-array steps: what the sweep of certain.py goes over.

Legend: a copy is one of the c(e) uses of an edge; `after` is a permutation of the copies, each followed by one that
leaves the node it leads to; a cycle is one of that permutation's; M copies.

As many copies enter a node as leave it, so any way of pairing them, node by node, makes closed walks of all
copies. Two that meet in a node become one when they change partners there; as the graph hangs together,
that goes on until one is left. The pairs are drawn at random, but not all texts are equally likely:
rebuild.py does that, one step of Python at a time. Whatever is certain stands in this text too.

Source: Hierholzer 1873 (splicing); the walks are numbered from many places at once, as in list ranking
(Reid-Miller 1994).
"""

from __future__ import annotations

import numpy as np

from ...arrays.sorting import ragged, sort_keys, starts_new
from ...sampling.random_stream import rehash
from .forced_strings import follow
from .ngram_graph import Graph
from .random_text import fill

_STRIDE = 32  # copies between two places to walk from, on average
_FEW = 1 << 12  # below which Python walks by itself
_U = np.uint64


def some_circuit(g: Graph) -> np.ndarray:
    """The edges of some text, in order: of the dtype of targets (sum of all counts,). The graph must be complete."""
    branching = np.diff(g.first) > 1
    branching[g.root] = True
    onward = np.where(branching[g.target], np.arange(g.n_edges, dtype=g.target.dtype), _only(g)[g.target])
    last, length = follow(onward)
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
    """The copies in an order in which each can follow the one before, the first the last."""
    order, begin = cycles(after)
    if len(begin) == 2:
        return order
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    changed, to = _spliced(land, order, begin, after)
    # what lies between two changes stays as it is
    cut = np.unique(np.concatenate((begin, place[changed] + 1)))
    part = np.full(len(cut) - 1, -1)
    part[np.searchsorted(cut, place[changed] + 1) - 1] = np.searchsorted(cut, place[to])
    ends = np.flatnonzero(part < 0)
    part[ends] = np.searchsorted(cut, place[after[order[cut[ends + 1] - 1]]])
    outer, _ = cycles(part)
    return order[ragged(cut[outer], np.diff(cut)[outer])]


def _only(g: Graph) -> np.ndarray:
    """The first edge of each node, and of the node that the table lacks."""
    return np.minimum(g.first, max(g.n_edges - 1, 0)).astype(g.target.dtype)


def _paired(land: np.ndarray, n: int) -> np.ndarray:
    """A random partner for each copy among those that leave the node it leads to: int64 (M,)."""
    m = len(land)
    free = 64 - (m.bit_length() + n.bit_length())
    key = land.astype(np.uint64) << _U(free)
    key |= rehash(np.arange(m, dtype=np.uint64), 1) >> _U(64 - free)
    _, order = sort_keys(key, n.bit_length() + free)
    after = np.empty(m, np.int32 if m < 1 << 31 else np.int64)
    after[order] = np.arange(m)  # both sides stand by node
    return after


def cycles(after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A permutation's cycles one behind another.

    returns  int (M,), the elements in the order in which they are walked, and where each cycle begins, with
             the end of the last: int64 (cycles + 1,)
    """
    m = len(after)
    if m < _FEW:
        return _cycles_of_few(after)
    chosen = rehash(np.arange(m, dtype=np.uint64), 3) < _U(2**64 // _STRIDE)
    start = np.flatnonzero(chosen).astype(after.dtype)
    stretch, offset = np.full(m, -1, after.dtype), np.zeros(m, after.dtype)
    _walk(after, chosen, start, 0, stretch, offset)
    rest = np.flatnonzero(stretch < 0)
    if len(rest):  # cycles without a place to walk from
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
    longer = np.flatnonzero(to != np.arange(len(to)))  # those of one stretch are whole already
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
    """From each start to before the next that is chosen: which stretch each element is of, and how far in it."""
    at, which, far = start, np.arange(base, base + len(start), dtype=after.dtype), 0
    while len(at):
        stretch[at], offset[at] = which, far
        at = after[at]
        on = np.flatnonzero(~chosen[at])
        at, which, far = at[on], which[on], far + 1


def _smallest(after: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """The smallest element of each of some whole cycles."""
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
    """Changes of partner that leave one cycle: the copies that change, and what each is then followed by.

    In each round every cycle looks for the smallest it meets and joins it, in one node. Numbers only
    fall along such steps, so they never close a ring, and every exchange makes cycles fewer.
    """
    n = len(begin) - 1
    number = rehash(np.arange(n, dtype=np.uint64), 5).argsort()  # at random, lest long rows of cycles join one by one
    node, of, copy = _meetings(land, order, begin, number)
    changed = np.zeros(0, copy.dtype)
    to = changed
    while len(node):  # an entry for each node and cycle through it, where there are several
        first = np.flatnonzero(starts_new(node))
        low = np.repeat(np.minimum.reduceat(of, first), np.diff(np.append(first, len(node))))
        best = np.arange(n)
        np.minimum.at(best, of, low)
        joins = np.flatnonzero((low == best[of]) & (low < of))
        joins = joins[np.unique(of[joins], return_index=True)[1]]  # in one node each
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
    """Nodes that several cycles go through, those cycles, and a copy of each that leads there; by node, then cycle.

    Most copies are of one cycle; of that one a copy at each node that others go through is enough.
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
    """By node, then cycle, one entry for each; nodes that one cycle alone goes through left out."""
    order = np.lexsort((of, node))
    node, of, copy = node[order], of[order], copy[order]
    once = starts_new(node, of)
    node, of, copy = node[once], of[once], copy[once]
    new = starts_new(node)
    alone = new & np.append(new[1:], True)
    return node[~alone], of[~alone], copy[~alone]
