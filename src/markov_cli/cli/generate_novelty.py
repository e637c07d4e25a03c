"""The options of `generate` that say what texts must not copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import OptionError
from .options import note

if TYPE_CHECKING:
    from ..api.model import Model
    from ..api.results import PromptMatch
    from ..generation.novelty import Novelty

_OPTIONS = [
    click.option(
        "--novel",
        type=click.IntRange(1),
        metavar="K",
        help="No run of K tokens of any text stands in the training text; K is above the order.",
    ),
    click.option(
        "--corpus",
        type=click.Path(),
        multiple=True,
        metavar="FILE",
        help="The training text, for --novel, --trace, or the overlap that --json tells; may be repeated.",
    ),
    click.option("--encoding", default="utf-8", show_default=True, help="How --corpus is encoded."),
]


def novelty_options(f: Any) -> Any:
    """`--novel` and its like."""
    for option in reversed(_OPTIONS):
        f = option(f)
    return f


def novelty_of(model: Model, known: PromptMatch, kw: dict[str, Any], as_json: bool, quiet: bool) -> Novelty | None:
    """What the options ask for; None where they ask for nothing."""
    novel, corpus = kw["novel"], kw["corpus"]
    if kw["others"] and (novel is not None or corpus):
        name = "--novel" if novel is not None else "--corpus"
        raise OptionError(f"{name} with --model: mixed models have no one training text", "leave one of them out")
    if kw["others"] or kw["stream"]:
        return None
    if corpus and novel is None and not as_json:
        if kw["trace"]:
            return None
        raise OptionError(
            "--corpus is for --novel, --trace, or the overlap that --json tells", "add one, or leave it out"
        )
    if novel is None and not corpus and (model.table.guard is None or not as_json):
        return None
    from ..arrays.threads import usable_cores
    from ..generation.novelty import Novelty
    from ..text.reading import check_encoding, find_sources

    check_encoding(kw["encoding"])
    sources = find_sources([*corpus])
    made = Novelty(model, known, kw["prompt"], novel, sources, kw["encoding"], usable_cores(), as_json)
    guard = made.guard
    if novel is not None and not made.exact and guard is not None:
        told = f"guard of runs of {guard.tokens} tokens: of {1 / max(guard.rate, 1e-9):,.0f} new ones 1 counts as seen"
        note(told, quiet)
    return made


def say_tally(novelty: Novelty, quiet: bool) -> None:
    """What steering took, in one line."""
    t = novelty.tally
    if not t.draws:
        return
    again = t.lost + t.circles
    more = f", {again:,} begun again" if again else ""
    note(f"steered around {t.copies:,} copies in {t.draws:,} draws; {t.back:,} steps back{more}", quiet)


def why_fewer(novelty: Novelty, min_tokens: int) -> str:
    """Why some texts did not come."""
    t = novelty.tally
    if t.dead:
        return f"whatever the others draw, a run of {novelty.novel} tokens is copied; raise --novel"
    if min_tokens > 1:
        return f"the others ended before --min-tokens {min_tokens}, or lost their way, each time"
    return f"the others lost their way among copies of {novelty.novel} tokens each time; raise --novel"
