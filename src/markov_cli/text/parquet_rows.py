"""Reads records from Parquet files with pyarrow (extra `parquet`), some rows of a row group at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import NotText, TextError
from .records import Bad, Batch, Reader
from .sources import opened

_BATCH_ROWS = 1 << 12
_MAGIC = b"PAR1"


def parquet_batches(reader: Reader) -> Iterator[Batch]:
    """The records of a Parquet file; its rows are its lines."""
    name, form = reader.source.name, reader.format
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise TextError(f"{name}: reading Parquet needs the package pyarrow", "pip install pyarrow") from None
    if reader.source.is_stdin:
        raise TextError(f"{name}: a Parquet file is read from its end", "name a file")
    file = opened(reader.source)
    try:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise NotText(f"{name}: not a Parquet file", "name Parquet files", "no Parquet file")
        found = parquet.ParquetFile(file, pre_buffer=False)
        columns = [_Column(f, found.schema_arrow, name, f == form.text) for f in form.fields]
        size, total, row, done = reader.source.size_bytes, max(found.metadata.num_rows, 1), 0, 0
        wanted = list(dict.fromkeys(c.field for c in columns))
        for part in found.iter_batches(batch_size=_BATCH_ROWS, columns=wanted, use_threads=False):
            _add(reader, row, dict(zip(form.fields, (c.values(part) for c in columns), strict=True)))
            row += part.num_rows
            yield reader.take(size * row // total - done)
            done = size * row // total
    except (pyarrow.ArrowException, OSError, ValueError, NotImplementedError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TextError(f"{name}: a damaged Parquet file: {said}", "check the file") from None
    finally:
        file.close()


class _Column:
    """A column, or a field of a nested one (`a.b`); TextError where the file has none, or none of texts."""

    def __init__(self, field: str, schema: Any, name: str, is_text: bool) -> None:
        import pyarrow.types as kinds

        self.field, self.is_text = field, is_text
        self.path = [field] if field in schema.names else field.split(".")
        parent = schema
        for i, part in enumerate(self.path):
            if parent.get_field_index(part) < 0:
                names = ", ".join(map(repr, schema.names[:6])) + (", ..." if len(schema.names) > 6 else "")
                raise TextError(f"{name}: no column {field!r}", f"its columns: {names}")
            kind = parent.field(part).type
            if i + 1 < len(self.path) and not kinds.is_struct(kind):
                raise TextError(f"{name}: column {part!r} holds {kind} and no fields", "name the column alone")
            parent = kind
        value = kind.value_type if kinds.is_dictionary(kind) else kind
        texts = kinds.is_string(value) or kinds.is_large_string(value) or value.equals(_view())
        if is_text and not (texts or kinds.is_null(value)):
            raise TextError(f"{name}: column {field!r} holds {kind}, not text", "name a column of texts")

    def values(self, part: Any) -> list[Any]:
        """Its values in some rows, None for null."""
        import pyarrow.compute as compute

        column = part.column(self.path[0])
        if len(self.path) > 1:
            column = compute.struct_field(column, self.path[1:])
        return column.to_pylist()


def _view() -> Any:
    import pyarrow

    return pyarrow.string_view()


def _add(reader: Reader, before: int, values: dict[str, list[Any]]) -> None:
    """Add some rows, the first of them row `before` + 1."""
    form = reader.format
    text = values[form.text]
    none = [None] * len(text)
    group = none if form.group is None else values[form.group]
    times = none if form.times is None else values[form.times]
    by = [values[field] for field, _ in form.by]
    for row, own in enumerate(zip(text, group, times, strict=True), before + 1):
        try:
            if by and not reader.wanted(column[row - before - 1] for column in by):
                continue
            reader.add(row, *own)
        except Bad as bad:
            reader.refuse(f"row {row:,}", bad)
