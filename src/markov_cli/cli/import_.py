"""`markov import`."""

from __future__ import annotations

import time
from typing import Any

import click

from ..errors import OptionError
from .export import refuse_others
from .option_types import YearsType
from .options import (
    encoding_option,
    expansion_option,
    json_option,
    note,
    output_option,
    quiet_option,
    space_option,
    stdin_is_terminal,
)
from .output import no_output
from .train import TOKENIZERS, UNITS

TEXT_OPTIONS = ("tokenizer", "unit", "lowercase", "pattern", "keep_newlines")
FORMATS: dict[str, tuple[str, ...]] = {  # and their own options
    "arpa": ("space_as",),
    "counts": ("order", "space_as"),
    "books": ("order", "years"),
    "markovify": (),
}


@click.command(name="import", short_help="Read the model of another program.")
@click.argument("files", nargs=-1, type=click.Path(), metavar="FILE...")
@output_option
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    help="arpa: n-grams with probabilities, as KenLM and SRILM write them. counts: lines of n-grams and counts, as "
    "Google and SRILM write them, also without the rare ones. books: n-grams of Google Books, by year. markovify: its "
    "JSON.  "
    "[default: recognised from the file]",
)
@click.option(
    "-n",
    "--order",
    type=click.IntRange(1),
    metavar="N",
    help="For counts and books: the order.  [default: that of the longest n-gram]",
)
@click.option(
    "--tokenizer",
    type=click.Choice(TOKENIZERS),
    default="spaces",
    show_default=True,
    help="How this model divides text into tokens; FILE does not say it.",
)
@click.option("--pattern", metavar="REGEX", help=r"The tokens of --tokenizer regex.  [default: \w+|[^\w\s]]")
@click.option("--unit", type=click.Choice(UNITS), default="line", show_default=True, help="One sequence of text.")
@click.option("--lowercase", is_flag=True, help="Convert text to lower case for this model.")
@click.option("--keep-newlines", is_flag=True, help="Line breaks and indentation are tokens of this model.")
@click.option(
    "--years",
    type=YearsType(),
    default="..",
    metavar="A..B",
    help="For books: add up the counts of these years only; A.. and ..B leave one end open.  [default: all]",
)
@encoding_option("FILE", " Byte-order marks are noticed.")
@expansion_option
@space_option
@json_option
@quiet_option("Print no summary.")
@click.pass_context
def import_(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    output: str | None,
    form: str | None,
    encoding: str,
    max_expansion: float,
    as_json: bool,
    quiet: bool,
    order: int | None,
    space_as: str | None,
    years: tuple[int | None, int | None],
    **given: Any,
) -> None:
    """Read the model of another program, and write it as one .npz file.

    \b
    markov import book.arpa.gz -o book.npz
    markov import book.tsv -o book.npz
    markov import model.json -o model.npz
    markov import web1t/ -o web.npz
    markov import googlebooks-eng-*.gz --years 1950..1999 -o books.npz

    arpa: the model holds probabilities and no counts; it scores and generates, and commands that need counts
    refuse it. counts: the n-grams of all orders, whose counts must agree, or of the longest order alone,
    with the shorter sequences, in one file, several or a folder. If rare n-grams are missing, as in the Web 1T set
    and in Google Books, the model holds `counts, cut below K`: the smoothings none, stupid, wb and abs work, kn
    does not. markovify: Text, NewlineText or Chain, compiled or not; state size 2 becomes order 3. `-` is stdin;
    compressed files are recognised. The whole model is held in memory.
    """
    if not files:
        click.echo(ctx.get_help())
        ctx.exit(2)
    if output is None:
        raise no_output("MODEL.npz", f"markov import {files[0]} -o MODEL.npz")
    if "-" in files and stdin_is_terminal():
        raise OptionError("-: standard input is a terminal", "name a file")
    begin = time.monotonic()
    from ..api.importing import read_model
    from ..formats.foreign_files import ForeignFiles
    from ..render.train import import_notes, own_marker_lines, repair_lines
    from ..text.encoder import TextOptions
    from .output import check_model_target, finish

    check_model_target(output)
    options = TextOptions.of(**given)
    found = ForeignFiles(files, form, encoding, max_expansion)
    try:
        refuse_others(ctx, found.form, (*TEXT_OPTIONS, *FORMATS[found.form]))
        model = read_model(found, options, order=order, space_as=space_as, years=years)
    finally:
        found.close()
    for text in (*import_notes(model.notes), *repair_lines(model.repairs), *own_marker_lines(model.notes)):
        note(text, quiet)
    finish(model, output, begin, as_json, quiet)
