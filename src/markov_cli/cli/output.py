"""Writing a model where the user said, and nothing else."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MarkovError, OptionError

if TYPE_CHECKING:
    from ..api.model import Model


def check_target(path: str) -> None:
    """Say before the work, not after it, that nothing can be written at `path`."""
    if path == "-":
        if sys.stdout.isatty():
            raise OptionError("-o -: a model is not for a terminal", "-o FILE, or a pipe: ... -o - | ...")
        return
    folder = os.path.dirname(os.path.realpath(path))
    if Path(path).is_dir():
        raise MarkovError(f"{path}: a folder", f"name a file in it: -o {os.path.join(path, 'model.npz')}")
    if not Path(folder).is_dir():
        raise MarkovError(f"{path}: no folder {os.path.dirname(path)!r}", "make it first")
    if not os.access(folder, os.W_OK):
        raise MarkovError(f"{path}: its folder cannot be written to", "choose a place you may write to")


def write_model(model: Model, path: str) -> int:
    """Write the model whole, or not at all; returns its bytes."""
    if path == "-":
        return model.save(sys.stdout.buffer)
    return model.save(path)


def write_parts(path: str, parts: Iterable[bytes]) -> None:
    """Write bytes whole, or not at all; `-` is stdout."""
    if path == "-":
        for part in parts:
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        return
    from ..model.atomic_file import atomic_write

    with atomic_write(path) as f:
        for part in parts:
            f.write(part)


def finish(
    model: Model, path: str, begin: float, as_json: bool, quiet: bool, more: dict[str, Any] | None = None
) -> None:
    """Write what a command made of other models, and say so; `begin` is when it began, in seconds.

    more  what else the JSON says
    """
    from ..render.train import made_json, made_lines
    from .options import note

    size = write_model(model, path)
    seconds = time.monotonic() - begin
    if not quiet:
        for line in made_lines(model, path, size, seconds):
            note(line)
    if as_json:
        write_json(made_json(model, path, size, seconds, more), path)


def write_json(text: str, path: str) -> None:
    """Write an object to stdout, or to stderr where stdout holds what was made: `path` is `-`."""
    import click

    from ..render.messages import say_json

    if path == "-":
        say_json(text)
    else:
        click.echo(text)
