"""The model inside a page: `page`."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import OptionError
from ..formats.page_model import page_model
from .model import Model, ModelLike, opened
from .results import PYTHON_ONLY, Result

MAX_BYTES = 8_000_000


@dataclass(frozen=True, kw_only=True)
class PageModel(Result):
    """The part of a model that a page holds: all of it, or what relative-entropy pruning leaves.

    model          its file; None for a model in memory
    ngrams_before, ngrams_after  by order: of the model, and in the page
    threshold      each n-gram that was left out raises the perplexity by less, as a share, if it goes alone, and
                   `prune_by_entropy` with it gives the model in the page; None where nothing was left out
    smoothing      whose probabilities the page holds then; None for counts, or the probabilities of a whole model
    perplexity_rise_estimate  by how much leaving them out raises the perplexity under the model itself, as a share
    data           zlib bytes for the page's script, base64 of which takes a third more
    """

    model: str | None
    ngrams_before: tuple[int, ...]
    ngrams_after: tuple[int, ...]
    threshold: float | None
    smoothing: str | None
    perplexity_rise_estimate: float
    data: bytes = field(metadata=PYTHON_ONLY, repr=False)

    @property
    def whole(self) -> bool:
        """The page holds all n-grams."""
        return self.ngrams_before == self.ngrams_after and self.smoothing is None


def page(model: ModelLike, *, max_bytes: int = MAX_BYTES) -> PageModel:
    """Choose and pack as much of a model as fits into a page; `markov page` writes the page around it.

    max_bytes  that the model may take in the page, as base64

    OptionError if the types alone take more.

    >>> import markov_cli
    >>> found = markov_cli.page(markov_cli.train(texts=["a b a c"], order=2))
    >>> found.ngrams_before, found.ngrams_after, found.whole
    ((6, 5), (6, 5), True)
    """
    if max_bytes < 1:
        raise OptionError(f"max_bytes {max_bytes}: must be above 0", "for example 8_000_000")
    one: Model = opened(model)
    found = one.checked(page_model, one.language_model, max_bytes * 3 // 4)
    return PageModel(
        model=one.path,
        ngrams_before=found.before,
        ngrams_after=found.after,
        threshold=found.threshold,
        smoothing=found.smoothing,
        perplexity_rise_estimate=found.rise,
        data=found.data,
    )
