"""The step `rows` on a Dask cluster: the rows of all ranges become columns, with left neighbours and links.

Each range stays with a worker, see range_parts.py. The client knows where the rows of each begin in the table, and
puts the pieces of columns behind each other.

Left neighbours of the rows of order k come from those of order k + 1. Each range divides their suffixes by the ranges
that these lie in, which are intervals of suffix keys; each range adds up what it is sent. The numbers of the rows go
the way back: they are the links.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..arrays.disk_array import Writer
from ..arrays.run_folder import Workspace
from ..counting.range_rows import RangePlace, joined
from ..model.disk_counts import CountColumns, CountWriter
from ..model.disk_rows import RowWriter
from ..model.disk_table import StreamedTable
from ..text.types import EOS
from .exchange import Submit, exchanged
from .options import Progress
from .range_parts import (
    divided_suffixes,
    last_of,
    left_of,
    left_of_types,
    links_of,
    met,
    row_edges,
    row_pieces,
    rows_of,
    suffixes_of,
)


class RangeColumns:
    """Makes the columns of a table from rows that workers hold."""

    def __init__(self, submit: Submit, work: Workspace, progress: Progress, bits: int, borders: bool) -> None:
        """Those of no rows.

        submit   gives the future of a call
        bits     of an id
        borders  False: BOS is no left neighbour
        """
        self._submit, self._work, self._progress = submit, work, progress
        self._bits, self._borders = bits, borders
        self._rows: list[Any] = []
        self._places: list[RangePlace] = []

    def table(self, ranges: list[Any], writer: RowWriter) -> StreamedTable:
        """The table.

        ranges  futures of the `Rows` of each, or of None, in order; used up
        """
        edges = []
        n = len(ranges)
        asked = [self._submit(row_edges, future) for future in ranges]
        for i in range(n):
            found = asked.pop(0).result()
            future = ranges.pop(0)
            if found is not None:
                edges.append(found)
                self._rows.append(future)
            self._progress("merging", i + 1, n)
        self._places = joined(edges, self._bits)
        # all is asked for before anything is waited for, so that workers go on while the client writes
        pieces = [self._submit(row_pieces, *two, writer.layout) for two in self._ranges()]
        order = writer.layout.order
        of_types = [self._submit(left_of_types, *two, self._borders) for two in self._ranges() if order > 1]
        higher = [*self._higher(order)]
        for i in range(len(pieces)):
            one, some = pieces.pop(0).result()
            writer.add_heads(one)
            writer.put(some)
            self._progress("writing rows", i + 1, len(self._rows))
        table = writer.close()
        if order > 1:
            table.orders[0].left = self._left_of_types(of_types, table.n_ids)
        for k in range(2, order):
            self._progress("joining", k - 2, order - 2)
            left, link = higher.pop(0)
            counts = CountWriter(self._work.path(f"left_{k}"))
            for future in left:
                counts.put(future.result())
            table.orders[k - 1].left = counts.close()
            if link:
                links = Writer(self._work.path(f"link_{k + 1}"), np.uint64)
                for future in link:
                    links.append(future.result())
                table.orders[k].link = links.close()
        return table

    def _left_of_types(self, found: list[Any], n_ids: int) -> CountColumns:
        left = np.zeros(n_ids, np.int64)
        for future in found:
            some, n = future.result()
            left[some] += n
        if not self._borders:
            left[EOS] = 0
        writer = CountWriter(self._work.path("left_1"))
        writer.append(left)
        return writer.close()

    def _higher(self, order: int) -> Iterator[tuple[list[Any], list[Any]]]:
        """Futures of the left neighbours of the rows of orders 2.., and of the links of the order above each, which the
        highest has none of; per range."""
        link: list[Any] = []
        for k in range(3, order + 1):
            suffixes, found = self._met(k, link, k < order)
            link = self._links(suffixes, found) if k < order else []
            yield [self._submit(left_of, one) for one in found], link

    def _ranges(self) -> list[tuple[Any, RangePlace]]:
        return [*zip(self._rows, self._places, strict=True)]

    def _met(self, k: int, link: list[Any], wants_links: bool) -> tuple[list[Any], list[Any]]:
        """The suffixes of the rows of order k of each range, and what the ranges that have rows of order k - 1 make
        of them."""
        suffixes = []
        last: Any = None  # link of the last row of order k - 1 so far
        for i, (rows, place) in enumerate(self._ranges()):
            own = link[i] if link else None
            before = last if place.shared >= k - 1 else None
            how = self._bits, wants_links, self._borders
            suffixes.append(self._submit(suffixes_of, rows, place, k, own, before, *how))
            if own is not None and place.size[k - 2]:
                last = self._submit(last_of, own)
        holders = [i for i, place in enumerate(self._places) if place.size[k - 2]]
        cuts = [self._places[i].key[k - 3] for i in holders[1:]]
        parts = [self._submit(divided_suffixes, one, cuts) for one in suffixes]
        sent = exchanged(self._submit, parts, len(holders))
        found = [self._submit(met, some, self._places[i], k - 1) for i, some in zip(holders, sent, strict=True)]
        return suffixes, found

    def _links(self, suffixes: list[Any], found: list[Any]) -> list[Any]:
        """The links of the rows of each range."""
        sent = exchanged(self._submit, [self._submit(rows_of, one) for one in found], len(suffixes))
        return [self._submit(links_of, *two) for two in zip(suffixes, sent, strict=True)]
