"""Tables for people, drawn with rich."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .safe_stream import unguarded
from .safe_text import one_line, visible

PIPE_WIDTH = 160
_CELL = 1 << 12  # characters that are looked at; no window is so wide


def console() -> Console:
    """stdout for tables: as wide as the terminal, wide and without colour in a pipe."""
    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout, width=None if terminal else PIPE_WIDTH, highlight=False, markup=False, emoji=False,
        legacy_windows=False, soft_wrap=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column's heading; numbers stand to the right; `flexible` ones give way in a small window."""

    name: str
    number: bool = False
    flexible: bool = False


def show(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print one table. Every cell is text and is shown as it is."""
    out = console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", title_justify="left")
    for c in columns:
        table.add_column(
            Text(c.name),
            justify="right" if c.number else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=4 if c.flexible else None,
        )
    for row in rows:
        table.add_row(*(Text(one_line(cell[:_CELL])) for cell in row))
    if title:
        _write(out, Text(visible(title), style="bold"))
    _write(out, table)


def _write(out: Console, what: Table | Text) -> None:
    """Draw into memory, then write: rich would end the program itself if the reader has left."""
    with out.capture() as drawn:
        out.print(what, soft_wrap=isinstance(what, Text))
    for text in drawn.get().splitlines():
        print(text.rstrip(), file=unguarded(sys.stdout))


def line(text: str = "", style: str = "") -> None:
    """Print one line as it is."""
    _write(console(), Text(visible(text), style=style))
