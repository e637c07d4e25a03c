"""Words that a shell completes: a model's own, beside Click's commands and options."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import numpy as np
    from click.shell_completion import CompletionItem

    from ..model.language_model import LanguageModel


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
    """Words with a beginning; none if there is no model, since a shell must not print an error."""
    # where an option still lacks its value Click has not yet said which argument is which
    path = ctx.params.get("model") or next(iter(ctx.args), None)
    if not path or path == "-":
        return []
    try:
        return _from_model(os.path.expanduser(path), before, begun, at_start)
    except Exception:  # whatever a file holds, completion is silent
        return []


def _from_model(path: str, before: list[str], begun: str, at_start: bool) -> list[str]:
    from ..model.language_model import LanguageModel
    from ..text.word_completion import beginning_with, first_of

    model = LanguageModel.load(path)  # no `Model`, which takes longer to import than a word to find
    vocabulary = model.vocabulary
    found: dict[str, None] = {}
    if before or at_start:
        text = (" " if vocabulary.spaced else "").join(before)
        ids = _following(model, text, at_start)
        found = dict.fromkeys(first_of(vocabulary, begun, ids, _MOST))
    if len(found) < _MOST and (begun or not found):
        found.update(dict.fromkeys(beginning_with(vocabulary, begun, _MOST)))
    return list(found)[:_MOST]


def _following(model: LanguageModel, text: str, at_start: bool) -> np.ndarray:
    """Ids that follow the longest known end of a text, the commonest first."""
    import numpy as np

    from ..errors import HistoryError
    from ..generation.prompt import find_prompt
    from ..text.types import N_MARKERS

    try:
        history = find_prompt(model, text, at_start)
    except HistoryError:
        return np.empty(0, np.int64)
    table = model.table
    low, high = (int(x[0]) for x in table.followers(history.level, np.array([history.row])))
    order = table.orders[history.level]
    if not model.holds_counts:
        assert order.log10 is not None
        weight = order.log10[low:high]
    else:
        weight = order.count.slice(low, high)
    ids = table.tokens(history.level + 1, np.arange(low, high)[np.argsort(-weight, kind="stable")])
    return ids[ids >= N_MARKERS]
