"""`markov generate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..errors import ANSWER_IS_NO, OptionError
from .generate_options import check_trace, explicitly_given, generate_options, load_model, request_of
from .option_groups import GroupedCommand
from .options import is_closed, model_argument, note, records_of, say_history, say_prompt, say_smoothing, sources_in

if TYPE_CHECKING:
    from ..evidence.copying.generated import TracedTexts
    from ..generation.batches import Batch
    from ..generation.mixture import MixedModel
    from ..generation.request import Request
    from ..generation.run import Run
    from ..model.language_model import LanguageModel


@click.command(cls=GroupedCommand, short_help="Write texts from a model.")
@model_argument
@generate_options
def generate(model: str, as_json: bool, null: bool, quiet: bool, **kw: Any) -> int:
    """Write texts from a model, one per line.

    \b
    markov generate book.npz -c 5 -s 42
    markov generate book.npz --prompt "It was" --temperature 0.8
    markov generate book.npz --smoothing kn --contains river --tokens 12
    markov generate book.npz -c 5 --novel 6 --corpus book.txt
    markov generate book.npz --stream | head -c 500

    With --smoothing none, every run of n tokens in a text occurs in the training text (n is the order of the
    model); smoothed models sometimes write runs that never occurred. Constraints exclude texts; the texts that
    are left keep their proportions. docs/reference/options.md explains every option.

    Exit code 3: fewer texts than asked for, and a note says why.
    """
    from ..render.generate import json_line, streamed

    given = explicitly_given()
    for name, needed in (("encoding", "corpus"), ("in_order", "contains")):
        if name in given and not kw[needed]:
            option = f"--{name.replace('_', '-')}"
            raise OptionError(f"{option} needs --{needed}", f"add it, or leave {option} out")
    check_trace(kw)
    request = request_of(kw, given, as_json)
    request.check()
    if kw["stream"]:
        request.check_stream()
    run = start(load_model(model, kw["others"], kw["mix"]), request, quiet)
    end = b"\0" if null else b"\n"
    out = sys.stdout.buffer
    if kw["stream"]:
        if is_closed(sys.stdout):  # nobody reads, as behind a pipe that was closed
            return 0
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


def start(model: LanguageModel | MixedModel, request: Request, quiet: bool) -> Run:
    """Prepare to draw, and print the notes that come before the first text."""
    from ..generation.mixture import MixedModel
    from ..generation.run import Run
    from ..text.reading import Repairs

    run = Run(model, request)
    several = isinstance(model, MixedModel)
    if several:
        say_prompt(model, run.prompt, request.ignore_case, quiet)
    else:
        say_history(model, run.prompt, request.ignore_case, quiet)
    for one in model.models if isinstance(model, MixedModel) else [model]:
        say_smoothing(one, "blend" if request.adapt else request.smoothing, quiet)
    from ..render.train import repair_lines

    for text in (*repair_lines(run.novelty.repairs if run.novelty is not None else Repairs()), *run.notes):
        note(text, quiet)
    if request.seed is None:
        note(f"seed {run.seed}", quiet)
    return run


def traced_of(run: Run, batches: list[Batch], kw: dict[str, Any]) -> TracedTexts:
    """Trace the texts that were drawn against --corpus."""
    from ..evidence.copying.generated import trace_generated
    from ..model.language_model import LanguageModel

    model, known, asked = run.model, run.prompt, run.request
    assert isinstance(model, LanguageModel)  # see check_trace
    history = known.ids[len(known.ids) - known.level :]
    drawn = [(batch.samples, batch.each()) for batch in batches]
    records = records_of(kw)
    sources = sources_in(kw["corpus"], kw, records), sources_in(kw["baseline"], kw, records)
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
