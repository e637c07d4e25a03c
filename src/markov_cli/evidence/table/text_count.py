"""Counts the texts with exactly this table: log2 of their number is the information that the table has forgotten.

Legend: N is the number of ordered lists of sequences with this table; each has D sequences and W tokens; d(v) and
c(e) as in ngram_graph.py; k tokens of history.

    log2 N = sum over v of log2(d(v)! / product of c(e)!) + log2 det(I - P)          (2)

with P the transition probabilities between histories, without S. The determinant is at most 1, so the
first term is an upper bound. For k = 0, N = (W + D)! / product of c! * D / (W + D): the last token is EOS.

Source: Whittle 1955, formula 2.8; the BEST theorem (van Aardenne-Ehrenfest and de Bruijn 1951).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...model.table import Table
from ...text.types import BOS, EOS
from .ngram_graph import Graph
from .spanning_trees import log2_trees

_TABLE = 1 << 16
_LN2 = float(np.log(2.0))
_LN_FACTORIAL = np.concatenate((np.zeros(1), np.cumsum(np.log(np.arange(1, _TABLE, dtype=np.float64)))))


@dataclass(frozen=True)
class Forgotten:
    """Bits forgotten: log2 N.

    bits   log2 N, exact or estimated
    how    `exact` or `estimate`
    error_bits  standard error of an estimate; 0 where exact
    bound_bits  upper bound on log2 N: the multinomial term
    core   nodes of the graph after contraction
    """

    bits: float
    how: str
    error_bits: float
    bound_bits: float
    core: int = 0


@dataclass(frozen=True)
class Division:
    """Bits forgotten, divided into those of the order of the sequences and those of their content.

    order_bits  log2(D! / product of m!), at most the bits forgotten
    content_bits_per_token  the rest, for each of the W tokens
    retained    share kept of the information in the order of the tokens; None where the counts of single tokens are
                not those of a text

    m is the number of copies of each distinct sequence. Where only copies that the table proves are known, the first
    figure is an upper bound, the second a lower, the third an upper.
    """

    order_bits: float
    content_bits_per_token: float
    retained: float | None


def divided(bits: float, zero: Forgotten | None, equal: np.ndarray, tokens: float, sequences: int) -> Division:
    """Divide the bits forgotten by one order.

    zero   bits forgotten by order 1
    equal  int64, number m of copies of each sequence that is known to occur more than once

    retained = 1 - (log2 N - o) / (log2 N1 - o), where N1 is N of order 1 and o the bits of the order of sequences.
    """
    of_order = order_bits(sequences, equal)
    content = max(bits - of_order, 0.0)
    retained: float | None = None
    if zero is not None:
        everything = zero.bits - of_order
        retained = 1.0 - min(content / everything, 1.0) if everything > 0 else 1.0
    return Division(min(of_order, bits), content / max(tokens, 1), retained)


def ln_factorial(n: np.ndarray) -> np.ndarray:
    """ln n!: float64 of the shape of n.

    Exact up to 65,535 from a table; above, Stirling's series, whose first omitted term is below 1e-17.
    """
    out = _LN_FACTORIAL[np.minimum(n, _TABLE - 1)]
    big = n >= _TABLE
    if big.any():
        x = n[big].astype(np.float64)
        out[big] = x * np.log(x) - x + 0.5 * np.log(2.0 * np.pi * x) + 1.0 / (12.0 * x) - 1.0 / (360.0 * x**3)
    return out


def multinomial_bits(g: Graph) -> float:
    """First term of (2), in bits."""
    repeated = g.count[g.count > 1]
    branching = g.total[g.total > 1]
    return float(ln_factorial(branching).sum() - ln_factorial(repeated).sum()) / _LN2


def forgotten(g: Graph) -> Forgotten:
    """log2 N of a complete graph of order 2 or more."""
    bound = multinomial_bits(g)
    trees = log2_trees(g.source, g.target, g.count, g.total, g.root)
    how = "estimate" if trees.error_bits else "exact"
    bits = max(bound + trees.bits, 0.0)
    return Forgotten(bits, how, trees.error_bits, bound, trees.core)


def forgotten_without_history(table: Table) -> Forgotten:
    """log2 N of order 1: arrangements of all tokens and ends."""
    count = table.orders[0].count.slice(0, table.n_ids).copy()
    count[BOS] = 0
    everything = count.sum()
    bits = float(ln_factorial(np.array([everything]))[0] - ln_factorial(count).sum()) / _LN2
    return Forgotten(max(bits + float(np.log2(count[EOS] / everything)), 0.0), "exact", 0.0, bits)


def order_bits(sequences: int, equal: np.ndarray) -> float:
    """Bits of the order of the sequences: log2(D! / product of m!).

    equal  int64, number m of copies of each sequence that is known to occur more than once
    """
    d = np.array([sequences])
    return float(ln_factorial(d)[0] - ln_factorial(equal).sum()) / _LN2


def table_tokens(table: Table) -> int:
    """W, the number of tokens of the text, without ends."""
    count = table.orders[0].count
    ends = count.at(np.array([BOS, EOS])).sum()
    return int(count.total - ends)
