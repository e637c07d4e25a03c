"""Membership of sequences in the training text, from the table alone: proven in, proven out, or undecided.

Legend as in forced_strings.py. Out: the table is complete and lacks an n-gram of the sequence. In: the walk from S
to S has g > 0. Otherwise undecided, with the expected number of occurrences in a random text with this table, in
the Markov approximation c(e_1) * product of c(e_i+1) / d(v_i).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import TextError
from ...model.table import Table
from ...text.encoder import TextOptions
from ...text.marker_stream import Streams, behind
from ...text.model_ids import Recoder
from ...text.reading import Source
from ...text.types import BOS
from ...text.vocabulary import Vocabulary
from .ngram_graph import Graph

OUT, UNDECIDED, IN = -1, 0, 1
NAMES = {OUT: "out", UNDECIDED: "undecided", IN: "in"}


@dataclass
class Members:
    """Verdicts on s sequences.

    verdict   int64 (s,), OUT, UNDECIDED or IN
    least     int64 (s,), occurrences in every text with this table, 0 where unknown
    expected  float64 (s,), estimated occurrences in a random text with this table; NaN where unknown
    begin, end  int64 (s,), its ids are ids[begin:end]
    """

    verdict: np.ndarray
    least: np.ndarray
    expected: np.ndarray
    ids: np.ndarray
    begin: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.verdict)


def read_ids(
    vocabulary: Vocabulary, options: TextOptions, sources: Sequence[Source], encoding: str = "utf-8"
) -> np.ndarray:
    """Read a text into memory as a model's ids, each sequence between BOS and EOS: int64.

    TextError where the text has no token.
    """
    recoder = Recoder([vocabulary], options)
    streams = Streams(1, options.unit).of(recoder.pieces(sources, encoding))
    parts = [recoder.ids(0, stream.codes).astype(np.int64) for stream in streams]
    if not parts:
        raise TextError(f"{', '.join(s.name for s in sources[:3])}: no token", "give a text that is not empty")
    return np.concatenate(parts)


def edges_of(table: Table, g: Graph, ids: np.ndarray) -> np.ndarray:
    """Edge of every id of a text, -1 for BOS and for n-grams that the table lacks: int64 (n,)."""
    n = len(ids)
    place = behind(ids)
    row = ids.copy()
    edge = np.full(n, -1, np.int64)
    starts = [(level, first_row, begin) for level, first_row, _, begin in g.blocks]
    for level, first_row, begin in starts:
        table.index(level)
        longer = np.full(n, -1, np.int64)
        some = np.flatnonzero((place >= level) & (np.append(-1, row[:-1]) >= 0))
        longer[some] = table.child(level, row[some - 1], ids[some])
        top = level == g.order - 1
        here = np.flatnonzero((longer >= 0) & ((place == level) | top))
        column = table.orders[level - 1].first
        assert column is not None
        edge[here] = longer[here] - int(column[first_row]) + begin
        row = longer
    return edge


def members(table: Table, g: Graph, complete: bool, ids: np.ndarray) -> Members:
    """Verdict on every sequence of a text; `ids` as from `read_ids`."""
    begin = np.flatnonzero(ids == BOS)
    edge = edges_of(table, g, ids)
    body = np.flatnonzero(ids != BOS)
    start = begin - np.arange(len(begin))  # in `body`
    e = edge[body]
    known = e >= 0
    safe = np.where(known, e, 0)
    c, d = g.count[safe], g.total[g.source[safe]]
    first = np.zeros(len(body), bool)
    first[start] = True
    missing = np.add.reduceat(~known, start, dtype=np.int64) > 0
    lost = np.add.reduceat(np.where(first, 0, d - c), start)
    least = np.where(missing, 0, np.maximum(c[start] - lost, 0))
    logs = np.where(first, 0.0, np.log(c) - np.log(d))
    expected = c[start] * np.exp(np.add.reduceat(logs, start))
    expected[missing] = 0.0 if complete else np.nan
    verdict = np.where(missing, OUT if complete else UNDECIDED, np.where(least > 0, IN, UNDECIDED))
    end = np.append(begin[1:], len(ids)) - 1
    return Members(verdict, least, expected, ids, begin + 1, end)
