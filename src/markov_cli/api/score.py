"""Scores of texts, units, tokens and JSON lines; classification; weights of mixtures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import NeedsCounts, OptionError, TextError
from ..scoring.documents import Documents, batches_of, fewest_bits
from ..scoring.mixture_weights import Tuned, probabilities, tune
from ..scoring.predictor import Predictor, check_alike, checked_weights, mixed
from ..scoring.text_totals import Reading, Units, check_known, total, units_of
from ..scoring.token_names import token_names
from ..scoring.totals import Totals
from ..text.reading import Source, check_encoding
from ..text.sources import sources_of
from ..text.types import UNK
from .model import Model

Paths = Sequence[str | os.PathLike[str]]


@dataclass(frozen=True)
class UnitScore:
    """The score of one unit of a text, or of one whole text.

    text        the unit
    tokens      its tokens and one `</s>` for each sequence
    oov         tokens outside the vocabulary
    bits        -log2 of its probability; infinite if a token has probability 0
    perplexity  2 ** (bits / tokens); not a number if there is no token
    longest     tokens in the longest n-gram of the table that occurs in it
    """

    text: str
    tokens: int
    oov: int
    bits: float
    perplexity: float
    longest: int


@dataclass(frozen=True)
class TokenScore:
    """The score of one token.

    token    its text; None for a marker
    marker   `</s>` at the end of a sequence; None for a token of the text
    oov      True if the model does not know it
    bits     -log2 of its probability; infinite for probability 0
    longest  tokens in the longest n-gram of the table that ends there
    """

    token: str | None
    marker: str | None
    oov: bool
    bits: float
    longest: int


@dataclass(frozen=True)
class Classified:
    """The model that needs the fewest bits for a text.

    text         the text
    model        its place among the models, from 0; None if no model is ahead
    margin_bits  bits that the second-best model needs more
    """

    text: str
    model: int | None
    margin_bits: float


def predictors_of(
    models: Sequence[Model], smoothing: str | None = None, names: Sequence[str] | None = None
) -> list[Predictor]:
    """A predictor for each model; smoothing None is `kn`, or a model's own probabilities.

    NeedsCounts if a smoothing is named and every model holds probabilities only.
    """
    names = names or [f"model {k}" for k in range(1, len(models) + 1)]
    if smoothing is not None and all(m.header.holds == "probabilities" for m in models):
        raise NeedsCounts(
            f"{names[0]}: --smoothing {smoothing}: the model holds probabilities that are already smoothed",
            "leave --smoothing out",
        )
    return [m.predictor(smoothing or "kn", name) for m, name in zip(models, names, strict=True)]


def _one_predictor(models: Model | Sequence[Model], smoothing: str | None, weights: Sequence[float]) -> Predictor:
    """One model, or the mixture of several."""
    several = [models] if isinstance(models, Model) else list(models)
    predictors = predictors_of(several, smoothing)
    if len(predictors) == 1:
        return predictors[0]
    return mixed(predictors, checked_weights(weights or [1.0] * len(several), len(several))[0])


def totals_of(
    predictor: Predictor, sources: Sequence[Source], encoding: str, jobs: int, check: bool = True
) -> tuple[Totals, Reading]:
    """Totals of all sources, and the reading, whose repairs are then known.

    check  raise TextError if the predictor knows no token of the text
    """
    reading = Reading(predictor, sources, encoding, jobs)
    totals = total(reading)
    if check:
        check_known(totals, predictor)
    return totals, reading


def score(
    models: Model | Sequence[Model],
    paths: Paths = (),
    *,
    texts: Iterable[str] = (),
    smoothing: str | None = None,
    weights: Sequence[float] = (),
    encoding: str = "utf-8",
    jobs: int = 1,
) -> Totals:
    """Score text with a model, or with several mixed: tokens, OOV, bits, perplexity.

    paths    files, folders, `-`
    texts    texts themselves, each as if it were a file
    weights  of the models, equal if none are given

    TextError if the text has no token, or none that a model knows; OptionError if models read text differently.

    >>> import markov_cli
    >>> cats, dogs = (markov_cli.train(texts=[f"a {x} ran"]) for x in ("cat", "dog"))
    >>> found = markov_cli.score([cats, dogs], texts=["a cat ran"], smoothing="none", weights=[1, 1])
    >>> found.tokens, round(found.bits, 6)  # cat: 1/2; ran: (1 + 1/4) / 2, for one model does not know cat
    (4, 1.678072)
    """
    predictor = _one_predictor(models, smoothing, weights)
    return totals_of(predictor, sources_of(paths, texts), check_encoding(encoding), jobs)[0]


def score_units(
    models: Model | Sequence[Model],
    paths: Paths = (),
    *,
    texts: Iterable[str] = (),
    smoothing: str | None = None,
    weights: Sequence[float] = (),
    encoding: str = "utf-8",
    jobs: int = 1,
) -> Iterator[UnitScore]:
    """Score each unit of a text (a sentence, a line: the model's unit), in order.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b. a c."])
    >>> [(u.text, u.tokens, u.bits) for u in markov_cli.score_units(model, texts=["a b. a c."], smoothing="none")]
    [('a b.', 4, 1.0), ('a c.', 4, 1.0)]
    """
    predictor = _one_predictor(models, smoothing, weights)
    reading = Reading(predictor, sources_of(paths, texts), check_encoding(encoding), jobs, keep_text=True)
    for units in units_of(reading.scored()):
        yield from unit_scores(units)


def unit_scores(units: Units) -> Iterator[UnitScore]:
    """Columns of units as one object each."""
    for text, *numbers in zip(
        units.texts, units.tokens.tolist(), units.oov.tolist(), units.all_bits.tolist(), units.perplexity.tolist(),
        units.longest.tolist(), strict=True,
    ):  # fmt: skip
        yield UnitScore(text.decode("utf-8", "replace"), *numbers)


def score_tokens(
    models: Model | Sequence[Model],
    paths: Paths = (),
    *,
    texts: Iterable[str] = (),
    smoothing: str | None = None,
    weights: Sequence[float] = (),
    encoding: str = "utf-8",
    jobs: int = 1,
) -> Iterator[TokenScore]:
    """Score each token of a text, and the end of each sequence, in order.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b. a c."])
    >>> [(t.token, t.bits) for t in markov_cli.score_tokens(model, texts=["a b."], smoothing="none")]
    [('a', 0.0), ('b', 1.0), ('.', 0.0), (None, 0.0)]
    """
    predictor = _one_predictor(models, smoothing, weights)
    sources = sources_of(paths, texts)
    reading = Reading(predictor, sources, check_encoding(encoding), jobs, stream_codes=1 << 16)
    for scored in reading.scored():
        rows = scored.tokens()
        names, which = token_names(rows, reading.recoder.encoders[0])
        bits = np.where(rows.p > 0, rows.bits()[0], np.inf)
        columns = which.tolist(), (rows.ids == UNK).tolist(), bits.tolist(), rows.longest.tolist()
        for i, oov, cost, longest in zip(*columns, strict=True):
            token, marker = names[i]
            yield TokenScore(token, marker, oov, cost, longest)


def score_texts(
    models: Model | Sequence[Model],
    texts: Iterable[str],
    *,
    smoothing: str | None = None,
    weights: Sequence[float] = (),
    jobs: int = 1,
) -> Iterator[UnitScore]:
    """Score each text as a whole, as if it were alone: one score a text, in order; an empty text has 0 tokens.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b. a c."])
    >>> [(s.tokens, s.bits) for s in markov_cli.score_texts(model, ["a b. a b.", ""], smoothing="none")]
    [(8, 2.0), (0, 0.0)]
    """
    documents = Documents([_one_predictor(models, smoothing, weights)], jobs)
    for _, (units,) in documents.score(batches_of((text.encode("utf-8", "replace"), None) for text in texts)):
        yield from unit_scores(units)


def classify(
    models: Sequence[Model], texts: Iterable[str], *, smoothing: str | None = None, jobs: int = 1
) -> Iterator[Classified]:
    """Give each text to the model that needs the fewest bits for it.

    A text is one line: it holds no newline. OptionError for fewer than two models.

    >>> import markov_cli
    >>> cats, dogs = (markov_cli.train(texts=[f"a {x} ran"]) for x in ("cat", "dog"))
    >>> [c.model for c in markov_cli.classify([cats, dogs], ["the dog", "the cat"])]
    [1, 0]
    """
    if len(models) < 2:
        raise OptionError("classify needs several models", "give two models or more")

    def lines() -> Iterator[tuple[bytes, None]]:
        for number, text in enumerate(texts):
            if "\n" in text:
                raise OptionError(f"classify: text {number} holds a newline", "give one line at a time")
            yield text.encode("utf-8", "replace"), None

    documents = Documents(predictors_of(models, smoothing), jobs, are_lines=True)
    for _, units in documents.score(batches_of(lines())):
        best, margin = fewest_bits(units)
        for text, i, bits in zip(units[0].texts, best.tolist(), margin.tolist(), strict=True):
            yield Classified(text.decode("utf-8", "replace"), i if i >= 0 else None, bits)


def tune_mixture(
    models: Sequence[Model],
    paths: Paths = (),
    *,
    texts: Iterable[str] = (),
    smoothing: str | None = None,
    encoding: str = "utf-8",
    jobs: int = 1,
) -> Tuned:
    """Find the weights under which held-out text is most probable, by expectation-maximisation.

    paths, texts  held-out text: text that no model was trained on

    OptionError if the models read text differently; TextError if no model gives a token a probability.

    >>> import markov_cli
    >>> cats, dogs = (markov_cli.train(texts=[f"a {x} ran"]) for x in ("cat", "dog"))
    >>> found = markov_cli.tune_mixture([cats, dogs], texts=["a cat ran", "a cat ran", "a dog ran"], smoothing="kn")
    >>> bool(found.weights[0] > found.weights[1])
    True
    """
    return tuned(predictors_of(models, smoothing), sources_of(paths, texts), check_encoding(encoding), jobs)


def tuned(predictors: Sequence[Predictor], held_out: Sequence[Source], encoding: str, jobs: int) -> Tuned:
    """Find the weights of predictors on held-out sources."""
    check_alike(predictors)
    equal = mixed(predictors, np.full(len(predictors), 1 / len(predictors)))
    parts, totals = probabilities(Reading(equal, held_out, encoding, jobs))
    check_known(totals, equal)
    found = tune(parts)
    if found.skipped == totals.tokens:
        raise TextError(
            f"{held_out[0].name}: no model gives any of its tokens a probability", "use a smoothing: --smoothing kn"
        )
    return found


__all__ = [
    "Classified", "TokenScore", "Tuned", "UnitScore",
    "classify", "score", "score_texts", "score_tokens", "score_units", "tune_mixture",
]  # fmt: skip
