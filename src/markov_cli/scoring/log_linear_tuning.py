"""Finds the exponents of a log-linear blend on a sample of held-out text.

Legend: M exponents: of the linear blend, of each distance of skip bigrams, of recent words and of recent n-grams.

The likelihood is concave in the exponents, so Newton's method finds its maximum. With recent text, each length of the
recent history that was seen before has exponents of its own, held near those of all places. The weights by which the
result is mixed with the linear blend and recent n-grams are found on other places, where there are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..model.blend_parameters import N_HITS, N_RECENT, BlendParameters
from ..model.mixture_weights import mean_bits, rounded, weights_by_hit
from ..text.types import BOS
from .log_linear import Block, LogLinear, exponents_of, mean_bits_of
from .recent_text import Window, recent_ngrams

MOST_PLACES = 3000  # of the sample
_FEWEST_PLACES = 300
_MOST_CELLS = 1 << 25  # places times ids
_HALF_LIVES = (50, 100, 200)
_PRIOR_PLACES = 60.0  # that hold the exponents of one length of history near those of all
_DIGITS = 4  # of an exponent in the file


@dataclass(frozen=True)
class LogLinearFit:
    """Exponents and figures.

    Perplexities are those of the sample, times the linear blend's perplexity of the whole text by that of the sample.

    parts    names, mean exponents, and perplexities without the part
    tuned    perplexity with all
    sampled  places of the sample
    """

    parameters: BlendParameters
    parts: list[tuple[str, float, float]]
    tuned: float
    sampled: int


def fit_log_linear(
    mixture: LogLinear, windows: Sequence[Window], before: BlendParameters, linear: float
) -> LogLinearFit:
    """Exponents for a linear blend that was tuned before, also those of recent text if it was tuned for it.

    linear  perplexity of the whole text under that blend, without recent text
    """
    n_static = 1 + mixture.n_skips
    adapt = bool(before.adapt)
    sample = _Sample(mixture, windows, adapt)
    blocks = sample.blocks(_HALF_LIVES[0])
    start = np.zeros(n_static + N_RECENT * adapt)
    start[0] = 1.0
    static_only = np.arange(len(start)) < n_static
    static, _ = exponents_of(blocks, static_only, start)
    skips = [("skip bigrams", static_only & (np.arange(len(start)) > 0))] if mixture.n_skips else []
    after = replace(before, mixture="log-linear", exponents=_rounded(static[:n_static]))
    sampled = sum(len(block.target) for block in blocks)
    if not adapt:
        scale = linear / _perplexity(blocks, np.ones((1, 1)))
        others = [(name, mask, exponents_of(blocks, static_only & ~mask, static)[0]) for name, mask in skips]
        parts = [(name, float(static[mask].mean()), scale * _perplexity(blocks, w[None])) for name, mask, w in others]
        return LogLinearFit(after, parts, scale * _perplexity(blocks, np.array([after.exponents])), sampled)
    every = np.ones(len(start), bool)
    best: tuple[float, int, np.ndarray, np.ndarray, list[Block]] | None = None
    for half_life in _HALF_LIVES:
        if half_life != _HALF_LIVES[0]:
            blocks = sample.blocks(half_life)
        found, second = exponents_of(blocks, every, static if best is None else best[2])
        bits = mean_bits_of(blocks, found[None])
        if best is None or bits < best[0]:
            best = bits, half_life, found, second, blocks
    assert best is not None
    _, half_life, found, second, blocks = best
    prior = found, second * (_PRIOR_PLACES / sampled)
    rows = tuple(_rounded(exponents_of(blocks, every, found, hit, prior)[0]) for hit in range(N_HITS))
    at = np.arange(len(start))
    groups = [*skips, ("recent words", at == n_static), ("recent n-grams", at > n_static)]
    others = [(name, mask, exponents_of(blocks, every & ~mask, found)[0]) for name, mask in groups]
    del blocks, best  # before the other sample is made
    blocks, ngrams = sample.blocks(half_life, other=True), sample.ngrams(before.discount)
    hit = np.concatenate([block.hit for block in blocks])
    scale = linear / _perplexity(blocks, np.ones((1, 1)))

    def mixed(exponents: np.ndarray, some: list[int]) -> tuple[np.ndarray, float]:
        """Weights of some of the three that are mixed, and the perplexity with them."""
        p = _three(blocks, exponents, ngrams)[:, some]
        weights = weights_by_hit(p, hit)
        return weights, scale * float(2.0 ** mean_bits((weights[hit] * p).sum(axis=1)))

    weights, _ = mixed(np.array(rows), [0, 1, 2])
    parts = []
    for name, mask, without in others:
        some = [0, 1] if name == "recent n-grams" else [0, 1, 2]
        parts.append((name, float(found[mask].mean()), mixed(without[None], some)[1]))
    parts.append(("linear blend beside it", float(weights[hit, 1].mean()), mixed(np.array(rows), [0, 2])[1]))
    adapted = tuple(rounded(row) for row in weights)
    p = (np.array(adapted)[hit] * _three(blocks, np.array(rows), ngrams)).sum(axis=1)
    after = replace(after, adapt=adapted, adaptive_exponents=rows, half_life=half_life)
    return LogLinearFit(after, parts, scale * float(2.0 ** mean_bits(p)), sampled)


class _Sample:
    """Places of held-out text, evenly spread, in blocks; another sample lies between them where there is room."""

    def __init__(self, mixture: LogLinear, windows: Sequence[Window], adapt: bool) -> None:
        self.mixture, self.windows, self.adapt = mixture, windows, adapt
        said = [np.flatnonzero(w.codes != BOS) for w in windows]
        self.said = [places[places >= w.new] for places, w in zip(said, windows, strict=True)]
        most = min(max(_MOST_CELLS // mixture.blend.table.n_ids, _FEWEST_PLACES), MOST_PLACES)
        self.step = max(-(-sum(map(len, self.said)) // most), 1)

    def wanted(self, other: bool) -> list[np.ndarray]:
        """Sampled places of each window."""
        return [places[0 if other else self.step // 2 :: self.step] for places in self.said]

    def blocks(self, half_life: int, other: bool = False) -> list[Block]:
        """Blocks of the sample; `other` is the sample that exponents are not found from."""
        out: list[Block] = []
        for w, wanted in zip(self.windows, self.wanted(other), strict=True):
            document = w.document if self.adapt else None
            out += self.mixture.blocks(w.codes, document, w.new, half_life, wanted)
        return out

    def ngrams(self, discount: float) -> np.ndarray:
        """p of each token of the other sample under recent n-grams: float64 (N,)."""
        one, out = self.mixture.one, [np.empty(0)]
        for w, wanted in zip(self.windows, self.wanted(True), strict=True):
            out.append(recent_ngrams(w.codes, w.document, discount, one[w.codes])[0][wanted])
        return np.concatenate(out)


def _three(blocks: list[Block], exponents: np.ndarray, ngrams: np.ndarray) -> np.ndarray:
    """`Block.three` of all places: float64 (N, 3).

    exponents  float64 (hits, n) or (1, n)
    """
    out, low = [np.empty((0, 3))], 0
    for block in blocks:
        rows = exponents[block.hit if len(exponents) > 1 else np.zeros(len(block.hit), np.int64)]
        out.append(block.three(rows, ngrams[low : low + len(rows)]))
        low += len(rows)
    return np.concatenate(out)


def _perplexity(blocks: list[Block], exponents: np.ndarray) -> float:
    return float(2.0 ** mean_bits_of(blocks, exponents))


def _rounded(exponents: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(x), _DIGITS) + 0.0 for x in exponents)
