"""`markov merge`."""

from __future__ import annotations

import time

import click

from .options import jobs_option, json_option, note, output_option, quiet_option
from .output import no_output


@click.command(short_help="Add models to one model.")
@click.argument("models", nargs=-1, type=click.Path(), metavar="MODEL...")
@output_option
@click.option(
    "--weight",
    "weights",
    type=float,
    multiple=True,
    metavar="W",
    help="Multiply the counts of a model by W; one --weight for each MODEL, in order. 0 leaves a model out; a fraction "
    "makes a model of weighted counts.  [default: 1 each]",
)
@jobs_option
@json_option
@quiet_option("Print no summary.")
@click.pass_context
def merge(
    ctx: click.Context,
    /,
    models: tuple[str, ...],
    output: str | None,
    weights: tuple[float, ...],
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Add models to one model, as if it had been trained on all their texts.

    \b
    markov merge monday.npz tuesday.npz -o both.npz
    markov merge own.npz background.npz --weight 5 --weight 1 -o mixed.npz

    All models need the same tokenizer, pattern, unit, lower case, order and Unicode version, and none may be
    pruned. Without --weight the result has the bytes of a model trained on all the texts. A whole
    weight W counts a text W times. Other weights are rounded to about 7 digits, so that sums stay exact;
    kn, and abs without a number, then refuse the model. Guards with the same K become one, and their
    false positive rates add up; if a model has no guard, the result has none. Needs about 70 bytes of
    memory for each n-gram of the result.
    """
    if not models:
        click.echo(ctx.get_help())
        ctx.exit(2)
    if output is None:
        raise no_output("MODEL.npz", f"markov merge {' '.join(models[:3])} -o MODEL.npz")
    from ..api.combine import merge as merged
    from ..api.model import Model
    from ..arrays.threads import usable_cores
    from .output import check_model_target, finish

    check_model_target(output)
    begin = time.monotonic()
    loaded = [Model.load(name) for name in models]
    model = merged(loaded, weights, jobs=jobs or usable_cores())
    if not quiet and model.table.guard is None and any(one.table.guard is not None for one in loaded):
        note("no guard: a model has none, or their lengths or sizes differ too much")
    for one in loaded:
        one.close()
    finish(model, output, begin, as_json, quiet)
