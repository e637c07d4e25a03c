"""Both sides of the argument about a model's training text, in their own words, and this model's figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ...api.audit import audited_order
from ...evidence.table.audit import LENGTHS, Audit, OrderAudit
from .audit import MEANINGS, certain_list, certain_text_part, figures_table, pictures, verified
from .blocks import cards, heading, meanings, paragraph, scrolled

if TYPE_CHECKING:
    from ...api.inspect import Inspection
    from ...api.model import Model
    from ...evidence.corpus.certain_text import CertainText

TEXT_BITS, WORD_BITS = 0.1, 5.0  # content bits a token: below, the table is the text; from there on, word statistics
_STILL = (
    "It is still in there. A long history has one follower, so nothing is left to chance: walk along the table, and "
    "whole passages come back word for word. Whoever has the table has them. A copy in another form is a copy."
)
_GONE = (
    "It is gone. The table holds how often some tokens follow others, and no text. Very many texts have exactly these "
    "counts, and nothing in the table tells which of them was read. What nobody can tell from it is not in it."
)


def no_argument(why: str) -> str:
    """The section where the model cannot be audited."""
    return paragraph(f"This model does not tell: {why}.", "note")


def argument(
    model: Model, a: Audit, found: Inspection, proof: str | None, text: CertainText | None = None, top: int = 10
) -> Iterator[str]:
    """Markup of the section.

    proof  that the corpus is not the training text; None if it is, or there is none
    text   the training text, where it is at hand
    top    certain strings that are listed
    """
    if proof is not None:
        yield paragraph(f"The corpus is not the training text: {proof}", "note")
    last = _highest(a)
    if last is not None:
        yield cards(_cards(a, last))
        one = {o.order: o.single_follower for o in found.orders}.get(last.order)
        yield '<div class="sides">\n' + _side("One side", _STILL, _for_still(last, one))
        yield _side("The other side", _GONE, _for_gone(a, last)) + "</div>\n"
        yield paragraph(_both(a, last))
    for said in a.notes:
        yield paragraph(said, "note")
    yield pictures(a, 3)
    yield heading("All figures", 3) + figures_table(a)
    yield verified(a, 3)
    if text is not None:
        yield scrolled("".join(certain_text_part(text, 3)), "The text, by certain strings")
    yield certain_list(model, a, top, 3)
    yield "<details><summary>What the figures mean</summary>\n" + meanings(MEANINGS) + "</details>\n"


def _highest(a: Audit) -> OrderAudit | None:
    """The highest order with certain strings known."""
    return next((o for o in reversed(a.orders) if o.certain is not None and o.order > 1), None)


def _cards(a: Audit, o: OrderAudit) -> Iterator[tuple[str, str, str]]:
    if o.forgotten is not None:
        how = "exact" if o.forgotten.how == "exact" else f"an estimate, ± {o.forgotten.error_bits:,.0f}"
        yield "forgotten", f"{o.forgotten.bits:,.0f} bits", f"order {o.order}, {how}"
    content, least = _content(a, o)
    if content is not None:
        yield "of what sequences contain", f"{content:.2f} bits", f"a token{', at least' if least else ''}"
    assert o.certain is not None
    yield (
        "certain",
        f"{o.certain[LENGTHS[0]]:.1%}",
        f"of the tokens are in strings of {LENGTHS[0]} or more that it proves",
    )
    if o.longest is not None:
        yield "the longest", f"{o.longest:,} tokens", "a string that every text with this table has"


def _side(name: str, said: str, figures: Iterable[str]) -> str:
    items = "".join(paragraph(one) for one in figures)
    own_words = f"{heading(name, 3)}<blockquote>{paragraph(said)}</blockquote>\n"
    return f"<article>\n{own_words}{heading('What this model says to it', 4)}{items}</article>\n"


def _for_still(o: OrderAudit, one_follower: float | None) -> Iterator[str]:
    assert o.certain is not None
    shares = ", ".join(f"{o.certain[n]:.1%} in such strings of {n} or more" for n in LENGTHS[1:])
    yield (
        f"True for {o.certain[LENGTHS[0]]:.1%} of the tokens: they are in strings of {LENGTHS[0]} tokens or more that "
        f"every text with this table contains ({shares}). No guess is needed for these."
    )
    if one_follower is not None:
        yield f"{one_follower:.1%} of the histories of {o.order - 1} tokens have one follower: no choice is left there."
    yield "Strings that are not certain can still be guessed by who knows the language: this figure is no upper limit."


def _for_gone(a: Audit, o: OrderAudit) -> Iterator[str]:
    if o.forgotten is None:
        yield "The number of texts with this table is not known: it is not complete, or holds no whole counts."
        return
    bits = o.forgotten.bits
    if bits <= 0:
        yield "Not true here: exactly one text has this table."
        return
    yield f"2 to the power of {bits:,.0f} texts have exactly this table, and it prefers none of them."
    content, least = _content(a, o)
    if content is not None:
        yield (
            f"That is {bits / max(a.tokens, 1):.2f} bits a token; {'at least ' if least else ''}{content:.2f} of them "
            "are about what the sequences contain, and the others only about their order."
        )
    yield (
        "Most of these texts are nonsense, and a reader who knows the language can exclude them. So this is an upper "
        "limit."
    )


def _content(a: Audit, o: OrderAudit) -> tuple[float | None, bool]:
    """Bits a token forgotten of what sequences contain, and True for a lower bound; a corpus tells them exactly."""
    known = audited_order(o, a.against).to_dict().get("corpus_content_bits_per_token")
    return (o.content_bits_per_token, o.content_is != "exact") if known is None else (known, False)


def _both(a: Audit, o: OrderAudit) -> str:
    assert o.certain is not None
    (content, least), sure = _content(a, o), o.certain[LENGTHS[0]]
    said = f"What both can sign, at order {o.order}: "
    if content is not None and content < TEXT_BITS:
        alone = "as far as the table alone tells, it" if least else "the table"
        return said + f"{alone} is the text in another form."
    if content is not None and content >= WORD_BITS:
        return said + "the table is word statistics; the text is not in it."
    if sure >= 0.5:
        return (
            said
            + f"most of the text ({sure:.1%} of the tokens) is proven by the table, and the rest can be guessed at."
        )
    return said + (
        f"{sure:.1%} of the tokens are proven by the table; the rest is neither in it as text nor gone without a trace."
    )
