"""Counts spanning trees toward a root (arborescences): the determinant in the BEST theorem.

Legend: d(v) is the number of edges that leave v; A_uv the number of edges from u to v; L = diag(d) - A; t is the
determinant of L without the root's row and column: the number of spanning trees toward the root. In a balanced
graph it is equal for every root.

Source: Tutte 1948 (matrix-tree theorem); Hutchinson 1989 (trace of a matrix by random signs).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays.sorting import distinct_values, sort_keys, starts_new
from ...arrays.threads import ordered_map, usable_cores

DENSE_NODES = 6000  # most nodes for an exact determinant: 290 MB and some seconds
_PANEL = 256
_PROBES = 8
_MIN_TERMS, _MAX_TERMS, _TAIL = 24, 200, 8
_EDGES = 1 << 17  # edges at one time, to stay in the cache
_LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Trees:
    """Logarithm of the number of spanning trees, normalised: log2 of t / product of d over all nodes but the root.

    bits        0 or less
    error_bits  standard error; 0 where bits are exact
    core        nodes left after contraction
    """

    bits: float
    error_bits: float
    core: int


def log2_trees(source: np.ndarray, target: np.ndarray, count: np.ndarray, total: np.ndarray, root: int) -> Trees:
    """log2 det(I - P) without the root, where P = diag(d)^-1 A: the second term of formula (2) in text_count.py.

    source, target, count  (e,), all edges, balanced and connected
    total                  int64 (n,), d
    """
    hub = int(total.argmax())  # every root gives an equal t; this one leaves the smallest core
    logs, s, t, w = _contract(source, target, count.astype(np.float64), total, hub)
    bits = logs + np.log(total[root]) - np.log(total[hub])
    if not len(s):
        return Trees(float(bits) / _LN2, 0.0, 0)
    nodes = np.flatnonzero(np.bincount(np.concatenate((s, t)), minlength=len(total)))
    place = np.zeros(len(total), np.int64)
    place[nodes] = np.arange(len(nodes))
    s, t, h = place[s], place[t], int(place[hub])
    left = total[nodes].astype(np.float64)
    d = np.bincount(s, w, len(nodes))
    left[h] = d[h] = 1.0
    bits += float((np.log(d) - np.log(left)).sum())
    if len(nodes) - 1 <= DENSE_NODES:
        return Trees((bits + _dense(s, t, w / d[s], len(nodes), h)) / _LN2, 0.0, len(nodes))
    value, error = _hutchinson(s, t, w / d[s], len(nodes), h)
    return Trees((bits + value) / _LN2, error / _LN2, len(nodes))


def _merged(s: np.ndarray, t: np.ndarray, w: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join parallel edges and drop loops; sorted by source, then target."""
    keep = np.flatnonzero(s != t)
    if not len(keep):
        return s[keep], t[keep], w[keep]
    bits = (n - 1).bit_length()
    key = s[keep].astype(np.uint64) << np.uint64(bits)
    key |= t[keep].astype(np.uint64)
    w = w[keep]
    if not (key[1:] > key[:-1]).all():
        key, order = sort_keys(key, 2 * bits)
        new = np.flatnonzero(starts_new(key))
        key, w = key[new], np.add.reduceat(w[order], new)
    return (key >> np.uint64(bits)).astype(s.dtype), (key & np.uint64((1 << bits) - 1)).astype(s.dtype), w


def _contract(
    s: np.ndarray, t: np.ndarray, w: np.ndarray, total: np.ndarray, root: int
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Eliminate every node that has one successor or one predecessor, until none is left.

    This is Gaussian elimination without fill-in: a node's edges move to its neighbour, and weights stay whole.
    Returns the sum of ln(pivot / d) and the edges of the core.
    """
    n = len(total)
    logs = 0.0
    s, t, w = _merged(s, t, w, n)
    while True:
        gone = 0
        for forward in (True, False):
            a, b = (s, t) if forward else (t, s)
            one = np.bincount(a, minlength=n) == 1
            one[root] = False
            here = np.flatnonzero(one)
            if not len(here):
                continue
            pivot = np.bincount(s, w, n)[here]
            logs += float((np.log(pivot) - np.log(total[here])).sum())
            gone += len(here)
            own = one[a]
            to = np.arange(n, dtype=s.dtype)
            to[a[own]] = b[own]
            live = here
            while len(live):  # pointer doubling
                live = live[one[to[live]]]
                to[live] = to[to[live]]
            rest = ~own
            s, t, w = s[rest], t[rest], w[rest]
            s, t, w = _merged(s, to[t], w, n) if forward else _merged(to[s], t, w, n)
        if not gone:
            return logs, s, t, w


def _dense(s: np.ndarray, t: np.ndarray, p: np.ndarray, n: int, root: int) -> float:
    """ln det(I - P) without the root, by elimination in place, a panel of columns at a time.

    Rows stay diagonally dominant, so no pivoting is needed.
    """
    keep = (s != root) & (t != root)
    s, t = s[keep] - (s[keep] > root), t[keep] - (t[keep] > root)
    m = np.zeros((n - 1, n - 1))
    m[s, t] = -p[keep]
    np.fill_diagonal(m, 1.0)
    out, jobs = 0.0, usable_cores() if n > 4 * _PANEL else 1
    for a in range(0, n - 1, _PANEL):
        b = min(a + _PANEL, n - 1)
        out += float(np.linalg.slogdet(m[a:b, a:b])[1])
        if b < n - 1:
            right = np.linalg.solve(m[a:b, a:b], m[a:b, b:])

            def below(c: int, a: int = a, b: int = b, right: np.ndarray = right) -> None:
                m[c : c + 2 * _PANEL, b:] -= m[c : c + 2 * _PANEL, a:b] @ right

            for _ in ordered_map(below, range(b, n - 1, 2 * _PANEL), jobs):
                pass
    return out


def _hutchinson(s: np.ndarray, t: np.ndarray, p: np.ndarray, n: int, root: int) -> tuple[float, float]:
    """ln det(I - P) = - sum over j of trace(P^j) / j, estimated with random signs, and its standard error.

    trace(P) is 0 and trace(P^2) is exact; for j >= 3, z' P^j z with random signs z estimates trace(P^j). The sum
    ends when its last terms are far below the error. The signs are fixed, so a table always has one estimate.
    """
    keep = (s != root) & (t != root)
    s, t, p = s[keep], t[keep], p[keep]
    key = s * n + t  # rising
    place = np.minimum(np.searchsorted(key, t * n + s), len(key) - 1)
    back = key[place] == t * n + s
    second = float((p[back] * p[place[back]]).sum()) / 2.0
    new = np.flatnonzero(np.concatenate(([True], s[1:] != s[:-1])))
    row = s[new]
    cut = distinct_values(np.append(np.searchsorted(new, np.arange(0, len(s), _EDGES)), len(new)))
    edge = np.append(new, len(s))
    raw = np.random.PCG64(0).random_raw(-(-n * _PROBES // 64))
    signs = np.unpackbits(raw.astype("<u8").view(np.uint8))[: n * _PROBES].reshape(n, _PROBES) * 2.0 - 1.0
    signs[root] = 0.0
    x, sums, recent = signs, np.zeros(_PROBES), []
    for j in range(1, _MAX_TERMS + 1):
        y = np.zeros((n, _PROBES))
        for a, b in zip(cut[:-1].tolist(), cut[1:].tolist(), strict=True):
            low, high = int(edge[a]), int(edge[b])
            part = x[t[low:high]]
            part *= p[low:high, None]
            y[row[a:b]] = np.add.reduceat(part, new[a:b] - low, axis=0)
        x = y
        if j > 2:
            term = np.einsum("ij,ij->j", signs, x) / j
            sums += term
            recent.append(abs(float(term.mean())))
            error = float(sums.std(ddof=1)) / _PROBES**0.5
            if j >= _MIN_TERMS and max(recent[-_TAIL:]) < 0.01 * error:
                break
    return -second - float(sums.mean()), error
