"""Finds the top-p cuts of many histories together: `top_p_cut`, with a whole-array step for each step of its search.

Legend: s histories; a place is a number of entries from the beginning of each list: int64 (5, s), of the upper, the
bigram and the unigram list; then of those of the upper list that stand before it in the bigram list, and of those of
the bigram list that stand before it in the unigram list, which do not count there. Sums are added in the order of
`ThreeLists`, so the cuts are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .top_p_cut import LEAST

_NEAR = 1e-12  # far above ALIKE and the rounding of a logarithm
EXACT = 1 << 53  # whole numbers up to this are exact in float64


@dataclass
class ManyLists:
    """Followers of s histories, three lists each, by falling p; see `ThreeLists`.

    upper         int64 (2, s): each upper list is entries upper[0]..upper[1] - 1 of
    minus_upper   float64 (e,); upper_sums, upper_taken int64 (e + 1,), running sums over all lists
    upper_places  int64 (e,)
    bigram        int64 (2, s): each bigram list is entries bigram[0]..bigram[1] - 1 of
    minus_bigram  float64 (n,); running int64 (n,)
    ranked        int64 (s,), number of entries of each bigram list that are in the unigram list; of all lists
    bigram_ranks  int64 (n,); bigram_taken int64 (n,); all_taken int64 (s,)
    minus_unigram, running_unigram  as in `ThreeLists`
    bigram_factor, unigram_factor, scale_bigram, scale_unigram  float64 (s,)
    """

    upper: np.ndarray
    minus_upper: np.ndarray
    upper_sums: np.ndarray
    upper_taken: np.ndarray
    upper_places: np.ndarray
    bigram: np.ndarray
    minus_bigram: np.ndarray
    running: np.ndarray
    ranked: np.ndarray
    bigram_ranks: np.ndarray
    bigram_taken: np.ndarray
    all_taken: np.ndarray
    minus_unigram: np.ndarray
    running_unigram: np.ndarray
    bigram_factor: np.ndarray
    unigram_factor: np.ndarray
    scale_bigram: np.ndarray
    scale_unigram: np.ndarray

    def above(self, i: np.ndarray, p: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Place of the entries with a probability above p: int64 (5, m); it is known to lie from `least` to `most`.

        i  int64 (m,), histories
        """
        out = np.zeros((5, len(i)), np.int64)
        begin = self.upper[0, i]
        out[0] = first_from(self.minus_upper, begin + least[0], begin + most[0], -p) - begin
        begin = self.bigram[0, i]
        factor = self.bigram_factor[i]
        any_ = factor > 0
        target = -p / np.where(any_, factor, 1.0)
        out[1] = np.where(any_, first_from(self.minus_bigram, begin + least[1], begin + most[1], target) - begin, 0)
        factor = self.unigram_factor[i]
        any_ = factor > 0
        target = -p / np.where(any_, factor, 1.0)
        out[2] = np.where(any_, np.searchsorted(self.minus_unigram, target), 0)
        out[3] = self.in_upper(i, out[1], least[3], most[3])
        out[4] = self.in_bigram(i, out[2], least[4], most[4])
        return out

    def in_upper(self, i: np.ndarray, n: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Number of the first n entries of bigram lists that are in the upper list: int64 (m,)."""
        begin = self.upper[0, i]
        return first_from(self.upper_places, begin + least, begin + most, n) - begin

    def in_bigram(self, i: np.ndarray, n: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Number of the first n entries of the unigram list that are in bigram lists: int64 (m,)."""
        begin = self.bigram[0, i]
        return first_from(self.bigram_ranks, begin + least, begin + most, n) - begin

    def of_bigram(self, i: np.ndarray, n: np.ndarray, in_upper: np.ndarray) -> np.ndarray:
        """Sums of the first n entries of bigram lists, without those in the upper list: int64 (m,)."""
        some = n > 0
        sums = np.where(some, self.running[np.where(some, self.bigram[0, i] + n - 1, 0)], 0) if len(self.running) else n
        begin = self.upper[0, i]
        return sums - (self.upper_taken[begin + in_upper] - self.upper_taken[begin])

    def of_unigram(self, i: np.ndarray, n: np.ndarray, in_bigram: np.ndarray) -> np.ndarray:
        """Sums of the first n entries of the unigram list, without those in bigram lists: int64 (m,)."""
        taken = self.all_taken[i]
        inside = np.flatnonzero(in_bigram < self.ranked[i])
        taken[inside] = self.bigram_taken[self.bigram[0, i[inside]] + in_bigram[inside]]
        return self.running_unigram[n] - taken

    def reached(self, i: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Sum of all entries before a place: float64 (m,)."""
        begin = self.upper[0, i]
        total = (self.upper_sums[begin + at[0]] - self.upper_sums[begin]).astype(np.float64)
        total = total + self.scale_bigram[i] * self.of_bigram(i, at[1], at[3])
        return total + self.scale_unigram[i] * self.of_unigram(i, at[2], at[4])

    def cut(self, top_p: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Fewest likeliest entries whose sum is top_p of all; as `ThreeLists.cut`, int64 (s,) three times.

        Also True for histories where entries of two lists are equal but for rounding: how those are divided depends
        on the steps of the search, so `ThreeLists` must do it. All other cuts do not depend on the steps.
        """
        s = len(self.ranked)
        every = np.arange(s)
        below = np.empty((5, s), np.int64)
        below[0], below[1] = self.upper[1] - self.upper[0], self.bigram[1] - self.bigram[0]
        below[2], below[3], below[4] = len(self.minus_unigram), below[0], self.ranked
        above = np.zeros_like(below)
        high, low = self._range(below)
        all_, none = self.reached(every, below), np.zeros(s)
        wanted = top_p * all_
        alike = np.zeros(s, bool)
        i, times = every, 0
        while True:
            i = i[self._unlike(i, above[:3, i], below[:3, i])]
            near = low[i] - high[i] > -_NEAR
            alike[i[near]] = True
            i = i[~near]
            if not len(i):
                break
            share = (wanted[i] - none[i]) / np.maximum(all_[i] - none[i], 1.0)
            share = np.clip(share, 0.05, 0.95) if times % 2 else np.full(len(i), 0.5)  # regula falsi, and halving
            times += 1
            middle = high[i] + share * (low[i] - high[i])
            at = self.above(i, np.exp(middle), above[:, i], below[:, i])
            reached = self.reached(i, at)
            less = reached < wanted[i]
            for yes, place, edge, sums in ((less, above, high, none), (~less, below, low, all_)):
                j = i[yes]
                place[:, j], edge[j], sums[j] = at[:, yes], middle[yes], reached[yes]
        missing = wanted - self.reached(every, above)
        n = self._until_upper(above[0], below[0], missing)

        def bigram(i: np.ndarray, n: np.ndarray) -> np.ndarray:
            return self.of_bigram(i, n, self.in_upper(i, n, above[3, i], below[3, i]))

        def unigram(i: np.ndarray, n: np.ndarray) -> np.ndarray:
            return self.of_unigram(i, n, self.in_bigram(i, n, above[4, i], below[4, i]))

        of_bigram = _until(bigram, above[1], below[1], self.scale_bigram, missing)
        return n, of_bigram, _until(unigram, above[2], below[2], self.scale_unigram, missing), alike

    def _range(self, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logarithms of a probability above all entries of the three lists, and of one below: float64 (s,) twice."""
        s = below.shape[1]
        most, least = np.zeros(s), np.full(s, np.inf)
        for n, values, begin, factor in (
            (below[0], self.minus_upper, self.upper[0], np.ones(s)),
            (below[1], self.minus_bigram, self.bigram[0], self.bigram_factor),
            (below[2], self.minus_unigram, np.zeros(s, np.int64), self.unigram_factor),
        ):
            some = np.flatnonzero((n > 0) & (factor > 0))
            first, last = begin[some], begin[some] + n[some] - 1
            most[some] = np.maximum(most[some], -values[first] * factor[some])
            p = -values[last] * factor[some]
            least[some] = np.minimum(least[some], np.where(p > 0, p, LEAST))
        return np.log(np.maximum(most, LEAST)) + 1e-9, np.log(np.clip(least, LEAST, 2.0)) - 1e-9

    def _unlike(self, i: np.ndarray, above: np.ndarray, below: np.ndarray) -> np.ndarray:
        """False where one entry is between two places, or equal entries of one list, which nothing can divide."""
        size = below - above
        total = size.sum(axis=0)
        out = total > 1
        for k, values, begin in (
            (0, self.minus_upper, self.upper[0, i]),
            (1, self.minus_bigram, self.bigram[0, i]),
            (2, self.minus_unigram, np.zeros(len(i), np.int64)),
        ):
            alone = np.flatnonzero(out & (size[k] == total))
            first, last = begin[alone] + above[k, alone], begin[alone] + below[k, alone] - 1
            out[alone[values[first] == values[last]]] = False
        return out

    def _until_upper(self, begin: np.ndarray, end: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Number of entries of upper lists that reach `missing`, which is lessened by them."""
        n = begin.copy()
        on = np.flatnonzero((missing > 0) & (n < end))
        while len(on):
            at = self.upper[0, on] + n[on]
            missing[on] -= (self.upper_sums[at + 1] - self.upper_sums[at]).astype(np.float64)
            n[on] += 1
            on = on[(missing[on] > 0) & (n[on] < end[on])]
        return n


def _until(
    sums: Callable[[np.ndarray, np.ndarray], np.ndarray],
    begin: np.ndarray,
    end: np.ndarray,
    scale: np.ndarray,
    missing: np.ndarray,
) -> np.ndarray:
    """Sums of the fewest entries from `begin` on that reach `missing`, which is lessened by them: int64 (s,).

    sums  sums of the first n entries of the lists of histories
    """
    every = np.arange(len(begin))
    done = sums(every, begin)
    open_ = missing > 0
    low, high = begin.copy(), end.copy()
    on = np.flatnonzero(open_ & (low < high))
    while len(on):
        middle = (low[on] + high[on]) // 2
        less = scale[on] * (sums(on, middle) - done[on]) < missing[on]
        low[on[less]] = middle[less] + 1
        high[on[~less]] = middle[~less]
        on = on[low[on] < high[on]]
    found = sums(every, low)
    missing[open_] = (missing - scale * (found - done))[open_]
    return np.where(open_, found, done)


def first_from(values: np.ndarray, low: np.ndarray, high: np.ndarray, target: np.ndarray) -> np.ndarray:
    """First index in [low, high) with a value of at least `target`, else high: int64 (m,). Values rise in each range.

    >>> first_from(np.array([1, 3, 3, 8]), np.array([0, 2]), np.array([4, 4]), np.array([3, 9])).tolist()
    [1, 4]
    """
    low = low.copy()
    todo = np.flatnonzero(low < high)
    if not len(todo):
        return low
    a, b, wanted = low[todo], high[todo], target[todo]
    past = values.take(b - 1) < wanted  # all are smaller, or none: most searches end here
    low[todo[past]] = b[past]
    on = ~past & (values.take(a) < wanted)
    todo, a, b, wanted = todo[on], a[on] + 1, b[on] - 1, wanted[on]
    on = a < b
    low[todo] = a
    todo, a, b, wanted = todo[on], a[on], b[on], wanted[on]
    if not len(todo):
        return low
    while True:  # binary search: at most 64 rounds
        middle = (a + b) >> 1
        before = values.take(middle) < wanted
        a = np.where(before, middle + 1, a)
        b = np.where(before, b, middle)
        on = a < b
        if not on.all():
            done = ~on
            low[todo[done]] = a[done]
            todo, a, b, wanted = todo[on], a[on], b[on], wanted[on]
            if not len(todo):
                return low
