"""Reads short files whole, in several threads, ahead of what is taken.

Legend: a short text is one that shares a block with others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..arrays.threads import ordered_map
from ..errors import NotText
from .file_kinds import SNIFF_BYTES, refuse_binary, refuse_signature
from .reading import SPECIAL_HEADS, Repairs, Source, open_stream

_SHARE = 4  # a text shorter than this share of a block does not get blocks of its own
_AHEAD = 4  # threads: they wait for the disk, not for the processor
_FILES, _BYTES = 256, 1 << 18  # of the files that one thread reads at a time
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass
class ShortTexts:
    """Some short texts in the order of their sources.

    texts    their bytes: UTF-8, or untouched for a tokenizer that keeps bytes
    which    number of the source of each
    sizes    bytes of each on disk
    repairs  made to them, and files that were left out
    """

    texts: list[bytes] = field(default_factory=list)
    which: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    repairs: Repairs = field(default_factory=Repairs)


Found = ShortTexts | int  # the number of a source that is long: to be read in blocks of its own


def read_short(sources: Sequence[Source], encoding: str, keep_bytes: bool, block_bytes: int) -> Iterator[Found]:
    """The short texts among the sources, and the numbers of the others, in order.

    Files found in folders are left out where they are no text; NotText or TextError for others.
    """
    short = block_bytes // _SHARE
    batches = _batches(sources, short)

    def read(batch: list[int]) -> list[Found]:
        return [*_read(batch, sources, encoding, keep_bytes, short)]

    jobs = _AHEAD if len(sources) > _FILES else 1
    for found in ordered_map(read, batches, jobs):
        yield from found


def _batches(sources: Sequence[Source], short: int) -> Iterator[list[int]]:
    """Numbers of sources, those of short ones together."""
    batch: list[int] = []
    total = 0
    for i, source in enumerate(sources):
        size = source.whole_bytes
        if 0 <= size <= short:
            batch.append(i)
            total += size
            if len(batch) < _FILES and total < _BYTES:
                continue
            yield batch
        else:
            if batch:
                yield batch
            yield [i]
        batch, total = [], 0
    if batch:
        yield batch


def _read(batch: list[int], sources: Sequence[Source], encoding: str, keep_bytes: bool, short: int) -> Iterator[Found]:
    found = ShortTexts()
    for i in batch:
        source = sources[i]
        text = None
        try:
            if 0 <= source.whole_bytes <= short:
                text = _plain(source, encoding, keep_bytes, found.repairs)
                if text is None:
                    text = _streamed(source, encoding, keep_bytes, short, found.repairs)
        except NotText as error:
            found.repairs.leave_out(source, error)
            continue
        if text is None:
            yield found
            yield i
            found = ShortTexts()
        else:
            found.texts.append(text)
            found.which.append(i)
            found.sizes.append(source.whole_bytes)
    yield found


def _plain(source: Source, encoding: str, keep_bytes: bool, repairs: Repairs) -> bytes | None:
    """The text of a file without a mark, neither compressed nor changed since it was found; None for others."""
    if source.strip is not None:
        return None
    data = source.data
    if data is None:
        try:
            file = os.open(source.path, _FLAGS)
            try:
                data = os.read(file, source.whole_bytes + 1)
            finally:
                os.close(file)
        except OSError:
            return None  # the other way has a message for it
        if len(data) != source.whole_bytes:
            return None
    if data.startswith(SPECIAL_HEADS):
        return None
    if source.data is not None:
        return data
    if not keep_bytes:
        refuse_signature(data[:SNIFF_BYTES], source.name)
    invalid = 0
    if encoding != "utf-8":
        try:
            text = data.decode(encoding, "replace")
        except UnicodeError:
            return None
        invalid = text.count("�")
        data = text.encode("utf-8", "replace")
    if not keep_bytes:
        refuse_binary(data[:SNIFF_BYTES], source.name, encoding)
        repairs.see(data[:SNIFF_BYTES], source)
    repairs.invalid += invalid
    return data


def _streamed(source: Source, encoding: str, keep_bytes: bool, short: int, repairs: Repairs) -> bytes | None:
    """The text of any file, decompressed and decoded; None where that is long."""
    own = Repairs()
    stream = open_stream(source, encoding, keep_bytes, own)
    parts: list[bytes] = []
    try:
        while data := stream.read(short + 1):
            parts.append(data)
            if sum(map(len, parts)) > short:
                return None
    finally:
        stream.close()
    repairs.add(own)
    return b"".join(parts)
