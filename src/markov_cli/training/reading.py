"""Reads texts into provisional token numbers: the first step of every training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ..errors import TextError
from ..text.encoder import Encoder, NumberedTypes
from ..text.encoding_threads import block_bytes_for, encode_blocks, new_encoders, read_blocks
from ..text.reading import Repairs, Source
from ..text.records import Labels
from ..text.sequences import Collector
from ..text.text_blocks import Block
from .options import Progress, TrainOptions, no_progress


@dataclass
class EncodedText:
    """A text as pieces of provisional token numbers.

    collector  holds the pieces
    encoders   made the pieces, and share one vocabulary
    labels     of the texts, where records have groups or weights
    """

    collector: Collector
    encoders: Sequence[NumberedTypes]
    repairs: Repairs
    text_bytes: int
    labels: Labels | None = None


After = Callable[[Collector, NumberedTypes, Labels | None], None]  # called after each piece


def read_text(
    sources: Sequence[Source],
    options: TrainOptions,
    progress: Progress = no_progress,
    after: After = lambda collector, encoder, labels: None,
    is_full: Callable[[Encoder], bool] = lambda encoder: False,
    empty: After = lambda collector, encoder, labels: None,
) -> EncodedText:
    """Read all sources into provisional token numbers; TextError where there is no token.

    The parameters are those of `read_pieces`.
    """
    if not sources:
        raise TextError("no token: no text to train on", "name files, or give texts: train(texts=[...])")
    read = read_pieces(sources, options, progress, after, is_full, empty)
    check_read(sources, read.collector.n_tokens, read.repairs, read.text_bytes)
    return read


def read_pieces(
    sources: Sequence[Source],
    options: TrainOptions,
    progress: Progress = no_progress,
    after: After = lambda collector, encoder, labels: None,
    is_full: Callable[[Encoder], bool] = lambda encoder: False,
    empty: After = lambda collector, encoder, labels: None,
) -> EncodedText:
    """Read all sources, which may have no token.

    after    called after each piece
    is_full  the vocabulary is as large as it may be: then `empty` is called, which takes the pieces, and numbers begin
             again
    """
    total = sum(s.size_bytes for s in sources)
    repairs = Repairs()
    collector = Collector(options.text.unit)
    encoders = new_encoders(options.text, options.jobs)
    labels = Labels() if options.weights or options.groups else None
    done = 0
    keep_bytes = options.text.tokenizer == "bytes"
    sizes = min(options.block_bytes, block_bytes_for(encoders)), options.longest_block
    found = read_blocks(sources, options.encoding, keep_bytes, repairs, *sizes, options.text.unit, labels)
    for block in found:
        part = _until(chain([block], found), lambda: is_full(encoders[0]))
        for piece, size in encode_blocks(part, encoders):
            collector.add(piece)
            after(collector, encoders[0], labels)
            done += size
            progress("reading", done, total)
        if is_full(encoders[0]):
            empty(collector, encoders[0], labels)
            for e in encoders[1:]:
                e.renew(encoders[0].interner)
    for e in encoders:
        repairs.add(e.repairs)
    repairs.empty_sequences = collector.empty_sequences
    text_bytes = sum(e.text_bytes for e in encoders)
    if labels is not None:
        text_bytes += labels.more_bytes
    return EncodedText(collector, encoders, repairs, text_bytes, labels)


def check_read(sources: Sequence[Source], n_tokens: int, repairs: Repairs, text_bytes: int) -> None:
    """TextError where sources that were read have no token, or no record of those that were asked for."""
    names = ", ".join(s.name for s in sources[:3]) + (", ..." if len(sources) > 3 else "")
    asked = [one for s in sources if s.records is not None for one in s.records.said_by]
    for one in asked:
        if one not in repairs.found_by:
            raise TextError(f"{names}: no record with {one}", "check the field and the value; capitals count")
    if not n_tokens:
        if repairs.skipped:
            raise TextError(
                f"{names}: {len(repairs.skipped):,} of {len(sources):,} files are not text, and no token in the others",
                f"name a text; the first is: {repairs.skipped[0]} ({repairs.kinds[0]})",
            )
        if repairs.bad_records:
            reason = next(iter(repairs.bad_records))
            raise TextError(
                f"{names}: no token; {sum(repairs.bad_records.values()):,} records left out",
                f"name the field of the texts; {repairs.first_bad}: {reason}",
            )
        raise TextError(f"{names}: no token in {text_bytes:,} bytes of text", "give a text that is not empty")


def _until(blocks: Iterator[Block], stop: Callable[[], bool]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if stop():
            return


def longest_counted(options: TrainOptions, collector: Collector) -> int:
    """Highest order that is counted: the model's, or the longest sequence with its two markers, plus one.

    Counting one order without rows gives the left neighbours of the order below it. Of one order alone, nothing is
    counted but its types.
    """
    return min(max(options.order, 1 + bool(options.protection)), collector.longest + 3)
