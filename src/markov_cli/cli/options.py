"""Options and checks that several commands share."""

from __future__ import annotations

import sys
from typing import Any

import click

SMOOTHINGS = ("none",)


def json_option(f: Any) -> Any:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")(f)


def model_argument(f: Any) -> Any:
    """MODEL."""
    return click.argument("model", type=click.Path(), metavar="MODEL")(f)


def ignore_case_option(f: Any) -> Any:
    """`--ignore-case`."""
    return click.option("--ignore-case", is_flag=True, help="Find `You` for `you`: whichever the model knows best.")(f)


def smoothing_option(f: Any) -> Any:
    """`--smoothing`."""
    return click.option(
        "--smoothing",
        type=click.Choice(SMOOTHINGS),
        default="none",
        show_default=True,
        help="How counts become probabilities; `none` takes them as they are.",
    )(f)


def note(text: str, quiet: bool = False) -> None:
    """One line on stderr that is no error."""
    if not quiet:
        from ..render.plain import visible

        click.echo(visible(text), err=True)


def stdin_is_terminal() -> bool:
    """Reading it would wait for someone to type."""
    return sys.stdin is None or sys.stdin.isatty()


class SizeType(click.ParamType):
    """Bytes, as `500M` or `2G`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`2G` to bytes."""
        text = str(value).strip().upper().removesuffix("B").removesuffix("I")
        scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}.get(text[-1:], 1)
        number = text[:-1] if scale > 1 else text
        try:
            return int(float(number) * scale)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no size; for example 500M or 2G", param, ctx)


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
