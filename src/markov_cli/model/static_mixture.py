"""One model of probabilities from several mixed ones (static interpolation, as SRILM's `-mix-lm -write-lm`).

Legend: K models with weights w_k; h a history, h' the same without its first token; P(w | h) the sum over k of
w_k p_k(w | h); q(w | h) the probability of the model that is made. Its n-grams are those of all models. Rows are those
of the new table, unless they are called a model's own.

    q(w | h) = P(w | h)             where h w is an n-gram of a model
    q(w | h) = b(h) q(w | h')       elsewhere, with the b(h) that makes the sum 1:

    b(h) = (1 - sum of P(w | h)) / (1 - sum of q(w | h'))       both sums over the n-grams h w

A word that model k does not have is `<unk>` in its histories, and p_k(w | h) = 0, so that q sums to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..arrays.sorting import starts_new
from ..errors import MarkovError, OptionError
from ..text.interning import TypeInterner
from ..text.types import BOS, N_MARKERS, UNK, Types, order_of_types
from .count_column import Uncounted, find_sorted, smallest
from .distribution import Distribution, probability
from .header import Header
from .listed import Listed
from .table import Order, Table

LOWEST = -99.0  # log10 of 0, as ARPA has it
_ROWS = 1 << 19  # whose probabilities are worked out at one time
_COVERED = 1e-7  # mass that float32 cannot tell from 0: b of a history with less left to others is 1
_NEAR = 1e-3  # a model's unigrams may sum to 1 only so far
_U = np.uint64


class Mixable(NamedTuple):
    """One of the models: its name is for messages."""

    distribution: Distribution
    types: Types
    header: Header
    name: str


@dataclass
class Static:
    """The model that was made, and notes on models whose words do not sum to 1."""

    header: Header
    types: Types
    table: Table
    notes: list[str] = field(default_factory=list)


@dataclass
class _Known:
    """The longest history of one model at each row of an order: its level and its own row, int64 (r,)."""

    level: np.ndarray
    row: np.ndarray


@dataclass
class _Rows:
    """Rows of one order: keys uint64, the row of the history above the last id; link int64, of order 2 and more."""

    key: np.ndarray
    link: np.ndarray


def static_mixture(models: Sequence[Mixable], weights: np.ndarray) -> Static:
    """Mix models into one; weights float64 (K,) with sum 1.

    MarkovError where models read text in different ways; OptionError for a distribution without backoffs.
    """
    _check(models)
    for m in models:
        m.distribution.prepare()
        for level in range(1, m.distribution.table.order):
            m.distribution.table.index(level)
    types, new_ids, p, notes = _unigrams(models, weights)
    made = _Making(models, weights, new_ids, N_MARKERS + len(types))
    orders = made.orders(p)
    header = Header(
        order=len(orders),
        options=models[0].header.options,
        tokens=0,
        types=len(types),
        sequences=0,
        corpus_bytes=0,
        unicode=models[0].header.unicode,
        holds="probabilities",
    )
    return Static(header, types, Table(orders), notes)


def _check(models: Sequence[Mixable]) -> None:
    first = models[0]
    for m in models:
        d = m.distribution
        if not d.sums_to_one or not getattr(d, "chained", True):
            raise OptionError(
                "one model of several needs a smoothing that backs off to shorter histories",
                "--smoothing kn, wb or abs",
            )
        for what in ("tokenizer", "pattern", "unit", "lowercase"):
            a, b = getattr(first.header.options, what), getattr(m.header.options, what)
            if a != b:
                raise MarkovError(
                    f"{m.name}: {what} {b}, but {first.name}: {what} {a}",
                    "import or train both with the same --tokenizer, --pattern, --unit and --lowercase",
                )
        if m.header.unicode != first.header.unicode:
            raise MarkovError(
                f"{m.name}: made with Unicode {m.header.unicode}, {first.name} with {first.header.unicode}",
                "make one of them again, with the Python of the other",
            )


def _unigrams(models: Sequence[Mixable], weights: np.ndarray) -> tuple[Types, list[np.ndarray], np.ndarray, list[str]]:
    """All types in the order of their ids; the new id of each model's ids, int64 (V_k,); P, float64 (V,); notes."""
    interner = TypeInterner()
    new_ids = []
    for m in models:
        flags = m.types.flags if m.types.flags.any() else None
        number = interner.numbers(m.types.padded(), m.types.start, m.types.length, flags).astype(np.int64)
        new_ids.append(np.concatenate((np.arange(N_MARKERS), number + N_MARKERS)))
    types, notes = interner.types(), []
    p = np.zeros(N_MARKERS + len(types))
    for m, w, ids in zip(models, weights.tolist(), new_ids, strict=True):
        own = m.distribution.extend(0, np.zeros(len(ids), np.int64), np.arange(len(ids)), np.empty(0))
        own[BOS] = 0.0
        if abs(total := float(own.sum()) - 1.0) > _NEAR:
            notes.append(f"{m.name}: the probabilities of its words sum to {total + 1:.4g}; the mixture's sum to 1")
        p[ids] += w * own
    p /= p.sum()
    order = order_of_types(types, _log10(p)[N_MARKERS:].astype(np.float64))
    rank = np.empty(len(p), np.int64)
    rank[:N_MARKERS] = np.arange(N_MARKERS)
    rank[N_MARKERS + order] = np.arange(N_MARKERS, len(p))
    p[N_MARKERS:] = p[N_MARKERS:][order]
    return types.take(order), [rank[ids] for ids in new_ids], p, notes


def _log10(p: np.ndarray) -> np.ndarray:
    """float32 (m,), LOWEST for 0."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10(p), LOWEST).astype(np.float32)


class _Making:
    """The table in the making, order by order.

    own      for each model, its id of each id, UNK where it has none: int64 (V,)
    strange  for each model, ids that it does not have: bool (V,)
    """

    def __init__(self, models: Sequence[Mixable], weights: np.ndarray, new_ids: list[np.ndarray], n_ids: int) -> None:
        self.models, self.weights, self.new_ids, self.n_ids = models, weights.tolist(), new_ids, n_ids
        self.tables = [m.distribution.table for m in models]
        self.bits = max(n_ids - 1, 1).bit_length()
        self.own = [np.full(n_ids, UNK, np.int64) for _ in models]
        for own, ids in zip(self.own, new_ids, strict=True):
            own[ids] = np.arange(len(ids))
        self.strange = [own == UNK for own in self.own]
        for strange in self.strange:
            strange[UNK] = False
        self.height = max(t.height if len(t.orders[t.height - 1]) else t.height - 1 for t in self.tables)
        self.ends = [_missing_ends(t, self.height) for t in self.tables]

    def orders(self, p: np.ndarray) -> list[Order]:
        """All orders, from P of the ids."""
        orders = [Order(Uncounted(self.n_ids), log10=_log10(p))]
        if self.height < 2:
            return orders
        ids = np.arange(self.n_ids)
        rows = _Rows(ids.astype(_U), np.zeros(self.n_ids, np.int64))
        known = [
            _Known(np.full(self.n_ids, min(t.order - 1, 1)), own if t.order > 1 else np.zeros_like(own))
            for t, own in zip(self.tables, self.own, strict=True)
        ]
        places = self.new_ids  # of each model's own rows
        for k in range(2, self.height + 1):
            before, rows, places = rows, *self._keys(k, places)
            parent, token = self._split(rows.key)
            if k < self.height:
                rows.link = self._links(k, before, parent, token)
            table = Table(orders)
            log10, backoff = self._probabilities(k, table, before, known, parent, token)
            orders[-1].backoff = backoff
            first = np.searchsorted(parent, np.arange(len(before.key) + 1))
            orders[-1].first = first.astype(smallest(len(rows.key)))
            order = Order(Uncounted(len(rows.key)), token.astype(smallest(self.n_ids - 1)), log10=log10)
            if 2 < k < self.height:
                order.link = rows.link.astype(smallest(max(len(before.key) - 1, 0)))
            orders.append(order)
            if k < self.height:
                known = [self._known(k, i, one, parent, token, rows.link) for i, one in enumerate(known)]
        return orders

    def _split(self, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mask = _U((1 << self.bits) - 1)
        return (key >> _U(self.bits)).astype(np.int64), (key & mask).astype(np.int64)

    def _keys(self, k: int, places: list[np.ndarray]) -> tuple[_Rows, list[np.ndarray]]:
        """The rows of order k, and those of each model's own rows: int64."""
        found, n_own = [], []
        for table, ids, place, ends in zip(self.tables, self.new_ids, places, self.ends, strict=True):
            history, token = np.empty(0, np.int64), np.empty(0, np.int64)
            if k <= table.height and len(table.orders[k - 1]):
                first = table.orders[k - 2].first
                assert first is not None
                size: np.ndarray = np.diff(first.astype(np.int64))
                history = np.repeat(np.arange(len(first) - 1), size)
                token = table.tokens(k, np.arange(len(table.orders[k - 1])))
            n_own.append(len(token))
            if k in ends:
                history, token = (np.concatenate(pair) for pair in zip((history, token), ends[k], strict=True))
            key = place[history].astype(_U) << _U(self.bits) | ids[token].astype(_U)
            found.append(key)
        every = np.sort(np.concatenate(found))
        every = every[starts_new(every)]
        return _Rows(every, np.empty(0, np.int64)), [
            find_sorted(every, key[:n]) for key, n in zip(found, n_own, strict=True)
        ]

    def _links(self, k: int, before: _Rows, parent: np.ndarray, token: np.ndarray) -> np.ndarray:
        """The row, one order below, of each row without its first token: int64 (r,)."""
        if k == 2:
            return token
        return find_sorted(before.key, before.link[parent].astype(_U) << _U(self.bits) | token.astype(_U))

    def _known(self, k: int, i: int, before: _Known, parent: np.ndarray, token: np.ndarray, link: np.ndarray) -> _Known:
        """The longest history that model i knows, at the rows of order k."""
        level, row = before.level[link].copy(), before.row[link].copy()
        if k >= self.tables[i].order:
            return _Known(level, row)
        whole = np.flatnonzero(before.level[parent] == k - 1)
        child = self.tables[i].child(k - 1, before.row[parent[whole]], self.own[i][token[whole]])
        found = child >= 0
        level[whole[found]], row[whole[found]] = k, child[found]
        return _Known(level, row)

    def _probabilities(
        self, k: int, table: Table, before: _Rows, known: list[_Known], parent: np.ndarray, token: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """log10 P of the rows of order k, float32 (r,), and log10 b of their histories, float32."""
        n = len(before.key)
        log10 = np.empty(len(token), np.float32)
        listed, shorter = np.zeros(n), np.zeros(n)
        below = Listed(table)
        for low in range(0, len(token), _ROWS):
            h, w = parent[low : low + _ROWS], token[low : low + _ROWS]
            p = np.zeros(len(w))
            for i, (m, weight) in enumerate(zip(self.models, self.weights, strict=True)):
                if weight:
                    own = probability(m.distribution, known[i].level[h], known[i].row[h], self.own[i][w])
                    p += weight * np.where(self.strange[i][w] | (w == BOS), 0.0, own)
            some = log10[low : low + _ROWS] = _log10(p)
            row = before.link[h] if k > 2 else np.zeros_like(h)
            q = probability(below, np.full(len(h), k - 2), row, w)
            listed += np.bincount(h, np.where(w == BOS, 0.0, 10.0 ** some.astype(np.float64)), minlength=n)
            shorter += np.bincount(h, np.where(w == BOS, 0.0, q), minlength=n)
        has = np.bincount(parent, minlength=n) > 0
        rest, others = np.maximum(1.0 - listed, 0.0), 1.0 - shorter
        covered = has & (others < _COVERED)
        b = np.ones(n)
        left = np.flatnonzero(has & ~covered)
        b[left] = rest[left] / others[left]
        scale = np.where((covered | (listed > 1.0)) & (listed > 0), listed, 1.0)
        if (scale != 1.0).any():
            log10 = np.maximum(log10 - np.log10(scale)[parent], LOWEST).astype(np.float32)
        return np.minimum(log10, np.float32(0.0)), _log10(b)


def _missing_ends(table: Table, height: int) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """N-grams that are the end of a model's longest ones and not in its table, by order: rows of histories, last ids.

    Only of models of lower order than `height`, whose longest n-grams become histories.
    """
    out: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    k = table.height
    if k >= height or k < 3 or not len(table.orders[k - 1]):
        return out
    rows = np.arange(len(table.orders[k - 1]))
    history, token = table.shorter(k - 1, table.history_of(k, rows)), table.tokens(k, rows)
    for j in range(k - 1, 1, -1):
        lost = table.child(j - 1, history, token) < 0
        history, token = history[lost], token[lost]
        if not len(token):
            break
        out[j] = history, token
        history = table.shorter(j - 1, history)
    return out
