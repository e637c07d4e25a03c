"""Weights of a linear mixture by expectation-maximisation (Jelinek and Mercer 1980; Dempster, Laird and Rubin 1977).

Legend: N tokens, K parts; p_k the probability that part k gives a token.

Each round sets w_k to the mean over the tokens of w_k p_k / sum_j w_j p_j. No round makes the tokens less probable.
"""

from __future__ import annotations

import numpy as np

from .blend_parameters import N_HITS

ROUNDS = 60
PRIOR_TOKENS = 20.0


def estimated_weights(
    p: np.ndarray, count: np.ndarray | None = None, rounds: int = ROUNDS, prior: np.ndarray | None = None
) -> np.ndarray:
    """Weights under which the tokens are most probable, from equal ones on: float64 (K,) with sum 1.

    p      float64 (N, K), of each token under each part; tokens of probability 0 are left out
    count  float64 (N,), times that each token is counted; once if None
    prior  float64 (K,), weights that PRIOR_TOKENS further tokens ask for, so that few tokens do not decide alone

    >>> estimated_weights(np.array([[0.9, 0.1], [0.1, 0.9]])).round(3).tolist()
    [0.5, 0.5]
    """
    weights = np.full(p.shape[1], 1.0 / p.shape[1]) if prior is None else prior
    live = p.max(axis=1, initial=0.0) > 0
    p = p[live]
    times = np.ones(len(p)) if count is None else count[live]
    for _ in range(rounds if len(p) else 0):
        share = weights * ((times / (p @ weights)) @ p)
        if prior is not None:
            share += PRIOR_TOKENS * prior
        weights = share / share.sum()
    return weights


def weights_by_hit(p: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """Weights for each length of the recent history, held near those of all tokens: float64 (N_HITS, K).

    hit  int64 (N,), the length for each token
    """
    whole = estimated_weights(p)
    return np.stack([estimated_weights(p[hit == k], prior=whole) for k in range(N_HITS)])


def rounded(weights: np.ndarray) -> tuple[float, ...]:
    """Weights to six places, with sum 1, so that the last bits of a sum change no file."""
    out = np.round(weights, 6)
    most = int(out.argmax())
    out[most] += 1.0 - out.sum()
    return tuple(round(float(w), 6) for w in out)


def mean_bits(p: np.ndarray, count: np.ndarray | None = None) -> float:
    """Mean of -log2 p; tokens of probability 0 are left out."""
    live = p > 0
    times = np.ones(len(p)) if count is None else count
    return float((-np.log2(p[live]) * times[live]).sum() / max(float(times[live].sum()), 1.0))
