"""In how many sequences, and in how many files, something occurs.

Legend: a row is anything that is numbered: an n-gram of one order, a type; a label is the number of a
sequence within one piece of the text, rising; an occurrence is a row with its label.

An n-gram that one sequence repeats a hundred times has the count 100 and is in one sequence. What is
told apart here is whose text it is. One sort finds the distinct (row, label) pairs of a piece; what a piece
shares with the one before is the sequence that is open at the edge, whose rows are remembered in a byte each.
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
    n            int64 (u,), how many labels it has
    first, last  int64 (u,), the least and the greatest of them
    """

    row: np.ndarray
    n: np.ndarray
    first: np.ndarray
    last: np.ndarray


def pairs(row: np.ndarray, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct pairs of some occurrences, by row, then by label: int64 (p,) twice.

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
    """Of distinct sorted pairs, what each row has."""
    begin = np.flatnonzero(starts_new(row))
    end = np.append(begin[1:], len(row))[: len(begin)].astype(np.int64)
    return Found(row[begin], end - begin, label[begin], label[end - 1])


class HolderCounts:
    """How many labels each of r rows has, over pieces that come in the order of the text.

    n  uint32 (r,)
    """

    def __init__(self, n_rows: int) -> None:
        self.n = np.zeros(n_rows, np.uint32)
        self._open = np.zeros(n_rows, bool)  # rows that the open sequence has had already
        self._any = False

    def add(self, found: Found, continues: bool, still_open: int) -> None:
        """Count a piece.

        continues   label 0 is that of the sequence, or file, that the piece before left open
        still_open  the label that this piece leaves open, -1 for none
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


def sequences_with(pieces: Iterable[Piece], n_numbers: int) -> np.ndarray:
    """In how many sequences each provisional number of a text occurs: uint32 (n_numbers,).

    pieces  in the order of the text, as a `Collector` has them
    """
    tally = HolderCounts(n_numbers)
    continues = False
    for piece in pieces:
        n = len(piece.number)
        label = np.searchsorted(piece.end, np.arange(n), "right")
        closed = len(piece.end) > 0 and int(piece.end[-1]) == n
        tally.add(found_of(*pairs(piece.number.astype(np.int64), label)), continues, -1 if closed else len(piece.end))
        continues = not closed
    return tally.n
