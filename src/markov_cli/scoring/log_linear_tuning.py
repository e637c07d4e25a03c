"""Finds the exponents of a log-linear blend on a sample of held-out text.

Legend: M exponents: of the linear blend, of each distance of skip bigrams, of recent words and of recent n-grams.

The likelihood is concave in the exponents, so Newton's method finds its maximum. With recent text, each length of the
recent history that was seen before has exponents of its own, held near those of all places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..model.blend_parameters import N_HITS, N_RECENT, BlendParameters
from ..text.types import BOS
from .log_linear import Block, LogLinear, exponents_of, mean_bits_of
from .recent_text import Window

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
    said = [np.flatnonzero(w.codes != BOS) for w in windows]
    said = [places[places >= w.new] for places, w in zip(said, windows, strict=True)]
    total = sum(map(len, said))
    most = min(max(_MOST_CELLS // mixture.blend.table.n_ids, _FEWEST_PLACES), MOST_PLACES)
    step = max(-(-total // most), 1)
    n_static = 1 + mixture.n_skips
    adapt = bool(before.adapt)

    def sample(half_life: int) -> list[Block]:
        out: list[Block] = []
        for w, places in zip(windows, said, strict=True):
            wanted = places[step // 2 :: step]
            out += mixture.blocks(w.codes, w.document if adapt else None, w.new, half_life, wanted)
        return out

    blocks = sample(_HALF_LIVES[0])
    start = np.zeros(n_static + N_RECENT * adapt)
    start[0] = 1.0
    static_only = np.arange(len(start)) < n_static
    static, _ = exponents_of(blocks, static_only, start)
    skips = [("skip bigrams", static_only & (np.arange(len(start)) > 0))] if mixture.n_skips else []
    after = replace(before, mixture="log-linear", exponents=_rounded(static[:n_static]))
    sampled = sum(len(block.target) for block in blocks)
    scale = linear / _perplexity(blocks, np.ones((1, 1)))
    if not adapt:
        parts = [_part(blocks, name, mask, static, static_only, scale) for name, mask in skips]
        return LogLinearFit(after, parts, scale * _perplexity(blocks, np.array([after.exponents])), sampled)
    every = np.ones(len(start), bool)
    best: tuple[float, int, np.ndarray, np.ndarray, list[Block]] | None = None
    for half_life in _HALF_LIVES:
        if half_life != _HALF_LIVES[0]:
            blocks = sample(half_life)
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
    parts = [_part(blocks, name, mask, found, every, scale) for name, mask in groups]
    after = replace(after, adaptive_exponents=rows, half_life=half_life)
    return LogLinearFit(after, parts, scale * _perplexity(blocks, np.array(rows)), sampled)


def _part(
    blocks: list[Block], name: str, mask: np.ndarray, found: np.ndarray, every: np.ndarray, scale: float
) -> tuple[str, float, float]:
    """The mean exponent of some factors, and the perplexity without them, the other exponents found anew."""
    without, _ = exponents_of(blocks, every & ~mask, found)
    return name, float(found[mask].mean()), scale * _perplexity(blocks, without[None])


def _perplexity(blocks: list[Block], exponents: np.ndarray) -> float:
    return float(2.0 ** mean_bits_of(blocks, exponents))


def _rounded(exponents: np.ndarray) -> tuple[float, ...]:
    return tuple(round(float(x), _DIGITS) + 0.0 for x in exponents)
