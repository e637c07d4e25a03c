"""The likeliest next tokens after many histories at one time, without the whole distribution of each.

Legend: m histories, each (level, row) as in model/distribution.py; h' is h without its first token; k tokens are asked
for; f followers; top(h) are the k likeliest tokens after h.

Tokens that do not follow h in the table keep the order that they have after h'. So top(h) is among the followers of h
and top(h'), wherever the followers gain on the others, as with every smoothing of counts. A listed probability can be
below what backing off would give; where the k-th best is not proved this way, the whole distribution is worked out.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays.sorting import ragged
from ..model.distribution import Distribution, full_distribution, histories, probability
from ..model.table import Table
from ..text.types import BOS

_FOLLOWERS = 1 << 20  # worked out at one time
_NONE = -1


@dataclass
class Places:
    """The longest history that the table has before each place of a stream of ids.

    level, row  int64 (L,)
    lost        int64 (L,), how many longer histories there are before the place, up to the order, that it has not
    """

    level: np.ndarray
    row: np.ndarray
    lost: np.ndarray


def known_places(table: Table, ids: np.ndarray, within: bool = False) -> Places:
    """The history before each place of sequences from BOS on; with `within`, a BOS is none.

    ids  int64 (L,)
    """
    n = len(ids)
    level, row = np.zeros(n, np.int64), np.zeros(n, np.int64)
    begin = np.maximum.accumulate(np.where(ids == BOS, np.arange(n), 0))
    before = np.minimum(np.arange(n) - begin - (1 if within else 0), table.order - 1)
    place = np.flatnonzero(before > 0)
    node = ids[place - 1]
    for k in range(1, table.order):
        level[place], row[place] = k, node
        if k + 1 == table.order or not len(place):
            break
        # the history of k + 1 tokens before i is the one of k before i - 1, and token i - 1
        longer = place[before[place] > k]
        longer = longer[level[longer - 1] == k]
        child = table.child(k, row[longer - 1], ids[longer - 1])
        place, node = longer[child >= 0], child[child >= 0]
    return Places(level, row, np.maximum(before - level, 0))


def likeliest(distribution: Distribution, level: np.ndarray, row: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k likeliest tokens after each history, ties by id: int64 (m, k), -1 where there are fewer; float64 (m, k).

    What has probability 0 is left out. Histories may repeat; each is worked out once.
    """
    table = distribution.table
    ids, p = _first(distribution, k)
    below_rows = np.zeros(1, np.int64)
    out_ids, out_p = np.full((len(row), k), _NONE), np.zeros((len(row), k))
    for n, (here, rows) in enumerate(histories(table, level, row)):
        distinct, which = np.unique(rows, return_inverse=True)
        if n:
            parent = np.searchsorted(below_rows, table.shorter(n, distinct) if n > 1 else np.zeros_like(distinct))
            parts = [
                _longer(distribution, n, distinct[a:b], ids[parent[a:b]], p[parent[a:b]])
                for a, b in _ranges(table, n, distinct)
            ]
            ids, p = (np.concatenate(column) for column in zip(*parts, strict=True))
        below_rows = distinct
        mine = level[here] == n
        out_ids[here[mine]], out_p[here[mine]] = ids[which[mine]], p[which[mine]]
    return out_ids, out_p


def _first(distribution: Distribution, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest without a history: (1, k) twice."""
    every = np.arange(distribution.table.n_ids)
    p = distribution.extend(0, np.zeros(len(every), np.int64), every, np.empty(0))
    p[BOS] = 0.0
    return best_of_each(np.zeros(len(every), np.int64), every, p, 1, k)


def _ranges(table: Table, level: int, rows: np.ndarray) -> list[tuple[int, int]]:
    """Divides distinct histories so that each part has a limited number of followers."""
    low, high = table.followers_of_each(level, rows)
    done = np.cumsum(high - low) // _FOLLOWERS
    edges = [0, *(np.flatnonzero(np.diff(done)) + 1).tolist(), len(rows)]
    return [*pairwise(edges)]


def _longer(
    distribution: Distribution, level: int, rows: np.ndarray, ids: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The likeliest after distinct histories, from those after the histories one token shorter.

    ids, p  (m, k) of h'
    """
    table, m, k = distribution.table, len(rows), ids.shape[1]
    low, high = table.followers(level, rows)
    child = ragged(low, high - low)
    of = np.repeat(np.arange(m), high - low)
    token = table.tokens(level + 1, child)
    shorter = probability(distribution, np.full(len(of), level - 1), table.shorter(level, rows)[of], token)
    gained = distribution.extend(level, rows[of], child, shorter)
    gained[token == BOS] = 0.0
    # those of h' that do not follow h
    above = np.repeat(np.arange(m), k)
    known = ids.ravel() >= 0
    follows = table.child(level, rows[above], np.maximum(ids.ravel(), 0)) >= 0
    none = np.full(m * k, _NONE)
    kept = distribution.extend(level, rows[above], none, p.ravel())
    rest = np.flatnonzero(known & ~follows)
    out = best_of_each(
        np.concatenate((of, above[rest])), np.concatenate((token, ids.ravel()[rest])),
        np.concatenate((gained, kept[rest])), m, k,
    )  # fmt: skip
    # whatever is no candidate is at most as likely as the last of h' would be
    bound = np.where(known.reshape(m, k)[:, -1], kept.reshape(m, k)[:, -1], 0.0)
    for i in np.flatnonzero(out[1][:, -1] < bound * (1 - 1e-12)).tolist():
        whole = full_distribution(distribution, level, int(rows[i]))
        every = np.arange(len(whole))
        out[0][i], out[1][i] = (column[0] for column in best_of_each(np.zeros_like(every), every, whole, 1, k))
    return out


def best_of_each(of: np.ndarray, ids: np.ndarray, p: np.ndarray, m: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest p above 0 of each of m groups, ties by id: int64 (m, k) and float64 (m, k)."""
    order = np.lexsort((ids, -p, of))
    group = of[order]
    begin = np.searchsorted(group, np.arange(m))
    rank = np.arange(len(group)) - begin[group]
    keep = order[(rank < k) & (p[order] > 0)]
    out_ids, out_p = np.full((m, k), _NONE), np.zeros((m, k))
    rank_of = np.empty(len(ids), np.int64)
    rank_of[order] = rank
    out_ids[of[keep], rank_of[keep]], out_p[of[keep], rank_of[keep]] = ids[keep], p[keep]
    return out_ids, out_p
