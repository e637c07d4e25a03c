"""Sorts and counts n-grams: several ids are packed into one uint64 key, and keys are sorted.

Legend: a window is the n ids that begin at one place of the stream, cut off after the
first EOS; m windows; k is a column, 0..n-1; d[j] is the number (1..n) of the first
column in which sorted window j differs from window j-1, n+1 where the two are equal.

`np.sort` of uint64 is vectorised and `argsort` is not (0.5 s against 5.9 s for 16 M), so the
low bits of a key hold the window's index, and the sorted keys give the permutation. A window
that is distinct after a few columns is in its final place and is not sorted again.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..text.types import BOS, EOS

_U = np.uint64
_GATHERED = 1 << 15  # windows at one time


class Windows(NamedTuple):
    """Distinct windows, sorted: u of m.

    d        uint8/16 (u,)  see the legend
    at       int64 (u+1,)   running sum of the counts, or of the weights; (u+1, c) of c columns of them
    size     uint8/16 (u,)  number of ids up to and including the first EOS
    key      uint64 (u,)    all ids packed, `bits` each; None where they do not fit
    columns  per column, the ids of all m windows, uint32 (m,); None where `key` is given
    member   int64 (u,)     index of each among the m; None where `key` is given
    """

    d: np.ndarray
    at: np.ndarray
    size: np.ndarray
    key: np.ndarray | None
    columns: list[np.ndarray] | None
    member: np.ndarray | None
    bits: int
    order: int

    def ids(self, row: np.ndarray, k: int) -> np.ndarray:
        """Ids in column k (0..order-1) of the windows `row`: uint32."""
        if self.key is not None:
            ids = self.key.take(row, mode="clip") >> _U(self.bits * (self.order - 1 - k))
            return (ids & _U((1 << self.bits) - 1)).astype(np.uint32)
        assert self.columns is not None and self.member is not None
        return self.columns[k].take(self.member.take(row, mode="clip"), mode="clip")


def small(order: int) -> type[np.unsignedinteger]:
    """Smallest dtype that holds a number of columns, and order + 1."""
    return np.uint8 if order < 255 else np.uint16


def fits_one_key(order: int, bits: int) -> bool:
    """True where a window of `order` ids of `bits` bits fits one uint64."""
    return order * bits <= 64


def keys_along(stream: np.ndarray, n: int, order: int, bits: int) -> np.ndarray:
    """All ids of each of the windows that begin at the first n places, packed: uint64 (n,).

    stream  uint32 (n + order - 1,)
    bits    bits that hold any id; see `fits_one_key`
    """
    ids = stream[:n]
    key = ids.astype(_U)
    key[ids == EOS] = BOS
    ended: np.ndarray | None = None  # windows whose first EOS is behind their first id, and before this one
    for k in range(1, order):
        ids = stream[k : k + n]
        if ended is not None:
            ids = np.where(ended, np.uint32(EOS), ids)
        key <<= _U(bits)
        key |= ids
        ended = ids == EOS
    return key


def sort_keys_of_windows(key: np.ndarray, order: int, bits: int) -> Windows:
    """Sort and count windows that are packed as `Windows.key`; sorts `key` in place."""
    key.sort()
    return _packed(key, order, bits)


def sort_windows(stream: np.ndarray, place: np.ndarray, order: int, bits: int) -> Windows:
    """Sort and count the windows that begin at `place`, int64 (m,).

    stream  uint32, with `order` readable entries from every place on
    bits    bits that hold any id
    """
    columns = columns_of(stream, place, order)
    key = packed(columns, bits)
    return refined(columns, bits) if key is None else sort_keys_of_windows(key, order, bits)


def sort_first_windows(stream: np.ndarray, n: int, order: int, bits: int) -> Windows:
    """Sort and count the windows that begin at the first n places; `stream` and `bits` as in `sort_windows`."""
    if fits_one_key(order, bits):
        return sort_keys_of_windows(keys_along(stream, n, order, bits), order, bits)
    return sort_windows(stream, np.arange(n), order, bits)


def columns_of(stream: np.ndarray, place: np.ndarray, order: int) -> list[np.ndarray]:
    """Columns of the windows that begin at `place`: uint32 (m,) each."""
    columns = [np.empty(len(place), np.uint32) for _ in range(order)]
    windows = np.lib.stride_tricks.sliding_window_view(stream, order) if len(place) else stream
    for low in range(0, len(place), _GATHERED):  # whole windows, each of which is often one line of the cache
        some = windows[place[low : low + _GATHERED]]
        for k, ids in enumerate(columns):
            ids[low : low + _GATHERED] = some[:, k]
    columns[0][columns[0] == EOS] = BOS
    for before, ids in pairwise(columns[1:]):
        ids[np.flatnonzero(before == EOS)] = EOS  # few: faster than a mask
    return columns


def packed(columns: list[np.ndarray], bits: int) -> np.ndarray | None:
    """All ids of each window in one key, uint64 (m,); None where they do not fit."""
    if not fits_one_key(len(columns), bits):
        return None
    key = columns[0].astype(_U)
    for ids in columns[1:]:
        key <<= _U(bits)
        key |= ids
    return key


def sort_rows(key: np.ndarray | None, columns: list[np.ndarray], weight: np.ndarray, order: int, bits: int) -> Windows:
    """Sort windows that have counts, and add up the counts of equal ones.

    key      uint64 (m,), all ids packed as in `Windows.key`; or None, and then
    columns  per column, uint32 (m,)
    weight   int64 (m,), count of each; or (m, c)
    """
    if key is not None:
        by_key = np.argsort(key)
        return _packed(key[by_key], order, bits, weight[by_key])
    return refined(columns, bits, weight)


def _running(at: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """`Windows.at`, from the places where each distinct window begins among the sorted ones."""
    if weight is None:
        return at
    out = np.zeros((len(at), *weight.shape[1:]), np.int64)
    np.cumsum(np.add.reduceat(weight, at[:-1]), axis=0, out=out[1:])
    return out


def _packed(key: np.ndarray, order: int, bits: int, weight: np.ndarray | None = None) -> Windows:
    """Distinct windows of sorted keys that hold a whole window each."""
    new = np.empty(len(key) + 1, bool)
    new[0] = new[-1] = True
    np.not_equal(key[1:], key[:-1], out=new[1:-1])
    at = np.flatnonzero(new)
    key = key.take(at[:-1], mode="clip")
    size = np.full(len(key), min(order, 2), np.uint8)
    for k in range(1, order - 1):
        size += (key >> _U(bits * (order - 1 - k)) & _U((1 << bits) - 1)) != EOS
    return Windows(_levels(key, order, bits), _running(at, weight), size, key, None, None, bits, order)


def _levels(key: np.ndarray, columns: int, bits: int) -> np.ndarray:
    """`Windows.d` for sorted keys of `columns` columns."""
    d = np.full(len(key), columns + 1, np.uint8)
    d[:1] = 1
    differ = key[1:] ^ key[:-1]
    for k in range(columns):
        d[1:] -= differ >= _U(1 << (bits * k))
    return d


def refined(columns: list[np.ndarray], bits: int, weight: np.ndarray | None = None) -> Windows:
    """Sort by as many columns as fit a key, then only the ties by the next columns, and so on.

    At the top of the loop the windows are sorted by their first `done` columns; `slot` are the places that still
    tie, `member` the windows there, `rank` their group of ties, and `d` is final everywhere else.
    """
    order, m = len(columns), len(columns[0])
    size = np.full(m, min(order, 2), small(order))
    for k in range(1, order - 1):
        size += columns[k] != EOS
    d = np.full(m, order + 1, small(order))
    perm = np.arange(m)
    slot: np.ndarray | None = None  # None for all places
    member = perm
    rank = (columns[0] - columns[0].min()).astype(_U)
    done = 1
    while True:
        n = len(member)
        rank_bits, own_bits = int(rank.max()).bit_length(), (n - 1).bit_length()
        fit = min((63 - rank_bits - own_bits) // bits, order - done)
        rides = fit >= 1
        if not rides:  # key and index do not fit together: `argsort`, with as many columns as fit alone
            fit = max(min((63 - rank_bits) // bits, order - done), 1)
        key = rank
        for k in range(done, done + fit):
            key <<= _U(bits)
            key |= columns[k] if slot is None else columns[k].take(member, mode="clip")
        if rides:
            key <<= _U(own_bits)
            key |= np.arange(n, dtype=_U)
            key.sort()
            moved = (key & _U((1 << own_bits) - 1)).view(np.int64)
            key >>= _U(own_bits)
        else:
            moved = np.argsort(key)
            key = key[moved]
        member = moved if slot is None else member.take(moved, mode="clip")
        differ = key[1:] ^ key[:-1]
        level = np.full(n, order + 1, d.dtype)
        level[0] = 1
        for k in range(fit):  # minus one for each column, from the last, down to the first that differs
            level[1:] -= differ >= _U(1 << (bits * k))
        level[1:] -= d.dtype.type(order - done - fit) * (differ != 0)
        if slot is None:
            level[1:][differ >= _U(1 << (bits * fit))] = 1
            perm, d = member, level
        else:
            known = differ >= _U(1 << (bits * fit))  # the ranks differ: d is final
            fresh = np.flatnonzero(~known) + 1
            perm[slot] = member
            d[slot[fresh]] = level[fresh]
        done += fit
        if done == order:
            break
        same = np.zeros(n + 1, bool)
        same[1:-1] = differ == 0
        keep = same[1:] | same[:-1]
        keep &= columns[done - 1].take(member, mode="clip") != EOS
        on = np.flatnonzero(keep)
        if not len(on):
            break
        rank = np.cumsum(~same[on]).astype(_U)
        slot, member = on if slot is None else slot[on], member[on]
    at = np.flatnonzero(np.append(d <= order, True))
    begin = at[:-1]
    member = perm[begin]
    running = _running(at, None if weight is None else weight[perm])
    return Windows(d[begin], running, size[member], None, columns, member, bits, order)
