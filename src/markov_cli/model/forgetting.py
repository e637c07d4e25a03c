"""Takes a text out of a model: what is left is the model of the other texts, byte for byte.

Legend: a model here is its header, types and table; the text is a model, too, trained with the same options; k is an
order; a row is gone where nothing is left of its count; K is the least count of a type that has an id.

Counts of texts that were cut at the ends of sequences add up, so they can be taken away as well. Ids go by falling
count and then by bytes, so the counts that are left tell them. An n-gram loses a left neighbour where the longer
n-gram is gone. Where less than nothing would be left, the text was not in the model, and the n-gram proves it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..arrays.memory import give_back
from ..arrays.sorting import ragged, sort_keys
from ..arrays.threads import thread_pool
from ..counting.levels import Level
from ..errors import MarkovError, ModelFileError
from ..text.interning import TypeInterner
from ..text.types import N_MARKERS, UNK, order_of_types
from ..text.vocabulary import Vocabulary
from .building import build_table, stored_order
from .count_column import DAMAGED, Counts, smallest
from .forgettable import check_alike, check_last_type, check_unknown, header_left, header_settled, not_there
from .merging import Stored
from .remap_ids import Part, edges_of, relabelled
from .table import Order, Table, no_rows

_RANGE_ROWS = 1 << 17
_U = np.uint64


class Remainder(NamedTuple):
    """A model without a text.

    model   with all types of which something is left, also those that are now too rare: see `settled`
    ngrams  the text's distinct n-grams, by order
    gone    those of them that no other text of the model has
    """

    model: Stored
    ngrams: tuple[int, ...]
    gone: tuple[int, ...]


def remainder(model: Stored, text: Stored, jobs: int = 1) -> Remainder:
    """The model without a text that was read with its options.

    AnswerIsNo, with the n-gram that proves it, where the text was not in the model.
    """
    check_alike(model, text)
    changes, ngrams, gone = _changes(model, *_in_ids_of(model, text, jobs))
    header = header_left(model, text.header)
    count = changes[0].counts(model.table.orders[0])[N_MARKERS:]
    order = order_of_types(model.types, count)
    if len(order):
        check_last_type(model, count, int(order[-1]))
    order = order[: np.count_nonzero(count)]
    old_ids = np.concatenate((np.arange(N_MARKERS), order + N_MARKERS))
    table = _renumbered(model.table, changes, old_ids, jobs)
    table.borders = header.borders
    if not header.borders and not len(table.orders[-1]):
        raise MarkovError(
            f"{model.name}: trained with --no-borders: no text of {header.order} tokens is left",
            "train it again, on the other texts",
        )
    types = model.types.take(order)
    return Remainder(Stored(replace(header, types=len(types)), types, table, model.name), ngrams, gone)


def settled(model: Stored, jobs: int = 1) -> Stored:
    """A remainder with the types that training keeps: those that are now seen fewer than K times become UNK."""
    header, types, table, name = model
    kept = int(np.count_nonzero(table.orders[0].count.slice(N_MARKERS, table.n_ids) >= header.min_type_count))
    if kept < len(types):
        if not header.borders:
            raise MarkovError(
                f"{name}: trained with --no-borders: types that are now seen fewer than {header.min_type_count:,} times"
                " cannot be put together",
                "train it again, on the other texts",
            )
        new_id = np.arange(table.n_ids)
        new_id[N_MARKERS + kept :] = UNK
        table = build_table(relabelled([Part(table, new_id)], N_MARKERS + kept, jobs), header.order, jobs=jobs)
        types = types.take(np.arange(kept))
    return Stored(header_settled(header, types, table), types, table, name)


def _in_ids_of(model: Stored, text: Stored, jobs: int) -> tuple[Table, np.ndarray]:
    """The text's table, and the model's id of each of its ids: int64 (V,).

    Where the model lacks types of the text, because they were rare, the table has the model's ids, and these are UNK.
    """
    interner = TypeInterner()
    number = [
        interner.numbers(t.padded(), t.start, t.length, t.flags if t.flags.any() else None).astype(np.int64)
        for t in (model.types, text.types)
    ]
    if len(model.types) and int(model.types.length.min()) < 1:
        raise ModelFileError(f"{model.name}: a type without bytes", DAMAGED)
    id_of = np.full(len(interner), UNK)
    id_of[number[0]] = np.arange(N_MARKERS, model.table.n_ids)
    ids = np.concatenate((np.arange(N_MARKERS), id_of[number[1]]))
    strange = np.flatnonzero(ids[N_MARKERS:] == UNK)
    if not len(strange):
        return text.table, ids
    count = text.table.orders[0].count.slice(N_MARKERS, text.table.n_ids)
    check_unknown(model, text.types.take(strange), count[strange])
    n_ids = model.table.n_ids
    table = build_table(relabelled([Part(text.table, ids)], n_ids, jobs), text.header.order, jobs=jobs)
    return table, np.arange(n_ids)


class _Change(NamedTuple):
    """The difference that a text makes to one order of a model.

    rows   int64 (m,), the rows of the text's n-grams
    left   int64 (m,), their counts without the text
    fewer  int64, rows that lose a left neighbour, once for each
    """

    rows: np.ndarray
    left: np.ndarray
    fewer: np.ndarray

    def counts(self, order: Order) -> np.ndarray:
        """All counts of the order without the text: int64 (r,)."""
        count = order.count.slice(0, len(order))
        count[self.rows] = self.left
        return count

    def neighbours(self, before: Counts) -> np.ndarray:
        """All numbers of left neighbours without the text: int64 (r,)."""
        left = before.slice(0, len(before))
        np.subtract.at(left, self.fewer, 1)
        if len(left) and int(left.min()) < 0:
            raise ModelFileError("fewer left neighbours than n-grams", DAMAGED)
        return left


_NO_ROWS = np.zeros(0, np.int64)
_NO_CHANGE = _Change(_NO_ROWS, _NO_ROWS, _NO_ROWS)


def _changes(model: Stored, text: Table, ids: np.ndarray) -> tuple[list[_Change], tuple[int, ...], tuple[int, ...]]:
    """Look up each n-gram of the text, and take its count away; for each order.

    ids      int64 (V,), the model's id of each id of the text
    returns  the change of each order, and as `Remainder` the numbers of n-grams, and of those that are gone
    """
    table, rows = model.table, ids
    changes: list[_Change] = []
    ngrams, gone, above = [], [], ids
    for k, here in enumerate(text.orders, 1):
        if not len(here):
            break
        asked = here.count.slice(0, len(here))
        token = text.tokens(k, np.arange(len(here)))
        if k > 1:
            low, high = text.followers(k - 1, np.arange(len(above)))
            history = np.repeat(np.arange(len(above)), high - low)
            rows = table.child(k - 1, above[history], ids[token])
        stored = np.zeros(len(rows), np.int64)
        known = rows >= 0
        stored[known] = table.orders[k - 1].count.at(rows[known])
        left = stored - asked
        lacking = np.flatnonzero(left < 0)
        if len(lacking):
            words = lacking[lacking >= N_MARKERS] if k == 1 else lacking
            i = int((words if len(words) else lacking)[0])
            names = Vocabulary.of(model.types, model.header.options.tokenizer)
            raise not_there(
                model.name, f'"{names.show(ids[text.ngram(k, i)].tolist())}"', int(stored[i]), int(asked[i])
            )
        lost = np.flatnonzero((left == 0) & (asked > 0))
        if k > 1:
            suffix = text.suffix(k, lost, history[lost], token[lost])
            changes[-1] = changes[-1]._replace(fewer=above[suffix])
        changes.append(_Change(rows, left, _NO_ROWS))
        ngrams.append(int(np.count_nonzero(asked)))
        gone.append(len(lost))
        above = rows
    return changes, tuple(ngrams), tuple(gone)


def _renumbered(table: Table, changes: list[_Change], old: np.ndarray, jobs: int) -> Table:
    """The rows of which something is left, under new ids. Each order is stored before the next but one is made.

    table  has the rows before, and `changes` what becomes of them
    old    int64 (V,), the old id of each new one
    """
    n_ids = len(old)
    new_id = np.full(table.n_ids, -1)
    new_id[old] = np.arange(n_ids)
    new_row = new_id  # of the order that was done last; -1 for what is gone
    token_type = smallest(n_ids - 1)
    orders: list[Order] = []
    level, rows = Level(np.arange(n_ids, dtype=np.uint32), _NO_ROWS), [0]
    with thread_pool(jobs) as pool:
        for k, order in enumerate(table.orders, 1):
            change = changes[k - 1] if k <= len(changes) else _NO_CHANGE
            count = change.counts(order)
            if k > 1:
                old, level.children = _followers(table, k, count, old, new_id, pool)
                count, children = count[old], level.children
                orders.append(stored_order(level, token_type if k > 2 else None, rows[-2], len(old)))
                if not table.borders:
                    edges = np.cumsum(np.append(0, children), dtype=np.int64)
                    orders[-1].total = Counts.pack(np.diff(np.append(0, np.cumsum(count))[edges]))
                level = Level(new_id[table.tokens(k, old)].astype(token_type), _NO_ROWS)
            else:
                count = count[old]
            level.count = _narrow(count)
            rows.append(len(old))
            give_back()
            if not len(old):
                break  # as in counting: one order without rows
            if k < table.order and order.left is not None:
                level.left = _narrow(change.neighbours(order.left)[old])
            if order.link is not None:
                link = new_row[order.link[old]]
                if int(link.min()) < 0:
                    raise ModelFileError(f"order {k}: more of an n-gram than of its end", DAMAGED)
                level.link = _narrow(link)
            if k < table.order:
                new_row = np.full(len(order), -1)
                new_row[old] = np.arange(len(old))
    if len(old) or len(rows) > table.order:
        orders.append(stored_order(level, token_type if len(rows) > 2 else None, rows[-2], 0))
    return Table([*orders, *[no_rows()] * (table.order - len(orders))])


def _followers(
    table: Table, k: int, count: np.ndarray, history: np.ndarray, new_id: np.ndarray, pool: ThreadPoolExecutor
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of order k that are left, by the new rows of their histories and their new ids: int64 (m,).

    count    int64 (r,), what is left of each row of order k
    history  int64 (h,), the old row of each new one of order k - 1
    returns  the rows, and how many each history has: unsigned (h,)
    """
    token, most = table.orders[k - 1].token, int(new_id.max())
    if token is None or (len(token) and int(token.max()) >= len(new_id)):
        raise ModelFileError(f"order {k}: an id outside the vocabulary", DAMAGED)
    bits = _U(max(most.bit_length(), 2))
    low, high = table.followers_of_each(k - 1, history)
    low, size = _narrow(low), _narrow(high - low)
    del high

    def some(a: int, b: int) -> tuple[np.ndarray, np.ndarray]:
        here = size[a:b].astype(np.int64)
        row, parent = ragged(low[a:b].astype(np.int64), here), np.repeat(np.arange(b - a, dtype=_U), here)
        left = count[row] > 0
        row, parent = row[left], parent[left]
        ids = new_id[token[row]]
        if len(ids) and int(ids.min()) < 0:
            raise ModelFileError(f"order {k}: more of an n-gram than of its last token", DAMAGED)
        each = _narrow(np.bincount(parent.view(np.int64), minlength=b - a))
        parent <<= bits
        parent |= ids.view(_U)
        return row[sort_keys(parent, (b - a).bit_length() + int(bits))[1]], each

    edges = edges_of(size, _RANGE_ROWS).tolist()
    parts = [*pool.map(some, edges[:-1], edges[1:])]
    if not parts:
        return _NO_ROWS, np.zeros(len(history), np.uint8)
    return np.concatenate([rows for rows, _ in parts]), np.concatenate([each for _, each in parts])


def _narrow(values: np.ndarray) -> np.ndarray:
    """Whole numbers, 0 or more, as the smallest dtype that holds them."""
    return values.astype(smallest(int(values.max(initial=0))))
