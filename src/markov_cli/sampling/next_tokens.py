"""What can come next, with the probabilities that the sampler draws by.

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
    """All ids that the sampler can draw behind a history, the likeliest first, ties by id.

    smoothed  the distribution that the sampler draws from, None for raw counts
    returns   int64 (f,), float64 (f,) above 0
    """
    if smoothed is not None:
        p = full_distribution(smoothed, level, row)
        p[UNK], known = 0.0, 1.0 - p[UNK]
        ids = np.flatnonzero(p > 0)
        p = p[ids] / known if sampler.shape.plain else _bent(p[ids], sampler.shape)
    else:
        level, row, low, high = drawn_behind(sampler, level, row)
        rows = np.arange(low, high)
        count = sampler.table.orders[level].count.slice(low, high)
        rows, count = rows[count > 0], count[count > 0]
        ids = sampler.table.tokens(level + 1, rows)
        p = count / count.sum() if sampler.shape.plain else _bent(count, sampler.shape)
    order = np.lexsort((ids, -p))
    order = order[p[order] > 0]
    return ids[order], p[order]


def drawn_behind(sampler: Sampler, level: int, row: int) -> tuple[int, int, int, int]:
    """The history that raw counts are drawn behind, and its rows: level, row, low, high.

    The sampler's rule: where nothing may be written behind a history, the one a token shorter.
    """
    at = np.array([row], np.int64)
    while True:
        low, high = (int(x[0]) for x in sampler._drawable(level, at))
        if low < high:
            return level, int(at[0]), low, high
        if level == 0:
            raise IndexError("a table without anything to draw")
        at, level = sampler.table.shorter(level, at), level - 1


def _bent(weight: np.ndarray, shape: Shape) -> np.ndarray:
    w = shaped_weights(weight, np.array([len(weight)]), shape)
    return w / w.sum()
