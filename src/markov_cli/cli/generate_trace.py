"""The options of `generate --trace`."""

from __future__ import annotations

from typing import Any

import click

from ..errors import OptionError


def trace_options(f: Any) -> Any:
    """`--trace` and what it needs."""
    for option in (
        click.option(
            "--baseline", multiple=True, type=click.Path(), metavar="FILE", help="For --trace: text by people."
        ),
        click.option(
            "--trace",
            is_flag=True,
            help="Hold the texts against --corpus: what is new, what stands there. Keeps all texts.",
        ),
    ):
        f = option(f)
    return f


def check_trace(kw: dict[str, Any]) -> None:
    """OptionError where one option needs another."""
    if kw["trace"] and not kw["corpus"]:
        raise OptionError("--trace needs a corpus", "--corpus FILE: the training text")
    if kw["baseline"] and not kw["trace"]:
        raise OptionError("--baseline is for --trace", "add --trace, or leave it out")
    for name, what in (("stream", "--stream"), ("others", "--model")):
        if kw["trace"] and kw[name]:
            raise OptionError(f"--trace with {what}: it holds whole texts of one model", "leave one of them out")
    if [*kw["corpus"], *kw["baseline"]].count("-") > 1:
        raise OptionError("standard input can be read once", "name a file for the other")
