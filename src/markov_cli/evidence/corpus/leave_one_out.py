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
    """

    def __init__(self, c: Corpus, free: int, thresholds: list[int]) -> None:
        self.c, self.free, self.thresholds = c, free, thresholds
        self.sequence = c.sequence
        self.file = np.repeat(np.arange(len(c.names)), np.diff(c.first))  # (D,)
        self._with = self._without = np.empty(0)
        self._short = 0, 0, np.zeros(len(c.names), np.int64)  # figures of rows that open with BOS, lower orders

    def order(self, j: int, gram: np.ndarray, history: np.ndarray) -> Left:
        """Figures of the next order j.

        gram     (N,), equal numbers for equal n-grams, -1 where a sequence is too short
        history  (N,), equal numbers for equal histories
        """
        at = np.flatnonzero(gram >= 0)
        g, h, s = gram[at], history[at], self.sequence[at]
        least = self.thresholds[j - 1]
        n_grams, n_histories = int(g.max(initial=0)) + 1, int(h.max(initial=0)) + 1
        count = np.bincount(g, minlength=n_grams)
        of = np.zeros(n_grams, h.dtype)
        of[g] = h
        kept = np.where(count > least, count, 0)
        total = np.bincount(of, count, n_histories)
        total_kept = np.bincount(of, kept, n_histories)
        types = np.bincount(of, kept > 0, n_histories)
        pair, own = _groups(g, s, self.c.sequences)
        rest = count[pair[0]] - own
        rest_kept = np.where(rest > least, rest, 0)
        one = pair[0]
        inside = _within(of[one], pair[1], self.c.sequences)
        less = np.bincount(inside, own)
        less_kept = np.bincount(inside, kept[one] - rest_kept)
        less_types = np.bincount(inside, (kept[one] > 0).astype(np.float64) - (rest_kept > 0))
        back = pair[2]  # (m,): pair of each place
        w = inside[back]
        lower = (np.full(len(at), 1.0 / self.free),) * 2 if j == 1 else (self._with[at], self._without[at])
        p = _witten_bell(kept[g], total[h], total_kept[h], types[h], lower[0])
        q = _witten_bell(
            rest_kept[back], total[h] - less[w], total_kept[h] - less_kept[w], types[h] - less_types[w], lower[1]
        )
        if j == 1:
            self._with, self._without = np.ones(len(gram)), np.ones(len(gram))
        self._with[at], self._without[at] = p, q
        opens = np.zeros(n_grams, bool)
        opens[g[self.c.place[at] == j - 1]] = j > 1
        return self._figures(one, pair[1], opens, kept > 0)

    def _figures(self, gram: np.ndarray, sequence: np.ndarray, opens: np.ndarray, kept: np.ndarray) -> Left:
        def bits(p: np.ndarray) -> np.ndarray:
            return np.bincount(self.sequence, -np.log2(p), self.c.sequences)

        new = starts_new(gram)
        alone = new & np.append(new[1:], True)
        file = self.file[sequence]
        new_file = starts_new(gram, file) if len(self.c.names) > 1 else new
        first = np.flatnonzero(new)
        files = np.add.reduceat(new_file, first, dtype=np.int64) if len(first) else np.zeros(0, np.int64)
        n_files = len(self.c.names)

        def figures(some: np.ndarray) -> tuple[int, int, np.ndarray]:
            mine = first[some]
            return len(mine), int(alone[mine].sum()), np.bincount(file[mine[files[some] == 1]], minlength=n_files)

        rows, single, only = figures(np.flatnonzero(kept[gram[first]]))
        short = self._short
        out = Left(bits(self._with), bits(self._without), rows + short[0], single + short[1], only + short[2])
        rows, single, only = figures(np.flatnonzero((opens & kept)[gram[first]]))
        self._short = short[0] + rows, short[1] + single, short[2] + only
        return out


def _witten_bell(c: np.ndarray, d: np.ndarray, kept: np.ndarray, types: np.ndarray, lower: np.ndarray) -> np.ndarray:
    divisor = d + types
    seen = divisor > 0
    return np.where(seen, (c + (types + d - kept) * lower) / np.where(seen, divisor, 1.0), lower)


def _groups(g: np.ndarray, s: np.ndarray, n: int) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Distinct pairs (n-gram, sequence), sorted, with the pair of each place; and the number of places of each."""
    key = g.astype(np.uint64) * np.uint64(n) + s.astype(np.uint64)
    key, order = sort_keys(key, max(int(key.max(initial=0)), 1).bit_length())
    new = starts_new(key)
    which = np.empty(len(key), np.int64)
    which[order] = np.cumsum(new) - 1
    one = key[new]
    first = np.flatnonzero(new)
    size = np.diff(np.append(first, len(key)))
    pair = (one // np.uint64(n)).view(np.int64), (one % np.uint64(n)).view(np.int64), which
    return pair, size


def _within(h: np.ndarray, s: np.ndarray, n: int) -> np.ndarray:
    """Number of each distinct pair (history, sequence): int64 (m,)."""
    key = h.astype(np.uint64) * np.uint64(n) + s.astype(np.uint64)
    key, order = sort_keys(key, max(int(key.max(initial=0)), 1).bit_length())
    new = starts_new(key)
    which = np.empty(len(key), np.int64)
    which[order] = np.cumsum(new) - 1
    return which


def number(c: Corpus, order: int, below: np.ndarray | None) -> np.ndarray:
    """Number the n-grams of one order, equal ones equally: (N,), -1 where a sequence is too short.

    below  the numbers one order below; None at order 1
    """
    if order == 1 or below is None:
        return np.where(c.ids == BOS, c.ids.dtype.type(-1), c.ids)
    out = np.full(len(c.ids), -1, c.ids.dtype)
    at = np.flatnonzero(c.place >= order - 1)
    before = below[at - 1] if order > 2 else c.ids[at - 1]
    bits = max(int(c.ids.max()), 1).bit_length()
    key = before.astype(np.uint64) << np.uint64(bits)
    key |= c.ids[at].astype(np.uint64)
    key, order_of = sort_keys(key, bits + max(int(before.max(initial=0)), 1).bit_length())
    out[at[order_of]] = np.cumsum(starts_new(key)) - 1
    return out


def history_of(c: Corpus, order: int, below: np.ndarray | None) -> np.ndarray:
    """Number of the history before each id: (N,); 0 everywhere at order 1."""
    if order == 1 or below is None:
        return np.zeros(len(c.ids), c.ids.dtype)
    before = below if order > 2 else c.ids
    return np.concatenate((before[:1], before[:-1]))


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
