"""Compares a table with its training text: tests that they match, and measures extraction and memorisation.

Legend as in corpus_rows.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ...model.count_column import Uncounted
from ...model.discounts import SmoothingMethod
from ...model.model_file import Header
from ...model.smoothing import Smoothed
from ...model.table import Table
from ...scoring.scorer import Scorer
from ...text.types import BOS
from ..table.forced_string_list import Strings
from ..table.ngram_graph import Graph
from ..table.random_text import circuit, labels
from ..table.text_count import Division
from .corpus_rows import Corpus, Differences, count_occurrences, differences, rows_up_to
from .equal_sequences import equal_sequences
from .extraction import Reference, certain_walks, edges_at, greedy, longest_around, rebuilt, reference, verified
from .leave_one_out import LEAST_TOKENS, LeaveOneOut, Left, auc, number, true_positives


@dataclass
class OrderAgainst:
    """Figures of one order compared with the text; None where unknown.

    verified     {least length: share of the text's tokens in certain strings}
    greedy       {length: share of continuations that greedy decoding reproduces}
    rebuilt_sequences, rebuilt_10grams  shares of a random text with this table that occur in the text
    memorised    bits per token (EOS counts as one), by leaving one sequence out
    perplexity, without, heldout  of the text, of the text leaving one sequence out, of the other text; Witten-Bell,
                 OOV included
    auc, true_positives  membership inference by bits per token; see leave_one_out.py
    single_sequence, single_file  share of the rows that occur in only one
    only         for each file, number of rows that occur only there
    by_file      memorised bits per token of each file
    division     bits forgotten, divided with the text's own equal sequences: exact, or an estimate where the bits are;
                 None where the bits are unknown or the text is proven to be another
    """

    differences: Differences
    verified: dict[int, float] | None = None
    greedy: dict[int, float | None] | None = None
    rebuilt_sequences: float | None = None
    rebuilt_10grams: float | None = None
    memorised: float | None = None
    perplexity: float | None = None
    without: float | None = None
    heldout: float | None = None
    auc: float | None = None
    true_positives: float | None = None
    single_sequence: float | None = None
    single_file: float | None = None
    only: list[int] = field(default_factory=list)
    by_file: list[float] = field(default_factory=list)
    division: Division | None = None


@dataclass
class CorpusComparison:
    """Comparison of a table with its text and a held-out text.

    Call `prepare`, then `order` for each order, then `look_up`.

    others       the held-out text; None without one
    looked_up, found  number of certain strings, and of those with the right count in the text
    lost         the first other one: ids, count in the text, count in the table
    members      sequences of the text, and of the held-out text, that membership is measured on
    notes        figures that are missing, and why
    shaded       keep `certain`, of the first order that is compared
    certain      int32 (tokens,), tokens of the longest certain string around each token of the text, without markers;
                 of `certain_order`
    """

    corpus: Corpus
    others: Corpus | None = None
    looked_up: int = 0
    found: int = 0
    lost: tuple[list[int], int, int] | None = None
    orders: dict[int, OrderAgainst] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shaded: bool = False
    certain: np.ndarray | None = None
    certain_order: int | None = None
    members: tuple[int, int] = (0, 0)
    _rows: list[np.ndarray] = field(default_factory=list)
    _left: dict[int, Left] = field(default_factory=dict)

    @cached_property
    def equal(self) -> np.ndarray:
        """Number of copies of each distinct sequence of the text that occurs more than once: int64."""
        return equal_sequences(self.corpus)

    @cached_property
    def _reference(self) -> Reference:
        return reference(self.corpus)

    @property
    def distinct_sequences(self) -> int:
        """Number of distinct sequences of the text."""
        return self.corpus.sequences - int((self.equal - 1).sum())

    @property
    def is_not(self) -> bool:
        """Proof that the table was made from another text."""
        return any(o.differences for o in self.orders.values()) or self.found < self.looked_up

    def prepare(self, header: Header, table: Table, orders: Iterable[int]) -> None:
        """Look up every n-gram of the text in the table, and leave each sequence out in turn."""
        highest = max(orders)
        for order in range(1, highest + 1):
            self._rows.append(rows_up_to(table, self.corpus, order, self._rows[-1] if self._rows else None))
        if header.holds == "counts":
            self._leave_out(header, table, highest)
        else:
            self.notes.append(f"the model holds {header.holds}: no memorised bits and no membership")

    def _leave_out(self, header: Header, table: Table, highest: int) -> None:
        c = self.corpus
        thresholds = [0] * highest
        for k, t in enumerate(header.prune[:highest]):
            thresholds[k] = t
        if header.prune:
            thresholds[len(header.prune) :] = [header.prune[-1]] * (highest - len(header.prune))
        leaver = LeaveOneOut(c, table.n_ids - 1, thresholds)
        below: np.ndarray | None = None
        for order in range(1, highest + 1):
            gram = self._numbers(order, below)
            left = leaver.order(order, gram)
            kept = np.bincount(gram[gram >= 0]) if table.pruned else np.zeros(0)
            rows = table.orders[order - 1].count
            own = len(rows) if order > 1 else int(np.count_nonzero(rows.small)) - 1
            if table.pruned and int(np.count_nonzero(kept > thresholds[order - 1])) != own:
                self.notes.append(
                    f"from order {order} on no memorised bits and no membership: the pruned n-grams are not those "
                    "of low counts"
                )
                return
            self._left[order] = left
            below = gram

    def _numbers(self, order: int, below: np.ndarray | None) -> np.ndarray:
        """Equal numbers for equal n-grams, as `number` gives them: the rows, where the table has them all."""
        row = self._rows[order - 1]
        if order > 1 and not ((row < 0) & (self.corpus.place >= order - 1)).any():
            return row
        return number(self.corpus, order, below)

    def order(self, table: Table, order: int, complete: bool, g: Graph | None, lengths: tuple[int, ...]) -> None:
        """Add the figures of one order; `g` is its graph, None at order 1."""
        c = self.corpus
        one = OrderAgainst(differences(table, c, order, self._rows[order - 1], complete))
        self.orders[order] = one
        if g is None:
            one.verified = None if isinstance(table.orders[0].count, Uncounted) else dict.fromkeys(lengths, 0.0)
        else:
            edge = edges_at(table, g, c, self._rows)
            if g.whole:
                walks = certain_walks(g, c, edge)
                one.verified = verified(walks, lengths)
                if self.shaded and self.certain is None:
                    self.certain, self.certain_order = longest_around(walks).astype(np.int32), order
            if g.counted:
                one.greedy = greedy(g, c, edge, lengths)
            if complete and g.whole and g.sequences:
                ids, size = labels(g, circuit(g, 0))
                one.rebuilt_sequences, one.rebuilt_10grams = rebuilt(self._reference, ids, size)
        self._information(one, table, order)

    def _information(self, one: OrderAgainst, table: Table, order: int) -> None:
        left = self._left.get(order)
        if left is None:
            return
        c = self.corpus
        n = c.tokens + c.sequences
        gone = left.bits_without - left.bits
        one.memorised = float(gone.sum() / n)
        one.perplexity = _perplexity(left.bits, n)
        one.without = _perplexity(left.bits_without, n)
        one.single_sequence = left.single_sequence / max(left.rows, 1)
        one.single_file = int(left.only.sum()) / max(left.rows, 1)
        one.only = left.only.tolist()
        running, size = np.append(0, np.cumsum(gone)), np.append(0, np.cumsum(c.size))
        of_file = (running[c.first[1:]] - running[c.first[:-1]]), (size[c.first[1:]] - size[c.first[:-1]])
        one.by_file = (of_file[0] / np.maximum(of_file[1], 1)).tolist()
        if self.others is None:
            return
        lower = Table(table.orders[:order], table.pruned, table.counts_of_counts)
        p, _ = Scorer(Smoothed(lower, SmoothingMethod("wb"))).score(self.others.ids.astype(np.uint32))
        o = self.others
        bits = np.add.reduceat(np.where(o.ids == BOS, 0.0, -np.log2(p)), o.begin)
        one.heldout = _perplexity(bits, o.tokens + o.sequences)
        # measured by tokens of the text, without EOS
        inside, outside = c.size > LEAST_TOKENS, o.size > LEAST_TOKENS
        self.members = int(inside.sum()), int(outside.sum())
        if inside.any() and outside.any():
            a, b = (left.bits / c.size)[inside], (bits / o.size)[outside]
            one.auc, one.true_positives = auc(a, b), true_positives(a, b)

    def look_up(self, strings: Strings | None) -> None:
        """Count every certain string in the text; each count must be as the table says."""
        if strings is None:
            return
        times = count_occurrences(self.corpus, strings)
        right = np.where(strings.exact, times == strings.count, times >= strings.count)
        self.looked_up, self.found = len(strings), int(np.count_nonzero(right))
        wrong = np.flatnonzero(~right)
        if len(wrong):
            i = int(wrong[0])
            begin = int(strings.size[:i].sum())
            ids = strings.ids[begin : begin + int(strings.size[i])].tolist()
            self.lost = ids, int(times[i]), int(strings.count[i])


def _perplexity(bits: np.ndarray, n: int) -> float:
    return float(2.0 ** min(bits.sum() / max(n, 1), 1023.0))
