"""Where top-p ends in three sorted lists, without merging them.

Legend: near, word and rest are the lists of `bending`; a place (i, j, k) is how many of each stand above something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_LEAST = 1e-320  # below any probability
_ALIKE = 1e-14


@dataclass
class ThreeLists:
    """What stands behind one history, each list by falling p.

    minus_near    float64 (e,), -p; near_sums float64 (e + 1,), sums of weights before each
    minus_word    float64 (n,), -p over `far`; running int64 (n,), sums of weights up to and with each
    near_places   int64 (e,), rising: which of those are near, and not counted; near_taken int64 (e + 1,), the sums
                  of their weights before each
    minus_rest    float64 (t,), -p over `farther`; running_rest int64 (t + 1,), sums of weights before each
    word_ranks    int64 (m,), rising: which of those are in the word's list; word_taken int64 (m + 1,)
    scale_word, scale_rest  what their weights are in units of near ones
    """

    minus_near: np.ndarray
    near_sums: np.ndarray
    minus_word: np.ndarray
    running: np.ndarray
    near_places: np.ndarray
    near_taken: np.ndarray
    far: float
    scale_word: float
    minus_rest: np.ndarray
    running_rest: np.ndarray
    word_ranks: np.ndarray
    word_taken: np.ndarray
    farther: float
    scale_rest: float

    def above(self, p: float) -> tuple[int, int, int]:
        """The place behind all that are above p."""
        return (
            int(self.minus_near.searchsorted(-p)),
            int(self.minus_word.searchsorted(-p / self.far)) if self.far else 0,
            int(self.minus_rest.searchsorted(-p / self.farther)) if self.farther else 0,
        )

    def of_word(self, n: int) -> int:
        """The sum of the first n of the word's list, without near ones."""
        return (int(self.running[n - 1]) if n else 0) - int(self.near_taken[self.near_places.searchsorted(n)])

    def of_rest(self, n: int) -> int:
        """The sum of the first n types, without those in the word's list."""
        return int(self.running_rest[n]) - int(self.word_taken[self.word_ranks.searchsorted(n)])

    def reached(self, at: tuple[int, int, int]) -> float:
        """The sum of all before a place."""
        return float(
            self.near_sums[at[0]] + self.scale_word * self.of_word(at[1]) + self.scale_rest * self.of_rest(at[2])
        )

    def cut(self, top_p: float) -> tuple[int, int, int]:
        """The fewest of the likeliest whose sum is top_p of all: how many near ones, and the sums of the two others."""
        below = len(self.minus_near), len(self.minus_word), len(self.minus_rest)
        above, high, low = (0, 0, 0), 2.0, _LEAST
        wanted = top_p * self.reached(below)
        while sum(below) - sum(above) > 1 and high > low * (1 + _ALIKE):
            middle = high**0.5 * low**0.5
            if not low < middle < high:
                break
            at = self.above(middle)
            if self.reached(at) < wanted:
                above, high = at, middle
            else:
                below, low = at, middle
        # what stands between is equal but for rounding, and is taken list by list
        missing = wanted - self.reached(above)
        n = above[0]
        while missing > 0 and n < below[0]:
            missing -= float(self.near_sums[n + 1] - self.near_sums[n])
            n += 1
        word, missing = _until(self.of_word, above[1], below[1], self.scale_word, missing)
        rest, _ = _until(self.of_rest, above[2], below[2], self.scale_rest, missing)
        return n, word, rest


def _until(sums: Callable[[int], int], begin: int, end: int, scale: float, missing: float) -> tuple[int, float]:
    """The fewest from `begin` on that give what is missing, or all up to `end`: their sum, and what is missing then."""
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
