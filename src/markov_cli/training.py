"""Text to table: the flow from bytes to a model, with its progress.

Legend: a job is a thread. NumPy lets go of Python's lock in its long operations, so
threads share the work and the memory, and nothing has to be copied between processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .counting.ngrams import RANGE_WINDOWS, count_ngrams
from .counting.spreading import sequences_with
from .errors import OptionError, TextError
from .model.building import build_table, check_prune
from .model.guard import RATE, Guard, check_guard
from .model.modelfile import Header
from .model.protecting import Protection, protect
from .model.spread import look_up_table, spread
from .model.table import MAX_ORDER, Table
from .text.collecting import Collector, finish
from .text.encoding import Encoder, Piece, TextOptions
from .text.feeding import encode_blocks, new_encoders, read_blocks
from .text.hashing import token_hashes
from .text.reading import BLOCK_BYTES, LONGEST_BLOCK, Repairs, Source
from .text.tokenizing import TOKENIZERS, compile_pattern
from .text.types import Types
from .text.units import UNITS


@dataclass(frozen=True)
class TrainOptions:
    """What `train` is asked for; the first group changes the model, the second only the work."""

    order: int = 3
    text: TextOptions = field(default_factory=TextOptions)
    min_type_count: int = 1
    prune: tuple[int, ...] = ()
    protection: Protection = field(default_factory=Protection)
    encoding: str = "utf-8"
    guard: int = 0  # tokens of the runs that are kept as hashes; 0 for none
    guard_rate: float = RATE
    guard_bits: int = 0  # of each hash, at least

    jobs: int = 1
    block_bytes: int = BLOCK_BYTES
    longest_block: int = LONGEST_BLOCK
    range_windows: int = RANGE_WINDOWS

    @property
    def in_memory(self) -> str:
        """The option, if any, whose work is done in memory alone."""
        if self.guard:
            return "--guard"
        return "--min-sequences, --min-files or --cap-per-sequence" if self.protection else ""

    @property
    def token_bytes(self) -> int:
        """Bytes of memory that training takes at most for each token where all is held in memory."""
        return 40 + 18 * self.order + (60 if self.protection else 0) + (16 if self.guard else 0)


@dataclass
class Trained:
    """What training gives."""

    header: Header
    types: Types
    table: Table
    repairs: Repairs


Progress = Callable[[str, float, float], None]  # phase, done, of how many


def no_progress(phase: str, done: float, total: float) -> None:
    """For when nobody looks."""
    return None


def check_options(options: TrainOptions) -> None:
    """OptionError for what cannot be, with the value."""
    text = options.text
    if not 1 <= options.order <= MAX_ORDER:
        raise OptionError(
            f"--order {options.order}: an n-gram has 1 to {MAX_ORDER:,} tokens", "usual orders are 2 to 6"
        )
    if text.tokenizer not in TOKENIZERS:
        raise OptionError(f"tokenizer {text.tokenizer!r}", f"one of {', '.join(TOKENIZERS)}")
    if text.unit not in UNITS:
        raise OptionError(f"unit {text.unit!r}", f"one of {', '.join(UNITS)}")
    if text.pattern is not None:
        if text.tokenizer != "regex":
            raise OptionError("--pattern needs --tokenizer regex", "add it, or leave --pattern out")
        compile_pattern(text.pattern)
    if options.min_type_count < 1:
        raise OptionError(f"--min-type-count {options.min_type_count}: at least 1", "1 keeps every type")
    check_prune(options.prune)
    options.protection.check()
    if options.guard:
        check_guard(options.guard, options.guard_rate, options.order)


@dataclass
class Read:
    """A text as pieces, which `collector` holds.

    encoders  those that made them, with one vocabulary
    """

    collector: Collector
    encoders: list[Encoder]
    repairs: Repairs
    text_bytes: int


def read_text(
    sources: Sequence[Source],
    options: TrainOptions,
    progress: Progress = no_progress,
    after: Callable[[Collector, Encoder], None] = lambda collector, encoder: None,
) -> Read:
    """Read all sources to provisional numbers; TextError where there is no token.

    after  called when a piece was added
    """
    total = sum(s.size_bytes for s in sources)
    repairs = Repairs()
    collector = Collector(options.text.unit)
    encoders = new_encoders(options.text, options.jobs)
    done = 0
    keep_bytes, sizes = options.text.tokenizer == "bytes", (options.block_bytes, options.longest_block)
    found = read_blocks(sources, options.encoding, keep_bytes, repairs, *sizes)
    for piece, size in encode_blocks(found, encoders):
        collector.add(piece)
        after(collector, encoders[0])
        done += size
        progress("reading", done, total)
    for e in encoders:
        repairs.add(e.repairs)
    repairs.empty_sequences = collector.empty_sequences
    text_bytes = sum(e.text_bytes for e in encoders)
    if not collector.n_tokens:
        names = ", ".join(s.name for s in sources[:3]) + (", ..." if len(sources) > 3 else "")
        raise TextError(f"{names}: no token in {text_bytes:,} bytes of text", "name a text")
    return Read(collector, encoders, repairs, text_bytes)


def longest_counted(options: TrainOptions, collector: Collector) -> int:
    """The order up to which n-grams are counted: a sequence and its markers, and one order without rows."""
    return min(options.order, collector.longest + 3)


def train_sources(sources: Iterable[Source], options: TrainOptions, progress: Progress = no_progress) -> Trained:
    """Read all sources and build their table in memory."""
    check_options(options)
    return train_read(read_text([*sources], options, progress), options, progress)


def train_read(read: Read, options: TrainOptions, progress: Progress = no_progress) -> Trained:
    """Build the table of a text in memory; the pieces are used up."""
    collector, protection = read.collector, options.protection
    protection.check_text(collector.n_sequences, len({end for end in collector.file_ends if end}))
    guard = None
    if options.guard:
        progress("hashing runs", 0, 1)
        guard = guard_of(collector.pieces, read.encoders[0], options)
    progress("sorting the vocabulary", 0, 1)
    longest = longest_counted(options, collector)
    judged = sequences_with(collector.pieces, read.encoders[0].n_numbers()) if protection.caps else None
    corpus = finish(collector, read.encoders[0], options.min_type_count, longest, options.jobs, judged)
    file_ends = collector.file_ends if protection.min_files > 1 else None
    read.collector, read.encoders = Collector(options.text.unit), []
    del collector, judged
    length = corpus.n_tokens + corpus.n_sequences + 1
    stream = corpus.stream[:length] if protection else None  # counting lets go of it, and this is read afterwards
    levels = count_ngrams(
        corpus.take_stream(),
        length,
        corpus.count,
        longest,
        options.jobs,
        options.range_windows,
        lambda share: progress("counting", share, 1.0),
    )
    protected = None
    if stream is not None:
        holders = spread(
            look_up_table(levels), [stream], file_ends, options.jobs,
            lambda done: progress("counting sequences", done, length + corpus.n_sequences),
        )  # fmt: skip
        protected = protect(levels, holders, protection)
        del stream, holders
    progress("storing", 0, 1)
    table = build_table(levels, options.order, options.prune, options.jobs, protected=protected)
    table.guard = guard
    header = header_of(options, corpus.n_tokens, len(corpus.types), corpus.n_sequences, read.text_bytes)
    header.counts_of_counts = table.counts_of_counts.tolist()
    return Trained(header, corpus.types, table, read.repairs)


def header_of(options: TrainOptions, tokens: int, types: int, sequences: int, text_bytes: int) -> Header:
    """The header of a model of this text."""
    return Header(
        order=options.order,
        options=options.text,
        tokens=tokens,
        types=types,
        sequences=sequences,
        corpus_bytes=text_bytes,
        min_type_count=options.min_type_count,
        prune=options.prune if any(options.prune) else (),
        **options.protection.fields(),
    )


def guard_of(pieces: Sequence[Piece], encoder: Encoder, options: TrainOptions) -> Guard:
    """The guard of some pieces; no run goes on from one text into the next, so that the order of texts changes nothing.

    encoder  any of those that made them
    """
    seen = np.zeros(encoder.n_numbers(), bool)
    for piece in pieces:
        seen[piece.number] = True
    some = np.flatnonzero(seen)
    hash_of = np.zeros(len(seen), np.uint64)
    hash_of[some] = token_hashes(encoder.types(some))
    blocks = ((piece.number, piece.last) for piece in pieces)
    return Guard.of_text(blocks, hash_of, options.guard, options.guard_rate, options.guard_bits)


def usable_cores() -> int:
    """Processor cores this process may run on."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
