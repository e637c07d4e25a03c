"""`markov import`."""

from __future__ import annotations

import time
from typing import Any

import click

from ..errors import OptionError
from .export import refuse_others
from .options import json_option, note, output_option, stdin_is_terminal
from .train import TOKENIZERS, UNITS

TEXT_OPTIONS = ("tokenizer", "unit", "lowercase", "pattern")
FORMATS: dict[str, tuple[str, ...]] = {"arpa": (), "counts": ("order",), "markovify": ()}  # and their own options


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
        raise OptionError("no -o: where shall the model go?", f"markov import {file} -o MODEL.npz")
    if file == "-" and stdin_is_terminal():
        raise OptionError("-: standard input is a terminal", "name a file")
    begin = time.monotonic()
    from ..api.convert import import_model
    from ..formats.detect import format_of
    from ..render.train import import_notes
    from .output import check_target, finish

    form = format_of(file) if form is None else form
    refuse_others(ctx, form, (*TEXT_OPTIONS, *FORMATS[form]))
    check_target(output)
    model = import_model(file, format=form, **given)
    for text in import_notes(model.notes):
        note(text, quiet)
    finish(model, output, begin, as_json, quiet)
