"""Followers of single words, and all types, by falling probability with running sums of their weights.

Legend: b is a backoff weight; w is a word (a history of one token), given by its row; T the temperature; a weight is
p ** (1/T) in units of 2**-40 of the largest of its list, a whole number, so that sums are exact.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import ragged
from ..model.distribution import Distribution
from ..text.types import BOS, UNK

UNIT = 2.0**40
_KEPT = 1 << 24  # followers that are kept before all are forgotten


def whole_weights(p: np.ndarray, most: np.ndarray | float, temperature: float) -> np.ndarray:
    """p ** (1/T) in units of 2**-40 of that of `most`: int64 of the shape of p."""
    ratio = p / most
    return np.rint((ratio if temperature == 1 else ratio ** (1 / temperature)) * UNIT).astype(np.int64)


def place_in(values: np.ndarray, low: np.ndarray, high: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The first place in [low, high) whose value is above `target`, else high: int64 (m,); values rise there."""
    low, high = low.copy(), high.copy()
    todo = np.flatnonzero(low < high)
    while len(todo):  # halves: at most 64 rounds
        middle = (low[todo] + high[todo]) >> 1
        before = values[middle] <= target[todo]
        low[todo] = np.where(before, middle + 1, low[todo])
        high[todo] = np.where(before, high[todo], middle)
        todo = todo[low[todo] < high[todo]]
    return low


class Types:
    """All types by falling probability without a history, ties by id; UNK and BOS, which are never drawn, are left out.

    p        float64 (n_ids,), by id, 0 for those two
    ids      int64 (t,), those above 0
    rank     int64 (n_ids,), places in `ids`, -1 for those that are not there
    minus    float64 (t,), -p, rising
    weight   int64 (t,); weight_of_rank the same and a 0 behind it, for what has no rank
    running  int64 (t + 1,), sums of the weights before each
    """

    def __init__(self, distribution: Distribution, temperature: float) -> None:
        n = distribution.table.n_ids
        every = np.arange(n)
        self.given = distribution.extend(0, np.zeros(n, np.int64), every, np.empty(0))  # UNK's and BOS's too
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
    """The followers of some words; word i has places begin[i] .. begin[i] + size[i] - 1 of the columns.

    Columns by falling p(. | w), ties by id:  token; minus, -p float64; weight, and running: its sums up to and
    with each place, int64. UNK and BOS have p 0 and weight 0.
    Columns by table row: place, of each follower among those, counted from begin.
    Columns by rank among all types: rank; left_over: sums of the weights of the types before that rank
    that do not follow w; taken: sums of the weights of those that do, before it. Types without a rank
    stand behind all others.

    back      float64 (words,), b
    n_ranked  int64 (words,), how many have a rank
    all_taken int64 (words,), sums of the types' weights over all of them
    """

    begin: np.ndarray
    size: np.ndarray
    back: np.ndarray
    n_ranked: np.ndarray
    all_taken: np.ndarray
    columns: dict[str, np.ndarray]


class Words:
    """Makes and keeps `Lists`; several threads may ask."""

    def __init__(self, distribution: Distribution, types: Types, temperature: float) -> None:
        self.distribution, self.types, self.temperature = distribution, types, temperature
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        n = self.distribution.table.n_ids
        self._begin, self._back = np.full(n, -1, np.int64), np.ones(n)
        self._size, self._n_ranked, self._all_taken = (np.zeros(n, np.int64) for _ in range(3))
        self._columns: dict[str, np.ndarray] = {}
        self._filled = 0

    def lists(self, word: np.ndarray) -> Lists:
        """Those of some words: int64 (m,), distinct or not."""
        with self._lock:
            if self._filled > _KEPT:
                self._forget()
            missing = np.unique(word[self._begin[word] < 0])
            if len(missing) or not self._columns:
                self._add(missing)
            at = self._begin[word], self._size[word], self._back[word], self._n_ranked[word], self._all_taken[word]
            return Lists(*at, dict(self._columns))

    def _add(self, word: np.ndarray) -> None:
        low, high = self.distribution.table.followers_of_each(1, word)
        size = high - low
        new = self._made(word, low, size)
        end = self._filled + len(new["token"])
        for name, column in new.items():
            old = self._columns.setdefault(name, column[:0])
            if end > len(old):  # others may still read the old column: what they know of it stays
                room = np.empty(max(2 * len(old), end, 1 << 12), column.dtype)
                room[: self._filled] = old[: self._filled]
                self._columns[name] = old = room
            old[self._filled : end] = column
        self._begin[word] = self._filled + np.cumsum(size) - size
        self._size[word] = size
        self._back[word] = self.distribution.backoff(1, word)
        self._filled = end

    def _made(self, word: np.ndarray, low: np.ndarray, size: np.ndarray) -> dict[str, np.ndarray]:
        table, types = self.distribution.table, self.types
        row = ragged(low, size)
        owner = np.repeat(np.arange(len(word)), size)
        begin = np.cumsum(size) - size
        here = np.arange(len(row)) - begin[owner]  # places among a word's own
        token = table.tokens(2, row)
        p = self.distribution.extend(1, word[owner], row, types.given[token])
        p[(token == UNK) | (token == BOS)] = 0.0
        order = np.lexsort((token, -p, owner))
        place = np.empty(len(row), np.int64)
        place[order] = here
        most = np.ones(len(word))
        some = np.flatnonzero(size)
        most[some] = np.maximum(p[order][begin[some]], 1e-300)
        weight = whole_weights(p[order], most[owner], self.temperature)
        rank = types.rank[token]
        n_types = len(types.ids)
        rank[rank < 0] = n_types
        by_rank = np.lexsort((rank, owner))
        rank = rank[by_rank]
        own = types.weight_of_rank[rank]
        running = np.cumsum(own)
        taken = running - own
        taken -= taken[begin[some]].repeat(size[some]) if len(some) else 0
        self._n_ranked[word] = np.bincount(owner[rank < n_types], minlength=len(word))
        self._all_taken[word] = _sums(own, begin, size)
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
            "left_over": types.running[rank] - taken,
            "taken": taken,
            "skipped": rank - here,
        }


def _sums(values: np.ndarray, begin: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Sums of segments, 0 for empty ones: int64."""
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
    return running[begin + size] - running[begin]
