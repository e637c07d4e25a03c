"""The options of `generate` that steer: models mixed, no two texts alike, one endless text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import MarkovError, OptionError
from .options import NumbersType

if TYPE_CHECKING:
    from ..generation.mixture import MixedModel
    from ..model.language_model import LanguageModel

_OPTIONS = [
    click.option(
        "--model", "others", multiple=True, type=click.Path(), metavar="MODEL", help="Mix it in; may be repeated."
    ),
    click.option("--mix", type=NumbersType(), help="Weights of MODEL and of each --model: 0.7,0.3.  [default: equal]"),
    click.option("--unique", is_flag=True, help="No two texts alike: of equal ones the first is kept."),
    click.option("--stream", is_flag=True, help="Write each token as it is drawn, text after text, without end."),
]


def steering_options(f: Any) -> Any:
    """`--model`, `--mix`, `--unique` and `--stream`."""
    for option in reversed(_OPTIONS):
        f = option(f)
    return f


def words_of(path: str) -> list[str]:
    """The lines of a --ban file that hold something, without the white space around them."""
    data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MarkovError(
            f"{path}: byte {error.start:,} is no UTF-8", "write it as UTF-8: iconv -f ... -t utf-8"
        ) from None
    words = list(dict.fromkeys(word for line in text.splitlines() if (word := line.strip())))
    if not words:
        raise OptionError(f"--ban {path}: no word in it", "a word, or several in a row, on each line")
    return words


def load_model(path: str, others: Sequence[str], weights: Sequence[float] | None) -> LanguageModel | MixedModel:
    """The model in a file; or a mixture, if other files are named."""
    from ..model.language_model import LanguageModel

    if not others:
        if weights is not None:
            raise OptionError("--mix: one model is no mixture", "name the others: --model FILE")
        return LanguageModel.load(path)
    from ..generation.mixture import MixedModel

    names = [path, *others]
    return MixedModel([LanguageModel.load(name) for name in names], weights or (), names)
