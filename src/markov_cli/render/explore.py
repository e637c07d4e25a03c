"""The state of a session for people: the text so far and a table of followers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bars import bar
from .safe_text import counted, one_line, shown, some, visible
from .tables import Column, console, line, show

if TYPE_CHECKING:
    from ..generation.session import Session
    from ..inspecting.followers import Follower

_BAR, _LEAST_BAR = 24, 4
_BESIDE = 34  # columns of a row beside its bar


def show_state(session: Session, top: int) -> None:
    """The text, its figures, and a numbered row for each of the likeliest followers."""
    text = session.text
    line(visible(text) if text else "(nothing yet)", "bold")
    line(_figures(session), "dim")
    if session.complete:
        line("the text has ended: :back or :new to go on, :quit to leave")
        return
    found = session.followers(top)
    n = len(session.offers()[0])
    most = (found[0].probability if found else 1.0) or 1.0
    width = max(min(_BAR, console().width - _BESIDE), _LEAST_BAR)
    rows = [
        [str(i), _name(found, one), *_count(one), f"{one.probability:.4f}", bar(one.probability / most, width)]
        for i, one in enumerate(found, 1)
    ]
    columns = [Column("", True), Column("next", flexible=True), Column("count", True)]
    columns += [Column("p", True), Column("")]
    if found and found[0].count is None:
        del columns[2]
    show(columns, rows)
    if n > len(found):
        line(f"and {n - len(found):,} more", "dim")


def _figures(session: Session) -> str:
    parts = [some(session.tokens, "token"), f"{session.bits:.1f} bits"]
    if session.impossible:
        parts.append(f"{some(session.impossible, 'token')} of probability 0")
    history = " ".join(one_line(shown(name)) for name in session.history)
    if not session.complete:
        parts.append(f"after {history}" if history else "no history")
    if session.smoothing not in (None, "none"):
        parts.append(str(session.smoothing))
    shape = session.shape
    parts += [f"temperature {shape.temperature:g}"] if shape.temperature != 1 else []
    parts += [f"top-k {shape.top_k}"] if shape.top_k else []
    parts += [f"top-p {shape.top_p:g}"] if shape.top_p != 1 else []
    return ", ".join(parts)


def _count(one: Follower) -> list[str]:
    return [] if one.count is None else [counted(one.count)]


def _name(found: list[Follower], one: Follower) -> str:
    """A follower's text; types that look alike also show on which side they touch."""
    if one.token is None:
        return str(one.marker)
    alike = sum(other.token == one.token for other in found) > 1
    beside = {"left": " (to its left)", "right": " (to its right)", "both": " (both sides)"}.get(one.touches, "")
    return shown(one.token) + (beside if alike else "")
