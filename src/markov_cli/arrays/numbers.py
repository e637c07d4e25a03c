"""Checks numbers that callers give: whole ones, and those within bounds."""

from __future__ import annotations

import operator
from typing import Any

from ..errors import OptionError


def whole(name: str, value: Any, least: int = 0) -> int:
    """A whole number of at least `least`; OptionError for anything else.

    >>> whole("jobs", 2, 1)
    2
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise OptionError(f"{name} {value!r}: not a whole number", f"give a whole number from {least} on") from None
    if number < least:
        raise OptionError(f"{name} {number}: must be at least {least}", f"give a whole number from {least} on")
    return number
