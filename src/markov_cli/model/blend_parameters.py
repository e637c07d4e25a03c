"""Parameters of a tuned blend, as the header of a model file holds them.

Legend: K sets of classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

MIXTURES = ("linear", "log-linear")
N_HITS = 4  # longest recent history that was seen before: 0, 1, 2, or 3 tokens
N_CACHES = 2  # recent words, recent n-grams
MOST_SKIPS = 3  # skip bigrams over one, two and three tokens, as far as the order goes
N_RECENT = 1 + 3  # exponents of recent words, and of recent n-grams of order 2, 3 and 4
MOST_CLASSES = 1 << 16


@dataclass(frozen=True)
class BlendParameters:
    """Weights, exponents and half-life that `markov tune` found.

    mixture    one of MIXTURES
    weights    1 + K: of the words' n-grams, and of each set of classes
    adapt      N_HITS rows of 3, for each length of the recent history: weights of the linear mixture, of recent
               words, and of recent n-grams; log-linear: of the log-linear mixture, of the linear one, and of recent
               n-grams; () if not tuned for it
    half_life  of recent words, in tokens; 0 without adapt
    discount   of recent n-grams
    exponents  log-linear: of the linear mixture, and of each distance of skip bigrams; () for linear
    adaptive_exponents  log-linear, a row for each length of the recent history: these, and N_RECENT; () without adapt
    """

    mixture: str
    weights: tuple[float, ...]
    adapt: tuple[tuple[float, ...], ...] = ()
    half_life: int = 0
    discount: float = 0.0
    exponents: tuple[float, ...] = ()
    adaptive_exponents: tuple[tuple[float, ...], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The parameters as JSON; what is empty is left out."""
        out: dict[str, Any] = {"mixture": self.mixture, "weights": list(self.weights)}
        if self.half_life:
            out |= {"half_life": self.half_life, "discount": self.discount}
        if self.adapt:
            out["adapt"] = [list(row) for row in self.adapt]
        if self.exponents:
            out["exponents"] = list(self.exponents)
        if self.adaptive_exponents:
            out["adaptive_exponents"] = [list(row) for row in self.adaptive_exponents]
        return out

    @classmethod
    def of_dict(cls, given: Any, order: int) -> BlendParameters:
        """Check every field; ValueError names the first that is wrong."""
        known = {"mixture", "weights", "half_life", "discount", "adapt", "exponents", "adaptive_exponents"}
        if not isinstance(given, dict) or not set(given) <= known or given.get("mixture") not in MIXTURES:
            raise ValueError("blend")
        weights = _rows("weights", [given.get("weights")], 0.0)[0]
        if not 1 <= len(weights) <= 65:
            raise ValueError("blend: weights")
        logs = given["mixture"] == "log-linear"
        adapt = _rows("adapt", given.get("adapt", []), 0.0)
        exponents = _rows("exponents", [given.get("exponents", [])], -math.inf)[0]
        adaptive = _rows("adaptive_exponents", given.get("adaptive_exponents", []), -math.inf)
        half_life = given.get("half_life", 0)
        if type(half_life) is not int or not 0 <= half_life <= 1 << 20:
            raise ValueError("blend: half_life")
        discount = _rows("discount", [[given.get("discount", 0.0)]], 0.0)[0][0]
        if discount > 1:
            raise ValueError("blend: discount")
        wants = (1 + n_skips(order)) * logs
        adapted = bool(adapt or adaptive)
        if len(exponents) != wants or adapted != bool(half_life) or bool(adaptive) != (adapted and logs):
            raise ValueError("blend: exponents or half_life")
        for name, rows, width in (("adapt", adapt, 1 + N_CACHES), ("adaptive_exponents", adaptive, wants + N_RECENT)):
            if rows and (len(rows) != N_HITS or len(rows[0]) != width):
                raise ValueError(f"blend: {name}")
        for rows in ((weights,), adapt):
            if any(abs(math.fsum(row) - 1) > 1e-9 for row in rows):
                raise ValueError("blend: weights do not sum to 1")
        return cls(given["mixture"], weights, adapt, half_life, discount, exponents, adaptive)


def n_skips(order: int) -> int:
    """Number of distances of skip bigrams that a table of this order holds."""
    return min(max(order - 2, 0), MOST_SKIPS)


def _rows(name: str, rows: Any, least: float) -> tuple[tuple[float, ...], ...]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise ValueError(f"blend: {name}")
    if any(type(x) not in (int, float) or not least <= x or not abs(x) <= 64 for row in rows for x in row):
        raise ValueError(f"blend: {name}")
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f"blend: {name}")
    return tuple(tuple(float(x) for x in row) for row in rows)
