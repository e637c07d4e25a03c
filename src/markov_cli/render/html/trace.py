"""`trace` as a page: the text with every word shaded by the run it stands in, and where its fragments come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from ...api.trace import TracedFragment, traced_fragments
from ...evidence.copying.fragments import NOVEL, RUNS, Trace
from ...evidence.copying.shading import Stretch, stretches
from ..safe_text import some
from ..trace import NO_BASELINE, rows_of, times
from .page import figure, inline, meanings, page, table, text
from .svg import Series, curves

_QUOTED = 90  # characters of a fragment in the list
_RANGES = [f"{a} to {b - 1}" for a, b in pairwise(RUNS)] + [f"{RUNS[-1]} or more"]

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
    yield f"<h1>{inline(names)}</h1>\n"
    yield (
        f'<p class="soft">{inline(some(f.tokens, "token"))} ({inline(t.options.tokenizer)}) compared with '
        f"{inline(some(t.corpus_tokens, 'token'))} in {inline(some(len(t.sources), 'file'))} of corpus. "
        f"No fragment crosses the end of a {inline(t.marks)}.</p>\n"
    )
    yield _said(t)
    if t.baseline is None:
        yield f'<p class="note">{inline(NO_BASELINE[0].upper() + NO_BASELINE[1:])}.</p>\n'
    listed = t.fragments.take(np.flatnonzero(t.fragments.found.length >= least))
    yield "<h2>The text</h2>\n" + _legend(t)
    yield (
        f'<p class="soft">Numbers lead to the list of fragments of {least} tokens or more; '
        "a pointer over a fragment shows its source.</p>\n"
    )
    ones = traced_fragments(t, listed)
    number = np.zeros(len(t.fragments), np.int64)
    number[np.flatnonzero(t.fragments.found.length >= least)] = np.arange(1, len(listed) + 1)
    for name, found in stretches(t, least):
        if len(t.text.names) > 1:
            yield f"<h3>{inline(name)}</h3>\n"
        yield '<div class="text">'
        for s in found:
            yield _stretch(s, int(number[s.fragment]) if s.fragment >= 0 else 0, ones)
        yield "</div>\n"
    yield "<h2>Figures</h2>\n" + _figures(t)
    yield f"<h2>Fragments of {least} tokens or more</h2>\n" + _list(ones)
    yield _sources(t, least)
    yield "<h2>What the figures mean</h2>\n" + meanings(MEANINGS)


def _said(t: Trace) -> str:
    f, b = t.figures, t.baseline
    out = f"{f.in_runs[10] or 0.0:.1%} of the text is in the corpus in runs of 10 tokens or more"
    out += f" ({b.in_runs[10] or 0.0:.1%} of the baseline)" if b is not None else ""
    out += f"; the longest has {f.longest_fragment:,}"
    out += f" ({b.longest_fragment:,})" if b is not None else ""
    return f"<p>{inline(out)}. {f.novel[1] or 0.0:.1%} of its tokens are nowhere in it.</p>\n"


def _legend(t: Trace) -> str:
    shade = np.searchsorted(np.array(RUNS), t.run, "right")
    share = np.bincount(shade, minlength=len(RUNS) + 1) / max(len(shade), 1)
    items = [f"<li><span>fewer than {RUNS[0]}</span> {share[0]:.1%}</li>"]
    items += [f'<li><span class="s{i}">{said} tokens</span> {share[i]:.1%}</li>' for i, said in enumerate(_RANGES, 1)]
    return (
        "<p>Each word is shaded and underlined by the length of the longest string of the corpus that it is part of:"
        f'</p>\n<ul class="legend">{"".join(items)}</ul>\n'
    )


def _stretch(s: Stretch, number: int, ones: Sequence[TracedFragment]) -> str:
    said = text(s.text.decode("utf-8", "replace"))
    mark = f'<sup id="t{number}"><a href="#f{number}">{number}</a></sup>' if s.opens else ""
    if not number and not s.shade:
        return said
    kind = f' class="s{s.shade}"' if s.shade else ""
    title = ""
    if number:
        one = ones[number - 1]
        title = f' title="{inline(some(one.tokens, "token"))}: {inline(one.file)}:{one.line}, {times(one)}"'
    return f"{mark}<span{kind}{title}>{said}</span>"


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
        return "<p>None.</p>\n"
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
    return "<h2>Where they occur first</h2>\n" + table(head, rows)
