"""Reads texts and corpora as ids with the file, line and bytes of each token.

Legend: n tokens of a text; a mark follows every sequence; ids are 0 to `ids`, exclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...text.encoder import Cut, Encoder, Piece
from ...text.encoding_threads import encode_blocks, read_blocks
from ...text.reading import Repairs, Source
from .longest_matches import Part


@dataclass
class Passages:
    """A text in memory, with the place of each token.

    number    uint32 (n,), provisional numbers of the tokens
    rest      int64 (n,), tokens from each to the end of its sequence, itself included
    file      int32 (n,), index of its source
    start, length  int64 (n,), its bytes in `data`
    data      bytes of all sources, joined
    bounds    int64 (files + 1,), beginning of each source in `data`, and the end of the last
    names     of the sources
    """

    number: np.ndarray
    rest: np.ndarray
    file: np.ndarray
    start: np.ndarray
    length: np.ndarray
    data: bytes
    bounds: np.ndarray
    names: list[str]

    def __len__(self) -> int:
        return len(self.number)

    @property
    def ends(self) -> np.ndarray:
        """End of each sequence, exclusive: int64 (sequences,)."""
        return np.flatnonzero(self.rest == 1) + 1

    def bytes_of(self, begin: int, size: int) -> bytes:
        """Bytes of `size` tokens of one sequence from token `begin` on, as in the source."""
        last = begin + size - 1
        return self.data[int(self.start[begin]) : int(self.start[last] + self.length[last])]

    @cached_property
    def _newline(self) -> np.ndarray:
        return np.flatnonzero(np.frombuffer(self.data, np.uint8) == 10)

    def lines(self, which: np.ndarray) -> np.ndarray:
        """Line of each token in its source, from 1: int64 (len(which),)."""
        begin = self.bounds[self.file[which]]
        return np.searchsorted(self._newline, self.start[which]) - np.searchsorted(self._newline, begin) + 1

    def first(self, end: int) -> Passages:
        """The first `end` tokens, which are whole sources; `data` is shared."""
        some = slice(0, end)
        number, rest, file = self.number[some], self.rest[some], self.file[some]
        n_files = int(file[-1]) + 1 if len(file) else 0
        bounds, names = self.bounds[: n_files + 1], self.names[:n_files]
        return Passages(number, rest, file, self.start[some], self.length[some], self.data, bounds, names)


def pieces_of(
    sources: Sequence[Source], encoding: str, encoders: list[Encoder], repairs: Repairs
) -> Iterator[tuple[Piece, int]]:
    """Pieces of all sources, each with the bytes read from disk."""
    keep_bytes = encoders[0].options.tokenizer == "bytes"
    found = read_blocks(sources, encoding, keep_bytes, repairs, unit=encoders[0].options.unit)
    return encode_blocks(found, encoders)


def _text_edges(cut: Cut) -> np.ndarray:
    """The beginning of each text in the bytes of a piece: int64 (t,)."""
    return np.concatenate(([0], cut.seams + 1))


def read_passages(sources: Sequence[Source], encoding: str, encoders: list[Encoder], repairs: Repairs) -> Passages:
    """Read texts into memory; the encoders must keep the bytes of tokens."""
    numbers, ends, starts, lengths, files = [], [], [], [], []
    data: list[bytes] = []
    bounds = [0]
    n = size = 0
    for piece, _ in pieces_of(sources, encoding, encoders, repairs):
        cut = piece.cut
        assert cut is not None
        edges = _text_edges(cut) - np.arange(len(piece.which))  # without the seams
        for i, edge in zip(piece.which, edges.tolist(), strict=True):
            bounds += [size + edge] * (i + 1 - len(bounds))
        numbers.append(piece.number)
        ends.append(piece.end + n)
        n += len(piece.number)
        if piece.last:
            ends.append(np.array([n]))
        starts.append(cut.start - np.searchsorted(cut.seams, cut.start) + size)
        lengths.append(cut.length)
        files.append(piece.token_sources().astype(np.int32))
        data.append(_without(cut.data, cut.seams))
        size += len(data[-1])
    for encoder in encoders:
        repairs.add(encoder.repairs)
    bounds += [size] * (len(sources) + 1 - len(bounds))
    end = np.concatenate([np.empty(0, np.int64), *ends])
    here = np.arange(n)
    following = end[np.searchsorted(end, here, "right")] if n else here
    return Passages(
        np.concatenate([np.empty(0, np.uint32), *numbers]),
        following - here,
        np.concatenate([np.empty(0, np.int32), *files]),
        np.concatenate([np.empty(0, np.int64), *starts]),
        np.concatenate([np.empty(0, np.int64), *lengths]),
        b"".join(data),
        np.array(bounds, np.int64),
        [s.name for s in sources],
    )


def _without(data: bytes, places: np.ndarray) -> bytes:
    return np.delete(np.frombuffer(data, np.uint8), places).tobytes() if len(places) else data


def with_marks(ids: np.ndarray, ends: np.ndarray, mark: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids with a mark after every sequence, and the new index of each id: int64 each.

    ends  int64, rising: number of ids before each mark
    """
    place = np.arange(len(ids)) + np.cumsum(np.bincount(ends, minlength=len(ids) + 1))[: len(ids)]
    codes = np.full(len(ids) + len(ends), mark, np.int64)
    codes[place] = ids
    return codes, place


class CorpusReader:
    """Reads a corpus as the ids of a text.

    to_ids  maps provisional numbers to ids; to `ids` for a token that is not in the text
    tokens, repairs  of the corpus, once it was read
    """

    def __init__(
        self,
        sources: Sequence[Source],
        encoding: str,
        encoders: list[Encoder],
        to_ids: Callable[[np.ndarray], np.ndarray],
        ids: int,
        progress: Callable[[float], None] = lambda done: None,
    ) -> None:
        self.sources, self.encoding, self.encoders = sources, encoding, encoders
        self.to_ids, self.ids, self.progress = to_ids, ids, progress
        self.tokens = 0
        self.repairs = Repairs()

    def parts(self) -> Iterator[Part]:
        """Parts of the corpus, in order."""
        done = 0
        lines = _Lines(self.encoders[0].options.tokenizer == "regex")
        for piece, size in pieces_of(self.sources, self.encoding, self.encoders, self.repairs):
            assert piece.cut is not None
            ids = self.to_ids(piece.number)
            n = len(ids)
            self.tokens += n
            ends = np.append(piece.end, n) if piece.last else piece.end
            codes, place = with_marks(ids, ends, self.ids)
            line = np.zeros(len(codes), np.int32)
            line[place] = lines.of(piece)
            token = np.zeros(len(codes), bool)
            token[place] = True
            file = np.empty(len(codes), np.int32)
            file[place] = piece.token_sources()
            file[~token] = piece.sequence_sources(np.arange(len(ends)))
            yield Part(codes, file, line)
            done += size
            self.progress(done)
        for encoder in self.encoders:
            self.repairs.add(encoder.repairs)
            encoder.repairs = Repairs()


def _record_lines(piece: Piece, cut: Cut) -> np.ndarray:
    """Line on which the record of each token begins, from 1: int64 (n,)."""
    return np.array(piece.place, np.int64)[np.searchsorted(cut.seams, cut.start, "right")]


class _Lines:
    """Finds the line of each token, piece by piece; with `all`, tokens may begin in an earlier piece."""

    def __init__(self, all_: bool) -> None:
        self.all = all_
        self._begin(-1)

    def _begin(self, source: int) -> None:
        self._source = source
        self._base = self._before = 0
        self._newline = np.empty(0, np.int64)

    def of(self, piece: Piece) -> np.ndarray:
        """Line of each token, from 1: int64 (n,)."""
        cut = piece.cut
        assert cut is not None
        if len(piece.place):
            return _record_lines(piece, cut)
        newline = np.flatnonzero(np.frombuffer(cut.data, np.uint8) == 10)
        if len(piece.which) > 1:  # whole texts
            edges = _text_edges(cut)
            before = np.searchsorted(newline, edges)
            text = np.searchsorted(cut.seams, cut.start)
            return np.searchsorted(newline, cut.start) - before[text] + 1
        if piece.which[0] != self._source:
            self._begin(piece.which[0])
        newline += self._base
        if self.all:
            newline = self._newline = np.concatenate((self._newline, newline))
        line = np.searchsorted(newline, cut.start + self._base) + (self._before + 1)
        self._base += len(cut.data)
        if not self.all:
            self._before += len(newline)
        return line
