"""`markov score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import OptionError
from .option_groups import GroupedCommand, option_group
from .option_types import NumbersType
from .options import (
    encoding_option,
    jobs_option,
    json_option,
    model_argument,
    quiet_option,
    reading_options,
    record_options,
    smoothing_option,
    stdin_is_terminal,
)


@click.command(cls=GroupedCommand, short_help="Compute how probable a text is to a model.")
@model_argument
@click.argument("file", nargs=-1, type=click.Path(), metavar="[FILE]...")
@option_group(
    "What the text is",
    *record_options("The text", " Each record is printed with its scores."),
    encoding_option("the text"),
    *reading_options("the text"),
)
@option_group(
    "How it is scored",
    smoothing_option("kn"),
    click.option(
        "--within",
        is_flag=True,
        help="Put no <s> before a sequence: its first token has no history. KenLM's query -n is --within --open-end.",
    ),
    click.option("--open-end", is_flag=True, help="Put no </s> behind a sequence: its end is not scored."),
    click.option(
        "--adapt",
        is_flag=True,
        help="What was read before in the same file or object changes the probabilities: recent words and n-grams "
        "count. A text is first scored, then learnt. Needs a model of markov tune --adapt.",
    ),
    click.option(
        "--spell",
        is_flag=True,
        help="Spell tokens outside the vocabulary by a model of the bytes of its words, so that bits per byte compare "
        "models with different vocabularies. Not for mixtures.",
    ),
    click.option(
        "--model",
        "others",
        multiple=True,
        type=click.Path(),
        metavar="MODEL",
        help="Score with this model, too. Can be repeated.",
    ),
    click.option(
        "--mix",
        type=NumbersType(),
        metavar="W,W",
        help="Score with the mixture of MODEL and each --model, by these weights, for example 0.7,0.3.",
    ),
    click.option("--tune", type=click.Path(), metavar="FILE", help="Find the best weights of --mix for this text."),
)
@option_group(
    "Which units are kept",
    click.option(
        "--min-perplexity",
        "lowest",
        type=float,
        metavar="X",
        help="Keep only units (sentences, lines), or JSON objects, of perplexity X or more.",
    ),
    click.option(
        "--max-perplexity",
        "highest",
        type=float,
        metavar="X",
        help="Keep only units, or JSON objects, of perplexity X or less.",
    ),
    click.option(
        "--buckets",
        type=NumbersType(),
        metavar="P,Q",
        help="Label each unit `head`, `middle` or `tail`, cut at these percentiles of perplexity. "
        "Keeps all in a temporary file.",
    ),
    click.option(
        "--cut", type=NumbersType(), metavar="X,Y", help="The labels of --buckets, cut at these perplexities."
    ),
)
@option_group(
    "Output",
    click.option(
        "--each",
        type=click.Choice(("line", "token")),
        help="line: print a row for each unit of the model (a sentence, a line, ...), blank lines too. token: a row "
        "for each token.",
    ),
    click.option("--skip-blank", is_flag=True, help="Print no rows for blank lines."),
    click.option(
        "--classify",
        is_flag=True,
        help="Print for each line, or record, the model that needs the fewest bits, and how many more the next best "
        "needs. MODEL can be a folder of models.",
    ),
    click.option(
        "--label",
        metavar="FIELD",
        help="With --classify: the true class of each record; print a table of true classes and models.",
    ),
    click.option(
        "--html",
        type=click.Path(),
        metavar="FILE",
        help="Write a page with each token shaded by its bits, of the first 20,000 or so; `-` for stdout.",
    ),
    jobs_option,
    json_option,
    quiet_option(),
)
@click.pass_context
def score(ctx: click.Context, /, model: str, file: tuple[str, ...], others: tuple[str, ...], **kw: Any) -> int:
    """Compute how probable a text is to a model: perplexity, bits, unknown words.

    \b
    markov score book.npz other.txt
    markov score book.npz other.txt --each token
    markov score en.npz web.jsonl --jsonl text --max-perplexity 300 > kept.jsonl
    markov score en.npz letters.txt --model fr.npz --model de.npz --classify
    markov score a.npz test.txt --model b.npz --tune heldout.txt
    markov score tuned.npz other.txt --adapt
    markov score book.npz other.txt --html other.html

    Perplexity is printed with and without tokens outside the vocabulary (OOV). Compare models with
    different tokens by bits per byte. Without FILE, the command reads stdin. docs/reference/options.md
    explains every option.
    """
    models = [model, *others]
    if kw["classify"]:
        models = [file for one in models for file in files_of(one)]
    check(kw, models, file)
    if not file and not kw["tune"]:
        if stdin_is_terminal():
            click.echo(ctx.get_help())
            ctx.exit(2)
        file = ("-",)
    from .scoring import run

    return run(models, list(file), kw)


def files_of(model: str) -> list[str]:
    """A model's file; the models in it where it is a folder."""
    if not Path(model).is_dir():
        return [model]
    from ..api.confusion import model_files

    return model_files(model)


_MODES = ("each", "classify")
_RECORDS = ("jsonl", "csv", "parquet")
_FILTERS = ("lowest", "highest", "buckets", "cut")
_NAMES = {"lowest": "--min-perplexity", "highest": "--max-perplexity"}


def check(kw: dict[str, Any], models: list[str], file: tuple[str, ...]) -> None:
    """OptionError for options that exclude each other, before anything is read."""
    given = [
        name
        for name in (*_MODES, *_RECORDS, *_FILTERS, "html", "mix", "tune", "spell")
        if kw[name] not in (None, False)
    ]
    for a, b in (
        *((a, b) for i, a in enumerate(_MODES) for b in _MODES[i + 1 :]),
        *(("each", name) for name in _RECORDS),
        *(("classify", name) for name in (*_FILTERS, "mix", "tune", "html")),
        *(("html", name) for name in _FILTERS),
        *(("spell", name) for name in ("mix", "tune", "html")),
        ("buckets", "cut"),
        ("mix", "tune"),
    ):
        if a in given and b in given:
            raise OptionError(f"{_option(a)} and {_option(b)} exclude each other", "choose one")
    if kw["label"] is not None and not kw["classify"]:
        raise OptionError("--label works only with --classify", "add --classify, or leave it out")
    for name in ("classify", "mix", "tune"):
        if name in given and len(models) < 2:
            raise OptionError(f"{_option(name)} needs several models", "name the others: --model MODEL")
    alone = [name for name in given if name != "spell"]
    if len(models) > 1 and alone and not {"classify", "mix", "tune"} & set(given):
        raise OptionError(
            f"{_option(alone[0])} works with one model, and {len(models)} are named",
            "leave --model out, or mix the models: --mix or --tune",
        )
    if kw["each"] == "token" and set(_FILTERS) & set(given):
        raise OptionError(
            f"--each token and {_option(next(n for n in _FILTERS if n in given))} exclude each other", "use --each line"
        )
    if kw["skip_blank"] and kw["each"] != "line":
        raise OptionError("--skip-blank needs --each line", "add it, or leave --skip-blank out")
    _check_numbers(kw)
    inputs = [*models, *file, *([kw["tune"]] if kw["tune"] else [])]
    n = inputs.count("-") + (not file and not kw["tune"])
    if n > 1 and "-" in (*models, kw["tune"]):
        raise OptionError("standard input can be read only once", "name a file for the other")
    if kw["html"] is not None:
        _check_page(kw, inputs, file)


def _check_page(kw: dict[str, Any], inputs: list[str], file: tuple[str, ...]) -> None:
    from .output import check_apart, check_target

    if kw["tune"] and not file:
        raise OptionError("--html needs a text to show", "name a FILE to score with the weights that --tune finds")
    if kw["html"] != "-":
        check_apart([kw["html"]], inputs)
        check_target(kw["html"])
    elif kw["as_json"] or kw["each"]:
        raise OptionError("only one result can go to stdout", "--html FILE")


def _check_numbers(kw: dict[str, Any]) -> None:
    for name in ("lowest", "highest"):
        if kw[name] is not None and not kw[name] >= 0:
            raise OptionError(f"{_option(name)} {kw[name]}: not a perplexity", "give a number of 1 or more")
    if kw["lowest"] is not None and kw["highest"] is not None and kw["lowest"] > kw["highest"]:
        raise OptionError(
            f"--min-perplexity {kw['lowest']:g}, --max-perplexity {kw['highest']:g}: no perplexity is both",
            "make the first number the smaller one",
        )
    for name, most in (("buckets", 100.0), ("cut", float("inf"))):
        values = kw[name]
        if values is not None and not (len(values) == 2 and 0 < values[0] <= values[1] < most):
            shown = ",".join(f"{v:g}" for v in values)
            hint = "two percentiles between 0 and 100: --buckets 30,60"
            raise OptionError(
                f"{_option(name)} {shown}: give two rising numbers",
                hint if name == "buckets" else "two perplexities: --cut 200,400",
            )


def _option(name: str) -> str:
    return _NAMES.get(name, f"--{name}")
