"""Sorts and counts n-grams: as many ids as fit are packed into one uint64 key, and keys are sorted.

Legend: a window is the n ids that begin at one place of the stream, cut off after the
first EOS; m windows; k is a column, 0..n-1; d[j] is the number (1..n) of the first
column in which sorted window j differs from window j-1, n+1 where the two are equal.

Windows are given as keys, per key uint64 (m,): key 0 holds the first `64 // bits` ids, the
next key the ids behind them, and so on; the last id of each key is in its low bits.

`np.sort` of uint64 is vectorised and `argsort` is not (0.5 s against 5.9 s for 16 M), so where
a window has several keys, what is sorted holds the window's index in its low bits, and gives the
permutation. A window that is distinct after a few columns is in its final place and is not
sorted again. Windows that are only some bits longer than a key are sorted in groups of near first
ids, each as a single key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arrays.sorting import distinct_values, run_edges, starts_new
from ..text.types import BOS, EOS

_U = np.uint64
_GATHERED = 1 << 15  # windows at one time
_GROUP_BITS = 8  # by which a window may be longer than one key, to be sorted in groups
_GROUP = 1 << 16  # windows of a group
_MANY = 1 << 21  # windows with weights from which groups are faster (measured); without weights, any number


class Windows(NamedTuple):
    """Distinct windows, sorted: u of m.

    d        uint8/16 (u,)  see the legend
    at       int64 (u+1,)   running sum of the counts, or of the weights; (u+1, c) of c columns of them
    size     uint8/16 (u,)  number of ids up to and including the first EOS
    keys     per key, uint64 (u,), `bits` bits an id
    member   int64 (u,)     index of each among the m; None where the windows were sorted without it
    """

    d: np.ndarray
    at: np.ndarray
    size: np.ndarray
    keys: list[np.ndarray]
    member: np.ndarray | None
    bits: int
    order: int

    def ids(self, row: np.ndarray, k: int) -> np.ndarray:
        """Ids in column k (0..order-1) of the windows `row`: uint32."""
        return columns_between(self.keys, k, k + 1, self.order, self.bits, row).astype(np.uint32)


def small(order: int) -> type[np.unsignedinteger]:
    """Smallest dtype that holds a number of columns, and order + 1."""
    return np.uint8 if order < 255 else np.uint16


def n_keys(order: int, bits: int) -> int:
    """Number of keys of a window of `order` ids of `bits` bits."""
    return -(-order // (64 // bits))


def columns_between(
    keys: list[np.ndarray], low: int, high: int, order: int, bits: int, which: np.ndarray | None = None
) -> np.ndarray:
    """The ids in columns low..high-1, packed as in a key: uint64 (m,), a new array.

    which  int64, windows; None for all
    """
    per = 64 // bits
    out: np.ndarray | None = None
    for j in range(low // per, (high - 1) // per + 1):
        begin, end, last = max(low, j * per), min(high, (j + 1) * per), min((j + 1) * per, order)
        some = keys[j] if which is None else keys[j].take(which, mode="clip")
        some = some >> _U(bits * (last - end))
        if begin > j * per:
            some &= _U((1 << bits * (end - begin)) - 1)
        if out is not None:
            out <<= _U(bits * (end - begin))
            some |= out
        out = some
    assert out is not None
    return out


def keys_along(stream: np.ndarray, n: int, order: int, bits: int) -> list[np.ndarray]:
    """The keys of the windows that begin at the first n places.

    stream  uint32 (n + order - 1,)
    bits    bits that hold any id
    """
    keys = packed([stream[k : k + n] for k in range(order)], bits)
    per = 64 // bits
    ends = np.flatnonzero(stream[: n + max(order - 2, 0)] == EOS)
    own = ends[: np.searchsorted(ends, n)]
    first = _U(bits * (min(per, order) - 1))
    keys[0][own] -= _U(EOS - BOS) << first  # what begins a sequence begins with BOS
    for j in range(1, order - 1):  # windows with an EOS in column j: EOS in all columns behind it
        some = ends[np.searchsorted(ends, j) : np.searchsorted(ends, n + j)] - j
        for i, key in enumerate(keys):
            begin, end = max(j + 1, i * per), min((i + 1) * per, order)
            if begin < end:
                kept = key[some] >> _U(bits * (end - begin)) << _U(bits * (end - begin)) if begin > i * per else _U(0)
                key[some] = kept | _U(sum(EOS << bits * k for k in range(end - begin)))
    return keys


def keys_at(stream: np.ndarray, place: np.ndarray, order: int, bits: int) -> list[np.ndarray]:
    """The keys of the windows that begin at `place`, int64 (m,).

    stream  uint32, with `order` readable entries from every place on
    bits    bits that hold any id
    """
    keys = [np.empty(len(place), _U) for _ in range(n_keys(order, bits))]
    windows = np.lib.stride_tricks.sliding_window_view(stream, order) if len(place) else stream
    for low in range(0, len(place), _GATHERED):  # whole windows, each of which is often one line of the cache
        some = windows[place[low : low + _GATHERED]]
        first = some[:, 0]
        first[first == EOS] = BOS
        for k in range(2, order):
            some[np.flatnonzero(some[:, k - 1] == EOS), k] = EOS  # few: faster than a mask
        for key, made in zip(keys, packed([some[:, k] for k in range(order)], bits), strict=True):
            key[low : low + _GATHERED] = made
    return keys


def packed(columns: list[np.ndarray], bits: int) -> list[np.ndarray]:
    """Windows, given per column, uint32 (m,), as keys."""
    per = 64 // bits
    keys = []
    for begin in range(0, len(columns), per):
        key = columns[begin].astype(_U)
        for ids in columns[begin + 1 : begin + per]:
            key <<= _U(bits)
            key |= ids
        keys.append(key)
    return keys


def sorted_windows(keys: list[np.ndarray], order: int, bits: int, weight: np.ndarray | None = None) -> Windows:
    """Sort windows, and add up the counts of equal ones; `keys` are used up, and may be the memory of the result.

    keys    per key, uint64 (m,)
    bits    bits that hold any id
    weight  int64 (m,), count of each; or (m, c); None for one each
    """
    if bits * order <= 64 + min(_GROUP_BITS, bits - 1):
        many = len(weight) >= _MANY if weight is not None else len(keys) > 1
        if many and len(keys[0]):
            return _by_first_ids(keys, order, bits, weight)
        if len(keys) == 1:
            d, at, key = _by_key(keys[0], order, bits, weight)
            return Windows(d, at, _sizes([key], order, bits), [key], None, bits, order)
    return refined(keys, order, bits, weight)


def _by_key(
    key: np.ndarray, order: int, bits: int, weight: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort windows of one key: d and at of `Windows`, and the distinct keys."""
    if weight is None:
        key.sort()
    else:
        by_key = np.argsort(key)
        key, weight = key[by_key], weight[by_key]
    at = np.flatnonzero(run_edges(key))
    key = key.take(at[:-1], mode="clip")
    return _levels(key, order, order, bits), _running(at, weight), key


def _by_first_ids(keys: list[np.ndarray], order: int, bits: int, weight: np.ndarray | None) -> Windows:
    """Sort windows that fit into one key, or are a few bits too long, in groups of neighbouring first ids.

    The first ids of a group differ by so little that the difference fits into the bits that the other ids leave free.
    """
    m, per = len(keys[0]), 64 // bits
    own, behind = bits * (min(per, order) - 1), bits * max(order - per, 0)  # bits of key 0 but its first id; of key 1
    base = _groups(keys[0], own, 64 - bits * (order - 1))
    key, weight, edges = _grouped(keys, weight, own, behind, base)
    d, at = np.empty(m, small(order)), np.empty((m + 1, *(() if weight is None else weight.shape[1:])), np.int64)
    u, before = 0, np.zeros(at.shape[1:], np.int64)
    for low, high, smallest in zip(edges[:-1], edges[1:], base << _U(own), strict=True):
        if low < high:
            own_d, own_at, some = _by_key(key[low:high], order, bits, None if weight is None else weight[low:high])
            here = slice(u, u + len(some))  # fresh memory costs more than the arithmetic: `keys` are used up
            d[here], at[here] = own_d, own_at[:-1] + before
            np.add(some >> _U(behind), smallest, out=keys[0][here])
            if behind:
                np.bitwise_and(some, _U((1 << behind) - 1), out=keys[1][here])
            u, before = here.stop, before + own_at[-1]
    at[u] = before
    keys = [key[:u] for key in keys]
    return Windows(d[:u], at[: u + 1], _sizes(keys, order, bits), keys, None, bits, order)


def _groups(key: np.ndarray, own: int, bits: int) -> np.ndarray:
    """The smallest first id of each group, uint64, rising: so that all of a group have differences below 2**bits.

    own  bits of the key behind the first id

    A group has about as many windows as the processor's cache holds.
    """
    sample = np.sort(key[:: max(len(key) >> 12, 1)]) >> _U(own)
    n = len(key) // _GROUP
    alike = sample[np.arange(1, n + 1) * len(sample) // (n + 1)]
    wide = np.arange(int(key.min()) >> own, (int(key.max()) >> own) + 1, 1 << bits, dtype=_U)
    return distinct_values(np.concatenate((alike, wide)))


def _grouped(
    keys: list[np.ndarray], weight: np.ndarray | None, own: int, behind: int, base: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None, list[int]]:
    """Windows in the order of their groups: one key each, less the smallest of its group; weights; edges of the groups.

    Groups are filled some windows at a time, which stay in the processor's cache with all that is worked out of them.
    """
    m, n_groups, smallest, group_of = len(keys[0]), len(base), base << _U(own), _group_table(base, len(keys[0]))
    blocks = [slice(low, low + _GATHERED) for low in range(0, m, _GATHERED)]
    which = np.empty(m, _narrow(base))
    for block in blocks:
        which[block] = group_of(keys[0][block] >> _U(own))
    edges = [0, *np.cumsum(np.bincount(which, minlength=n_groups)).tolist()]
    key, counts, free = np.empty(m, _U), None if weight is None else np.empty_like(weight), np.array(edges[:-1])
    for block in blocks:
        made = keys[0][block] - smallest.take(which[block])
        if behind:
            made <<= _U(behind)
            made |= keys[1][block]
        by = np.argsort(which[block], kind="stable")  # of 8 or 16 bits: a radix sort
        n = np.bincount(which[block], minlength=n_groups)
        to = np.repeat(free - (np.cumsum(n) - n), n) + np.arange(len(by))
        key[to] = made.take(by)
        if weight is not None and counts is not None:
            counts[to] = weight[block].take(by, axis=0)
        free += n
    return key, counts, edges


def _narrow(base: np.ndarray) -> type[np.unsignedinteger]:
    """The dtype of the number of a group."""
    return np.uint8 if len(base) <= 256 else np.uint16


def _group_table(base: np.ndarray, m: int) -> Callable[[np.ndarray], np.ndarray]:
    """Function that gives the group of each first id, uint64: from a table where m windows are worth one."""
    span = int(base[-1]) - int(base[0]) + 1
    if span > 4 * m:
        return lambda first: np.searchsorted(base, first, "right") - 1
    ends = [*(base[1:] - base[0]).tolist(), span]
    table = np.repeat(np.arange(len(base), dtype=_narrow(base)), np.diff(ends, prepend=0))
    return lambda first: table.take((first - base[0]).view(np.int64), mode="clip")


def _running(at: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """`Windows.at`, from the places where each distinct window begins among the sorted ones."""
    if weight is None:
        return at
    out = np.zeros((len(at), *weight.shape[1:]), np.int64)
    np.cumsum(np.add.reduceat(weight, at[:-1]), axis=0, out=out[1:])
    return out


def _sizes(keys: list[np.ndarray], order: int, bits: int) -> np.ndarray:
    """`Windows.size`: all ids behind an EOS are EOS, so few windows have one before their last column."""
    size = np.full(len(keys[0]), order, small(order))
    if order > 2:
        short = np.flatnonzero(columns_between(keys, order - 2, order - 1, order, bits) == EOS)
        for k in range(1, order - 1):
            size[short] -= columns_between(keys, k, k + 1, order, bits, short) == EOS
    return size


def _levels(key: np.ndarray, order: int, columns: int, bits: int) -> np.ndarray:
    """`Windows.d` for sorted keys that hold the last `columns` columns of windows that are alike before them."""
    d = np.full(len(key), order + 1, small(order))
    differ = key[1:] ^ key[:-1]
    for k in range(columns):
        d[1:] -= differ >= _U(1 << (bits * k))
    d[:1] = 1
    return d


def refined(
    keys: list[np.ndarray], order: int, bits: int, weight: np.ndarray | None = None, label: np.ndarray | None = None
) -> Windows:
    """Sort by as many columns as fit one key, then only the ties by the next columns, and so on.

    label  uint32 (m,), sorted by before all ids, as if it were one: `d` is of `order` + 1 columns; None for none

    At the top of the loop the windows are sorted by their first `done` columns; `slot` are the places that still
    tie, `member` the windows there, `rank` their group of ties, and `d` is final everywhere else.
    """
    m, ahead = len(keys[0]), int(label is not None)
    last = order + ahead + 1  # of d: equal windows
    if label is None:
        rank, done = columns_between(keys, 0, 1, order, bits), 1
        rank -= rank.min()
    else:
        rank, done = label.astype(_U), 0
    d = np.full(m, last, small(last - 1))
    perm = np.arange(m)
    slot: np.ndarray | None = None  # None for all places
    member = perm
    while True:
        n = len(member)
        rank_bits, own_bits = int(rank.max()).bit_length(), (n - 1).bit_length()
        fit = min((63 - rank_bits - own_bits) // bits, order - done)
        rides = fit >= 1
        if not rides:  # key and index do not fit together: `argsort`, with as many columns as fit alone
            fit = max(min((63 - rank_bits) // bits, order - done), 1)
        key = rank
        key <<= _U(bits * fit)
        key |= columns_between(keys, done, done + fit, order, bits, None if slot is None else member)
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
        level = np.full(n, last, d.dtype)
        level[0] = 1
        for k in range(fit):  # minus one for each column, from the last, down to the first that differs
            level[1:] -= differ >= _U(1 << (bits * k))
        level[1:] -= d.dtype.type(order - done - fit) * (differ != 0)
        if slot is None:
            level[1:][differ >= _U(1 << (bits * fit))] = 1
            if weight is None and label is None and own_bits + bits * (order - done - fit) < 64:
                return _by_rest(keys, member, level, done + fit, order, bits)
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
        keep &= (key & _U((1 << bits) - 1)) != EOS
        on = np.flatnonzero(keep)
        if not len(on):
            break
        rank = np.cumsum(~same[on]).astype(_U)
        slot, member = on if slot is None else slot[on], member[on]
    at = np.flatnonzero(np.append(d < last, True))
    member = perm[at[:-1]]
    running = _running(at, None if weight is None else weight[perm])
    keys = [key.take(member, mode="clip") for key in keys]
    return Windows(d[at[:-1]], running, _sizes(keys, order, bits), keys, member, bits, order)


def _by_rest(
    keys: list[np.ndarray], member: np.ndarray, level: np.ndarray, done: int, order: int, bits: int
) -> Windows:
    """Sort windows that are sorted by their first columns by all others at once, without their indices.

    member  int64 (m,), the windows, sorted by their first `done` columns
    level   `Windows.d` of them, where they differ in these columns
    """
    begin = np.flatnonzero(level <= done)  # of groups that have these columns in common
    rest = bits * (order - done)
    rank = np.zeros(len(member), np.uint32)
    rank[begin[1:]] = 1
    key = np.cumsum(rank, dtype=_U)
    key <<= _U(rest)
    if rest:
        key |= columns_between(keys, done, order, order, bits, member)
    key.sort()
    at = np.flatnonzero(run_edges(key))
    key = key.take(at[:-1], mode="clip")
    d = _levels(key, order, order - done, bits)
    group = (key >> _U(rest)).view(np.int64)
    d[starts_new(group)] = level[begin]
    member = member[begin]
    per = 64 // bits
    found = []
    for low in range(0, order, per):
        high = min(low + per, order)
        if high <= done:
            some = columns_between(keys, low, high, order, bits, member).take(group, mode="clip")
        else:
            some = key >> _U(bits * (order - high))
            some &= _U((1 << bits * (high - max(low, done))) - 1)
            if low < done:
                before = columns_between(keys, low, done, order, bits, member) << _U(bits * (high - done))
                some |= before.take(group, mode="clip")
        found.append(some)
    return Windows(d, at, _sizes(found, order, bits), found, None, bits, order)
