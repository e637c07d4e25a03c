"""The report of a text that was taken out of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .safe_text import some

if TYPE_CHECKING:
    from ..api.forget import Forgotten


def forget_lines(found: Forgotten) -> list[str]:
    """Lines about the text that was taken out, and about its n-grams that stay."""
    order = len(found.forgotten_ngrams)
    of_text, gone = found.forgotten_ngrams[-1] if order else 0, found.ngrams_gone[-1] if order else 0
    longest = f"of its {of_text:,} {order}-grams {gone:,} are gone"
    rest = f"; other texts have the {of_text - gone:,} that stay" if gone < of_text else ""
    types = f", with {some(found.forgotten_types, 'type')}" if found.forgotten_types else ""
    records = "" if found.forgotten_records is None else f"{some(found.forgotten_records, 'record')}: "
    text = f"{some(found.forgotten_tokens, 'token')} in {some(found.forgotten_sequences, 'sequence')}"
    return [
        f"forgot   {records}{text}{types}",
        f"left     {longest}{rest}",
    ]
