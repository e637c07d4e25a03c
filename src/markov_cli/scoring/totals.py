"""Probabilities -> what a text costs a model.

Legend: N is the number of tokens scored: those of the text and one `</s>` for each sequence; an OOV is a
token outside the model's vocabulary.
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


@dataclass
class Totals:
    """What a text costs; sums of bits are of the tokens whose probability is not 0.

    bits, oov_bits    -log2 p of all, and of the OOVs among them
    zero, oov_zero    tokens of probability 0, and OOVs among them
    text_bytes        of the text, in UTF-8
    """

    tokens: int = 0
    oov: int = 0
    sequences: int = 0
    bits: float = 0.0
    oov_bits: float = 0.0
    zero: int = 0
    oov_zero: int = 0
    text_bytes: int = 0
    empty_sequences: int = 0

    def add(self, other: Totals) -> None:
        """Count another text's too."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def perplexity(self) -> float:
        """2 ** (bits per token), OOVs included; infinite where a token has probability 0."""
        return _perplexity(self.bits, self.tokens, self.zero)

    @property
    def perplexity_without_oov(self) -> float:
        """The same of the tokens that the model knows, as KenLM's `query` gives it."""
        return _perplexity(self.bits - self.oov_bits, self.tokens - self.oov, self.zero - self.oov_zero)

    @property
    def bits_per_token(self) -> float:
        """The cross-entropy."""
        return math.inf if self.zero else self.bits / self.tokens if self.tokens else 0.0

    @property
    def bits_per_byte(self) -> float:
        """Bits for each byte of the text: what models of other tokens can be compared by."""
        return math.inf if self.zero else self.bits / self.text_bytes if self.text_bytes else 0.0

    @property
    def log10_probability(self) -> float:
        """Of the whole text."""
        return -math.inf if self.zero else -self.bits * math.log10(2)


def _perplexity(bits: float, tokens: int, zero: int) -> float:
    if zero:
        return math.inf
    if not tokens:
        return math.nan
    return 2.0 ** min(bits / tokens, 1023.0)


@dataclass
class Scored:
    """One stream, scored; what stood before it is left out, a BOS is not.

    codes    int64 (m,)
    ids      uint32 (m,)
    p        float64 (m,), 1 at a BOS
    longest  uint32 (m,), tokens in the longest n-gram of the table that ends there
    texts    the text of each sequence that ends here, where it was kept
    """

    codes: np.ndarray
    ids: np.ndarray
    p: np.ndarray
    longest: np.ndarray
    texts: list[bytes]

    def totals(self) -> Totals:
        """Sums of it; bytes are not known here."""
        bits, zero = self.bits()
        oov = np.flatnonzero(self.ids == UNK)
        return Totals(
            tokens=len(self.ids) - int(np.count_nonzero(self.ids == BOS)),
            oov=len(oov),
            sequences=int(np.count_nonzero(self.ids == EOS)),
            bits=float(bits.sum()),
            oov_bits=float(bits[oov].sum()),
            zero=int(np.count_nonzero(zero)),
            oov_zero=int(np.count_nonzero(zero[oov])),
        )

    def bits(self) -> tuple[np.ndarray, np.ndarray]:
        """-log2 p, 0 where p is 0, and where that is: float64 (m,), bool (m,)."""
        zero = self.p <= 0
        return -np.log2(np.where(zero, 1.0, self.p)) + 0.0, zero

    def tokens(self) -> Scored:
        """The same without any BOS: every row is a token that was predicted."""
        keep = self.ids != BOS
        return Scored(self.codes[keep], self.ids[keep], self.p[keep], self.longest[keep], self.texts)


def score_streams(
    judge: Predictor, recoder: Recoder, streams: Iterable[Stream], jobs: int = 1, first: int = 0
) -> Iterator[Scored]:
    """Score streams by several threads; they come in their order.

    first  which of the recoder's lexicons is the judge's first
    """

    def one(stream: Stream) -> Scored:
        ids, p, longest = judge.score(stream.codes, recoder, first)
        new = slice(stream.context, None)
        return Scored(stream.codes[new], ids[new], p[new], longest[new], stream.texts)

    n = 0

    def enough(stream: Stream) -> bool:
        nonlocal n
        n += len(stream.codes)
        return judge.due(n)

    return ordered_map(one, streams, jobs, enough, lambda: judge.prepare(jobs))
