"""Document frequency: the number of sequences, and of files, that each n-gram of a table occurs in.

Legend: k is an order; a row of order k is a distinct k-gram; L is the length of the stream.

The stream is read once, in parts. At each place the row of the k-gram that ends there is the child of the row
of the (k-1)-gram that ends one place before: one look-up a place and order. What is held is one part, and for
each row 5 bytes (10 with files), and 8 more for the look-ups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import starts_new
from ..arrays.threads import ordered_map
from ..counting.document_frequency import Found, HolderCounts, found_of, pairs
from ..counting.ngrams import Level
from ..text.marker_stream import behind
from ..text.types import BOS, EOS
from .count_column import Uncounted
from .table import Order, Table

_PART = 1 << 19  # ids


@dataclass
class DocumentFrequency:
    """The number of distinct sequences and files of each row, order by order.

    sequences  [k - 1]: uint32 (r,)
    files      the same; None where it was not asked for
    """

    sequences: list[np.ndarray]
    files: list[np.ndarray] | None = None


@dataclass
class _Part:
    """Some ids, BOS before and EOS behind each sequence.

    ids      int64 (m,), the first `context` of them those before the part
    label    int64 (m,), the number of its sequence; 0 is the one that the part before left open
    file     int64 (labels,), the number of the file of each sequence
    """

    ids: np.ndarray
    context: int
    label: np.ndarray
    file: np.ndarray | None
    continues: bool
    closed: bool


def spread(
    table: Table,
    blocks: Iterable[np.ndarray],
    file_ends: Sequence[int] | None = None,
    jobs: int = 1,
    tick: Callable[[int], None] = lambda ids: None,
) -> DocumentFrequency:
    """Count the sequences, and files, of every row of a table.

    blocks     uint32 or int64 arrays of ids, cut anywhere: each sequence closed by EOS; with or without a BOS
               before each, and an EOS before the first. N-grams that the table lacks are passed over
    file_ends  how many sequences stand before the end of each file; may grow while the blocks are read
    tick       is told how many ids are done

    >>> import markov_cli
    >>> table = markov_cli.train(texts=["a a b. a b."], order=2).table  # <unk> <s> </s> a . b
    >>> [n.tolist() for n in spread(table, [np.array([3, 3, 5, 4, 2, 3, 5, 4, 2])]).sequences]
    [[0, 2, 2, 2, 2, 2], [2, 1, 2, 2, 2]]
    """
    for level in range(1, table.order):
        table.index(level)
    sequences = [HolderCounts(len(order)) for order in table.orders]
    files = None if file_ends is None else [HolderCounts(len(order)) for order in table.orders]
    file = -1  # the one that the last part ended in
    done = 0

    def look_up(part: _Part) -> tuple[_Part, list[tuple[Found, Found | None]]]:
        return part, [*_found(table, part)]

    for part, found in ordered_map(look_up, _parts(blocks, table.order, file_ends), jobs):
        open_label = -1 if part.closed else int(part.label[-1])
        for k, (by_sequence, by_file) in enumerate(found):
            sequences[k].add(by_sequence, part.continues, open_label)
            if files is not None and by_file is not None and part.file is not None:
                first = int(part.file[int(part.label[part.context])])
                at = Found(by_file.row, by_file.n, by_file.first - first, by_file.last - first)
                files[k].add(at, first == file, int(part.file[-1]) - first)
        if part.file is not None:
            file = int(part.file[-1])
        done += len(part.ids) - part.context
        tick(done)
    return DocumentFrequency([t.n for t in sequences], None if files is None else [t.n for t in files])


def _parts(blocks: Iterable[np.ndarray], order: int, file_ends: Sequence[int] | None) -> Iterator[_Part]:
    """The stream in parts, every sequence opened by one BOS."""
    context = np.empty(0, np.int64)
    before = EOS  # the id before the part
    n_sequences = 0  # that were opened
    for ids in _even(blocks):
        ids = ids[ids != BOS]
        previous = np.concatenate((np.array([before]), ids[:-1]))
        outside = previous == EOS
        stray = outside & (ids == EOS)  # closes nothing
        if stray.any():
            ids, outside = ids[~stray], outside[~stray]
        if not len(ids):
            continue
        here = np.repeat(ids, 1 + outside)
        opening = np.flatnonzero(outside)
        here[opening + np.arange(len(opening))] = BOS
        whole = np.concatenate((context, here))
        n_new = len(opening)
        label = np.zeros(len(whole), np.int64)
        label[len(context) :] = np.cumsum(here == BOS)
        file = None
        if file_ends is not None:  # label 0 is the sequence before those that open here
            numbers = np.arange(n_sequences - 1, n_sequences + n_new)
            file = np.searchsorted(np.asarray(file_ends, np.int64), numbers, "right")
        yield _Part(whole, len(context), label, file, before != EOS, int(here[-1]) == EOS)
        before = int(here[-1])
        n_sequences += n_new
        context = whole[max(len(whole) - order + 1, 0) :] if order > 1 else whole[:0]


def _even(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Ids regrouped into arrays of about `_PART`: int64."""
    held: list[np.ndarray] = []
    n = 0
    for block in blocks:
        for begin in range(0, len(block), _PART):
            piece = block[begin : begin + _PART]
            held.append(piece)
            n += len(piece)
            if n >= _PART:
                yield np.concatenate(held).astype(np.int64)
                held, n = [], 0
    if n:
        yield np.concatenate(held).astype(np.int64)


def _found(table: Table, part: _Part) -> Iterator[tuple[Found, Found | None]]:
    """The distinct rows of a part with their sequences, and with their files, order by order."""
    ids = part.ids
    place = behind(ids)
    row = ids
    for level in range(table.order):
        if level:
            longer = np.full(len(ids), -1, np.int64)
            some = np.flatnonzero((place >= level) & (np.append(-1, row[:-1]) >= 0))
            longer[some] = table.child(level, row[some - 1], ids[some])
            row = longer
        here = np.flatnonzero(row[part.context :] >= 0) + part.context
        which, label = pairs(row[here], part.label[here])
        by_file = None
        if part.file is not None:
            file = part.file[label]
            new = starts_new(which, file)
            by_file = found_of(which[new], file[new])
        yield found_of(which, label), by_file


def look_up_table(levels: list[Level]) -> Table:
    """Counted rows as a table that n-grams can be looked up in; it has no counts and shares the rows."""
    orders = []
    for k, level in enumerate(levels):
        first = None
        if level.children is not None:
            first = np.zeros(len(level.token) + 1, np.int64)
            np.cumsum(level.children, out=first[1:], dtype=np.int64)
        orders.append(Order(Uncounted(len(level.token)), token=level.token if k else None, first=first))
    return Table(orders)
