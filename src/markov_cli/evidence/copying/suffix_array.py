"""Suffix array of a text and a corpus: the longest shared strings of eight ids or more, at every place of the text.

Legend: x is the text, an end, the corpus, an end: M ids in all; h is a power of two; a group is a run of places in
suffix order with equal next h ids; it is mixed if it has places of both.

Places whose next eight ids are the same are known (text_ngrams.py). Prefix doubling sorts these by their next 16 ids,
then by their next 32. Only mixed groups are sorted further, because other groups share no longer string; so the cost
of a round is the number of places that still share. After the last round the neighbours of each place of the text
share most with it.

Source: Manber and Myers 1993 (prefix doubling); Larsson and Sadakane 2007 (sorting only unfinished groups).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays.sorting import sort_keys, sort_pairs, starts_new
from .text_ngrams import DEPTH, Places, TextNgrams

_U = np.uint64


@dataclass
class Shared:
    """Places of a text and a corpus in suffix order.

    n_text  places of the text, with its end; the corpus begins there
    order   int64, places whose next eight ids occur in both, in suffix order
    levels  int32 (M,) each: in level k, a place of the text and one of the corpus have equal numbers if and only if
            their next 2**k ids are equal
    """

    n_text: int
    order: np.ndarray
    levels: list[np.ndarray]

    def lengths(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Number of ids that places a of one text share with places b of the other: int64, as a and b."""
        n = np.zeros(len(a), np.int64)
        for k in range(len(self.levels) - 1, -1, -1):
            level = self.levels[k]
            n += (level[a + n] == level[b + n]).astype(np.int64) << k
        return n


class NumberedText:
    """A text whose places have numbers by their next ids, for all parts of a corpus.

    In level k, a place has the number of its longest n-gram of up to 2**k ids (`TextNgrams.numbers`), and one more
    where the text ends before 2**k ids, for nothing in the corpus can be equal there.
    """

    def __init__(self, ngrams: TextNgrams) -> None:
        self.ngrams = ngrams
        self._number = [number.astype(np.int32) for number in ngrams.numbers()]
        self._mark = 2 * sum(map(len, self._number)) + 1  # of the text; the corpus has the next number
        self._levels: list[np.ndarray] = []
        number = np.full(len(ngrams.text) + 1, self._mark, np.int32)
        for n, row in enumerate(ngrams.row, 1):
            there = np.flatnonzero(row >= 0)
            number |= 1
            number[there] = self._number[n - 1][row[there]]
            if n & (n - 1) == 0:
                self._levels.append(number.copy())

    def share(self, codes: np.ndarray, found: list[Places]) -> Shared:
        """Sort the text and a part of a corpus together.

        codes  int64 (B,), ids of the text; `ids` for a mark or a token that is not in the text
        found  `TextNgrams.places` of them
        """
        ngrams, begin = self.ngrams, len(self.ngrams.text) + 1
        number = np.append(self._number[0], np.int32(self._mark + 1))[codes]
        levels: list[np.ndarray] = []
        for n in range(1, DEPTH + 1):
            if n > 1:
                at, row = found[n - 2]
                number[at] = self._number[n - 1][row]
            if n & (n - 1) == 0:
                levels.append(np.concatenate((self._levels[len(levels)], number, [np.int32(self._mark + 1)])))
        at, row = found[-1]
        in_corpus = np.zeros(ngrams.size[-1], bool)
        in_corpus[row] = True
        of_text = np.flatnonzero(ngrams.row[-1] >= 0)
        place = np.concatenate((of_text[in_corpus[ngrams.row[-1][of_text]]], at + begin))
        return Shared(begin, _sorted_further(levels, place, begin), levels)


def _sorted_further(levels: list[np.ndarray], place: np.ndarray, begin: int) -> np.ndarray:
    """Places in suffix order, int64 (q,), by numbers of their next h ids; adds numbers of 2 h, 4 h, .. to `levels`.

    levels  int32 (M,) each, numbers of h = 1, 2, .. ids
    place   int64 (q,), all places with numbers of the last level that text and corpus share
    begin   of the corpus
    """
    last = levels[-1]
    _, by = sort_keys(last[place].astype(_U), int(last.max()).bit_length())
    place = place[by]
    new = starts_new(last[place])
    first = np.flatnonzero(new)
    room = np.zeros(int(last.max()) + 2, np.int32)  # behind each number, for the places that have it
    room[last[place[first]] + 1] = np.diff(first, append=len(place))
    rank = np.cumsum(room, out=room)[last]
    rank += last
    group = np.cumsum(new) - 1
    slot = rank[place] + np.arange(len(place)) - first[group]  # of a group, one after another
    order, at = place.copy(), np.arange(len(place))
    while len(place):
        then = rank[place + (1 << (len(levels) - 1))]  # a shared string contains no end, so this is inside
        by = sort_pairs(group, then)
        place = place[by]
        order[at] = place
        new = starts_new(group, then[by])  # groups are in order and stay where they are
        first = np.flatnonzero(new)
        group = np.cumsum(new) - 1
        rank[place] = slot[first][group]
        levels.append(rank.copy())
        texts = np.add.reduceat((place < begin).astype(np.int64), first)
        mixed = (texts > 0) & (texts < np.diff(first, append=len(place)))
        some = np.flatnonzero(mixed[group])
        place, slot, at = place[some], slot[some], at[some]
        group = (np.cumsum(mixed) - 1)[group[some]]
    return order


@dataclass
class Found:
    """Longest matches of a text in one batch of a corpus.

    length  int64 (m,), ids of the longest string from each place that occurs in the batch; 0 if below DEPTH
    at      int64 (q,), places that are counted, of length DEPTH or more
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


def longest_end(shared: Shared) -> int:
    """Ids of the longest end of a corpus that occurs in the text; it has DEPTH or more."""
    order, begin, end = shared.order, shared.n_text, len(shared.levels[0]) - 1
    close = np.flatnonzero(order >= max(begin, end - begin))
    of_text = np.flatnonzero(order < begin)
    here, there = order[close], order[of_text]
    behind = np.searchsorted(of_text, close)
    reach = np.zeros(len(here), bool)
    for beside in (behind - 1, behind):
        some = np.flatnonzero((beside >= 0) & (beside < len(there)))
        reach[some] |= shared.lengths(there[beside[some]], here[some]) == end - here[some]
    return int(end - here[reach].min())


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
