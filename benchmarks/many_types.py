"""Writes a text of very many types: each line holds new words and words of earlier lines.

    python benchmarks/many_types.py 100000000 types.txt

A new word is a number under a bijection of 40 bits, spelled in base 32; so the text is the same each time, and no two
of them are equal.
"""

from __future__ import annotations

import sys

import numpy as np

_LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz012345", np.uint8)
_WORDS = 1 << 20  # of one block
_PER_LINE = 16  # words; every second one is new
_U = np.uint64


def spelled(number: np.ndarray) -> np.ndarray:
    """Eight letters for each number below 2**40, other ones for other numbers: uint8 (n, 8)."""
    mask = _U((1 << 40) - 1)
    x = (number.astype(_U) + _U(1 << 39)) & mask
    for factor in (0x9E3779B97F4A7C15, 0xD1342543DE82EF95):  # odd: each step is undone by another
        x = (x * _U(factor)) & mask
        x ^= x >> _U(23)
    return _LETTERS[((x[:, None] >> (_U(5) * np.arange(8, dtype=_U))) & _U(31)).astype(np.int64)]


def block(first: int, n_new: int) -> bytes:
    """Lines with the new words first..first+n_new-1, each before one that came earlier."""
    new = np.arange(first, first + n_new)
    old = new // np.maximum(spelled(new)[:, 0].astype(np.int64) - 96, 1)
    rows = np.empty((2 * n_new, 9), np.uint8)
    rows[0::2, :8], rows[1::2, :8] = spelled(new), spelled(old)
    rows[:, 8] = 32
    rows[_PER_LINE - 1 :: _PER_LINE, 8] = 10
    rows[-1, 8] = 10
    return rows.tobytes()


def main() -> None:
    """Write the text."""
    n, path = int(sys.argv[1]), sys.argv[2]
    with open(path, "wb") as f:
        for first in range(0, n, _WORDS // 2):
            f.write(block(first, min(_WORDS // 2, n - first)))


if __name__ == "__main__":
    main()
