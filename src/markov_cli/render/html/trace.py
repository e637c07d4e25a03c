"""`trace` as a page: the text with every word shaded by the run it stands in, and where its fragments come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...api.trace import TracedFragment, traced_fragments
from ...evidence.copying.fragments import NOVEL, RUNS, Trace
from ...evidence.copying.shading import NAMES, Stretch, stretches
from ..safe_text import some
from ..trace import NO_BASELINE, rows_of, times
from .blocks import figure, header, heading, legend, meanings, paragraph, shaded, table
from .markup import inline
from .page import page
from .svg import Series, curves

_QUOTED = 90  # characters of a fragment in the list

MEANINGS = (
    ("new n-grams", "The share of the text's runs of n tokens that do not occur in the corpus."),
    (
        "pieces per 100",
        "The text is divided, from left to right, into the longest strings that occur in the corpus; a token that "
        "does not occur there is a piece by itself. Few pieces mean that much of the text is copied.",
    ),
    (
        "in fragments, in any run",
        "The share of tokens in pieces of 10 or more; and in any string of the corpus that long, whichever piece they "
        "are in. The shades show the second.",
    ),
    (
        "times, files",
        "How often the fragment occurs in the corpus, and in how many files. A fragment that occurs often is a "
        "phrase, not a source. The first place is named; this does not prove that the text comes from there.",
    ),
    (
        "rarity",
        "-log2 of the probability of the fragment's tokens, each by itself, by their shares of the corpus. "
        "Twenty bits more: a million times less likely by chance alone.",
    ),
    (
        "baseline",
        "The same figures of a text of the same kind that is not in the corpus. Common words and phrases are in every "
        "corpus: only what goes beyond the baseline says anything.",
    ),
)


def trace_page(t: Trace, least: int) -> Iterator[bytes]:
    """The page, part by part."""
    names = ", ".join(t.text.names[:3]) + (", ..." if len(t.text.names) > 3 else "")
    return page(f"{names}: traced", _body(t, least, names))


def _body(t: Trace, least: int, names: str) -> Iterator[str]:
    f = t.figures
    yield header(
        names,
        f"{some(f.tokens, 'token')} ({t.options.tokenizer}) compared with {some(t.corpus_tokens, 'token')} in "
        f"{some(len(t.sources), 'file')} of corpus. No fragment crosses the end of a {t.marks}.",
    )
    yield _said(t)
    if t.baseline is None:
        yield paragraph(f"{NO_BASELINE[0].upper()}{NO_BASELINE[1:]}.", "note")
    listed = t.fragments.take(np.flatnonzero(t.fragments.found.length >= least))
    yield heading("The text") + _legend(t)
    yield paragraph(
        f"Numbers lead to the list of fragments of {least} tokens or more, which names their sources; a pointer over a "
        "fragment shows its source, too.",
        "soft",
    )
    ones = traced_fragments(t, listed)
    number = np.zeros(len(t.fragments), np.int64)
    number[np.flatnonzero(t.fragments.found.length >= least)] = np.arange(1, len(listed) + 1)
    for name, found in stretches(t, least):
        if len(t.text.names) > 1:
            yield heading(name, 3)
        yield '<div class="text" dir="auto">'
        for s in found:
            yield _stretch(s, int(number[s.fragment]) if s.fragment >= 0 else 0, ones)
        yield "</div>\n"
    yield heading("Figures") + _figures(t)
    yield heading(f"Fragments of {least} tokens or more") + _list(ones)
    yield _sources(t, least)
    yield heading("What the figures mean") + meanings(MEANINGS)


def _said(t: Trace) -> str:
    f, b = t.figures, t.baseline
    out = f"{f.in_runs[10] or 0.0:.1%} of the text is in the corpus in runs of 10 tokens or more"
    out += f" ({b.in_runs[10] or 0.0:.1%} of the baseline)" if b is not None else ""
    out += f"; the longest has {f.longest_fragment:,}"
    out += f" ({b.longest_fragment:,})" if b is not None else ""
    return paragraph(f"{out}. {f.novel[1] or 0.0:.1%} of its tokens are nowhere in it.")


def _legend(t: Trace) -> str:
    shade = np.searchsorted(np.array(RUNS), t.run, "right")
    share = np.bincount(shade, minlength=len(RUNS) + 1) / max(len(shade), 1)
    said = "Each word is shaded and underlined by the length of the longest string of the corpus that it is part of:"
    return paragraph(said) + legend(zip(NAMES, (f"{x:.1%}" for x in share), strict=True))


def _stretch(s: Stretch, number: int, ones: Sequence[TracedFragment]) -> str:
    mark = f'<sup id="t{number}"><a href="#f{number}">{number}</a></sup>' if s.opens else ""
    title = ""
    if number:
        one = ones[number - 1]
        title = f"{some(one.tokens, 'token')}: {one.file}:{one.line}, {times(one)}"
    return mark + shaded(s.text.decode("utf-8", "replace"), s.shade, title)


def _figures(t: Trace) -> str:
    rows = [[name, value] for name, value in rows_of(t.figures)]
    head = ["tokens", "text"]
    some_n = [n for n in NOVEL if t.figures.novel[n] is not None]
    series: list[Series] = [("this text", [t.figures.novel[n] for n in some_n])]
    if t.baseline is not None:
        head.append("baseline")
        of = dict(rows_of(t.baseline))
        rows = [[*row, of[row[0]]] for row in rows]
        series.append(("baseline", [t.baseline.novel[n] for n in some_n]))
    caption = "Share of n-grams that do not occur in the corpus, by n. Low and flat: copied. High from n = 4 on: not."
    picture = curves("New n-grams by length", [str(n) for n in some_n], series)
    return figure(picture, caption) + table(head, rows)


def _list(ones: Sequence[TracedFragment]) -> str:
    if not ones:
        return paragraph("None.")
    items = []
    for i, one in enumerate(ones, 1):
        quote = " ".join(one.text.split())
        quote = quote if len(quote) <= _QUOTED else quote[:_QUOTED] + "…"
        where = f"{inline(one.file)}:{one.line}"
        items.append(
            f'<li id="f{i}"><a href="#t{i}">{inline(some(one.tokens, "token"))}</a>, {times(one)}, '
            f"rarity {one.rarity_bits:,.0f} bits: <b>{where}</b> <q>{inline(quote)}</q></li>"
        )
    return '<ol class="found">\n' + "\n".join(items) + "\n</ol>\n"


def _sources(t: Trace, least: int) -> str:
    totals = t.totals(least)
    if not totals:
        return ""
    rows = [
        [s.name, f"{s.fragments:,}", f"{s.tokens:,}", f"{s.tokens / t.figures.tokens:.1%}", f"{s.tokens_only_here:,}"]
        for s in totals
    ]
    head = ["file", "fragments", "tokens", "of the text", "only there"]
    return heading("Where they occur first") + table(head, rows)
