"""A model as ARPA, and ARPA as a model.

Legend: k is an order; p(w | h) = u(h w) + b(h) p(w | h') as in model/smoothing.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

from ..errors import OptionError
from ..model.compact import Uncounted, smallest
from ..model.distribution import Distribution
from ..model.listed import Listed
from ..model.modelfile import Header
from ..model.smoothing import Smoothed
from ..model.table import MAX_ORDER, Order, Table, no_rows
from ..text.encoding import TextOptions
from ..text.lexicon import Lexicon
from ..text.naming import names_of
from ..text.types import BOS, Types
from .arpa_reading import read
from .arpa_writing import ZERO, Rows, write
from .listing import Notes, trie_of

_HISTORIES = 1 << 15  # whose followers are worked out at one time
_FOLLOWERS = 1 << 18


def export_arpa(out: IO[bytes], distribution: Distribution, lexicon: Lexicon, jobs: int = 2) -> int:
    """Write a distribution as ARPA; returns the bytes written.

    OptionError for one that has not the form of ARPA: raw counts and Lidstone do not back off.
    """
    if isinstance(distribution, Smoothed) and not distribution.chained:
        raise OptionError(
            f"--smoothing {distribution.smoothing}: ARPA holds what backs off from history to shorter history",
            "kn, wb, abs or stupid",
        )
    table = distribution.table
    n_rows = [len(order) for order in table.orders]
    while len(n_rows) > 1 and not n_rows[-1]:
        n_rows.pop()
    distribution.prepare()
    for level in range(1, len(n_rows) - 1):
        table.index(level)
    chunks = _Chunks(distribution, len(n_rows))
    return write(out, names_of(lexicon), n_rows, chunks.of, jobs=jobs)


class _Chunks:
    """The rows of a distribution, order by order from 1."""

    def __init__(self, distribution: Distribution, order: int) -> None:
        self.distribution, self.table, self.order = distribution, distribution.table, order
        self._p = np.empty(0)  # of the order before, float64

    def of(self, k: int) -> Iterator[Rows]:
        """The rows of one order; orders must be asked for as they rise."""
        top = k == self.order
        here = np.empty(len(self.table.orders[k - 1]))
        for low, high, ids, p in self._rows(k):
            here[low:high] = p
            yield Rows(ids, _log10(p), None if top else _log10(self.distribution.backoff(k, np.arange(low, high))))
        self._p = here

    def _rows(self, k: int) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        table, n = self.table, len(self.table.orders[k - 1])
        if k == 1:
            for low in range(0, n, _FOLLOWERS):
                ids = np.arange(low, min(low + _FOLLOWERS, n))
                p = self.distribution.extend(0, np.zeros(len(ids), np.int64), ids, np.empty(0))
                p[ids == BOS] = 1.0  # never predicted; 0 stands there, as lmplz writes it
                yield low, low + len(ids), ids[:, None], p
            return
        first = table.orders[k - 2].first
        assert first is not None
        begin = 0
        while begin < len(first) - 1:
            wanted = np.array(min(int(first[begin]) + _FOLLOWERS, n), first.dtype)
            end = max(int(np.searchsorted(first, wanted, "right")) - 1, begin + 1)
            end = min(end, begin + _HISTORIES, len(first) - 1)
            history = np.arange(begin, end)
            begins, ends = table.followers(k - 1, history)
            rows = np.arange(int(begins[0]), int(ends[-1]))
            owner = np.repeat(np.arange(len(history)), ends - begins)
            token = table.tokens(k, rows)
            live = np.flatnonzero(ends > begins)
            before = np.zeros((len(history), k - 1), np.int64)
            before[live] = table.ngrams(k - 1, history[live])
            ids = np.concatenate((before[owner], token[:, None]), axis=1)
            if isinstance(self.distribution, Listed):
                p = self.distribution.listed(k, rows)
            else:
                shorter = self._p[self._suffix(k, history[owner], rows, token)]
                p = self.distribution.extend(k - 1, history[owner], rows, shorter)
            if len(rows):
                yield int(rows[0]), int(rows[-1]) + 1, ids, p
            begin = end

    def _suffix(self, k: int, history: np.ndarray, rows: np.ndarray, token: np.ndarray) -> np.ndarray:
        """Rows of order k-1 that are these without their first token."""
        if k == 2:
            return token
        if self.table.orders[k - 1].link is not None:
            return self.table.shorter(k, rows)
        found = self.table.child(k - 2, self.table.shorter(k - 1, history), token)
        if (found < 0).any():
            raise IndexError("an n-gram whose end is not in the table")
        return found


def _log10(p: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log10(p), ZERO)


def import_arpa(path: str, options: TextOptions, jobs: int = 2) -> tuple[Header, Types, Table, Notes]:
    """Read an ARPA file as a model of probabilities.

    options  how text is to be read for this model; the file does not say

    ModelFileError for what is no ARPA, or contradicts itself.
    """
    listing = read(path, jobs=jobs)
    trie = trie_of(listing)
    n = len(trie.orders)
    if n > MAX_ORDER:
        raise OptionError(f"{path}: order {n:,}", f"up to {MAX_ORDER:,}")
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
