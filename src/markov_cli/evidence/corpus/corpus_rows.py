"""Reads a text as a model's ids, and compares its n-gram counts with those of a table.

Legend: N ids of D sequences, with BOS and EOS; an n-gram ends at each id; its row is its row in the table, -1 where
the table has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import TextError
from ...model.count_column import Uncounted
from ...model.table import Table
from ...sampling.random_stream import rehash
from ...text.encoder import TextOptions
from ...text.marker_stream import Streams, behind
from ...text.model_ids import Recoder
from ...text.reading import Repairs, Source, open_bytes
from ...text.types import BOS, EOS
from ...text.vocabulary import Vocabulary
from ..table.forced_string_list import Strings

_Q = 0x9E3779B97F4A7C15
_CHUNK = 1 << 20


@dataclass
class Corpus:
    """A text as one array of ids.

    ids      (N,), each sequence between BOS and EOS; int32 where all numbers fit, else int64; `place` likewise
    place    (N,), number of ids before each in its sequence
    begin    int64 (D,), index of each BOS
    names    of the files
    first    int64 (files + 1,), first sequence of each file
    head     first bytes of the files, decompressed; None for standard input, which can be read only once
    """

    ids: np.ndarray
    place: np.ndarray
    begin: np.ndarray
    names: list[str]
    first: np.ndarray
    head: bytes | None
    text_bytes: int
    repairs: Repairs

    @property
    def sequences(self) -> int:
        """D, the number of sequences."""
        return len(self.begin)

    @property
    def tokens(self) -> int:
        """Number of ids, without markers."""
        return len(self.ids) - 2 * len(self.begin)

    @property
    def sequence(self) -> np.ndarray:
        """Number of the sequence of each id: (N,)."""
        return np.cumsum(self.ids == BOS, dtype=self.ids.dtype) - self.ids.dtype.type(1)

    @property
    def size(self) -> np.ndarray:
        """Number of ids of each sequence, without BOS: int64 (D,)."""
        return np.diff(np.append(self.begin, len(self.ids))) - 1


def read_corpus(
    vocabulary: Vocabulary,
    options: TextOptions,
    sources: Sequence[Source],
    encoding: str = "utf-8",
    head_bytes: int = 0,
) -> Corpus:
    """Read texts into memory with a model's options and vocabulary; TextError where they have no token."""
    recoder = Recoder([vocabulary], options)
    parts: list[np.ndarray] = []
    streams = Streams(1, options.unit)
    for stream in streams.of(recoder.pieces(sources, encoding)):
        parts.append(recoder.ids(0, stream.codes).astype(np.int32))
    if not parts:
        named = ", ".join(s.name for s in sources[:3])
        raise TextError(f"{named}: no token", "give a text that is not empty")
    ids = np.concatenate(parts)
    repairs = recoder.repairs
    for encoder in recoder.encoders:
        repairs.add(encoder.repairs)
    repairs.empty_sequences = streams.empty_sequences
    sequences = np.bincount(np.concatenate(streams.sources), minlength=len(sources))
    skipped = set(repairs.skipped)
    texts = [s for s in sources if s.name not in skipped]
    kind = np.int32 if len(ids) < 1 << 30 else np.int64
    return Corpus(
        ids.astype(kind, copy=False),
        behind(ids).astype(kind),
        np.flatnonzero(ids == BOS),
        [s.name for s in sources],
        np.concatenate(([0], np.cumsum(sequences))),
        None if any(s.is_stdin for s in sources) else _head(texts, head_bytes),
        recoder.text_bytes,
        repairs,
    )


def _head(sources: Sequence[Source], n: int) -> bytes:
    """The first n bytes of texts, decompressed."""
    parts: list[bytes] = []
    for source in sources:
        if n <= 0:
            break
        stream = open_bytes(source)
        try:
            while n > 0:
                data = stream.read(n)
                if not data:
                    break
                parts.append(data)
                n -= len(data)
        finally:
            stream.close()
    return b"".join(parts)


def rows_up_to(table: Table, c: Corpus, order: int, below: np.ndarray | None = None) -> np.ndarray:
    """Row of the n-gram of `order` ids that ends at each id: (N,), dtype of ids.

    below  the rows one order below, if known
    """
    if order == 1:
        return c.ids
    row = rows_up_to(table, c, order - 1) if below is None else below
    table.index(order - 1)
    out = np.full(len(row), -1, row.dtype)
    some = np.flatnonzero((c.place[1:] >= order - 1) & (row[:-1] >= 0)) + 1
    for a in range(0, len(some), 4 * _CHUNK):
        at = some[a : a + 4 * _CHUNK]
        out[at] = table.child(order - 1, row[at - 1].astype(np.int64), c.ids[at].astype(np.int64))
    return out


@dataclass
class Differences:
    """Differences between the counts of a text and of a table, at one order.

    missing    number of places whose n-gram the table lacks, though the order is complete
    differing  number of rows with another count in the text
    example    ids of one such n-gram, its count in the text, its count in the table
    """

    order: int
    missing: int = 0
    differing: int = 0
    example: tuple[list[int], int, int] | None = None

    def __bool__(self) -> bool:
        return bool(self.missing or self.differing)


def differences(table: Table, c: Corpus, order: int, row: np.ndarray, complete: bool) -> Differences:
    """Compare every n-gram of one order with the table.

    A row has the n-gram's count in the training text, even in a pruned table. An n-gram that is not in the table
    proves a difference only where nothing was pruned.
    """
    out = Differences(order)
    counts = table.orders[order - 1].count
    if isinstance(counts, Uncounted) or not counts.whole:
        return out
    inside = c.place >= order - 1
    lost = np.flatnonzero(inside & (row < 0))
    found = np.bincount(row[inside & (row >= 0)], minlength=len(counts))
    n = len(counts)
    for a in range(0, n, _CHUNK):
        b = min(a + _CHUNK, n)
        value = counts.slice(a, b)
        wrong = np.flatnonzero(value != found[a:b])
        out.differing += len(wrong)
        if len(wrong) and out.example is None:
            at = a + int(wrong[0])
            out.example = (table.ngram(order, at), int(found[at]), int(value[wrong[0]]))
    if complete and len(lost):
        out.missing = len(lost)
        if out.example is None:
            at = int(lost[0])
            gram = c.ids[at - order + 1 : at + 1].astype(np.int64)
            same = _occurrences(c.ids, gram)
            out.example = (gram.tolist(), same, 0)
    return out


def _occurrences(ids: np.ndarray, gram: np.ndarray) -> int:
    here = np.ones(len(ids) - len(gram) + 1, bool)
    for i, token in enumerate(gram.tolist()):
        here &= ids[i : len(ids) - len(gram) + 1 + i] == token
    return int(np.count_nonzero(here))


class Hashes:
    """Rabin-Karp hashes of 64 bits: any slice of ids in constant time; equal slices have equal hashes."""

    def __init__(self, ids: np.ndarray) -> None:
        n = len(ids)
        q = np.full(n + 1, _Q, np.uint64)
        q[0] = 1
        np.multiply.accumulate(q, out=q)
        # a hash is the sum of mixed[i] * q**i over a slice, times q**-begin
        mixed = rehash(ids.astype(np.uint64), 1)
        inverse = np.full(n + 1, pow(_Q, -1, 1 << 64), np.uint64)
        inverse[0] = 1
        np.multiply.accumulate(inverse, out=inverse)
        self._inverse = inverse
        self._sum = np.concatenate((np.zeros(1, np.uint64), np.cumsum(mixed * q[:n], dtype=np.uint64)))

    def of(self, begin: np.ndarray, size: np.ndarray | int) -> np.ndarray:
        """Hashes of ids[begin : begin + size]: uint64 (m,)."""
        value = (self._sum[begin + size] - self._sum[begin]) * self._inverse[begin]
        return rehash(value ^ rehash(np.atleast_1d(size).astype(np.uint64), 1), 1)


def count_occurrences(c: Corpus, s: Strings) -> np.ndarray:
    """Number of occurrences of each certain string in a text: int64 (s,).

    A string that opens a sequence is matched with BOS before it, one that closes a sequence with EOS after it.
    """
    if not len(s):
        return np.zeros(0, np.int64)
    size = s.size + s.opens + s.closes
    ids = np.empty(int(size.sum()), np.int64)
    at = np.cumsum(size) - size
    body = np.ones(len(ids), bool)
    body[at[s.opens]] = False
    body[(at + size - 1)[s.closes]] = False
    ids[~body] = np.where(np.isin(np.flatnonzero(~body), at[s.opens]), BOS, EOS)
    ids[body] = s.ids
    mine, theirs = Hashes(ids), Hashes(c.ids)
    window = int(size.min())
    places = np.arange(max(len(c.ids) - window + 1, 0))
    key = theirs.of(places, window)
    order = np.argsort(key, kind="stable")
    key = key[order]
    asked = mine.of(at, window)
    low, high = np.searchsorted(key, asked), np.searchsorted(key, asked, "right")
    whole = mine.of(at, size)
    found = np.zeros(len(s), np.int64)
    todo = np.flatnonzero(low < high)
    edge = np.append(0, np.cumsum((high - low)[todo]))
    a = 0
    while a < len(todo):  # about 4 * _CHUNK places at a time
        b = max(int(np.searchsorted(edge, edge[a] + 4 * _CHUNK, "right")) - 1, a + 1)
        which = np.repeat(todo[a:b], (high - low)[todo[a:b]])
        inside = np.arange(len(which)) - np.repeat(edge[a:b] - edge[a], (high - low)[todo[a:b]])
        place = order[low[which] + inside]
        fits = np.flatnonzero(place + size[which] <= len(c.ids))
        same = theirs.of(place[fits], size[which[fits]]) == whole[which[fits]]
        found += np.bincount(which[fits[same]], minlength=len(s))
        a = b
    return found
