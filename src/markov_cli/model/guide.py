"""Finds ids among the sorted followers of many histories: a guide table, then binary search.

Legend: h is a history, given by its row; w an id; a bucket is a run of neighbouring followers of one history; m
look-ups.

A history has as many buckets as followers. The bucket of an id is its share of all followers, so that
buckets are about equally full although small ids are frequent. Both rise with the id, so the followers in a bucket are
neighbours, and a search begins in one of a few followers instead of at the middle of all.

Source: Chen and Asau 1974 (guide tables).
"""

from __future__ import annotations

import numpy as np

_ROWS = 1 << 16  # rows of the table, when a guide is made: their arrays stay in the cache
_MANY = 4  # followers up to which binary search is as fast as a guide (measured)
_PAYS = 0.2  # share of the rows that have more such neighbours, from which a guide pays (measured)
_SHIFT = np.uint64(32)
_U = np.uint64


def smallest(limit: int) -> np.dtype:
    """The smallest of uint32 and uint64 that holds `limit`."""
    return np.dtype(np.uint32 if limit < 1 << 32 else np.uint64)


class Guide:
    """Where the search for a follower begins.

    token   unsigned (rows,), the followers of all histories
    bucket  unsigned (h + 1,), the first bucket of each history
    begin   unsigned (buckets + 1,): the first follower of each bucket
    share   uint64 (n_ids,), share of the followers with a smaller id, in units of 2**-32
    """

    def __init__(self, first: np.ndarray, token: np.ndarray, n_ids: int) -> None:
        """Guide of the histories whose followers are token[first[h] : first[h + 1]].

        ValueError if followers are outside the table or ids outside the vocabulary. All is worked out a part at a
        time: fresh memory costs more than the arithmetic (measured).
        """
        self.token = np.asarray(token)
        n = np.zeros(n_ids + 1, np.int64)
        some = max(_ROWS, 4 * n_ids)
        for low in range(0, len(token), some):
            part = np.bincount(token[low : low + some], minlength=n_ids)
            if len(part) > n_ids:
                raise ValueError("an id outside the vocabulary")
            n[1:] += part
        before = np.cumsum(n)[:-1]
        self.share = (before.astype(np.float64) * (2.0**32 / max(len(token), 1))).astype(_U)
        np.minimum(self.share, _U(2**32 - 1), out=self.share)
        self._count_buckets(first)
        self.begin = np.empty(int(self.bucket[-1]) + 1, smallest(len(token)))
        self.begin[-1] = len(token)
        low = 0
        while low < len(first) - 1:
            high = min(low + _ROWS, len(first) - 1)
            if int(first[high]) - int(first[low]) > _ROWS:
                wanted = np.array(int(first[low]) + _ROWS, first.dtype)
                high = max(int(np.searchsorted(first[low : high + 1], wanted, "right")) - 1 + low, low + 1)
            self._fill(first[low : high + 1].astype(np.int64), self.bucket[low : high + 1].astype(np.int64))
            low = high

    def _count_buckets(self, first: np.ndarray) -> None:
        n = len(first) - 1
        self.bucket = np.zeros(n + 1, smallest(n + len(self.token)))
        last = end = 0
        for low in range(0, n, _ROWS):
            edges = first[low : low + _ROWS + 1].astype(np.int64)
            many = np.diff(edges)
            if int(edges[0]) != end or (many < 0).any():
                raise ValueError("followers outside the table")
            end = int(edges[-1])
            np.maximum(many, 1, out=many)
            np.cumsum(many, out=many)
            many += last
            self.bucket[low + 1 : low + 1 + len(many)] = many
            last = int(many[-1])
        if end != len(self.token):
            raise ValueError("followers outside the table")

    def _fill(self, edges: np.ndarray, bucket: np.ndarray) -> None:
        """Begin of the buckets of some histories, whose followers are edges[i]..edges[i + 1] - 1."""
        base = bucket - bucket[0]
        share = self.share.take(self.token[edges[0] : edges[-1]], mode="clip")
        owner = owners(edges)
        share *= np.diff(base).astype(_U).take(owner, mode="clip")
        share >>= _SHIFT
        where = share.view(np.int64)
        where += base.take(owner, mode="clip")
        n = np.bincount(where, minlength=int(base[-1]))
        begin = np.cumsum(n)
        begin -= n
        begin += edges[0]
        self.begin[bucket[0] : bucket[-1]] = begin

    def range(self, row: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Followers among which an id must be: [low, high), int64 (m,) twice.

        row, token  int64 (m,), rows of histories, and ids of the vocabulary
        """
        first = self.bucket.take(row, mode="clip")  # clipped: faster than checked
        many = self.bucket[1:].take(row, mode="clip")
        many -= first
        share = self.share.take(token, mode="clip")
        share *= many
        share >>= _SHIFT
        share += first
        bucket = share.view(np.int64)
        low, high = self.begin.take(bucket, mode="clip"), self.begin[1:].take(bucket, mode="clip")
        return low.astype(np.int64), high.astype(np.int64)


def pays(first: np.ndarray) -> bool:
    """True if enough followers have many neighbours, so that a guide saves more time than it takes."""
    many = sum(
        int(size[size > _MANY].sum())
        for low in range(0, len(first) - 1, _ROWS)
        for size in [np.diff(first[low : low + _ROWS + 1].astype(np.int64))]
    )
    return many > _PAYS * int(first[-1])


def owners(edges: np.ndarray) -> np.ndarray:
    """Index of the range that each row is in: int64 (edges[-1] - edges[0],); for short ranges faster than np.repeat.

    edges  int64 (r + 1,), rising: range i is rows edges[i]..edges[i + 1] - 1

    >>> owners(np.array([5, 7, 7, 8])).tolist()
    [0, 0, 2]
    """
    n = int(edges[-1] - edges[0])
    inside = edges[1:-1] - edges[0]
    starts = np.bincount(inside, minlength=n + 1)[:n]
    return np.cumsum(starts, out=starts)


def search(below: np.ndarray, low: np.ndarray, high: np.ndarray, token: np.ndarray) -> np.ndarray:
    """The index of each id in below[low:high], which rises: int64 (m,), -1 where there is none.

    low, high  int64 (m,), low <= high <= len(below); they are overwritten
    """
    found = np.full(len(low), -1, np.int64)
    if not len(below):
        return found
    wanted = token.astype(below.dtype)
    there = below.take(low, mode="clip")  # most histories have one follower
    hit = there == wanted
    hit &= low < high
    np.copyto(found, low, where=hit)
    low += 1
    more = there < wanted
    more &= low < high
    todo = np.flatnonzero(more)
    low, high, wanted = (a.take(todo, mode="clip") for a in (low, high, wanted))
    while len(todo):  # halves: at most 64 rounds
        middle = low + high
        middle >>= 1
        there = below.take(middle, mode="clip")
        hit = there == wanted
        found[todo[hit]] = middle[hit]
        before = there < wanted
        np.copyto(high, middle, where=~before)
        middle += 1
        np.copyto(low, middle, where=before)
        on = np.flatnonzero((low < high) & ~hit)
        todo, low, high, wanted = todo[on], low[on], high[on], wanted[on]
    return found
