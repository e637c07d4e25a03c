"""Windows by blocks: each block of the stream becomes a sorted run, and runs are merged by ranges.

Legend: a run holds the distinct windows of one block in order, with their counts; u windows; n is the
order. A cut is a window at which one range ends and the next begins. Windows are given packed, uint64 (u,),
where n ids fit 64 bits, and otherwise as uint32 (u, n); `Packing` says which.

Any window may be a cut, so a range can end within the rows of one history: `stitched` puts such
rows together again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..text.types import EOS
from .key_sort import Windows, fits_one_key, sort_rows, sort_windows
from .ngrams import rows_of

SAMPLES = 1 << 10  # windows of a run that are known without reading it
_U = np.uint64


@dataclass(frozen=True)
class Packing:
    """How windows are held: n ids of `bits` bits each."""

    order: int
    bits: int

    @property
    def one_key(self) -> bool:
        """A window is one uint64."""
        return fits_one_key(self.order, self.bits)

    @property
    def row_bytes(self) -> int:
        """Bytes of one window."""
        return 8 if self.one_key else 4 * self.order

    def ids(self, windows: np.ndarray) -> np.ndarray:
        """Their ids: uint32 (u, n)."""
        if not self.one_key:
            return windows
        mask = _U((1 << self.bits) - 1)
        return np.stack([(windows >> _U(self.bits * (self.order - 1 - k)) & mask) for k in range(self.order)], axis=1)

    def before(self, windows: np.ndarray, cut: np.ndarray) -> int:
        """How many sorted windows come before a cut."""
        if self.one_key:
            return int(np.searchsorted(windows, cut))
        low, high = 0, len(windows)
        for k in range(self.order):
            here = windows[low:high, k]
            low, high = low + int(np.searchsorted(here, cut[k])), low + int(np.searchsorted(here, cut[k], "right"))
            if low == high:
                break
        return low

    def sorted(self, windows: np.ndarray) -> np.ndarray:
        """Argsort of some windows."""
        return np.argsort(windows, kind="stable") if self.one_key else np.lexsort(windows.T[::-1])


@dataclass
class Run:
    """The distinct windows of a block, in order.

    windows  uint64 (u,) or uint32 (u, n)
    count    uint32 (u,), how often each occurs in the block
    """

    windows: np.ndarray
    count: np.ndarray

    def sample(self) -> np.ndarray:
        """Windows evenly spaced, the first among them."""
        return self.windows[:: spacing(len(self.count))]


def spacing(n: int) -> int:
    """Windows from one of a run's samples to the next."""
    return max(-(-n // SAMPLES), 1)


def sorted_run(stream: np.ndarray, m: int, packing: Packing) -> Run:
    """The windows that begin at the first m places of part of the stream.

    stream  uint32 (m + n,), ids; zeros behind the text's end
    """
    w = sort_windows(stream, np.arange(m), packing.order, packing.bits)
    count = np.diff(w.at).astype(np.uint32)
    if packing.one_key:
        assert w.key is not None
        return Run(w.key, count)
    every = np.arange(len(w.d))
    windows = np.empty((len(every), packing.order), np.uint32)
    for k in range(packing.order):
        windows[:, k] = w.ids(every, k)
    return Run(windows, count)


def cuts_of(samples: list[np.ndarray], sizes: list[int], packing: Packing, most: int) -> list[np.ndarray]:
    """Cuts that divide all runs into ranges of at most about `most` windows.

    samples  of each run; sizes: its number of windows

    A range holds no more of a run than lies between the samples around it, so `most` is passed by at
    most the sum of all spacings.
    """
    if not samples:
        return []
    every = np.concatenate(samples)
    weight = np.concatenate([np.full(len(s), spacing(n)) for s, n in zip(samples, sizes, strict=True)])
    order = packing.sorted(every)
    every, running = every[order], np.cumsum(weight[order])
    at = np.searchsorted(running, np.arange(most, int(running[-1]), most))
    cuts: list[np.ndarray] = []
    for i in np.unique(at).tolist():
        if not cuts or not np.array_equal(every[i], cuts[-1]):
            cuts.append(every[i])
    return cuts


@dataclass
class Rows:
    """The rows of one range of windows.

    levels       per order (token, count, children), as `rows_of` gives them
    first, last  the ids of its first and its last window: uint32 (n,)
    """

    levels: list[tuple[np.ndarray, ...]]
    first: np.ndarray
    last: np.ndarray


def merged(runs: list[Run], packing: Packing) -> Rows | None:
    """The rows of the same range of several runs, None where it holds nothing."""
    runs = [r for r in runs if len(r.count)]
    if not runs:
        return None
    windows = np.concatenate([r.windows for r in runs])
    weight = np.concatenate([r.count for r in runs]).astype(np.int64)
    runs.clear()
    if packing.one_key:
        w = sort_rows(windows, [], weight, packing.order, packing.bits)
    else:
        columns = [np.ascontiguousarray(windows[:, k]) for k in range(packing.order)]
        del windows
        w = sort_rows(None, columns, weight, packing.order, packing.bits)
    return Rows(rows_of(w), _ids(w, 0), _ids(w, len(w.d) - 1))


def _ids(w: Windows, row: int) -> np.ndarray:
    return np.array([w.ids(np.array([row]), k)[0] for k in range(w.order)], np.uint32)


def _size(ids: np.ndarray) -> int:
    """Ids of a window up to its first EOS, that included; one that is all EOS behind BOS has two."""
    ends = np.flatnonzero(ids[1:] == EOS)
    return int(ends[0]) + 2 if len(ends) else len(ids)


def stitched(ranges: Iterable[Rows]) -> Iterator[list[tuple[np.ndarray, ...]]]:
    """The rows of ranges that come in order; what two of them share is made one row."""
    held: list[tuple[np.ndarray, ...] | None] = []
    last: np.ndarray | None = None
    for part in ranges:
        n = len(part.levels)
        held = held or [None] * n
        shared = 0
        if last is not None:
            differ = np.flatnonzero(part.first != last)
            shared = min(int(differ[0]) if len(differ) else n, _size(last), _size(part.first))
        out: list[tuple[np.ndarray, ...]] = []
        for k in range(n):
            token, count, children = part.levels[k]
            before = held[k]
            if before is not None:
                if k < shared:
                    count = count.astype(np.int64)
                    count[0] += before[1][0]
                    if k < n - 1:
                        children = children.astype(np.int64)
                        children[0] += before[2][0] - (k + 1 < shared)
                else:
                    token, count, children = (
                        np.concatenate(two) for two in zip(before, (token, count, children), strict=True)
                    )
            held[k] = (token[-1:], count[-1:], children[-1:]) if len(token) else None
            out.append((token[:-1], count[:-1], children[:-1]))
        last = part.last
        yield out
    if last is not None:
        none = np.empty(0, np.uint32)
        yield [row if row is not None else (none, none, none) for row in held]
