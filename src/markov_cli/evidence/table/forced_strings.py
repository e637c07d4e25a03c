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

from ...arrays.sorting import ragged
from ...sampling.random_stream import rehash
from ...text.types import EOS
from .ngram_graph import Graph, inflow, outflow


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
    goes = np.diff(g.first) == 1
    comes = np.bincount(g.target, minlength=n + 1)[:n] == 1
    goes[g.root] = comes[g.root] = False
    if g.counted:
        goes &= outflow(g) == g.total
        comes &= inflow(g) == g.total
    goes, comes = np.append(goes, False), np.append(comes, False)  # the node that the table lacks
    before = np.zeros(n + 1, g.target.dtype)
    before[g.target] = every
    first = np.append(g.first[:-1], 0).astype(g.target.dtype)
    onward = np.where(goes[g.target], first[g.target], every)
    back = np.where(comes[g.source], before[g.source], every)
    last, ahead = follow(onward)
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
    place  int64 (N,), tokens of its sequence before this index
    """

    edge: np.ndarray
    end: np.ndarray
    lost: np.ndarray
    place: np.ndarray


def sweep(g: Graph, circuit: np.ndarray) -> Sweep:
    """Apply rule 2 from every index of a circuit."""
    n = len(circuit)
    c = g.count[circuit]
    source = g.source[circuit]
    lost = g.total[source] - c
    opens = source == g.root
    lost = lost.astype(np.int64)
    lost[opens] = n + 1
    np.cumsum(lost, out=lost)
    end = _furthest(lost, c)
    begin = np.flatnonzero(opens)
    place = np.arange(n) - np.repeat(begin, np.diff(np.append(begin, n)))
    return Sweep(circuit, end, lost, place)


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
    count = g.count[s.edge]
    last = g.label[s.edge] == EOS
    out = []
    for least in lengths:
        best = _covered(s, count, last, least, g.order - 1)
        some = np.flatnonzero(best)
        top = np.zeros(g.n_edges, np.int64)
        np.maximum.at(top, s.edge[some], best[some])
        np.minimum(top, g.count, out=top)
        out.append(float(top[words].sum() / max(tokens, 1)))
    return out


def _covered(s: Sweep, count: np.ndarray, last: np.ndarray, least: int, history: int) -> np.ndarray:
    """Greatest g of a certain string of `least` tokens through each index of a circuit; 0 without one: (N,).

    count, last  c(e) of each index, and if it ends a sequence
    history      tokens of a whole history; the first strings of a sequence have shorter ones, and so more edges

    Strings that begin behind a whole history have one size, and the greatest g of those over an index is a maximum of
    a window, by doubling. A sequence's first strings of one length all end at one index.
    """
    n = len(s.edge)
    most = max(least - history, 1)
    value = _guaranteed(s, count, last, most)
    value[s.place < history] = 0
    out = _window(value, most)
    begin = np.flatnonzero(s.place == 0)
    for place in range(history if least > 0 else 0):
        size = max(least - place, 1)
        a = begin + place
        a = a[a + size <= n]
        a = a[s.place[a] == place]
        end = a + size - 1
        some = np.flatnonzero((s.end[a] >= end) & ~last[end])
        a, end = a[some], end[some]
        g = count[a] - (s.lost[end] - s.lost[a])
        at = ragged(a, np.full(len(a), size))
        out[at] = np.maximum(out[at], np.repeat(g, size))
    return out


def _guaranteed(s: Sweep, count: np.ndarray, last: np.ndarray, size: int) -> np.ndarray:
    """The g of the walk of `size` edges from each index; 0 if it is not certain, or ends a sequence: (N,)."""
    n = len(s.edge)
    out = np.zeros(n, count.dtype)
    m = n - size + 1
    if m > 0:
        g = count[:m] - (s.lost[size - 1 :] - s.lost[:m])
        sure = s.end[:m] >= np.arange(size - 1, n, dtype=s.end.dtype)
        sure &= ~last[size - 1 :]
        np.copyto(out[:m], g, where=sure, casting="same_kind")
    return out


def _window(value: np.ndarray, size: int) -> np.ndarray:
    """For each i, the largest of value[i - size + 1 : i + 1]: (N,)."""
    out, width = value, 1
    while width < size:
        step = min(width, size - width)
        wider = out.copy()
        np.maximum(out[step:], out[:-step], out=wider[step:])
        out, width = wider, width + step
    return out


def equal_sequences(g: Graph, s: Sweep) -> np.ndarray:
    """Least number of occurrences of each whole sequence that occurs twice or more in every text: int64."""
    begin = np.flatnonzero(s.place == 0)
    end = np.append(begin[1:], len(s.edge)) - 1
    sure = g.count[s.edge[begin]] - (s.lost[end] - s.lost[begin])
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
    order = np.argsort(key, kind="stable")
    new = np.concatenate(([True], key[order[1:]] != key[order[:-1]]))
    return np.sort(order[new])
