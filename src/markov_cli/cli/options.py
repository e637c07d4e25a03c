"""Options and checks that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click


def json_option(f: Any) -> Any:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")(f)


def model_argument(f: Any) -> Any:
    """MODEL."""
    return click.argument("model", type=click.Path(), metavar="MODEL")(f)


def ignore_case_option(f: Any) -> Any:
    """`--ignore-case`."""
    return click.option("--ignore-case", is_flag=True, help="Find `You` for `you`: whichever the model knows best.")(f)


def expansion_option(f: Any) -> Any:
    """`--max-expansion`."""
    return click.option(
        "--max-expansion",
        type=click.FloatRange(0),
        default=200.0,
        show_default=True,
        metavar="X",
        help="Refuse a compressed file that becomes over 1 GiB and X times its size; 0 for no limit.",
    )(f)


def output_option(f: Any) -> Any:
    """`-o` for a model."""
    return click.option("-o", "--output", type=click.Path(), help="The model file to write; `-` for stdout.")(f)


def jobs_option(f: Any) -> Any:
    """`--jobs`."""
    return click.option("--jobs", type=click.IntRange(1, 64), help="Threads to use.  [default: the processor's cores]")(
        f
    )


def smoothing_option(default: str) -> Callable[[Any], Any]:
    """`--smoothing`; checked here, so that a wrong one is said before anything is read."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value is not None:
            from ..model.discounts import SmoothingMethod

            SmoothingMethod.parse(value)
        return value

    return click.option(
        "--smoothing",
        metavar="METHOD",
        callback=check,
        help="none, kn, wb, abs[:D], laplace, lidstone[:G] or stupid[:W]: how counts become probabilities.  "
        f"[default: {default}, or what an imported ARPA holds]",
    )


_SHAPE = [
    click.option(
        "--temperature",
        type=float,
        default=1.0,
        show_default=True,
        help="Above 1 bolder, below 1 safer, 0 always the commonest.",
    ),
    click.option("--top-k", type=int, default=0, show_default=True, help="Only the K commonest followers; 0 for all."),
    click.option(
        "--top-p",
        type=float,
        default=1.0,
        show_default=True,
        help="Only the commonest followers that together reach P.",
    ),
]


def shape_options(f: Any) -> Any:
    """`--temperature`, `--top-k` and `--top-p`."""
    for option in reversed(_SHAPE):
        f = option(f)
    return f


def say_fallback(distribution: Any, quiet: bool) -> None:
    """Say `distribution_notes`."""
    from ..model.distribution import distribution_notes

    for text in distribution_notes(distribution):
        note(text, quiet)


def note(text: str, quiet: bool = False) -> None:
    """One line on stderr that is no error."""
    if not quiet:
        from ..render.safe_text import visible

        click.echo(visible(text).replace("\n", "\\n"), err=True)


def say_history(loaded: Any, known: Any, quiet: bool) -> None:
    """Say what was used of a prompt or history where that is less than could have been."""
    could = min(len(known.ids), loaded.order - 1)
    if known.level < could:
        used = " ".join(loaded.vocabulary.name_of(i) for i in known.ids[len(known.ids) - known.level :])
        note(f"history shortened to what the model knows: {used or 'nothing'}", quiet)


def stdin_is_terminal() -> bool:
    """Reading it would wait for someone to type."""
    return sys.stdin is None or sys.stdin.isatty()


class PruneType(click.ParamType):
    """Thresholds, one per order: `0,0,1`."""

    name = "a,b,c"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """`0,0,1` to numbers."""
        if isinstance(value, tuple):
            return value
        try:
            out = tuple(int(v) for v in str(value).replace(" ", ",").split(","))
        except ValueError:
            self.fail(f"{value!r}: whole numbers with commas, for example 0,0,1", param, ctx)
        if min(out) < 0:
            self.fail(f"{value!r}: no number below 0", param, ctx)
        return out


class GuardType(click.ParamType):
    """Tokens, and a rate of false "seen": `6`, `6:0.01`."""

    name = "k:rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, float]:
        """`6:0.01` to (6, 0.01)."""
        if isinstance(value, tuple):
            return value
        tokens, _, rate = str(value).partition(":")
        try:
            k, share = int(tokens), float(rate) if rate else 1 / 256
        except ValueError:
            self.fail(f"{value!r}: tokens and a rate, for example 6 or 6:0.01", param, ctx)
        if not 1 <= k <= 1 << 20 or not 2.0**-32 <= share <= 0.5:
            self.fail(f"{value!r}: tokens from 1 up, a rate from 2**-32 to 0.5, for example 6:0.01", param, ctx)
        return k, share


class SizeType(click.ParamType):
    """Bytes: `500k`, `20M`, `1.5G`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`20M` to 20,000,000."""
        if isinstance(value, int):
            return value
        text = str(value).strip().upper().removesuffix("B")
        factor = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}.get(text[-1:], 1)
        try:
            number = float(text[:-1] if factor > 1 else text)
        except ValueError:
            number = -1.0
        if not 0 < number * factor < 2**62:
            self.fail(f"{value!r}: bytes, for example 500k, 20M or 1.5G", param, ctx)
        return int(number * factor)


class NumbersType(click.ParamType):
    """Numbers with commas: `0.7,0.3`."""

    name = "x,y"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """`0.7,0.3` to numbers."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(v) for v in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r}: numbers with commas, for example 0.7,0.3", param, ctx)
