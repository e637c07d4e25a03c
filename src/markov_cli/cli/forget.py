"""`markov forget`."""

from __future__ import annotations

import time
from typing import Any

import click

from ..errors import OptionError
from .option_groups import GroupedCommand, option_group
from .option_types import FieldValueType
from .options import (
    encoding_option,
    jobs_option,
    json_option,
    model_argument,
    note,
    output_option,
    quiet_option,
    reading_options,
    record_options,
    say_dropped_blend,
    stdin_is_terminal,
)


@click.command(cls=GroupedCommand, short_help="Take a text out of a model.")
@model_argument
@click.argument("text", nargs=-1, type=click.Path(), metavar="TEXT...")
@option_group(
    "What the text is",
    *record_options("TEXT"),
    click.option(
        "--by",
        multiple=True,
        type=FieldValueType(),
        metavar="FIELD=VALUE",
        help="Take out only the records with this value in this field or column, for example author=Ann. Given more "
        "than once: one of the values of a field, in each of the fields.  [default: all records]",
    ),
    click.option(
        "--weights",
        is_flag=True,
        help="Each line of TEXT is `text<TAB>count`, as in the training; the text is taken out so often.",
    ),
    click.option(
        "--weights-field",
        metavar="FIELD",
        help="The field or column with the number of times that a record counted in the training.",
    ),
    click.option(
        "--vocab",
        type=click.Path(),
        metavar="FILE",
        help="The word list that the model was trained with; needed for such a model.",
    ),
    encoding_option("the text", " UTF-16 with a byte order mark is recognised."),
    *reading_options("the text"),
)
@option_group(
    "What the result holds",
    click.option(
        "--no-guard", is_flag=True, help="Leave out the guard of train --guard, from which no text can be taken."
    ),
)
@option_group("Output", output_option, jobs_option, json_option, quiet_option("Print no progress and no summary."))
@click.pass_context
def forget(
    ctx: click.Context,
    /,
    model: str,
    text: tuple[str, ...],
    output: str | None,
    vocab: str | None,
    no_guard: bool,
    by: tuple[tuple[str, str], ...],
    jobs: int | None,
    as_json: bool,
    quiet: bool,
    **kw: Any,
) -> None:
    """Take a text out of a model: the result is the model that was never trained on it, byte for byte.

    \b
    markov forget book.npz chapter-7.txt -o book.npz
    markov forget chat.npz chat.jsonl --jsonl text --by user=Ann -o chat.npz

    The text is read with the options of the model. It must be one or more of the texts that the model was trained on,
    or whole sequences of them (sentences, lines, ...). A text that was not in the model, wholly or in part, is refused
    with an n-gram that proves it, and exit code 3; the model is not touched.

    What the other texts say, too, stays in the model, and only that: docs/how-to/forget-a-text.md shows it. A model
    that was pruned or protected, or holds probabilities, does not tell what would be left, and is refused.

    Needs about 60 bytes of memory for each n-gram of the model, and the memory to train on the text.
    """
    if not text:
        if stdin_is_terminal():
            click.echo(ctx.get_help())
            ctx.exit(2)
        text = ("-",)
    from ..api.forget import forget as forgotten
    from ..api.model import Model
    from ..arrays.threads import usable_cores
    from ..render.forget import forget_lines
    from ..render.progress import TrainProgress
    from ..render.train import repair_lines
    from .output import check_model_target, finish, no_output

    if output is None:
        raise no_output("MODEL.npz", f"markov forget {model} {text[0]} -o {model}")
    check_model_target(output)
    if vocab == "-" and "-" in text:
        raise OptionError("standard input can be read only once", "name a file for --vocab")
    begin = time.monotonic()
    fields: dict[str, list[str]] = {}
    for name, value in by:
        fields.setdefault(name, []).append(value)
    with TrainProgress(quiet) as progress, Model.load(model) as loaded:
        found = forgotten(
            loaded, text, **kw, vocab=vocab, by=fields, keep_guard=not no_guard, name=model,
            jobs=jobs or usable_cores(), progress=progress.update,
        )  # fmt: skip
        say_dropped_blend([loaded], found.model, quiet)
    if not quiet:
        for line in forget_lines(found):
            note(line)
    finish(found.model, output, begin, as_json, quiet, found.figures())
    if not quiet:
        for line in repair_lines(found.model.repairs):
            note(f"note     {line}")
