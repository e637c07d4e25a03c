"""Cache of histories that were drawn from: their upper lists, and the sums of all three lists, after the top-p cut.

Legend: see `backoff_top_p`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .growing_columns import GrowingColumns

_KEPT = 1 << 21  # the cache is emptied when it holds more followers

Columns = dict[str, np.ndarray]


@dataclass
class HistoryLists:
    """Lists of s histories; history i has the rows begin[i] .. begin[i] + size[i] - 1 of `upper`.

    upper    columns of upper lists. By id: token; running, int64 sums of the weights up to and including each.
             By place in the bigram list: left_over, sum of the bigram weights before it of ids that are not in the
             upper list; passed, the same, up to and including it, for ids that are
    history  columns (s,): begin; size; word, its last token, -1 for an empty history; in_upper, in_bigram,
             in_unigram, float64 weights of the lists in units of the upper one; free_bigram, free_unigram, int64
             weights in units of their own; good, False where these are not fine enough
    """

    history: Columns
    upper: Columns


class HistoryCache:
    """Lists of histories by key, safe for several threads."""

    def __init__(self, made: Callable[[np.ndarray, np.ndarray], tuple[Columns, Columns]]) -> None:
        """Start empty.

        made  columns of histories (level, row): as `HistoryLists`, with `begin` counted from the first of `upper`
        """
        self._made = made
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._slot: dict[int, int] = {}
        self._history, self._upper = GrowingColumns(), GrowingColumns()

    def lists(self, key: np.ndarray, level: np.ndarray, row: np.ndarray) -> HistoryLists:
        """Lists of distinct histories.

        key  int64 (s,), stands for the level and the row of each
        """
        with self._lock:
            if self._upper.filled + self._history.filled > _KEPT:
                self._forget()
            keys = key.tolist()
            missing = np.array([i for i, k in enumerate(keys) if k not in self._slot], np.int64)
            if len(missing):
                history, upper = self._made(level[missing], row[missing])
                history["begin"] += self._upper.add(upper)
                first = self._history.add(history)
                self._slot.update(zip(key[missing].tolist(), range(first, first + len(missing)), strict=True))
            slot = np.array([self._slot[k] for k in keys], np.int64)
            return HistoryLists(
                {name: column[slot] for name, column in self._history.columns.items()}, dict(self._upper.columns)
            )
