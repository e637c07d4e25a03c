"""Graph of a backoff distribution's histories: the rows after each, and what it leaves to the next shorter one.

Legend: k is a level, the number of tokens of a history h; h' is h without its first token; w a token; H_k the number
of histories of k tokens, R_k the number of rows h w; L the number of levels, N of all histories. The node of history
r of level k is base[k] + r.

    p(w | h) = own(h w) + back(h) p(w | h')       own(h w) = p(w | h) - lost(h w) for rows, 0 for other tokens

So a sum over all tokens of p(w | h) f(node after h w) needs only the rows of h and the sum for h'. Where h w is a
history, the sum for h' has counted f of another node, with the weight lost(h w) = back(h) p(w | h'): that is taken
out again. The cost is that of the rows, whatever the size of the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.distribution import Distribution, histories, probability
from ..model.listed import Listed
from ..model.probability_rows import Chunk, Rows
from ..model.smoothing import Smoothed
from ..model.table import Table
from ..text.types import BOS, EOS, UNK
from .bicgstab import sums
from .next_history import after

BYTES_EACH = 90  # of memory for each row while the graph is made
_ROUNDING = 1e-14  # what remains of a sum when this part of it or less is left, is rounding


@dataclass
class Level:
    """Histories of one level, and their rows.

    first    int64 (H + 1,), history r has rows first[r]..first[r+1]
    shorter  int64 (H,), row of h' in the level below
    back     float64 (H,), backoff weight
    token    int32 (R,), w
    node     int64 (R,), node after h w
    apart    h w leads elsewhere than h' w, so that what is drawn from h' must not be a row of h
    p        float64 (R,), p(w | h) where apart, else own(h w)
    low      int64 (R,), node after h' w; empty where not apart, as it is `node`
    lost     float64 (R,), lost(h w); empty where not apart
    """

    first: np.ndarray
    shorter: np.ndarray
    back: np.ndarray
    token: np.ndarray
    node: np.ndarray
    apart: bool
    p: np.ndarray
    low: np.ndarray
    lost: np.ndarray

    def own(self) -> np.ndarray:
        """own(h w) of all rows: float64 (R,)."""
        return self.p - self.lost if self.apart else self.p


class BackoffGraph:
    """All histories of a table under one distribution.

    levels  level 0 holds the empty history
    base    int64 (L + 1,)
    mass    float64 (N,), probability of all tokens that may be drawn: below 1 where <unk> has some
    end     float64 (N,), probability of EOS
    """

    def __init__(self, table: Table, levels: list[Level]) -> None:
        self.table, self.levels = table, levels
        self.base = np.cumsum([0, *(len(level.back) for level in levels)])
        drawable = [np.where((level.token == UNK) | (level.token == BOS), 0.0, level.own()) for level in levels]
        self.mass = self.collect(drawable)
        self.end = self.collect([np.where(level.token == EOS, level.own(), 0.0) for level in levels])

    def __len__(self) -> int:
        return int(self.base[-1])

    def collect(self, values: list[np.ndarray]) -> np.ndarray:
        """Sum over the rows of each history, and back(h) times the sum for h': float64 (N,).

        values  per level float64 (R,)
        """
        out = np.empty(len(self))
        below = np.zeros(1)
        for k, (level, value) in enumerate(zip(self.levels, values, strict=True)):
            here = sums(value, level.first)
            if k:
                rest = below[level.shorter]
                rest *= level.back
                here += rest
                if level.apart:
                    here[np.abs(here) <= _ROUNDING * np.abs(rest)] = 0.0
            out[self.base[k] : self.base[k + 1]] = below = here
        return out

    def level_of(self, node: np.ndarray) -> np.ndarray:
        """Level of each node: int64 (m,)."""
        return np.searchsorted(self.base, node, "right") - 1

    def p(self, level: np.ndarray, row: np.ndarray, token: np.ndarray) -> np.ndarray:
        """Probability of one token after each history: float64 (m,)."""
        p = np.zeros(len(row))
        for k, (here, rows) in enumerate(histories(self.table, level, row)):
            at = self.levels[k]
            below = at.back[rows] * p[here] if k else np.zeros(len(here))
            child = self.table.child(k, rows, token[here])
            seen = np.flatnonzero(child >= 0)
            below[seen] = at.p[child[seen]] + (0.0 if at.apart else below[seen])
            p[here] = below
        return p


def estimate(table: Table) -> int:
    """Number of rows in the graph of a table."""
    return sum(map(len, table.orders))


def backoff_graph(distribution: Distribution) -> BackoffGraph:
    """Graph of a distribution that backs off to the next shorter history."""
    assert isinstance(distribution, Smoothed | Listed)
    table, rows = distribution.table, Rows(distribution)
    base = np.cumsum([0, 1, *rows.n_rows[:-1]])
    levels: list[Level] = []
    before = np.empty(0)  # p of the rows one order below
    for order in range(1, rows.order + 1):
        n, k = rows.n_rows[order - 1], order - 1
        top = order == rows.order
        first = table.orders[k - 1].first if k else np.array([0, n])
        assert first is not None
        every = np.arange(rows.n_rows[k - 1] if k else 1)
        back = distribution.backoff(k, every) if k else np.zeros(1)
        shorter = table.shorter(k, every)
        token, low, p, lost = np.empty(n, np.int32), np.zeros(n, np.int64), np.empty(n), np.zeros(n)
        for chunk in rows.of(order):
            some = slice(chunk.low, chunk.high)
            token[some], p[some] = chunk.token, chunk.p
            if k:
                low[some], below = _below(distribution, k, chunk, base, before)
                lost[some] = back[chunk.history] * below
        if not k:
            p[BOS] = 0.0
        own = p - lost
        apart = bool(k) and (not top or float(own.min(initial=0.0)) < -1e-12)
        node = low if top else base[k + 1] + np.arange(n)
        if apart:
            levels.append(Level(first.astype(np.int64), shorter, back, token, node, True, p, low, lost))
        else:
            none = np.empty(0)
            levels.append(
                Level(first.astype(np.int64), shorter, back, token, node, False, np.maximum(own, 0), none, none)
            )
        before = p
    return BackoffGraph(table, levels)


def _below(
    distribution: Distribution, k: int, chunk: Chunk, base: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Node and p of each row's token after the shorter history: int64 (m,), float64 (m,).

    p  float64, p of the rows one order below
    """
    node, below = base[k] + chunk.suffix, p[chunk.suffix]
    missing = np.flatnonzero(chunk.suffix < 0)  # an ARPA file may list `a b c` without `b c`
    if len(missing):
        level = np.full(len(missing), k - 1)
        row = distribution.table.shorter(k, chunk.history[missing])
        below[missing] = probability(distribution, level, row, chunk.token[missing])
        to, row = after(distribution.table, level, row, chunk.token[missing])
        node[missing] = base[to] + row
    return node, below
