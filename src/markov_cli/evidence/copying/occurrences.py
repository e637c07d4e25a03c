"""Counts the occurrences of a text's n-grams in a corpus that is read part by part: how many, in how many files, where.

Legend: a row is the number of an n-gram; B occurrences in one part of the corpus.
"""

from __future__ import annotations

import numpy as np

from ...arrays.sorting import sort_pairs, starts_new


class Occurrences:
    """Counts and first places of some n-grams, in the corpus read so far.

    count       int64 (rows,), occurrences of each n-gram
    files       int64 (rows,), number of files with it
    file, line  int64 (rows,), its first occurrence
    """

    def __init__(self, rows: int) -> None:
        self.count, self.files = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self.file, self.line = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self._latest = np.full(rows, -1, np.int64)
        self._place = np.empty(rows, np.int64)

    def add(self, row: np.ndarray, file: np.ndarray, line: np.ndarray) -> None:
        """Count the occurrences in one more part of the corpus, in their order.

        row         integers (B,)
        file, line  int32 (B,), of each; files rise
        """
        n = len(row)
        if not n:
            return
        self._place[row[::-1]] = np.arange(n - 1, -1, -1)  # the first occurrence is written last
        count = np.bincount(row, minlength=len(self.count))
        seen = np.flatnonzero(count)
        place = self._place[seen]
        first = file[place].astype(np.int64)
        fresh = np.flatnonzero(self.count[seen] == 0)
        self.file[seen[fresh]], self.line[seen[fresh]] = first[fresh], line[place[fresh]]
        n_files, last = _files(row, file, seen, first)
        self.files[seen] += n_files - (self._latest[seen] == first)
        self._latest[seen] = last
        self.count += count


def _files(row: np.ndarray, file: np.ndarray, seen: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of files of a part that have each of the n-grams `seen`, and the last of them: int64 each."""
    if file[0] == file[-1]:
        return np.ones(len(seen), np.int64), first
    by = sort_pairs(row, file - file[0])
    row, file = row[by], file[by]
    new = starts_new(row, file)
    n_files = np.bincount(row[new], minlength=int(seen[-1]) + 1)[seen]
    return n_files, file[new][np.cumsum(n_files) - 1].astype(np.int64)
