"""A table built on disk, in pieces, for text whose table does not fit in memory.

Legend as in table.py; the arrays of an order are columns on disk. A family is a history's followers; families
are taken a block of histories at a time.

The bytes are those that building.py gives: the same rows, counted and pruned the same way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays.disk_array import BLOCK, Buckets, Column, Placed, Writer
from ..arrays.sorting import distinct_values
from ..arrays.threads import ordered_map
from ..counting.suffixes import suffix_runs
from ..text.types import BOS, EOS
from .count_column import smallest
from .disk_counts import CountColumns, CountWriter
from .disk_guard import GuardColumns
from .thresholds import Protection

_U = np.uint64
_SAMPLES = 1 << 14
_MAX_BUCKETS = 200  # files open at one time, twice that with what goes along


@dataclass
class StreamedOrder:
    """The rows of one order on disk; see `Order`. `first` and `link` are uint64."""

    count: CountColumns
    token: Column | None = None
    first: Column | None = None
    left: CountColumns | None = None
    link: Column | None = None
    left_total: CountColumns | None = None
    total: CountColumns | None = None
    keep: Column | None = None  # bool, n-grams with enough sequences and files

    def __len__(self) -> int:
        return len(self.count)

    def parts(self) -> dict[str, list[Column]]:
        """Its columns by name; counts have four."""
        out = {}
        for name in _PARTS:
            part = getattr(self, name)
            if part is not None:
                out[name] = part.columns() if isinstance(part, CountColumns) else [part]
        return out


_PARTS = ("count", "token", "first", "left", "link", "left_total", "total", "keep")


@dataclass
class StreamedTable:
    """All orders; see `Table`."""

    orders: list[StreamedOrder]
    counts_of_counts: np.ndarray = field(default_factory=lambda: np.zeros((0, 5), np.int64))
    empty: tuple[int, int] | None = None
    guard: GuardColumns | None = None

    @property
    def n_ids(self) -> int:
        """Types and markers."""
        return len(self.orders[0])

    def described(self) -> dict[str, Any]:
        """The data that a journal keeps, and that `of` makes the object from."""
        orders = [{name: [c.described() for c in part] for name, part in o.parts().items()} for o in self.orders]
        return {"orders": orders, "counts_of_counts": self.counts_of_counts.tolist(), "empty": self.empty}

    def files(self) -> dict[str, tuple[int, int]]:
        """Bytes and checksum of every file."""
        return {c.name: c.whole() for o in self.orders for part in o.parts().values() for c in part}

    @classmethod
    def of(cls, folder: str, described: dict[str, Any]) -> StreamedTable:
        """A table that was written before."""
        orders = []
        for order in described["orders"]:
            parts: dict[str, Any] = {}
            for name, columns in order.items():
                made = [Column.of(folder, c) for c in columns]
                parts[name] = CountColumns(*made) if len(made) > 1 else made[0]
            orders.append(StreamedOrder(**parts))
        stats, empty = np.array(described["counts_of_counts"], np.int64).reshape(-1, 5), described["empty"]
        return cls(orders, stats, None if empty is None else (empty[0], empty[1]))

    def members(self) -> dict[str, tuple[Column, np.dtype]]:
        """The arrays of a model file in the file's order: each column, and the dtype it is to have."""
        out: dict[str, tuple[Column, np.dtype]] = {}
        for k, order in enumerate(self.orders, 1):
            if k > 1 and not len(order):
                break
            if order.token is not None:
                out[f"token_{k}"] = order.token, order.token.dtype
            if order.first is not None:
                followers = len(self.orders[k]) if k < len(self.orders) else 0
                out[f"first_{k}"] = order.first, smallest(followers)
            if order.link is not None:
                out[f"link_{k}"] = order.link, smallest(max(len(self.orders[k - 2]) - 1, 0))
            for name in ("count", "left", "left_total", "total"):
                counts = getattr(order, name)
                if counts is not None:
                    for end, column, dtype in counts.members():
                        out[f"{name}_{k}{end}"] = column, dtype
        if self.guard is not None:
            for name, column in zip(("low", "high", "first"), self.guard.columns(), strict=True):
                out[f"guard_{name}"] = column, column.dtype
        return out


Pieces = Iterable[list[tuple[np.ndarray, ...]]]


def write_rows(
    pieces: Pieces, id_counts: Column, order: int, folder: str, protection: Protection, borders: bool
) -> StreamedTable:
    """Rows as `stitched` gives them, put on disk: tokens, counts, `first` and `keep` of orders 1..order.

    id_counts   int64 (V,)
    protection  by what n-grams are counted, and which have `keep`
    borders     False: BOS and EOS are not counted
    """
    n_ids = len(id_counts)
    token_type = smallest(n_ids - 1)
    tokens = [Writer(os.path.join(folder, f"token_{k}"), token_type) for k in range(2, order + 1)]
    counts = [CountWriter(os.path.join(folder, f"count_{k}")) for k in range(2, order + 1)]
    firsts = [FirstWriter(os.path.join(folder, f"first_{k}")) for k in range(2, order)]
    keeps = [Writer(os.path.join(folder, f"keep_{k}"), bool) for k in range(2, order + 1)] if protection.drops else []
    one = CountWriter(os.path.join(folder, "count_1"))
    first = FirstWriter(os.path.join(folder, "first_1"))
    done = 0  # ids
    for levels in pieces:
        heads, count, children = levels[0]
        if len(heads):  # rising, each once; nearly every id is a head
            high = int(heads[-1]) + 1
            wide = np.zeros(high - done, np.int64)
            wide[heads.astype(np.int64) - done] = children
            first.append(wide)
            if protection.caps:
                held = id_counts.read(done, high).astype(np.int64)
                held[heads.astype(np.int64) - done], _ = protection.judged(count)
                one.append(held)
            done = high
        for k in range(1, order):
            token, count, more = levels[k]
            tokens[k - 1].append(token)
            if count.ndim > 1:
                count, keep = protection.judged(count)
                if keeps:
                    keeps[k - 1].append(keep)
            counts[k - 1].append(count)
            if k < order - 1:
                firsts[k - 1].append(more)
    for low in range(done if protection.caps and order > 1 else 0, n_ids, BLOCK):
        some = id_counts.read(low, low + BLOCK)
        if not borders and not low:
            some[[BOS, EOS]] = 0
        one.append(some)
    if order == 1:
        return StreamedTable([StreamedOrder(one.close())])
    for low in range(done, n_ids, BLOCK):
        first.append(np.zeros(min(BLOCK, n_ids - low), np.int64))
    orders = [StreamedOrder(one.close(), None, first.close())]
    for k in range(order - 1):
        below = firsts[k].close() if k < order - 2 else None
        enough = keeps[k].close() if keeps else None
        orders.append(StreamedOrder(counts[k].close(), tokens[k].close(), below, keep=enough))
    return StreamedTable(orders)


class FirstWriter:
    """Writes running sums of numbers of followers, from 0."""

    def __init__(self, path: str) -> None:
        self._writer, self._total = Writer(path, _U), 0
        self._writer.append(np.zeros(1, _U))

    def append(self, children: np.ndarray) -> None:
        """Numbers of followers of the next rows."""
        running = np.cumsum(children, dtype=np.int64) + self._total
        if len(running):
            self._total = int(running[-1])
        self._writer.append(running)

    def close(self) -> Column:
        """The column, one entry longer than there are rows."""
        return self._writer.close()


# ------------------------------------------------------------ families


@dataclass
class Family:
    """Neighbouring histories, rows parents.start..parents.stop-1 of one order, and their followers' rows.

    first  int64 (parents + 1,), where the followers of each begin
    """

    parents: slice
    first: np.ndarray

    @property
    def rows(self) -> slice:
        """Rows of the next order."""
        return slice(int(self.first[0]), int(self.first[-1]))

    @property
    def size(self) -> np.ndarray:
        """Followers of each history: int64."""
        return np.diff(self.first)


def families(first: Column, rows: int = BLOCK) -> Iterator[Family]:
    """All histories of an order in blocks with at most `rows` followers, but where one alone has more."""
    low = 0
    n = len(first) - 1
    while low < n:
        here = first.read(low, low + rows + 1).astype(np.int64)
        m = max(int(np.searchsorted(here, here[0] + rows, "right")) - 1, 1)
        yield Family(slice(low, low + m), here[: m + 1])
        low += m


def _take(column: Column, rows: slice) -> np.ndarray:
    return column.read(rows.start, rows.stop)


def by_family(counts: CountColumns, first: Column) -> Iterator[tuple[Family, np.ndarray]]:
    """Families of an order, each with its followers' counts, which are given."""
    found = [*_edges(first)]
    values = counts.slices(np.array([*(a for a, _ in found), found[-1][1]] if found else [0]))
    yield from zip(families(first), values, strict=True)


def _edges(first: Column) -> Iterator[tuple[int, int]]:
    for family in families(first):
        yield family.rows.start, family.rows.stop


def opened_by_bos(table: StreamedTable) -> list[tuple[int, int]]:
    """Per order, the rows [low, high) that open with BOS."""
    out = [(BOS, BOS + 1)]
    for order in table.orders[:-1]:
        assert order.first is not None
        low, high = out[-1]
        out.append((int(order.first.read(low, low + 1)[0]), int(order.first.read(high, high + 1)[0])))
    return out


# ------------------------------------------------------------ left neighbours and links


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
        key = np.repeat(_take(suffix, family.parents).astype(_U), family.size)
        key <<= _U(bits)
        key |= _take(token, family.rows)
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
