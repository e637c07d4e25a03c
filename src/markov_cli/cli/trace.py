"""`markov trace`."""

from __future__ import annotations

from typing import Any

import click

from ..errors import OptionError
from ..render.json_text import json_text
from .options import (
    encoding_option,
    jobs_option,
    json_option,
    note,
    quiet_option,
    reading_options,
    record_options,
    records_of,
    several,
    sources_in,
    stdin_is_terminal,
)
from .train import TOKENIZERS, UNITS


@click.command(short_help="Find the parts of a text that are copied from a corpus.")
@click.argument("text", nargs=-1, type=click.Path(), metavar="[TEXT_FILE]...")
@click.option(
    "--corpus", multiple=True, type=click.Path(), metavar="FILE", help="The text to search in. Can be repeated."
)
@click.option(
    "--baseline",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Text of the same kind that is not in the corpus; its figures are printed beside those of the text.",
)
@click.option(
    "--tokenizer",
    type=click.Choice(TOKENIZERS),
    default="words",
    show_default=True,
    help="The tokens, as in train.",
)
@click.option("--pattern", metavar="REGEX", help="The tokens of --tokenizer regex.")
@click.option(
    "--unit",
    type=click.Choice(UNITS),
    default="file",
    show_default=True,
    help="One sequence of the corpus; no fragment goes over its end. With `file`, fragments can go "
    "over the ends of sentences.",
)
@click.option(
    "--text-unit",
    type=click.Choice(UNITS),
    help="One sequence of the text; line: one text on each line.  [default: --unit]",
)
@click.option("--lowercase", is_flag=True, help="Convert text and corpus to lower case.")
@click.option("--keep-newlines", is_flag=True, help="Line breaks and indentation are tokens.")
@several(record_options("--corpus and --baseline"))
@encoding_option("text and corpus")
@several(reading_options("text and corpus"))
@click.option(
    "--min-tokens",
    type=click.IntRange(1),
    metavar="N",
    default=6,
    show_default=True,
    help="The length of the shortest fragment that is listed.",
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
@quiet_option("Print no progress and no notes.")
@click.pass_context
def trace(
    ctx: click.Context, /, text: tuple[str, ...], corpus: tuple[str, ...], baseline: tuple[str, ...], **kw: Any
) -> int:
    """Find how much of a text is copied word for word from a corpus, and from where.

    \b
    markov trace essay.txt --corpus library/ --baseline heldout.txt
    markov trace essay.txt --corpus library/ --html essay.html
    markov generate book.npz -c 100 | markov trace --corpus book.txt --text-unit line
    pbpaste | markov trace --corpus library/ --lowercase --show-text

    The text can come from this program, another program or a person. It is split, from left to right, into the
    longest fragments that occur in the corpus. Each listed fragment has the place where it occurs first, the
    number of times and of files, and its rarity: -log2 of the product of its tokens' probabilities. A
    fragment that occurs often is a phrase, not a source. Without TEXT_FILE, the command reads stdin.

    The text is kept in memory, 0.5 to 1.5 kB a token; the corpus is read once, in parts of limited size.
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
    from .output import check_apart, check_target

    options = TextOptions.of(kw["tokenizer"], kw["unit"], kw["lowercase"], kw["pattern"], kw["keep_newlines"])
    encoding = check_encoding(kw["encoding"])
    html, least = kw["html"], kw["min_tokens"]
    if html is not None and html != "-":
        check_apart([html], [*text, *corpus, *baseline])
        check_target(html)
    repairs = Repairs()
    records = records_of(kw)
    sources, against = sources_in(text, kw), sources_in(corpus, kw, records)
    with TrainProgress(kw["quiet"]) as progress:
        found = trace_sources(
            sources,
            against,
            sources_in(baseline, kw, records),
            options,
            text_unit=kw["text_unit"],
            encoding=encoding,
            jobs=kw["jobs"] or usable_cores(),
            progress=lambda done, total: progress.update("reading", done, total),
            repairs=repairs,
        )
    for name in sorted({s.path for s in sources} & {s.path for s in against}):
        note(f"{name} is also in the corpus, so it is found in itself", kw["quiet"])
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
        click.echo(json_text(trace_report(found, least, kw["top"], repairs).to_dict()))
    else:
        show.show_trace(found, least, 10 if kw["top"] is None else kw["top"], kw["show_text"])
    return 0


def _check(text: tuple[str, ...], corpus: tuple[str, ...], baseline: tuple[str, ...], kw: dict[str, Any]) -> None:
    if not corpus:
        raise OptionError("no corpus to compare with", "add --corpus FILE, or --corpus FOLDER")
    if [*text, *corpus, *baseline].count("-") > 1:
        raise OptionError("standard input can be read only once", "name a file for the other")
    if kw["html"] == "-" and kw["as_json"]:
        raise OptionError("only one result can go to stdout", "--html FILE")
