"""Reads and writes the files of other programs: ARPA, counts, markovify."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TypeVar

from ..errors import MarkovError, NeedsCounts, OptionError
from ..formats.counted_model import counted_model
from ..formats.detect import FORMATS, format_of
from ..model.atomic_file import atomic_write
from ..model.distribution import distribution_notes
from ..model.language_model import LanguageModel
from ..text.encoder import TextOptions
from ..text.reading import Source, open_bytes
from .model import Model, ModelLike, opened
from .results import Result

Target = str | os.PathLike[str] | IO[bytes]
T = TypeVar("T")


@dataclass(frozen=True)
class Export(Result):
    """A file that was written for another program.

    model, file  None for a model in memory, and for an open file
    bytes        of the file; None for an open file
    notes        what the other program reads otherwise
    """

    model: str | None
    file: str | None
    format: str
    bytes: int | None
    notes: tuple[str, ...]


def export_arpa(model: ModelLike, out: Target, smoothing: str | None = None, *, jobs: int = 2) -> Export:
    """Write a model as ARPA, for KenLM and others.

    out        a path, or a file open for bytes; a path is replaced as a whole
    smoothing  kn (None), wb or abs; None too for the probabilities that the model holds

    OptionError for a smoothing without the form of ARPA; NeedsCounts if the model holds probabilities and a
    smoothing is named.

    >>> import io, markov_cli
    >>> out = io.BytesIO()
    >>> _ = markov_cli.export_arpa(markov_cli.train(texts=["a b", "a c"], order=2), out)
    >>> out.getvalue().split(b"\\n")[1]
    b'ngram 1=6'
    """
    from ..formats.arpa import export_arpa as write

    one = opened(model)
    distribution = one.distribution(smoothing, default="kn")
    notes = distribution_notes(distribution)
    if not 2 <= one.order <= 6:
        notes.append(f"order {one.order}: KenLM reads orders 2 to 6, unless it was built for more")
    _, file, size = _write(out, lambda f: one.checked(write, f, distribution, one.vocabulary, jobs))
    return Export(one.path, file, "arpa", size, tuple(notes))


def export_counts(model: ModelLike, out: Target, order: int | None = None) -> Export:
    """Write n-grams and their counts, a line each: the words, a tab, the count.

    out    a path, or a file open for bytes
    order  n-grams of this order only; None for all

    OptionError for an order that the model does not have; NeedsCounts if it holds no counts.

    >>> import io, markov_cli
    >>> out = io.BytesIO()
    >>> _ = markov_cli.export_counts(markov_cli.train(texts=["a b", "a c"], order=2), out, order=2)
    >>> out.getvalue().split(b"\\n")[0]
    b'<s> a\\t2'
    """
    from ..formats.ngram_counts import write_counts

    one = opened(model)
    _need_counts(one)
    if order is not None and not 1 <= order <= one.order:
        raise OptionError(f"--order {order}: the model has 1 to {one.order}", "leave it out for all of them")
    longest = one.table.height
    orders = [*range(1, longest + 1)] if order is None else [min(order, longest)]
    _, file, size = _write(out, lambda f: one.checked(write_counts, f, one.table, one.vocabulary, orders))
    notes = []
    if one.table.pruned:
        notes = ["the model is pruned: import will not take a file that lacks n-grams"]
    elif one.header.cap_per_sequence:
        notes = ["counts are numbers of sequences, which do not add up: import will not take them"]
    return Export(one.path, file, "counts", size, tuple(notes))


def export_markovify(model: ModelLike, out: Target) -> Export:
    """Write a model for markovify's `NewlineText.from_json`.

    out  a path, or a file open for bytes

    MarkovError for a pruned model; NeedsCounts if the model holds no counts.

    >>> import io, json, markov_cli
    >>> out = io.BytesIO()
    >>> _ = markov_cli.export_markovify(markov_cli.train(texts=["a b", "a c"], order=2), out)
    >>> json.loads(out.getvalue())["state_size"]
    1
    """
    from ..formats.markovify import write_markovify

    one = opened(model)
    _need_counts(one)
    if one.table.pruned:
        raise MarkovError(
            "markovify cannot use a pruned model: it stops with an error at a missing state",
            "export the model before pruning; prune --max-types is allowed",
        )
    alike, file, size = _write(out, lambda f: one.checked(write_markovify, f, one.table, one.vocabulary, one.order))
    notes = [] if one.header.options.tokenizer == "spaces" else ["markovify writes a space between any two tokens"]
    if alike:
        notes.append(f"{alike:,} types were merged with types that differ only in how they touch their neighbours")
    return Export(one.path, file, "markovify", size, tuple(notes))


def _write(out: Target, write: Callable[[IO[bytes]], T]) -> tuple[T, str | None, int | None]:
    """Write to a path, whole or not at all, or to an open file; what that gave, the path, and its bytes."""
    if not isinstance(out, (str, os.PathLike)):
        return write(out), None, None
    path = os.fspath(out)
    with atomic_write(path) as f:
        found = write(f)
    return found, path, os.stat(path).st_size


def _need_counts(model: Model) -> None:
    if model.header.holds == "probabilities":
        raise NeedsCounts("the model holds no counts, and this format needs them", "--format arpa")


def import_model(
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    order: int | None = None,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    jobs: int = 2,
) -> Model:
    """Make a model from another program's file.

    format  `arpa`, `counts` or `markovify`; None for what the file looks like
    order   counts only; None for that of the longest n-gram
    tokenizer, unit, lowercase, pattern  how text is read for the model; the file does not say

    OptionError for another format; TextError, or ModelFileError, for a file that does not have it.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "m.tsv")
    ...     _ = markov_cli.export_counts(markov_cli.train(texts=["a b", "a c"], order=2), path)
    ...     markov_cli.import_model(path).header.holds
    'counts'
    """
    name = os.fspath(path)
    form = format_of(name) if format is None else format
    if form == "counts":
        return import_counts(
            name, order=order, tokenizer=tokenizer, unit=unit, lowercase=lowercase, pattern=pattern, jobs=jobs
        )
    if form not in FORMATS:
        raise OptionError(f"format {form!r}", f"one of {', '.join(FORMATS)}")
    if order is not None:
        raise OptionError(f"order {order}: a file of format {form} says its order", "leave it out")
    read = import_arpa if form == "arpa" else import_markovify
    return read(name, tokenizer=tokenizer, unit=unit, lowercase=lowercase, pattern=pattern, jobs=jobs)


def import_arpa(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    jobs: int = 2,
) -> Model:
    """Make a model of probabilities from an ARPA file, compressed or not.

    It scores and generates; what needs counts raises NeedsCounts.

    tokenizer, unit, lowercase, pattern  how text is read for the model; the file does not say

    ModelFileError if the file is no ARPA. `Model.notes` tells what was read otherwise.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "m.arpa")
    ...     _ = markov_cli.export_arpa(markov_cli.train(texts=["a b", "a c"], order=2), path)
    ...     markov_cli.import_arpa(path).header.holds
    'probabilities'
    """
    from ..formats.arpa import import_arpa as read

    options = TextOptions.of(tokenizer, unit, lowercase, pattern)
    header, types, table, notes = read(os.fspath(path), options, jobs)
    model = Model(LanguageModel.of(header, types, table))
    model.notes = notes
    return model


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
    """Make a model from lines of n-grams and counts, as Google and SRILM write them.

    order  None for that of the longest n-gram
    tokenizer, unit, lowercase, pattern  how text is read for the model; the file does not say

    TextError if a line is none, or counts do not add up.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "m.tsv")
    ...     _ = path.write_text("<s> a\\t2\\na b\\t2\\nb </s>\\t2\\n")
    ...     [f.token for f in markov_cli.import_counts(path).followers("a").followers]
    ['b']
    """
    from ..formats.ngram_counts import read_counts

    name = os.fspath(path)
    given, types = read_counts(Source(name))
    options = TextOptions.of(tokenizer, unit, lowercase, pattern)
    return Model(counted_model(given, types, name, order, options, jobs))


def import_markovify(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    jobs: int = 1,
) -> Model:
    """Make a model from markovify's JSON; state size s becomes order s + 1.

    tokenizer, unit, lowercase, pattern  how text is read for the model; the file does not say

    TextError if it is no such JSON.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "m.json")
    ...     _ = markov_cli.export_markovify(markov_cli.train(texts=["a b", "a c"], order=2), path)
    ...     markov_cli.import_markovify(path).order
    2
    """
    from ..formats.markovify import read_markovify

    source = Source(os.fspath(path))
    stream = open_bytes(source)
    try:
        data = b"".join(iter(lambda: stream.read(1 << 24), b""))
    finally:
        stream.close()
    given, types, order = read_markovify(data, source.name)
    options = TextOptions.of(tokenizer, unit, lowercase, pattern)
    return Model(counted_model(given, types, source.name, order, options, jobs))
