"""Document frequency: the number of sequences, or of files, in which an n-gram or a type occurs.

Legend: a row is the number of an n-gram of one order, or of a type; a label is the number of a
sequence (or file) within one piece of the text, rising; an occurrence is a row with its label.

An n-gram that one sequence repeats a hundred times has count 100 and document frequency 1. One sort finds
the distinct (row, label) pairs of a piece. Two neighbouring pieces can share only the sequence that is open
at their edge, so its rows are remembered, in one byte each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import starts_new
from ..text.encoder import Piece

_U = np.uint64


@dataclass
class Found:
    """The distinct rows of one piece, u of them, rising.

    row          int64 (u,)
    n            int64 (u,), number of distinct labels of each row
    first, last  int64 (u,), the least and the greatest of these labels
    """

    row: np.ndarray
    n: np.ndarray
    first: np.ndarray
    last: np.ndarray


def pairs(row: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct (row, label) pairs, sorted by row, then by label: int64 (p,) twice.

    row, label  int64 (m,), from 0 up
    """
    bits = int(label.max(initial=0)).bit_length()
    if not len(row) or int(row.max()).bit_length() + bits > 64:
        order = np.lexsort((label, row))
        row, label = row[order], label[order]
        new = starts_new(row, label)
        return row[new], label[new]
    key = row.astype(_U) << _U(bits) | label.astype(_U)
    key.sort()
    key = key[starts_new(key)]
    return (key >> _U(bits)).view(np.int64), (key & _U((1 << bits) - 1)).view(np.int64)


def found_of(row: np.ndarray, label: np.ndarray) -> Found:
    """Number of labels, first and last label of each row, from distinct sorted pairs (see `pairs`)."""
    begin = np.flatnonzero(starts_new(row))
    end = np.append(begin[1:], len(row))[: len(begin)].astype(np.int64)
    return Found(row[begin], end - begin, label[begin], label[end - 1])


class HolderCounts:
    """Counts the labels of each of r rows, over pieces that come in the order of the text.

    n  uint32 (r,), number of distinct labels of each row so far
    """

    def __init__(self, n_rows: int) -> None:
        self.n = np.zeros(n_rows, np.uint32)
        self._open = np.zeros(n_rows, bool)  # rows that occur in the open sequence
        self._any = False

    def grow(self, n_rows: int) -> None:
        """Have so many rows at least."""
        if n_rows > len(self.n):
            more = max(n_rows, 2 * len(self.n)) - len(self.n)
            self.n = np.concatenate((self.n, np.zeros(more, np.uint32)))
            self._open = np.concatenate((self._open, np.zeros(more, bool)))

    def open_rows(self) -> np.ndarray:
        """The rows that occur in the open sequence: int64, rising."""
        return np.flatnonzero(self._open) if self._any else np.empty(0, np.int64)

    def reopen(self, rows: np.ndarray) -> None:
        """Let rows occur in the open sequence."""
        self.grow(int(rows.max(initial=-1)) + 1)
        self._open[rows] = True
        self._any = len(rows) > 0

    def add(self, found: Found, continues: bool, still_open: int) -> None:
        """Count a piece.

        continues   label 0 belongs to the sequence, or file, that the piece before left open
        still_open  label of the sequence, or file, that this piece leaves open; -1 for none
        """
        n = found.n
        if self._any and continues:
            n = n - (self._open[found.row] & (found.first == 0))
        self.n[found.row] += n.astype(np.uint32)
        if self._any and not (continues and still_open == 0):
            self._open.fill(False)
            self._any = False
        if still_open >= 0:
            self._open[found.row[found.last == still_open]] = True
            self._any = True


class SequencesWith:
    """Counts the sequences in which each provisional token number occurs, over pieces in the order of the text."""

    def __init__(self) -> None:
        self._tally, self._continues = HolderCounts(0), False

    def add(self, pieces: Iterable[Piece]) -> None:
        """Count pieces as `Collector` keeps them."""
        for piece in pieces:
            n = len(piece.number)
            self._tally.grow(int(piece.number.max(initial=0)) + 1)
            label = np.searchsorted(piece.end, np.arange(n), "right")
            closed = len(piece.end) > 0 and int(piece.end[-1]) == n
            found = found_of(*pairs(piece.number.astype(np.int64), label))
            self._tally.add(found, self._continues, -1 if closed else len(piece.end))
            self._continues = not closed

    def open_numbers(self) -> np.ndarray:
        """The numbers that occur in the sequence that is open: int64, rising."""
        return self._tally.open_rows() if self._continues else np.empty(0, np.int64)

    @classmethod
    def with_open(cls, numbers: np.ndarray) -> SequencesWith:
        """Begin in a sequence that some numbers occurred in before."""
        out = cls()
        out._tally.reopen(numbers)
        out._continues = len(numbers) > 0
        return out

    def counts(self, n_numbers: int) -> np.ndarray:
        """The number of sequences of each number: uint32 (n_numbers,)."""
        self._tally.grow(n_numbers)
        return self._tally.n[:n_numbers]
