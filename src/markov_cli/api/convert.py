"""Writes models for other programs: ARPA, counts, markovify."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TypeVar

from ..errors import MarkovError, NeedsCounts, OptionError
from ..model.atomic_file import atomic_write
from ..model.distribution import distribution_notes
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


def export_arpa(
    model: ModelLike, out: Target, smoothing: str | None = None, *, space_as: str | None = None, jobs: int = 2
) -> Export:
    """Write a model as ARPA, for KenLM and others.

    out        a path, or a file open for bytes; a path is replaced as a whole
    smoothing  kn (None), wb or abs; None too for the probabilities that the model holds

    space_as   the word that stands for a space, in a model of characters; None for its escape

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
    notes += _space_notes(one, space_as)
    _, file, size = _write(out, lambda f: one.checked(write, f, distribution, one.vocabulary, jobs, space_as))
    return Export(one.path, file, "arpa", size, tuple(notes))


def export_counts(model: ModelLike, out: Target, order: int | None = None, *, space_as: str | None = None) -> Export:
    """Write n-grams and their counts, a line each: the words, a tab, the count.

    out       a path, or a file open for bytes
    order     n-grams of this order only; None for all
    space_as  the word that stands for a space, in a model of characters; None for its escape

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
    _, file, size = _write(out, lambda f: one.checked(write_counts, f, one.table, one.vocabulary, orders, space_as))
    notes = _space_notes(one, space_as)
    if one.table.pruned:
        notes.append("the model is pruned: import will not take a file that lacks n-grams")
    elif not one.header.borders:
        notes = ["the model counts no <s> and </s>: import will not take the file"]
    elif one.header.cap_per_sequence:
        notes.append("counts are numbers of sequences, which do not add up: import will not take them")
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
    if not one.header.borders:
        raise MarkovError(
            "markovify needs the beginnings of texts, and the model was trained with --no-borders", "train it without"
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


def _space_notes(model: Model, space_as: str | None) -> list[str]:
    """A note where the space of a model of characters is written as an escape."""
    if space_as is not None or model.header.options.tokenizer != "chars" or not model.vocabulary.find(b" "):
        return []
    return ["a space is written \\u{20}; a decoder may want --space-as '|' or --space-as '<space>'"]


def _need_counts(model: Model) -> None:
    if model.header.holds == "probabilities":
        raise NeedsCounts("the model holds no counts, and this format needs them", "--format arpa")
