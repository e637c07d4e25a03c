"""Filters texts by perplexity, and sorts them into the buckets head, middle and tail.

Source of the buckets: CCNet (Wenzek et al. 2020, section 3.4), which cuts a language's documents at percentiles of
their perplexities.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np

LABELS = ("head", "middle", "tail")


def within(perplexity: np.ndarray, lowest: float | None, highest: float | None) -> np.ndarray:
    """True for perplexities between two bounds, bounds included, and False for NaN: bool (s,)."""
    keep = ~np.isnan(perplexity)
    if lowest is not None:
        keep &= perplexity >= lowest
    if highest is not None:
        keep &= perplexity <= highest
    return keep


def labels(perplexity: np.ndarray, cuts: Sequence[float]) -> list[str]:
    """Bucket of each perplexity: `head` below the first cut, `middle` below the second, else (and for NaN) `tail`."""
    place = np.searchsorted(np.array(cuts), perplexity, "right")
    return [LABELS[i] for i in np.where(np.isnan(perplexity), 2, place).tolist()]


def _six_digits(x: float) -> float:
    """Largest number of six digits that is not above x."""
    if not math.isfinite(x):
        return x
    near = float(f"{x:.6g}")
    return near if near <= x else float(f"{near - 10.0 ** (math.floor(math.log10(x)) - 5):.6g}")


class Spool:
    """Temporary file of records, until all perplexities are known."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the spool
        self._perplexity: list[np.ndarray] = []
        self._size: list[np.ndarray] = []

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, records: Sequence[bytes], perplexity: np.ndarray) -> None:
        """Append records with their perplexities."""
        self._file.writelines(records)
        self._size.append(np.array([len(r) for r in records], np.int64))
        self._perplexity.append(perplexity)

    def cuts(self, percentiles: Sequence[float]) -> list[float]:
        """Perplexities at percentiles, rounded down to six digits, so that the printed value is exact.

        Empty where no record has a perplexity.
        """
        every = np.concatenate([*self._perplexity, np.empty(0)])
        every = np.sort(every[~np.isnan(every)])
        if not len(every):
            return []
        # the value at a rank, without interpolation, as values can be infinite
        rank = np.ceil(np.array(percentiles) / 100 * len(every)).astype(np.int64)
        return [_six_digits(x) for x in every[np.clip(rank, 0, len(every) - 1)].tolist()]

    def records(self) -> Iterator[tuple[list[bytes], np.ndarray]]:
        """All records with their perplexities, in the parts in which they were added."""
        self._file.seek(0)
        for size, perplexity in zip(self._size, self._perplexity, strict=True):
            yield [self._file.read(n) for n in size.tolist()], perplexity
