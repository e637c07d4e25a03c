"""Solves x = b + P x for a sparse matrix P of probabilities, with a small relative error for every x.

Legend: m is the number of unknowns; P is given by owner (row), target (column) and p of its entries, sorted by
owner; first[i]..first[i+1] are the entries of row i.

Source: BiCGSTAB (van der Vorst 1992), scaled by the solution found so far.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Operator = Callable[[np.ndarray], np.ndarray]
TOLERANCE = 1e-12
_STAGES, _ROUNDS = 12, 100
_SWEEPS = 20_000


def sums(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Sums of values[first[i]:first[i+1]]: float64 (m,)."""
    out = np.zeros(len(first) - 1)
    filled = first[:-1] < first[1:]
    if filled.all():
        return np.add.reduceat(values, first[:-1]) if len(out) else out
    if filled.any():
        out[filled] = np.add.reduceat(values, first[:-1][filled])
    return out


def solve(
    owner: np.ndarray, target: np.ndarray, p: np.ndarray, first: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, float] | None:
    """Smallest x >= 0 with x = b + P x, and its greatest relative error; None without convergence.

    owner, target  int (e,); p float64 (e,); first int64 (m + 1,); b float64 (m,)
    returns        float64 (m,), and max |b + P x - x| / x

    Rows from which no positive b is reachable have x = 0 and are left out; the other x are unique.
    """
    m = len(b)
    live = b > 0
    while True:  # as many rounds as the longest path to a positive b
        more = live.copy()
        more[owner[live[target]]] = True
        if (more == live).all():
            break
        live = more
    x = np.zeros(m)
    here = np.flatnonzero(live)
    number = np.full(m, -1, np.int64)
    number[here] = np.arange(len(here))
    keep = live[owner] & live[target]
    target, p = number[target[keep]], p[keep]
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(number[owner[keep]], minlength=len(here)))))
    b = b[here]
    y = b + sums(p, first)
    off = float(np.abs(y - 1).max(initial=0.0))
    if off <= TOLERANCE and live.all():
        return np.ones(m), off  # every continuation is accepted
    found = refined(lambda v: sums(p * v[target], first), b)
    if found is None:
        return None
    x[here], off = found
    return x, off


def refined(apply: Operator, b: np.ndarray, live: np.ndarray | None = None) -> tuple[np.ndarray, float] | None:
    """Smallest x >= 0 with x = b + P x, and its greatest relative error; None without convergence.

    apply  computes P v
    b      float64 (m,)
    live   bool (m,), the x that are above 0, each of which leads to a positive b; None for all
    """
    most = float(b.max(initial=0.0))
    if not most > 0:
        return np.zeros(len(b)), 0.0
    scale, guess = np.full(len(b), most), b / most
    dead = None if live is None or live.all() else np.flatnonzero(~live)
    for _ in range(_STAGES):
        # scaled by the solution so far, all of z is near 1, so small x are as exact as large ones
        s = scale
        z = _bicgstab(lambda v, s=s: apply(v * s) / s, b / s, guess)  # type: ignore[misc]
        w = z * s
        for _ in range(3):
            w = b + apply(np.maximum(w, 0))
        for _ in range(_SWEEPS):  # a row far from a positive b may still be 0
            if _least(w, dead) > 0:
                break
            w = b + apply(w)
        y = b + apply(w)
        if not (np.isfinite(y).all() and _least(w, dead) > 0):
            return None
        if dead is not None:
            w[dead] = y[dead] = 1.0
        off = float((np.abs(y - w) / y).max())
        if dead is not None:
            w[dead] = y[dead] = 0.0
        if off <= TOLERANCE:
            return y, off
        scale, guess = y.copy(), np.ones(len(b))
        if dead is not None:
            scale[dead], guess[dead] = 1.0, 0.0
    return None


def _least(w: np.ndarray, dead: np.ndarray | None) -> float:
    """Least of the values that must be above 0."""
    return float(w.min()) if dead is None else float(np.delete(w, dead).min())


def _bicgstab(step: Operator, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Iterate from x towards the solution of x = b + Q x, where step(v) = Q v; returns the best iterate."""

    def apply(v: np.ndarray) -> np.ndarray:
        return v - step(v)

    r = b - apply(x)
    # a fixed vector with no pattern: with r itself the first product is often 0 here
    shadow = 0.5 + np.modf(np.arange(1, len(b) + 1) * 0.6180339887498949)[0]
    rho = alpha = omega = 1.0
    v = s = np.zeros(len(b))
    best, least = x, float(np.abs(r).max())
    for _ in range(_ROUNDS):
        if least <= TOLERANCE / 8:
            break
        new = _dot(shadow, r)
        if not new or not omega or not np.isfinite(new):
            break
        s = r + (new / rho) * (alpha / omega) * (s - omega * v)
        rho = new
        v = apply(s)
        below = _dot(shadow, v)
        if not below:
            break
        alpha = rho / below
        half = r - alpha * v
        t = apply(half)
        square = _dot(t, t)
        omega = _dot(t, half) / square if square else 0.0
        x = x + alpha * s + omega * half
        r = half - omega * t
        size = float(np.abs(r).max())
        if size < least:
            best, least = x, size
        if not np.isfinite(size) or size > 1e6 * max(least, 1e-300):
            break
    return best


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum())  # `@` starts threads, which wait for each other on a busy machine
