"""Canaries: secrets put into a training text, and their exposure in a model."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..evidence.corpus.canary import Canaries, make
from ..evidence.corpus.exposure import Exposure, Exposures
from ..evidence.corpus.exposure import score as expose
from ..generation.request import new_seed
from .model import Model, ModelLike, opened
from .results import Result, rounded, significant


@dataclass(frozen=True, kw_only=True)
class CanaryGroup(Result):
    """The canaries that were put in equally often.

    repeat         how often; 0 for controls, which were never put in
    exposure_is    `exact`, `estimate`, or `bound`: at least
    ranked_first   how many of them come before all other fillings
    p_of_median    probability that a filling that was never put in is as exposed as their median
    """

    repeat: int
    canaries: int
    median_exposure_bits: float = rounded(6)
    least_exposure_bits: float = rounded(6)
    most_exposure_bits: float = rounded(6)
    exposure_is: str
    ranked_first: int
    p_of_median: float = significant(6)


@dataclass(frozen=True, kw_only=True)
class ScoredCanary(Result):
    """One canary and its exposure.

    rank           its place among all fillings of its line, ties at their mean
    exposure_bits  log2 of the number of fillings, less log2 of the rank; `exact`, `estimate`, or `bound`: at least
    p              probability that a filling that was never put in is as exposed
    cost_bits      -log2 of its probability from the first slot on
    """

    name: str
    filling: str
    repeat: int
    text: str
    rank: float
    exposure_bits: float = rounded(6)
    exposure_is: str
    p: float = significant(6)
    cost_bits: float = rounded(6)


@dataclass(frozen=True, kw_only=True)
class CanaryReport(Result):
    """The exposure of canaries in a model.

    keys               the key file; None for canaries in memory
    line               the line with its slots
    fillings           possible fillings; scored of them were compared
    unknown_fillings   share of the fillings with a token that the model does not know
    most_bits          the highest exposure possible
    """

    model: str | None
    keys: str | None
    line: str
    smoothing: str
    fillings: int
    scored: int
    unknown_fillings: float = rounded(6)
    most_bits: float = rounded(6)
    groups: tuple[CanaryGroup, ...]
    canaries: tuple[ScoredCanary, ...]


def make_canaries(
    line: str,
    *,
    count: int = 10,
    repeat: int | Sequence[int] = (1, 2, 4),
    controls: int | None = None,
    seed: int | None = None,
) -> Canaries:
    """Fill the slots of a line at random, to put the lines into a training text.

    line      {d} is a digit, {l} a letter, {name} a made-up name
    count     canaries for each number in repeat
    repeat    how often a canary is put into the text
    controls  canaries that are never put in; None for as many as count
    seed      None to choose one

    OptionError for a line without a slot, or with too few fillings.

    >>> import markov_cli
    >>> made = markov_cli.make_canaries("the code of {name} is {d} {d}", count=1, repeat=[2], seed=1)
    >>> [c.repeat for c in made.canaries]  # one that is put in twice, and a control
    [2, 0]
    >>> len(list(made.lines()))
    2
    """
    repeats = [repeat] if isinstance(repeat, int) else list(repeat)
    return make(line, count, repeats, count if controls is None else controls, new_seed() if seed is None else seed)


def score_canaries(
    model: ModelLike,
    canaries: Canaries | str | os.PathLike[str],
    *,
    smoothing: str | None = None,
    jobs: int = 1,
) -> CanaryReport:
    """Measure the exposure of canaries in a model that was trained with their lines.

    canaries   what `make_canaries` made, or the key file of it
    smoothing  None for kn, or the probabilities that the model holds

    TextError if the file is no key file, or the model reads a line as several sequences.

    >>> import markov_cli
    >>> made = markov_cli.make_canaries("the code of {name} is {d} {d}", count=1, repeat=[2], seed=1)
    >>> text = ["It is one of 0 1 2 3 4 5 6 7 8 9.", *made.lines()]
    >>> found = markov_cli.score_canaries(markov_cli.train(texts=text), made)
    >>> [(g.repeat, g.ranked_first) for g in found.groups]
    [(0, 0), (2, 1)]
    """
    one = opened(model)
    keys = canaries if isinstance(canaries, Canaries) else Canaries.load(canaries)
    judge = one.predictor(smoothing or "kn", one.path or "the model")
    found = expose(judge, one.header.options, keys, jobs)
    path = None if isinstance(canaries, Canaries) else os.fspath(canaries)
    return canary_report(one, path, keys, found, smoothing)


def canary_report(
    model: Model, path: str | None, keys: Canaries, found: Exposures, smoothing: str | None
) -> CanaryReport:
    """All figures of scored canaries."""
    return CanaryReport(
        model=model.path,
        keys=path,
        line=keys.format,
        smoothing="own" if model.header.holds == "probabilities" else smoothing or "kn",
        fillings=found.space,
        scored=found.scored,
        unknown_fillings=found.unknown,
        most_bits=math.log2(found.space),
        groups=tuple(_group(r, found.of_repeat(r)) for r in found.repeats),
        canaries=tuple(
            ScoredCanary(
                name=e.canary.name,
                filling=e.canary.filling,
                repeat=e.canary.repeat,
                text=keys.text(e.canary),
                rank=e.rank,
                exposure_bits=e.bits,
                exposure_is=e.how,
                p=e.p,
                cost_bits=e.cost_bits,
            )
            for e in found.each
        ),
    )


def _group(repeat: int, some: list[Exposure]) -> CanaryGroup:
    bits = [e.bits for e in some]
    how = {e.how for e in some}
    return CanaryGroup(
        repeat=repeat,
        canaries=len(some),
        median_exposure_bits=median(bits),
        least_exposure_bits=min(bits),
        most_exposure_bits=max(bits),
        exposure_is=how.pop() if len(how) == 1 else "bound" if "bound" in how else "estimate",
        ranked_first=sum(e.rank == 1 or e.how == "bound" for e in some),
        p_of_median=2.0 ** -median(bits),
    )
