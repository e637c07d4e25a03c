"""The public `Mixture`: several weighted models, which texts are drawn from as from one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..generation.mixture import MixedModel
from ..generation.request import Constraints, Request
from ..generation.run import Run
from ..generation.texts import Text
from ..sampling.shape import Shape
from .model import ModelLike, opened


class Mixture:
    """Models that read text alike, mixed: p = sum of weight_k p_k (Jelinek and Mercer 1980).

    mixed_model  their common vocabulary, and what draws from them

    >>> import markov_cli
    >>> markov_cli.Mixture([markov_cli.train(texts=[t]) for t in ("a b", "a c")], [3, 1]).weights.tolist()
    [0.75, 0.25]
    """

    def __init__(self, models: Iterable[ModelLike], weights: Sequence[float] = (), names: Sequence[str] = ()) -> None:
        """OptionError if they do not read text alike, or the weights are none; equal ones if none are given."""
        self.models = [opened(model) for model in models]
        self.mixed_model = MixedModel([m.language_model for m in self.models], weights, names)

    @property
    def weights(self) -> np.ndarray:
        """The weight of each model, their sum 1: float64 (K,)."""
        return self.mixed_model.weights

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
        """Draw texts, as `Model.generate` does.

        >>> import markov_cli
        >>> cats, dogs = (markov_cli.train(texts=[f"a {x} ran"]) for x in ("cat", "dog"))
        >>> text = next(markov_cli.Mixture([cats, dogs]).generate(1, 1))
        >>> text.text, round(2**-text.bits, 6)  # after dog one model gives only ran, the other any of its four ids
        ('a dog ran', 0.3125)
        """
        request = Request(
            count, seed, prompt, within, ignore_case, min_tokens, max_tokens, Shape(temperature, top_k, top_p),
            smoothing, constraints or Constraints(), unique=unique,
        )  # fmt: skip
        return Run(self.mixed_model, request).texts()
