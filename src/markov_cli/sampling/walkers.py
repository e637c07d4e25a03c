"""Draws texts that meet constraints: exactly, by success weights, or by rejection sampling.

Legend: m texts are drawn side by side; t is a step, the number of tokens before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..arrays.sorting import ragged
from ..errors import ModelFileError
from ..model.count_column import DAMAGED
from ..text.types import EOS
from .automata import DEAD, Automaton
from .random_stream import RandomStream, uniform
from .sampler import Sampler, Samples, gathered, in_index_order, select
from .success_weights import ProductGraph, Weights

TRIES = 1000  # most attempts at each text
_TOKENS = 10_000_000  # no further attempt at a text after this many tokens,
_FEWEST = 10  # but at least this many attempts
_SIDE_BY_SIDE = 1 << 12  # attempts at one time, where few texts are left

State = tuple[np.ndarray, ...]
Judge = Callable[[Samples], np.ndarray]


class Walker(Protocol):
    """Draws many texts token by token; a state has one entry for each text."""

    def begin(self, m: int) -> State:
        """State of m texts before their first token."""
        ...

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """Draw token t of m texts.

        raw      uint64 (m,), random numbers
        returns  tokens int64 (m,), their bits float64 (m,), the state after them, and bool (m,): False for texts
                 that the constraints reject
        """
        ...


class Exact:
    """Draws each token with its probability given that the text meets the constraints."""

    def __init__(self, at: ProductGraph, weights: Weights, shortest: int) -> None:
        self.at, self.weights, self.shortest = at, weights, shortest

    @property
    def log2_probability(self) -> float:
        """Log2 of the probability that a text of the model meets the constraints."""
        w = float(self.weights.at(0)[self.at.start])
        if not w > 0:  # impossible constraints were refused before
            raise ModelFileError("the counts of the table do not make probabilities", DAMAGED)
        return float(np.log2(w)) + self.weights.power[0]

    def begin(self, m: int) -> State:
        """State of m texts at the start node."""
        return (np.full(m, self.at.start, np.int64),)

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """Draw a step with probability p(step) w(node after) / w(node); see `Walker.step`."""
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
        live = np.flatnonzero(share)  # drop steps of weight 0, so that rounding cannot draw one
        steps, owner, share = steps[live], owner[live], share[live]
        total = end + np.bincount(owner, share, len(here))
        # each share is divided by its node's total, so one running sum serves all nodes
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
    """Draws texts with a sampler, without constraints."""

    def __init__(self, sampler: Sampler, history: tuple[int, int]) -> None:
        self.sampler, self.history = sampler, history

    def begin(self, m: int) -> State:
        """State of m texts after the prompt."""
        return tuple(np.full(m, x, np.int64) for x in self.history)

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """Draw a token with the sampler; see `Walker.step`."""
        token, bits, level, row = self.sampler._step(state[0], state[1], raw)
        return token, bits, (level, row), np.ones(len(token), bool)


class Rejecting:
    """Draws texts without constraints, and gives a text up as soon as it cannot meet them."""

    def __init__(self, inner: Walker, automaton: Automaton, state: int, shortest: int, n_ids: int) -> None:
        """Filter the texts of a walker by an automaton; `state` is its state after the prompt."""
        self.inner, self.state, self.shortest = inner, state, shortest
        self.delta, self.accept = automaton.delta, automaton.accept
        self.kind = automaton.class_of(n_ids)

    def begin(self, m: int) -> State:
        """State of m texts after the prompt; the automaton's state is its last column."""
        return (*self.inner.begin(m), np.full(m, self.state, np.int64))

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """Draw a token with the inner walker and move the automaton; see `Walker.step`."""
        token, bits, after, _ = self.inner.step(t, state[:-1], raw)
        ended = token == EOS
        q = np.where(ended, state[-1], self.delta[state[-1], self.kind[token]])
        good = np.where(ended, self.accept[q] & (t >= self.shortest), q != DEAD)
        return token, bits, (*after, q), good


class RejectionSampler:
    """Draws each text again until the walker and the judge accept it.

    tried, kept  number of attempts, and of texts
    ended        number of attempts that the walker accepted, with those that were not needed
    long         a text was given up because its attempts had too many tokens, before TRIES of them
    """

    def __init__(self, walker: Walker, longest: int, judge: Judge | None = None, cut: bool = False) -> None:
        """Sample from the texts of a walker.

        longest  a text that does not end within this many tokens is rejected
        judge    returns True for finished texts that are kept, bool (m,); None to keep all
        cut      a text that does not end within `longest` tokens is cut there, and kept
        """
        self.walker, self.longest, self.judge, self.cut = walker, longest, judge, cut
        self.tried = self.kept = self.ended = 0
        self.long = False

    def texts(self, seed: int, begin: int, n: int) -> Samples:
        """Texts begin..begin+n-1 of a seed; those without a successful attempt are left out."""
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
        """Draw each attempt, and mark those that the walker accepts: bool (m,)."""
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
            if self.cut and t == self.longest:  # the last token is not part of the text
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
