"""Counts the forced steps of generated texts: those whose history has only one follower.

Legend: a step draws one token, or the end; its history is the longest that the table knows.
"""

from __future__ import annotations

import numpy as np

from ...model.table import Table
from ...sampling.sampler import Samples


def forced_steps(table: Table, history: list[int], drawn: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Number of forced steps, and of all steps, of each text: int64 (m,) each.

    history  ids of the known history before each text

    Temperature, top-k and top-p can force more steps; these are not counted.
    """
    h, m = len(history), len(drawn.length)
    size = drawn.length + h
    begin = np.cumsum(size) - size
    ids = np.empty(int(size.sum()), np.int64)
    depth = np.arange(len(ids)) - np.repeat(begin, size)
    ids[depth >= h] = drawn.ids
    ids[depth < h] = np.tile(np.array(history, np.int64), m)
    followers = np.zeros(len(ids), np.int64)  # of the longest history that ends at each place
    place, node = np.arange(len(ids)), ids
    for level in range(1, table.order):
        low, high = table.followers(level, node)
        n = high - table.drawable(level, low)
        some = n > 0
        followers[place[some]] = n[some]
        inside = (place + 1 < len(ids)) & (depth[np.minimum(place + 1, len(ids) - 1)] >= level)
        place, node = place[inside] + 1, node[inside]
        if level == table.order - 1 or not len(place):
            break
        child = table.child(level, node, ids[place])
        known = child >= 0
        place, node = place[known], child[known]
    text = np.repeat(np.arange(m), size)
    last = depth == np.repeat(size, size) - 1
    drew = (depth >= h - 1) & ~(last & ~np.repeat(drawn.complete, size))  # a step was drawn after this place
    forced = np.bincount(text, drew & (followers == 1), minlength=m).astype(np.int64)
    return forced, drawn.length + drawn.complete
