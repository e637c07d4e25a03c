"""Relative-entropy pruning: drops the n-grams whose loss changes the distribution least.

Legend: h is a history and h' what it backs off to; p a listed p(w | h), q = p(w | h'); S the sum of p
over the listed followers of h, T that of q; a = (1 - S) / (1 - T) the backoff weight; P(h) how often h
stands before a token, as a share of all tokens.

Without the n-gram h w alone, a becomes a* = (1 - S + p) / (1 - T + q), and the distributions differ by

    D = -P(h) { p [log q + log a* - log p] + (1 - S) [log a* - log a] }

Source: Stolcke 1998, eq. 6 to 8. P(h) is the text's own share where the table has counts, for
Kneser-Ney's lower orders do not say how often a history occurs (Chelba et al. 2010).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..text.types import BOS, EOS
from .count_column import Uncounted, smallest
from .distribution import Distribution
from .probability_rows import Rows
from .smoothing import Smoothed
from .table import Order, Table

LOWEST = -99.0  # log10 of 0, as ARPA has it
_MEMBER = 400  # bytes of a file for each of its arrays, beside what it holds: an upper bound
_ROUNDS = 60  # halvings of the threshold's logarithm


@dataclass
class _Level:
    """One order: p of every row, its history and suffix, D, which rows stay, and P of the histories."""

    p: np.ndarray
    history: np.ndarray
    suffix: np.ndarray
    change: np.ndarray  # exp(D) - 1: by how much the perplexity rises
    keep: np.ndarray
    shares: np.ndarray


@dataclass
class Pruned:
    """The pruned table and the rise of its perplexity.

    table  of probabilities
    rise   by how much the perplexity rises under the distribution itself, as a share: an estimate that
           takes the orders one by one
    """

    table: Table
    rise: float


class EntropyPruner:
    """All n-grams of a distribution with what each one's loss would change."""

    def __init__(self, distribution: Distribution) -> None:
        self.distribution, self.table = distribution, distribution.table
        rows = Rows(distribution)
        self.order, self.n_rows = rows.order, rows.n_rows
        self.types = np.concatenate([c.p for c in rows.of(1)])
        self.levels: list[_Level] = []
        before = self.types
        shares = _shares(distribution, 0, np.zeros(1, np.int64), self.types)
        for k in range(2, self.order + 1):
            chunks = [*rows.of(k)]
            history = np.concatenate([c.history for c in chunks])
            suffix = np.concatenate([c.suffix for c in chunks])
            p = np.concatenate([c.p for c in chunks])
            del chunks
            shares = _shares(distribution, k - 1, np.arange(self.n_rows[k - 2]), before, shares)
            q = before[suffix]
            change = np.expm1(_divergence(p, q, history, shares))
            self.levels.append(_Level(p, history, suffix, change, np.ones(len(p), bool), shares))
            before = p

    def choose(self, threshold: float) -> list[int]:
        """Mark what stays at a threshold; returns the rows of each order."""
        needed = np.zeros(0, bool)
        for k in range(self.order, 1, -1):
            level = self.levels[k - 2]
            level.keep = level.change >= threshold
            if len(needed):
                level.keep |= needed
            needed = np.zeros(self.n_rows[k - 2], bool)
            needed[level.history[level.keep]] = True  # what a kept row continues
            if 2 < k < self.order:  # and what it backs off to, once it is a history
                needed[level.suffix[level.keep]] = True
        return [self.n_rows[0], *(int(np.count_nonzero(level.keep)) for level in self.levels)]

    def to_size(self, n_bytes: int, others: int) -> float | None:
        """The least threshold at which the file takes at most `n_bytes`, `others` of them for the vocabulary.

        None where none does.
        """
        if others + self._bytes(self.choose(0.0)) <= n_bytes:
            return 0.0
        if others + self._bytes(self.choose(math.inf)) > n_bytes:
            return None
        low, high = -46.0, 701.0  # natural logarithms
        for _ in range(_ROUNDS):
            middle = (low + high) / 2
            if others + self._bytes(self.choose(math.exp(middle))) <= n_bytes:
                high = middle
            else:
                low = middle
            if high - low < 1e-4:
                break
        return math.exp(high)

    def least_bytes(self) -> int:
        """The bytes of the columns if no n-gram but the types is left."""
        return self._bytes(self.choose(math.inf))

    def _bytes(self, rows: list[int]) -> int:
        ids = smallest(rows[0] - 1).itemsize
        total = rows[0] * 8 + _MEMBER * (5 * len(rows))
        for k, n in enumerate(rows[1:], 2):
            total += n * (ids + 4) + (rows[k - 2] + 1) * smallest(n).itemsize
            if k < len(rows):
                total += n * 4 + (n * smallest(max(rows[k - 2] - 1, 0)).itemsize if k > 2 else 0)
        return total

    def prune(self, threshold: float) -> Pruned:
        """The distribution without what `choose` leaves out, its backoff weights worked out anew."""
        self.choose(threshold)
        rise = 0.0
        now = self.types  # p of every former row under the new distribution
        keep = np.ones(self.n_rows[0], bool)
        orders = [Order(Uncounted(self.n_rows[0]), log10=_log10(self._unigrams()))]
        new_row = np.arange(self.n_rows[0])
        for k, level in enumerate(self.levels, 2):
            n = self.n_rows[k - 2]
            here = level.keep
            q = now[level.suffix]
            s, t = (np.bincount(level.history[here], x[here], n) for x in (level.p, q))
            old_s = np.bincount(level.history, level.p, n)
            weight = _weight(s, t)
            changed = np.where(here, level.p, weight[level.history] * q)
            with np.errstate(divide="ignore", invalid="ignore"):
                lost = np.where(here, 0.0, level.p * (np.log(level.p) - np.log(changed)))
                before = self.distribution.backoff(k - 1, np.arange(n))
                rest = np.maximum(1.0 - old_s, 0.0) * (np.log(before) - np.log(weight))
            lost = np.bincount(level.history, np.nan_to_num(lost, posinf=0.0, neginf=0.0), n)
            rise += float((level.shares * (lost + np.nan_to_num(rest, posinf=0.0, neginf=0.0))).sum())
            below = orders[-1]
            below.backoff = _log10(weight)[keep]
            first = np.concatenate(([0], np.cumsum(np.bincount(level.history[here], minlength=n)[keep])))
            n_here = int(first[-1])
            below.first = first.astype(smallest(n_here))
            token = self.table.tokens(k, np.flatnonzero(here))
            order = Order(Uncounted(n_here), token=token.astype(smallest(self.n_rows[0] - 1)))
            order.log10 = _log10(level.p[here])
            if 2 < k < self.order:
                order.link = new_row[level.suffix[here]].astype(smallest(max(len(below) - 1, 0)))
            orders.append(order)
            new_row = np.where(here, np.cumsum(here) - 1, -1)
            keep, now = here, changed
        return Pruned(Table(orders), math.expm1(max(rise, 0.0)))

    def _unigrams(self) -> np.ndarray:
        p = self.types.copy()
        p[BOS] = 1.0  # never predicted; 0 stands there
        return p


def _shares(
    distribution: Distribution, level: int, row: np.ndarray, p: np.ndarray, shorter: np.ndarray | None = None
) -> np.ndarray:
    """P(h) of histories of `level` tokens: float64 (m,).

    p        of their rows, behind their own histories
    shorter  P of those
    """
    table = distribution.table
    if isinstance(distribution, Smoothed):
        total = table.total(level, row).astype(np.float64)
        everything = float(table.total(0, np.zeros(1, np.int64))[0])
        return total / everything
    if level == 0:
        return np.ones(1)
    assert shorter is not None
    if level == 1:
        out = p.copy()
        out[BOS] = p[EOS]  # a sequence begins as often as one ends
        return out
    first = table.orders[level - 2].first
    assert first is not None
    return p * np.repeat(shorter, first[1:] - first[:-1])


def _divergence(p: np.ndarray, q: np.ndarray, history: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """D of leaving out each row alone, in nats: float64 (r,); infinite where it would leave nothing to back off to."""
    n = len(shares)
    left = 1.0 - np.bincount(history, p, n)[history]  # 1 - S
    free = 1.0 - np.bincount(history, q, n)[history]  # 1 - T
    left = np.maximum(left, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        grown = np.log(left + p) - np.log(free + q)  # log a*
        now = np.log(left) - np.log(free)
        rest = np.where(left > 0, left * (grown - now), 0.0)
        d = -shares[history] * (p * (np.log(q) + grown - np.log(p)) + rest)
    whole = (free <= 1e-12) | (q <= 0) | ~np.isfinite(d)
    d = np.where(p <= 0, 0.0, d)
    return np.where(whole & (p > 0), 700.0, np.clip(d, 0.0, 700.0))


def _weight(s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """a of histories from S and T; 1 where nothing is listed."""
    rest = np.maximum(1.0 - s, 0.0)
    free = 1.0 - t
    return np.where(free > 1e-12, rest / np.maximum(free, 1e-12), 0.0)


def _log10(p: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10(p), LOWEST).astype(np.float32)
