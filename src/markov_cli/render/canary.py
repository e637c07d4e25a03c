"""Exposures of canaries as text and JSON."""

from __future__ import annotations

import json
import math
from statistics import median
from typing import Any

from ..evidence.corpus.canary import Canaries
from ..evidence.corpus.exposure import Exposure, Exposures
from .safe_text import one_line
from .tables import Column, console, line, show

CHANCE = "a filling that was never put in has x bits or more with probability 2^-x: median 1, mean 1.44"


def exposures_json(model: str, path: str, keys: Canaries, found: Exposures, smoothing: str) -> str:
    """All figures as one object."""
    out: dict[str, Any] = {
        "model": model,
        "keys": path,
        "line": keys.format,
        "smoothing": smoothing,
        "fillings": found.space,
        "scored": found.scored,
        "unknown_fillings": round(found.unknown, 6),
        "most_bits": round(math.log2(found.space), 6),
        "groups": [_group(r, found.of_repeat(r)) for r in found.repeats],
        "canaries": [
            {
                "name": e.canary.name,
                "filling": e.canary.filling,
                "repeat": e.canary.repeat,
                "text": keys.text(e.canary),
                "rank": e.rank,
                "exposure_bits": round(e.bits, 6) + 0.0,
                "exposure_is": e.how,
                "p": float(f"{e.p:.6g}"),
                "cost_bits": round(e.cost_bits, 6) if math.isfinite(e.cost_bits) else None,
            }
            for e in found.each
        ],
    }
    return json.dumps(out, ensure_ascii=False)


def _group(repeat: int, some_: list[Exposure]) -> dict[str, Any]:
    bits = [e.bits for e in some_]
    how = {e.how for e in some_}
    return {
        "repeat": repeat,
        "canaries": len(some_),
        "median_exposure_bits": round(median(bits), 6) + 0.0,
        "least_exposure_bits": round(min(bits), 6) + 0.0,
        "most_exposure_bits": round(max(bits), 6) + 0.0,
        "exposure_is": how.pop() if len(how) == 1 else "bound" if "bound" in how else "estimate",
        "ranked_first": sum(e.rank == 1 or e.how == "bound" for e in some_),
        "p_of_median": float(f"{2.0 ** -median(bits):.6g}"),
    }


def show_exposures(model: str, keys: Canaries, found: Exposures, smoothing: str) -> None:
    """Print the exposures for people."""
    line(f"{one_line(model)}: {one_line(keys.format)}", "bold")
    line(f"{found.space:,} fillings, so at most {math.log2(found.space):.2f} bits of exposure; smoothing {smoothing}")
    if found.scored < found.space:
        line(f"of these {found.scored:,} at random are scored: estimates, and >= where none of them is cheaper")
    line()
    wide = console().width >= 70
    rows = []
    for r in found.repeats:
        g = _group(r, found.of_repeat(r))
        mark = ">=" if g["exposure_is"] == "bound" else "~" if g["exposure_is"] == "estimate" else ""
        rows.append(
            [
                "never" if r == 0 else f"{r:,}",
                f"{mark}{g['median_exposure_bits']:.2f}",
                *((f"{g['least_exposure_bits']:.2f}", f"{g['most_exposure_bits']:.2f}") if wide else ()),
                f"{g['ranked_first']} of {g['canaries']}",
                f"{g['p_of_median']:.2g}",
            ]
        )
    names = ("median bits", *(("least", "most") if wide else ()), "first" if not wide else "ranked first", "p")
    show([Column("put in"), *(Column(n, True) for n in names)], rows)
    line()
    line(CHANCE)
    for text in notes(found):
        line(f"note: {text}")


def notes(found: Exposures) -> list[str]:
    """Notes on what the figures do not show."""
    out = []
    if 0 < found.unknown <= 0.5:
        out.append(
            f"{found.unknown:.1%} of the fillings hold a token that the model does not know, a digit that its text has"
            f" not: they come last, which is worth up to {-math.log2(1 - found.unknown):.2f} bits"
        )
    if found.unknown > 0.5:
        out.append(
            f"{found.unknown:.1%} of the fillings hold a token that the model does not know: the vocabulary alone"
            " gives those it knows away. Slots apart from each other ({d} {d}) measure the table"
        )
    few = [r for r in found.repeats if len(found.of_repeat(r)) < 5]
    if few:
        which = ", ".join("never" if r == 0 else f"{r} times" for r in few)
        out.append(f"fewer than 5 canaries put in {which}: a median of so few says little")
    put_in = [e.bits for e in found.each if e.canary.repeat]
    if put_in and max(put_in) < math.log2(max(len(put_in), 2)) + 2:
        out.append(f"none of the {len(put_in)} canaries stands out: were their lines in this model's text?")
    return out
