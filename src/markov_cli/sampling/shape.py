"""Temperature, top-k and top-p, applied to all followers of a history.

Legend: a segment is the followers of one history; w a weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import OptionError

_SCALE = 2.0**40


@dataclass(frozen=True)
class Shape:
    """Sampling parameters: temperature, top-k and top-p, applied in this order.

    temperature  p becomes proportional to p ** (1 / temperature); 0 takes the likeliest follower
    top_k        keeps only the k likeliest followers, ties by id; 0 keeps all
    top_p        keeps only the fewest likeliest followers whose probabilities reach top_p
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def check(self) -> None:
        """Raise OptionError for an impossible value."""
        if not 0 <= self.temperature < float("inf"):
            raise OptionError(f"--temperature {self.temperature}: must be 0 or more", "1 leaves the model as it is")
        if self.top_k < 0:
            raise OptionError(f"--top-k {self.top_k}: must be 0 or more", "0 keeps all followers")
        if not 0 < self.top_p <= 1:
            raise OptionError(f"--top-p {self.top_p}: must be above 0 and at most 1", "1 keeps all followers")

    @property
    def plain(self) -> bool:
        """True if the shape changes nothing."""
        return self.temperature == 1 and not self.top_k and self.top_p == 1


PLAIN = Shape()


def shaped_weights(count: np.ndarray, size: np.ndarray, shape: Shape) -> np.ndarray:
    """Weights of followers after shaping: int64 (sum of size,), 0 for followers that are cut off.

    count  int64 or float64, counts or probabilities of all segments, joined
    size   int64 (s,), length of each segment, at least 1

    The likeliest follower of a segment has weight 2**40. Weights are whole numbers, so sums are
    exact, and `exp` may differ in its last bit between machines without changing a draw.
    """
    if count.min() <= 0:
        raise IndexError("an n-gram that was never seen")
    begin = np.cumsum(size) - size
    owner = np.repeat(np.arange(len(size)), size)
    most = np.maximum.reduceat(count, begin)[owner]
    if shape.temperature == 0:
        order = np.lexsort((np.arange(len(count)), -count, owner))
        w = np.zeros(len(count), np.int64)
        w[order[begin]] = int(_SCALE)
        return w
    ratio = np.exp((np.log(count) - np.log(most)) / shape.temperature)
    w = np.rint(ratio * _SCALE).astype(np.int64)
    if not shape.top_k and shape.top_p == 1:
        return w
    order = np.lexsort((np.arange(len(count)), -count, owner))
    keep = np.ones(len(count), bool)
    if shape.top_k:
        keep = np.arange(len(count)) - begin[owner] < shape.top_k
    if shape.top_p < 1:
        kept = np.where(keep, w[order], 0)
        running = np.cumsum(kept.astype(np.float64))
        before = running - kept
        total = np.add.reduceat(kept.astype(np.float64), begin)
        keep &= before - before[begin][owner] < shape.top_p * total[owner]
    out = np.zeros(len(count), np.int64)
    out[order[keep]] = w[order[keep]]
    return out


def draw_weighted(
    w: np.ndarray, low: np.ndarray, size: np.ndarray, which: np.ndarray, u: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a follower for each of many texts.

    w      int64, weights of all segments, joined
    low    int64 (s,), row of each segment's first follower
    size   int64 (s,), length of each segment
    which  int64 (m,), segment of each text; u float64 (m,) in [0, 1), random
    returns  rows, int64 (m,), and their probabilities, float64 (m,)
    """
    running = np.cumsum(w.astype(np.float64))
    end = np.cumsum(size)
    begin = end - size
    before = np.where(begin > 0, running[begin - 1], 0.0)
    total = running[end - 1] - before
    place = np.searchsorted(running, before[which] + np.floor(u * total[which]), "right")
    place = np.clip(place, begin[which], end[which] - 1)
    return low[which] + place - begin[which], w[place] / total[which]
