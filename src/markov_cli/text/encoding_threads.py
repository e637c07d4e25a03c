"""Encodes texts in several threads: reads every source in blocks, and encodes the blocks."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Sequence

from ..arrays.threads import ordered_map
from ..errors import NotText
from .encoder import Encoder, Piece, TextOptions
from .interning import TypeInterner
from .reading import BLOCK_BYTES, LARGEST_BLOCK, LONGEST_BLOCK, Repairs, Source, blocks
from .record_blocks import record_blocks
from .records import Labels
from .short_files import ShortTexts, read_short
from .text_blocks import Block, Held


def new_encoders(
    options: TextOptions, jobs: int, interner: TypeInterner | None = None, keep_text: bool = False
) -> list[Encoder]:
    """An encoder for each thread, all with one vocabulary; one only where order matters (`regex`)."""
    shared = TypeInterner() if interner is None else interner
    n = 1 if options.tokenizer == "regex" else max(jobs, 1)
    return [Encoder(options, shared, keep_text) for _ in range(n)]


def block_bytes_for(encoders: Sequence[Encoder]) -> int:
    """The size of blocks that these encode fastest.

    Threads wait for each other after each operation on whole arrays, a hundred times a block. So several read larger
    blocks than one, where those are some hundred thousand tokens; of `chars` and `bytes` a small block has as many.
    """
    many = len(encoders) > 1 and encoders[0].options.tokenizer in ("words", "spaces")
    return LARGEST_BLOCK if many else BLOCK_BYTES


def read_blocks(
    sources: Sequence[Source],
    encoding: str,
    keep_bytes: bool,
    repairs: Repairs,
    block_bytes: int = BLOCK_BYTES,
    longest: int = LONGEST_BLOCK,
    unit: str = "sentence",
    labels: Labels | None = None,
) -> Iterator[Block]:
    """The blocks of all sources; files found in folders are skipped where they are no text.

    unit    of the tokenizer; see `record_blocks`
    labels  are added for each text
    """
    markers = sources[0].markers if sources else "text"
    for block in _read_blocks(sources, encoding, keep_bytes, repairs, block_bytes, longest, unit, labels):
        block.markers = markers
        yield block


def _read_blocks(
    sources: Sequence[Source],
    encoding: str,
    keep_bytes: bool,
    repairs: Repairs,
    block_bytes: int,
    longest: int,
    unit: str,
    labels: Labels | None,
) -> Iterator[Block]:
    small = min(block_bytes, BLOCK_BYTES)  # many texts, often little in all
    held = Held(small)
    for found in read_short(sources, encoding, keep_bytes, small):
        if isinstance(found, ShortTexts):
            repairs.add(found.repairs)
            for text, which, size in zip(found.texts, found.which, found.sizes, strict=True):
                if labels is not None:
                    labels.add_text()
                yield from held.add(text, which, size)
            continue
        yield from held.rest()
        source = sources[found]
        if source.records is not None:
            read = record_blocks(source, found, encoding, repairs, small, longest, unit, labels)
        else:
            if labels is not None:
                labels.add_text()
            read = blocks(
                source, encoding=encoding, keep_bytes=keep_bytes, block_bytes=block_bytes, longest=longest,
                repairs=repairs, which=found,
            )  # fmt: skip
        yield from _text_blocks(source, read, repairs)
    yield from held.rest()


def _text_blocks(source: Source, found: Iterator[Block], repairs: Repairs) -> Iterator[Block]:
    """The blocks of one source; none where it is no text, and was found in a folder."""
    try:
        first = next(found, None)
    except NotText as error:
        repairs.leave_out(source, error)
        return
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


def pieces_of(
    sources: Sequence[Source], encoding: str, encoders: list[Encoder], repairs: Repairs
) -> Iterator[tuple[Piece, int]]:
    """Pieces of all sources, each with the bytes read from disk."""
    keep_bytes = encoders[0].options.tokenizer == "bytes"
    found = read_blocks(
        sources, encoding, keep_bytes, repairs, block_bytes_for(encoders), unit=encoders[0].options.unit
    )
    return encode_blocks(found, encoders)
