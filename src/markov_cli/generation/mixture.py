"""Several models mixed while they generate: what is common to them, and a prompt in the ids of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..api.results import PromptMatch, Text
from ..errors import HistoryError, OptionError
from ..sampling.alias_tables import drawing_of
from ..sampling.mixture import Component, Mixture
from ..sampling.sampler import Sampler
from ..sampling.shape import Shape
from ..scoring.predictor import checked_weights
from ..text.interning import TypeInterner
from ..text.types import BOS, N_MARKERS, UNK, Types
from ..text.vocabulary import Vocabulary
from .batches import check_count, check_lengths, new_seed, texts_with
from .unique import Batch, UniqueTexts

if TYPE_CHECKING:
    from ..api.model import Model
    from .constraints import Constraints


class Mixed:
    """Models that read text alike, as one; in place of a `Model` where texts are drawn and joined.

    weights  float64 (K,), their sum 1
    vocabulary  the types of all of them
    """

    def __init__(self, models: Sequence[Model], weights: Sequence[float] = (), names: Sequence[str] = ()) -> None:
        """OptionError where they do not read text alike, or the weights are none; equal ones where none are given."""
        check_alike(models, names or [f"model {k}" for k in range(1, len(models) + 1)])
        self.models = list(models)
        self.weights, _ = checked_weights(list(weights) or [1.0] * len(models), len(models))
        self.table = models[0].table
        self.vocabulary, self._union = _united(models)
        self.header = replace(models[0].header, types=len(self.vocabulary) - N_MARKERS)

    def generate(
        self,
        count: int = 1,
        seed: int | None = None,
        *,
        prompt: str = "",
        within: bool = False,
        ignore_case: bool = False,
        min_tokens: int = 1,
        max_tokens: int = 1000,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        smoothing: str | None = None,
        constraints: Constraints | None = None,
        unique: bool = False,
    ) -> Iterator[Text]:
        """Draw texts, as `Model.generate` does; constraints are met by trying.

        >>> import markov_cli
        >>> cats, dogs = (markov_cli.train(texts=[f"a {x} ran"]) for x in ("cat", "dog"))
        >>> text = next(markov_cli.Mixed([cats, dogs]).generate(1, 1))
        >>> text.text, round(2**-text.bits, 6)  # behind the dog one model says ran, the other any of its four
        ('a dog ran', 0.3125)
        """
        from .constraints import Constrained, Constraints

        seed = new_seed() if seed is None else seed
        check_count(count, seed)
        check_lengths(min_tokens, max_tokens)
        shape = Shape(temperature, top_k, top_p)
        known, each = self.known(prompt, not within, ignore_case)
        walker = self.walker(each, smoothing, shape)
        whole: Any = self  # a model for all that is asked of it there
        some = Constrained(
            whole, constraints or Constraints(), known, prompt, min_tokens, max_tokens, shape, smoothing, ignore_case,
            walker=walker, cut=not constraints,
        )  # fmt: skip

        def texts(first: int, n: int) -> Iterator[Batch]:
            return some.draw(n, seed, first=first)

        yield from texts_with(UniqueTexts(texts).texts(count) if unique else texts(0, count), seed, known.tokens)

    def checked(self, call: Callable[..., Any], *args: Any) -> Any:
        """As `Model.guarded`."""
        return self.models[0].checked(call, *args)

    def known(
        self, text: str, at_start: bool = False, ignore_case: bool = False
    ) -> tuple[PromptMatch, list[PromptMatch]]:
        """A prompt in union ids, and as each model knows it; HistoryError where none knows a token of it."""
        own: list[PromptMatch | None] = []
        error: HistoryError | None = None
        for model in self.models:
            try:
                own.append(model.known(text, at_start, ignore_case))
            except HistoryError as said:
                own.append(None)
                error = error or said
        length = max((len(k.ids) for k in own if k is not None), default=-1)
        if length < 0:
            assert error is not None
            raise error
        strange = [BOS] * at_start + [UNK] * (length - at_start)
        each = [k or PromptMatch(strange, 0, 0) for k in own]
        ids = [UNK] * length
        for k, union in zip(each, self._union, strict=True):
            ids = [int(union[i]) if now == UNK else now for now, i in zip(ids, k.ids, strict=True)]
        return PromptMatch(ids, 0, 0), each

    def walker(self, histories: Sequence[PromptMatch], smoothing: str | None, shape: Shape) -> Mixture:
        """What draws from the mixture, behind a prompt as each model knows it."""
        components = []
        for model, known, union in zip(self.models, histories, self._union, strict=True):
            smoothed = None
            if not model.uses_raw_counts(smoothing):
                smoothed = model.distribution(smoothing)
                drawing_of(smoothed)  # says so where nothing can be drawn
            sampler = model.checked(Sampler, model.table, Shape(), False, smoothed)
            own = np.full(len(self.vocabulary), UNK, np.int64)
            own[union] = np.arange(len(union))
            components.append(Component(sampler, smoothed, union, own, (known.level, known.row)))
        return Mixture(components, self.weights, shape)


def check_alike(models: Sequence[Model], names: Sequence[str]) -> None:
    """OptionError where one model reads text otherwise than the first."""
    first = models[0].header.options
    for model, name in zip(models[1:], names[1:], strict=True):
        for field in ("tokenizer", "pattern", "lowercase", "unit"):
            a, b = getattr(first, field), getattr(model.header.options, field)
            if a != b:
                raise OptionError(
                    f"{names[0]} has {field} {a}, {name} {b}: their tokens cannot be mixed",
                    "train both with the same --tokenizer, --pattern, --lowercase and --unit",
                )


def _united(models: Sequence[Model]) -> tuple[Vocabulary, list[np.ndarray]]:
    """The types of all models, the first one's first, and the union id of each id of each model: int64 (V,)."""
    interner = TypeInterner()
    union = []
    for model in models:
        t: Types = model.vocabulary.types()
        flags = t.flags if t.flags.any() else None
        number = interner.numbers(t.padded(), t.start, t.length, flags).astype(np.int64)
        union.append(np.concatenate((np.arange(N_MARKERS), number + N_MARKERS)))
    return Vocabulary.of(interner.types(), models[0].header.options.tokenizer), union
