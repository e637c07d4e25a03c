"""Lists the certain strings of a table: strings that occur in every text with this table.

Legend as in forced_strings.py. For a complete table they are read from one text with this table, which contains
them all; otherwise from the rows, which give only the forced ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays.sorting import ragged
from ...model.table import Table
from ...text.types import EOS
from .forced_strings import Forced, Sweep, distinct
from .ngram_graph import Graph
from .random_text import fill

_BLOCK = 1 << 18  # indices of a circuit at one time, to stay in the cache


@dataclass
class Strings:
    """Certain strings, longest first; s of them.

    For a string that opens or closes a sequence, `count` counts the sequences that it opens or closes; it may
    occur elsewhere too.

    ids     int64, ids of all strings, joined, without markers
    size    int64 (s,), tokens of each
    count   int64 (s,), occurrences in every text: exact, or a lower bound
    exact   bool (s,)
    opens, closes  bool (s,), the string is known to open, to close a sequence
    """

    ids: np.ndarray
    size: np.ndarray
    count: np.ndarray
    exact: np.ndarray
    opens: np.ndarray
    closes: np.ndarray

    def __len__(self) -> int:
        return len(self.size)


def swept(g: Graph, f: Forced, s: Sweep, least: int) -> Strings:
    """Longest certain strings of `least` tokens or more, without repeats, by both rules."""
    begin = np.flatnonzero(np.concatenate(([True], s.end[1:] > s.end[:-1])))
    end = s.end[begin]
    closes = s.ends(end)
    before = np.minimum(s.place[begin], g.order - 1)
    size = before + (end - begin + 1) - closes
    some = np.flatnonzero(size >= least)
    some = some[distinct(s.edge, begin[some], end[some])]
    begin, end, closes, before, size = begin[some], end[some], closes[some], before[some], size[some]
    count = s.count[begin] - (s.lost[end] - s.lost[begin])
    exact = _forced_from(f, s)[begin] == end
    order = np.lexsort((begin, -count, -size))
    begin, before, size, closes = begin[order], before[order], size[order], closes[order]
    ids = g.label[s.edge[ragged(begin - before, size)]]
    return Strings(ids, size, count[order], exact[order], before < g.order - 1, closes)


def _forced_from(f: Forced, s: Sweep) -> np.ndarray:
    """Last index of the longest forced string that begins at each index of a circuit, -1 without one: int64 (N,)."""
    n = len(s.edge)
    out = np.full(n, -1, np.int64)
    for a in range(0, n, _BLOCK):
        edge = s.edge[a : a + _BLOCK]
        at = np.arange(a, a + len(edge))
        np.maximum.at(out, at - f.behind[edge], at + f.ahead[edge])
    return out


def by_rule_one(table: Table, g: Graph, f: Forced, least: int) -> Strings:
    """Forced strings of `least` tokens or more, without repeats, of a table of any kind.

    Where counts are not whole, each string has count 1, a lower bound.
    """
    edge = np.flatnonzero(f.words >= least)
    if len(edge):
        edge = edge[np.lexsort((edge, f.last[edge], f.opening[edge]))]
        new = (f.opening[edge][1:] != f.opening[edge][:-1]) | (f.last[edge][1:] != f.last[edge][:-1])
        edge = edge[np.concatenate(([True], new))]
    size = f.behind[edge] + 1 + f.ahead[edge]
    walk = np.empty(int(size.sum()), np.int64)
    begin = np.cumsum(size) - size
    walk[ragged(begin, f.behind[edge] + 1)[::-1]] = fill(edge[::-1], 1 + f.behind, f.back)
    walk[ragged(begin + f.behind[edge], f.ahead[edge] + 1)] = fill(edge, 1 + f.ahead, f.onward)
    widest = np.zeros(g.n_edges, np.int64)  # tokens of the longest string with each edge
    np.maximum.at(widest, walk, np.repeat(f.words[edge], size))
    keep = np.flatnonzero(widest[edge] == f.words[edge])
    count = g.count[edge[keep]] if g.whole else np.ones(len(keep), np.int64)
    order = keep[np.lexsort((edge[keep], -count, -f.words[edge[keep]]))]
    walk = walk[ragged(begin[order], size[order])]
    edge, size = edge[order], size[order]
    closes = g.label[f.last[edge]] == EOS
    history = g.source[f.opening[edge]]
    before = g.tokens[history]
    whole = before + size - closes
    ids = np.empty(int(whole.sum()), np.int64)
    start = np.cumsum(whole) - whole
    ids[ragged(start, before)] = _histories(table, g, history)
    own = np.cumsum(size) - size
    ids[ragged(start + before, size - closes)] = g.label[walk[ragged(own, size - closes)]]
    count = g.count[edge] if g.whole else np.ones(len(edge), np.int64)
    return Strings(ids, whole, count, np.full(len(edge), g.whole), _opens(g, history), closes)


def _levels(g: Graph, node: np.ndarray) -> np.ndarray:
    """Index of the graph's block that each node is in."""
    return np.searchsorted([block[2] for block in g.blocks], node, "right") - 1


def _opens(g: Graph, node: np.ndarray) -> np.ndarray:
    """True for histories that begin with BOS, and so have fewer tokens: bool (m,)."""
    return g.tokens[node] < g.order - 1


def _histories(table: Table, g: Graph, node: np.ndarray) -> np.ndarray:
    """Tokens of histories, joined, without BOS."""
    size = g.tokens[node]
    start = np.cumsum(size) - size
    out = np.empty(int(size.sum()), np.int64)
    which = _levels(g, node)
    for i, (level, row, begin, _) in enumerate(g.blocks):
        here = np.flatnonzero(which == i)
        if not len(here):
            continue
        ids = table.ngrams(level, node[here] - begin + row)
        opens = level - size[here]
        at = start[here][:, None] + np.arange(level) - opens[:, None]
        inside = np.arange(level) >= opens[:, None]
        out[at[inside]] = ids[inside]
    return out
