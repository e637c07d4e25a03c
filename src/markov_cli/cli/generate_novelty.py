"""The options of `generate` that say what texts must not copy."""

from __future__ import annotations

from typing import Any

import click

_OPTIONS = [
    click.option(
        "--novel",
        type=click.IntRange(1),
        metavar="K",
        help="No run of K tokens of any text stands in the training text; K is above the order.",
    ),
    click.option(
        "--corpus",
        type=click.Path(),
        multiple=True,
        metavar="FILE",
        help="The training text, for --novel, --trace, or the overlap that --json tells; may be repeated.",
    ),
    click.option("--encoding", default="utf-8", show_default=True, help="How --corpus is encoded."),
]


def novelty_options(f: Any) -> Any:
    """`--novel` and its like."""
    for option in reversed(_OPTIONS):
        f = option(f)
    return f
