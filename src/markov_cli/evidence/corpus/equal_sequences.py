"""Counts the equal sequences of a text: how often each distinct one occurs.

Legend as in corpus_rows.py; m is the number of copies of a distinct sequence.

Sequences are grouped by a hash, and the members of a group are then compared id by id, so the counts are exact. The
hash is the sum of one 64-bit hash of each id and its place: unlike a polynomial hash, it has no short texts that
always collide (Thue-Morse words).
"""

from __future__ import annotations

import numpy as np

from ...arrays.sorting import ragged, starts_new
from ...sampling.random_stream import rehash
from ...text.run_hashes import mix
from .corpus_rows import Corpus

_CHUNK = 1 << 19  # ids at one time, to stay in the cache
_U = np.uint64


def equal_sequences(c: Corpus) -> np.ndarray:
    """Number m of copies of each distinct sequence that occurs more than once: int64.

    Source: the product of m! in formula (2) of text_count.py; exact, because the text is at hand.
    """
    size = c.size
    key = _hashes(c)
    order = np.argsort(key, kind="stable")
    new = starts_new(key[order])
    if _all_equal(c, size, order, new):
        m = np.diff(np.append(np.flatnonzero(new), len(order)))
    else:
        _, m = np.unique(_numbers(c), return_counts=True)
    return m[m > 1]


def _hashes(c: Corpus) -> np.ndarray:
    """Hash of each sequence: uint64 (D,)."""
    out = np.zeros(c.sequences, np.uint64)
    for a in range(0, len(c.ids), _CHUNK):
        b = min(a + _CHUNK, len(c.ids))
        raw = rehash(c.place[a:b].astype(np.uint64), 1)
        raw ^= c.ids[a:b].astype(np.uint64)
        low = int(np.searchsorted(c.begin, a, "right")) - 1  # the sequence that goes on here
        high = int(np.searchsorted(c.begin, b))
        cut = np.maximum(c.begin[low:high] - a, 0)
        out[low:high] += np.add.reduceat(mix(raw), cut, dtype=np.uint64)
    return out


def _all_equal(c: Corpus, size: np.ndarray, order: np.ndarray, new: np.ndarray) -> bool:
    """True if every sequence has the ids of the one before it in its group."""
    later = np.flatnonzero(~new)
    length = size[order[later]] + 1
    if not np.array_equal(length, size[order[later - 1]] + 1):
        return False
    one, other = c.begin[order[later - 1]], c.begin[order[later]]
    end = np.cumsum(length)
    a = 0
    while a < len(later):  # about _CHUNK ids at a time
        b = max(int(np.searchsorted(end, (end[a - 1] if a else 0) + _CHUNK, "right")), a + 1)
        if not np.array_equal(c.ids[ragged(one[a:b], length[a:b])], c.ids[ragged(other[a:b], length[a:b])]):
            return False
        a = b
    return True


def _numbers(c: Corpus) -> np.ndarray:
    """Number of each sequence, equal ones equally, without hashes; only where two of them collide: int64 (D,)."""
    end = np.append(c.begin[1:], len(c.ids))
    known: dict[bytes, int] = {}
    each = (c.ids[a:b].tobytes() for a, b in zip(c.begin.tolist(), end.tolist(), strict=True))
    return np.array([known.setdefault(one, len(known)) for one in each], np.int64)
