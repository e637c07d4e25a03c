"""A table's order as a multigraph: every text with this table is a walk that uses each edge `count` times.

Legend: n is an order, k = n - 1; a node is a history; an edge is a row, the history it extends and
the id that follows; S is the node of BOS, where every sequence begins and ends; d(v) is how often
history v was followed.

Nodes are the rows of order k and, for histories that open with BOS and are shorter, those rows of orders
1..k-1. Edges are the rows of order n and the shorter rows that open with BOS. A row that ends
in EOS leads to S. This is the graph of a text padded with k copies of BOS, whose texts are its Eulerian circuits.

Source: van Aardenne-Ehrenfest and de Bruijn 1951 (circuits); Whittle 1955 (counts of followers).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...errors import ModelFileError
from ...model.count_column import DAMAGED, Uncounted
from ...model.table import Table
from ...text.types import BOS, EOS

_CHUNK = 1 << 20


@dataclass
class Graph:
    """One order of a table, with n nodes and e edges; edges stand by their source.

    first   int64 (n + 1,), edges of node v are first[v]..first[v + 1] - 1
    target  (e,), the node an edge leads to; n where the table lacks it. int32 where all numbers of nodes,
            edges and tokens fit, as label, source and tokens are, else int64
    label   (e,), the id that the edge adds
    count   int64 (e,), float64 in weighted tables, ones where the table holds probabilities or counts
             a sequence once
    total   the same dtype (n,), d(v) as the table has it, before any pruning
    tokens  (n,), tokens of the history, BOS not counted
    root    the node S
    blocks  (level, row, node, edge) where each level's nodes and their edges begin
    short   histories that are known to have lost followers, where `counted` is False
    """

    order: int
    first: np.ndarray
    target: np.ndarray
    label: np.ndarray
    count: np.ndarray
    total: np.ndarray
    tokens: np.ndarray
    root: int
    counted: bool = True
    blocks: list[tuple[int, int, int, int]] = field(default_factory=list)
    short: int = 0
    _source: np.ndarray | None = None

    @property
    def n_nodes(self) -> int:
        """Nodes, those that nothing follows included."""
        return len(self.total)

    @property
    def n_edges(self) -> int:
        """Rows, as EVIDENCE counts them: the short ones that open with BOS included."""
        return len(self.label)

    @property
    def source(self) -> np.ndarray:
        """The node each edge leaves: (e,), of the dtype of `target`."""
        if self._source is None:
            self._source = np.repeat(np.arange(self.n_nodes, dtype=self.target.dtype), np.diff(self.first))
        return self._source

    @property
    def whole(self) -> bool:
        """Counts are whole numbers, as a text has them."""
        return self.counted and self.count.dtype.kind == "i"

    @property
    def sequences(self) -> int:
        """How many sequences the text has."""
        return int(self.total[self.root])

    @property
    def words(self) -> np.ndarray:
        """[e]: the edge adds a token, and does not end a sequence."""
        return self.label != EOS


def graph_of(table: Table, order: int) -> Graph:
    """The graph of one order, 2 or more; ModelFileError where rows point outside the table."""
    k = order - 1
    opened = table.opened_by_bos()
    kind = _kind(table, order)
    ranges = [*opened[: k - 1], (0, len(table.orders[k - 1]))]
    first, total, tokens, blocks = [], [], [], []
    node = edge = 0
    counted = not isinstance(table.orders[0].count, Uncounted) and not table.capped
    for level, (low, high) in enumerate(ranges, 1):
        column = table.orders[level - 1].first
        assert column is not None
        begins = column[low : high + 1].astype(np.int64)
        if (np.diff(begins) < 0).any() or int(begins[-1]) > len(table.orders[level]):
            raise ModelFileError(f"order {level}: followers outside the table", DAMAGED)
        blocks.append((level, low, node, edge))
        first.append(begins[:-1] - begins[0] + edge)
        total.append(_totals(table, level, low, high) if counted else np.ones(high - low, np.int64))
        size = np.full(high - low, level, kind)
        a, b = opened[level - 1]
        size[a - low : b - low] -= 1
        tokens.append(size)
        node, edge = node + high - low, edge + int(begins[-1] - begins[0])
    first.append(np.array([edge]))
    root = BOS if k == 1 else 0
    label, count, target = _edges(table, order, ranges, blocks, counted, kind)
    target[label == EOS] = root
    short = sum(_short(table, level, low, high) for level, (low, high) in enumerate(ranges, 1)) if table.capped else 0
    return Graph(
        order, np.concatenate(first), target, label, count, np.concatenate(total), np.concatenate(tokens),
        root, counted, blocks, short,
    )  # fmt: skip


def _short(table: Table, level: int, low: int, high: int) -> int:
    """Histories of a capped table that have lost followers: theirs do not sum to the total that is kept."""
    out = 0
    for a in range(low, high, _CHUNK):
        row = np.arange(a, min(a + _CHUNK, high))
        begin, end = table.followers(level, row)
        count = table.orders[level].count
        out += int(np.count_nonzero(count.sum_before(end) - count.sum_before(begin) != table.total(level, row)))
    return out


def _totals(table: Table, level: int, low: int, high: int) -> np.ndarray:
    parts = [table.total(level, np.arange(a, min(a + _CHUNK, high))) for a in range(low, high, _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _kind(table: Table, order: int) -> type[np.signedinteger]:
    """The dtype of nodes, edges and ids: the smaller, the less a large table takes."""
    rows = sum(len(one) for one in table.orders[:order])
    tokens = rows if isinstance(table.orders[0].count, Uncounted) else table.orders[0].count.total
    return np.int32 if max(rows, tokens) + 2 < 1 << 31 else np.int64


def _edges(
    table: Table,
    order: int,
    ranges: list[tuple[int, int]],
    blocks: list[tuple[int, int, int, int]],
    counted: bool,
    kind: type[np.signedinteger],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, counts and targets of all edges, without what EOS leads to."""
    labels, counts, targets = [], [], []
    n_nodes = blocks[-1][2] + ranges[-1][1]
    for level, (low, high) in enumerate(ranges, 1):
        column = table.orders[level - 1].first
        assert column is not None
        a, b = int(column[low]), int(column[high])
        label = table.tokens(level + 1, np.arange(a, b)) if b > a else np.zeros(0, np.int64)
        labels.append(label.astype(kind))
        counts.append(table.orders[level].count.slice(a, b) if counted else np.ones(b - a, np.int64))
        if level < len(ranges):  # the longer history, which opens with BOS too
            targets.append(np.arange(a, b, dtype=kind) - ranges[level][0] + blocks[level][2])
            continue
        each: np.ndarray = np.diff(column[low : high + 1].astype(np.int64))
        history = np.repeat(np.arange(low, high), each)
        found = _suffixes(table, order, history, a, label)
        targets.append(np.where(found < 0, n_nodes, found + blocks[-1][2]).astype(kind))
    label, target = np.concatenate(labels), np.concatenate(targets)
    if len(label) and (int(label.max()) >= table.n_ids or int(target.max()) > n_nodes or int(label.min()) < 0):
        raise ModelFileError(f"order {order}: an id outside the vocabulary", DAMAGED)
    return label, np.concatenate(counts), target


def _suffixes(table: Table, order: int, history: np.ndarray, low: int, token: np.ndarray) -> np.ndarray:
    """The rows, one order below, of the n-grams low, low+1, ... without their first id; -1 where there is none."""
    if order > 2 and table.orders[order - 1].link is None:
        table.index(order - 2)
    out = np.empty(len(token), np.int64)
    for a in range(0, len(token), _CHUNK):
        b = min(a + _CHUNK, len(token))
        out[a:b] = table.suffix(order, np.arange(low + a, low + b), history[a:b], token[a:b])
    return out


@dataclass(frozen=True)
class Balance:
    """How far a graph is from one that a text could have.

    short, unbalanced  histories whose followers do not sum to their count; those that are reached more or
                       less often than they are left
    apart              histories that no walk from S reaches
    """

    histories: int
    short: int
    unbalanced: int
    apart: int

    @property
    def complete(self) -> bool:
        """Nothing speaks against completeness. That is evidence, not proof."""
        return not (self.short or self.unbalanced or self.apart)


def balance(g: Graph) -> Balance:
    """Judge completeness from the rows alone, not from what the file says of itself.

    A pruned table breaks the balance nearly everywhere. Where the table holds probabilities, it is asked
    only that every history reached is followed by something, and every one that is followed, reached.
    """
    n = g.n_nodes
    followed = np.diff(g.first) > 0
    reached = np.bincount(g.target, minlength=n + 1)
    lost = int(reached[n])
    if not g.counted:
        dead = int(np.count_nonzero(followed != (reached[:n] > 0)))
        return Balance(int(np.count_nonzero(followed)), g.short, dead + lost, 0)
    out = outflow(g)
    into = inflow(g)
    short = int(np.count_nonzero(out != g.total))
    unbalanced = int(np.count_nonzero(into != g.total)) + lost
    apart = 0 if short or unbalanced else int(np.count_nonzero(~_connected(g) & followed))
    return Balance(int(np.count_nonzero(g.total)), short, unbalanced, apart)


def outflow(g: Graph) -> np.ndarray:
    """Sum of the counts of the edges that leave each node: (n,)."""
    running = np.concatenate((np.zeros(1, g.count.dtype), np.cumsum(g.count)))
    return running[g.first[1:]] - running[g.first[:-1]]


def inflow(g: Graph) -> np.ndarray:
    """Sum of the counts of the edges that reach each node: (n,)."""
    # sums below 2**53 are exact in float64
    return np.bincount(g.target, g.count, g.n_nodes + 1)[: g.n_nodes].astype(g.count.dtype)


def _connected(g: Graph) -> np.ndarray:
    """[v]: v hangs together with S. In a balanced graph a walk from S then reaches it: bool (n,)."""
    parent = np.arange(g.n_nodes + 1)
    a, b = g.source, g.target
    while True:
        low, high = np.minimum(parent[a], parent[b]), np.maximum(parent[a], parent[b])
        apart = np.flatnonzero(low != high)
        if not len(apart):
            return parent[: g.n_nodes] == parent[g.root]
        a, b = a[apart], b[apart]
        np.minimum.at(parent, high[apart], low[apart])
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                break
            parent = above
