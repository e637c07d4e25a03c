r"""Escapes types as words without white space, for formats that divide words by it.

A type's name is its bytes. Where it touches its neighbour without white space the name has a
joiner, U+FFED, on that side (the mark that OpenNMT's tokenizer writes). What such a format could not
hold, or would take for something else, is written `\u{HEX}`, the code point in capitals without
zeros in front:

    white space and control characters, of all Unicode
    a byte that is no UTF-8: byte B as \u{DCB}, as Python's `surrogateescape` has it
    a joiner at the beginning or the end of the type itself
    the first character of a type that spells a marker: <s>, </s>, <unk> or <UNK>
    a backslash before u{

Read back, a name is a joined or escaped type only where that type has just this name; any other
name stands for its own bytes. So nothing that others wrote is changed but for what looks like this.
"""

from __future__ import annotations

import re

import numpy as np

from ..arrays.sorting import ragged
from ..errors import OptionError
from . import char_classes as ch
from .tokenizer import LEFT, RIGHT
from .types import MARKERS, Types
from .vocabulary import Vocabulary

JOINER = "￭"
_JOINER = np.frombuffer(JOINER.encode(), np.uint8)
_RESERVED = frozenset((*MARKERS, "<UNK>"))
_ESCAPE = re.compile(r"\\u\{([1-9A-F][0-9A-F]{0,5}|0)\}")
_SPACE = (b" ", 0)
_CHUNK = 1 << 16  # types named at one time, to stay in the cache
_PLAIN, _ODD = 0, 1
_ODD_BYTE = np.array([_ODD if c < 33 or c == 127 else _PLAIN for c in range(256)], bool)
_N_SPACES = 0x3001  # no white space and no control character from here on
_ODD_POINT = np.array([chr(c).isspace() for c in range(_N_SPACES + 1)])
_ODD_POINT[:0x20] = _ODD_POINT[0x7F:0xA0] = True  # control characters


def name_of(token: bytes, flags: int = 0) -> bytes:
    """One type's name.

    >>> name_of(b","), name_of(b",", LEFT).decode(), name_of(b"a b"), name_of(b"</s>")
    (b',', '￭,', b'a\\\\u{20}b', b'\\\\u{3C}/s>')
    """
    text = token.decode("utf-8", "surrogateescape")
    last = len(text) - 1
    spelt = text in _RESERVED
    written = [
        f"\\u{{{ord(c):X}}}" if _must_escape(text, i, c, last) or (spelt and i == 0) else c for i, c in enumerate(text)
    ]
    left, right = JOINER if flags & LEFT else "", JOINER if flags & RIGHT else ""
    return "".join((left, *written, right)).encode()


def _must_escape(text: str, i: int, c: str, last: int) -> bool:
    if c == "\\":
        return text.startswith("u{", i + 1)
    if c == JOINER:
        return i in (0, last)
    return c.isspace() or c == "\x7f" or c < " " or "\x80" <= c < "\xa0" or "\ud800" <= c < "\ue000"


def parse_name(name: bytes) -> tuple[bytes, int]:
    """The bytes and flags of the type that has this name: the inverse of `name_of`."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return name, 0
    flags = 0
    if text.startswith(JOINER):
        text, flags = text[1:], LEFT
    if text.endswith(JOINER):
        text, flags = text[:-1], flags | RIGHT
    try:
        token = _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text).encode("utf-8", "surrogateescape")
    except (ValueError, OverflowError):  # no code point, or a surrogate that stands for no byte
        return name, 0
    return (token, flags) if token and name_of(token, flags) == name else (name, 0)


def names_of(vocabulary: Vocabulary, space_as: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The names of all ids, markers by theirs: uint8 blob, int64 offsets (V + 1,).

    space_as  name of the type that is one space, in place of its escape

    OptionError where that is no name, or that of another type.
    """
    types = vocabulary.types()
    start, length, flags = types.start, types.length, types.flags
    odd = _odd(vocabulary.blob, start, length)
    written = {int(i): name_of(*_one(vocabulary.blob, start, length, flags, int(i))) for i in np.flatnonzero(odd)}
    if space_as is not None:
        name = check_space_name(space_as)
        space = [i for i in written if _one(vocabulary.blob, start, length, flags, i) == _SPACE]
        if _of_bytes(vocabulary.blob, start, length, name) | {i for i in written if written[i] == name}:
            raise OptionError(f"--space-as {space_as}: the model has a token of that name", "choose another name")
        written |= dict.fromkeys(space, name)
    names = _joined(Types(vocabulary.blob, start, length, flags), written)
    blob = [np.frombuffer("".join(MARKERS).encode(), np.uint8), *names[0]]
    size = np.concatenate(([0], [len(m) for m in MARKERS], names[1]))
    return np.concatenate(blob), np.cumsum(size)


def check_space_name(name: str) -> bytes:
    """The bytes of a name for the space; OptionError for one with white space, or a marker's."""
    data = name.encode("utf-8", "surrogateescape")
    if not name or name in _RESERVED or name_of(data) != data or name.startswith(JOINER) or name.endswith(JOINER):
        raise OptionError(f"--space-as {name!r}: not a word of ARPA or counts", "for example '|', '<space>' or '▁'")
    return data


def parse_names(blob: np.ndarray, offsets: np.ndarray, space_as: str | None = None) -> Types:
    """The types that have these names; markers are not told apart here.

    blob      uint8, all names one behind another
    offsets   int64 (V + 1,)
    space_as  the name that stands for one space
    """
    start, length = offsets[:-1].astype(np.int64), np.diff(offsets).astype(np.int64)
    padded = np.concatenate((blob, np.zeros(8, np.uint8)))
    left = (length >= 3) & _is_joiner(padded, start)
    right = (length >= 3) & _is_joiner(padded, np.maximum(start + length - 3, 0))
    first = start + 3 * left
    rest = length - 3 * left - 3 * right
    slow = (left | right) & ((rest <= 0) | _odd(blob, first, np.maximum(rest, 0)))
    slow |= _counted(_at_text(blob, b"\\u{"), start, length)
    flags = np.zeros(len(start), np.uint8)
    flags[left] = LEFT
    flags[right] |= RIGHT
    parts, at = [blob], len(blob)
    if space_as is not None:
        for i in _of_bytes(blob, start, length, check_space_name(space_as)):
            parts.append(np.frombuffer(b" ", np.uint8))
            first[i], rest[i], flags[i], slow[i], at = at, 1, 0, False, at + 1
    for i in np.flatnonzero(slow).tolist():
        begin = int(start[i])
        token, flags[i] = parse_name(blob[begin : begin + int(length[i])].tobytes())
        parts.append(np.frombuffer(token, np.uint8))
        first[i], rest[i] = at, len(token)
        at += len(token)
    return Types(np.concatenate(parts), first, rest, flags)


def _of_bytes(blob: np.ndarray, start: np.ndarray, length: np.ndarray, wanted: bytes) -> set[int]:
    """Which of these pieces of a blob are the same bytes."""
    found = np.flatnonzero(length == len(wanted))
    for i, byte in enumerate(wanted):
        found = found[blob[start[found] + i] == byte]
    return {int(i) for i in found}


def _one(blob: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray, i: int) -> tuple[bytes, int]:
    begin = int(start[i])
    return blob[begin : begin + int(length[i])].tobytes(), int(flags[i])


def _joined(types: Types, written: dict[int, bytes]) -> tuple[list[np.ndarray], np.ndarray]:
    """Types with their joiners, but those in `written` as they are there: parts of a blob, and lengths."""
    left = (types.flags & LEFT).astype(np.int64) * 3
    right = (types.flags >> 1 & 1).astype(np.int64) * 3
    start, length = types.start.copy(), types.length.copy()
    blob = types.blob
    if written:
        which = np.array([*written], np.int64)
        left[which] = right[which] = 0
        length[which] = [len(name) for name in written.values()]
        start[which] = len(blob) + np.cumsum(length[which]) - length[which]
        blob = np.concatenate((blob, np.frombuffer(b"".join(written.values()), np.uint8)))
    size = left + length + right
    parts = []
    for low in range(0, len(start), _CHUNK):
        some = slice(low, low + _CHUNK)
        end = np.cumsum(size[some])
        out = np.empty(int(end[-1]), np.uint8)
        begin = end - size[some] + left[some]
        out[ragged(begin, length[some])] = blob[ragged(start[some], length[some])]
        for at in (begin[left[some] > 0] - 3, (begin + length[some])[right[some] > 0]):
            for i in range(3):
                out[at + i] = _JOINER[i]
        parts.append(out)
    return parts, size


def _odd(blob: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Types that may hold what a name must not: bool (V,). Some that do not may be among them."""
    places = [np.flatnonzero(_ODD_BYTE[blob]), _at_text(blob, b"\\u{"), _at_text(blob, JOINER.encode())]
    wide = blob >= 0x80
    odd = np.zeros(len(start), bool)
    if wide.any():
        if _is_valid(blob, start, length):
            padded = np.concatenate((blob, np.zeros(8, np.uint8)))
            found = ch.decode(padded, len(blob))
            places.append(found.at[_ODD_POINT[np.minimum(found.cp, _N_SPACES)]])
        else:
            places.append(np.flatnonzero(wide))
    for place in places:
        odd |= _counted(place, start, length)
    spelt = np.flatnonzero((length >= 3) & (length <= 5))
    spelt = spelt[(blob[start[spelt]] == 0x3C) & (blob[start[spelt] + length[spelt] - 1] == 0x3E)]
    odd[spelt] = True
    return odd


def _is_valid(blob: np.ndarray, start: np.ndarray, length: np.ndarray) -> bool:
    """Each type is UTF-8, if all together are and none begins inside a character."""
    try:
        blob.tobytes().decode()
    except UnicodeDecodeError:
        return False
    inside = start[length > 0]
    return not bool(((blob[inside] & 0xC0) == 0x80).any())


def _counted(place: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Types that hold one of these places, int64, rising: bool (V,)."""
    if not len(place):
        return np.zeros(len(start), bool)
    return np.searchsorted(place, start) < np.searchsorted(place, start + length)


def _at_text(blob: np.ndarray, text: bytes) -> np.ndarray:
    """Where a text of few bytes stands."""
    at = np.flatnonzero(blob[: max(len(blob) - len(text) + 1, 0)] == text[0])
    for i in range(1, len(text)):
        at = at[blob[at + i] == text[i]]
    return at


def _is_joiner(padded: np.ndarray, at: np.ndarray) -> np.ndarray:
    found = padded[at] == _JOINER[0]
    for i in (1, 2):
        found &= padded[at + i] == _JOINER[i]
    return found
