"""Columns that grow at their end: what was handed out before stays as it was, so that other threads can read it."""

from __future__ import annotations

import numpy as np

_LEAST = 1 << 12  # rows that there is room for at first


class GrowingColumns:
    """Named arrays of one length.

    columns  the arrays; rows from `filled` on hold nothing
    filled   number of rows
    """

    def __init__(self) -> None:
        self.columns: dict[str, np.ndarray] = {}
        self.filled = 0

    def add(self, new: dict[str, np.ndarray]) -> int:
        """Append rows: arrays of one length, with the same names each time. Returns the index of the first."""
        begin = self.filled
        end = begin + len(next(iter(new.values())))
        for name, column in new.items():
            old = self.columns.setdefault(name, column[:0])
            if end > len(old):  # another thread may still read the old one
                room = np.empty(max(2 * len(old), end, _LEAST), column.dtype)
                room[:begin] = old[:begin]
                self.columns[name] = old = room
            old[begin:end] = column
        self.filled = end
        return begin
