"""Windows of ids in order: several ids in one uint64, and a plain sort.

Legend: a window is the n ids that begin at one place of the stream, cut off behind the
first EOS; m windows; k is a column, 0..n-1; d[j] is the number (1..n) of the first
column in which sorted window j differs from window j-1, n+1 where the two are equal.

`np.sort` of uint64 is vectorised and `argsort` is not (0.5 s against 5.9 s for 16 M), so a
window's own number rides in the low bits of its key and comes out as the permutation. What
is alone after a few columns is in its final place and is not sorted again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..text.vocabulary import BOS, EOS

_U = np.uint64


class Windows(NamedTuple):
    """Distinct windows in order.

    place  int64 (u,)    where in the stream each first stood; None where `key` is given
    key    uint64 (u,)   all its ids packed; None where they do not fit
    d      uint8/16 (u,) the first column that differs from the window before
    at     int64 (u+1,)  running sum of how often each occurs
    """

    place: np.ndarray | None
    key: np.ndarray | None
    d: np.ndarray
    at: np.ndarray


def reach_of(stream: np.ndarray, length: int, order: int) -> np.ndarray:
    """The size of the window at each place: uint8 (uint16 from order 255) (length,).

    A window ends with the first EOS behind its first id, or after `order` ids.
    """
    dtype = np.uint8 if order < 255 else np.uint16
    reach = np.full(length, min(order, 2), dtype)
    if order > 2:
        open_ = stream != EOS
        alive = np.ones(length, bool)
        for k in range(1, order - 1):
            alive &= open_[k : k + length]
            reach += alive
    return reach


def first_column(stream: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The first ids of windows: an EOS that opens one is its BOS."""
    ids = stream[place]
    return np.where(ids == EOS, np.uint32(BOS), ids)


def sort_windows(
    stream: np.ndarray, reach: np.ndarray, place: np.ndarray, order: int, bits: int
) -> Windows:
    """The windows that begin at `place`, int64 (m,), in order, equal ones counted.

    stream  uint32, with `order` readable entries behind every place
    bits    bits that hold any id
    """
    size = reach[place]
    if order * bits <= 64:
        return _packed(stream, size, place, order, bits)
    return _refined(stream, size, place, order, bits)


def _packed(stream: np.ndarray, size: np.ndarray, place: np.ndarray, order: int, bits: int) -> Windows:
    """A whole window fits one key: one sort."""
    key = first_column(stream, place).astype(_U)
    for k in range(1, order):
        ids = stream[place + k]
        if k > 1:
            ids *= size > k  # nothing follows an EOS, so its zeros cannot be mistaken
        key <<= _U(bits)
        key |= ids
    key.sort()
    new = np.empty(len(key) + 1, bool)
    new[0] = new[-1] = True
    np.not_equal(key[1:], key[:-1], out=new[1:-1])
    at = np.flatnonzero(new)
    key = key[at[:-1]]
    return Windows(None, key, _levels(key, order, bits), at)


def _levels(key: np.ndarray, columns: int, bits: int) -> np.ndarray:
    """d for sorted keys of that many columns."""
    d = np.full(len(key), columns + 1, np.uint8 if columns < 255 else np.uint16)
    d[:1] = 1
    differ = key[1:] ^ key[:-1]
    for k in range(columns):
        d[1:] -= differ >= _U(1 << (bits * k))
    return d


def _refined(stream: np.ndarray, size: np.ndarray, place: np.ndarray, order: int, bits: int) -> Windows:
    """Sort by some columns, then only what still ties by the next ones, and so on."""
    m = len(place)
    d = np.full(m, order + 1, np.uint8 if order < 255 else np.uint16)
    perm = np.empty(m, np.int64)
    slot = member = np.arange(m)  # what is still to be sorted: places in the order, windows
    first = first_column(stream, place)
    rank = (first - first.min()).astype(_U) if m else first.astype(_U)
    done, fresh_rank = 1, True
    while len(slot):
        rank_bits, own_bits = int(rank.max()).bit_length(), (len(slot) - 1).bit_length()
        fit = min((63 - rank_bits - own_bits) // bits, order - done)
        if fit < 1:
            key, member = _sorted_wide(stream, size, place, member, rank, done, bits)
            fit = 1
        else:
            key = rank
            for k in range(done, done + fit):
                key = key << _U(bits) | _ids(stream, size, place, member, k)
            key = key << _U(own_bits) | np.arange(len(slot), dtype=_U)
            key.sort()
            member = member[(key & _U((1 << own_bits) - 1)).astype(np.int64)]
            key >>= _U(own_bits)
        perm[slot] = member
        differ = key[1:] ^ key[:-1]
        level = np.full(len(slot), order + 1, d.dtype)
        for k in range(fit):  # from the last column to the first
            level[1:][differ >= _U(1 << (bits * k))] = done + fit - k
        tie_broken = differ >= _U(1 << (bits * fit))  # the ranks differ: known before
        level[1:][tie_broken] = 1 if fresh_rank else 0
        level[0] = 1 if fresh_rank else 0
        d[slot] = np.where(level > 0, level, d[slot])
        done, fresh_rank = done + fit, False
        if done == order:
            break
        same = np.zeros(len(slot) + 1, bool)
        same[1:-1] = differ == 0
        keep = (same[1:] | same[:-1]) & (size[member] > done)
        rank = np.cumsum(~same[:-1][keep]).astype(_U)
        slot, member = slot[keep], member[keep]
    at = np.flatnonzero(np.append(d <= order, True))
    begin = at[:-1]
    return Windows(place[perm[begin]], None, d[begin], at)


def _ids(stream: np.ndarray, size: np.ndarray, place: np.ndarray, member: np.ndarray, k: int) -> np.ndarray:
    ids = stream[place[member] + k]
    ids *= size[member] > k
    return ids


def _sorted_wide(
    stream: np.ndarray,
    size: np.ndarray,
    place: np.ndarray,
    member: np.ndarray,
    rank: np.ndarray,
    k: int,
    bits: int,
) -> tuple[np.ndarray, np.ndarray]:
    """One column by `argsort`, where key and window number do not fit one uint64 together."""
    key = rank << _U(bits) | _ids(stream, size, place, member, k)
    order = np.argsort(key, kind="stable")
    return key[order], member[order]
