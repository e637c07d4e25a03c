"""Mixture of models: a vocabulary for all of them, and a prompt in the ids of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import HistoryError
from ..model.language_model import LanguageModel
from ..sampling.mixture import Component, Mixture
from ..sampling.shape import Shape
from ..scoring.predictor import check_same_options, checked_weights
from ..text.interning import TypeInterner
from ..text.types import BOS, N_MARKERS, UNK, Types
from ..text.vocabulary import Vocabulary
from .prompt import PromptMatch, find_prompt
from .samplers import sampler_of


class MixedModel:
    """Mixture of K models with equal text options.

    weights     float64 (K,), with sum 1
    vocabulary  the types of all models
    union       int64 (V,) for each model, ids of the mixture for its ids
    header      the first model's, with the number of types of the mixture
    """

    def __init__(
        self, models: Sequence[LanguageModel], weights: Sequence[float] = (), names: Sequence[str] = ()
    ) -> None:
        """Mix the models; without weights, all weigh the same.

        OptionError where their text options differ, or the weights are no mixture.
        """
        check_alike(models, names or [f"model {k}" for k in range(1, len(models) + 1)])
        self.models = list(models)
        self.weights, _ = checked_weights(list(weights) or [1.0] * len(models), len(models))
        self.vocabulary, self.union = _united(models)
        self.header = replace(models[0].header, types=len(self.vocabulary) - N_MARKERS)

    def checked(self, call: Any, *args: Any) -> Any:
        """As `LanguageModel.checked`."""
        return self.models[0].checked(call, *args)

    def known(
        self, text: str, at_start: bool = False, ignore_case: bool = False
    ) -> tuple[PromptMatch, list[PromptMatch]]:
        """A prompt in ids of the mixture, and in each model's own ids; HistoryError where no model knows a token."""
        own: list[PromptMatch | None] = []
        error: HistoryError | None = None
        for model in self.models:
            try:
                own.append(find_prompt(model, text, at_start, ignore_case))
            except HistoryError as said:
                own.append(None)
                error = error or said
        length = max((len(k.ids) for k in own if k is not None), default=-1)
        if length < 0:
            assert error is not None
            raise error
        strange = [BOS] * at_start + [UNK] * (length - at_start)
        each = [k or PromptMatch(strange, 0, 0, text) for k in own]
        ids = [UNK] * length
        for k, union in zip(each, self.union, strict=True):
            ids = [int(union[i]) if now == UNK else now for now, i in zip(ids, k.ids, strict=True)]
        known = [k for k in own if k is not None]
        unknown = tuple(word for word in known[0].strange if all(word in k.strange for k in known))
        respelled = dict(pair for k in known for pair in k.respelled)
        return PromptMatch(ids, 0, 0, text, unknown, tuple(respelled.items())), each

    def walker(self, histories: Sequence[PromptMatch], smoothing: str | None, shape: Shape) -> Mixture:
        """Walker that draws from the mixture; `histories` is the prompt in each model's own ids."""
        components = []
        for model, known, union in zip(self.models, histories, self.union, strict=True):
            sampler = sampler_of(model, Shape(), smoothing, bits=False)
            own = np.full(len(self.vocabulary), UNK, np.int64)
            own[union] = np.arange(len(union))
            components.append(Component(sampler, sampler.smoothed, union, own, (known.level, known.row)))
        return Mixture(components, self.weights, shape)


def check_alike(models: Sequence[LanguageModel], names: Sequence[str]) -> None:
    """Raise OptionError where the text options of one model differ from the first's."""
    check_same_options(
        [(name, model.header.options) for model, name in zip(models, names, strict=True)],
        "train both with the same --tokenizer, --pattern, --lowercase and --unit",
    )


def _united(models: Sequence[LanguageModel]) -> tuple[Vocabulary, list[np.ndarray]]:
    """Vocabulary of all models, the first one's types first, and per model the new id of each id: int64 (V,)."""
    interner = TypeInterner()
    union = []
    for model in models:
        t: Types = model.vocabulary.types()
        flags = t.flags if t.flags.any() else None
        number = interner.numbers(t.padded(), t.start, t.length, flags).astype(np.int64)
        union.append(np.concatenate((np.arange(N_MARKERS), number + N_MARKERS)))
    return Vocabulary.of(interner.types(), models[0].header.options.tokenizer), union
