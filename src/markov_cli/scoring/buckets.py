"""What is kept, and what it is called: head, middle, tail.

Source of the three buckets: cc_net (Wenzek et al. 2020, section 3.4), which cuts a language's documents at
percentiles of their perplexities.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np

LABELS = ("head", "middle", "tail")


def within(perplexity: np.ndarray, lowest: float | None, highest: float | None) -> np.ndarray:
    """Which lie between two bounds, bounds included; what has no perplexity lies nowhere: bool (s,)."""
    keep = ~np.isnan(perplexity)
    if lowest is not None:
        keep &= perplexity >= lowest
    if highest is not None:
        keep &= perplexity <= highest
    return keep


def labels(perplexity: np.ndarray, cuts: Sequence[float]) -> list[str]:
    """`head` below the first cut, `middle` below the second, else `tail`; so is what has no perplexity."""
    place = np.searchsorted(np.array(cuts), perplexity, "right")
    return [LABELS[i] for i in np.where(np.isnan(perplexity), 2, place).tolist()]


def _told(x: float) -> float:
    """The largest number of six digits that is not above x."""
    if not math.isfinite(x):
        return x
    near = float(f"{x:.6g}")
    return near if near <= x else float(f"{near - 10.0 ** (math.floor(math.log10(x)) - 5):.6g}")


class Spool:
    """Records in a temporary file, until their perplexities say where to cut."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the spool
        self._perplexity: list[np.ndarray] = []
        self._size: list[np.ndarray] = []

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, records: Sequence[bytes], perplexity: np.ndarray) -> None:
        """Keep some, in order."""
        self._file.writelines(records)
        self._size.append(np.array([len(r) for r in records], np.int64))
        self._perplexity.append(perplexity)

    def cuts(self, percentiles: Sequence[float]) -> list[float]:
        """The perplexities at some percentiles, cut to six digits, so that they can be told.

        None at all where nothing has a perplexity.
        """
        every = np.concatenate([*self._perplexity, np.empty(0)])
        every = np.sort(every[~np.isnan(every)])
        if not len(every):
            return []
        # the value at a rank, never between two: half way to infinity is no number
        rank = np.ceil(np.array(percentiles) / 100 * len(every)).astype(np.int64)
        return [_told(x) for x in every[np.clip(rank, 0, len(every) - 1)].tolist()]

    def records(self) -> Iterator[tuple[list[bytes], np.ndarray]]:
        """All of them again, in the parts in which they came."""
        self._file.seek(0)
        for size, perplexity in zip(self._size, self._perplexity, strict=True):
            yield [self._file.read(n) for n in size.tolist()], perplexity
