"""Chooses what a page holds of a model: all of it, or what relative-entropy pruning leaves within a size.

Legend: T is the threshold of `markov prune --threshold`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import OptionError
from ..model.distribution import Distribution
from ..model.entropy_pruning import EntropyPruner
from ..model.language_model import LanguageModel
from ..model.smoothing import Smoothed
from .page_data import KnownCounts, page_data

_ROUNDS = 6  # sizes that are tried
_FULL = 0.97  # of the size that is worth no other try
_NGRAM_BYTES = 6.0  # of an n-gram with its probability, on average (measured; only the first try goes by it)
_HALVINGS = 50
_LOWEST, _HIGHEST = -46.0, 701.0  # natural logarithms of T


@dataclass(frozen=True)
class PageModel:
    """The part of a model that a page holds.

    data       bytes for the page's script, see `page_data`
    before, after  n-grams of each order in the model and in the page
    threshold  T, where n-grams were left out
    smoothing  whose probabilities the page holds then; None for counts, or a model of probabilities that is whole
    rise       by how much leaving them out raises the perplexity, as a share, under the model itself
    """

    data: bytes
    before: tuple[int, ...]
    after: tuple[int, ...]
    threshold: float | None = None
    smoothing: str | None = None
    rise: float = 0.0


def page_model(model: LanguageModel, n_bytes: int) -> PageModel:
    """As much of a model as fits: all of it, or what relative-entropy pruning leaves; OptionError if types do not fit.

    A model of weighted counts becomes one of probabilities, with the threshold 0.
    """
    before = tuple(len(order) for order in model.table.orders)
    real = not model.table.orders[0].count.whole if model.holds_counts else False
    size = 0
    if not real:
        data = page_data(model)
        if len(data) <= n_bytes:
            return PageModel(data, before, before)
        size = len(data)
    smoothing = None if not model.holds_counts else "wb" if real or model.header.cut_below else "kn"
    if model.order < 2 or not len(model.table.orders[1]):
        raise _too_small(model, n_bytes, size)
    distribution = model.distribution(smoothing)
    pruner = EntropyPruner(distribution)

    def made(threshold: float) -> PageModel:
        pruned = pruner.prune(threshold)
        header = replace(model.header, holds="probabilities", prune=(), counts_of_counts=[], blend=None, cut_below=())
        header = replace(header, min_sequences=None, min_files=None, cap_per_sequence=None)
        kept = LanguageModel(header, model.vocabulary, pruned.table)
        data = page_data(kept, _known(pruner, distribution))
        after = tuple(len(order) for order in pruned.table.orders)
        return PageModel(data, before, after, threshold, smoothing, pruned.rise)

    least = made(math.exp(_HIGHEST))
    if len(least.data) > n_bytes:
        raise _too_small(model, n_bytes, len(least.data))
    return _fullest(made, pruner, n_bytes, least, 0.0 if real else None)


def _fullest(
    made: Callable[[float], PageModel], pruner: EntropyPruner, n_bytes: int, best: PageModel, start: float | None
) -> PageModel:
    """The largest of a few tries that fits; `best` has types alone."""
    least = len(best.data)
    wanted = int((n_bytes - least) / _NGRAM_BYTES)
    for _ in range(_ROUNDS):
        threshold = threshold_for(pruner, wanted) if start is None else start
        one, start = made(threshold), None
        n = sum(one.after[1:])
        if len(one.data) <= n_bytes:
            if n > sum(best.after[1:]):
                best = one
            if len(one.data) >= n_bytes * _FULL or threshold == 0:
                break
        if n == 0 or len(one.data) <= least:
            break
        wanted = int(n * (n_bytes - least) / (len(one.data) - least) * 0.985)
    return best


def threshold_for(pruner: EntropyPruner, n: int) -> float:
    """The least T, of three digits, at which at most n n-grams above order 1 stay."""
    low, high = _LOWEST, _HIGHEST
    if sum(pruner.choose(0.0)[1:]) <= n:
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if sum(pruner.choose(math.exp(middle))[1:]) <= n:
            high = middle
        else:
            low = middle
        if high - low < 1e-3:
            break
    digits = 2 - math.floor(high / math.log(10))
    return float(f"{math.ceil(math.exp(high) * 10.0**digits) / 10.0**digits:.3g}") if digits < 300 else math.exp(high)


def _known(pruner: EntropyPruner, distribution: Distribution) -> KnownCounts | None:
    """Raw counts of the rows that stay, where the table has whole ones."""
    table = pruner.table
    if not isinstance(distribution, Smoothed) or not table.orders[0].count.whole:
        return None
    kept = [np.arange(pruner.n_rows[0]), *(np.flatnonzero(level.keep) for level in pruner.levels)]
    kept += [np.empty(0, np.int64)] * (table.order - len(kept))
    count = [order.count.at(rows) for order, rows in zip(table.orders, kept, strict=True)]
    total = [table.total(k, rows) for k, rows in enumerate(kept[:-1], 1)]
    return KnownCounts(count, total, int(table.total(0, np.zeros(1, np.int64))[0]))


def _too_small(model: LanguageModel, n_bytes: int, least: int) -> OptionError:
    types = model.header.types
    return OptionError(
        f"--max-size: the {types:,} types alone take {least:,} bytes in a page, and {n_bytes:,} are left for them",
        "give a larger --max-size, or keep the commonest first: markov prune MODEL --max-types N -o SMALLER",
    )
