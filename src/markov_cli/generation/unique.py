"""Unique texts: drops every text that equals an earlier one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

from ..sampling.sampler import select
from .batches import Batch

_EACH, _AT_LEAST = 100, 10_000  # draws for each text asked for, and for few
_ROUND = 1 << 16  # texts asked for at one time, at most


class UniqueTexts:
    """Of texts 0, 1, 2, ... those that differ from all before, until there are enough.

    So text i is kept or dropped whatever the count. 16 bytes are kept of each text; two texts whose hashes
    are the same by chance count as equal, so no two equal ones ever come.

    drawn  texts drawn so far
    """

    def __init__(self, draw: Callable[[int, int], Iterator[Batch]]) -> None:
        """draw(first, n) gives texts first..first+n-1 in order, in batches; some may be missing."""
        self._draw = draw
        self._seen: set[bytes] = set()
        self.drawn = self.kept = 0

    def batches(self, count: int) -> Iterator[Batch]:
        """Batches of them; fewer than `count` where very many draws do not give more."""
        limit = _EACH * count + _AT_LEAST
        ask = count
        while self.kept < count and self.drawn < limit:
            n = min(ask, limit - self.drawn, _ROUND)
            before = self.kept
            for batch in self._draw(self.drawn, n):
                texts = batch.each()
                good = self._new(texts, count)
                if good.all():
                    yield batch
                elif good.any():
                    kept = [texts[k] for k in np.flatnonzero(good).tolist()]
                    edge = np.cumsum([0, *map(len, kept)])
                    yield Batch(select(batch.samples, good), b"".join(kept), edge)
                if self.kept == count:
                    return
            self.drawn += n
            share = max((self.kept - before) / n, 0.01)
            ask = int((count - self.kept) / share) + 16

    def _new(self, texts: list[bytes], count: int) -> np.ndarray:
        """True for texts that did not come before, at most so many that there are `count`: bool (m,)."""
        good = np.zeros(len(texts), bool)
        for k, text in enumerate(texts):
            name = hashlib.blake2b(text, digest_size=16).digest()
            if name not in self._seen:
                self._seen.add(name)
                good[k] = True
                self.kept += 1
                if self.kept == count:
                    break
        return good
