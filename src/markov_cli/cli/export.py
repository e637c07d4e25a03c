"""`markov export`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from ..errors import OptionError
from ..render.json_text import json_text
from .options import json_option, model_argument, note, quiet_option, smoothing_option, space_option
from .output import no_output

FORMATS = {
    "arpa": ("smoothing", "space_as"),
    "counts": ("order", "space_as"),
    "markovify": (),
}  # and the options that each takes


@click.command(short_help="Write a model for other programs.")
@model_argument
@click.option("-o", "--output", type=click.Path(), help="The file to write; `-` for stdout.")
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS]),
    default="arpa",
    show_default=True,
    help="arpa: n-grams with their probabilities, for KenLM and others. counts: a line for each n-gram with its "
    "count. markovify: JSON for markovify.",
)
@smoothing_option("kn")
@click.option(
    "-n",
    "--order",
    type=click.IntRange(1),
    metavar="N",
    help="For counts: n-grams of this order only.  [default: all orders]",
)
@space_option
@json_option
@quiet_option()
@click.pass_context
def export(
    ctx: click.Context,
    /,
    model: str,
    output: str | None,
    form: str,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Write a model for other programs.

    \b
    markov export book.npz -o book.arpa
    markov export book.npz --smoothing wb -o - | gzip > book.arpa.gz
    markov export book.npz --format counts -o book.tsv
    markov export book.npz --format counts --order 2 -o - | sort -t "$(printf '\\t')" -k2 -nr | head
    markov export book.npz --format markovify -o book.json
    markov export names.npz --space-as '|' -o names.arpa

    ARPA can hold kn, wb and abs, not the other smoothings. A line of counts is the words with a space
    between them, a tab, and the count. U+FFED before or after a word marks the side on which it touches its
    neighbour without a space.
    """
    if output is None:
        raise no_output("FILE, or -o - for stdout", f"markov export {model} --format {form} -o -")
    takes = FORMATS[form]
    refuse_others(ctx, form, takes)
    from ..api import convert
    from ..api.model import Model
    from .output import check_target, write_json

    loaded = Model.load(model)
    if output != "-":
        check_target(output)
    write: Callable[..., convert.Export] = getattr(convert, f"export_{form}")
    found = write(loaded, sys.stdout.buffer if output == "-" else output, **{name: options[name] for name in takes})
    for text in found.notes:
        note(text, quiet)
    if as_json:
        write_json(json_text({**found.to_dict(), "file": output}), output)


def refuse_others(ctx: click.Context, form: str, takes: tuple[str, ...]) -> None:
    """OptionError for an option of another format."""
    general = {"model", "files", "output", "form", "quiet", "as_json", "jobs", "encoding", "max_expansion"}
    for param in ctx.command.params:
        name = param.name or ""
        given = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and name not in general and name not in takes:
            raise OptionError(f"{param.opts[-1]} is not for --format {form}", f"see: markov {ctx.info_name} --help")
