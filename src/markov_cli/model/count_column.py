"""Columns of counts, one byte for each count and a running sum for every 64.

Legend: r is a row; a span is `SPAN` neighbouring rows, the unit of the running sums.

Most counts are 1. A count up to 254 is one byte; 255 says that the true one stands
aside, in `big`, beside its row number. A running sum every 64 rows makes the sum up to any row, and
the row at which a sum is reached, a matter of one such span: that is what sampling needs.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from ..arrays.sorting import sort_keys, starts_new
from ..errors import ModelFileError, NeedsCounts

_SHIFT = 6
SPAN = 1 << _SHIFT
_PLACES = np.arange(SPAN, dtype=np.uint8)[:, None]
ASIDE = 255


def smallest(limit: int) -> np.dtype:
    """The smallest little-endian unsigned dtype that holds `limit`."""
    for name in ("u1", "<u2", "<u4"):
        if limit <= np.iinfo(name).max:
            return np.dtype(name)
    return np.dtype("<u8")


Span = slice  # the class below has a method of that name


class Counts:
    """n non-negative integers, at about 1.1 bytes each.

    small     uint8 (n,)
    big_row   unsigned (b,), rising
    big       unsigned (b,)
    sums      unsigned (ceil(n / SPAN) + 1,), sums[s] = sum of all counts before row s * SPAN
    """

    whole = True

    def __init__(self, small: np.ndarray, big_row: np.ndarray, big: np.ndarray, sums: np.ndarray) -> None:
        self.small, self.big_row, self.big, self.sums = small, big_row, big, sums
        self._before: np.ndarray | None = None  # see `index`

    @classmethod
    def pack(cls, values: np.ndarray) -> Counts:
        """Store integers (n,)."""
        n = len(values)
        big_row = np.flatnonzero(values >= ASIDE)
        big = values[big_row]
        small = np.minimum(values, ASIDE).astype(np.uint8)
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
        aside = value == ASIDE
        if aside.any():
            value[aside] = self._large(row[aside])
        return value

    def slice(self, low: int, high: int) -> np.ndarray:
        """Counts of rows low..high-1: int64."""
        value = self.small[low:high].astype(np.int64)
        some = self.aside(low, high)
        value[self.big_row[some].astype(np.int64) - low] = self.big[some]
        return value

    def aside(self, low: int, high: int) -> Span:
        """Where in `big` the large counts of rows low..high-1 are."""
        most = int(np.iinfo(self.big_row.dtype).max)  # so that nothing is converted, which would take the whole column
        i, j = np.searchsorted(self.big_row, np.array([min(low, most), min(high, most)], self.big_row.dtype))
        return slice(int(i), int(j) if high <= most else len(self.big_row))

    def _large(self, row: np.ndarray) -> np.ndarray:
        if not len(self.big):
            raise ModelFileError("a count marked as large is missing", DAMAGED)
        i = np.searchsorted(self.big_row, row)
        i[i == len(self.big_row)] = 0
        if (self.big_row[i] != row).any():
            raise ModelFileError("a count marked as large is missing", DAMAGED)
        return self.big[i].astype(np.int64)

    def _span(self, span: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Counts of whole spans, zeros behind the last row, a column a span.

        returns uint8 (SPAN, s), large counts as ASIDE, and of each of those its place in the span,
                its column, and what it has above ASIDE: three of int64 (b,)
        """
        whole = len(self.small) // SPAN
        if len(span) and int(span.max()) >= whole:
            row = span * SPAN + np.arange(SPAN)[:, None]
            inside = row < len(self.small)
            values = self.small[np.minimum(row, max(len(self.small) - 1, 0))] * inside
        else:
            values = np.ascontiguousarray(self.small[: whole * SPAN].reshape(whole, SPAN)[span].T)
        place, column = np.divmod(np.flatnonzero(values == ASIDE), max(len(span), 1))
        return values, place, column, self._large(span[column] * SPAN + place) - ASIDE if len(place) else place

    def index(self) -> None:
        """Make sums and `row_at` of very many rows several times faster, for 4 or 8 bytes a row."""
        if self._before is None:
            before = np.zeros(len(self) + 1, np.uint32 if self.total < 1 << 32 else np.uint64)
            before[1:] = self.small
            before[self.big_row.astype(np.int64) + 1] = self.big
            self._before = np.cumsum(before, out=before)

    def sum_before(self, row: np.ndarray) -> np.ndarray:
        """Sum of all counts before each row (0..n): int64."""
        if self._before is not None:
            return self._before[row].astype(np.int64)
        span, rest = row >> _SHIFT, (row & (SPAN - 1)).astype(np.uint8)
        total = self.sums[span].astype(np.int64)
        part = np.flatnonzero(rest)
        if len(part):
            rest = rest[part]
            values, place, column, above = self._span(span[part])
            inside = np.add.reduce(values * (rest > _PLACES), axis=0, dtype=np.uint16)
            total[part] += inside
            here = np.flatnonzero(place < rest[column])
            np.add.at(total, part[column[here]], above[here])
        return total

    def sums_between(self, edges: np.ndarray) -> np.ndarray:
        """Sums of the counts of rows edges[i]..edges[i + 1] - 1: int64 (m,).

        edges  int64 (m + 1,), rising
        """
        begin, end = int(edges[0]), int(edges[-1])
        running = np.zeros(end - begin + 1, np.int64)
        np.cumsum(self.slice(begin, end), out=running[1:])
        return np.diff(running.take(edges - begin))

    def row_at(self, target: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The row in [low, high) at which the running sum passes `target`.

        target  int64 (n,), sum_before(low) <= target < sum_before(high)
        returns int64 (n,), r with sum_before(r) <= target < sum_before(r + 1)
        """
        if self._before is not None:
            row = find_sorted(self._before, target.astype(self._before.dtype), "right") - 1
            return np.clip(row, low, high - 1)
        span = find_sorted(self.sums, target.astype(self.sums.dtype), "right") - 1
        span = np.clip(span, low >> _SHIFT, (high - 1) >> _SHIFT)
        rest = target - self.sums[span].astype(np.int64)
        values, place, column, above = self._span(span)
        passed = _passed(values, np.minimum(rest, 1 << 15).astype(np.uint16))
        if len(place):
            some, which = np.unique(column, return_inverse=True)
            wide = values[:, some].astype(np.int64)
            wide[place, which] += above
            passed[some] = _passed(wide, rest[some])
        return np.clip((span << _SHIFT) + passed, low, high - 1)

    def pick(self, low: np.ndarray, high: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows in [low, high) at which a share of their sum is reached, and the sums.

        low, high  int64 (m,), low < high; share float64 (m,) in [0, 1)
        returns    int64 (m,), int64 (m,)
        """
        before = self.sum_before(low)
        total = self.sum_before(high) - before
        return self.row_at(before + np.minimum((share * total).astype(np.int64), total - 1), low, high), total


class Uncounted(Counts):
    """Stands where a table that holds probabilities has no counts: it has a length, and says what is missing."""

    def __init__(self, n: int) -> None:
        self._n = n

    def __len__(self) -> int:
        return self._n

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return super().__getattribute__(name)
        raise NeedsCounts(
            "the model holds probabilities only, and this needs counts",
            "train one from text: markov train TEXT -o MODEL",
        )


def _passed(values: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """The number of places of each span with a running sum up to `rest`: uint8 (s,)."""
    running, passed = np.zeros_like(rest), np.zeros(len(rest), np.uint8)
    for j in range(SPAN - 1):
        running += values[j]
        passed += running <= rest
    return passed


def find_sorted(values: np.ndarray, wanted: np.ndarray, side: Literal["left", "right"] = "left") -> np.ndarray:
    """np.searchsorted, several times faster for many `wanted` integers: int64 of their shape.

    Sorted, they walk through `values` and find most of it in the cache.
    """
    bits = int(wanted.max(initial=0)).bit_length()
    if len(wanted) < 64 or bits + (len(wanted) - 1).bit_length() > 64:
        return np.searchsorted(values, wanted, side)
    key, order = sort_keys(wanted.astype(np.uint64), bits)
    new = starts_new(key)
    out = np.empty(len(wanted), np.int64)
    if 4 * np.count_nonzero(new) > 3 * len(new):
        out[order] = np.searchsorted(values, key.astype(values.dtype, copy=False), side)
    else:  # what is wanted often is looked up once
        found = np.searchsorted(values, key[new].astype(values.dtype, copy=False), side)
        out[order] = found[np.cumsum(new, dtype=np.int32) - 1]
    return out


DAMAGED = "the file is damaged: markov inspect --verify MODEL tells where; retrain it"
