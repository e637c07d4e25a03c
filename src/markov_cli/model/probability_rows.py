"""Lists all n-grams of a distribution with their probabilities, order by order, in chunks.

Legend: k is an order; h is the history of a row; the suffix of a row is the row, one order below, of
the n-gram without its first token.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..text.types import BOS
from .distribution import Distribution
from .listed import Listed

_HISTORIES = 1 << 19  # whose followers are worked out at one time
_FOLLOWERS = 1 << 20


class Chunk(NamedTuple):
    """Rows low..high-1 of one order: their histories' rows, last ids, suffixes and p.

    history, suffix  int64 (m,); zeros at order 1
    token            int64 (m,)
    p                float64 (m,), p(w | h); that of BOS, which is never predicted, is 0
    """

    low: int
    high: int
    history: np.ndarray
    token: np.ndarray
    suffix: np.ndarray
    p: np.ndarray


class Rows:
    """The rows of a distribution; orders must be asked for from 1 up, each to its end.

    order  the highest that has rows
    """

    def __init__(self, distribution: Distribution) -> None:
        self.distribution, self.table = distribution, distribution.table
        self.n_rows = [len(order) for order in self.table.orders]
        while len(self.n_rows) > 1 and not self.n_rows[-1]:
            self.n_rows.pop()
        self.order = len(self.n_rows)
        self._p = np.empty(0)  # of the order before
        distribution.prepare()
        for level in range(1, self.order - 1):
            self.table.index(level)

    def of(self, k: int) -> Iterator[Chunk]:
        """The rows of one order."""
        here = np.empty(self.n_rows[k - 1])
        for chunk in self._types() if k == 1 else self._longer(k):
            here[chunk.low : chunk.high] = chunk.p
            yield chunk
        self._p = here

    def _types(self) -> Iterator[Chunk]:
        n = self.n_rows[0]
        for low in range(0, n, _FOLLOWERS):
            ids = np.arange(low, min(low + _FOLLOWERS, n))
            none = np.zeros(len(ids), np.int64)
            p = self.distribution.extend(0, none, ids, np.empty(0))
            p[ids == BOS] = 0.0
            yield Chunk(low, low + len(ids), none, ids, none, p)

    def _longer(self, k: int) -> Iterator[Chunk]:
        table, n = self.table, self.n_rows[k - 1]
        first = table.orders[k - 2].first
        assert first is not None
        begin = 0
        while begin < len(first) - 1:
            wanted = np.array(min(int(first[begin]) + _FOLLOWERS, n), first.dtype)
            end = max(int(np.searchsorted(first, wanted, "right")) - 1, begin + 1)
            end = min(end, begin + _HISTORIES, len(first) - 1)
            histories = np.arange(begin, end)
            begins, ends = table.followers_of_each(k - 1, histories)
            begin = end
            rows = np.arange(int(begins[0]), int(ends[-1]))
            if not len(rows):
                continue
            history = np.repeat(histories, ends - begins)
            token = table.tokens(k, rows)
            suffix = self._suffix(k, history, rows, token)
            if isinstance(self.distribution, Listed):
                p = self.distribution.listed(k, rows)
            else:
                p = self.distribution.extend(k - 1, history, rows, self._p[suffix])
            yield Chunk(int(rows[0]), int(rows[-1]) + 1, history, token, suffix, p)

    def _suffix(self, k: int, history: np.ndarray, rows: np.ndarray, token: np.ndarray) -> np.ndarray:
        found = self.table.suffix(k, rows, history, token)
        # a listed probability stands by itself, whatever lies below
        if not isinstance(self.distribution, Listed) and (found < 0).any():
            raise IndexError("an n-gram whose end is not in the table")
        return found

    def ids(self, k: int, chunk: Chunk) -> np.ndarray:
        """The ids of a chunk's n-grams: int64 (m, k)."""
        if k == 1:
            return chunk.token[:, None]
        low, high = int(chunk.history[0]), int(chunk.history[-1]) + 1
        here = np.flatnonzero(np.bincount(chunk.history - low, minlength=high - low))
        before = np.zeros((high - low, k - 1), np.int64)
        before[here] = self.table.ngrams(k - 1, here + low)
        return np.concatenate((before[chunk.history - low], chunk.token[:, None]), axis=1)
