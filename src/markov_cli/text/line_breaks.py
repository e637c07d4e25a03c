"""Line breaks as tokens (`--keep-newlines`), and the white space that a line begins with.

Legend: a is a block's bytes; a gap is a run of white space, [begin, end).

Each newline in a gap inside a sequence is a token; CR and white space before it are not. What stands between the last
newline of a gap and the next token, the indentation, is one token, too. These tokens touch both neighbours, so a text
comes back in its lines. Newlines at the edges of a sequence are in no sequence.
"""

from __future__ import annotations

import numpy as np

from .segmentation import Breaks
from .tokenizer import LEFT, RIGHT, Gaps, Spans, gaps_of

BOTH = LEFT | RIGHT
_NOT_IN_INDENTATION = "\0\r\v\f"


def with_newlines(spans: Spans, a: np.ndarray, m: int, gaps: Gaps, breaks: Breaks, dropped: np.ndarray) -> Spans:
    """The tokens of a block, with its newlines and indentations among them.

    dropped  numbers of gaps that lie at an edge of a sequence, besides those of `breaks`
    """
    newline = np.flatnonzero(a[:m] == 10)
    gap = np.searchsorted(gaps.begin, newline, "right") - 1
    kept = np.ones(len(gaps.begin), bool)
    kept[dropped] = False
    wide = breaks.begin[breaks.end > breaks.begin]
    kept[np.searchsorted(gaps.begin, wide, "right") - 1] = False
    newline, gap = (column[kept[gap]] for column in (newline, gap))
    if not len(newline):
        return spans
    last = np.append(gap[1:] != gap[:-1], True)
    begin, end = newline[last] + 1, gaps.end[gap[last]]
    bad = np.flatnonzero(np.isin(a[:m], [ord(c) for c in _NOT_IN_INDENTATION]))
    indented = (end > begin) & (np.searchsorted(bad, begin) == np.searchsorted(bad, end))
    begin, end = begin[indented], end[indented]
    start = np.concatenate((spans.start, newline, begin))
    length = np.concatenate((spans.length, np.ones(len(newline), np.int64), end - begin))
    flags = np.zeros(len(spans.start), np.uint8) if spans.flags is None else spans.flags
    flags = np.concatenate((flags, np.full(len(newline) + len(begin), BOTH, np.uint8)))
    order = np.argsort(start, kind="stable")
    return Spans(start[order], length[order], flags[order])


def edge_gaps(gaps: Gaps, m: int, first: bool, last: bool, seams: np.ndarray) -> np.ndarray:
    """Numbers of the gaps at the edges of texts: int64.

    first, last  a text begins, or ends, with the block
    seams        newlines between texts
    """
    found = [np.searchsorted(gaps.begin, seams, "right") - 1]
    if len(gaps.begin) and first and gaps.begin[0] == 0:
        found.append(np.zeros(1, np.int64))
    if len(gaps.end) and last and gaps.end[-1] == m:
        found.append(np.full(1, len(gaps.end) - 1))
    return np.concatenate(found)


def between_matches(
    a: np.ndarray, start: np.ndarray, length: np.ndarray, begin: np.ndarray, end: np.ndarray, open_ends: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The newlines and indentations between matches of a pattern: starts and lengths, int64.

    a              uint8 (m + 8,), valid UTF-8
    start, length  of the matches
    begin, end     of the sequences
    open_ends      what stands before the first match of a sequence, or behind the last, is between matches, too
    """
    m = len(a) - 8
    newline = np.flatnonzero(a[:m] == 10)
    if not len(newline):
        return newline, newline
    before = np.searchsorted(start, newline, "right") - 1  # the match in front of it
    here = np.searchsorted(begin, newline, "right") - 1  # its sequence
    first, stop = np.append(-1, start + length)[before + 1], np.append(start, m)[before + 1]
    free = (first <= newline) & (newline < end[here])
    low, high = begin[here], end[here]
    if not open_ends:
        free &= (first > low) & (stop < high)
    stop = np.minimum(stop, high)[free]
    newline, before = newline[free], before[free]
    last = np.append((before[1:] != before[:-1]) | (here[free][1:] != here[free][:-1]), True)[: len(newline)]
    at, stop = newline[last] + 1, stop[last]
    gaps = gaps_of(a, m, bool((a >= 0x80).any()))
    white = gaps.end[np.searchsorted(gaps.begin, at - 1, "right") - 1] >= stop
    bad = np.flatnonzero(np.isin(a[:m], [ord(c) for c in _NOT_IN_INDENTATION]))
    indented = white & (stop > at) & (np.searchsorted(bad, at) == np.searchsorted(bad, stop))
    at, stop = at[indented], stop[indented]
    return np.concatenate((newline, at)), np.concatenate((np.ones(len(newline), np.int64), stop - at))
