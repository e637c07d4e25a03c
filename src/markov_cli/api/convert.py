"""The Python API of the files that other programs write and read."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from ..errors import MarkovError, NeedsCounts, OptionError
from ..formats.lower_orders import Derived, Rows, derive
from ..model.building import build_table
from ..model.language_model import LanguageModel
from ..model.model_file import Header
from ..text.encoder import TextOptions
from ..text.reading import Source, open_bytes
from ..text.types import BOS, EOS, N_MARKERS, UNK, Types
from .model import Model

if TYPE_CHECKING:
    from ..model.distribution import Distribution


def export_arpa(model: Model, out: IO[bytes], smoothing: str | None = None, jobs: int = 2) -> Distribution:
    """Write a model as ARPA; returns the distribution that was written.

    smoothing  wb, abs or, where none is named, kn; a model that holds probabilities has its own alone
    """
    from ..formats.arpa import export_arpa as write

    distribution = model.distribution(smoothing, default="kn")
    model.checked(write, out, distribution, model.vocabulary, jobs)
    return distribution


def import_arpa(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    jobs: int = 2,
) -> Model:
    """A model of probabilities from an ARPA file, also a compressed one; ModelFileError where it is none.

    It scores and generates; what needs counts says so. The options say how text is read for it: the file does not.
    """
    from ..formats.arpa import import_arpa as read

    options = TextOptions.of(tokenizer, unit, lowercase, pattern)
    header, types, table, notes = read(os.fspath(path), options, jobs)
    model = Model(LanguageModel.of(header, types, table))
    model.notes = notes
    return model


def export_counts(model: Model, out: IO[bytes], order: int | None = None) -> int:
    """Write n-grams and their counts, a line each: of one order, or of all; returns the lines written."""
    from ..formats.ngram_counts import write_counts

    _need_counts(model)
    if order is not None and not 1 <= order <= model.order:
        raise OptionError(f"--order {order}: the model has 1 to {model.order}", "leave it out for all of them")
    longest = model.table.order
    orders = [*range(1, longest + 1)] if order is None else [min(order, longest)]
    return model.checked(write_counts, out, model.table, model.vocabulary, orders)


def export_markovify(model: Model, out: IO[bytes]) -> int:
    """Write a model for markovify's `NewlineText.from_json`; returns how many types became one with another."""
    from ..formats.markovify import write_markovify

    _need_counts(model)
    if model.table.pruned:
        raise MarkovError(
            "a pruned model: markovify stops with an error where a state is missing",
            "export the model before it is pruned; --max-types makes it smaller and leaves no gaps",
        )
    return model.checked(write_markovify, out, model.table, model.vocabulary, model.order)


def _need_counts(model: Model) -> None:
    if model.header.holds == "probabilities":
        raise NeedsCounts("the model holds probabilities only, and this format counts", "--format arpa")


def import_counts(
    path: str | os.PathLike[str],
    *,
    order: int | None = None,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    jobs: int = 1,
) -> Model:
    """A model from lines of n-grams and counts.

    order  None for that of the longest n-gram
    The others say how text is read for it; the file does not.
    """
    from ..formats.ngram_counts import read_counts

    name = os.fspath(path)
    given, types = read_counts(Source(name))
    return _model(given, types, name, order, TextOptions.of(tokenizer, unit, lowercase, pattern), jobs)


def import_markovify(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    jobs: int = 1,
) -> Model:
    """A model from markovify's JSON: state size s becomes order s + 1."""
    from ..formats.markovify import read_markovify

    source = Source(os.fspath(path))
    stream = open_bytes(source)
    try:
        data = b"".join(iter(lambda: stream.read(1 << 24), b""))
    finally:
        stream.close()
    given, types, order = read_markovify(data, source.name)
    return _model(given, types, source.name, order, TextOptions.of(tokenizer, unit, lowercase, pattern), jobs)


def _model(
    given: dict[int, Rows], types: Types, name: str, order: int | None, options: TextOptions, jobs: int
) -> Model:
    derived: Derived = derive(given, types, name, order)
    count = derived.levels[0].count
    order = max(given) if order is None else order
    header = Header(
        order=order,
        options=options,
        tokens=int(count.sum()) - int(count[BOS]) - int(count[EOS]),
        types=len(derived.types),
        sequences=int(count[EOS]),
        corpus_bytes=0,
        max_types=max(len(derived.types), 1) if count[UNK] else None,
    )
    table = build_table(derived.levels, order, jobs=jobs)
    assert table.n_ids == N_MARKERS + header.types
    return Model(LanguageModel.of(header, derived.types, table))


__all__ = [
    "export_arpa",
    "export_counts",
    "export_markovify",
    "import_arpa",
    "import_counts",
    "import_markovify",
]
