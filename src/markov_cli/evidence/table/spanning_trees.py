"""How many ways there are to leave every node for the last time: spanning trees toward a root.

Legend: d(v) is the number of edges that leave v; A_uv how many lead from u to v; L = diag(d) - A; t is the
determinant of L without the root's row and column, which is the number of spanning trees toward the root
and, where as many edges enter as leave everywhere, the same for every root.

Source: Tutte 1948 (the determinant); Hutchinson 1989 (the trace of a matrix by random signs).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays.sorting import sort_keys, starts_new

DENSE_NODES = 6000  # up to which the determinant is worked out: 290 MB and some seconds
_PANEL = 256
_PROBES = 8
_MIN_TERMS, _MAX_TERMS, _TAIL = 24, 200, 8
_EDGES = 1 << 17  # at one time, to stay in the cache
_LN2 = float(np.log(2.0))


@dataclass(frozen=True)
class Trees:
    """log2 of t times the product over all nodes but the root of 1 / d: 0 or less.

    error_bits  0 where it is exact, else the standard error
    core        nodes that were left after contraction
    """

    bits: float
    error_bits: float
    core: int


def log2_trees(source: np.ndarray, target: np.ndarray, count: np.ndarray, total: np.ndarray, root: int) -> Trees:
    """log2 det(I - P) without the root, where P = diag(d)^-1 A: the second term of EVIDENCE's formula.

    source, target, count  (e,), all edges, balanced and connected
    total                  int64 (n,), d
    """
    hub = int(total.argmax())  # any root gives the same t; the largest makes the rest smallest
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
    """Parallel edges as one, loops dropped, by source and then target."""
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

    Gaussian elimination whose fill-in is nothing: such a node's edges are handed to its neighbour, and
    weights stay whole. Returns the sum of log(pivot / d) and the edges of the core.
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
            while len(live):  # as many rounds as the longest run of such nodes has binary digits
                live = live[one[to[live]]]
                to[live] = to[to[live]]
            rest = ~own
            s, t, w = s[rest], t[rest], w[rest]
            s, t, w = _merged(s, to[t], w, n) if forward else _merged(to[s], t, w, n)
        if not gone:
            return logs, s, t, w


def _dense(s: np.ndarray, t: np.ndarray, p: np.ndarray, n: int, root: int) -> float:
    """ln det(I - P) without the root, by elimination in place, a panel of columns at a time.

    Rows are diagonally dominant and stay so, so no pivot need be sought.
    """
    keep = (s != root) & (t != root)
    s, t = s[keep] - (s[keep] > root), t[keep] - (t[keep] > root)
    m = np.zeros((n - 1, n - 1))
    m[s, t] = -p[keep]
    np.fill_diagonal(m, 1.0)
    out = 0.0
    for a in range(0, n - 1, _PANEL):
        b = min(a + _PANEL, n - 1)
        out += float(np.linalg.slogdet(m[a:b, a:b])[1])
        if b < n - 1:
            right = np.linalg.solve(m[a:b, a:b], m[a:b, b:])
            for c in range(b, n - 1, 4 * _PANEL):  # so that the product is never as large as the matrix
                m[c : c + 4 * _PANEL, b:] -= m[c : c + 4 * _PANEL, a:b] @ right
    return out


def _hutchinson(s: np.ndarray, t: np.ndarray, p: np.ndarray, n: int, root: int) -> tuple[float, float]:
    """ln det(I - P) = - sum over j of trace(P^j) / j by random signs, and its standard error.

    trace(P) is 0 and trace(P^2) is worked out; from j = 3 on z' P^j z stands for trace(P^j), z of random signs.
    The sum ends where its last terms are far below the error. The same signs every time: the estimate of a
    table does not change.
    """
    keep = (s != root) & (t != root)
    s, t, p = s[keep], t[keep], p[keep]
    key = s * n + t  # rising
    place = np.minimum(np.searchsorted(key, t * n + s), len(key) - 1)
    back = key[place] == t * n + s
    second = float((p[back] * p[place[back]]).sum()) / 2.0
    new = np.flatnonzero(np.concatenate(([True], s[1:] != s[:-1])))
    row = s[new]
    cut = np.unique(np.append(np.searchsorted(new, np.arange(0, len(s), _EDGES)), len(new)))
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
