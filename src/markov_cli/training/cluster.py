"""Trains on many machines: the steps of on_disk.py as tasks of a Dask cluster.

Each worker encodes a part of the text with a vocabulary of its own. When all types are known, each part becomes
a sorted run, and each range of windows is merged from all runs; cluster_rows.py makes columns of them. Parts, runs and
ranges stay with the workers; Dask computes again what a dead worker held.

Legend: a part is one or more texts, or a range of bytes of one; n is the highest order that is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..arrays.disk_array import Column, Writer
from ..counting.document_frequency import Found, HolderCounts
from ..counting.external_sort import Packing, cuts_of
from ..errors import OptionError
from ..text.byte_ranges import file_size
from ..text.encoder import Piece
from ..text.interning import TypeInterner
from ..text.reading import Repairs, Source, can_be_parted
from ..text.sequences import Collector, final_ids
from ..text.types import Types
from .cluster_rows import RangeColumns
from .dask_client import TaskSize, connected, import_distributed
from .exchange import exchanged
from .in_memory import checked_times
from .on_disk import ClusterSteps, Training, packing_of
from .options import TrainOptions
from .parts import (
    Near,
    described,
    divided,
    hashes_of,
    head,
    ids_of,
    keys_of,
    merge_keys,
    merge_runs,
    read_part,
    run_of_counts,
    runs_of,
    without_numbers,
)
from .reading import check_read
from .spilled_text import SpilledText, done, known_text


def cluster_steps(address: str, memory: int) -> ClusterSteps:
    """Function that does the steps `text` and `rows` of a training on a Dask cluster; see `connected`."""
    import_distributed()

    def steps(training: Training) -> tuple[dict[str, Any], dict[str, Any]]:
        with connected(address, memory, training.options.jobs) as client:
            return _ClusterTraining(client, training).steps()

    return steps


# ------------------------------------------------------------ the client


def parts_of(sources: Sequence[Source], options: TrainOptions, task_size: TaskSize) -> list[list[Source]]:
    """Divide all texts into parts: large texts are cut, small ones are grouped."""
    size = task_size.part_bytes(sum(source.size_bytes for source in sources))
    parts: list[list[Source]] = []
    held: list[Source] = []
    held_bytes = 0
    for source in sources:
        n = source.size_bytes
        if n > 2 * size and can_be_parted(source, options.encoding, options.text.tokenizer):
            if held:
                parts.append(held)
                held, held_bytes = [], 0
            n = file_size(source.path)
            edges = [*range(0, n - size // 2, size), n]
            parts += [[replace(source, part=(a, b))] for a, b in pairwise(edges)]
            continue
        held.append(source)
        held_bytes += n
        if held_bytes >= size:
            parts.append(held)
            held, held_bytes = [], 0
    return [*parts, held] if held else parts


def refuse_stdin(sources: Sequence[Source]) -> None:
    """OptionError for standard input, which workers cannot read."""
    for source in sources:
        if source.is_stdin or source.data is not None:
            raise OptionError("--dask cannot read standard input", "name files that every worker can read")


class _ClusterTraining:
    """Does the steps `text` and `rows` of one training on a cluster."""

    def __init__(self, client: Any, training: Training) -> None:
        self._client, self._training = client, training
        self._options = training.options
        self._size = TaskSize(client, training.options)

    def _submit(self, call: Callable[..., Any], *args: Any) -> Any:
        return self._client.submit(call, *args, pure=False)

    def steps(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The steps `text` and `rows`; OptionError for standard input, which workers cannot read."""
        t = self._training
        refuse_stdin(t.sources)
        groups = parts_of(t.sources, self._options, self._size)
        plain = replace(self._options, jobs=1, vocab=None, prune_vocab=None)  # types are chosen here
        texts = [self._submit(read_part, group, plain) for group in groups]
        near, known, id_of, kept, sizes = self._vocabulary(texts)
        found = SpilledText(**known)
        n = found.longest
        packing = packing_of(n, found.counts[2])
        t.packing = packing
        ids = [self._submit(ids_of, *three) for three in zip(texts, id_of, kept, strict=True)]
        if self._options.guard:
            n_tokens = [sum(map(len, ends)) for ends in kept]
            t.known_guard(self._guard_keys(texts, [a - b for a, b in zip(sizes, n_tokens, strict=True)]))
        del texts, id_of, kept
        ranges = self._merged(ids, sizes, near, packing, found.old_ids) if n > 1 else []
        columns = RangeColumns(self._submit, t.work, t.progress, packing.bits, self._options.borders)
        return known, t.rows_done(columns.table(ranges, t.row_writer(found)))

    def _vocabulary(
        self, texts: list[Any]
    ) -> tuple[list[Near | None], dict[str, Any], list[Any], list[Any], list[int]]:
        """Number all types in their final order.

        returns  the sequences near each part, the step `text`, the id of each part's types, each part's breaks per
                 block, and its tokens and breaks
        """
        t = self._training
        interner, every = TypeInterner(), np.zeros(0, np.int64)
        collector, repairs, text_bytes = Collector(self._options.text.unit), Repairs(), 0
        numbers, kept, sizes, closed = [], [], [], [0]
        tally, is_open, times = HolderCounts(0), False, list[int]()
        protection = self._options.protection
        for i, future in enumerate(texts):
            part = self._submit(without_numbers, future).result()
            t.progress("reading", i + 1, len(texts))
            own = interner.numbers_of(part.types)
            if len(interner) > len(every):
                every = np.concatenate((every, np.zeros(len(interner) - len(every), np.int64)))
            every[own] += part.count
            ends, total = [], 0
            for n, end, last, closing in part.ends:
                piece = Piece(np.broadcast_to(np.uint32(0), n), end, last, closing=closing)
                collector.add(piece)
                ends.append(piece.end)
                total += n + len(piece.end)
            collector.take()
            repairs.add(part.repairs)
            text_bytes += part.text_bytes
            numbers.append(own)
            kept.append(ends)
            sizes.append(total)
            closed.append(collector.n_sequences)
            times += part.times
            if part.held is not None and total:
                tally.grow(len(interner))
                last = int(part.held.last.max(initial=0))
                leaves_open = collector.is_open
                by_number = Found(own.astype(np.int64)[part.held.row], part.held.n, part.held.first, part.held.last)
                tally.add(by_number, is_open, last if leaves_open else -1)
            is_open = collector.is_open
        check_read(t.sources, collector.n_tokens, repairs, text_bytes)
        repairs.empty_sequences = collector.empty_sequences
        types, n_sequences = interner.types(), collector.n_sequences
        protection.check_text(n_sequences, len({end for end in collector.file_ends if end}))
        weights = None
        if self._options.weights:
            weights, n_sequences = np.array(times, np.int64), int(checked_times(times, collector).sum())
        if protection.caps:
            tally.grow(len(interner))
        judged = tally.n[: len(every)] if protection.caps else None
        choice, old_ids = self._options.choice, None
        if t.old is None:
            ids = final_ids(every, NumberedList(types).types, n_sequences, choice, judged)
        else:
            ids, old_ids = t.old.with_types(every, NumberedList(types), n_sequences, choice)
        found = known_text(t.work, self._options, collector, ids, text_bytes, repairs, t.old, old_ids)
        known = done(t.work, found)
        near = self._near(closed, np.array(collector.file_ends, np.int64), weights)
        return near, known, [ids.id_of[own] for own in numbers], kept, sizes

    def _near(self, closed: list[int], file_ends: np.ndarray, times: np.ndarray | None) -> list[Near | None]:
        """The sequences and texts near each part.

        closed  sequences that have ended before each part, and behind the last
        """
        measures = self._options.protection.measures
        if not measures and times is None:
            return [None] * (len(closed) - 1)
        out: list[Near | None] = []
        for i, (before, behind) in enumerate(pairwise(closed)):
            low, high = np.searchsorted(file_ends, [max(before - 1, 0), behind + 1], "right").tolist()
            some = slice(low, high + 1)
            counted = None if times is None else times[some]
            out.append(Near(before if i else -1, file_ends[some], counted, measures, low))
        return out

    def _guard_keys(self, texts: list[Any], n_tokens: list[int]) -> Column:
        """Distinct hashes of all runs of `--guard` tokens."""
        k, t = self._options.guard, self._training
        n_ranges = max(sum(n_tokens) // self._size.range_windows(sum(n_tokens)), 1)
        edges = np.array([i * (1 << 64) // n_ranges for i in range(1, n_ranges)], np.uint64)
        heads = [self._submit(hashes_of, text, k - 1) for text in texts]
        parts = []
        for i, text in enumerate(texts):
            behind = _until(heads, n_tokens, i + 1, k - 1)
            parts.append(self._submit(keys_of, text, behind, k, edges))
        del heads
        merged = [self._submit(merge_keys, some) for some in exchanged(self._submit, parts, n_ranges)]
        del parts
        writer = Writer(t.work.path("guard_keys"), np.uint64)
        for r in range(n_ranges):
            writer.append(merged.pop(0).result())
            t.progress("hashing runs", r + 1, n_ranges)
        return writer.close()

    def _merged(
        self, ids: list[Any], sizes: list[int], near: list[Near | None], packing: Packing, described_ids: list[Any]
    ) -> list[Any]:
        """Rows of every range, in order."""
        n, t = packing.order, self._training
        heads = [self._submit(head, one, n) for one in ids]
        runs = []
        last = max(i for i, size in enumerate(sizes) if size)
        for i, one in enumerate(ids[: last + 1]):
            behind = _until(heads, sizes[: last + 1], i + 1, n)
            runs.append(self._submit(runs_of, one, behind, i == 0, i == last, packing, near[i]))
        del ids, heads
        if t.old is not None:
            old_ids = Column.of(t.work.folder, described_ids).read()
            for block in t.old.blocks(n, self._size.range_windows(0)):
                runs.append(self._submit(run_of_counts, *t.old.windows(block, old_ids, n), packing))
        known = []
        for i, run in enumerate(runs):
            known.append(self._submit(described, run).result())
            t.progress("sorting", i + 1, len(runs))
        n_windows = [m for _, m in known]
        cuts = cuts_of([s for s, _ in known], n_windows, packing, self._size.range_windows(sum(n_windows)))
        parts = [self._submit(divided, run, cuts, packing) for run in runs]
        del runs
        return [self._submit(merge_runs, some, packing) for some in exchanged(self._submit, parts, len(cuts) + 1)]


def _until(heads: list[Any], sizes: list[int], first: int, n: int) -> list[Any]:
    """Heads from one on, until they have n together."""
    out: list[Any] = []
    have = 0
    for head_, size in zip(heads[first:], sizes[first:], strict=False):
        if have >= n:
            break
        out.append(head_)
        have += size
    return out


@dataclass
class NumberedList:
    """Types that are numbered in their order."""

    every: Types

    def n_numbers(self) -> int:
        """The number of types."""
        return len(self.every)

    def types(self, number: np.ndarray) -> Types:
        """Some of them, int64 (n,), rising."""
        return self.every if len(number) == len(self.every) else self.every.take(number)
