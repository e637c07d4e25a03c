"""Memorised bits of each sequence: leave-one-out scoring, without training a model for each sequence.

Legend: n-gram h w has count c, its history h count d and T followers; of these, the sequence in question has m of
c, D of d, and is the only one with U of the T followers; p' is the probability after a history one token shorter;
V types can be predicted.

    p(w | h)         = (c + (T + d - k) p') / (d + T)                     k: sum of the kept c of h
    p without it     = the same with c - m, d - D, T - U

This is interpolated Witten-Bell, `wb` of model/smoothing.py, for the model and for the one trained without the
sequence, with V unchanged: exact. In a pruned table, a count is kept while it is above the threshold, with the
sequence and without it.

    memorised bits = log2 p(sequence) - log2 p(sequence) without it

Source: Witten and Bell 1991; leaving one out: Ney, Essen and Kneser 1994. Membership by loss:
Yeom et al. 2018; the true-positive rate at a low false-positive rate: Carlini et al. 2022.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays.sorting import sort_keys, starts_new
from ...text.types import BOS
from .corpus_rows import Corpus

_BLOCK = 1 << 18  # places at one time, to stay in the cache
LEAST_TOKENS = 8  # membership is measured on sequences with more ids, EOS included
FALSE_POSITIVES = 0.01


@dataclass
class Left:
    """Figures of one order.

    bits, bits_without  float64 (D,), -log2 p of each sequence with its EOS
    rows                number of kept n-grams, with the shorter ones that open with BOS: edges of the graph
    single_sequence     number of them that occur in only one sequence
    only                int64 (files,), number of them that occur in that file alone
    """

    bits: np.ndarray
    bits_without: np.ndarray
    rows: int
    single_sequence: int
    only: np.ndarray


class LeaveOneOut:
    """Leave-one-out scores of a text; call `order` for orders 1, 2, ... in turn.

    thresholds  n-grams of order j with a count up to thresholds[j - 1] are not in the table
    free        V, number of types that can be predicted

    A pair is a distinct n-gram with a sequence that has it. The history of a place is the n-gram that ends one place
    before, so its pairs are those of the order below, and one sort an order is enough. Places are scored in blocks:
    fresh memory costs more than the arithmetic.
    """

    def __init__(self, c: Corpus, free: int, thresholds: list[int]) -> None:
        self.c, self.free, self.thresholds = c, free, thresholds
        self.sequence = c.sequence
        self.file = np.repeat(np.arange(len(c.names)), np.diff(c.first))  # (D,)
        self._with = self._without = np.empty(0)
        self._history = self._pair = np.empty(0, c.ids.dtype)  # of the n-gram that ends at each place, one order below
        self._short = 0, 0, np.zeros(len(c.names), np.int64)  # figures of rows that open with BOS, lower orders

    def order(self, j: int, gram: np.ndarray) -> Left:
        """Figures of the next order j.

        gram  (N,), equal numbers for equal n-grams, -1 where a sequence is too short; kept until the next call
        """
        if j == 1:
            self._with, self._without = np.ones(len(gram)), np.ones(len(gram))
        at, g, new = _sorted_pairs(gram, self.sequence)
        first = np.flatnonzero(new)
        one = g[first]
        pair = np.full(len(gram), -1, gram.dtype)
        pair[at] = np.cumsum(new, dtype=gram.dtype) - gram.dtype.type(1)
        own = np.diff(np.append(first, len(at))).astype(gram.dtype)
        at_first = at[first]
        del at, g, new, first
        lookup = self._counts(j, gram, one, own, at_first)
        for a in range(0, len(gram), _BLOCK):
            self._score(j, slice(a, min(a + _BLOCK, len(gram))), gram, pair, lookup)
        opens = np.zeros(len(lookup.kept), bool)
        opens[one[self.c.place[at_first] == j - 1]] = j > 1
        kept = lookup.kept > 0
        del lookup
        if j == 1:  # BOS is a history, but no n-gram
            self._history = self.c.ids
            pair = np.where(pair < 0, len(one) + self.sequence, pair).astype(gram.dtype, copy=False)
        else:
            self._history = gram
        self._pair = pair
        return self._figures(one, self.sequence[at_first], opens, kept)

    def _before(self, j: int, some: slice) -> tuple[np.ndarray, np.ndarray]:
        """History of each of some places, and its pair of history and sequence; the first place has none: it is BOS."""
        if j == 1:
            sequence = self.sequence[some]
            return np.zeros_like(sequence), sequence
        low = max(some.start - 1, 0)
        parts = self._history[low : some.stop - 1], self._pair[low : some.stop - 1]
        if some.start:
            return parts
        return tuple(np.concatenate((x[:1], x)) for x in parts)  # type: ignore[return-value]

    def _counts(self, j: int, gram: np.ndarray, one: np.ndarray, own: np.ndarray, at_first: np.ndarray) -> _Counts:
        """Counts by n-gram, history, pair, and pair of history and sequence.

        one, own  (m,), n-gram of each pair and number of its places; at_first (m,), the first of them
        """
        least, kind = self.thresholds[j - 1], gram.dtype
        count = np.bincount(one, own).astype(kind)
        of = np.zeros(len(count), kind)
        within = np.empty(len(one), kind)
        for a in range(0, len(one), _BLOCK):
            some = slice(a, a + _BLOCK)
            if j == 1:
                within[some] = self.sequence[at_first[some]]
            else:
                behind = at_first[some] - 1
                of[one[some]] = self._history[behind]
                within[some] = self._pair[behind]
        n_histories = 1 if j == 1 else int(self._history.max(initial=0)) + 1
        n_within = int(within.max(initial=-1)) + 1
        kept = np.where(count > least, count, 0) if least else count
        rest = count[one] - own
        rest_kept = np.where(rest > least, rest, 0) if least else rest

        def sums(by: np.ndarray, weights: np.ndarray, n: int) -> np.ndarray:
            return np.bincount(by, weights, n).astype(kind)  # sums below 2**53 are exact in float64

        total, less = sums(of, count, n_histories), sums(within, own, n_within)
        return _Counts(
            kept,
            total,
            sums(of, kept, n_histories) if least else total,
            sums(of, kept > 0, n_histories),
            rest_kept,
            less,
            sums(within, kept[one] - rest_kept, n_within) if least else less,
            sums(within, (kept[one] > 0) & (rest_kept == 0), n_within),
        )

    def _score(self, j: int, some: slice, gram: np.ndarray, pair: np.ndarray, c: _Counts) -> None:
        """Set the probabilities of a block of places, with their sequence and without it."""
        h, w = self._before(j, some)
        g, own = gram[some], pair[some]
        at = np.flatnonzero(g >= 0)
        if len(at) < len(g):
            g, h, w, own = g[at], h[at], w[at], own[at]
        p, q = self._with[some], self._without[some]
        below = (1.0 / self.free,) * 2 if j == 1 else (p[at], q[at])
        total, total_kept, types = c.total[h], c.total_kept[h], c.types[h]
        p[at] = _witten_bell(c.kept[g], total, total_kept, types, below[0])
        total, total_kept, types = total - c.less[w], total_kept - c.less_kept[w], types - c.less_types[w]
        q[at] = _witten_bell(c.rest_kept[own], total, total_kept, types, below[1])

    def _bits(self, p: np.ndarray) -> np.ndarray:
        """-log2 p of each sequence: float64 (D,); summed in the order of places, by blocks of whole sequences."""
        out = np.zeros(self.c.sequences)
        begin = np.append(self.c.begin, len(p))
        low = 0
        while low < len(out):
            high = max(int(np.searchsorted(begin, begin[low] + _BLOCK, "right")) - 1, low + 1)
            a, b = int(begin[low]), int(begin[high])
            out[low:high] = np.bincount(
                self.sequence[a:b] - self.sequence.dtype.type(low), -np.log2(p[a:b]), high - low
            )
            low = high
        return out

    def _figures(self, gram: np.ndarray, sequence: np.ndarray, opens: np.ndarray, kept: np.ndarray) -> Left:
        new = starts_new(gram)
        alone = new & np.append(new[1:], True)
        n_files = len(self.c.names)
        first = np.flatnonzero(new)
        if n_files > 1:
            file = self.file[sequence]
            new_file = starts_new(gram, file)
            files = np.add.reduceat(new_file, first, dtype=np.int64) if len(first) else np.zeros(0, np.int64)

        def figures(some: np.ndarray) -> tuple[int, int, np.ndarray]:
            mine = first[some]
            if n_files > 1:
                only = np.bincount(file[mine[files[some] == 1]], minlength=n_files)
            else:
                only = np.array([len(mine)])
            return len(mine), int(alone[mine].sum()), only

        here = gram[first]
        rows, single, only = figures(np.flatnonzero(kept[here]))
        short = self._short
        bits = self._bits(self._with), self._bits(self._without)
        out = Left(*bits, rows + short[0], single + short[1], only + short[2])
        rows, single, only = figures(np.flatnonzero((opens & kept)[here]))
        self._short = short[0] + rows, short[1] + single, short[2] + only
        return out


@dataclass
class _Counts:
    """Counts of one order, by n-gram, by history (three), by pair, and by pair of history and sequence (three).

    kept, rest_kept        c, and c without the sequence
    total, total_kept, types  d, k and T
    less, less_kept, less_types  their differences without the sequence
    """

    kept: np.ndarray
    total: np.ndarray
    total_kept: np.ndarray
    types: np.ndarray
    rest_kept: np.ndarray
    less: np.ndarray
    less_kept: np.ndarray
    less_types: np.ndarray


def _witten_bell(
    c: np.ndarray, d: np.ndarray, kept: np.ndarray, types: np.ndarray, lower: np.ndarray | float
) -> np.ndarray:
    divisor = d + types
    seen = divisor > 0
    return np.where(seen, (c + (types + d - kept) * lower) / np.where(seen, divisor, 1), lower)


def _sorted_pairs(gram: np.ndarray, sequence: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places by their n-gram, then in order; their n-grams; and True where another n-gram or sequence begins.

    Sequences are in order, so a stable sort by n-gram sorts by both.
    """
    at = np.flatnonzero(gram >= 0).astype(gram.dtype)
    key, order = sort_keys(gram[at].astype(np.uint64), max(int(gram.max(initial=0)), 1).bit_length())
    at = at[order]
    del order
    g = key.astype(gram.dtype)
    return at, g, starts_new(g, sequence[at])


def number(c: Corpus, order: int, below: np.ndarray | None) -> np.ndarray:
    """Number the n-grams of one order, equal ones equally: (N,), -1 where a sequence is too short.

    below  the numbers one order below; None at order 1
    """
    if order == 1 or below is None:
        return np.where(c.ids == BOS, c.ids.dtype.type(-1), c.ids)
    out = np.full(len(c.ids), -1, c.ids.dtype)
    at = np.flatnonzero(c.place >= order - 1)
    before = below[at - 1] if order > 2 else c.ids[at - 1]
    token = c.ids[at]
    by = sort_keys(token.astype(np.uint64), max(int(c.ids.max()), 1).bit_length())[1]
    before, token, at = before[by], token[by], at[by]
    by = sort_keys(before.astype(np.uint64), max(int(before.max(initial=0)), 1).bit_length())[1]
    out[at[by]] = np.cumsum(starts_new(before[by], token[by])) - 1
    return out


def auc(inside: np.ndarray, outside: np.ndarray) -> float:
    """Area under the ROC curve: probability that a value of `inside` is below one of `outside`, ties count half."""
    x = np.concatenate((inside, outside))
    _, which, times = np.unique(x, return_inverse=True, return_counts=True)
    rank = (np.cumsum(times) - (times - 1) / 2)[which]
    n, m = len(inside), len(outside)
    less = rank[:n].sum() - n * (n + 1) / 2
    return 1.0 - float(less / (n * m))


def true_positives(inside: np.ndarray, outside: np.ndarray, rate: float = FALSE_POSITIVES) -> float:
    """True-positive rate at a false-positive rate: share of `inside` below all but `rate` of `outside`."""
    allowed = int(rate * len(outside))
    edge = np.sort(outside)[allowed]
    return float((inside < edge).mean())
