"""Scores of texts, units and tokens; classification of lines; weights of mixtures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..errors import OptionError
from ..scoring.documents import Documents, batches_of, fewest_bits
from ..scoring.predictor import Borders, Predictor, checked_weights, mixed, predictors_of
from ..scoring.text_totals import Reading, numbered_units
from ..scoring.token_names import token_names
from ..text.reading import check_encoding
from ..text.record_format import record_format
from ..text.sources import EXPANSION, Paths, Texts, listed, sources_of
from ..text.types import UNK
from .model import Model, ModelLike, opened
from .score_results import (
    Classified,
    Score,
    TextScore,
    TokenScore,
    TunedMixture,
    UnitScore,
    score_of,
    text_scores,
    totals_of,
    tuned,
    tuned_mixture,
)

Models = ModelLike | Iterable[ModelLike]


def _opened(models: Models) -> list[Model]:
    if isinstance(models, (Model, str, os.PathLike)):
        return [opened(models)]
    return [opened(model) for model in models]


def _names(models: Sequence[Model]) -> list[str]:
    return [model.path or f"model {k}" for k, model in enumerate(models, 1)]


def _predictors(
    models: Sequence[Model],
    smoothing: str | None,
    within: bool,
    open_end: bool,
    adapt: bool = False,
    spell: bool = False,
) -> list[Predictor]:
    borders = Borders(within, open_end)
    return predictors_of([m.language_model for m in models], smoothing, _names(models), adapt, borders, spell)


def _predictor(
    models: Sequence[Model],
    smoothing: str | None,
    weights: Sequence[float],
    within: bool,
    open_end: bool,
    adapt: bool = False,
    spell: bool = False,
) -> Predictor:
    """A predictor of one model, or of several mixed."""
    found = _predictors(models, smoothing, within, open_end, adapt, spell)
    if len(found) == 1:
        return found[0]
    return mixed(found, checked_weights(weights or [1.0] * len(found), len(found))[0])


# ------------------------------------------------------------ totals


def score(
    models: Models,
    paths: Paths = (),
    *,
    texts: Texts = (),
    smoothing: str | None = None,
    weights: Sequence[float] = (),
    within: bool = False,
    open_end: bool = False,
    adapt: bool = False,
    spell: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    jobs: int = 1,
) -> Score:
    """Score text with a model, or with several mixed: tokens, OOV, bits, perplexity.

    models     one, or several, which are mixed
    smoothing  None for `kn`, or for a model's own probabilities
    weights    of the models; equal if none are given
    within     no `<s>` before a sequence: its first token has no history (KenLM's `query -n` does both)
    open_end   no `</s>` behind it: its end is not scored
    adapt      what was read before in a text changes the probabilities; the model must be tuned for it, see `tune`
    spell      spell tokens outside the vocabulary: `<unk>` stands for the bytes that its words are made of; one model
    jsonl, csv, parquet, skip_bad  the texts are in a field of records, as in `train`
    max_expansion, markers, strip  how files are read, as in `train`

    TextError if the text has no token, or none that a model knows; OptionError if models read text differently, or
    weights are wrong; NeedsCounts if a model holds no counts and a smoothing is named.

    >>> import markov_cli
    >>> cats, dogs = (markov_cli.train(texts=[f"a {x} ran"]) for x in ("cat", "dog"))
    >>> found = markov_cli.score([cats, dogs], texts=["a cat ran"], smoothing="none")
    >>> found.tokens, round(found.bits, 6)  # cat: 1/2; ran: (1 + 1/4) / 2, for one model does not know cat
    (4, 1.678072)
    """
    several = _opened(models)
    predictor = _predictor(several, smoothing, weights, within, open_end, adapt, spell)
    sources = sources_of(
        paths, texts, max_expansion, record_format(jsonl, csv, parquet, skip_bad=skip_bad), markers, strip
    )
    found = totals_of(predictor, sources, check_encoding(encoding), jobs)
    if predictor.weights is None:
        return score_of(*found)
    return score_of(*found, models=tuple(_names(several)), weights=tuple(predictor.weights.tolist()))


# ------------------------------------------------------------ units, tokens, texts


def score_units(
    models: Models,
    paths: Paths = (),
    *,
    texts: Texts = (),
    smoothing: str | None = None,
    weights: Sequence[float] = (),
    within: bool = False,
    open_end: bool = False,
    adapt: bool = False,
    spell: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    skip_blank: bool = False,
    jobs: int = 1,
) -> Iterator[UnitScore]:
    """Score each unit of a text (a sentence, a line: the model's unit), in order; blank lines, too, if it is a line.

    skip_blank  leaves out blank lines

    models, smoothing, weights, within, open_end, adapt, spell, jsonl, csv, parquet, skip_bad, max_expansion,
    markers, strip, and errors as in `score`

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b. a c."])
    >>> [(u.text, u.tokens, u.bits) for u in markov_cli.score_units(model, texts=["a b. a c."], smoothing="none")]
    [('a b.', 4, 1.0), ('a c.', 4, 1.0)]
    """
    predictor = _predictor(_opened(models), smoothing, weights, within, open_end, adapt, spell)
    sources = sources_of(
        paths, texts, max_expansion, record_format(jsonl, csv, parquet, skip_bad=skip_bad), markers, strip
    )
    reading = Reading(predictor, sources, check_encoding(encoding), jobs, keep_text=True)
    for units in numbered_units(reading, not skip_blank):
        columns = (units.tokens, units.oov, units.all_bits, units.perplexity, units.longest, units.lines)
        for text, *numbers in zip(units.texts, *(c.tolist() for c in columns), strict=True):
            yield UnitScore(text.decode("utf-8", "replace"), *numbers)


def score_tokens(
    models: Models,
    paths: Paths = (),
    *,
    texts: Texts = (),
    smoothing: str | None = None,
    weights: Sequence[float] = (),
    within: bool = False,
    open_end: bool = False,
    adapt: bool = False,
    spell: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    jobs: int = 1,
) -> Iterator[TokenScore]:
    """Score each token of a text, and the end of each sequence, in order.

    models, smoothing, weights, within, open_end, adapt, spell, jsonl, csv, parquet, skip_bad, max_expansion,
    markers, strip, and errors as in `score`

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b. a c."])
    >>> [(t.token, t.bits) for t in markov_cli.score_tokens(model, texts=["a b."], smoothing="none")]
    [('a', 0.0), ('b', 1.0), ('.', 0.0), (None, 0.0)]
    """
    predictor = _predictor(_opened(models), smoothing, weights, within, open_end, adapt, spell)
    sources = sources_of(
        paths, texts, max_expansion, record_format(jsonl, csv, parquet, skip_bad=skip_bad), markers, strip
    )
    reading = Reading(predictor, sources, check_encoding(encoding), jobs, stream_codes=1 << 16)
    for scored in reading.scored():
        rows = scored.tokens()
        names, which = token_names(rows, reading.recoder.encoders[0])
        bits = np.where(rows.p > 0, rows.bits()[0], np.inf)
        columns = which.tolist(), (rows.ids == UNK).tolist(), bits.tolist(), rows.longest.tolist()
        for i, oov, cost, longest in zip(*columns, strict=True):
            token, marker = names[i]
            yield TokenScore(token=token, marker=marker, oov=oov, bits=cost, longest=longest)


def score_texts(
    models: Models,
    texts: Texts,
    *,
    smoothing: str | None = None,
    weights: Sequence[float] = (),
    within: bool = False,
    open_end: bool = False,
    adapt: bool = False,
    spell: bool = False,
    jobs: int = 1,
) -> Iterator[TextScore]:
    """Score each text as a whole, as if it were alone: one score for each, in order.

    models, smoothing, weights, within, open_end, adapt, spell, and errors as in `score`, but a text may have no token

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b. a c."])
    >>> [s.scored_tokens for s in markov_cli.score_texts(model, ["a b. a b.", ""], smoothing="none")]
    [8, 0]
    """
    documents = Documents([_predictor(_opened(models), smoothing, weights, within, open_end, adapt, spell)], jobs)
    every = (text.encode("utf-8", "replace") for text in listed(texts))
    for _, (units,) in documents.score(batches_of((text, None) for text in every)):
        yield from text_scores(units)


def classify(
    models: Iterable[ModelLike],
    texts: Texts,
    *,
    smoothing: str | None = None,
    within: bool = False,
    open_end: bool = False,
    jobs: int = 1,
) -> Iterator[Classified]:
    """Give each line to the model that needs the fewest bits for it.

    models     two or more; they may read text differently
    texts      one line each
    smoothing  None for `kn`, or for a model's own probabilities
    within, open_end  as in `score`

    OptionError for fewer than two models, or a text that holds a newline.

    >>> import markov_cli
    >>> cats, dogs = (markov_cli.train(texts=[f"a {x} ran"]) for x in ("cat", "dog"))
    >>> [found.index for found in markov_cli.classify([cats, dogs], ["the dog", "the cat"])]
    [1, 0]
    """
    several = _opened(models)
    if len(several) < 2:
        raise OptionError("classify needs several models", "give two models or more")
    names = _names(several)

    def lines() -> Iterator[tuple[bytes, None]]:
        for number, text in enumerate(listed(texts)):
            if "\n" in text:
                raise OptionError(f"classify: text {number} holds a newline", "give one line at a time")
            yield text.encode("utf-8", "replace"), None

    documents = Documents(_predictors(several, smoothing, within, open_end), jobs, are_lines=True)
    for _, units in documents.score(batches_of(lines())):
        best, margin = fewest_bits(units)
        for text, i, bits in zip(units[0].texts, best.tolist(), margin.tolist(), strict=True):
            told = (names[i], i) if i >= 0 else (None, None)
            yield Classified(told[0], bits, text.decode("utf-8", "replace"), told[1])


# ------------------------------------------------------------ weights


def tune_mixture(
    models: Iterable[ModelLike],
    paths: Paths = (),
    *,
    texts: Texts = (),
    smoothing: str | None = None,
    within: bool = False,
    open_end: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    jobs: int = 1,
) -> TunedMixture:
    """Find the weights under which held-out text is most probable, by expectation-maximisation.

    models        two or more, which read text alike
    paths, texts  held-out text: text that no model was trained on
    smoothing     None for `kn`, or for a model's own probabilities
    within, open_end  as in `score`
    jsonl, csv, parquet, skip_bad  the texts are in a field of records, as in `train`
    max_expansion, markers, strip  how files are read, as in `train`

    OptionError if the models read text differently; TextError if no model gives a token a probability.

    >>> import markov_cli
    >>> cats, dogs = (markov_cli.train(texts=[f"a {x} ran"]) for x in ("cat", "dog"))
    >>> found = markov_cli.tune_mixture([cats, dogs], texts=["a cat ran", "a cat ran", "a dog ran"])
    >>> found.weights[0] > found.weights[1]
    True
    """
    several = _opened(models)
    sources = sources_of(
        paths, texts, max_expansion, record_format(jsonl, csv, parquet, skip_bad=skip_bad), markers, strip
    )
    found = tuned(_predictors(several, smoothing, within, open_end), sources, check_encoding(encoding), jobs)
    return tuned_mixture(_names(several), found)
