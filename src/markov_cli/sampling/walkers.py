"""Texts that meet constraints: drawn so by calculation, or tried until they do.

Legend: m texts are drawn side by side; t is a step; i the number of a text, a of an attempt at it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..arrays.sorting import ragged
from ..text.types import EOS
from .automata import DEAD, Automaton
from .random_stream import RandomStream, uniform
from .sampler import Sampler, Samples, gathered, in_index_order, select
from .success_weights import Places, Weights

TRIES = 1000  # attempts at each text
_TOKENS = 10_000_000  # tokens that all attempts at one text may come to; then, at least so many attempts:
_FEWEST = 10
_SIDE_BY_SIDE = 1 << 12  # attempts of few texts

State = tuple[np.ndarray, ...]
Judge = Callable[[Samples], np.ndarray]


class Walker(Protocol):
    """One way to draw a text token by token."""

    def begin(self, m: int) -> State:
        """What stands before the first token of m texts."""
        ...

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """Token t of m texts, its bits, the state after it, and whether the text can still be accepted."""
        ...


class Exact:
    """Each token is drawn with the probability that it has in the model's texts that meet the constraints."""

    def __init__(self, at: Places, weights: Weights, shortest: int) -> None:
        self.at, self.weights, self.shortest = at, weights, shortest

    @property
    def log2_probability(self) -> float:
        """Of the constraints: how probable it is that a text of the model meets them."""
        w = float(self.weights.at(0)[self.at.start])
        return float(np.log2(w)) + self.weights.power[0]

    def begin(self, m: int) -> State:
        """All at the start."""
        return (np.full(m, self.at.start, np.int64),)

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """As in `Walker`: with probability p(step) w(place after) / w(place)."""
        at = self.at
        here, which = np.unique(state[0], return_inverse=True)
        first = at.first[here]
        size = at.first[here + 1] - first
        steps = ragged(first, size)
        if t + 1 < len(self.weights.by_tokens) or self.weights.endless:
            share = at.p[steps] * self.weights.at(t + 1)[at.target[steps]]
        else:
            share = np.zeros(len(steps))
        owner = np.repeat(np.arange(len(here)), size)
        end = at.end[here] if t >= self.shortest else np.zeros(len(here))
        if end.any():
            share = np.ldexp(share, self.weights.power[min(t + 1, len(self.weights.power) - 1)])
        live = np.flatnonzero(share)  # what cannot succeed is not there, so that no rounding can draw it
        steps, owner, share = steps[live], owner[live], share[live]
        total = end + np.bincount(owner, share, len(here))
        # in units of their own history's total the shares of many histories stand in one running sum
        running = np.cumsum(share / total[owner])
        size = np.bincount(owner, minlength=len(here))
        stop = np.cumsum(size)
        before = np.append(0.0, running)[stop - size]
        u = uniform(raw)
        stay = (end / total)[which]
        ended = (u < stay) | (size[which] == 0)
        place = np.searchsorted(running, before[which] + (u - stay), "right")
        place = np.clip(place, (stop - size)[which], stop[which] - 1)
        found = steps[np.where(ended, 0, place)] if len(steps) else np.zeros(len(which), np.int64)
        token = np.where(ended, EOS, at.token[found] if len(at.token) else EOS).astype(np.int64)
        p = np.where(ended, at.end[state[0]], at.p[found] if len(at.p) else 1.0)
        after = np.where(ended, 0, at.target[found] if len(at.target) else 0).astype(np.int64)
        return token, -np.log2(p), (after,), np.ones(len(token), bool)


class Unconstrained:
    """Texts as the sampler draws them."""

    def __init__(self, sampler: Sampler, history: tuple[int, int]) -> None:
        self.sampler, self.history = sampler, history

    def begin(self, m: int) -> State:
        """All behind the prompt."""
        return tuple(np.full(m, x, np.int64) for x in self.history)

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """As in `Walker`."""
        token, bits, level, row = self.sampler._step(state[0], state[1], raw)
        return token, bits, (level, row), np.ones(len(token), bool)


class Rejecting:
    """Texts drawn without a look at the constraints, and given up as soon as they cannot meet them."""

    def __init__(self, inner: Walker, automaton: Automaton, state: int, shortest: int, n_ids: int) -> None:
        """How they are drawn, and the automaton in the state behind the prompt."""
        self.inner, self.state, self.shortest = inner, state, shortest
        self.delta, self.accept = automaton.delta, automaton.accept
        self.kind = automaton.class_of(n_ids)

    def begin(self, m: int) -> State:
        """All behind the prompt."""
        return (*self.inner.begin(m), np.full(m, self.state, np.int64))

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """As in `Walker`."""
        token, bits, after, _ = self.inner.step(t, state[:-1], raw)
        ended = token == EOS
        q = np.where(ended, state[-1], self.delta[state[-1], self.kind[token]])
        good = np.where(ended, self.accept[q] & (t >= self.shortest), q != DEAD)
        return token, bits, (*after, q), good


class RejectionSampler:
    """Draws each text again until it is one.

    tried, kept  attempts it took, and texts
    ended        attempts, also of those made in vain beside others, that came to an end that the walker accepts
    long         some text was given up for the tokens that its attempts came to, before TRIES of them
    """

    def __init__(self, walker: Walker, longest: int, judge: Judge | None = None, cut: bool = False) -> None:
        """What texts are drawn from.

        longest  a text that does not end by then is none
        judge    says which finished texts are kept; None for all
        cut      a text that does not end by then is cut there
        """
        self.walker, self.longest, self.judge, self.cut = walker, longest, judge, cut
        self.tried = self.kept = self.ended = 0
        self.long = False

    def texts(self, seed: int, begin: int, n: int) -> Samples:
        """Texts begin..begin+n-1 of a seed; those that no attempt gave are left out."""
        numbers = RandomStream(seed)
        done = []
        todo = np.arange(begin, begin + n)
        spent = np.zeros(n, np.int64)  # tokens of the attempts at each text in todo
        attempt = 0
        most = max(_TOKENS // max(self.longest, 1), 1)
        while len(todo) and attempt < TRIES:
            width = min(max(_SIDE_BY_SIDE // len(todo), 1), TRIES - attempt, most) if attempt else 1
            number = np.arange(attempt, attempt + width)
            drawn, good = self._run(numbers, np.repeat(todo, width), np.tile(number, len(todo)))
            self.ended += int(good.sum())
            if self.judge is not None and good.any():
                finished = np.flatnonzero(good)
                good[finished[~self.judge(select(drawn, good))]] = False
            length = drawn.length.reshape(len(todo), width)
            before = spent[:, None] + np.cumsum(length, 1) - length
            allowed = (before < _TOKENS) | (number < _FEWEST)
            of = good.reshape(len(todo), width) & allowed
            found = of.any(1)
            one = np.where(found, of.argmax(1), allowed.sum(1) - 1)
            self.tried += int((one + 1).sum())
            self.kept += int(found.sum())
            chosen = np.zeros(len(good), bool)
            chosen[(np.arange(len(todo)) * width + one)[found]] = True
            done.append(select(drawn, chosen))
            attempt += width
            spent += length.sum(1)
            over = ~found & (spent >= _TOKENS) & (attempt >= _FEWEST)
            self.long |= bool(over.any())
            todo, spent = todo[~found & ~over], spent[~found & ~over]
        return in_index_order(done)

    def _run(self, numbers: RandomStream, index: np.ndarray, attempt: np.ndarray) -> tuple[Samples, np.ndarray]:
        """Each attempt once, and where it came to a text that the walker accepts: bool (m,)."""
        m = len(index)
        active = np.arange(m)
        state = self.walker.begin(m)
        bits, length, complete, cut = np.zeros(m), np.zeros(m, np.int64), np.zeros(m, bool), np.zeros(m, bool)
        columns, owners = [], []
        for t in range(self.longest + 1):
            raw = numbers.raw_of(t, index[active], attempt[active])
            token, spent, state, alive = self.walker.step(t, state, raw)
            bits[active] += spent
            ended = token == EOS
            complete[active[ended & alive]] = True
            length[active[ended]] = t
            length[active[~ended]] = t if t == self.longest else t + 1
            going = np.flatnonzero(alive & ~ended)
            if self.cut and t == self.longest:  # without the token that is one too many
                bits[active[going]] -= spent[going]
                cut[active[going]] = True
            if t < self.longest:
                on = np.flatnonzero(~ended)
                columns.append(token[on].astype(np.int32))
                owners.append(active[on])
            active = active[going]
            state = tuple(column[going] for column in state)
            if not len(active):
                break
        drawn = gathered(columns, owners, length, complete, bits, index)
        return drawn, complete | cut
