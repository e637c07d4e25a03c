"""Suffix array of a text and a corpus: the longest shared strings of two ids or more, at every place of the text.

Legend: x is the text, an end, the corpus, an end: M ids in all; h is a power of two; a group is a run of places in
suffix order with equal next h ids; it is mixed if it has places of both.

Prefix doubling sorts places by their next h ids, then by their next 2h. Only mixed groups are sorted further,
because other groups share no longer string; so the cost of a round is the number of places that still share. After
the last round the neighbours of each place of the text share most with it. Most places of the corpus begin with a
pair of ids that is not in the text: a table of bits drops them before the first sort, and the sort drops its false
positives.

Source: Manber and Myers 1993 (prefix doubling); Larsson and Sadakane 2007 (sorting only unfinished groups).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays.sorting import sort_keys, starts_new

_U = np.uint64
_KEY_BITS = 64
_PAIR_BITS = 23  # of a hash of two ids: the table of flags fits the cache
_ODD = _U(0x9E3779B97F4A7C15)


@dataclass
class Shared:
    """Places of a text and a corpus in suffix order.

    n_text  places of the text, with its end; the corpus begins there
    order   int64, places whose next two ids occur in both, in suffix order
    levels  int32 (M,) each: in level k, places have equal numbers if their next 2**k ids are equal. A place that the
            other text does not share keeps its number of the level before
    goes_on  the last id of the corpus occurs in the text
    """

    n_text: int
    order: np.ndarray
    levels: list[np.ndarray]
    goes_on: bool

    def lengths(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Number of ids that places a of one text share with places b of the other: int64, as a and b."""
        n = np.zeros(len(a), np.int64)
        for k in range(len(self.levels) - 1, -1, -1):
            level = self.levels[k]
            n += (level[a + n] == level[b + n]).astype(np.int64) << k
        return n


def share(text: np.ndarray, corpus: np.ndarray, ids: int) -> Shared:
    """Sort a text and a corpus together.

    text    integers (m,), from 0 to `ids`, exclusive; `ids` for a mark between sequences, which is never shared
    corpus  integers (B,), likewise; `ids` for a mark or a token that is not in the text
    """
    m, b = len(text), len(corpus)
    x = np.empty(m + b + 2, np.int64)
    x[:m], x[m] = text, ids
    x[m + 1 : -1] = corpus
    x[m + 1 : -1][corpus == ids] = ids + 1
    x[-1] = ids + 1
    count = np.bincount(x, minlength=ids + 2)
    begin_of = np.cumsum(count) - count
    rank = begin_of.astype(np.int32)[x]
    levels = [rank.copy()]
    place = np.concatenate((np.flatnonzero(x[:m] < ids), _with_pairs_of(x, m, ids)))
    first = x[place]
    goes_on = bool(b) and bool((text == corpus[-1]).any()) and int(corpus[-1]) < ids
    by = _by_pairs(first, x[place + 1])
    place, first = place[by], first[by]
    # numbers after those of dropped places, which keep the number of their id
    own = np.bincount(first, minlength=ids + 2)
    slot = (begin_of + count - own - (np.cumsum(own) - own))[first] + np.arange(len(place))
    order, at = place, np.arange(len(place))
    new = starts_new(first, x[place + 1])
    while len(place):
        begin = np.flatnonzero(new)
        group = np.cumsum(new) - 1
        rank[place] = slot[begin][group]
        levels.append(rank.copy())
        texts = np.add.reduceat((place <= m).astype(np.int64), begin)
        mixed = (texts > 0) & (texts < np.diff(begin, append=len(place)))
        some = np.flatnonzero(mixed[group])
        place, slot, at = place[some], slot[some], at[some]
        if len(levels) == 2:  # the other places share at most one id
            order, at = place.copy(), np.arange(len(place))
        if not len(place):
            break
        group = (np.cumsum(mixed) - 1)[group[some]]
        then = rank[place + (1 << (len(levels) - 1))]  # a shared string contains no end, so this is inside
        by = _by_pairs(group, then)
        place = place[by]
        order[at] = place
        new = starts_new(group, then[by])  # groups are in order and stay where they are
    return Shared(m + 1, order, levels, goes_on)


def _with_pairs_of(x: np.ndarray, m: int, ids: int) -> np.ndarray:
    """Places of the corpus whose next two ids occur in the text, with a few false positives: int64."""

    def pairs(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hashed = a[:-1].astype(_U) * _U(ids + 2)
        hashed += a[1:].astype(_U)
        hashed *= _ODD
        hashed >>= _U(64 - _PAIR_BITS)
        return hashed.view(np.int64), (a[:-1] < ids) & (a[1:] < ids)

    known = np.zeros(1 << _PAIR_BITS, bool)
    where, whole = pairs(x[:m]) if m else (x[:0], np.zeros(0, bool))
    known[where[whole]] = True
    where, whole = pairs(x[m + 1 :])
    whole &= known[where]
    return np.flatnonzero(whole) + (m + 1)


def _by_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Stable sorting permutation of pairs: int64."""
    bits = int(second.max(initial=0)).bit_length()
    first_bits = int(first.max(initial=0)).bit_length()
    if bits + first_bits + len(first).bit_length() <= _KEY_BITS:
        return sort_keys(first.astype(_U) << _U(bits) | second.astype(_U), bits + first_bits)[1]
    by = sort_keys(second.astype(_U), bits)[1]
    return by[sort_keys(first[by].astype(_U), first_bits)[1]]


@dataclass
class Found:
    """Longest matches of a text in one batch of a corpus.

    length  int64 (m,), ids of the longest string from each place that occurs in the batch; 0 if below 2
    at      int64 (q,), places that are counted, of length 2 or more
    count   int64 (q,), occurrences of their string
    first, last  int64 (q,), beginning of its first and last occurrence in the batch
    groups  int64 (q,), number of the batch's files with it
    """

    length: np.ndarray
    at: np.ndarray
    count: np.ndarray
    first: np.ndarray
    last: np.ndarray
    groups: np.ndarray


def unfinished(s: Shared) -> int:
    """Ids of the longest end of the corpus that occurs in the text: a match may continue in the next batch."""
    order = s.order
    begin, end = s.n_text, len(s.levels[0]) - 1
    close = np.flatnonzero((order >= max(begin, end - s.n_text)) & (order < end))
    of_text = np.flatnonzero(order < s.n_text - 1)
    if not len(of_text) or not len(close):
        return int(s.goes_on)
    here, there = order[close], order[of_text]
    behind = np.searchsorted(of_text, close)
    reach = np.zeros(len(here), bool)
    for beside in (behind - 1, behind):
        some = np.flatnonzero((beside >= 0) & (beside < len(there)))
        reach[some] |= s.lengths(there[beside[some]], here[some]) == end - here[some]
    return int(end - here[reach].min()) if reach.any() else int(s.goes_on)


def find(s: Shared, best: np.ndarray, limit: int, files: np.ndarray) -> Found:
    """Longest matches that begin in a batch of the corpus, with their counts.

    best   int64 (m,), lengths found in earlier batches: only places that reach them are counted
    limit  corpus places from here on belong to the next batch
    files  int32 (B,), rising: file of each place of the corpus
    """
    m, order = s.n_text - 1, s.order
    kept = (order >= s.n_text) & (order < s.n_text + limit)
    place = order[kept]  # of the corpus, in suffix order
    of_text = np.flatnonzero(order < m)
    text = order[of_text]
    behind = np.cumsum(kept)[of_text]
    length = np.zeros(m, np.int64)
    for beside in (behind - 1, behind):
        some = np.flatnonzero((beside >= 0) & (beside < len(place)))
        at = text[some]
        length[at] = np.maximum(length[at], s.lengths(at, place[beside[some]]))
    length[length == 1] = 0
    asked = np.flatnonzero((length[text] >= best[text]) & (length[text] > 0))
    at, behind = text[asked], behind[asked]
    low = behind - _alike(s, place, at, length[at], behind, -1)
    high = behind + _alike(s, place, at, length[at], behind, 1)
    first, last = extremes(place, low, high)
    first, last = first - s.n_text, last - s.n_text
    groups = np.ones(len(at), np.int64)
    if len(place) and files[int(place.min()) - s.n_text] != files[int(place.max()) - s.n_text]:
        several = np.flatnonzero(files[first] != files[last])
        if len(several):
            groups[several] = distinct_in(files[place - s.n_text], low[several], high[several])
    return Found(length, at, high - low, first, last, groups)


def _alike(
    s: Shared, place: np.ndarray, at: np.ndarray, length: np.ndarray, behind: np.ndarray, step: int
) -> np.ndarray:
    """Number of neighbours on one side of each of `at`, in suffix order, that share all of its string: int64 (q,).

    A string of n ids is shared if its first h and its last h ids are, with h the largest power of two up to n.
    """
    n = np.zeros(len(at), np.int64)
    level = np.frexp(length.astype(np.float64))[1] - 1
    for k in np.flatnonzero(np.bincount(level)).tolist():
        some = np.flatnonzero(level == k)
        shift = length[some] - (1 << k)
        head, tail = s.levels[k][at[some]], s.levels[k][at[some] + shift]
        n[some] = _run(s.levels[k], place, head, tail, shift, behind[some], step)
    return n


def _run(
    rank: np.ndarray,
    place: np.ndarray,
    head: np.ndarray,
    tail: np.ndarray,
    shift: np.ndarray,
    behind: np.ndarray,
    step: int,
) -> np.ndarray:
    """Number of neighbours as in `_alike`, for strings of one h, by doubling and then binary search: int64 (q,).

    head, tail  numbers of their first and last h ids
    shift       distance between the two
    """
    n, stop = np.zeros(len(head), np.int64), np.zeros(len(head), np.int8)
    room = len(place) - behind if step > 0 else behind

    def alike(which: np.ndarray, far: np.ndarray) -> np.ndarray:
        ok = np.flatnonzero(far <= room[which])
        some, far = which[ok], far[ok]
        there = place[behind[some] + (far - 1 if step > 0 else -far)]
        same = np.flatnonzero(rank[there] == head[some])
        some, there = some[same], there[same]
        out = np.zeros(len(which), bool)
        out[ok[same[rank[there + shift[some]] == tail[some]]]] = True
        return out

    going, bit = np.arange(len(head)), 0
    while len(going):
        ok = alike(going, n[going] + (1 << bit))
        on = going[ok]
        n[on] += 1 << bit
        stop[going[~ok]] = bit
        going, bit = on, bit + 1
    for b in range(bit - 2, -1, -1):
        some = np.flatnonzero(stop > b)
        ok = alike(some, n[some] + (1 << b))
        n[some[ok]] += 1 << b
    return n


def extremes(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest of values[low:high] for many non-empty ranges: int64 (q,) each (a sparse table)."""
    least, most = values, values
    first, last = np.zeros(len(low), np.int64), np.zeros(len(low), np.int64)
    span = np.frexp((high - low).astype(np.float64))[1] - 1
    for k in range(int(span.max(initial=-1)) + 1):
        some = np.flatnonzero(span == k)
        a, b = low[some], high[some] - (1 << k)
        first[some] = np.minimum(least[a], least[b])
        last[some] = np.maximum(most[a], most[b])
        if 1 << (k + 1) <= len(values):
            half = 1 << k
            least = np.minimum(least[:-half], least[half:])
            most = np.maximum(most[:-half], most[half:])
    return first, last


def distinct_in(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Number of distinct values of values[low:high], for many ranges: int64 (q,).

    Counts the entries whose last equal entry is before the range, bit by bit, in time independent of the length
    of the range. Source: wavelet matrix, Claude, Navarro and Ordonez 2015.
    """
    _, order = sort_keys(values.astype(_U), int(values.max()).bit_length())
    before = np.zeros(len(values), np.int64)  # 1 + index of the last equal value, 0 for none
    same = ~starts_new(values[order])
    before[order[same]] = order[:-1][same[1:]] + 1
    limit, n = low + 1, np.zeros(len(low), np.int64)
    a, b = low.copy(), high.copy()
    for bit in range(len(values).bit_length(), -1, -1):
        zero = (before >> bit & 1) == 0
        zeros = np.concatenate((np.zeros(1, np.int64), np.cumsum(zero)))
        a0, b0 = zeros[a], zeros[b]
        one = (limit >> bit & 1) == 1
        n += np.where(one, b0 - a0, 0)
        a, b = np.where(one, zeros[-1] + a - a0, a0), np.where(one, zeros[-1] + b - b0, b0)
        before = np.concatenate((before[zero], before[~zero]))
    return n
