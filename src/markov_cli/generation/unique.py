"""Texts of which no two are alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

from ..sampling.sampler import Samples, select

Batch = tuple[Samples, bytes, np.ndarray]
_EACH, _AT_LEAST = 100, 10_000  # draws for each text asked for, and for few
_ROUND = 1 << 16  # texts asked for at one time, at most


class UniqueTexts:
    """Of texts 0, 1, 2, ... those that are like none before, until there are enough.

    So text i is kept or not whatever the count. What was seen is remembered in 16 bytes a text; two texts whose
    hashes are the same by chance count as alike, so that no two alike ever come.

    drawn  texts drawn so far
    """

    def __init__(self, draw: Callable[[int, int], Iterator[Batch]]) -> None:
        """draw(first, n) gives texts first..first+n-1 in order, in batches; some may be missing."""
        self._draw = draw
        self._seen: set[bytes] = set()
        self.drawn = self.kept = 0

    def texts(self, count: int) -> Iterator[Batch]:
        """Batches of them; fewer than `count` where very many draws do not give more."""
        limit = _EACH * count + _AT_LEAST
        ask = count
        while self.kept < count and self.drawn < limit:
            n = min(ask, limit - self.drawn, _ROUND)
            before = self.kept
            for drawn, whole, edge in self._draw(self.drawn, n):
                good = self._new(whole, edge.tolist(), count)
                if good.any():
                    yield _kept(drawn, whole, edge, good)
                if self.kept == count:
                    return
            self.drawn += n
            share = max((self.kept - before) / n, 0.01)
            ask = int((count - self.kept) / share) + 16

    def _new(self, whole: bytes, edges: list[int], count: int) -> np.ndarray:
        good = np.zeros(len(edges) - 1, bool)
        for k in range(len(good)):
            name = hashlib.blake2b(whole[edges[k] : edges[k + 1]], digest_size=16).digest()
            if name not in self._seen:
                self._seen.add(name)
                good[k] = True
                self.kept += 1
                if self.kept == count:
                    break
        return good


def _kept(drawn: Samples, whole: bytes, edge: np.ndarray, good: np.ndarray) -> Batch:
    if good.all():
        return drawn, whole, edge
    edges = edge.tolist()
    parts = [whole[edges[k] : edges[k + 1]] for k in np.flatnonzero(good).tolist()]
    return select(drawn, good), b"".join(parts), np.cumsum([0, *map(len, parts)])
