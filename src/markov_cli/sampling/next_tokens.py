"""Next-token distribution: all tokens that the sampler can draw after a history, with their probabilities.

Legend: a history is (level, row) as in the sampler.
"""

from __future__ import annotations

import numpy as np

from ..model.distribution import Distribution, full_distribution
from ..text.types import UNK
from .sampler import Sampler
from .shape import Shape, shaped_weights


def next_token_distribution(
    sampler: Sampler, level: int, row: int, smoothed: Distribution | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """All ids that the sampler can draw after a history, the likeliest first, ties by id.

    smoothed  the distribution that the sampler draws from, None for raw counts
    returns   int64 (f,), float64 (f,) above 0
    """
    if smoothed is not None:
        p = full_distribution(smoothed, level, row)
        p[UNK], known = 0.0, 1.0 - p[UNK]
        ids = np.flatnonzero(p > 0)
        p = p[ids] / known if sampler.shape.plain else _shaped(p[ids], sampler.shape)
    else:
        level, row, low, high = drawn_behind(sampler, level, row)
        rows = np.arange(low, high)
        count = sampler.table.orders[level].count.slice(low, high)
        rows, count = rows[count > 0], count[count > 0]
        ids = sampler.table.tokens(level + 1, rows)
        p = count / count.sum() if sampler.shape.plain else _shaped(count, sampler.shape)
    order = np.lexsort((ids, -p))
    order = order[p[order] > 0]
    return ids[order], p[order]


def drawn_behind(sampler: Sampler, level: int, row: int) -> tuple[int, int, int, int]:
    """Longest end of a history with a follower that may be drawn, and its followers: level, row, low, high."""
    at = np.array([row], np.int64)
    while True:
        low, high = (int(x[0]) for x in sampler._drawable(level, at))
        if low < high:
            return level, int(at[0]), low, high
        if level == 0:
            raise IndexError("a table without anything to draw")
        at, level = sampler.table.shorter(level, at), level - 1


def _shaped(weight: np.ndarray, shape: Shape) -> np.ndarray:
    w = shaped_weights(weight, np.array([len(weight)]), shape)
    return w / w.sum()
