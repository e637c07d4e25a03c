"""Classifies characters: the class of the character that each byte belongs to.

Legend: a is the bytes of a block, uint8 (m,); cp is a code point.

A kind per code point comes from `unicodedata`, worked out for a page of 256 code
points when the first of them is met, so that nothing is paid for scripts that do not occur.
The word rules are those of Unicode Standard Annex 29 that matter to people.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np

SPACE, WORD, MARK, SINGLE, KATAKANA, EXTEND = range(6)
DIGIT = 6  # only before words are put together: a WORD that may stand beside a point
_UNKNOWN = 255

UNICODE_VERSION = unicodedata.unidata_version

# Letters of scripts written without spaces: each stands alone with the marks upon it
# (Annex 29 leaves them to a dictionary, and breaks around each of them without one).
_SINGLE_RANGES = [
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),  # Myanmar
    (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0xAA80, 0xAADF),  # Khmer, Tai scripts
    (0x3005, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B),  # ideographic marks and numerals
    (0x3041, 0x309F),  # Hiragana
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xF900, 0xFAFF),  # ideographs, Yi
    (0x17000, 0x18CFF), (0x1B170, 0x1B2FF), (0x20000, 0x3FFFD),  # Tangut, Nushu, ideographs
]  # fmt: skip
_KATAKANA_RANGES = [(0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)]
_BY_CATEGORY = {"Nd": DIGIT, "Cf": EXTEND, "Mn": EXTEND, "Mc": EXTEND, "Me": EXTEND}
_SKIN_TONES = (0x1F3FB, 0x1F3FF)  # they stay with their emoji
_ZERO_WIDTH_SPACE = 0x200B  # the one format character that separates


def kinds_of(first: int, last: int) -> np.ndarray:
    """The kinds of code points first..last-1, worked out anew: uint8."""
    chars = [chr(cp) for cp in range(first, last)]
    plain = [_BY_CATEGORY.get(c, WORD if c[0] in "LN" else MARK) for c in map(unicodedata.category, chars)]
    out = np.array(plain, np.uint8)
    for ranges, kind in ((_SINGLE_RANGES, SINGLE), (_KATAKANA_RANGES, KATAKANA)):
        for low, high in ranges:
            part = out[max(low - first, 0) : max(high + 1 - first, 0)]
            part[(part == WORD) | (part == DIGIT)] = kind
    for low, high, kind in ((*_SKIN_TONES, EXTEND), (_ZERO_WIDTH_SPACE, _ZERO_WIDTH_SPACE, MARK)):
        out[max(low - first, 0) : max(high + 1 - first, 0)] = kind
    out[[c.isspace() or c == "\0" for c in chars]] = SPACE
    return out


ASCII_KINDS = bytes(kinds_of(0, 128)) + bytes([WORD]) * 128  # for bytes.translate; `decode` sets the rest

_kinds = np.full(0x110000, _UNKNOWN, np.uint8)


def kinds(cp: np.ndarray) -> np.ndarray:
    """Kinds of many code points: int32 (n,) -> uint8 (n,)."""
    found = _kinds[cp]
    if (found == _UNKNOWN).any():
        for page in np.flatnonzero(np.bincount(cp[found == _UNKNOWN] >> 8)).tolist():
            _kinds[page << 8 : (page + 1) << 8] = kinds_of(page << 8, (page + 1) << 8)
        found = _kinds[cp]
    return found


class Wide(NamedTuple):
    """The characters of a block that are not ASCII.

    at      int64 (n,)  where each begins
    length  int64 (n,)  its bytes, 2 to 4
    cp      int32 (n,)  its code point
    """

    at: np.ndarray
    length: np.ndarray
    cp: np.ndarray


def decode(a: np.ndarray, m: int) -> Wide:
    """The characters above U+007F in valid UTF-8; a is uint8 (m + 8,)."""
    at = np.flatnonzero(a[:m] >= 0xC0)
    b0 = a[at].astype(np.int32)
    length = 2 + (b0 >= 0xE0).astype(np.int64) + (b0 >= 0xF0)
    cp = b0 & (0x7F >> length)
    for i in (1, 2, 3):
        more = length > i
        cp = np.where(more, (cp << 6) | (a[at + i] & 0x3F), cp)
    return Wide(at, length, cp)


def all_code_points(a: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every character of valid UTF-8: where it begins, its bytes, its code point."""
    start = np.flatnonzero((a[:m] & 0xC0) != 0x80)
    cp = a[start].astype(np.int32)
    length = np.ones(len(start), np.int64)
    wide = decode(a, m)
    if len(wide.at):
        where = np.searchsorted(start, wide.at)
        cp[where] = wide.cp
        length[where] = wide.length
    return start, length, cp
