"""Writes the tokens of a text to disk, and what is known of its types and sequences: the step `text`.

Legend: a provisional number is that of a type in the order of the text; V is the number of ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..arrays.disk_array import Column, Writer
from ..arrays.run_folder import Workspace
from ..counting.document_frequency import SequencesWith
from ..text.encoder import Encoder, NumberedTypes
from ..text.interning import TypeInterner
from ..text.number_hashes import number_hashes
from ..text.reading import Repairs
from ..text.records import Labels
from ..text.run_hashes import token_hashes
from ..text.sequences import Collector, FinalIds, final_ids
from ..text.token_spool import END, TokenSpool
from ..text.types import EOS, N_MARKERS, Types, invalid_types
from .in_memory import checked_times
from .old_model import OldModel
from .options import TrainOptions
from .reading import EncodedText, longest_counted
from .vocabulary_parts import DiskVocabulary, VocabularyParts


@dataclass
class SpilledText:
    """Figures of a text whose tokens are on disk, and the columns that hold them: the step `text`."""

    n_tokens: int
    n_sequences: int
    longest: int
    text_bytes: int
    stream: list[list[Any]]  # provisional numbers; the id of each
    counts: list[Any]
    vocabulary: list[list[Any]]  # blob, length, flags
    repairs: dict[str, Any]
    cut: bool = False  # types beyond the commonest were left out
    sequences: list[list[Any]] = field(default_factory=list)  # for `SequenceFacts`: places and ENDs, text ends, times
    hashes: list[Any] = field(default_factory=list)  # of the provisional numbers, for `--guard`
    old_ids: list[Any] = field(default_factory=list)  # of `--update`: the ids that the old model's ids become

    def vocabulary_columns(self, folder: str) -> list[Column]:
        """Bytes, lengths and flags of the types."""
        return [Column.of(folder, c) for c in self.vocabulary]

    def type_blocks(self, folder: str) -> Iterator[Types]:
        """The types, some at one time."""
        blob, length, flags = self.vocabulary_columns(folder)
        low = 0
        for sizes, touching in zip(length.blocks(), flags.blocks(), strict=True):
            end = np.cumsum(sizes)
            yield Types(blob.read(low, low + int(end[-1])), end - sizes, sizes, touching)
            low += int(end[-1])

    def types(self, folder: str) -> Types:
        """The vocabulary's types, id N_MARKERS first."""
        blob, length, flags = (c.read() for c in self.vocabulary_columns(folder))
        return Types(blob, np.cumsum(length) - length, length, flags)


def see_invalid_types(repairs: Repairs, blocks: Iterable[Types]) -> None:
    """Count the types that are not UTF-8, where the tokenizer keeps bytes as they are."""
    text = ""
    for types in blocks:
        n, some = invalid_types(types)
        repairs.invalid_types += n
        text = text or some
    repairs.invalid_text = repairs.invalid_text or text


def column(work: Workspace, name: str, values: np.ndarray) -> Column:
    """Write an array to a file of the run."""
    writer = Writer(work.path(name), values.dtype)
    writer.append(values)
    return writer.close()


class TextSpill:
    """The text that has been written so far."""

    def __init__(self, options: TrainOptions, work: Workspace) -> None:
        self._options, self._work = options, work
        self._spool = TokenSpool(work.path("stream"))
        self._holding = SequencesWith()  # for `--cap-per-sequence`
        self._texts = 0  # that have ended
        self._parts = VocabularyParts(work)
        self._hashes = Writer(work.path("hashes"), np.uint64)  # of the provisional numbers, for `--guard`

    def add(self, collector: Collector, labels: Labels | None) -> None:
        """Write the pieces that the collector holds."""
        pieces, times = collector.take(), None
        if self._options.protection.caps:
            self._holding.add(pieces)
        if self._options.weights and labels is not None:
            first, n = self._spool.closed, sum(len(p.end) for p in pieces)
            text = np.searchsorted(collector.file_ends[self._texts :], np.arange(first, first + n + 1), "right")
            times = np.array([*labels.times[self._texts :], 0], np.int64)[text]
            self._texts = len(collector.file_ends)
        self._spool.add(pieces, times)

    def end_part(self, collector: Collector, encoder: NumberedTypes, labels: Labels | None) -> None:
        """Write the vocabulary so far, and let numbers begin again in another one."""
        self.add(collector, labels)
        n = encoder.n_numbers()
        every = np.arange(n)
        types, count = encoder.types(every), self._spool.counts(n)
        if self._options.guard:
            self._hashes.append(token_hashes(types))
        self._parts.add(types, count, self._holding.counts(n) if self._options.protection.caps else count)
        self._spool.renumber(n)
        if isinstance(encoder, Encoder):
            open_types = types.take(self._holding.open_numbers())
            encoder.renew(TypeInterner())
            del types
            self._holding = SequencesWith.with_open(encoder.interner.numbers_of(open_types).astype(np.int64))

    def close(self, read: EncodedText, old: OldModel | None, size: int) -> dict[str, Any]:
        """Number the types; the step `text`. `read` is used up.

        old   the model that the text is added to
        size  types that are held in memory at one time, where they do not all fit
        """
        self.add(read.collector, read.labels)
        collector, encoder, options = read.collector, read.encoders[0], self._options
        options.protection.check_text(collector.n_sequences, len({end for end in collector.file_ends if end}))
        weights = read.labels.times if options.weights and read.labels is not None else None
        n_sequences = collector.n_sequences if weights is None else int(checked_times(weights, collector).sum())
        found: FinalIds | DiskVocabulary
        old_ids = None
        if self._parts.n:
            self.end_part(collector, encoder, read.labels)
            read.encoders, begin = [], self._parts.n
            if old is not None:
                n_sequences += old.add_types(self._parts, size)
            found = self._parts.close(options.choice, n_sequences, size, options.jobs)
            if old is not None:
                old_ids = np.append(np.arange(N_MARKERS), found.id_of.read(1 + begin)).astype(np.uint32)
        else:
            every = self._spool.counts(encoder.n_numbers())
            judged = self._holding.counts(encoder.n_numbers()) if options.protection.caps else None
            if options.guard:
                self._hashes.append(number_hashes(encoder, [np.flatnonzero(every)]))
            if old is None:
                found = final_ids(every, encoder.types, n_sequences, options.choice, judged)
            else:
                found, old_ids = old.with_types(every, encoder, n_sequences, options.choice)
        assert END == 0  # a spool holds END as 0 and each number plus one
        stream, hashes = [self._spool.close(), column_of_ids(self._work, found)], self._hashes.close()
        figures = known_text(self._work, options, collector, found, read.text_bytes, read.repairs, old, old_ids)
        sequences = []
        if weights is not None or options.protection.measures or options.guard:
            places, text_ends = np.array(self._spool.places, np.int64), np.array(collector.file_ends, np.int64)
            sequences = [self._column("places", places.reshape(-1)), self._column("text_ends", text_ends)]
        if weights is not None:
            sequences.append(self._column("times", np.array(weights, np.int64)))
        figures.stream, figures.sequences = ([c.described() for c in some] for some in (stream, sequences))
        figures.hashes = hashes.described()
        done(self._work, figures, sequences)
        self._work.done("stream", {}, {c.name: c.whole() for c in (*stream, hashes)})
        read.encoders, read.collector = [], Collector(options.text.unit)
        return asdict(figures)

    def _column(self, name: str, values: np.ndarray) -> Column:
        return column(self._work, name, values)


def column_of_ids(work: Workspace, ids: FinalIds | DiskVocabulary) -> Column:
    """EOS, then the id of each provisional number: uint32."""
    if isinstance(ids, DiskVocabulary):
        return ids.id_of
    return column(work, "id_of", np.append(np.uint32(EOS), ids.id_of).astype(np.uint32))


def known_text(
    work: Workspace,
    options: TrainOptions,
    collector: Collector,
    ids: FinalIds | DiskVocabulary,
    text_bytes: int,
    repairs: Repairs,
    old: OldModel | None = None,
    old_ids: np.ndarray | None = None,
) -> SpilledText:
    """Write the vocabulary of a text; of an old model and the text, where there is one."""
    if isinstance(ids, FinalIds):
        types = ids.types()
        counts = column(work, "vocab_counts", ids.count)
        vocabulary = [
            column(work, f"vocab_{name}", a)
            for name, a in (("blob", types.blob), ("length", types.length), ("flags", types.flags))
        ]
    else:
        counts, vocabulary = ids.count, [ids.blob, ids.length, ids.flags]
    n_tokens = sum(int(block.sum()) for block in counts.blocks())
    n_sequences = int(counts.read(EOS, EOS + 1)[0])  # a record with a weight is as many
    out = SpilledText(
        n_tokens - 2 * n_sequences, n_sequences, longest_counted(options, collector), text_bytes, [],
        counts.described(), [c.described() for c in vocabulary], asdict(repairs), ids.cut,
    )  # fmt: skip
    if old is not None and old_ids is not None:
        out.longest = max(out.longest, min(options.order, old.table.height))
        out.text_bytes += old.header.corpus_bytes
        out.old_ids = column(work, "old_ids", old_ids).described()
    return out


def done(work: Workspace, text: SpilledText, more: Sequence[Column] = ()) -> dict[str, Any]:
    """Note the step `text`."""
    columns = [Column.of(work.folder, c) for c in (text.counts, *text.vocabulary, *filter(None, [text.old_ids]))]
    work.done("text", asdict(text), {c.name: c.whole() for c in (*columns, *more)})
    return asdict(text)
