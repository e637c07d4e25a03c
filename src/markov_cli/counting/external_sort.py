"""External merge sort of n-grams: each block of text becomes a sorted run, and runs are merged range by range.

Legend: a window is n consecutive ids, n the order; a run holds the u distinct windows of one block, sorted,
with their counts; a cut is a window at which one range ends and the next begins. Windows are packed, uint64
(u,), where n ids fit 64 bits, and otherwise uint32 (u, n); `Packing` says which.

Any window may be a cut, so a range can end within the rows of one history: `stitched` joins such rows.

Where the text is weighted or n-grams are counted by the sequences or files that hold them, a run has columns of counts
(see measures.py). A sequence or file that goes on behind a block adds a run of its own: its windows in the block. When
ranges are merged, the windows of one such sequence are distinct in all blocks together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import distinct_values
from ..text.types import EOS
from .key_sort import Windows, columns_between, keys_along, n_keys, packed, sorted_windows
from .measures import Sequences, first_of_each, measured_windows
from .ngrams import rows_of

SAMPLES = 1 << 10  # windows of a run that are kept in memory
_UNPACKED = 1 << 15  # windows at one time, to stay in the cache
_U = np.uint64


@dataclass(frozen=True)
class Packing:
    """Layout of windows in memory: n ids of `bits` bits each."""

    order: int
    bits: int

    @property
    def one_key(self) -> bool:
        """A window is one uint64."""
        return n_keys(self.order, self.bits) == 1

    def keys(self, windows: np.ndarray) -> list[np.ndarray]:
        """The keys of windows, see key_sort.py."""
        return [windows] if self.one_key else packed([windows[:, k] for k in range(self.order)], self.bits)

    def of_keys(self, keys: list[np.ndarray]) -> np.ndarray:
        """Windows from their keys."""
        if self.one_key:
            return keys[0]
        windows = np.empty((len(keys[0]), self.order), np.uint32)
        for low in range(0, len(windows), _UNPACKED):
            some = [key[low : low + _UNPACKED] for key in keys]
            for k in range(self.order):
                windows[low : low + _UNPACKED, k] = columns_between(some, k, k + 1, self.order, self.bits)
        return windows

    def before(self, windows: np.ndarray, cut: np.ndarray) -> int:
        """Number of sorted windows below a cut."""
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
        """Argsort of windows: int64 (u,)."""
        return np.argsort(windows, kind="stable") if self.one_key else np.lexsort(windows.T[::-1])


@dataclass
class Run:
    """The distinct windows of a block, sorted; or those of one sequence, or file, that is only partly in the block.

    windows  uint64 (u,) or uint32 (u, n)
    count    unsigned (u,), occurrences of each in the block; or (u, c), see measures.py
    holder   measure and label of the sequence or file; None for a whole block
    before   windows in front that belong to an earlier range
    """

    windows: np.ndarray
    count: np.ndarray
    holder: tuple[int, int] | None = None
    before: int = 0

    def part(self, low: int, high: int) -> Run:
        """Windows low..high-1, a copy; of a sequence, also the window in front."""
        before = int(self.holder is not None and low > 0)
        some = slice(low - before, high)
        return Run(self.windows[some].copy(), self.count[some].copy(), self.holder, before)

    def sample(self) -> np.ndarray:
        """Evenly spaced windows, from the first on: at most `SAMPLES`."""
        return self.windows[:: spacing(len(self.count))]


def spacing(n: int) -> int:
    """Distance in windows between two samples of a run of n windows."""
    return max(-(-n // SAMPLES), 1)


def block_runs(stream: np.ndarray, m: int, packing: Packing, sequences: Sequences | None = None) -> list[Run]:
    """Sort and count the windows that begin at the first m ids of a block.

    stream     uint32 (m + n,), ids; zeros after the end of the text
    sequences  what is counted besides occurrences
    returns    the sorted run of the block, and a run of each sequence or file that goes on outside of it
    """
    order, bits = packing.order, packing.bits
    if sequences is None:
        return [_run(sorted_windows(keys_along(stream, m, order, bits), order, bits), packing)]
    if not m:
        return []
    keys, which = keys_along(stream, m, order, bits), sequences.of_windows(stream[:m])
    if sequences.times is not None:
        return [_run(sorted_windows(keys, order, bits, sequences.times[which]), packing)]
    measured = measured_windows(keys, which, sequences, order, bits)
    some = [key[measured.member] for key in keys]
    runs = [_run(sorted_windows(some, order, bits, measured.counts), packing)]
    for holder, member in measured.outside.items():
        windows = packing.of_keys([key[member] for key in keys])
        runs.append(Run(windows, np.ones(len(member), np.uint8), holder))
    return runs


def counted_run(columns: list[np.ndarray], count: np.ndarray, packing: Packing) -> Run:
    """The sorted run of windows that have counts.

    columns  per column, uint32 (m,)
    count    int64 (m,)
    """
    if not len(count):
        return Run(np.empty(0, _U) if packing.one_key else np.empty((0, packing.order), np.uint32), count)
    return _run(sorted_windows(packed(columns, packing.bits), packing.order, packing.bits, count), packing)


def _run(w: Windows, packing: Packing) -> Run:
    count = np.diff(w.at, axis=0)
    count = count.astype(np.min_scalar_type(int(count.max(initial=0))))
    return Run(packing.of_keys(w.keys), count)


def cuts_of(samples: list[np.ndarray], sizes: list[int], packing: Packing, most: int) -> list[np.ndarray]:
    """Cuts that divide all runs into ranges of about `most` windows.

    samples  for each run, its `sample()`
    sizes    for each run, its number of windows

    The samples bound the windows that a run adds to a range, so a range exceeds `most` by at most the sum of
    all spacings.
    """
    if not samples:
        return []
    every = np.concatenate(samples)
    weight = np.concatenate([np.full(len(s), spacing(n)) for s, n in zip(samples, sizes, strict=True)])
    order = packing.sorted(every)
    every, running = every[order], np.cumsum(weight[order])
    at = np.searchsorted(running, np.arange(most, int(running[-1]), most))
    cuts: list[np.ndarray] = []
    for i in distinct_values(at).tolist():
        if not cuts or not np.array_equal(every[i], cuts[-1]):
            cuts.append(every[i])
    return cuts


@dataclass
class Rows:
    """Table rows of one range of windows.

    levels       per order (token, count, children), as `rows_of` returns them
    first, last  ids of the first and the last window: uint32 (n,)
    """

    levels: list[tuple[np.ndarray, ...]]
    first: np.ndarray
    last: np.ndarray


def merged(runs: list[Run], packing: Packing) -> Rows | None:
    """Merge one range of several runs into table rows; None for an empty range."""
    parts = [r for r in runs if r.holder is None and len(r.count)]
    held = [r for r in runs if r.holder is not None and len(r.count)]
    runs.clear()
    if held and parts:
        parts.append(_held_once(held, packing, parts[0].count.shape[1]))
    if not parts:
        return None
    edges = [0, *np.cumsum([len(r.count) for r in parts]).tolist()]
    keys = [np.empty(edges[-1], _U) for _ in range(n_keys(packing.order, packing.bits))]
    for low, high, r in zip(edges[:-1], edges[1:], parts, strict=True):
        for key, some in zip(keys, packing.keys(r.windows), strict=True):
            key[low:high] = some
    weight = np.concatenate([r.count for r in parts], dtype=np.int64)
    del parts, held
    w = sorted_windows(keys, packing.order, packing.bits, weight)
    return Rows(rows_of(w), _ids(w, 0), _ids(w, len(w.d) - 1))


def _held_once(held: list[Run], packing: Packing, width: int) -> Run:
    """The windows of sequences, or files, that blocks cut, each once for each of them: with c columns of counts.

    Their distinct windows in the range, sorted, hold the first of each k-gram. A k-gram that the range
    before ends with is not new; so its last windows are sorted, too.
    """
    labels, number = np.unique([r.holder for r in held], axis=0, return_inverse=True)
    label = np.repeat(number.reshape(-1).astype(np.uint32), [len(r.windows) for r in held])
    new = np.concatenate([np.arange(len(r.windows)) >= r.before for r in held])
    windows = np.concatenate([r.windows for r in held])
    count, member = first_of_each(label, packing.keys(windows), packing.order, packing.bits)
    stays = new[member]
    member, count = member[stays], count[stays]
    out = np.zeros((len(member), width), np.uint32)
    for measure in range((width - 1) // packing.order):
        some = np.flatnonzero(labels[label[member], 0] == measure)
        out[some, 1 + measure * packing.order : 1 + (measure + 1) * packing.order] = count[some]
    order = packing.sorted(windows[member])
    return Run(windows[member[order]], out[order])


def _ids(w: Windows, row: int) -> np.ndarray:
    return np.array([w.ids(np.array([row]), k)[0] for k in range(w.order)], np.uint32)


def _size(ids: np.ndarray) -> int:
    """Number of ids of a window up to and including its first EOS; the id at place 0 does not end it."""
    ends = np.flatnonzero(ids[1:] == EOS)
    return int(ends[0]) + 2 if len(ends) else len(ids)


def shared_orders(last: np.ndarray, first: np.ndarray) -> int:
    """Orders of which a window and the one behind it have the same row: uint32 (n,) each."""
    differ = np.flatnonzero(first != last)
    return min(int(differ[0]) if len(differ) else len(last), _size(last), _size(first))


def stitched(ranges: Iterable[Rows]) -> Iterator[list[tuple[np.ndarray, ...]]]:
    """Rows of consecutive ranges, where rows that two ranges share are joined into one.

    yields  per order (token, count, children), as `rows_of` returns them; the last row of each order is held
            back until the next range shows that it is complete
    """
    held: list[tuple[np.ndarray, ...] | None] = []
    last: np.ndarray | None = None
    for part in ranges:
        n = len(part.levels)
        held = held or [None] * n
        shared = 0
        if last is not None:
            shared = shared_orders(last, part.first)
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
