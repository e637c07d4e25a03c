"""Endless stream of texts, token by token."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..sampling.random_stream import RandomStream
from ..sampling.walkers import Walker
from ..text.types import EOS


def stream(walker: Walker, seed: int, empty: bool = False) -> Iterator[tuple[int, int, float]]:
    """Tokens of text 0, then of text 1, and so on: number of the text, id, bits; EOS ends each text.

    The texts equal those of `generate` with this seed, without its limit of tokens.

    empty  a text may have no token; else an empty one is drawn again
    """
    numbers = RandomStream(seed)
    index = np.zeros(1, np.int64)
    while True:
        attempt = 0
        t, state = 0, walker.begin(1)
        while True:
            token, bits, state, _ = walker.step(t, state, numbers.raw_of(t, index, attempt))
            if token[0] == EOS and not t and not empty:
                attempt += 1
                state = walker.begin(1)
                continue
            yield int(index[0]), int(token[0]), float(bits[0]) + 0.0
            if token[0] == EOS:
                break
            t += 1
        index = index + 1
