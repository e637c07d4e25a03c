"""Predicts tokens with one model, or with a linear mixture of several (Jelinek and Mercer 1980).

Legend: K models; w_k their weights; L codes in a stream.

In a mixture p = sum over k of w_k p_k(w | h), for each token. A token that model k does not know has the probability
of `<unk>` under model k; it is an OOV only if no model knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import NeedsCounts, OptionError
from ..model.discounts import BLEND
from ..model.language_model import LanguageModel
from ..text.encoder import TextOptions
from ..text.model_ids import Recoder
from ..text.types import EOS, N_MARKERS, UNK
from ..text.vocabulary import Vocabulary
from .blended import BlendScorer
from .recent_text import Window
from .scorer import Scorer
from .spelling import Speller

_PAYS = 8  # with fewer rows of the table for each token, preparing saves more time than it takes (measured)


@dataclass(frozen=True)
class Borders:
    """The borders that sequences are scored without; KenLM's `query -n` leaves out both.

    within    no `<s>` before a sequence: its first token is predicted without a history
    open_end  no `</s>` behind it: its end is not predicted
    """

    within: bool = False
    open_end: bool = False


def unguarded(call: Callable[..., Any], *args: Any) -> Any:
    """Call a function, without translating errors."""
    return call(*args)


class Predictor:
    """One model, or a mixture of models with equal text options.

    name     for messages
    vocabularies, scorers  K of each
    weights  float64 (K,) with sum 1; None for one model
    guard    calls a function on the model; a damaged file raises ModelFileError
    borders  those that are left out
    speller  spells what the model does not know; None where `<unk>` alone stands for it
    """

    def __init__(
        self,
        name: str,
        options: TextOptions,
        vocabularies: Sequence[Vocabulary],
        scorers: Sequence[Scorer | BlendScorer],
        weights: np.ndarray | None = None,
        guard: Callable[..., Any] = unguarded,
        borders: Borders | None = None,
        speller: Speller | None = None,
    ) -> None:
        self.name, self.options = name, options
        self.vocabularies, self.scorers, self.weights = list(vocabularies), list(scorers), weights
        self.guard = guard
        self.borders, self.speller = borders or Borders(), speller
        self.order = max(s.table.order for s in scorers)
        self.rows = sum(s.rows for s in scorers)
        self._ready = False

    def due(self, tokens: float) -> bool:
        """True if `prepare` would save time for this many tokens, and was not called yet."""
        return not self._ready and tokens > self.rows / _PAYS

    def prepare(self, jobs: int = 1) -> None:
        """Index the tables for many tokens. Not while other threads score: the last bit of a p may change."""
        if not self._ready:
            for scorer in self.scorers:
                self.guard(scorer.prepare, jobs)
            self._ready = True

    def each(self, codes: np.ndarray, recoder: Recoder, first: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Score a stream of codes under each model.

        first    index of this predictor's first vocabulary in the recoder
        returns  ids uint32 (K, L), p float64 (K, L), longest uint32 (K, L)
        """
        ids = np.stack([recoder.ids(first + k, codes) for k in range(len(self.scorers))])
        found = [self.guard(s.score, ids[k], self.borders.within) for k, s in enumerate(self.scorers)]
        p, longest = np.stack([p for p, _ in found]), np.stack([longest for _, longest in found])
        self._leave_ends(ids, p, longest)
        return ids, p, longest

    def _leave_ends(self, ids: np.ndarray, p: np.ndarray, longest: np.ndarray) -> None:
        """Give every EOS a p of 1 where no end is predicted."""
        if self.borders.open_end:
            ends = ids == EOS
            p[ends], longest[ends] = 1.0, 0

    def spelled(self, codes: np.ndarray, ids: np.ndarray, recoder: Recoder) -> np.ndarray | None:
        """Bits to spell each token that the model does not know, 0 for the others: float64 (m,).

        codes, ids  (m,), of the same tokens
        returns     None without a speller
        """
        if self.speller is None:
            return None
        out = np.zeros(len(ids))
        unknown = np.flatnonzero((ids == UNK) & (codes >= N_MARKERS))
        each, which = np.unique(codes[unknown].astype(np.int64), return_inverse=True)
        if len(each):
            out[unknown] = self.speller.bits(recoder.types(each))[which]
        return out

    @property
    def adapts(self) -> bool:
        """Earlier text of a document changes the probabilities: see `adapted`."""
        return any(isinstance(s, BlendScorer) and s.adapts for s in self.scorers)

    def adapted(self, p: np.ndarray, before: Sequence[Window], recoder: Recoder, first: int = 0) -> np.ndarray:
        """Probabilities of new codes that go by what was read before them: float64 (m,); `p` if nothing adapts.

        p  float64 (m,), as `score` gives them
        """
        (scorer,) = self.scorers if self.adapts else (None,)
        if not isinstance(scorer, BlendScorer):
            return p
        parts, low = [], 0
        for window in before:
            high = low + len(window.codes) - window.new
            ids = recoder.ids(first, window.codes).astype(np.int64)
            parts.append(self.guard(scorer.adapted, p[low:high], ids, window.document, window.new))
            if self.borders.open_end:
                parts[-1][ids[window.new :] == EOS] = 1.0
            low = high
        return np.concatenate(parts) if parts else p

    def score(self, codes: np.ndarray, recoder: Recoder, first: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Score a stream of codes under the model or mixture.

        returns  ids uint32 (L,); p float64 (L,), longest uint32 (L,); only UNK and the markers are valid ids for a
                 mixture
        """
        if self.weights is None:
            ids = recoder.ids(first, codes)
            p, longest = self.guard(self.scorers[0].score, ids, self.borders.within)
            self._leave_ends(ids, p, longest)
            return ids, p, longest
        every, p, longest = self.each(codes, recoder, first)
        known = (every != UNK).any(axis=0)
        ids = np.where(known & (every[0] == UNK), np.uint32(N_MARKERS), every[0])
        p, longest = self.weights @ p, longest.max(axis=0)
        self._leave_ends(ids, p, longest)  # 1 whatever the weights' last bits
        return ids, p, longest


def predictor_of(
    model: LanguageModel,
    smoothing: str | None = "kn",
    name: str = "the model",
    adapt: bool = False,
    borders: Borders | None = None,
    spell: bool = False,
) -> Predictor:
    """Predictor of one model; `smoothing` is ignored for a model that holds probabilities.

    adapt  of a blend: what was read before changes the probabilities
    spell  spell what the model does not know
    """
    scorer: Scorer | BlendScorer
    if smoothing == BLEND:
        scorer = BlendScorer(model.blend(), adapt)
    else:
        scorer = Scorer(model.distribution(smoothing if model.holds_counts else None))
    if not model.header.borders:
        borders = Borders(within=True, open_end=True)
    speller = model.checked(Speller, model.vocabulary) if spell else None
    vocabularies = [model.vocabulary]
    return Predictor(
        name, model.header.options, vocabularies, [scorer], guard=model.checked, borders=borders, speller=speller
    )


def predictors_of(
    models: Sequence[LanguageModel],
    smoothing: str | None,
    names: Sequence[str],
    adapt: bool = False,
    borders: Borders | None = None,
    spell: bool = False,
) -> list[Predictor]:
    """Make a predictor of each model; smoothing None is `kn`, or a model's own probabilities.

    adapt  what was read before changes the probabilities; smoothing None is `blend` then
    spell  spell what each model does not know

    NeedsCounts if a smoothing is named and every model holds probabilities only; OptionError if a model cannot adapt.
    """
    if adapt:
        smoothing = check_adapts(models, smoothing, names)
    if smoothing is not None and all(m.header.holds == "probabilities" for m in models):
        raise NeedsCounts(
            f"{names[0]}: --smoothing {smoothing}: the model holds probabilities that are already smoothed",
            "leave --smoothing out",
        )
    return [
        predictor_of(m, smoothing or "kn", name, adapt, borders, spell) for m, name in zip(models, names, strict=True)
    ]


def check_adapts(models: Sequence[LanguageModel], smoothing: str | None, names: Sequence[str]) -> str:
    """The smoothing that adapts; OptionError if another is named, or the one model was not tuned for it."""
    if smoothing not in (None, BLEND):
        raise OptionError(f"--adapt works with --smoothing blend, not {smoothing}", "leave --smoothing out")
    if len(models) > 1:
        raise OptionError(f"--adapt works with one model, and {len(models)} are named", "leave --model out")
    parameters = models[0].header.blend
    if parameters is None or not parameters.adapt:
        raise OptionError(
            f"{names[0]}: --adapt needs a model that was tuned for it",
            f"markov tune {names[0]} HELDOUT --adapt -o MODEL.npz",
        )
    return BLEND


def mixed(predictors: Sequence[Predictor], weights: np.ndarray) -> Predictor:
    """Predictor of a mixture; OptionError where text options differ."""
    check_alike(predictors)
    first = predictors[0]
    if first.speller is not None:
        raise OptionError(
            "--spell works with one model: those of a mixture know different words", "score each model alone"
        )
    for other in predictors[1:]:
        if other.borders != first.borders:
            raise OptionError(
                f"one of {first.name} and {other.name} was trained with --no-borders: they cannot be mixed",
                "train both with it or without it, or score with --within --open-end",
            )
    vocabularies = [vocabulary for j in predictors for vocabulary in j.vocabularies]
    scorers = [s for j in predictors for s in j.scorers]
    return Predictor(
        "the mixture", predictors[0].options, vocabularies, scorers, weights, predictors[0].guard, predictors[0].borders
    )


def check_alike(predictors: Sequence[Predictor]) -> None:
    """Raise OptionError where the text options of one predictor differ from the first's."""
    check_same_options(
        [(j.name, j.options) for j in predictors],
        "train both with the same text options; models of any kind can be compared, or used to --classify",
    )


def check_same_options(named: Sequence[tuple[str, TextOptions]], hint: str) -> None:
    """Raise OptionError where the text options of one model differ from the first's, so that they cannot be mixed."""
    name, options = named[0]
    for other_name, other in named[1:]:
        for field in ("tokenizer", "pattern", "lowercase", "unit", "keep_newlines"):
            a, b = getattr(options, field), getattr(other, field)
            if a != b:
                raise OptionError(f"{name} has {field} {a}, {other_name} {b}: their tokens cannot be mixed", hint)


def checked_weights(given: Sequence[float], n_models: int, option: str = "--mix") -> tuple[np.ndarray, float]:
    """Normalise weights to sum 1; also returns their sum before. OptionError for invalid weights."""
    shown = ",".join(f"{w:g}" for w in given)
    if len(given) != n_models:
        raise OptionError(
            f"{option} {shown}: {len(given)} weights for {n_models} models",
            "give one for MODEL, then one for each --model, in their order"
            if option == "--mix"
            else "give one for each MODEL, in their order",
        )
    weights = np.array(given, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(weights.sum())
    if not np.isfinite(weights).all() or (weights < 0).any() or not 0 < total < np.inf:
        raise OptionError(
            f"{option} {shown}: weights must be 0 or more, and not all 0", f"for example {option} 0.7,0.3"
        )
    return weights / total, total
