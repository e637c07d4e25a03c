"""Results of scoring: of texts, units and tokens; of classification and of mixtures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from ..errors import TextError
from ..scoring.mixture_weights import Tuned, probabilities, tune
from ..scoring.predictor import Predictor, check_alike, mixed
from ..scoring.text_totals import Reading, Units, check_known, total
from ..scoring.totals import Totals
from ..text.reading import Repairs, Source
from .results import OPTIONAL, PYTHON_ONLY, RepairCounts, Result, rounded


@dataclass(frozen=True, kw_only=True)
class Score(Result):
    """The score of a text; its tokens are those of the text and one `</s>` for each sequence.

    model                   the file of the model, where several are compared
    oov                     tokens outside the vocabulary, which are scored as `<unk>`
    log10_probability       of the whole text; minus infinity if a token has probability 0
    perplexity              2 ** bits_per_token, OOV included; infinite if a token has probability 0
    perplexity_without_oov  of the tokens that the model knows, as KenLM's `query` gives it
    bits_per_token, bits_per_byte  cross-entropy; bytes are those of the text in UTF-8
    zero_probability        tokens of probability 0
    spelled_bits            of bits, those that spell OOVs; None where nothing is spelled
    bits                    -log2 of the probability of the tokens whose probability is not 0
    models, weights         of a mixture
    """

    model: str | None = field(default=None, metadata=OPTIONAL)
    tokens: int
    oov: int
    sequences: int
    log10_probability: float
    perplexity: float
    perplexity_without_oov: float
    bits_per_token: float
    bits_per_byte: float
    zero_probability: int
    text_bytes: int
    spelled_bits: float | None = field(default=None, metadata=OPTIONAL)
    repairs: RepairCounts
    bits: float = field(metadata=PYTHON_ONLY)
    models: tuple[str, ...] | None = field(default=None, metadata=OPTIONAL)
    weights: tuple[float, ...] | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class UnitScore(Result):
    """The score of one unit of a text: a sentence, a line, the unit of the model.

    tokens      tokens of the unit and one `</s>`; 0 for a blank line
    oov         tokens outside the vocabulary
    bits        -log2 of its probability; infinite if a token has probability 0
    perplexity  2 ** (bits / tokens)
    longest     tokens in the longest n-gram of the table that occurs in it
    line        the line of its text on which it begins, from 1; of a record, the line of the record

    A blank line has no tokens, and its perplexity is not a number.
    """

    text: str
    tokens: int
    oov: int
    bits: float = rounded(6)
    perplexity: float = rounded(6)
    longest: int = 0
    line: int = 0


@dataclass(frozen=True)
class TextScore(Result):
    """The score of one whole text, with the keys that `score --jsonl` adds to a line.

    perplexity     not a number for a text without tokens
    bits_per_byte  None for a text without bytes
    scored_tokens  tokens of the text and one `</s>` for each sequence
    scored_oov     tokens outside the vocabulary
    """

    perplexity: float = rounded(4)
    bits_per_byte: float | None = rounded(6)
    scored_tokens: int = 0
    scored_oov: int = 0


@dataclass(frozen=True, kw_only=True)
class TokenScore(Result):
    """The score of one token.

    token    its text; None for a marker
    marker   `</s>` at the end of a sequence; None for a token of the text
    oov      True if the model does not know it
    bits     -log2 of its probability; infinite for probability 0
    longest  tokens in the longest n-gram of the table that ends there
    """

    token: str | None
    marker: str | None = field(default=None, metadata=OPTIONAL)
    oov: bool
    bits: float = rounded(6)
    longest: int


@dataclass(frozen=True)
class Classified(Result):
    """The model that needs the fewest bits for a line.

    model        its file, or `model 2` for the second of several in memory; None if no model is ahead
    margin_bits  bits that the second-best model needs more; infinite if it gives the line probability 0
    index        the place of the model among those given, from 0
    """

    model: str | None
    margin_bits: float = rounded(6)
    text: str = ""
    index: int | None = field(default=None, metadata=PYTHON_ONLY)


@dataclass(frozen=True)
class TunedMixture(Result):
    """Weights of a mixture, found on held-out text.

    rounds                of expectation-maximisation
    bits_per_token        of the mixture with these weights
    bits_per_token_alone  of each model by itself; infinite if it gives a token probability 0
    zero_probability      tokens left out, to which no model gives a probability
    """

    models: tuple[str, ...]
    weights: tuple[float, ...]
    rounds: int
    bits_per_token: float
    bits_per_token_alone: tuple[float, ...]
    zero_probability: int


# ------------------------------------------------------------ from the engine's figures


def totals_of(
    predictor: Predictor, sources: Sequence[Source], encoding: str, jobs: int, check: bool = True
) -> tuple[Totals, Repairs]:
    """Totals of all sources, and the repairs of their text.

    check  raise TextError if the predictor knows no token of the text
    """
    reading = Reading(predictor, sources, encoding, jobs)
    totals = total(reading)
    if check:
        check_known(totals, predictor)
    return totals, reading.repairs


def score_of(t: Totals, repairs: Repairs, **more: object) -> Score:
    """Totals as a result; `more` are the fields of several models."""
    return Score(
        tokens=t.tokens,
        oov=t.oov,
        sequences=t.sequences,
        log10_probability=t.log10_probability,
        perplexity=t.perplexity,
        perplexity_without_oov=t.perplexity_without_oov,
        bits_per_token=t.bits_per_token,
        bits_per_byte=t.bits_per_byte,
        zero_probability=t.zero,
        text_bytes=t.text_bytes,
        spelled_bits=t.spelled_bits or None,
        repairs=RepairCounts.of(repairs),
        bits=t.bits,
        **more,  # type: ignore[arg-type]
    )


SCORE_KEYS = tuple(one.name for one in fields(TextScore))  # what is added to each record


def text_scores(units: Units) -> Iterator[TextScore]:
    """The scores of texts that were scored one by one."""
    columns = (units.perplexity, units.all_bits, units.tokens, units.oov)
    for text, perplexity, bits, tokens, oov in zip(units.texts, *(c.tolist() for c in columns), strict=True):
        yield TextScore(perplexity, bits / len(text) if text else None, tokens, oov)


def tuned(
    predictors: Sequence[Predictor], held_out: Sequence[Source], encoding: str, jobs: int, proper: bool = False
) -> Tuned:
    """Find the weights of predictors on held-out sources; `proper` as in `probabilities`."""
    check_alike(predictors)
    equal = mixed(predictors, np.full(len(predictors), 1 / len(predictors)))
    parts, totals = probabilities(Reading(equal, held_out, encoding, jobs), proper)
    check_known(totals, equal)
    found = tune(parts)
    if found.skipped == totals.tokens:
        raise TextError(
            f"{held_out[0].name}: no model gives any of its tokens a probability", "use a smoothing: --smoothing kn"
        )
    return found


def tuned_mixture(names: Sequence[str], found: Tuned) -> TunedMixture:
    """Weights as a result."""
    weights, alone = tuple(found.weights.tolist()), tuple(found.alone.tolist())
    return TunedMixture(tuple(names), weights, found.rounds, found.bits[-1], alone, found.skipped)
