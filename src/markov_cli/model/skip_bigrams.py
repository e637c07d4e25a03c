"""Skip bigrams: the word that stands d tokens before the next one, from the marginals of longer n-grams.

Legend: v a word, w the word d places after it, d = 2, 3, ...; c(v w) how often both stand so, c(v) the sum over w; D
discounts as in discounts.py; p_1(w) the probability of w without a history.

    p_d(w | v) = (c(v w) - D) / c(v) + b(v) p_1(w)      b(v) = 1 - sum over w of (c(v w) - D) / c(v)

A log-linear mixture multiplies by a power of p_d(w | v) / p_1(w), which is b(v) for every w that never stood behind v.
That factor is the same for all w and goes into the normaliser. So only the followers of v need to be visited, with

    log(1 + (c(v w) - D) / (c(v) b(v) p_1(w)))
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import ragged, sort_keys, starts_new
from .blend_parameters import n_skips
from .discounts import discounts
from .table import Table


class SkipBigrams:
    """Logarithms of the ratios for one distance, a row for each v.

    start   int64 (V + 1,)
    token   int32 (r,), followers of each v
    log     float32 (r,), natural logarithms
    """

    def __init__(self, table: Table, distance: int, p_one: np.ndarray) -> None:
        """Sum n-grams of `distance` + 1 tokens over the tokens between; p_one is float64 (V,)."""
        n_ids, order = table.n_ids, distance + 1
        rows = np.arange(len(table.orders[order - 1])) if order <= table.height else np.empty(0, np.int64)
        ids = table.ngrams(order, rows) if len(rows) else np.empty((0, order), np.int64)
        count = table.orders[order - 1].count.at(rows).astype(np.float64) if len(rows) else np.empty(0)
        bits = max(n_ids - 1, 1).bit_length()
        key, place = sort_keys((ids[:, 0] << bits | ids[:, -1]).astype(np.uint64), 2 * bits)
        begin = np.flatnonzero(starts_new(key)) if len(key) else np.empty(0, np.int64)
        c = np.add.reduceat(count[place], begin) if len(begin) else np.empty(0)
        v = (key[begin] >> np.uint64(bits)).astype(np.int64)
        w = (key[begin] & np.uint64((1 << bits) - 1)).astype(np.int64)
        seen = np.bincount(np.minimum(c, 5).astype(np.int64), minlength=6)[:5]
        d, _ = discounts(seen)
        own = c - d[np.minimum(c, 3).astype(np.int64)]
        total = np.bincount(v, c, n_ids)
        kept = np.bincount(v, own, n_ids)
        b = np.maximum(1.0 - kept / np.where(total > 0, total, 1.0), 1e-9)
        self.start = np.concatenate(([0], np.cumsum(np.bincount(v, minlength=n_ids))))
        self.token = w.astype(np.int32)
        with np.errstate(divide="ignore"):
            self.log = np.log1p(own / (total[v] * b[v] * p_one[w])).astype(np.float32)

    def after(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Followers of words: index into v, ids, and logarithms; int64 (f,), int32 (f,), float32 (f,).

        v  int64 (m,); -1 for none
        """
        known = np.maximum(v, 0)
        size = np.where(v >= 0, self.start[known + 1] - self.start[known], 0)
        at = ragged(self.start[known], size)
        return np.repeat(np.arange(len(v)), size), self.token[at], self.log[at]


def distances(order: int) -> range:
    """Distances whose pairs a table of this order holds: 2 up to 4."""
    return range(2, 2 + n_skips(order))
