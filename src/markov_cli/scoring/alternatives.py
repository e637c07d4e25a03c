"""The likeliest tokens at places of a text, under one model or a mixture.

Legend: L codes of a stream; m places; K models; V ids of a model; C candidates; a code is as in text/model_ids.py.

Histories repeat, and each distinct one is worked out once. A blend and a mixture have no history of their own in a
table, so a place stands for itself there. Of a mixture, the candidates are the likeliest of each model; a code that no
model has among these is not found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..model.distribution import Distribution, probability
from ..text.model_ids import Recoder
from ..text.types import BOS
from .blended import BlendScorer
from .likeliest import best_of_each, known_places, likeliest
from .next_of_blend import NextOfBlend
from .predictor import Predictor
from .whole_blend import WholeBlend

OF_EACH = 20  # candidates of each model of a mixture
_CELLS = 1 << 21  # places times ids of a blend that are worked out at one time
_MOST_CELLS = 1 << 27  # in all: places of a blend beyond these have no alternatives
_MOST_ADAPTED = 1 << 24  # the same for a blend that adapts
_BLOCK = 1 << 12  # places of a mixture at one time


@dataclass
class Alternatives:
    """The k likeliest tokens at places of a stream.

    group  int64 (m,), the row of each place; -1 for a place that was left out
    codes  int64 (g, k), -1 where there are fewer
    p      float64 (g, k), the largest first
    """

    group: np.ndarray
    codes: np.ndarray
    p: np.ndarray


def alternatives(predictor: Predictor, recoder: Recoder, codes: np.ndarray, places: np.ndarray, k: int) -> Alternatives:
    """The k likeliest codes at places of a stream of whole sequences; a blend does not adapt here.

    codes   int64 (L,), from BOS on
    places  int64 (m,), rising; none of a BOS
    """
    found: Alternatives = predictor.guard(_alternatives, predictor, recoder, codes, places, k)
    return found


def _alternatives(
    predictor: Predictor, recoder: Recoder, codes: np.ndarray, places: np.ndarray, k: int
) -> Alternatives:
    ids = [recoder.ids(j, codes).astype(np.int64) for j in range(len(predictor.scorers))]
    scorers = predictor.scorers
    if predictor.weights is None and not isinstance(scorers[0], BlendScorer):
        found = _of_one(scorers[0].distribution, ids[0], places, predictor.borders.within, k)
        found.codes = recoder.codes(0, found.codes)
        return found
    cells = sum(s.table.n_ids for s in scorers if isinstance(s, BlendScorer))
    some = places[: max(_MOST_CELLS // cells, 1)] if cells else places
    parts = [*_mixed(predictor, recoder, ids, some, k)]
    group = np.where(np.arange(len(places)) < len(some), np.arange(len(places)), -1)
    nothing = np.empty((0, k))
    return Alternatives(
        group,
        np.concatenate([nothing.astype(np.int64), *(c for c, _ in parts)]),
        np.concatenate([nothing, *(p for _, p in parts)]),
    )


def adapted_alternatives(
    predictor: Predictor, recoder: Recoder, codes: np.ndarray, places: np.ndarray, documents: np.ndarray, k: int
) -> Alternatives:
    """As `alternatives`, of a blend that adapts: each place costs a sum over all ids and over its document so far.

    documents  int64, where a document ends in the stream and the next one begins, rising
    """
    scorer = predictor.scorers[0]
    assert isinstance(scorer, BlendScorer)
    some = places[: max(_MOST_ADAPTED // scorer.table.n_ids, 1)]
    if predictor.borders.within:
        some = places[:0]  # a document is read with its beginnings there
    found: tuple[np.ndarray, np.ndarray] = predictor.guard(
        _adapted, scorer, recoder.ids(0, codes).astype(np.int64), some, documents, k
    )
    group = np.where(np.arange(len(places)) < len(some), np.arange(len(places)), -1)
    return Alternatives(group, recoder.codes(0, found[0]), found[1])


def _adapted(
    scorer: BlendScorer, ids: np.ndarray, places: np.ndarray, documents: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    following = NextOfBlend(scorer.distribution, adapts=True)
    begins = np.concatenate(([0], documents))[np.searchsorted(documents, places, "right")]
    out_ids, out_p = np.empty((len(places), k), np.int64), np.empty((len(places), k))
    for i, (begin, place) in enumerate(zip(begins.tolist(), places.tolist(), strict=True)):
        p = following.after([ids[begin:place]])[0]
        every = np.arange(len(p))
        out_ids[i], out_p[i] = (column[0] for column in best_of_each(np.zeros_like(every), every, p, 1, k))
    return out_ids, out_p


def _of_one(distribution: Distribution, ids: np.ndarray, places: np.ndarray, within: bool, k: int) -> Alternatives:
    at = known_places(distribution.table, ids, within)
    key = np.stack((at.level[places], at.row[places], at.lost[places] * distribution.minds_missing))
    distinct, which = np.unique(key, axis=1, return_inverse=True)
    level, row, lost = distinct
    found, p = likeliest(distribution, level, row, k)
    return Alternatives(which.ravel(), found, _missing(distribution, p, lost))


def _missing(distribution: Distribution, p: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """p after histories that are longer by `lost` tokens and not in the table: float64 (m, k)."""
    for j in range(int(lost.max(initial=0)) if distribution.minds_missing else 0):
        rows = np.flatnonzero(lost > j)
        p[rows] = np.where(p[rows] > 0, distribution.missing(p[rows].ravel()).reshape(len(rows), -1), 0.0)
    return p


# ------------------------------------------------------------ several models, or blends


def _mixed(
    predictor: Predictor, recoder: Recoder, ids: list[np.ndarray], places: np.ndarray, k: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Codes and p of the k best at blocks of places."""
    weights = np.ones(1) if predictor.weights is None else predictor.weights
    within = predictor.borders.within
    views = [
        _WholeView(s, i, within) if isinstance(s, BlendScorer) else _View(s.distribution, i, within)
        for s, i in zip(predictor.scorers, ids, strict=True)
    ]
    step = min(view.block for view in views)
    of_each = k if len(views) == 1 else max(OF_EACH, k)
    for low in range(0, len(places), step):
        some = places[low : low + step]
        found = [recoder.codes(j, view.best(some, of_each)) for j, view in enumerate(views)]
        codes = np.sort(np.concatenate(found, axis=1), axis=1)  # (B, C)
        codes[:, 1:][codes[:, 1:] == codes[:, :-1]] = -1  # each once
        p = np.zeros(codes.shape)
        for j, (weight, view) in enumerate(zip(weights.tolist(), views, strict=True)):
            if weight:
                p += weight * view.at(some, recoder.ids(j, np.maximum(codes, 0)).astype(np.int64))
        p[codes < 0] = 0.0
        of = np.repeat(np.arange(len(some)), codes.shape[1])
        yield best_of_each(of, codes.ravel(), p.ravel(), len(some), k)


class _View:
    """One model of a mixture at the places of a stream."""

    block = _BLOCK

    def __init__(self, distribution: Distribution, ids: np.ndarray, within: bool) -> None:
        self.distribution, self.places = distribution, known_places(distribution.table, ids, within)

    def best(self, at: np.ndarray, k: int) -> np.ndarray:
        """The k likeliest ids at places: int64 (B, k)."""
        level, row = self.places.level[at], self.places.row[at]
        distinct, which = np.unique(np.stack((level, row)), axis=1, return_inverse=True)
        return likeliest(self.distribution, distinct[0], distinct[1], k)[0][which.ravel()]

    def at(self, at: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """p of ids (B, C) at places: float64 (B, C)."""
        n = ids.shape[1]
        level, row = np.repeat(self.places.level[at], n), np.repeat(self.places.row[at], n)
        p = probability(self.distribution, level, row, ids.ravel()).reshape(ids.shape)
        p[ids == BOS] = 0.0
        return _missing(self.distribution, p, self.places.lost[at])


class _WholeView:
    """One blend at the places of a stream: whole distributions, worked out block by block."""

    def __init__(self, scorer: BlendScorer, ids: np.ndarray, within: bool) -> None:
        self.scorer, self.ids = scorer, ids
        blend = scorer.distribution
        self.block = max(_CELLS // blend.table.n_ids, 1)
        self._held: tuple[np.ndarray, np.ndarray] | None = None
        if scorer.log_linear is None:
            self._whole = WholeBlend(blend)
            parts = [(blend.table, ids), *((one.table, one.class_of[ids]) for one in blend.classes)]
            self._places = [known_places(table, of, within) for table, of in parts]

    def _all(self, at: np.ndarray) -> np.ndarray:
        """p of every id at places: float (B, V)."""
        if self._held is None or self._held[0] is not at:
            self._held = at, self._of_log_linear(at) if self.scorer.log_linear is not None else self._of_linear(at)
        return self._held[1]

    def _of_linear(self, at: np.ndarray) -> np.ndarray:
        words, *classes = [(one.level[at], one.row[at]) for one in self._places]
        p = self._whole.at(words, classes)
        return p / p.sum(axis=1, keepdims=True)

    def _of_log_linear(self, at: np.ndarray) -> np.ndarray:
        parameters = self.scorer.distribution.parameters
        assert self.scorer.log_linear is not None and parameters is not None
        exponents = np.array(parameters.exponents)
        found = self.scorer.log_linear.blocks(self.ids, None, 0, wanted=at)
        return np.concatenate([b.probabilities(np.tile(exponents, (len(b.target), 1))) for b in found])

    def best(self, at: np.ndarray, k: int) -> np.ndarray:
        """The k likeliest ids at places: int64 (B, k)."""
        p = self._all(at)
        k = min(k, p.shape[1])
        return np.argpartition(-p, k - 1, axis=1)[:, :k]

    def at(self, at: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """p of ids (B, C) at places: float64 (B, C)."""
        p = np.take_along_axis(self._all(at), ids, axis=1).astype(np.float64)
        p[ids == BOS] = 0.0
        return p
