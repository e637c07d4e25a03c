"""Both sides of the argument about a model's training text, in their own words, and this model's figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...evidence.table.audit import Audit
from . import audit as audited
from .blocks import heading, meanings, paragraph

if TYPE_CHECKING:
    from ...api.model import Model


def no_argument(why: str) -> str:
    """The section where the model cannot be audited."""
    return paragraph(f"This cannot be said of this model: {why}.", "note")


def argument(model: Model, a: Audit, proof: str | None) -> Iterator[str]:
    """Markup of the section.

    proof  that the corpus is not the training text; None if it is, or there is none
    """
    yield audited._said(a)
    yield audited._pictures(a)
    yield heading("All figures", 3) + audited._table(a)
    yield meanings(audited.MEANINGS)
