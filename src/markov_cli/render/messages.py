"""Messages on stderr. Nothing else in the package writes there, so each stands behind the results before it.

stdout is buffered and stderr is not: without a flush, what is written later comes out first.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .safe_text import visible

if TYPE_CHECKING:
    from rich.console import Console


def say(text: str) -> None:
    """Write lines to stderr, behind all that was written to stdout; control characters are written out."""
    flush_results()
    write(visible(text))


def say_json(text: str) -> None:
    """Write an object to stderr, where stdout holds something else."""
    flush_results()
    write(visible(text) if on_terminal() else text)


def write(text: str) -> None:
    """Write lines to stderr as they are, whatever became of stdout."""
    if sys.stderr is not None:  # None where the caller closed it
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def flush_results() -> None:
    """Send what stdout holds; OSError where nobody takes it."""
    if sys.stdout is not None:
        sys.stdout.flush()


def on_terminal() -> bool:
    """True where stderr is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


def console() -> Console:
    """stderr for what rich draws on a terminal, below the results so far."""
    from rich.console import Console

    flush_results()
    return Console(file=sys.stderr)
