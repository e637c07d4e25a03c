"""A model pruned by relative entropy (Stolcke 1998), by a threshold or to a size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import OptionError
from .distribution import Distribution
from .entropy_pruning import EntropyPruner
from .language_model import LanguageModel
from .model_file import vocabulary_bytes


@dataclass(frozen=True)
class PrunedByEntropy:
    """The pruned model, which holds probabilities, and what pruning it costs.

    before     n-grams of each order
    threshold  each n-gram that was dropped raises the perplexity by less, as a share, if it goes alone
    rise       by how much the perplexity rises under the model itself, as a share
    """

    model: LanguageModel
    before: tuple[int, ...]
    threshold: float
    rise: float


def pruned_by_entropy(
    model: LanguageModel, distribution: Distribution, threshold: float | None, n_bytes: int | None
) -> PrunedByEntropy:
    """Drop n-grams below a threshold, or until the file takes at most n_bytes; OptionError if that cannot be."""
    if model.order < 2 or not len(model.table.orders[1]):
        raise OptionError("a model of order 1 has no n-grams to drop", "--max-types N drops rare types")
    if not distribution.sums_to_one or not getattr(distribution, "chained", True):
        raise OptionError(
            "relative entropy needs a smoothing that backs off to shorter histories", "--smoothing kn, wb or abs"
        )
    pruner = EntropyPruner(distribution)
    header = replace(model.header, holds="probabilities", prune=(), counts_of_counts=[], blend=None)
    header = replace(header, min_sequences=None, min_files=None, cap_per_sequence=None, cut_below=())
    if n_bytes is not None:
        rest = vocabulary_bytes(model.vocabulary.types())
        threshold = pruner.to_size(n_bytes, rest)
        if threshold is None:
            least = rest + pruner.least_bytes()
            raise OptionError(
                f"--size: without any n-gram but its {model.header.types:,} types the model takes {least:,} bytes",
                "give a larger --size, or prune --max-types N first",
            )
    assert threshold is not None
    pruned = pruner.prune(threshold)
    guard = model.table.guard
    pruned.table.guard = guard.copy() if guard is not None else None
    made = LanguageModel(header, model.vocabulary, pruned.table)
    return PrunedByEntropy(made, tuple(pruner.n_rows), threshold, pruned.rise)
