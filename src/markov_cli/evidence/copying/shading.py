"""Divides a traced text into stretches of one shade, for display.

Legend: a shade is 0 to SHADES; a stretch is a run of bytes of one shade in one fragment, or in none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...arrays.sorting import starts_new
from .fragments import RUNS, Trace

SHADES = len(RUNS)


class Stretch(NamedTuple):
    """Bytes of the text with one shade.

    text      the bytes
    shade     number of lengths in RUNS that the shared string around it reaches
    fragment  index of its fragment, -1 if it is in no listed one
    opens     the fragment begins here
    """

    text: bytes
    shade: int
    fragment: int
    opens: bool


def stretches(trace: Trace, least: int, most: int | None = None) -> Iterator[tuple[str, list[Stretch]]]:
    """Name and stretches of each source of a text.

    least  tokens of the shortest listed fragment
    most   tokens after which the text is cut; None for all
    """
    text, found = trace.text, trace.fragments
    n = len(text) if most is None else min(len(text), most)
    shade = np.searchsorted(np.array(RUNS), trace.run[:n], "right")
    inside = np.full(n + 1, -1, np.int64)
    listed = np.flatnonzero(found.found.length >= least)
    listed = listed[found.begin[listed] < n]
    begin, end = found.begin[listed], np.minimum(found.begin[listed] + found.found.length[listed], n)
    inside[begin] = listed
    free = end[inside[end] < 0]
    inside[free] = -2  # here a fragment ends and none begins
    set_at = np.flatnonzero(inside != -1)
    last = np.searchsorted(set_at, np.arange(n), "right") - 1
    of = np.where(last >= 0, inside[set_at[np.maximum(last, 0)]], -2) if len(set_at) else np.full(n, -2)
    new = starts_new(shade, of, text.file[:n])
    first = np.flatnonzero(new).tolist()
    stops = [*first[1:], n] if first else []
    stop_at = text.start[:n] + text.length[:n]
    name = -1
    held: list[Stretch] = []
    at = 0
    for a, b in zip(first, stops, strict=True):
        if text.file[a] != name:
            if held:
                yield text.names[name], held
            name, held = int(text.file[a]), []
            at = int(text.bounds[name])
        here, there = int(text.start[a]), int(stop_at[b - 1])
        if here > at:
            held.append(Stretch(text.data[at:here], 0, -1, False))
        k = int(of[a])
        held.append(Stretch(text.data[here:there], int(shade[a]), max(k, -1), k >= 0 and int(found.begin[k]) == a))
        at = there
    if held:
        yield text.names[name], held
