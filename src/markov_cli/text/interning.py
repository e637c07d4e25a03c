"""Numbers types: a hash table made of arrays.

Legend: a key is a uint64 that stands for a token's bytes; a slot is a place in a hash
table made of arrays; V is the number of types.

A token of up to 7 bytes *is* its key, exactly: its bytes, and above them its length and
flags. A longer one is hashed, and every occurrence is compared with the bytes of the
type it was taken for, so two tokens are never one type because their hashes agree. The
hash is salted afresh in each process, and no answer depends on the salt.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import in_parts, ragged, starts_new
from .types import TAKE, Types

HUGE = 1 << 12  # bytes from which a token is hashed and compared by itself
_TYPES = 1 << 16  # of a list numbered at one time
SHORT = 7  # bytes that fit beside length and flags
_U = np.uint64
_MASK = np.array([(1 << (8 * n)) - 1 for n in range(9)], _U)
_FLAG_SHIFT = _U(60)


def _odd() -> np.uint64:
    return _U(int.from_bytes(os.urandom(8), "little") | 1)


class _Slots:
    """Open addressing over an array: key -> number, for keys other than 0.

    A slot holds a key and, beside it, so that a look-up costs one miss of the cache, its number
    plus one. Both are written once. `find` may run while another thread adds: a key whose
    number is not there yet counts as absent.
    """

    def __init__(self, bits: int = 14) -> None:
        self.salt = _odd()
        self.table = np.zeros((1 << bits, 2), _U)
        self.used = 0

    def _slot(self, key: np.ndarray, table: np.ndarray) -> np.ndarray:
        mixed = key >> _U(29)
        mixed ^= key
        mixed *= self.salt
        mixed >>= _U(65 - len(table).bit_length())
        return mixed.view(np.int64)

    def find(self, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of `key`, uint32 (n,), and which keys (indices into `key`) are not there."""
        table = self.table
        slot = self._slot(key, table)
        found = table.take(slot, axis=0, mode="clip")  # clipped: faster than checked
        number = found[:, 1].astype(np.uint32)
        miss = found[:, 0] != key
        miss |= number == 0
        number -= np.uint32(1)
        todo = np.flatnonzero(miss)
        at, there, wanted = slot[todo], found[todo, 0], key[todo]
        absent = []
        while len(todo):
            stop = (there == 0) | (there == wanted)  # nothing here, or no number yet
            absent.append(todo[stop])
            on = np.flatnonzero(~stop)
            todo, wanted = todo[on], wanted[on]
            at = (at[on] + 1) & (len(table) - 1)
            found = table.take(at, axis=0, mode="clip")
            there, value = found[:, 0], found[:, 1].astype(np.uint32)
            hit = (there == wanted) & (value != 0)
            number[todo[hit]] = value[hit] - np.uint32(1)
            on = np.flatnonzero(~hit)
            todo, wanted, at, there = todo[on], wanted[on], at[on], there[on]
        return number, np.concatenate(absent) if absent else np.empty(0, np.int64)

    def absent(self, key: np.ndarray) -> np.ndarray:
        """Indices of the keys that are not there, rising: int64."""
        return np.sort(self.find(key)[1])

    def add(self, key: np.ndarray, number: np.ndarray) -> None:
        """Distinct keys that are not there yet."""
        used = self.used + len(key)
        size = len(self.table)
        value = number.astype(_U) + _U(1)
        if used * 3 <= size:
            self._put(self.table, key, value)
        else:
            while used * 3 > size:
                size *= 2
            table = np.zeros((size, 2), _U)
            old = self.table[self.table[:, 0] != 0]
            self._put(table, old[:, 0], old[:, 1])
            self._put(table, key, value)
            self.table = table
        self.used = used

    def _put(self, table: np.ndarray, key: np.ndarray, value: np.ndarray) -> None:
        keys, values = table[:, 0], table[:, 1]
        asking = self._slot(key, table).view(_U) << _U(32)  # the slot asked for, and below it who asks
        asking |= np.arange(len(key), dtype=_U)
        while len(asking):
            asking.sort()  # so that memory is gone through in its order
            slot = (asking >> _U(32)).view(np.int64)
            gets = keys[slot] == 0
            gets &= starts_new(slot)  # the first of those that want a slot
            who, where = (asking[gets] & _U(2**32 - 1)).view(np.int64), slot[gets]
            keys[where] = key[who]
            values[where] = value[who]
            asking = asking[~gets]
            asking += _U(1 << 32)
            asking &= _U(len(table) - 1 << 32 | 2**32 - 1)


class Growing:
    """An array that grows at its end, doubling; of rows of `width` where that is given."""

    def __init__(self, dtype: np.typing.DTypeLike, width: int = 0) -> None:
        self.data = np.zeros((1024, width) if width else 1024, dtype)
        self.size = 0

    def reserve(self, n: int) -> None:
        """Have room for n more."""
        need = self.size + n
        if need > len(self.data):
            larger = np.zeros((max(need, 2 * len(self.data)), *self.data.shape[1:]), self.data.dtype)
            larger[: self.size] = self.data[: self.size]
            self.data = larger

    def extend(self, values: np.ndarray) -> None:
        """Put values at the end."""
        self.reserve(len(values))
        self.data[self.size : self.size + len(values)] = values
        self.size += len(values)

    @property
    def values(self) -> np.ndarray:
        """The values in it."""
        return self.data[: self.size]


class TypeInterner:
    """Types in the order in which they were first met, numbered from 0.

    Several threads may ask at once; what each works out alone is done without the lock.
    Every token must be followed by eight readable bytes in the array that holds it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._short, self._long = _Slots(), _Slots(10)
        self._fold1, self._fold2 = _odd(), _odd()
        self._blob = Growing(np.uint8)
        self._start, self._length = Growing(np.int64), Growing(np.int64)
        self._flags = Growing(np.uint8)
        # of long types only, in their own numbering: number; and length and flags, first 16 bytes, 0
        self._of_long = Growing(np.uint32)
        self._seen = Growing(_U, 4)
        self._collided: dict[tuple[bytes, int], int] = {}

    def __len__(self) -> int:
        return self._start.size

    def numbers(self, a: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray | None) -> np.ndarray:
        """The type of each token, uint32 (n,); new types are added.

        a       uint8, the bytes that hold the tokens
        start   int64 (n,)
        length  int64 (n,), at least 1
        flags   uint8 (n,) or None
        """
        if not len(start):
            return np.empty(0, np.uint32)
        view = np.ndarray((len(a) - 7,), "<u8", a, strides=(1,))
        size = length.astype(_U)
        key = view[start]
        key &= _MASK.take(length, mode="clip")
        long = np.flatnonzero(length > SHORT)
        some = _Long.of(self, a, view, start[long], length[long], None if flags is None else flags[long], key[long])
        key |= size << _U(56)
        if flags is not None:
            key |= flags.astype(_U) << _FLAG_SHIFT
        short = len(key) - len(long)
        if short and len(long):
            key[long] = key[np.argmax(length <= SHORT)]  # any key that occurs will do; replaced below
        number = self._short_numbers(key) if short else np.empty(len(key), np.uint32)
        if len(long):
            number[long] = self._long_numbers(some)
        return number

    def _short_numbers(self, key: np.ndarray) -> np.ndarray:
        number, missing = self._short.find(key)
        if len(missing):
            wanted = key[missing]
            new = np.sort(wanted)  # they hold their bytes, length and flags themselves
            new = new[starts_new(new)]  # np.unique hashes, and is slow on such keys
            with self._lock:
                new = new[self._short.absent(new)]
                n = (new >> _U(56) & _U(7)).astype(np.int64)
                letters = new.astype("<u8").view(np.uint8)
                self._short.add(new, self._append(letters, np.arange(len(new)) * 8, n, new >> _FLAG_SHIFT))
            number[missing], _ = self._short.find(wanted)
        return number

    def _append(self, a: np.ndarray, start: np.ndarray, length: np.ndarray, flags: np.ndarray) -> np.ndarray:
        """Store the bytes of new types; returns their numbers."""
        at = self._blob.size + np.cumsum(length) - length
        for some in in_parts(length, *TAKE):
            self._blob.extend(a[ragged(start[some], length[some])])
        self._blob.reserve(8)
        number = np.arange(len(self), len(self) + len(start)).astype(np.uint32)
        self._start.extend(at)
        self._length.extend(length)
        self._flags.extend(flags.astype(np.uint8))
        return number

    def _append_long(self, t: _Long, which: np.ndarray) -> np.ndarray:
        """Store new long types; returns their own numbering."""
        own = np.arange(self._of_long.size, self._of_long.size + len(which)).astype(np.uint32)
        flags = (t.tag[which] & _U(3)).astype(np.uint8)
        self._of_long.extend(self._append(t.a, t.start[which], t.length[which], flags))
        own_part = (c[which] for c in (t.tag, t.head, t.next))
        self._seen.extend(np.stack((*own_part, np.zeros(len(which), _U)), axis=1))
        return own

    def _long_numbers(self, t: _Long) -> np.ndarray:
        own, missing = self._long.find(t.key)
        if len(missing):
            wanted = t.key[missing]
            order = np.argsort(wanted)
            one = missing[order[starts_new(wanted[order])]]  # any token of each key
            one.sort()  # bytes are copied in their order
            with self._lock:
                one = one[self._long.absent(t.key[one])]
                self._long.add(t.key[one], self._append_long(t, one))
            own[missing], _ = self._long.find(wanted)
        for i in self._differ(t, own).tolist():  # `_seen` has a type before its number can be found
            begin = int(t.start[i])
            token = t.a[begin : begin + int(t.length[i])].tobytes(), int(t.tag[i]) & 3
            with self._lock:
                known = self._collided.get(token)
                if known is None:
                    known = self._collided[token] = int(self._append_long(t, np.array([i]))[0])
            own[i] = known
        return self._of_long.values.take(own, mode="clip")

    def _differ(self, t: _Long, own: np.ndarray) -> np.ndarray:
        """Indices of tokens whose bytes are not those of the type that their hash named."""
        seen = self._seen.values.take(own, axis=0, mode="clip")
        wrong = seen[:, 0] != t.tag
        wrong |= seen[:, 1] != t.head
        wrong |= seen[:, 2] != t.next
        for i in np.flatnonzero(~wrong & (t.length > HUGE)).tolist():
            n, begin, there = int(t.length[i]), int(t.start[i]), int(self._start.values[self._of_long.values[own[i]]])
            wrong[i] = not np.array_equal(t.a[begin : begin + n], self._blob.data[there : there + n])
        todo = np.flatnonzero(~wrong & (t.length > 16) & (t.length <= HUGE))
        if len(todo):
            data = self._blob.data  # `_append` leaves eight bytes behind the last type
            blob = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
            at, rest = t.start[todo] + 16, t.length[todo] - 16
            there = self._start.values[self._of_long.values[own[todo]]] + 16
            while len(todo):
                unlike = ((t.view[at] ^ blob[there]) & _MASK.take(rest, mode="clip")) != 0
                wrong[todo[unlike]] = True
                on = ~unlike & (rest > 8)
                todo, at, there, rest = todo[on], at[on] + 8, there[on] + 8, rest[on] - 8
        return np.flatnonzero(wrong)

    def _fold(
        self,
        view: np.ndarray,
        start: np.ndarray,
        length: np.ndarray,
        tag: np.ndarray,
        head: np.ndarray,
        then: np.ndarray,
    ) -> np.ndarray:
        """Hash 8-byte blocks by multiply and shift; only tokens above 16 bytes take further rounds."""
        key = (head ^ tag) * self._fold1
        key ^= key >> _U(31)
        key *= self._fold2  # before more is added: what differs in its highest bit only would differ as foreseen
        key ^= then
        key ^= key >> _U(32)
        key *= self._fold1
        key ^= key >> _U(29)
        a = view.base
        assert a is not None
        for i in np.flatnonzero(length > HUGE).tolist():
            begin = int(start[i])
            key[i] ^= _U(hash(a[begin : begin + int(length[i])].tobytes()) & (2**64 - 1))
        todo = np.flatnonzero((length > 16) & (length <= HUGE))
        at, rest = start[todo] + 16, length[todo] - 16
        while len(todo):
            piece = view[at] & _MASK.take(rest, mode="clip")
            h = (key[todo] ^ piece) * self._fold1
            key[todo] = (h ^ (h >> _U(31))) * self._fold2
            on = rest > 8
            todo, at, rest = todo[on], at[on] + 8, rest[on] - 8
        key[key == 0] = 1
        return key

    def numbers_of(self, types: Types) -> np.ndarray:
        """The number of each of some types, which are added where they are new: uint32 (V,)."""
        blob = types.padded()
        found = [np.empty(0, np.uint32)]
        for low in range(0, len(types), _TYPES):
            some = slice(low, low + _TYPES)
            found.append(self.numbers(blob, types.start[some], types.length[some], types.flags[some]))
        return np.concatenate(found)

    def types(self) -> Types:
        """All types met so far."""
        return Types(self._blob.values, self._start.values, self._length.values, self._flags.values)


@dataclass
class _Long:
    """Tokens above `SHORT` bytes, with their hashes.

    head, next  uint64, their first and second eight bytes
    tag         uint64, length and flags
    """

    a: np.ndarray
    view: np.ndarray
    start: np.ndarray
    length: np.ndarray
    head: np.ndarray
    next: np.ndarray
    tag: np.ndarray
    key: np.ndarray

    @classmethod
    def of(
        cls,
        interner: TypeInterner,
        a: np.ndarray,
        view: np.ndarray,
        start: np.ndarray,
        length: np.ndarray,
        flags: np.ndarray | None,
        head: np.ndarray,
    ) -> _Long:
        then = view[start + 8] & _MASK.take(length - 8, mode="clip")
        tag = length.astype(_U) << _U(2)
        if flags is not None:
            tag |= flags
        key = interner._fold(view, start, length, tag, head, then)
        return cls(a, view, start, length, head, then, tag, key)
