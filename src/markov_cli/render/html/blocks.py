"""The parts that pages are built of: headers, cards, tables, figures, shaded text with its legend.

Every argument is text from outside and is escaped here, but `markup`, `svg`, and the cells of `table_of_markup`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .markup import inline, text
from .svg import bar


def header(title: str, line: str) -> str:
    """The title of a page and a line about what it shows."""
    return f'<header>\n<h1>{inline(title)}</h1>\n<p class="soft">{inline(line)}</p>\n</header>\n'


def heading(title: str, level: int = 2, name: str = "") -> str:
    """A heading; `name` is the id that links lead to."""
    at = f' id="{inline(name)}"' if name else ""
    return f"<h{level}{at}>{inline(title)}</h{level}>\n"


def paragraph(said: str, kind: str = "") -> str:
    """A paragraph; `kind` is `soft`, or `note`."""
    return f'<p class="{kind}">{inline(said)}</p>\n' if kind else f"<p>{inline(said)}</p>\n"


def cards(items: Iterable[tuple[str, str, str]]) -> str:
    """Figures that stand out: (name, value, remark) each."""
    out = []
    for name, value, remark in items:
        more = f'<dd class="soft">{inline(remark)}</dd>' if remark else ""
        out.append(f"<div><dt>{inline(name)}</dt><dd>{inline(value)}</dd>{more}</div>")
    return '<dl class="cards">\n' + "\n".join(out) + "\n</dl>\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[int] = (), caption: str = "") -> str:
    """A table of plain cells.

    left     columns, beside the first, that hold words
    caption  its name, where no heading says it
    """
    return table_of_markup(head, ([inline(s) for s in row] for row in rows), left, caption)


def table_of_markup(
    head: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[int] = (), caption: str = ""
) -> str:
    """A table as `table` gives it, of cells that are markup."""

    def cell(tag: str, i: int, s: str) -> str:
        more = " class=left" if i in left else ""
        return f"<{tag}{' scope=col' if tag == 'th' else ''}{more}>{s}</{tag}>"

    said = f"<caption>{inline(caption)}</caption>\n" if caption else ""
    lines = ["<thead><tr>" + "".join(cell("th", i, inline(s)) for i, s in enumerate(head)) + "</tr></thead>\n<tbody>"]
    lines += ["<tr>" + "".join(cell("td", i, s) for i, s in enumerate(row)) + "</tr>" for row in rows]
    return f'<div class="wide"><table>\n{said}' + "\n".join(lines) + "\n</tbody></table></div>\n"


def bar_table(head: Sequence[str], rows: Iterable[tuple[Sequence[str], float]], caption: str = "") -> str:
    """A table whose rows end in a bar: (cells, share 0 to 1) each."""

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(f"<{tag}>{inline(s)}</{tag.split()[0]}>" for s in row)

    said = f"<caption>{inline(caption)}</caption>\n" if caption else ""
    lines = [f"<thead><tr>{cells('th scope=col', head)}<td></td></tr></thead>\n<tbody>"]
    lines += [f"<tr>{cells('td', row)}<td>{bar(share)}</td></tr>" for row, share in rows]
    return f'<div class="wide"><table class="bars">\n{said}' + "\n".join(lines) + "\n</tbody></table></div>\n"


def scrolled(markup: str, label: str, kind: str = "") -> str:
    """A long part that scrolls by itself, also by keyboard; on paper, the first 40 rows of its table."""
    more = f" {kind}" if kind else ""
    return f'<div class="scrolled{more}" role="region" tabindex="0" aria-label="{inline(label)}">\n{markup}</div>\n'


def search(label: str, name: str) -> str:
    """A field that hides the rows of tables in elements of class `name` that do not contain its text.

    filter.js shows it; without scripts everything is shown, and the field is not.
    """
    return (
        f'<p class="search" hidden><label>{inline(label)} <input type="search" data-filters="{inline(name)}"></label> '
        "<output></output></p>\n"
    )


def figure(svg: str, caption: str) -> str:
    """A picture and its caption."""
    return f"<figure>\n{svg}\n<figcaption>{inline(caption)}</figcaption>\n</figure>\n"


def figures(markup: Iterable[str]) -> str:
    """Figures beside each other where there is room."""
    return '<div class="figures">\n' + "".join(markup) + "</div>\n"


def meanings(terms: Iterable[tuple[str, str]]) -> str:
    """A list of figures and their meanings."""
    return "<dl>\n" + "\n".join(f"<dt>{inline(a)}</dt><dd>{inline(b)}</dd>" for a, b in terms) + "\n</dl>\n"


# ------------------------------------------------------------ shaded text


def legend(names: Iterable[tuple[str, str]], scale: str = "", more: Iterable[tuple[str, str, str]] = ()) -> str:
    """The shades of a text, from shade 0 on: (name, value) each.

    scale  `heat` for the other colour
    more   other marks: (class, name, value) each
    """
    items = [
        f'<li><span class="s{shade}">{inline(name)}</span> {inline(value)}</li>'
        for shade, (name, value) in enumerate(names)
    ]
    items += [f'<li><span class="{kind}">{inline(name)}</span> {inline(value)}</li>' for kind, name, value in more]
    return f'<ul class="legend{scale and " " + scale}">{"".join(items)}</ul>\n'


def shaded(said: str, shade: int, title: str = "") -> str:
    """Text in one of the shades 0 to 4, which differ by their underline as well as by colour."""
    if not shade and not title:
        return text(said)
    kind = f' class="s{shade}"' if shade else ""
    kind += f' title="{inline(title)}"' if title else ""
    return f"<span{kind}>{text(said)}</span>"


def shaded_text(markup: Iterable[str], scale: str = "") -> str:
    """A text of shaded parts; its own writing direction holds."""
    return f'<div class="text{scale and " " + scale}" dir="auto">{"".join(markup)}</div>\n'
