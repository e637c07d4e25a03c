"""Finds ids among the sorted followers of many histories: a guide table, then binary search.

Legend: h is a history, given by its row; w an id; a bucket is a run of neighbouring followers of one history; m look-ups.

A history with many followers has several buckets. The bucket of an id is its share of all followers, so that
buckets are about equally full although small ids are frequent. Both rise with the id, so the followers in a bucket are
neighbours, and a search begins in one of a few followers instead of at the middle of all.

Source: Chen and Asau 1974 (guide tables).
"""

from __future__ import annotations

import numpy as np

_ROWS = 1 << 18  # rows of the table, when a guide is made
_FULL = 2  # followers in a bucket
_SHIFT = np.uint64(32)
_U = np.uint64


class Guide:
    """Where the search for a follower begins.

    token   unsigned (rows,), the followers of all histories, in memory: a mapped file is slower to look up in
    bucket  uint32 or int64 (h + 1,), the first bucket of each history; None where each history is one bucket
    begin   dtype of the table's `first`, (buckets + 1,): the first follower of each bucket
    share   uint64 (n_ids,), share of the followers with a smaller id, in units of 2**-32
    """

    def __init__(self, first: np.ndarray, token: np.ndarray, n_ids: int, buckets: bool = True) -> None:
        """Guide of a table's histories; the caller has checked that `first` rises and tokens are below n_ids.

        buckets  False to search all followers of a history, which is as fast where most have few
        """
        self.token = np.array(token)
        self.bucket: np.ndarray | None = None
        if not buckets:
            self.begin = np.array(first)
            return
        n = np.zeros(n_ids + 1, np.int64)
        some = max(_ROWS, 4 * n_ids)
        for low in range(0, len(token), some):
            n[1:] += np.bincount(token[low : low + some], minlength=n_ids)
        before = np.cumsum(n)[:-1]
        self.share = (before.astype(np.float64) * (2.0**32 / max(len(token), 1))).astype(_U)
        np.minimum(self.share, _U(2**32 - 1), out=self.share)
        many = (np.diff(first.astype(np.int64)) + (_FULL - 1)) // _FULL
        np.maximum(many, 1, out=many)
        bucket = np.zeros(len(first), np.int64)
        np.cumsum(many, out=bucket[1:])
        self.begin = np.empty(int(bucket[-1]) + 1, first.dtype)
        self.begin[-1] = len(token)
        low = 0
        while low < len(many):
            high = int(np.searchsorted(bucket, int(bucket[low]) + _ROWS, "right")) - 1
            high = min(max(high, low + 1), len(many))
            self._fill(first[low : high + 1].astype(np.int64), bucket[low : high + 1])
            low = high
        self.bucket = bucket.astype(np.uint32) if len(self.begin) < 1 << 32 else bucket

    def _fill(self, edges: np.ndarray, bucket: np.ndarray) -> None:
        """Begin of the buckets of some histories, whose followers are edges[i]..edges[i + 1] - 1."""
        base = bucket - bucket[0]
        share = self.share.take(self.token[edges[0] : edges[-1]])
        owner = owners(edges)
        share *= np.diff(base).astype(_U).take(owner)
        share >>= _SHIFT
        where = share.view(np.int64)
        where += base.take(owner)
        n = np.bincount(where, minlength=int(base[-1]))
        self.begin[bucket[0] : bucket[-1]] = np.cumsum(n) - n + edges[0]

    def range(self, row: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Followers among which an id must be: [low, high), int64 (m,) twice.

        row, token  int64 (m,), rows of histories, and ids of the vocabulary
        """
        if self.bucket is None:
            return self.begin.take(row).astype(np.int64), self.begin[1:].take(row).astype(np.int64)
        bucket = self.bucket.take(row).astype(np.int64)
        many = self.bucket[1:].take(row).astype(np.int64)
        many -= bucket
        share = self.share.take(token)
        share *= many.view(_U)
        share >>= _SHIFT
        bucket += share.view(np.int64)
        return self.begin.take(bucket).astype(np.int64), self.begin[1:].take(bucket).astype(np.int64)


def owners(edges: np.ndarray) -> np.ndarray:
    """Index of the range that each row is in: int64 (edges[-1] - edges[0],), as np.repeat gives, and faster for short ranges.

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
    at = np.minimum(low, len(below) - 1)
    there = below.take(at)  # most histories have one follower
    inside = low < high
    hit = there == wanted
    hit &= inside
    np.copyto(found, at, where=hit)
    low += 1
    more = there < wanted
    more &= low < high
    todo = np.flatnonzero(more)
    low, high, wanted = low[todo], high[todo], wanted[todo]
    while len(todo):  # halves: at most 64 rounds
        middle = low + high
        middle >>= 1
        there = below.take(middle)
        hit = there == wanted
        found[todo[hit]] = middle[hit]
        before = there < wanted
        np.copyto(high, middle, where=~before)
        middle += 1
        np.copyto(low, middle, where=before)
        on = np.flatnonzero((low < high) & ~hit)
        todo, low, high, wanted = todo[on], low[on], high[on], wanted[on]
    return found
