"""One text behind another without end, token by token."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..api.results import PromptMatch
from ..sampling.random_stream import RandomStream
from ..sampling.walkers import Walker
from ..text.types import BOS, EOS
from ..text.vocabulary import Vocabulary

MAX_TOKENS = 1000  # of `generate`, whose texts these are


def stream(walker: Walker, seed: int, empty: bool = False) -> Iterator[tuple[int, int, float]]:
    """The tokens of text 0, then of text 1, and so on: text, id, bits; EOS ends each.

    They are the texts that the seed has in `generate`, which cuts them at MAX_TOKENS.

    empty  a text may end at once; else such a one is drawn anew
    """
    numbers = RandomStream(seed)
    index = 0
    while True:
        attempt = 0
        t, state = 0, walker.begin(1)
        while True:
            raw = numbers.raw(attempt * (MAX_TOKENS + 1) + t, index, 1)
            token, bits, state, _ = walker.step(t, state, raw)
            if token[0] == EOS and not t and not empty:
                attempt += 1
                state = walker.begin(1)
                continue
            yield index, int(token[0]), float(bits[0]) + 0.0
            if token[0] == EOS:
                break
            t += 1
        index += 1


class Joiner:
    """Writes tokens one by one as `Vocabulary.join` writes them together."""

    def __init__(self, vocabulary: Vocabulary, known: PromptMatch, prompt: str) -> None:
        """What each text begins with."""
        self.vocabulary = vocabulary
        head = prompt.encode("utf-8", "surrogateescape") if known.tokens else b""
        self.head = head.rstrip() if vocabulary.spaced else head
        self._first = known.ids[-1] if known.tokens else BOS
        self._before = self._first

    def begin(self) -> bytes:
        """What stands before a text's first token."""
        self._before = self._first
        return self.head

    def piece(self, i: int) -> bytes:
        """One token, with the space before it where there is one."""
        vocabulary = self.vocabulary
        left, right = (int(x) for x in vocabulary.flags_of(np.array([i, self._before])))
        touches = self._before == BOS or not vocabulary.spaced or (left & 1) | (right >> 1 & 1)
        self._before = i
        return (b"" if touches else b" ") + vocabulary.bytes_of(i)
