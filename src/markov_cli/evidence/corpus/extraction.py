"""Extraction: the share of a text that can be recovered from one order of its table.

Legend as in ngram_graph.py; a place is an id of the text, its edge the n-gram that ends there; L tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...model.table import Table
from ...text.types import BOS, EOS
from ..table.ngram_graph import Graph
from .corpus_rows import Corpus, Hashes

_BLOCK = 1 << 18  # n-grams at one time, to stay in the cache
GRAM = 10  # tokens of the n-grams by which a rebuilt text is compared


def edges_at(table: Table, g: Graph, c: Corpus, rows: list[np.ndarray]) -> np.ndarray:
    """Edge of every id of a text, -1 for BOS and for n-grams that the table lacks: (N,), dtype of ids.

    rows  rows[k - 1] has the row of the n-gram of k ids that ends at each id
    """
    edge = np.full(len(c.ids), -1, c.ids.dtype)
    for level, first_row, _, begin in g.blocks:
        row = rows[level]
        here = np.flatnonzero((row >= 0) & ((c.place >= level) if level == g.order - 1 else (c.place == level)))
        column = table.orders[level - 1].first
        assert column is not None
        edge[here] = row[here] - int(column[first_row]) + begin
    return edge


@dataclass
class Walks:
    """Certain strings of a text: its longest walks with g > 0 from each place (rule 2 of forced_strings.py).

    before  (n,), tokens of its first history, with which it begins; n places without BOS
    last    int64 (n,), where it ends
    size    int64 (n,), tokens; 0 where the table lacks the n-gram
    token   bool (n,), the place is no EOS
    """

    before: np.ndarray
    last: np.ndarray
    size: np.ndarray
    token: np.ndarray


def certain_walks(g: Graph, c: Corpus, edge: np.ndarray) -> Walks:
    """The certain strings of a text."""
    body = np.flatnonzero(c.ids != BOS)
    e = edge[body]
    known = e >= 0
    safe = np.where(known, e, 0)
    place = c.place[body]
    n = len(body)
    count = np.where(known, g.count[safe], 0)
    lost = (g.total[g.source[safe]] - g.count[safe]).astype(np.int64)
    lost[~known | (place == 1)] = int(g.total.sum()) + n + 1
    np.cumsum(lost, out=lost)
    end = np.arange(n)
    grows = np.flatnonzero(known[:-1] & (lost[1:] - lost[:-1] < count[:-1]))
    end[grows] = np.searchsorted(lost, lost[grows] + count[grows] - 1, "right") - 1
    before = np.minimum(place - 1, g.order - 1)
    label = c.ids[body]
    size = np.where(known, before + end - np.arange(n) + 1 - (label[end] == EOS), 0)
    return Walks(before, end, size, label != EOS)


def verified(w: Walks, lengths: tuple[int, ...]) -> dict[int, float]:
    """Share of a text's tokens in certain strings, for each least length of a string."""
    n, out = len(w.size), {}
    for least in lengths:
        some = np.flatnonzero(w.size >= least)
        change = np.bincount(some - w.before[some], minlength=n + 1) - np.bincount(w.last[some] + 1, minlength=n + 1)
        inside = np.cumsum(change[:n]) > 0
        out[least] = float(np.count_nonzero(inside & w.token) / max(int(np.count_nonzero(w.token)), 1))
    return out


def longest_around(w: Walks) -> np.ndarray:
    """Tokens of the longest certain string that each token of a text is part of; 0 in none: int64 (tokens,)."""
    some = np.flatnonzero(w.size)
    first = some - w.before[some]
    return _cover(first, w.last[some] - first + 1, w.size[some], len(w.size))[w.token]


def greedy(g: Graph, c: Corpus, edge: np.ndarray, lengths: tuple[int, ...]) -> dict[int, float | None]:
    """Share of places where greedy decoding from n - 1 tokens reproduces the next L tokens, for each length L.

    Counts places with n - 1 tokens before and L after them in their sequence; a tie is a failure. None where there
    is no such place. Source: Carlini et al. 2023, `extractable`, with the history as the prompt.
    """
    top = np.zeros(g.n_edges, bool)
    filled = np.flatnonzero(np.diff(g.first) > 0)
    begin = g.first[filled]
    most = np.maximum.reduceat(g.count, begin) if len(begin) else np.zeros(0, np.int64)
    best = g.count == np.repeat(most, np.diff(g.first)[filled])
    alone = np.add.reduceat(best, begin, dtype=np.int64) == 1 if len(begin) else np.zeros(0, bool)
    top[:] = best & np.repeat(alone, np.diff(g.first)[filled])
    good = (edge >= 0) & top[np.maximum(edge, 0)]
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(good)))
    last = np.repeat(np.append(c.begin[1:], len(c.ids)) - 1, c.size + 1)  # index of the sequence's EOS
    at = np.flatnonzero((c.place >= g.order) & (c.ids != EOS))
    out: dict[int, float | None] = {}
    for least in lengths:
        some = at[at + least <= last[at]]
        hit = np.count_nonzero(running[some + least] - running[some] == least)
        out[least] = float(hit / len(some)) if len(some) else None
    return out


@dataclass
class Reference:
    """A text to compare a rebuilt one with: hashes of a text's sequences and of its n-grams of GRAM tokens.

    sequences, times  uint64 and int64 (u,), each distinct sequence, rising, and how often it occurs
    grams             uint64 (v,), all n-grams, rising; some may be repeated
    """

    sequences: np.ndarray
    times: np.ndarray
    grams: np.ndarray


def reference(c: Corpus) -> Reference:
    """The hashes of a text; the same for every order."""
    own = Hashes(_plain(c))
    size = c.size - 1
    begin = np.cumsum(size) - size
    sequences, times = np.unique(own.of(begin, size), return_counts=True)
    grams = _grams(own, begin, size)
    grams.sort()
    return Reference(sequences, times, grams)


def rebuilt(r: Reference, ids: np.ndarray, size: np.ndarray) -> tuple[float, float | None]:
    """Shares of a rebuilt text's sequences, and of its 10-grams, that occur in the text.

    ids, size  the rebuilt text, as from random_text.labels

    A repeated sequence counts at most as often as it occurs in the text; a 10-gram counts if it occurs at all.
    The second share is None where no sequence has ten tokens.
    """
    mine = Hashes(ids)
    begin = np.cumsum(size) - size
    a, n = np.unique(mine.of(begin, size), return_counts=True)
    _, i, j = np.intersect1d(a, r.sequences, assume_unique=True, return_indices=True)
    same = int(np.minimum(n[i], r.times[j]).sum())
    grams = _grams(mine, begin, size)
    del mine
    grams.sort()
    share = _known(grams, r.grams) / len(grams) if len(grams) else None
    return same / max(len(size), 1), share


def _known(grams: np.ndarray, known: np.ndarray) -> int:
    """Number of n-grams that are known; both are sorted, so a block of one meets a stretch of the other."""
    n = 0
    for a in range(0, len(grams), _BLOCK):
        part = grams[a : a + _BLOCK]
        low, high = np.searchsorted(known, part[0]), np.searchsorted(known, part[-1], "right")
        there = known[low:high]
        if len(there):
            at = np.minimum(np.searchsorted(there, part), len(there) - 1)
            n += int(np.count_nonzero(there[at] == part))
    return n


def _plain(c: Corpus) -> np.ndarray:
    return c.ids[(c.ids != BOS) & (c.ids != EOS)]


def _grams(h: Hashes, begin: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Hashes of all n-grams of GRAM tokens within sequences."""
    some = size >= GRAM
    many = size[some] - GRAM + 1
    end = np.cumsum(many)
    shift = begin[some] - (end - many)
    out = np.empty(int(end[-1]) if len(end) else 0, np.uint64)
    low = 0
    while low < len(end):  # whole sequences, about _BLOCK n-grams at a time
        before = int(end[low] - many[low])
        high = max(int(np.searchsorted(end, before + _BLOCK, "right")), low + 1)
        last = int(end[high - 1])
        out[before:last] = h.of(np.arange(before, last) + np.repeat(shift[low:high], many[low:high]), GRAM)
        low = high
    return out


def _cover(begin: np.ndarray, size: np.ndarray, value: np.ndarray, n: int) -> np.ndarray:
    """For each i, the largest value[a] with begin[a] <= i < begin[a] + size[a]: int64 (n,).

    Each interval is the union of two of a power of two; the maximum of an interval passes down to its halves.
    """
    power = np.frexp(size.astype(np.float64))[1] - 1  # floor of log2
    level = np.zeros(n, np.int64)
    for j in range(int(power.max(initial=0)), -1, -1):
        here = np.flatnonzero(power == j)
        np.maximum.at(level, begin[here], value[here])
        np.maximum.at(level, begin[here] + size[here] - (1 << j), value[here])
        if j:
            half = 1 << (j - 1)
            lower = level.copy()
            lower[half:] = np.maximum(lower[half:], level[: n - half])
            level = lower
    return level
