"""Writes models and other results, whole or not at all; a model replaces only a model, no other file a model."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MarkovError, OptionError
from ..text.file_kinds import SNIFF_BYTES, is_model, signature

if TYPE_CHECKING:
    from ..api.model import Model
    from ..text.reading import Source

_NAME_BYTES = 255  # of a file name, on every common file system
_RENAME = "choose another name, or remove it first"
_COMPRESSED = re.compile(r"\.(gz|bz2|xz|zst)$", re.IGNORECASE)
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,8}$")  # `.txt`, `.markdown`; not what stands behind the dot of `v1.2`


def default_name(corpus: Sequence[str]) -> str:
    """The model file, in the current folder, that is named after one text or one folder of texts.

    `dir/book.txt.gz` gives `book.npz`, the folder `texts/` gives `texts.npz`. OptionError for what has no such name:
    several inputs, standard input, a pipe, an address, the folder `.`.
    """
    from ..text.byte_ranges import is_url

    path = corpus[0]
    name = Path(path).name
    if not Path(path).is_dir():
        name = _ENDING.sub("", _COMPRESSED.sub("", name))
    special = Path(path).exists() and not (Path(path).is_file() or Path(path).is_dir())
    if len(corpus) > 1 or name in ("", "-", ".", "..") or special or is_url(path):
        given = corpus[0] if len(corpus) == 1 else f"{corpus[0]} ..."
        raise no_output("MODEL.npz", f"markov train {given} -o MODEL.npz")
    return f"{name}.npz"


def no_output(file: str, example: str) -> OptionError:
    """The error of a command that lacks `-o`."""
    return OptionError(f"no output file: add -o {file}", f"for example: {example}")


def check_model_target(path: str) -> None:
    """Raise an error before the work unless `path` is new, a model or an empty file."""
    if path == "-":
        if sys.stdout.isatty():
            raise OptionError("-o -: a model is not for a terminal", "-o FILE, or a pipe: ... -o - | ...")
        return
    _check_place(path)
    head = _head(path)
    if head and not is_model(head):
        found = signature(head)
        kind = "" if found is None else f" but {found[0]}"
        raise MarkovError(f"{path}: already exists and is not a markov model{kind}", _RENAME)


def check_target(path: str) -> None:
    """Say before the work that nothing can be written at `path`, or that a model stands there."""
    _check_place(path)
    if is_model(_head(path)):
        raise MarkovError(f"{path}: already exists and is a markov model", _RENAME)


def check_apart(outputs: Sequence[str], inputs: Sequence[str]) -> None:
    """Raise an error before the work if an output is one of the inputs, or of the other outputs."""
    for i, path in enumerate(outputs):
        for other in (*outputs[:i], *inputs):
            if path != "-" and other != "-" and os.path.realpath(path) == os.path.realpath(other):
                what = "written twice" if other in outputs[:i] else "read and written"
                raise OptionError(f"{path}: this file would be {what}", "name another file for the output")


def _head(path: str) -> bytes:
    """The first bytes of a file that is there; none of a device or a pipe, which is written to and not replaced."""
    if not Path(path).is_file():
        return b""
    with open(path, "rb") as f:
        return f.read(SNIFF_BYTES)


def _check_place(path: str) -> None:
    folder, name = os.path.split(os.path.realpath(path))
    size = len(os.fsencode(name))
    if size > _NAME_BYTES:
        raise MarkovError(f"{name[:20]}...: a name of {size:,} bytes", f"choose a name of at most {_NAME_BYTES} bytes")
    if Path(path).is_symlink() and not Path(folder).is_dir():
        raise MarkovError(f"{path}: a link to {os.path.realpath(path)}, whose folder is not there", "remove the link")
    if Path(path).is_dir():
        raise MarkovError(f"{path}: a folder", f"name a file in it: {os.path.join(path, 'FILE')}")
    if not Path(folder).is_dir():
        raise MarkovError(f"{path}: no folder {os.path.dirname(path)!r}", "create it first")
    if not os.access(folder, os.W_OK):
        raise MarkovError(f"{path}: its folder cannot be written to", "choose a folder that you can write to")


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


def kept_sources(sources: list[Source], stack: ExitStack) -> list[Source]:
    """Sources that can be read again: standard input is copied into a file, until the stack ends."""
    if not any(s.is_stdin for s in sources):
        return sources
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="markov-"))
    path = f"{folder}/stdin"
    with open(path, "wb") as out:
        shutil.copyfileobj(sys.stdin.buffer, out)
    return [replace(s, kept=path) if s.is_stdin else s for s in sources]
