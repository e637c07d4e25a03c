"""Sorts keys, finds distinct values and lists ranges of indices, each by whole-array operations.

Legend: a key is a uint64; m keys.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

_U = np.uint64
KEY_BITS = 64


def ragged(start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Indices start[0], start[0]+1, ..., then those of the next range: int64 (sum of length,)."""
    end = np.cumsum(length)
    total = int(end[-1]) if len(end) else 0
    return np.arange(total) + np.repeat(start - (end - length), length)


def in_parts(size: np.ndarray, most: int, room: int) -> list[slice]:
    """Slices of neighbouring rows: at most `most` rows with about `room` in all, or a larger row and some more.

    size  int64 (n,)

    >>> in_parts(np.array([1, 1, 1, 1, 50, 1]), 3, 10)
    [slice(0, 3, None), slice(3, 4, None), slice(4, 6, None)]
    """
    end = np.cumsum(size)
    full = np.searchsorted(end, np.arange(room, int(end[-1]), room)) if len(end) else end
    edges = distinct_values(np.concatenate((np.arange(0, len(size), most), full, [len(size)]))).tolist()
    return [slice(i, j) for i, j in pairwise(edges)]


def distinct_values(values: np.ndarray) -> np.ndarray:
    """The distinct values of an array, rising; np.unique first loads a part of NumPy that nothing else needs."""
    ordered = np.sort(values, axis=None)
    return ordered[starts_new(ordered)]


def starts_new(*columns: np.ndarray) -> np.ndarray:
    """True where a row of these sorted columns differs from the row before: bool (n,)."""
    new = np.zeros(len(columns[0]), bool)
    new[:1] = True
    for c in columns:
        new[1:] |= c[1:] != c[:-1]
    return new


def run_edges(key: np.ndarray) -> np.ndarray:
    """True where a run of equal sorted keys begins, and behind the last: bool (m + 1,).

    >>> np.flatnonzero(run_edges(np.array([4, 4, 7]))).tolist()
    [0, 2, 3]
    """
    edge = np.ones(len(key) + 1, bool)
    np.not_equal(key[1:], key[:-1], out=edge[1 : len(key)])
    return edge


def sort_keys(key: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted keys, and the place that each one had: uint64 (m,), int64 (m,); the sort is stable.

    bits  every key is below 2**bits

    A sort of uint64 is vectorised and an argsort is not: where there is room each key's place rides
    in its low bits, which is some ten times faster.
    """
    own_bits = max(len(key) - 1, 0).bit_length()
    if bits + own_bits > 64:
        order = np.argsort(key, kind="stable")
        return key[order], order
    key = key << _U(own_bits)
    key |= np.arange(len(key), dtype=_U)
    key.sort()
    order = (key & _U((1 << own_bits) - 1)).view(np.int64)
    key >>= _U(own_bits)
    return key, order


def distinct(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values of integers from 0 up, rising, and the index of each value there: int64 (u,), int64 (m,)."""
    if not len(values):
        return values.astype(np.int64), np.zeros(0, np.int64)
    key, order = sort_keys(values.astype(_U), int(values.max()).bit_length())
    new = starts_new(key)
    which = np.empty(len(key), np.int64)
    which[order] = np.cumsum(new) - 1
    return key[new].view(np.int64), which


def sort_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The stable permutation that sorts pairs of integers from 0 up: int64."""
    bits = int(second.max(initial=0)).bit_length()
    first_bits = int(first.max(initial=0)).bit_length()
    if bits + first_bits + len(first).bit_length() <= KEY_BITS:
        return sort_keys(first.astype(_U) << _U(bits) | second.astype(_U), bits + first_bits)[1]
    by = sort_keys(second.astype(_U), bits)[1]
    return by[sort_keys(first[by].astype(_U), first_bits)[1]]
