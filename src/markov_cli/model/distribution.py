"""Probability distributions over the next token: the interface of smoothed counts and of listed probabilities.

Legend: h is a history, given as (its number of tokens, its row); h' is h without its first
token; w an id.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from ..text.types import BOS, EOS, MARKERS
from .row_values import RowValues
from .table import Table

STANDS_FOR_NONE = -90.0  # log10 p up to which a marker counts as one without a probability; programs write -99


class SumsToOne(Protocol):
    """A distribution of any form, a backoff one or a blend."""

    table: Table

    @property
    def sums_to_one(self) -> bool:
        """These are probabilities, not only scores."""
        ...


class Distribution(Protocol):
    """p(w | h) for every history and id of a table, from the empty history up."""

    table: Table
    values: RowValues | None  # of every row, once `prepare` has worked them out

    @property
    def minds_missing(self) -> bool:
        """A history that nothing follows changes p: see `missing`."""
        ...

    @property
    def sums_to_one(self) -> bool:
        """These are probabilities, not only scores."""
        ...

    def extend(self, level: int, row: np.ndarray, child: np.ndarray, shorter: np.ndarray) -> np.ndarray:
        """p(w | h) from p(w | h'): float64 (m,).

        row      int64 (m,), histories of `level` tokens
        child    int64 (m,), the row of each h w, -1 where it is not in the table
        shorter  float64 (m,), p(w | h'); at level 0 it is not looked at
        """
        ...

    def backoff(self, level: int, row: np.ndarray) -> np.ndarray:
        """b of histories: float64 (m,)."""
        ...

    def missing(self, p: np.ndarray) -> np.ndarray:
        """p(w | h) from p(w | h') where nothing follows h: float64 (m,)."""
        ...

    def prepare(self, jobs: int = 1) -> None:
        """Get ready for very many histories, at the cost of some memory."""
        ...


def histories(table: Table, level: np.ndarray, row: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Histories and all shorter ones: [k] = which of them have k tokens or more, and their rows there.

    level, row  int64 (m,)
    returns     for k = 0 .. the longest: places int64, rows int64
    """
    longest = int(level.max(initial=0))
    here = np.flatnonzero(level == longest)
    rows = row[here]
    out = [(here, rows)]
    for k in range(longest, 0, -1):
        rows = table.shorter(k, rows)
        more = np.flatnonzero(level == k - 1)
        if len(more):
            here, rows = np.concatenate((here, more)), np.concatenate((rows, row[more]))
        out.append((here, rows))
    return out[::-1]


def probability(distribution: Distribution, level: np.ndarray, row: np.ndarray, token: np.ndarray) -> np.ndarray:
    """p of one id behind each history: float64 (m,)."""
    table = distribution.table
    p = np.zeros(len(row))
    for k, (here, rows) in enumerate(histories(table, level, row)):
        p[here] = distribution.extend(k, rows, table.child(k, rows, token[here]), p[here])
    return p


def full_distribution(distribution: Distribution, level: int, row: int) -> np.ndarray:
    """p of every id behind one history: float64 (n_ids,); BOS, which is never predicted, has 0."""
    table = distribution.table
    every = np.arange(table.n_ids)
    p = np.zeros(len(every))
    for k, (_, rows) in enumerate(histories(table, np.array([level]), np.array([row]))):
        child = every
        if k:
            low, high = (int(x[0]) for x in table.followers(k, rows))
            child = np.full(len(every), -1, np.int64)
            child[table.tokens(k + 1, np.arange(low, high))] = np.arange(low, high)
        p = distribution.extend(k, np.full(len(every), rows[0]), child, p)
    p[BOS] = 0.0
    return p


def marker_notes(table: Table, marker: int = EOS) -> list[str]:
    """A note where a marker's probability is the format's logarithm of 0, which makes perplexities enormous."""
    log10 = table.orders[0].log10
    if log10 is None or not log10[marker] <= STANDS_FOR_NONE:
        return []
    power, cost = float(log10[marker]), -float(log10[marker]) * math.log2(10)
    what = "every end of a sequence" if marker == EOS else "every OOV token"
    return [
        f"{MARKERS[marker]} has log10 probability {power:g}: the ARPA file lists none or 0, so {what} costs"
        f" about {cost:,.0f} bits"
    ]


def distribution_notes(distribution: SumsToOne) -> list[str]:
    """Notes on orders whose discounts Kneser-Ney cannot estimate, on ends without a probability, and on mere scores."""
    out = [*getattr(distribution, "notes", [])]
    orders = getattr(distribution, "fell_back", [])
    if orders:
        which = ", ".join(map(str, orders))
        out.append(f"kn: too little text to estimate the discounts of order {which}; 0.5, 1 and 1.5 are used")
    out += marker_notes(distribution.table)
    if not distribution.sums_to_one:
        out.append("stupid: these are scores, not probabilities; they do not sum to 1")
    return out
