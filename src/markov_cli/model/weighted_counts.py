"""Columns of real-valued counts, which merging with weights gives.

Legend: w is a weight; q the quantum, a power of two.

A weight is rounded to a multiple of q before it is used, with q so small that it moves by some
1e-7 and so large that the sum of all counts is below 2**53 q. Then every count, and every sum of counts
in any order, is exact in float64: sums are those of the rows, and files the same on every machine.
"""

from __future__ import annotations

import numpy as np

from ..errors import ModelFileError, NeedsCounts, OptionError
from .count_column import DAMAGED, SPAN, Counts

DIGITS = 24  # binary ones behind the point that a weight keeps, if there is room
ROOM = 50  # bits of the largest sum; the rest of float64's 53 lets such models be merged again
_NONE = np.empty(0, np.uint8)
_FLOAT = np.dtype("<f8")


class Reals(Counts):
    """n non-negative real numbers, with the interface of `Counts` and float64 in place of int64.

    small  float64 (n,)
    sums   float64 (ceil(n / SPAN) + 1,)
    """

    whole = False

    def __init__(self, values: np.ndarray, sums: np.ndarray) -> None:
        super().__init__(values, _NONE, _NONE, sums)

    @classmethod
    def pack(cls, values: np.ndarray) -> Reals:
        """Store numbers (n,) all of whose sums are exact; ModelFileError where they have no sum."""
        edges = np.arange(0, len(values), SPAN)
        with np.errstate(over="ignore", invalid="ignore"):
            spans = np.add.reduceat(values, edges) if len(values) else values
            sums = np.concatenate((np.zeros(1), np.cumsum(spans)))
        if not np.isfinite(sums[-1]):
            raise ModelFileError("the sum of the counts is too large for a number", DAMAGED)
        return cls(values.astype(_FLOAT), sums.astype(_FLOAT))

    @property
    def total(self) -> float:  # type: ignore[override]
        """Their sum."""
        return float(self.sums[-1])

    def at(self, row: np.ndarray) -> np.ndarray:
        """Counts of rows: float64 of the shape of `row`; ModelFileError for what is no number."""
        value = self.small[row].astype(np.float64)
        if not np.isfinite(value).all():
            raise ModelFileError("a count that is no number", DAMAGED)
        return value

    def slice(self, low: int, high: int) -> np.ndarray:
        """Counts of rows low..high-1: float64."""
        return self.small[low:high].astype(np.float64)

    def index(self) -> None:
        """Make sums and `row_at` of very many rows several times faster, for 8 bytes a row."""
        if self._before is None:
            self._before = np.concatenate((np.zeros(1), np.cumsum(self.small)))

    def _running(self, span: np.ndarray) -> np.ndarray:
        """Running sums inside whole spans, a column a span: float64 (SPAN, s)."""
        row = span * SPAN + np.arange(SPAN)[:, None]
        inside = row < len(self.small)
        values = self.small[np.minimum(row, max(len(self.small) - 1, 0))]
        return np.cumsum(np.where(inside, values, 0.0), axis=0)

    def sum_before(self, row: np.ndarray) -> np.ndarray:
        """Sum of all counts before each row (0..n): float64."""
        if self._before is not None:
            return self._before[row]
        span, rest = np.divmod(row, SPAN)
        total = self.sums[span].astype(np.float64)
        part = np.flatnonzero(rest)
        if len(part):
            total[part] += self._running(span[part])[rest[part] - 1, np.arange(len(part))]
        return total

    def row_at(self, target: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The row in [low, high) at which the running sum passes `target`: int64 (n,)."""
        if self._before is not None:
            return np.clip(np.searchsorted(self._before, target, "right") - 1, low, high - 1)
        span = np.searchsorted(self.sums, target, "right") - 1
        span = np.clip(span, low // SPAN, (high - 1) // SPAN)
        passed = (self._running(span)[:-1] <= target - self.sums[span]).sum(axis=0)
        return np.clip(span * SPAN + passed, low, high - 1)

    def pick(self, low: np.ndarray, high: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows in [low, high) at which a share of their sum is reached, and the sums: int64, float64 (m,)."""
        before = self.sum_before(low)
        total = self.sum_before(high) - before
        return self.row_at(before + share * total, low, high), total


def pack(values: np.ndarray) -> Counts:
    """A column of whole or of real counts."""
    return Reals.pack(values) if values.dtype.kind == "f" else Counts.pack(values)


def rounded(weights: list[float], totals: list[int]) -> list[float]:
    """Weights as multiples of q; OptionError where one cannot be told from 0 beside the others.

    totals  the sum of the counts that each one multiplies
    """
    most = sum(w * t for w, t in zip(weights, totals, strict=True))
    bits = min(DIGITS, ROOM - int(most).bit_length())
    if bits < 1:
        raise OptionError(f"the weights make {most:.3g} tokens, more than real counts can hold", "smaller weights")
    out = [round(w * 2**bits) / 2**bits for w in weights]
    for w, kept in zip(weights, out, strict=True):
        if w and not kept:
            raise OptionError(f"--weight {w}: too small beside {most:.3g} tokens", "0, or a larger weight")
    return out


def need_whole(counts: Counts, what: str) -> None:
    """NeedsCounts where the counts of a model are not whole and `what` needs them to be."""
    if not counts.whole:
        raise NeedsCounts(
            f"{what} needs whole counts, and this model's are weighted",
            "merge with whole weights, or choose what goes without: --smoothing wb, abs:0.75, lidstone:0.1",
        )
