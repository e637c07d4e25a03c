"""Audits as an HTML page, with pictures of the forgotten, retained and certain parts by order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...api.audit import audited_order, certain_strings
from ...evidence.copying.shading import NAMES
from ...evidence.table.audit import LENGTHS, Audit
from ..inspect import order_text
from ..safe_text import share, some
from .blocks import figure, figures, header, heading, legend, meanings, paragraph, shaded, shaded_text, table
from .markup import inline
from .page import page
from .svg import bars

if TYPE_CHECKING:
    from ...api.model import Model
    from ...evidence.corpus.certain_text import CertainText

MEANINGS = (
    (
        "forgotten",
        "log2 of the number of texts that have exactly this table. 0: the table is the text in another form. All of "
        "them count alike. A reader who knows the language can exclude many of them, so this is an upper bound.",
    ),
    (
        "order of the sequences, content",
        "Some of the forgotten bits are only the order of the sequences; the others are what the sequences contain. "
        "Below 0.1 a token, the table is the text in another form; from 5 on, it is word statistics.",
    ),
    (
        "retained",
        "The share that the table keeps of the information in the order of the tokens, if their counts are known.",
    ),
    (
        "certain",
        "The share of the text's tokens in strings that every text with this table contains, by their length. "
        "The table alone proves them; nobody needs to guess. 0% is no promise: a string that is not certain can "
        "still be guessed.",
    ),
    (
        "complete",
        "The followers of each history sum to its count, and each is reached as often as it is left: evidence that no "
        "n-gram is missing, not proof. If n-grams are missing, the forgotten bits are not given.",
    ),
    ("exact, estimate, bound", "Every figure says which it is; an estimate comes with its standard error."),
)

# keys that `audit --corpus` adds to an order, and what they are
_VERIFIED = (
    ("corpus_content_bits_per_token", "content forgotten, bits a token: equal sequences are known"),
    ("verified", "tokens of the corpus in certain strings found there"),
    ("greedy", "continuations that come out by greedy choice"),
    ("rebuilt_sequences", "sequences of a rebuilt text that are the corpus'"),
    ("rebuilt_10grams", "10-grams of a rebuilt text that are the corpus'"),
    ("memorised_bits_per_token", "memorised bits a token (leave one sequence out)"),
    ("membership_auc", "membership: area under the curve"),
    ("membership_tpr_at_1_percent", "membership: found at 1% false alarms"),
)


def audit_page(model: Model, path: str, a: Audit, top: int, text: CertainText | None = None) -> Iterator[bytes]:
    """The page, part by part.

    top   how many certain strings are listed
    text  the training text, where it is at hand
    """
    return page(f"{path}: audit", _body(model, path, a, top, text))


def _body(model: Model, path: str, a: Audit, top: int, text: CertainText | None) -> Iterator[str]:
    h = model.header
    yield header(
        path,
        f"{order_text(h.order)}; {some(h.tokens, 'token')} in {some(h.sequences, 'sequence')}, one a {h.options.unit}; "
        f"{'from the model alone' if a.against is None else 'with the corpus'}",
    )
    yield _said(a)
    for note in a.notes:
        yield paragraph(note, "note")
    yield pictures(a)
    yield heading("All figures") + figures_table(a) + _size(model, a)
    yield verified(a)
    if text is not None:
        yield from certain_text_part(text)
    yield certain_list(model, a, top)
    yield heading("What the figures mean") + meanings(MEANINGS)


def certain_text_part(t: CertainText, level: int = 2) -> Iterator[str]:
    """Markup of the text with every token shaded by the longest certain string around it; `level` of the heading."""
    yield heading("The text, by certain strings", level)
    yield paragraph(
        f"Each word is shaded and underlined by the length of the longest string around it that the table of order "
        f"{t.order} proves to be in the text. The shares are of the whole text:"
    )
    yield legend(zip(NAMES, (share(x) for x in t.share.tolist()), strict=True))
    if t.shown < len(t.length):
        yield paragraph(f"Shown are the first {t.shown:,} of {some(len(t.length), 'token')}.", "note")
    before, names = "", len(set(t.passages.names[: int(t.passages.file[t.shown - 1]) + 1]))
    for name, found in t.stretches():
        if names > 1 and name != before:
            yield heading(name, level + 1)
        before = name
        yield shaded_text(shaded(s.text.decode("utf-8", "replace"), s.shade) for s in found)


def _said(a: Audit) -> str:
    """A sentence about the highest order with the most figures."""
    for o in reversed(a.orders):
        if not o.certain:
            continue
        out = f"Order {o.order}: {o.certain[LENGTHS[0]]:.1%} of the tokens are in strings of {LENGTHS[0]} or more "
        out += f"that the table proves to be in the text; the longest has {o.longest:,}."
        if o.content_bits_per_token is not None:
            out += f" It has forgotten {o.content_bits_per_token:.3f} bits a token of what the sequences contain."
        return paragraph(out)
    return ""


def pictures(a: Audit, level: int = 2) -> str:
    """Pictures of the forgotten, retained and certain shares, by order; `level` of the headings, here and below."""
    names = [f"order {o.order}" for o in a.orders]
    tokens = max(a.tokens, 1)
    of_order = [None if o.order_bits is None else o.order_bits / tokens for o in a.orders]
    content = [o.content_bits_per_token for o in a.orders]
    out = []
    if any(v is not None for v in content):
        drawn = bars(
            "Bits forgotten a token, by order",
            names,
            [("content of the sequences", content), ("their order", of_order)],
            stacked=True,
        )
        said = (
            "Bits a token that the table has forgotten, by order. An order without a bar is not complete, so they "
            "cannot be computed."
        )
        out.append(("Forgotten", drawn, said))
        drawn = bars("Retained, by order", names, [("retained", [o.retained for o in a.orders])], top=1.0)
        out.append(("Retained", drawn, "The share kept of the information in the order of the tokens."))
    if any(o.certain for o in a.orders):
        series = [(f"≥ {n} tokens", [o.certain[n] if o.certain else None for o in a.orders]) for n in LENGTHS]
        said = "The share of the text's tokens in strings that the table proves to be in the text, by their length."
        out.append(("Certain", bars("Certain, by order", names, series, top=1.0), said))
    return figures(f"<div>{heading(title, level)}{figure(drawn, said)}</div>\n" for title, drawn, said in out)


def figures_table(a: Audit) -> str:
    """Every figure a row, every order a column."""

    def known(values: list[Any], form: str) -> list[str]:
        return ["-" if v is None else format(v, form) for v in values]

    f = [o.forgotten for o in a.orders]
    rows = [
        ["rows", *(f"{o.rows:,}" for o in a.orders)],
        ["complete, as far as rows tell", *("yes" if o.complete else "no" for o in a.orders)],
        ["forgotten, bits", *known([x and x.bits for x in f], ",.0f")],
        ["which is", *("-" if x is None else _how(x.how, x.error_bits) for x in f)],
        ["of them content, a token", *known([o.content_bits_per_token for o in a.orders], ".4f")],
        ["retained", *known([o.retained for o in a.orders], ".2%")],
    ]
    rows += [[f"certain, ≥ {n} tokens", *known([o.certain and o.certain[n] for o in a.orders], ".1%")] for n in LENGTHS]
    bound = [o.certain_bound for o in a.orders]
    rows += [
        [f"with the pigeonhole rule, ≥ {n}, at least", *known([x and x[n] for x in bound], ".1%")] for n in LENGTHS[:1]
    ]
    rows += [
        ["half of all in strings of", *known([o.half for o in a.orders], ",")],
        ["the longest", *known([o.longest for o in a.orders], ",")],
    ]
    return table(["order", *(str(o.order) for o in a.orders)], rows)


def _how(how: str, error_bits: float | None) -> str:
    return how if how == "exact" else f"estimate ± {error_bits:.0f}"


def _size(model: Model, a: Audit) -> str:
    if not a.model_bytes or not a.tokens:
        return ""
    said = f"The model takes {a.model_bytes / a.tokens:.2f} bytes a token of its text"
    if a.xz_bytes_per_token is not None:
        said += f"; xz would make about {a.xz_bytes_per_token:.2f} of it (estimate, from a random text with this table)"
    return paragraph(f"{said}. Sizes are averages: they prove nothing about any one string.", "soft")


def verified(a: Audit, level: int = 2) -> str:
    """Figures that need the corpus, if there is one."""
    orders: list[dict[str, Any]] = [audited_order(o, a.against).to_dict() for o in a.orders]
    rows = []
    for key, name in _VERIFIED:
        values = [o.get(key) for o in orders]
        if all(v is None for v in values):
            continue
        for part in LENGTHS if any(isinstance(v, dict) for v in values) else (None,):
            label = name if part is None else f"{name}, ≥{part}"
            of = [v.get(str(part)) if isinstance(v, dict) else v for v in values]
            rows.append([label, *("-" if v is None else f"{v:,.4g}" for v in of)])
    if not rows:
        return ""
    return heading("Verified with the corpus", level) + table(["order", *(str(o.order) for o in a.orders)], rows)


def certain_list(model: Model, a: Audit, top: int, level: int = 2) -> str:
    """The longest certain strings."""
    if a.strings is None or not len(a.strings):
        return ""
    items = []
    where = {(True, True): "a whole sequence", (True, False): "opens one", (False, True): "ends one"}
    for one in certain_strings(model, a.strings, top):
        times = f"{one.occurrences:,} times" if one.occurrences != 1 else "once"
        said = [some(one.tokens, "token"), times if one.occurrences_is == "exact" else f"at least {times}"]
        said += [where[key]] if (key := (one.opens, one.closes)) in where else []
        items.append(f"<li>{inline(', '.join(said))}: <q>{inline(one.text)}</q></li>")
    shown = min(top, len(a.strings))
    head = f"{some(len(a.strings), 'certain string')} of order {a.strings_order}"
    head += f", the {shown} longest" if shown < len(a.strings) else ""
    return heading(head, level) + '<ol class="found">\n' + "\n".join(items) + "\n</ol>\n"
