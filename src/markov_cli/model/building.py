"""Builds the stored table from counted rows, and prunes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays.numbers import whole
from ..arrays.threads import thread_pool
from ..counting.levels import Level
from ..errors import OptionError
from ..text.types import BOS
from .count_column import Counts, smallest
from .table import Order, Table, no_rows
from .thresholds import Protected
from .weighted_counts import pack


@dataclass
class Before:
    """Figures of the text before pruning; see `counts_of_counts` and `left_totals`."""

    counts_of_counts: np.ndarray
    left_totals: list[np.ndarray | None]
    empty: tuple[int, int] | None = None  # see `Table.empty`


def build_table(
    levels: list[Level],
    order: int,
    prune: tuple[int, ...] = (),
    jobs: int = 1,
    before: Before | None = None,
    protected: Protected | None = None,
    ids: np.ndarray | None = None,
) -> Table:
    """Store counted rows compactly; `levels` is used up.

    order      of the table; those above the last level have no rows
    prune      per order from 2 on, n-grams seen at most that often are dropped; see `prune_levels`
    before     what is known of the text before pruning, where `levels` are pruned already
    protected  which rows stay besides, and the totals of capped counts; see thresholds.py
    ids        bool (V,): n-grams with other ids are dropped, also those of order 1, and the ids numbered anew
    """
    guard = protected or Protected()
    pruned = any(prune) or before is not None or guard.keep is not None or ids is not None
    empty = before.empty if before is not None else None
    totals: list[np.ndarray | None] = [None] * len(levels)
    sums = guard.totals or [None] * len(levels)
    stats = np.zeros((0, 5), np.int64)
    if pruned:
        known = before or Before(counts_of_counts(levels), left_totals(levels))
        stats, totals = known.counts_of_counts, known.left_totals
        if ids is not None:
            empty = empty or _empty_totals(levels)
        kept = prune_levels(levels, prune, guard.keep, ids)
        totals = [t if t is None else t[k] for t, k in zip(totals, kept, strict=True)]
        sums = [t if t is None else t[k] for t, k in zip(sums, kept, strict=True)]
    if 1 < len(levels) < order:
        levels.pop()  # counted only to have what lies below it, and empty
    n_ids = len(levels[0].token)
    token_type = smallest(n_ids - 1)
    n_rows = [*(len(level.token) for level in levels), 0]

    def one(k: int) -> Order:
        row = stored_order(levels[k], token_type if k else None, n_rows[k - 1], n_rows[k + 1])
        if (total := totals[k]) is not None:
            row.left_total = Counts.pack(total)
        if (followed := sums[k]) is not None:
            row.total = Counts.pack(followed)
        return row

    with thread_pool(jobs) as pool:
        orders = [*pool.map(one, range(len(levels)))]
    orders += [no_rows()] * (order - len(orders))
    return Table(orders, pruned, stats, empty=empty)


def stored_order(level: Level, token_type: np.dtype | None, rows_below: int, rows_above: int) -> Order:
    """One order in its compact columns; `level` is used up.

    token_type  of ids; None for order 1, whose rows are the ids
    rows_below, rows_above  rows of the next shorter and the next longer order
    """
    row = Order(pack(level.count))
    level.count = level.count[:0].copy()  # each column is freed when it is stored
    if token_type is not None:
        row.token = level.token.astype(token_type, copy=False)
    if level.children is not None:
        row.first = np.zeros(len(level.token) + 1, smallest(rows_above))
        np.cumsum(level.children, out=row.first[1:], dtype=row.first.dtype)
        level.children = None
    if level.left is not None:
        row.left = Counts.pack(level.left)
        level.left = None
    if level.link is not None:
        row.link = level.link.astype(smallest(max(rows_below - 1, 0)), copy=False)
    return row


def _empty_totals(levels: list[Level]) -> tuple[int, int]:
    """Sums over the types and `</s>` of counts and of left neighbours."""
    count, left = levels[0].count, levels[0].left
    return int(count.sum() - count[BOS]), 0 if left is None else int(left.sum())


def levels_of(table: Table) -> tuple[list[Level], Before | None, Protected]:
    """A stored table as counted rows, up to the first order without any, and what `build_table` takes besides."""
    levels: list[Level] = []
    totals: list[np.ndarray | None] = []
    sums: list[np.ndarray | None] = []
    for k, order in enumerate(table.orders, 1):
        n = len(order)
        token = np.arange(n, dtype=np.uint32) if order.token is None else order.token
        top = k == table.order or not n
        children = None if top or order.first is None else np.diff(order.first.astype(np.int64))
        left = None if top or order.left is None else order.left.slice(0, n)
        link = None if top else order.link
        levels.append(Level(token, order.count.slice(0, n), children, left, link))
        totals.append(None if order.left_total is None else order.left_total.slice(0, n))
        sums.append(None if order.total is None else order.total.slice(0, n))
        if not n:
            break
    before = Before(table.counts_of_counts, totals, table.empty) if table.pruned else None
    return levels, before, Protected(totals=sums if table.orders[0].total is not None else None)


def counts_of_counts(levels: list[Level]) -> np.ndarray:
    """The number of n-grams of each order with adjusted count 1, 2, 3, 4: int64 (order, 5), [:, 0] unused.

    The adjusted count is the number of distinct left neighbours, except at the top order and
    for n-grams that open with BOS, where it is the raw count (Chen and Goodman 1998; Heafield
    et al. 2013, section 3). BOS itself has none.
    """
    out = np.zeros((len(levels), 5), np.int64)
    if levels[0].count.dtype.kind == "f":
        return out  # weighted counts, of which nothing asks for it
    low, high = BOS, BOS + 1
    for k, level in enumerate(levels):
        adjusted = level.count if level.left is None else level.left
        for part, values in ((0, adjusted[:low]), (1, level.count[low:high]), (2, adjusted[high:])):
            if part != 1 or k > 0:
                out[k] += np.bincount(np.minimum(values, 5), minlength=6)[:5]
        if level.children is not None:
            before = np.concatenate(([0], np.cumsum(level.children, dtype=np.int64)))
            low, high = int(before[low]), int(before[high])
    out[:, 0] = 0
    return out


def left_totals(levels: list[Level]) -> list[np.ndarray | None]:
    """Per row of every order, the sum of `left` over its followers, before pruning."""
    totals: list[np.ndarray | None] = [None] * len(levels)
    for k, level in enumerate(levels[:-1]):
        below = levels[k + 1].left
        if below is not None and level.children is not None:
            edges = np.concatenate(([0], np.cumsum(level.children, dtype=np.int64)))
            running = np.concatenate(([0], np.cumsum(below, dtype=np.int64)))
            totals[k] = running[edges[1:]] - running[edges[:-1]]
    return totals


def check_prune(prune: tuple[int, ...]) -> None:
    """OptionError for thresholds that cannot be, with the order."""
    previous = 0
    for i, value in enumerate(prune, 1):
        whole("--prune:", max(value, 0))
        shown = ",".join(map(str, prune))
        if i == 1 and value:
            raise OptionError(
                f"--prune {shown}: the number for order 1 is {value}, and must be 0",
                "write 0 first; --min-type-count drops rare types",
            )
        if value < previous:
            raise OptionError(
                f"--prune {shown}: the number for order {i}, {value}, is below that for order {i - 1}, {previous}",
                "write numbers that do not fall, for example 0,1,2",
            )
        previous = value


def threshold(prune: tuple[int, ...], order: int) -> int:
    """The threshold of one order; the last value given goes on."""
    return 0 if not prune else prune[min(order, len(prune)) - 1]


def prune_levels(
    levels: list[Level],
    prune: tuple[int, ...],
    keep: list[np.ndarray] | None = None,
    ids: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Drop n-grams of order >= 2 seen at most threshold times (lmplz's `--prune`), and those not in `keep`.

    With `ids`, bool (V,), n-grams of any order with another id are dropped (lmplz's `--limit_vocab_file`), and the
    ids that stay are numbered anew.

    Thresholds do not fall from order to order, and `keep` is closed, as are n-grams of some ids, so what a kept row
    rests on is kept. Returns, per order, which rows stay: bool (r,).
    """
    kept = [np.ones(len(levels[0].token), bool) if ids is None else ids]
    kept += [level.count > threshold(prune, k) for k, level in enumerate(levels[1:], 2)]
    if ids is not None:
        new_id = np.cumsum(ids) - 1
        for k, level in enumerate(levels[1:], 1):
            children = levels[k - 1].children
            assert children is not None
            kept[k] &= ids[level.token] & np.repeat(kept[k - 1], children)
            level.token = new_id[level.token]
    if keep is not None:
        kept = [a & b for a, b in zip(kept, keep, strict=True)]
    for k, level in enumerate(levels):
        if level.children is not None:
            edges = np.concatenate(([0], np.cumsum(level.children, dtype=np.int64)))
            running = np.concatenate(([0], np.cumsum(kept[k + 1], dtype=np.int64)))
            level.children = (running[edges[1:]] - running[edges[:-1]])[kept[k]]
        if level.link is not None:
            new_row = np.cumsum(kept[k - 1]) - 1
            level.link = new_row[level.link[kept[k]]]
        level.token = level.token[kept[k]] if k else np.arange(np.count_nonzero(kept[0]), dtype=level.token.dtype)
        level.count = level.count[kept[k]]
        if level.left is not None:
            level.left = level.left[kept[k]]
    return kept
