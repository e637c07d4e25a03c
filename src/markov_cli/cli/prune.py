"""`markov prune`."""

from __future__ import annotations

import time

import click

from ..errors import OptionError
from .options import PruneType, jobs_option, json_option, model_argument, output_option


@click.command(short_help="Make a model smaller.")
@model_argument
@output_option
@click.option(
    "--prune",
    "thresholds",
    type=PruneType(),
    metavar="A,B,C",
    help="Drop n-grams of order 1, 2, 3... seen at most that often; the last value goes on. Order 1 must be 0.",
)
@click.option(
    "--max-types",
    type=click.IntRange(1),
    metavar="N",
    help="Keep the N commonest types; the others become <unk>, and n-grams that then are alike become one.",
)
@jobs_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No summary; errors only.")
def prune(
    model: str,
    output: str | None,
    thresholds: tuple[int, ...] | None,
    max_types: int | None,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a model smaller: fewer n-grams, or fewer types.

    \b
    markov prune book.npz --prune 0,0,1 -o small.npz
    markov prune book.npz --max-types 20000 -o common.npz

    --prune gives the bytes that `markov train --prune` gives; a pruned model can be pruned
    further. --max-types gives the table of the text with rare types replaced by <unk>; with
    both, types come first. What was pruned can no longer be merged or updated. All in memory:
    about 70 bytes for each n-gram.
    """
    if thresholds is None and max_types is None:
        raise OptionError("nothing to prune by", f"for example: markov prune {model} --prune 0,0,1 -o SMALL.npz")
    if output is None:
        raise OptionError("no -o: where shall the model go?", f"markov prune {model} --prune 0,0,1 -o SMALL.npz")
    from ..api import Model
    from ..changing import prune as pruned
    from ..training import usable_cores
    from .output import check_target, finish

    check_target(output)
    begin = time.monotonic()
    with Model.load(model) as loaded:
        made = pruned(loaded, thresholds or (), max_types=max_types, name=model, jobs=jobs or usable_cores())
    finish(made, output, begin, as_json, quiet)
