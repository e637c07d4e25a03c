"""Success weights: the probability that a text, from a state on, meets the constraints (backward messages).

Legend: a node is a pair of a history and a state of the constraints' automaton, N the number of nodes; E the number
of steps between nodes; w is the weight of a node, the probability that a text drawn from there on meets the
constraints.

    w(node) = end(node) + sum over steps of p(step) w(node after)

With a limit of tokens this is a recursion over the number of tokens, exact but for rounding. Without a limit it is a
linear system, which BiCGSTAB solves (see `bicgstab`) after nodes with one step are eliminated, until the relative
error of each weight is at most TOLERANCE. The relative error of a text's probability is then at most its length
times TOLERANCE.

Source: Pachet, Roy and Barbieri (2011), "Finite-length Markov processes with constraints", for the recursion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import distinct_values, ragged
from ..text.types import EOS
from .automata import DEAD, Automaton
from .bicgstab import TOLERANCE, solve, sums
from .state_graph import Histories

BYTES_EACH = 60  # of memory for each step
_SWEEPS = 20_000
_SOON = 64  # tokens


@dataclass
class ProductGraph:
    """Product of histories and automaton, without states that cannot accept.

    start   the node before the first token
    first   int64 (N + 1,), the steps from node i are first[i]..first[i+1]
    token   int32 (E,)
    p       float64 (E,), as without constraints: the sum for a node is at most 1
    target  int32 (E,), the node after the step
    end     float64 (N,), probability of ending at the node, 0 where that is not accepted
    state   int32 (N,), state of the automaton
    after   (Q,) the states that each state of the automaton can go to
    """

    start: int
    first: np.ndarray
    token: np.ndarray
    p: np.ndarray
    target: np.ndarray
    end: np.ndarray
    state: np.ndarray
    after: list[set[int]]

    def __len__(self) -> int:
        return len(self.end)


def product_graph(histories: Histories, automaton: Automaton, state: int, n_ids: int) -> ProductGraph:
    """Product of histories and automaton from a state on, which is not DEAD.

    A state that tokens of class 0 leave unchanged is paired with all histories; any other state only with the
    histories that reach it.
    """
    kind = automaton.class_of(n_ids)[histories.token]
    kind[histories.token == EOS] = -1
    n, q = len(histories), len(automaton)
    owner = np.repeat(np.arange(n, dtype=np.int32), np.diff(histories.first))
    size = np.diff(histories.first)
    every = np.arange(len(kind))
    inside = np.zeros((q, n), bool)
    flat = inside.reshape(-1)
    inside[state, histories.start] = True

    def steps_of(s: int) -> tuple[np.ndarray, np.ndarray]:
        """Steps from the histories paired with a state, without those to DEAD, and the states after them."""
        here = np.flatnonzero(inside[s])
        steps = every if len(here) == n else ragged(histories.first[here], size[here])
        to = np.append(automaton.delta[s], DEAD)[kind[steps]]  # EOS has class -1, which leads to DEAD
        live = np.flatnonzero(to != DEAD)
        return steps[live], to[live]

    todo = [state]
    while todo:
        s = todo.pop()
        if automaton.delta[s, 0] == s:
            inside[s] = True
        steps, to = steps_of(s)
        reached = to * n + histories.target[steps]
        new = reached[~flat[reached]]
        flat[new] = True
        for t in distinct_values(new // n).tolist():
            if automaton.delta[t, 0] == t:
                inside[t] = True
            if t not in todo:
                todo.append(t)
    number = (np.cumsum(flat) - 1).astype(np.int32).reshape(q, n)
    parts = []
    for s in range(q):
        steps, to = steps_of(s)
        parts.append(
            (number[s, owner[steps]], histories.token[steps], histories.p[steps], number[to, histories.target[steps]])
        )
    which = np.flatnonzero(inside.reshape(-1))
    place, token, p, target = (np.concatenate(column) for column in zip(*parts, strict=True))
    first = np.zeros(len(which) + 1, np.int64)
    np.cumsum(np.bincount(place, minlength=len(which)), out=first[1:])
    of = which // n
    end = histories.end[which % n] * automaton.accept[of]
    after = [{int(t) for t in row if t != DEAD} for row in automaton.delta]
    return ProductGraph(int(number[state, histories.start]), first, token, p, target, end, of.astype(np.int32), after)


def backward_step(at: ProductGraph, w: np.ndarray) -> np.ndarray:
    """Sum over steps of p(step) w(node after): float64 (N,)."""
    return sums(at.p * w[at.target], at.first)


@dataclass
class Weights:
    """Weights w by the number of tokens so far.

    by_tokens  list of float64 (N,), scaled by a power of two
    power      list of int, that power: w = by_tokens[t] * 2 ** power[t]
    off        greatest relative error of the solved weights; 0 for a limited length
    endless    the last entry holds for all greater numbers of tokens; else no text is longer
    """

    by_tokens: list[np.ndarray]
    power: list[int]
    off: float = 0.0
    endless: bool = False

    def at(self, t: int) -> np.ndarray:
        """Weights after t tokens."""
        return self.by_tokens[min(t, len(self.by_tokens) - 1)]


def limited(
    at: ProductGraph, shortest: int, longest: int, tail: Weights | None = None, narrow: bool = False
) -> Weights:
    """Weights for texts of shortest..longest tokens; with a tail, of `shortest` or more.

    tail    weights of unlimited length, used after `shortest` tokens
    narrow  keep only nodes that the start reaches in exactly t tokens: their weights are of similar size, so one
            power of two suits them all even where the constraints are very improbable
    """
    w, power = (at.end, 0) if tail is None else (tail.by_tokens[0], tail.power[0])
    last = longest if tail is None else shortest
    inside = _reached_after(at, last) if narrow else None
    if inside is not None:
        w = w * inside[last]

    def step(w: np.ndarray, power: int, t: int) -> tuple[np.ndarray, int]:
        w = backward_step(at, w)
        if inside is not None:
            w *= inside[t]
        end = at.end if inside is None else at.end * inside[t]
        return (np.ldexp(w, power) + end, 0) if t >= shortest and end.any() else (w, power)

    layers, powers = layers_before(step, w, power, last, shortest if inside is None else last)
    return Weights(layers, powers, tail.off if tail else 0.0, tail is not None)


def layers_before(
    step: Callable[[np.ndarray, int, int], tuple[np.ndarray, int]], w: np.ndarray, power: int, last: int, same_from: int
) -> tuple[list[np.ndarray], list[int]]:
    """Weights after 0..last tokens, scaled, and their powers of two, from those after `last`.

    step       weights after t tokens from those after t + 1 and their power
    same_from  from so many tokens on, the step does not depend on t: weights that it does not change are those of all
               t down to it
    """
    w, power = scaled(w, power)
    layers, powers = [w], [power]
    t = last - 1
    while t >= 0:
        before, (w, power) = (w, power), scaled(*step(w, power, t))
        n = 1
        if t > same_from and power == before[1] and np.array_equal(w, before[0]):
            w, n = before[0], t - same_from + 1
        layers += [w] * n
        powers += [power] * n
        t -= n
    return layers[::-1], powers[::-1]


def _reached_after(at: ProductGraph, last: int) -> list[np.ndarray]:
    """Nodes that the start reaches in exactly t tokens, for t = 0..last: bool (N,) each."""
    owner = np.repeat(np.arange(len(at)), np.diff(at.first))
    now = np.zeros(len(at), bool)
    now[at.start] = True
    out = [now]
    for _ in range(last):
        now = np.zeros(len(at), bool)
        now[at.target[out[-1][owner]]] = True
        out.append(now)
    return out


def scaled(w: np.ndarray, power: int) -> tuple[np.ndarray, int]:
    """Scale w by a power of two, so that many layers do not underflow; returns w and the new power."""
    most = float(w.max(initial=0.0))
    if most == 0 or most > 2.0**-64:
        return w, power
    shift = int(np.frexp(most)[1])
    return np.ldexp(w, -shift), power + shift


def unlimited(at: ProductGraph) -> Weights | None:
    """Weights for texts of any length; None where the solver does not converge."""
    w, off = np.zeros(len(at)), 0.0
    for group in components(at.after):
        inside = np.flatnonzero(np.isin(at.state, group))
        if not len(inside):
            continue
        with np.errstate(all="ignore"):  # the result shows an overflow of the solver
            found = _solve_group(at, inside, w)
        if found is None:
            return None
        w[inside], now = found
        off = max(off, now)
    return Weights([w], [0], off, endless=True)


def components(after: list[set[int]]) -> list[list[int]]:
    """Strongly connected components of states, each before those that lead to it (closure: Warshall 1962)."""
    reach = np.eye(len(after), dtype=bool)
    for q, to in enumerate(after):
        reach[q, list(to)] = True
    for q in range(len(after)):
        reach |= reach[:, q : q + 1] & reach[q : q + 1]
    both = reach & reach.T
    heads = sorted({int(np.flatnonzero(row)[0]) for row in both}, key=lambda q: int(reach[q].sum()))
    return [np.flatnonzero(both[q]).tolist() for q in heads]


def _solve_group(at: ProductGraph, inside: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Weights of the nodes of one component and their greatest relative error; None without convergence.

    inside  int64 (n,), nodes of the component
    known   float64 (N,), weights of nodes in other components that it leads to
    """
    n = len(inside)
    local = np.full(len(at), -1, np.int32)
    local[inside] = np.arange(n)
    size = np.diff(at.first)[inside]
    steps = ragged(at.first[inside], size)
    owner = np.repeat(np.arange(n), size)
    target = local[at.target[steps]]
    p = at.p[steps]
    out = target < 0
    b = at.end[inside] + np.bincount(owner[out], p[out] * known[at.target[steps[out]]], n)
    if b.max(initial=0.0) == 0:
        return np.zeros(n), 0.0
    if not out.any():
        off = _all_succeed(owner, target, p, b)
        if off is not None:
            return np.ones(n), off
    owner, target, p = owner[~out], target[~out], p[~out]
    # nodes with one step: w = a + c w(next); followed to a node with several steps or none
    count = np.bincount(owner, minlength=n)
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(count)))
    single = np.flatnonzero(count == 1)
    follow, a, c = np.arange(n), np.zeros(n), np.ones(n)
    follow[single], a[single], c[single] = target[first[single]], b[single], p[first[single]]
    for _ in range(n.bit_length() + 1):
        moving = single[count[follow[single]] == 1]
        if not len(moving):
            break
        to = follow[moving]
        a[moving], c[moving], follow[moving] = a[moving] + c[moving] * a[to], c[moving] * c[to], follow[to]
    lost = single[count[follow[single]] == 1]  # cycles of single steps, which never leave
    c[lost] = 0
    follow[lost] = np.flatnonzero(count != 1)[0] if (count != 1).any() else 0
    several = np.flatnonzero(count > 1)
    w = b.copy()  # already the solution where a node has no step
    off = 0.0
    if len(several):
        m = len(several)
        number = np.full(n, -1, np.int64)
        number[several] = np.arange(m)
        mine = np.flatnonzero(count[owner] > 1)
        o, t = number[owner[mine]], target[mine]
        plain = b[several] + np.bincount(o, p[mine] * a[t], m)
        root, share = follow[t], p[mine] * c[t]
        leaf = count[root] == 0
        plain += np.bincount(o[leaf], share[leaf] * b[root[leaf]], m)
        o, root, share = o[~leaf], number[root[~leaf]], share[~leaf]
        ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(o, minlength=m))))
        found = solve(o, root, share, ends, plain)
        if found is None:
            return None
        w[several], off = found
    w[single] = a[single] + c[single] * w[follow[single]]
    return w, off


def _all_succeed(owner: np.ndarray, target: np.ndarray, p: np.ndarray, b: np.ndarray) -> float | None:
    """Error of w = 1 for all nodes, if that is the solution and each node soon leads to b; else None."""
    off = float(np.abs(b + np.bincount(owner, p, len(b)) - 1).max())
    live = b > 0
    for _ in range(_SOON if off <= TOLERANCE else 0):
        if live.all():
            return off
        live[owner[live[target]]] = True
    return None


def reachable(at: ProductGraph, shortest: int, longest: int) -> bool:
    """True if the start leads to an accepted text of shortest..longest tokens.

    A forward search: the product of many small probabilities could underflow to 0.
    """
    now = np.zeros(len(at), bool)
    now[at.start] = True
    owner = np.repeat(np.arange(len(at)), np.diff(at.first))
    seen: np.ndarray | None = None
    for t in range(min(longest, _SWEEPS) + 1):
        if t >= shortest:
            if (at.end[now] > 0).any():
                return True
            if seen is None:
                seen = np.zeros(len(at), bool)
            now &= ~seen  # above the least length, each node needs only one visit
            seen |= now
            if not now.any():
                return False
        after = np.zeros(len(at), bool)
        after[at.target[now[owner]]] = True
        now = after
        if not now.any():
            return False
    return False
