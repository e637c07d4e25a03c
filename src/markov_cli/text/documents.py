"""Reads records with the lines they came in, and writes those lines with more fields."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import NotText, TextError
from .csv_rows import CsvRows
from .json_lines import json_objects
from .reading import Repairs, Source
from .record_blocks import read_records
from .record_format import CSV, JSONL
from .records import Bad, Reader


class Document(NamedTuple):
    """One record: its text, and what it came in.

    line   a JSON line as it was read; empty for rows
    found  the object of the line, or of the fields of a Parquet row that were read
    cells  the fields of a CSV row, as many as there are columns
    label  the value of the group's field, where one was asked for
    """

    text: bytes
    line: bytes = b""
    found: Mapping[str, Any] = MappingProxyType({})
    cells: Sequence[str] = ()
    label: str | None = None


class Documents:
    """The records of some sources of one format, and the way to write them.

    header  the columns of the first CSV file; None for other formats, and where columns are numbers
    """

    def __init__(self, sources: Sequence[Source], encoding: str, repairs: Repairs) -> None:
        self.sources, self.encoding, self.repairs = sources, encoding, repairs
        form = sources[0].records
        assert form is not None
        self.format = form
        self.header: list[str] | None = None
        self._delimiter = ","

    def read(self) -> Iterator[Document]:
        """All records; TextError names the file and the line of one that has no text."""
        for source in self.sources:
            reader = Reader(source, self.encoding, self.repairs)
            kinds = {JSONL: self._json, CSV: self._csv}
            try:
                yield from kinds.get(self.format.kind, self._rows)(reader)
            except NotText as error:
                self.repairs.leave_out(source, error)

    def _kept(self, reader: Reader, **came_in: Any) -> Document:
        """The record that the reader has just added."""
        batch = reader.take(0)
        return Document(batch.texts[0], label=batch.groups[0] if batch.groups else None, **came_in)

    def _json(self, reader: Reader) -> Iterator[Document]:
        for number, line, found in json_objects(reader):
            try:
                reader.add_object(number, found)
            except Bad as bad:
                reader.refuse(f"line {number:,}", bad)
            else:
                yield self._kept(reader, line=line, found=found)

    def _csv(self, reader: Reader) -> Iterator[Document]:
        rows = CsvRows(reader)
        if self.header is None:
            self.header, self._delimiter = rows.header, rows.delimiter
        elif rows.header != self.header:
            raise TextError(f"{reader.source.name}: other columns than in the first file", "score the files one by one")
        for line, row in rows.rows():
            try:
                reader.add(line, *rows.fields(row))
            except Bad as bad:
                reader.refuse(f"line {line:,}", bad)
            else:
                yield self._kept(reader, cells=row + [""] * (len(rows.header or ()) - len(row)))

    def _rows(self, reader: Reader) -> Iterator[Document]:
        field = self.format.text
        for batch in read_records(reader.source, self.encoding, self.repairs):
            groups: Sequence[str | None] = batch.groups or [None] * len(batch.texts)
            for text, group in zip(batch.texts, groups, strict=True):
                yield Document(text, found={field: text.decode("utf-8", "replace")}, label=group)

    # ------------------------------------------------------------ writing

    def head(self, keys: Sequence[str]) -> bytes:
        """The first line of the output: the columns of CSV with `keys` behind them; empty for other formats."""
        return self._csv_line([*(c for c in self.header if c not in keys), *keys]) if self.header else b""

    def _own(self, cells: Sequence[str], names: Collection[str]) -> list[str]:
        """The fields of a CSV row but those of columns with these names."""
        if not self.header:
            return list(cells)
        return [cell for name, cell in zip(self.header, cells, strict=True) if name not in names]

    def line(self, document: Document, keys: Mapping[str, Any], drop: Sequence[str] = ()) -> bytes:
        """A record with keys at its end, in the format it came in; Parquet rows become JSON lines."""
        if self.format.kind == CSV:
            own = self._own(document.cells, {*keys, *drop})
            return self._csv_line([*own, *("" if value is None else value for value in keys.values())])
        return with_keys(document, keys, drop) + b"\n"

    def labelled(self, line: bytes, name: str) -> bytes:
        """A written CSV line with one more field, which needs no quotes."""
        return line[:-1] + f"{self._delimiter}{name}\n".encode()

    def _csv_line(self, cells: Sequence[Any]) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=self._delimiter, lineterminator="\n").writerow(cells)
        return out.getvalue().encode("utf-8", "replace")


def with_keys(document: Document, keys: Mapping[str, Any], drop: Sequence[str] = ()) -> bytes:
    """The line as it came with keys at its end, or written anew where it has one of them or of `drop` already."""
    line = document.line.strip()
    if not line or own_keys(document, (*keys, *drop)):
        rest = {k: v for k, v in document.found.items() if k not in drop}
        return json.dumps(_finite({**rest, **keys}), ensure_ascii=False).encode("utf-8", "replace")
    added = json.dumps(keys, ensure_ascii=False)[1:].encode()
    return line[:-1].rstrip() + (b", " if document.found else b"") + added


def own_keys(document: Document, keys: Iterable[str]) -> list[str]:
    """Those of some keys that the object has itself."""
    return [k for k in keys if k in document.found]


def _finite(value: Any) -> Any:
    """A value without the numbers that JSON has not (`NaN`, `Infinity`), which Python reads all the same: null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list) else value
