"""What follows one history: what was seen there, or what is likeliest under a smoothing."""

from __future__ import annotations

import numpy as np

from ..api.results import Follower, Followers
from ..model.distribution import Distribution, full_distribution
from ..model.table import Table
from ..text.types import BOS
from ..text.vocabulary import Vocabulary

_TOUCHES = ("", "left", "right", "both")


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
    table = distribution.table
    at = np.array([row], np.int64)
    p = full_distribution(distribution, level, row)
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
