"""Counts n-grams of every order, and the distinct left neighbours of each.

Legend: L is the length of the stream; a row of order k is a distinct k-gram; rows are
in trie order (sorted by their ids), so the rows that extend one row are adjacent.

The windows are divided by their first id into ranges of about equal size. Each range is
sorted alone, by one of several threads, and its rows are consecutive rows of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..arrays.memory import give_back
from ..arrays.sorting import distinct_values, sort_keys
from ..arrays.threads import thread_pool
from ..text.types import BOS, EOS
from .key_sort import (
    Windows,
    columns_of,
    fits_one_key,
    keys_along,
    packed,
    sort_keys_of_windows,
    sort_rows,
    sort_windows,
)
from .measures import Sequences, measured_windows

RANGE_WINDOWS = 1 << 19
SUFFIX_ROWS = 1 << 20
_STREAM_BLOCK = 1 << 18
_U = np.uint64


@dataclass
class Level:
    """All rows of one order.

    token     uint32 (r,)  the last id of each n-gram
    count     int64 (r,)   its count
    children  int64 (r,)   number of rows of the next order that extend it; None at the top
    left      int (r,)     number of distinct left neighbours, of any integer type; None at the top
    link      uint (r,)    row, one order below, of the n-gram without its first id;
                           None for orders 1, 2 and the top
    """

    token: np.ndarray
    count: np.ndarray
    children: np.ndarray | None = None
    left: np.ndarray | None = None
    link: np.ndarray | None = None


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
        as_keys = sequences is None and fits_one_key(order, bits)
        ranges = _divide(stream, windows, id_counts, range_windows, pool, (order, bits) if as_keys else None)
        if as_keys:
            stream = stream[:0].copy()  # no longer needed

        def part(some: np.ndarray, stream: np.ndarray = stream) -> list[tuple[np.ndarray, ...]]:
            if not len(some):
                return [(np.empty(0, np.uint32),) * 3] * order
            if as_keys:
                return rows_of(sort_keys_of_windows(some, order, bits))
            return _rows(stream, some.astype(np.int64), order, bits, sequences, which)

        parts = []
        n_ranges = len(ranges)
        for done, rows in enumerate(pool.map(part, _used_up(ranges)), 1):
            if len(rows[0][0]):
                parts.append(rows)
            tick(0.7 * done / n_ranges)
        stream = stream[:0].copy()  # joining needs the memory
        del part
        give_back()
        levels = [unigrams, *pool.map(lambda k, parts=parts: _join(parts, k, order), range(1, order))]
        unigrams.children = np.zeros(n_ids, np.int64)
        heads = np.concatenate([p[0][0] for p in parts])
        unigrams.children[heads] = np.concatenate([p[0][2] for p in parts])
        unigrams.count = counts_of_ids(unigrams.count, heads, np.concatenate([p[0][1] for p in parts]))
        del parts
        give_back()
        left_neighbours(levels, bits, min(SUFFIX_ROWS, 4 * range_windows), jobs, pool)
    tick(1.0)
    return levels


def _used_up(places: list[np.ndarray]) -> Iterator[np.ndarray]:
    """The arrays in order, each removed from the list, so that it can be freed."""
    places.reverse()
    while places:
        yield places.pop()


def _divide(
    stream: np.ndarray,
    windows: int,
    id_counts: np.ndarray,
    size: int,
    pool: ThreadPoolExecutor,
    packed_by: tuple[int, int] | None = None,
) -> list[np.ndarray]:
    """Places of the windows, or their keys, for each range of first ids, about `size` windows a range.

    All windows of one first id are in one range, so a range can be larger than `size`.

    packed_by  order and bits of the keys of `keys_along`; None for places
    """
    count = id_counts.copy()
    count[EOS] = 0
    n_ranges = int(min(max(windows // size, 1), 255))
    before = np.cumsum(count) - count
    range_of = (before * n_ranges // max(windows, 1)).clip(0, n_ranges - 1).astype(np.uint8)
    range_of[EOS] = range_of[BOS]
    dtype = np.uint64 if packed_by else np.uint32 if windows < 1 << 32 else np.int64
    begins = range(0, windows, _STREAM_BLOCK)

    def ranges_in(begin: int) -> np.ndarray:
        return range_of.take(stream[begin : min(begin + _STREAM_BLOCK, windows)], mode="clip")

    sizes = np.array([*pool.map(lambda begin: np.bincount(ranges_in(begin), minlength=n_ranges), begins)])
    out = [np.empty(n, dtype) for n in sizes.sum(axis=0).tolist()]
    at = np.cumsum(sizes, axis=0) - sizes  # where each block's part of each range begins

    def one(i: int) -> None:
        begin, which = begins[i], ranges_in(begins[i])
        order = np.argsort(which, kind="stable")  # of uint8: a counting sort
        if packed_by is None:
            made = order + begin
        else:  # made place by place, a key costs a third of what a look-up of each id does
            n = len(which)
            made = keys_along(stream[begin : begin + n + packed_by[0]], n, *packed_by).take(order, mode="clip")
        low = 0
        for there, first, size in zip(out, at[i].tolist(), sizes[i].tolist(), strict=True):
            there[first : first + size] = made[low : low + size]
            low += size

    for _ in pool.map(one, range(len(begins))):
        pass
    return out


def _rows(
    stream: np.ndarray,
    place: np.ndarray,
    order: int,
    bits: int,
    sequences: Sequences | None,
    which: np.ndarray | None,
) -> list[tuple[np.ndarray, ...]]:
    """Rows of one range, as `rows_of` returns them.

    which  int64, the sequence that the window at each place of the stream begins in
    """
    if sequences is None or which is None:
        return rows_of(sort_windows(stream, place, order, bits))
    columns = columns_of(stream, place, order)
    if sequences.times is not None:
        weight = sequences.times[which[place]]
    else:
        member, weight, _ = measured_windows(columns, which[place], sequences, bits)
        columns = [c[member] for c in columns]
    return rows_of(sort_rows(packed(columns, bits), columns, weight, order, bits))


def counts_of_ids(id_counts: np.ndarray, heads: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The columns of counts of all ids, (V, c), from those of the windows' first ids; `id_counts` where c is 1.

    Windows begin with every id that occurs, but EOS, which is in as many sequences as BOS.
    """
    if count.ndim == 1:
        return id_counts
    out = np.zeros((len(id_counts), count.shape[1]), np.int64)
    out[heads] = count
    out[EOS] = out[BOS]
    out[:, 0] = id_counts
    return out


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


def _join(parts: list[list[tuple[np.ndarray, ...]]], k: int, order: int) -> Level:
    """Rows of order k + 1, joined from all ranges in order; frees the parts."""
    token, count, children = (np.concatenate([p[k][i] for p in parts]) for i in range(3))
    for p in parts:
        p[k] = ()
    return Level(token, count, children if k < order - 1 else None)


def left_neighbours(levels: list[Level], bits: int, size: int, jobs: int, pool: ThreadPoolExecutor) -> None:
    """Fill in `left` of every order but the top, and `link` of those from 3 on.

    The suffix of a row h w is child w of the suffix of h. Sorted by (suffix of h, w), the
    rows of order k list every row of order k-1 that does not open with BOS, in table
    order. The length of each run of equal keys is the number of distinct left neighbours.

    IndexError where the rows of two orders do not fit together.
    """
    top = len(levels)
    levels[0].left = np.bincount(levels[1].token, minlength=len(levels[0].token))
    suffix_of_parent = levels[1].token
    opened = _opened_by_bos(levels)
    for k in range(3, top + 1):
        parent, here, below = levels[k - 2], levels[k - 1], levels[k - 2]
        assert parent.children is not None
        suffix = np.repeat(suffix_of_parent, parent.children)
        low, high = opened[k - 2]
        n = len(below.token)
        left = np.zeros(n, _smallest_id(len(here.token)))
        link = np.empty(len(here.token), _smallest_id(n)) if k < top else None
        edges = _even_edges(suffix, size, jobs)
        rows_before = [Future[int]() for _ in range(len(edges))]  # of each range: rows that earlier ranges have filled
        rows_before[0].set_result(0)

        def one(
            i: int,
            suffix: np.ndarray = suffix,
            edges: np.ndarray = edges,
            token: np.ndarray = here.token,
            link: np.ndarray | None = link,
            left: np.ndarray = left,
            rows_before: list[Future[int]] = rows_before,
            low: int = low,
            high: int = high,
        ) -> None:
            """Fill in one range; it waits for the size of earlier ranges, which threads begin before this one."""
            try:
                which, rank, runs = _suffix_range(
                    suffix, token, int(edges[i]), int(edges[i + 1]), bits, link is not None
                )
                at = rows_before[i].result()
            except BaseException as error:
                rows_before[i + 1].set_exception(error)
                raise
            rows_before[i + 1].set_result(at + len(runs))
            inside = min(max(low - at, 0), len(runs))  # runs before the rows that open with BOS
            for begin, part in ((at, runs[:inside]), (at + inside + high - low, runs[inside:])):
                there = left[begin : begin + len(part)]
                there[:] = part[: len(there)]  # more runs than rows: told below
            if link is not None:
                row = rank + at
                row[rank >= inside] += high - low
                link[which] = row

        for _ in pool.map(one, range(len(edges) - 1)):
            pass
        at = rows_before[-1].result()
        if at != n - (high - low):
            raise IndexError(f"order {k - 1}: {n - (high - low):,} n-grams, and {at:,} that end one of order {k}")
        below.left, here.link = left, link
        suffix_of_parent = link if link is not None else suffix
        del one, suffix, left, link  # the next order needs the memory
        give_back()


def _smallest_id(n: int) -> type[np.unsignedinteger]:
    return np.uint32 if n < 1 << 32 else np.uint64


def _opened_by_bos(levels: list[Level]) -> list[tuple[int, int]]:
    """Rows [low, high) of each order that open with BOS."""
    low, high = BOS, BOS + 1
    out = [(low, high)]
    for level in levels[:-1]:
        assert level.children is not None
        first = int(level.children[:low].sum(dtype=np.int64))
        low, high = first, first + int(level.children[low:high].sum(dtype=np.int64))
        out.append((low, high))
    return out


def _even_edges(values: np.ndarray, size: int, jobs: int) -> np.ndarray:
    """Edges of value ranges that hold about `size` of `values` each: int64 (ranges + 1,).

    Estimated from a sample; two ranges a job or more, where each would hold 65,536 values.
    """
    top = int(values.max()) + 1 if len(values) else 1
    n_ranges = max(len(values) // size, min(2 * jobs, len(values) >> 16), 1)
    sample = np.sort(values[:: max(len(values) >> 14, 1)])
    cut = sample[np.arange(1, n_ranges) * len(sample) // n_ranges].astype(np.int64)
    return distinct_values(np.concatenate(([0], cut, [top])))


def _suffix_range(
    suffix: np.ndarray, token: np.ndarray, low: int, high: int, bits: int, wants_link: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the rows whose parent's suffix is in [low, high), sorted by (suffix, token); the run of equal
    pairs that each belongs to; and the lengths of the runs."""
    which = np.flatnonzero((suffix >= low) & (suffix < high))
    key = (suffix[which].astype(_U) - _U(low)) << _U(bits) | token[which]
    order, number, runs = suffix_runs(key, wants_link, int(high - low).bit_length() + bits)
    return which[order] if wants_link else order, number, runs


def suffix_runs(key: np.ndarray, wants_link: bool, bits: int = 64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sorting permutation of the keys, the run of equal keys that each belongs to, and the lengths of the runs.

    key      uint64 (m,), (suffix of the history, token) packed; every key is below 2**bits
    returns  int64 (m,), int64 (m,), int64 (runs,); without `wants_link` the first two are empty and `key` is
             sorted in place
    """
    if not wants_link:
        none = np.empty(0, np.int64)
        key.sort()
        return none, none, _runs(key)[1]
    key, order = sort_keys(key, bits)
    number, runs = _runs(key)
    return order, number, runs


def _runs(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Run of equal keys that each sorted key belongs to, and the lengths of the runs."""
    new = np.empty(len(key) + 1, bool)
    new[0] = new[-1] = True
    np.not_equal(key[1:], key[:-1], out=new[1:-1])
    if not len(key):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.cumsum(new[:-1]) - 1, np.diff(np.flatnonzero(new))
