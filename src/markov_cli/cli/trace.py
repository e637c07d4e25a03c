"""`markov trace`."""

from __future__ import annotations

import json
from typing import Any

import click

from ..errors import OptionError
from .options import jobs_option, json_option, note, stdin_is_terminal
from .train import TOKENIZERS, UNITS


@click.command(short_help="Say what of a text stands in a corpus, and where.")
@click.argument("text", nargs=-1, type=click.Path(), metavar="[TEXT_FILE]...")
@click.option(
    "--corpus", multiple=True, type=click.Path(), metavar="FILE", help="What the text is held against; may be repeated."
)
@click.option(
    "--baseline",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Text of the same kind that is not in the corpus: the same figures of it, to compare with.",
)
@click.option(
    "--tokenizer",
    type=click.Choice(TOKENIZERS),
    default="words",
    show_default=True,
    help="What a token is, as in train.",
)
@click.option("--pattern", metavar="REGEX", help="Tokens for --tokenizer regex.")
@click.option(
    "--unit",
    type=click.Choice(UNITS),
    default="file",
    show_default=True,
    help="What one sequence of the corpus is: no fragment crosses its end. file: fragments may run over sentences.",
)
@click.option(
    "--text-unit",
    type=click.Choice(UNITS),
    help="The same for the text, where it differs; line: one text on each line.  [default: --unit]",
)
@click.option("--lowercase", is_flag=True, help="Read everything in lower case.")
@click.option("--encoding", default="utf-8", show_default=True, help="How text and corpus are encoded.")
@click.option(
    "--min-tokens", type=click.IntRange(1), default=6, show_default=True, help="The shortest fragment that is listed."
)
@click.option(
    "--top", type=click.IntRange(0), metavar="N", help="List the N rarest fragments.  [default: 10; all with --json]"
)
@click.option(
    "--show-text/--no-show-text",
    default=None,
    help="Show the text with its fragments marked.  [default: on a terminal, if it is short]",
)
@click.option("--html", type=click.Path(), metavar="FILE", help="Write a page with the text shaded; `-` for stdout.")
@jobs_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No progress and no notes on stderr.")
@click.pass_context
def trace(
    ctx: click.Context, /, text: tuple[str, ...], corpus: tuple[str, ...], baseline: tuple[str, ...], **kw: Any
) -> int:
    """Say how much of a text stands in a corpus word for word, and where.

    \b
    markov trace essay.txt --corpus library/ --baseline heldout.txt
    markov trace essay.txt --corpus library/ --html essay.html
    markov generate book.npz -c 100 | markov trace --corpus book.txt --text-unit line
    pbpaste | markov trace --corpus library/ --lowercase --show-text

    The text may be from anyone: this program, another, a person. It is taken apart into the
    longest fragments that the corpus has, from left to right. A fragment is listed with the
    place where it stands first, how often it does, in how many files, and its rarity: -log2 of
    the probability of its tokens, each by itself. What stands often is a phrase, not a source.
    Without TEXT_FILE, stdin is read.

    The text is kept in memory, at some 200 bytes a token; the corpus is read once, in parts, and its size
    does not matter but for its different words. 100 MB take some 20 s.
    """
    if not text:
        if stdin_is_terminal():
            click.echo(ctx.get_help())
            ctx.exit(2)
        text = ("-",)
    _check(text, corpus, baseline, kw)
    from ..api.trace import trace_report
    from ..arrays.threads import usable_cores
    from ..evidence.copying.trace import trace_sources
    from ..render import trace as show
    from ..render.progress import TrainProgress
    from ..render.train import repair_lines
    from ..text.encoder import TextOptions
    from ..text.reading import Repairs, check_encoding
    from ..text.sources import sources_of
    from .output import check_target

    options = TextOptions.of(kw["tokenizer"], kw["unit"], kw["lowercase"], kw["pattern"])
    encoding = check_encoding(kw["encoding"])
    html, least = kw["html"], kw["min_tokens"]
    if html is not None and html != "-":
        check_target(html)
    repairs = Repairs()
    sources, against = sources_of(text, ()), sources_of(corpus, ())
    with TrainProgress(kw["quiet"]) as progress:
        found = trace_sources(
            sources,
            against,
            sources_of(baseline, ()),
            options,
            text_unit=kw["text_unit"],
            encoding=encoding,
            jobs=kw["jobs"] or usable_cores(),
            progress=lambda done, total: progress.update("reading", done, total),
            repairs=repairs,
        )
    for name in sorted({s.path for s in sources} & {s.path for s in against}):
        note(f"{name} is in the corpus too: it is found in itself", kw["quiet"])
    for said in repair_lines(repairs):
        note(said, kw["quiet"])
    if html is not None:
        from ..render.html.trace import trace_page
        from .output import write_parts

        write_parts(html, trace_page(found, least))
        if html == "-":
            return 0
        note(f"wrote {html}", kw["quiet"])
    if kw["as_json"]:
        click.echo(json.dumps(trace_report(found, least, kw["top"], repairs).to_dict(), ensure_ascii=False))
    else:
        show.show_trace(found, least, 10 if kw["top"] is None else kw["top"], kw["show_text"])
    return 0


def _check(text: tuple[str, ...], corpus: tuple[str, ...], baseline: tuple[str, ...], kw: dict[str, Any]) -> None:
    if not corpus:
        raise OptionError("no --corpus: what shall the text be held against?", "--corpus FILE or a folder")
    if [*text, *corpus, *baseline].count("-") > 1:
        raise OptionError("standard input can be read once", "name a file for the other")
    if kw["html"] == "-" and kw["as_json"]:
        raise OptionError("one result can go to stdout", "--html FILE")
