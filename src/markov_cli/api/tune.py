"""Finds the parameters of `--smoothing blend` on held-out text: `tune`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import OptionError
from ..scoring import tuning
from ..text.reading import check_encoding
from ..text.sources import EXPANSION, Paths, Texts, sources_of
from .model import Model, ModelLike, opened
from .results import OPTIONAL, PYTHON_ONLY, RepairCounts, Result, rounded

Progress = Callable[[str, float, float], None]


@dataclass(frozen=True, kw_only=True)
class TunedPart(Result):
    """One part of a blend.

    part                of the mixture
    weight              its weight; of recent words and n-grams, the mean over all tokens; its exponent in a log-linear
                        mixture
    perplexity_alone    of the held-out text under this part alone; None for what is no distribution by itself
    perplexity_without  with all other parts, their weights found anew; None for the only part
    """

    part: str
    weight: float = rounded(6)
    perplexity_alone: float | None = None
    perplexity_without: float | None = None


@dataclass(frozen=True, kw_only=True)
class TunedModel(Result):
    """A model with a tuned blend; its JSON begins with the model's summary.

    model              holds the parameters and the classes
    mixture            `linear` or `log-linear`
    adapt              the parameters of recent text were found, too
    heldout_tokens, heldout_oov  tokens of the held-out text with its `</s>`, and those outside the vocabulary
    perplexity_kn      of the held-out text under Kneser-Ney, OOV included
    perplexity         under the blend
    sampled_tokens     of a log-linear mixture: tokens that `perplexity` is estimated from
    parts              of the mixture
    repairs            of the held-out text
    """

    model: Model = field(metadata=PYTHON_ONLY, repr=False)
    mixture: str
    adapt: bool
    heldout_tokens: int
    heldout_oov: int
    perplexity_kn: float
    perplexity: float
    sampled_tokens: int | None = field(default=None, metadata=OPTIONAL)
    parts: tuple[TunedPart, ...]
    repairs: RepairCounts = field(metadata=PYTHON_ONLY)

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it, after the summary of the model."""
        return {**self.model.summary().to_dict(), **self.figures()}

    def figures(self) -> dict[str, Any]:
        """The result without the summary of the model."""
        return super().to_dict()


def tune(
    model: ModelLike,
    paths: Paths = (),
    *,
    texts: Texts = (),
    classes: Sequence[int] = tuning.CLASSES,
    adapt: bool = False,
    log_linear: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    markers: str = "text",
    strip: str | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> TunedModel:
    """Find the parameters of `--smoothing blend` under which held-out text is most probable.

    paths, texts  held-out text: text that the model was not trained on
    classes   numbers of word classes; each number adds a class model to the blend
    log_linear  make a log-linear mixture: better, and slower, since each token takes a sum over all types
    adapt     also find the parameters of recent words and n-grams, for `--adapt`
    max_expansion  refuse a compressed file that expands to more than 1 GiB and this many times its size; 0 for no limit
    strip     html or srt, as in `train`
    markers   how `<s>`, `</s>` and `<unk>` are read, as in `train`
    progress  called with a step's name, and how much of it is done and in all

    OptionError if no text or no number is given; MarkovError if the model lacks n-grams or counts; TextError if the
    text has no token, or none that the model knows.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["the cat ran", "the dog ran", "a cat sat", "a dog sat"])
    >>> found = markov_cli.tune(model, texts=["the dog sat"], classes=[3])
    >>> [part.part for part in found.parts], found.perplexity < found.perplexity_kn
    (['n-grams of words', 'n-grams of 3 classes'], True)
    """
    one = opened(model)
    sources = sources_of(paths, texts, max_expansion, None, markers, strip)
    if not sources:
        raise OptionError("tune: no held-out text", "name one that the model was not trained on")
    found = tuning.tune_blend(
        one.language_model, sources, tuple(classes), adapt, log_linear, check_encoding(encoding), jobs, progress
    )
    parameters = found.model.header.blend
    assert parameters is not None
    return TunedModel(
        model=Model(found.model),
        mixture=parameters.mixture,
        adapt=adapt,
        heldout_tokens=found.totals.tokens,
        heldout_oov=found.totals.oov,
        perplexity_kn=found.kn,
        perplexity=found.tuned,
        sampled_tokens=found.sampled,
        parts=tuple(
            TunedPart(
                part=one.name,
                weight=one.weight,
                perplexity_alone=_or_none(one.alone),
                perplexity_without=_or_none(one.without),
            )
            for one in found.parts
        ),
        repairs=RepairCounts.of(found.repairs),
    )


def _or_none(x: float) -> float | None:
    return None if x != x else x
