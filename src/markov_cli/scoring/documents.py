"""Scores many short texts, each as a text of its own, under one or several predictors.

For speed, many texts are joined with a break that every unit knows, tokenized as one text, and divided again by
their newlines. The scores equal those of single texts.
"""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..arrays.threads import ordered_map
from ..text.encoder import Encoder, Piece, TextOptions
from ..text.marker_stream import Streams
from ..text.model_ids import Recoder
from ..text.reading import Repairs
from ..text.text_blocks import Block
from ..text.types import BOS
from .predictor import Predictor
from .recent_text import windows
from .text_totals import Units, UnitSums, bytes_of_a_token, no_units
from .totals import Scored

T = TypeVar("T")
_BETWEEN = {"line": b"\n", "sentence": b"\n\n", "paragraph": b"\n\n"}
_WHOLE = 1 << 62  # codes: one stream for a batch


class Documents:
    """Scorer of batches of texts.

    are_lines  no text has a newline, so the unit `file` is read as `line`, which is faster
    markers    how `<s>`, `</s>` and `<unk>` in the texts are read
    """

    def __init__(
        self, predictors: Sequence[Predictor], jobs: int = 1, are_lines: bool = False, markers: str = "text"
    ) -> None:
        self.predictors, self.jobs, self.markers = list(predictors), jobs, markers
        self._groups: list[_Group] = []
        for i, predictor in enumerate(predictors):
            options = predictor.options
            if are_lines and options.unit == "file":
                options = replace(options, unit="line")
            group = next((g for g in self._groups if g.options == options), None)
            if group is None:
                group = _Group(options)
                self._groups.append(group)
            group.members.append((i, predictor))
        for group in self._groups:
            group.open(jobs)

    def score(self, batches: Iterable[tuple[Sequence[bytes], T]]) -> Iterator[tuple[T, list[Units]]]:
        """Score batches: yields the second item of each, and the scores of its texts for each predictor, in order.

        batches  texts, and any item that belongs to them
        """

        def one(batch: tuple[Sequence[bytes], T]) -> tuple[T, list[Units]]:
            texts, own = batch
            found: dict[int, Units] = {}
            for group in self._groups:
                found.update(group.score(texts, self.markers))
            return own, [found[i] for i in range(len(self.predictors))]

        n = 0
        due: list[Predictor] = []

        def enough(batch: tuple[Sequence[bytes], T]) -> bool:
            nonlocal n
            n += sum(map(len, batch[0]))
            due[:] = [j for j in self.predictors if j.due(n / bytes_of_a_token(j))]
            return bool(due)

        def prepare() -> None:
            for predictor in due:
                predictor.prepare(self.jobs)

        return ordered_map(one, batches, self.jobs, enough, prepare)

    def add_repairs(self, repairs: Repairs) -> None:
        """Add the repairs of reading the texts for the first predictor."""
        recoder = self._groups[0].recoder
        recoder.see_invalid_types()
        repairs.add(recoder.repairs)
        for encoder in recoder.encoders:
            repairs.add(encoder.repairs)


class _Group:
    """Predictors with equal text options, with one recoder."""

    def __init__(self, options: TextOptions) -> None:
        self.options = options
        self.members: list[tuple[int, Predictor]] = []
        self.recoder: Recoder
        self._free: queue.SimpleQueue[Encoder] = queue.SimpleQueue()

    def open(self, jobs: int) -> None:
        vocabularies = [vocabulary for _, j in self.members for vocabulary in j.vocabularies]
        self.recoder = self.members[0][1].guard(Recoder, vocabularies, self.options, jobs, True)
        for encoder in self.recoder.encoders:
            self._free.put(encoder)
        self.order = max(j.order for _, j in self.members)

    def score(self, texts: Sequence[bytes], markers: str) -> dict[int, Units]:
        encoder = self._free.get()
        try:
            pieces, document = encode_texts(encoder, texts, markers)
        finally:
            self._free.put(encoder)
        streams = list(Streams(self.order, self.options.unit, _WHOLE).of(pieces))
        out, first = {}, 0
        for i, predictor in self.members:
            if streams:
                codes = streams[0].codes
                ids, p, longest = predictor.score(codes, self.recoder, first)
                if predictor.adapts:
                    number = document[np.cumsum(codes == BOS) - 1]
                    ends = np.flatnonzero(np.diff(number)) + 1
                    _, before = next(windows([replace(streams[0], documents=ends)]))
                    p = predictor.adapted(p, before, self.recoder, first)
                spelled = predictor.spelled(codes, ids, self.recoder)
                units = UnitSums().of(Scored(codes, ids, p, longest, [], predictor.borders.open_end, spelled))
            else:
                units = no_units()
            out[i] = _per_document(units, document, texts)
            first += len(predictor.vocabularies)
        return out


def encode_texts(encoder: Encoder, texts: Sequence[bytes], markers: str = "text") -> tuple[list[Piece], np.ndarray]:
    """Encode texts as pieces without bytes; also the index of the text of each non-empty sequence: int64 (s,)."""
    between = _BETWEEN.get(encoder.options.unit)
    if between is None:  # a text is a sequence
        pieces = [encoder.encode(_block(text, markers)) for text in texts]
        n = [np.count_nonzero(np.diff(np.append(p.end, len(p.number)), prepend=0)) for p in pieces]
        document = np.repeat(np.arange(len(pieces)), n)
    else:
        piece = encoder.encode(_block(between.join(texts), markers))
        assert piece.cut is not None
        data = np.frombuffer(piece.cut.data, np.uint8)
        newlines = np.array([t.count(b"\n") + len(between) for t in texts[:-1]], np.int64)
        # reading may change bytes, but no newline
        edge = np.flatnonzero(data == 10)[np.cumsum(newlines) - len(between)]
        size = np.diff(np.append(piece.end, len(piece.number)), prepend=0)
        stop = np.append(piece.cut.begin, len(data))[size > 0]
        pieces, document = [piece], np.searchsorted(edge, stop, "left")
    for piece in pieces:
        piece.cut = None
    return pieces, document


def _block(text: bytes, markers: str) -> Block:
    data = np.frombuffer(text + bytes(8), np.uint8)
    return Block(data, len(text), last=True, first=True, progress_bytes=0, markers=markers)


def _per_document(units: Units, document: np.ndarray, texts: Sequence[bytes]) -> Units:
    n = len(texts)
    tokens, oov, zero = (
        np.bincount(document, c, n).astype(np.int64) for c in (units.tokens, units.oov, units.zero)
    )  # counts far below 2**53, so float64 is exact
    longest = np.zeros(n, np.int64)
    np.maximum.at(longest, document, units.longest)
    return Units(tokens, oov, np.bincount(document, units.bits, n), zero, longest, list(texts))


def batches_of(
    found: Iterable[tuple[bytes, T]], n: int = 2048, size: int = 1 << 18
) -> Iterator[tuple[list[bytes], list[T]]]:
    """Group pairs (text, item) into batches of at most n texts and about `size` bytes."""
    texts: list[bytes] = []
    own: list[T] = []
    total = 0
    for text, thing in found:
        texts.append(text)
        own.append(thing)
        total += len(text)
        if total >= size or len(texts) >= n:
            yield texts, own
            texts, own, total = [], [], 0
    if texts:
        yield texts, own


def fewest_bits(units: Sequence[Units]) -> tuple[np.ndarray, np.ndarray]:
    """Index of the predictor with the fewest bits for each text, -1 for a tie, and its margin in bits.

    units    scores of s texts by K predictors
    returns  int64 (s,), float64 (s,); the margin is infinite where all others give probability 0
    """
    bits = np.stack([u.all_bits for u in units])  # (K, s)
    ranked = np.sort(bits, axis=0)
    first, second = ranked[0], ranked[1]
    decided = first < second
    margin = np.zeros(len(first))
    margin[decided] = second[decided] - first[decided]
    return np.where(decided, bits.argmin(axis=0), -1), margin
