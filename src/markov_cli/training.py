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
from .errors import OptionError, TextError
from .model.building import build_table, check_prune
from .model.guard import RATE, Guard, check_guard
from .model.modelfile import Header
from .model.table import MAX_ORDER, Table
from .text.encoding import Collector, Encoder, Piece, TextOptions, finish
from .text.feeding import encode_blocks, new_encoders, read_blocks
from .text.hashing import token_hashes
from .text.reading import BLOCK_BYTES, Repairs, Source
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
    encoding: str = "utf-8"
    guard: int = 0  # tokens of the runs that are kept as hashes; 0 for none
    guard_rate: float = RATE
    guard_bits: int = 0  # of each hash, at least

    jobs: int = 1
    block_bytes: int = BLOCK_BYTES
    range_windows: int = RANGE_WINDOWS


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
    if options.guard:
        check_guard(options.guard, options.guard_rate, options.order)


def train_sources(sources: Iterable[Source], options: TrainOptions, progress: Progress = no_progress) -> Trained:
    """Read all sources and build their table."""
    check_options(options)
    sources = [*sources]
    total = sum(s.size_bytes for s in sources)
    repairs = Repairs()
    collector = Collector(options.text.unit)
    encoders = new_encoders(options.text, options.jobs)
    done = 0
    found = read_blocks(
        sources, options.encoding, options.text.tokenizer == "bytes", repairs, block_bytes=options.block_bytes
    )
    for piece, size in encode_blocks(found, encoders):
        collector.add(piece)
        done += size
        progress("reading", done, total)
    for e in encoders:
        repairs.add(e.repairs)
    repairs.empty_sequences = collector.empty_sequences
    if not collector.n_tokens:
        names = ", ".join(s.name for s in sources[:3]) + (", ..." if len(sources) > 3 else "")
        raise TextError(f"{names}: no token in {sum(e.text_bytes for e in encoders):,} bytes of text", "name a text")
    text_bytes = sum(e.text_bytes for e in encoders)
    guard = None
    if options.guard:
        progress("hashing runs", 0, 1)
        guard = guard_of(collector.pieces, encoders[0], options)
    progress("sorting the vocabulary", 0, 1)
    longest = min(options.order, collector.longest + 3)  # a sequence and its markers, and one order without rows
    corpus = finish(collector, encoders[0], options.min_type_count, longest, options.jobs)
    del collector, encoders
    levels = count_ngrams(
        corpus.take_stream(),
        corpus.n_tokens + corpus.n_sequences + 1,
        corpus.count,
        longest,
        options.jobs,
        options.range_windows,
        lambda share: progress("counting", share, 1.0),
    )
    progress("storing", 0, 1)
    table = build_table(levels, options.order, options.prune, options.jobs)
    table.guard = guard
    header = Header(
        order=options.order,
        options=options.text,
        tokens=corpus.n_tokens,
        types=len(corpus.types),
        sequences=corpus.n_sequences,
        corpus_bytes=text_bytes,
        min_type_count=options.min_type_count,
        prune=options.prune if any(options.prune) else (),
        counts_of_counts=table.counts_of_counts.tolist(),
    )
    return Trained(header, corpus.types, table, repairs)


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
