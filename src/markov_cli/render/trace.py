"""The trace of a text as a report for people."""

from __future__ import annotations

import sys
from typing import Any

import click
import numpy as np

from ..api.trace import TracedFragment, traced_fragments
from ..evidence.copying.fragments import RUNS, Figures, Trace
from ..evidence.copying.shading import stretches
from .safe_text import one_line, some, visible
from .tables import Column, console, line, show

SHOWN_TOKENS = 500  # of a text that is shown on a terminal without being asked for
NO_BASELINE = "these figures say little without a baseline: add --baseline FILE, similar text that is not in the corpus"
# beginning with none; readable without colour, since none is used
SHOWN_NOVEL = (2, 3, 4, 5, 6, 8, 10, 20)  # of NOVEL: what people are shown
_STYLES = ("", "underline", "bold underline", "reverse", "bold reverse")


# ------------------------------------------------------------ for people


def show_trace(t: Trace, least: int, top: int, with_text: bool | None) -> None:
    """The report.

    with_text  show the text with its fragments marked; None: on a terminal, if it is short
    """
    terminal = sys.stdout.isatty()
    names = ", ".join(map(one_line, t.text.names[:3])) + (", ..." if len(t.text.names) > 3 else "")
    line(names, "bold")
    line(f"{some(t.figures.tokens, 'token')} ({t.options.tokenizer}; no fragment crosses the end of a {t.marks})")
    line(f"against {some(t.corpus_tokens, 'token')} in {some(len(t.sources), 'file')} of corpus")
    line()
    figures_table(t.figures, t.baseline)
    if t.baseline is None:
        line(f"note: {NO_BASELINE}")
    elif (t.baseline.verbatim_10 or 0.0) > 0.5:
        line("note: most of the baseline occurs in the corpus; a baseline must be held-out text")
    _sources(t, least, top)
    _fragments(t, least, top)
    if with_text or (with_text is None and terminal and t.figures.tokens <= SHOWN_TOKENS):
        line()
        show_text(t, least, terminal)


def rows_of(f: Figures) -> list[tuple[str, str]]:
    """Each figure with its name."""

    def share(x: float | None) -> str:
        return "-" if x is None else f"{x:.1%}"

    rows = [("new tokens", share(f.novel[1]))]
    rows += [(f"new {n}-grams", share(f.novel[n])) for n in SHOWN_NOVEL]
    rows += [
        ("pieces per 100", "-" if f.fragments_per_100 is None else f"{f.fragments_per_100:.1f}"),
        ("mean piece", "-" if f.mean_fragment is None else f"{f.mean_fragment:.2f}"),
        ("longest fragment", f"{f.longest_fragment:,}"),
        ("in fragments >= 10", share(f.verbatim_10)),
    ]
    return rows + [(f"in any run >= {n}", share(f.in_runs[n])) for n in RUNS]


def figures_table(f: Figures, baseline: Figures | None) -> None:
    """The figures of a text, and of another beside them."""
    columns = [Column("tokens"), Column("text", True)]
    rows = [[name, value] for name, value in rows_of(f)]
    if baseline is not None:
        columns.append(Column("baseline", True))
        of = dict(rows_of(baseline))
        rows = [[*row, of.get(row[0], "-")] for row in rows]
    show(columns, rows)


def _sources(t: Trace, least: int, top: int) -> None:
    totals = t.totals(least)
    if not totals or len(t.sources) < 2:
        return
    line()
    line(f"where fragments of {least} tokens or more occur first")
    for one in totals[:top]:
        line(one_line(one.name), "bold")
        share = f"{one.tokens / t.figures.tokens:.1%}"
        line(
            f"  {some(one.fragments, 'fragment')}, {some(one.tokens, 'token')} ({share}),"
            f" {one.tokens_only_here:,} only there"
        )


def _fragments(t: Trace, least: int, top: int) -> None:
    rarest = t.fragments.by_rarity(least)
    line()
    if not len(rarest):
        line(f"no fragment of {least} tokens or more")
        return
    line(f"{some(len(rarest), 'fragment')} of {least} tokens or more, the rarest first")
    width = max(console().width - 2, 20)
    for one in traced_fragments(t, rarest.take(np.arange(min(top, len(rarest))))):
        line()
        line(f"{one_line(one.file)}:{one.line}", "bold")
        line(f"  {some(one.tokens, 'token')}, {times(one)}, rarity {one.rarity_bits:,.0f} bits")
        text = one_line(" ".join(one.text.split()))
        line("  " + (text if len(text) <= width else text[: width - 3] + "…"))


def times(one: TracedFragment) -> str:
    """The number of times that the corpus has a fragment."""
    n = one.occurrences
    if n == 1:
        return "once in the corpus"
    return f"{n:,} times in {some(one.files, 'file')}"


def generated_lines(t: Trace, totals: dict[str, Any], raw: bool) -> list[str]:
    """Lines about all texts of `generate --trace`."""
    n = totals["order"]
    out = [f"traced: {some(t.figures.tokens, 'token')} against {some(t.corpus_tokens, 'token')} of corpus"]
    for name, f in (("these texts", t.figures), ("baseline", t.baseline)):
        if f is None:
            continue
        told = [k for k in (*SHOWN_NOVEL, 50) if f.novel[k] is not None and (k > n or not raw)]
        shares = ", ".join(f"{f.novel[k]:.1%} of {k}-grams" for k in told)
        out.append(f"{name}: new are {shares}" if told else f"{name}: no n-gram of more than {n} tokens")
        out.append(
            f"  {f.fragments_per_100:.1f} pieces per 100 tokens, mean {f.mean_fragment:.2f}, longest "
            f"{f.longest_fragment:,}; {f.verbatim_10 or 0.0:.1%} of the tokens in fragments of 10 or more"
        )
    choice = f"choice: {totals['choice_bits_per_token']:.2f} bits a token"
    if totals["forced_share"] is not None:
        choice += f"; {totals['forced_share']:.1%} of the steps had one continuation"
    out.append(choice)
    return out if t.baseline is not None else [*out, NO_BASELINE]


def show_text(t: Trace, least: int, styled: bool) -> None:
    """The text with its fragments marked: by style on a terminal, by brackets with their lengths in a pipe."""
    from rich.text import Text

    out = console()
    if styled:
        marks = [Text(f"{n}+", style) for n, style in zip(RUNS, _STYLES[1:], strict=True)]
        out.print(Text(" ").join([Text("tokens in a run:"), *marks]), soft_wrap=True)
    for name, found in stretches(t, least):
        if len(t.text.names) > 1:
            line(one_line(name), "bold")
        whole = Text()
        plain: list[str] = []
        within = -1
        for s in found:
            text = visible(s.text.decode("utf-8", "replace"))
            whole.append(text, _STYLES[s.shade])
            if s.text.isspace() or not s.text:
                plain.append(text)
                continue
            if within >= 0 and (s.opens or s.fragment != within):
                _close(plain)
                within = -1
            if s.opens:
                plain.append(f"[{t.fragments.found.length[s.fragment]}: ")
                within = s.fragment
            plain.append(text)
        if within >= 0:
            _close(plain)
        if styled:
            out.print(whole, soft_wrap=True)
        else:
            click.echo("".join(plain))


def _close(parts: list[str]) -> None:
    """Close the bracket before the white space that stands last."""
    at = len(parts)
    while at and parts[at - 1].isspace():
        at -= 1
    parts.insert(at, "]")
