"""Totals of a scored text: bits, perplexity with and without OOV, cross-entropy.

Legend: tokens are those of the text and one `</s>` for each sequence; an OOV is a token outside the model's
vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..arrays.threads import ordered_map
from ..text.marker_stream import Stream
from ..text.model_ids import Recoder
from ..text.types import BOS, EOS, UNK
from .predictor import Predictor
from .recent_text import Window, windows


@dataclass
class Totals:
    """Sums over the tokens of a text; bits are summed over tokens with a probability above 0.

    bits, oov_bits    -log2 p of all tokens, and of the OOVs
    ends              sequences whose end is among the tokens
    zero, oov_zero    number of tokens of probability 0, and of OOVs among them
    text_bytes        of the text, in UTF-8
    spelled_bits      of bits, those that spell OOVs
    """

    tokens: int = 0
    oov: int = 0
    sequences: int = 0
    ends: int = 0
    bits: float = 0.0
    oov_bits: float = 0.0
    zero: int = 0
    oov_zero: int = 0
    text_bytes: int = 0
    empty_sequences: int = 0
    spelled_bits: float = 0.0

    def add(self, other: Totals) -> None:
        """Add the sums of another text."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def perplexity(self) -> float:
        """Perplexity with OOV: 2 ** (bits per token); infinite where a token has probability 0."""
        return _perplexity(self.bits, self.tokens, self.zero)

    @property
    def perplexity_without_oov(self) -> float:
        """Perplexity without OOV, as KenLM's `query` prints it."""
        return _perplexity(self.bits - self.oov_bits, self.tokens - self.oov, self.zero - self.oov_zero)

    @property
    def bits_per_token(self) -> float:
        """Cross-entropy; infinite where a token has probability 0."""
        return math.inf if self.zero else self.bits / self.tokens if self.tokens else 0.0

    @property
    def bits_per_byte(self) -> float:
        """Bits per byte of the text, which compares models with different tokenizers."""
        return math.inf if self.zero else self.bits / self.text_bytes if self.text_bytes else 0.0

    @property
    def log10_probability(self) -> float:
        """Log10 of the probability of the text, OOV included."""
        return -math.inf if self.zero else -self.bits * math.log10(2)


def _perplexity(bits: float, tokens: int, zero: int) -> float:
    if zero:
        return math.inf
    if not tokens:
        return math.nan
    return 2.0 ** min(bits / tokens, 1023.0)


@dataclass
class Scored:
    """A scored stream, without the context before it; BOS included.

    codes    int64 (m,)
    ids      uint32 (m,)
    p        float64 (m,), 1 at a BOS
    longest  uint32 (m,), tokens of the longest n-gram of the table that ends there
    texts    text of each sequence that ends here, if kept
    open_end  no EOS is predicted: each has p 1 and is no token
    spelled  float64 (m,), bits that spell an OOV, beside those of UNK; None where nothing is spelled
    """

    codes: np.ndarray
    ids: np.ndarray
    p: np.ndarray
    longest: np.ndarray
    texts: list[bytes]
    open_end: bool = False
    spelled: np.ndarray | None = None

    def totals(self) -> Totals:
        """Sums over the stream; `text_bytes` and `empty_sequences` stay 0."""
        bits, zero = self.bits()
        oov = np.flatnonzero(self.ids == UNK)
        sequences = int(np.count_nonzero(self.ids == EOS))
        ends = 0 if self.open_end else sequences
        return Totals(
            tokens=len(self.ids) - int(np.count_nonzero(self.ids == BOS)) - (sequences - ends),
            oov=len(oov),
            sequences=sequences,
            ends=ends,
            bits=float(bits.sum()),
            oov_bits=float(bits[oov].sum()),
            zero=int(np.count_nonzero(zero)),
            oov_zero=int(np.count_nonzero(zero[oov])),
            spelled_bits=0.0 if self.spelled is None else float(self.spelled[~zero].sum()),
        )

    def bits(self) -> tuple[np.ndarray, np.ndarray]:
        """Bits -log2 p, float64 (m,), 0 where p is 0; and True where p is 0, bool (m,)."""
        zero = self.p <= 0
        bits = -np.log2(np.where(zero, 1.0, self.p)) + 0.0
        return bits if self.spelled is None else bits + np.where(zero, 0.0, self.spelled), zero

    def tokens(self) -> Scored:
        """The stream without BOS, and without EOS where none is predicted: every row is a predicted token."""
        rows = self.closed()
        return rows.take(rows.ids != EOS) if self.open_end else rows

    def closed(self) -> Scored:
        """The stream without BOS: every sequence ends in EOS."""
        return self.take(self.ids != BOS)

    def take(self, keep: np.ndarray) -> Scored:
        """Some of the rows."""
        columns = self.codes[keep], self.ids[keep], self.p[keep], self.longest[keep]
        spelled = None if self.spelled is None else self.spelled[keep]
        return Scored(*columns, self.texts, self.open_end, spelled)


def score_streams(
    predictor: Predictor, recoder: Recoder, streams: Iterable[Stream], jobs: int = 1, first: int = 0
) -> Iterator[Scored]:
    """Score streams with several threads; yields them in order.

    first  index of the predictor's first vocabulary in the recoder
    """

    def one(item: tuple[Stream, list[Window]]) -> Scored:
        stream, before = item
        ids, p, longest = predictor.score(stream.codes, recoder, first)
        new = slice(stream.context, None)
        p = predictor.adapted(p[new], before, recoder, first)
        codes, ids = stream.codes[new], ids[new]
        spelled = predictor.spelled(codes, ids, recoder)
        return Scored(codes, ids, p, longest[new], stream.texts, predictor.borders.open_end, spelled)

    n = 0

    def enough(item: tuple[Stream, list[Window]]) -> bool:
        nonlocal n
        n += len(item[0].codes)
        return predictor.due(n)

    items = windows(streams) if predictor.adapts else ((stream, []) for stream in streams)
    return ordered_map(one, items, jobs, enough, lambda: predictor.prepare(jobs))
