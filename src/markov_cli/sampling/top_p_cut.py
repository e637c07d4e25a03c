"""Finds the top-p cut of three sorted lists without merging them.

Legend: upper, bigram and unigram are the lists of `backoff_top_p`; a place (i, j, k) is a number of entries from
the beginning of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LEAST = 1e-320  # below any probability
ALIKE = 1e-14


@dataclass
class ThreeLists:
    """Followers of one history, each list by falling p.

    minus_upper     float64 (e,), -p; upper_sums float64 (e + 1,), sums of weights before each
    minus_bigram    float64 (n,), -p / bigram_factor; running int64 (n,), sums of weights up to and including each
    upper_places    int64 (e,), rising: entries of the bigram list that are in the upper list and do not count here;
                    upper_taken int64 (e + 1,), sums of their weights before each
    minus_unigram   float64 (t,), -p / unigram_factor; running_unigram int64 (t + 1,), sums of weights before each
    bigram_ranks    int64 (m,), rising: entries of the unigram list that are in the bigram list and do not count here;
                    bigram_taken int64 (m + 1,), sums of their weights before each
    scale_bigram, scale_unigram  unit of these weights, in units of the upper list
    """

    minus_upper: np.ndarray
    upper_sums: np.ndarray
    minus_bigram: np.ndarray
    running: np.ndarray
    upper_places: np.ndarray
    upper_taken: np.ndarray
    bigram_factor: float
    scale_bigram: float
    minus_unigram: np.ndarray
    running_unigram: np.ndarray
    bigram_ranks: np.ndarray
    bigram_taken: np.ndarray
    unigram_factor: float
    scale_unigram: float

    def above(self, p: float) -> tuple[int, int, int]:
        """Number of entries of each list with a probability above p."""
        return (
            int(self.minus_upper.searchsorted(-p)),
            int(self.minus_bigram.searchsorted(-p / self.bigram_factor)) if self.bigram_factor else 0,
            int(self.minus_unigram.searchsorted(-p / self.unigram_factor)) if self.unigram_factor else 0,
        )

    def of_bigram(self, n: int) -> int:
        """Sum of the first n entries of the bigram list, without those in the upper list."""
        return (int(self.running[n - 1]) if n else 0) - int(self.upper_taken[self.upper_places.searchsorted(n)])

    def of_unigram(self, n: int) -> int:
        """Sum of the first n entries of the unigram list, without those in the bigram list."""
        return int(self.running_unigram[n]) - int(self.bigram_taken[self.bigram_ranks.searchsorted(n)])

    def reached(self, at: tuple[int, int, int]) -> float:
        """Sum of all entries before a place."""
        return float(
            self.upper_sums[at[0]]
            + self.scale_bigram * self.of_bigram(at[1])
            + self.scale_unigram * self.of_unigram(at[2])
        )

    def cut(self, top_p: float) -> tuple[int, int, int]:
        """Fewest likeliest entries whose sum is top_p of all: number in the upper list, sums of the two others."""
        below = len(self.minus_upper), len(self.minus_bigram), len(self.minus_unigram)
        above, high, low = (0, 0, 0), 2.0, LEAST
        wanted = top_p * self.reached(below)
        while sum(below) - sum(above) > 1 and high > low * (1 + ALIKE):
            middle = high**0.5 * low**0.5
            if not low < middle < high:
                break
            at = self.above(middle)
            if self.reached(at) < wanted:
                above, high = at, middle
            else:
                below, low = at, middle
        # entries between are equal but for rounding, and are taken list by list
        missing = wanted - self.reached(above)
        n = above[0]
        while missing > 0 and n < below[0]:
            missing -= float(self.upper_sums[n + 1] - self.upper_sums[n])
            n += 1
        bigram, missing = _until(self.of_bigram, above[1], below[1], self.scale_bigram, missing)
        unigram, _ = _until(self.of_unigram, above[2], below[2], self.scale_unigram, missing)
        return n, bigram, unigram


def _until(sums: Callable[[int], int], begin: int, end: int, scale: float, missing: float) -> tuple[int, float]:
    """Sum of the fewest entries from `begin` on that reach `missing`, at most up to `end`; and the rest of missing."""
    done = sums(begin)
    if missing <= 0:
        return done, missing
    while begin < end:
        middle = (begin + end) // 2
        if scale * (sums(middle) - done) < missing:
            begin = middle + 1
        else:
            end = middle
    return sums(begin), missing - scale * (sums(begin) - done)
