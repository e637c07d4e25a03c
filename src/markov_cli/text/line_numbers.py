"""Numbers the lines on which sequences begin, and finds the blank lines between them.

Legend: a part is the text between two breaks of a piece; S sequences; a break ends a sequence.
"""

from __future__ import annotations

import numpy as np

from .encoder import Piece


class LineNumbers:
    """Lines of the sequences of texts that are read piece by piece; each text begins with line 1.

    lines   of each sequence, in order: the line that holds its first token. Of records, the line of the record
    blanks  (sequences before it, line) of each line without a token, where a line is a sequence
    """

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.lines: list[int] = []
        self.blanks: list[tuple[int, int]] = []
        self._line = 1  # at the end of the last piece
        self._part: int | None = None  # line on which the part that is still open begins; None: no part is open
        self._filled = 0  # bytes of it so far
        self._newlines = np.empty(0, np.int64)  # where its newlines lie before the next piece: below 0
        self._first: int | None = None  # line of its first token

    def add(self, piece: Piece, size: np.ndarray) -> None:
        """Number one piece; it must hold its text.

        size  int64, tokens of each sequence that ends here
        """
        cut, n = piece.cut, len(piece.number)
        assert cut is not None
        data = np.frombuffer(cut.data, np.uint8)
        newline = np.flatnonzero(data == 10)
        text = np.append(0, cut.seams + 1)  # where each text begins
        base = np.ones(len(text), np.int64)
        base[0] = self._line
        records = len(piece.place) > 0
        if records:
            base[:] = piece.place

        def line(at: np.ndarray) -> np.ndarray:
            """The line of bytes, int64 (m,)."""
            which = np.searchsorted(text, at, "right") - 1
            if records:
                return base[which]
            return base[which] + np.searchsorted(newline, at) - np.searchsorted(newline, text[which])

        begin, end = np.append(0, cut.end), np.append(cut.begin, len(data))
        part = line(begin)
        if self._part is not None:
            part[0] = self._part
        token = np.append(0, piece.end)  # the first token of each part
        start = cut.start[np.minimum(token, n - 1)] if n else np.full(len(token), -1)
        first = np.where((start >= 0) & (token < n), line(np.maximum(start, 0)), part)
        if not records and n and start[0] < 0:  # of `regex`, which reads a part when it is whole
            first[0] += np.searchsorted(self._newlines, start[0])
        if self._first is not None:
            first[0] = self._first
        filled = size > 0
        if self.unit == "line":
            closes = np.append(piece.closing, len(size) - 1) if piece.last else piece.closing
            blank = ~filled
            length = (end - begin)[: len(size)]
            length[:1] += self._filled
            blank[closes] &= length[closes] > 0  # behind the last newline there is no line
            before = len(self.lines) + np.cumsum(filled) - filled
            self.blanks += zip(before[blank].tolist(), part[: len(size)][blank].tolist(), strict=True)
        self.lines += first[: len(size)][filled].tolist()
        inside = newline[newline >= begin[-1]] - len(data)
        self._newlines = inside if len(part) > 1 else np.append(self._newlines - len(data), inside)
        self._go_on(piece, part, first, int(end[-1] - begin[-1]), n > int(token[-1]))
        last = base[-1] + len(newline) - np.searchsorted(newline, text[-1])
        self._line = 1 if piece.last else int(last)

    def _go_on(self, piece: Piece, part: np.ndarray, first: np.ndarray, length: int, holds: bool) -> None:
        """Keep what is known of the part that is still open; `holds`: a token of it is in this piece."""
        if piece.last:
            self._part, self._first, self._filled, self._newlines = None, None, 0, self._newlines[:0]
            return
        if len(part) > 1:
            self._filled, self._first = 0, None
        self._part = int(part[-1])
        self._filled += length
        if holds and self._first is None:
            self._first = int(first[-1])
