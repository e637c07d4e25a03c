"""Random numbers by text, step and attempt: a counter-based stream on PCG64 (O'Neill 2014).

Legend: i is the number of a text, t a step, a an attempt at the text (0 is the first).

All samplers number their draws in this way, so text i depends on the seed, on i and on its own draws, and not on
the number of texts, nor on limits that it does not reach.

NumPy fixes the integer stream of PCG64 for a seed, and `advance` reaches any place of it at once.
"""

from __future__ import annotations

import numpy as np

from ..arrays.numbers import whole
from ..text.run_hashes import mix

_STRIDE = 1 << 40  # texts per step: text i at step t uses the number at t * 2**40 + i
_SEPARATELY, _SKIP = 64, 1000  # few texts far apart: reach each one's number by itself
_U = np.uint64


class RandomStream:
    """Random numbers of one seed."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.PCG64(whole("seed", seed))
        self._begin = self._generator.state

    def raw(self, step: int, first: int, n: int) -> np.ndarray:
        """Numbers of texts first..first+n-1 at one step: uint64 (n,)."""
        self._generator.state = self._begin
        self._generator.advance(step * _STRIDE + first)
        return np.atleast_1d(self._generator.random_raw(n))

    def raw_of(self, step: int, index: np.ndarray, attempt: int | np.ndarray = 0) -> np.ndarray:
        """Numbers of attempts at some texts at one step: uint64 (m,).

        index    int64 (m,), rising; may repeat a text for several attempts
        attempt  one for all, or int64 (m,)

        Attempt 0 has the stream's number at (t, i); each later attempt has a hash of that number and of a.
        """
        if isinstance(attempt, int):
            raw = self._first_of(step, index)
            return _of_attempt(raw, np.uint64(attempt)) if attempt else raw
        new = np.ones(len(index), bool)
        new[1:] = index[1:] != index[:-1]
        raw = self._first_of(step, index[new])[np.cumsum(new) - 1]
        later = np.flatnonzero(attempt)
        raw[later] = _of_attempt(raw[later], attempt[later].astype(np.uint64))
        return raw

    def _first_of(self, step: int, index: np.ndarray) -> np.ndarray:
        """Numbers of first attempts; index is int64 (m,), rising without repeats."""
        if len(index) < _SEPARATELY and int(index[-1]) - int(index[0]) > len(index) * _SKIP:
            return np.array([int(self.raw(step, i, 1)[0]) for i in index.tolist()], np.uint64)
        first = int(index[0])
        return self.raw(step, first, int(index[-1]) + 1 - first)[index - first]


def _of_attempt(raw: np.ndarray, attempt: np.ndarray | np.uint64) -> np.ndarray:
    return rehash(raw ^ (attempt << _U(32)), 1)


def rehash(raw: np.ndarray, times: int) -> np.ndarray:
    """Derive another random number from each, for a step that needs several: uint64 (n,).

    Source: splitmix64 (Steele, Lea and Flood 2014), advanced `times` times from the state `raw`.
    """
    return mix(raw + _U((0x9E3779B97F4A7C15 * times) & (2**64 - 1)))


def uniform(raw: np.ndarray) -> np.ndarray:
    """Uniform numbers in [0, 1), in steps of 2**-53: float64 (n,)."""
    return (raw >> _U(11)).astype(np.float64) * 2.0**-53


def below(raw: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Uniform integers in [0, limit), limit < 2**53: int64 (n,)."""
    return np.minimum((uniform(raw) * limit).astype(np.int64), limit - 1)
