"""A guard: a compact set of the hashes of all runs of K tokens of a text.

Legend: K is the length of a run; v is the first b bits of a run's hash; n the number of distinct v; w the number
of low bits of each that stand in `low`; a bucket is what is left of v above them, and there are B = 2**(b - w).

It never says "new" of a run that the text has. Of others it says "seen" of a share of n / 2**b: b is the
least for which that is as low as asked. It is the code of Elias (1974) and Fano (1971): the v in order, their low
bits one behind another, and of each bucket in order as many ones as it has v, and a zero; some w + 3 bits a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..arrays.sorting import starts_new
from ..errors import ModelFileError, OptionError
from ..text.run_hashes import stream_runs
from .count_column import DAMAGED, smallest

RATE = 1 / 256  # of false "seen"
WORST = 1 / 16  # above which a guard made of several is of no use
MOST_BITS = 62
EVERY = 128  # buckets from one entry of `first` to the next
GROUP = 64  # values of w bits fill w words
_MOST_ROUNDS = 1 << 12
_U = np.uint64


@dataclass
class Guard:
    """The set.

    tokens  K
    bits    b
    n       how many distinct v
    low     uint64, the low w bits of each v, one behind another from the lowest bit of the first word on
    high    uint64, n ones and B zeros likewise
    first   unsigned, how many v stand before bucket 0, 128, 256, ...
    """

    tokens: int
    bits: int
    n: int
    low: np.ndarray
    high: np.ndarray
    first: np.ndarray
    _index: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)  # see `index`

    @property
    def low_bits(self) -> int:
        """w, so that there are more buckets than v, and at most twice as many."""
        return max(self.bits - self.n.bit_length(), 0)

    @property
    def rate(self) -> float:
        """The share of new runs of which it says "seen"."""
        return self.n / 2.0**self.bits

    @property
    def n_bytes(self) -> int:
        """Its bytes in memory and in a file."""
        return self.low.nbytes + self.high.nbytes + self.first.nbytes

    @property
    def bits_each(self) -> float:
        """Bits for each distinct run."""
        return 8 * self.n_bytes / max(self.n, 1)

    def copy(self) -> Guard:
        """A copy in memory, independent of any file."""
        return Guard(self.tokens, self.bits, self.n, self.low.copy(), self.high.copy(), self.first.copy())

    # ------------------------------------------------------------ making

    @classmethod
    def of(cls, tokens: int, values: np.ndarray, bits: int) -> Guard:
        """The guard of some v: uint64, rising, distinct, each below 2**bits."""
        n = len(values)
        empty = cls(tokens, bits, n, values[:0], values[:0], values[:0])
        w = empty.low_bits
        buckets = 1 << (bits - w)
        bucket = (values >> _U(w)).view(np.int64)
        ones = np.zeros(-(-(n + buckets) // 64) * 64, bool)
        ones[bucket + np.arange(n)] = True
        high = np.packbits(ones, bitorder="little").view("<u8")
        first = np.searchsorted(bucket, np.arange(0, buckets, EVERY)).astype(smallest(n))
        return cls(tokens, bits, n, low_words(values, w), high, first)

    @classmethod
    def of_text(
        cls,
        blocks: Iterable[tuple[np.ndarray, np.ndarray | Sequence[int]]],
        hash_of: np.ndarray,
        tokens: int,
        rate: float = RATE,
        least_bits: int = 0,
        index_runs: int = 0,
    ) -> Guard:
        """The guard of some texts, the same however they are cut into blocks.

        blocks   numbers of tokens, uint32 (n,), and how many of them stand before each end of a text
        hash_of  uint64, the hash of each number; see text/hashing.py
        rate     of false "seen", at most
        least_bits  b is not below
        index_runs  make an index where there are so many at most

        Takes 16 bytes of memory for each token.
        """
        parts = [*stream_runs(blocks, hash_of, tokens)]
        key = np.concatenate(parts) if parts else np.empty(0, _U)
        del parts
        key.sort()
        n = int(np.count_nonzero(starts_new(key)))
        bits = max(bits_for(n, rate), least_bits)
        key >>= _U(64 - bits)
        values = key[starts_new(key)]
        guard = cls.of(tokens, values, bits)
        if n <= index_runs:
            guard.index(values)
        return guard

    def values(self) -> np.ndarray:
        """All v, rising: uint64 (n,)."""
        blocks = [*self.blocks()]
        return np.concatenate(blocks) if blocks else np.empty(0, _U)

    def blocks(self, words: int = 1 << 16) -> Iterator[np.ndarray]:
        """All v, rising, in blocks: those of so many words of `high`."""
        done = 0
        for at in range(0, len(self.high), words):
            some = np.ascontiguousarray(self.high[at : at + words]).view(np.uint8)
            ones = np.flatnonzero(np.unpackbits(some, bitorder="little")) + 64 * at
            number = np.arange(done, done + len(ones))
            done += len(ones)
            if done > self.n:
                break
            yield ((ones - number).astype(_U) << _U(self.low_bits)) | _one(self.low, number, self.low_bits)
        if done != self.n:
            raise ModelFileError(f"the guard has {done:,} hashes or more, not {self.n:,}", DAMAGED)

    def fitting(self, tokens: int) -> bool:
        """True if it can tell that a run of so many tokens is new."""
        return tokens >= self.tokens

    # ------------------------------------------------------------ asking

    def seen(self, key: np.ndarray) -> np.ndarray:
        """True for runs that the text has, and for a share of others: bool (m,).

        key  uint64 (m,), their hashes
        """
        out = np.zeros(len(key), bool)
        if not len(key) or not self.n:
            return out
        v = key >> _U(64 - self.bits)
        w = self.low_bits
        if self._index is not None:
            return self._seen_by_index((v >> _U(w)).view(np.int64), v & _U((1 << w) - 1))
        bucket = (v >> _U(w)).view(np.int64)
        at = self._begin(bucket)  # the place in `high` where its ones begin
        low = v & _U((1 << w) - 1)
        todo = np.arange(len(key))
        for _ in _rounds():  # one v of each bucket at a time: few have more than four
            if not len(todo):
                break
            here = at[todo]
            there = (self.high[here >> 6] >> (here & 63).astype(_U)) & _U(1) > 0
            todo, here = todo[there], here[there]
            same = _one(self.low, here - bucket[todo], w) == low[todo]
            out[todo[same]] = True
            todo = todo[~same]
            at[todo] += 1
        return out

    def index(self, values: np.ndarray | None = None) -> None:
        """Make `seen` several times faster, for some 10 bytes a run.

        values  all v, where they are at hand
        """
        if self._index is not None or not self.n:
            return
        v, w = self.values() if values is None else values, self.low_bits
        bucket = (v >> _U(w)).view(np.int64)
        first = np.zeros((1 << (self.bits - w)) + 1, np.uint32 if self.n < 1 << 32 else np.int64)
        np.cumsum(np.bincount(bucket, minlength=len(first) - 1), out=first[1:])
        self._index = first, (v & _U((1 << w) - 1)).astype(smallest((1 << w) - 1))

    def _seen_by_index(self, bucket: np.ndarray, low: np.ndarray) -> np.ndarray:
        assert self._index is not None
        first, lows = self._index
        out = np.zeros(len(bucket), bool)
        at, end = first[bucket], first[bucket + 1]
        todo = np.flatnonzero(at < end)
        at, end, low = at[todo], end[todo], low[todo].astype(lows.dtype)
        while len(todo):
            same = lows[at] == low
            out[todo[same]] = True
            at += at.dtype.type(1)
            on = np.flatnonzero(~same & (at < end))
            todo, at, end, low = todo[on], at[on], end[on], low[on]
        return out

    def _begin(self, bucket: np.ndarray) -> np.ndarray:
        """Behind the zero of the bucket before: int64 (m,)."""
        sample = bucket >> 7
        at = (sample << 7) + self.first[sample].astype(np.int64)
        skip = bucket & 127  # zeros
        todo = np.flatnonzero(skip)
        word = at[todo] >> 6
        off = (at[todo] & 63).astype(_U)
        zeros = ~self.high[word] & (~_U(0) << off)
        left = skip[todo]
        for _ in _rounds():
            if not len(todo):
                break
            n = np.bitwise_count(zeros).astype(np.int64)
            inside = n >= left
            done = todo[inside]
            at[done] = (word[inside] << 6) + _select(zeros[inside], left[inside]) + 1
            on = ~inside
            todo, left, word = todo[on], left[on] - n[on], word[on] + 1
            zeros = ~self.high[word]
        return at


def _rounds() -> Iterator[int]:
    """Rounds of looking for a hash, more than any set of hashes takes; ModelFileError behind them."""
    yield from range(_MOST_ROUNDS)
    raise ModelFileError("the guard's hashes are not evenly spread", DAMAGED)


def bits_for(n: int, rate: float) -> int:
    """b for n distinct runs, so that n / 2**b is at most `rate`."""
    return min(max(math.ceil(math.log2(max(n, 1) / rate)), 1), MOST_BITS)


def union(guards: Sequence[Guard | None]) -> Guard | None:
    """The guard of all their texts together; None where one has none, or where they do not fit each other.

    They fit where their runs are of one length, and where their hashes, cut to the bits of the shortest, still tell
    15 of 16 new runs. Rates of false "seen" add up.
    """
    some = [g for g in guards if g is not None]
    if len(some) < len(guards) or len({g.tokens for g in some}) != 1:
        return None
    bits = min(g.bits for g in some)
    values = np.concatenate([g.values() >> _U(g.bits - bits) for g in some])
    values.sort()
    made = Guard.of(some[0].tokens, values[starts_new(values)], bits)
    return made if made.rate <= WORST else None


def check_guard(tokens: int, rate: float, order: int) -> None:
    """OptionError for a guard that cannot be."""
    if tokens <= order:
        raise OptionError(
            f"--guard {tokens}: runs of up to the order, {order}, are in the table itself",
            f"use --guard {order + 1} or more",
        )
    if not 2.0**-32 <= rate <= 0.5:
        raise OptionError(f"--guard {tokens}:{rate:g}: a rate of false seen from 2**-32 to 0.5", "0.004 is usual")


# ---------------------------------------------------------------- words of w bits


def low_words(values: np.ndarray, w: int) -> np.ndarray:
    """The low w bits of each, one behind another: uint64."""
    n = len(values)
    if not w or not n:
        return np.empty(0, "<u8")
    group = np.zeros((-(-n // GROUP), GROUP), _U)
    group.reshape(-1)[:n] = values & _U((1 << w) - 1)
    out = np.zeros((len(group), w), "<u8")
    for j in range(GROUP):
        word, off = divmod(j * w, 64)
        out[:, word] |= group[:, j] << _U(off)
        if off + w > 64:
            out[:, word + 1] |= group[:, j] >> _U(64 - off)
    return out.reshape(-1)[: -(-n * w // 64)]


def _one(words: np.ndarray, i: np.ndarray, w: int) -> np.ndarray:
    """Entry i of those that `_packed` made: uint64 (m,)."""
    if not w:
        return np.zeros(len(i), _U)
    at = i * w
    word, off = at >> 6, (at & 63).astype(_U)
    out = words[word] >> off
    over = words[np.minimum(word + 1, len(words) - 1)]
    out |= (over << _U(1)) << (_U(63) - off)  # by 64 in two steps, for a word cannot be shifted by 64
    return out & _U((1 << w) - 1)


def _select(word: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """The place of the rank-th one, from 1, of each word: int64 (m,); it has so many."""
    word, rank = word.copy(), rank.copy()
    at = np.zeros(len(word), np.int64)
    for half in (32, 16, 8, 4, 2, 1):
        n = np.bitwise_count(word & _U((1 << half) - 1)).astype(np.int64)
        on = rank > n
        rank -= np.where(on, n, 0)
        at += np.where(on, half, 0)
        word >>= np.where(on, half, 0).astype(_U)
    return at
