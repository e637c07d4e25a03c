"""The n-gram table: the followers of every history, and their counts.

Legend: n is the order; k an order 1..n; a row of order k is a distinct k-gram; h is a
history, given as (its number of tokens, its row); V is the number of ids.

Rows of order k stand in trie order: by the row of their first k-1 ids, then by their last
id. So the followers of row r of order k are rows first[r]..first[r+1] of order k+1. Rows of order
1 are the ids themselves; the empty history is level 0, row 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..errors import ModelFileError
from ..text.types import BOS, EOS, UNK
from .count_column import DAMAGED, Counts, Uncounted
from .fingerprints import Guard
from .guide import Guide, pays, search

INDEX_ROWS = 1 << 25  # rows of an order up to which `index` is made: a quarter of a GB
_PIECE = 1 << 16  # look-ups at one time, so that their arrays stay in the cache
MAX_ORDER = 1 << 20  # keeps a damaged header from asking for more orders than fit in memory


@dataclass
class Order:
    """The rows of one order, and what is known of each.

    token  unsigned (r,)       last id; None for order 1, whose rows are the ids
    count  Counts              how often the n-gram was seen
    first  unsigned (r + 1,)   where its followers begin in the next order; None at the top
    left   Counts              distinct left neighbours; None at the top
    link   unsigned (r,)       the row, one order below, of the n-gram without its first
                               id; None for orders 1, 2 and the top
    """

    count: Counts
    token: np.ndarray | None = None
    first: np.ndarray | None = None
    left: Counts | None = None
    link: np.ndarray | None = None
    left_total: Counts | None = None  # pruned tables only: sum of `left` over all followers
    total: Counts | None = (
        None  # of capped tables, and those without borders: sum of `count` over all followers; None at the top
    )
    log10: np.ndarray | None = None  # tables of probabilities only: float32 (r,), log10 p
    backoff: np.ndarray | None = None  # and log10 of the backoff weight; None at the top

    def __len__(self) -> int:
        return len(self.count)


def no_rows(counted: bool = True) -> Order:
    """An order that no sequence is long enough for; of probabilities where nothing is counted."""
    none = np.empty(0, np.uint8)
    if not counted:
        logs = np.empty(0, "<f4")
        return Order(Uncounted(0), none, np.zeros(1, np.uint8), link=none, log10=logs, backoff=logs)
    empty = Counts.pack(none)
    return Order(empty, none, np.zeros(1, np.uint8), empty, none, empty)


@dataclass
class Table:
    """All orders of a model; orders[0] holds the types."""

    orders: list[Order]
    pruned: bool = False
    counts_of_counts: np.ndarray = field(default_factory=lambda: np.zeros((0, 5), np.int64))
    _guides: dict[int, Guide] = field(default_factory=dict, repr=False)  # see `index`
    empty: tuple[int, int] | None = None  # before types were dropped, sums over all of them: of counts, of `left`
    borders: bool = True  # False: <s> and </s> were not counted
    guard: Guard | None = field(default=None, repr=False)  # runs of the text that are longer than the order
    classes: list[np.ndarray] = field(default_factory=list, repr=False)  # of a tuned model: sets of classes of the ids

    @property
    def order(self) -> int:
        """Length of the longest n-gram."""
        return len(self.orders)

    @property
    def height(self) -> int:
        """The first order without rows, or the highest: above it there is nothing to tell."""
        return next((k for k, order in enumerate(self.orders[1:], 2) if not len(order)), len(self.orders))

    @property
    def rows(self) -> int:
        """Rows of all orders."""
        return sum(len(order) for order in self.orders)

    @property
    def capped(self) -> bool:
        """Counts are numbers of sequences, and a history's followers have a total of their own."""
        return self.orders[0].total is not None and self.borders

    @property
    def n_ids(self) -> int:
        """Types and markers."""
        return len(self.orders[0])

    def tokens(self, level: int, row: np.ndarray) -> np.ndarray:
        """Last ids of rows of order `level`: int64."""
        token = self.orders[level - 1].token
        return row if token is None else token[row].astype(np.int64)

    def followers(self, level: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows [low, high) of order level+1 that extend histories of `level` tokens.

        row      int64 (m,), rows of order `level`; any value where level is 0
        returns  int64 (m,), int64 (m,)
        """
        if level == 0:
            return np.zeros_like(row), np.full_like(row, self.n_ids)
        first = self.orders[level - 1].first
        if first is None:
            raise ModelFileError(f"order {level}: followers of the longest n-grams", DAMAGED)
        low, high = first[row].astype(np.int64), first[row + 1].astype(np.int64)
        limit = len(self.orders[level])
        if ((low < 0) | (low > high) | (high > limit)).any():
            raise ModelFileError(f"order {level}: followers outside the table", DAMAGED)
        return low, high

    def followers_of_each(self, level: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`followers` of distinct histories: together no more than the rows of order level+1.

        Whoever puts the followers of many histories side by side takes these: in a damaged file the ranges may
        overlap, and would take as much as the square of the file.
        """
        low, high = self.followers(level, row)
        if level and int((high - low).sum()) > len(self.orders[level]):
            raise ModelFileError(f"order {level}: histories that share followers", DAMAGED)
        return low, high

    def total(self, level: int, row: np.ndarray) -> np.ndarray:
        """The number of times that histories were followed: int64 (m,), float64 where counts are weighted.

        A history that ends in EOS is followed by nothing; every other one by one id at each
        place where it stands. In a pruned table this is the total before pruning. In a capped one it is the sum over
        the followers, which stand in no fewer sequences than their history.
        """
        if level == 0 and self.empty is not None:
            return np.full(len(row), self.empty[0])
        if level == 0:
            count = self.orders[0].count
            return np.full(len(row), count.total - count.at(np.array([BOS]))[0])
        here = self.orders[level - 1]
        counts = here.count if here.total is None else here.total
        return np.where(self.tokens(level, row) == EOS, 0, counts.at(row))

    def child(self, level: int, row: np.ndarray, token: np.ndarray) -> np.ndarray:
        """The row of order level+1 for history + token: int64 (m,), -1 where there is none."""
        if level == 0:
            return np.where((token >= 0) & (token < self.n_ids), token, -1)
        below = self.orders[level].token
        assert below is not None
        found = np.empty(len(row), np.int64)
        guide = self._guides.get(level)
        for at in range(0, len(row), _PIECE):
            some = slice(at, at + _PIECE)
            wanted = token[some]
            if guide is None:
                low, high = self.followers(level, row[some])
            else:
                if len(wanted) and not 0 <= int(wanted.min()) <= int(wanted.max()) < self.n_ids:
                    wanted = np.where((wanted < 0) | (wanted >= self.n_ids), BOS, wanted)  # which follows nothing
                low, high = guide.range(row[some], wanted)
            found[some] = search(below, low, high, wanted)
        return found

    def index(self, level: int) -> None:
        """Make `child` of very many histories of `level` tokens several times faster.

        Costs 2 to 6 bytes for each row of order level+1; nothing is done where that is too much, or would save no time.
        """
        if level < 1 or level in self._guides or len(self.orders[level]) > INDEX_ROWS:
            return
        first, token = self.orders[level - 1].first, self.orders[level].token
        assert first is not None and token is not None
        if not pays(first):
            return
        try:
            self._guides[level] = Guide(first, token, self.n_ids)
        except ValueError as error:
            raise ModelFileError(f"order {level}: {error}", DAMAGED) from None

    @property
    def id_bits(self) -> int:
        """Bits that hold every id."""
        return max(self.n_ids - 1, 1).bit_length()

    def shorter(self, level: int, row: np.ndarray) -> np.ndarray:
        """The rows of histories without their first token: int64 (m,)."""
        if level <= 1:
            return np.zeros_like(row)
        if level == 2:
            return self.tokens(2, row)
        link = self.orders[level - 1].link
        assert link is not None
        below = link[row].astype(np.int64)
        if (below >= len(self.orders[level - 2])).any():
            raise ModelFileError(f"order {level}: a link outside the table", DAMAGED)
        return below

    def suffix(self, order: int, row: np.ndarray, history: np.ndarray, token: np.ndarray) -> np.ndarray:
        """The rows, one order below, of n-grams without their first id: int64 (m,), -1 where there is none.

        row, history, token  of rows of order 2 or more: themselves, their histories' rows, their last ids
        """
        if order == 2:
            return token
        if self.orders[order - 1].link is not None:
            return self.shorter(order, row)
        return self.child(order - 2, self.shorter(order - 1, history), token)

    def find(self, ids: list[int]) -> tuple[int, int]:
        """The longest known history that ends `ids`, of at most order-1 tokens: (level, row).

        A history is known when at least one token follows it.
        """
        for level in range(min(len(ids), self.order - 1), 0, -1):
            row = self.row_of(ids[len(ids) - level :])
            if row >= 0:
                low, high = self.followers(level, np.array([row]))
                if low[0] < high[0]:
                    return level, row
        return 0, 0

    def row_of(self, ids: list[int]) -> int:
        """The row of an n-gram, -1 where it is not in the table."""
        row = np.zeros(1, np.int64)
        for level, token in enumerate(ids):
            row = self.child(level, row, np.array([token]))
            if row[0] < 0:
                return -1
        return int(row[0])

    def drawable(self, level: int, low: np.ndarray) -> np.ndarray:
        """`low` moved behind what is never drawn: UNK; without a history BOS, and EOS where it was not counted."""
        if level == 0:
            return np.full_like(low, EOS if self.borders else EOS + 1)
        token = self.orders[level].token
        assert token is not None
        if not len(token):
            return low
        inside = np.minimum(low, len(token) - 1)
        return low + ((token[inside] == UNK) & (low < len(token)))

    def opened_by_bos(self) -> list[tuple[int, int]]:
        """Per order, the rows [low, high) that open with BOS; of order 1, BOS itself."""
        low, high = BOS, BOS + 1
        out = [(low, high)]
        for k, order in enumerate(self.orders[:-1]):
            assert order.first is not None
            low, high = int(order.first[low]), int(order.first[high])
            if not low <= high <= len(self.orders[k + 1]):
                raise ModelFileError(f"order {k + 1}: followers outside the table", DAMAGED)
            out.append((low, high))
        return out

    def ngram(self, level: int, row: int) -> list[int]:
        """The ids of one row of order `level`; none of the empty history."""
        return self.ngrams(level, np.array([row]))[0].tolist()

    def ngrams(self, level: int, row: np.ndarray) -> np.ndarray:
        """The ids of many rows of order `level`: int64 (m, level)."""
        ids = np.empty((len(row), level), np.int64)
        for k in range(level, 0, -1):
            ids[:, k - 1] = self.tokens(k, row)
            if k > 1:
                row = self.history_of(k, row)
        return ids

    def history_of(self, order: int, row: np.ndarray) -> np.ndarray:
        """The rows, one order below, of the n-grams without their last id: int64 (m,)."""
        first = self.orders[order - 2].first
        assert first is not None
        history = np.searchsorted(first, row.astype(first.dtype), "right") - 1
        if len(history) and not 0 <= int(history.min()) <= int(history.max()) < len(first) - 1:
            raise ModelFileError(f"order {order}: rows that no history has", DAMAGED)
        return history
