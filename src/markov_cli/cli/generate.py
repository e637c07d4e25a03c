"""`markov generate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import ANSWER_IS_NO
from .completion_words import complete_prompt
from .generate_constraints import constraint_options, constraints_of, most_tokens, rate
from .generate_mixture import check_stream, mixed_with, steering_options, write_stream
from .generate_novelty import novelty_of, novelty_options, say_tally, why_fewer
from .generate_trace import check_trace, trace_options
from .options import (
    ignore_case_option,
    json_option,
    model_argument,
    note,
    say_fallback,
    say_history,
    shape_options,
    smoothing_option,
)

if TYPE_CHECKING:
    from ..sampling.walkers import Walker


@click.command(short_help="Write texts from a model.")
@model_argument
@click.option("-c", "--count", type=click.IntRange(0), default=1, show_default=True, help="How many texts.")
@click.option(
    "-s", "--seed", type=click.IntRange(0, 2**63 - 1), help="Same seed, same texts; text i is the same for any --count."
)
@click.option(
    "--prompt",
    default="",
    metavar="TEXT",
    shell_complete=complete_prompt,
    help="How each text begins; any number of tokens.",
)
@click.option("--within", is_flag=True, help="The prompt stands mid-sequence, not at its beginning.")
@ignore_case_option
@click.option(
    "--min-tokens", type=click.IntRange(0), default=1, show_default=True, help="Draw a text that ends before this anew."
)
@click.option("--max-tokens", type=click.IntRange(1), default=1000, show_default=True, help="Cut a text here.")
@constraint_options
@novelty_options
@steering_options
@smoothing_option("none")
@shape_options
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
    markov generate book.npz -c 5 --novel 6 --corpus book.txt
    markov generate book.npz --model other.npz --mix 0.7,0.3
    markov generate book.npz --stream | head -c 500
    markov generate names.npz -c 1000 --json | jq -r .text

    Raw counts (--smoothing none) write only what was seen, n tokens at a time. Smoothed models also write
    what they have not seen, now and then: the smaller the text, the oftener. Temperature, top-k and
    top-p with laplace and lidstone work out the whole vocabulary's probabilities at each token, which
    takes time where it is large.

    With --contains, --starts-with, --ends-with, --without, --ban, --pattern and --tokens, in any mixture, texts
    are drawn from just those of the model's texts that are so, each as probable among them as it is:
    nothing is tried, and no text is cut. What stands after --match and --characters, --balanced, and all
    constraints on smoothed or mixed models, are met by trying, 1,000 times a text at most; a note says how
    many were kept.

    With --novel K, no run of K tokens or more of any text stands in the training text. Each token is drawn
    from what copies nothing; where nothing is left, the text goes a token back; a note says how often.
    Beside constraints, texts that copy are tried again. Up to the model's order every run is a copy, so K
    is larger. The training text is read from --corpus, in some 20 bytes of memory for each token, 4 once it
    is read; or it is known from a guard (markov train --guard), which also excludes a few new runs.

    With --model each token has the weighted sum of what the models give it, each by what it knows of the
    text so far; --temperature and the like bend that sum. --unique leaves out texts that came before, and
    gives up after 10,000 draws and 100 more for each text. --stream writes the texts of the seed one token
    at a time, until Ctrl-C, a closed pipe, or as many texts or tokens as --count or --max-tokens says.

    With --trace the texts are held against the training text (see trace): with --json each object says
    what of it is new and what stands there, and a last line has all together.

    A prompt's history is shortened until the model knows it, and a note says so. Exit code 3: fewer texts
    than asked for.
    """
    from ..api.model import Model
    from ..generation.batches import check_lengths, draw, new_seed
    from ..sampling.shape import Shape

    shape = Shape(kw["temperature"], kw["top_k"], kw["top_p"])
    shape.check()
    sources = click.get_current_context().get_parameter_source
    check_trace(kw)
    given = {name for name in kw if sources(name) is not click.core.ParameterSource.DEFAULT}
    most = most_tokens(kw, "max_tokens" in given)
    check_lengths(kw["min_tokens"], most)
    asked = constraints_of(kw)
    if kw["stream"]:
        check_stream(kw, asked is not None, given)
    loaded: Any = Model.load(model)
    prompt, count, smoothing = kw["prompt"], kw["count"], kw["smoothing"]
    mixed = mixed_with(loaded, model, kw)
    whole: Any = mixed or loaded
    walker: Walker | None = None
    if mixed is not None:
        known, each = mixed.known(prompt, not kw["within"], kw["ignore_case"])
        walker = mixed.walker(each, smoothing, shape)
    else:
        known = loaded.known(prompt, at_start=not kw["within"], ignore_case=kw["ignore_case"])
        say_history(loaded, known, quiet)
    for one in mixed.models if mixed else [loaded]:
        if not one.uses_raw_counts(smoothing):
            from ..sampling.alias_tables import drawing_of

            distribution = one.distribution(smoothing)
            drawing_of(distribution)  # says so where nothing can be drawn
            say_fallback(distribution, quiet)
    novelty = novelty_of(loaded, known, kw, as_json, quiet)
    some = None
    if (asked is not None or mixed is not None) and not kw["stream"]:
        from ..generation.constraints import Constrained, Constraints

        some = Constrained(
            whole, asked or Constraints(), known, prompt, kw["min_tokens"], most, shape, smoothing,
            kw["ignore_case"], novelty, walker, cut=asked is None,
        )  # fmt: skip
        if some.note:
            note(some.note, quiet)
        if some.unknown:
            note(f"--ban: {some.unknown:,} of the words stand in no text anyway: the model does not know them", quiet)
    seed = kw["seed"]
    if seed is None:
        seed = new_seed()
        note(f"seed {seed}", quiet)
    end = b"\0" if null else b"\n"
    n_prompt = known.tokens
    out = sys.stdout.buffer
    written = 0
    behind = b"" if as_json else end
    if kw["stream"]:
        from ..sampling.sampler import Sampler
        from ..sampling.walkers import Unconstrained

        if walker is None:
            smoothed = None if loaded.uses_raw_counts(smoothing) else loaded.distribution(smoothing)
            sampler = loaded.checked(Sampler, loaded.table, shape, as_json, smoothed)
            walker = Unconstrained(sampler, (known.level, known.row))
        limits = count if "count" in given else None, most if "max_tokens" in given else None
        write_stream(whole, walker, known, prompt, seed, limits, end, as_json)
        return 0

    def texts(first: int, n: int) -> Iterator[Any]:
        if some is not None:
            return some.draw(n, seed, behind, first)
        least = kw["min_tokens"]
        return draw(
            loaded,
            n,
            seed,
            known,
            prompt,
            least,
            most,
            shape,
            behind,
            as_json or kw["trace"],
            smoothing=smoothing,
            novelty=novelty,
            first=first,
        )

    batches = texts(0, count)
    differing = None
    if kw["unique"]:
        from ..generation.unique import UniqueTexts

        differing = UniqueTexts(texts)
        batches = differing.texts(count)
    held = None
    if kw["trace"]:
        from .generate_traced import traced

        batches = iter(kept := [*batches])
        held = traced(loaded, known, kept, kw)
    for drawn, whole, edge in batches:
        if as_json:
            edges = edge.tolist()
            shared = novelty.overlap(drawn, whole, edge) if novelty is not None else None
            columns = drawn.length.tolist(), drawn.bits.tolist(), drawn.complete.tolist(), drawn.index.tolist()
            for k, (n, bits, complete, index) in enumerate(zip(*columns, strict=True)):
                line = {
                    "text": whole[edges[k] : edges[k + 1]].decode("utf-8", "replace"),
                    "tokens": n + n_prompt,
                    "bits": round(bits, 6) + 0.0,
                    "complete": complete,
                    "seed": seed,
                    "index": index,
                }
                if some is not None and asked is not None:
                    line["conditioned_bits"] = (
                        None if some.conditioned is None else round(bits - some.conditioned, 6) + 0.0
                    )
                if shared is not None:
                    line |= {"overlap": int(shared[0][k]), "overlap_is": shared[1]}
                if held is not None:
                    line |= held.of_text(written + k, bits, n)
                out.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
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
    if asked is not None and some is not None and some.tried > some.kept:
        note(rate(some), quiet)
    if written < count and differing is not None:
        note(f"{written} of {count} texts: {differing.drawn:,} draws gave no more that differ", quiet)
        return ANSWER_IS_NO
    if written < count and asked is not None and some is not None:
        note(f"{written} of {count} texts: {some.why_fewer}", quiet)
        return ANSWER_IS_NO
    if novelty is not None and novelty.novel is not None:
        say_tally(novelty, quiet)
    if written < count and novelty is not None and novelty.novel is not None:
        note(f"{written} of {count} texts: {why_fewer(novelty, kw['min_tokens'])}", quiet)
        return ANSWER_IS_NO
    if written < count:
        note(f"{written} of {count} texts: the others ended before --min-tokens {kw['min_tokens']} each time", quiet)
        return ANSWER_IS_NO
    return 0
