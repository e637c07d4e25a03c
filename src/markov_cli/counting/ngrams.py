"""Counts n-grams of every order, and the distinct left neighbours of each.

Legend: L is the length of the stream; a row of order k is a distinct k-gram; rows are
in trie order (sorted by their ids), so the rows that extend one row are adjacent.

The windows are divided by their first id into ranges of about equal size. Each range is
sorted alone, by one of several threads, and its rows are consecutive rows of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from ..arrays.memory import give_back
from ..arrays.sorting import distinct_values
from ..arrays.threads import failing, thread_pool
from ..text.types import BOS, EOS
from .key_sort import Windows, keys_along, keys_at, n_keys, sorted_windows
from .levels import Level, smallest_id
from .measures import Sequences, measured_windows
from .suffixes import SUFFIX_ROWS, left_neighbours

RANGE_WINDOWS = 1 << 17
_STREAM_BLOCK = 1 << 17
_PIECE_WINDOWS = 1 << 17
_KEYS_ALONG = 2  # so many keys a window are made along the text; for more, places take less memory
_U = np.uint64


def count_ngrams(
    stream: np.ndarray,
    length: int,
    id_counts: np.ndarray,
    order: int,
    jobs: int = 1,
    range_windows: int = RANGE_WINDOWS,
    tick: Callable[[float], None] = lambda share: None,
    sequences: Sequences | None = None,
) -> list[Level]:
    """Rows of orders 1..order; fewer where the text is empty.

    stream     uint32 (length + order,): EOS, then each sequence closed by EOS, then `order` zeros
    id_counts  int64 (V,), count of each id
    jobs       threads
    tick       called with the share that is done, 0..1
    sequences  how often each counts, in `id_counts`, too, or what else is counted; then `Level.count` has the columns
               that `rows_of` gives; None where each counts once
    """
    n_ids = len(id_counts)
    bits = max(int(n_ids - 1).bit_length(), 2)
    unigrams = Level(np.arange(n_ids, dtype=np.uint32), id_counts.astype(np.int64))
    if order == 1 or length <= 1:
        return [unigrams]
    windows = length - 1  # none begins with the last EOS
    which = None if sequences is None else Sequences.of_windows(stream[:windows])
    if sequences is not None and sequences.times is not None:
        id_counts = np.bincount(stream[:windows], minlength=n_ids)
        id_counts[BOS] = id_counts[EOS]
    with thread_pool(jobs) as pool:
        as_keys = sequences is None and n_keys(order, bits) <= _KEYS_ALONG
        ranges = _divide(stream, windows, id_counts, range_windows, pool, (order, bits) if as_keys else None)
        if as_keys:
            stream = stream[:0].copy()  # no longer needed

        ranges = [columns for columns in ranges if len(columns[0])]
        n_ranges = len(ranges)
        filling = _Filling(n_ids, order, windows, int(unigrams.count.sum()), sequences, n_ranges)

        def part(
            i: int, columns: list[np.ndarray], stream: np.ndarray = stream, filling: _Filling = filling
        ) -> list[tuple[np.ndarray, ...]]:
            with failing(filling.rows_before[i + 1]):
                keys, weight = columns if as_keys else keys_at(stream, columns[0], order, bits), None
                if sequences is not None and which is not None:
                    if sequences.times is not None:
                        weight = sequences.times[which[columns[0]]]
                    else:
                        member, weight, _ = measured_windows(keys, which[columns[0]], sequences, order, bits)
                        keys = [key[member] for key in keys]
                pieces = _pieces(keys, order, bits) if weight is None else [keys]
                rows = [rows_of(sorted_windows(some, order, bits, weight)) for some in pieces]
                filling.add(i, rows)
            return [piece[0] for piece in rows]

        for done, heads in enumerate(pool.map(part, range(n_ranges), _used_up(ranges)), 1):
            for head in heads:
                filling.add_heads(*head)
            if 3 * done % n_ranges < 3:  # three times in all: the keys that are used up make room for rows
                give_back()
            tick(0.7 * done / n_ranges)
        stream = stream[:0].copy()  # no longer needed
        del part
        levels = filling.close(unigrams)
        del filling
        left_neighbours(levels, bits, min(SUFFIX_ROWS, 8 * range_windows), jobs, pool)
    tick(1.0)
    return levels


def _used_up(ranges: list[list[np.ndarray]]) -> Iterator[list[np.ndarray]]:
    """The ranges in order, each removed from the list, so that it can be freed."""
    ranges.reverse()
    while ranges:
        yield ranges.pop()


def _divide(
    stream: np.ndarray,
    windows: int,
    id_counts: np.ndarray,
    size: int,
    pool: ThreadPoolExecutor,
    packed_by: tuple[int, int] | None = None,
) -> list[list[np.ndarray]]:
    """Keys of the windows, or their places, for each range of first ids, about `size` windows a range.

    All windows of one first id are in one range, so a range can be larger than `size`.

    packed_by  order and bits of the keys of `keys_along`; None for places
    """
    count = id_counts.copy()
    count[EOS] = 0  # windows that begin there begin with BOS
    n_ranges = int(min(max(windows // size, 1), 255))
    before = np.cumsum(count) - count
    range_of = (before * n_ranges // max(windows, 1)).clip(0, n_ranges - 1).astype(np.uint8)
    sizes = np.bincount(range_of, count, n_ranges).astype(np.int64)
    range_of[EOS] = range_of[BOS]
    narrow = np.uint32 if windows < 1 << 32 else np.int64
    dtypes = [narrow] if packed_by is None else [np.uint64] * n_keys(*packed_by)
    out = [[np.empty(n, dtype) for dtype in dtypes] for n in sizes.tolist()]
    begins = range(0, windows, _STREAM_BLOCK)
    filled = [Future[list[int]]() for _ in range(len(begins) + 1)]  # of each range, by the blocks before
    filled[0].set_result([0] * n_ranges)

    def one(i: int) -> None:
        begin = begins[i]
        n = min(_STREAM_BLOCK, windows - begin)
        with failing(filled[i + 1]):
            which = range_of.take(stream[begin : begin + n], mode="clip")
            order = np.argsort(which, kind="stable")  # of uint8: a counting sort
            edges = np.searchsorted(which.take(order, mode="clip"), np.arange(n_ranges + 1)).tolist()
            at = filled[i].result()
        filled[i + 1].set_result([first + high - low for first, (low, high) in zip(at, pairwise(edges), strict=True)])
        if packed_by is None:
            made = [np.arange(begin, begin + n, dtype=narrow)]
        else:  # made place by place, a key costs a third of what a look-up of each id does
            made = keys_along(stream[begin:], n, *packed_by)
        for there, first, (low, high) in zip(out, at, pairwise(edges), strict=True):
            if low < high:
                for column, some in zip(there, made, strict=True):
                    some.take(order[low:high], mode="clip", out=column[first : first + high - low])

    for _ in pool.map(one, range(len(begins))):
        pass
    return out


def _pieces(keys: list[np.ndarray], order: int, bits: int) -> Iterator[list[np.ndarray]]:
    """The windows of a range in pieces that the processor's cache holds, each after each; none ends within a bigram."""
    n = len(keys[0])
    n_pieces = min(n // _PIECE_WINDOWS, 255)
    if len(keys) == 1 or n_pieces < 2:  # a single key is sorted faster than it is divided
        yield keys
        return
    sample = np.sort(keys[0][:: max(n >> 13, 1)])
    shift = _U(bits * (min(64 // bits, order) - 2))
    cuts = distinct_values(sample[np.arange(1, n_pieces) * len(sample) // n_pieces] >> shift << shift)
    which = np.searchsorted(cuts, keys[0], "right").astype(np.uint8)
    by = np.argsort(which, kind="stable")
    keys[:] = [key.take(by, mode="clip") for key in keys]
    edges = [0, *np.cumsum(np.bincount(which)).tolist()]
    for low, high in pairwise(edges):
        if low < high:
            yield [key[low:high] for key in keys]


def rows_of(windows: Windows) -> list[tuple[np.ndarray, ...]]:
    """Rows of sorted windows: per order (token, count, children); children is empty at the top.

    Of windows with c columns of counts, `count` has the order's: occurrences, sequences, files (see measures.py).
    """
    order, none = windows.order, np.empty(0, np.uint32)
    narrow = np.uint32 if int(windows.at[-1:].max()) < 1 << 32 else np.int64
    every = windows.at.astype(narrow)
    found: list[tuple[np.ndarray, ...]] = []
    inside = none  # running number of rows of the next higher order
    for k in range(order, 0, -1):
        begin = np.flatnonzero(windows.d <= k) if k < order else np.arange(len(windows.d))
        real = windows.size[begin] >= k
        whole = bool(real.all())
        at = every if every.ndim == 1 else every[:, [0, *range(k, every.shape[1], order)]]
        count = np.diff(at[begin], append=at[-1:], axis=0)
        children = np.diff(inside[begin], append=inside[-1:]) if k < order else none
        row = begin if whole else begin[real]
        if not whole:
            count, children = count[real], children[real] if k < order else none
        found.append((windows.ids(row, k - 1), count, children))
        if k > 1:
            inside = np.zeros(len(windows.d) + 1, narrow)
            inside[1:][row] = 1
            np.cumsum(inside, out=inside)
    return found[::-1]


class _Filling:
    """Rows of orders from 1 on, to which the threads that sorted the ranges add theirs.

    Of the orders above 1, memory for as many rows as there are windows is asked for, and as much as is filled is used.
    """

    def __init__(
        self, n_ids: int, order: int, windows: int, total: int, sequences: Sequences | None, n_ranges: int
    ) -> None:
        """Without rows.

        total      sum of all counts
        sequences  as in `count_ngrams`
        """
        self.rows_before = [Future[list[int]]() for _ in range(n_ranges + 1)]  # of each range, in orders from 2 on
        self.rows_before[0].set_result([0] * (order - 1))
        columns = (1 + len(sequences.labels),) if sequences is not None and sequences.labels else ()
        narrow, narrow_count = smallest_id(windows), np.uint32 if total < 1 << 32 else np.int64
        self.first = np.zeros((n_ids, *columns), np.int64), np.zeros(n_ids, np.int64)
        self.levels = [
            (np.empty(windows, np.uint32), np.empty((windows, *columns), narrow_count))
            + ((np.empty(windows, narrow),) if k < order - 1 else ())
            for k in range(1, order)
        ]

    def add(self, i: int, rows: list[list[tuple[np.ndarray, ...]]]) -> None:
        """Write a range's rows from order 2 on, in pieces as `rows_of` returns them, behind those of earlier ranges.

        It waits for the number of those; threads begin earlier ranges earlier.
        """
        at = self.rows_before[i].result()
        ends = [low + sum(len(piece[k][0]) for piece in rows) for k, low in enumerate(at, 1)]
        self.rows_before[i + 1].set_result(ends)
        for k, (low, columns) in enumerate(zip(at, self.levels, strict=True), 1):
            for piece in rows:
                high = low + len(piece[k][0])
                for column, some in zip(columns, piece[k], strict=False):
                    column[low:high] = some
                low = high

    def add_heads(self, head: np.ndarray, count: np.ndarray, children: np.ndarray) -> None:
        """Add a range's rows of order 1: an id is the head of several ranges, but of one row of each."""
        self.first[0][head] += count
        self.first[1][head] += children

    def close(self, unigrams: Level) -> list[Level]:
        """All rows, with those of order 1."""
        unigrams.count, unigrams.children = counts_of_ids(unigrams.count, self.first[0]), self.first[1]
        return [
            unigrams,
            *(Level(*(c[:n] for c in x)) for x, n in zip(self.levels, self.rows_before[-1].result(), strict=True)),
        ]


def counts_of_ids(id_counts: np.ndarray, of_heads: np.ndarray) -> np.ndarray:
    """The columns of counts of all ids, (V, c), from those of the windows' first ids; `id_counts` where c is 1.

    Windows begin with every id that occurs, but EOS, which is in as many sequences as BOS.
    """
    if of_heads.ndim == 1:
        return id_counts
    of_heads[EOS] = of_heads[BOS]
    of_heads[:, 0] = id_counts
    return of_heads
