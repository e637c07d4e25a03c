"""Reads records from CSV and TSV with the standard library's parser (190 MB/s). Quoted fields may hold line breaks."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from ..errors import TextError
from .json_lines import line_blocks
from .records import Bad, Batch, Reader

_BATCH_BYTES = 1 << 20
_TABS = re.compile(r"\.(tsv|tab)(\.(gz|bz2|xz|zst))?$", re.I)
_DELIMITERS = (",", "\t", ";")
_NOT_CSV = "quote fields that hold quotes, and double the quotes inside; or leave such rows out: --skip-bad"


def delimiter_of(name: str) -> str:
    """A tab for files that are named `.tsv` or `.tab`, compressed or not; otherwise a comma.

    >>> delimiter_of("names.tsv.gz"), delimiter_of("names.csv")
    ('\\t', ',')
    """
    return "\t" if _TABS.search(name) else ","


class CsvRows:
    """The rows of a CSV file, and where its fields are.

    header     the names of the columns; None where they are numbers
    index      of each field of the format, in a row; -1 for a field that the format does not have
    by         of each field of the format's `by`, in a row
    delimiter  of the file
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.progress_bytes = self.bytes_of_text = 0
        self._number = 0  # of the last line that the parser took
        self.delimiter = delimiter_of(reader.source.path)
        self.header: list[str] | None = None
        lines = self._lines()
        form = reader.format
        fields = (form.text, form.group, form.times)
        self.by: list[int] = []
        if form.text.isdecimal():
            self.index = [-1 if f is None else int(f) - 1 for f in fields]
            self.by = [int(f) - 1 for f, _ in form.by]
        else:
            first = next(lines, None)
            if first is not None:
                self._choose_delimiter(first)
                lines = self._again(first, lines)
        # the limit is the process's own: it only rises, for another reader may be at work
        csv.field_size_limit(max(csv.field_size_limit(), reader.longest // 4))  # the parser takes 4 bytes a character
        self._rows = csv.reader(lines, delimiter=self.delimiter, strict=True)
        if not form.text.isdecimal():
            self.header = next((row for _, row in self.rows(True)), [])
            self.index = [-1 if f is None else self._column(f) for f in fields] if self.header else [-1, -1, -1]
            self.by = [self._column(f) for f, _ in form.by] if self.header else []

    def _choose_delimiter(self, first: str) -> None:
        """The delimiter with which the first line names the column of the text."""
        for delimiter in (self.delimiter, *_DELIMITERS):
            try:
                names = next(csv.reader([first], delimiter=delimiter), [])
            except csv.Error:
                continue
            if self.reader.format.text in names:
                self.delimiter = delimiter
                return

    def _again(self, first: str, others: Iterator[str]) -> Iterator[str]:
        """The first line once more, and then the others."""
        self._number = 1
        yield first
        yield from others

    def _column(self, field: str) -> int:
        assert self.header is not None
        if field in self.header:
            return self.header.index(field)
        if field.isdecimal() and 1 <= int(field) <= len(self.header):
            return int(field) - 1
        names = ", ".join(map(repr, self.header[:6])) + (", ..." if len(self.header) > 6 else "")
        raise TextError(f"{self.reader.source.name}: no column {field!r}", f"its columns: {names}")

    def _lines(self) -> Iterator[str]:
        reader = self.reader
        for block in line_blocks(reader.source, reader.encoding, reader.repairs, reader.longest):
            self.progress_bytes += block.progress_bytes
            if block.too_long:
                self._number = block.first
                reader.refuse(f"line {block.first:,}", Bad(f"longer than {reader.longest:,} bytes"))
                continue
            self.bytes_of_text += len(block.data)
            try:
                text = block.data.decode("utf-8")
            except UnicodeDecodeError:
                reader.repairs.see_invalid(block.data)
                text = block.data.decode("utf-8", "replace")
                reader.repairs.invalid += text.count("�") - block.data.count("�".encode())
            for self._number, line in enumerate(text.split("\n"), block.first):
                yield line + "\n"

    def rows(self, is_header: bool = False) -> Iterator[tuple[int, list[str]]]:
        """The line on which each row begins, and its fields; blank lines are left out, and rows that are broken."""
        width = len(self.header) if self.header else 0
        while True:
            begun = self._number + 1
            try:
                row = next(self._rows, None)
                if row is None:
                    return
                if width and len(row) > width:
                    raise Bad("more columns than the header", _NOT_CSV)
            except csv.Error as error:
                reason = str(error)
                if reason == "unexpected end of data":
                    reason = "a quoted field without an end"
                elif reason.startswith("field larger"):
                    reason = "a field that is too long"
                bad = Bad(f"not CSV: {reason}", _NOT_CSV)
            except Bad as found:
                bad = found
            else:
                if row:
                    yield begun, row
                continue
            if is_header:
                raise TextError(f"{self.reader.source.name}: line {begun:,}: {bad.reason}", bad.hint)
            self.reader.refuse(f"line {begun:,}", bad)

    def wanted(self, row: list[str]) -> bool:
        """True for a row of someone who was asked for."""
        return not self.by or self.reader.wanted(row[i] if i < len(row) else None for i in self.by)

    def fields(self, row: list[str]) -> list[str | None]:
        """The values of text, group and times in a row; Bad where the row is too short."""
        if len(row) <= max(self.index):
            form = self.reader.format
            missing = next(
                f for f, i in zip((form.text, form.group, form.times), self.index, strict=True) if i >= len(row)
            )
            raise Bad(f"no column {missing!r}")
        return [None if i < 0 else row[i] for i in self.index]


def csv_batches(reader: Reader) -> Iterator[Batch]:
    """The records of CSV rows."""
    rows = CsvRows(reader)
    before = taken = 0
    for line, row in rows.rows():
        try:
            if not rows.wanted(row):
                continue
            reader.add(line, *rows.fields(row))
        except Bad as bad:
            reader.refuse(f"line {line:,}", bad)
        if rows.bytes_of_text - taken >= _BATCH_BYTES:
            taken = rows.bytes_of_text
            yield reader.take(rows.progress_bytes - before)
            before = rows.progress_bytes
    yield reader.take(rows.progress_bytes - before)
