"""Options, notes and checks that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from .option_types import SeedType

if TYPE_CHECKING:
    from ..text.record_format import RecordFormat
    from ..text.sources import Source


def model_argument(f: Any) -> Any:
    """MODEL."""
    return click.argument("model", type=click.Path(), metavar="MODEL")(f)


def json_option(f: Any) -> Any:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(f)


def quiet_option(help_text: str = "Print no notes.") -> Callable[[Any], Any]:
    """`-q`."""
    return click.option("-q", "--quiet", is_flag=True, help=help_text)


def seed_option(help_text: str) -> Callable[[Any], Any]:
    """`-s`."""
    return click.option("-s", "--seed", type=SeedType(), metavar="N", help=help_text)


def encoding_option(of: str, more: str = "") -> Callable[[Any], Any]:
    """`--encoding` of a text, or of the files of an option."""
    return click.option("--encoding", default="utf-8", show_default=True, help=f"The encoding of {of}.{more}")


def output_option(f: Any) -> Any:
    """`-o` for a model."""
    return click.option("-o", "--output", type=click.Path(), help="The model file to write; `-` for stdout.")(f)


def space_option(f: Any) -> Any:
    """`--space-as`."""
    return click.option(
        "--space-as",
        metavar="WORD",
        help="For arpa and counts of a model of characters: the word that stands for a space, for example | or "
        "<space>.  [default: \\u{20}]",
    )(f)


def ignore_case_option(f: Any) -> Any:
    """`--ignore-case`."""
    return click.option(
        "--ignore-case", is_flag=True, help="Capital and small letters are the same: `You` also matches `you`."
    )(f)


def record_options(of: str, more: str = "") -> tuple[Callable[[Any], Any], ...]:
    """`--jsonl`, `--csv`, `--parquet` and `--skip-bad`, for a text or the files of some options."""
    return (
        click.option(
            "--jsonl",
            metavar="FIELD",
            help=f"{of} is JSON lines; each record is the text in the field FIELD (a.b: the field b of the object a)."
            + more,
        ),
        click.option(
            "--csv",
            metavar="COLUMN",
            help=f"{of} is CSV, or TSV in files named .tsv; each record is the text in this column: a name in the "
            "first row; or a number from 1, and then the first row is a record, too.",
        ),
        click.option(
            "--parquet",
            metavar="COLUMN",
            help=f"{of} is Parquet; each record is the text in this column. Needs the extra `parquet`.",
        ),
        click.option(
            "--skip-bad",
            is_flag=True,
            help="Leave out records without a text (broken lines, no such field, null, a number) and count them. "
            "Without it, the first one is an error.",
        ),
    )


def several(options: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    """Several options as one decorator, in their order."""

    def add(f: Any) -> Any:
        for option in reversed(options):
            f = option(f)
        return f

    return add


def records_of(kw: dict[str, Any], *files: str) -> RecordFormat | None:
    """The format of records that the options name; OptionError where none of the options `files` is given."""
    from ..errors import OptionError
    from ..text.record_format import record_format

    found = record_format(kw["jsonl"], kw["csv"], kw["parquet"], label=kw.get("label"), skip_bad=kw["skip_bad"])
    if found is not None and files and not any(kw[name] for name in files):
        raise OptionError(f"--{found.kind} works only with --{files[0]}", f"add --{files[0]} FILE, or leave it out")
    return found


def expansion_option(f: Any) -> Any:
    """`--max-expansion`."""
    return click.option(
        "--max-expansion",
        type=click.FloatRange(0),
        default=200.0,
        show_default=True,
        metavar="X",
        help="Refuse a compressed file that expands to more than 1 GiB and more than X times its size; 0 for no limit.",
    )(f)


MARKERS = ("text", "borders", "space")


def reading_options(of: str) -> tuple[Callable[[Any], Any], ...]:
    """`--markers`, `--strip` and `--max-expansion`: how the files of a text are read."""
    return (
        click.option(
            "--markers",
            type=click.Choice(MARKERS),
            default="text",
            show_default=True,
            help=f"<s>, </s> and <unk> where they stand as words of their own in {of}. text: words like any other. "
            "borders: <s> and </s> end a sequence, <unk> is the unknown token. space: white space.",
        ),
        click.option(
            "--strip",
            type=click.Choice(("html", "srt")),
            help=f"Take the text out of {of}. html: no tags, scripts, styles and comments; a block element ends a "
            "paragraph. srt: subtitles, also WebVTT, without numbers, times and tags.",
        ),
        expansion_option,
    )


def sources_in(paths: Iterable[str], kw: dict[str, Any], records: RecordFormat | None = None) -> list[Source]:
    """The texts below some paths, read as the options say."""
    from ..text.sources import sources_of

    return sources_of([*paths], (), kw["max_expansion"], records, kw["markers"], kw["strip"])


def jobs_option(f: Any) -> Any:
    """`--jobs`."""
    return click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        metavar="N",
        help="The number of threads.  [default: the processor's cores]",
    )(f)


def smoothing_option(default: str, draws: bool = False) -> Callable[[Any], Any]:
    """`--smoothing`, checked before anything is read; `stupid` is not offered where texts are drawn."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value is not None:
            from ..model.discounts import SmoothingMethod

            SmoothingMethod.parse(value)
        return value

    last = " or lidstone[:G]" if draws else ", lidstone[:G] or stupid[:W] (stupid backoff)"
    return click.option(
        "--smoothing",
        metavar="METHOD",
        callback=check,
        help="How counts become probabilities: none (raw counts), kn (Kneser-Ney), wb (Witten-Bell), abs[:D] (absolute "
        f"discounting), laplace{last}; blend mixes kn with models of word "
        f"classes (see markov tune).  [default: {default}, or an imported ARPA's own probabilities]",
    )


def adapt_option(f: Any) -> Any:
    """`--adapt` of what draws."""
    return click.option(
        "--adapt",
        is_flag=True,
        help="The words and n-grams of the text so far get more probable, so that a long text keeps to its subject. "
        "Needs a model of markov tune --adapt. Slow.",
    )(f)


shape_options = (
    click.option(
        "--temperature",
        type=float,
        default=1.0,
        show_default=True,
        metavar="T",
        help="Above 1 flattens the probabilities, below 1 sharpens them; 0 always takes the most probable token.",
    ),
    click.option(
        "--top-k",
        type=int,
        default=0,
        show_default=True,
        metavar="K",
        help="Draw only from the K most probable tokens; 0 for all.",
    ),
    click.option(
        "--top-p",
        type=float,
        default=1.0,
        show_default=True,
        metavar="P",
        help="Draw only from the most probable tokens that together reach probability P.",
    ),
)


def say_fallback(distribution: Any, quiet: bool) -> None:
    """Write `distribution_notes` to stderr."""
    from ..model.distribution import distribution_notes

    for text in distribution_notes(distribution):
        note(text, quiet)


def say_smoothing(loaded: Any, smoothing: str | None, quiet: bool) -> None:
    """Write the notes on a smoothing of a model; on a blend, too."""
    if smoothing == "blend":
        say_fallback(getattr(loaded, "language_model", loaded).blend(), quiet)
    elif not loaded.uses_raw_counts(smoothing):
        say_fallback(loaded.distribution(smoothing), quiet)


def say_dropped_blend(models: Iterable[Any], made: Any, quiet: bool) -> None:
    """Note that what `markov tune` found for other counts is not in the model that was made."""
    if made.header.blend is None and any(one.header.blend is not None for one in models):
        note(
            "the parameters of --smoothing blend are left out, since the counts differ: markov tune finds new ones",
            quiet,
        )


def note(text: str, quiet: bool = False) -> None:
    """Write one line to stderr that is not an error."""
    if not quiet:
        from ..render.messages import say

        say(text.replace("\n", "\\n"))


def say_prompt(loaded: Any, known: Any, ignore_case: bool, quiet: bool) -> None:
    """Note tokens of a prompt or history that the model does not know, or knows with other quotes."""
    if not quiet and (known.strange or known.respelled):
        from ..generation.prompt import prompt_notes

        for text in loaded.checked(prompt_notes, loaded.vocabulary, known, ignore_case):
            note(text)


def say_history(loaded: Any, known: Any, ignore_case: bool, quiet: bool) -> None:
    """Note the part of a prompt or history that was used, where the model does not know all of it."""
    say_prompt(loaded, known, ignore_case, quiet)
    could = min(len(known.ids), loaded.order - 1)
    if known.level < could:
        used = " ".join(loaded.vocabulary.name_of(i) for i in known.ids[len(known.ids) - known.level :])
        note(f"history shortened to what the model knows: {used or 'nothing'}", quiet)


def is_closed(stream: Any) -> bool:
    """True for the stand-in of a stdout that the caller closed."""
    return getattr(stream, "name", None) == os.devnull


def stdin_is_terminal() -> bool:
    """True if reading stdin would wait for a person to type."""
    return sys.stdin is None or sys.stdin.isatty()
