"""`markov train`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .option_groups import GroupedCommand, option_group
from .option_types import GuardType, PruneType, SizeType
from .options import (
    encoding_option,
    jobs_option,
    json_option,
    note,
    output_option,
    quiet_option,
    reading_options,
    record_options,
    say_dropped_blend,
    stdin_is_terminal,
)

if TYPE_CHECKING:
    from ..api.model import Model

TOKENIZERS = ("words", "spaces", "chars", "bytes", "regex")
UNITS = ("sentence", "line", "paragraph", "file")


@click.command(cls=GroupedCommand, short_help="Count the n-grams of a text and write a model.")
@click.argument("corpus", nargs=-1, type=click.Path(), metavar="CORPUS...")
@option_group(
    "What the text is",
    click.option(
        "--tokenizer",
        type=click.Choice(TOKENIZERS),
        default="words",
        show_default=True,
        help="words: words, numbers and marks of any script. spaces: strings between white space. "
        "chars: characters. bytes: bytes. regex: the matches of --pattern (slow).",
    ),
    click.option(
        "--pattern",
        metavar="REGEX",
        help=r"The tokens of --tokenizer regex, in Python's syntax.  [default: \w+|[^\w\s]]",
    ),
    click.option(
        "--unit",
        type=click.Choice(UNITS),
        default="sentence",
        help="The part of the text that is one sequence. `generate` writes one sequence at a time.  "
        "[default: sentence; with --markers borders line]",
    ),
    click.option(
        "--no-borders",
        is_flag=True,
        help="Each file is one text without beginning and end: no <s> and </s> are counted.",
    ),
    click.option("--lowercase", is_flag=True, help="Convert the text to lower case."),
    click.option(
        "--keep-newlines",
        is_flag=True,
        help="A line break is a token, and so is the white space that a line begins with: for poems, lyrics and code.",
    ),
    *record_options("CORPUS"),
    click.option(
        "--weights",
        is_flag=True,
        help="Each line of CORPUS is `text<TAB>count`, for example names with their frequencies; the text counts so "
        "often.",
    ),
    click.option(
        "--weights-field",
        metavar="FIELD",
        help="The field or column with the number of times that a record counts.",
    ),
    click.option(
        "--group-by",
        metavar="FIELD",
        help="Train a model for each value of this field or column, in one pass; -o 'models/{}.npz' names the files, "
        "with the value for {}.",
    ),
    click.option(
        "--min-group",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        metavar="N",
        help="With --group-by: groups with fewer than N records get no model.",
    ),
    encoding_option("the text", " UTF-16 with a byte order mark is recognised."),
    *reading_options("the text"),
)
@option_group(
    "What the model holds",
    click.option(
        "-n",
        "--order",
        default=3,
        show_default=True,
        metavar="N",
        help="Tokens in the longest n-gram; 3 looks back 2 tokens.",
    ),
    click.option(
        "--min-type-count",
        default=1,
        show_default=True,
        metavar="K",
        help="Types (distinct tokens) that occur fewer than K times become <unk>, the unknown token.",
    ),
    click.option(
        "--max-types",
        type=int,
        metavar="N",
        help="Keep the N commonest types; the others become <unk>.  [default: all]",
    ),
    click.option(
        "--vocab",
        type=click.Path(),
        metavar="FILE",
        help="Keep only the types of this list, one on each line; all others become <unk> before anything is counted. "
        "Take it where a system can only know these words.  [default: all types]",
    ),
    click.option(
        "--prune",
        type=PruneType(),
        default="0",
        metavar="A,B,C",
        help="Drop n-grams of order 1, 2, 3... that occur at most A, B, C... times; the last number also holds for "
        "higher orders. A must be 0.  [default: 0, nothing]",
    ),
    click.option(
        "--prune-vocab",
        type=click.Path(),
        metavar="FILE",
        help="Count all types, then drop n-grams with one that is not in this list; discounts and totals stay those of "
        "all of the text (lmplz's --limit_vocab_file). Take it where only these words are asked for.  "
        "[default: none]",
    ),
    click.option(
        "--update",
        type=click.Path(),
        metavar="MODEL",
        help="Add CORPUS to this model. CORPUS is read with the options of the model; the result is the model of both "
        "texts.",
    ),
)
@option_group(
    "Protection of the training text",
    click.option(
        "--min-sequences",
        default=1,
        metavar="K",
        help="Drop n-grams of order 2 and more that occur in fewer than K sequences.  [default: 1, nothing]",
    ),
    click.option(
        "--min-files",
        default=1,
        metavar="K",
        help="Drop n-grams of order 2 and more that occur in fewer than K files.  [default: 1, nothing]",
    ),
    click.option(
        "--cap-per-sequence",
        type=int,
        default=0,
        metavar="1",
        help="Count an n-gram at most once in a sequence; --prune and --min-type-count then count sequences.  "
        "[default: no cap]",
    ),
    click.option(
        "--guard",
        type=GuardType(),
        metavar="K[:RATE]",
        help="Keep hashes of all runs of K tokens, for generate --novel. RATE is the share of new runs that are "
        "taken for seen ones.  [default: none; RATE 1/256]",
    ),
)
@option_group(
    "Resources",
    jobs_option,
    click.option(
        "--memory",
        type=SizeType(),
        metavar="SIZE",
        help="The most memory to use, for example 4G; the rest goes to disk.  [default: half of the free memory]",
    ),
    click.option(
        "--temp-dir",
        type=click.Path(exists=True, file_okay=False, writable=True),
        metavar="DIR",
        help="The folder for temporary files.  [default: the folder of -o]",
    ),
    click.option(
        "--dask",
        metavar="ADDRESS",
        help="Train on the workers of this Dask scheduler; `local` starts some here. The workers read CORPUS, also "
        "from addresses such as s3://bucket/text.txt. Needs the extra `dask`.",
    ),
    click.option("--resume", is_flag=True, help="Continue an interrupted run of the same text and options."),
)
@option_group("Output", output_option, json_option, quiet_option("Print no progress and no summary."))
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
    """Count the n-grams of a text and write them as a model, one .npz file.

    \b
    markov train book.txt -o book.npz
    markov train names.txt --tokenizer chars --unit line -n 4 -o names.npz
    zcat logs.gz | markov train - -o logs.npz
    markov train new.txt --update book.npz -o book.npz

    Without -o, book.txt and the folder book/ give book.npz, in the current folder. A model replaces an earlier
    model, never another file.

    CORPUS can be files, folders (all their files, in sorted order) and `-` for stdin; gzip, bzip2, xz and
    zstandard are recognised. Text that does not fit in --memory is sorted on disk; the model is the same.
    docs/reference/options.md explains every option, docs/explanation/protection.md the options that protect
    the training text.
    """
    unit_given = ctx.get_parameter_source("unit") is click.core.ParameterSource.COMMANDLINE
    if kw["no_borders"] and unit_given and kw["unit"] != "file":
        raise OptionError(f"--no-borders and --unit {kw['unit']} exclude each other", "leave one of them out")
    if not unit_given:
        ctx.params["unit"] = None
    if not corpus:
        if stdin_is_terminal():
            click.echo(ctx.get_help())
            ctx.exit(2)
        corpus = ("-",)
    from ..arrays.memory import check_memory
    from ..arrays.threads import usable_cores
    from ..render.progress import TrainProgress
    from ..render.train import train_json, train_lines, update_lines
    from .output import check_model_target, default_name, no_output, write_json
    from .train_groups import run as train_groups
    from .word_lists import say_words, word_list

    if ctx.params["group_by"] is not None:
        train_groups(ctx, corpus, output, word_list(ctx, corpus))
        return
    if ctx.get_parameter_source("min_group") is click.core.ParameterSource.COMMANDLINE:
        raise OptionError("--min-group works only with --group-by", "add --group-by FIELD, or leave it out")
    if output is None:
        if update is not None:
            raise no_output("MODEL.npz", f"markov train {corpus[0]} --update {update} -o {update}")
        output = default_name(corpus)
    check_model_target(output)
    memory = memory and check_memory(memory)
    words, kept = word_list(ctx, corpus), word_list(ctx, corpus, "prune_vocab")
    if dask is not None and not dask.strip():
        raise OptionError("--dask: no address", "name a scheduler, for example tcp://host:8786, or `local`")
    if update is not None and kept is not None:
        raise OptionError(
            "--prune-vocab does not work with --update: a pruned model cannot be updated",
            "leave it out; or train on both texts",
        )
    begin = time.monotonic()
    with TrainProgress(quiet) as progress:
        place = {
            "vocab": words,
            "memory": memory,
            "temp_dir": temp_dir,
            "dask": dask,
            "resume": resume,
            "jobs": jobs or usable_cores(),
            "progress": progress.update,
            "say": lambda line: note(line, quiet),
        }
        if update is None:
            model, size = _train(ctx, corpus, output, {**place, "prune_vocab": kept, "borders": not kw["no_borders"]})
        else:
            model, size = _update(ctx, update, corpus, output, place)
    seconds = time.monotonic() - begin
    if not quiet:
        for line in (train_lines if update is None else update_lines)(model, output, size, seconds):
            note(line)
        say_words(words or kept, model)
    if as_json:
        write_json(train_json(model, output, size, seconds, words or kept), output)


def _train(ctx: click.Context, corpus: tuple[str, ...], output: str, place: dict[str, Any]) -> tuple[Model, int]:
    from ..api.train import train_file

    given = {
        name: ctx.params[name]
        for name in (
            "order", "tokenizer", "unit", "lowercase", "pattern", "keep_newlines", "encoding", "min_type_count",
            "max_types", "prune", "min_sequences", "min_files", "cap_per_sequence",
            "max_expansion", "jsonl", "csv", "parquet", "skip_bad", "markers", "strip", "weights", "weights_field",
        )
    }  # fmt: skip
    guard = ctx.params["guard"]
    if guard is not None:
        given |= {"guard": guard[0], "guard_rate": guard[1]}
    return train_file(corpus, output, **given, **place)


def _update(
    ctx: click.Context, old: str, corpus: tuple[str, ...], output: str, place: dict[str, Any]
) -> tuple[Model, int]:
    """Add text to a model, read with the options of its training."""
    from ..api.combine import update_file
    from ..api.model import Model

    loaded = Model.load(old)
    header = loaded.header
    has = {
        **vars(header.options),
        "order": header.order,
        "min_type_count": header.min_type_count,
        "max_types": header.max_types,
        "no_borders": not header.borders,
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
            "leave --guard out: the model keeps its guard",
        )
    how = {
        name: ctx.params[name]
        for name in (
            "encoding",
            "max_expansion",
            "jsonl",
            "csv",
            "parquet",
            "skip_bad",
            "markers",
            "strip",
            "weights",
            "weights_field",
        )
    }
    made = update_file(loaded, corpus, output, **how, name=old, **place)
    say_dropped_blend([loaded], made.model, ctx.params["quiet"])
    return made


def _said(value: Any) -> str:
    return ",".join(map(str, value)) or "0" if isinstance(value, tuple) else str(value)
