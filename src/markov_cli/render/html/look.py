"""The figures of a model as a page, or as a part of one: sizes, ranks, followers, the commonest n-grams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...inspecting import statistics
from ..inspect import model_line, order_columns, order_text
from ..safe_text import counted, cut, share, shown, size, some
from .blocks import bar_table, cards, figure, figures, header, heading, meanings, paragraph, scrolled, search, table
from .page import page
from .svg import decades

if TYPE_CHECKING:
    from ...api.inspect import CommonNgram, Inspection
    from ...api.model import Model

LISTED = 500  # n-grams of each order, unless --top says so
_POINTS = 200

MEANINGS = (
    ("n-grams", "Distinct strings of that many tokens, with the marks of a sequence's beginning and end."),
    ("history", "The tokens before the next one; its followers are the types seen after it."),
    (
        "bits per token",
        "The bits that a token of the training text needs, if each is predicted by raw counts of that order. "
        "Long n-grams know the training text nearly by heart, so this says nothing about other text: see score.",
    ),
    (
        "rank and frequency",
        "Types by their counts, the commonest first. In most texts the count falls about as 1 divided by the rank "
        "(Zipf 1935), the straight line.",
    ),
)


def inspect_page(model: Model, path: str, found: Inspection) -> Iterator[bytes]:
    """The page, part by part; `found` holds as many n-grams as the page lists."""

    def body() -> Iterator[str]:
        yield header(path, "; ".join([order_text(found.order), *model_line(model)]))
        yield from look(model, found)
        yield heading("What the figures mean") + meanings(MEANINGS)

    return page(f"{path}: a look", body(), ["filter.js"])


def look(model: Model, found: Inspection, level: int = 2) -> Iterator[str]:
    """Markup of all figures, for a page that runs filter.js.

    level  of the headings
    """
    yield _cards(model, found)
    for note in statistics.marker_notes(model.table) if found.holds == "probabilities" else ():
        yield paragraph(note, "note")
    names, rows = order_columns(found)
    yield heading("Orders", level) + table(names, rows)
    parts = [*_rank_frequency(model, level), *_followers(found, level), *_lengths(model, found, level)]
    if parts:
        yield figures(parts)
    yield from _commonest(found, level)


def _cards(model: Model, found: Inspection) -> str:
    h = model.header
    out = []
    if found.holds != "probabilities":
        each = f"{h.tokens / max(h.sequences, 1):,.1f} tokens each"
        out.append(("tokens", f"{h.tokens:,}", f"in {some(h.sequences, 'sequence' if h.borders else 'text')}, {each}"))
    out.append(("types", f"{found.types:,}", ""))
    out.append(("n-grams", f"{sum(o.ngrams for o in found.orders):,}", "of all orders"))
    of_text = f"{found.model_bytes / h.corpus_bytes:.2f} bytes per byte of text" if h.corpus_bytes else ""
    out.append(("model", size(found.model_bytes), of_text))
    if found.guard is not None:
        out.append(("guard", f"{found.guard.runs:,}", f"runs of {found.guard.tokens} tokens"))
    return cards(out)


def _rank_frequency(model: Model, level: int) -> Iterator[str]:
    points = statistics.rank_frequency(model.table, _POINTS)
    if not points:
        return
    drawn = decades("Count of each type, by its rank", points, "rank", "count", "as 1/rank")
    said = (
        f"Counts fall from {10 ** points[0][1]:,.0f} at rank 1 to {10 ** points[-1][1]:,.0f} at rank "
        f"{10 ** points[-1][0]:,.0f}. Both axes are logarithmic."
    )
    yield f"<div>{heading('Rank and frequency', level)}{figure(drawn, said)}</div>\n"


def _followers(found: Inspection, level: int) -> Iterator[str]:
    bins = found.histogram_of_followers
    total = sum(one.histories for one in bins)
    if not total:
        return
    rows = [
        ([one.followers, f"{one.histories:,}", share(one.histories / total)], one.histories / total) for one in bins
    ]
    said = paragraph(f"Of the {total:,} histories of {some(found.order - 1, 'token')}:")
    shown_rows = bar_table(["followers", "histories", "share"], rows)
    yield f"<div>{heading('Followers per history', level)}{said}{shown_rows}</div>\n"


def _lengths(model: Model, found: Inspection, level: int) -> Iterator[str]:
    total = statistics.ends(model.table) if found.lengths else 0
    if not total:
        return
    rows = [([f"{one.tokens:,}", counted(one.sequences)], one.sequences / total) for one in found.lengths]
    rest = total - sum(one.sequences for one in found.lengths)
    rows.append((["longer", counted(rest)], rest / total))
    said = paragraph("As far as the table tells:")
    shown_rows = bar_table(["tokens", "sequences"], rows)
    yield f"<div>{heading('Lengths of sequences', level)}{said}{shown_rows}</div>\n"


def _commonest(found: Inspection, level: int) -> Iterator[str]:
    lists = [(o.order, o.commonest) for o in found.orders if o.commonest]
    if not lists:
        return
    listed = sum(len(ones) for _, ones in lists)
    held = found.holds != "probabilities"
    yield heading("The commonest n-grams" if held else "The likeliest types", level)
    more = "all there are" if listed == sum(o.ngrams for o in found.orders) else "the commonest of each order"
    yield paragraph(f"{some(listed, 'n-gram')}, {more if held else 'the likeliest'}.", "soft")
    yield search("Search these", "commonest")
    yield '<div class="columns">\n'
    for order, ones in lists:
        name = "type" if order == 1 else f"{order}-gram"
        yield scrolled(table([name, "count" if held else "probability"], _rows(ones)), f"{name}s", "commonest")
    yield "</div>\n"


def _rows(ones: Sequence[CommonNgram]) -> Iterator[list[str]]:
    for one in ones:
        number = f"{one.probability:.6f}" if one.count is None else counted(one.count)
        yield [" ".join(cut(shown(name)) for name in one.names), number]
