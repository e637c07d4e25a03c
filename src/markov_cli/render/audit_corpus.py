"""The part of an audit report that compares a model with its training text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..api.audit import corpus_figures
from ..evidence.corpus.comparison import CorpusComparison
from ..evidence.corpus.extraction import GRAM
from ..evidence.corpus.leave_one_out import LEAST_TOKENS
from .order_columns import show_orders
from .safe_text import one_line, some
from .tables import Column, line, show

if TYPE_CHECKING:
    from ..api.audit_results import AuditSource
    from ..api.model import Model

_SOURCES = 20  # files listed for people; JSON has all


def show_against(model: Model, a: CorpusComparison, path: str) -> None:
    """Print the comparison for people."""
    c = a.corpus
    line()
    names = ", ".join(one_line(n) for n in c.names[:3]) + (", ..." if len(c.names) > 3 else "")
    line(f"compared with {names}: {c.tokens:,} tokens in {some(c.sequences, 'sequence')}", "bold")
    figures = corpus_figures(model, a)
    why = figures.proof
    if why is not None:
        line("  NOT the training text: ", "bold")
        line(f"             {why}")
    else:
        line("  counts     every n-gram of the orders below has the count of the model")
    if a.looked_up:
        found = (
            "all found" if a.found == a.looked_up else f"{a.looked_up - a.found:,} NOT found as often as they must be"
        )
        line(f"  strings    {some(a.looked_up, 'certain string')} looked up: {found}")
    if any(o.division for o in a.orders.values()):
        line(f"  equal      {_distinct(a)}")
    for text in a.notes:
        line(f"  note       {text}")
    _table(a)
    _explained(a)
    _files(a, figures.sources)


def _distinct(a: CorpusComparison) -> str:
    n, of = a.distinct_sequences, some(a.corpus.sequences, "sequence")
    return f"{of}, no two of them equal" if n == a.corpus.sequences else f"{of}, {n:,} of them distinct"


def _percent(x: float | None) -> str:
    return "-" if x is None else f"{x:.1%}"


def _number(x: float | None, digits: int) -> str:
    return "-" if x is None else f"{x:,.{digits}f}"


def _table(a: CorpusComparison) -> None:
    orders = sorted(a.orders)
    every = [a.orders[n] for n in orders]
    figures: list[tuple[str, list[str]]] = []
    parts = [o.division for o in every]
    if any(parts):
        figures.append(
            ("content, a token", [_number(None if d is None else d.content_bits_per_token, 4) for d in parts])
        )
        figures.append(("retained", ["-" if d is None or d.retained is None else f"{d.retained:.2%}" for d in parts]))
    for n in (10, 20, 50):
        figures.append((f"verified >={n}", [_percent((o.verified or {}).get(n)) for o in every]))
    for n in (10, 20, 50):
        figures.append((f"greedy {n}", [_percent((o.greedy or {}).get(n)) for o in every]))
    figures.append(("rebuilt sequences", [_percent(o.rebuilt_sequences) for o in every]))
    figures.append((f"rebuilt {GRAM}-grams", [_percent(o.rebuilt_10grams) for o in every]))
    if any(o.memorised is not None for o in every):
        figures.append(("perplexity", [_number(o.perplexity, 2) for o in every]))
        figures.append(("  without it", [_number(o.without, 2) for o in every]))
        if a.others is not None:
            figures.append(("  held-out text", [_number(o.heldout, 2) for o in every]))
        figures.append(("memorised bits", [_number(o.memorised, 3) for o in every]))
        if a.others is not None:
            figures.append(("membership AUC", [_number(o.auc, 3) for o in every]))
            figures.append(("  found, 1% wrong", [_percent(o.true_positives) for o in every]))
        figures.append(("rows of 1 sequence", [_percent(o.single_sequence) for o in every]))
        if len(a.corpus.names) > 1:
            figures.append(("rows of 1 file", [_percent(o.single_file) for o in every]))
    line()
    show_orders([name for name, _ in figures], orders, [list(c) for c in zip(*(f for _, f in figures), strict=True)])


def _explained(a: CorpusComparison) -> None:
    line()
    if any(o.division for o in a.orders.values()):
        line("  content    bits forgotten of what the sequences say; the text shows which of them are equal, so this")
        line("             and `retained` are no bounds here: exact where the bits forgotten are")
    line("  verified   tokens of the text in strings that the model proves (exact)")
    line("  greedy     continuations of so many tokens that come out by the likeliest token; ties fail (exact)")
    line(f"  rebuilt    sequences and {GRAM}-grams of a random text with this table that are the text's (one sample)")
    if any(o.memorised is not None for o in a.orders.values()):
        line("  without it each sequence under the model made without it; Witten-Bell (exact)")
        line("  memorised  what its own being there saves a sequence, in bits a token with `</s>`")
    if a.others is not None:
        n, m = a.members
        line(f"  membership {n:,} sequences of {LEAST_TOKENS} tokens or more against {m:,} held out, by bits a token;")
        line("             found: their share that costs less than all but 1% of those held out")


def _files(a: CorpusComparison, every: Sequence[AuditSource]) -> None:
    if len(a.corpus.names) < 2 or not a.orders:
        return
    order = max(a.orders)
    line()
    line(f"files, order {order}")
    rows = [
        [
            f"{s.tokens:,}",
            f"{s.sequences:,}",
            "-" if s.rows_only_here is None else f"{s.rows_only_here:,}",
            _number(s.memorised_bits_per_token, 3),
            one_line(s.file),
        ]
        for s in every[:_SOURCES]
    ]
    heads = ("tokens", "sequences", "rows only here", "memorised bits, a token")
    show([*(Column(h, True) for h in heads), Column("file", flexible=True)], rows)
    if len(every) > _SOURCES:
        line(f"and {len(every) - _SOURCES:,} more; --json lists all")
