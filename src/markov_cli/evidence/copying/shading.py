"""A traced text in stretches of one shade, to be shown.

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
    """Some bytes of the text.

    text      as they stand there
    shade     0 for none, then one more for each of RUNS that the string over it reaches
    fragment  which of the trace's fragments it lies in, -1 for none that is listed
    opens     the fragment begins here
    """

    text: bytes
    shade: int
    fragment: int
    opens: bool


def stretches(trace: Trace, least: int, most: int | None = None) -> Iterator[tuple[str, list[Stretch]]]:
    """The stretches of each source of a text, by its name.

    least  tokens of the shortest fragment that is told
    most   tokens after which a text is cut
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
