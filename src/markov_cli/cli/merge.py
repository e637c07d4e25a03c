"""`markov merge`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .option_groups import GroupedCommand, option_group
from .option_types import NumbersType
from .options import (
    encoding_option,
    jobs_option,
    json_option,
    note,
    output_option,
    quiet_option,
    reading_options,
    say_dropped_blend,
    smoothing_option,
    sources_in,
)
from .output import no_output

if TYPE_CHECKING:
    from ..api.model import Model


@click.command(cls=GroupedCommand, short_help="Add models to one model.")
@click.argument("models", nargs=-1, type=click.Path(), metavar="MODEL...")
@option_group(
    "Adding counts",
    click.option(
        "--weight",
        "weights",
        type=float,
        multiple=True,
        metavar="W",
        help="Multiply the counts of a model by W; one --weight for each MODEL, in order. 0 leaves a model out; a "
        "fraction makes a model of weighted counts.  [default: 1 each]",
    ),
)
@option_group(
    "Mixing probabilities",
    click.option(
        "--model-weights",
        type=NumbersType(),
        metavar="W,W",
        help="Mix the models' probabilities in place of adding their counts, by these weights, one for each MODEL, for "
        "example 0.7,0.3. The result holds probabilities.",
    ),
    click.option(
        "--tune",
        type=click.Path(),
        metavar="FILE",
        help="Mix the probabilities by the weights that suit this text best, and say how near the result is to the "
        "mixture itself.",
    ),
    encoding_option("--tune"),
    *reading_options("the text of --tune"),
    smoothing_option("kn"),
)
@output_option
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
    model_weights: tuple[float, ...] | None,
    tune: str | None,
    smoothing: str | None,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
    **reading: Any,
) -> None:
    """Add models to one model, as if it had been trained on all their texts; or mix their probabilities.

    \b
    markov merge monday.npz tuesday.npz -o both.npz
    markov merge own.npz background.npz --weight 5 --weight 1 -o mixed.npz
    markov merge own.npz imported.npz --tune heldout.txt -o mixed.npz

    Adding: all models need the same tokenizer, pattern, unit, lower case, order and Unicode version, and none may be
    pruned. Without --weight the result has the bytes of a model trained on all the texts. A whole
    weight W counts a text W times. Other weights are rounded to about 7 digits, so that sums stay exact;
    kn, and abs without a number, then refuse the model. Guards with the same K become one, and their
    false positive rates add up; if a model has no guard, the result has none. Needs about 70 bytes of
    memory for each n-gram of the result.

    Mixing (--model-weights, --tune): the result holds probabilities, as an ARPA file does. N-grams of any of the
    models have the probabilities of the mixture; others back off, so that each distribution sums to 1 (SRILM's
    -mix-lm with -write-lm). The models can hold counts or probabilities, be pruned, and have different orders.
    """
    if not models:
        click.echo(ctx.get_help())
        ctx.exit(2)
    if output is None:
        raise no_output("MODEL.npz", f"markov merge {' '.join(models[:3])} -o MODEL.npz")
    _check_mixing(models, weights, model_weights, tune, smoothing)
    from ..api.combine import merge as merged
    from ..api.model import Model
    from ..arrays.threads import usable_cores
    from .output import check_model_target, finish

    check_model_target(output)
    begin = time.monotonic()
    jobs = jobs or usable_cores()
    loaded = [Model.load(name) for name in models]
    more: dict[str, Any] = {}
    if model_weights is None and tune is None:
        model = merged(loaded, weights, jobs=jobs)
        if not quiet and model.table.guard is None and any(one.table.guard is not None for one in loaded):
            note("no guard: a model has none, or their lengths or sizes differ too much")
    else:
        model, more = _mixed(loaded, models, model_weights, tune, reading, smoothing, jobs, quiet)
    say_dropped_blend(loaded, model, quiet)
    for one in loaded:
        one.close()
    finish(model, output, begin, as_json, quiet, more)


def _check_mixing(
    models: tuple[str, ...],
    weights: tuple[float, ...],
    model_weights: tuple[float, ...] | None,
    tune: str | None,
    smoothing: str | None,
) -> None:
    """OptionError for options that exclude each other, before anything is read."""
    if model_weights is not None and tune is not None:
        raise OptionError("--model-weights and --tune exclude each other", "choose one")
    if model_weights is None and tune is None:
        if smoothing is not None:
            raise OptionError("--smoothing needs --model-weights or --tune: counts are not smoothed", "add one")
        return
    option = "--tune" if model_weights is None else "--model-weights"
    if weights:
        raise OptionError(f"--weight and {option} exclude each other", f"--weight adds counts, {option} mixes")
    if len(models) < 2:
        raise OptionError(f"{option} needs several models", "name the others, too")


def _mixed(
    loaded: list[Model],
    names: tuple[str, ...],
    weights: tuple[float, ...] | None,
    tune: str | None,
    reading: dict[str, Any],
    smoothing: str | None,
    jobs: int,
    quiet: bool,
) -> tuple[Model, dict[str, Any]]:
    """One model of the mixture, and what the JSON says besides."""
    from contextlib import ExitStack

    from ..api.combine import static_mixture
    from ..api.score_results import totals_of, tuned
    from ..render.safe_text import some
    from ..render.score import weights_text
    from ..scoring.predictor import checked_weights, predictors_of
    from ..text.reading import check_encoding
    from .output import kept_sources

    with ExitStack() as stack:
        predictors = predictors_of([m.language_model for m in loaded], smoothing, names)
        if tune is None:
            assert weights is not None
            shares, whole = checked_weights(weights, len(loaded), "--model-weights")
            if abs(whole - 1) > 1e-4:
                note(f"the weights sum to {whole:g}; used: {weights_text(shares)}", quiet)
            model = static_mixture(loaded, shares.tolist(), smoothing=smoothing)
            _say_notes(model, quiet)
            return model, {"weights": shares.tolist()}
        encoding = check_encoding(reading["encoding"])
        sources = kept_sources(sources_in([tune], reading), stack)
        found = tuned(predictors, sources, encoding, jobs, proper=True)
        note(f"weights {weights_text(found.weights)} after {some(found.rounds, 'round')}", quiet)
        model = static_mixture(loaded, found.weights.tolist(), smoothing=smoothing)
        _say_notes(model, quiet)
        (own,) = predictors_of([model.language_model], None, ["the result"])
        dynamic, static = 2.0 ** found.bits[-1], totals_of(own, sources, encoding, jobs)[0].perplexity
        note(
            f"perplexity of {tune}: {dynamic:,.4f} by the mixture, {static:,.4f} by this model"
            f" ({static / dynamic - 1:+.3%})",
            quiet,
        )
        figures = {"perplexity_of_mixture": dynamic, "perplexity_of_model": static}
        return model, {"weights": found.weights.tolist(), **figures}


def _say_notes(model: Model, quiet: bool) -> None:
    from ..render.train import import_notes

    for text in import_notes(model.notes):
        note(text, quiet)
