"""Columns of counts in a byte each.

Legend: r is a row; a span is `SPAN` neighbouring rows, the unit of the running sums.

Most counts are 1. A count up to 254 is one byte; 255 says that the true one stands
aside, in `big`, beside its row number. A running sum every 16 rows makes the sum up to any row, and
the row at which a sum is reached, a matter of one such span: that is what sampling needs.
"""

from __future__ import annotations

import numpy as np

from ..errors import ModelFileError

SPAN = 16
_ASIDE = 255


def smallest(limit: int) -> np.dtype:
    """The smallest little-endian unsigned dtype that holds `limit`."""
    for name in ("u1", "<u2", "<u4"):
        if limit <= np.iinfo(name).max:
            return np.dtype(name)
    return np.dtype("<u8")


class Counts:
    """n non-negative integers, at about 1.3 bytes each.

    small     uint8 (n,)
    big_row   unsigned (b,), rising
    big       unsigned (b,)
    sums      unsigned (ceil(n / SPAN) + 1,), sums[s] = sum of all counts before row s * SPAN
    """

    def __init__(self, small: np.ndarray, big_row: np.ndarray, big: np.ndarray, sums: np.ndarray) -> None:
        self.small, self.big_row, self.big, self.sums = small, big_row, big, sums

    @classmethod
    def pack(cls, values: np.ndarray) -> Counts:
        """Store integers (n,)."""
        n = len(values)
        big_row = np.flatnonzero(values >= _ASIDE)
        big = values[big_row]
        small = np.minimum(values, _ASIDE).astype(np.uint8)
        edges = np.arange(0, n, SPAN)
        spans = np.add.reduceat(values, edges, dtype=np.int64) if n else np.empty(0, np.int64)
        sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(spans)))
        return cls(
            small,
            big_row.astype(smallest(n)),
            big.astype(smallest(int(big.max(initial=0)))),
            sums.astype(smallest(int(sums[-1]))),
        )

    def __len__(self) -> int:
        return len(self.small)

    @property
    def total(self) -> int:
        """Their sum."""
        return int(self.sums[-1])

    def at(self, row: np.ndarray) -> np.ndarray:
        """Counts of rows: int64 of the shape of `row`."""
        value = self.small[row].astype(np.int64)
        aside = value == _ASIDE
        if aside.any():
            value[aside] = self._large(row[aside])
        return value

    def slice(self, low: int, high: int) -> np.ndarray:
        """Counts of rows low..high-1: int64."""
        value = self.small[low:high].astype(np.int64)
        i, j = np.searchsorted(self.big_row, [low, high])
        value[self.big_row[i:j].astype(np.int64) - low] = self.big[i:j]
        return value

    def _large(self, row: np.ndarray) -> np.ndarray:
        if not len(self.big):
            raise ModelFileError("a count is marked as large and is not there", _DAMAGED)
        i = np.searchsorted(self.big_row, row)
        i[i == len(self.big_row)] = 0
        if (self.big_row[i] != row).any():
            raise ModelFileError("a count is marked as large and is not there", _DAMAGED)
        return self.big[i].astype(np.int64)

    def _spans(self, span: np.ndarray) -> np.ndarray:
        """Counts of whole spans, zeros behind the last row: int64 (s, SPAN)."""
        row = span[:, None] * SPAN + np.arange(SPAN)
        inside = row < len(self.small)
        if inside.all():
            return self.at(row)
        return self.at(np.minimum(row, len(self.small) - 1)) * inside

    def sum_before(self, row: np.ndarray) -> np.ndarray:
        """Sum of all counts before each row (0..n): int64."""
        span, rest = row // SPAN, row % SPAN
        total = self.sums[span].astype(np.int64)
        part = np.flatnonzero(rest)
        if len(part):
            values = self._spans(span[part])
            total[part] += (values * (np.arange(SPAN) < rest[part, None])).sum(1)
        return total

    def row_at(self, target: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The row in [low, high) at which the running sum passes `target`.

        target  int64 (n,), sum_before(low) <= target < sum_before(high)
        returns int64 (n,), r with sum_before(r) <= target < sum_before(r + 1)
        """
        span, last = low // SPAN, (high - 1) // SPAN
        todo = np.flatnonzero(span < last)
        while len(todo):  # halves: at most 64 rounds
            middle = (span[todo] + last[todo] + 1) // 2
            up = self.sums[middle] <= target[todo].astype(self.sums.dtype)
            span[todo] = np.where(up, middle, span[todo])
            last[todo] = np.where(up, last[todo], middle - 1)
            todo = todo[span[todo] < last[todo]]
        rest = target - self.sums[span].astype(np.int64)
        passed = np.cumsum(self._spans(span), axis=1) <= rest[:, None]
        return np.clip(span * SPAN + passed.sum(1), low, high - 1)


_DAMAGED = "the file is damaged: markov inspect --verify MODEL tells where; retrain it"
