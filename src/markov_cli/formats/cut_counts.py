"""A model from counts whose rare n-grams are missing, as the Web 1T set and Google Books have them.

Legend: k is an order 1..n; m rows; c(h w) a count; a bound of an n-gram is the sum of c over what extends it to the
right, or to the left, whichever is larger. In a text c is never below it.

A table needs each n-gram without its last word, and without its first. Those that are missing are put in with their
bound, and a count below its bound is raised to it, so that no history is seen less often than it is followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import sort_keys, starts_new
from ..counting.levels import Level
from ..errors import MarkovError
from ..model.building import Before, build_table, counts_of_counts, left_totals
from ..model.count_column import find_sorted
from ..model.header import Header
from ..model.language_model import LanguageModel
from ..text.encoder import TextOptions
from ..text.types import BOS, EOS, N_MARKERS, UNK, Types, order_of_types
from .lower_orders import LONGEST, Names, Rows

_U = np.uint64


@dataclass
class CutModel:
    """A model of cut counts, the number of n-grams put in, and of counts that were raised."""

    model: LanguageModel
    put_in: int
    raised: int


@dataclass
class _Order:
    """Distinct n-grams of one order in the order of their ids, uint32 (m, k), and their counts, int64 (m,)."""

    ids: np.ndarray
    count: np.ndarray


def least_counts(given: dict[int, Rows]) -> tuple[int, ...]:
    """The least count of each order, 1 for orders that are not given."""
    longest = max(given, default=0)
    return tuple(int(given[k].count.min(initial=1 << 62)) if k in given else 1 for k in range(1, longest + 1))


def looks_cut(given: dict[int, Rows]) -> bool:
    """True if no n-gram of two words or more (of one, if there are no longer ones) has the count 1."""
    longer = [rows for k, rows in given.items() if k > 1] or [*given.values()]
    return bool(longer) and all(int(rows.count.min(initial=2)) > 1 for rows in longer)


def cut_model(
    given: dict[int, Rows], types: Types, name: str, order: int | None, options: TextOptions, jobs: int = 1
) -> CutModel:
    """The model of counts without the rare n-grams; MarkovError for a marker inside an n-gram, or a repeated n-gram.

    given  n-grams by order; types of the ids from N_MARKERS on
    order  None for that of the longest n-gram
    """
    said = Names(types, name)
    for k, rows in given.items():
        said.check(k, rows)
    longest = max(given)
    if longest > LONGEST:
        line = int(given[longest].line[0])
        raise MarkovError(f"{said.at(line)}: an n-gram of {longest:,} words, more than {LONGEST:,}", "check the file")
    if order is not None and order != longest:
        raise MarkovError(f"{name}: n-grams of order {longest}, not {order}", f"use --order {longest}, or leave it out")
    least = least_counts(given)
    orders, put_in, raised = _closed(given, N_MARKERS + len(types), longest, said)
    by_count = order_of_types(types, orders[0].count[N_MARKERS:])
    new_id = np.arange(N_MARKERS + len(types))
    new_id[N_MARKERS + by_count] = np.arange(N_MARKERS, len(new_id))
    types = types.take(by_count)
    levels = _levels(orders, new_id)
    before = Before(counts_of_counts(levels), left_totals(levels))
    one = levels[0].count.copy()
    table = build_table(levels, longest, jobs=jobs, before=before)
    header = Header(
        order=longest,
        options=options,
        tokens=int(one.sum() - one[BOS] - one[EOS]),
        types=len(types),
        sequences=int(one[EOS]),
        corpus_bytes=0,
        counts_of_counts=table.counts_of_counts.tolist(),
        max_types=max(len(types), 1) if one[UNK] else None,
        cut_below=least,
    )
    return CutModel(LanguageModel.of(header, types, table), put_in, raised)


def _closed(given: dict[int, Rows], n_ids: int, longest: int, said: Names) -> tuple[list[_Order], int, int]:
    """All n-grams that a table needs, order 1 first; the number put in, and of counts raised."""
    bits = max(n_ids - 1, 1).bit_length()
    none = Rows(np.empty((0, 0), np.uint32), np.empty(0, np.int64), np.empty(0, np.int64))
    orders: list[_Order] = []
    put_in = raised = 0
    for k in range(longest, 1, -1):
        own = given.get(k, none)
        above = orders[0] if orders else _Order(np.empty((0, k + 1), np.uint32), none.count)
        ids = np.concatenate((own.ids.reshape(-1, k), above.ids[:, :-1], above.ids[:, 1:]))
        number, place = ranked(ids, bits)
        m, n = len(own.count), len(above.count)
        count = _own_counts(number[:m], own, len(place), said)
        bound = np.maximum(*(_sums(number[i : i + n], above.count, len(place)) for i in (m, m + n)))
        put_in += int(np.count_nonzero(count == 0))
        raised += int(np.count_nonzero((count > 0) & (count < bound)))
        orders.insert(0, _Order(ids[place], np.maximum(count, bound)))
    own = given.get(1, none)
    count = _own_counts(own.ids.reshape(-1).astype(np.int64), own, n_ids, said)
    bound = np.zeros(n_ids, np.int64)
    if orders:
        above = orders[0]
        bound = np.maximum(*(_sums(above.ids[:, j].astype(np.int64), above.count, n_ids) for j in (0, 1)))
    count[[BOS, EOS]] = bound[[BOS, EOS]] = max(int(x[i]) for x in (count, bound) for i in (BOS, EOS))
    put_in += int(np.count_nonzero((count == 0) & (bound > 0)))
    raised += int(np.count_nonzero((count > 0) & (count < bound)))
    every = np.arange(n_ids, dtype=np.uint32)[:, None]
    return [_Order(every, np.maximum(count, bound)), *orders], put_in, raised


def _own_counts(number: np.ndarray, rows: Rows, n: int, said: Names) -> np.ndarray:
    """The counts of rows by their numbers, 0 for the others; MarkovError for a repeated n-gram."""
    said.refuse_double(number, rows)
    count = np.zeros(n, np.int64)
    count[number] = rows.count
    return count


def _sums(number: np.ndarray, count: np.ndarray, n: int) -> np.ndarray:
    """Sums of counts by number, int64 (n,); bincount's float64 would round above 2**53."""
    total = np.zeros(n, np.int64)
    np.add.at(total, number, count)
    return total


def ranked(ids: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """The rank of each row among the distinct rows, int64 (m,), and the place of one of each, int64 (u,)."""
    if ids.shape[1] == 1:
        column = ids[:, 0]
        key, order = sort_keys(column.astype(_U), bits)
        rank = np.empty(len(column), np.int64)
        new = starts_new(key)
        rank[order] = np.cumsum(new) - 1
        return rank, order[new]
    rank = ids[:, 0].astype(np.int64)
    most, place, done = bits, np.empty(0, np.int64), 1
    while done < ids.shape[1]:
        fit = max((64 - most - len(rank).bit_length()) // bits, 1)  # columns that fit a key with the place of each row
        columns = ids[:, done : done + fit].T
        key = rank.astype(_U)
        for column in columns:
            key <<= _U(bits)
            key |= column
        key, order = sort_keys(key, most + bits * len(columns))
        new = starts_new(key)
        rank[order] = np.cumsum(new) - 1
        place, most = order[new], max(int(np.count_nonzero(new)) - 1, 1).bit_length()
        done += len(columns)
    return rank, place


def _levels(orders: list[_Order], new_id: np.ndarray) -> list[Level]:
    """Counted rows under their final ids; `orders` is used up."""
    n_ids = len(new_id)
    bits = max(n_ids - 1, 1).bit_length()
    count = np.empty(n_ids, np.int64)
    count[new_id] = orders[0].count
    levels = [Level(np.arange(n_ids, dtype=np.uint32), count)]
    keys: list[np.ndarray] = []  # of orders 2, 3, ...: row of the history, and the last id

    def rows(ids: np.ndarray) -> np.ndarray:
        row = ids[:, 0].astype(np.int64)
        for j in range(1, ids.shape[1]):
            row = find_sorted(keys[j - 1], row.astype(_U) << _U(bits) | ids[:, j].astype(_U))
        return row

    low, high = BOS, BOS + 1
    for k, order in enumerate(orders[1:], 2):
        below = levels[-1]
        n_below = len(below.token)
        ids = new_id[order.ids]
        key = rows(ids[:, :-1]).astype(_U) << _U(bits) | ids[:, -1].astype(_U)
        key, place = sort_keys(key, max(n_below - 1, 1).bit_length() + bits)
        parent = (key >> _U(bits)).astype(np.int64)
        suffix = rows(ids[place, 1:])
        below.children = np.bincount(parent, minlength=n_below)
        below.left = np.maximum(np.bincount(suffix, minlength=n_below), below.count > 0)
        below.left[low:high] = 0
        token = (key & _U((1 << bits) - 1)).astype(np.uint32)
        levels.append(Level(token, order.count[place], link=suffix if 2 < k < len(orders) else None))
        keys.append(key)
        first = np.concatenate((np.zeros(1, np.int64), np.cumsum(below.children)))
        low, high = int(first[low]), int(first[high])
    return levels
