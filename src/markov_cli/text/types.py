"""Types: the bytes and flags of distinct tokens, and their final order.

Legend: V is the number of types; a blob is the bytes of all of them one behind another.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import in_parts, ragged, sort_keys, starts_new

UNK, BOS, EOS = 0, 1, 2
MARKERS = ("<unk>", "<s>", "</s>")
N_MARKERS = len(MARKERS)
UNKNOWN = 4  # the flag of a type that stands for <unk>, which a text has where its markers are read
UNKNOWN_CHAR = 0xD800  # the same among code points: it is none of any text

_DEEP = 1 << 12
TAKE = 1 << 14, 1 << 20  # types, and bytes of them, copied at one time, to stay in the cache
_U = np.uint64


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
        blob = [self.blob[ragged(start[some], length[some])] for some in in_parts(length, *TAKE)]
        whole = np.concatenate(blob) if blob else np.empty(0, np.uint8)
        return Types(whole, np.cumsum(length) - length, length, self.flags[which])

    def bytes_of(self, i: int) -> tuple[bytes, int]:
        """One type: its bytes and flags."""
        begin = int(self.start[i])
        return self.blob[begin : begin + int(self.length[i])].tobytes(), int(self.flags[i])

    def padded(self) -> np.ndarray:
        """The blob with eight zero bytes behind it."""
        return np.concatenate((self.blob, np.zeros(8, np.uint8)))


def invalid_types(types: Types) -> tuple[int, str]:
    """The number of types that are not UTF-8, and some of them, joined by spaces, with surrogates for those bytes."""
    try:
        types.blob.tobytes().decode()
        if not ((types.blob[types.start[types.length > 0]] & 0xC0) == 0x80).any():
            return 0, ""
    except UnicodeDecodeError:
        pass
    wide = np.flatnonzero(types.blob >= 0x80)
    some = np.searchsorted(wide, types.start) < np.searchsorted(wide, types.start + types.length)
    found: list[bytes] = []
    n = 0
    for i in np.flatnonzero(some).tolist():
        word = types.bytes_of(i)[0]
        try:
            word.decode()
        except UnicodeDecodeError:
            n += 1
            if len(found) < 200:
                found.append(word[:64])
    return n, b" ".join(found).decode("utf-8", "surrogateescape")


def first_bytes(types: Types) -> np.ndarray:
    """The first eight bytes of each type, zeros behind shorter ones, as a number that sorts like them: uint64 (V,)."""
    blob = types.padded()
    view = np.ndarray((len(blob) - 7,), ">u8", blob, strides=(1,))
    return view[types.start] & _FRONT[np.minimum(types.length, 8)]


def code_point_types(cp: np.ndarray) -> Types:
    """Code points as types: their UTF-8; `UNKNOWN_CHAR` has the flag of `<unk>`."""
    length = 1 + (cp >= 0x80).astype(np.int64) + (cp >= 0x800) + (cp >= 0x10000)
    form = np.zeros((len(cp), 4), np.uint8)
    for n, head in ((1, 0), (2, 0xC0), (3, 0xE0), (4, 0xF0)):
        rows = length == n
        for i in range(n):
            bits = cp[rows] >> (6 * (n - 1 - i))
            form[rows, i] = (bits | head) if i == 0 else (bits & 0x3F) | 0x80
    flags = np.where(cp == UNKNOWN_CHAR, UNKNOWN, 0).astype(np.uint8)
    return Types(form.ravel(), 4 * np.arange(len(cp)), length, flags)


def order_of_types(types: Types, count: np.ndarray) -> np.ndarray:
    """The types by falling count, ties by their bytes, then by their flags: int64 (V,).

    Equal counts are put in order by eight bytes at a time, only those that still tie.
    """
    blob = types.padded()
    view = np.ndarray((len(blob) - 7,), ">u8", blob, strides=(1,))
    first = first_bytes(types)
    order = np.argsort(first)
    of = count[order]
    if of.dtype.kind in "iu":
        top = int(of.max(initial=0))
        order = order[sort_keys((top - of).astype(_U), top.bit_length())[1]]
    else:
        order = order[np.argsort(-of, kind="stable")]
    new = starts_new(count[order], first[order])
    tied = np.flatnonzero(_in_tie(new))  # places in the order that are not yet decided
    rank = np.cumsum(new)[tied]
    depth = 8
    while len(tied):
        which = order[tied]
        if depth >= _DEEP:  # long types that begin alike: few, and sorted as they are
            by_bytes = sorted(range(len(tied)), key=lambda i: (int(rank[i]), types.bytes_of(int(which[i]))))
            order[tied] = which[by_bytes]
            break
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
        new = starts_new(rank, piece[again])  # a rank keeps its places
        keep = _in_tie(new)
        tied, rank = tied[keep], np.cumsum(new)[keep]
        depth += 8
    return order


_FRONT = np.array([((1 << (8 * n)) - 1) << (8 * (8 - n)) for n in range(9)], _U)


def _in_tie(new: np.ndarray) -> np.ndarray:
    """Members of groups larger than one, given where groups begin."""
    follows = np.append(new[1:], True)
    return ~(new & follows)
