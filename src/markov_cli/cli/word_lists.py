"""The option `--vocab FILE`: reads the list, and says what is odd in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..errors import OptionError
from .options import note

if TYPE_CHECKING:
    from ..api.model import Model
    from ..text.word_list import WordList


def word_list(ctx: click.Context, corpus: tuple[str, ...] = (), name: str = "vocab") -> WordList | None:
    """The list of an option; None without one."""
    path = ctx.params[name]
    if path is None:
        return None
    if path == "-" and "-" in corpus:
        raise OptionError("standard input can be read only once", f"name a file for --{name.replace('_', '-')}")
    from ..text.reading import check_encoding
    from ..text.word_list import WordList

    encoding = check_encoding(ctx.params.get("encoding") or "utf-8")
    return WordList.of(path, encoding, bool(ctx.params.get("lowercase")), ctx.params["max_expansion"])


def say_words(words: WordList | None, model: Model) -> None:
    """Note what is odd in a list, and which of its words the model lacks."""
    if words is None:
        return
    from ..render.train import word_list_lines

    for line in word_list_lines(words, model):
        note(f"note     {line}")
