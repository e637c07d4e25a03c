"""Trains a model in memory: from bytes to a table.

Legend: a job is a thread. NumPy releases Python's lock in its long operations, so
threads share the work and the memory, and nothing is copied between processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..counting.document_frequency import sequences_with
from ..counting.ngrams import count_ngrams
from ..errors import TextError
from ..model.building import build_table
from ..model.endless import without_borders
from ..model.fingerprints import Guard
from ..model.merging import pruned_header
from ..model.model_file import Header
from ..model.sequence_counts import look_up_table, spread
from ..model.table import Table
from ..model.thresholds import Protected, protect
from ..text.encoder import NumberedTypes, Piece
from ..text.number_hashes import number_hashes
from ..text.reading import Repairs, Source
from ..text.records import Labels
from ..text.sequences import Collector, finish
from ..text.types import Types
from .options import Progress, TrainOptions, check_options, header_of, listed, no_progress
from .reading import EncodedText, longest_counted, read_text


@dataclass
class Trained:
    """A trained model, in parts, and the repairs made to its text."""

    header: Header
    types: Types
    table: Table
    repairs: Repairs


def train_sources(sources: Iterable[Source], options: TrainOptions, progress: Progress = no_progress) -> Trained:
    """Read all sources and build their table in memory.

    OptionError for impossible options; TextError where the sources have no token.
    """
    check_options(options)
    return train_read(read_text([*sources], options, progress), options, progress)


def train_read(read: EncodedText, options: TrainOptions, progress: Progress = no_progress) -> Trained:
    """Build the table of a text in memory; frees the pieces of `read`."""
    collector, protection = read.collector, options.protection
    protection.check_text(collector.n_sequences, len({end for end in collector.file_ends if end}))
    guard = None
    if options.guard:
        progress("hashing runs", 0, 1)
        guard = guard_of(collector.pieces, read.encoders[0], options)
    progress("sorting the vocabulary", 0, 1)
    longest = longest_counted(options, collector)
    judged = sequences_with(collector.pieces, read.encoders[0].n_numbers()) if protection.caps else None
    times = None if read.labels is None else checked_times(read.labels, collector)
    corpus = finish(collector, read.encoders[0], options.choice, longest, options.jobs, judged, times)
    file_ends = collector.file_ends if protection.min_files > 1 else None
    read.collector, read.encoders = Collector(options.text.unit), []
    del collector, judged
    length = corpus.n_tokens + corpus.n_sequences + 1
    stream = corpus.stream[:length] if protection else None  # counting frees its own reference, so keep one
    levels = count_ngrams(
        corpus.take_stream(),
        length,
        corpus.count,
        longest,
        options.jobs,
        options.range_windows,
        lambda share: progress("counting", share, 1.0),
        times,
    )
    protected = None
    if stream is not None:
        holders = spread(
            look_up_table(levels), [stream], file_ends, options.jobs,
            lambda done: progress("counting sequences", done, length + corpus.n_sequences),
        )  # fmt: skip
        protected = protect(levels, holders, protection)
        del stream, holders
    if not options.borders:
        protected = Protected(totals=without_borders(levels))
    progress("storing", 0, 1)
    ids, types = listed(corpus.types, options.prune_vocab)
    table = build_table(levels, options.order, options.prune, options.jobs, protected=protected, ids=ids)
    table.guard, table.borders = guard, options.borders
    tokens, sequences = corpus.n_tokens, corpus.n_sequences
    if times is not None:  # as they would be if each record were written as often as it counts
        sequences = int(times.sum())
        tokens = int(corpus.count.sum()) - 2 * sequences
    header = header_of(options, tokens, len(types), sequences, read.text_bytes, corpus.cut)
    return Trained(pruned_header(header, options.prune, table), types, table, read.repairs)


def checked_times(labels: Labels, collector: Collector) -> np.ndarray:
    """The number of times that each sequence counts, int64 (S,); TextError for a text of 2**53 tokens or more."""
    times = labels.times_of_sequences(collector.file_ends)
    if float(times.sum(dtype=np.float64)) * max(collector.longest + 1, 1) >= 2**53:
        raise TextError("the weights make a text of more than 2**53 tokens", "use smaller weights")
    return times


def guard_of(pieces: Sequence[Piece], encoder: NumberedTypes, options: TrainOptions) -> Guard:
    """Hashes of runs of a text (`--guard`). No run crosses from one text into the next, so their order is irrelevant.

    encoder  any encoder that made the pieces
    """
    hash_of = number_hashes(encoder, (piece.number for piece in pieces))
    blocks = ((piece.number, piece.text_ends) for piece in pieces)
    return Guard.of_text(blocks, hash_of, options.guard, options.guard_rate, options.guard_bits)
