"""Texts in memory as numbers of types, with the place of each token in its source.

Legend: n tokens of a text; a mark follows every sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .encoder import Cut, Encoder
from .encoding_threads import pieces_of
from .reading import Repairs, Source


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
    texts     int64, the number of tokens before the end of each text: of a file, or of a record in it
    """

    number: np.ndarray
    rest: np.ndarray
    file: np.ndarray
    start: np.ndarray
    length: np.ndarray
    data: bytes
    bounds: np.ndarray
    names: list[str]
    texts: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

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


def text_edges(cut: Cut) -> np.ndarray:
    """The beginning of each text in the bytes of a piece: int64 (t,)."""
    return np.concatenate(([0], cut.seams + 1))


def read_passages(
    sources: Sequence[Source], encoding: str, encoders: list[Encoder], repairs: Repairs, most: int | None = None
) -> Passages:
    """Read texts into memory; the encoders must keep the bytes of tokens.

    most  tokens after which nothing more is read; there may be more of them, and the last sequence may be open: the
          rest of its tokens is then one more than there are here
    """
    numbers, ends, starts, lengths, files, texts = [], [], [], [], [], []
    data: list[bytes] = []
    bounds = [0]
    n = size = 0
    for piece, _ in pieces_of(sources, encoding, encoders, repairs):
        cut = piece.cut
        assert cut is not None
        edges = text_edges(cut) - np.arange(len(piece.which))  # without the seams
        for i, edge in zip(piece.which, edges.tolist(), strict=True):
            bounds += [size + edge] * (i + 1 - len(bounds))
        numbers.append(piece.number)
        ends.append(piece.end + n)
        if len(piece.closing) or piece.last:
            texts.append(piece.text_ends + n)
        n += len(piece.number)
        if piece.last:
            ends.append(np.array([n]))
        starts.append(cut.start - np.searchsorted(cut.seams, cut.start) + size)
        lengths.append(cut.length)
        files.append(piece.token_sources().astype(np.int32))
        data.append(_without(cut.data, cut.seams))
        size += len(data[-1])
        if most is not None and n >= most:
            break
    for encoder in encoders:
        repairs.add(encoder.repairs)
    bounds += [size] * (len(sources) + 1 - len(bounds))
    end = np.concatenate([np.empty(0, np.int64), *ends, [n + 1]])
    here = np.arange(n)
    following = end[np.searchsorted(end, here, "right")]
    return Passages(
        np.concatenate([np.empty(0, np.uint32), *numbers]),
        following - here,
        np.concatenate([np.empty(0, np.int32), *files]),
        np.concatenate([np.empty(0, np.int64), *starts]),
        np.concatenate([np.empty(0, np.int64), *lengths]),
        b"".join(data),
        np.array(bounds, np.int64),
        [s.name for s in sources],
        np.concatenate([np.empty(0, np.int64), *texts]),
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
