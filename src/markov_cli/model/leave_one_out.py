"""Probability of each n-gram of a table when one occurrence of it is left out (Ney, Essen and Kneser 1994).

Legend: h, w, a, A, b, D as in smoothing.py; a', A', b' are those without the occurrence; n is the order.

Without one occurrence of h w, the adjusted count of the longest n-gram falls by one. Where it falls to zero, that
n-gram is no left neighbour any more, so the adjusted count one order below falls by one as well, and so on.
Discounts stay as they are. So a text that is not there can be imitated with the counts alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..text.types import BOS
from .smoothing import Smoothed
from .table import Table


def left_out(distribution: Smoothed, ids: np.ndarray) -> np.ndarray:
    """p(w | h) without one occurrence of h w: float64 (m,).

    distribution  Kneser-Ney of an unpruned table
    ids           int64 (m, k), n-grams of the table: of its order, or shorter and opened by BOS
    """
    table, (m, k) = distribution.table, ids.shape
    token = ids[:, -1]
    rows = [_row(table, ids[:, k - 1 - j : k - 1]) for j in range(k)]  # of histories of j tokens
    grams = [table.child(j, rows[j], token) for j in range(k)]
    fewer = np.zeros((k, m), bool)
    fewer[-1] = True
    for j in range(k - 1, 0, -1):
        fewer[j - 1] = fewer[j] & (distribution.adjusted(j + 1, grams[j]) == 1)
    p = np.full(m, 1.0 / distribution.n_free)
    for j in range(k):
        divisor, b = distribution.weights(j, rows[j])
        a = distribution.adjusted(j + 1, grams[j])
        own = a - distribution.taken(j + 1, a)
        less = np.maximum(a - fewer[j], 0)
        own_less = less - distribution.taken(j + 1, less)
        kept = (1.0 - b) * divisor - own + own_less
        divisor = divisor - fewer[j]
        live = divisor > 0
        safe = np.where(live, divisor, 1.0)
        p = np.where(live, own_less / safe + np.clip(1.0 - kept / safe, 0.0, 1.0) * p, p)
    return p


def _row(table: Table, ids: np.ndarray) -> np.ndarray:
    """Rows of n-grams of the table: int64 (m,); 0 for the empty one."""
    row = np.zeros(len(ids), np.int64)
    for level in range(ids.shape[1]):
        row = table.child(level, row, ids[:, level])
    return row


def predicted(table: Table, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every n-gram that predicted a token of the text, with its full history: ids int64 (m, k) and counts float64 (m,).

    most  of each length about that many are taken, evenly spread, each with the count of those it stands for
    """
    opened = table.opened_by_bos()
    for k in range(1, table.height + 1):
        order = table.orders[k - 1]
        low, high = (0, len(order)) if k == table.order else opened[k - 1]
        if k == 1 and table.order > 1:
            continue
        step = max(-(-(high - low) // most), 1)
        row = np.arange(low + (step >> 1), high, step)
        count = order.count.at(row).astype(np.float64) * step
        ids = table.ngrams(k, row)
        keep = (count > 0) & (ids[:, -1] != BOS)
        if keep.any():
            yield ids[keep], count[keep]
