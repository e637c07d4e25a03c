"""Success weights under a backoff distribution: the probability that a text, from a state on, meets the constraints.

Legend: a state is a pair of a history's node and a state q of the automaton; Q of these, N nodes; q.w is the state of
the automaton after the token w; W(h, q) the sum over tokens w of p(w | h) V(node after h w, q.w).

    V(h, q) = W(h, q) / mass(h)
    W(h, q) = sum over rows w of h: p(w | h) V(h w, q.w) - lost(h w) V(h' w, q.w), plus back(h) W(h', q)

See `backoff_graph` for p, lost, back and mass. A limit of tokens makes it a recursion; without a limit it is a linear
system, which BiCGSTAB solves for one strongly connected component of the automaton after the other.

Source: Pachet, Roy and Barbieri (2011) for the recursion of a plain chain; the sum by backoff is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..text.types import BOS, EOS, UNK
from .automata import DEAD, Automaton
from .backoff_graph import BackoffGraph
from .bicgstab import refined
from .success_weights import components, layers_before

_TINY = 1e-300
_SOLVING = 14  # arrays of the states of one component while its system is solved
LIVE_ROUNDS = 10_000


class BackoffSystem:
    """The equations of all states, for one distribution or a mixture of several over the same rows.

    graphs, shares  the distributions, and their weights with sum 1
    kind   int32 (V,), the automaton's class of each id; C for EOS, UNK and BOS, which no step draws
    delta  int64 (Q, C + 1), the state of the automaton after a class; DEAD is -1, the last row of weights, which is 0
    ends   float64 (N,), probability of EOS
    """

    def __init__(self, graphs: Sequence[BackoffGraph], automaton: Automaton, shares: Sequence[float] = (1.0,)) -> None:
        self.graphs, self.shares, self.automaton = graphs, shares, automaton
        self.delta = np.concatenate((automaton.delta, np.full((len(automaton), 1), DEAD)), axis=1)
        self.kind = automaton.class_of(graphs[0].table.n_ids)
        self.kind[[UNK, BOS, EOS]] = automaton.delta.shape[1]
        self.ends = np.zeros(len(graphs[0]))
        self._over = [share / np.maximum(graph.mass, _TINY) for graph, share in zip(graphs, shares, strict=True)]
        for graph, over in zip(graphs, self._over, strict=True):
            self.ends += graph.end * over
        self._special = []  # per level: rows whose token is not of class 0, and the classes
        for level in graphs[0].levels:
            kind = self.kind[level.token]
            rows = np.flatnonzero(kind)
            self._special.append((rows, kind[rows]))

    def __len__(self) -> int:
        return len(self.ends)

    def step(self, v: np.ndarray, q: int) -> np.ndarray:
        """Sum over the tokens of p times the weight after each, from one state of the automaton: float64 (N,).

        v  float64 (Q + 1, N), weights; its last row is 0
        """
        w = self.part(v, q, 0)
        for i in range(1, len(self.graphs)):
            w += self.part(v, q, i)
        return w

    def part(self, v: np.ndarray, q: int, i: int) -> np.ndarray:
        """The part of `step` from distribution i: float64 (N,)."""
        values = []
        plain = self.delta[q, 0]
        for level, (rows, kind) in zip(self.graphs[i].levels, self._special, strict=True):
            if plain == DEAD:
                value = np.zeros(len(level.p))
            else:
                value = v[plain].take(level.node)
                value *= level.p
                if level.apart:
                    value -= level.lost * v[plain].take(level.low)
            if len(rows):
                to = self.delta[q, kind]
                special = level.p[rows] * v[to, level.node[rows]]
                if level.apart:
                    special -= level.lost[rows] * v[to, level.low[rows]]
                value[rows] = special
            values.append(value)
        w = self.graphs[i].collect(values)
        w *= self._over[i]
        return w

    def ends_by(self, i: int) -> np.ndarray:
        """The part of `ends` from distribution i: float64 (N,)."""
        return self.graphs[i].end * self._over[i]


@dataclass
class BackoffWeights:
    """Weights of all states by the number of tokens so far.

    by_tokens  list of float64 (Q + 1, N), scaled by a power of two; the last row is 0
    power      list of int, that power: weight = by_tokens[t] * 2 ** power[t]
    endless    the last entry holds for all greater numbers of tokens; else no text is longer
    """

    by_tokens: list[np.ndarray]
    power: list[int]
    off: float = 0.0
    endless: bool = False

    def at(self, t: int) -> np.ndarray | None:
        """Weights after t tokens; None where no text is so long."""
        if t >= len(self.by_tokens):
            return self.by_tokens[-1] if self.endless else None
        return self.by_tokens[t]

    def power_at(self, t: int) -> int:
        """Power of the weights after t tokens."""
        return self.power[min(t, len(self.power) - 1)]


def bytes_each(automaton: Automaton) -> int:
    """Bytes of memory for each history: the weights of all states, and the solver's arrays for some of them."""
    largest = max(map(len, components(_after(automaton))), default=1)
    return 8 * (len(automaton) + _SOLVING * largest)


def _after(automaton: Automaton) -> list[set[int]]:
    """The states that each state leads to."""
    return [{int(t) for t in row if t != DEAD} for row in automaton.delta]


def limited(system: BackoffSystem, shortest: int, longest: int, tail: BackoffWeights | None = None) -> BackoffWeights:
    """Weights for texts of shortest..longest tokens; with `tail`, which holds from `shortest` tokens on, of any."""
    n_states, n = len(system.automaton), len(system)
    accept = np.append(system.automaton.accept, False)[:, None]
    last = longest if tail is None else shortest
    v, power = (accept * system.ends, 0) if tail is None else (tail.by_tokens[0], tail.power[0])

    def step(v: np.ndarray, power: int, t: int) -> tuple[np.ndarray, int]:
        new = np.zeros((n_states + 1, n))
        for q in range(n_states):
            new[q] = system.step(v, q)
        return (np.ldexp(new, power) + accept * system.ends, 0) if t >= shortest else (new, power)

    layers, powers = layers_before(step, v, power, last, shortest)
    return BackoffWeights(layers, powers, tail.off if tail else 0.0, tail is not None)


def unlimited(system: BackoffSystem) -> BackoffWeights | None:
    """Weights for texts of any length; None where the solver does not converge."""
    automaton = system.automaton
    v, off = np.zeros((len(automaton) + 1, len(system))), 0.0
    surely = system.ends.min() > 0 and all(graph.lossless for graph in system.graphs)  # then every text ends
    for group in components(_after(automaton)):
        if surely and all(automaton.accepts_all(q) for q in group):
            v[group] = 1.0
            continue
        with np.errstate(all="ignore"):  # the result shows an overflow of the solver
            found = _solve(system, group, v)
        if found is None:
            return None
        v[group], now = found
        off = max(off, now)
    return BackoffWeights([v], [0], off, endless=True)


def _solve(system: BackoffSystem, group: list[int], known: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Weights of one component of the automaton, float64 (len(group), N), and their greatest relative error."""
    n = len(system)
    accept = system.automaton.accept[group, None]
    b = np.stack([system.step(known, q) for q in group]) + accept * system.ends
    inner = [q for q in group if set(system.delta[q].tolist()) & set(group)]
    if not inner:
        return b, 0.0
    v = np.zeros_like(known)

    def apply(x: np.ndarray) -> np.ndarray:
        v[group] = x.reshape(len(group), n)
        out = np.zeros((len(group), n))
        for i, q in enumerate(group):
            if q in inner:
                out[i] = system.step(v, q)
        return out.reshape(-1)

    b = b.reshape(-1)
    live = b > 0
    for _ in range(LIVE_ROUNDS):  # as many rounds as the longest path to a positive b
        if live.all():
            break
        more = live | (apply(live.astype(np.float64)) > 0)
        if (more == live).all():
            break
        live = more
    if not live.any():
        return np.zeros((len(group), n)), 0.0
    found = refined(lambda x: np.where(live, apply(x), 0.0) if not live.all() else apply(x), b, live)
    if found is None:
        return None
    x, off = found
    return x.reshape(len(group), n), off


def reachable(system: BackoffSystem, start: tuple[int, int], shortest: int, longest: int) -> bool:
    """True if a start, a node and a state of the automaton, leads to an accepted text of shortest..longest tokens.

    The product of many small probabilities could underflow to 0, so each weight is raised to 1 after each token.
    """
    accept = np.append(system.automaton.accept, False)[:, None]
    ends = accept * (system.ends > 0)
    v, t = ends.astype(np.float64), longest
    while t:
        t -= 1
        new = np.zeros_like(v)
        for q in range(len(system.automaton)):
            new[q] = system.step(v, q) > 0
        if t >= shortest:
            new = np.maximum(new, ends)
            if (new == v).all():  # so it stays down to the least length
                t = shortest
        v = new
    return bool(v[start[1], start[0]])
