"""Pages for a browser: one file each, without scripts and without anything from elsewhere.

Everything that comes from outside is escaped here, and control characters are written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ..safe_text import one_line, visible

CSS = """
:root { color-scheme: light dark; --paper: #fdfdfb; --ink: #1c1c1a; --soft: #63625e; --rule: #d9d8d2;
  --s1: #e6f0f8; --s2: #c3dcf0; --s3: #93c0e4; --s4: #5fa0d6; --a: #1f5f99; --b: #a2480c; }
@media (prefers-color-scheme: dark) { :root { --paper: #171816; --ink: #ecebe6; --soft: #a5a49d; --rule: #3a3b37;
  --s1: #182b3a; --s2: #1c4058; --s3: #1f5378; --s4: #246a9c; --a: #7db8ea; --b: #eda36f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; }
p { margin: .5rem 0; } a { color: var(--a); }
.soft, figcaption, .note { color: var(--soft); font-size: .9rem; }
.note { border-left: 3px solid var(--rule); padding-left: .7rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .22rem .8rem .22rem 0; text-align: right; border-bottom: 1px solid var(--rule); vertical-align: top; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
td.left, th.left { text-align: left; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); }
svg .axis { stroke: var(--rule); } svg .soft { fill: var(--soft); }
.text { font: 1.05rem/1.75 Georgia, "Times New Roman", serif; white-space: pre-wrap; overflow-wrap: anywhere;
  tab-size: 4; }
.s1, .s2, .s3, .s4 { text-decoration-line: underline; text-underline-offset: .2em; text-decoration-thickness: 1px;
  -webkit-box-decoration-break: clone; box-decoration-break: clone; border-radius: 2px; }
.s1 { background: var(--s1); text-decoration-style: dotted; }
.s2 { background: var(--s2); text-decoration-style: dashed; }
.s3 { background: var(--s3); text-decoration-style: solid; }
.s4 { background: var(--s4); text-decoration-style: double; }
sup { font: .68rem/1 system-ui, sans-serif; } sup a { text-decoration: none; }
ul.legend { list-style: none; padding: 0; margin: .6rem 0 1rem; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem;
  font-size: .92rem; }
ul.legend span { padding: 0 .25rem; }
ol.found { padding-left: 2.6rem; font-size: .92rem; } ol.found li { margin: .45rem 0; overflow-wrap: anywhere; }
q { color: var(--soft); font-family: Georgia, "Times New Roman", serif; }
:target { outline: 2px solid var(--b); outline-offset: 2px; }
dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0 0 .3rem; }
@media (max-width: 30rem) { body { font-size: 15px; padding: 1rem .8rem 3rem; } .text { font-size: 1rem; }
  table { font-size: .82rem; } th, td { padding-right: .5rem; } }
@media print { :root { --paper: #fff; --ink: #000; --soft: #444; --rule: #bbb; --a: #000; --b: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; } .s1, .s2, .s3, .s4 { background: none; }
  .s3 { text-decoration-thickness: 2px; } a { text-decoration: none; } figure, li, tr { break-inside: avoid; }
  .wide { overflow: visible; } }
"""


def text(s: str) -> str:
    """Text from outside with markup escaped; newlines and tabs are kept."""
    return escape(visible(s))


def inline(s: str) -> str:
    """`text` in one line."""
    return escape(one_line(s))


def page(title: str, body: Iterable[str]) -> Iterator[bytes]:
    """A whole page, part by part; `body` is markup."""
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{inline(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n"
    ).encode("utf-8", "replace")
    for part in body:
        yield part.encode("utf-8", "replace")
    yield b"\n</body>\n</html>\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: Sequence[int] = ()) -> str:
    """A table of plain cells.

    left  columns, beside the first, that hold words
    """

    def cell(tag: str, i: int, s: str) -> str:
        return f"<{tag}{' class=left' if i in left else ''}>{inline(s)}</{tag}>"

    lines = ["<tr>" + "".join(cell("th", i, s) for i, s in enumerate(head)) + "</tr>"]
    lines += ["<tr>" + "".join(cell("td", i, s) for i, s in enumerate(row)) + "</tr>" for row in rows]
    return '<div class="wide"><table>\n' + "\n".join(lines) + "\n</table></div>\n"


def meanings(terms: Iterable[tuple[str, str]]) -> str:
    """A list of figures and their meanings."""
    return "<dl>\n" + "\n".join(f"<dt>{inline(a)}</dt><dd>{inline(b)}</dd>" for a, b in terms) + "\n</dl>\n"


def figure(svg: str, caption: str) -> str:
    """A picture and its caption."""
    return f"<figure>\n{svg}\n<figcaption>{inline(caption)}</figcaption>\n</figure>\n"
