"""The rows of one order of n-grams.

Legend: a row of order k is a distinct k-gram; rows are in trie order (sorted by their ids), so the rows that extend
one row are adjacent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Level:
    """All rows of one order.

    token     uint32 (r,)  the last id of each n-gram
    count     int64 (r,)   its count
    children  int64 (r,)   number of rows of the next order that extend it; None at the top
    left      int (r,)     number of distinct left neighbours, of any integer type; None at the top
    link      uint (r,)    row, one order below, of the n-gram without its first id;
                           None for orders 1, 2 and the top
    """

    token: np.ndarray
    count: np.ndarray
    children: np.ndarray | None = None
    left: np.ndarray | None = None
    link: np.ndarray | None = None


def smallest_id(n: int) -> type[np.unsignedinteger]:
    """The smaller of uint32 and uint64 that numbers n rows."""
    return np.uint32 if n < 1 << 32 else np.uint64
