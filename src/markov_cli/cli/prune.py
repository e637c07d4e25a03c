"""`markov prune`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from ..errors import OptionError
from .option_types import PruneType, SizeType
from .options import (
    encoding_option,
    jobs_option,
    json_option,
    model_argument,
    note,
    output_option,
    quiet_option,
    reading_options,
    say_dropped_blend,
    several,
    smoothing_option,
)
from .output import no_output

if TYPE_CHECKING:
    from ..api.combine import EntropyPruning


@click.command(short_help="Make a model smaller.")
@model_argument
@output_option
@click.option(
    "--prune",
    "thresholds",
    type=PruneType(),
    metavar="A,B,C",
    help="Drop n-grams of order 1, 2, 3... that occur at most A, B, C... times; the last number also holds for higher "
    "orders. A must be 0.",
)
@click.option(
    "--max-types",
    type=click.IntRange(1),
    metavar="N",
    help="Keep the N commonest types; the others become <unk>. The counts of n-grams that become equal are added up.",
)
@click.option(
    "--vocab",
    type=click.Path(),
    metavar="FILE",
    help="Drop n-grams with a type that is not in this list, one on each line; discounts and totals stay those of all "
    "of the text (lmplz's --limit_vocab_file). Take it where only these words are asked for; take train --vocab where "
    "a system can only know these words.",
)
@click.option(
    "--threshold",
    type=float,
    metavar="T",
    help="Drop each n-gram whose loss alone raises the perplexity by less than this share, for example 1e-7.",
)
@click.option(
    "--size",
    type=SizeType(),
    help="Drop n-grams by the same measure until the file has at most this size: 500k, 20M, 1.5G.",
)
@smoothing_option("kn")
@click.option(
    "--heldout",
    type=click.Path(),
    metavar="FILE",
    multiple=True,
    help="Score this text with both models, and print both perplexities.",
)
@encoding_option("--heldout")
@several(reading_options("--heldout"))
@click.option("--no-guard", is_flag=True, help="Remove the guard of train --guard.")
@jobs_option
@json_option
@quiet_option("Print no summary.")
def prune(
    model: str,
    output: str | None,
    thresholds: tuple[int, ...] | None,
    max_types: int | None,
    vocab: str | None,
    threshold: float | None,
    size: int | None,
    smoothing: str | None,
    heldout: tuple[str, ...],
    encoding: str,
    markers: str,
    strip: str | None,
    max_expansion: float,
    no_guard: bool,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make a model smaller: fewer n-grams, or fewer types.

    \b
    markov prune book.npz --prune 0,0,1 -o small.npz
    markov prune book.npz --max-types 20000 -o common.npz
    markov prune book.npz --vocab words.txt -o asked.npz
    markov prune book.npz --threshold 1e-7 -o tight.npz
    markov prune book.npz --size 20M --heldout new.txt -o tight.npz

    --prune gives the bytes of `markov train --prune`; a pruned model can be pruned further. --max-types
    gives the table of the text with rare types replaced by <unk>; with both, types are replaced first.
    A pruned model cannot be merged or updated.

    --threshold and --size prune by relative entropy (Stolcke 1998): they drop the n-grams that change the
    smoothed probabilities least. The result holds probabilities and no counts.

    Needs about 70 bytes of memory for each n-gram, 110 with --threshold and --size.
    """
    by_entropy = threshold is not None or size is not None
    if not by_entropy and (smoothing or heldout):
        raise OptionError(f"{'--smoothing' if smoothing else '--heldout'} needs --threshold or --size", "add one")
    if threshold is not None and size is not None:
        raise OptionError("--threshold and --size exclude each other", "choose one")
    by_count = thresholds is not None or max_types is not None or vocab is not None
    if by_entropy and by_count:
        raise OptionError(
            f"{'--threshold' if size is None else '--size'} excludes other ways to prune",
            "prune by counts or types first, into a file of its own",
        )
    if threshold is not None and not 0 <= threshold < float("inf"):
        raise OptionError(f"--threshold {threshold}: 0 or more", "1e-8 drops a few n-grams, 1e-6 most")
    if not by_entropy and not by_count and not no_guard:
        raise OptionError("no way to prune is named", f"for example: markov prune {model} --prune 0,0,1 -o SMALL.npz")
    if output is None:
        raise no_output("MODEL.npz", f"markov prune {model} --prune 0,0,1 -o SMALL.npz")
    from ..api.combine import prune as pruned
    from ..api.combine import prune_by_entropy
    from ..api.model import Model
    from ..arrays.threads import usable_cores
    from ..render.train import words_json
    from ..text.word_list import WordList
    from .output import check_model_target, finish
    from .word_lists import say_words

    check_model_target(output)
    begin = time.monotonic()
    jobs, keep_guard = jobs or usable_cores(), not no_guard
    with Model.load(model) as loaded:
        words = None
        if vocab is not None:
            words = WordList.of(vocab, lowercase=loaded.header.options.lowercase, expansion=max_expansion)
        if by_entropy:
            found = prune_by_entropy(
                loaded, threshold=threshold, n_bytes=size, smoothing=smoothing, heldout=heldout, encoding=encoding,
                markers=markers, strip=strip, max_expansion=max_expansion,
                keep_guard=keep_guard, jobs=jobs,
            )  # fmt: skip
            if not quiet:
                for line in _lines(found):
                    note(line)
            say_dropped_blend([loaded], found.model, quiet)
            finish(found.model, output, begin, as_json, quiet, found.figures())
            return
        made = pruned(loaded, thresholds or (), max_types=max_types, vocab=words, keep_guard=keep_guard, jobs=jobs)
        more = None if words is None else words_json(words, made)
        say_dropped_blend([loaded], made, quiet)
        if made.vocabulary is loaded.vocabulary:  # its arrays are those of the file
            finish(made, output, begin, as_json, quiet, more)
            return
    finish(made, output, begin, as_json, quiet, more)
    if not quiet:
        say_words(words, made)


def _lines(found: EntropyPruning) -> list[str]:
    before, after = sum(found.ngrams_before), sum(found.ngrams_after)
    lines = [
        f"pruned   {before - after:,} of {before:,} n-grams, each worth below {found.threshold:.2g} of perplexity",
        f"costs    {found.perplexity_rise_estimate:.2%} of perplexity, as the model itself expects it",
    ]
    old, new = found.perplexity_before, found.perplexity_after
    if old is not None and new is not None:
        lines.append(f"held out {old:.2f} before, {new:.2f} after ({new / old - 1:+.2%})")
    return lines
