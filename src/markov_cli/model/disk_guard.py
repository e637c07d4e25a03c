"""Makes a guard on disk, for more runs than fit in memory; the arrays are those of `Guard.of`.

Legend as in fingerprints.py; a key is the whole hash of a run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays.disk_array import BLOCK, Buckets, Column, Writer
from ..arrays.sorting import starts_new
from .count_column import smallest
from .fingerprints import EVERY, GROUP, WORST, bits_for, low_words

_U = np.uint64
_MAX_BUCKETS = 200


@dataclass
class GuardColumns:
    """A guard whose arrays are on disk; see `Guard`."""

    tokens: int
    bits: int
    n: int
    low: Column
    high: Column
    first: Column

    def columns(self) -> list[Column]:
        """Its arrays, in the order of the file."""
        return [self.low, self.high, self.first]

    def described(self) -> list[Any]:
        """The data that a journal keeps, and that `of` makes the object from."""
        return [self.tokens, self.bits, self.n, *(c.described() for c in self.columns())]

    @classmethod
    def of(cls, folder: str, described: list[Any]) -> GuardColumns:
        """A guard that was written before."""
        return cls(*described[:3], *(Column.of(folder, c) for c in described[3:]))


def distinct_keys(keys: Iterable[np.ndarray], n: int, folder: str, size: int, name: str = "guard_keys") -> Column:
    """Distinct keys, rising: uint64. `size` of at most n are sorted in memory at one time; hashes are evenly spread."""
    parts = min(max(n // size, 1), _MAX_BUCKETS)
    edges = np.array([i * (1 << 64) // parts for i in range(1, parts)], _U)
    buckets = Buckets(folder, "guard", edges)
    for some in keys:
        buckets.add(some)
    writer = Writer(os.path.join(folder, name), _U)
    for key, _ in buckets.take():
        key.sort()
        writer.append(key[starts_new(key)])
    return writer.close()


def make_guard(
    keys: Column, tokens: int, rate: float, folder: str, least_bits: int = 0, bits: int = 0
) -> GuardColumns | None:
    """The guard of distinct keys, which are used up; None where it would tell too few new runs, for given bits.

    least_bits  b is not below
    bits        b, where it is given
    """
    b = bits or max(bits_for(len(keys), rate), least_bits)
    n = sum(len(v) for v in _values(keys, b))
    if bits and n / 2.0**b > WORST:
        return None
    w = max(b - n.bit_length(), 0)
    low, high = (Writer(os.path.join(folder, f"guard_{name}"), "<u8") for name in ("low", "high"))
    first = Writer(os.path.join(folder, "guard_first"), smallest(n))
    done, buckets, boundary = 0, 1 << (b - w), 0
    held, word = np.empty(0, _U), 0  # values of a group that is not full; words of `high` that are written
    bits_held = np.empty(0, bool)  # of the next word
    for values in _values(keys, b):
        bucket = (values >> _U(w)).view(np.int64)
        held = np.concatenate((held, values))
        whole = len(held) // GROUP * GROUP
        low.append(low_words(held[:whole], w))
        held = held[whole:]
        place = bucket + np.arange(done, done + len(values)) - 64 * word
        ones = np.zeros(int(place[-1]) + 1, bool)
        ones[: len(bits_held)] = bits_held
        ones[place] = True
        full = len(ones) // 64 * 64
        high.append(np.packbits(ones[:full], bitorder="little").view("<u8"))
        bits_held, word = ones[full:], word + full // 64
        edges = np.arange(boundary, int(bucket[-1]) + 1, EVERY)
        first.append(done + np.searchsorted(bucket, edges))
        boundary += len(edges) * EVERY
        done += len(values)
    low.append(low_words(held, w))
    for begin in range(64 * word, n + buckets, 64 * BLOCK):
        rest = np.zeros(min(64 * BLOCK, -(-(n + buckets - begin) // 64) * 64), bool)
        rest[: len(bits_held)] = bits_held
        bits_held = bits_held[:0]
        high.append(np.packbits(rest, bitorder="little").view("<u8"))
    for begin in range(boundary, buckets, EVERY * BLOCK):
        first.append(np.full(len(range(begin, min(begin + EVERY * BLOCK, buckets), EVERY)), n))
    keys.drop()
    return GuardColumns(tokens, b, n, low.close(), high.close(), first.close())


def _values(keys: Column, bits: int) -> Iterator[np.ndarray]:
    """Distinct v, rising, in blocks that are not empty."""
    last = None
    for key in keys.blocks():
        v = key >> _U(64 - bits)
        new = starts_new(v)
        new[0] = last is None or v[0] != last
        last = v[-1]
        if new.any():
            yield v[new]
