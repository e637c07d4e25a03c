"""Reads records from JSON lines, and from lines of `text<TAB>count`.

The parser is the standard library's, called for each line at its place in a block of text, so that no line is copied.
Measured on lines of 670 bytes: 300 MB/s; `json.loads` of each line 155; orjson 600. Reading and counting the text
takes several times as long as the parser.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from .reading import Repairs, Source, open_text
from .records import Bad, Batch, Reader, kind_of, utf_8, whole_number

_READ_BYTES = 1 << 18  # small enough for the second-level cache with its objects
_ONE_OBJECT = "write one JSON object on each line, or leave such records out: --skip-bad"
_SCAN: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # not in the stubs


class LineBlock(NamedTuple):
    """Whole lines of a text.

    first     the number of the first, from 1
    data      their bytes, without the last newline
    too_long  it is one line of more bytes than are read, and its data is left out
    """

    first: int
    data: bytes
    too_long: bool
    progress_bytes: int


def line_blocks(source: Source, encoding: str, repairs: Repairs, longest: int = 1 << 62) -> Iterator[LineBlock]:
    """All lines of a text, block by block; what stands behind the last newline is a line if it is not empty.

    longest  bytes from which on a line may be left out

    NotText where the source is no text.
    """
    stream = open_text(source, encoding, repairs)
    number, size, before = 1, 0, 0
    held: list[bytes] = []
    passing = False  # inside a line that is too long
    try:
        while data := stream.read(_READ_BYTES):
            if passing:
                end = data.find(b"\n")
                if end < 0:
                    continue
                yield LineBlock(number, b"", True, 0)
                number, passing, data = number + 1, False, data[end + 1 :]
            cut = data.rfind(b"\n")
            if cut < 0:
                held.append(data)
                size += len(data)
                if size > longest:
                    held, size, passing = [], 0, True
                continue
            whole = b"".join([*held, data[:cut]])
            yield LineBlock(number, whole, False, stream.done_on_disk - before)
            before = stream.done_on_disk
            number += whole.count(b"\n") + 1
            held, size = [data[cut + 1 :]], len(data) - cut - 1
        if passing:
            yield LineBlock(number, b"", True, stream.done_on_disk - before)
        elif size:
            yield LineBlock(number, b"".join(held), False, stream.done_on_disk - before)
    finally:
        stream.close()


def json_batches(reader: Reader) -> Iterator[Batch]:
    """The records of JSON lines."""
    for block in _blocks_within(reader):
        try:
            text = block.data.decode("utf-8")
        except UnicodeDecodeError:
            reader.repairs.see_invalid(block.data)
            text = block.data.decode("utf-8", "replace")
            reader.repairs.invalid += text.count("�") - block.data.count("�".encode())
        _read_objects(reader, text.replace("\r\n", "\n") if "\r\n" in text else text, block.first)
        yield reader.take(block.progress_bytes)


def _blocks_within(reader: Reader) -> Iterator[LineBlock]:
    """Blocks of lines; those that are too long are refused."""
    for block in line_blocks(reader.source, reader.encoding, reader.repairs, reader.longest):
        if block.too_long:
            reader.refuse(f"line {block.first:,}", Bad(f"longer than {reader.longest:,} bytes"))
        else:
            yield block


def _read_objects(reader: Reader, text: str, number: int) -> None:
    """Add the records of a block of lines.

    A line that opens and closes with braces cannot take another such line for a part of its own: the parser stops at
    the second brace. So each line is parsed once, whatever is wrong with it.
    """
    form, texts, place = reader.format, reader.texts, reader.place
    field, alone = form.text, form.group is None and form.times is None and not form.by
    at, n, strip = 0, len(text), reader.strip
    while at < n:
        end = text.find("\n", at)
        if end < 0:
            end = n
        found: Any = None
        if text[at] == "{" and text[end - 1] == "}":
            try:
                found, stop = _SCAN(text, at)
            except (ValueError, StopIteration, RecursionError):
                stop = -1
            if stop != end:
                found = None
        try:
            if found is None:
                found = parsed_object(text[at:end])
            if found is not None:
                value = found.get(field)
                if alone and type(value) is str:
                    value = value if strip is None else strip(value)
                    texts.append(value.encode() if value.isascii() else utf_8(value, reader.repairs))
                    place.append(number)
                else:
                    reader.add_object(number, found)
        except Bad as bad:
            reader.refuse(f"line {number:,}", bad)
        at, number = end + 1, number + 1


def json_objects(reader: Reader) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """The number, the bytes and the object of each line; blank lines are left out, and those that are no object."""
    for block in _blocks_within(reader):
        for number, line in enumerate(block.data.split(b"\n"), block.first):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError:
                reader.repairs.see_invalid(line)
                text = line.decode("utf-8", "replace")
                reader.repairs.invalid += text.count("�") - line.count("�".encode())
            try:
                found = parsed_object(text)
            except Bad as bad:
                reader.refuse(f"line {number:,}", bad)
                continue
            if found is not None:
                yield number, line, found


def parsed_object(line: str) -> dict[str, Any] | None:
    """The JSON object of a line, None for a blank line; Bad for anything else."""
    if not line.strip():
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error).split(":")[0]
        raise Bad(f"not JSON: {said}", _ONE_OBJECT) from None
    if not isinstance(found, dict):
        raise Bad(f"{kind_of(found)}, not an object", _ONE_OBJECT)
    return found


def counted_batches(reader: Reader) -> Iterator[Batch]:
    """The records of lines of `text<TAB>count`; the last tab counts, and blank lines are left out."""
    for block in _blocks_within(reader):
        for number, line in enumerate(block.data.split(b"\n"), block.first):
            if not line.strip():
                continue
            text, tab, count = line.rpartition(b"\t")
            try:
                if not tab:
                    raise Bad("no tab between a text and its count")
                times = whole_number(count.decode("utf-8", "replace"), "")
            except Bad as bad:
                reader.refuse(f"line {number:,}", bad)
                continue
            if times:
                reader.keep(number, text, "", times)
        yield reader.take(block.progress_bytes)
