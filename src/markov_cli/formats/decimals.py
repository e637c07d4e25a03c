"""Prints and parses decimal numbers by whole-array operations.

Legend: a is bytes, uint8; a piece is eight bytes in a uint64, the first of them lowest; x is a number.

Numbers are printed with at most eight decimals, without exponent and trailing zeros. The error is at most 5e-9 of a
log10, so 1.2e-8 relative to a probability; a float32 log10 with a magnitude above 0.125 is read back bit for bit.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

import numpy as np

LIMIT = 999.0  # at most three digits before the point are printed
SPARE = 24  # bytes after a text that `Pieces` and `parsed` may read
PIECES = 2  # of a printed number: 1 + 1 + 3 + 1 + 8 bytes fit
_U = np.uint64
_ZEROS = _U(0x3030303030303030)  # eight times "0"
_BYTES = np.array([(1 << (8 * n)) - 1 for n in range(9)], _U)  # [n]: mask of the first n bytes of a piece
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_WIDE = 11  # bytes of -1.12345678
_LONGEST = 400  # bytes of a number: a float64 printed in full has fewer


def _piece(text: bytes) -> int:
    return int.from_bytes(text, "little")


class _Tables(NamedTuple):
    """Tables of text to print numbers from.

    four       uint64 (10,000,), each number of four digits
    used       uint8 (10,000,), how many of its digits stand before its last zeros
    head       uint64 (4,000,), [2000 * is whole + 1000 * is negative + integer part]: a tab, and the text before the
               decimals; head_bits uint8, its length
    """

    four: np.ndarray
    used: np.ndarray
    head: np.ndarray
    head_bits: np.ndarray


@cache
def _tables() -> _Tables:
    four = [b"%04d" % i for i in range(10_000)]
    head = [b"\t%s%d%s" % (sign, i, point) for point in (b".", b"") for sign in (b"", b"-") for i in range(1000)]
    return _Tables(
        np.array([_piece(t) for t in four], _U),
        np.array([len(t.rstrip(b"0")) for t in four], np.uint8),
        np.array([_piece(t) for t in head], _U),
        np.array([8 * len(t) for t in head], np.uint8),
    )


def printed(x: np.ndarray) -> np.ndarray:
    """Numbers as text, each after a tab, padded with NULs.

    x        float64 (m,), within -LIMIT..LIMIT
    returns  uint64 (m, 2), two pieces each

    >>> printed(np.array([-2.3456789, 0.5])).tobytes().replace(b"\\0", b"")
    b'\\t-2.3456789\\t0.5'
    """
    tables = _tables()
    scaled = np.rint(np.abs(x) * 1e8).astype(_U)
    whole = scaled // _U(100_000_000)
    part = (scaled - whole * _U(100_000_000)).astype(np.uint32)
    high = part // np.uint32(10_000)
    low = part - high * np.uint32(10_000)
    used = np.where(low != 0, tables.used.take(low) + np.uint8(4), tables.used.take(high))
    digits = tables.four.take(high)
    digits |= tables.four.take(low) << _U(32)
    digits &= _BYTES.take(used)
    head = whole.view(np.int64)
    head += 1000 * ((x < 0) & (scaled != 0))
    head += 2000 * (used == 0)
    bits = tables.head_bits.take(head).astype(_U)
    out = np.empty((len(x), PIECES), _U)
    np.bitwise_or(tables.head.take(head), digits << bits, out=out[:, 0])
    np.right_shift(digits, _U(64) - bits, out=out[:, 1])
    return out


class Pieces:
    """Reads eight bytes at a time from any place of an array.

    (Two aligned gathers, joined by shifts, take twice as long.)

    a  uint8 (m + SPARE,), the text and SPARE readable bytes
    """

    def __init__(self, a: np.ndarray) -> None:
        self.a = a
        self._from = np.ndarray((len(a) - 7,), "<u8", a, strides=(1,))

    def at(self, start: np.ndarray) -> np.ndarray:
        """Eight bytes from each place on: int64 (n,) -> uint64 (n,)."""
        return self._from[start]


def _eight(piece: np.ndarray) -> np.ndarray:
    """Number with eight digits, given as bytes 0..9, the first lowest: uint64 (n,)."""
    pairs = piece * _U(10)
    pairs += piece >> _U(8)
    four = (pairs & _U(0x000000FF000000FF)) * _U(0x000F424000000064)
    pairs >>= _U(16)
    pairs &= _U(0x000000FF000000FF)
    pairs *= _U(0x0000271000000001)
    four += pairs
    four >>= _U(32)
    return four


def _not_digits(piece: np.ndarray) -> np.ndarray:
    """True for pieces whose bytes, after subtracting "0", are not all 0..9: bool (n,)."""
    return ((piece | (piece + _U(0x7676767676767676))) & _U(0x8080808080808080)) != 0


def parsed(pieces: Pieces, start: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parse numbers, each correctly rounded.

    start, length  int64 (n,)
    returns        float64 (n,), NaN for invalid ones, and the indices of these: int64

    Arrays parse numbers with one to three digits, a point and up to twelve decimals; others (exponents, infinities,
    more digits) are parsed one by one.
    """
    wide = bool(2 * np.count_nonzero(length > _WIDE) > len(length))  # try the commonest form first
    x, odd = _pointed(pieces, start, length, 1, wide)
    for n_whole, more in ((1, not wide), (2, False), (3, False), (2, True), (3, True)):
        if len(odd):
            x[odd], still = _pointed(pieces, start[odd], length[odd], n_whole, more)
            odd = odd[still]
    a = pieces.a
    for i in odd.tolist():
        x[i] = _exact(a, int(start[i]), int(length[i]))
    return x, odd[np.isnan(x[odd])]


def _pointed(
    pieces: Pieces, start: np.ndarray, length: np.ndarray, n_whole: int, more: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Parse numbers with n_whole digits before the point; returns them, and the indices of those of another form.

    more  nine to twelve decimals, else none to eight. With three digits before the point, the digits are a whole
          number below 2 ** 53, and so is the divisor: one division, correctly rounded
    """
    a = pieces.a
    negative = a.take(start) == 0x2D
    at = start + negative
    rest = length - negative
    wrong = rest < n_whole
    whole: np.ndarray | None = None
    for _ in range(n_whole):
        digit = a.take(at, mode="clip")
        digit -= np.uint8(0x30)
        wrong |= digit > 9
        whole = digit.astype(_U) if whole is None else whole * _U(10) + digit
        at += 1
    assert whole is not None
    rest -= n_whole
    wrong |= (a.take(at, mode="clip") != 0x2E) & (rest > 0)
    at += 1
    rest -= 1
    whole *= _U(100_000_000)
    if more:
        wrong |= (rest < 9) | (rest > 12)
        head = pieces.at(at) ^ _ZEROS
        wrong |= _not_digits(head)
        whole += _eight(head)
        whole *= _U(10_000)
        at += 8
        np.minimum(at, len(a) - SPARE, out=at)
        rest -= 8
    wrong |= rest > 8
    after = pieces.at(at)  # bytes after the number are masked to digits 0
    after ^= _ZEROS
    after &= _BYTES.take(rest, mode="clip")
    wrong |= _not_digits(after)
    after = _eight(after)
    if more:
        after //= _U(10_000)
    whole += after
    x = whole.astype(np.float64)
    x /= 1e12 if more else 1e8
    np.negative(x, out=x, where=negative)
    return x, np.flatnonzero(wrong)


def _exact(a: np.ndarray, start: int, length: int) -> float:
    text = a[start : start + min(length, _LONGEST + 1)].tobytes()
    if length > _LONGEST or not _NUMBER.fullmatch(text):
        return float("nan")
    return float(text)
