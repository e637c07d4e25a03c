"""One token for many texts, from a smoothed distribution.

Legend: h is the history of a text, given as (its number of tokens, its row).
"""

from __future__ import annotations

import numpy as np

from ..errors import ModelFileError
from ..model.distribution import Distribution, full_distribution, histories, probability
from ..text.types import BOS, UNK
from .alias_tables import drawing_of
from .backoff_top_p import Bending, bends
from .next_history import after
from .random_stream import rehash, uniform
from .shape import Shape, draw_weighted, shaped_weights

_TRIES = 100  # UNK, and what a longer history excludes, is drawn again; then the distribution is worked out whole


class SmoothedStep:
    """Draws the next token of many texts; see `Sampler`.

    UNK is drawn again, so what comes is p(w | h) / (1 - p(UNK | h)); `bits` are of that.
    """

    def __init__(self, distribution: Distribution, shape: Shape, bits: bool) -> None:
        self.distribution, self.shape, self.bits = distribution, shape, bits
        self.drawing = drawing_of(distribution)
        self.table = distribution.table
        self.bending = Bending(distribution, shape) if bends(distribution) and not shape.plain else None

    def __call__(
        self, level: np.ndarray, row: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The token, its bits, and the history after it: level and row."""
        bits = np.zeros(len(row))
        if self.shape.plain:
            token = self._plain(level, row, raw)
            if self.bits:
                p = probability(self.distribution, level, row, token)
                unknown = probability(self.distribution, level, row, np.full(len(row), UNK))
                if (unknown >= 1.0).any() or not (p > 0).all():
                    raise ModelFileError(
                        "probabilities that leave nothing to draw but <unk>", "import the ARPA file anew"
                    )
                bits = -np.log2(p / (1.0 - unknown))
        else:
            token, bits = self._bent(level, row, raw)
        return token, bits, *after(self.table, level, row, token)

    def _plain(self, level: np.ndarray, row: np.ndarray, raw: np.ndarray) -> np.ndarray:
        token = np.full(len(row), -1, np.int64)
        at, where = level.copy(), row.copy()  # how far each history has been shortened
        todo = np.arange(len(row))
        for times in range(_TRIES):
            u, v, w = (uniform(rehash(raw[todo], 3 * times + i)) for i in (1, 2, 3))
            for k in _distinct(at[todo]):
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
        token[todo] = self._from_whole(level[todo], row[todo], raw[todo])[0]
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
        """Take back what a longer history, that was left, has among its followers.

        The draw then begins anew one level below that history.
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

    def _bent(self, level: np.ndarray, row: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.bending is None:
            return self._from_whole(level, row, raw)
        token, bits = self.bending.draw(level, row, raw)
        left = np.flatnonzero(token < 0)
        if len(left):
            token[left], bits[left] = self._from_whole(level[left], row[left], raw[left])
        return token, bits

    def _from_whole(self, level: np.ndarray, row: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Work out p of every id, once for each distinct history; for shaped distributions of any form."""
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


def _distinct(level: np.ndarray) -> list[int]:
    if (level == level[0]).all():
        return [int(level[0])]
    return np.unique(level).tolist()
