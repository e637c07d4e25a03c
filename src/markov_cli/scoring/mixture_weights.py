"""Estimates mixture weights on held-out text by expectation-maximisation (Jelinek and Mercer 1980).

Legend: N tokens, K models; p_k the probability that model k gives a token.

Each round sets w_k to the mean over tokens of w_k p_k / sum_j w_j p_j. No round lowers the likelihood, which is
concave in w. Source of EM: Dempster, Laird and Rubin 1977.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays.threads import ordered_map
from ..text.marker_stream import Stream
from ..text.types import BOS, EOS, UNK
from .text_totals import Reading, no_token
from .totals import Totals

ROUNDS = 100
ENOUGH = 1e-6  # stop when no weight moves further in a round


@dataclass(frozen=True)
class Tuned:
    """Estimated weights of a mixture.

    weights  float64 (K,)
    bits     bits per token before each round, and with `weights`; never rises
    alone    float64 (K,), bits per token of each model by itself, infinite where it gives a token probability 0
    skipped  tokens with probability 0 under every model
    """

    weights: np.ndarray
    bits: list[float]
    alone: np.ndarray
    skipped: int

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return len(self.bits) - 1


def tune(parts: Sequence[np.ndarray], rounds: int = ROUNDS, enough: float = ENOUGH) -> Tuned:
    """Maximum-likelihood weights for a text, starting from equal weights.

    parts   float64 (K, N_i), probabilities of the text's tokens under each model, in any number of parts
    rounds  most rounds
    enough  stop when no weight moves by this much
    """
    n_models = parts[0].shape[0]
    live = [p[:, p.max(axis=0) > 0] for p in parts]
    n = sum(p.shape[1] for p in live)
    skipped = sum(p.shape[1] for p in parts) - n
    weights = np.full(n_models, 1.0 / n_models)
    seen: list[float] = []
    while n:
        share, bits = np.zeros(n_models), 0.0
        for p in live:
            whole = weights @ p  # (N_i,)
            share += (p / whole).sum(axis=1)
            bits -= float(np.log2(whole).sum())
        seen.append(bits / n)
        new = weights * share / n
        moved = float(np.abs(new - weights).max())
        if len(seen) > rounds or moved < enough:
            break
        weights = new / new.sum()
    zero = np.array([any((p[k] <= 0).any() for p in live) for k in range(n_models)])
    alone = np.array([-sum(float(np.log2(np.maximum(p[k], 5e-324)).sum()) for p in live) for k in range(n_models)])
    return Tuned(weights, seen, np.where(zero, np.inf, alone / max(n, 1)), skipped)


def probabilities(reading: Reading, proper: bool = False) -> tuple[list[np.ndarray], Totals]:
    """Probability of each token of a text under each model of a mixture, and totals of tokens, OOV and sequences.

    proper   a model gives 0, and not the probability of `<unk>`, to a token that only other models have: so those of
             all tokens sum to 1
    returns  float64 (K, N_i) for each stream, all in memory: 8 K bytes a token

    TextError where the text has no token.
    """
    predictor, recoder = reading.predictor, reading.recoder

    def one(stream: Stream) -> tuple[np.ndarray, Totals]:
        ids, p, _ = predictor.each(stream.codes, recoder)
        keep = ids[0] != BOS
        sequences = int(np.count_nonzero(ids[0][stream.context :] == EOS))
        if predictor.borders.open_end:
            keep &= ids[0] != EOS
        keep[: stream.context] = False
        ids, p = ids[:, keep], p[:, keep]
        unknown = ids == UNK
        oov = int(np.count_nonzero(unknown.all(axis=0)))
        if proper:
            p = np.where(unknown & ~unknown.all(axis=0), 0.0, p)
        return p, Totals(ids.shape[1], oov, sequences, sequences * (not predictor.borders.open_end))

    parts, totals = [], Totals()
    for p, found in ordered_map(one, reading.streams(), reading.jobs):
        parts.append(p)
        totals.add(found)
    if not totals.tokens:
        raise no_token(reading)
    return parts, totals
