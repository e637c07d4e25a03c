"""Reads a corpus as the ids of a text, with the file and the line of each token.

Legend: a mark follows every sequence; ids are 0 to `ids`, exclusive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ...text.encoder import Cut, Encoder, Piece
from ...text.encoding_threads import pieces_of
from ...text.passages import text_edges, with_marks
from ...text.reading import Repairs, Source
from .longest_matches import Part


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
            edges = text_edges(cut)
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
