"""`markov generate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import ANSWER_IS_NO, OptionError
from .completion_words import complete_prompt
from .generate_constraints import constraint_options, constraints_of, most_tokens
from .generate_mixture import load_model, steering_options
from .generate_novelty import novelty_options
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
    from ..evidence.copying.generated import TracedTexts
    from ..generation.batches import Batch
    from ..generation.mixture import MixedModel
    from ..generation.request import Request
    from ..generation.run import Run
    from ..model.language_model import LanguageModel


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
    from ..render.generate import json_line, streamed

    given = explicitly_given()
    check_trace(kw)
    request = request_of(kw, given, as_json)
    request.check()
    if kw["stream"]:
        request.check_stream()
    run = start(load_model(model, kw["others"], kw["mix"]), request, quiet)
    end = b"\0" if null else b"\n"
    out = sys.stdout.buffer
    if kw["stream"]:
        texts, tokens = (kw[name] if name in given else None for name in ("count", "max_tokens"))
        for piece in streamed(run, texts, tokens, end, as_json):
            out.write(piece)
            out.flush()
        return 0
    batches = run.batches(b"" if as_json else end)
    traced = None
    if kw["trace"]:
        batches = iter(kept := [*batches])
        traced = traced_of(run, kept, kw)
    write(run, batches, as_json, traced)
    if traced is not None and as_json:
        from ..render.traced_texts import totals_json

        out.write(json_line(totals_json(traced, run.model.header.order)))
        out.flush()
    elif traced is not None:
        from ..render.traced_texts import notes as trace_notes

        for text in trace_notes(traced, run.model.header.order):
            note(text, quiet)
    for text in run.closing_notes():
        note(text, quiet)
    return ANSWER_IS_NO if run.fewer else 0


def explicitly_given() -> set[str]:
    """The options that were typed, not left at their defaults."""
    context = click.get_current_context()
    default = click.core.ParameterSource.DEFAULT
    return {name for name in context.params if context.get_parameter_source(name) is not default}


def request_of(kw: dict[str, Any], given: set[str], as_json: bool) -> Request:
    """The options as one request."""
    from ..arrays.threads import usable_cores
    from ..generation.request import Request
    from ..sampling.shape import Shape
    from ..text.reading import check_encoding
    from ..text.sources import find_sources

    for_trace = kw["trace"] and kw["novel"] is None and not as_json  # the corpus is read by the trace alone
    if kw["corpus"] and kw["novel"] is None and not (as_json or kw["trace"] or kw["stream"] or kw["others"]):
        raise OptionError(
            "--corpus is for --novel, --trace, or the overlap that --json tells", "add one, or leave it out"
        )
    return Request(
        count=kw["count"],
        seed=kw["seed"],
        prompt=kw["prompt"],
        within=kw["within"],
        ignore_case=kw["ignore_case"],
        min_tokens=kw["min_tokens"],
        max_tokens=most_tokens(kw, "max_tokens" in given),
        shape=Shape(kw["temperature"], kw["top_k"], kw["top_p"]),
        smoothing=kw["smoothing"],
        constraints=constraints_of(kw),
        novel=kw["novel"],
        corpus=() if for_trace else tuple(find_sources([*kw["corpus"]])),
        encoding=check_encoding(kw["encoding"]),
        overlaps=as_json and not kw["stream"],
        unique=kw["unique"],
        bits=as_json or kw["trace"],
        jobs=usable_cores(),
    )


def start(model: LanguageModel | MixedModel, request: Request, quiet: bool) -> Run:
    """Get ready to draw, and say on stderr what a person may want to know before the first text."""
    from ..generation.mixture import MixedModel
    from ..generation.run import Run

    run = Run(model, request)
    several = isinstance(model, MixedModel)
    if not several:
        say_history(model, run.prompt, quiet)
    for one in model.models if isinstance(model, MixedModel) else [model]:
        if not one.uses_raw_counts(request.smoothing):
            say_fallback(one.distribution(request.smoothing), quiet)
    for text in run.notes:
        note(text, quiet)
    if request.seed is None:
        note(f"seed {run.seed}", quiet)
    return run


def traced_of(run: Run, batches: list[Batch], kw: dict[str, Any]) -> TracedTexts:
    """Hold what was drawn against --corpus."""
    from ..evidence.copying.generated import trace_generated
    from ..model.language_model import LanguageModel
    from ..text.sources import find_sources

    model, known, asked = run.model, run.prompt, run.request
    assert isinstance(model, LanguageModel)  # see check_trace
    history = known.ids[len(known.ids) - known.level :]
    drawn = [(batch.samples, batch.each()) for batch in batches]
    sources = find_sources([*kw["corpus"]]), find_sources([*kw["baseline"]])
    return trace_generated(model, history, drawn, model.uses_raw_counts(asked.smoothing), *sources, asked.jobs)


def write(run: Run, batches: Iterator[Batch], as_json: bool, traced: TracedTexts | None) -> None:
    """Write texts to stdout while they are drawn."""
    from ..render.generate import json_texts

    out = sys.stdout.buffer
    written = 0
    for batch in batches:
        for piece in json_texts(run, batch, written, traced) if as_json else [batch.text]:
            out.write(piece)
        out.flush()
        written += len(batch.samples.index)
