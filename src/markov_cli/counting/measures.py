"""Counts windows by more than their occurrences: by weights, and by the sequences and files that hold them.

Legend: a window is n consecutive ids, n the order; a label is the number of a sequence, or of a file; a measure is
the number of distinct labels that hold an n-gram: measure 0 goes by one kind of label, measure 1 by another.

The number of labels that hold a k-gram is a sum over windows. Sort the windows of one label: each window that differs
from the one before in its first k ids counts 1 for its k-gram, any other 0. So a window has its occurrences, and for
each measure one count for each order k. They are added as occurrences are, in any order and in any parts of the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..text.types import EOS
from .key_sort import refined


@dataclass
class Sequences:
    """The consecutive sequences that the windows of a block begin in, s of them.

    times   int64 (s,), how often each counts; None for once
    labels  per measure, int64 (s,), rising
    begins, ends  per measure: the first label begins here, the last one ends here
    """

    times: np.ndarray | None = None
    labels: list[np.ndarray] = field(default_factory=list)
    begins: list[bool] = field(default_factory=list)
    ends: list[bool] = field(default_factory=list)

    @staticmethod
    def of_windows(stream: np.ndarray) -> np.ndarray:
        """The sequence that each window begins in, from 0: int64 (m,). An EOS opens the sequence behind it."""
        return np.cumsum(stream == EOS) - int(stream[0] == EOS)

    @classmethod
    def of_block(
        cls,
        stream: np.ndarray,
        m: int,
        first: int,
        file_ends: np.ndarray,
        times: np.ndarray | None,
        measures: str,
        files_before: int = 0,
    ) -> Sequences:
        """The sequences of the windows that begin at the first m ids of a block.

        stream     uint32, at least m + 1 of its ids
        first      number of the sequence that the first window begins in
        file_ends  int64, sequences before the end of each text, or of those that are near
        times      int64, how often each of them counts, None for once
        measures   `s` for sequences, `f` for files, or both
        files_before  texts before these
        """
        number = np.arange(first, first + int(cls.of_windows(stream[:m])[-1]) + 1)
        opens, closes = bool(stream[0] == EOS), bool(stream[m] == EOS)
        file = np.searchsorted(file_ends, number, "right") if times is not None or "f" in measures else number
        out = cls(None if times is None else times[file])
        for kind in measures:
            begin, end = opens, closes
            if kind == "f":
                begin &= first == 0 or int(np.searchsorted(file_ends, first - 1, "right")) < int(file[0])
                end &= int(np.searchsorted(file_ends, number[-1] + 1, "right")) > int(file[-1])
            out.labels.append(file + files_before if kind == "f" else number)
            out.begins.append(begin)
            out.ends.append(end)
        return out


class Measured(NamedTuple):
    """Windows of a block with counts of their own.

    member   int64 (u,), the window of each row; a window may have several rows
    counts   uint32 (u, 1 + n * measures)
    outside  of each (measure, label) that goes on outside the block, its distinct windows, sorted
    """

    member: np.ndarray
    counts: np.ndarray
    outside: dict[tuple[int, int], np.ndarray]


def measured_windows(
    keys: list[np.ndarray], which: np.ndarray, sequences: Sequences, order: int, bits: int
) -> Measured:
    """Count windows by measures.

    keys   of all windows, see key_sort.py
    which  int64 (m,), the sequence of each
    """
    n, n_measures = order, len(sequences.labels)
    members, counts = [], []
    outside: dict[tuple[int, int], np.ndarray] = {}
    for measure, (labels, begins, ends) in enumerate(
        zip(sequences.labels, sequences.begins, sequences.ends, strict=True)
    ):
        label = labels[which]
        sorted_ = refined(keys, order, bits, label=(label - label[0]).astype(np.uint32))
        assert sorted_.member is not None
        member = sorted_.member
        own = label[member]
        count = np.zeros((len(member), 1 + n * n_measures), np.uint32)
        if not measure:
            count[:, 0] = np.diff(sorted_.at)
        first = _firsts(sorted_.d, n)
        cut = [int(own[0])] * (not begins) + [int(own[-1])] * (not ends)
        for edge in dict.fromkeys(cut):
            outside[measure, edge] = member[own == edge]
            first[own == edge] = False
        count[:, 1 + measure * n : 1 + (measure + 1) * n] = first
        members.append(member)
        counts.append(count)
    return Measured(np.concatenate(members), np.concatenate(counts), outside)


def first_of_each(label: np.ndarray, keys: list[np.ndarray], order: int, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct windows of each label that are the first of their k-gram: bool (u, n), and their indices.

    label  uint32 (m,)
    """
    sorted_ = refined(keys, order, bits, label=label)
    assert sorted_.member is not None
    return _firsts(sorted_.d, order), sorted_.member


def _firsts(d: np.ndarray, n: int) -> np.ndarray:
    """True for the orders at which a sorted window is the first with its ids: bool (u, n).

    d  as in `Windows`, with the label as the first column
    """
    return d[:, None] <= np.arange(2, n + 2)
