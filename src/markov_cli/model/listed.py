"""Listed probabilities with backoff weights: the distribution of an ARPA file.

Legend: h is a history, given as (its number of tokens, its row); h' is h without its first
token; w an id; p(h w) the listed probability of an n-gram; b(h) its backoff weight.

    p(w | h) = p(h w) where it is listed, else b(h) p(w | h')

Source: Katz 1987, eq. 15, in the form of the ARPA format.
"""

from __future__ import annotations

import numpy as np

from ..errors import ModelFileError
from ..text.types import BOS, UNK
from .count_column import DAMAGED
from .row_values import RowValues, run_all
from .table import Table

_PIECE = 1 << 16  # rows at one time
LARGEST_BACKOFF = 99  # log10 of a backoff weight that a text can have; several together are no number
_HIGHEST = 300.0  # a backoff may be positive, and its power must stay a number


class Listed:
    """The distribution of a table of probabilities."""

    minds_missing = False
    sums_to_one = True

    def __init__(self, table: Table) -> None:
        self.table = table
        self.values: RowValues | None = None  # see `prepare`

    def _log10(self, order: int) -> np.ndarray:
        column = self.table.orders[order - 1].log10
        assert column is not None
        return column

    def listed(self, order: int, row: np.ndarray) -> np.ndarray:
        """p of rows: float64 (m,); BOS, which is never predicted, has 0."""
        if self.values is not None:
            return self.values.u(order)[row]
        p = _raised(self._log10(order)[row])
        return np.where(row == BOS, 0.0, p) if order == 1 else p

    def backoff(self, level: int, row: np.ndarray) -> np.ndarray:
        """b of histories: float64 (m,)."""
        if self.values is not None:
            return self.values.b(level)[row]
        column = self.table.orders[level - 1].backoff
        assert column is not None
        return _raised(column[row])

    def prepare(self, jobs: int = 1) -> None:
        """Raise all probabilities and backoff weights to numbers once: 16 bytes for each row."""
        if self.values is not None:
            return
        orders = self.table.orders
        values = RowValues.empty([len(order) for order in orders], adds=False)

        def fill(order: int, low: int, high: int) -> None:
            values.u(order)[low:high] = self.listed(order, np.arange(low, high))
            if order < len(orders):
                values.b(order)[low:high] = self.backoff(order, np.arange(low, high))

        parts = (
            (order, low, min(low + _PIECE, len(rows)))
            for order, rows in enumerate(orders, 1)
            for low in range(0, len(rows), _PIECE)
        )
        run_all(fill, parts, jobs)
        values.unigram = values.u(1)[:-1]
        self.values = values

    def extend(self, level: int, row: np.ndarray, child: np.ndarray, shorter: np.ndarray) -> np.ndarray:
        """p(w | h) from p(w | h'), as in `Distribution`."""
        if level == 0:
            known = child >= 0
            return self.listed(1, np.where(known, child, UNK))
        p = self.backoff(level, row) * shorter
        seen = np.flatnonzero(child >= 0)
        p[seen] = self.listed(level + 1, child[seen])
        return p

    def missing(self, p: np.ndarray) -> np.ndarray:
        """p unchanged: a missing history has the backoff weight 1."""
        return p


def _raised(log10: np.ndarray) -> np.ndarray:
    """10 to these powers, float64; ModelFileError for what is no number."""
    if not np.isfinite(log10).all():
        raise ModelFileError("a probability that is not a number", DAMAGED)
    return 10.0 ** np.minimum(log10, _HIGHEST).astype(np.float64)
