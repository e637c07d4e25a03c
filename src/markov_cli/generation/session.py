"""Interactive writing: a person and a model write one text together, token by token."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays.numbers import whole
from ..errors import OptionError
from ..inspecting.followers import Follower, follower
from ..model.discounts import BLEND
from ..model.language_model import LanguageModel
from ..sampling.next_history import after
from ..sampling.next_tokens import next_token_distribution
from ..sampling.random_stream import RandomStream, uniform
from ..sampling.sampler import Samples
from ..sampling.shape import Shape, shaped_weights
from ..scoring.next_of_blend import NextOfBlend
from ..scoring.predictor import check_adapts
from ..text.types import EOS, UNK
from .batches import joined
from .prompt import PromptMatch, find_prompt, ids_of, tokens_of, unknown
from .request import check_count
from .samplers import sampler_of


@dataclass(frozen=True)
class Written:
    """One token of the text.

    bits   -log2 of its probability when it was written; infinite for probability 0
    level, row  the history after it
    """

    id: int
    bits: float
    level: int
    row: int


@dataclass(frozen=True)
class SessionState:
    """The text of a session, and the tokens that can come next.

    tokens       of the text, the prompt's included
    bits         -log2 of the probability of what was written after the prompt; impossible tokens, to which the
                 model gives no probability, are left out
    complete     the text has ended
    seed         what the model draws with; None where nothing is drawn
    history      the tokens that the next one depends on
    n_followers  tokens that can come next; `followers` are the likeliest

    >>> import markov_cli
    >>> state = markov_cli.explore(markov_cli.train(texts=["a b c. a d."]), "a").state()
    >>> state.text, state.tokens, state.n_followers
    ('a', 1, 2)
    """

    text: str
    tokens: int
    bits: float
    impossible: int
    complete: bool
    seed: int | None
    history: tuple[str, ...]
    n_followers: int
    followers: tuple[Follower, ...]

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON has it."""
        return {
            **vars(self),
            "bits": round(self.bits, 6) + 0.0,
            "history": list(self.history),
            "followers": [one.to_dict() for one in self.followers],
        }


class Session:
    """A text that is written token by token, by the user and the model.

    >>> import markov_cli
    >>> session = markov_cli.explore(markov_cli.train(texts=["a b c. a d."]), seed=1)
    >>> session.write("a b")
    >>> session.go(1), session.text
    (1, 'a b c')

    Each token that the model draws uses the next random number of the seed. Equal commands with an equal seed give
    an equal text, and a token that is drawn again may differ.
    """

    def __init__(
        self,
        model: LanguageModel,
        seed: int,
        prompt: str = "",
        *,
        within: bool = False,
        ignore_case: bool = False,
        smoothing: str | None = None,
        shape: Shape | None = None,
        adapt: bool = False,
    ) -> None:
        """Begin with a prompt; `within`, `ignore_case` and `adapt` are as in `Request`."""
        check_count(0, seed)
        self.model, self.seed = model, seed
        self.within, self.ignore_case = within, ignore_case
        self.adapt = adapt
        self._blend: NextOfBlend | None = None
        self._numbers, self._used = RandomStream(seed), 0
        self.steps: list[Written] = []
        self._offers: tuple[np.ndarray, np.ndarray] | None = None
        self.draw_from(smoothing, shape or Shape())
        self.begin(prompt)

    # ------------------------------------------------------------ settings

    def draw_from(self, smoothing: str | None, shape: Shape) -> None:
        """Use another distribution from now on; OptionError where it cannot be drawn from."""
        if self.adapt:
            smoothing = check_adapts([self.model], smoothing, ["the model"])
        self._blend = None
        if smoothing == BLEND:
            shape.check()
            self._blend = self.model.checked(NextOfBlend, self.model.blend(), self.adapt)
        else:
            self._sampler = sampler_of(self.model, shape, smoothing)
        self.smoothing, self.shape = smoothing, shape
        self._offers = None

    def begin(self, prompt: str) -> None:
        """Begin another text."""
        self.known: PromptMatch = find_prompt(self.model, prompt, not self.within, self.ignore_case)
        self.prompt = prompt
        self.steps = []
        self._offers = None

    # ------------------------------------------------------------ state

    @property
    def place(self) -> tuple[int, int]:
        """Level and row of the longest known history."""
        if self.steps:
            return self.steps[-1].level, self.steps[-1].row
        return self.known.level, self.known.row

    @property
    def complete(self) -> bool:
        """The text has ended."""
        return bool(self.steps) and self.steps[-1].id == EOS

    @property
    def tokens(self) -> int:
        """Number of tokens, with the prompt's."""
        return self.known.tokens + len(self.steps) - self.complete

    @property
    def bits(self) -> float:
        """Bits of the tokens after the prompt, without those of probability 0."""
        return math.fsum(s.bits for s in self.steps if s.bits < math.inf)

    @property
    def impossible(self) -> int:
        """Number of written tokens with probability 0."""
        return sum(s.bits == math.inf for s in self.steps)

    @property
    def text(self) -> str:
        """The text so far, joined as `generate` joins it."""
        ids = np.array([s.id for s in self.steps if s.id != EOS], np.int64)
        one = Samples(ids, np.array([len(ids)]), np.ones(1, bool), np.zeros(1), np.zeros(1, np.int64))
        batch = self.model.checked(joined, self.model.vocabulary, one, self.known)
        return batch.text.decode("utf-8", "replace")

    @property
    def history(self) -> list[str]:
        """Tokens that the next token depends on."""
        level, row = self.place
        return [self.model.vocabulary.name_of(i) for i in self.model.checked(self.model.table.ngram, level, row)]

    def state(self, top: int = 10) -> SessionState:
        """The text so far, and the likeliest tokens that can come next."""
        return SessionState(
            text=self.text,
            tokens=self.tokens,
            bits=self.bits,
            impossible=self.impossible,
            complete=self.complete,
            seed=self.seed,
            history=tuple(self.history),
            n_followers=len(self.offers()[0]),
            followers=tuple(self.followers(top)),
        )

    def offers(self) -> tuple[np.ndarray, np.ndarray]:
        """Ids that can come next and their probabilities, the likeliest first; none after the end."""
        if self.complete:
            return np.empty(0, np.int64), np.empty(0)
        if self._offers is None and self._blend is not None:
            self._offers = self.model.checked(self._blend_offers, self._blend)
        if self._offers is None:
            self._offers = self.model.checked(
                next_token_distribution, self._sampler, *self.place, self._sampler.smoothed
            )
        return self._offers

    def _blend_offers(self, blend: NextOfBlend) -> tuple[np.ndarray, np.ndarray]:
        """Ids that can come next, <unk> left out, and their probabilities under the shape, the likeliest first."""
        text = np.array([*self.known.ids, *(step.id for step in self.steps)], np.int64)
        p = blend.after([text])[0]
        p[UNK] = 0.0
        ids = np.flatnonzero(p > 0)
        w = p[ids]
        if not self.shape.plain:
            w = shaped_weights(w, np.array([len(w)]), self.shape).astype(np.float64)
        order = np.lexsort((ids, -w))
        order = order[w[order] > 0]
        return ids[order], w[order] / w.sum()

    def followers(self, top: int) -> list[Follower]:
        """The `top` likeliest next tokens."""
        whole("top", top)
        ids, p = self.offers()
        ids, p = ids[:top], p[:top]
        return self.model.checked(self._followers, ids, p)

    def _followers(self, ids: np.ndarray, p: np.ndarray) -> list[Follower]:
        level, row = self.place
        count: list[float | None] = [None] * len(ids)
        if self.model.holds_counts and len(ids):
            table = self.model.table
            child = table.child(level, np.full(len(ids), row), ids)
            found = table.orders[level].count.at(np.maximum(child, 0)) * (child >= 0)
            count = found.tolist()
        return [
            follower(self.model.vocabulary, i, c, one)
            for i, c, one in zip(ids.tolist(), count, p.tolist(), strict=True)
        ]

    # ------------------------------------------------------------ writing

    def pick(self, i: int) -> None:
        """Write one token by its id; OptionError where the text has ended."""
        if self.complete:
            raise OptionError("the text has ended", ":back removes the end, :new begins another text")
        ids, p = self.offers()
        at = np.flatnonzero(ids == i)
        bits = float(-np.log2(p[at[0]])) + 0.0 if len(at) else math.inf
        level, row = self.model.checked(self._after, i)
        self._put(Written(i, bits, level, row))

    def write(self, text: str) -> None:
        """Write the tokens of a text, all or none.

        HistoryError where the model does not know one; OptionError where the text has ended.
        """
        tokens = tokens_of(text, self.model.header.options)
        choices = [
            ids_of(self.model.vocabulary, t, f, self.ignore_case, last=k == len(tokens) - 1)
            for k, (t, f) in enumerate(tokens)
        ]
        strange = [t for (t, _), c in zip(tokens, choices, strict=True) if not c]
        if strange:
            raise unknown(self.model.vocabulary, strange, self.ignore_case)
        if choices and self.complete:
            raise OptionError("the text has ended", ":back removes the end, :new begins another text")
        for some in choices:
            ids, _ = self.offers()
            likely = ids[np.isin(ids, some)]  # several types can match: take the likeliest here
            self.pick(int(likely[0]) if len(likely) else some[0])

    def go(self, n: int) -> int:
        """Draw n tokens, fewer where the text ends; returns their number, with the end."""
        done = 0
        while done < n and not self.complete:
            self._put(self.model.checked(self._drawn))
            done += 1
        return done

    def back(self, n: int = 1) -> int:
        """Remove the last n tokens, but none of the prompt; returns their number."""
        n = min(n, len(self.steps))
        del self.steps[len(self.steps) - n :]
        self._offers = None
        return n

    def _drawn(self) -> Written:
        level, row = (np.array([x], np.int64) for x in self.place)
        raw = self._numbers.raw(self._used, 0, 1)
        self._used += 1
        if self._blend is not None:
            ids, p = self.offers()
            until = np.cumsum(p)
            i = int(np.searchsorted(until, uniform(raw)[0] * until[-1], "right"))
            i = min(i, len(ids) - 1)
            return Written(int(ids[i]), float(-np.log2(p[i])) + 0.0, *self._after(int(ids[i])))
        token, bits, level, row = self._sampler._step(level, row, raw)
        return Written(int(token[0]), float(bits[0]) + 0.0, int(level[0]), int(row[0]))

    def _after(self, i: int) -> tuple[int, int]:
        level, row = (np.array([x], np.int64) for x in self.place)
        new_level, new_row = after(self.model.table, level, row, np.array([i]))
        return int(new_level[0]), int(new_row[0])

    def _put(self, one: Written) -> None:
        self.steps.append(one)
        self._offers = None
