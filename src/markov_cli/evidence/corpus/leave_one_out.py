"""What a table holds of each sequence beyond what all the others would have told it.

Legend: an n-gram h w was seen c times, its history h d times with T different followers; m of these c are of
the sequence in question, D of the d, and for U of the T it alone stands; p' is the probability after a
history one token shorter; V types can be predicted.

    p(w | h)         = (c + (T + d - k) p') / (d + T)                     k: sum of the kept c of h
    p without it     = the same of c - m, d - D, T - U

That is interpolated Witten-Bell, `wb` of model/smoothing.py, and the model that would have been made without
the sequence, with V left as it is: exact, and no model is trained. Where rows were pruned, a count is kept
as long as it is above the threshold, with the sequence and without it.

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

LEAST_TOKENS = 8  # of sequences that membership is judged by
FALSE_POSITIVES = 0.01


@dataclass
class Left:
    """One order's figures.

    bits, bits_without  float64 (D,), -log2 p of each sequence with its EOS
    rows                the n-grams kept of this order, and the shorter ones that open with BOS: edges of its graph
    single_sequence     how many of them stand in one sequence
    only                int64 (files,), how many stand in each file alone
    """

    bits: np.ndarray
    bits_without: np.ndarray
    rows: int
    single_sequence: int
    only: np.ndarray


class LeaveOneOut:
    """All orders of a text, one after another from 1 up.

    thresholds  n-grams of order j seen so often or less are not in the table; [j - 1]
    free        V, what can be predicted
    """

    def __init__(self, c: Corpus, free: int, thresholds: list[int]) -> None:
        self.c, self.free, self.thresholds = c, free, thresholds
        self.sequence = c.sequence
        self.file = np.repeat(np.arange(len(c.names)), np.diff(c.first))  # (D,)
        self._with = self._without = np.empty(0)
        self._short = 0, 0, np.zeros(len(c.names), np.int64)  # of the rows that open with BOS, of all orders so far

    def order(self, j: int, gram: np.ndarray, history: np.ndarray) -> Left:
        """The next order: gram (N,) numbers equal n-grams alike, -1 where there is none; history the same."""
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
        back = pair[2]  # (m,): which pair each place is of
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
    """Distinct pairs of n-gram and sequence, by both, and which of them each place is; how many places each has."""
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
    """A number for each distinct pair of history and sequence: int64 (m,)."""
    key = h.astype(np.uint64) * np.uint64(n) + s.astype(np.uint64)
    key, order = sort_keys(key, max(int(key.max(initial=0)), 1).bit_length())
    new = starts_new(key)
    which = np.empty(len(key), np.int64)
    which[order] = np.cumsum(new) - 1
    return which


def number(c: Corpus, order: int, below: np.ndarray | None) -> np.ndarray:
    """Equal n-grams of one order alike, from the text alone: (N,), -1 where a sequence is too short."""
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
    """The number of the history that stands before each id: (N,); 0 everywhere at order 1."""
    if order == 1 or below is None:
        return np.zeros(len(c.ids), c.ids.dtype)
    before = below if order > 2 else c.ids
    return np.concatenate((before[:1], before[:-1]))


def auc(inside: np.ndarray, outside: np.ndarray) -> float:
    """The chance that a sequence of the text costs less than one from elsewhere, ties as a half."""
    x = np.concatenate((inside, outside))
    _, which, times = np.unique(x, return_inverse=True, return_counts=True)
    rank = (np.cumsum(times) - (times - 1) / 2)[which]
    n, m = len(inside), len(outside)
    less = rank[:n].sum() - n * (n + 1) / 2
    return 1.0 - float(less / (n * m))


def true_positives(inside: np.ndarray, outside: np.ndarray, rate: float = FALSE_POSITIVES) -> float:
    """The share of the text's sequences that cost less than all but `rate` of those from elsewhere."""
    allowed = int(rate * len(outside))
    edge = np.sort(outside)[allowed]
    return float((inside < edge).mean())
