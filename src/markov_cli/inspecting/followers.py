"""Followers of a history: the types seen there, or the likeliest ones under a smoothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..model.discounts import BLEND
from ..model.distribution import Distribution, full_distribution
from ..model.language_model import LanguageModel
from ..model.table import Table
from ..text.types import BOS
from ..text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from ..model.blend import Blend

_TOUCHES = ("", "left", "right", "both")


@dataclass(frozen=True)
class Follower:
    """A type seen after a history; `token` is None for the marker named in `marker`.

    count    how often it was seen there, a whole number but in models of weighted counts; None where the
             model holds probabilities only
    touches  "left", "right" or "both": the sides on which this type has no white space
    id       its number in the model
    """

    token: str | None
    count: float | None
    probability: float
    marker: str | None = None
    touches: str = ""
    id: int = -1

    def to_dict(self) -> dict[str, Any]:
        """The follower as JSON has it: `marker` and `touches` only where there is one."""
        out: dict[str, Any] = {"token": self.token}
        if self.marker:
            out["marker"] = self.marker
        if self.touches:
            out["touches"] = self.touches
        return {**out, "count": _rounded(self.count), "probability": self.probability}


@dataclass(frozen=True)
class Followers:
    """The followers of one history.

    history    its tokens, markers by name
    used       how many of the tokens asked for it holds
    total      how often it was followed by anything; None where the model holds probabilities only
    n_followers  distinct ones seen; `followers` are the commonest, or the likeliest under a smoothing
    """

    history: list[str]
    used: int
    total: float | None
    n_followers: int
    followers: list[Follower]

    def to_dict(self) -> dict[str, Any]:
        """The followers as JSON has them."""
        return {
            "history": self.history,
            "used": self.used,
            "total": _rounded(self.total),
            "n_followers": self.n_followers,
            "followers": [one.to_dict() for one in self.followers],
        }


def _rounded(count: float | None) -> float | None:
    """A count; weighted ones to six places."""
    return round(count, 6) if isinstance(count, float) else count


def followers_of(
    model: LanguageModel, level: int, row: int, top: int | None = None, smoothing: str | None = None
) -> Followers:
    """The followers of one known history, the commonest first; the likeliest under another smoothing."""
    if model.uses_raw_counts(smoothing):
        return model.checked(seen_followers, model.table, model.vocabulary, level, row, top)
    if smoothing == BLEND:
        ids = model.checked(model.table.ngram, level, row)
        p = model.checked(_of_blend, model.blend(), ids)
        return model.checked(_likeliest, p, model.table, model.vocabulary, level, row, top, True)
    distribution = model.distribution(smoothing)
    return model.checked(likely_followers, distribution, model.vocabulary, level, row, top, model.holds_counts)


def backoff(
    model: LanguageModel, level: int, row: int, top: int | None = None, smoothing: str | None = None
) -> list[Followers]:
    """The followers of a known history and of each shorter one, down to no history."""
    out = []
    while True:
        out.append(followers_of(model, level, row, top, smoothing))
        if level == 0:
            return out
        row = int(model.checked(model.table.shorter, level, np.array([row]))[0])
        level -= 1


def seen_followers(table: Table, vocabulary: Vocabulary, level: int, row: int, top: int | None = None) -> Followers:
    """The followers of the history in `row` of order `level`, the commonest first."""
    at = np.array([row], np.int64)
    low, high = (int(x[0]) for x in table.followers(level, at))
    count = table.orders[level].count.slice(low, high)
    if level == 0:
        count = count.copy()
        count[BOS] = 0
    seen = np.flatnonzero(count)
    order = seen[np.argsort(-count[seen], kind="stable")][:top]
    total = table.total(level, at)[0].item()
    if table.pruned:  # what was dropped is not drawn either
        total = count.sum().item()
    ids = table.tokens(level + 1, order + low).tolist()
    found = [follower(vocabulary, i, c, c / total) for i, c in zip(ids, count[order].tolist(), strict=True)]
    history = [vocabulary.name_of(i) for i in table.ngram(level, row)]
    return Followers(history, level, total, len(seen), found)


def likely_followers(
    distribution: Distribution,
    vocabulary: Vocabulary,
    level: int,
    row: int,
    top: int | None = None,
    counted: bool = True,
) -> Followers:
    """Every id can follow: those with the highest p, and how often each was seen.

    counted  False where the table holds probabilities only
    """
    p = full_distribution(distribution, level, row)
    return _likeliest(p, distribution.table, vocabulary, level, row, top, counted)


def _of_blend(blend: Blend, ids: list[int]) -> np.ndarray:
    """p of every id after a history; exactly, where the mixture is linear."""
    if blend.parameters is None or blend.parameters.mixture == "linear":
        return blend.whole(ids)
    from ..scoring.next_of_blend import NextOfBlend

    return NextOfBlend(blend).after([np.array(ids, np.int64)])[0]


def _likeliest(
    p: np.ndarray, table: Table, vocabulary: Vocabulary, level: int, row: int, top: int | None, counted: bool
) -> Followers:
    at = np.array([row], np.int64)
    ids = np.lexsort((np.arange(len(p)), -p))
    ids = ids[p[ids] > 0][:top]
    low, high = (int(x[0]) for x in table.followers(level, at))
    count = np.zeros(len(p), np.int64 if not counted or table.orders[level].count.whole else np.float64)
    if counted:
        count[table.tokens(level + 1, np.arange(low, high))] = table.orders[level].count.slice(low, high)
        count[BOS] = 0
    listed = high - low if level else int(np.count_nonzero(p))
    seen = int(np.count_nonzero(count)) if counted else listed
    total = table.total(level, at)[0].item() if counted else None
    found = [follower(vocabulary, i, count[i].item() if counted else None, float(p[i])) for i in ids.tolist()]
    return Followers([vocabulary.name_of(i) for i in table.ngram(level, row)], level, total, seen, found)


def follower(vocabulary: Vocabulary, i: int, count: float | None, probability: float) -> Follower:
    """One id as a person is shown it."""
    marker = vocabulary.marker(i)
    touches = _TOUCHES[int(vocabulary.flags[i]) & 3] if len(vocabulary.flags) else ""
    return Follower(None if marker else vocabulary.text_of(i), count, probability, marker, touches, i)
