"""Statistics of a table: figures of each order, the commonest n-grams, sequence lengths, rank and frequency.

Legend: k is an order; h a history of k-1 tokens, c(h w) a count, c(h) how often h was
followed. Everything is read in slices, so a table larger than memory can be inspected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import distinct_values
from ..model import distribution
from ..model.count_column import Counts
from ..model.table import Table
from ..text.types import BOS, EOS, N_MARKERS, UNK

_SLICE = 1 << 20


@dataclass(frozen=True)
class OrderFigures:
    """One order of a table.

    ngrams            rows, markers' rows included
    singletons        of them seen once
    histories         of k-1 tokens that are followed by something
    mean_followers    n-grams per history
    single_follower   share of histories with exactly one
    entropy_bits      per token, the ends included, of the text under this order's own raw
                      counts: sum over tokens of log2(c(h) / c(h w)), divided by their number;
                      tokens near a sequence's beginning take the shorter history that opens it

    Where a table holds probabilities, singletons and entropy_bits are not known: None. Where it counts an n-gram
    once a sequence, singletons are those of one sequence, and entropy_bits None.
    """

    order: int
    ngrams: int
    singletons: int | None
    histories: int
    mean_followers: float
    single_follower: float
    entropy_bits: float | None


def _slices(n: int) -> Iterator[tuple[int, int]]:
    for low in range(0, n, _SLICE):
        yield low, min(low + _SLICE, n)


def _n_log_n(values: np.ndarray) -> float:
    """Sum of c * log2 c."""
    c = values[(values > 0) & (values != 1)].astype(np.float64)
    return float(np.sum(c * np.log2(c)))


def _sum_n_log_n(counts: Counts, low: int, high: int) -> float:
    return sum(_n_log_n(counts.slice(low + a, low + b)) for a, b in _slices(high - low))


def counted(table: Table) -> bool:
    """True for a table of counts, False for one of probabilities."""
    return table.orders[0].log10 is None


def order_figures(table: Table) -> list[OrderFigures]:
    """Figures of every order."""
    if not counted(table):
        return _figures_without_counts(table)
    opened = table.opened_by_bos()
    types = table.orders[0].count
    everything = types.total - types.at(np.array([BOS]))[0]
    known = not table.capped  # else an order's counts are no share of another's
    out = []
    short_bits = 0.0  # of tokens whose whole history is shorter and opens with BOS
    for k, order in enumerate(table.orders, 1):
        if k > 1 and not len(order) and not len(table.orders[k - 2]):
            break  # no sequence is long enough for this order, nor for the one before
        singles = sum(int(np.count_nonzero(order.count.small[a:b] == 1)) for a, b in _slices(len(order)))
        if k == 1:
            bits = _n_log_n(np.array([everything])) - _sum_n_log_n(order.count, 0, len(order))
            bits += _sum_n_log_n(order.count, BOS, BOS + 1)
            seen = sum(int(np.count_nonzero(order.count.small[a:b])) for a, b in _slices(len(order))) - 1
            singles -= int(order.count.at(np.array([BOS]))[0] == 1)
            out.append(
                OrderFigures(
                    1,
                    len(order),
                    singles,
                    1,
                    float(seen),
                    float(seen == 1),
                    float(bits / everything) if known else None,
                )
            )
            continue
        histories, single, bits = _histories(table, k - 1, 0, len(table.orders[k - 2]))
        bits -= _sum_n_log_n(order.count, 0, len(order))
        if k > 2:  # the rows of order k-1 that open with BOS have no row of order k above them
            low, high = opened[k - 2]
            above = opened[k - 3]
            short_bits += _histories(table, k - 2, *above)[2] - _sum_n_log_n(table.orders[k - 2].count, low, high)
        out.append(
            OrderFigures(
                k,
                len(order),
                singles,
                histories,
                len(order) / max(histories, 1),
                single / max(histories, 1),
                float((bits + short_bits) / everything) if known else None,
            )
        )
    return out


def _figures_without_counts(table: Table) -> list[OrderFigures]:
    log10 = table.orders[0].log10
    assert log10 is not None
    likely = int(np.count_nonzero(np.delete(log10, BOS) > -99))  # -99 is how a file writes a probability of 0
    out = [OrderFigures(1, len(log10), None, 1, float(likely), float(likely == 1), None)]
    for k, order in enumerate(table.orders[1:], 2):
        if not len(order) and not len(table.orders[k - 2]):
            break
        first = table.orders[k - 2].first
        assert first is not None
        histories = single = 0
        for a, b in _slices(len(first) - 1):
            n = np.diff(first[a : b + 1].astype(np.int64))
            histories += int(np.count_nonzero(n))
            single += int(np.count_nonzero(n == 1))
        each = max(histories, 1)
        out.append(OrderFigures(k, len(order), None, histories, len(order) / each, single / each, None))
    return out


def likeliest(table: Table, top: int) -> list[tuple[int, float]]:
    """Ids of the largest unigram probabilities of a table that holds probabilities, and these; no markers."""
    log10 = table.orders[0].log10
    assert log10 is not None
    best = np.argsort(-log10[N_MARKERS:], kind="stable")[:top] + N_MARKERS
    return [*zip(best.tolist(), (10.0 ** log10[best].astype(np.float64)).tolist(), strict=True)]


def _histories(table: Table, level: int, low: int, high: int) -> tuple[int, int, float]:
    """Figures of rows [low, high) of order `level`: histories, those with one follower, sum of c(h) log2 c(h)."""
    below = table.orders[level].count
    first = table.orders[level - 1].first
    assert first is not None
    histories = single = 0
    bits = 0.0
    for a, b in _slices(high - low):
        edge = first[low + a : low + b + 1].astype(np.int64)
        n = np.diff(edge)
        histories += int(np.count_nonzero(n))
        single += int(np.count_nonzero(n == 1))
        if table.pruned:
            sums = np.diff(below.sum_before(edge))
        else:
            rows = np.arange(low + a, low + b)
            sums = table.total(level, rows)
        bits += _n_log_n(sums)
    return histories, single, bits


def commonest(table: Table, order: int, top: int) -> list[tuple[int, float]]:
    """Rows of an order with the highest counts, and the counts; markers alone are left out."""
    if not counted(table):
        return []
    counts = table.orders[order - 1].count
    low = N_MARKERS if order == 1 else 0
    big = counts.big_row.astype(np.int64)
    big = big[big >= low]
    if len(big) >= top:
        values = counts.at(big)
        best = np.lexsort((big, -values))[:top]
        return [(int(big[i]), int(values[i])) for i in best]
    rows, values = np.empty(0, np.int64), counts.slice(0, 0)
    for a, b in _slices(len(counts) - low):
        here = counts.slice(low + a, low + b)
        some = np.argsort(-here, kind="stable")[:top]
        rows, values = np.concatenate((rows, some + low + a)), np.concatenate((values, here[some]))
        best = np.lexsort((rows, -values))[:top]
        rows, values = rows[best], values[best]
    return [*zip(rows.tolist(), values.tolist(), strict=True)]


def lengths(table: Table) -> list[tuple[int, float]]:
    """Exact numbers of sequences of 1, 2, ... tokens, up to order - 2: (tokens, sequences)."""
    if not counted(table):
        return []
    out = []
    for k, (low, high) in enumerate(table.opened_by_bos(), 1):
        if k < 3:
            continue
        token = table.orders[k - 1].token
        assert token is not None
        ends = np.flatnonzero(token[low:high] == EOS) + low
        out.append((k - 2, table.orders[k - 1].count.at(ends).sum().item()))
    return out


def ends(table: Table) -> float:
    """The number of sequences that end: the count of EOS."""
    return table.orders[0].count.at(np.array([EOS]))[0].item()


def marker_notes(table: Table) -> list[str]:
    """Notes on `</s>` and `<unk>` where they have no probability."""
    return [*distribution.marker_notes(table), *distribution.marker_notes(table, UNK)]


def rank_frequency(table: Table, points: int) -> list[tuple[float, float]]:
    """log10 of rank and of count, at ranks spaced evenly in the logarithm."""
    n = len(table.orders[0]) - N_MARKERS
    if n < 2 or not counted(table):
        return []
    rank = distinct_values(np.geomspace(1, n, points).astype(np.int64))
    count = table.orders[0].count.at(rank - 1 + N_MARKERS)
    return [*zip(np.log10(rank).tolist(), np.log10(np.maximum(count, 1)).tolist(), strict=True)]


def follower_histogram(table: Table) -> list[tuple[str, int]]:
    """The number of the longest histories with 1, 2, 3-4, 5-8, ... followers."""
    if table.order < 2:
        return []
    first = table.orders[-2].first
    assert first is not None
    bins = np.zeros(64, np.int64)
    for a, b in _slices(len(first) - 1):
        n = np.diff(first[a : b + 1].astype(np.int64))
        n = n[n > 0]
        bins += np.bincount(np.ceil(np.log2(n)).astype(np.int64), minlength=64)[:64]
    last = int(np.flatnonzero(bins)[-1]) if bins.any() else 0
    names = ["1", "2", *(f"{2 ** (i - 1) + 1:,}-{2**i:,}" for i in range(2, last + 1))]
    return [*zip(names[: last + 1], bins[: last + 1].tolist(), strict=True)]
