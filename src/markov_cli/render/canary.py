"""The exposure of canaries as a report for people."""

from __future__ import annotations

import math

from ..api.canary import CanaryReport
from .safe_text import one_line
from .tables import Column, console, line, show

CHANCE = "a filling that was never put in has x bits or more with probability 2^-x: median 1, mean 1.44"


def show_exposures(found: CanaryReport) -> None:
    """The report."""
    line(f"{one_line(str(found.model))}: {one_line(found.line)}", "bold")
    most = f"at most {found.most_bits:.2f} bits of exposure"
    line(f"{found.fillings:,} fillings, so {most}; smoothing {found.smoothing}")
    if found.scored < found.fillings:
        line(f"of these {found.scored:,} at random are scored: estimates, and >= where none of them is cheaper")
    line()
    wide = console().width >= 70
    rows = []
    for g in found.groups:
        mark = {"bound": ">=", "estimate": "~"}.get(g.exposure_is, "")
        rows.append(
            [
                "never" if g.repeat == 0 else f"{g.repeat:,}",
                f"{mark}{g.median_exposure_bits:.2f}",
                *((f"{g.least_exposure_bits:.2f}", f"{g.most_exposure_bits:.2f}") if wide else ()),
                f"{g.ranked_first} of {g.canaries}",
                f"{g.p_of_median:.2g}",
            ]
        )
    names = ("median bits", *(("least", "most") if wide else ()), "first" if not wide else "ranked first", "p")
    show([Column("put in"), *(Column(n, True) for n in names)], rows)
    line()
    line(CHANCE)
    for text in notes(found):
        line(f"note: {text}")


def notes(found: CanaryReport) -> list[str]:
    """Warnings about what the figures can say."""
    out = []
    unknown = found.unknown_fillings
    if 0 < unknown <= 0.5:
        out.append(
            f"{unknown:.1%} of the fillings hold a token that the model does not know, a digit that its text has"
            f" not: they come last, which is worth up to {-math.log2(1 - unknown):.2f} bits"
        )
    if unknown > 0.5:
        out.append(
            f"{unknown:.1%} of the fillings hold a token that the model does not know: the vocabulary alone"
            " gives those it knows away. Slots with spaces between them ({d} {d}) measure the table"
        )
    few = [g.repeat for g in found.groups if g.canaries < 5]
    if few:
        which = ", ".join("never" if r == 0 else f"{r} times" for r in few)
        out.append(f"fewer than 5 canaries written {which}: a median of so few proves little")
    put_in = [e.exposure_bits for e in found.canaries if e.repeat]
    if put_in and max(put_in) < math.log2(max(len(put_in), 2)) + 2:
        out.append(f"none of the {len(put_in)} canaries has a high exposure: were their lines in this model's text?")
    return out
