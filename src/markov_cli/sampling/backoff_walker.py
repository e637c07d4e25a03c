"""Draws texts of a backoff distribution that meet constraints: each token with its probability given that.

Legend: h is a history of k tokens and h' the same without its first token; q a state of the automaton; W and the
fields of a level as in `backoff_weights`; t the number of tokens so far.

A draw from (h, q) takes a row w of h with probability p(w | h) V(h w, q.w) / W(h, q), where p is own where h' w leads
to the same node; else it draws from (h', q). Where h w leads elsewhere than h' w, a token from h' that is a row of h
is drawn again, from h' on.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import distinct_values, ragged
from ..errors import ModelFileError
from ..model.count_column import DAMAGED
from ..model.distribution import histories
from ..text.types import BOS, EOS, UNK
from .backoff_weights import BackoffSystem, BackoffWeights
from .next_history import distinct_levels
from .random_stream import rehash, uniform
from .walkers import State

_TRIES = 64  # after so many draws of a row of a longer history, all tokens are compared
_ROWS = 1 << 21  # rows weighed at one time
_PART = 1 << 20  # `times` of the rehash that chooses a distribution of a mixture


class ExactBackoff:
    """Walker of the texts that meet the constraints; a text's state is its node and its state of the automaton."""

    def __init__(self, system: BackoffSystem, weights: BackoffWeights, start: tuple[int, int], shortest: int) -> None:
        """Walk from a start, which is a node and a state of the automaton; no text has fewer than `shortest` tokens."""
        self.system, self.weights, self.start, self.shortest = system, weights, start, shortest
        self._key, self._parts = -2, dict[int, np.ndarray]()  # of the last number of tokens, see `_sum`
        self._held, self._sums = -2, dict[tuple[int, int, int], np.ndarray]()  # see `_running`
        self._base, self._table = system.graphs[0].base, system.graphs[0].table

    @property
    def log2_probability(self) -> float:
        """Log2 of the probability that a text of the model meets the constraints."""
        first = self.weights.at(0)
        node, q = self.start
        w = 0.0 if first is None else float(first[q, node])
        if not w > 0:  # impossible constraints were refused before
            raise ModelFileError("the numbers of the table do not make probabilities", DAMAGED)
        return float(np.log2(w)) + self.weights.power_at(0)

    def begin(self, m: int) -> State:
        """State of m texts at the start."""
        return tuple(np.full(m, x, np.int64) for x in self.start)

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """Draw a token given that the text meets the constraints; see `Walker.step`."""
        system, graphs = self.system, self.system.graphs
        node, q = state
        level = graphs[0].level_of(node)
        row = node - self._base[level]
        token, after = np.empty(len(node), np.int64), np.empty(len(node), np.int64)
        part = self._part(t, node, q, raw)
        for i in distinct_values(part).tolist():
            here = np.flatnonzero(part == i)
            token[here], after[here] = self._draw(t, i, level[here], row[here], q[here], raw[here])
        p = np.zeros(len(node))
        for graph, share in zip(graphs, system.shares, strict=True):
            p += share * graph.p(level, row, token) / graph.mass[node]
        to = np.where(token == EOS, q, system.delta[q, system.kind[token]])
        return token, -np.log2(p), (after, to), np.ones(len(node), bool)

    def _part(self, t: int, node: np.ndarray, q: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """Draw the distribution that each token is drawn from: int64 (m,)."""
        n = len(self.system.graphs)
        if n == 1:
            return np.zeros(len(node), np.int64)
        running = np.cumsum([self._sum(t, i, node, q) for i in range(n)], axis=0)
        u = uniform(rehash(raw, _PART)) * running[-1]
        return np.minimum((running <= u).sum(0), n - 1)

    def _sum(self, t: int, i: int, node: np.ndarray, q: np.ndarray) -> np.ndarray:
        """The part of the weight of states after t tokens from distribution i, scaled as all: float64 (m,)."""
        if len(self.system.graphs) == 1:
            now = self.weights.at(t)
            assert now is not None
            return now[q, node]
        key = -1 if self._steady(t) else t
        if key != self._key:
            self._key, self._parts = key, {}
        if i not in self._parts:
            self._parts[i] = self._all(t, i)
        return self._parts[i][q, node]

    def _all(self, t: int, i: int) -> np.ndarray:
        system, later = self.system, self.weights.at(t + 1)
        out = np.zeros((len(system.automaton), len(system)))
        power = self.weights.power_at(t)
        if later is not None:
            for q in range(len(out)):
                out[q] = np.ldexp(system.part(later, q, i), self.weights.power_at(t + 1) - power)
        if t >= self.shortest:
            out += np.ldexp(system.automaton.accept[:, None] * system.ends_by(i), -power)
        return out

    def _draw(
        self, t: int, i: int, level: np.ndarray, row: np.ndarray, q: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw tokens from distribution i, and the nodes after them: int64 (m,) twice."""
        levels = self.system.graphs[i].levels
        token, after = np.full(len(row), -1, np.int64), np.zeros(len(row), np.int64)
        at, where = level.copy(), row.copy()  # the history that each draw has backed off to
        todo = np.arange(len(row))
        for times in range(2 * _TRIES):
            if not len(todo):
                break
            u = uniform(rehash(raw[todo], times) if times else raw[todo])
            for k in distinct_levels(at[todo]):
                which = np.flatnonzero(at[todo] == k)
                here = todo[which]
                if times < _TRIES:
                    found = self._row(t, i, k, where[here], q[here], u[which])
                    hit = found >= 0
                    token[here[hit]] = levels[k].token[found[hit]]
                    after[here[hit]] = levels[k].node[found[hit]]
                    down = here[~hit]
                    where[down] = levels[k].shorter[where[down]]
                    at[down] = k - 1
                else:
                    for j, x in zip(here.tolist(), u[which].tolist(), strict=True):
                        token[j], after[j] = self._of_all(t, i, (int(level[j]), int(row[j])), k, int(q[j]), x)
            self._again(level, row, at, where, token, todo)
            todo = todo[token[todo] < 0]
        if len(todo):
            raise ModelFileError("the numbers of the table do not make probabilities", DAMAGED)
        return token, after

    def _value(self, t: int, token: np.ndarray, node: np.ndarray, q: np.ndarray) -> np.ndarray:
        """V after a token, scaled as the weights after t tokens: float64 (m,).

        token, node, q  int64 (m,): a token, the node after it, and the state of the automaton before it
        """
        later = self.weights.at(t + 1)
        to = self.system.delta[q, self.system.kind[token]]
        value = np.zeros(len(token)) if later is None else later[to, node]
        power = self.weights.power_at(t)
        if later is not None and self.weights.power_at(t + 1) != power:
            value = np.ldexp(value, self.weights.power_at(t + 1) - power)
        ended = np.flatnonzero(token == EOS)
        if len(ended) and t >= self.shortest:
            value[ended] = np.ldexp(self.system.automaton.accept[q[ended]].astype(np.float64), -power)
        return value

    def _row(self, t: int, i: int, k: int, row: np.ndarray, q: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Draw a row of each history of k tokens; -1 to draw from the shorter one: int64 (m,)."""
        level = self.system.graphs[i].levels[k]
        found = np.full(len(row), -1, np.int64)
        if self._steady(t) or not k:
            for one in distinct_values(q).tolist():
                texts = np.flatnonzero(q == one)
                running = self._running(t, i, k, one)
                low, high = level.first[row[texts]], level.first[row[texts] + 1]
                found[texts] = _place(running, low, high, u[texts], bottom=not k)
            return found
        n_states = len(self.system.automaton)
        key, which = np.unique(row * n_states + q, return_inverse=True)
        row, q = np.divmod(key, n_states)
        low = level.first[row]
        size = level.first[row + 1] - low
        group = np.cumsum(size) // _ROWS
        for g in distinct_values(group).tolist():
            some = np.flatnonzero(group == g)
            texts = np.flatnonzero((which >= some[0]) & (which <= some[-1]))
            rows, owner = ragged(low[some], size[some]), np.repeat(some, size[some])
            running = np.zeros(len(rows) + 1)
            np.cumsum(self._shares(t, i, k, rows, row[owner], q[owner]), out=running[1:])
            end = np.cumsum(size[some])
            of = which[texts] - some[0]
            place = _place(running, (end - size[some])[of], end[of], u[texts])
            hit = place >= 0
            found[texts[hit]] = rows[place[hit]]
        return found

    def _steady(self, t: int) -> bool:
        """True if the weights are the same from t tokens on."""
        return self.weights.endless and t + 1 >= len(self.weights.by_tokens)

    def _shares(self, t: int, i: int, k: int, rows: np.ndarray, history: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Probability that each row is drawn at its history of k tokens: float64 (R,).

        As each is divided by its history's total, one running sum serves all histories.
        """
        graph = self.system.graphs[i]
        level, node = graph.levels[k], graph.base[k] + history
        weight = level.p[rows] * self._value(t, level.token[rows], level.node[rows], q)
        total = self._sum(t, i, node, q) * graph.mass[node] / self.system.shares[i]
        return np.divide(weight, total, out=np.zeros(len(rows)), where=total > 0)

    def _running(self, t: int, i: int, k: int, q: int) -> np.ndarray:
        """Running sum of the shares of all rows of one level from state q on: float64 (R + 1,); kept while it holds."""
        now = -1 if self._steady(t) else t
        if now != self._held:
            self._held, self._sums = now, {}
        if (i, k, q) not in self._sums:
            level = self.system.graphs[i].levels[k]
            n = len(level.p)
            history = np.repeat(np.arange(len(level.back)), np.diff(level.first))
            running = np.zeros(n + 1)
            np.cumsum(self._shares(t, i, k, np.arange(n), history, np.full(n, q)), out=running[1:])
            self._sums[i, k, q] = running
        return self._sums[i, k, q]

    def _again(
        self,
        level: np.ndarray,
        row: np.ndarray,
        at: np.ndarray,
        where: np.ndarray,
        token: np.ndarray,
        todo: np.ndarray,
    ) -> None:
        """Reject tokens that are rows of a longer history that the draw has left; it goes on one level below that."""
        some = todo[(token[todo] >= 0) & (at[todo] < level[todo])]
        for k, (here, rows) in enumerate(histories(self._table, level[some], row[some])):
            level_k = self.system.graphs[0].levels[k]
            if not level_k.apart:
                continue
            which = np.flatnonzero((at[some[here]] < k) & (token[some[here]] >= 0))
            mine = some[here[which]]
            seen = self._table.child(k, rows[which], token[mine]) >= 0
            back = mine[seen]
            token[back], at[back] = -1, k - 1
            where[back] = level_k.shorter[rows[which[seen]]]

    def _of_all(self, t: int, i: int, history: tuple[int, int], k: int, q: int, u: float) -> tuple[int, int]:
        """Draw from all tokens after the last k of a history but the rows of its last k + 1; the node after it, too."""
        graph = self.system.graphs[i]
        every = np.arange(graph.table.n_ids)
        node, chain = np.zeros(len(every), np.int64), histories(graph.table, *(np.array([x]) for x in history))
        p = graph.p(np.full(len(every), k), np.full(len(every), chain[k][1][0]), every)
        p[[UNK, BOS]] = 0.0
        for j, (level, (_, rows)) in enumerate(zip(graph.levels, chain, strict=False)):
            low, high = (int(x) for x in level.first[rows[0] : rows[0] + 2])
            if j <= k:
                node[level.token[low:high]] = level.node[low:high]
            elif j == k + 1 and level.apart:
                p[level.token[low:high]] = 0.0
        running = np.cumsum(p * self._value(t, every, node, np.full(len(every), q)))
        if not running[-1] > 0:
            raise ModelFileError("the numbers of the table do not make probabilities", DAMAGED)
        token = min(int(np.searchsorted(running, u * running[-1], "right")), len(every) - 1)
        return token, int(node[token])


def _place(running: np.ndarray, low: np.ndarray, high: np.ndarray, u: np.ndarray, bottom: bool = False) -> np.ndarray:
    """Index of the share at which the sum from `low` on exceeds u; -1 where it does not before `high`: int64 (m,).

    running  float64 (n + 1,), sums before each share
    bottom   one of them is drawn, whatever their sum
    """
    target = u * (running[high] - running[low]) if bottom else u
    place = np.searchsorted(running[1:], running[low] + target, "right")
    if bottom and len(place):  # not a share of 0 behind the last, where rounding leads there
        place = np.minimum(place, np.searchsorted(running[1:], running[high[0]], "left"))
    return np.where(place < high, place, -1)
