"""Takes `<s>` and `</s>` out of counted rows: the table of texts without beginning and end (`--no-borders`).

Legend: a row of order k is a distinct k-gram; h a history; T(h) what its followers sum to.

N-grams with BOS or EOS are dropped, and both have count 0. BOS is no left neighbour any more, so that an n-gram that
stands at the beginning of a text alone has none. The last tokens of a text are followed by nothing, so T(h) can be one
less than the count of h for each text, and is stored.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..counting.levels import Level
from ..text.types import BOS, EOS
from .building import prune_levels
from .count_column import Uncounted
from .table import Order, Table
from .thresholds import followed


def without_borders(levels: list[Level]) -> list[np.ndarray | None]:
    """Drop the rows with BOS or EOS from counted rows; returns T of each order's rows, None at the highest order."""
    for k, suffix in enumerate(_ends_of_opened(levels)):
        left = levels[k].left
        if left is not None:
            np.subtract.at(left, suffix, 1)
    keep = [np.ones(len(levels[0].token), bool)]
    goes_on = keep[0].copy()
    goes_on[BOS] = False
    for above, level in pairwise(levels):
        assert above.children is not None
        goes_on = np.repeat(goes_on, above.children) & (level.token != EOS)
        keep.append(goes_on)
    prune_levels(levels, (), keep)
    levels[0].count[[BOS, EOS]] = 0
    if levels[0].left is not None:
        levels[0].left[EOS] = 0
    return followed(levels)


def _ends_of_opened(levels: list[Level]) -> list[np.ndarray]:
    """Per order, the rows that stand behind BOS: int64, each once."""
    table = _look_up_table(levels)
    out = []
    for k, (low, high) in enumerate(table.opened_by_bos()[1:], 2):
        ids = table.ngrams(k, np.arange(low, high))
        row = ids[:, 1]
        for level in range(1, k - 1):
            row = table.child(level, row, ids[:, level + 1])
        out.append(row)
    return out


def _look_up_table(levels: list[Level]) -> Table:
    """Counted rows as a table that n-grams can be looked up in; it has no counts and shares the rows."""
    orders = []
    for k, level in enumerate(levels):
        first = None
        if level.children is not None:
            first = np.zeros(len(level.token) + 1, np.int64)
            np.cumsum(level.children, out=first[1:], dtype=np.int64)
        orders.append(Order(Uncounted(len(level.token)), token=level.token if k else None, first=first))
    return Table(orders)
