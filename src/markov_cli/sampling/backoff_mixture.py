"""Graphs of a mixture's models over one table: the rows of all models.

Legend: a union row is an n-gram that at least one model has, in union ids; K models. The history of a model after a
text is the longest end of the text that it knows, which is an end of the longest one that the union knows. So each
model's p(w | h) is a backoff distribution over the union rows, too: where it has no row h w, p is back(h) p(w | h'),
and where it does not know h, back is 1.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import distinct_values
from ..model.count_column import Uncounted
from ..model.table import Order, Table
from ..text.types import BOS, UNK
from .backoff_graph import BackoffGraph, Level


def raw_graph(table: Table) -> BackoffGraph:
    """Graph of raw counts: a history without a row that may be drawn leaves all to the next shorter one."""
    levels: list[Level] = []
    for k in range(table.order):
        n = len(table.orders[k])
        if k and not n:
            break
        first = np.array([0, n]) if not k else np.asarray(table.orders[k - 1].first).astype(np.int64)
        every = np.arange(len(first) - 1)
        size, rows = np.diff(first), np.arange(n)
        token = table.tokens(k + 1, rows)
        count = table.orders[k].count.at(rows).astype(np.float64)
        count[(token == UNK) | (token == BOS)] = 0.0
        total = np.zeros(len(size))
        filled = np.flatnonzero(size)
        total[filled] = np.add.reduceat(count, first[filled])
        p = count / np.repeat(np.where(total > 0, total, 1.0), size)
        levels.append(_level(table, levels, k, first, table.shorter(k, every), (total <= 0) * float(k > 0), token, p))
    return BackoffGraph(table, _closed(levels))


def _level(
    table: Table,
    levels: list[Level],
    k: int,
    first: np.ndarray,
    shorter: np.ndarray,
    back: np.ndarray,
    token: np.ndarray,
    p: np.ndarray,
    seen: np.ndarray | None = None,
) -> Level:
    """A level from p of its rows; where `seen` is False, p is back(h) p(w | h')."""
    n, base = len(token), np.cumsum([0, *(len(level.back) for level in levels), len(back)])
    low, lost = np.zeros(n, np.int64), np.zeros(n)
    if k:
        history = np.repeat(np.arange(len(back)), np.diff(first))
        suffix = table.suffix(k + 1, np.arange(n), history, token)
        if (suffix < 0).any():
            raise IndexError("an n-gram whose end is not in the table")
        low, lost = base[k] + suffix, back[history] * levels[k - 1].p[suffix]
    if seen is not None:
        p = np.where(seen, p, lost)
    return Level(first, shorter, back, token.astype(np.int32), base[k + 1] + np.arange(n), bool(k), p, low, lost)


def _closed(levels: list[Level]) -> list[Level]:
    """Levels whose highest leads to the histories below it."""
    top = levels[-1]
    own = np.maximum(top.p - top.lost, 0.0)
    levels[-1] = Level(top.first, top.shorter, top.back, top.token, top.low, False, own, top.low[:0], top.lost[:0])
    return levels


Chain = list[tuple[np.ndarray, np.ndarray]]  # per order from 2 on: history's row and last id of each row


def union_graphs(graphs: list[BackoffGraph], union: list[np.ndarray], n_ids: int) -> list[BackoffGraph]:
    """Graph of each model over the rows of all, in union ids; IndexError where a table lacks an end of an n-gram.

    graphs  of the models, with p of every row: `apart` at all levels above the first
    union   int64 (V,) for each, union ids of its ids
    """
    chains = [_chain(graph, ids) for graph, ids in zip(graphs, union, strict=True)]
    table, rows = _union(chains, union, n_ids)
    return [_over(table, graph, mapped) for graph, mapped in zip(graphs, rows, strict=True)]


def without_runs(graph: BackoffGraph, stream: np.ndarray, longest: int) -> BackoffGraph:
    """Graph of a model in which no text copies `longest` tokens of a stream; its histories are also the stream's runs.

    stream  int64 (N,), ids; UNK where the model does not know a token

    A text's history is its longest end that is one of the model's or a run of fewer than `longest` tokens of the
    stream. After a run of longest - 1 tokens, those that would complete a longer one have the weight 0.
    """
    n_ids = graph.table.n_ids
    every = np.arange(n_ids)
    runs: Chain = []
    at, rank = np.flatnonzero(stream != UNK), stream.astype(np.int64)
    for k in range(1, longest):
        at = at[at + k < len(stream)]
        at = at[stream[at + k] != UNK]
        key = rank[at] * n_ids + stream[at + k]
        rows, which = np.unique(key, return_inverse=True)
        rank = np.zeros(len(stream), np.int64)
        rank[at] = which
        runs.append((rows // n_ids, rows % n_ids))
    table, (mapped, copied) = _union([_chain(graph, every), runs], [every, every], n_ids)
    out = _over(table, graph, mapped, closed=False)
    top = out.levels[-1]
    top.p[copied[-1]] = 0.0
    top.node = top.low
    out.lossless = False
    return out


def _chain(graph: BackoffGraph, ids: np.ndarray) -> Chain:
    """Rows of a model, in union ids."""
    return [(np.repeat(np.arange(len(at.back)), np.diff(at.first)), ids[at.token]) for at in graph.levels[1:]]


def _union(chains: list[Chain], ids: list[np.ndarray], n_ids: int) -> tuple[Table, list[list[np.ndarray]]]:
    """Table of all rows, and per chain and order the union row of each of its rows; `ids` are those of order 1."""
    rows = [[own] for own in ids]
    orders = [Order(Uncounted(n_ids))]
    for k in range(1, max(map(len, chains)) + 1):
        keys = []
        for chain, mapped in zip(chains, rows, strict=True):
            key = np.empty(0, np.int64)
            if k <= len(chain):
                history, token = chain[k - 1]
                key = mapped[k - 1][history] * n_ids + token
            keys.append(key)
        every = distinct_values(np.concatenate(keys))
        for mapped, key in zip(rows, keys, strict=True):
            mapped.append(np.searchsorted(every, key))
        history, token = np.divmod(every, n_ids)
        orders[-1].first = np.searchsorted(history, np.arange(len(orders[-1]) + 1))
        orders.append(Order(Uncounted(len(every)), token))
        if k > 1:
            table = Table(orders)
            orders[-1].link = table.child(k - 1, table.shorter(k, history), token)
    return Table(orders), rows


def _over(table: Table, graph: BackoffGraph, mapped: list[np.ndarray], closed: bool = True) -> BackoffGraph:
    """Graph of one model over the union rows."""
    levels: list[Level] = []
    for k, order in enumerate(table.orders):
        n = len(order)
        n_histories = len(table.orders[k - 1]) if k else 1
        back, p, seen = np.full(n_histories, float(k > 0)), np.zeros(n), np.zeros(n, bool)
        first = np.array([0, n])
        if k:
            stored = table.orders[k - 1].first
            assert stored is not None
            first = stored
        if k < len(graph.levels):
            own = graph.levels[k]
            p[mapped[k]], seen[mapped[k]] = own.p, True
            if k:
                back[mapped[k - 1]] = own.back
        token, every = table.tokens(k + 1, np.arange(n)), np.arange(n_histories)
        if not k:
            p[[UNK, BOS]] = 0.0
        levels.append(_level(table, levels, k, first, table.shorter(k, every), back, token, p, seen if k else None))
    return BackoffGraph(table, _closed(levels) if closed else levels)
