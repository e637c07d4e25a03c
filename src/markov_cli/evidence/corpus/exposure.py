"""Exposure of canaries: scores all fillings of a line, and ranks the inserted one (Carlini et al. 2019).

Legend: R fillings; a row is one filling; n is the order.

All fillings are written as one array of bytes, tokenized with the model's options, and scored as one stream.
Tokens before the first slot have equal bits in all fillings, so only the last n - 1 of them are in the stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...arrays.numbers import whole
from ...arrays.sorting import distinct_values
from ...arrays.threads import ordered_map
from ...errors import TextError
from ...scoring.predictor import Predictor
from ...text.encoder import Encoder, Piece, TextOptions
from ...text.model_ids import Recoder
from ...text.text_blocks import Block
from ...text.types import BOS, EOS, N_MARKERS, UNK
from .canary import Canaries, Canary, fill

MOST = 10**6  # fillings that are scored; if there are more, this many are sampled
_CHUNK = 1 << 15  # fillings scored at one time


@dataclass
class Exposure:
    """Exposure of one canary.

    rank      from 1 to |R|, ties at their mean; scaled up from a sample
    bits      exposure: log2 |R| - log2 rank
    how       "exact"; "estimate" from a sample; "bound": a lower bound, no sampled filling has as few bits
    cost_bits -log2 of its probability from the first slot on; infinite for probability 0
    """

    canary: Canary
    rank: float
    bits: float
    how: str
    cost_bits: float

    @property
    def p(self) -> float:
        """P-value: probability of this exposure or more for a filling that was never inserted."""
        return float(2.0**-self.bits)


@dataclass
class Exposures:
    """Exposures of all canaries of a key file.

    space    |R|
    scored   number of fillings that each canary was compared with
    unknown  share of these with an unknown token from the first slot on
    """

    each: list[Exposure]
    space: int
    scored: int
    unknown: float

    def of_repeat(self, repeat: int) -> list[Exposure]:
        """Exposures of canaries inserted `repeat` times."""
        return [e for e in self.each if e.canary.repeat == repeat]

    @property
    def repeats(self) -> list[int]:
        """Numbers of repetitions, 0 for controls, rising."""
        return sorted({e.canary.repeat for e in self.each})


def score(predictor: Predictor, text_options: TextOptions, keys: Canaries, jobs: int = 1) -> Exposures:
    """Rank each canary among all fillings of its line; TextError where the model reads a line as several sequences."""
    _check(text_options, keys)
    recoder = Recoder(predictor.vocabularies, replace(text_options, unit="line"))
    letters = [np.frombuffer(a.encode(), np.uint8) for a in keys.alphabets]
    whole = keys.space <= MOST
    scored = keys.space if whole else MOST
    out, unknown = [], 0
    for k, canary in enumerate(keys.canaries):
        one = _Line(predictor, recoder, keys, canary, text_options)

        def cost(rows: np.ndarray, line: _Line = one) -> tuple[np.ndarray, int]:
            return line.costs(rows)

        rows = _all(letters) if whole else _sample(letters, keys.seed, k)
        found = [*ordered_map(cost, rows, jobs)]
        bits = np.concatenate([b for b, _ in found])
        unknown += sum(n for _, n in found)
        own = float(one.costs(np.frombuffer(canary.filling.encode(), np.uint8)[None])[0][0])
        out.append(_place(canary, own, bits, keys.space, whole))
    return Exposures(out, keys.space, scored, unknown / (scored * len(out)))


def _place(canary: Canary, own: float, bits: np.ndarray, space: int, whole: bool) -> Exposure:
    cheaper, equal = int(np.count_nonzero(bits < own)), int(np.count_nonzero(bits == own))
    if whole:
        rank = cheaper + (equal + 1) / 2
        return Exposure(canary, rank, float(np.log2(space) - np.log2(rank)), "exact", own)
    rank = max(1.0, cheaper + equal / 2)  # within the sample
    how = "estimate" if cheaper + equal else "bound"
    exposure = float(np.log2(len(bits)) - np.log2(rank))
    return Exposure(canary, rank * space / len(bits), exposure, how, own)


def _all(letters: list[np.ndarray]) -> Iterator[np.ndarray]:
    """All fillings, in blocks: uint8 (block, slots)."""
    shape = tuple(len(a) for a in letters)
    total = int(np.prod(shape))
    for low in range(0, total, _CHUNK):
        which = np.unravel_index(np.arange(low, min(low + _CHUNK, total)), shape)
        yield np.stack([a[i] for a, i in zip(letters, which, strict=True)], axis=1)


def _sample(letters: list[np.ndarray], seed: int, canary: int) -> Iterator[np.ndarray]:
    """MOST random fillings, in blocks: uint8 (block, slots); fixed by seed and canary."""
    raw = np.random.PCG64(whole("seed", seed)).advance((2 << 64) + (canary << 40))
    for low in range(0, MOST, _CHUNK):
        n = min(_CHUNK, MOST - low)
        u = (np.asarray(raw.random_raw(n * len(letters))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        u = u.reshape(n, len(letters))
        yield np.stack([a[(u[:, i] * len(a)).astype(np.int64)] for i, a in enumerate(letters)], axis=1)


class _Line:
    """Line of one canary with open slots, ready to score fillings."""

    def __init__(
        self, predictor: Predictor, recoder: Recoder, keys: Canaries, canary: Canary, options: TextOptions
    ) -> None:
        self.predictor, self.recoder, self.options = predictor, recoder, options
        mark = "\0"
        line = fill(keys.format, canary.name, mark * len(keys.alphabets)).encode() + b"\n"
        self.base = np.frombuffer(line, np.uint8)
        self.slots = np.flatnonzero(self.base == 0)
        ends = [np.array([[ord(a[i]) for a in keys.alphabets]], np.uint8) for i in (0, -1)]
        lows, highs = (self._piece(rows).number for rows in ends)
        n = min(len(lows), len(highs))
        same = lows[:n] == highs[:n]
        self.lead = 0 if options.tokenizer == "regex" else int(np.argmin(np.append(same, False)))
        self.skip = max(self.lead - (predictor.order - 1), 0)

    def _piece(self, rows: np.ndarray) -> Piece:
        data = np.repeat(self.base[None], len(rows), axis=0)
        data[:, self.slots] = rows
        size = data.size
        block = Block(np.concatenate((data.ravel(), np.zeros(8, np.uint8))), size, True, True, 0)
        encoder = Encoder(self.recoder.options, self.recoder.encoders[0].interner)
        return encoder.encode(block)

    def costs(self, rows: np.ndarray) -> tuple[np.ndarray, int]:
        """Bits of each filling from its first slot's token on, and the number of fillings with an unknown token.

        rows     uint8 (r, slots), one character for each slot
        returns  float64 (r,), rounded so that equal probabilities give equal bits
        """
        piece = self._piece(rows)
        ids = self.recoder.ids(0, piece.number.astype(np.int64) + N_MARKERS).astype(np.int64)
        end = piece.end[: len(rows)]
        size = np.diff(end, prepend=0)
        at = np.arange(len(ids)) - np.repeat(end - size, size)
        kept = at >= self.skip
        opens = self.skip == 0 and self.options.unit != "file"
        width = size - self.skip + opens + 1
        stop = np.cumsum(width)
        stream = np.full(int(stop[-1]), EOS, np.int64)
        stream[(np.repeat(stop - width, size) + at - self.skip + opens)[kept]] = ids[kept]
        if opens:
            stream[stop - width] = BOS
        p, _ = self.predictor.guard(self.predictor.scorers[0].score, stream, self.predictor.borders.within)
        with np.errstate(divide="ignore"):
            bits = -np.log2(p)
        column = np.arange(len(stream)) - np.repeat(stop - width, width) - opens + self.skip
        counted = column >= self.lead
        if self.options.unit == "file":
            counted[stop - 1] = False  # the file goes on after the line, so its EOS does not count
        sums = np.add.reduceat(np.where(counted, bits, 0.0), stop - width)
        unknown = np.bincount(np.repeat(np.arange(len(rows)), size), (ids == UNK) & (at >= self.lead))
        return np.round(sums, 9), int(np.count_nonzero(unknown))


def _check(options: TextOptions, keys: Canaries) -> None:
    """Raise TextError unless the model reads a canary's line as one sequence."""
    text = keys.text(keys.canaries[0]).encode()
    data = np.frombuffer(text + bytes(8), np.uint8)
    piece = Encoder(options).encode(Block(data, len(text), True, True, 0))
    n = len(distinct_values(np.append(piece.end, len(piece.number)))) - (0 in piece.end)
    if len(piece.number) == 0 or n != 1:
        raise TextError(
            f"this model reads the line {keys.format!r} as {n} sequences (unit {options.unit})",
            "make canaries with a line that is one sequence: no full stop inside it",
        )
