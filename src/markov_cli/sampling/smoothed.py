"""Draws the next token of many texts from a smoothed distribution.

Legend: h is the history of a text, given as (its number of tokens, its row).
"""

from __future__ import annotations

import numpy as np

from ..errors import ModelFileError
from ..model.distribution import Distribution, full_distribution, histories, probability
from ..text.types import BOS, UNK
from .alias_tables import backs_off, drawing_of
from .backoff_top_p import ShapedBackoff
from .next_history import after, distinct_levels
from .random_stream import rehash, uniform
from .shape import Shape, draw_weighted, shaped_weights

_TRIES = 100  # after so many rejected draws (UNK, or excluded by a longer history), compute the whole distribution


class SmoothedStep:
    """Draws the next token of many texts; a `Step` of `Sampler`.

    UNK is drawn again, so a token has probability p(w | h) / (1 - p(UNK | h)); `bits` are -log2 of that.
    """

    def __init__(self, distribution: Distribution, shape: Shape, bits: bool) -> None:
        self.distribution, self.shape, self.bits = distribution, shape, bits
        self.drawing = drawing_of(distribution)
        self.table = distribution.table
        self.shaped = ShapedBackoff(distribution, shape) if backs_off(distribution) and not shape.plain else None

    def __call__(
        self, level: np.ndarray, row: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Draw a token for each text; see `Step`. ModelFileError where <unk> has all of the probability."""
        bits = np.zeros(len(row))
        if self.shape.plain:
            token = self._draw_plain(level, row, raw)
            if self.bits:
                p = probability(self.distribution, level, row, token)
                unknown = probability(self.distribution, level, row, np.full(len(row), UNK))
                if (unknown >= 1.0).any() or not (p > 0).all():
                    raise ModelFileError("after some history only <unk> can be drawn", "import the ARPA file again")
                bits = -np.log2(p / (1.0 - unknown))
        else:
            token, bits = self._draw_shaped(level, row, raw)
        return token, bits, *after(self.table, level, row, token)

    def _draw_plain(self, level: np.ndarray, row: np.ndarray, raw: np.ndarray) -> np.ndarray:
        token = np.full(len(row), -1, np.int64)
        at, where = level.copy(), row.copy()  # the history that each text has backed off to
        todo = np.arange(len(row))
        for times in range(_TRIES):
            u, v, w = (uniform(rehash(raw[todo], 3 * times + i)) for i in (1, 2, 3))
            for k in distinct_levels(at[todo]):
                which = np.flatnonzero(at[todo] == k)
                here = todo[which]
                found = self.drawing.draw(k, where[here], u[which], v[which])
                hit = found >= 0
                token[here[hit]] = self.table.tokens(k + 1, found[hit])
                down = found == -2 if k else ~hit
                if down.any():
                    token[here[down]] = self.drawing.bottom(w[which[down]])
                    at[here[down]] = 0
                left = here[~hit & ~down]
                if len(left):
                    where[left] = self.table.shorter(k, where[left])
                    at[left] = k - 1
            if self.drawing.excludes:
                self._exclude(level, row, at, where, token, todo)
            unknown = todo[(token[todo] == UNK) | (token[todo] == BOS)]  # a file may list `a <s>`
            token[unknown] = -1
            at[unknown], where[unknown] = level[unknown], row[unknown]
            todo = todo[token[todo] < 0]
            if not len(todo):
                return token
        token[todo] = self._draw_from_all(level[todo], row[todo], raw[todo])[0]
        return token

    def _exclude(
        self,
        level: np.ndarray,
        row: np.ndarray,
        at: np.ndarray,
        where: np.ndarray,
        token: np.ndarray,
        todo: np.ndarray,
    ) -> None:
        """Reject tokens that are followers of a longer history from which the draw has backed off.

        The draw then continues one level below that history.
        """
        some = todo[(token[todo] >= 0) & (at[todo] < level[todo])]
        for k, (here, rows) in enumerate(histories(self.table, level[some], row[some])):
            which = np.flatnonzero((at[some[here]] < k) & (token[some[here]] >= 0))
            mine = some[here[which]]
            child = self.table.child(k, rows[which], token[mine])
            listed = child >= 0
            back = mine[listed]
            token[back] = -1
            at[back] = k - 1
            where[back] = self.table.shorter(k, rows[which][listed])

    def _draw_shaped(self, level: np.ndarray, row: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.shaped is None:
            return self._draw_from_all(level, row, raw)
        token, bits = self.shaped.draw(level, row, raw)
        left = np.flatnonzero(token < 0)
        if len(left):
            token[left], bits[left] = self._draw_from_all(level[left], row[left], raw[left])
        return token, bits

    def _draw_from_all(self, level: np.ndarray, row: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw from all probabilities, computed once for each distinct history; works for every distribution."""
        token, bits = np.empty(len(row), np.int64), np.empty(len(row))
        key = row * (self.table.order + 1) + level
        order = np.argsort(key, kind="stable")
        edges = np.flatnonzero(np.diff(key[order], prepend=-1))
        for texts in np.split(order, edges[1:]):
            p = full_distribution(self.distribution, int(level[texts[0]]), int(row[texts[0]]))
            p[UNK] = 0.0
            some = np.flatnonzero(p > 0)
            size = np.array([len(some)])
            w = shaped_weights(p[some], size, self.shape)
            none = np.zeros(len(texts), np.int64)
            found, q = draw_weighted(w, none[:1], size, none, uniform(raw[texts]))
            token[texts], bits[texts] = some[found], -np.log2(q)
        return token, bits
