"""The values of a distribution for every row of its table, so that scoring only looks them up.

Legend: h is a history, given by its row; h' is h without its first token; u(h w) is what an n-gram adds to
b(h) p(w | h'), or, for listed probabilities, p(w | h) itself; b(h) is the backoff weight of h.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays.threads import thread_pool


@dataclass
class RowValues:
    """u of every n-gram with its b, side by side: one access to memory gives both.

    of       of each order, float64 (rows + 1, 2): u and b. The last row is 0 and 1, for n-grams that are not in the
             table. At the top order (rows + 1, 1): nothing has a history of that length
    unigram  float64 (n_ids,), p(w) of every id
    adds     p(w | h) = u(h w) + b(h) p(w | h'); False if it is u(h w) where the n-gram is in the table
    """

    of: list[np.ndarray]
    unigram: np.ndarray
    adds: bool

    @classmethod
    def empty(cls, rows: list[int], adds: bool) -> RowValues:
        """Values yet to be filled in, for orders with some numbers of rows."""
        of = [np.empty((n + 1, 1 + (k < len(rows)))) for k, n in enumerate(rows, 1)]
        for each in of:
            each[-1] = (0.0, 1.0)[: each.shape[1]]
        return cls(of, np.empty(0), adds)

    def u(self, order: int) -> np.ndarray:
        """u of the rows of an order, and 0 behind the last: float64 (rows + 1,)."""
        return self.of[order - 1][:, 0]

    def b(self, level: int) -> np.ndarray:
        """b of histories of 1 or more tokens, and 1 behind the last: float64 (rows + 1,)."""
        return self.of[level - 1][:, 1]


def run_all(call: Callable[..., None], parts: Iterable[tuple[Any, ...]], jobs: int) -> None:
    """Call a function with each tuple of arguments, in several threads; raises its first error."""
    if jobs == 1:
        for part in parts:
            call(*part)
        return
    with thread_pool(jobs) as pool:
        # what NumPy does on an overflow is part of the context
        for done in [pool.submit(copy_context().run, call, *part) for part in parts]:
            done.result()
