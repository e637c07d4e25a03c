"""Finds the longest run of tokens that each text shares with a corpus, by Rabin-Karp hashes.

Legend: n is the length of a run; h the hash of a token. Runs are compared by 64-bit hashes: two different runs have
equal hashes with probability 2**-64.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...arrays.sorting import distinct_values
from ...text.run_hashes import run_hashes, stream_runs

_BITS = 22  # of the hash, for a first look-up in a table of flags
_U = np.uint64


class Shared:
    """A corpus as one stream of tokens.

    numbers  uint32, block by block: 4 bytes a token
    hash_of  uint64, hash of each number
    """

    def __init__(self, numbers: list[np.ndarray], hash_of: np.ndarray) -> None:
        self.numbers, self.hash_of = numbers, hash_of

    def blocks(self) -> Iterator[tuple[np.ndarray, tuple[int, ...]]]:
        """Blocks for `run_hashes.stream_runs`; runs continue from one file into the next."""
        return ((number, ()) for number in self.numbers)

    def longest(self, h: np.ndarray, length: np.ndarray, most: int | None = None) -> np.ndarray:
        """Tokens of the longest run that each text shares with the corpus: int64 (m,).

        h       uint64 (sum of length,), token hashes of all texts, joined
        length  int64 (m,)
        most    every shared run is known to be shorter; None if unknown

        A text that shares a run of n tokens shares all shorter ones, so binary search finds the length.
        """
        found = np.zeros(len(length), np.int64)
        step = 1
        todo = np.arange(len(length))
        if most is not None and most > 1:  # texts drawn with --novel mostly reach the greatest allowed length
            has = self._share(h, length, todo, most - 1)
            found[todo[has]] = most - 1
            todo = todo[~has]
        over = found.copy()
        while len(todo):
            has = self._share(h, length, todo, step)
            todo = todo[has]
            found[todo] = step
            step *= 2
        while step > 1:
            step //= 2
            open_ = np.flatnonzero((found >= 2 * step) & (over == 0))
            for n in distinct_values(found[open_]).tolist():
                some = open_[found[open_] == n]
                has = self._share(h, length, some, n + step)
                found[some[has]] += step
        return found

    def _share(self, h: np.ndarray, length: np.ndarray, which: np.ndarray, n: int) -> np.ndarray:
        """True for texts that share a run of n tokens: bool (len(which),)."""
        out = np.zeros(len(which), bool)
        begin = (np.cumsum(length) - length)[which]
        runs = np.maximum(length[which] - n + 1, 0)
        total = int(runs.sum())
        if not total:
            return out
        end = np.cumsum(runs)
        owner = np.repeat(np.arange(len(which)), runs)
        at = np.arange(total) - np.repeat(end - runs, runs) + np.repeat(begin, runs)
        key = run_hashes(h, n)[at]
        wanted, which_one = np.unique(key, return_inverse=True)
        there = np.zeros(len(wanted), bool)
        coarse = np.zeros(1 << _BITS, bool)
        coarse[(wanted >> _U(64 - _BITS)).view(np.int64)] = True
        for some in stream_runs(self.blocks(), self.hash_of, n):
            maybe = some[coarse[(some >> _U(64 - _BITS)).view(np.int64)]]
            place = np.minimum(np.searchsorted(wanted, maybe), len(wanted) - 1)
            there[place[wanted[place] == maybe]] = True
        out[distinct_values(owner[there[which_one]])] = True
        return out
