"""Decimals by arrays: numbers to their digits, and back.

Legend: a is bytes, uint8; a piece is eight bytes in a uint64, the first of them lowest; x is a number.

Printed are eight decimals at most, without exponent and without zeros at the end. That moves a
log10 by 5e-9 at most, a probability by 1.2e-8 of itself; what float32 holds of a log10 beyond
0.125 comes back bit for bit.
"""

from __future__ import annotations

import re

import numpy as np

LIMIT = 999.0  # a number is printed with three digits before its point at most
SPARE = 24  # bytes behind a text that `Pieces` and `parsed` may read
PIECES = 2  # a printed number is that many of them: 1 + 1 + 3 + 1 + 8 bytes fit
_U = np.uint64
_ONES = _U(0x0101010101010101)
_ZEROS = _U(0x3030303030303030)  # eight times "0"
_BYTES = np.array([(1 << (8 * n)) - 1 for n in range(9)], _U)  # [n]: the first n bytes of a piece
_TEN = np.array([10**n for n in range(9)], _U)
_TEN_F = 10.0 ** np.arange(9)
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)", re.IGNORECASE)
_LONGEST = 400  # bytes of a number: a float64 printed in full has fewer


def _piece(text: bytes) -> int:
    return int.from_bytes(text, "little")


_FOUR = np.array([_piece(b"%04d" % i) for i in range(10_000)], _U)
_USED = np.array([len((b"%04d" % i).rstrip(b"0")) for i in range(10_000)], np.uint8)  # digits up to the last not 0
# [2000 * is whole + 1000 * is negative + integer part]: a tab, and all that stands before the decimals
_HEAD_TEXT = [b"\t%s%d%s" % (sign, i, point) for point in (b".", b"") for sign in (b"", b"-") for i in range(1000)]
_HEAD = np.array([_piece(t) for t in _HEAD_TEXT], _U)
_HEAD_BITS = np.array([8 * len(t) for t in _HEAD_TEXT], np.uint8)


def printed(x: np.ndarray) -> np.ndarray:
    """Numbers as text, each behind a tab, filled up with NULs.

    x        float64 (m,), within -LIMIT..LIMIT
    returns  uint64 (m, 2), two pieces each

    >>> printed(np.array([-2.3456789, 0.5])).tobytes().replace(b"\\0", b"")
    b'\\t-2.3456789\\t0.5'
    """
    scaled = np.rint(np.abs(x) * 1e8).astype(_U)
    whole = scaled // _U(100_000_000)
    part = (scaled - whole * _U(100_000_000)).astype(np.uint32)
    high = part // np.uint32(10_000)
    low = part - high * np.uint32(10_000)
    used = np.where(low != 0, _USED.take(low) + np.uint8(4), _USED.take(high))
    digits = _FOUR.take(high)
    digits |= _FOUR.take(low) << _U(32)
    digits &= _BYTES.take(used)
    head = whole.view(np.int64)
    head += 1000 * ((x < 0) & (scaled != 0))
    head += 2000 * (used == 0)
    bits = _HEAD_BITS.take(head).astype(_U)
    out = np.empty((len(x), PIECES), _U)
    np.bitwise_or(_HEAD.take(head), digits << bits, out=out[:, 0])
    np.right_shift(digits, _U(64) - bits, out=out[:, 1])
    return out


class Pieces:
    """The bytes of an array, eight at a time from any place.

    Two aligned gathers: one unaligned gather takes longer, and does not let other threads run.

    a  uint8 (m + SPARE,), readable bytes behind the text
    """

    def __init__(self, a: np.ndarray) -> None:
        self.a = a
        self._words = np.frombuffer(a, "<u8", len(a) >> 3)

    def at(self, start: np.ndarray) -> np.ndarray:
        """The eight bytes from each place: int64 (n,) -> uint64 (n,)."""
        word = start >> 3
        shift = (start & 7).view(_U) << _U(3)
        low = self._words.take(word)
        word += 1
        high = self._words.take(word)
        low >>= shift
        high <<= _U(1)
        high <<= _U(63) - shift
        low |= high
        return low


def _eight(piece: np.ndarray) -> np.ndarray:
    """The number that eight digits make, each a byte 0..9, the first lowest: uint64 (n,)."""
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
    """Pieces whose bytes, "0" taken off, are not all 0..9: bool (n,)."""
    return ((piece | (piece + _U(0x7676767676767676))) & _U(0x8080808080808080)) != 0


def _moved_up(piece: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The first n bytes, 0..8, as the last of a piece: in two shifts, as one by 64 bits is undefined."""
    half = (32 - 4 * n).view(_U)
    piece <<= half
    piece <<= half
    return piece


def parsed(pieces: Pieces, start: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Text as numbers, each correctly rounded.

    start, length  int64 (n,)
    returns        float64 (n,), and int64: which are no numbers (there it is NaN)

    What has one digit, a point and up to eight digits is worked out by arrays, and so is what has up
    to three digits before its point, or up to twelve behind it; the rest (exponents, infinities, more
    digits) one by one.
    """
    x, odd = _pointed(pieces, start, length, 1)
    for n_whole, more in ((1, True), (2, False), (3, False), (2, True), (3, True)):
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
    """Numbers with n_whole digits before the point, and which are not such.

    more  nine to twelve digits behind it, else none to eight. With three before it they are a whole
          number below 2 ** 53, and so is what it is divided by: one division, correctly rounded
    """
    a = pieces.a
    negative = a.take(start) == 0x2D
    at = start + negative
    rest = length - negative
    whole = np.zeros(len(at), _U)
    wrong = rest < n_whole
    for _ in range(n_whole):
        digit = a.take(at, mode="clip")
        digit -= np.uint8(0x30)
        wrong |= digit > 9
        whole *= _U(10)
        whole += digit
        at += 1
    rest -= n_whole
    wrong |= (a.take(at, mode="clip") != 0x2E) & (rest > 0)
    at += 1
    rest -= 1
    np.maximum(rest, 0, out=rest)
    if more:
        wrong |= (rest < 9) | (rest > 12)
        np.clip(rest, 9, 12, out=rest)
        head = pieces.at(at) ^ _ZEROS
        wrong |= _not_digits(head)
        whole *= _TEN[8]
        whole += _eight(head)
        at += 8
        np.minimum(at, len(a) - SPARE, out=at)
        rest -= 8
    wrong |= rest > 8
    np.minimum(rest, 8, out=rest)
    after = _moved_up(pieces.at(at) ^ _ZEROS, rest)
    wrong |= _not_digits(after)
    whole *= _TEN.take(rest)
    whole += _eight(after)
    x = whole.astype(np.float64)
    x /= _TEN_F.take(rest) * (1e8 if more else 1.0)
    np.negative(x, out=x, where=negative)
    return x, np.flatnonzero(wrong)


def _exact(a: np.ndarray, start: int, length: int) -> float:
    text = a[start : start + min(length, _LONGEST + 1)].tobytes()
    if length > _LONGEST or not _NUMBER.fullmatch(text):
        return float("nan")
    return float(text)
