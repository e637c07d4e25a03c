"""`markov tune`."""

from __future__ import annotations

import time

import click

from ..errors import OptionError
from .option_groups import GroupedCommand, option_group
from .option_types import NumbersType
from .options import (
    encoding_option,
    jobs_option,
    json_option,
    model_argument,
    note,
    output_option,
    quiet_option,
    reading_options,
)
from .output import no_output


@click.command(cls=GroupedCommand, short_help="Find the best parameters of --smoothing blend on held-out text.")
@model_argument
@click.argument("heldout", nargs=-1, type=click.Path(), metavar="HELDOUT...")
@option_group("The held-out text", encoding_option("the text"), *reading_options("the text"))
@option_group(
    "What is found",
    click.option(
        "--classes",
        type=NumbersType(),
        metavar="N,N",
        help="The numbers of word classes; each number adds a class model to the blend. Takes seconds to minutes: the "
        "time grows with the numbers and with the types.  [default: 100,200,400]",
    ),
    click.option(
        "--log-linear",
        is_flag=True,
        help="Multiply the mixture by powers of skip bigrams and of recent text. Better and slower: each token takes a "
        "sum over all types.",
    ),
    click.option("--adapt", is_flag=True, help="Also find the parameters of recent text, for --adapt of score."),
)
@option_group("Output", output_option, jobs_option, json_option, quiet_option("Print no summary."))
@click.pass_context
def tune(
    ctx: click.Context,
    /,
    model: str,
    heldout: tuple[str, ...],
    max_expansion: float,
    markers: str,
    strip: str | None,
    encoding: str,
    classes: tuple[float, ...] | None,
    log_linear: bool,
    adapt: bool,
    output: str | None,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Find the best parameters of --smoothing blend on held-out text, and write a model that holds them.

    \b
    markov tune book.npz heldout.txt -o tuned.npz
    markov tune book.npz heldout.txt --adapt --classes 100,200 -o tuned.npz
    markov score tuned.npz other.txt --smoothing blend

    The blend mixes Kneser-Ney with n-grams of word classes, which are found from the counts. HELDOUT is text that the
    model was not trained on, and that no result is measured on. A row for each part shows its weight and the
    perplexity of HELDOUT without it. merge, forget, prune and train --update drop the parameters.
    docs/explanation/blend.md explains each part.
    """
    if not heldout:
        click.echo(ctx.get_help())
        ctx.exit(2)
    if output is None:
        raise no_output("MODEL.npz", f"markov tune {model} {heldout[0]} -o MODEL.npz")
    from ..api.model import Model
    from ..api.tune import tune as tuned
    from ..arrays.threads import usable_cores
    from ..render.tune import show_parts
    from ..scoring.tuning import CLASSES
    from .output import check_model_target, finish

    numbers = CLASSES if classes is None else tuple(int(n) if n == int(n) else -1 for n in classes)
    if [model, *heldout].count("-") > 1:
        raise OptionError("standard input can be read only once", "name a file for the other")
    check_model_target(output)
    begin = time.monotonic()
    with Model.load(model) as loaded:
        found = tuned(
            loaded, heldout, classes=numbers, adapt=adapt, log_linear=log_linear, encoding=encoding,
            max_expansion=max_expansion, markers=markers, strip=strip, jobs=jobs or usable_cores(),
        )  # fmt: skip
        if not quiet:
            for line in show_parts(found):
                note(line)
        finish(found.model, output, begin, as_json, quiet, found.figures())
