"""Audit of a table: figures of what it reveals about its training text, order by order.

Each figure is exact, a bound, or an estimate with its error, and says which. A figure that the table cannot give is
None, and a note says why.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ...model.model_file import Header
from ...model.table import Table
from ...model.thresholds import said_protection
from ...text.types import BOS, EOS
from ...text.vocabulary import Vocabulary
from ..corpus.comparison import CorpusComparison
from . import forced_strings
from .euler_circuit import some_circuit
from .forced_string_list import Strings, by_rule_one, swept
from .ngram_graph import Balance, Graph, balance, graph_of
from .random_text import labels
from .text_count import Forgotten, divided, forgotten, forgotten_without_history, table_tokens

LENGTHS = (10, 20, 50)
_LEFT_OUT = {
    "min_sequences": "n-grams of fewer sequences are left out, whatever their count; single tokens are not",
    "min_files": "n-grams of fewer files are left out, whatever their count; single tokens are not",
}
XZ_BYTES = 1 << 23  # most text that is compressed: takes some seconds
_BETWEEN = {"line": b"\n", "file": b"\n", "sentence": b"\n\n", "paragraph": b"\n\n"}


@dataclass
class OrderAudit:
    """Figures of one order.

    rows       edges of its graph
    balance    checks of completeness; `complete` is evidence, not proof
    forgotten  log2 of the number of texts; None where the table is not complete or its counts are not whole
    order_bits, content_bits_per_token  its two parts: order of the sequences, and their content; the second is a
               lower bound, because the table may not show all repeated sequences: exact ones are in `Audit.against`
    content_is  these two and `retained` are: `exact` of a single sequence; `bound`; `estimate` if `forgotten` is
    retained   share kept of the information in the order of the tokens; an upper bound for the same reason
    certain    {least length: share of tokens in forced strings}; certain_bound: by rule 2 too, a lower bound
    half       half of all tokens are in forced strings of this many tokens or more
    longest    tokens of the longest forced string
    """

    order: int
    rows: int
    balance: Balance
    forgotten: Forgotten | None = None
    order_bits: float | None = None
    content_bits_per_token: float | None = None
    content_is: str | None = None
    retained: float | None = None
    certain: dict[int, float] | None = None
    certain_bound: dict[int, float] | None = None
    half: int | None = None
    longest: int | None = None

    @property
    def complete(self) -> bool:
        """No check of the rows found a gap."""
        return self.balance.complete

    @property
    def bits(self) -> float:
        """Bits forgotten; NaN where unknown."""
        return self.forgotten.bits if self.forgotten else float("nan")


@dataclass
class Audit:
    """Figures of a table.

    strings    certain strings of order `strings_order`, longest first; None if none are known
    xz_bytes_per_token  bytes per token after xz, of the corpus, or else of some text with this table
    xz_share   share of that text that was compressed
    against    comparison with a corpus
    notes      figures that are missing, and why
    """

    tokens: float
    sequences: float
    model_bytes: int
    orders: list[OrderAudit]
    strings: Strings | None = None
    strings_order: int | None = None
    xz_bytes_per_token: float | None = None
    xz_share: float | None = None
    against: CorpusComparison | None = None
    notes: list[str] = field(default_factory=list)


def audit_table(
    header: Header,
    vocabulary: Vocabulary,
    table: Table,
    model_bytes: int,
    orders: list[int],
    least: int = LENGTHS[0],
    against: CorpusComparison | None = None,
) -> Audit:
    """Audit some orders of a table.

    least    tokens of the shortest string listed
    against  comparison with the training text, not yet prepared

    ModelFileError where rows point outside the table.
    """
    with ThreadPoolExecutor(2) as pool:  # for xz and determinants
        return _audit(header, vocabulary, table, model_bytes, orders, least, against, pool)


def _audit(
    header: Header,
    vocabulary: Vocabulary,
    table: Table,
    model_bytes: int,
    orders: list[int],
    least: int,
    against: CorpusComparison | None,
    pool: ThreadPoolExecutor,
) -> Audit:
    counted = header.holds != "probabilities" and not header.cap_per_sequence
    compressed: Future[bytes] | None = None
    tokens, sequences = _size(table) if counted else (0.0, 0.0)
    audit = Audit(tokens, sequences, model_bytes, [], against=against, notes=_notes(header, table))
    if against is not None:
        against.prepare(header, table, orders)
        if against.corpus.head and counted:
            audit.xz_share = min(len(against.corpus.head) / max(against.corpus.text_bytes, 1), 1.0)
            compressed = pool.submit(lzma.compress, against.corpus.head)
    if header.cap_per_sequence:
        audit.tokens, audit.sequences = float(header.tokens), float(header.sequences)
    zero = forgotten_without_history(table) if counted and header.holds == "counts" and table.empty is None else None
    equal: np.ndarray | None = None
    for order in range(table.height, 1, -1):
        if order not in orders and equal is not None:
            continue
        g = graph_of(table, order)
        one = OrderAudit(order, g.n_edges, balance(g))
        sure = one.balance.complete and g.whole and g.sequences > 0
        if order not in orders and not sure:
            continue
        bits = pool.submit(forgotten, g) if sure and order in orders else None
        walked = some_circuit(g) if sure else None
        sweep = forced_strings.sweep(g, walked) if walked is not None else None
        if equal is None and sweep is not None and walked is not None:
            equal = forced_strings.equal_sequences(sweep)
            if compressed is None:
                text, n = _sample(vocabulary, g, walked, header.options.unit)
                audit.xz_share, compressed = n / max(tokens, 1), pool.submit(lzma.compress, text)
        if order in orders:
            _judge(one, g, sweep, audit, table, least)
            if bits is not None and equal is not None:
                one.forgotten = bits.result()
                _divide(one, zero, equal, tokens, g.sequences)
            audit.orders.insert(0, one)
            del walked, sweep
            if against is not None:
                against.order(table, order, one.balance.complete, g, LENGTHS)
    if against is not None:
        against.look_up(audit.strings)
        if 1 in orders:
            against.order(table, 1, True, None, LENGTHS)
    if 1 in orders:
        audit.orders.insert(0, _order_one(table, zero, equal, tokens, sequences, counted))
    _divide_by_text(audit, zero)
    if compressed is not None and audit.xz_share:
        audit.xz_bytes_per_token = len(compressed.result()) / (audit.xz_share * tokens)
    return audit


def _size(table: Table) -> tuple[float, float]:
    return table_tokens(table), table.orders[0].count.at(np.array([BOS]))[0].item()


def _judge(
    one: OrderAudit,
    g: Graph,
    sweep: forced_strings.Sweep | None,
    audit: Audit,
    table: Table,
    least: int,
) -> None:
    """Add the certain shares of one order; also its strings, unless a higher order has some."""
    f = forced_strings.forced(g)
    if g.counted:
        shares = forced_strings.shares(g, f, LENGTHS, audit.tokens)
        one.certain = dict(zip(LENGTHS, shares, strict=True))
        one.half = forced_strings.half_length(g, f, audit.tokens)
    listed = g.counted or one.balance.complete
    one.longest = int(f.words.max(initial=0)) if listed else None
    if sweep is not None:
        bound = forced_strings.least_shares(g, sweep, LENGTHS, audit.tokens)
        one.certain_bound = dict(zip(LENGTHS, bound, strict=True))
    if listed and (audit.strings is None or (sweep is not None and not audit.strings.exact.any())):
        found = swept(g, f, sweep, least) if sweep is not None else by_rule_one(table, g, f, least)
        if len(found) or audit.strings is None:
            audit.strings, audit.strings_order = found, one.order


def _divide(one: OrderAudit, zero: Forgotten | None, equal: np.ndarray, tokens: float, sequences: int) -> None:
    """Divide the bits forgotten into those of the order of sequences and those of content; add `retained`."""
    assert one.forgotten is not None
    parts = divided(one.forgotten.bits, zero, equal, tokens, sequences)
    one.order_bits, one.content_bits_per_token = parts.order_bits, parts.content_bits_per_token
    one.retained = parts.retained
    one.content_is = one.forgotten.how if one.forgotten.how != "exact" or sequences == 1 else "bound"


def _divide_by_text(audit: Audit, zero: Forgotten | None) -> None:
    """Divide the bits forgotten again, by the text's own equal sequences: exact where the table gives bounds."""
    if audit.against is None or audit.against.is_not:
        return
    equal = audit.against.equal
    for one in audit.orders:
        if one.forgotten is not None:
            parts = divided(one.forgotten.bits, zero, equal, audit.tokens, audit.against.corpus.sequences)
            audit.against.orders[one.order].division = parts


def _order_one(
    table: Table, zero: Forgotten | None, equal: np.ndarray | None, tokens: float, sequences: float, counted: bool
) -> OrderAudit:
    if not counted:
        counts = table.orders[0].count
        seen = int(np.count_nonzero(counts.small)) if table.capped else len(counts)
        return OrderAudit(1, seen - 1, Balance(1, 0, 0, 0))
    count = table.orders[0].count.slice(0, table.n_ids)
    rows = int(np.count_nonzero(count)) - 1
    one = OrderAudit(1, rows, Balance(1, 0, int(count[BOS] != count[EOS]), 0))
    one.certain = dict.fromkeys(LENGTHS, 0.0)
    one.half = one.longest = int(tokens > 0)
    if zero is not None:
        one.forgotten = zero
        none = np.zeros(0, np.int64)
        _divide(one, zero, none if equal is None else equal, tokens, int(sequences))
        one.certain_bound = dict.fromkeys(LENGTHS, 0.0)
    return one


def text_of(vocabulary: Vocabulary, g: Graph, walked: np.ndarray, unit: str) -> Iterator[bytes]:
    """A circuit as text, part by part; reading it with the same unit gives the same sequences.

    Two exceptions: several files become lines of one text, and UNK, which has no text, is left out.
    """
    end = b"" if unit == "file" and g.sequences == 1 else _BETWEEN[unit]
    return vocabulary.join_parts(*labels(g, walked), end)


def _sample(vocabulary: Vocabulary, g: Graph, walked: np.ndarray, unit: str) -> tuple[bytes, int]:
    """Beginning of a circuit as text, at most about XZ_BYTES, and its number of tokens."""
    ids, size = labels(g, walked)
    most = XZ_BYTES // 5
    length = np.cumsum(vocabulary.spans(ids[:most])[1])
    if len(length) and length[-1] > 2 * XZ_BYTES:  # of words that are longer than those of any language
        most = max(int(np.searchsorted(length, XZ_BYTES, "right")), 1)
    if len(ids) > most:
        n = int(np.searchsorted(np.cumsum(size), most))
        ids, size = ids[:most], np.append(size[:n], most - int(size[:n].sum()))
    return vocabulary.join(ids, size, _BETWEEN[unit])[0], len(ids)


def _blend_notes(table: Table) -> list[str]:
    """A note on the arrays that `markov tune` added."""
    if not table.classes:
        return []
    size = sum(one.nbytes for one in table.classes)
    return [
        f"holds {len(table.classes)} sets of word classes, {size:,} bytes: they follow from the counts; the weights of "
        "the blend are from held-out text"
    ]


def _notes(header: Header, table: Table) -> list[str]:
    out = []
    if header.holds == "probabilities":
        out.append(
            "the model holds probabilities only: no shares of tokens, no bits forgotten; each string listed occurs in "
            "the text at least once, if the imported file lists every n-gram of the text"
        )
    if header.holds == "weighted counts":
        out.append("counts are weighted: no bits forgotten; each string occurs in one of the texts at least once")
    if header.cap_per_sequence:
        out.append(
            "--cap-per-sequence 1: a count is a number of sequences, so no shares of tokens and no bits forgotten; "
            "each string listed occurs in the text at least once"
        )
    out += [
        f"{said_protection({name: value})}: {_LEFT_OUT[name]}"
        for name, value in header.protection().items()
        if name in _LEFT_OUT
    ]
    if table.pruned and not header.cap_per_sequence:
        out.append(
            "pruned: no bits forgotten at orders that are not complete; strings are certain only where the totals "
            "that the model keeps show that no follower was pruned"
        )
    if header.maps_types:
        out.append("types outside the vocabulary are <unk>: all figures describe the text with <unk> in their place")
    if header.options.lowercase:
        out.append("all figures describe the text in lower case")
    return out + _blend_notes(table)
