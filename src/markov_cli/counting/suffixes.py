"""Finds the distinct left neighbours of n-grams, and the row of each n-gram without its first id.

Legend: r rows of an order, in trie order (sorted by their ids). The suffix of a row is the row, one order below, of
its n-gram without its first id.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from ..arrays.memory import give_back
from ..arrays.sorting import distinct_values, run_edges, sort_keys
from ..arrays.threads import failing
from ..text.types import BOS
from .levels import Level, smallest_id

SUFFIX_ROWS = 1 << 20
_U = np.uint64


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
        left = np.zeros(n, smallest_id(len(here.token)))
        link = np.empty(len(here.token), smallest_id(n)) if k < top else None
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
            with failing(rows_before[i + 1]):
                which, rank, runs = _suffix_range(
                    suffix, token, int(edges[i]), int(edges[i + 1]), bits, link is not None
                )
                at = rows_before[i].result()
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
        return none, none, np.diff(np.flatnonzero(run_edges(key)))
    key, order = sort_keys(key, bits)
    edge = run_edges(key)
    return order, np.cumsum(edge[:-1]) - 1, np.diff(np.flatnonzero(edge))
