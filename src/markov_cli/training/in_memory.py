"""Trains a model in memory: from bytes to a table.

Legend: a job is a thread. NumPy releases Python's lock in its long operations, so
threads share the work and the memory, and nothing is copied between processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..counting.document_frequency import SequencesWith
from ..counting.levels import Level
from ..counting.measures import Sequences
from ..counting.ngrams import count_ngrams
from ..errors import TextError
from ..model.building import build_table
from ..model.endless import without_borders
from ..model.fingerprints import Guard
from ..model.merging import pruned_header
from ..model.model_file import Header
from ..model.table import Table
from ..model.thresholds import Protected, Protection, protect
from ..text.encoder import NumberedTypes, Piece
from ..text.number_hashes import number_hashes
from ..text.reading import Repairs, Source
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
    judged = None
    if protection.caps:
        (holding := SequencesWith()).add(collector.pieces)
        judged = holding.counts(read.encoders[0].n_numbers())
    times = None if read.labels is None else checked_times(read.labels.times, collector)
    corpus = finish(collector, read.encoders[0], options.choice, longest, options.jobs, judged, times)
    sequences = _sequences(collector, protection, times)
    read.collector, read.encoders = Collector(options.text.unit), []
    del collector, judged
    length = corpus.n_tokens + corpus.n_sequences + 1
    levels = count_ngrams(
        corpus.take_stream(),
        length,
        corpus.count,
        longest,
        options.jobs,
        options.range_windows,
        lambda share: progress("counting", share, 1.0),
        sequences,
    )
    protected = None
    del sequences
    if protection:
        only(levels, options.order)
        protected = protect(levels, protection)
    if not options.borders:
        protected = Protected(totals=without_borders(levels))
    progress("storing", 0, 1)
    ids, types = None, corpus.types
    if options.prune_vocab is not None:
        ids, types = listed(types, options.prune_vocab)
    table = build_table(levels, options.order, options.prune, options.jobs, protected=protected, ids=ids)
    table.guard, table.borders = guard, options.borders
    tokens, n_sequences = corpus.n_tokens, corpus.n_sequences
    if times is not None:  # as they would be if each record were written as often as it counts
        n_sequences = int(times.sum())
        tokens = int(corpus.count.sum()) - 2 * n_sequences
    header = header_of(options, tokens, len(types), n_sequences, read.text_bytes, corpus.cut)
    return Trained(pruned_header(header, options.prune, table), types, table, read.repairs)


def _sequences(collector: Collector, protection: Protection, times: np.ndarray | None) -> Sequences | None:
    """Counts of the text's sequences, besides occurrences."""
    if not protection.measures:
        return None if times is None else Sequences(times)
    number = np.arange(collector.n_sequences)
    by = {"s": number, "f": np.searchsorted(np.array(collector.file_ends), number, "right")}
    n = len(protection.measures)
    return Sequences(None, [by[kind] for kind in protection.measures], [True] * n, [True] * n)


def only(levels: list[Level], order: int) -> None:
    """Leave orders above the model's out, which a cap on the counts of order 1 needs."""
    del levels[order:]
    if order == 1:
        levels[0].children = levels[0].left = None


def checked_times(of_texts: list[int], collector: Collector) -> np.ndarray:
    """The number of times that each sequence counts, int64 (S,); TextError for a text of 2**53 tokens or more."""
    times = np.repeat(np.array(of_texts, np.int64), np.diff(np.array([0, *collector.file_ends])))
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
