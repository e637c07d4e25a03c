"""`markov merge`."""

from __future__ import annotations

import time

import click

from ..errors import OptionError
from .options import jobs_option, json_option, note, output_option


@click.command(short_help="Make one model from several.")
@click.argument("models", nargs=-1, type=click.Path(), metavar="MODEL...")
@output_option
@click.option(
    "--weight",
    "weights",
    type=float,
    multiple=True,
    metavar="W",
    help="Multiply a model's counts by W: once for each MODEL, in their order. 0 leaves one out; "
    "weights that are not whole make a model of weighted counts.  [default: 1 each]",
)
@jobs_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No summary; errors only.")
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
    """Make one model from several, as if it had been trained on all their texts.

    \b
    markov merge monday.npz tuesday.npz -o both.npz
    markov merge own.npz background.npz --weight 5 --weight 1 -o mixed.npz

    Tokenizer, pattern, unit, lower case, order and Unicode version must be the same in all, and
    none may be pruned or lack types. Without --weight the result has the bytes of a model of all
    the texts. A whole weight W counts a text W times. Other weights are rounded to some 7
    digits, so that sums stay exact; what needs whole counts (--smoothing kn, abs without a
    number) then refuses. Guards of the same K become one, whose rate of false seen is the sum of
    theirs; where one model has none the result has none. All in memory: about 70 bytes for each n-gram of the result.
    """
    if not models:
        click.echo(ctx.get_help())
        ctx.exit(2)
    if output is None:
        raise OptionError("no -o: where shall the model go?", f"markov merge {' '.join(models[:3])} -o MODEL.npz")
    from ..api.combine import merge as merged
    from ..api.model import Model
    from ..arrays.threads import usable_cores
    from .output import check_target, finish

    check_target(output)
    begin = time.monotonic()
    loaded = [Model.load(name) for name in models]
    model = merged(loaded, weights, jobs=jobs or usable_cores())
    if not quiet and model.table.guard is None and any(one.table.guard is not None for one in loaded):
        note("no guard: one of the models has none, or they are of other lengths or very other sizes")
    for one in loaded:
        one.close()
    finish(model, output, begin, as_json, quiet)
