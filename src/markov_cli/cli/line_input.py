"""Lines typed at a terminal: history, and words completed with Tab, where Python has readline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..generation.session import Session

_MOST = 40


def edit_lines(session: Session, commands: list[str]) -> None:
    """Complete commands, what can come next, and then any word of the model."""
    try:
        import readline
    except ImportError:
        return
    found: list[str] = []

    def complete(typed: str, state: int) -> str | None:
        if state == 0:
            found[:] = _fitting(session, commands, typed)
        return found[state] if state < len(found) else None

    readline.set_completer_delims(" \t\n")
    readline.set_completer(complete)
    libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")


def _fitting(session: Session, commands: list[str], typed: str) -> list[str]:
    from ..text.word_completion import beginning_with, safe

    if typed.startswith(":"):
        return [f":{c}" for c in commands if c.startswith(typed[1:])]
    likely = [one.token for one in session.followers(1000) if one.token is not None and one.token.startswith(typed)]
    words = beginning_with(session.model.vocabulary, typed, _MOST) if typed else []
    return list(dict.fromkeys([*filter(safe, likely), *words]))[:_MOST]
