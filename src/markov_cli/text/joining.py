"""Joins generated tokens to texts: a prompt in front, a space where two tokens are apart."""

from __future__ import annotations

import numpy as np

from .types import BOS, N_MARKERS
from .vocabulary import Vocabulary


def join_texts(
    vocabulary: Vocabulary,
    ids: np.ndarray,
    length: np.ndarray,
    head: bytes = b"",
    last: int = BOS,
    end: bytes = b"",
) -> tuple[bytes, np.ndarray]:
    """Texts as bytes, one behind another, and where each begins: int64 (m + 1,).

    ids     int64 (sum of length,), the tokens of all texts
    length  int64 (m,)
    head    each text begins with it: the prompt
    last    the id of the prompt's last token; BOS without a prompt
    end     is put behind each text

    ModelFileError if an id is no type.
    """
    vocabulary.check(ids, N_MARKERS)
    if last == BOS:
        return vocabulary.join(ids, length, end)
    whole, edges = vocabulary.join(ids, length)
    spaced = np.zeros(len(length), bool)
    if vocabulary.spaced:
        head = _trimmed(vocabulary, head, last)
        right = int(vocabulary.flags_of(np.array([last]))[0]) >> 1 & 1
        filled = np.flatnonzero(length)
        first = ids[(np.cumsum(length) - length)[filled]]
        spaced[filled] = ((vocabulary.flags_of(first) & 1) | right) == 0
    texts = [
        head + b" " * s + whole[a:b] + end
        for s, a, b in zip(spaced.tolist(), edges.tolist(), edges[1:].tolist(), strict=False)
    ]
    return b"".join(texts), np.cumsum([0, *map(len, texts)])


def _trimmed(vocabulary: Vocabulary, head: bytes, last: int) -> bytes:
    """A prompt without the white space at its end, unless that is its last token."""
    return head if last != BOS and vocabulary.bytes_of(last).isspace() else head.rstrip()


class Joiner:
    """Writes tokens one by one, as `join_texts` writes them together."""

    def __init__(self, vocabulary: Vocabulary, head: bytes = b"", last: int = BOS) -> None:
        self.vocabulary = vocabulary
        self.head = _trimmed(vocabulary, head, last) if vocabulary.spaced else head
        self._first = self._before = last

    def begin(self) -> bytes:
        """Start a text: the bytes before its first token."""
        self._before = self._first
        return self.head

    def piece(self, i: int) -> bytes:
        """One token, with the space before it if there is one."""
        vocabulary = self.vocabulary
        left, right = (int(x) for x in vocabulary.flags_of(np.array([i, self._before])))
        touches = self._before == BOS or not vocabulary.spaced or (left & 1) | (right >> 1 & 1)
        self._before = i
        return (b"" if touches else b" ") + vocabulary.bytes_of(i)
