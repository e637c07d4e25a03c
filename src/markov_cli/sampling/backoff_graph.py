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

from dataclasses import dataclass, replace

import numpy as np

from ..model.distribution import Distribution, histories
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
    lossless  every token that may be drawn has its probability; False where some were given 0 after `mass` was made
    """

    def __init__(self, table: Table, levels: list[Level]) -> None:
        self.table, self.levels, self.lossless = table, levels, True
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
        return _p(self.table, self.levels, level, row, token)


def _p(table: Table, levels: list[Level], level: np.ndarray, row: np.ndarray, token: np.ndarray) -> np.ndarray:
    p = np.zeros(len(row))
    for k, (here, rows) in enumerate(histories(table, level, row)):
        at = levels[k]
        below = at.back[rows] * p[here] if k else np.zeros(len(here))
        child = table.child(k, rows, token[here])
        seen = np.flatnonzero(child >= 0)
        below[seen] = at.p[child[seen]] + (0.0 if at.apart else below[seen])
        p[here] = below
    return p


def estimate(table: Table) -> int:
    """Number of rows in the graph of a table."""
    return sum(map(len, table.orders))


def backoff_graph(distribution: Distribution, temperature: float = 1.0, apart: bool = False) -> BackoffGraph:
    """Graph of a distribution that backs off to the next shorter history.

    Listed probabilities that do not sum to 1 are taken as they are drawn without constraints: see `_as_drawn`.
    With a temperature, p is taken as it is and raised by `_tempered`.

    apart  the highest level keeps p, too
    """
    assert isinstance(distribution, Smoothed | Listed)
    table, rows = distribution.table, Rows(distribution)
    base = np.cumsum([0, 1, *rows.n_rows[:-1]])
    levels: list[Level] = []
    before = np.empty(0)  # p of the rows one order below
    for k, n in enumerate(rows.n_rows):
        first = np.array([0, n])
        if k:
            stored = table.orders[k - 1].first
            assert stored is not None
            first = stored.astype(np.int64)
        every = np.arange(len(first) - 1)
        token, low, p, below = np.empty(n, np.int32), np.zeros(n, np.int64), np.empty(n), np.zeros(n)
        for chunk in rows.of(k + 1):
            some = slice(chunk.low, chunk.high)
            token[some], p[some] = chunk.token, chunk.p
            if k:
                low[some], below[some] = _below(table, levels, k, chunk, base, before)
        if isinstance(distribution, Listed) and temperature == 1:
            p, back = _as_drawn(p, below, first)
        else:
            back = distribution.backoff(k, every) if k else np.zeros(1)
        lost = np.repeat(back, np.diff(first)) * below
        top = k + 1 == len(rows.n_rows)
        mixes = top and temperature == 1 and not apart and float((p - lost).min(initial=0.0)) >= -_ROUNDING
        node = low if top else base[k + 1] + np.arange(n)
        whole = bool(k) and not mixes
        own = (p, low, lost) if whole else (np.maximum(p - lost, 0.0), np.empty(0, np.int64), np.empty(0))
        levels.append(Level(first, table.shorter(k, every), back, token, node, whole, *own))
        before = p
    return BackoffGraph(table, levels if temperature == 1 else _tempered(levels, 1 / temperature))


def _tempered(levels: list[Level], power: float) -> list[Level]:
    """Levels with p ** power: a power of back(h) p(w | h') is the product of the powers.

    Each p is divided by the greatest after its history, or more, so that no power is too small for a number.
    """
    out = []
    most = np.ones(1)  # at least the greatest p after each history of the level below
    for k, level in enumerate(levels):
        drawable = (level.token != UNK) & (level.token != BOS)
        drawn = np.where(drawable, level.p, 0.0)
        below, size = most[level.shorter], np.diff(level.first)
        most = np.maximum(level.back * below, 1e-300)
        filled = np.flatnonzero(size)
        most[filled] = np.maximum(np.maximum.reduceat(drawn, level.first[filled]), most[filled])
        here = np.repeat(most, size)
        back = (level.back * below / most) ** power if k else level.back
        lost = (level.lost * drawable / here) ** power if k else level.lost
        out.append(replace(level, back=back, p=(drawn / here) ** power, lost=lost))
    return out


def _as_drawn(p: np.ndarray, below: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Listed p and backoff weights of one level that sum to 1, as `ListedDrawing` draws: float64 (R,), float64 (H,).

    Rows keep their p, scaled down where they sum to more than 1; the rest is shared as after the shorter history.
    In a file whose distributions sum to 1 this changes rounded digits only.

    below  float64 (R,), p of each row's token after the shorter history
    """
    total, left = sums(p, first), 1.0 - sums(below, first)
    if len(first) == 2:  # below the empty history is nothing
        return p / total[0], np.zeros(1)
    back = np.where(left > _ROUNDING, np.maximum(1.0 - total, 0.0) / np.maximum(left, _ROUNDING), 0.0)
    return p / np.repeat(np.maximum(total, 1.0), np.diff(first)), back


def _below(
    table: Table, levels: list[Level], k: int, chunk: Chunk, base: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Node and p of each row's token after the shorter history: int64 (m,), float64 (m,).

    levels  those below k
    p       float64, p of the rows one order below
    """
    node, below = base[k] + chunk.suffix, p[chunk.suffix]
    missing = np.flatnonzero(chunk.suffix < 0)  # an ARPA file may list `a b c` without `b c`
    if len(missing):
        level = np.full(len(missing), k - 1)
        row = table.shorter(k, chunk.history[missing])
        below[missing] = _p(table, levels, level, row, chunk.token[missing])
        to, row = after(table, level, row, chunk.token[missing])
        node[missing] = base[to] + row
    return node, below
