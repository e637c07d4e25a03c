"""Reads records from JSON lines, and from lines of `text<TAB>count`.

The parser is the standard library's, called at the place of a line in a block of text, so that no line is copied. It
reads the lines whose shape is new, and all of them where more than the text is wanted; see `json_shapes`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from .json_shapes import PROBE, Places, Shapes
from .reading import Repairs, Source, open_text
from .records import Bad, Batch, Reader, kind_of, utf_8, whole_number

_READ_BYTES = 1 << 18
_FEWEST_BYTES = 1 << 14  # from so many on, shapes of lines save time
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


def line_blocks(
    source: Source, encoding: str, repairs: Repairs, longest: int = 1 << 62, read_bytes: int = 0
) -> Iterator[LineBlock]:
    """All lines of a text, block by block; what stands behind the last newline is a line if it is not empty.

    longest     bytes from which on a line may be left out
    read_bytes  about as many make a block; 0 for 256 KiB

    NotText where the source is no text.
    """
    read_bytes = read_bytes or _READ_BYTES
    stream = open_text(source, encoding, repairs)
    number, size, before = 1, 0, 0
    held: list[bytes] = []
    passing = False  # inside a line that is too long
    try:
        while data := stream.read(read_bytes):
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
    form = reader.format
    alone = form.group is None and form.times is None and not form.by and reader.strip is None
    shapes = Shapes(form.text, parsed_object) if alone and PROBE not in form.text else None
    most_bytes = 4 * _READ_BYTES  # a block is longer where a line is
    for block in _blocks_within(reader):
        data = block.data.replace(b"\r\n", b"\n") if b"\r" in block.data else block.data
        try:
            text = "" if data.isascii() else data.decode("utf-8")
        except UnicodeDecodeError:
            reader.repairs.see_invalid(block.data)
            text = data.decode("utf-8", "replace")
            reader.repairs.invalid += text.count("�") - data.count("�".encode())
            _read_objects(reader, text, block.first)
        else:
            found = shapes.find(data) if shapes is not None and _FEWEST_BYTES <= len(data) <= most_bytes else None
            if found is None:
                _read_objects(reader, text or data.decode("ascii"), block.first)
            else:
                _read_shaped(reader, data, block.first, found)
        yield reader.take(block.progress_bytes)


def _read_shaped(reader: Reader, data: bytes, number: int, found: Places) -> None:
    """Add the records of a block of lines whose places are known; the parser reads the other lines."""
    known, coded = found.low >= 0, found.coded
    low, high = found.low.tolist(), found.high.tolist()
    texts = [data[a:b] for a, b in zip(low, high, strict=True)]
    single = data.decode("latin-1") if found.escaped.any() else ""  # a character a byte
    for i in np.flatnonzero(found.escaped & ~coded).tolist():
        texts[i] = _SCAN(single, low[i] - 1)[0].encode("latin-1")
    for i in np.flatnonzero(coded).tolist():
        texts[i] = utf_8(_SCAN(data[low[i] - 1 : high[i] + 1].decode("utf-8"), 0)[0], reader.repairs)
    edges = [0, *(np.flatnonzero(np.diff(known)) + 1).tolist(), len(known)]
    for i, j in pairwise(edges):
        if known[i]:
            reader.texts += texts[i:j]
            reader.place += range(number + i, number + j)
        else:
            _read_objects(reader, data[int(found.first[i]) : int(found.end[j - 1])].decode("utf-8"), number + i)


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
