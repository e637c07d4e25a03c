"""Results as JSON: one object for each, the same in Python and with `--json`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar

from ..text.reading import Repairs

OPTIONAL = {"optional": True}  # a field that JSON leaves out if it is None
INLINE = {"inline": True}  # a field that holds a result or None; its fields stand in JSON in its place
PYTHON_ONLY = {"python_only": True}  # a field that JSON leaves out


def rounded(digits: int, **more: Any) -> Any:
    """A field that JSON has to so many decimal places."""
    return field(metadata={"digits": digits}, **more)


def significant(digits: int) -> Any:
    """A field that JSON has to so many significant digits."""
    return field(metadata={"significant": digits})


class Result:
    """Base of the result types: frozen dataclasses whose fields have the names of the JSON keys.

    `to_dict` gives the object that the command prints with `--json`.

    >>> from markov_cli.api.results import LengthCount
    >>> LengthCount(tokens=3, sequences=2).to_dict()
    {'tokens': 3, 'sequences': 2}
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it: lists for tuples, None for a number that is not finite."""
        out: dict[str, Any] = {}
        for one in fields(self):
            value, how = getattr(self, one.name), one.metadata
            if "python_only" in how or (value is None and ("optional" in how or "inline" in how)):
                continue
            if "inline" in how:
                out |= value.to_dict()
            else:
                out[one.name] = plain(value, how.get("digits"), how.get("significant"))
        return out


def plain(value: Any, digits: int | None = None, significant: int | None = None) -> Any:
    """A value as JSON can have it; floats inside it rounded."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        if significant is not None:
            return float(f"{value:.{significant}g}")
        return value if digits is None else round(value, digits) + 0.0
    if isinstance(value, Mapping):
        return {str(name): plain(v, digits, significant) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v, digits, significant) for v in value]
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def ratio(n: float, of: float) -> float | None:
    """A share; None of nothing."""
    return n / of if of else None


# ------------------------------------------------------------ parts that several results share


@dataclass(frozen=True)
class GuardFigures(Result):
    """The guard of a model: hashes of the runs of its training text.

    tokens        tokens of each run
    runs          distinct runs
    bits          bits that they take; bits_per_run of each
    false_seen    share of new runs that it takes for seen ones
    is_table_for_guesses  True in an audit: who has the model can confirm guesses
    """

    tokens: int
    runs: int
    bits: int
    bits_per_run: float = rounded(3)
    false_seen: float = significant(3)
    is_table_for_guesses: bool | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Marker(Result):
    """A marker among tokens: `<s>`, `</s>` or `<unk>`. Its `token` is None, so that no text can be mistaken for it."""

    token: None = field(default=None, init=False)
    marker: str


@dataclass(frozen=True)
class LengthCount(Result):
    """The number of sequences of one length."""

    tokens: int
    sequences: float = rounded(6)


@dataclass(frozen=True)
class RepairCounts(Result):
    """Changes and omissions when text was read.

    invalid           byte sequences that are no UTF-8, read as U+FFFD
    crlf              line ends CR LF, read as LF
    byte_order_marks  marks left out
    empty_sequences   sequences without a token
    unmatched         characters that the pattern does not match
    transcoded        files that were read by their byte-order mark
    skipped           files of a folder that are not text
    bad_records       records left out (`--skip-bad`), by what is wrong with them
    """

    invalid: int
    crlf: int
    byte_order_marks: int
    empty_sequences: int
    unmatched: int
    transcoded: tuple[str, ...]
    skipped: tuple[str, ...]
    bad_records: Mapping[str, int]

    @classmethod
    def of(cls, r: Repairs) -> RepairCounts:
        """Counts from the reader's own."""
        return cls(
            r.invalid, r.crlf, r.byte_order_marks, int(r.empty_sequences), r.unmatched,
            tuple(r.transcoded), tuple(r.skipped), dict(r.bad_records),
        )  # fmt: skip


@dataclass(frozen=True)
class WordListFigures(Result):
    """A word list, and its words in a model.

    words        distinct words in it
    absent       those that the model lacks
    duplicates   lines that repeat a word
    blank_lines  lines without a word
    markers      markers that stand in it, which are left out
    """

    words: int
    absent: int
    duplicates: int
    blank_lines: int
    markers: tuple[str, ...]


@dataclass(frozen=True)
class ModelSummary(Result):
    """Size and origin of a model, as the commands that make one report it.

    model         its file; None for a model in memory
    tokens, types  without markers
    ngrams        rows of the table, by order
    min_sequences, min_files, cap_per_sequence  what protects the text, where anything does
    corpus_bytes  bytes of the training text
    model_bytes   bytes of the file; None for a model in memory
    """

    model: str | None
    order: int
    tokenizer: str
    unit: str
    tokens: int
    types: int
    sequences: int
    ngrams: tuple[int, ...]
    min_sequences: int | None = field(default=None, metadata=OPTIONAL)
    min_files: int | None = field(default=None, metadata=OPTIONAL)
    cap_per_sequence: int | None = field(default=None, metadata=OPTIONAL)
    corpus_bytes: int = 0
    guard: GuardFigures | None = field(default=None, metadata=OPTIONAL)
    model_bytes: int | None = None
