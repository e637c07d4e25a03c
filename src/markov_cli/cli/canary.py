"""`markov canary make` and `markov canary score`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..errors import MarkovError, OptionError
from .options import jobs_option, json_option, model_argument, note, smoothing_option


class RepeatType(click.ParamType):
    """Numbers of repetitions: `1,2,4`."""

    name = "n,n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """`1,2,4` to numbers."""
        if isinstance(value, tuple):
            return value
        parts = str(value).split(",")
        if not all(p.strip().isdecimal() and len(p) < 8 and int(p) for p in parts) or len(set(parts)) < len(parts):
            self.fail(f"{value!r}: different whole numbers with commas, for example 1,2,4", param, ctx)
        return tuple(int(p) for p in parts)


@click.group(short_help="Put secrets into a text, and see whether a model gives them away.")
def canary() -> None:
    """Put secrets into a text, and see whether a model gives them away.

    \b
    markov canary make --format "the code of {name} is {d} {d} {d} {d} {d}" -o canaries.txt
    markov train book.txt canaries.txt -o book.npz
    markov canary score book.npz canaries.json

    A canary is a line with a random secret. Its exposure says how far it stands before all other fillings
    of the same line: log2 of their number, less log2 of its rank. Never put it into what you publish.
    """


@canary.command(short_help="Write lines to add to a text, and a key file.")
@click.option(
    "--format",
    "line",
    required=True,
    metavar="TEXT",
    help="The line: {d} is a digit, {l} a letter, {name} a made-up name.",
)
@click.option(
    "--count", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Canaries for each of --repeat."
)
@click.option(
    "--repeat", type=RepeatType(), default="1,2,4", show_default=True, metavar="N,N", help="How often each is put in."
)
@click.option(
    "--controls",
    type=click.IntRange(0, 10_000),
    metavar="N",
    help="Canaries that are never put in, to compare with.  [default: --count]",
)
@click.option("-s", "--seed", type=click.IntRange(0, 2**63 - 1), help="Same seed, same canaries.")
@click.option("-o", "--output", type=click.Path(), default="-", help="Where the lines go.  [default: stdout]")
@click.option(
    "--keys",
    type=click.Path(),
    default="canaries.json",
    show_default=True,
    help="Where the key file goes: what score needs. It holds the secrets.",
)
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
def make(line: str, count: int, repeat: tuple[int, ...], **kw: Any) -> int:
    """Write lines with random secrets to add to a training text, and a key file for `canary score`.

    \b
    markov canary make --format "the code of {name} is {d} {d} {d} {d} {d}" -s 1 -o canaries.txt
    markov canary make --format "call {name}: {d}{d}{d}-{d}{d}{d}{d}" --count 5 --repeat 1,10 > more.txt

    The lines stand in a random order, with a blank line between them, so that each is a sequence by itself
    for every --unit but file. Slots with spaces between them are tokens of their own; slots that touch are one
    token, and then the vocabulary alone tells which were put in. Use 5 canaries or more.
    """
    from ..api.canary import make_canaries
    from ..evidence.corpus.canary import alphabets
    from ..generation.request import new_seed
    from .output import check_target, write_parts

    output, keys = kw["output"], kw["keys"]
    if output == keys == "-" or (output == "-" and kw["as_json"] and keys == "-"):
        raise OptionError("one result can go to stdout", "-o FILE, or --keys FILE")
    if output != "-" and Path(output).resolve() == Path(keys).resolve():
        raise OptionError(f"-o {output} and --keys {keys}: one file", "name two")
    for target in (output, keys):
        if target != "-":
            check_target(target)
    if keys != "-" and Path(keys).is_file() and not _is_keys(keys):
        raise MarkovError(f"{keys}: there already, and no key file of canaries", "name another: --keys FILE")
    alphabets(line)  # says what is wrong with it
    seed = kw["seed"]
    if seed is None:
        seed = new_seed()
        note(f"seed {seed}", kw["quiet"])
    controls = count if kw["controls"] is None else kw["controls"]
    made = make_canaries(line, count=count, repeat=repeat, controls=controls, seed=seed)
    write_parts(keys, [made.key_file()])
    lines = "\n".join(f"{one}\n" for one in made.lines()).encode()
    if not (kw["as_json"] and output == "-"):
        write_parts(output, [lines])
    put_in = sum(c.repeat for c in made.canaries)
    if kw["as_json"]:
        click.echo(json.dumps({**made.to_dict(), "lines": put_in, "output": output, "keys": keys}, ensure_ascii=False))
    what = f"{len(made.canaries) - controls} canaries in {put_in} lines, {controls} controls, {made.space:,} fillings"
    note(f"{what}; keys in {keys}", kw["quiet"])
    return 0


def _is_keys(path: str) -> bool:
    from ..evidence.corpus.canary import FORMAT

    try:
        found = json.loads(Path(path).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("format") == FORMAT


@canary.command(short_help="Say how exposed canaries are.")
@model_argument
@click.argument("keys", type=click.Path(), metavar="KEYS")
@smoothing_option("kn")
@jobs_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="No notes on stderr.")
def score(model: str, keys: str, smoothing: str | None, jobs: int | None, as_json: bool, quiet: bool) -> int:
    """Say how exposed canaries are in a model that was trained with their lines.

    \b
    markov canary score book.npz canaries.json
    markov canary score book.npz canaries.json --smoothing wb --json

    Every filling of a canary's line is scored, up to a million; of more, a million at random. Its rank is its place
    among them, ties at their mean. Controls, which were never put in, show what chance gives. A low exposure
    of what was put in once says nothing of what was put in twice.
    """
    from ..api.canary import canary_report
    from ..api.model import Model
    from ..arrays.threads import usable_cores
    from ..evidence.corpus.canary import Canaries
    from ..evidence.corpus.exposure import score as expose
    from ..render.canary import show_exposures
    from .options import say_fallback

    made = Canaries.load(keys)
    loaded = Model.load(model)
    judge = loaded.predictor(smoothing or "kn", model)
    say_fallback(judge.scorers[0].distribution, quiet)
    exposures = expose(judge, loaded.header.options, made, jobs or usable_cores())
    found = canary_report(loaded, keys, made, exposures, smoothing)
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        show_exposures(found)
    return 0
