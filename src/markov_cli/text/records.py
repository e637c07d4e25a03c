"""Checks records: texts in the fields of JSON lines, CSV rows, Parquet rows or lines with a count.

Legend: a record is one text of many in a file; a field is its name or column; a batch is some records of one file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..errors import TextError
from .reading import Repairs
from .record_format import RecordFormat
from .sources import Source
from .strip import WHOLE

LONGEST_RECORD = 1 << 28  # bytes of a line or field; its parser holds it several times
MOST_TIMES = 1 << 40  # how often a record may count
_REPAIR = "repair it, or leave such records out: --skip-bad"


class Batch(NamedTuple):
    """Some records of one file, in its order.

    texts   n of them, in UTF-8
    place   where each begins: lines or rows of the file, from 1
    groups  the value of each record's group; None without groups
    times   how often each record counts; None for once
    progress_bytes  bytes of the file that were read for them
    """

    texts: list[bytes]
    place: list[int]
    groups: list[str] | None
    times: list[int] | None
    progress_bytes: int


@dataclass
class Labels:
    """Groups and weights of texts, in their order.

    groups  the name of each record's group
    times   how often each text counts; 1 for a text that is no record
    sizes   bytes of each record; 0 for a text that is no record
    """

    groups: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def add(self, batch: Batch, end: int) -> None:
        """Add the records of a batch, each of which is followed by `end` bytes."""
        self.groups += batch.groups or [""] * len(batch.texts)
        self.times += batch.times or [1] * len(batch.texts)
        self.sizes += [len(text) + end for text in batch.texts]

    def add_text(self) -> None:
        """Add a text that is no record."""
        self.groups.append("")
        self.times.append(1)
        self.sizes.append(0)

    def some(self, texts: np.ndarray) -> Labels:
        """Weights and sizes of some texts, without their groups."""
        return Labels([], [self.times[t] for t in texts.tolist()], [self.sizes[t] for t in texts.tolist()])

    @property
    def more_bytes(self) -> int:
        """Bytes that the texts would have more if they were written as often as they count."""
        return sum((times - 1) * size for times, size in zip(self.times, self.sizes, strict=True))


class Bad(Exception):
    """A record that has no text to read.

    reason  in a few words, without names or numbers of its own: they are counted by it
    """

    def __init__(self, reason: str, hint: str = _REPAIR) -> None:
        super().__init__(reason)
        self.reason, self.hint = reason, hint


class Reader:
    """Records of one source: checks their fields, and counts those that are left out."""

    def __init__(self, source: Source, encoding: str, repairs: Repairs, longest: int = LONGEST_RECORD) -> None:
        assert source.records is not None
        self.source, self.encoding, self.repairs = source, encoding, repairs
        self.format: RecordFormat = source.records
        self.strip = None if source.strip is None else WHOLE[source.strip]
        self.longest = min(longest, LONGEST_RECORD)
        self.texts: list[bytes] = []
        self.place: list[int] = []
        self.groups: list[str] = []
        self.times: list[int] = []

    def refuse(self, place: str, bad: Bad) -> None:
        """Count a bad record with --skip-bad; otherwise raise TextError, which names its place."""
        where = f"{self.source.name}: {place}"
        if not self.format.skip_bad:
            raise TextError(f"{where}: {bad.reason}", bad.hint) from None
        self.repairs.leave_out_record(where, bad.reason)

    def add(self, place: int, text: Any, group: Any = None, times: Any = None) -> None:
        """Keep a record by the values of its fields; Bad where one is not what it must be."""
        text = checked_text(text, self.format.text)
        raw = utf_8(text if self.strip is None else self.strip(text), self.repairs)
        name = "" if self.format.group is None else group_name(group, self.format.group)
        count = 1 if self.format.times is None else whole_number(times, self.format.times)
        if count:
            self.keep(place, raw, name, count)

    def wanted(self, values: Iterable[Any]) -> bool:
        """True for a record of someone who was asked for, by the values of the fields of `by`; None where it has none.

        Counts the values that were found.
        """
        said = []
        for (column, names), value in zip(self.format.by, values, strict=True):
            name = named(value)
            if name is None or name not in names:
                return False
            said.append(f"{column}={name}")
        for one in said:
            self.repairs.found_by[one] = self.repairs.found_by.get(one, 0) + 1
        return True

    def keep(self, place: int, raw: bytes, group: str, times: int) -> None:
        """Keep a record whose fields were checked."""
        if self.format.group is not None:
            self.groups.append(group)
        if self.format.times is not None:
            self.times.append(times)
        self.texts.append(raw)
        self.place.append(place)

    def add_object(self, place: int, found: dict[str, Any]) -> None:
        """Keep the record of a JSON object; Bad where it lacks a field, or has something else there."""
        form = self.format
        if form.by and not self.wanted(value_of(found, field) for field, _ in form.by):
            return
        self.add(place, *(None if f is None else field_of(found, f) for f in (form.text, form.group, form.times)))

    def take(self, progress_bytes: int) -> Batch:
        """The records kept since the last batch."""
        f = self.format
        batch = Batch(
            self.texts,
            self.place,
            self.groups if f.group is not None else None,
            self.times if f.times is not None else None,
            progress_bytes,
        )
        self.texts, self.place, self.groups, self.times = [], [], [], []
        return batch


# ------------------------------------------------------------ values of fields


def checked_text(value: Any, field: str) -> str:
    """A text as it is; Bad for anything else."""
    if isinstance(value, str):
        return value
    raise Bad(f"field {field!r} is {kind_of(value)}, not a text")


def utf_8(text: str, repairs: Repairs) -> bytes:
    """UTF-8; half of a surrogate pair, which JSON can hold, becomes U+FFFD and is counted."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        repairs.invalid += whole.count("�") - text.count("�")
        return whole.encode()


def group_name(value: Any, field: str) -> str:
    """The name of a group: a text, a whole number, true or false; Bad for anything else.

    >>> group_name("Ann", "user"), group_name(12, "user"), group_name(True, "user")
    ('Ann', '12', 'true')
    """
    name = named(value)
    if name is None:
        raise Bad(f"field {field!r} is {kind_of(value)}, not a name")
    return name


def named(value: Any) -> str | None:
    """A text, a whole number, true or false as a name; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int)) else None


def whole_number(value: Any, field: str) -> int:
    """Parse the number of times that a record counts: a whole number, also as text; Bad for anything else.

    >>> whole_number("250", "n"), whole_number(3.0, "n")
    (250, 3)
    """
    name = f"field {field!r}" if field else "the count"
    number = -1
    if isinstance(value, str):
        digits = value.strip()
        if digits.isascii() and digits.isdigit():
            number = int(digits[-20:]) if len(digits) < 20 else MOST_TIMES + 1
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1:
        number = int(value)
    if not 0 <= number <= MOST_TIMES:
        raise Bad(f"{name} is no whole number from 0 to 2**40")
    return number


def kind_of(value: Any) -> str:
    """The kind of a JSON value, for a message.

    >>> kind_of(None), kind_of(2.5), kind_of([])
    ('null', 'a number', 'a list')
    """
    if value is None:
        return "null"
    kinds = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a text" if isinstance(value, str) else "no text")


def field_of(found: dict[str, Any], field: str) -> Any:
    """The value of a field, also of `a.b`; Bad where the object has none."""
    value = value_of(found, field, _NONE)
    if value is _NONE:
        names = ", ".join(map(repr, list(found)[:6])) + (", ..." if len(found) > 6 else "")
        raise Bad(f"no field {field!r}", f"its fields: {names or 'none'}; or leave such records out: --skip-bad")
    return value


_NONE = object()


def value_of(found: dict[str, Any], field: str, default: Any = None) -> Any:
    """The value of a field, also of `a.b`; `default` where the object has none."""
    if field in found:
        return found[field]
    value: Any = found
    for name in field.split("."):
        if not isinstance(value, dict) or name not in value:
            return default
        value = value[name]
    return value
