"""Hashes of tokens and of runs of tokens, the same in every process.

Legend: a hash is a uint64, and sums and products are modulo 2**64; h is the hash of a token;
K is the length of a run; R an odd number, so that powers of it can be undone.

    mix(x)    the finalizer of splitmix64 (Steele, Lea and Flood 2014)
    a token   x = its bytes' number times A; then, for each eight bytes (little-endian, zeros behind the
              last), x = mix(x ^ those); above 4,096 bytes, the first eight of its BLAKE2b
    a run     mix(h_1 + h_2 R + h_3 R**2 + ... + h_K R**(K-1))

A token is its bytes: whether it touched its neighbour changes nothing. Equal runs have equal hashes; two
that differ have the same one once in 2**64.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..arrays.disk_array import Lookup
from ..arrays.sorting import distinct_values
from .types import Types

_U = np.uint64
_A, _R = _U(0x9E3779B97F4A7C15), 0xD1342543DE82EF95
_R_BACK = pow(_R, -1, 1 << 64)
_HUGE = 1 << 12
_BLOCK = 1 << 18  # tokens hashed at one time
_LEFT = np.array([(1 << (8 * n)) - 1 for n in range(9)], _U)


def mix(x: np.ndarray) -> np.ndarray:
    """Every bit of x on every bit of the result, one to one: uint64 of the shape of x."""
    x = (x ^ (x >> _U(30))) * _U(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> _U(27))) * _U(0x94D049BB133111EB)
    return x ^ (x >> _U(31))


def token_hashes(types: Types) -> np.ndarray:
    """The hash of each type: uint64 (V,)."""
    blob = types.padded()
    view = np.ndarray((len(blob) - 7,), "<u8", blob, strides=(1,))
    start, length = types.start.astype(np.int64), types.length.astype(np.int64)
    x = length.astype(_U) * _A
    todo, at, rest = np.arange(len(length)), start, length
    short = length <= _HUGE
    if not short.all():
        todo, at, rest = todo[short], at[short], rest[short]
    while len(todo):
        x[todo] = mix(x[todo] ^ (view[at] & _LEFT[np.minimum(rest, 8)]))
        on = rest > 8
        todo, at, rest = todo[on], at[on] + 8, rest[on] - 8
    for i in np.flatnonzero(~short).tolist():
        data = blob[int(start[i]) : int(start[i] + length[i])].tobytes()
        x[i] = _U(int.from_bytes(hashlib.blake2b(data).digest()[:8], "little"))
    return x


def hash_tokens(tokens: list[bytes]) -> np.ndarray:
    """The hashes of a few tokens: uint64 (n,)."""
    length = np.array([len(t) for t in tokens], np.int64)
    blob = np.frombuffer(b"".join(tokens), np.uint8)
    return token_hashes(Types(blob, np.cumsum(length) - length, length, np.zeros(len(tokens), np.uint8)))


def powers(n: int) -> tuple[np.ndarray, np.ndarray]:
    """R**0, R**1, ... and R**0, R**-1, ...: uint64, n of each at least."""
    return _powers(max(n - 1, 1).bit_length())


@functools.lru_cache(4)
def _powers(bits: int) -> tuple[np.ndarray, np.ndarray]:
    out = []
    for factor in (_R, _R_BACK):
        p = np.full(1 << bits, _U(factor))
        p[0] = 1
        out.append(np.cumprod(p))
    return out[0], out[1]


def run_hashes(h: np.ndarray, k: int) -> np.ndarray:
    """The hashes of all runs of k tokens: uint64 (len(h) - k + 1,), empty where there are fewer tokens."""
    n = len(h) - k + 1
    if n <= 0:
        return np.empty(0, _U)
    up, down = powers(len(h))
    before = np.zeros(len(h) + 1, _U)
    np.cumsum(h * up[: len(h)], out=before[1:])
    return mix((before[k:] - before[:n]) * down[:n])


def stream_runs(
    blocks: Iterable[tuple[np.ndarray, np.ndarray | Sequence[int]]], hash_of: np.ndarray | Lookup, k: int
) -> Iterator[np.ndarray]:
    """The hashes of all runs of k tokens in some texts, block by block.

    blocks   numbers of tokens, uint32 (n,), and, rising, how many of them stand before each end of a text: no run
             goes on there
    hash_of  uint64, the hash of each number
    """
    behind = np.empty(0, _U)
    for number, given in blocks:
        ends = distinct_values(np.asarray(given, np.int64))
        for begin in range(0, len(number), _BLOCK):
            some = number[begin : begin + _BLOCK]
            h = np.concatenate((behind, hash_of[some]))
            first = begin - len(behind)
            inside = ends[(ends > first) & (ends < begin + len(some))] - first
            runs = run_hashes(h, k)
            if len(inside):
                text = np.zeros(len(h), np.int64)
                text[inside] = 1
                np.cumsum(text, out=text)
                runs = runs[text[k - 1 :] == text[: len(runs)]]
            yield runs
            behind = h[max(len(h) - k + 1, 0) :]
        if len(ends):  # only what stands behind the last end goes on
            behind = behind[max(len(behind) - len(number) + int(ends[-1]), 0) :]
