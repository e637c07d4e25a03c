"""A model from n-grams and counts that another program wrote."""

from __future__ import annotations

from ..model.building import build_table
from ..model.header import Header
from ..model.language_model import LanguageModel
from ..text.encoder import TextOptions
from ..text.types import BOS, EOS, N_MARKERS, UNK, Types
from .lower_orders import Rows, derive


def counted_model(
    given: dict[int, Rows], types: Types, name: str, order: int | None, options: TextOptions, jobs: int = 1
) -> LanguageModel:
    """The model of some n-grams; TextError if their counts do not add up.

    given    the n-grams of each order in the file
    name     of the file, for messages
    order    None for the longest in the file
    options  how text is read for the model
    """
    derived = derive(given, types, name, order)
    count = derived.levels[0].count
    order = max(given) if order is None else order
    header = Header(
        order=order,
        options=options,
        tokens=int(count.sum()) - int(count[BOS]) - int(count[EOS]),
        types=len(derived.types),
        sequences=int(count[EOS]),
        corpus_bytes=0,
        max_types=max(len(derived.types), 1) if count[UNK] else None,
    )
    table = build_table(derived.levels, order, jobs=jobs)
    assert table.n_ids == N_MARKERS + header.types
    return LanguageModel.of(header, derived.types, table)
