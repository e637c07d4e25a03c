"""The Python API of what makes models from models: `merge`, `update`, `prune`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import OptionError
from ..model import merging
from ..model.language_model import LanguageModel
from ..model.merging import Stored
from ..text.sources import EXPANSION
from .model import Model
from .train import train

if TYPE_CHECKING:
    from ..model.distribution import Distribution


def _stored(model: Model, name: str) -> Stored:
    return Stored(model.header, model.vocabulary.types(), model.table, name)


def _model(stored: Stored) -> Model:
    return Model(LanguageModel.of(stored.header, stored.types, stored.table))


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
    return _model(model_guard(models, merging.merge, stored, weights, jobs))


def update(
    old: Model,
    paths: Sequence[str | os.PathLike[str]] = (),
    *,
    texts: Iterable[str] = (),
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    name: str = "the model",
    jobs: int = 1,
    progress: Callable[[str, float, float], None] | None = None,
) -> Model:
    """A model of what `old` was trained on and of more text, read as `old` was."""
    merging.check_whole(_stored(old, name), "added to")
    o = old.header.options
    more = train(
        paths, texts=texts, order=old.order, tokenizer=o.tokenizer, unit=o.unit, lowercase=o.lowercase,
        pattern=o.pattern, encoding=encoding, max_expansion=max_expansion, jobs=jobs,
        progress=progress, guard_like=old.table.guard,
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
    return _model(model_guard([model], merging.prune, _stored(model, name), tuple(thresholds), max_types, jobs))


def without_guard(model: Model) -> Model:
    """The model without the guard of its text."""
    return Model(LanguageModel(model.header, model.vocabulary, replace(model.table, guard=None)))


@dataclass(frozen=True)
class Shrunk:
    """What pruning by relative entropy gave.

    model      of probabilities
    before, after  n-grams of each order
    threshold  each n-gram that is gone would have raised the perplexity by less, as a share, if it went alone
    rise       by how much the perplexity rises under the model itself, as a share: an estimate
    """

    model: Model
    before: list[int]
    after: list[int]
    threshold: float
    rise: float


def prune_by_entropy(
    model: Model,
    *,
    threshold: float | None = None,
    n_bytes: int | None = None,
    smoothing: str | None = None,
) -> Shrunk:
    """The model's distribution without the n-grams whose loss changes it least.

    threshold  the least rise of the perplexity, as a share, for which an n-gram is kept; or
    n_bytes    what the model's file may take at most
    smoothing  that of the distribution, kn where none is named; a model of probabilities has its own alone

    OptionError where the size cannot be reached: types are not pruned.
    """
    return model.checked(_prune_by_entropy, model, model.distribution(smoothing, "kn"), threshold, n_bytes)


def _prune_by_entropy(model: Model, distribution: Distribution, threshold: float | None, n_bytes: int | None) -> Shrunk:
    from ..model.entropy_pruning import EntropyPruner
    from ..model.model_file import vocabulary_bytes

    if model.order < 2 or not len(model.table.orders[1]):
        raise OptionError("a model of order 1: there is nothing to leave out", "--max-types N leaves out rare types")
    if not distribution.sums_to_one or not getattr(distribution, "chained", True):
        raise OptionError(
            "relative entropy is that of probabilities which back off to shorter histories", "--smoothing kn, wb or abs"
        )
    pruner = EntropyPruner(distribution)

    header = replace(model.header, holds="probabilities", prune=(), counts_of_counts=[])
    header = replace(header, min_sequences=None, min_files=None, cap_per_sequence=None)
    if n_bytes is not None:
        rest = vocabulary_bytes(model.vocabulary.types())
        threshold = pruner.to_size(n_bytes, rest)
        if threshold is None:
            least = rest + pruner.least_bytes()
            raise OptionError(
                f"--size: without any n-gram but its {model.header.types:,} types the model takes {least:,} bytes",
                "a larger --size, or --max-types N first",
            )
    assert threshold is not None
    pruned = pruner.prune(threshold)
    guard = model.table.guard
    pruned.table.guard = guard.copy() if guard is not None else None
    shrunk = Model(LanguageModel(header, model.vocabulary, pruned.table))
    return Shrunk(shrunk, pruner.n_rows, [len(o) for o in pruned.table.orders], threshold, pruned.rise)


def model_guard(models: Sequence[Model], call: Callable[..., Stored], *args: object) -> Stored:
    """Damage that opening a file does not see is an error here, and no crash."""
    return models[0].checked(call, *args) if models else call(*args)


__all__ = ["Shrunk", "merge", "prune", "prune_by_entropy", "update"]
