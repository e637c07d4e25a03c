"""Names the format of records: which field of a file holds the text, its group, and how often it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import OptionError

JSONL, CSV, PARQUET, COUNTED = "jsonl", "csv", "parquet", "counted"


@dataclass(frozen=True)
class RecordFormat:
    """Where the texts of a file are.

    kind      jsonl, csv, parquet, or counted: lines of `text<TAB>count`
    text      the field of the text; a.b is the field b of the object a. Empty for counted
    group     the field whose value names the record's group; None without groups
    times     the field of the number of times that the record counts; None for once
    skip_bad  records without a text are left out; otherwise the first is an error
    by        only records are read that have one of the values in each of these fields
    """

    kind: str
    text: str = ""
    group: str | None = None
    times: str | None = None
    skip_bad: bool = False
    by: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def fields(self) -> list[str]:
        """The fields that are read: text, group, times, as far as there are any, and those of `by`."""
        return [f for f in (self.text, self.group, self.times, *dict(self.by)) if f is not None]

    @property
    def said_by(self) -> list[str]:
        """Each `FIELD=VALUE` of `by`."""
        return [f"{field}={value}" for field, values in self.by for value in values]

    def number_found(self, found_by: Mapping[str, int]) -> int | None:
        """The number of records that have the values of `by`; None where all are read.

        found_by  the number of those with each `FIELD=VALUE`
        """
        if not self.by:
            return None
        field, values = self.by[0]
        return sum(found_by.get(f"{field}={value}", 0) for value in values)


def record_format(
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    *,
    counted: bool = False,
    group: str | int | None = None,
    label: str | int | None = None,
    times: str | int | None = None,
    skip_bad: bool = False,
    by: Mapping[str, str | Sequence[str]] | None = None,
) -> RecordFormat | None:
    """The one format that is named, None for plain text; OptionError where options exclude each other."""
    chosen = tuple((f, (v,) if isinstance(v, str) else tuple(dict.fromkeys(v))) for f, v in (by or {}).items())
    named = [("--jsonl", jsonl), ("--csv", csv), ("--parquet", parquet)]
    given = [(option, value) for option, value in named if value is not None]
    if counted:
        given.append(("--weights", ""))
    if len(given) > 1:
        raise OptionError(f"{given[0][0]} and {given[1][0]} exclude each other", _one_of(given[1][0]))
    of_records = [("--group-by", group), ("--label", label), ("--weights-field", times)]
    for option, value in (*of_records, *(("--by", field) for field, _ in chosen)):
        if value is not None and (not given or counted):
            raise OptionError(f"{option} needs --jsonl, --csv or --parquet", "name the field of the text, too")
    if not given:
        if skip_bad:
            raise OptionError("--skip-bad needs records", "add --jsonl FIELD, --csv COLUMN or --parquet COLUMN")
        return None
    option, value = given[0]
    kind = COUNTED if counted else option[2:]
    if value == "" and not counted:
        raise OptionError(f"{option} '': no name", f"name the field of the text, for example {option} text")
    group = label if group is None else group
    group, times = (None if f is None else str(f) for f in (group, times))
    if kind == COUNTED:
        times = ""
    if kind == CSV and any(f and f.isdecimal() and not int(f) for f in (str(value), group, times, *dict(chosen))):
        raise OptionError("column 0: columns are numbered from 1", "give a name, or a number from 1")
    if kind == CSV and str(value).isdecimal():
        others = [("--group-by or --label", group), ("--weights-field", times), *(("--by", f) for f, _ in chosen)]
        for option, field in others:
            if field is not None and not field.isdecimal():
                raise OptionError(
                    f"--csv {value}, {option} {field!r}: with a number, no row is a header",
                    "give all columns by number, or all by name",
                )
    return RecordFormat(kind, str(value), group, times, skip_bad, chosen)


def _one_of(option: str) -> str:
    return "the second field is named by --weights-field" if option == "--weights" else "choose one"
