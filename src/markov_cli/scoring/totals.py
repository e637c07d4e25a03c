"""Probabilities -> what a text costs a model.

Legend: N is the number of tokens scored: those of the text and one `</s>` for each sequence; an OOV is a
token outside the model's vocabulary.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..text.recoding import Recoder
from ..text.types import BOS, EOS, UNK
from .scorer import Scorer
from .streams import Stream


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
    """One stream, scored; BOS and the context are left out.

    ids      uint32 (m,)
    p        float64 (m,)
    longest  uint32 (m,), tokens in the longest n-gram of the table that ends there
    """

    stream: Stream
    ids: np.ndarray
    p: np.ndarray
    longest: np.ndarray

    def totals(self) -> Totals:
        """Sums of it; bytes are not known here."""
        oov = self.ids == UNK
        zero = self.p <= 0
        with np.errstate(divide="ignore"):
            bits = np.where(zero, 0.0, -np.log2(self.p))
        return Totals(
            tokens=len(self.ids),
            oov=int(np.count_nonzero(oov)),
            sequences=int(np.count_nonzero(self.ids == EOS)),
            bits=float(bits.sum()),
            oov_bits=float(bits[oov].sum()),
            zero=int(np.count_nonzero(zero)),
            oov_zero=int(np.count_nonzero(zero & oov)),
        )


def score_streams(
    scorer: Scorer, recoder: Recoder, streams: Iterable[Stream], model: int = 0, jobs: int = 1
) -> Iterator[Scored]:
    """Score streams by several threads; they come in their order."""

    def one(stream: Stream) -> Scored:
        ids = recoder.ids(model, stream.codes)
        p, longest = scorer.score(ids)
        keep = ids != BOS
        keep[: stream.context] = False
        return Scored(stream, ids[keep], p[keep], longest[keep])

    if jobs == 1:
        yield from map(one, streams)
        return
    waiting: deque[Future[Scored]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        for stream in streams:
            waiting.append(pool.submit(one, stream))
            if len(waiting) > jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
