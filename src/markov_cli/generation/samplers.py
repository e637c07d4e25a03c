"""Makes the sampler of a model: for its raw counts, or a smoothed or listed distribution."""

from __future__ import annotations

from ..model.count_column import Uncounted
from ..model.language_model import LanguageModel
from ..model.table import INDEX_ROWS, Table
from ..sampling.alias_tables import drawing_of
from ..sampling.sampler import Sampler
from ..sampling.shape import Shape

MANY = 2000  # from this many texts on, an index of a large table saves time
SMALL = 1 << 21  # rows of all orders up to which it takes hundredths of a second at most (measured)


def sampler_of(model: LanguageModel, shape: Shape, smoothing: str | None, bits: bool = True) -> Sampler:
    """Sampler of a model under a smoothing; OptionError where it cannot be drawn from.

    bits  compute -log2 of each probability, which costs a little time; else 0
    """
    smoothed = None
    if not model.uses_raw_counts(smoothing):
        smoothed = model.distribution(smoothing)
        drawing_of(smoothed)  # raises the error early
    return model.checked(Sampler, model.table, shape, bits, smoothed)


def prepare(table: Table, raw: bool) -> None:
    """Index the parts of a table that nearly every draw reads: for raw counts, those of the top order."""
    for level in range(table.order - 2 if raw else 0, table.order - 1):
        table.index(level)
    for order in table.orders[-1:] if raw else table.orders:
        if not isinstance(order.count, Uncounted) and len(order) <= INDEX_ROWS:
            order.count.index()
            if order.left is not None and not raw:
                order.left.index()
