"""Divides a traced text into stretches of one shade, for display.

Legend: a shade is 0 to SHADES, and NAMES says what it is; a stretch is a run of bytes of one shade in one fragment, or
in none.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...arrays.sorting import starts_new
from ...text.passages import Passages
from .fragments import RUNS, Trace

SHADES = len(RUNS)
NAMES = (f"fewer than {RUNS[0]}", *(f"{a} to {b - 1} tokens" for a, b in pairwise(RUNS)), f"{RUNS[-1]} or more tokens")


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
    yield from divided(text, shade, of, found.begin)


def by_length(text: Passages, length: np.ndarray) -> Iterator[tuple[str, list[Stretch]]]:
    """Name and stretches of each text: the first tokens, by the length of the string that each is part of.

    length  int64 (n,), for the first n tokens
    """
    shade = np.searchsorted(np.array(RUNS), length, "right")
    return divided(text, shade, np.full(len(length), -2), np.empty(0, np.int64))


def divided(
    text: Passages, shade: np.ndarray, of: np.ndarray, begin: np.ndarray
) -> Iterator[tuple[str, list[Stretch]]]:
    """Name and stretches of each text: of a file, or of a record in it.

    shade  int64 (n,), of the first n tokens
    of     int64 (n,), the fragment of each, below 0 for none
    begin  first token of each fragment
    """
    n = len(shade)
    which = np.searchsorted(text.texts, np.arange(n), "right")
    first = np.flatnonzero(starts_new(shade, of, text.file[:n], which)).tolist()
    stops = [*first[1:], n] if first else []
    stop_at = text.start[:n] + text.length[:n]
    name = number = -1
    held: list[Stretch] = []
    at = 0
    for a, b in zip(first, stops, strict=True):
        here, there = int(text.start[a]), int(stop_at[b - 1])
        if text.file[a] != name or which[a] != number:
            if held:
                yield text.names[name], held
            at = int(text.bounds[text.file[a]]) if text.file[a] != name else here
            name, number, held = int(text.file[a]), int(which[a]), []
        if here > at:
            held.append(Stretch(text.data[at:here], 0, -1, False))
        k = int(of[a])
        held.append(Stretch(text.data[here:there], int(shade[a]), max(k, -1), k >= 0 and int(begin[k]) == a))
        at = there
    if held:
        yield text.names[name], held
