"""`markov import`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .export import refuse_others
from .options import json_option, note, output_option, quiet_option, stdin_is_terminal
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
    """A format to read: its reader, and its options beside those about text."""

    read: Callable[[str, dict[str, Any]], Any]
    options: tuple[str, ...] = ()


TEXT_OPTIONS = ("tokenizer", "unit", "lowercase", "pattern")
FORMATS = {"arpa": Format(_arpa), "counts": Format(_counts, ("order",)), "markovify": Format(_markovify)}
_BEGINNINGS = {b"\\data\\": "arpa", b"{": "markovify", b"[": "markovify"}


@click.command(name="import", short_help="Read the model of another program.")
@click.argument("file", type=click.Path(), metavar="FILE")
@output_option
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    help="arpa: n-grams with probabilities, as KenLM and SRILM write them. counts: lines of n-grams and counts, as "
    "Google and SRILM write them. markovify: its JSON.  "
    "[default: recognised from the file]",
)
@click.option(
    "-n", "--order", type=click.IntRange(1), help="For counts: the order.  [default: that of the longest n-gram]"
)
@click.option(
    "--tokenizer",
    type=click.Choice(TOKENIZERS),
    default="spaces",
    show_default=True,
    help="The tokens of text for this model; the file does not tell.",
)
@click.option("--pattern", metavar="REGEX", help=r"The tokens of --tokenizer regex.  [default: \w+|[^\w\s]]")
@click.option("--unit", type=click.Choice(UNITS), default="line", show_default=True, help="One sequence of text.")
@click.option("--lowercase", is_flag=True, help="Convert text to lower case for this model.")
@json_option
@quiet_option("Print no summary.")
@click.pass_context
def import_(
    ctx: click.Context, /, file: str, output: str | None, form: str | None, as_json: bool, quiet: bool, **given: Any
) -> None:
    """Read the model of another program, and write it as one .npz file.

    \b
    markov import book.arpa.gz -o book.npz
    markov import book.tsv -o book.npz
    markov import model.json -o model.npz

    arpa: the model holds probabilities and no counts; it scores and generates, and commands that need counts
    refuse it. counts: the n-grams of all orders, whose counts must agree, or of the longest order alone,
    with the shorter sequences; a file without its rare n-grams is refused. markovify: Text,
    NewlineText or Chain, compiled or not; state size 2 becomes order 3. Compressed files are
    recognised. The whole model is held in memory.
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
    """The format of a file, recognised by its beginning."""
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
