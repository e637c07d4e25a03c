"""Sorts a vocabulary on disk that does not fit in memory.

A part of the text has a vocabulary of its own. The types of all parts are merged by ranges of their first bytes, so
that equal types come together. Then they get their ids by falling count, ties by their bytes, as `final_ids` gives
them; and each part learns the ids of its types.

Legend: P types of the parts, one part behind another: their provisional numbers; D distinct types, in the order of
their bytes, then flags; V ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays.disk_array import BLOCK, Column, Placed, Writer
from ..arrays.run_folder import Workspace
from ..arrays.sorting import distinct_values, starts_new
from ..arrays.threads import ordered_map
from ..text.interning import TypeInterner
from ..text.sequences import TypeChoice
from ..text.types import EOS, N_MARKERS, UNK, Types, first_bytes, order_of_types

_MANY = 1 << 16  # counts from which types are sorted by themselves: few have them
_MAX_BUCKETS = 100
_SAMPLE = 1 << 8  # types from one sample of a part to the next
_TAKE = 1 << 18  # types put into their buckets together


@dataclass
class DiskVocabulary:
    """The vocabulary of a text on disk.

    count  int64 (V,), how often each id occurs; blob, length, flags are those of its types, id N_MARKERS first
    id_of  uint32 (P + 1,): EOS, then the id of each provisional number
    cut    types beyond the commonest were left out
    """

    count: Column
    blob: Column
    length: Column
    flags: Column
    id_of: Column
    cut: bool


class _Listed:
    """Types on disk, with counts, read from the front."""

    def __init__(self, work: Workspace, name: str) -> None:
        self._writers = {
            part: Writer(work.path(f"{name}.{part}"), dtype)
            for part, dtype in (("blob", np.uint8), ("length", np.uint32), ("flags", np.uint8), ("count", np.int64),
                                ("by", np.int64), ("number", np.uint32))
        }  # fmt: skip
        self._bytes = 0  # of the blob that were read

    def add(self, types: Types, count: np.ndarray, by: np.ndarray, number: np.ndarray) -> None:
        """Put types at the end; by is what they are ordered by."""
        values = {"blob": types.blob, "length": types.length, "flags": types.flags}
        for part, a in (values | {"count": count, "by": by, "number": number}).items():
            self._writers[part].append(a)

    def close(self) -> _Listed:
        """The types, complete."""
        self.columns = {part: writer.close() for part, writer in self._writers.items()}
        return self

    def __len__(self) -> int:
        return self._writers["flags"].n

    def read(self, low: int, high: int) -> tuple[Types, np.ndarray, np.ndarray, np.ndarray]:
        """Types low..high-1, the next ones, with counts, `by` and numbers."""
        length = self.columns["length"].read(low, high).astype(np.int64)
        n = int(length.sum())
        blob = self.columns["blob"].read(self._bytes, self._bytes + n)
        self._bytes += n
        types = Types(blob, np.cumsum(length) - length, length, self.columns["flags"].read(low, high))
        count, by, number = (self.columns[part].read(low, high) for part in ("count", "by", "number"))
        return types, count, by, number

    def blocks(self, size: int) -> Iterator[tuple[Types, np.ndarray, np.ndarray, np.ndarray]]:
        """All of them."""
        for low in range(0, len(self), size):
            yield self.read(low, min(low + size, len(self)))

    def drop(self) -> None:
        """Remove the files."""
        for column in self.columns.values():
            column.drop()


class VocabularyParts:
    """The vocabularies of the parts of a text.

    n        P so far
    unknown  tokens that are no types
    """

    def __init__(self, work: Workspace) -> None:
        self._work, self.n, self.unknown = work, 0, 0
        self._parts: list[tuple[_Listed, Column]] = []  # and the first bytes of their types

    def add(self, types: Types, count: np.ndarray, by: np.ndarray) -> None:
        """Add the types of a part in the order of their numbers, int64 counts, and what they are ordered by."""
        order = order_of_types(types, np.zeros(len(types), np.int64))
        part = _Listed(self._work, f"part_{len(self._parts)}")
        some = types.take(order)
        part.add(some, count[order], by[order], order + self.n)
        first = Writer(self._work.path(f"part_{len(self._parts)}.first"), np.uint64)
        first.append(first_bytes(some))
        self._parts.append((part.close(), first.close()))
        self.n += len(types)

    def close(self, choice: TypeChoice, sequences: int, size: int, jobs: int = 1) -> DiskVocabulary:
        """Merge all parts.

        choice  which types get an id
        size    types that are held in memory at one time, about
        jobs    threads that merge
        """
        threads = jobs if size >= BLOCK else 1  # many small ranges take longer than one thread does
        every, pair_number, pair_type = self._merged(choice, size if threads == 1 else size // (threads + 1), threads)
        ids, n_ids, cut = _ids_of(every, choice.max_types, self._work)
        id_of = Placed(self._work.path("id_of"), self.n + 1, size, np.uint32)
        id_of.add(np.zeros(1, np.int64), np.full(1, EOS))
        for low in range(0, len(pair_type), BLOCK):
            which = pair_type.read(low, low + BLOCK).astype(np.int64)
            first = int(which.min())
            id_of.add(
                pair_number.read(low, low + BLOCK).astype(np.int64) + 1,
                ids.read(first, int(which.max()) + 1)[which - first],
            )
        pair_number.drop()
        pair_type.drop()
        out = _in_order(every, ids, n_ids, (self.unknown, sequences), size, self._work)
        ids.drop()
        return DiskVocabulary(*out, id_of.close(), cut)

    def _merged(self, choice: TypeChoice, size: int, jobs: int) -> tuple[_Listed, Column, Column]:
        """All distinct types; and the distinct type of each provisional number, in pairs of any order.

        size  types of a range, about
        jobs  threads, each with a range

        `by` of the distinct types is 0 where they get no id.
        """
        samples = np.sort(np.concatenate([first.read()[::_SAMPLE].copy() for _, first in self._parts]))
        cuts = distinct_values(samples[:: max(size // _SAMPLE, 1)][1:])
        edges = []
        for part, first in self._parts:
            edges.append([0, *np.searchsorted(first.read(), cuts).tolist(), len(part)])
            first.drop()

        def ranges() -> Iterator[list[tuple[Types, np.ndarray, np.ndarray, np.ndarray]]]:
            for r in range(len(cuts) + 1):
                yield [part.read(at[r], at[r + 1]) for (part, _), at in zip(self._parts, edges, strict=True)]

        def one(
            found: list[tuple[Types, np.ndarray, np.ndarray, np.ndarray]],
        ) -> tuple[Types, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
            interner = TypeInterner()
            own = np.concatenate([interner.numbers_of(types) for types, *_ in found])
            count, by = np.zeros((2, len(interner)), np.int64)
            np.add.at(count, own, np.concatenate([c for _, c, _, _ in found]))
            np.add.at(by, own, np.concatenate([b for _, _, b, _ in found]))
            number = np.concatenate([n for *_, n in found])
            found.clear()
            types = interner.types()
            order = order_of_types(types, np.zeros(len(types), np.int64))
            types, by = types.take(order), by[order]
            by[by < choice.min_count] = 0
            if choice.words is not None:
                by[choice.words.number(types) < 0] = 0
            rank = np.empty(len(order), np.uint32)
            rank[order] = np.arange(len(order))
            return types, count[order], by, number, rank[own]

        out = _Listed(self._work, "types")
        pair_number, pair_type = (Writer(self._work.path(f"pair_{n}"), np.uint32) for n in ("number", "type"))
        for types, count, by, number, rank in ordered_map(one, ranges(), jobs):
            pair_number.append(number)
            pair_type.append(rank + np.uint32(len(out)))
            out.add(types, count, by, np.arange(len(types)))
        for part, _ in self._parts:
            part.drop()
        return out.close(), pair_number.close(), pair_type.close()


def _ids_of(every: _Listed, max_types: int | None, work: Workspace) -> tuple[Column, int, bool]:
    """The id of each distinct type, uint32 (D,), UNK for those that get none; how many get one; types were cut off.

    Types of one count are in the order of their bytes already. So a type's rank is the number of those with a larger
    count, and of those before it with the same one.
    """
    by = every.columns["by"]
    n_with, large, at = np.zeros(_MANY, np.int64), [np.empty(0, np.int64)], 0
    large_by = [np.empty(0, np.int64)]
    for block in by.blocks():
        n_with += np.bincount(block[block < _MANY], minlength=_MANY)
        some = np.flatnonzero(block >= _MANY)
        large.append(some + at)
        large_by.append(block[some])
        at += len(block)
    place = np.concatenate(large)
    rank_of_large = np.empty(len(place), np.int64)
    rank_of_large[np.argsort(-np.concatenate(large_by), kind="stable")] = np.arange(len(place))
    n_with[0] = 0
    n_chosen = len(place) + int(n_with.sum())
    most = n_chosen if max_types is None else min(n_chosen, max_types)
    rank_from = len(place) + np.cumsum(n_with[::-1])[::-1] - n_with
    writer, at = Writer(work.path("type_ids"), np.uint32), 0
    for block in by.blocks():
        rank = np.full(len(block), most)
        low, high = np.searchsorted(place, [at, at + len(block)])
        rank[place[low:high] - at] = rank_of_large[low:high]
        some = np.flatnonzero((block > 0) & (block < _MANY))
        some = some[np.argsort(block[some], kind="stable")]
        value = block[some]
        begin = np.maximum.accumulate(np.where(starts_new(value), np.arange(len(value)), 0))
        rank[some] = rank_from[value] + np.arange(len(value)) - begin
        rank_from += np.bincount(value, minlength=_MANY)
        writer.append(np.where(rank < most, rank + N_MARKERS, UNK))
        at += len(block)
    return writer.close(), most, n_chosen > most


def _in_order(
    every: _Listed, ids: Column, n_types: int, others: tuple[int, int], size: int, work: Workspace
) -> tuple[Column, Column, Column, Column]:
    """Counts, bytes, lengths and flags in the order of the ids; `every` is used up.

    others  tokens that are no types, and sequences
    """
    n_buckets = min(max(4 * n_types // size, 1), _MAX_BUCKETS)
    buckets = [_Listed(work, f"bucket_{i}") for i in range(n_buckets)]
    (unknown, sequences), at = others, 0
    for types, count, by, _ in every.blocks(_TAKE):
        id_ = ids.read(at, at + len(types)).astype(np.int64)
        at += len(types)
        unknown += int(count[id_ == UNK].sum())
        where = np.where(id_ == UNK, -1, (id_ - N_MARKERS) * n_buckets // max(n_types, 1))
        for i in distinct_values(where[where >= 0]).tolist():
            which = np.flatnonzero(where == i)
            buckets[i].add(types.take(which), count[which], by[which], id_[which])
    every.drop()
    dtypes = {"counts": np.int64, "blob": np.uint8, "length": np.int64, "flags": np.uint8}
    writers = {name: Writer(work.path(f"vocab_{name}"), dtype) for name, dtype in dtypes.items()}
    writers["counts"].append(np.array([unknown, sequences, sequences], np.int64))
    for bucket in buckets:
        types, count, _, id_ = bucket.close().read(0, len(bucket))
        bucket.drop()
        order = np.argsort(id_)
        types = types.take(order)
        values = {"blob": types.blob, "length": types.length, "flags": types.flags, "counts": count[order]}
        for name, a in values.items():
            writers[name].append(a)
    counts, blob, length, flags = (writer.close() for writer in writers.values())
    return counts, blob, length, flags
