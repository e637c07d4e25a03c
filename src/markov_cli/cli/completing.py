"""Words that a shell completes: a model's own, beside Click's commands and options."""

from __future__ import annotations

import os
from typing import Any

import click
from click.shell_completion import CompletionItem

_MOST = 60  # words offered at one time


def complete_prompt(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The last word of a text: what follows the words before it, then any word of the model."""
    head, blank, last = incomplete.rpartition(" ")
    words = _words(ctx, head.split(), last, at_start=param.name == "prompt")
    return [CompletionItem(head + blank + word) for word in words]


def complete_word(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Any word of the model."""
    return [CompletionItem(word) for word in _words(ctx, [], incomplete)]


def complete_history(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A word of HISTORY: what follows the words before it, then any word of the model."""
    before = [str(word) for word in ctx.params.get(param.name or "") or ()]
    return [CompletionItem(word) for word in _words(ctx, before, incomplete, bool(ctx.params.get("at_start")))]


def _words(ctx: click.Context, before: list[str], begun: str, at_start: bool = False) -> list[str]:
    """Words that begin so; none where there is no model, for a shell must not be shown an error."""
    path = ctx.params.get("model")
    if isinstance(path, tuple):
        path = path[0] if path else None
    if not path or path == "-":
        return []
    try:
        return _from_model(os.path.expanduser(path), before, begun, at_start)
    except Exception:  # whatever a file holds, completion is silent
        return []


def _from_model(path: str, before: list[str], begun: str, at_start: bool) -> list[str]:
    from ..api import Model
    from ..text.prefixes import beginning_with, safe

    model = Model.load(path)
    found: dict[str, None] = {}
    if before or at_start:
        text = (" " if model.lexicon.spaced else "").join(before)
        likely: list[Any] = []
        try:
            likely = model.followers(text, at_start=at_start, top=10_000).followers
        except Exception:  # a history that the model does not know
            likely = []
        words = (one.token for one in likely if one.token is not None)
        found = dict.fromkeys(w for w in words if w.startswith(begun) and safe(w))
    if len(found) < _MOST and (begun or not found):
        found.update(dict.fromkeys(beginning_with(model.lexicon, begun, _MOST)))
    return list(found)[:_MOST]
