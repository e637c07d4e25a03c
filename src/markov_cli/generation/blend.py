"""Draws texts from a blend.

Legend: m texts are drawn side by side; a state has the ids of each text so far, and for the linear mixture the history
of each table, as (level, row).

A linear mixture without recent text is drawn part by part: a part is chosen by its weight, a class or a word is drawn
from it by backing off, and in a class a word by its count. That gives exactly the probability of the sum. Any other
blend, and any other shape, needs the whole distribution of each text.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import sort_keys
from ..errors import ModelFileError
from ..model.blend import Blend
from ..model.class_model import ClassModel
from ..model.distribution import Distribution, probability
from ..model.language_model import LanguageModel
from ..sampling.alias_tables import drawing_of
from ..sampling.next_history import after, distinct_levels
from ..sampling.random_stream import rehash, uniform
from ..sampling.shape import Shape, draw_weighted, shaped_weights
from ..sampling.walkers import State
from ..scoring.next_of_blend import NextOfBlend
from ..text.types import BOS, UNK
from .prompt import PromptMatch
from .request import Request

_TRIES = 100  # after so many draws of <unk>, the whole distribution is used
_USES = 8  # of one random number in a try
_LAST = 1 << 21  # use of a random number for a whole distribution


def blend_walker(model: LanguageModel, request: Request, prompt: PromptMatch) -> BlendWalker:
    """Walker of a request."""
    return model.checked(BlendWalker, model.blend(request.jobs), prompt.ids, request.shape, request.adapt, request.bits)


class BlendWalker:
    """Walker that draws from a blend; <unk> is drawn again."""

    def __init__(self, blend: Blend, prompt: list[int], shape: Shape, adapts: bool = False, bits: bool = True) -> None:
        """Draw texts that go on behind a prompt of ids; `bits` asks for -log2 of each probability."""
        shape.check()
        self.blend, self.shape, self.bits = blend, shape, bits
        self.prompt = np.array(prompt, np.int64)
        self.next = NextOfBlend(blend, adapts)
        self.fast = self.next.plain and shape.plain
        self.parts: list[Distribution] = [blend.words, *(one.distribution for one in blend.classes)]
        self._drawings = [drawing_of(one) for one in self.parts]
        self._members = [_Members(one) for one in blend.classes]
        self._until = np.cumsum(blend.weights)
        self._until[np.flatnonzero(blend.weights)[-1] :] = np.inf  # no rounding chooses a part without weight

    def begin(self, m: int) -> State:
        """State of m texts after the prompt."""
        if not self.fast:
            return (np.tile(self.prompt, (m, 1)),)
        places = [self.blend.table.find(self.prompt.tolist())]
        places += [one.table.find(one.class_of[self.prompt].tolist()) for one in self.blend.classes]
        return tuple(np.full(m, x, np.int64) for place in places for x in place)

    def step(self, t: int, state: State, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray, State, np.ndarray]:
        """Draw a token for each text; see `Walker.step`."""
        good = np.ones(len(raw), bool)
        if not self.fast:
            token, bits = self._draw_whole(state[0], raw)
            return token, bits, (np.concatenate((state[0], token[:, None]), axis=1),), good
        token = self._draw_parts(state, raw)
        bits = self._bits(state, token) if self.bits else np.zeros(len(raw))
        following: list[np.ndarray] = []
        for k, part in enumerate(self.parts):
            own = token if not k else self.blend.classes[k - 1].class_of[token]
            following += after(part.table, state[2 * k], state[2 * k + 1], own)
        return token, bits, tuple(following), good

    # ------------------------------------------------------------ part by part

    def _draw_parts(self, state: State, raw: np.ndarray) -> np.ndarray:
        token = np.full(len(raw), UNK, np.int64)
        todo = np.arange(len(raw))
        for times in range(_TRIES):
            use = [uniform(rehash(raw[todo], _USES * times + i)) for i in range(1, 6)]
            which = np.searchsorted(self._until, use[0], "right")
            for k in range(len(self.parts)):
                some = np.flatnonzero(which == k)
                if not len(some):
                    continue
                here = todo[some]
                u, v, w, x = (one[some] for one in use[1:])
                own = self._draw_part(k, state[2 * k][here], state[2 * k + 1][here], u, v, w)
                token[here] = own if not k else self._members[k - 1].draw(own, x)
            todo = todo[(token[todo] == UNK) | (token[todo] == BOS)]
            if not len(todo):
                return token
        raise ModelFileError("after some history only <unk> can be drawn", "train the model again")

    def _draw_part(
        self, k: int, level: np.ndarray, row: np.ndarray, u: np.ndarray, v: np.ndarray, w: np.ndarray
    ) -> np.ndarray:
        """Ids of one part: a follower of the history, or of a shorter one."""
        drawing, table = self._drawings[k], self.parts[k].table
        token = np.full(len(row), -1, np.int64)
        level, row = level.copy(), row.copy()
        todo = np.arange(len(row))
        depth = 0
        while len(todo):
            rest = []
            for j in distinct_levels(level[todo]):
                here = todo[level[todo] == j]
                found = drawing.draw(j, row[here], _fresh(u[here], depth), _fresh(v[here], depth))
                hit = found >= 0
                token[here[hit]] = table.tokens(j + 1, found[hit])
                left = here[~hit]
                if j == 0:
                    token[left] = drawing.bottom(w[left])
                elif len(left):
                    row[left], level[left] = table.shorter(j, row[left]), j - 1
                    rest.append(left)
            todo = np.sort(np.concatenate(rest)) if rest else todo[:0]
            depth += 1
        return token

    def _bits(self, state: State, token: np.ndarray) -> np.ndarray:
        """-log2 of p(w) / (1 - p(<unk>))."""
        p, unknown = np.zeros(len(token)), np.zeros(len(token))
        for k, part in enumerate(self.parts):
            weight, level, row = float(self.blend.weights[k]), state[2 * k], state[2 * k + 1]
            if not k:
                p += weight * probability(part, level, row, token)
                unknown += weight * probability(part, level, row, np.full(len(token), UNK))
            else:
                one = self.blend.classes[k - 1]
                p += weight * probability(part, level, row, one.class_of[token]) * one.within[token]
                unknown += weight * probability(part, level, row, np.full(len(token), UNK))
        return -np.log2(p / (1.0 - unknown))

    # ------------------------------------------------------------ whole distributions

    def _draw_whole(self, past: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        texts, which = np.unique(past, axis=0, return_inverse=True)
        which = which.reshape(-1)
        token, bits = np.empty(len(raw), np.int64), np.empty(len(raw))
        order = np.argsort(which, kind="stable")
        edges = np.concatenate(([0], np.cumsum(np.bincount(which, minlength=len(texts)))))
        step = max((1 << 21) // self.blend.table.n_ids, 1)
        for low in range(0, len(texts), step):
            for k, p in enumerate(self.next.after(list(texts[low : low + step])), low):
                here = order[edges[k] : edges[k + 1]]
                p[UNK] = 0.0
                ids = np.flatnonzero(p > 0)
                token[here], bits[here] = draw_shaped(ids, p[ids], self.shape, uniform(rehash(raw[here], _LAST)))
        return token, bits


def draw_shaped(ids: np.ndarray, p: np.ndarray, shape: Shape, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw ids from a distribution under a shape: int64 (m,), and their bits, float64 (m,).

    p  float64, any sum
    u  float64 (m,) in [0, 1), random
    """
    if shape.plain:
        until = np.cumsum(p)
        found = np.minimum(np.searchsorted(until, u * until[-1], "right"), len(p) - 1)
        return ids[found], -np.log2(p[found] / until[-1]) + 0.0
    size, none = np.array([len(ids)]), np.zeros(len(u), np.int64)
    found, q = draw_weighted(shaped_weights(p, size, shape), none[:1], size, none, u)
    return ids[found], -np.log2(q) + 0.0


def _fresh(u: np.ndarray, depth: int) -> np.ndarray:
    """Another random number from the same bits, for each shorter history."""
    if not depth:
        return u
    return uniform(rehash((u * 2.0**53).astype(np.uint64), depth))


class _Members:
    """Words of each class, drawn by their counts."""

    def __init__(self, one: ClassModel) -> None:
        _, self.ids = sort_keys(one.class_of.astype(np.uint64), max(len(one.total) - 1, 1).bit_length())
        self.until = np.cumsum(one.within[self.ids])  # each class adds 1
        self.last = np.cumsum(np.bincount(one.class_of, minlength=len(one.total))) - 1
        self.first = np.concatenate(([0], self.last[:-1] + 1))

    def draw(self, which: np.ndarray, u: np.ndarray) -> np.ndarray:
        """A word of each class."""
        before = np.where(self.first[which] > 0, self.until[self.first[which] - 1], 0.0)
        span = self.until[self.last[which]] - before
        found = np.searchsorted(self.until, before + u * span, "right")
        return self.ids[np.clip(found, self.first[which], self.last[which])]
