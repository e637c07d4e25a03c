"""Collects encoded pieces as one text of ids: sequences closed, types in their final order.

Legend: N tokens, S sequences, V types; provisional numbers are those of a vocabulary as it grew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ..arrays.threads import thread_pool
from .encoder import NumberedTypes, Piece
from .types import EOS, N_MARKERS, UNK, UNKNOWN, Types, order_of_types
from .word_list import WordList


@dataclass
class Corpus:
    """A text as ids.

    stream     uint32 (N + S + 1,): EOS, then each sequence followed by EOS
    types      the vocabulary's types, id N_MARKERS first
    count      int64 (V,), how often each id occurs; BOS and EOS both S times
    """

    stream: np.ndarray
    types: Types
    count: np.ndarray
    n_tokens: int
    n_sequences: int
    cut: bool  # types beyond the commonest were left out

    def take_stream(self) -> np.ndarray:
        """The stream, which is then no longer here: counting lets go of it as soon as it can."""
        stream, self.stream = self.stream, np.empty(0, np.uint32)
        return stream


@dataclass
class Collector:
    """Puts pieces in order together: closes sequences, drops empty ones."""

    unit: str
    pieces: list[Piece] = field(default_factory=list)
    n_tokens: int = 0
    n_sequences: int = 0
    empty_sequences: int = 0
    longest: int = 0  # tokens in the longest sequence
    file_ends: list[int] = field(default_factory=list)  # sequences before the end of each text
    n_open: int = 0  # tokens in the sequence that is not yet closed

    def add(self, piece: Piece) -> None:
        """Pieces of one text must come in its order; texts one after another. Drops the piece's empty sequences."""
        n = len(piece.number)
        end = np.append(piece.end, n) if piece.last else piece.end
        size = np.diff(end, prepend=-self.n_open)
        self.longest = max(self.longest, int(size.max(initial=0)))
        filled = size > 0
        empty = len(end) - int(np.count_nonzero(filled))
        if self.unit == "line":  # what stands behind the last newline is no line if it is empty
            closed = int(np.count_nonzero(~filled[piece.closing])) + int(piece.last and not filled[-1])
            self.empty_sequences += empty - closed
        elif self.unit == "file":
            self.empty_sequences += empty
        self.n_open = self.n_open + n if not len(end) else n - int(end[-1])
        piece.end = end[filled]
        if len(piece.closing):
            closed_by = np.cumsum(filled)[piece.closing]
            self.file_ends += (closed_by + self.n_sequences).tolist()
            piece.closing = closed_by[closed_by > 0] - 1
        self.n_tokens += n
        self.n_sequences += len(piece.end)
        if piece.last:
            self.file_ends.append(self.n_sequences)
        if n or len(piece.end):
            self.pieces.append(piece)
        elif piece.last and self.pieces:
            self.pieces[-1].last = True

    def add_closed(self, piece: Piece, text_ends: np.ndarray) -> None:
        """Add whole texts whose sequences are filled.

        text_ends  int64, sequences of the piece before the end of each
        """
        self.file_ends += (text_ends + self.n_sequences).tolist()
        self.pieces.append(piece)
        self.n_tokens += len(piece.number)
        self.n_sequences += len(piece.end)
        self.longest = max(self.longest, int(np.diff(piece.end, prepend=0).max(initial=0)))

    def join(self, behind: Collector) -> None:
        """Add the figures, without pieces, of another that began with `n_open` tokens where this one ends."""
        self.file_ends += [end + self.n_sequences for end in behind.file_ends]
        self.n_tokens += behind.n_tokens
        self.n_sequences += behind.n_sequences
        self.empty_sequences += behind.empty_sequences
        self.longest = max(self.longest, behind.longest)
        self.n_open = behind.n_open

    def take(self) -> list[Piece]:
        """The pieces so far, which are then no longer here."""
        pieces, self.pieces = self.pieces, []
        return pieces

    def counts(self, n_types: int, times: np.ndarray | None = None, jobs: int = 1) -> np.ndarray:
        """The count of each provisional number: int64 (n_types,).

        times  int64 (S,), how often each sequence counts; None for once. Their tokens sum to less than 2**53
        """
        count = np.zeros(n_types, np.int64)
        if times is not None:
            closed = 0
            for piece in self.pieces:
                sequence = np.searchsorted(piece.end, np.arange(len(piece.number)), "right") + closed
                closed += len(piece.end)
                some = np.bincount(piece.number, times[sequence]).astype(np.int64)  # float64 holds such sums exactly
                count[: len(some)] += some
            return count
        with thread_pool(jobs) as pool:
            for some in pool.map(np.bincount, _groups([p.number for p in self.pieces])):
                count[: len(some)] += some
        return count


def _groups(arrays: list[np.ndarray], size: int = 1 << 21) -> Iterator[np.ndarray]:
    held: list[np.ndarray] = []
    n = 0
    for x in arrays:
        held.append(x)
        n += len(x)
        if n >= size:
            yield np.concatenate(held)
            held, n = [], 0
    if held:
        yield np.concatenate(held)


@dataclass(frozen=True)
class TypeChoice:
    """The types that get an id; all others become UNK.

    min_count  types seen less often do not
    max_types  only so many of the commonest do, None for all
    words      only these do, None for all
    """

    min_count: int = 1
    max_types: int | None = None
    words: WordList | None = None

    def chosen(self, types: Types, by: np.ndarray) -> tuple[np.ndarray, bool]:
        """The types that stay, in the order of their ids, and whether `max_types` left out one: int64 (V,), bool.

        by  int64, the count of each type
        """
        order = order_of_types(types, by)
        order = order[: np.count_nonzero(by >= max(self.min_count, 1))]
        marked = types.flags[order] & UNKNOWN > 0
        if marked.any():
            order = order[~marked]
        if self.words is not None:
            order = order[self.words.number(types)[order] >= 0]
        cut = self.max_types is not None and len(order) > self.max_types
        return (order[: self.max_types], True) if cut else (order, False)


@dataclass
class FinalIds:
    """The final ids of provisional numbers.

    id_of  uint32, the id of every provisional number
    count  int64 (V,), how often each id occurs; BOS and EOS as often as there are sequences
    cut    types beyond the commonest were left out
    """

    id_of: np.ndarray
    count: np.ndarray
    cut: bool
    _all: Types
    _order: np.ndarray

    def types(self) -> Types:
        """The vocabulary's types, id N_MARKERS first."""
        return self._all.take(self._order)


def final_ids(
    every: np.ndarray,
    types_of: Callable[[np.ndarray], Types],
    sequences: int,
    choice: TypeChoice,
    judged: np.ndarray | None = None,
) -> FinalIds:
    """Put the types in their final order; those that are not chosen become UNK.

    every     int64, how often each provisional number occurs
    types_of  the types behind some numbers, int64 (n,), rising
    choice    which types get an id
    judged    what types are ordered and left out by, of each provisional number; how often they occur where None
    """
    seen = np.flatnonzero(every)
    types, count = types_of(seen), every[seen]
    by = count if judged is None else judged[seen].astype(np.int64)
    order, cut = choice.chosen(types, by)
    id_of = np.full(len(every), UNK, np.uint32)
    id_of[seen[order]] = np.arange(N_MARKERS, N_MARKERS + len(order), dtype=np.uint32)
    n_unknown = int(count.sum() - count[order].sum())
    markers = np.array([n_unknown, sequences, sequences], np.int64)
    return FinalIds(id_of, np.concatenate((markers, count[order])), cut, types, order)


def finish(
    collector: Collector,
    encoder: NumberedTypes,
    choice: TypeChoice,
    pad: int,
    jobs: int = 1,
    judged: np.ndarray | None = None,
    times: np.ndarray | None = None,
) -> Corpus:
    """Give every type its final id and rewrite the text with it; the pieces are used up.

    encoder  any of those that made the pieces
    pad      readable entries behind the stream (zeros)
    choice, judged  as in `final_ids`
    times  as in `Collector.counts`
    """
    s = collector.n_sequences
    every = collector.counts(encoder.n_numbers(), times, jobs)
    found = final_ids(every, encoder.types, s if times is None else int(times.sum()), choice, judged)
    id_of = found.id_of
    stream = np.zeros(collector.n_tokens + s + 1 + pad, np.uint32)
    stream[0] = EOS
    pieces = collector.pieces
    ends = np.cumsum([1, *(len(p.number) + len(p.end) for p in pieces)]).tolist()

    def write(i: int) -> None:
        piece, here = pieces[i], stream[ends[i] : ends[i + 1]]
        pieces[i] = _USED
        ids = id_of.take(piece.number, mode="clip")
        if len(piece.end):
            token = np.ones(len(here), bool)
            token[piece.end + np.arange(len(piece.end))] = False
            here[token] = ids
            here[~token] = EOS
        else:
            here[:] = ids

    with thread_pool(jobs) as pool:
        kept = pool.submit(found.types)
        for _ in pool.map(write, range(len(pieces))):
            pass
    pieces.clear()
    return Corpus(stream, kept.result(), found.count, collector.n_tokens, s, found.cut)


_USED = Piece(np.empty(0, np.uint32), np.empty(0, np.int64), False)
