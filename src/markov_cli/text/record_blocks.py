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

_READ_BLOCKS = 8  # after so many blocks of records, their texts are a block, though a small one, so that progress shows
_RECORD_BYTES = 16  # that a record counts for beside its text: many short ones take memory, too


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
    for texts, place, size in _pieces(batches, block_bytes):
        if len(texts[0]) <= block_bytes:
            yield joined(texts, [which] * len(texts), size, place, end)
            continue
        part = Source(f"{source.name}: record at {place[0]:,}", data=texts[0] + end, markers=source.markers)
        # a record has no byte-order mark, so its bytes are kept
        for block in blocks(
            part, keep_bytes=True, block_bytes=block_bytes, longest=longest, repairs=repairs, which=which
        ):
            block.place = place
            block.progress_bytes, size = size, 0
            yield block


def _labelled(batches: Iterator[Batch], labels: Labels, end: int) -> Iterator[Batch]:
    for batch in batches:
        labels.add(batch, end)
        yield batch


def _pieces(batches: Iterator[Batch], block_bytes: int) -> Iterator[tuple[list[bytes], list[int], int]]:
    """Texts of about `block_bytes` together, with their places and the bytes read for them; a long text by itself."""
    texts: list[bytes] = []
    place: list[int] = []
    n = size = 0
    for batch in batches:
        more = sum(map(len, batch.texts)) + _RECORD_BYTES * len(batch.texts)
        if texts and (n + more > block_bytes or size > _READ_BLOCKS * block_bytes):
            yield texts, place, size
            texts, place, n, size = [], [], 0, 0
        size += batch.progress_bytes
        if more <= block_bytes:  # nearly always, and faster than one by one
            texts += batch.texts
            place += batch.place
            n += more
            continue
        for text, at in zip(batch.texts, batch.place, strict=True):
            if texts and n + len(text) > block_bytes:
                yield texts, place, size
                texts, place, n, size = [], [], 0, 0
            texts.append(text)
            place.append(at)
            n += len(text) + _RECORD_BYTES
        if n > block_bytes:
            yield texts, place, size
            texts, place, n, size = [], [], 0, 0
    if texts:
        yield texts, place, size
