r"""Writes ARPA, the text format of n-gram models that most tools read.

Legend: k is an order 1..n; m rows; a piece is eight bytes in a uint64, the first of them lowest.

    \data\
    ngram 1=COUNT                       one such line per order
                                        an empty line before each section, and before the end
    \1-grams:
    LOG10 <tab> WORD <tab> BACKOFF      one space between the words of longer n-grams; a backoff
                                        in every row below the top order
    \end\

A row is laid out in pieces, padded with NULs, which are then removed. A word that is too long for its pieces is a
mark there, which is replaced at the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import IO, NamedTuple

import numpy as np

from ..arrays.threads import thread_pool
from ..errors import ModelFileError
from .decimals import LIMIT, PIECES, printed

ZERO = -99.0  # the format's logarithm of 0
_ROWS = 1 << 13  # laid out at one time, to stay in the cache
_MOST_PIECES = 4  # of a word; longer words are inserted at the end
_LONG = b"\x01"  # mark for a longer word; names have no control characters
_SPACE, _TAB, _NEWLINE = 0x20, 0x09, 0x0A
_U = np.uint64


class Rows(NamedTuple):
    """Rows of one order.

    ids      integer (m, k), or k columns of (m,): indices in the list of words
    log10    float (m,)
    backoff  float (m,), log10; None at the top order
    """

    ids: np.ndarray | Sequence[np.ndarray]
    log10: np.ndarray
    backoff: np.ndarray | None = None


class _Words:
    """Words as pieces, each after a space."""

    def __init__(self, blob: np.ndarray, offsets: np.ndarray) -> None:
        offsets = offsets.astype(np.int64, copy=False)
        self.blob, self.offsets = blob, offsets
        length = np.diff(offsets)
        # enough pieces for 95 % of the words
        n = 1
        while n < _MOST_PIECES and np.count_nonzero(length < 8 * n) < 0.95 * len(length):
            n += 1
        self.pieces = n
        width = 8 * self.pieces
        table = np.zeros((len(length), width), np.uint8)
        table[:, 0] = _SPACE
        for i in range(1, width):  # column i is byte i - 1 of the words that have one
            if len(length) and (which := np.flatnonzero(length >= i)).size:
                table[which, i] = blob[offsets[which] + (i - 1)]
        self.long = length >= width
        self.has_long = bool(self.long.any())
        table[self.long, 1] = _LONG[0]
        table[self.long, 2:] = 0
        self.table = table.view(_U)

    def text(self, i: int) -> bytes:
        return self.blob[int(self.offsets[i]) : int(self.offsets[i + 1])].tobytes()


def write(
    out: IO[bytes],
    words: tuple[np.ndarray, np.ndarray],
    n_rows: Sequence[int],
    chunks: Callable[[int], Iterable[Rows]],
    *,
    jobs: int = 2,
) -> int:
    r"""Write a model; returns the number of bytes written.

    words   names: uint8 blob, int64 offsets (V + 1,), without white space or control characters, as
            text/word_escapes.py makes them
    n_rows  number of rows of each order; empty orders at the top are left out
    chunks  called with each order in turn, from 1 on; yields its rows in file order, best 2^16 to 2^20 at a time.
            At most jobs + 2 chunks are in memory at one time.

    Numbers are printed as decimals.py does; -inf as -99, and numbers below -999 as -999. Every row below the top
    order has a backoff, zeros too, because readers differ on where one may be missing. ModelFileError where a number
    is NaN, +inf or above 999.
    """
    n_rows = list(n_rows)
    while n_rows and not n_rows[-1]:
        n_rows.pop()
    named = _Words(*words)
    head = b"\\data\\\n" + b"".join(b"ngram %d=%d\n" % (k, n) for k, n in enumerate(n_rows, 1))
    n_bytes = out.write(head)
    with thread_pool(jobs) as pool:
        for k, n in enumerate(n_rows, 1):
            n_bytes += out.write(b"\n\\%d-grams:" % k)
            seen = 0
            waiting: deque[Future[list[bytes]]] = deque()
            for rows in chunks(k):
                seen += len(rows.log10)
                waiting.append(pool.submit(_text, named, k, k == len(n_rows), rows))
                if len(waiting) > jobs:
                    n_bytes += _put(out, waiting.popleft())
            while waiting:
                n_bytes += _put(out, waiting.popleft())
            if seen != n:
                raise ValueError(f"order {k}: {seen} rows given, {n} announced")
            n_bytes += out.write(b"\n")
    return n_bytes + out.write(b"\n\\end\\\n")


def _put(out: IO[bytes], done: Future[list[bytes]]) -> int:
    return sum(out.write(part) for part in done.result())


def _text(words: _Words, k: int, top: bool, rows: Rows) -> list[bytes]:
    """Rows as text, each after a newline."""
    log10 = _printable(rows.log10, k, "log10")
    backoff = None
    if not top:
        if rows.backoff is None:
            raise ValueError(f"order {k} has no backoffs and is not the top")
        backoff = _printable(rows.backoff, k, "backoff")
    ids = [rows.ids[:, j] for j in range(k)] if isinstance(rows.ids, np.ndarray) else rows.ids
    parts = []
    for low in range(0, len(log10), _ROWS):
        some = slice(low, low + _ROWS)
        parts.append(_lay_out(words, [c[some] for c in ids], log10[some], None if backoff is None else backoff[some]))
    return parts


def _printable(x: np.ndarray, k: int, what: str) -> np.ndarray:
    """Numbers as the format allows them, float64 (m,); ModelFileError for NaN, +inf and above 999."""
    x = np.asarray(x, np.float64)
    wrong = np.flatnonzero(~(x <= LIMIT))
    if len(wrong):
        raise ModelFileError(
            f"order {k}, row {int(wrong[0]) + 1} of a block: {what} {x[wrong[0]]} cannot be written as ARPA",
            "the model's probabilities are damaged; run: markov inspect --verify",
        )
    return np.maximum(np.where(np.isneginf(x), ZERO, x), -LIMIT)


def _lay_out(words: _Words, ids: Sequence[np.ndarray], log10: np.ndarray, backoff: np.ndarray | None) -> bytes:
    p = words.pieces
    width = PIECES + p * len(ids) + (0 if backoff is None else PIECES)
    page = np.empty((len(log10), width), _U)
    page[:, :PIECES] = printed(log10)
    page[:, 0] ^= _U(_TAB ^ _NEWLINE)
    for j, column in enumerate(ids):
        page[:, PIECES + p * j : PIECES + p * (j + 1)] = words.table.take(column, axis=0)
    page[:, PIECES] ^= _U(_SPACE ^ _TAB)
    if backoff is not None:
        page[:, -PIECES:] = printed(backoff)
    flat = page.view(np.uint8).ravel()
    # np.flatnonzero and take let other threads run; a boolean index does not
    text = flat.take(np.flatnonzero(flat != 0)).tobytes()
    return _with_long(words, ids, text) if words.has_long else text


def _with_long(words: _Words, ids: Sequence[np.ndarray], text: bytes) -> bytes:
    """Replace the marks by the longer words."""
    long = np.stack([words.long.take(c) for c in ids], axis=1)
    place = np.flatnonzero(long)
    if not len(place):
        return text
    which = np.stack(ids, axis=1).ravel()[place]
    between = text.split(_LONG)
    whole = [b""] * (2 * len(between) - 1)
    whole[::2] = between
    whole[1::2] = [words.text(i) for i in which.tolist()]
    return b"".join(whole)
