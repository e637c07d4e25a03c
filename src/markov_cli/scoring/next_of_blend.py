"""Distribution of the next token under a blend, after many texts at one time.

Legend: m texts; V ids.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..model.blend import Blend
from ..text.types import BOS, UNK
from .log_linear import LogLinear
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
        parameters = self.blend.parameters
        if self.log_linear is not None:
            assert parameters is not None
            document = np.repeat(np.arange(len(texts)), np.diff(ends, prepend=-1)) if self.adapts else None
            static, rows = np.array(parameters.exponents), np.array(parameters.adaptive_exponents)
            parts = []
            for block in self.log_linear.blocks(ids, document, 0, parameters.half_life or 1.0, ends):
                exponents = rows[block.hit] if self.adapts else np.tile(static, (len(block.target), 1))
                parts.append(block.probabilities(exponents))
            return np.concatenate(parts)
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
        ngrams, hit = self._whole.words.one, 0
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
            c = np.bincount(after, minlength=n)
            kept = np.maximum(c - parameters.discount, 0.0)
            ngrams = (kept + parameters.discount * np.count_nonzero(c) * ngrams) / len(after)
            hit = length
        rest, of_words, of_ngrams = parameters.adapt[hit]
        return rest * static + of_words * words + of_ngrams * ngrams
