"""Unique texts: drops every text that equals an earlier one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

from ..sampling.sampler import select
from .batches import Batch

_EACH, _AT_LEAST = 100, 10_000  # limit of draws: 100 for each requested text, and 10,000
_ROUND = 1 << 16  # most texts requested at one time


class UniqueTexts:
    """Drops each of texts 0, 1, 2, ... that equals an earlier one, until there are enough.

    The count does not change which texts are kept. Each text costs 16 bytes of memory, its hash; two texts with
    equal hashes count as equal, so no text is ever repeated.

    drawn  texts drawn so far
    kept   distinct texts so far
    """

    def __init__(self, draw: Callable[[int, int], Iterator[Batch]]) -> None:
        """Filter the texts of draw(first, n), which yields texts first..first+n-1 in batches; some may be missing."""
        self._draw = draw
        self._seen: set[bytes] = set()
        self.drawn = self.kept = 0

    def batches(self, count: int) -> Iterator[Batch]:
        """Batches of distinct texts; fewer than `count` texts where the limit of draws is reached."""
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
        """True for texts that are new, until `count` are kept: bool (m,)."""
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
