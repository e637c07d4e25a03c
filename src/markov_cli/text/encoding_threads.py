"""Encodes texts in several threads: reads every source in blocks, and encodes the blocks."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence

from ..arrays.threads import ordered_map
from ..errors import NotText
from .encoder import Encoder, Piece, TextOptions
from .interning import TypeInterner
from .reading import BLOCK_BYTES, LONGEST_BLOCK, Repairs, Source, blocks
from .record_blocks import record_blocks
from .text_blocks import Block


def new_encoders(
    options: TextOptions, jobs: int, interner: TypeInterner | None = None, keep_text: bool = False
) -> list[Encoder]:
    """An encoder for each thread, all with one vocabulary; one only where order matters (`regex`)."""
    shared = TypeInterner() if interner is None else interner
    n = 1 if options.tokenizer == "regex" else max(jobs, 1)
    return [Encoder(options, shared, keep_text) for _ in range(n)]


def read_blocks(
    sources: Sequence[Source],
    encoding: str,
    keep_bytes: bool,
    repairs: Repairs,
    block_bytes: int = BLOCK_BYTES,
    longest: int = LONGEST_BLOCK,
    unit: str = "sentence",
) -> Iterator[Block]:
    """The blocks of all sources; files found in folders are skipped where they are no text."""
    for source in sources:
        if source.records is not None:
            found = record_blocks(source, encoding, keep_bytes, repairs, block_bytes, longest, unit)
        else:
            found = blocks(
                source, encoding=encoding, keep_bytes=keep_bytes, block_bytes=block_bytes, longest=longest,
                repairs=repairs,
            )  # fmt: skip
        try:
            first = next(found, None)
        except NotText as error:
            repairs.leave_out(source, error)
            continue
        if first is not None:
            yield first
        yield from found


def encode_blocks(found: Iterator[Block], encoders: list[Encoder]) -> Iterator[tuple[Piece, int]]:
    """Pieces in the order of their blocks, each with the bytes it took on disk."""
    free: queue.SimpleQueue[Encoder] = queue.SimpleQueue()
    for e in encoders:
        free.put(e)

    def one(block: Block) -> tuple[Piece, int]:
        encoder = free.get()
        try:
            return encoder.encode(block), block.progress_bytes
        finally:
            free.put(encoder)

    return ordered_map(one, found, len(encoders))
