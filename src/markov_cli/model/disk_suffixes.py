"""Finds the distinct left neighbours and the links of a table on disk.

Legend as in table.py and counting/suffixes.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np

from ..arrays.disk_array import BLOCK, Buckets, Column, Placed
from ..arrays.sorting import distinct_values
from ..arrays.threads import ordered_map
from ..counting.suffixes import suffix_runs
from ..text.types import EOS
from .disk_counts import CountWriter
from .disk_table import Family, StreamedOrder, StreamedTable, families, opened_by_bos

_U = np.uint64
_SAMPLES = 1 << 14
_MAX_BUCKETS = 200  # files open at one time, twice that with what goes along


def left_neighbours(
    table: StreamedTable,
    folder: str,
    bucket_rows: int,
    jobs: int = 1,
    tick: Callable[[float], None] = lambda share: None,
    borders: bool = True,
) -> None:
    """Fill in `left` of every order but the top, and `link` of those from 3 on, as counting does in memory.

    bucket_rows  rows sorted in memory at one time by each job, about
    borders      False: BOS is no left neighbour
    """
    orders = table.orders
    if len(orders) == 1:
        return
    bits = max(int(table.n_ids - 1).bit_length(), 2)
    opened = opened_by_bos(table)
    token = orders[1].token
    assert token is not None
    writer = CountWriter(os.path.join(folder, "left_1"))
    size = max(8 * bucket_rows, BLOCK)
    for low in range(0, table.n_ids, size):  # as many ids as are counted at one time
        left = np.zeros(min(size, table.n_ids - low), np.int64)
        for block in token.blocks():
            left += _between(block, low, len(left))
        if not borders:
            left -= _between(token.read(*opened[1]), low, len(left))
            if not low:
                left[EOS] = 0
        writer.append(left)
    orders[0].left = writer.close()
    suffix = token
    for k in range(3, len(orders) + 1):
        wants_link = k < len(orders)
        keys = _suffixes(
            orders[k - 2], orders[k - 1], suffix, bits, folder, bucket_rows, wants_link or not borders, jobs
        )
        found = CountWriter(os.path.join(folder, f"left_{k - 1}"))
        links = Placed(os.path.join(folder, f"link_{k}"), len(orders[k - 1]), bucket_rows) if wants_link else None
        low, high = opened[k - 2]
        at = 0

        def one(
            bucket: tuple[np.ndarray, np.ndarray],
            wants_row: bool = wants_link or not borders,
            opened: tuple[int, int] = opened[k - 1],
        ) -> tuple[np.ndarray, ...]:
            order, number, runs = suffix_runs(bucket[0], wants_row)
            row = bucket[1][order] if wants_row else order
            if not borders:
                outside = number[(row >= opened[0]) & (row < opened[1])]
                return row, number, runs - np.bincount(outside, minlength=len(runs))
            return row, number, runs

        for row, number, runs in ordered_map(one, keys, jobs):
            place = np.arange(at, at + len(runs))
            place[place >= low] += high - low
            _append_with_gap(found, runs, at, low, high)
            if links is not None:
                links.add(row, place[number])
            at += len(runs)
            tick(at / max(len(orders[k - 2]), 1))
        if at <= low:
            _append_with_gap(found, np.zeros(0, np.int64), low, low, high)
        if found.n != len(orders[k - 2]):
            raise IndexError(
                f"order {k - 1}: {len(orders[k - 2]):,} n-grams, and {found.n:,} that end one of order {k}"
            )
        orders[k - 2].left = found.close()
        if links is not None:
            suffix = orders[k - 1].link = links.close()


def _between(ids: np.ndarray, low: int, n: int) -> np.ndarray:
    """Counts of the n ids from `low`: int64."""
    if low or (len(ids) and int(ids.max()) >= n):
        ids = ids[(ids >= low) & (ids < low + n)].astype(np.int64) - low
    return np.bincount(ids, minlength=n)


def _append_with_gap(writer: CountWriter, runs: np.ndarray, at: int, low: int, high: int) -> None:
    """Counts of rows at.. of those that do not open with BOS; the others, rows low..high-1, have none."""
    if writer.n <= low <= at + len(runs) and high > low:
        writer.append(runs[: low - at])
        for begin in range(low, high, BLOCK):
            writer.append(np.zeros(min(BLOCK, high - begin), np.int64))
        writer.append(runs[low - at :])
    else:
        writer.append(runs)


def _suffixes(
    parent: StreamedOrder,
    here: StreamedOrder,
    suffix: Column,
    bits: int,
    folder: str,
    size: int,
    wants_row: bool,
    jobs: int,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(suffix of the history, token) of every row as one key, and its row, by ranges of keys.

    suffix  of every history: its row, one order below
    """
    first, token = parent.first, here.token
    assert first is not None and token is not None

    def keys(family: Family) -> np.ndarray:
        key = np.repeat(suffix.read(family.parents.start, family.parents.stop).astype(_U), family.size)
        key <<= _U(bits)
        key |= token.read(family.rows.start, family.rows.stop)
        return key

    threads = jobs if size >= BLOCK else 1  # each holds a block
    step = max(len(here) // _SAMPLES, 1)
    n = min(max(2 * len(here) // size, 1), _MAX_BUCKETS)
    edges = np.empty(0, _U)
    if n > 1:
        some = ordered_map(lambda family: keys(family)[::step].copy(), families(first), threads)
        sample = np.sort(np.concatenate([*some]))
        edges = distinct_values(sample[np.arange(1, n) * len(sample) // n])
    buckets = Buckets(folder, "suffix", edges, _U if wants_row else None)

    def arranged(family: Family) -> tuple[np.ndarray, np.ndarray | None, list[int]]:
        rows = np.arange(family.rows.start, family.rows.stop) if wants_row else None
        return buckets.arranged(keys(family), rows)

    for records in ordered_map(arranged, families(first), threads):
        buckets.append(*records)
    yield from buckets.take()
