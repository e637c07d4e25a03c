"""The sampler of a model: its raw counts, or a smoothed or listed distribution, ready to draw from."""

from __future__ import annotations

from ..model.language_model import LanguageModel
from ..model.table import INDEX_ROWS
from ..sampling.alias_tables import drawing_of
from ..sampling.sampler import Sampler
from ..sampling.shape import Shape

MANY = 2000  # texts from which an index of the table pays


def sampler_of(model: LanguageModel, shape: Shape, smoothing: str | None, bits: bool = True) -> Sampler:
    """Draw from a model under a smoothing; OptionError where nothing can be drawn from it.

    bits  compute -log2 of what is drawn, which costs a little; else they are 0
    """
    smoothed = None
    if not model.uses_raw_counts(smoothing):
        smoothed = model.distribution(smoothing)
        drawing_of(smoothed)  # says so where nothing can be drawn
    return model.checked(Sampler, model.table, shape, bits, smoothed)


def prepare(model: LanguageModel, raw: bool) -> None:
    """Index what nearly every draw looks at: for raw counts the top order, and where it leads."""
    table = model.table
    for level in range(table.order - 2 if raw else 0, table.order - 1):
        table.index(level)
    for order in table.orders[-1:] if raw else table.orders:
        if model.holds_counts and len(order) <= INDEX_ROWS:
            order.count.index()
            if order.left is not None and not raw:
                order.left.index()
