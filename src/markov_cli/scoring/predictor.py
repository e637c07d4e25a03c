"""What gives text its probabilities: a model, or several mixed.

Legend: K models; w_k their weights; L codes in a stream.

A mixture is linear, for each token: p = sum of w_k p_k(w | h). A token that one model does not know has
that model's probability of `<unk>` there; it is an OOV only where no model knows it.
Source: Jelinek and Mercer 1980.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import OptionError
from ..model.language_model import LanguageModel
from ..text.encoder import TextOptions
from ..text.model_ids import Recoder
from ..text.types import N_MARKERS, UNK
from ..text.vocabulary import Vocabulary
from .scorer import Scorer

_PAYS = 8  # rows of a table for each token from which getting ready saves more than it costs (measured)


def unguarded(call: Callable[..., Any], *args: Any) -> Any:
    """Call, and let every error through."""
    return call(*args)


class Predictor:
    """One model, or several of equal text options.

    name     for messages
    lexicons, scorers  K of each
    weights  float64 (K,), their sum 1; None for one model
    guard    calls the scorers, and says what is wrong with a damaged file
    """

    def __init__(
        self,
        name: str,
        options: TextOptions,
        vocabularies: Sequence[Vocabulary],
        scorers: Sequence[Scorer],
        weights: np.ndarray | None = None,
        guard: Callable[..., Any] = unguarded,
    ) -> None:
        self.name, self.options = name, options
        self.vocabularies, self.scorers, self.weights = list(vocabularies), list(scorers), weights
        self.guard = guard
        self.order = max(s.table.order for s in scorers)
        self.rows = sum(len(o) for s in scorers for o in s.table.orders)
        self._ready = False

    def due(self, tokens: float) -> bool:
        """Whether it pays to `prepare` for so many tokens, and has not been done yet."""
        return not self._ready and tokens > self.rows / _PAYS

    def prepare(self, jobs: int = 1) -> None:
        """Get ready for very many tokens; not while others score, for a last bit of p may change."""
        if not self._ready:
            for scorer in self.scorers:
                self.guard(scorer.prepare, jobs)
            self._ready = True

    def each(self, codes: np.ndarray, recoder: Recoder, first: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What every model says of a stream of codes.

        first    which of the recoder's lexicons is this judge's first
        returns  ids uint32 (K, L), p float64 (K, L), longest uint32 (K, L)
        """
        ids = np.stack([recoder.ids(first + k, codes) for k in range(len(self.scorers))])
        found = [self.guard(s.score, ids[k]) for k, s in enumerate(self.scorers)]
        return ids, np.stack([p for p, _ in found]), np.stack([longest for _, longest in found])

    def score(self, codes: np.ndarray, recoder: Recoder, first: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ids uint32 (L,), of which UNK and the markers mean something; p float64 (L,); longest uint32 (L,)."""
        if len(self.scorers) == 1:
            ids = recoder.ids(first, codes)
            return ids, *self.guard(self.scorers[0].score, ids)
        assert self.weights is not None
        every, p, longest = self.each(codes, recoder, first)
        known = (every != UNK).any(axis=0)
        ids = np.where(known & (every[0] == UNK), np.uint32(N_MARKERS), every[0])
        return ids, self.weights @ p, longest.max(axis=0)


def predictor_of(model: LanguageModel, smoothing: str | None = "kn", name: str = "the model") -> Predictor:
    """Scores with one model; a model that holds probabilities has only its own smoothing."""
    scorer = Scorer(model.distribution(smoothing if model.holds_counts else None))
    return Predictor(name, model.header.options, [model.vocabulary], [scorer], guard=model.checked)


def mixed(judges: Sequence[Predictor], weights: np.ndarray) -> Predictor:
    """Several models as one; OptionError where they do not read text alike."""
    check_alike(judges)
    vocabularies = [lex for j in judges for lex in j.vocabularies]
    scorers = [s for j in judges for s in j.scorers]
    return Predictor("the mixture", judges[0].options, vocabularies, scorers, weights, judges[0].guard)


def check_alike(judges: Sequence[Predictor]) -> None:
    """OptionError where one model reads text otherwise than the first."""
    one = judges[0]
    for other in judges[1:]:
        for field in ("tokenizer", "pattern", "lowercase", "unit"):
            a, b = getattr(one.options, field), getattr(other.options, field)
            if a != b:
                raise OptionError(
                    f"{one.name} has {field} {a}, {other.name} {b}: their tokens cannot be mixed",
                    "train both with the same text options; models of any kind can be compared, or used to --classify",
                )


def checked_weights(given: Sequence[float], n_models: int) -> tuple[np.ndarray, float]:
    """Weights that sum to 1, and what they summed to; OptionError where they are none."""
    shown = ",".join(f"{w:g}" for w in given)
    if len(given) != n_models:
        raise OptionError(
            f"--mix {shown}: {len(given)} weights for {n_models} models",
            "one for MODEL, then one for each --model, in their order",
        )
    weights = np.array(given, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(weights.sum())
    if not np.isfinite(weights).all() or (weights < 0).any() or not 0 < total < np.inf:
        raise OptionError(f"--mix {shown}: no weight below 0, and not all 0", "for example --mix 0.7,0.3")
    return weights / total, total
