"""Smoothing: turns counts into probabilities.

Legend: h is a history, given as (its number of tokens, its row); h' is h without its first
token; w a follower of h; c(h w) a raw count; a(h w) the count that a method goes by; N1+(h .) the
number of distinct followers of h; V the number of ids that can follow: types, `<unk>` and `</s>`,
not `<s>`; D a discount; A(h) what is divided by; b(h) the backoff weight.

All methods have one form, with a bottom of 1/V below the empty history:

    p(w | h) = u(h w) + b(h) p(w | h')      u(h w) = (a(h w) - D) / A(h), 0 where h w is not in the table
                                            b(h)   = 1 - sum of u(h .)

so every distribution sums to 1, whatever was pruned. A history that is not in the table, or that
nothing follows, has b = 1. Raw counts (`none`) and Lidstone have no p(w | h') but 0 and 1/V;
stupid backoff takes u alone where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ..arrays.sorting import distinct, ragged
from ..errors import ModelFileError
from ..text.types import BOS
from .count_column import ASIDE, DAMAGED, Counts
from .discounts import SmoothingMethod, discounts
from .guide import owners
from .row_values import RowValues, run_all
from .table import Table
from .weighted_counts import need_whole

_PIECE = 1 << 18
_SOME = 1 << 21  # followers that are summed at one time


class Smoothed:
    """The distributions of a table of counts under one method.

    table     unpruned or pruned
    n_free    V
    fell_back orders whose Kneser-Ney discounts could not be estimated, so that FALLBACK is used
    """

    def __init__(self, table: Table, smoothing: SmoothingMethod) -> None:
        if smoothing.method == "kn" or str(smoothing) == "abs":
            need_whole(table.orders[0].count, f"--smoothing {smoothing}")
        self.table, self.smoothing = table, smoothing
        self.method = smoothing.method
        self.n_free = table.n_ids - 1
        self.fell_back: list[int] = []
        self.opened = table.opened_by_bos()
        _check_total(self.counts(1))  # what is drawn from the types is redrawn without end where they do not reach it
        self._discount = [self._discounts(k) for k in range(1, table.order + 1)]
        self.values: RowValues | None = None  # see `prepare`
        self._empty = self._weights(0, np.zeros(1, np.int64))

    @property
    def sums_to_one(self) -> bool:
        """These are probabilities; stupid backoff only gives scores."""
        return self.method != "stupid"

    @property
    def chained(self) -> bool:
        """The next shorter history is what is backed off to: the form that ARPA holds."""
        return self.method in ("kn", "wb", "abs", "stupid")

    # ------------------------------------------------------------ counts

    def counts(self, order: int) -> Counts:
        """The counts that rows of an order go by, but for those that open with BOS."""
        here = self.table.orders[order - 1]
        return here.left if self.method == "kn" and here.left is not None else here.count

    def adjusted(self, order: int, row: np.ndarray) -> np.ndarray:
        """a of rows: int64 (m,).

        Kneser-Ney: the number of distinct left neighbours; the raw count at the top order and of
        what opens with BOS, which has none. Other methods: the raw count.
        Source: Heafield et al. 2013, section 3.2.
        """
        if order == self.table.order and order > 1:
            return self.counts(order).at(row)
        counts = self.counts(order)
        value = counts.at(row)
        raw = self.table.orders[order - 1].count
        if counts is not raw and order > 1:
            low, high = self.opened[order - 1]
            opens = (row >= low) & (row < high)
            if opens.any():
                value[opens] = raw.at(row[opens])
        if order == 1:
            value[row == BOS] = 0
        return value

    def discount(self, order: int) -> np.ndarray:
        """D of adjusted count 0, 1, 2, 3 and above, at one order: float64 (4,)."""
        return self._discount[order - 1]

    def taken(self, order: int, a: np.ndarray) -> np.ndarray:
        """The discounts of adjusted counts, int64 or float64 (m,): D, and never more than a real count itself."""
        d = self._discount[order - 1]
        return d[np.minimum(a, 3)] if a.dtype.kind != "f" else np.minimum(d[3], a)

    def _adjusted(self, order: int, low: int, high: int) -> np.ndarray:
        """a of rows low..high-1: int64."""
        value = self.counts(order).slice(low, high)
        begin, end = (min(max(x, low), high) for x in self.opened[order - 1])
        if begin < end:
            raw = self.table.orders[order - 1].count
            value[begin - low : end - low] = 0 if order == 1 else raw.slice(begin, end)
        return value

    def _discounts(self, order: int) -> np.ndarray:
        """D of adjusted count 0, 1, 2, 3 and above, at one order: float64 (4,)."""
        if self.method == "kn":
            table = self.table
            if table.pruned and len(table.counts_of_counts) >= order:
                n = table.counts_of_counts[order - 1]
            else:
                n = self._counts_of_counts(order)
            found, estimated = discounts(n)
            if not estimated and n[1:].any():
                self.fell_back.append(order)
            return found
        if self.method == "abs":
            d = self.smoothing.amount
            if d is None:  # Ney, Essen and Kneser 1994, eq. 24
                n = self._counts_of_counts(order)
                d = n[1] / (n[1] + 2 * n[2]) if n[1] and n[2] else 0.5
            return np.array([0.0, d, d, d])
        return np.zeros(4)

    def _counts_of_counts(self, order: int) -> np.ndarray:
        """The number of rows with adjusted count 1, 2, 3, 4: int64 (5,)."""
        counts, raw = self.counts(order), self.table.orders[order - 1].count
        low, high = self.opened[order - 1]
        n = _how_many(counts.small) - _how_many(counts.small[low:high])
        return n + _how_many(raw.small[low:high]) if order > 1 else n

    # ------------------------------------------------------------ histories

    def divisor(self, level: int, row: np.ndarray, kept: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
        """A of histories: float64 (m,), 0 for those that nothing follows.

        kept  what `_kept` gives for them, where it is known already
        """
        table = self.table
        if self.method == "kn" and level < table.order - 1:
            below = table.orders[level].left
            assert below is not None
            if level == 0:
                return np.full(len(row), float(below.total if table.empty is None else table.empty[1]))
            stored = table.orders[level - 1].left_total
            if stored is not None:
                total = stored.at(row).astype(np.float64)
            else:
                low, high = table.followers(level, row)
                total = (below.sum_before(high) - below.sum_before(low)).astype(np.float64)
            opened, closed = self.opened[level - 1]
            opens = (row >= opened) & (row < closed)
            if opens.any():
                total[opens] = table.total(level, row[opens])
            return total
        total = table.total(level, row).astype(np.float64)
        if self.method == "wb" or (self.method == "none" and table.pruned):
            own, many = kept or self._kept(level, row)
            if self.method == "none":
                return own
            total[total > 0] += many[total > 0]
        if self.method in ("laplace", "lidstone"):
            assert self.smoothing.amount is not None
            total[total > 0] += self.smoothing.amount * self.n_free
        return total

    def _kept(self, level: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum of a - D over the followers of histories, and how many there are: float64 (m,) twice."""
        low, high = self.table.followers(level, row)
        size = high - low
        if int(size.sum()) > len(self.table.orders[level]):  # some are asked for twice, or the file is damaged
            one, which = distinct(row)
            self.table.followers_of_each(level, one)
            if len(one) < len(row):
                total, many = self._kept(level, one)
                return total[which], many[which]
        total, many = np.zeros(len(row)), size.astype(np.float64)
        filled = np.flatnonzero(size)
        end = np.cumsum(size[filled])
        begin = 0
        while begin < len(filled):
            done = int(end[begin - 1]) if begin else 0
            stop = max(int(np.searchsorted(end, done + _SOME, "right")), begin + 1)
            some = filled[begin:stop]
            a = self.adjusted(level + 1, ragged(low[some], size[some]))
            edges = np.cumsum(size[some]) - size[some]
            total[some] = np.add.reduceat(a - self.taken(level + 1, a), edges)
            if level == 0:  # ids that were never seen are rows too
                many[some] = np.add.reduceat((a > 0).astype(np.float64), edges)
            begin = stop
        return total, many

    def weights(self, level: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A and b of histories: float64 (m,) twice; 0 and 1 for those that nothing follows."""
        if level == 0:
            a, b = self._empty
            return np.full(len(row), a[0]), np.full(len(row), b[0])
        one, which = distinct(row)
        a, b = self._weights(level, one)
        return a[which], b[which]

    def _weights(self, level: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a = self.divisor(level, row)
        return a, self._backoff(level, a, lambda live: self._kept(level, row[live])[0])

    def backoff(self, level: int, row: np.ndarray) -> np.ndarray:
        """b of histories: float64 (m,)."""
        return self.values.b(level)[row] if self.values is not None and level else self.weights(level, row)[1]

    def _backoff(self, level: int, a: np.ndarray, kept: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """b of histories from their A; `kept` gives the sums of a - D of some of them."""
        live = a > 0
        b = np.ones(len(a))
        if self.method == "stupid":
            assert self.smoothing.amount is not None
            b[:] = self.smoothing.amount if level else 0.0
        elif self.method == "none":
            b[live] = 0.0
        else:
            b[live] = np.maximum(1.0 - kept(live) / a[live], 0.0)
        return b

    def prepare(self, jobs: int = 1) -> None:
        """Work out u of every row and b of every history: `values`, which `extend` only looks up.

        Nothing is done for methods that are no sum of u and b times what is shorter.
        """
        if self.values is not None or not (self.chained and self.sums_to_one):
            return
        values = RowValues.empty([len(order) for order in self.table.orders], adds=True)
        run_all(
            lambda level, low, high: self._own(level, low, high, values),
            ((level, *some) for level in range(self.table.order) for some in self._slices(level)),
            jobs,
        )
        values.unigram = values.u(1)[:-1] + self._empty[1][0] / self.n_free
        self.values = values

    def _slices(self, level: int) -> Iterator[tuple[int, int]]:
        """Ranges of histories with so many followers each that what is worked out stays in the cache."""
        first = self.table.orders[level - 1].first if level else None
        n = len(self.table.orders[level - 1]) if level else 1
        low = 0
        while low < n:
            high = n
            if first is not None:
                wanted = np.array(min(int(first[low]) + (_SOME >> 5), int(first[-1])), first.dtype)
                high = min(max(int(np.searchsorted(first, wanted, "right")) - 1, low + 1), low + (_SOME >> 5), n)
            yield low, high
            low = high

    def _own(self, level: int, low: int, high: int, values: RowValues) -> None:
        """Fill in u of the followers of histories low..high-1, and their b."""
        if level:
            first = self.table.orders[level - 1].first
            assert first is not None
            edges = first[low : high + 1].astype(np.int64)
        else:
            edges = np.array([0, self.table.n_ids])
        n = np.diff(edges)
        if (n < 0).any() or int(edges[-1]) > len(self.table.orders[level]):
            raise ModelFileError(f"order {level}: followers outside the table", DAMAGED)
        begin, end = int(edges[0]), int(edges[-1])
        own = self._above_discount(level + 1, begin, end)
        filled = np.flatnonzero(n)
        kept = np.zeros(len(n))
        if len(filled):
            kept[filled] = np.add.reduceat(own, edges[:-1][filled] - begin)
        many = n.astype(np.float64)
        if not level:  # ids that were never seen are rows too
            many[0] = np.count_nonzero(self._adjusted(1, begin, end))
        divisor = self._divisors(level, low, edges, many)
        divisor[divisor <= 0] = np.inf
        if level:
            np.maximum(1.0 - kept / divisor, 0.0, out=values.b(level)[low:high])
        np.divide(own, divisor.take(owners(edges)), out=values.u(level + 1)[begin:end])

    def _above_discount(self, order: int, low: int, high: int) -> np.ndarray:
        """a - D of rows low..high-1: float64."""
        counts = self.counts(order)
        if not counts.whole:
            a = self._adjusted(order, low, high)
            return a - self.taken(order, a)
        small = np.arange(ASIDE + 1)
        value = (small - self.taken(order, small)).take(counts.small[low:high])
        some = counts.aside(low, high)
        big = counts.big[some].astype(np.int64)
        value[counts.big_row[some].astype(np.int64) - low] = big - self.taken(order, big)
        begin, end = (min(max(x, low), high) for x in self.opened[order - 1])
        if begin < end:
            a = self._adjusted(order, begin, end)
            value[begin - low : end - low] = a - self.taken(order, a)
        return value

    def _divisors(self, level: int, low: int, edges: np.ndarray, many: np.ndarray) -> np.ndarray:
        """`divisor` of neighbouring histories: float64 (m,).

        low    row of the first
        edges  int64 (m + 1,): followers of history low+i are rows edges[i]..edges[i + 1] - 1
        many   float64 (m,), number of followers
        """
        row = np.arange(low, low + len(many))
        if self.method != "kn" or level in (0, self.table.order - 1) or self.table.pruned:
            return self.divisor(level, row, (many, many))
        below = self.table.orders[level].left
        assert below is not None
        total = below.sums_between(edges).astype(np.float64)
        begin, end = (min(max(x - low, 0), len(row)) for x in self.opened[level - 1])
        if begin < end:
            total[begin:end] = self.table.total(level, row[begin:end])
        return total

    # ------------------------------------------------------------ probabilities

    def extend(self, level: int, row: np.ndarray, child: np.ndarray, shorter: np.ndarray) -> np.ndarray:
        """p(w | h) from p(w | h'): float64 (m,).

        row      int64 (m,), histories of `level` tokens
        child    int64 (m,), the row of each h w, -1 where it is not in the table
        shorter  float64 (m,), p(w | h'); at level 0 it is not looked at
        """
        if self.values is not None:
            p = self.values.u(level + 1)[child]
            p += self.values.b(level)[row] * shorter if level else self._empty[1][0] / self.n_free
            return p
        a, b = self.weights(level, row)
        if level == 0:
            shorter = np.full(len(row), 1.0 / self.n_free)
        elif not self.chained:  # below the longest history there is nothing, or everything alike
            unseen = 0.0 if self.method == "none" else 1.0 / self.n_free
            shorter = np.where(a > 0, unseen, self.missing(shorter))
        p = b * shorter
        seen = np.flatnonzero((child >= 0) & (a > 0))
        if len(seen):
            count = self.adjusted(level + 1, child[seen])
            u = (count - self.taken(level + 1, count)) / a[seen]
            p[seen] = np.where(count > 0, u, p[seen]) if self.method == "stupid" else u + p[seen]
        return p

    @property
    def minds_missing(self) -> bool:
        """A history that is not in the table changes p: see `missing`."""
        return self.method in ("laplace", "lidstone", "stupid")

    def missing(self, p: np.ndarray) -> np.ndarray:
        """p(w | h) from p(w | h') where nothing follows h: float64 (m,)."""
        if self.method == "stupid":
            assert self.smoothing.amount is not None
            return self.smoothing.amount * p
        return np.full(len(p), 1.0 / self.n_free) if self.minds_missing else p


def _check_total(counts: Counts) -> None:
    """ModelFileError where counts do not reach the sum that the file gives for them."""
    total = sum(counts.slice(low, low + _PIECE).sum().item() for low in range(0, len(counts), _PIECE))
    # the file adds real counts in another order, so that its last digits can differ
    if not math.isclose(total, counts.total, rel_tol=0 if counts.whole else 1e-9):
        raise ModelFileError("the counts of the types do not add up to the sum in the file", DAMAGED)


def _how_many(values: np.ndarray) -> np.ndarray:
    """The number of values that are 1, 2, 3, 4, behind a 0: int64 (5,). Works in pieces that fit the cache."""
    n = np.zeros(5, np.int64)
    for low in range(0, len(values), _PIECE):
        piece = values[low : low + _PIECE]
        n[1:] += [np.count_nonzero(piece == v) for v in range(1, 5)]
    return n
