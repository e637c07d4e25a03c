"""Reads text line by line, and JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..errors import NotText, TextError
from .reading import Repairs, Source, open_text

_READ_BYTES = 1 << 18
_REPAIR = "repair the line, or leave it out"


class Lines(NamedTuple):
    """Some lines of one text, without their newlines; `first` is the number of the first, from 1."""

    source: Source
    first: int
    lines: list[bytes]


def read_lines(sources: Sequence[Source], encoding: str, repairs: Repairs) -> Iterator[Lines]:
    """All lines of all texts; a line behind the last newline counts if it is not empty."""
    for source in sources:
        try:
            stream = open_text(source, encoding, repairs)
        except NotText as error:
            repairs.leave_out(source, error)
            continue
        number = 1
        held: list[bytes] = []
        try:
            while True:
                try:
                    data = stream.read(_READ_BYTES)
                except NotText as error:  # it can only be told of the first bytes
                    repairs.leave_out(source, error)
                    break
                if not data:
                    if any(held):
                        yield Lines(source, number, [b"".join(held)])
                    break
                cut = data.rfind(b"\n")
                if cut < 0:
                    held.append(data)
                    continue
                found = b"".join([*held, data[:cut]]).split(b"\n")
                held = [data[cut + 1 :]]
                yield Lines(source, number, found)
                number += len(found)
        finally:
            stream.close()


class Document(NamedTuple):
    """One JSON line: the object, the text of its field, and the line as it came."""

    line: bytes
    object: dict[str, Any]
    text: bytes


def read_documents(lines: Lines, field: str, repairs: Repairs) -> list[Document]:
    """Lines as JSON objects with a text in a field; blank lines are left out. TextError names the line.

    field  a name, or names with dots for an object within an object
    """
    out = []
    for number, line in enumerate(lines.lines, lines.first):
        if not line.strip():
            continue
        place = f"{lines.source.name}: line {number}"
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            repairs.see_invalid(line)
            text = line.decode("utf-8", "replace")
            repairs.invalid += text.count("�") - line.count("�".encode())
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            said = str(error).split(":")[0] if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            raise TextError(f"{place}: not JSON: {said}", "write one JSON object on each line") from None
        if not isinstance(found, dict):
            raise TextError(f"{place}: {_kind(found)}, not an object", "write one JSON object on each line")
        out.append(Document(line, found, _encoded(_field(found, field, place))))
    return out


def _field(found: dict[str, Any], field: str, place: str) -> str:
    """The text of a field; TextError where there is none."""
    value: Any = found
    if field in found:
        value = found[field]
    else:
        for name in field.split("."):
            if not isinstance(value, dict) or name not in value:
                names = ", ".join(map(repr, list(found)[:6])) + (", ..." if len(found) > 6 else "")
                raise TextError(f"{place}: no field {field!r}", f"its fields: {names or 'none'}")
            value = value[name]
    if not isinstance(value, str):
        raise TextError(f"{place}: field {field!r} is {_kind(value)}, not a text", _REPAIR)
    return value


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a text")


def _encoded(text: str) -> bytes:
    """UTF-8; half of a surrogate pair, which JSON can hold, becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def with_keys(document: Document, keys: dict[str, Any], drop: Sequence[str] = ()) -> bytes:
    """The line as it came with keys at its end, or written anew where it has one of them or of `drop` already."""
    line = document.line.strip()
    if any(k in document.object for k in (*keys, *drop)):
        rest = {k: v for k, v in document.object.items() if k not in drop}
        return json.dumps({**rest, **keys}, ensure_ascii=False).encode("utf-8", "replace")
    added = json.dumps(keys, ensure_ascii=False)[1:].encode()
    return line[:-1].rstrip() + (b", " if document.object else b"") + added
