"""Figures by order: a line for each figure, a column for each order, as many side by side as the window holds."""

from __future__ import annotations

from collections.abc import Sequence

from .tables import Column, console, line, show

_BETWEEN = 3  # columns stand so far apart


def show_orders(names: Sequence[str], orders: Sequence[int], cells: Sequence[Sequence[str]]) -> None:
    """Print figures.

    names  of the figures
    cells  [i][j]: figure j of order i, as text
    """
    label = max(map(len, names))
    width = console().width
    begin = 0
    while begin < len(orders):
        end, used = begin, label
        while end < len(orders):
            wide = max(len(str(orders[end])), *map(len, cells[end])) + _BETWEEN
            if end > begin and used + wide > width:
                break
            used += wide
            end += 1
        if begin:
            line()
        head = [Column("order"), *(Column(str(n), True) for n in orders[begin:end])]
        show(head, [[name, *(cells[i][j] for i in range(begin, end))] for j, name in enumerate(names)])
        begin = end
