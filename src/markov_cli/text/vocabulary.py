"""Types and their numbers.

Legend: a key is a uint64 that stands for a token's bytes; a slot is a place in a hash
table made of arrays; V is the number of types.

A token of up to 7 bytes *is* its key, exactly: its bytes, and above them its length and
flags. A longer one is hashed, and every occurrence is compared with the bytes of the
type it was taken for, so two tokens are never one type because their hashes agree. The
hash is salted afresh in each process, and no answer depends on the salt.
"""

from __future__ import annotations

import os

import numpy as np

UNK, BOS, EOS = 0, 1, 2
MARKERS = ("<unk>", "<s>", "</s>")
N_MARKERS = len(MARKERS)

SHORT = 7  # bytes that fit beside length and flags
_U = np.uint64
_MASK = np.array([(1 << (8 * n)) - 1 for n in range(9)], _U)
_TAG = np.array([n << 56 for n in range(8)] + [0], _U)
_FLAG_SHIFT = _U(60)


def _odd() -> np.uint64:
    return _U(int.from_bytes(os.urandom(8), "little") | 1)


class _Slots:
    """Open addressing over arrays: key -> number, for keys other than 0."""

    def __init__(self, bits: int = 14) -> None:
        self.salt = _odd()
        self._make(bits)
        self.used = 0

    def _make(self, bits: int) -> None:
        self.bits = bits
        self.key = np.zeros(1 << bits, _U)
        self.number = np.zeros(1 << bits, np.uint32)

    def _slot(self, key: np.ndarray) -> np.ndarray:
        mixed = (key ^ (key >> _U(29))) * self.salt
        return (mixed >> _U(64 - self.bits)).astype(np.int64)

    def find(self, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of `key`, uint32 (n,), and which keys (indices into `key`) are not there."""
        slot = self._slot(key)
        miss = np.flatnonzero(self.key[slot] != key)
        absent = []
        todo, at, mask = miss, slot[miss], (1 << self.bits) - 1
        while len(todo):
            there = self.key[at]
            empty = there == 0
            absent.append(todo[empty])
            on = np.flatnonzero(~empty & (there != key[todo]))
            done = np.flatnonzero(there == key[todo])
            slot[todo[done]] = at[done]
            todo, at = todo[on], (at[on] + 1) & mask
        number = self.number[slot]
        missing = np.concatenate(absent) if absent else np.empty(0, np.int64)
        return number, missing

    def add(self, key: np.ndarray, number: np.ndarray) -> None:
        """Distinct keys that are not there yet."""
        self.used += len(key)
        bits = self.bits
        while self.used * 2 > 1 << bits:
            bits += 1
        if bits > self.bits:
            full = self.key != 0
            old_key, old_number = self.key[full], self.number[full]
            self._make(bits + 1)
            self._put(old_key, old_number)
        self._put(key, number)

    def _put(self, key: np.ndarray, number: np.ndarray) -> None:
        slot, mask = self._slot(key), (1 << self.bits) - 1
        while len(key):
            empty = self.key[slot] == 0
            self.key[slot[empty]] = key[empty]
            won = empty & (self.key[slot] == key)
            self.number[slot[won]] = number[won]
            lost = ~won
            key, number, slot = key[lost], number[lost], (slot[lost] + 1) & mask


class Growing:
    """An array that grows at its end, doubling."""

    def __init__(self, dtype: np.typing.DTypeLike) -> None:
        self._data = np.empty(1024, dtype)
        self.size = 0

    def extend(self, values: np.ndarray) -> None:
        need = self.size + len(values)
        if need > len(self._data):
            larger = np.empty(max(need, 2 * len(self._data)), self._data.dtype)
            larger[: self.size] = self._data[: self.size]
            self._data = larger
        self._data[self.size : need] = values
        self.size = need

    @property
    def values(self) -> np.ndarray:
        return self._data[: self.size]


class Vocabulary:
    """Types in the order in which they were first met, numbered from 0.

    Every token must be followed by eight readable bytes in the array that holds it.
    """

    def __init__(self) -> None:
        self._short, self._long = _Slots(), _Slots(10)
        self._fold1, self._fold2 = _odd(), _odd()
        self._blob = Growing(np.uint8)
        self._start, self._length = Growing(np.int64), Growing(np.int64)
        self._flags = Growing(np.uint8)
        self._collided: dict[tuple[bytes, int], int] = {}

    def __len__(self) -> int:
        return self._start.size

    def numbers(
        self, a: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray | None
    ) -> np.ndarray:
        """The type of each token, uint32 (n,); new types are added.

        a       uint8, the bytes that hold the tokens
        start   int64 (n,)
        length  int64 (n,), at least 1
        flags   uint8 (n,) or None
        """
        if not len(start):
            return np.empty(0, np.uint32)
        view = np.ndarray((len(a) - 7,), "<u8", a, strides=(1,))
        word = view[start]
        size = np.minimum(length, 8)
        key = (word & _MASK[size]) | _TAG[size]
        if flags is not None:
            key |= flags.astype(_U) << _FLAG_SHIFT
        long = np.flatnonzero(length > SHORT)
        if len(long):
            short = np.flatnonzero(length <= SHORT)[:1]
            if not len(short):
                return self._long_numbers(a, view, start, length, flags)
            key[long] = key[short]  # any key that occurs will do; replaced below
        number, missing = self._short.find(key)
        if len(missing):
            self._add_short(np.unique(key[missing]))
            number[missing], _ = self._short.find(key[missing])
        if len(long):
            some = None if flags is None else flags[long]
            number[long] = self._long_numbers(a, view, start[long], length[long], some)
        return number

    def _add_short(self, key: np.ndarray) -> None:
        """New keys hold their bytes, their length and their flags themselves."""
        n = (key >> _U(56) & _U(7)).astype(np.int64)
        letters = key.astype("<u8").view(np.uint8)
        self._short.add(key, self._append(letters, np.arange(len(key)) * 8, n, key >> _FLAG_SHIFT))

    def _append(self, a: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray) -> np.ndarray:
        """Store the bytes of new types; returns their numbers."""
        at = self._blob.size + np.cumsum(length) - length
        self._blob.extend(a[ragged(start, length)])
        number = np.arange(len(self), len(self) + len(start)).astype(np.uint32)
        self._start.extend(at)
        self._length.extend(length)
        self._flags.extend(flags.astype(np.uint8))
        return number

    def _long_numbers(
        self, a: np.ndarray, view: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray | None
    ) -> np.ndarray:
        given = np.zeros(len(start), np.uint8) if flags is None else flags
        key = self._fold(view, start, length, given)
        number, missing = self._long.find(key)
        if len(missing):
            _, first = np.unique(key[missing], return_index=True)
            new = missing[np.sort(first)]
            self._long.add(key[new], self._append(a, start[new], length[new], given[new]))
            number[missing], _ = self._long.find(key[missing])
        for i in self._differ(view, number, start, length, given).tolist():
            token = a[start[i] : start[i] + length[i]].tobytes(), int(given[i])
            known = self._collided.get(token)
            if known is None:
                known = int(self._append(a, start[i : i + 1], length[i : i + 1], given[i : i + 1])[0])
                self._collided[token] = known
            number[i] = known
        return number

    def _fold(self, view: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray) -> np.ndarray:
        """Hash 8-byte blocks by multiply and shift; only long tokens have further rounds."""
        key = (length.astype(_U) << _U(2) | flags) * self._fold1
        todo, at, rest = np.arange(len(start)), start, length
        while len(todo):
            piece = view[at] & _MASK[np.minimum(rest, 8)]
            h = (key[todo] ^ piece) * self._fold1
            key[todo] = (h ^ (h >> _U(31))) * self._fold2
            on = rest > 8
            todo, at, rest = todo[on], at[on] + 8, rest[on] - 8
        return key | (key == 0)

    def _differ(
        self, view: np.ndarray, number: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray
    ) -> np.ndarray:
        """Indices of tokens whose bytes are not those of the type that their hash named."""
        blob = self._blob
        blob.extend(np.zeros(8, np.uint8))  # eight readable bytes behind the last type
        blob.size -= 8
        own = np.ndarray((blob.size + 1,), "<u8", blob._data, strides=(1,))
        wrong = (self._length.values[number] != length) | (self._flags.values[number] != flags)
        todo = np.flatnonzero(~wrong)
        at, there, rest = start[todo], self._start.values[number[todo]], length[todo]
        while len(todo):
            unlike = ((view[at] ^ own[there]) & _MASK[np.minimum(rest, 8)]) != 0
            wrong[todo[unlike]] = True
            on = ~unlike & (rest > 8)
            todo, at, there, rest = todo[on], at[on] + 8, there[on] + 8, rest[on] - 8
        return np.flatnonzero(wrong)

    def types(self) -> Types:
        """All types met so far."""
        return Types(self._blob.values, self._start.values, self._length.values, self._flags.values)


class Types:
    """Bytes and flags of V types, in some order.

    blob    uint8, all bytes
    start   int64 (V,), into blob
    length  int64 (V,)
    flags   uint8 (V,)
    """

    def __init__(self, blob: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray) -> None:
        self.blob, self.start, self.length, self.flags = blob, start, length, flags

    def __len__(self) -> int:
        return len(self.start)

    def take(self, which: np.ndarray) -> Types:
        """These types, in this order, in a blob of their own."""
        start, length = self.start[which], self.length[which]
        return Types(
            self.blob[ragged(start, length)], np.cumsum(length) - length, length, self.flags[which]
        )

    def padded(self) -> np.ndarray:
        """The blob with eight zero bytes behind it."""
        return np.concatenate((self.blob, np.zeros(8, np.uint8)))


def ragged(start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Indices start[0], start[0]+1, ..., then those of the next range: int64 (sum of length,)."""
    end = np.cumsum(length)
    total = int(end[-1]) if len(end) else 0
    return np.arange(total) + np.repeat(start - (end - length), length)


def order_of_types(types: Types, count: np.ndarray) -> np.ndarray:
    """The types by falling count, ties by their bytes, then by their flags: int64 (V,).

    Equal counts are put in order by eight bytes at a time, only those that still tie.
    """
    blob = types.padded()
    view = np.ndarray((len(blob) - 7,), ">u8", blob, strides=(1,))
    first = view[types.start] & _FRONT[np.minimum(types.length, 8)]
    order = np.lexsort((first, -count))
    new = _starts_new(count[order], first[order])
    tied = np.flatnonzero(_in_tie(new))  # places in the order that are not yet decided
    rank = np.cumsum(new)[tied]
    depth = 8
    while len(tied):
        which = order[tied]
        rest = types.length[which] - depth
        more = bool((rest > 0).any())
        if more:
            at = types.start[which] + np.where(rest > 0, depth, 0)
            piece = view[at] & _FRONT[np.clip(rest, 0, 8)]
        else:  # all of them end here: the shorter before the longer, then by flags
            piece = types.length[which].astype(_U) << _U(8) | types.flags[which]
        again = np.lexsort((piece, rank))
        order[tied] = which[again]
        if not more:
            break
        new = _starts_new(rank, piece[again])  # a rank keeps its places
        keep = _in_tie(new)
        tied, rank = tied[keep], np.cumsum(new)[keep]
        depth += 8
    return order


_FRONT = np.array([((1 << (8 * n)) - 1) << (8 * (8 - n)) for n in range(9)], _U)


def _starts_new(*columns: np.ndarray) -> np.ndarray:
    new = np.zeros(len(columns[0]), bool)
    new[:1] = True
    for c in columns:
        new[1:] |= c[1:] != c[:-1]
    return new


def _in_tie(new: np.ndarray) -> np.ndarray:
    """Members of groups larger than one, given where groups begin."""
    follows = np.append(new[1:], True)
    return ~(new & follows)
