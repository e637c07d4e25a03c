"""Work on the rows of one range, as a worker of a cluster does it; see counting/range_rows.py.

The rows stay with the worker. It puts them in the form that they have on disk, and finds their left neighbours and
links with what other ranges send.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import distinct
from ..counting.external_sort import Rows
from ..counting.range_rows import RangeEdges, RangePlace, RangeSuffixes, met_suffixes, own_levels
from ..model.disk_counts import CountPiece
from ..model.disk_rows import Level, RowLayout, RowPiece
from .exchange import every


def row_edges(rows: Rows | None) -> RangeEdges | None:
    """Figures of the rows by which they are joined; None for an empty range."""
    return None if rows is None else RangeEdges.of(rows)


def row_pieces(rows: Rows, place: RangePlace, layout: RowLayout) -> tuple[Level, list[RowPiece]]:
    """The rows that belong to the range: of order 1, and of higher ones as they are on disk."""
    one, *levels = own_levels(rows, place)
    return one, layout.pieces(levels, place.at[1:], place.followers[1:])


def left_of_types(rows: Rows, place: RangePlace, borders: bool) -> tuple[np.ndarray, np.ndarray]:
    """Ids that end bigrams of the range, and how many each: int64 (u,) twice; without those that open with BOS where
    borders are not counted."""
    token = rows.levels[1][0][place.inside(2)]
    if not borders:
        low, opened = place.opened_here(2)
        token = np.delete(token, slice(low, low + opened))
    some, which = distinct(token)
    return some, np.bincount(which, minlength=len(some))


def suffixes_of(
    rows: Rows,
    place: RangePlace,
    k: int,
    link: np.ndarray | None,
    before: np.ndarray | None,
    bits: int,
    links: bool,
    borders: bool,
) -> RangeSuffixes:
    """The distinct suffixes of the rows of order k.

    link    those of order k - 1 that belong to the range, None for order 2
    before  link of the last row of order k - 1 that belongs to an earlier range, (1,); None where the range has none
            of it
    bits, links, borders  see `RangeSuffixes.of`
    """
    suffix = rows.levels[1][0] if link is None else link if before is None else np.concatenate((before, link))
    return RangeSuffixes.of(rows, place, k, suffix, bits, links, borders)


def divided_suffixes(suffixes: RangeSuffixes, cuts: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The suffixes by the ranges that they lie in, for these."""
    return suffixes.divided(cuts)


def met(
    parts: list[list[tuple[np.ndarray, np.ndarray]]], place: RangePlace, k: int
) -> tuple[CountPiece, list[np.ndarray]]:
    """The left neighbours of the rows of order k of the range, as they are on disk, and the rows for each range.

    parts  the suffixes that lie in the range, as `exchanged` gives them
    """
    left, rows = met_suffixes(every(parts), place, k)
    return CountPiece.of(left, place.at[k - 1]), rows


def left_of(found: tuple[CountPiece, list[np.ndarray]]) -> CountPiece:
    """The left neighbours alone, for the client."""
    return found[0]


def rows_of(found: tuple[CountPiece, list[np.ndarray]]) -> list[np.ndarray]:
    """The rows that go back to each range."""
    return found[1]


def links_of(suffixes: RangeSuffixes, rows: list[list[np.ndarray]]) -> np.ndarray:
    """The links of the range's rows: uint64.

    rows  those of the suffixes, as `exchanged` gives them
    """
    assert suffixes.number is not None
    return np.concatenate([np.empty(0, np.uint64), *every(rows)])[suffixes.number]


def last_of(links: np.ndarray) -> np.ndarray:
    """The last link, for the range behind: (1,)."""
    return links[-1:].copy()
