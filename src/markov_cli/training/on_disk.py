"""Trains a model within a limit of memory: data that does not fit goes to disk.

The steps are: text (provisional numbers, vocabulary), runs (sorted blocks of windows), rows (all runs merged
range by range), table (left neighbours, links, pruning), and the model file. Each step is recorded when it is
complete, so that `--resume` can continue a killed run from there.

Legend: n is the highest order that is counted; a window and a run are as in counting/external_sort.py.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain
from typing import IO, Any

import numpy as np

from ..arrays.disk_array import Column, Lookup
from ..arrays.memory import give_back, resident_bytes, size_text
from ..arrays.run_folder import Workspace
from ..arrays.threads import ordered_map
from ..counting.external_sort import (
    Packing,
    Rows,
    Run,
    block_runs,
    cuts_of,
    merged,
    stitched,
)
from ..errors import MarkovError
from ..model import model_file
from ..model.atomic_file import atomic_write
from ..model.disk_file import vocabulary_columns, write_streamed
from ..model.disk_guard import GuardColumns, distinct_keys, make_guard
from ..model.disk_pruning import Kept, by_count, by_holders, by_ids, inside, pruned, selected, with_sums
from ..model.disk_rows import RowLayout, RowWriter
from ..model.disk_suffixes import left_neighbours
from ..model.disk_table import StreamedOrder, StreamedTable
from ..model.merging import pruned_header
from ..text.encoder import Encoder, NumberedTypes
from ..text.reading import Repairs, Source
from ..text.records import Labels
from ..text.run_hashes import stream_runs
from ..text.sequences import Collector
from ..text.types import N_MARKERS, Types
from .in_memory import Trained, train_read
from .old_model import OldModel
from .options import Progress, TrainOptions, header_of, listed
from .reading import EncodedText, read_text
from .run_files import RunFile, SequenceFacts, described_run
from .spilled_text import SpilledText, TextSpill, see_invalid_types

_MARGIN = 24 << 20  # bytes of memory that no estimate covers
_MAX_BLOCK = 1 << 22  # windows
_MIN_BLOCK = 1 << 14
_TYPE_BYTES = 320  # of a type until the vocabulary is sorted, with its slots in the hash table
_SORTED_TYPE_BYTES = 600  # of a type while a part of a vocabulary is sorted
_HELD = 1 << 20  # tokens that are written to disk together

Say = Callable[[str], None]
ClusterSteps = Callable[["Training"], tuple[dict[str, Any], dict[str, Any]]]  # does the steps `text` and `rows`


@dataclass
class TrainedFile:
    """A model that was written.

    size     bytes of the file
    trained  the model, where it was trained in memory
    file     the model, mapped from a temporary file, where it went to standard output
    """

    size: int
    repairs: Repairs
    trained: Trained | None = None
    file: model_file.ModelFile | None = None


def packing_of(order: int, n_ids: int) -> Packing:
    """Layout of windows of `order` ids below n_ids."""
    return Packing(order, max(int(n_ids - 1).bit_length(), 2))


def check_types(encoder: NumberedTypes, limit: int) -> int:
    """The number of types so far; MarkovError for more than fit in memory."""
    types = len(encoder.interner) if isinstance(encoder, Encoder) else encoder.n_numbers()
    if types * _TYPE_BYTES > limit - _MARGIN:
        raise MarkovError(
            f"--memory {size_text(limit)}: not enough for a vocabulary of {types:,} types",
            f"use --memory {size_text(2 * limit)} or more; or --tokenizer chars, which has few types",
        )
    return types


class Training:
    """One run of training, with its limit of memory and its folder of temporary files."""

    def __init__(
        self,
        sources: Sequence[Source],
        options: TrainOptions,
        target: str,
        limit: int,
        work: Workspace,
        progress: Progress,
        say: Say,
        cluster_steps: ClusterSteps | None = None,
        old: OldModel | None = None,
    ) -> None:
        self.sources, self.options, self.target, self.limit = sources, options, target, limit
        self.work, self.progress, self.say, self.cluster_steps = work, progress, say, cluster_steps
        self.old = old
        self.read: Callable[..., EncodedText] = partial(read_text, sources, options, progress)

    def run(self) -> TrainedFile:
        """Do all steps that are not done yet, and write the model."""
        found = self.work.step("text")
        table = self.work.step("table")
        rows = self.work.step("rows") if table is None else None
        runs = self.work.step("runs") if table is None and rows is None else None
        needs_stream = table is None and rows is None and runs is None
        needs_stream |= self.options.guard > 0 and self.work.step("guard") is None
        if needs_stream and self.cluster_steps is not None:
            found, rows = self.cluster_steps(self)
        elif found is None or (needs_stream and self.work.step("stream") is None):
            if self.work.found:
                self.say("--resume: the interrupted run had not read all of its text; starting from the beginning")
            found = self._read()
            if isinstance(found, EncodedText):  # the text fits into memory
                trained = train_read(found, self.options, self.progress)
                if self.old is not None:
                    self.progress("merging", 0, 1)
                    trained = self.old.with_text(trained, self.options.jobs)
                self.progress("writing", 0, 1)
                size, _ = self._write(lambda f: model_file.write(f, trained.header, trained.types, trained.table))
                return TrainedFile(size, trained.repairs, trained)
            table = rows = runs = None
        else:
            self.say(f"--resume: continuing after {self._reached(table, rows, runs)}")
        text = SpilledText(**found)
        self.packing = packing_of(text.longest, text.counts[2])
        guard = self._guard(text) if self.options.guard else None
        if table is None:
            if rows is None:
                if runs is None:
                    runs = self._sort_runs(text)
                rows = self._merge(text, runs)
            table = self._finish_table(text, rows)
        done = StreamedTable.of(self.work.folder, table)
        done.guard = guard
        size, file = self._store(text, done)
        repairs = Repairs(**text.repairs)
        if self.options.text.tokenizer == "spaces":
            words, folder = self.options.prune_vocab, self.work.folder
            blocks = text.type_blocks(folder) if words is None else [listed(text.types(folder), words)[1]]
            see_invalid_types(repairs, blocks)
        return TrainedFile(size, repairs, file=file)

    def _reached(self, table: Any, rows: Any, runs: Any) -> str:
        done = [name for name, step in (("table", table), ("rows", rows), ("sorted runs", runs)) if step is not None]
        return f"the {done[0]}" if done else "reading the text"

    # ------------------------------------------------------------ reading

    def _read(self) -> EncodedText | dict[str, Any]:
        """Read the text: into memory where it fits, else to disk, as the step `text`."""
        each = self.options.token_bytes
        held = (self.limit - (self.old.merge_bytes if self.old else 0)) // each  # tokens that fit
        room = self._free() // 2  # for the types of a part; blocks on their way bring more
        spill: TextSpill | None = None

        def after(collector: Collector, encoder: NumberedTypes, labels: Labels | None) -> None:
            nonlocal spill
            types = len(encoder.interner) if isinstance(encoder, Encoder) else encoder.n_numbers()
            if spill is None and collector.n_tokens > held - types * _TYPE_BYTES // each:
                spill = TextSpill(self.options, self.work)
            if spill is not None and sum(len(p.number) for p in collector.pieces) >= _HELD:
                spill.add(collector, labels)

        def empty(collector: Collector, encoder: NumberedTypes, labels: Labels | None) -> None:
            nonlocal spill
            spill = spill or TextSpill(self.options, self.work)
            spill.end_part(collector, encoder, labels)

        def is_full(encoder: Encoder) -> bool:
            return len(encoder.interner) * _TYPE_BYTES > room

        read = self.read(after, is_full, empty)
        if spill is None:
            return read
        self.progress("sorting the vocabulary", 0, 1)
        return spill.close(read, self.old, max(self._free() // _SORTED_TYPE_BYTES, _MIN_BLOCK))

    def _opened(self, described: list[Any]) -> Column:
        return Column.of(self.work.folder, described)

    def _lookup(self, described: list[Any]) -> np.ndarray | Lookup:
        """The values of a column, in memory where they take a small part of it."""
        column = self._opened(described)
        return column.read() if len(column) * column.dtype.itemsize < self.limit // 8 else Lookup(column)

    # ------------------------------------------------------------ counting

    def _free(self) -> int:
        """Bytes of memory left below the limit, but at least 16 MiB."""
        give_back()
        return max(self.limit - resident_bytes() - _MARGIN, 16 << 20)

    def _guard(self, text: SpilledText) -> GuardColumns | None:
        """Hashes of all runs of `--guard` tokens: the step `guard`."""
        known = self.work.step("guard")
        if known is None:
            self.progress("hashing runs", 0, 1)
            facts = SequenceFacts(self._opened(text.stream[0]), text.sequences, self.work.folder, self.options)
            hash_of = self._lookup(text.hashes)
            runs = stream_runs(facts.token_blocks(), hash_of, self.options.guard)
            known = self.known_guard(distinct_keys(runs, text.n_tokens, self.work.folder, self._free() // 32))
        return GuardColumns.of(self.work.folder, known) if known else None

    def known_guard(self, keys: Column) -> list[Any]:
        """Make the guard of distinct keys, and of those of the old model: the step `guard`."""
        options, folder, bits = self.options, self.work.folder, 0
        if self.old is not None and self.old.table.guard is not None:
            bits, n = self.old.table.guard.bits, len(keys) + self.old.table.guard.n
            both, new = chain(keys.blocks(), self.old.guard_keys()), keys
            keys = distinct_keys(both, n, folder, self._free() // 32, "guard_all")
            new.drop()
        guard = make_guard(keys, options.guard, options.guard_rate, folder, options.guard_bits, bits)
        described = guard.described() if guard else []
        self.work.done("guard", described, {c.name: c.whole() for c in guard.columns()} if guard else {})
        return described

    def _sort_runs(self, text: SpilledText) -> list[Any]:
        """Write every block of windows as a sorted run to disk: the step `runs`."""
        n, packing, jobs = text.longest, self.packing, self.options.jobs
        stream = self._opened(text.stream[0])
        wants = self.options.weights or self.options.protection.measures
        id_of = self._lookup(text.stream[1])
        windows = len(stream) - 1 if n > 1 else 0  # none begins with the last EOS
        size = self.work.step("block")
        if size is None:
            each = 90 if packing.one_key else 110 + 12 * n
            each += bool(wants) and 60 + 10 * n * (1 + 2 * len(self.options.protection.measures))
            size = int(np.clip(self._free() // (jobs * each), _MIN_BLOCK, _MAX_BLOCK))
            self.work.done("block", size)

        def one(i: int) -> list[Any]:
            name = f"run_{i}"
            known = self.work.step(name)
            if known is not None:
                return list(known)
            if i >= n_runs:
                return written(name, [self.old.run(blocks[i - n_runs], old_ids, packing)] if self.old else [])
            low = i * size
            m = min(size, windows - low)
            ids = np.zeros(m + n, np.uint32)
            part = stream.read(low, low + m + n)
            ids[: len(part)] = id_of[part]
            return written(name, block_runs(ids, m, packing, facts.of_block(ids, low, m) if facts else None))

        def written(name: str, found: list[Run]) -> list[Any]:
            return [described_run(self.work, f"{name}.{j}", run) for j, run in enumerate(found)]

        blocks = self.old.blocks(n, size) if self.old else []
        old_ids = self._opened(text.old_ids).read() if self.old else np.empty(0, np.uint32)
        runs: list[Any] = []
        facts = SequenceFacts(stream, text.sequences, self.work.folder, self.options) if wants else None
        n_runs = -(-windows // size)
        n_all = n_runs + len(blocks)
        for i, made in enumerate(ordered_map(one, range(n_all), jobs)):
            if self.work.step(f"run_{i}") is None:
                self.work.done(f"run_{i}", made, {c[0]: self._opened(c).whole() for run in made for c in run[:3]})
            runs += made
            self.progress("sorting", i + 1, n_all)
        files = {c[0]: self._opened(c).whole() for run in runs for c in run[:3]}
        self.work.done("runs", runs, files)
        self.work.drop(*(c[0] for c in (*text.stream, *text.sequences, *filter(None, [text.hashes]))))
        return runs

    def _merge(self, text: SpilledText, runs: list[Any]) -> dict[str, Any]:
        """Merge all runs, range by range: the step `rows`."""
        n, jobs = text.longest, self.options.jobs
        each = jobs * (110 + 16 * n) + (2 * jobs + 1) * 9 * n
        each += jobs * 24 * n * len(self.options.protection.measures)
        most = int(np.clip(self._free() // each, _MIN_BLOCK, _MAX_BLOCK))
        files = [RunFile.of(self.packing, self.work.folder, run) for run in runs]
        blocks = [f for f in files if f.holder is None]
        cuts = cuts_of([f.samples() for f in blocks], [f.n for f in blocks], self.packing, most)
        for f in files:
            f.cut(cuts)

        def one(i: int) -> Rows | None:
            return merged([f.part(i) for f in files], self.packing)

        found = ordered_map(one, range(len(cuts) + 1), jobs)
        described = self.known_rows(text, found, len(cuts) + 1)
        self.work.drop(*(c[0] for run in runs for c in run[:3]))
        return described

    def known_rows(self, text: SpilledText, ranges: Iterator[Rows | None], n: int) -> dict[str, Any]:
        """Write the rows of all n ranges, in order: the step `rows`."""

        def some() -> Iterator[Rows]:
            for i, rows in enumerate(ranges):
                self.progress("merging", i + 1, n)
                if rows is not None:
                    yield rows

        writer = self.row_writer(text)
        for levels in stitched(some()):
            writer.add(levels)
        return self.rows_done(writer.close())

    def row_writer(self, text: SpilledText) -> RowWriter:
        """Writer of the table's rows."""
        counts = self._opened(text.counts)
        layout = RowLayout(text.longest, len(counts), self.options.protection)
        return RowWriter(layout, counts, self.work.folder, self.options.borders)

    def rows_done(self, table: StreamedTable) -> dict[str, Any]:
        """Record the step `rows`."""
        described = table.described()
        self.work.done("rows", described, table.files())
        return described

    def _finish_table(self, text: SpilledText, rows: dict[str, Any]) -> dict[str, Any]:
        """Add left neighbours and links, and prune: the step `table`."""
        table = StreamedTable.of(self.work.folder, rows)
        jobs = self.options.jobs
        bucket = int(np.clip(self._free() // (80 * jobs + 24 * (2 * jobs + 1)), _MIN_BLOCK, _MAX_BLOCK))
        self.progress("joining", 0, 1)
        folder, options = self.work.folder, self.options
        if table.orders[0].left is None:

            def tick(share: float) -> None:
                self.progress("joining", share, 1)

            left_neighbours(table, folder, bucket, jobs, tick, options.borders)
        if options.order < len(table.orders):  # of one order, see `longest_counted`
            table.orders = [StreamedOrder(table.orders[0].count)]
        n = len(table.orders)
        if options.protection.caps:
            with_sums(table, "count", "total", folder)
        if not options.borders:
            table = selected(table, inside(table), folder, "inside")
            with_sums(table, "count", "total", folder)
        kept = [by_count(table, options.prune)] if any(options.prune) else []
        if options.protection.drops:
            kept.append(by_holders(table))
        ids = None
        if options.prune_vocab is not None:
            ids, _ = listed(text.types(folder), options.prune_vocab)
            kept.append(by_ids(table, ids))
        if kept:
            table = pruned(table, [reduce(Kept.both, of_order) for of_order in zip(*kept, strict=True)], folder, ids)
        if 1 < n < self.options.order:
            table.orders.pop()  # empty; counted only for the left neighbours of the order below it
        described = table.described()
        self.work.done("table", described, table.files())
        return described

    # ------------------------------------------------------------ writing

    def _store(self, text: SpilledText, table: StreamedTable) -> tuple[int, model_file.ModelFile | None]:
        self.progress("writing", 0, 1)
        folder, n_types = self.work.folder, len(self._opened(text.counts)) - N_MARKERS
        types: Types | dict[str, Any]
        if self.options.prune_vocab is None:
            types = vocabulary_columns(text.vocabulary_columns(folder), folder)
        else:
            _, types = listed(text.types(folder), self.options.prune_vocab)
            n_types = len(types)
        header = header_of(self.options, text.n_tokens, n_types, text.n_sequences, text.text_bytes, text.cut)
        header = self.old.header_with(header) if self.old else pruned_header(header, self.options.prune, table)
        return self._write(lambda f: write_streamed(f, header, types, table))

    def _write(self, write: Callable[[IO[bytes]], int]) -> tuple[int, model_file.ModelFile | None]:
        """Write the model to the target. For standard output, also return the model mapped from a temporary file."""
        if self.target != "-":
            with atomic_write(self.target) as f:
                return write(f), None
        path = self.work.path("model")
        with open(path, "w+b") as f:  # a pipe cannot seek
            size = write(f)
            f.seek(0)
            shutil.copyfileobj(f, sys.stdout.buffer, 1 << 20)
            sys.stdout.buffer.flush()
        return size, model_file.load(path)
