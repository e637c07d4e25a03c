"""Certain strings: those that occur in every text with this table (unitigs, and paths with excess flow).

Legend: e is an edge, c(e) its count, v a node, d(v) the count of its history; a circuit is a list of edges, with
c(e) copies of each: a text with this table.

Two rules, both local:

1. Forced. Extend e forward while the history reached has one follower, and backward while it has one
   predecessor, never across S. This string occurs in every text exactly c(e) times.
2. Pigeonhole. A walk e_1 .. e_m with inner histories v_i occurs in every text at least
       g = c(e_1) - sum over i of (d(v_i) - c(e_i+1))
   times, because no more copies of e_1 can leave it elsewhere. A longer walk never has a greater g, and a walk
   with g > 0 occurs in every text, so one sweep over any one text finds them all.

Source: rule 1, unitigs of sequence assembly, extended; rule 2, excess flow of a path (Acosta and Tomescu 2022).
Galle and Tealdi 2015 pose the problem; their rules are not used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays.sorting import ragged, starts_new
from ...sampling.random_stream import rehash
from ...text.types import EOS
from .ngram_graph import Graph, inflow, outflow

_BLOCK = 1 << 18  # indices of a circuit at one time, to stay in the cache


@dataclass
class Forced:
    """Forced string of every edge (rule 1).

    words          int64 (e,), tokens of its forced string
    ahead, behind  int (e,), edges of it after and before this one
    onward, back   int (e,), the next edge and the one before; the edge itself where there is none
    opening, last  int (e,), first and last edge of it
    """

    words: np.ndarray
    ahead: np.ndarray
    behind: np.ndarray
    onward: np.ndarray
    back: np.ndarray
    opening: np.ndarray
    last: np.ndarray


def forced(g: Graph) -> Forced:
    """Apply rule 1. Only histories whose edges sum to their count take part, so a pruned table works too."""
    n, e = g.n_nodes, g.n_edges
    every = np.arange(e, dtype=g.target.dtype)
    comes = np.bincount(g.target, minlength=n + 1)[:n] == 1
    comes[g.root] = False
    if g.ahead is None:  # not known to be complete
        goes = np.diff(g.first) == 1
        goes[g.root] = False
        if g.counted:
            goes &= outflow(g) == g.total
            comes &= inflow(g) == g.total
        goes = np.append(goes, False)  # the node that the table lacks
        first = np.append(g.first[:-1], 0).astype(g.target.dtype)
        onward = np.where(goes[g.target], first[g.target], every)
        last, ahead = follow(onward)
    else:
        onward, last, ahead = g.ahead
    before = np.zeros(n + 1, g.target.dtype)
    before[g.target] = every
    back = np.where(comes[g.source], before[g.source], every)
    opening, behind = follow(back)
    words = g.tokens[g.source[opening]] + 1 + ahead + behind - (g.label[last] == EOS)
    return Forced(words, ahead, behind, onward, back, opening, last)


def follow(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Follow pointers to an edge that points to itself: the edge, and the number of steps; (e,), dtype of `step`.

    Pointer doubling; in a damaged table, pointers in a cycle stay where they are.
    """
    to = step.copy()
    distance = (step != np.arange(len(step), dtype=step.dtype)).astype(step.dtype)
    live = np.flatnonzero(distance).astype(step.dtype)
    at = to[live]
    for _ in range(len(step).bit_length()):
        more = distance[at]  # 0 at the end
        on = np.flatnonzero(more)
        if not len(on):
            return to, distance
        # read both before writing either
        live, at, more = live[on], to[at[on]], more[on]
        to[live] = at
        distance[live] += more
    live = live[distance[at] > 0]  # in a cycle
    to[live], distance[live] = live, 0
    return to, distance


def shares(g: Graph, f: Forced, lengths: tuple[int, ...], tokens: float) -> list[float]:
    """For each length, the share of all `tokens` whose n-gram is in a forced string of that many tokens or more."""
    words = g.words
    return [float(g.count[words & (f.words >= least)].sum() / max(tokens, 1)) for least in lengths]


def half_length(g: Graph, f: Forced, tokens: float) -> int:
    """Largest L such that half of all tokens are in forced strings of L tokens or more; 0 if the table lacks half."""
    words = np.flatnonzero(g.words)
    if not len(words):
        return 0
    each = np.bincount(f.words[words], g.count[words])  # sums below 2**53 are exact in float64
    reaches = np.flatnonzero(np.cumsum(each[::-1]) >= tokens / 2)
    return len(each) - 1 - int(reaches[0]) if len(reaches) else 0


@dataclass
class Sweep:
    """Certain walks along one circuit of N edges (rule 2).

    edge   int64 (N,), the circuit
    end    int64 (N,), last index of the longest certain walk that begins here
    lost   int64 (N,), running sum of d(v) - c(e); N + 1 at the beginning of a sequence, so no walk crosses it
    place  int (N,), tokens of its sequence before this index
    count  int (N,), c(e)
    """

    edge: np.ndarray
    end: np.ndarray
    lost: np.ndarray
    place: np.ndarray
    count: np.ndarray

    def ends(self, at: np.ndarray) -> np.ndarray:
        """True for indices that end a sequence: the next one begins one."""
        return self.place[np.where(at + 1 < len(self.place), at + 1, 0)] == 0


def sweep(g: Graph, circuit: np.ndarray) -> Sweep:
    """Apply rule 2 from every index of a circuit."""
    n = len(circuit)
    each = np.repeat(g.total, np.diff(g.first)) - g.count  # d(v) - c(e) of each edge
    opening = slice(int(g.first[g.root]), int(g.first[g.root + 1]))
    each[opening] = n + 1
    lost = each[circuit].astype(np.int64, copy=False)
    opens = (circuit >= opening.start) & (circuit < opening.stop)
    np.cumsum(lost, out=lost)
    small = np.int32 if n < 1 << 31 else np.int64  # a count is at most n
    count = g.count.astype(small, copy=False)[circuit]
    end = _furthest(lost, count)
    begin = np.flatnonzero(opens)
    place = np.arange(n, dtype=small) - np.repeat(begin.astype(small), np.diff(np.append(begin, n)))
    return Sweep(circuit, end, lost, place, count)


def _furthest(lost: np.ndarray, c: np.ndarray) -> np.ndarray:
    """For each i, the last index where `lost` is below lost[i] + c[i]: int64 (n,)."""
    end = np.arange(len(lost))
    grows = np.flatnonzero(lost[1:] - lost[:-1] < c[:-1])  # the other walks have one edge
    end[grows] = np.searchsorted(lost, lost[grows] + c[grows] - 1, "right") - 1
    return end


def least_shares(g: Graph, s: Sweep, lengths: tuple[int, ...], tokens: float) -> list[float]:
    """Lower bound, for each length, on the share of tokens in certain strings of that many tokens.

    Each edge counts with the greatest g of a certain string of that length through it, at most c(e).
    """
    words = g.words
    begin = np.flatnonzero(s.place == 0)
    out = []
    for least in lengths:
        top = np.zeros(g.n_edges, np.int64)
        for a in range(0, len(s.edge), _BLOCK):
            b = min(a + _BLOCK, len(s.edge))
            best = _covered(g, s, a, b, max(least - g.order + 1, 1))
            some = np.flatnonzero(best)
            np.maximum.at(top, s.edge[a:b][some], best[some])
        _cover_openings(g, s, begin, least, top)
        np.minimum(top, g.count, out=top)
        out.append(float(top[words].sum() / max(tokens, 1)))
    return out


def _covered(g: Graph, s: Sweep, a: int, b: int, size: int) -> np.ndarray:
    """Greatest g of a certain walk of `size` edges through each of the indices a..b - 1 of a circuit, 0 without one.

    Only walks that begin behind a whole history count, and none that ends a sequence. They have one size, so this is
    the maximum of a window, by doubling.
    """
    low = max(a - size + 1, 0)
    m = min(b, len(s.edge) - size + 1) - low  # walks that begin in low..b - 1 and end inside
    value = np.zeros(b - low, np.int64)
    if m > 0:
        first, last = slice(low, low + m), slice(low + size - 1, low + size - 1 + m)
        sure = s.end[first] >= np.arange(last.start, last.stop)
        sure &= s.place[first] >= g.order - 1
        inside = s.place[last.start + 1 : last.stop + 1] > 0  # the walk ends no sequence
        sure[: len(inside)] &= inside
        sure[len(inside) :] = False
        value[:m] = np.where(sure, s.count[first] - (s.lost[last] - s.lost[first]), 0)
    width = 1
    while width < size:
        step = min(width, size - width)
        wider = value.copy()
        if step < len(value):
            np.maximum(value[step:], value[:-step], out=wider[step:])
        value, width = wider, width + step
    return value[a - low :]


def _cover_openings(g: Graph, s: Sweep, begin: np.ndarray, least: int, top: np.ndarray) -> None:
    """Raise `top` of each edge to the greatest g of a certain string of `least` tokens from a shorter history.

    begin  where each sequence begins
    """
    n = len(s.edge)
    for place in range(g.order - 1):
        size = max(least - place, 1)
        at = begin + place
        at = at[at + size <= n]
        end = at + size - 1
        some = np.flatnonzero((s.place[at] == place) & (s.end[at] >= end))
        at, end = at[some], end[some]
        some = np.flatnonzero(~s.ends(end))
        at, end = at[some], end[some]
        sure = s.count[at] - (s.lost[end] - s.lost[at])
        np.maximum.at(top, s.edge[ragged(at, np.full(len(at), size))], np.repeat(sure, size))


def equal_sequences(s: Sweep) -> np.ndarray:
    """Least number of occurrences of each whole sequence that occurs twice or more in every text: int64."""
    begin = np.flatnonzero(s.place == 0)
    end = np.append(begin[1:], len(s.edge)) - 1
    sure = s.count[begin] - (s.lost[end] - s.lost[begin])
    twice = np.flatnonzero(sure > 1)
    return sure[twice[distinct(s.edge, begin[twice], end[twice])]]


def distinct(edge: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Index of the first of each group of equal walks, by a 64-bit Rabin-Karp hash of their edges: int64, rising."""
    if not len(begin):
        return np.zeros(0, np.int64)
    powers = np.uint64(0x9E3779B97F4A7C15) | np.uint64(1)
    mixed = rehash(edge.astype(np.uint64), 1)
    # sum of mixed[i] * q**i, times q**-begin: independent of where the walk is
    n = len(edge)
    q = np.full(n, powers, np.uint64)
    q[0] = 1
    q = np.multiply.accumulate(q)
    running = np.concatenate((np.zeros(1, np.uint64), np.cumsum(mixed * q, dtype=np.uint64)))
    inverse = np.full(n, np.uint64(pow(int(powers), -1, 1 << 64)), np.uint64)
    inverse[0] = 1
    inverse = np.multiply.accumulate(inverse)
    value = (running[end + 1] - running[begin]) * inverse[begin]
    key = rehash(value ^ rehash((end - begin).astype(np.uint64), 1), 1)
    return _firsts(key)


def _firsts(key: np.ndarray) -> np.ndarray:
    """Index of the first of each group of equal keys of 64 bits: int64, rising.

    Sorts the high bits of each key with its index in the low ones: such a sort is vectorised, a stable one of whole
    keys is not. Groups in which the high bits are equal but the keys are not are sorted once more.
    """
    bits = max(len(key) - 1, 1).bit_length()
    low = np.uint64((1 << bits) - 1)
    packed = (key & ~low) | np.arange(len(key), dtype=np.uint64)
    packed.sort()
    order = (packed & low).view(np.int64)
    packed &= ~low
    new = starts_new(packed)
    del packed
    mixed = np.flatnonzero(~new & starts_new(key[order]))
    if len(mixed):
        group = np.cumsum(new) - 1
        some = np.flatnonzero(np.isin(group, group[mixed]))
        by = np.lexsort((order[some], key[order[some]], group[some]))
        order[some] = order[some][by]
        new[some] |= starts_new(key[order[some]])
    return np.sort(order[new])
