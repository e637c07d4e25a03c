"""A model's words that begin with what was typed."""

from __future__ import annotations

import numpy as np

from .types import N_MARKERS
from .vocabulary import Lexicon

_CHUNK = 1 << 16  # types looked at together; the commonest come first


def beginning_with(lexicon: Lexicon, prefix: str, most: int) -> list[str]:
    """The commonest types that begin with a prefix and can be shown and typed, each once.

    Ids stand by falling count, so the search ends as soon as there are enough.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["the ship then saw the shore"])
    >>> beginning_with(model.lexicon, "th", 5), beginning_with(model.lexicon, "s", 2)
    (['the', 'then'], ['saw', 'ship'])
    """
    return first_of(lexicon, prefix, range(N_MARKERS, len(lexicon)), most)


def first_of(lexicon: Lexicon, prefix: str, ids: range | np.ndarray, most: int) -> list[str]:
    """The same of some ids, in their order."""
    wanted = np.frombuffer(prefix.encode("utf-8", "surrogateescape"), np.uint8)
    found: dict[str, None] = {}
    for begin in range(0, len(ids), _CHUNK):
        for i in _beginning(lexicon, wanted, np.asarray(ids[begin : begin + _CHUNK])).tolist():
            text = lexicon.bytes_of(i).decode("utf-8", "surrogateescape")
            if safe(text):
                found[text] = None
            if len(found) == most:
                return list(found)
    return list(found)


def _beginning(lexicon: Lexicon, wanted: np.ndarray, some: np.ndarray) -> np.ndarray:
    """Those of some ids whose first bytes are `wanted`."""
    if len(wanted) and len(lexicon.blob):  # nearly all differ in the first byte: look at no more of them
        first = lexicon.offsets[some]
        some = some[lexicon.blob[np.minimum(first, len(lexicon.blob) - 1)] == wanted[0]]
    start, length = lexicon.spans(some)
    same = np.flatnonzero(length >= len(wanted))
    for i, byte in enumerate(wanted):
        same = same[lexicon.blob[start[same] + i] == byte]
    return some[same]


def safe(text: str) -> bool:
    """Whether a word can go to a terminal and be typed: letters, digits and marks, no white space, no control."""
    return bool(text) and text.isprintable() and not any(c.isspace() for c in text)
