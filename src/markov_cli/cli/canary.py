"""`markov canary make` and `markov canary score`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ..errors import MarkovError, OptionError
from ..render.json_text import json_text
from .options import jobs_option, json_option, model_argument, note, quiet_option, seed_option, smoothing_option


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


@click.group(short_help="Measure whether a model gives away secrets of its training text.")
def canary() -> None:
    """Measure whether a model gives away secrets: add lines with known secrets to a text, then look for them.

    \b
    markov canary make --format "the code of {name} is {d} {d} {d} {d} {d}" -o canaries.txt
    markov train book.txt canaries.txt -o book.npz
    markov canary score book.npz canaries.json

    A canary is a line with a random secret. Its exposure is log2 of the number of possible secrets, less log2
    of the rank of the true one (Carlini and others). Do not publish a text or model with canaries.
    """


@canary.command(short_help="Write lines with random secrets, and a key file.")
@click.option(
    "--format",
    "line",
    required=True,
    metavar="TEXT",
    help="The line: {d} is a digit, {l} a letter, {name} a made-up name.",
)
@click.option(
    "--count",
    type=click.IntRange(1, 10_000),
    metavar="N",
    default=10,
    show_default=True,
    help="The number of canaries for each number of --repeat.",
)
@click.option(
    "--repeat",
    type=RepeatType(),
    default="1,2,4",
    show_default=True,
    metavar="N,N",
    help="How many times each canary is written.",
)
@click.option(
    "--controls",
    type=click.IntRange(0, 10_000),
    metavar="N",
    help="The number of canaries that are never written, for comparison.  [default: --count]",
)
@seed_option("The same seed makes the same canaries.")
@click.option("-o", "--output", type=click.Path(), default="-", help="The file of the lines.  [default: stdout]")
@click.option(
    "--keys",
    type=click.Path(),
    default="canaries.json",
    show_default=True,
    help="The key file, which `canary score` needs. It holds the secrets.",
)
@json_option
@quiet_option()
def make(line: str, count: int, repeat: tuple[int, ...], **kw: Any) -> int:
    """Write lines with random secrets to add to a training text, and a key file for `canary score`.

    \b
    markov canary make --format "the code of {name} is {d} {d} {d} {d} {d}" -s 1 -o canaries.txt
    markov canary make --format "call {name}: {d}{d}{d}-{d}{d}{d}{d}" --count 5 --repeat 1,10 > more.txt

    The lines have a random order and a blank line between them, so that each is one sequence for every
    --unit but file. Slots with spaces between them are separate tokens. Slots that touch are one token; then
    the vocabulary alone shows the secrets. Use 5 canaries or more.
    """
    from ..api.canary import make_canaries
    from ..evidence.corpus.canary import alphabets
    from ..generation.request import new_seed
    from .output import check_target, write_parts

    output, keys = kw["output"], kw["keys"]
    if output == keys == "-" or (output == "-" and kw["as_json"] and keys == "-"):
        raise OptionError("only one result can go to stdout", "-o FILE, or --keys FILE")
    if output != "-" and Path(output).resolve() == Path(keys).resolve():
        raise OptionError(f"-o {output} and --keys {keys}: one file", "name two")
    for target in (output, keys):
        if target != "-":
            check_target(target)
    if keys != "-" and Path(keys).is_file() and not _is_keys(keys):
        raise MarkovError(f"{keys}: already exists and is not a key file of canaries", "name another: --keys FILE")
    alphabets(line)  # says what is wrong with it
    seed = kw["seed"]
    if seed is None:
        seed = new_seed()
        note(f"seed {seed}", kw["quiet"])
    controls = count if kw["controls"] is None else kw["controls"]
    made = make_canaries(line, count=count, repeat=repeat, controls=controls, seed=seed)
    if keys != "-" and Path(keys).is_file() and Path(keys).read_bytes() != made.key_file():
        # lost keys make the canaries of an earlier text worthless
        raise MarkovError(f"{keys}: already exists and is of other canaries", "name another: --keys FILE")
    write_parts(keys, [made.key_file()])
    lines = "\n".join(f"{one}\n" for one in made.lines()).encode()
    if not (kw["as_json"] and output == "-"):
        write_parts(output, [lines])
    put_in = sum(c.repeat for c in made.canaries)
    if kw["as_json"]:
        click.echo(json_text({**made.to_dict(), "lines": put_in, "output": output, "keys": keys}))
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


@canary.command(short_help="Compute the exposure of canaries in a model.")
@model_argument
@click.argument("keys", type=click.Path(), metavar="KEYS")
@smoothing_option("kn")
@jobs_option
@json_option
@quiet_option()
def score(model: str, keys: str, smoothing: str | None, jobs: int | None, as_json: bool, quiet: bool) -> int:
    """Compute the exposure of canaries in a model that was trained with their lines.

    \b
    markov canary score book.npz canaries.json
    markov canary score book.npz canaries.json --smoothing wb --json

    Every possible secret of a line is scored, or a million random ones if there are more. The rank of the true
    one is its place among them; ties share their mean rank. Controls, which were never written, show the
    exposure of chance. A low exposure at one repetition does not show that two are safe.
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
        click.echo(json_text(found.to_dict()))
    else:
        show_exposures(found)
    return 0
