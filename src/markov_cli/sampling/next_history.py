"""Histories of many texts: their distinct lengths, and the longest known history after a token.

Legend: a history is (level, row) as in the sampler.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import distinct_values
from ..model.table import Table
from ..text.types import EOS


def after(table: Table, level: np.ndarray, row: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longest histories, of up to order-1 tokens, that the table has after appending tokens.

    level, row, token  int64 (m,); after EOS the history is empty
    returns            int64 (m,), int64 (m,)
    """
    new_level, new_row = np.zeros(len(token), np.int64), np.zeros(len(token), np.int64)
    going = np.flatnonzero(token != EOS)
    most = min(int(level.max(initial=0)), table.order - 1)
    waits = [going[level[going] == k] for k in range(most + 1)]
    here, rows = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for k in range(most, -1, -1):  # the longest history that goes on is the one
        if len(waits[k]):
            here, rows = np.concatenate((here, waits[k])), np.concatenate((rows, row[waits[k]]))
        if k + 1 < table.order:
            child = table.child(k, rows, token[here])
            found = child >= 0
            new_level[here[found]], new_row[here[found]] = k + 1, child[found]
            here, rows = here[~found], rows[~found]
        if k:
            rows = table.shorter(k, rows)
    return new_level, new_row


def distinct_levels(level: np.ndarray) -> list[int]:
    """Distinct values of `level`, int64 (m,) with m > 0, rising."""
    if (level == level[0]).all():
        return [int(level[0])]
    return distinct_values(level).tolist()
