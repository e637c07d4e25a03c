"""Joins pieces of text to streams of codes with `<s>` and `</s>` around each sequence.

Legend: a code is as in recoding.py; a sequence is open where its end has not been read yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .encoder import Cut, Piece
from .line_numbers import LineNumbers
from .types import BOS, EOS, N_MARKERS

STREAM_CODES = 1 << 19


@dataclass
class Stream:
    """Sequences one behind another.

    codes    int64 (L,): BOS opens each sequence and EOS closes it
    context  how many codes stand before what is new: the end of a sequence that is still open
    texts    the text of each sequence that closes here, where it was kept
    documents  int64, where a text ends and the next one begins: up to L, rising
    """

    codes: np.ndarray
    context: int = 0
    texts: list[bytes] = field(default_factory=list)
    documents: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


class Streams:
    """Cuts pieces into streams of about `size` codes.

    empty_sequences  sequences without a token, which are left out as in training
    sources          int64 arrays: number of the source of each sequence that has ended
    """

    def __init__(self, order: int, unit: str, size: int = STREAM_CODES) -> None:
        self.order, self.unit, self.size = order, unit, size
        self.empty_sequences = 0
        self.sources: list[np.ndarray] = []
        self._open = 0  # tokens in the open sequence
        self._tail: list[bytes] = []  # its text
        self._behind = np.empty(0, np.int64)  # its last codes
        self.numbers = LineNumbers(unit)  # of pieces with their text

    def of(self, pieces: Iterable[Piece]) -> Iterator[Stream]:
        """The streams of some pieces, in order."""
        held: list[np.ndarray] = []
        texts: list[bytes] = []
        documents: list[np.ndarray] = []
        n = 0
        for piece in pieces:
            codes, texts_here = self._codes(piece)
            if len(piece.closing) or piece.last:
                documents.append(_text_ends(codes, piece.text_ends) + n)
            held.append(codes)
            texts += texts_here
            n += len(codes)
            if n >= self.size:
                yield self._stream(held, texts, documents)
                held, texts, documents, n = [], [], [], 0
        if n:
            yield self._stream(held, texts, documents)

    def _stream(self, held: list[np.ndarray], texts: list[bytes], documents: list[np.ndarray]) -> Stream:
        behind = self._behind
        codes = np.concatenate([behind, *held])
        self._behind = codes[max(len(codes) - self.order + 1, 0) :] if self._open and self.order > 1 else codes[:0]
        opening = np.flatnonzero(self._behind == EOS)
        if len(opening):  # what is open began behind it
            self._behind = self._behind[int(opening[-1]) + 1 :]
        ends = np.concatenate([*documents, codes[:0]]) + len(behind)
        return Stream(codes, len(behind), texts, ends)

    def _codes(self, piece: Piece) -> tuple[np.ndarray, list[bytes]]:
        n = len(piece.number)
        end = np.append(piece.end, n) if piece.last else piece.end
        size = np.diff(end, prepend=-self._open)
        filled = np.flatnonzero(size > 0)
        empty = len(end) - len(filled)
        if self.unit == "line":  # what stands behind the last newline of a text is no line if it is empty
            empty -= int(np.count_nonzero(size[piece.closing] == 0)) + int(piece.last and size[-1] == 0)
        if self.unit in ("line", "file"):
            self.empty_sequences += empty
        self.sources.append(piece.sequence_sources(filled))
        closes = end[filled]
        opens = closes[closes < n]
        if not self._open and n:
            opens = np.concatenate((np.zeros(1, np.int64), opens))
        # markers by the number of the token they stand before, an EOS before a BOS
        marks = np.sort(np.concatenate((closes * 2, opens * 2 + 1)))
        before = np.bincount(marks >> 1, minlength=n + 1).cumsum()
        codes = np.empty(n + len(marks), np.int64)
        codes[np.arange(n) + before[:n]] = piece.number.astype(np.int64) + N_MARKERS
        codes[(marks >> 1) + np.arange(len(marks))] = np.where(marks & 1, BOS, EOS)
        self._open = (self._open if not len(filled) else 0) + n - (int(closes[-1]) if len(filled) else 0)
        texts: list[bytes] = []
        if piece.cut is not None:
            self.numbers.add(piece, size)
            texts = self._texts(piece.cut, filled, piece.last)
        return codes, texts

    def _texts(self, cut: Cut, filled: np.ndarray, last: bool) -> list[bytes]:
        if not len(cut.begin) and not last:
            self._tail.append(cut.data)
            return []
        begin = [0, *cut.end.tolist()]
        end = [*cut.begin.tolist(), len(cut.data)]
        parts = [cut.data[b:e] for b, e in zip(begin, end, strict=True)]
        parts[0] = b"".join([*self._tail, parts[0]])
        self._tail = [] if last else [parts.pop()]
        if cut.marked:
            parts = [part.strip(b" ") for part in parts]
        return [parts[i] for i in filled.tolist()]


def _text_ends(codes: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Where texts end among codes, by the number of their tokens before each end: int64."""
    tokens = np.concatenate((np.flatnonzero(codes >= N_MARKERS), [len(codes) + 1]))  # its BOS stands before it
    return np.minimum(tokens[ends] - 1, len(codes))


def behind(ids: np.ndarray) -> np.ndarray:
    """The number of ids of its own sequence before each place: int64 (L,)."""
    here = np.arange(len(ids))
    begin = np.where(ids == BOS, here, 0)
    return here - np.maximum.accumulate(begin)
