"""Text to table: the flow from bytes to a model, with its progress.

Legend: a job is a thread. NumPy lets go of Python's lock in its long operations, so
threads share the work and the memory, and nothing has to be copied between processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .counting.ngrams import RANGE_WINDOWS, count_ngrams
from .counting.spreading import sequences_with
from .errors import OptionError, TextError
from .model.building import build_table, check_prune
from .model.modelfile import Header
from .model.protecting import Protection, protect
from .model.spread import look_up_table, spread
from .model.table import MAX_ORDER, Table
from .text.encoding import Collector, TextOptions, finish
from .text.feeding import encode_blocks, new_encoders, read_blocks
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
    protection: Protection = field(default_factory=Protection)
    encoding: str = "utf-8"

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
    options.protection.check()


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
    protection = options.protection
    protection.check_text(collector.n_sequences, len({end for end in collector.file_ends if end}))
    progress("sorting the vocabulary", 0, 1)
    longest = min(options.order, collector.longest + 3)  # a sequence and its markers, and one order without rows
    judged = sequences_with(collector.pieces, encoders[0].n_numbers()) if protection.caps else None
    corpus = finish(collector, encoders[0], options.min_type_count, longest, options.jobs, judged)
    file_ends = collector.file_ends if protection.min_files > 1 else None
    del collector, encoders, judged
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
        **protection.fields(),
    )
    return Trained(header, corpus.types, table, repairs)


def usable_cores() -> int:
    """Processor cores this process may run on."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
