"""De Bruijn graph of one order of a table: every text with this table is an Eulerian circuit of it.

Legend: n is an order, k = n - 1; a node is a history; an edge is a row: a history and the id that follows; S is the
node of BOS, where every sequence begins and ends; d(v) is the count of history v.

Nodes are the rows of order k and, for shorter histories that open with BOS, those rows of orders 1..k-1. Edges are
the rows of order n and the shorter rows that open with BOS. A row that ends in EOS leads to S. This equals the
graph of a text padded with k copies of BOS.

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
_ROWS = 1 << 16  # of histories whose edges are read at a time, so that nothing but the graph takes memory


@dataclass
class Graph:
    """Graph of one order of a table, with n nodes and e edges, sorted by their source.

    first   int64 (n + 1,), edges of node v are first[v]..first[v + 1] - 1
    target  (e,), node that an edge leads to; n where the table lacks it. Like label, source and tokens it is
            int32 where all numbers of nodes, edges and tokens fit, else int64
    label   (e,), id that the edge adds
    count   int64 (e,), float64 in weighted tables, ones where `counted` is False
    total   (n,), dtype of count: d(v) as the table has it, before any pruning
    tokens  (n,), tokens of the history, without BOS
    root    the node S
    counted False for tables of probabilities, and of counts capped by sequence
    blocks  (level, row, node, edge) where each level's nodes and their edges begin
    short   histories that are known to have lost followers, where `counted` is False
    ahead   of a complete graph, once known: each edge's next one where nothing branches, the last one that this leads
            to, and how many edges there are after it; (e,) each
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
    ahead: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    _source: np.ndarray | None = None

    @property
    def n_nodes(self) -> int:
        """Number of nodes, with those without followers."""
        return len(self.total)

    @property
    def n_edges(self) -> int:
        """Number of edges, with the shorter rows that open with BOS."""
        return len(self.label)

    @property
    def source(self) -> np.ndarray:
        """Node that each edge leaves: (e,), dtype of `target`."""
        if self._source is None:
            self._source = np.repeat(np.arange(self.n_nodes, dtype=self.target.dtype), np.diff(self.first))
        return self._source

    @property
    def whole(self) -> bool:
        """Counts are whole numbers, as a text has them."""
        return self.counted and self.count.dtype.kind == "i"

    @property
    def sequences(self) -> int:
        """Number of sequences of the text."""
        return int(self.total[self.root])

    @property
    def words(self) -> np.ndarray:
        """True for edges that add a token, False for those that end a sequence: bool (e,)."""
        return self.label != EOS


def graph_of(table: Table, order: int) -> Graph:
    """Graph of one order, 2 or more; ModelFileError where rows point outside the table."""
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
    """Number of histories of a capped table whose followers do not sum to the stored total."""
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
    """Dtype of nodes, edges and ids: int32 where they fit, to save memory."""
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
    """Labels, counts and targets of all edges; the targets of EOS edges are set later."""
    labels, counts, targets = [], [], []
    n_nodes = blocks[-1][2] + ranges[-1][1]
    for level, (low, high) in enumerate(ranges, 1):
        column = table.orders[level - 1].first
        assert column is not None
        a, b = int(column[low]), int(column[high])
        label = table.tokens(level + 1, np.arange(a, b)) if b > a else np.zeros(0, np.int64)
        labels.append(label.astype(kind))
        counts.append(table.orders[level].count.slice(a, b) if counted else np.ones(b - a, np.int64))
        if level < len(ranges):  # leads to the longer history, which opens with BOS too
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
    """Rows, one order below, of the n-grams low, low+1, ... without their first id; -1 where there is none."""
    if order > 2 and table.orders[order - 1].link is None:
        table.index(order - 2)
    out = np.empty(len(token), np.int64)
    for a in range(0, len(token), _CHUNK):
        b = min(a + _CHUNK, len(token))
        out[a:b] = table.suffix(order, np.arange(low + a, low + b), history[a:b], token[a:b])
    return out


@dataclass(frozen=True)
class Balance:
    """Checks of a graph against the properties of a text's graph: numbers of histories that fail.

    histories   all histories
    short       histories whose followers do not sum to their count
    unbalanced  histories whose incoming edges do not sum to their count
    apart       histories that no walk from S reaches
    """

    histories: int
    short: int
    unbalanced: int
    apart: int

    @property
    def complete(self) -> bool:
        """No history fails a check. This is evidence of completeness, not proof."""
        return not (self.short or self.unbalanced or self.apart)


def balance(g: Graph) -> Balance:
    """Check completeness from the rows alone; the header is not used.

    A pruned table fails nearly everywhere. For a graph without counts the only check is that every history
    reached has followers, and every history with followers is reached.
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


def unreached(table: Table, order: int) -> tuple[list[int], int] | None:
    """The first n-gram, and its count, that no walk from S reaches; None where there is a text with this table.

    The table is balanced, as one text's counts taken from another's are. A balanced graph has an Eulerian circuit
    from S, and so a text, if and only if S reaches every edge.
    """
    k, kind = order - 1, _kind(table, order)
    ranges = [*table.opened_by_bos()[: k - 1], (0, len(table.orders[k - 1]))]
    base = np.cumsum([0, *(high - low for low, high in ranges)]).tolist()  # the first node of each level
    sources, targets = [], []
    if order > 2 and table.orders[order - 1].link is None:
        table.index(order - 2)
    for level, (low, high) in enumerate(ranges, 1):
        for a in range(low, high, _ROWS):
            row = np.arange(a, min(a + _ROWS, high))
            begin, end = table.followers(level, row)
            below = np.arange(int(begin[0]), int(end[-1]))
            history, label = np.repeat(row, end - begin), table.tokens(level + 1, below)
            if level < k:
                node = below - ranges[level][0] + base[level]
            else:
                node = table.suffix(order, below, history, label) + base[level - 1]
            node[label == EOS] = BOS if k == 1 else 0
            sources.append((history - low + base[level - 1]).astype(kind))
            targets.append(node.astype(kind))
    source, target = np.concatenate(sources), np.concatenate(targets)
    del sources, targets
    apart = np.flatnonzero(~_joined(source, target, base[-1], BOS if k == 1 else 0)[source])
    if not len(apart):
        return None
    first = int(source[apart[0]])
    level = int(np.searchsorted(base, first, "right"))
    begin, _ = table.followers(level, np.array([first - base[level - 1] + ranges[level - 1][0]]))
    return table.ngram(level + 1, int(begin[0])), int(table.orders[level].count.at(begin)[0])


def outflow(g: Graph) -> np.ndarray:
    """Sum of the counts of the edges that leave each node: (n,)."""
    running = np.concatenate((np.zeros(1, g.count.dtype), np.cumsum(g.count)))
    return running[g.first[1:]] - running[g.first[:-1]]


def inflow(g: Graph) -> np.ndarray:
    """Sum of the counts of the edges that reach each node: (n,)."""
    # sums below 2**53 are exact in float64
    return np.bincount(g.target, g.count, g.n_nodes + 1)[: g.n_nodes].astype(g.count.dtype)


def _connected(g: Graph) -> np.ndarray:
    """True for nodes connected with S, which a walk from S reaches in a balanced graph: bool (n,).

    In a balanced graph as many edges leave a set of nodes as enter it, so the nodes connected with S are those that
    reach it. Most do by their first edges alone; the other edges are followed only from the rest.
    """
    kind = g.target.dtype
    n = g.n_nodes
    to = np.append(np.arange(n, dtype=kind), kind.type(n))  # the first edge's target, for nodes that have one
    some = np.flatnonzero(np.diff(g.first) > 0)
    to[some] = g.target[g.first[some]]
    to[g.root] = g.root
    for _ in range(n.bit_length()):
        further = to[to]
        if np.array_equal(further, to):
            break
        to = further
    there = to == g.root
    rest = np.flatnonzero(~there[g.source])
    return _joined(g.source[rest], g.target[rest], n, g.root, there)


def _joined(a: np.ndarray, b: np.ndarray, n: int, root: int, there: np.ndarray | None = None) -> np.ndarray:
    """True for nodes that edges join to a root, in whatever direction: bool (n,).

    a, b   (e,), both ends of each edge, up to n, which is no node
    there  bool (n + 1,), nodes that are known to be joined to it
    """
    parent = np.arange(n + 1, dtype=a.dtype)
    if there is not None:
        parent[there] = root
    while True:
        low, high = np.minimum(parent[a], parent[b]), np.maximum(parent[a], parent[b])
        apart = np.flatnonzero(low != high)
        if not len(apart):
            return parent[:n] == parent[root]
        a, b = a[apart], b[apart]
        np.minimum.at(parent, high[apart], low[apart])
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                break
            parent = above
