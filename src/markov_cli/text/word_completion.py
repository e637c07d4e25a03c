"""Completes words: the commonest types of a model with a given beginning."""

from __future__ import annotations

import numpy as np

from .types import N_MARKERS
from .vocabulary import Vocabulary

_CHUNK = 1 << 16  # types looked at together; the commonest come first


def beginning_with(vocabulary: Vocabulary, prefix: str, most: int) -> list[str]:
    """The commonest types that begin with a prefix and can be shown and typed, each once.

    Ids stand by falling count, so the search ends as soon as there are enough.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["the ship then saw the shore"])
    >>> beginning_with(model.vocabulary, "th", 5), beginning_with(model.vocabulary, "s", 2)
    (['the', 'then'], ['saw', 'ship'])
    """
    return first_of(vocabulary, prefix, range(N_MARKERS, len(vocabulary)), most)


def first_of(vocabulary: Vocabulary, prefix: str, ids: range | np.ndarray, most: int) -> list[str]:
    """The first of some ids, in their order, whose types begin with a prefix."""
    wanted = np.frombuffer(prefix.encode("utf-8", "surrogateescape"), np.uint8)
    found: dict[str, None] = {}
    for begin in range(0, len(ids), _CHUNK):
        for i in _beginning(vocabulary, wanted, np.asarray(ids[begin : begin + _CHUNK])).tolist():
            text = vocabulary.bytes_of(i).decode("utf-8", "surrogateescape")
            if safe(text):
                found[text] = None
            if len(found) == most:
                return list(found)
    return list(found)


def _beginning(vocabulary: Vocabulary, wanted: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Those of some ids whose first bytes are `wanted`."""
    if len(wanted) and len(vocabulary.blob):  # nearly all differ in the first byte: look at no more of them
        first = vocabulary.offsets[some]
        some = some[vocabulary.blob[np.minimum(first, len(vocabulary.blob) - 1)] == wanted[0]]
    start, length = vocabulary.spans(some)
    same = np.flatnonzero(length >= len(wanted))
    for i, byte in enumerate(wanted):
        same = same[vocabulary.blob[start[same] + i] == byte]
    return some[same]


def safe(text: str) -> bool:
    """True for a word that a terminal can show and a person type: no white space, no control characters."""
    return bool(text) and text.isprintable() and not any(c.isspace() for c in text)
