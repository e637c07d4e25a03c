"""Draws from a mixture of models: p(w | h) = sum over k of w_k p_k(w | h) (Jelinek and Mercer 1980).

Legend: K models; w_k their weights; h a text so far; a history of model k is the longest end of h that it knows,
in its own ids. Union ids number the types of all models.

A model is chosen by its weight, and the token is drawn from it, which gives exactly that probability. A token
that a model does not know is <unk> in its history.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import distinct_values
from ..model.distribution import Distribution, probability
from ..text.types import EOS, N_MARKERS, UNK
from .next_history import after
from .next_tokens import next_token_distribution
from .random_stream import rehash, uniform
from .sampler import Sampler
from .shape import Shape, draw_weighted, shaped_weights
from .walkers import State

_CHOICE = 1 << 20  # `times` of the rehash that chooses the model; smaller ones draw the token


@dataclass
class Component:
    """One model of a mixture.

    sampler   draws from it, without temperature, top-k and top-p
    smoothed  distribution of the sampler, None for raw counts
    union     int64 (V,), union id of each of its ids
    own       int64 (U,), its id of each union id, UNK where it has none
    history   level and row before the first token
    """

    sampler: Sampler
    smoothed: Distribution | None
    union: np.ndarray
    own: np.ndarray
    history: tuple[int, int]

    def p(self, level: np.ndarray, row: np.ndarray, token: np.ndarray) -> np.ndarray:
        """Probability that it draws tokens, in its own ids, after histories: float64 (m,); 0 for UNK."""
        if self.smoothed is None:
            return raw_probability(self.sampler, level, row, token)
        p = probability(self.smoothed, level, row, token)
        unknown = probability(self.smoothed, level, row, np.full(len(row), UNK))
        return np.where(token == UNK, 0.0, p / (1.0 - unknown))

    def after(self, level: np.ndarray, row: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Its histories after tokens, in its own ids."""
        level, row = after(self.sampler.table, level, row, token)
        if self.sampler.table.order > 1:
            low, high = self.sampler.table.followers(1, np.array([UNK]))
            if low[0] == high[0]:  # no <unk> in its text, so none in a history
                strange = token == UNK
                level, row = np.where(strange, 0, level), np.where(strange, 0, row)
        return level, row


class Mixture:
    """Walker that draws union ids from several models."""

    def __init__(self, components: list[Component], weights: np.ndarray, shape: Shape | None = None) -> None:
        """Mix components by weights, float64 (K,) with sum 1; `shape` applies to the sum."""
        self.components, self.weights = components, weights
        self.shape = shape or Shape()
        self.shape.check()
        self._until = np.cumsum(weights)
        self._until[np.flatnonzero(weights)[-1] :] = np.inf  # no rounding chooses a model without weight

    def begin(self, m: int) -> State:
        """State of m texts after the prompt: level and row for each model."""
        return tuple(np.full(m, x, np.int64) for one in self.components for x in one.history)

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """Draw a token from the mixture; see `Walker.step`."""
        token, bits = self._draw_plain(state, raw) if self.shape.plain else self._draw_shaped(state, raw)
        following: list[np.ndarray] = []
        for k, one in enumerate(self.components):
            following += one.after(state[2 * k], state[2 * k + 1], one.own[token])
        return token, bits, tuple(following), np.ones(len(token), bool)

    def _draw_plain(self, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        which = np.searchsorted(self._until, uniform(rehash(raw, _CHOICE)), "right")
        token = np.empty(len(raw), np.int64)
        for k in distinct_values(which).tolist():
            here = np.flatnonzero(which == k)
            one = self.components[k]
            drawn, *_ = one.sampler._step(state[2 * k][here], state[2 * k + 1][here], raw[here])
            token[here] = one.union[drawn]
        return token, -np.log2(self.p(state, token))

    def p(self, state: State, token: np.ndarray) -> np.ndarray:
        """Probability of tokens under the mixture: float64 (m,)."""
        p = np.zeros(len(token))
        for k, (one, w) in enumerate(zip(self.components, self.weights.tolist(), strict=True)):
            if w:
                p += w * one.p(state[2 * k], state[2 * k + 1], one.own[token])
        return p

    def whole(self, state: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """All tokens that can follow one text: union ids, rising, and their p."""
        ids, p = [], []
        for k, (one, w) in enumerate(zip(self.components, self.weights.tolist(), strict=True)):
            if w:
                own, q = next_token_distribution(one.sampler, state[2 * k], state[2 * k + 1], one.smoothed)
                ids.append(one.union[own])
                p.append(w * q)
        every, which = np.unique(np.concatenate(ids), return_inverse=True)
        return every, np.bincount(which, np.concatenate(p), len(every))

    def _draw_shaped(self, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute the whole mixture once for each distinct state, shape it, and draw."""
        token, bits = np.empty(len(raw), np.int64), np.empty(len(raw))
        ends, which = np.unique(np.stack(state), axis=1, return_inverse=True)
        which = which.reshape(-1)
        order = np.argsort(which, kind="stable")
        edges = np.cumsum(np.bincount(which, minlength=ends.shape[1]))
        for end, texts in zip(ends.T.tolist(), np.split(order, edges[:-1]), strict=True):
            ids, p = self.whole(tuple(end))
            size = np.array([len(ids)])
            none = np.zeros(len(texts), np.int64)
            w = shaped_weights(p, size, self.shape)
            found, q = draw_weighted(w, none[:1], size, none, uniform(raw[texts]))
            token[texts], bits[texts] = ids[found], -np.log2(q)
        return token, bits


def raw_probability(sampler: Sampler, level: np.ndarray, row: np.ndarray, token: np.ndarray) -> np.ndarray:
    """Probability of tokens after histories under raw counts: float64 (m,)."""
    table = sampler.table
    p = np.zeros(len(row))
    row = row.copy()
    todo = np.arange(len(row))
    for k in range(int(level.max(initial=0)), -1, -1):
        here = todo[level[todo] >= k]  # also those that backed off from a longer history
        if not len(here):
            continue
        low, high = sampler._drawable(k, row[here])
        good = low < high
        now, low, high = here[good], low[good], high[good]
        if len(now):
            child = table.child(k, row[now], token[now])
            inside = (child >= low) & (child < high)
            count = table.orders[k].count
            total = count.sum_before(high) - count.sum_before(low)
            p[now[inside]] = count.at(child[inside]) / total[inside]
        stuck = here[~good]
        if len(stuck) and k:
            row[stuck] = table.shorter(k, row[stuck])
        todo = np.setdiff1d(todo, now, assume_unique=True)
    p[(token < N_MARKERS) & (token != EOS)] = 0.0
    return p
