"""`markov export`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .options import fallback_notes, json_option, model_argument, note, quiet_option, smoothing_option
from .output import no_output

if TYPE_CHECKING:
    from ..api.model import Model

Notes = list[str]


def _counts(model: Model, out: IO[bytes], options: dict[str, Any]) -> Notes:
    from ..api.convert import export_counts

    export_counts(model, out, options["order"])
    if model.table.pruned:
        return ["the model is pruned: import will not take a file that lacks n-grams"]
    if model.header.cap_per_sequence:
        return ["counts are numbers of sequences, which do not add up: import will not take them"]
    return []


def _markovify(model: Model, out: IO[bytes], options: dict[str, Any]) -> Notes:
    from ..api.convert import export_markovify

    given_up = export_markovify(model, out)
    spaced = model.header.options.tokenizer == "spaces"
    notes = [] if spaced else ["markovify writes a space between any two tokens"]
    if given_up:
        notes.append(f"{given_up:,} types became one with another that differs in where it touches its neighbour only")
    return notes


def _arpa(model: Model, out: IO[bytes], options: dict[str, Any]) -> Notes:
    from ..api.convert import export_arpa

    distribution = export_arpa(model, out, options["smoothing"])
    notes = fallback_notes(distribution)
    if not 2 <= model.order <= 6:
        notes.append(f"order {model.order}: KenLM, unless it was built for more, reads orders 2 to 6")
    return notes


@dataclass(frozen=True)
class Format:
    """A way to write a model.

    write    writes it, and returns what the user should know; some options come by their names
    options  those that it takes; the others are refused where they are given
    """

    write: Callable[[Any, IO[bytes], dict[str, Any]], Notes]
    options: tuple[str, ...] = ()


FORMATS = {
    "arpa": Format(_arpa, ("smoothing",)),
    "counts": Format(_counts, ("order",)),
    "markovify": Format(_markovify),
}


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
    "-n", "--order", type=click.IntRange(1), help="For counts: n-grams of this order only.  [default: all orders]"
)
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

    ARPA can hold kn, wb and abs, not the other smoothings. A line of counts is the words with a space
    between them, a tab, and the count. U+FFED before or after a word marks the side on which it touches its
    neighbour without a space.
    """
    if output is None:
        raise no_output("FILE, or -o - for stdout", f"markov export {model} --format {form} -o -")
    chosen = FORMATS[form]
    refuse_others(ctx, form, chosen.options)
    from ..api.model import Model
    from ..model.atomic_file import atomic_write
    from .output import check_target, write_json

    loaded = Model.load(model)
    if output == "-":
        notes = chosen.write(loaded, sys.stdout.buffer, options)
    else:
        check_target(output)
        with atomic_write(output) as out:
            notes = chosen.write(loaded, out, options)
    for text in notes:
        note(text, quiet)
    if as_json:
        size = None if output == "-" else os.stat(output).st_size
        made = {"model": model, "file": output, "format": form, "bytes": size, "notes": notes}
        write_json(json.dumps(made, ensure_ascii=False), output)


def refuse_others(ctx: click.Context, form: str, takes: tuple[str, ...]) -> None:
    """OptionError for an option of another format."""
    general = {"model", "file", "output", "form", "quiet", "as_json", "jobs"}
    for param in ctx.command.params:
        name = param.name or ""
        given = ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and name not in general and name not in takes:
            raise OptionError(f"{param.opts[-1]} is not for --format {form}", f"see: markov {ctx.info_name} --help")
