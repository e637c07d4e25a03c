"""Checks of finished texts: number of characters, a regular expression, closed quotes and brackets."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from ..errors import OptionError
from .request import NO_MOST, Constraints, Range


class TextChecks:
    """The constraints that need a finished text.

    failed  name of each check -> number of texts that failed it
    """

    def __init__(self, c: Constraints) -> None:
        """Compile the checks; OptionError for an invalid regular expression."""
        self._checks: list[tuple[str, Callable[[str], bool]]] = []
        self._most: tuple[str, int] | None = None  # name of the check of characters, and most bytes that can pass it
        if c.characters is not None:
            least, most = c.characters
            self._most = f"--characters {shown(c.characters)}", 4 * most
            self._checks.append((self._most[0], lambda text: least <= len(text) <= most))
        if c.match:
            try:
                compiled = re.compile(c.match)
            except (re.error, OverflowError, RecursionError) as error:
                raise OptionError(f"--match {c.match!r}: {error}", "see the syntax of Python's re") from None
            self._checks.append((f"--match {c.match!r}", lambda text: compiled.search(text) is not None))
        if c.balanced:
            from .brackets import balanced

            self._checks.append(("--balanced", balanced))
        self.failed = {name: 0 for name, _ in self._checks}

    def __bool__(self) -> bool:
        return bool(self._checks)

    def leave_out(self, names: Sequence[str]) -> None:
        """Leave out checks that all texts pass."""
        self._checks = [(name, check) for name, check in self._checks if name not in names]
        if self._most is not None and self._most[0] in names:
            self._most = None

    def can_pass(self, size: np.ndarray) -> np.ndarray:
        """False for texts with too many bytes, which need not be joined to see that they fail: bool (m,).

        size  int64 (m,), bytes of each text's tokens
        """
        if self._most is None:
            return np.ones(len(size), bool)
        name, most = self._most
        out = size <= most
        self.failed[name] += int(np.count_nonzero(~out))
        return out

    def good(self, texts: Sequence[bytes]) -> np.ndarray:
        """True for texts that pass all checks: bool (m,)."""
        out = np.ones(len(texts), bool)
        for k, one in enumerate(texts):
            text = one.decode("utf-8", "replace")
            for name, check in self._checks:
                if not check(text):
                    out[k] = False
                    self.failed[name] += 1
        return out


def shown(pair: Range) -> str:
    """Range in the form of its option: `12`, `8..12`, `8..`."""
    if pair[0] == pair[1]:
        return str(pair[0])
    return f"{pair[0]}..{pair[1] if pair[1] < NO_MOST else ''}"
