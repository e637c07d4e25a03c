"""A model from n-grams and counts that another program wrote: of a whole text, or without its rare n-grams."""

from __future__ import annotations

import numpy as np

from ..errors import MarkovError
from ..model.building import build_table
from ..model.header import Header
from ..model.language_model import LanguageModel
from ..text.encoder import TextOptions
from ..text.types import BOS, EOS, N_MARKERS, UNK, Types
from .cut_counts import cut_model, looks_cut
from .lower_orders import Rows, derive
from .ngram_listing import Notes


def counted_model(
    given: dict[int, Rows],
    types: Types,
    name: str,
    order: int | None,
    options: TextOptions,
    jobs: int = 1,
    notes: Notes | None = None,
    cut: bool = False,
) -> LanguageModel:
    """The model of some n-grams; MarkovError if their counts do not add up.

    Counts that are not those of a whole text are taken for cut ones if no longer n-gram was seen once.

    given    the n-grams of each order in the file
    name     of the file, for messages
    order    None for the longest in the file
    options  how text is read for the model
    notes    takes what was changed
    cut      rare n-grams are known to be missing
    """
    given, types = _used({k: rows for k, rows in given.items() if len(rows.count)}, types)
    try:
        derived = None if given and (cut or _surely_cut(given)) else derive(given, types, name, order)
    except MarkovError:
        if not looks_cut(given):
            raise
        derived = None
    if derived is None:
        found = cut_model(given, types, name, order, options, jobs)
        if notes is not None:
            notes.put_in, notes.raised = found.put_in, found.raised
        return found.model
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


def _used(given: dict[int, Rows], types: Types) -> tuple[dict[int, Rows], Types]:
    """Without the types of which no n-gram is left: those of n-grams with count 0, or of tagged ones."""
    seen = np.zeros(N_MARKERS + len(types), bool)
    seen[:N_MARKERS] = True
    for rows in given.values():
        seen[rows.ids] = True
    if seen.all():
        return given, types
    place = (np.cumsum(seen) - 1).astype(np.uint32)
    kept = np.flatnonzero(seen[N_MARKERS:])
    return {k: Rows(place[rows.ids], rows.count, rows.line) for k, rows in given.items()}, types.take(kept)


def _surely_cut(given: dict[int, Rows]) -> bool:
    """Bigrams do not add up to the words, and none was seen once: `derive` need not try."""
    if 1 not in given or 2 not in given or not looks_cut(given):
        return False
    one = given[1]
    ends = int(one.count[one.ids[:, 0] == EOS].sum())
    return int(given[2].count.sum()) != int(one.count.sum()) - ends
