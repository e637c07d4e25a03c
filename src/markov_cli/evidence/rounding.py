"""Rounds figures for JSON."""

from __future__ import annotations


def rounded(x: float | None) -> float | None:
    """`x` with six decimals; None stays None."""
    return None if x is None else round(float(x), 6)
