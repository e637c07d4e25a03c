"""Options under headings in `--help`, in the order in which a person thinks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

OTHER = "Output"


def option_group(heading: str, *options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options of a command under one heading; the command is a `GroupedCommand`."""

    def add(f: Any) -> Any:
        for option in reversed(options):
            f = option(f)
            f.__click_params__[-1].heading = heading
        return f

    return add


def options_by_heading(command: click.Command, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
    """Flags and help of a command's options under each heading; `--help`, which Click adds, is under `Output`."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
        if record is not None:
            default = OTHER if isinstance(command, GroupedCommand) else "Options"
            groups.setdefault(getattr(parameter, "heading", default), []).append(record)
    return groups


class GroupedCommand(click.Command):
    """A command whose help lists its options by heading."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each heading, in the order of the options."""
        for heading, records in options_by_heading(self, ctx).items():
            with formatter.section(heading):
                formatter.write_dl(records)
