"""`markov man`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from .. import __version__
from ..render.json_text import json_text
from .options import json_option, note, quiet_option


@click.command(short_help="Write the manual pages.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@json_option
@quiet_option()
def man(folder: str, as_json: bool, quiet: bool) -> int:
    """Write the manual pages of all commands into the folder DIR.

    \b
    markov man ~/.local/share/man/man1
    man markov-generate

    The folder is created if it does not exist. Pages hold the text of --help; old pages are replaced.
    """
    from .roff import pages

    program = click.get_current_context().find_root().command
    assert isinstance(program, click.Group)
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pages(program, __version__).items():
        part = where / f".{name}.{os.getpid()}.tmp"
        try:
            part.write_text(text, encoding="utf-8", newline="\n")
            os.replace(part, where / name)
        finally:
            part.unlink(missing_ok=True)
        written.append(name)
    if as_json:
        click.echo(json_text({"folder": folder, "pages": written}))
    note(f"wrote    {len(written)} pages to {folder}", quiet)
    return 0
