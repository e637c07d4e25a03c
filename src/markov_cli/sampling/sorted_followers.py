"""Sorted bigram and unigram lists: followers by falling probability, with running sums of their weights.

Legend: b is a backoff weight; w is a word (a history of one token), given by its row; T the temperature; a weight is
p ** (1/T) in units of 2**-40 of the largest of its list, a whole number, so that sums are exact.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import distinct_values, ragged
from ..model.distribution import Distribution
from ..text.types import BOS, UNK
from .growing_columns import GrowingColumns

UNIT = 2.0**40
_KEPT = 1 << 24  # the cache is emptied when it holds more followers


def whole_weights(p: np.ndarray, most: np.ndarray | float, temperature: float) -> np.ndarray:
    """p ** (1/T) in units of 2**-40 of most ** (1/T): int64 of the shape of p."""
    ratio = p / most
    return np.rint((ratio if temperature == 1 else ratio ** (1 / temperature)) * UNIT).astype(np.int64)


def place_in(values: np.ndarray, low: np.ndarray, high: np.ndarray, target: np.ndarray) -> np.ndarray:
    """First index in [low, high) with a value above `target`, else high: int64 (m,). Values rise from low to high."""
    low, high = low.copy(), high.copy()
    todo = np.flatnonzero(low < high)
    while len(todo):  # binary search: at most 64 rounds
        middle = (low[todo] + high[todo]) >> 1
        before = values[middle] <= target[todo]
        low[todo] = np.where(before, middle + 1, low[todo])
        high[todo] = np.where(before, high[todo], middle)
        todo = todo[low[todo] < high[todo]]
    return low


class UnigramList:
    """All ids by falling unigram probability, ties by id, without UNK and BOS, which are never drawn.

    given    float64 (n_ids,), unigram probabilities by id
    p        float64 (n_ids,), `given` with 0 for UNK and BOS
    ids      int64 (t,), ids with p above 0, by falling p
    rank     int64 (n_ids,), index in `ids`, -1 for ids that are not there
    minus    float64 (t,), -p, rising
    weight   int64 (t,); weight_of_rank has a 0 appended, for ids without a rank
    running  int64 (t + 1,), sums of the weights before each
    """

    def __init__(self, distribution: Distribution, temperature: float) -> None:
        n = distribution.table.n_ids
        every = np.arange(n)
        self.given = distribution.extend(0, np.zeros(n, np.int64), every, np.empty(0))
        self.p = self.given.copy()
        self.p[[UNK, BOS]] = 0.0
        order = np.argsort(-self.p, kind="stable")
        self.ids = order[: int(np.count_nonzero(self.p))]
        self.minus = -self.p[self.ids]
        self.rank = np.full(n, -1, np.int64)
        self.rank[self.ids] = np.arange(len(self.ids))
        most = float(self.p[self.ids[0]]) if len(self.ids) else 1.0
        self.weight = whole_weights(self.p[self.ids], most, temperature)
        self.weight_of_rank = np.append(self.weight, 0)
        self.running = np.concatenate((np.zeros(1, np.int64), np.cumsum(self.weight)))


@dataclass
class Lists:
    """Followers of some words; word i has the entries begin[i] .. begin[i] + size[i] - 1 of each column.

    Columns by falling p(. | w), ties by id:  token; minus, -p float64; weight int64; running int64, sums of the
    weights up to and including each entry. UNK and BOS have p 0 and weight 0.
    Column by table row: place, the index of each follower among the above, counted from begin.
    Columns by unigram rank: rank; left_over, sum of the unigram weights before that rank of ids that do not
    follow w; taken, the same for ids that do; skipped, number of ids before that rank that do not follow w.
    Followers without a rank come last.

    back      float64 (words,), b
    n_ranked  int64 (words,), number of followers with a rank
    all_taken int64 (words,), sum of the unigram weights of all followers
    """

    begin: np.ndarray
    size: np.ndarray
    back: np.ndarray
    n_ranked: np.ndarray
    all_taken: np.ndarray
    columns: dict[str, np.ndarray]


class BigramLists:
    """Cache of the sorted followers of words, safe for several threads."""

    def __init__(self, distribution: Distribution, unigrams: UnigramList, temperature: float) -> None:
        self.distribution, self.unigrams, self.temperature = distribution, unigrams, temperature
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        n = self.distribution.table.n_ids
        self._begin, self._back = np.full(n, -1, np.int64), np.ones(n)
        self._size, self._n_ranked, self._all_taken = (np.zeros(n, np.int64) for _ in range(3))
        self._rows = GrowingColumns()

    def lists(self, word: np.ndarray) -> Lists:
        """Sorted followers of words: int64 (m,), distinct or not."""
        with self._lock:
            if self._rows.filled > _KEPT:
                self._forget()
            missing = distinct_values(word[self._begin[word] < 0])
            if len(missing) or not self._rows.columns:
                self._add(missing)
            at = self._begin[word], self._size[word], self._back[word], self._n_ranked[word], self._all_taken[word]
            return Lists(*at, dict(self._rows.columns))

    def _add(self, word: np.ndarray) -> None:
        low, high = self.distribution.table.followers_of_each(1, word)
        size = high - low
        begin = self._rows.add(self._made(word, low, size))
        self._begin[word] = begin + np.cumsum(size) - size
        self._size[word] = size
        self._back[word] = self.distribution.backoff(1, word)

    def _made(self, word: np.ndarray, low: np.ndarray, size: np.ndarray) -> dict[str, np.ndarray]:
        table, unigrams = self.distribution.table, self.unigrams
        row = ragged(low, size)
        owner = np.repeat(np.arange(len(word)), size)
        begin = np.cumsum(size) - size
        here = np.arange(len(row)) - begin[owner]  # counted from the word's first follower
        token = table.tokens(2, row)
        p = self.distribution.extend(1, word[owner], row, unigrams.given[token])
        p[(token == UNK) | (token == BOS)] = 0.0
        order = np.lexsort((token, -p, owner))
        place = np.empty(len(row), np.int64)
        place[order] = here
        most = np.ones(len(word))
        some = np.flatnonzero(size)
        most[some] = np.maximum(p[order][begin[some]], 1e-300)
        weight = whole_weights(p[order], most[owner], self.temperature)
        rank = unigrams.rank[token]
        n_types = len(unigrams.ids)
        rank[rank < 0] = n_types
        by_rank = np.lexsort((rank, owner))
        rank = rank[by_rank]
        own = unigrams.weight_of_rank[rank]
        running = np.cumsum(own)
        taken = running - own
        taken -= taken[begin[some]].repeat(size[some]) if len(some) else 0
        self._n_ranked[word] = np.bincount(owner[rank < n_types], minlength=len(word))
        self._all_taken[word] = segment_sums(own, begin, size)
        summed = np.cumsum(weight)
        before = np.zeros(len(word), np.int64)
        before[some] = summed[begin[some]] - weight[begin[some]]
        return {
            "token": token[order],
            "minus": -p[order],
            "weight": weight,
            "running": summed - before[owner],
            "place": place,
            "rank": rank,
            "left_over": unigrams.running[rank] - taken,
            "taken": taken,
            "skipped": rank - here,
        }


def segment_sums(values: np.ndarray, begin: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Sums of values[begin[i] : begin[i] + size[i]], 0 for empty segments: int64."""
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
    return running[begin + size] - running[begin]


def unigram_ranks(lists: Lists, which: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Rank of the j-th id that does not follow the word: int64."""
    begin = lists.begin[which]
    return j + place_in(lists.columns["skipped"], begin, begin + lists.n_ranked[which], j) - begin


def no_lists(n: int) -> Lists:
    """Empty bigram lists for n histories, for a table of order 1."""
    names = ("token", "minus", "weight", "running", "place", "rank", "left_over", "taken", "skipped")
    a, b, c, d = (np.zeros(n, np.int64) for _ in range(4))
    empty = {name: np.empty(0, np.float64 if name == "minus" else np.int64) for name in names}
    return Lists(a, b, np.ones(n), c, d, empty)


def first_gap(place: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Least number from 0 on that is missing among the rising places of each segment: int64."""
    size = np.diff(begin)
    here = ragged(np.zeros(len(size), np.int64), size)
    out = size.copy()
    some = np.flatnonzero(size)
    if len(some):
        first = np.minimum.reduceat(np.where(place != here, here, np.iinfo(np.int64).max), begin[some])
        out[some] = np.minimum(first, size[some])
    return out
