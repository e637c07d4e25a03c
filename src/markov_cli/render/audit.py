"""The audit of a model as a report for people, and its certain strings as tab-separated lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..api.audit import certain_strings, xz_is_exact
from ..evidence.table.audit import LENGTHS, Audit, OrderAudit
from .audit_corpus import show_against
from .inspect import order_text
from .order_columns import show_orders
from .safe_text import counted, one_line, some
from .tables import Column, console, line, show

if TYPE_CHECKING:
    from ..api.audit_results import Membership
    from ..api.model import Model


def strings_tsv(model: Model, a: Audit) -> Iterator[bytes]:
    """Every certain string, a line each: tokens, occurrences, `exact` or `bound`, text."""
    yield b"tokens\toccurrences\tis\ttext\n"
    if a.strings is None:
        return
    for s in certain_strings(model, a.strings):
        yield f"{s.tokens}\t{s.occurrences}\t{s.occurrences_is}\t{one_line(s.text)}\n".encode("utf-8", "replace")


def member_lines(m: Membership) -> Iterator[str]:
    """Every sequence with its verdict, and their numbers."""
    for one in m.member:
        said = {"in": f"at least {one.occurrences_at_least:,}", "out": "0"}.get(
            one.verdict, "not known" if one.expected is None else f"~{one.expected:.3g}"
        )
        yield f"{one.verdict}\t{said}\t{one_line(one.text)}"
    yield (
        f"order {m.order}: {m.proven_in:,} proven in, {m.proven_out:,} proven out, {m.undecided:,} undecided "
        "(~: expected number, an estimate)"
    )


# ------------------------------------------------------------ for people


def show_audit(model: Model, path: str, a: Audit, top: int, least: int) -> None:
    """Print the audit for people."""
    h = model.header
    line(f"{one_line(path)}: {order_text(h.order)}", "bold")
    seen = "from the model alone" if a.against is None else "from the model and the text that it is compared with"
    line(f"{h.tokens:,} tokens in {some(h.sequences, 'sequence')}, one a {h.options.unit}; {seen}")
    line()
    _table(a)
    for text in a.notes:
        line(f"note: {text}")
    for one in reversed(a.orders):
        if one.forgotten or one.certain:
            line()
            _order(one, h.sequences)
            break
    _size(model, a)
    _guard(model)
    if a.against is not None:
        show_against(model, a.against, one_line(path))
    _strings(model, a, top, least)


def _table(a: Audit) -> None:
    names = ["rows", "complete", "forgotten, bits", "  which is", "  content, a token >=", "retained <="]
    names += [f"certain >={n}" for n in LENGTHS] + ["half", "longest"]
    cells = []
    for o in a.orders:
        f = o.forgotten
        row = [f"{o.rows:,}", "seems so" if o.complete else "no", "-" if f is None else f"{f.bits:,.0f}"]
        row.append("-" if f is None else "exact" if f.how == "exact" else f"± {f.error_bits:.0f}")
        row.append("-" if o.content_bits_per_token is None else f"{o.content_bits_per_token:.4f}")
        row.append("-" if o.retained is None else f"{o.retained:.2%}")
        row += [f"{o.certain[n]:.1%}" if o.certain else "-" for n in LENGTHS]
        row += ["-" if n is None else f"{n:,}" for n in (o.half, o.longest)]
        cells.append(row)
    show_orders(names, [o.order for o in a.orders], cells)


def _order(o: OrderAudit, sequences: int) -> None:
    """Lines about one order: each figure and its meaning."""
    line(f"order {o.order}", "bold")
    b = o.balance
    if o.complete:
        line(
            f"  complete   the followers of each of {b.histories:,} histories sum to its count, and each is reached as"
        )
        line("             often as it is left: evidence that nothing is missing, not proof")
    else:
        line(f"  complete   no: of {b.histories:,} histories {b.short:,} lack followers, {b.unbalanced:,} are reached")
        line(f"             more or less often than they are left, {b.apart:,} cannot be reached")
    _forgotten(o, sequences)
    if not o.certain:
        return
    certain = f"{o.certain[10]:.1%} of the tokens are in strings of 10 or more that the table proves to be in the text"
    line(f"  certain    {certain}")
    line(f"             (exact; 20 or more: {o.certain[20]:.1%}, 50: {o.certain[50]:.1%})")
    if o.certain_bound:
        c = o.certain_bound
        line(f"             with the pigeonhole rule, too: at least {c[10]:.1%}")
        line(f"             (bound; 20 or more: {c[20]:.1%}, 50: {c[50]:.1%})")
    line(f"             half of all tokens in strings of {o.half:,} or more; the longest has {o.longest:,}")


def _forgotten(o: OrderAudit, sequences: int) -> None:
    f = o.forgotten
    if f is None or o.order_bits is None or o.content_bits_per_token is None:
        return
    most, least = ("", "") if sequences == 1 else ("at most ", "at least ")
    what = "exact" if f.how == "exact" else f"an estimate, standard error {f.error_bits:.0f}"
    line(f"  forgotten  {f.bits:,.1f} bits ({what}; bound: at most {f.bound_bits:,.1f})")
    line(f"             {most}{o.order_bits:,.1f} are only the order of the sequences,")
    line(f"             {least}{o.content_bits_per_token:.4f} a token their content")
    line("             a reader who knows the language can guess more: this is an upper bound")
    if o.retained is not None:
        line(f"  retained   {most}{o.retained:.2%} of the information in the order of the tokens")


def _size(model: Model, a: Audit) -> None:
    if not a.model_bytes or not a.tokens:
        return
    text = f"  size       {a.model_bytes / a.tokens:.2f} bytes of model a token"
    corpus = model.header.corpus_bytes
    if corpus:
        text += f", {a.model_bytes / corpus:.2f} a byte of text"
    line(text)
    if a.xz_bytes_per_token is not None:
        of = f"{a.xz_bytes_per_token:.2f} bytes a token"
        if corpus:
            of += f", {a.xz_bytes_per_token * a.tokens / corpus:.2f} a byte of text"
        part = "" if a.xz_share == 1.0 else f", {a.xz_share:.1%} of it"
        whose = "the text" if a.against is not None and a.against.corpus.head else "a random text with this table"
        is_ = "exact" if xz_is_exact(a) else "estimate"
        line(f"             {of}: what xz makes of {whose}{part} ({is_})")
        line("             sizes are averages: they prove nothing about any one string")


def _guard(model: Model) -> None:
    g = model.table.guard
    if g is None:
        return
    wrong = f"of {1 / g.rate:,.0f} wrong guesses one seems right" if g.n else "empty"
    line(f"  guard      hashes of {g.n:,} runs of {g.tokens} tokens, {8 * g.n_bytes:,} bits: for anyone who can guess")
    line(f"             a table of order {g.tokens}, which no figure here counts; {wrong}")


def _strings(model: Model, a: Audit, top: int, least: int) -> None:
    s = a.strings
    if s is None:
        return
    line()
    if not len(s):
        line(f"no certain string of {least} tokens or more")
        return
    line(f"{some(len(s), 'certain string')} of {least} tokens or more, by order {a.strings_order}")
    width = max(console().width - 40, 20)
    where = {(True, True): "whole sequence", (True, False): "opens one", (False, True): "ends one"}
    rows = []
    for one in certain_strings(model, s, top, width):  # a token has a character at least
        n = counted(one.occurrences)
        text = one_line(one.text)
        rows.append(
            [
                f"{one.tokens:,}",
                n if one.occurrences_is == "exact" else f"at least {n}",
                where.get((one.opens, one.closes), ""),
                text if len(text) <= width else text[: width - 1] + "…",
            ]
        )
    if rows:
        show([Column("tokens", True), Column("times", True), Column("where"), Column("string", flexible=True)], rows)
