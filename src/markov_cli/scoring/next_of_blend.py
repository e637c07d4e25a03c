"""Distribution of the next token under a blend, after many texts at one time.

Legend: m texts; V ids.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..model.blend import Blend
from ..text.types import BOS, UNK
from .log_linear import LogLinear, adapted_weights
from .recent_text import LONGEST
from .whole_blend import WholeBlend, known_histories

_CELLS = 1 << 21  # texts times ids that are worked out at one time


class NextOfBlend:
    """Next-token distributions; linear or log-linear, with or without recent text.

    A text is one document: with `adapts`, all of its tokens are recent text.
    """

    def __init__(self, blend: Blend, adapts: bool = False) -> None:
        self.blend, self.adapts = blend, adapts
        parameters = blend.parameters
        logs = parameters is not None and parameters.mixture == "log-linear"
        self.log_linear = LogLinear(blend) if logs else None
        self._whole = None if logs else WholeBlend(blend)

    @property
    def plain(self) -> bool:
        """A linear mixture without recent text: its parts can be drawn from one by one."""
        return self.log_linear is None and not self.adapts

    def after(self, texts: Sequence[np.ndarray]) -> np.ndarray:
        """p of every id after each text: float64 (m, V), BOS has 0.

        texts  ids, int64, of one sequence each, with BOS where it begins; with `adapts`, of all sequences of a document
        """
        n = self.blend.table.n_ids
        out = np.empty((len(texts), n))
        step = max(_CELLS // n, 1)
        for low in range(0, len(texts), step):
            some = texts[low : low + step]
            if all(len(text) and text[0] == BOS for text in some):
                out[low : low + step] = self._after(some)
            else:  # texts that open no sequence cannot stand in one stream
                for k, text in enumerate(some, low):
                    out[k] = self._after([text])[0]
        return out

    def _after(self, texts: Sequence[np.ndarray]) -> np.ndarray:
        """p of every id after texts that can be read as one stream; an id behind each stands for the next."""
        ids = np.concatenate([np.append(text, UNK).astype(np.int64) for text in texts])
        ends = np.cumsum([len(text) + 1 for text in texts]) - 1
        if self.log_linear is not None:
            return self._after_log_linear(self.log_linear, texts, ids, ends)
        assert self._whole is not None
        classes = [known_histories(one.table, one.class_of[ids]) for one in self.blend.classes]
        words = known_histories(self.blend.table, ids)
        at = [(level[ends], row[ends]) for level, row in (words, *classes)]
        p = self._whole.at(at[0], at[1:]).astype(np.float64)
        p /= p.sum(axis=1, keepdims=True)
        if self.adapts:
            for k, text in enumerate(texts):
                p[k] = self._with_recent(text, p[k])
        return p

    def _after_log_linear(
        self, mixture: LogLinear, texts: Sequence[np.ndarray], ids: np.ndarray, ends: np.ndarray
    ) -> np.ndarray:
        parameters = self.blend.parameters
        assert parameters is not None
        if not self.adapts:
            exponents = np.array(parameters.exponents)
            found = mixture.blocks(ids, None, 0, 1.0, ends)
            return np.concatenate([b.probabilities(np.tile(exponents, (len(b.target), 1))) for b in found])
        rows, weights = np.array(parameters.adaptive_exponents), adapted_weights(parameters)
        document = np.repeat(np.arange(len(texts)), np.diff(ends, prepend=-1))
        out = []
        # a block is of one document, so there is one for each text
        for text, block in zip(texts, mixture.blocks(ids, document, 0, parameters.half_life, ends), strict=True):
            linear = np.exp(block.base[0], dtype=np.float64)
            linear[BOS] = 0.0
            ngrams, hit = self._recent_ngrams(text, mixture.one)
            three = np.stack((block.probabilities(rows[block.hit])[0], linear / linear.sum(), ngrams))
            out.append(weights[hit] @ three)
        return np.array(out)

    def _with_recent(self, text: np.ndarray, static: np.ndarray) -> np.ndarray:
        """Mix recent words and n-grams of one text into its next distribution."""
        parameters = self.blend.parameters
        assert parameters is not None and self._whole is not None
        n = len(static)
        read = text[text != BOS]
        words = static
        if len(read):
            weight = 0.5 ** (np.arange(len(read) - 1, -1, -1) / parameters.half_life)
            words = np.bincount(read, weight, n) / weight.sum()
        ngrams, hit = self._recent_ngrams(text, self._whole.words.one)
        rest, of_words, of_ngrams = parameters.adapt[hit]
        return rest * static + of_words * words + of_ngrams * ngrams

    def _recent_ngrams(self, text: np.ndarray, one: np.ndarray) -> tuple[np.ndarray, int]:
        """p of every id under recent n-grams, and the length of the longest history that was read before.

        one  float64 (V,), p without a history
        """
        parameters = self.blend.parameters
        assert parameters is not None
        ngrams, hit = one, 0
        follows = text != BOS
        for length in range(min(LONGEST, len(text)) + 1):
            if length > 1 and text[1 - length] == BOS:
                break  # a longer history would reach into the sentence before
            if length:  # a history of one token more: it must be there, and inside one sentence
                last = text[-length]
                earlier = np.full(len(text), False)
                earlier[length:] = text[:-length] == last
                follows &= earlier
            after = text[follows]
            if not len(after):
                break
            c = np.bincount(after, minlength=len(one))
            kept = np.maximum(c - parameters.discount, 0.0)
            ngrams = (kept + parameters.discount * np.count_nonzero(c) * ngrams) / len(after)
            hit = length
        return ngrams, hit
