"""A table built on disk, in pieces, for text whose table does not fit in memory.

Legend as in table.py; the arrays of an order are columns on disk. A family is a history's followers; families
are taken a block of histories at a time.

The bytes are those that building.py gives: the same rows, counted and pruned the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays.disk_array import BLOCK, Column
from ..text.types import BOS
from .count_column import smallest
from .disk_counts import CountColumns
from .disk_guard import GuardColumns


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
