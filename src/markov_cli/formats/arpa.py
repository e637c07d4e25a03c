"""Exports a model as an ARPA file, and imports an ARPA file as a model.

Legend: k is an order; p(w | h) = u(h w) + b(h) p(w | h') as in model/smoothing.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

from ..errors import OptionError
from ..model.count_column import Uncounted, smallest
from ..model.distribution import Distribution
from ..model.model_file import Header
from ..model.probability_rows import Rows as AllRows
from ..model.smoothing import Smoothed
from ..model.table import MAX_ORDER, Order, Table, no_rows
from ..text.encoder import TextOptions
from ..text.types import BOS, Types, invalid_types
from ..text.vocabulary import Vocabulary
from ..text.word_escapes import names_of
from .arpa_reading import read
from .arpa_writing import ZERO, Rows, write
from .ngram_listing import Notes, trie_of
from .opening import ForeignFile
from .word_checks import check_lengths


def export_arpa(
    out: IO[bytes], distribution: Distribution, vocabulary: Vocabulary, jobs: int = 2, space_as: str | None = None
) -> int:
    """Write a distribution as ARPA; returns the number of bytes written.

    space_as  name of the type that is one space

    OptionError for a distribution without the form of ARPA: Lidstone and Laplace do not back off, and stupid
    backoff has its factor for unlisted histories too, where ARPA has 1 (from order 3 on).
    """
    if isinstance(distribution, Smoothed) and not (
        distribution.chained and (distribution.sums_to_one or distribution.table.order <= 2)
    ):
        raise OptionError(
            f"--smoothing {distribution.smoothing}: ARPA holds probabilities that back off to shorter histories",
            "use kn, wb or abs",
        )
    rows = AllRows(distribution)

    def chunks(k: int) -> Iterator[Rows]:
        for chunk in rows.of(k):
            p = np.where(chunk.token == BOS, 1.0, chunk.p) if k == 1 else chunk.p  # lmplz writes 0 for `<s>`
            backoff = None
            if k < rows.order:
                backoff = _log10(distribution.backoff(k, np.arange(chunk.low, chunk.high)))
            yield Rows(rows.ids(k, chunk), _log10(p), backoff)

    return write(out, names_of(vocabulary, space_as), rows.n_rows, chunks, jobs=jobs)


def _log10(p: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10(p), ZERO)


def import_arpa(
    file: ForeignFile | str, options: TextOptions, space_as: str | None = None, jobs: int = 2
) -> tuple[Header, Types, Table, Notes]:
    """Read an ARPA file as a model of probabilities.

    options   text options of the model, which the file does not have
    space_as  the name that stands for one space

    ModelFileError for a file that is not ARPA or contradicts itself; OptionError for too high an order.
    """
    listing = read(file, jobs=jobs)
    trie = trie_of(listing, space_as, jobs)
    check_lengths(trie.types, options.tokenizer, listing.name)
    listing.notes.invalid_words, listing.notes.invalid_text = invalid_types(trie.types)
    n = len(trie.orders)
    if n > MAX_ORDER:
        raise OptionError(f"{listing.name}: order {n:,} is above {MAX_ORDER:,}", "import a model of lower order")
    orders: list[Order] = []
    for k, here in enumerate(trie.orders, 1):
        order = Order(Uncounted(len(here)), log10=here.log10)
        if here.token is not None:
            order.token = here.token.astype(smallest(len(trie.orders[0]) - 1))
        if k < n:
            assert here.first is not None and here.backoff is not None
            order.first = here.first.astype(smallest(len(trie.orders[k])))
            order.backoff = here.backoff
            if k > 2:
                assert here.link is not None
                order.link = here.link.astype(smallest(max(len(trie.orders[k - 2]) - 1, 0)))
        orders.append(order)
    header = Header(
        order=n,
        options=options,
        tokens=0,
        types=len(trie.types),
        sequences=0,
        corpus_bytes=0,
        holds="probabilities",
    )
    return header, trie.types, Table(orders or [no_rows()]), listing.notes
