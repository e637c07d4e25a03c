"""`markov train`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .options import PruneType, expansion_option, jobs_option, json_option, note, output_option, stdin_is_terminal

if TYPE_CHECKING:
    from ..api import Model

TOKENIZERS = ("words", "spaces", "chars", "bytes", "regex")
UNITS = ("sentence", "line", "paragraph", "file")


@click.command(short_help="Learn the table of n-grams from text.")
@click.argument("corpus", nargs=-1, type=click.Path(), metavar="CORPUS...")
@output_option
@click.option(
    "-n", "--order", default=3, show_default=True, help="Tokens in the longest n-gram: 3 looks back 2 tokens."
)
@click.option(
    "--tokenizer",
    type=click.Choice(TOKENIZERS),
    default="words",
    show_default=True,
    help="words: words, numbers and marks of any script. spaces: what stands between white space. "
    "chars: characters. bytes: bytes. regex: what --pattern matches (slow).",
)
@click.option(
    "--pattern", metavar="REGEX", help=r"Tokens for --tokenizer regex, in Python's syntax. [default: \w+|[^\w\s]]"
)
@click.option(
    "--unit",
    type=click.Choice(UNITS),
    default="sentence",
    show_default=True,
    help="What one sequence is: what generate writes one of.",
)
@click.option("--lowercase", is_flag=True, help="Read everything in lower case.")
@click.option(
    "--encoding", default="utf-8", show_default=True, help="How the text is encoded; UTF-16 with its mark is noticed."
)
@click.option(
    "--min-type-count", default=1, show_default=True, metavar="K", help="Types seen fewer than K times become <unk>."
)
@click.option(
    "--prune",
    type=PruneType(),
    default="0",
    metavar="A,B,C",
    help="Drop n-grams of order 1, 2, 3... seen at most that often; the last value goes on. "
    "Order 1 must be 0.  [default: 0, nothing]",
)
@click.option(
    "--update",
    type=click.Path(),
    metavar="MODEL",
    help="Add CORPUS to this model, read as it was: -o, which may be MODEL, is what both texts would give.",
)
@expansion_option
@jobs_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No progress, no summary; errors only.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    corpus: tuple[str, ...],
    output: str | None,
    update: str | None,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
    **kw: Any,
) -> None:
    """Learn the table of n-grams from text and write it as one .npz file.

    \b
    markov train book.txt -o book.npz
    markov train names.txt --tokenizer chars --unit line -n 4 -o names.npz
    zcat logs.gz | markov train - -o logs.npz
    markov train new.txt --update book.npz -o book.npz

    CORPUS is files, folders (all files in them, in sorted order) or `-` for stdin; gzip,
    bzip2, xz and zstandard are noticed. Without CORPUS, stdin is read. The whole table is
    built in memory: about 50 bytes for each token of text at order 3. With --update MODEL, which
    must have all its types and n-grams, also about 70 bytes for each n-gram.
    """
    if not corpus:
        if stdin_is_terminal():
            click.echo(ctx.get_help())
            ctx.exit(2)
        corpus = ("-",)
    if output is None:
        raise OptionError("no -o: where shall the model go?", f"markov train {corpus[0]} -o MODEL.npz")
    from ..render.progress import TrainProgress
    from ..render.summary import train_json, train_lines, update_lines
    from ..training import usable_cores
    from .output import check_target, write_model

    check_target(output)
    begin = time.monotonic()
    make = _train if update is None else _update
    with TrainProgress(quiet) as progress:
        model = make(ctx, update, corpus, jobs or usable_cores(), progress.update)
        progress.update("writing", 0, 1)
        size = write_model(model, output)
    seconds = time.monotonic() - begin
    if not quiet:
        for line in (train_lines if update is None else update_lines)(model, output, size, seconds):
            note(line)
    if as_json:
        click.echo(train_json(model, output, size, seconds), err=output == "-")
    sys.stdout.flush()


def _train(ctx: click.Context, _: str | None, corpus: tuple[str, ...], jobs: int, progress: Any) -> Model:
    from ..api import train as train_model

    given = {
        name: ctx.params[name]
        for name in (
            "order", "tokenizer", "unit", "lowercase", "pattern", "encoding", "min_type_count", "prune",
            "max_expansion",
        )
    }  # fmt: skip
    return train_model(corpus, **given, jobs=jobs, progress=progress)


def _update(ctx: click.Context, old: str | None, corpus: tuple[str, ...], jobs: int, progress: Any) -> Model:
    """Add text to a model; what it was trained with need not be said again, and cannot be changed."""
    from ..api import Model
    from ..changing import update as add

    assert old is not None
    loaded = Model.load(old)
    header = loaded.header
    has = {
        **vars(header.options),
        "order": header.order,
        "min_type_count": header.min_type_count,
        "prune": header.prune,
    }
    for name, own in has.items():
        value = ctx.params[name]
        if name == "prune" and not any(value):
            value = ()
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE and value != own:
            raise OptionError(
                f"--{name.replace('_', '-')} {_said(value)}, but {old} was trained with {_said(own)}",
                "leave the option out: new text is read as the model's was",
            )
    how = {name: ctx.params[name] for name in ("encoding", "max_expansion")}
    return add(loaded, corpus, **how, name=old, jobs=jobs, progress=progress)


def _said(value: Any) -> str:
    return ",".join(map(str, value)) or "0" if isinstance(value, tuple) else str(value)
