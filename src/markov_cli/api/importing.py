"""Reads models and counts of other programs: ARPA, counts, markovify."""

from __future__ import annotations

import os
from functools import partial

from ..errors import OptionError, TextError
from ..formats.counted_model import counted_model
from ..formats.foreign_files import ForeignFiles
from ..formats.lower_orders import Rows
from ..formats.ngram_listing import Notes
from ..formats.word_checks import check_lengths
from ..model.language_model import LanguageModel
from ..text.encoder import TextOptions
from ..text.sources import EXPANSION, Paths, listed
from ..text.types import Types, invalid_types
from .model import Model

Years = tuple[int | None, int | None]


def import_model(
    paths: Paths,
    *,
    format: str | None = None,
    order: int | None = None,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    keep_newlines: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    space_as: str | None = None,
    years: Years = (None, None),
    jobs: int = 2,
) -> Model:
    """Make a model from another program's file, compressed or not; `-` is standard input.

    paths     a file; for counts, several files or a folder, too
    format    `arpa`, `counts`, `books` (n-grams of Google Books) or `markovify`; None for what the file looks like
    order     counts only; None for that of the longest n-gram
    tokenizer, unit, lowercase, pattern, keep_newlines  how text is read for the model; the file does not say
    encoding  of the file; byte-order marks are noticed
    max_expansion  how far compressed files may expand, as in `train`
    space_as  ARPA and counts only: the word that stands for a space, for a model of characters
    years     books only: the first and the last year whose counts are added up, None for any

    OptionError for another format; TextError, or ModelFileError, for a file that does not have it. `Model.notes` and
    `Model.repairs` tell what was read otherwise.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "m.tsv")
    ...     _ = markov_cli.export_counts(markov_cli.train(texts=["a b", "a c"], order=2), path)
    ...     markov_cli.import_model(path).header.holds
    'counts'
    """
    options = TextOptions.of(tokenizer, unit, lowercase, pattern, keep_newlines)
    files = ForeignFiles([os.fspath(p) for p in listed(paths)], format, encoding, max_expansion)
    return read_model(files, options, order=order, space_as=space_as, years=years, jobs=jobs)


def read_model(
    files: ForeignFiles,
    options: TextOptions,
    *,
    order: int | None = None,
    space_as: str | None = None,
    years: Years = (None, None),
    jobs: int = 2,
) -> Model:
    """`import_model` from files that are found and open."""
    try:
        if years != (None, None) and files.form != "books":
            raise OptionError(f"years: a file of format {files.form} has none", "leave them out")
        if order is not None and files.form not in ("counts", "books"):
            raise OptionError(f"order {order}: a file of format {files.form} says its order", "leave it out")
        if space_as is not None and files.form not in ("arpa", "counts"):
            raise OptionError(f"--space-as {space_as}: not for format {files.form}", "leave it out")
        if space_as is not None and options.tokenizer not in ("chars", "regex"):
            raise OptionError(
                f"--space-as {space_as}: --tokenizer {options.tokenizer} has no token that is a space",
                "add --tokenizer chars",
            )
        if files.form == "arpa":
            model = _arpa(files, options, space_as, jobs)
        elif files.form == "markovify":
            model = _markovify(files, options, jobs)
        elif files.form == "books":
            model = _books(files, options, order, years, jobs)
        else:
            model = _counts(files, options, order, space_as, jobs)
        assert model.notes is not None
        model.notes.left_out = files.left_out
        model.repairs.add(files.repairs)
        return model
    finally:
        files.close()


def _arpa(files: ForeignFiles, options: TextOptions, space_as: str | None, jobs: int) -> Model:
    from ..formats.arpa import import_arpa as read

    for file in files.each():
        header, types, table, notes = read(file, options, space_as, jobs)
    model = Model(LanguageModel.of(header, types, table))
    model.notes = notes
    return model


def _counts(files: ForeignFiles, options: TextOptions, order: int | None, space_as: str | None, jobs: int) -> Model:
    from ..formats.ngram_counts import read_counts

    notes = Notes()
    given, types = read_counts(files.each(), notes, space_as)
    return _counted(given, types, files.name, order, options, jobs, notes)


def _books(files: ForeignFiles, options: TextOptions, order: int | None, years: Years, jobs: int) -> Model:
    from ..formats.books import read_books

    notes = Notes()
    given, types = read_books(files.each(), years, notes)
    if not given:
        raise TextError(f"{files.name}: no n-gram in these years", "choose other --years")
    return _counted(given, types, files.name, order, options, jobs, notes, cut=True)


def _markovify(files: ForeignFiles, options: TextOptions, jobs: int) -> Model:
    from ..formats.markovify import read_markovify

    data = b"".join(piece for file in files.each() for piece in iter(partial(file.read, 1 << 24), b""))
    given, types, order = read_markovify(data, files.name)
    return _counted(given, types, files.name, order, options, jobs, Notes())


def _counted(
    given: dict[int, Rows],
    types: Types,
    name: str,
    order: int | None,
    options: TextOptions,
    jobs: int,
    notes: Notes,
    cut: bool = False,
) -> Model:
    check_lengths(types, options.tokenizer, name)
    model = Model(counted_model(given, types, name, order, options, jobs, notes, cut))
    notes.invalid_words, notes.invalid_text = invalid_types(types)
    model.notes = notes
    return model


def import_arpa(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    keep_newlines: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    space_as: str | None = None,
    jobs: int = 2,
) -> Model:
    """Make a model of probabilities from an ARPA file, compressed or not.

    It scores and generates; what needs counts raises NeedsCounts.

    tokenizer, unit, lowercase, pattern, keep_newlines  how text is read for the model; the file does not say
    encoding  of the file; byte-order marks are noticed
    max_expansion  how far compressed files may expand, as in `train`
    space_as  the word that stands for a space, for a model of characters

    ModelFileError if the file is no ARPA. `Model.notes` and `Model.repairs` tell what was read otherwise.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "m.arpa")
    ...     _ = markov_cli.export_arpa(markov_cli.train(texts=["a b", "a c"], order=2), path)
    ...     markov_cli.import_arpa(path).header.holds
    'probabilities'
    """
    return import_model(
        path, format="arpa", tokenizer=tokenizer, unit=unit, lowercase=lowercase, pattern=pattern,
        keep_newlines=keep_newlines, encoding=encoding, max_expansion=max_expansion, space_as=space_as, jobs=jobs,
    )  # fmt: skip


def import_counts(
    paths: Paths,
    *,
    order: int | None = None,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    keep_newlines: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    space_as: str | None = None,
    jobs: int = 1,
) -> Model:
    """Make a model from lines of n-grams and counts, as Google and SRILM write them.

    paths     files or folders, in any order
    order     None for that of the longest n-gram
    tokenizer, unit, lowercase, pattern, keep_newlines  how text is read for the model; the file does not say
    encoding  of the files; byte-order marks are noticed
    max_expansion  how far compressed files may expand, as in `train`
    space_as  the word that stands for a space, for a model of characters

    TextError if a line is none, or counts do not add up.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "m.tsv")
    ...     _ = path.write_text("<s> a\\t2\\na b\\t2\\nb </s>\\t2\\n")
    ...     [f.token for f in markov_cli.import_counts(path).followers("a").followers]
    ['b']
    """
    return import_model(
        paths, format="counts", order=order, tokenizer=tokenizer, unit=unit, lowercase=lowercase, pattern=pattern,
        keep_newlines=keep_newlines, encoding=encoding, max_expansion=max_expansion, space_as=space_as, jobs=jobs,
    )  # fmt: skip


def import_markovify(
    path: str | os.PathLike[str],
    *,
    tokenizer: str = "spaces",
    unit: str = "line",
    lowercase: bool = False,
    pattern: str | None = None,
    keep_newlines: bool = False,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jobs: int = 1,
) -> Model:
    """Make a model from markovify's JSON; state size s becomes order s + 1.

    tokenizer, unit, lowercase, pattern, keep_newlines  how text is read for the model; the file does not say
    encoding  of the file; byte-order marks are noticed
    max_expansion  how far compressed files may expand, as in `train`

    TextError if it is no such JSON.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "m.json")
    ...     _ = markov_cli.export_markovify(markov_cli.train(texts=["a b", "a c"], order=2), path)
    ...     markov_cli.import_markovify(path).order
    2
    """
    return import_model(
        path, format="markovify", tokenizer=tokenizer, unit=unit, lowercase=lowercase, pattern=pattern,
        keep_newlines=keep_newlines, encoding=encoding, max_expansion=max_expansion, jobs=jobs,
    )  # fmt: skip
