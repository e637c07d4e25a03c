"""`markov train`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .options import (
    GuardType,
    PruneType,
    SizeType,
    expansion_option,
    jobs_option,
    json_option,
    note,
    output_option,
    stdin_is_terminal,
)

if TYPE_CHECKING:
    from ..api.model import Model

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
    "--min-sequences",
    default=1,
    metavar="K",
    help="Drop n-grams of order 2 and more that occur in fewer than K sequences. Protects what one sequence says, "
    "however often it says so; not what K sequences share, nor single tokens.  [default: 1, nothing]",
)
@click.option(
    "--min-files",
    default=1,
    metavar="K",
    help="The same by files, where a file is a person's or a source's. Protects what fewer than K files say; not who "
    "has K files, nor single tokens.  [default: 1, nothing]",
)
@click.option(
    "--cap-per-sequence",
    type=int,
    default=0,
    metavar="1",
    help="Count an n-gram once in a sequence, however often it stands there. --prune and --min-type-count then go "
    "by sequences. Protects from one that repeats itself; by itself it drops nothing.  [default: no cap]",
)
@click.option(
    "--guard",
    type=GuardType(),
    metavar="K[:RATE]",
    help="Keep hashes of all runs of K tokens, for generate --novel; RATE of the new ones may count as seen. "
    "Who holds them can confirm guesses.  [default: none; RATE 1/256]",
)
@click.option(
    "--update",
    type=click.Path(),
    metavar="MODEL",
    help="Add CORPUS to this model, read as it was: -o, which may be MODEL, is what both texts would give.",
)
@expansion_option
@jobs_option
@click.option(
    "--memory",
    type=SizeType(),
    metavar="SIZE",
    help="Most memory to use, for example 4G; what does not fit goes to disk.  [default: half of what is free]",
)
@click.option(
    "--temp-dir",
    type=click.Path(exists=True, file_okay=False, writable=True),
    metavar="DIR",
    help="Where that goes.  [default: the folder of -o]",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Let the workers of this Dask scheduler do it; `local` starts some here. CORPUS is what each of "
    "them can read, addresses such as s3://bucket/text.txt included. Needs the extra `dask`.",
)
@click.option("--resume", is_flag=True, help="Go on with a run of this text and these options that ended early.")
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
    memory: int | None,
    temp_dir: str | None,
    dask: str | None,
    resume: bool,
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
    bzip2, xz and zstandard are noticed. Without CORPUS, stdin is read. A text whose table does
    not fit in --memory is sorted on disk, to the same bytes; a run of that kind that was killed goes on
    with --resume. --update MODEL works in memory, and MODEL must have all its types and n-grams: about
    70 bytes for each n-gram.

    --min-sequences, --min-files and --cap-per-sequence take twice the time, and 60 bytes more for each token,
    in memory. docs/explanation/protection.md says what each protects and what not, with figures.

    With --guard K, above the order, the model can write texts that copy no run of K tokens: it keeps
    some 11 bits for each distinct run (20 where RATE is 1e-5), and training takes 16 bytes more for
    each token, in memory. It keeps no secret. Who holds the model can try every next token and see which run
    the text has: of War and Peace, order 3 with --guard 6 gives back 94 % of the next words, order 3
    alone 44 % (benchmarks/guard.py). `markov audit` counts it. `markov prune --no-guard` takes it out.
    """
    if not corpus:
        if stdin_is_terminal():
            click.echo(ctx.get_help())
            ctx.exit(2)
        corpus = ("-",)
    if output is None:
        raise OptionError("no -o: where shall the model go?", f"markov train {corpus[0]} -o MODEL.npz")
    from ..arrays.memory import check_memory
    from ..arrays.threads import usable_cores
    from ..render.progress import TrainProgress
    from ..render.train import train_json, train_lines, update_lines
    from .output import check_target, write_model

    check_target(output)
    memory = memory and check_memory(memory)
    if update is not None:
        for name in ("memory", "temp_dir", "dask", "resume"):
            if ctx.params[name]:
                raise OptionError(
                    f"--{name.replace('_', '-')} with --update, which works in memory",
                    "leave it out; or train on both texts",
                )
    begin = time.monotonic()
    with TrainProgress(quiet) as progress:
        if update is None:
            place = {
                "memory": memory,
                "temp_dir": temp_dir,
                "dask": dask,
                "resume": resume,
                "say": lambda line: note(line, quiet),
            }
            model, size = _train(ctx, corpus, output, jobs or usable_cores(), progress.update, place)
        else:
            model = _update(ctx, update, corpus, jobs or usable_cores(), progress.update)
            progress.update("writing", 0, 1)
            size = write_model(model, output)
    seconds = time.monotonic() - begin
    if not quiet:
        for line in (train_lines if update is None else update_lines)(model, output, size, seconds):
            note(line)
    if as_json:
        click.echo(train_json(model, output, size, seconds), err=output == "-")
    sys.stdout.flush()


def _train(
    ctx: click.Context, corpus: tuple[str, ...], output: str, jobs: int, progress: Any, place: dict[str, Any]
) -> tuple[Model, int]:
    from ..api.train import train_file

    given = {
        name: ctx.params[name]
        for name in (
            "order", "tokenizer", "unit", "lowercase", "pattern", "encoding", "min_type_count", "prune",
            "min_sequences", "min_files", "cap_per_sequence",
            "max_expansion",
        )
    }  # fmt: skip
    guard = ctx.params["guard"]
    if guard is not None:
        given |= {"guard": guard[0], "guard_rate": guard[1]}
    return train_file(corpus, output, **given, jobs=jobs, progress=progress, **place)


def _update(ctx: click.Context, old: str, corpus: tuple[str, ...], jobs: int, progress: Any) -> Model:
    """Add text to a model; what it was trained with need not be said again, and cannot be changed."""
    from ..api.combine import update as add
    from ..api.model import Model

    loaded = Model.load(old)
    header = loaded.header
    has = {
        **vars(header.options),
        "order": header.order,
        "min_type_count": header.min_type_count,
        "prune": header.prune,
        "min_sequences": header.min_sequences or 1,
        "min_files": header.min_files or 1,
        "cap_per_sequence": header.cap_per_sequence or 0,
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
    guard, own = ctx.params["guard"], loaded.table.guard
    if guard is not None and (own is None or own.tokens != guard[0] or own.rate > guard[1]):
        kept = f"a guard of {own.tokens} with a rate of {own.rate:.2g}" if own else "none"
        raise OptionError(
            f"--guard {guard[0]}:{guard[1]:.2g}, but {old} has {kept}",
            "leave the option out: a guard is of the whole text, and goes on as it is",
        )
    how = {name: ctx.params[name] for name in ("encoding", "max_expansion")}
    return add(loaded, corpus, **how, name=old, jobs=jobs, progress=progress)


def _said(value: Any) -> str:
    return ",".join(map(str, value)) or "0" if isinstance(value, tuple) else str(value)
