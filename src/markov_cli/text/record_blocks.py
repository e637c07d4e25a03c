"""Reads records of every format, and turns them into blocks, so that each is read as a text of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .csv_rows import csv_batches
from .json_lines import counted_batches, json_batches
from .parquet_rows import parquet_batches
from .reading import Block, Repairs, Source, blocks
from .record_format import COUNTED, CSV, JSONL, PARQUET
from .records import LONGEST_RECORD, Batch, Reader


def read_records(source: Source, encoding: str, repairs: Repairs, longest: int = LONGEST_RECORD) -> Iterator[Batch]:
    """All records of a source with a format, batch by batch; TextError names the file and the line.

    longest  bytes that a line or field may have; a longer one is a bad record
    """
    reader = Reader(source, encoding, repairs, longest)
    batches = {JSONL: json_batches, CSV: csv_batches, PARQUET: parquet_batches, COUNTED: counted_batches}
    return batches[reader.format.kind](reader)


def record_blocks(
    source: Source, encoding: str, keep_bytes: bool, repairs: Repairs, block_bytes: int, longest: int, unit: str
) -> Iterator[Block]:
    """The records of a source as blocks.

    Where a sequence is a line, each record has a line break at its end, as in a text with one record a line.
    """
    end = b"\n" if unit == "line" else b""
    for batch in read_records(source, encoding, repairs, 8 * longest):
        size = batch.progress_bytes
        for text in batch.texts:
            whole = text + end
            if len(whole) > block_bytes:
                part = Source(source.name, data=whole)
                yield from blocks(
                    part, keep_bytes=keep_bytes, block_bytes=block_bytes, longest=longest, repairs=repairs
                )
            else:
                yield Block(np.frombuffer(whole + bytes(8), np.uint8), len(whole), True, True, size)
            size = 0
