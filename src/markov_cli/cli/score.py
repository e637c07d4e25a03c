"""`markov score`."""

from __future__ import annotations

from typing import Any

import click

from ..errors import OptionError
from .options import NumbersType, expansion_option, json_option, model_argument, smoothing_option, stdin_is_terminal


@click.command(short_help="Say how probable text is to a model.")
@model_argument
@click.argument("file", nargs=-1, type=click.Path(), metavar="[FILE]...")
@smoothing_option("kn")
@click.option(
    "--model", "others", multiple=True, type=click.Path(), metavar="MODEL", help="Another model, to compare with."
)
@click.option(
    "--each",
    type=click.Choice(("line", "token")),
    help="A row for each unit of the model (a line, a sentence), or token.",
)
@click.option(
    "--classify", is_flag=True, help="Give each line to the model that needs the fewest bits for it, with the margin."
)
@click.option(
    "--mix",
    type=NumbersType(),
    metavar="W,W",
    help="Mix the models: p is the sum of weight times p; the weights in the order MODEL, --model.",
)
@click.option("--tune", type=click.Path(), metavar="FILE", help="Find the weights of --mix on this held-out text.")
@click.option(
    "--jsonl",
    metavar="FIELD",
    help="Each line is a JSON object; score the text in FIELD (a.b: within an object) and write the line back.",
)
@click.option("--min-perplexity", "lowest", type=float, metavar="X", help="Keep units, or documents, from X up.")
@click.option("--max-perplexity", "highest", type=float, metavar="X", help="Keep units, or documents, up to X.")
@click.option(
    "--buckets",
    type=NumbersType(),
    metavar="P,Q",
    help="Label each head, middle or tail, cut at these percentiles of perplexity. Keeps all in a temporary file.",
)
@click.option("--cut", type=NumbersType(), metavar="X,Y", help="The same, cut at these perplexities.")
@click.option("--encoding", default="utf-8", show_default=True, help="How the text is encoded.")
@expansion_option
@click.option("--jobs", type=click.IntRange(1, 64), help="Threads to use.  [default: the processor's cores]")
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
@click.pass_context
def score(ctx: click.Context, /, model: str, file: tuple[str, ...], others: tuple[str, ...], **kw: Any) -> int:
    """Say how probable text is to a model: perplexity, bits, words it does not know.

    \b
    markov score book.npz other.txt
    markov score book.npz other.txt --each token | sort -t "$(printf '\\t')" -k3 -gr | head
    markov score en.npz web.jsonl --jsonl text --max-perplexity 300 > kept.jsonl
    markov score en.npz letters.txt --model fr.npz --model de.npz --classify
    markov score a.npz test.txt --model b.npz --tune heldout.txt

    Tokens are those of the text and one </s> for each unit. Perplexity is given with tokens out
    of the vocabulary (OOV, scored as <unk>) and without them. Models whose tokens differ compare by
    bits per byte, and fairly only where few tokens are OOV: an OOV costs what <unk> costs, not
    what it takes to spell it. Without FILE, stdin is read.

    --jsonl adds perplexity, bits_per_byte, scored_tokens and scored_oov to each object.
    """
    models = [model, *others]
    check(kw, models, file)
    if not file and not kw["tune"]:
        if stdin_is_terminal():
            click.echo(ctx.get_help())
            ctx.exit(2)
        file = ("-",)
    from .scoring import run

    return run(models, list(file), kw)


_MODES = ("each", "classify", "jsonl")
_FILTERS = ("lowest", "highest", "buckets", "cut")
_NAMES = {"lowest": "--min-perplexity", "highest": "--max-perplexity"}


def check(kw: dict[str, Any], models: list[str], file: tuple[str, ...]) -> None:
    """OptionError for options that cannot stand together, before anything is read."""
    given = [name for name in (*_MODES, *_FILTERS, "mix", "tune") if kw[name] not in (None, False)]
    for a, b in (
        *((a, b) for i, a in enumerate(_MODES) for b in _MODES[i + 1 :]),
        *(("classify", name) for name in (*_FILTERS, "mix", "tune")),
        ("buckets", "cut"),
        ("mix", "tune"),
    ):
        if a in given and b in given:
            raise OptionError(f"{_option(a)} and {_option(b)} exclude each other", "choose one")
    for name in ("classify", "mix", "tune"):
        if name in given and len(models) < 2:
            raise OptionError(f"{_option(name)} needs several models", "name the others: --model MODEL")
    if len(models) > 1 and given and not {"classify", "mix", "tune"} & set(given):
        raise OptionError(
            f"{_option(given[0])} with {len(models)} models", "one model, or the models as one: --mix or --tune"
        )
    if kw["each"] == "token" and set(_FILTERS) & set(given):
        raise OptionError(f"--each token and {_option(next(n for n in _FILTERS if n in given))}", "--each line")
    _check_numbers(kw)
    inputs = [*models, *file, *([kw["tune"]] if kw["tune"] else [])]
    n = inputs.count("-") + (not file and not kw["tune"])
    if n > 1 and "-" in (*models, kw["tune"]):
        raise OptionError("standard input can be read once", "name a file for the other")


def _check_numbers(kw: dict[str, Any]) -> None:
    for name in ("lowest", "highest"):
        if kw[name] is not None and not kw[name] >= 0:
            raise OptionError(f"{_option(name)} {kw[name]}: no perplexity", "a number, 1 or more")
    if kw["lowest"] is not None and kw["highest"] is not None and kw["lowest"] > kw["highest"]:
        raise OptionError(
            f"--min-perplexity {kw['lowest']:g}, --max-perplexity {kw['highest']:g}: nothing is both", "min <= max"
        )
    for name, most in (("buckets", 100.0), ("cut", float("inf"))):
        values = kw[name]
        if values is not None and not (len(values) == 2 and 0 < values[0] <= values[1] < most):
            shown = ",".join(f"{v:g}" for v in values)
            hint = "two percentiles between 0 and 100: --buckets 30,60"
            raise OptionError(
                f"{_option(name)} {shown}: two rising numbers are needed",
                hint if name == "buckets" else "two perplexities: --cut 200,400",
            )


def _option(name: str) -> str:
    return _NAMES.get(name, f"--{name}")
