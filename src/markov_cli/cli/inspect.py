"""`markov inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..errors import ANSWER_IS_NO, OptionError
from ..render.json_text import json_text
from .completion_words import complete_history
from .options import (
    ignore_case_option,
    json_option,
    model_argument,
    note,
    quiet_option,
    say_history,
    say_smoothing,
    smoothing_option,
)

if TYPE_CHECKING:
    from ..api.model import Model

_TOP = 10


@click.command(short_help="Show the figures of a model, or the followers of a history.")
@model_argument
@click.argument("history", nargs=-1, metavar="[HISTORY]...", shell_complete=complete_history)
@click.option(
    "--at-start",
    is_flag=True,
    help="HISTORY is the beginning of a sequence; without HISTORY, show what sequences begin with.",
)
@ignore_case_option
@smoothing_option("none")
@click.option(
    "--top",
    type=click.IntRange(1),
    metavar="N",
    help="The number of followers or n-grams to show.  [default: 10; 500 in the page of --html]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "csv", "dot")),
    default="text",
    show_default=True,
    help="csv: figures of each order, or followers. dot: HISTORY and its followers as a Graphviz graph.",
)
@click.option("--verify", is_flag=True, help="Check the whole file for damage. Reads all of it.")
@click.option(
    "--vocab",
    is_flag=True,
    help="Write the types of the model, one on each line, the commonest first: a list for train --vocab.",
)
@click.option("--html", type=click.Path(), metavar="FILE", help="Write a page with all figures; `-` for stdout.")
@json_option
@quiet_option()
def inspect(
    model: str,
    history: tuple[str, ...],
    at_start: bool,
    ignore_case: bool,
    smoothing: str | None,
    top: int | None,
    form: str,
    verify: bool,
    vocab: bool,
    html: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Show the figures of a model, or the followers of a history.

    \b
    markov inspect book.npz
    markov inspect book.npz you must
    markov inspect book.npz --at-start --top 20
    markov inspect book.npz you must --smoothing kn
    markov inspect book.npz the old --format dot | dot -Tsvg > old.svg
    markov inspect book.npz --html book.html

    Without HISTORY, --format text and --json read the whole table. Exit code 3: --verify found damage.
    """
    from ..api.model import Model

    if as_json and form != "text":
        raise OptionError(f"--json and --format {form} exclude each other", "choose one")
    given = {"--at-start": at_start, "--verify": verify, "--vocab": vocab, "--html": html is not None}
    of_history = {"--smoothing": smoothing is not None, "--ignore-case": ignore_case}
    _check_alone(history, {**given, **of_history}, form)
    for name, is_given in of_history.items():
        if is_given and not history and not (at_start and name == "--smoothing"):
            raise OptionError(f"{name} needs a HISTORY", f"for example: markov inspect {model} the {name} ...")
    if html is not None:
        _check_html(html, as_json)
    loaded = Model.load(model)
    if verify:
        return _verify(loaded, as_json)
    if vocab:
        return _vocabulary(loaded, as_json)
    from ..api import inspect as api
    from ..render import inspect as show

    if at_start and not loaded.header.borders:
        raise OptionError(f"--at-start: {model} counts no beginnings of texts (--no-borders)", "leave it out")
    if not history and not at_start:
        if form == "dot":
            raise OptionError("--format dot needs a HISTORY", f"for example: markov inspect {model} the --format dot")
        if html is not None:
            _page(loaded, model, top, html, quiet)
            if html == "-":
                return 0
        found = api.inspect(loaded, top=top or _TOP)
        if as_json:
            click.echo(json_text(found.to_dict()))
        elif form == "csv":
            click.echo(show.model_csv(found), nl=False)
        else:
            loaded.checked(show.show_model, loaded, found)
        return 0
    top = top or _TOP
    text = (" " if loaded.vocabulary.spaced else "").join(history)
    known = loaded.known(text, at_start=at_start, ignore_case=ignore_case)
    say_history(loaded, known, ignore_case, quiet)
    if form == "dot":
        click.echo(show.history_dot(loaded, known, min(top, 50), smoothing), nl=False)
        return 0
    say_smoothing(loaded, smoothing, quiet)
    followers = api.history_followers(loaded, known, top, smoothing)
    if as_json:
        click.echo(json_text(followers.to_dict()))
    elif form == "csv":
        click.echo(show.history_csv([followers, *followers.backoff]), nl=False)
    else:
        show.show_history([followers, *followers.backoff])
    return 0


def _check_html(html: str, as_json: bool) -> None:
    from .output import check_target

    if html != "-":
        check_target(html)
    elif as_json:
        raise OptionError("only one result can go to stdout", "--html FILE")


def _page(loaded: Model, path: str, top: int | None, html: str, quiet: bool) -> None:
    from ..api.inspect import inspect
    from ..render.html.look import LISTED, inspect_page
    from .output import write_parts

    parts = inspect_page(loaded, path, inspect(loaded, top=top or LISTED))
    write_parts(html, loaded.checked(list, parts))
    if html != "-":
        note(f"wrote {html}", quiet)


def _check_alone(history: tuple[str, ...], given: dict[str, bool], form: str) -> None:
    """OptionError where --verify, --vocab or --html has a HISTORY or another option for a history beside it."""
    for name in ("--verify", "--vocab", "--html"):
        if not given[name]:
            continue
        other = next((o for o, is_given in given.items() if is_given and o != name), None)
        if other or history or form != "text":
            what = other or (f"HISTORY ({' '.join(history)})" if history else f"--format {form}")
            raise OptionError(f"{name} and {what} exclude each other", "choose one")


def _vocabulary(loaded: Model, as_json: bool) -> int:
    from ..api.inspect import vocabulary

    words = vocabulary(loaded)
    if as_json:
        click.echo(json_text({"model": loaded.path, "types": words}))
    else:
        click.echo("".join(f"{word}\n" for word in words).encode("utf-8", "surrogateescape"), nl=False)
    return 0


def _verify(loaded: Model, as_json: bool) -> int:
    from ..api.inspect import verify
    from ..render.safe_text import one_line

    found = verify(loaded)
    if as_json:
        click.echo(json_text(found.to_dict()))
    else:
        for line in found.damage or ["no damage found"]:
            click.echo(f"{one_line(str(found.model))}: {one_line(line)}")
    return 0 if found.whole else ANSWER_IS_NO
