"""Draws from a smoothed distribution order by order, without computing all of its probabilities.

Legend: h is a history, given as (its number of tokens, its row); h' is h without its first
token; a, A, D, b as in model/smoothing.py.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..errors import OptionError
from ..model.count_column import Counts
from ..model.distribution import Distribution
from ..model.listed import Listed
from ..model.smoothing import Smoothed
from ..text.types import BOS, UNK


class Drawing(Protocol):
    """One order of drawing from a backoff distribution.

    excludes  after backing off from h, a follower of h must not be drawn
    """

    excludes: bool

    def draw(self, level: int, row: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Draw a row of order level+1; -1 to back off to h', -2 to go to `bottom` at once: int64 (m,).

        row   int64 (m,), histories of `level` tokens
        u, v  float64 (m,) in [0, 1), random
        """
        ...

    def bottom(self, u: np.ndarray) -> np.ndarray:
        """Draw an id where the empty history backed off too: int64 (m,)."""
        ...


class CountDrawing:
    """Draws from interpolated smoothing: a follower in proportion to a, kept with probability (a - D) / a.

    A follower that is not kept, and the part of A without a follower, have probability b together: the draw
    backs off to h'. So the draw is exactly from p(w | h) = (a - D) / A + b p(w | h').
    """

    excludes = False

    def __init__(self, smoothed: Smoothed) -> None:
        self.smoothed, self.table = smoothed, smoothed.table

    def draw(self, level: int, row: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Draw a follower or back off; see `Drawing.draw`."""
        s = self.smoothed
        low, high = self.table.followers(level, row)
        found = np.full(len(row), -1, np.int64)
        a = s.divisor(level, row)
        x = u * a  # in [0, A)
        live = np.flatnonzero((low < high) & (a > 0))
        raw, counts = self.table.orders[level].count, s.counts(level + 1)
        groups = [(counts, live)]
        if level and counts is not raw:
            begin, end = s.opened[level - 1]
            opens = (row[live] >= begin) & (row[live] < end)
            groups = [(raw, live[opens]), (counts, live[~opens])]
        for some, which in groups:
            if len(which):
                found[which] = self._follower(some, level, low[which], high[which], x[which], v[which])
        if not s.chained:
            left = live[found[live] < 0]
            found[left] = -2
        return found

    def _follower(
        self, counts: Counts, level: int, low: np.ndarray, high: np.ndarray, x: np.ndarray, v: np.ndarray
    ) -> np.ndarray:
        before = counts.sum_before(low)
        total = counts.sum_before(high) - before
        if level == 0 and counts is self.table.orders[0].count:  # BOS has a count, but is never drawn
            unknown, opening = counts.at(np.array([UNK, BOS])).tolist()
            x = np.where(x >= unknown, x + opening, x)
        found = np.full(len(x), -1, np.int64)
        inside = np.flatnonzero(x < total)
        if not len(inside):
            return found
        row = counts.row_at(before[inside] + x[inside].astype(before.dtype), low[inside], high[inside])
        d = self.smoothed.discount(level + 1)
        if d.any():
            count = counts.at(row)
            kept = v[inside] * count < count - self.smoothed.taken(level + 1, count)
            inside, row = inside[kept], row[kept]
        found[inside] = row
        return found

    def bottom(self, u: np.ndarray) -> np.ndarray:
        """Draw any id but BOS, uniformly: int64 (m,)."""
        n = self.smoothed.n_free
        drawn = np.minimum((u * n).astype(np.int64), n - 1)
        return drawn + (drawn >= BOS)


class ListedDrawing:
    """Draws from listed probabilities: a listed follower with its probability, else one not listed after h.

    The rest of the probability is drawn from h', and drawn again if it is a listed follower of h:
    p(w | h') / (1 - sum of p(. | h') of the listed ones), which equals b(h) p(w | h')
    where a model's distributions sum to 1.
    """

    excludes = True

    def __init__(self, listed: Listed) -> None:
        self.table = listed.table
        listed.prepare()
        self._running: list[np.ndarray] = []  # per order, running sums of p: float64 (r + 1,)
        for order in range(1, self.table.order + 1):
            p = listed.listed(order, np.arange(len(self.table.orders[order - 1])))
            running = np.zeros(len(p) + 1)
            np.cumsum(p, out=running[1:])
            self._running.append(running)

    def draw(self, level: int, row: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Draw a listed follower or back off; see `Drawing.draw`."""
        running = self._running[level]
        low, high = self.table.followers(level, row)
        before = running[low]
        target = before + u * np.maximum(running[high] - before, 1.0)  # probabilities in a file can sum to more than 1
        found = np.searchsorted(running, target, "right") - 1
        return np.where((target < running[high]) & (low < high), np.clip(found, low, high - 1), -1)

    def bottom(self, u: np.ndarray) -> np.ndarray:
        """Draw a type by its probability: int64 (m,). Only rounding leads here, as unigrams sum to 1."""
        running = self._running[0]
        return np.clip(np.searchsorted(running, u * running[-1], "right") - 1, 0, self.table.n_ids - 1)


def drawing_of(distribution: Distribution) -> Drawing:
    """Drawing for a distribution; OptionError where its scores are not probabilities."""
    if not distribution.sums_to_one:
        raise OptionError(
            "--smoothing stupid: its scores are not probabilities, so texts cannot be drawn from them",
            "use none, kn, wb, abs, laplace or lidstone",
        )
    if isinstance(distribution, Smoothed):
        return CountDrawing(distribution)
    assert isinstance(distribution, Listed)
    return ListedDrawing(distribution)


def backs_off(distribution: Distribution) -> bool:
    """True if a distribution has the form p(w | h) = own(h w) + back(h) p(w | h'), h' the history a token shorter."""
    if isinstance(distribution, Smoothed):
        return distribution.method in ("kn", "wb", "abs")
    return isinstance(distribution, Listed)
