"""Probabilities of tokens from what was read shortly before, by words and by n-grams (Kuhn and De Mori 1990).

Legend: x_i is the token at place i of a document, t its number there; c counts of what was read before place i; D a
discount; l the length of a history in its sentence, 0..3.

    words    p_u(w) = sum over places j < i with x_j = w of d**(i - 1 - j), divided by that sum over all j
    n-grams  p_l(w) = (max(c(h_l w) - D, 0) + D N1+(h_l .) p_{l-1}(w)) / c(h_l), down to the distribution of types

A token is predicted from those before it, so no token sees itself. Counts reach back `SPAN` to 2 `SPAN` tokens, to the
same document. What a place sees depends on its document alone, not on how the text is cut into streams.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays.sorting import sort_keys, starts_new
from ..text.marker_stream import Stream, behind
from ..text.types import BOS

SPAN = 1 << 16
LONGEST = 3  # tokens of the longest history of a recent n-gram


@dataclass
class Window:
    """Codes that are predicted, behind those that they are predicted from.

    codes     int64 (m,)
    document  int64 (m,), number of the document of each; rises
    new       index of the first code that is predicted
    """

    codes: np.ndarray
    document: np.ndarray
    new: int


@dataclass
class Recent:
    """Probabilities of the new tokens of a window.

    words  float64 (m,), NaN where nothing was read before
    ngrams float64 (m,)
    hit    int64 (m,), length of the longest history that was read before, 0..LONGEST
    """

    words: np.ndarray
    ngrams: np.ndarray
    hit: np.ndarray


def windows(streams: Iterable[Stream]) -> Iterator[tuple[Stream, list[Window]]]:
    """The windows of each stream; together they hold the stream's new codes, in order."""
    tail, first, number = np.empty(0, np.int64), 0, 0  # of the open document: its codes, how many came before them
    for stream in streams:
        fresh = stream.codes[stream.context :]
        document = number + np.searchsorted(stream.documents - stream.context, np.arange(len(fresh)), "right")
        codes = np.concatenate((tail, fresh))
        every = np.concatenate((np.full(len(tail), number, np.int64), document))
        place = _places(every, number, first)
        cuts = np.flatnonzero((place % SPAN == 0) & (place >= 2 * SPAN) & (np.arange(len(codes)) > len(tail)))
        edges = [len(tail), *cuts.tolist(), len(codes)]
        found = []
        for low, high in pairwise(edges):
            if low < high:
                reach = place[low] % SPAN + SPAN if place[low] >= 2 * SPAN else place[low]
                begin = low - int(reach)
                found.append(Window(codes[begin:high], every[begin:high], low - begin))
        yield stream, found
        if len(codes):
            ended = bool(len(stream.documents)) and int(stream.documents[-1]) >= len(stream.codes)
            number = int(every[-1]) + ended
            last = int(place[-1])
            keep = 0 if ended else min(last + 1, last % SPAN + 1 + SPAN)
            tail = codes[len(codes) - keep :]
            first = 0 if ended else last + 1 - keep


def _places(document: np.ndarray, number: int, first: int) -> np.ndarray:
    """The place of each code in its document: int64 (m,); `first` codes of document `number` came before."""
    here = np.arange(len(document))
    begin = np.maximum.accumulate(np.where(starts_new(document), here, 0)) if len(document) else here
    return here - begin + np.where(document == number, first, 0)


def recent(ids: np.ndarray, document: np.ndarray, half_life: float, discount: float, base: np.ndarray) -> Recent:
    """Probabilities of each token from those before it in its document.

    ids   int64 (m,), with BOS at the beginning of each sentence
    base  float64 (m,), of each token under the distribution of types
    """
    ngrams, hit = recent_ngrams(ids, document, discount, base)
    return Recent(_words(ids, document, half_life), ngrams, hit)


def estimated_discount(ids: np.ndarray, document: np.ndarray) -> float:
    """D of recent n-grams, from the pairs of a text (Ney, Essen and Kneser 1994, eq. 24); 0.5 if it has too few."""
    _, _, rank = _ranks(_key(_dense(_key(document[1:], ids[:-1])), ids[1:]) if len(ids) > 1 else ids[:0])
    first, second, third = (int(np.count_nonzero(rank == k)) for k in (0, 1, 2))
    once, twice = first - second, second - third
    return round(once / (once + 2 * twice), 6) if once and twice else 0.5


def _words(ids: np.ndarray, document: np.ndarray, half_life: float) -> np.ndarray:
    said = np.flatnonzero(ids != BOS)
    decay = 0.5 ** (1.0 / half_life)
    of = document[said]
    here = np.arange(len(said))
    time = here - np.maximum.accumulate(np.where(starts_new(of), here, 0)) if len(said) else here
    group, order, _ = _ranks(_key(of, ids[said]))
    when = time[order]
    same = np.zeros(len(said), bool)
    same[1:] = group[order][1:] == group[order][:-1]
    gap = np.zeros(len(said), np.int64)
    gap[1:] = when[1:] - when[:-1]
    # s_k = s_{k-1} decay**gap + 1 along the places of one word, by doubling: each round joins what lies twice as far
    factor = np.where(same, decay ** np.where(same, gap, 0), 0.0)
    total = np.ones(len(said))
    step = 1
    while step < len(said) and factor.any():
        more = total[step:] + factor[step:] * total[:-step]
        factor[step:] *= factor[:-step]
        factor[:step] = 0.0
        total[step:] = more
        step *= 2
    before = np.zeros(len(said))
    before[1:] = np.where(same[1:], total[:-1] * decay ** np.where(same[1:], gap[1:] - 1, 0), 0.0)
    whole = (1.0 - decay ** time.astype(np.float64)) / (1.0 - decay)
    p = np.full(len(ids), np.nan)
    mine = np.empty(len(said))
    mine[order] = before
    with np.errstate(invalid="ignore", divide="ignore"):
        p[said] = np.where(time > 0, mine / whole, np.nan)
    return p


def recent_ngrams(
    ids: np.ndarray, document: np.ndarray, discount: float, base: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each token under recent n-grams, and the length of the longest history that was read before.

    ids, document, base  as `recent`
    returns  float64 (m,), int64 (m,)
    """
    m = len(ids)
    p, hit = base.copy(), np.zeros(m, np.int64)
    inside = behind(ids)
    said = ids != BOS
    history = _dense(document)
    for length in range(LONGEST + 1):
        live = np.flatnonzero(said & (inside >= length))
        if not len(live):
            break
        h = history[live]
        _, order, rank = _ranks(_key(h, ids[live]))
        _, by_history, seen = _ranks(h)
        c = np.empty(len(live))
        c[order] = rank
        new = c == 0
        distinct_before = _before(new, h, by_history)
        total = np.empty(len(live))
        total[by_history] = seen
        known = total > 0
        q = np.maximum(c - discount, 0.0) + discount * distinct_before * p[live]
        p[live] = np.where(known, q / np.where(known, total, 1.0), p[live])
        if length:
            hit[live[known]] = length
        if length < LONGEST:
            # the history of one token more that ends at i - 1: at length 0 that is the token itself, BOS included
            ends = _dense(_key(_dense(document) if not length else history, ids))
            history = np.concatenate((np.zeros(1, np.int64), ends[:-1]))
    return p, hit


@dataclass
class RecentHistories:
    """Places by the history of a length before them, then in order.

    order    int64 (r,), places
    rank     int64 (r,), how many places with an equal history came before each of them
    slot     int64 (m,), where each place stands in `order`; -1 for a BOS, and where the sentence is too short
    rank_at  int64 (m,), its rank
    """

    order: np.ndarray
    rank: np.ndarray
    slot: np.ndarray
    rank_at: np.ndarray


def recent_histories(ids: np.ndarray, document: np.ndarray) -> list[RecentHistories]:
    """Equal histories of 1 to LONGEST tokens in each document of a window."""
    m = len(ids)
    inside = behind(ids)
    out = []
    ends = _dense(_key(_dense(document), ids))
    for length in range(1, LONGEST + 1):
        history = np.concatenate((np.zeros(1, np.int64), ends[:-1]))[:m]
        live = np.flatnonzero((ids != BOS) & (inside >= length))
        _, by_history, rank = _ranks(history[live])
        order = live[by_history]
        slot, rank_at = np.full(m, -1, np.int64), np.zeros(m, np.int64)
        slot[order] = np.arange(len(order))
        rank_at[order] = rank
        out.append(RecentHistories(order, rank, slot, rank_at))
        ends = _dense(_key(history, ids))
    return out


def _before(new: np.ndarray, group: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Number of `new` before each place in its group: float64 (m,)."""
    ranked = group[order]
    running = np.cumsum(new[order]) - new[order]
    begin = np.flatnonzero(starts_new(ranked))
    size = np.diff(begin, append=len(ranked))
    out = np.empty(len(new))
    out[order] = running - np.repeat(running[begin], size)
    return out


def _key(group: np.ndarray, ids: np.ndarray) -> np.ndarray:
    bits = int(ids.max(initial=0)).bit_length()
    return (group << bits) | ids


def _dense(key: np.ndarray) -> np.ndarray:
    """Keys as numbers from 0 without gaps: int64 (m,)."""
    return _ranks(key)[0]


def _ranks(key: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of each key, int64 (m,); places by key, then in order; and the rank of each of these among equal keys."""
    ranked, order = sort_keys(key.astype(np.uint64), int(key.max(initial=0)).bit_length())
    new = starts_new(ranked)
    number = np.empty(len(key), np.int64)
    number[order] = np.cumsum(new) - 1
    begin = np.flatnonzero(new)
    rank = np.arange(len(key)) - np.repeat(begin, np.diff(begin, append=len(key)))
    return number, order, rank
