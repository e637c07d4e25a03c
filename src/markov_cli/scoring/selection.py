"""Chooses records by perplexity, and labels them head, middle or tail.

Source of the three buckets: cc_net (Wenzek et al. 2020, section 3.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from . import buckets

Records = tuple[list[bytes], np.ndarray]  # s records, and their perplexities float64 (s,)


@dataclass
class Selection:
    """Bounds and cuts of perplexity, and the numbers of records they kept and labelled.

    lowest, highest  bounds, included; None for no bound
    percentiles      two percentiles to cut at, found from all records, which are kept in a temporary file
    cuts             two perplexities to cut at
    label            a record and its bucket to the record that is written
    n, kept, counts  known when `records` has come to its end; counts are of each bucket
    """

    lowest: float | None = None
    highest: float | None = None
    percentiles: Sequence[float] | None = None
    cuts: Sequence[float] | None = None
    label: Callable[[bytes, str], bytes] = lambda record, name: record
    n: int = 0
    kept: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(buckets.LABELS, 0))

    @property
    def bounded(self) -> bool:
        """True if a bound is given."""
        return self.lowest is not None or self.highest is not None

    def records(self, found: Iterable[Records]) -> Iterator[list[bytes]]:
        """The records that are kept, labelled if cuts are given, in their order."""
        if self.percentiles:
            with buckets.Spool() as spool:
                for records, perplexity in self._within(found):
                    spool.add(records, perplexity)
                self.cuts = spool.cuts(self.percentiles) or [float("inf")] * 2
                for records, perplexity in spool.records():
                    yield self._labelled(records, perplexity)
        else:
            for records, perplexity in self._within(found):
                yield self._labelled(records, perplexity) if self.cuts else records

    def _within(self, found: Iterable[Records]) -> Iterator[Records]:
        for records, perplexity in found:
            self.n += len(records)
            if self.bounded:
                keep = np.flatnonzero(buckets.within(perplexity, self.lowest, self.highest)).tolist()
                records, perplexity = [records[i] for i in keep], perplexity[keep]
            self.kept += len(records)
            yield records, perplexity

    def _labelled(self, records: list[bytes], perplexity: np.ndarray) -> list[bytes]:
        assert self.cuts is not None
        names = buckets.labels(perplexity, self.cuts)
        for name in names:
            self.counts[name] += 1
        return [self.label(record, name) for record, name in zip(records, names, strict=True)]
