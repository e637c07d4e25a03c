"""The step `text` on a Dask cluster: workers read parts of the text, and number its types together.

A part needs to know of those before it only how many tokens stand in the sequence that they leave open. The client adds
up figures of parts, and puts all types in their final order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..text.reading import Repairs, Source
from ..text.sequences import Collector, final_ids
from ..text.types import Types
from .dask_client import TaskSize
from .exchange import Submit, exchanged
from .in_memory import checked_times
from .on_disk import Training
from .parts import Near, PartFigures, closed_sequences, figures_of, ids_of, read_part, sequences_of
from .reading import check_read
from .shards import Open, ids_by_part, ids_of_types, merged_shard, shards_of_part, vocabulary_of
from .spilled_text import SpilledText, done, known_text


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


@dataclass
class TextOnWorkers:
    """A text that workers hold, in parts.

    step   the step `text`
    texts  futures of `PartText`
    ids    futures of the final ids of each part, with EOS behind each sequence
    near   the sequences near each part
    tokens, sizes  number of tokens of each part; of tokens and sequence ends
    """

    step: dict[str, Any]
    texts: list[Any]
    ids: list[Any]
    near: list[Near | None]
    tokens: list[int]
    sizes: list[int]

    @property
    def found(self) -> SpilledText:
        """The step, as on one machine."""
        return SpilledText(**self.step)


class ClusterText:
    """Reads the text of one training on a cluster."""

    def __init__(self, submit: Submit, size: TaskSize, training: Training) -> None:
        self._submit, self._size, self._training = submit, size, training
        self._options = training.options

    def read(self, parts: Sequence[list[Source]]) -> TextOnWorkers:
        """The text, in its final ids."""
        t, submit = self._training, self._submit
        plain = replace(self._options, jobs=1, vocab=None, prune_vocab=None)  # types are chosen here
        texts = [submit(read_part, part, plain) for part in parts]
        n_shards = self._size.shards(len(texts))
        shards = exchanged(submit, [submit(shards_of_part, text, n_shards) for text in texts], n_shards)
        figures = [submit(figures_of, text) for text in texts]
        repairs, times, text_bytes = Repairs(), list[int](), 0
        for i, future in enumerate(figures):
            figures[i] = one = future.result()
            t.progress("reading", i + 1, len(texts))
            repairs.add(one.repairs)
            times += one.times
            text_bytes += one.text_bytes
        closed, collector, before = self._closed(texts, figures)
        check_read(t.sources, collector.n_tokens, repairs, text_bytes)
        repairs.empty_sequences = collector.empty_sequences
        n_sequences, protection = collector.n_sequences, self._options.protection
        protection.check_text(n_sequences, len({end for end in collector.file_ends if end}))
        weights = None
        if self._options.weights:
            weights, n_sequences = np.array(times, np.int64), int(checked_times(times, collector).sum())
        opens = _opens(figures, before) if protection.caps else []
        numbered = [submit(merged_shard, some, opens) for some in shards]
        types, count, held, at = self._types(numbered)
        choice, old_ids = self._options.choice, None
        if t.old is None:
            ids = final_ids(count, NumberedList(types).types, n_sequences, choice, held)
        else:
            ids, old_ids = t.old.with_types(count, NumberedList(types), n_sequences, choice)
        found = known_text(t.work, self._options, collector, ids, text_bytes, repairs, t.old, old_ids)
        by_part = [submit(ids_by_part, one, ids.id_of[a:b]) for one, (a, b) in zip(numbered, pairwise(at), strict=True)]
        ids_of_text = [
            submit(ids_of, text, submit(ids_of_types, text, some, n_shards), ends)
            for text, some, ends in zip(texts, exchanged(submit, by_part, len(texts)), closed, strict=True)
        ]
        near = self._near([n for n, _ in before], np.array(collector.file_ends, np.int64), weights)
        tokens = [one.tokens for one in figures]
        sizes = [n + b - a for n, ((a, _), (b, _)) in zip(tokens, pairwise(before), strict=True)]
        return TextOnWorkers(done(t.work, found), texts, ids_of_text, near, tokens, sizes)

    def _closed(
        self, texts: list[Any], figures: list[PartFigures]
    ) -> tuple[list[Any], Collector, list[tuple[int, int]]]:
        """Futures of the ends of sequences in each part, figures of all sequences, and, before each part and behind the
        last, the number of sequences that have ended and of tokens in the one that is open."""
        collector = Collector(self._options.text.unit)
        found, n_open = [], 0
        for text, one in zip(texts, figures, strict=True):
            found.append(self._submit(closed_sequences, text, collector.unit, n_open))
            n_open = n_open + one.tokens if one.behind is None else one.behind
        before = [(0, 0)]
        for future in [self._submit(sequences_of, one) for one in found]:
            collector.join(future.result())
            before.append((collector.n_sequences, collector.n_open))
        return found, collector, before

    def _types(self, shards: list[Any]) -> tuple[Types, np.ndarray, np.ndarray | None, list[int]]:
        """All types, their counts and the sequences that have each, and where the types of each shard begin and end."""
        blobs, lengths, flags, counts, held = zip(
            *(future.result() for future in [self._submit(vocabulary_of, one) for one in shards]), strict=True
        )
        length = np.concatenate(lengths)
        types = Types(np.concatenate(blobs), np.cumsum(length) - length, length, np.concatenate(flags))
        at = [0, *np.cumsum([len(count) for count in counts]).tolist()]
        return types, np.concatenate(counts), None if held[0] is None else np.concatenate(held), at

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


def _opens(figures: list[PartFigures], before: list[tuple[int, int]]) -> list[Open | None]:
    """The sequences that stand open before each part and behind it; None for a part that changes nothing."""
    return [
        Open(was_open > 0, one.last_label if is_open else -1) if one.tokens or b > a else None
        for one, ((a, was_open), (b, is_open)) in zip(figures, pairwise(before), strict=True)
    ]
