"""Scores streams of ids under a blend: each part scores the stream by itself, and the results are mixed.

Legend: L is the length of a stream; K sets of classes; see model/blend.py.
"""

from __future__ import annotations

import numpy as np

from ..errors import OptionError
from ..model.blend import Blend
from ..text.types import BOS
from .log_linear import LogLinear
from .recent_text import recent
from .scorer import Scorer


class BlendScorer:
    """Scorer of streams of ids under a blend; has what `Scorer` has."""

    def __init__(self, blend: Blend, adapts: bool = False) -> None:
        """Score under a blend; `adapts` needs one that was tuned for it."""
        self.adapts = adapts
        self.distribution = blend
        parameters = blend.parameters
        logs = parameters is not None and parameters.mixture == "log-linear"
        self.log_linear = LogLinear(blend) if logs else None
        self.table = blend.table
        self.words = Scorer(blend.words)
        self.classes = [Scorer(one.distribution) for one in blend.classes]

    @property
    def rows(self) -> int:
        """Rows of the tables."""
        return sum(one.rows for one in (self.words, *self.classes))

    def prepare(self, jobs: int = 1) -> None:
        """Index the tables for many tokens; takes some memory."""
        for one in (self.words, *self.classes):
            one.prepare(jobs)

    def score(self, stream: np.ndarray, within: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """As `Scorer.score`: p float64 (L,), and the length of the longest n-gram of words, uint32 (L,).

        p is 1 under a log-linear blend that adapts: `adapted` follows.
        """
        if self.log_linear is not None:
            if within:
                raise OptionError("--within does not work with a log-linear blend", "use --smoothing kn with it")
            _, longest = self.words.score(stream)
            if self.adapts:  # `adapted` works them out, from nothing of these
                return np.ones(len(stream)), longest
            return self.log_linear.score(stream.astype(np.int64)), longest
        parts, longest = self.parts(stream, within)
        p = parts @ self.distribution.weights
        p[stream == BOS] = 1.0
        return p, longest

    def parts(self, stream: np.ndarray, within: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities under each part, float64 (L, 1 + K), and the longest n-gram found, uint32 (L,)."""
        p = np.empty((len(stream), self.distribution.n_parts))
        p[:, 0], longest = self.words.score(stream, within)
        for k, (one, scorer) in enumerate(zip(self.distribution.classes, self.classes, strict=True), 1):
            q, _ = scorer.score(one.class_of[stream].astype(np.uint32), within)
            p[:, k] = q * one.within[stream]
        return p, longest

    def adapted(self, p: np.ndarray, ids: np.ndarray, document: np.ndarray, new: int) -> np.ndarray:
        """Mix what was read before in a document into probabilities of new tokens: float64 (m,).

        p              float64 (m,), without it; a log-linear blend does not need them
        ids, document  of a window, the new ones behind those before; `new` is the index of the first
        """
        parameters = self.distribution.parameters
        assert parameters is not None
        if self.log_linear is not None:
            return self.log_linear.adapted(ids, document, new)
        found = recent(ids, document, parameters.half_life, parameters.discount, self.base(ids))
        words = np.where(np.isnan(found.words[new:]), p, found.words[new:])
        weights = np.array(parameters.adapt)[found.hit[new:]]  # (m, 3)
        out = (weights * np.stack((p, words, found.ngrams[new:]), axis=1)).sum(axis=1)
        return np.where(ids[new:] == BOS, 1.0, out)

    def base(self, ids: np.ndarray) -> np.ndarray:
        """Probabilities of ids without a history: float64 (m,)."""
        return self.words.distribution.extend(0, np.zeros(len(ids), np.int64), ids, np.empty(0))
