"""A model as a page to explore it and to write with it: `markov page`.

The page holds the model as data; its scripts, which are files in `script/`, draw from it as `markov generate` does.
"""

from __future__ import annotations

import shlex
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..inspect import model_line, order_text
from ..safe_text import some
from .blocks import header, heading, paragraph
from .look import look
from .markup import data_block, inline
from .page import page

if TYPE_CHECKING:
    from ...api.inspect import Inspection
    from ...api.model import Model
    from ...api.page import PageModel

SCRIPTS = [
    "filter.js",
    *(
        f"script/{name}.js"
        for name in (
            "numbers",
            "table",
            "tokens",
            "probabilities",
            "shape",
            "sampler",
            "parts",
            "write",
            "steps",
            "start",
        )
    ),
]
STYLES = ["style.css", "script/write.css"]
EXAMPLE = "You must be the change you wish to see in the world"
LISTED = 200  # n-grams of each order
_SECTIONS = (
    ("write", "Write"),
    ("look", "Look"),
    ("steps", "How it works"),
    ("argument", "Is the text still in there?"),
    ("about", "About this page"),
)


def model_page(
    model: Model, path: str, held: PageModel, example: PageModel, found: Inspection, argument: Iterable[str]
) -> Iterator[bytes]:
    """The page, part by part; it names the file and not its folder, as a page is for others.

    held      what the page holds of the model
    example   the model of EXAMPLE
    found     figures of the model, with LISTED n-grams of each order
    argument  markup of the section about the training text
    """

    name = Path(path).name

    def body() -> Iterator[str]:
        yield header(name, "; ".join([order_text(found.order), *model_line(model)]))
        yield _contents()
        yield _held(held)
        without = paragraph("Writing and the steps need JavaScript; the figures below do not.", "note")
        yield f"<noscript>{without}</noscript>\n"
        yield _section("write", '<div id="write-here"></div>\n')
        yield _section("look", "".join(look(model, found, 3)))
        yield _section("steps", '<div id="steps-here"></div>\n')
        yield _section("argument", "".join(argument))
        yield _section("about", _about(name, held))
        yield _data("model-data", held)
        yield _data("example-data", example)
        yield data_block("page-data", {"commands": commands(name, held), "example": EXAMPLE, "name": name})

    return page(name, body(), SCRIPTS, STYLES)


def _contents() -> str:
    links = "\n".join(f'<a href="#{name}">{inline(title)}</a>' for name, title in _SECTIONS)
    return f'<nav aria-label="Parts of this page">\n{links}\n</nav>\n'


def _section(name: str, markup: str) -> str:
    title = dict(_SECTIONS)[name]
    top = heading(title, name=f"{name}-title")
    return f'<section id="{name}" aria-labelledby="{name}-title">\n{top}{markup}</section>\n'


def _held(held: PageModel) -> str:
    n = sum(held.ngrams_before)
    if held.whole:
        return paragraph(
            f"This page holds the whole model: {some(n, 'n-gram')}. It needs no network and sends nothing.", "soft"
        )
    left, kept = n - sum(held.ngrams_after), sum(held.ngrams_after)
    out = f"This page holds {kept:,} of the model's {some(n, 'n-gram')}. "
    if left:
        out += (
            f"{left:,} are left out: each of them, if it goes alone, raises the perplexity by less than "
            f"{held.threshold:.3g} as a share, and together they raise it by {held.perplexity_rise_estimate:.1%}, as "
            "the model itself expects it. "
        )
    if held.smoothing:
        out += f"It writes with the probabilities of --smoothing {held.smoothing}. "
    return paragraph(out + "It needs no network and sends nothing.", "note")


def _about(path: str, held: PageModel) -> str:
    rows = zip(held.ngrams_before, held.ngrams_after, strict=True)
    by_order = "; ".join(f"order {k}: {after:,} of {before:,}" for k, (before, after) in enumerate(rows, 1))
    out = paragraph(f"N-grams in this page: {by_order}.")
    out += paragraph("The model in this page, from the command line:")
    said = commands(path, held)
    out += "".join(
        f'<p><code class="command">{inline(line)}</code></p>\n' for line in (said["prune"], said["generate"]) if line
    )
    out += paragraph(
        "Everything in this file was made by markov page. It holds types and counts, or their probabilities, and the "
        "strings that stand on it; a content security policy keeps it from loading or sending anything."
    )
    return out


def commands(path: str, held: PageModel) -> dict[str, str | None]:
    """Shell commands for the model in the page: `prune`, where it is pruned, and the beginning of `generate`."""
    if held.whole:
        return {"prune": None, "generate": f"markov generate {shlex.quote(path)}"}
    small = path.removesuffix(".npz") + "-page.npz"
    prune = f"markov prune {shlex.quote(path)} --threshold {held.threshold!r}"
    prune += f" --smoothing {held.smoothing}" if held.smoothing not in (None, "kn") else ""
    return {"prune": f"{prune} -o {shlex.quote(small)}", "generate": f"markov generate {shlex.quote(small)}"}


def _data(name: str, held: PageModel) -> str:
    content: Any = b64encode(held.data).decode()
    return data_block(name, content)
