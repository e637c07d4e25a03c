"""Reads records of every format, and joins them into blocks in which each is a text of its own."""

from __future__ import annotations

from collections.abc import Iterator

from .csv_rows import csv_batches
from .json_lines import counted_batches, json_batches
from .parquet_rows import parquet_batches
from .reading import Repairs, Source, blocks
from .record_format import COUNTED, CSV, JSONL, PARQUET
from .records import LONGEST_RECORD, Batch, Labels, Reader
from .text_blocks import Block, joined


def read_records(source: Source, encoding: str, repairs: Repairs, longest: int = LONGEST_RECORD) -> Iterator[Batch]:
    """All records of a source with a format, batch by batch; TextError names the file and the line.

    longest  bytes that a line or field may have; a longer one is a bad record
    """
    reader = Reader(source, encoding, repairs, longest)
    batches = {JSONL: json_batches, CSV: csv_batches, PARQUET: parquet_batches, COUNTED: counted_batches}
    return batches[reader.format.kind](reader)


def record_blocks(
    source: Source,
    which: int,
    encoding: str,
    repairs: Repairs,
    block_bytes: int,
    longest: int,
    unit: str,
    labels: Labels | None = None,
) -> Iterator[Block]:
    """The records of a source as blocks; a long record is divided like any long text.

    which   number of the source
    labels  are added for each record
    unit    where a sequence is a line, each record has a line break at its end, as in a text with one record a line
    """
    end = b"\n" if unit == "line" else b""
    batches = read_records(source, encoding, repairs, 8 * longest)
    if labels is not None:
        batches = _labelled(batches, labels, len(end))
    for texts, place, size in _pieces(batches, end, block_bytes):
        if len(texts[0]) <= block_bytes:
            yield joined(texts, [which] * len(texts), size, place)
            continue
        part = Source(f"{source.name}: record at {place[0]:,}", data=texts[0], markers=source.markers)
        # a record has no byte-order mark, so its bytes are kept
        for block in blocks(
            part, keep_bytes=True, block_bytes=block_bytes, longest=longest, repairs=repairs, which=which
        ):
            block.place = place
            yield block


def _labelled(batches: Iterator[Batch], labels: Labels, end: int) -> Iterator[Batch]:
    for batch in batches:
        labels.add(batch, end)
        yield batch


def _pieces(batches: Iterator[Batch], end: bytes, block_bytes: int) -> Iterator[tuple[list[bytes], list[int], int]]:
    """Texts of about `block_bytes` together, with their places and the bytes read for them; a long text by itself."""
    for batch in batches:
        texts = [text + end for text in batch.texts] if end else batch.texts
        if sum(map(len, texts)) + len(texts) <= block_bytes:  # nearly always, and faster than one by one
            if texts:
                yield texts, batch.place, batch.progress_bytes
            continue
        first, n, size = 0, 0, batch.progress_bytes
        for i, text in enumerate(texts):
            if first < i and n + len(text) > block_bytes:
                yield texts[first:i], batch.place[first:i], size
                first, n, size = i, 0, 0
            n += len(text) + 1
        if first < len(texts):
            yield texts[first:], batch.place[first:], size
