"""`markov generate`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from ..errors import ANSWER_IS_NO
from .constraints import constraint_options, constraints_of, most_tokens, rate
from .options import ignore_case_option, json_option, model_argument, note, say_fallback, smoothing_option
from .tracing import check_trace, trace_options, traced


@click.command(short_help="Write texts from a model.")
@model_argument
@click.option("-c", "--count", type=click.IntRange(0), default=1, show_default=True, help="How many texts.")
@click.option(
    "-s", "--seed", type=click.IntRange(0, 2**63 - 1), help="Same seed, same texts; text i is the same for any --count."
)
@click.option("--prompt", default="", metavar="TEXT", help="How each text begins; any number of tokens.")
@click.option("--within", is_flag=True, help="The prompt stands mid-sequence, not at its beginning.")
@ignore_case_option
@click.option(
    "--min-tokens", type=click.IntRange(0), default=1, show_default=True, help="Draw a text that ends before this anew."
)
@click.option("--max-tokens", type=click.IntRange(1), default=1000, show_default=True, help="Cut a text here.")
@constraint_options
@smoothing_option("none")
@click.option(
    "--temperature",
    type=float,
    default=1.0,
    show_default=True,
    help="Above 1 bolder, below 1 safer, 0 always the commonest.",
)
@click.option("--top-k", type=int, default=0, show_default=True, help="Only the K commonest followers; 0 for all.")
@click.option(
    "--top-p", type=float, default=1.0, show_default=True, help="Only the commonest followers that together reach P."
)
@trace_options
@click.option("--null", is_flag=True, help="End each text with NUL, not newline, for texts that hold newlines.")
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
def generate(model: str, as_json: bool, null: bool, quiet: bool, **kw: Any) -> int:
    """Write texts from a model, one per line.

    \b
    markov generate book.npz -c 5 -s 42
    markov generate book.npz --prompt "It was" --temperature 0.8
    markov generate book.npz --smoothing kn --temperature 0.8
    markov generate book.npz --contains river --tokens 12 --ends-with .
    markov generate names.npz -c 1000 --json | jq -r .text

    Raw counts (--smoothing none) write only what was seen, n tokens at a time. Smoothed
    models also write what they have not seen, now and then: the smaller the text, the oftener.
    Temperature, top-k and top-p with laplace and lidstone work out the whole vocabulary's
    probabilities at each token, which takes time where it is large.
    With --contains, --starts-with, --ends-with, --without, --pattern and --tokens, in any mixture, texts
    are drawn from just those of the model's texts that are so, each as probable among them
    as it is: nothing is tried, and no text is cut. What stands after --match and
    --characters, and all constraints on a smoothed model, are met by trying, 1,000
    times a text at most; a note says how many were kept.
    With --trace the texts are held against the training text (see trace): with --json each
    object says what of it is new and what stands there, and a last line has all together.
    A prompt's history is shortened until the model knows it, and a note says so.
    Exit code 3: fewer texts than asked for.
    """
    from ..api import Model
    from ..generating import check_lengths, draw, new_seed
    from ..sampling.shaping import Shape

    shape = Shape(kw["temperature"], kw["top_k"], kw["top_p"])
    shape.check()
    check_trace(kw)
    source = click.get_current_context().get_parameter_source("max_tokens")
    most = most_tokens(kw, source is not click.core.ParameterSource.DEFAULT)
    check_lengths(kw["min_tokens"], most)
    asked = constraints_of(kw)
    loaded = Model.load(model)
    prompt, count = kw["prompt"], kw["count"]
    known = loaded.known(prompt, at_start=not kw["within"], ignore_case=kw["ignore_case"])
    _say_history(loaded, known, quiet)
    smoothing = kw["smoothing"]
    if not loaded.draws_raw(smoothing):
        from ..sampling.drawing import drawing_of

        distribution = loaded.distribution(smoothing)
        drawing_of(distribution)  # says so where nothing can be drawn
        say_fallback(distribution, quiet)
    some = None
    if asked is not None:
        from ..constraining import Constrained

        some = Constrained(loaded, asked, known, prompt, kw["min_tokens"], most, shape, smoothing, kw["ignore_case"])
        if some.note:
            note(some.note, quiet)
    seed = kw["seed"]
    if seed is None:
        seed = new_seed()
        note(f"seed {seed}", quiet)
    end = b"\0" if null else b"\n"
    n_prompt = known.tokens
    out = sys.stdout.buffer
    written = 0
    behind = b"" if as_json else end
    if some is not None:
        batches = some.draw(count, seed, behind)
    else:
        batches = draw(
            loaded,
            count,
            seed,
            known,
            prompt,
            kw["min_tokens"],
            most,
            shape,
            behind,
            as_json or kw["trace"],
            smoothing=smoothing,
        )
    held = None
    if kw["trace"]:
        batches = iter(kept := [*batches])
        held = traced(loaded, known, kept, kw)
    for drawn, whole, edge in batches:
        if as_json:
            edges = edge.tolist()
            columns = drawn.length.tolist(), drawn.bits.tolist(), drawn.complete.tolist(), drawn.index.tolist()
            for k, (n, bits, complete, index) in enumerate(zip(*columns, strict=True)):
                one = {
                    "text": whole[edges[k] : edges[k + 1]].decode("utf-8", "replace"),
                    "tokens": n + n_prompt,
                    "bits": round(bits, 6) + 0.0,
                    "complete": complete,
                    "seed": seed,
                    "index": index,
                }
                if some is not None:
                    one["conditioned_bits"] = (
                        None if some.conditioned is None else round(bits - some.conditioned, 6) + 0.0
                    )
                if held is not None:
                    one |= held.of_text(written + k, bits, n)
                out.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
        else:
            out.write(whole)
        out.flush()
        written += len(drawn.index)
    if held is not None:
        if as_json:
            out.write(held.json_line(loaded.order))
            out.flush()
        else:
            held.say(loaded.order, quiet)
    if some is not None and some.tried > some.kept:
        note(rate(some), quiet)
    if written < count and some is not None:
        note(f"{written} of {count} texts: {some.why_fewer}", quiet)
        return ANSWER_IS_NO
    if written < count:
        note(f"{written} of {count} texts: the others ended before --min-tokens {kw['min_tokens']} each time", quiet)
        return ANSWER_IS_NO
    return 0


def _say_history(loaded: Any, known: Any, quiet: bool) -> None:
    """Say what was used where that is less than could have been."""
    could = min(len(known.ids), loaded.order - 1)
    if known.level < could:
        used = " ".join(loaded.name_of(i) for i in known.ids[len(known.ids) - known.level :])
        note(f"history shortened to what the model knows: {used or 'nothing'}", quiet)
