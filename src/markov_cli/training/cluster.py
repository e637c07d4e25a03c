"""Trains on many machines: the steps of on_disk.py as tasks of a Dask cluster.

Each worker encodes a part of the text with a vocabulary of its own. When all types are known, each part becomes
a sorted run, and each range of windows is merged from all runs; cluster_rows.py makes columns of them. Parts, runs and
ranges stay with the workers; Dask computes again what a dead worker held.

Legend: a part is one or more texts, or a range of bytes of one; n is the highest order that is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..arrays.disk_array import Column, Writer
from ..counting.external_sort import cuts_of
from ..errors import OptionError
from ..text.byte_ranges import file_size
from ..text.reading import Source, can_be_parted
from .cluster_rows import RangeColumns
from .cluster_text import ClusterText, TextOnWorkers
from .dask_client import TaskSize, connected, import_distributed
from .exchange import exchanged
from .on_disk import ClusterSteps, Training, packing_of
from .options import TrainOptions
from .parts import (
    described,
    divided,
    hashes_of,
    head,
    keys_of,
    merge_keys,
    merge_runs,
    run_of_counts,
    runs_of,
)


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
        text = ClusterText(self._submit, self._size, t).read(parts_of(t.sources, self._options, self._size))
        found = text.found
        t.packing = packing_of(found.longest, found.counts[2])
        if self._options.guard:
            t.known_guard(self._guard_keys(text))
        text.texts.clear()
        ranges = self._merged(text) if found.longest > 1 else []
        columns = RangeColumns(self._submit, t.work, t.progress, t.packing.bits, self._options.borders)
        return text.step, t.rows_done(columns.table(ranges, t.row_writer(found)))

    def _guard_keys(self, whole: TextOnWorkers) -> Column:
        """Distinct hashes of all runs of `--guard` tokens."""
        k, t, texts, n_tokens = self._options.guard, self._training, whole.texts, whole.tokens
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

    def _merged(self, text: TextOnWorkers) -> list[Any]:
        """Rows of every range, in order; the ids are used up."""
        t, ids, sizes = self._training, text.ids, text.sizes
        packing = t.packing
        n = packing.order
        heads = [self._submit(head, one, n) for one in ids]
        runs = []
        last = max(i for i, size in enumerate(sizes) if size)
        for i, one in enumerate(ids[: last + 1]):
            behind = _until(heads, sizes[: last + 1], i + 1, n)
            runs.append(self._submit(runs_of, one, behind, i == 0, i == last, packing, text.near[i]))
        ids.clear()
        del heads
        if t.old is not None:
            old_ids = Column.of(t.work.folder, text.found.old_ids).read()
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
