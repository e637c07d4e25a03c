"""The Python API of what makes models from models: `merge`, `update`, `prune`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from .api import Model, train
from .model import combining
from .model.combining import Stored
from .text.lexicon import Lexicon


def _stored(model: Model, name: str) -> Stored:
    return Stored(model.header, model.lexicon.types(), model.table, name)


def _model(stored: Stored) -> Model:
    return Model(stored.header, Lexicon.of(stored.types, stored.header.options.tokenizer), stored.table)


def merge(models: Sequence[Model], weights: Sequence[float] = (), *, names: Sequence[str] = (), jobs: int = 1) -> Model:
    """One model from several, as if it had been trained on all their texts.

    weights  one for each model: its counts are multiplied by it
    names    what messages call the models

    >>> import markov_cli
    >>> a, b = (markov_cli.train(texts=[t]) for t in ("one two", "one three"))
    >>> [(f.token, f.count) for f in markov_cli.merge([a, b]).followers("one").followers]
    [('three', 1), ('two', 1)]
    """
    called = names or [f"model {i}" for i in range(1, len(models) + 1)]
    stored = [_stored(m, name) for m, name in zip(models, called, strict=True)]
    return _model(model_guard(models, combining.merge, stored, weights, jobs))


def update(
    old: Model,
    paths: Sequence[str | os.PathLike[str]] = (),
    *,
    texts: Iterable[str] = (),
    encoding: str = "utf-8",
    name: str = "the model",
    jobs: int = 1,
    progress: Callable[[str, float, float], None] | None = None,
) -> Model:
    """A model of what `old` was trained on and of more text, read as `old` was."""
    combining.check_whole(_stored(old, name), "added to")
    o = old.header.options
    more = train(
        paths, texts=texts, order=old.order, tokenizer=o.tokenizer, unit=o.unit, lowercase=o.lowercase,
        pattern=o.pattern, encoding=encoding, jobs=jobs, progress=progress,
    )  # fmt: skip
    if progress is not None:
        progress("merging", 0, 1)
    out = merge([old, more], names=[name, "the new text"], jobs=jobs)
    out.repairs = more.repairs
    return out


def prune(
    model: Model,
    thresholds: Sequence[int] = (),
    *,
    max_types: int | None = None,
    name: str = "the model",
    jobs: int = 1,
) -> Model:
    """A model without the n-grams seen at most `thresholds` times, or with the `max_types` commonest types.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["a b a b a c"], order=2)
    >>> [f.token for f in markov_cli.prune(model, (0, 1)).followers("a").followers]
    ['b']
    """
    return _model(model_guard([model], combining.prune, _stored(model, name), tuple(thresholds), max_types, jobs))


def model_guard(models: Sequence[Model], call: Callable[..., Stored], *args: object) -> Stored:
    """Damage that opening a file does not see is an error here, and no crash."""
    return models[0]._guarded(call, *args) if models else call(*args)


__all__ = ["merge", "prune", "update"]
