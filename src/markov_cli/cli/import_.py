"""`markov import`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .export import refuse_others
from .options import json_option, note, output_option, stdin_is_terminal
from .output import no_output
from .train import TOKENIZERS, UNITS

if TYPE_CHECKING:
    from ..api.model import Model


def _counts(path: str, options: dict[str, Any]) -> Model:
    from ..api.convert import import_counts

    return import_counts(path, **options)


def _markovify(path: str, options: dict[str, Any]) -> Model:
    from ..api.convert import import_markovify

    return import_markovify(path, **options)


def _arpa(path: str, options: dict[str, Any]) -> Model:
    from ..api.convert import import_arpa

    return import_arpa(path, **options)


@dataclass(frozen=True)
class Format:
    """A way to read a model: what reads it, and the options that it takes beside those about text."""

    read: Callable[[str, dict[str, Any]], Any]
    options: tuple[str, ...] = ()


TEXT_OPTIONS = ("tokenizer", "unit", "lowercase", "pattern")
FORMATS = {"arpa": Format(_arpa), "counts": Format(_counts, ("order",)), "markovify": Format(_markovify)}
_BEGINNINGS = {b"\\data\\": "arpa", b"{": "markovify", b"[": "markovify"}


@click.command(name="import", short_help="Make a model from another program's.")
@click.argument("file", type=click.Path(), metavar="FILE")
@output_option
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    help="arpa: n-grams with probabilities, as KenLM and SRILM write them. counts: lines of n-grams and counts, as "
    "Google and SRILM write them. markovify: its JSON.  "
    "[default: what the file looks like]",
)
@click.option("-n", "--order", type=click.IntRange(1), help="counts: the order.  [default: that of the longest n-gram]")
@click.option(
    "--tokenizer",
    type=click.Choice(TOKENIZERS),
    default="spaces",
    show_default=True,
    help="How text is divided into tokens for this model; the file does not say.",
)
@click.option("--pattern", metavar="REGEX", help=r"Tokens for --tokenizer regex.  [default: \w+|[^\w\s]]")
@click.option("--unit", type=click.Choice(UNITS), default="line", show_default=True, help="What one sequence is.")
@click.option("--lowercase", is_flag=True, help="Text is read in lower case for this model.")
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No summary; errors only.")
@click.pass_context
def import_(
    ctx: click.Context, /, file: str, output: str | None, form: str | None, as_json: bool, quiet: bool, **given: Any
) -> None:
    """Make a model from what another program wrote.

    \b
    markov import book.arpa.gz -o book.npz
    markov import book.tsv -o book.npz
    markov import model.json -o model.npz

    arpa: the model holds probabilities and no counts; it scores and generates, and what needs
    counts says so. counts: every n-gram of all orders, whose counts are checked against each other, or of the
    longest alone, with the sequences that are shorter; a file that leaves rare ones out is
    refused. markovify: Text, NewlineText or Chain, compiled or not; state size 2 becomes order 3.
    Compressed files are noticed. All in memory.
    """
    if output is None:
        raise no_output("MODEL.npz", f"markov import {file} -o MODEL.npz")
    if file == "-" and stdin_is_terminal():
        raise OptionError("-: standard input is a terminal", "name a file")
    begin = time.monotonic()
    if form is None:
        form = looks_like(file)
    if form not in FORMATS:
        raise OptionError(f"{file}: {form}, which cannot be imported", f"one of {', '.join(FORMATS)}")
    chosen = FORMATS[form]
    refuse_others(ctx, form, (*TEXT_OPTIONS, *chosen.options))
    from ..render.train import import_notes
    from .output import check_model_target, finish

    check_model_target(output)
    model = chosen.read(file, {name: given[name] for name in (*TEXT_OPTIONS, *chosen.options)})
    for text in import_notes(model.notes):
        note(text, quiet)
    finish(model, output, begin, as_json, quiet)


def looks_like(file: str) -> str:
    """The format of a file, by how it begins."""
    if file == "-":
        raise OptionError("-: what format is it?", f"--format with one of {', '.join(FORMATS)}")
    from ..text.reading import Source, find_sources, open_bytes

    find_sources([file])
    stream = open_bytes(Source(file))
    try:
        head = stream.read(1 << 12).removeprefix(b"\xef\xbb\xbf").lstrip()
    finally:
        stream.close()
    # a line of counts may begin with any of these; it ends in a tab and a number
    line = head.split(b"\n")[0].split(b"\t")
    if len(line) > 1 and line[-1].strip().isdigit():
        return "counts"
    return next((form for mark, form in _BEGINNINGS.items() if head.lower().startswith(mark)), "counts")
