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


def smoothing_option(default: str) -> Callable[[Any], Any]:
    """`--smoothing`; checked here, so that a wrong one is said before anything is read."""

    def check(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        if value is not None:
            from ..model.methods import Smoothing

            Smoothing.parse(value)
        return value

    return click.option(
        "--smoothing",
        metavar="METHOD",
        callback=check,
        help="none, kn, wb, abs[:D], laplace, lidstone[:G] or stupid[:W]: how counts become probabilities.  "
        f"[default: {default}, or what an imported ARPA holds]",
    )


def say_fallback(distribution: Any, quiet: bool) -> None:
    """Once, which orders Kneser-Ney had to guess its discounts for, and that stupid backoff is no distribution."""
    orders = getattr(distribution, "fell_back", [])
    if orders:
        which = ", ".join(map(str, orders))
        note(f"kn: too little text to estimate the discounts of order {which}; 0.5, 1 and 1.5 are used", quiet)
    if not distribution.sums_to_one:
        note("stupid: scores, no probabilities; they do not sum to 1", quiet)


def note(text: str, quiet: bool = False) -> None:
    """One line on stderr that is no error."""
    if not quiet:
        from ..render.plain import visible

        click.echo(visible(text), err=True)


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
