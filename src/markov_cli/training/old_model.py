"""A model that a text is added to on disk (`--update`): its n-grams are runs like those of the text.

Legend: a window is as in counting/external_sort.py. A table holds the windows of its text: the n-grams of the highest
order, and the shorter ones that end in EOS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from ..counting.external_sort import Packing, Run, counted_run
from ..errors import MarkovError
from ..model.header import Header
from ..model.merging import Stored, merge
from ..text.encoder import NumberedTypes
from ..text.interning import TypeInterner
from ..text.sequences import FinalIds, TypeChoice, final_ids
from ..text.types import EOS, N_MARKERS, UNK, Types
from .in_memory import Trained

_NGRAM_BYTES = 70  # of memory for each n-gram while models are merged
_U = np.uint64


class Parts(Protocol):
    """Vocabularies of the parts of a text; see vocabulary_parts.py."""

    unknown: int

    def add(self, types: Types, count: np.ndarray, by: np.ndarray) -> None:
        """Add the types of a part."""
        ...


class OldModel:
    """The model, which must be unpruned."""

    def __init__(self, stored: Stored) -> None:
        self.stored, self.header, self.table = stored, stored.header, stored.table
        self.merge_bytes = _NGRAM_BYTES * sum(map(len, self.table.orders))

    def check_counts(self) -> None:
        """MarkovError where its counts are not whole: they are merged in memory alone."""
        if not self.table.orders[0].count.whole:
            raise MarkovError(
                f"{self.stored.name}: weighted counts, to which text is added in memory, and the text does not fit",
                "use a larger --memory",
            )

    def fingerprint(self) -> list[Any]:
        """Facts that tell it from other models."""
        return [self.header.as_dict(), [[len(o), int(o.count.total)] for o in self.table.orders]]

    def with_types(
        self, every: np.ndarray, of: NumberedTypes, sequences: int, choice: TypeChoice
    ) -> tuple[FinalIds, np.ndarray]:
        """Final ids of the types of a text, as `final_ids`, and of the model together; and those of the model's ids."""
        self.check_counts()
        interner, seen = TypeInterner(), np.flatnonzero(every)
        own = interner.numbers_of(of.types(seen))
        theirs = interner.numbers_of(self.stored.types)
        counts = self.table.orders[0].count.slice(0, self.table.n_ids)
        total = np.zeros(len(interner), np.int64)
        total[own] += every[seen]
        total[theirs] += counts[N_MARKERS:]
        types = interner.types()
        found = final_ids(
            total, lambda some: types if len(some) == len(types) else types.take(some),
            sequences + self.header.sequences, choice,
        )  # fmt: skip
        found.count[UNK] += counts[UNK]
        new_ids = np.concatenate((np.arange(N_MARKERS), found.id_of[theirs])).astype(np.uint32)
        id_of = np.full(len(every), UNK, np.uint32)
        id_of[seen] = found.id_of[own]
        found.id_of = id_of
        return found, new_ids

    def add_types(self, parts: Parts, size: int) -> int:
        """Add the model's types to those of a text, in parts of `size`; the number of its sequences.

        The vocabulary of a text of many types is restricted by nothing but a word list that the model had, too.
        """
        self.check_counts()
        types, counts = self.stored.types, self.table.orders[0].count
        for low in range(0, len(types), size):
            which = np.arange(low, min(low + size, len(types)))
            count = counts.at(which + N_MARKERS)
            parts.add(types.take(which), count, count)
        parts.unknown += int(counts.at(np.array([UNK]))[0])
        return self.header.sequences

    def blocks(self, order: int, size: int) -> list[tuple[int, int, int]]:
        """Ranges of rows that hold its windows: (order, first row, row behind the last)."""
        most = min(order, self.table.height)
        return [
            (k, low, min(low + size, len(self.table.orders[k - 1])))
            for k in range(2, most + 1)
            for low in range(0, len(self.table.orders[k - 1]), size)
        ]

    def run(self, block: tuple[int, int, int], new_ids: np.ndarray, packing: Packing) -> Run:
        """The windows of a range of rows, sorted."""
        columns, count = self.windows(block, new_ids, packing.order)
        return counted_run(columns, count, packing)

    def windows(
        self, block: tuple[int, int, int], new_ids: np.ndarray, order: int
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """The windows of a range of rows by columns, uint32 (m,) each, and their counts."""
        k, low, high = block
        row = np.arange(low, high)
        if k < self.header.order:
            row = row[self.table.tokens(k, row) == EOS]
        ids = new_ids[self.table.ngrams(k, row)]
        columns = [np.ascontiguousarray(ids[:, j]) for j in range(k)]
        columns += [np.full(len(row), EOS, np.uint32)] * (order - k)
        return columns, self.table.orders[k - 1].count.at(row)

    def with_text(self, new: Trained, jobs: int) -> Trained:
        """The model of both texts, in memory."""
        made = merge([self.stored, Stored(new.header, new.types, new.table, "the new text")], jobs=jobs)
        return Trained(made.header, made.types, made.table, new.repairs)

    def guard_keys(self) -> Iterator[np.ndarray]:
        """The hashes of its guard, as far as it keeps them."""
        guard = self.table.guard
        if guard is not None:
            for values in guard.blocks():
                yield values << _U(64 - guard.bits)

    def header_with(self, made: Header) -> Header:
        """The header of the model of both texts, from one made with their figures."""
        return replace(
            self.header, types=made.types, blend=None, tokens=made.tokens, sequences=made.sequences,
            corpus_bytes=made.corpus_bytes,
        )  # fmt: skip
