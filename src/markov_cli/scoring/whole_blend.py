"""Whole distributions of a blend for many places at one time.

Legend: B places; V ids; a history is (level, row) as in model/distribution.py.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import ragged
from ..model.blend import Blend
from ..model.distribution import histories
from ..model.smoothing import Smoothed
from ..model.table import Table
from ..text.types import BOS, EOS

Place = tuple[np.ndarray, np.ndarray]  # level and row of the history of each place


class WholeKneserNey:
    """All probabilities after histories, from the followers of each history and of its ends."""

    def __init__(self, distribution: Smoothed) -> None:
        self.table = distribution.table
        distribution.prepare()
        values = distribution.values
        assert values is not None
        ids = np.arange(self.table.n_ids)
        one = distribution.extend(0, np.zeros(len(ids), np.int64), ids, np.empty(0))
        one[BOS] = 0.0
        self.one = one
        self._first = one.astype(np.float32)
        self._u = [values.u(level + 1).astype(np.float32) for level in range(1, self.table.order)]
        self._b = [values.b(level)[:-1].astype(np.float32) for level in range(1, self.table.order)]

    def at(self, place: Place) -> np.ndarray:
        """Probabilities of every id: float32 (B, V)."""
        level, row = place
        p = np.repeat(self._first[None], len(row), axis=0)
        flat, n = p.reshape(-1), self.table.n_ids
        for k, (here, rows) in enumerate(histories(self.table, level, row)):
            if not k:
                continue
            if len(here) == len(row):
                p *= _column(self._b[k - 1][rows], here)
            else:
                p[here] *= self._b[k - 1][rows][:, None]
            low, high = self.table.followers(k, rows)
            found = ragged(low, high - low)
            where = np.repeat(here * n, high - low) + self.table.tokens(k + 1, found)
            flat[where] += self._u[k - 1][found]
        return p


def _column(b: np.ndarray, here: np.ndarray) -> np.ndarray:
    out = np.empty(len(here), np.float32)
    out[here] = b
    return out[:, None]


class WholeBlend:
    """All probabilities under a linear blend."""

    def __init__(self, blend: Blend) -> None:
        self.blend = blend
        self.words = WholeKneserNey(blend.words)
        self.classes = [WholeKneserNey(one.distribution) for one in blend.classes]
        self._within = [
            (w * one.within).astype(np.float32) for w, one in zip(blend.weights[1:], blend.classes, strict=True)
        ]

    def at(self, words: Place, classes: list[Place]) -> np.ndarray:
        """Probabilities of every id, float32 (B, V), from the history of each place in each table; BOS has 0."""
        p = self.words.at(words)
        p *= np.float32(self.blend.weights[0])
        for one, whole, place, within in zip(self.blend.classes, self.classes, classes, self._within, strict=True):
            part = np.take(whole.at(place), one.class_of, axis=1)
            part *= within
            p += part
        p[:, BOS] = 0.0
        return p


def known_histories(table: Table, ids: np.ndarray) -> Place:
    """The longest history before each place of a stream that an unpruned table has: int64 (L,) twice."""
    level, row = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
    if table.order < 2:
        return level, row
    first = table.orders[0].first
    assert first is not None
    followed = np.diff(first.astype(np.int64)) > 0
    place = np.flatnonzero(followed[ids[:-1]]) + 1
    node = ids[place - 1]
    for k in range(1, table.order):
        level[place], row[place] = k, node
        if k + 1 == table.order or not len(place):
            break
        child = table.child(k, node, ids[place])
        found = np.flatnonzero((child >= 0) & (place + 1 < len(ids)))
        place, node = place[found] + 1, child[found]
    ended = np.flatnonzero(ids[:-1] == EOS) + 1  # nothing follows </s>
    level[ended] = row[ended] = 0
    return level, row
