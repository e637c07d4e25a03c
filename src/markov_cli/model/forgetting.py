"""Takes a text out of a model: what is left is the model of the other texts, byte for byte.

Legend: a model here is its header, types and table; the text is a model, too, trained with the same options; k is an
order; a row is gone where nothing is left of its count; K is the least count of a type that has an id.

Counts of texts that were cut at the ends of sequences add up, so they can be taken away as well. Ids go by falling
count and then by bytes, so the counts that are left tell them. An n-gram loses a left neighbour where the longer
n-gram is gone. Where less than nothing would be left, the text was not in the model, and the n-gram proves it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..arrays.sorting import ragged, sort_keys
from ..arrays.threads import thread_pool
from ..counting.ngrams import Level
from ..errors import ModelFileError
from ..text.interning import TypeInterner
from ..text.types import N_MARKERS, UNK, order_of_types
from ..text.vocabulary import Vocabulary
from .building import build_table, levels_of
from .count_column import DAMAGED
from .forgettable import check_alike, check_last_type, check_unknown, header_left, header_settled, not_there
from .merging import Stored
from .remap_ids import Part, edges_of, relabelled
from .table import Table

_RANGE_ROWS = 1 << 19
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
    levels, _, _ = levels_of(model.table)
    ngrams, gone = _subtract(levels, model, _in_ids_of(model, text, jobs))
    header = header_left(model, text.header)
    count = levels[0].count[N_MARKERS:]
    order = order_of_types(model.types, count)
    check_last_type(model, count, int(order[-1]))
    order = order[: np.count_nonzero(count)]
    old_ids = np.concatenate((np.arange(N_MARKERS), order + N_MARKERS))
    table = build_table(_renumbered(levels, model.table, old_ids, jobs), header.order, jobs=jobs)
    types = model.types.take(order)
    return Remainder(Stored(replace(header, types=len(types)), types, table, model.name), ngrams, gone)


def settled(model: Stored, jobs: int = 1) -> Stored:
    """A remainder with the types that training keeps: those that are now seen fewer than K times become UNK."""
    header, types, table, name = model
    kept = int(np.count_nonzero(table.orders[0].count.slice(N_MARKERS, table.n_ids) >= header.min_type_count))
    if kept < len(types):
        new_id = np.arange(table.n_ids)
        new_id[N_MARKERS + kept :] = UNK
        table = build_table(relabelled([Part(table, new_id)], N_MARKERS + kept, jobs), header.order, jobs=jobs)
        types = types.take(np.arange(kept))
    return Stored(header_settled(header, types, table), types, table, name)


def _in_ids_of(model: Stored, text: Stored, jobs: int) -> Table:
    """The text's table in the model's ids; types that the model lacks become UNK, if it has such types."""
    interner = TypeInterner()
    number = [
        interner.numbers(t.padded(), t.start, t.length, t.flags if t.flags.any() else None).astype(np.int64)
        for t in (model.types, text.types)
    ]
    if len(model.types) and int(model.types.length.min()) < 1:
        raise ModelFileError(f"{model.name}: a type without bytes", DAMAGED)
    id_of = np.full(len(interner), UNK)
    id_of[number[0]] = np.arange(N_MARKERS, model.table.n_ids)
    new_id = np.concatenate((np.arange(N_MARKERS), id_of[number[1]]))
    strange = np.flatnonzero(new_id[N_MARKERS:] == UNK)
    count = text.table.orders[0].count.slice(N_MARKERS, text.table.n_ids)
    check_unknown(model, text.types.take(strange), count[strange])
    return build_table(relabelled([Part(text.table, new_id)], model.table.n_ids, jobs), text.header.order, jobs=jobs)


def _subtract(levels: list[Level], model: Stored, text: Table) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Take the text's counts, and the left neighbours that go with them, from counted rows.

    text     has the model's ids
    returns  distinct n-grams of the text, and those that are gone, by order
    """
    table = model.table
    rows = np.arange(table.n_ids)
    ngrams, gone, above = [], [], rows
    for k, here in enumerate(text.orders, 1):
        asked = here.count.slice(0, len(here))
        if k > 1:
            if not len(here):
                break
            low, high = text.followers(k - 1, np.arange(len(above)))
            history = np.repeat(np.arange(len(above)), high - low)
            token = text.tokens(k, np.arange(len(here)))
            rows = table.child(k - 1, above[history], token)
        stored = np.zeros(len(rows), np.int64)
        known = rows >= 0
        stored[known] = levels[min(k, len(levels)) - 1].count[rows[known]]
        left = stored - asked
        lacking = np.flatnonzero(left < 0)
        if len(lacking):
            words = lacking[lacking >= N_MARKERS] if k == 1 else lacking
            i = int((words if len(words) else lacking)[0])
            ngram = Vocabulary.of(model.types, model.header.options.tokenizer).show(text.ngram(k, i))
            raise not_there(model.name, f'"{ngram}"', int(stored[i]), int(asked[i]))
        levels[k - 1].count[rows] = left
        lost = np.flatnonzero((left == 0) & (asked > 0))
        if k > 1:
            suffix = text.suffix(k, lost, history[lost], token[lost])
            _lose_neighbours(levels[k - 2], above[suffix])
        ngrams.append(int(np.count_nonzero(asked)))
        gone.append(len(lost))
        above = rows
    return tuple(ngrams), tuple(gone)


def _lose_neighbours(level: Level, rows: np.ndarray) -> None:
    """One left neighbour less for each of these rows, which may repeat."""
    if level.left is None:
        raise ModelFileError("n-grams without their left neighbours", DAMAGED)
    np.subtract.at(level.left, rows, 1)
    if len(rows) and int(level.left[rows].min()) < 0:
        raise ModelFileError("fewer left neighbours than n-grams", DAMAGED)


def _renumbered(levels: list[Level], table: Table, old: np.ndarray, jobs: int) -> list[Level]:
    """The rows of which something is left, under new ids.

    table  has the rows before; `levels` has what is left of their counts and left neighbours
    old    int64 (V,), the old id of each new one
    """
    n_ids = len(old)
    bits = max(int(n_ids - 1).bit_length(), 2)
    new_id = np.full(table.n_ids, -1)
    new_id[old] = np.arange(n_ids)
    new_row = new_id  # of the order that was done last; -1 for what is gone
    first = levels[0]
    out = [Level(np.arange(n_ids, dtype=np.uint32), first.count[old], None, _taken(first.left, old))]
    with thread_pool(jobs) as pool:
        for k in range(1, len(levels)):
            here = levels[k]
            low, high = table.followers_of_each(k, old)
            size = high - low
            edges = edges_of(size, _RANGE_ROWS)
            if len(here.token) and int(here.token.max()) >= table.n_ids:
                raise ModelFileError(f"order {k + 1}: an id outside the vocabulary", DAMAGED)

            parts = [
                *pool.map(
                    lambda a, b, low=low, size=size, here=here: _followers(here, low[a:b], size[a:b], new_id, bits),
                    edges[:-1].tolist(),
                    edges[1:].tolist(),
                )
            ]
            old = np.concatenate([p[0] for p in parts]) if parts else np.zeros(0, np.int64)
            out[-1].children = np.concatenate([p[1] for p in parts]) if parts else np.zeros(len(low), np.int64)
            level = Level(new_id[here.token[old]].astype(np.uint32), here.count[old])
            out.append(level)
            if not len(old):
                break  # as in counting: one order without rows
            level.left = _taken(here.left, old)
            if here.link is not None:
                level.link = new_row[here.link[old]]
                if int(level.link.min()) < 0:
                    raise ModelFileError(f"order {k + 1}: more of an n-gram than of its end", DAMAGED)
            new_row = np.full(len(here.token), -1)
            new_row[old] = np.arange(len(old))
    return out


def _followers(
    here: Level, low: np.ndarray, size: np.ndarray, new_id: np.ndarray, bits: int
) -> tuple[np.ndarray, np.ndarray]:
    """The rows that are left of some histories' followers, by their new ids, and how many each history has.

    low, size  int64 (h,), where the followers of each history begin, and their number, before
    """
    n = len(low)
    row, parent = ragged(low, size), np.repeat(np.arange(n), size)
    left = here.count[row] > 0
    row, parent = row[left], parent[left]
    token = new_id[here.token[row]]
    if len(token) and int(token.min()) < 0:
        raise ModelFileError("more of an n-gram than of its last token", DAMAGED)
    key = parent.astype(_U) << _U(bits) | token.astype(_U)
    order = sort_keys(key, n.bit_length() + bits)[1]
    return row[order], np.bincount(parent, minlength=n)


def _taken(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]
