"""The options of `generate` that steer: models mixed, no two texts alike, one endless text."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import MarkovError, OptionError
from .options import NumbersType

if TYPE_CHECKING:
    from ..api.model import Model
    from ..api.results import PromptMatch
    from ..generation.mixture import Mixed
    from ..sampling.walkers import Walker

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


def mixed_with(loaded: Model, model: str, kw: dict[str, Any]) -> Mixed | None:
    """The mixture that is asked for; None where there is one model."""
    if not kw["others"]:
        if kw["mix"] is not None:
            raise OptionError("--mix: one model is no mixture", "name the others: --model FILE")
        return None
    from ..api.model import Model
    from ..generation.mixture import Mixed

    names = [model, *kw["others"]]
    return Mixed([loaded, *map(Model.load, kw["others"])], kw["mix"] or (), names)


def check_stream(kw: dict[str, Any], constrained: bool, given: set[str]) -> None:
    """OptionError for what a text that is written while it is drawn cannot be."""
    refused = [name for name in ("unique", "min_tokens", "novel", "corpus") if name in given]
    if constrained or refused:
        which = f"--{refused[0].replace('_', '-')}" if refused else "constraints"
        raise OptionError(f"--stream with {which}: what is written cannot be taken back", "-c N in place of --stream")


def write_stream(
    model: Model | Mixed,
    walker: Walker,
    known: PromptMatch,
    prompt: str,
    seed: int,
    limits: tuple[int | None, int | None],
    end: bytes,
    as_json: bool,
) -> None:
    """Write tokens until somebody stops it, or as many texts and tokens as `limits` says."""
    from ..generation.stream import Joiner, stream
    from ..text.types import EOS

    texts, tokens = limits
    if texts == 0:
        return
    out = sys.stdout.buffer
    joiner = Joiner(model.vocabulary, known, prompt)
    source = stream(walker, seed, known.tokens > 0)
    begun, written = False, 0
    while tokens is None or written < tokens:
        index, token, bits = model.checked(next, source)
        if as_json:
            name = {"token": None, "marker": "</s>"} if token == EOS else {"token": model.vocabulary.text_of(token)}
            one = {**name, "bits": round(bits, 6) + 0.0, "seed": seed, "index": index}
            out.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
        else:
            out.write(b"" if begun else joiner.begin())
            out.write(end if token == EOS else joiner.piece(token))
        out.flush()
        begun = token != EOS
        written += begun
        if token == EOS and texts is not None and index + 1 == texts:
            return
    if begun and not as_json:
        out.write(end)
