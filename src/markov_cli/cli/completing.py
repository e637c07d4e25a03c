"""Words that a shell completes: a model's own, beside Click's commands and options."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_MOST = 60  # words offered at one time


def complete_prompt(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The last word of a text: what follows the words before it, then any word of the model."""
    head, blank, last = incomplete.rpartition(" ")
    words = _words(ctx, head.split(), last, at_start=param.name in ("prompt", "starts_with", "pattern"))
    return _items([head + blank + word for word in words])


def complete_word(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Any word of the model."""
    return _items(_words(ctx, [], incomplete))


def complete_history(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A word of HISTORY: what follows the words before it, then any word of the model."""
    before = [str(word) for word in ctx.params.get(param.name or "") or ()]
    return _items(_words(ctx, before, incomplete, bool(ctx.params.get("at_start"))))


def _items(words: list[str]) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(word) for word in words]


def _words(ctx: click.Context, before: list[str], begun: str, at_start: bool = False) -> list[str]:
    """Words that begin so; none where there is no model, for a shell must not be shown an error."""
    # where an option still lacks its value Click has not yet said which argument is which
    path = ctx.params.get("model") or next(iter(ctx.args), None)
    if not path or path == "-":
        return []
    try:
        return _from_model(os.path.expanduser(path), before, begun, at_start)
    except Exception:  # whatever a file holds, completion is silent
        return []


def _from_model(path: str, before: list[str], begun: str, at_start: bool) -> list[str]:
    from ..model import modelfile
    from ..text.lexicon import Lexicon
    from ..text.prefixes import beginning_with

    found: dict[str, None] = {}
    if before or at_start:
        found = dict.fromkeys(_following(path, before, begun, at_start))
    if len(found) < _MOST and (begun or not found):
        file = modelfile.load(path)  # the vocabulary alone: what a text needs is slow to import
        types = file.types
        lexicon = Lexicon(types.blob, types.start, types.flags, file.header.options.tokenizer)
        found.update(dict.fromkeys(beginning_with(lexicon, begun, _MOST)))
    return list(found)[:_MOST]


def _following(path: str, before: list[str], begun: str, at_start: bool) -> list[str]:
    from ..api import Model
    from ..errors import HistoryError
    from ..text.prefixes import safe

    model = Model.load(path)
    text = (" " if model.lexicon.spaced else "").join(before)
    try:
        likely = model.followers(text, at_start=at_start, top=10_000).followers
    except HistoryError:
        return []
    words: list[Any] = [one.token for one in likely]
    return [w for w in words if w is not None and w.startswith(begun) and safe(w)]
