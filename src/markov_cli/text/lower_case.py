"""Text whose characters have the offsets of its lower case in UTF-8."""

from __future__ import annotations

import re
import sys
from functools import lru_cache

_CAPITALS = ("", "I", "\u00c9", "\u2c00", "\U00010400")  # a capital letter of 1, 2, 3, 4 bytes


def with_offsets_of_lower(text: str) -> str:
    """The text, where each capital whose lower case has another length is another capital, of that length.

    So capital letters of the text can be found by offsets in its lower case.

    >>> with_offsets_of_lower("Ein \u0130 und \u212a"), "\u0130".lower() == "i\u0307"
    ('Ein \u2c00 und I', True)
    """
    return _odd_capitals().sub(lambda match: _CAPITALS[_size(match.group().lower())], text)


@lru_cache(1)
def _odd_capitals() -> re.Pattern[str]:
    odd = [c for c in map(chr, range(128, sys.maxunicode + 1)) if c.isupper() and _size(c.lower()) != _size(c)]
    return re.compile(f"[{''.join(odd)}]")


def _size(text: str) -> int:
    return len(text.encode())
