"""Log-linear blend: the linear one times powers of ratios, exactly normalised (a product of experts, Hinton 2002).

Legend: B places; V ids; P(w) the linear blend; x_d the word d places back; u and c as in recent_text.py; Z the sum
over all words.

    p(w | h) = P(w)**l_0  times the product over d of (p_d(w | x_d) / p_1(w))**l_d
               times (1 + u(w) / p_1(w))**m  times the product over l of (1 + (c(h_l w) - 1/2) / (2 P(w)))**n_l  / Z(h)

The factors of the second line are there if recent text counts; a factor of n-grams is 1 where c is 0. Skip bigrams and
recent n-grams touch few words, so a place costs one power and one sum over the vocabulary, and little else.

With recent text, the result is mixed linearly with P and with recent n-grams, by weights for each length of the longest
recent history that was seen before: a product trusts one factor that is wrong too much, and a sum does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..arrays.sorting import ragged
from ..model.blend import Blend
from ..model.blend_parameters import N_HITS, BlendParameters
from ..model.skip_bigrams import SkipBigrams, distances
from ..text.marker_stream import behind
from ..text.types import BOS
from .recent_text import RecentHistories, recent_histories, recent_ngrams
from .whole_blend import WholeBlend, known_histories

_CELLS = 1 << 18  # places times ids that are worked out at one time
_OCCURRENCES = 512  # of a recent history, the last ones
_FAINT = 1e-9  # recent words that weigh less are left out
_ROUNDS = 12  # of Newton's method at most, until no exponent moves by _ENOUGH
_ENOUGH = 2e-3
_RIDGE = 1e-3  # keeps exponents of factors that are never there near their start


@dataclass
class Factor:
    """Natural logarithms of one factor at the places of a block.

    row, token  int64 (f,), where it is not 0; `value` is float32 (f,)
    columns     int64 (k,), ids of a factor that touches them at every place; `value` is float32 (B, k) then
    """

    value: np.ndarray
    row: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    token: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    columns: np.ndarray | None = None

    def add_to(self, logs: np.ndarray, exponent: np.ndarray) -> None:
        """Add it times an exponent for each place, float32 (B,), to logs (B, V)."""
        if self.columns is not None:
            logs[:, self.columns] += self.value * exponent[:, None]
        else:
            logs.reshape(-1)[self.row * logs.shape[1] + self.token] += self.value * exponent[self.row]


@dataclass
class Block:
    """Places of a window, with all that an exponent belongs to.

    target   int64 (B,), the ids that stand there
    base     float32 (B, V), log P; BOS has 0 here and is left out of every sum
    factors  after the base, in the order of the exponents
    hit      int64 (B,), length of the longest recent history that was seen before
    """

    target: np.ndarray
    base: np.ndarray
    factors: list[Factor]
    hit: np.ndarray

    def probabilities(self, exponents: np.ndarray) -> np.ndarray:
        """p of every id: float64 (B, V).

        exponents  float64 (B, 1 + factors)
        """
        logs = self.logs(exponents)
        np.exp(logs, out=logs)
        return logs / logs.sum(axis=1, dtype=np.float64, keepdims=True)

    def of_targets(self, exponents: np.ndarray) -> np.ndarray:
        """p of the ids that stand there: float64 (B,)."""
        logs = self.logs(exponents)
        np.exp(logs, out=logs)
        mine = logs[np.arange(len(logs)), self.target].astype(np.float64)
        return np.where(self.target == BOS, 1.0, mine / logs.sum(axis=1, dtype=np.float64))

    def three(self, exponents: np.ndarray, ngrams: np.ndarray) -> np.ndarray:
        """p of the ids that stand there: log-linear, linear, and under recent n-grams as given: float64 (B, 3)."""
        linear = np.exp(self.base[np.arange(len(self.target)), self.target].astype(np.float64))
        return np.stack((self.of_targets(exponents), linear, ngrams), axis=1)

    def logs(self, exponents: np.ndarray) -> np.ndarray:
        """Logarithms of every product, the largest of each place 0: float32 (B, V)."""
        narrow = exponents.astype(np.float32)
        logs = self.base * narrow[:, :1]
        for k, factor in enumerate(self.factors, 1):
            factor.add_to(logs, narrow[:, k])
        logs[:, BOS] = -np.inf
        logs -= logs.max(axis=1, keepdims=True)
        return logs


def adapted_weights(parameters: BlendParameters) -> np.ndarray:
    """Weights of the log-linear mixture, of the linear one and of recent n-grams: float64 (N_HITS, 3)."""
    return np.array(parameters.adapt or ((1.0, 0.0, 0.0),) * N_HITS)


class LogLinear:
    """Blocks of a window under a blend."""

    def __init__(self, blend: Blend) -> None:
        self.blend = blend
        self.whole = WholeBlend(blend)
        self.one = self.whole.words.one
        self.skips = [SkipBigrams(blend.table, d, self.one) for d in distances(blend.table.order)]
        self.n_skips = len(self.skips)

    def score(self, ids: np.ndarray) -> np.ndarray:
        """p of every id of a stream without recent text: float64 (L,); 1 at a BOS."""
        parameters = self.blend.parameters
        assert parameters is not None
        exponents = np.array(parameters.exponents)
        parts = [b.of_targets(np.tile(exponents, (len(b.target), 1))) for b in self.blocks(ids, None, 0)]
        return np.concatenate(parts) if parts else np.empty(0)

    def adapted(self, ids: np.ndarray, document: np.ndarray, new: int) -> np.ndarray:
        """p of the new ids of a window, with recent text: float64 (m,)."""
        parameters = self.blend.parameters
        assert parameters is not None
        exponents = np.array(parameters.adaptive_exponents)
        ngrams, _ = recent_ngrams(ids, document, parameters.discount, self.one[ids])
        weights, low, parts = adapted_weights(parameters), new, []
        for block in self.blocks(ids, document, new, parameters.half_life):
            three = block.three(exponents[block.hit], ngrams[low : low + len(block.target)])
            parts.append(np.where(block.target == BOS, 1.0, (weights[block.hit] * three).sum(axis=1)))
            low += len(block.target)
        return np.concatenate(parts) if parts else np.empty(0)

    def blocks(
        self,
        ids: np.ndarray,
        document: np.ndarray | None,
        new: int,
        half_life: float = 1.0,
        wanted: np.ndarray | None = None,
    ) -> Iterator[Block]:
        """The places of a window from `new` on, in blocks.

        document  int64 (m,), number of the document of each place; None without recent text
        wanted    int64, rising: only these places
        """
        n = self.blend.table.n_ids
        begin = max(new - self.blend.table.order, 0)
        words = known_histories(self.blend.table, ids[begin:])
        classes = [known_histories(one.table, one.class_of[ids[begin:]]) for one in self.blend.classes]
        inside = behind(ids)
        recent = None if document is None else _Recent(ids, document, half_life, self.one)
        places = np.arange(new, len(ids)) if wanted is None else wanted
        step = max(_CELLS // n, 1)
        low = 0
        while low < len(places):
            high = min(low + step, len(places))
            if document is not None:  # a block is of one document
                high = low + int(np.searchsorted(document[places[low:high]], document[places[low]], "right"))
            at = places[low:high]
            low = high
            p = self.whole.at(_some(words, at - begin), [_some(one, at - begin) for one in classes])
            p[:, BOS] = 1.0
            factors = []
            for d, skip in zip(distances(self.blend.table.order), self.skips, strict=True):
                factors.append(_skip(skip, np.where(inside[at] >= d, ids[np.maximum(at - d, 0)], -1)))
            hit = np.zeros(len(at), np.int64)
            if recent is not None:
                factors += recent.factors(at, p)
                hit = recent.hit[at]
            np.log(p, out=p)
            yield Block(ids[at], p, factors, hit)


def _some(place: tuple[np.ndarray, np.ndarray], at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return place[0][at], place[1][at]


def _skip(skip: SkipBigrams, v: np.ndarray) -> Factor:
    row, token, logs = skip.after(v)
    return Factor(logs, row, token.astype(np.int64))


class _Recent:
    """Recent words and n-grams before each place of a window."""

    def __init__(self, ids: np.ndarray, document: np.ndarray, half_life: float, one: np.ndarray) -> None:
        self.ids, self.document = ids, document
        self.decay = 0.5 ** (1.0 / half_life)
        self.one = one
        said = ids != BOS
        self.time = np.cumsum(said) - said  # number of tokens before each place
        self.places = np.flatnonzero(said)
        new = np.flatnonzero(np.diff(document, prepend=-1))
        self.begin = self.time[new][np.cumsum(np.isin(np.arange(len(ids)), new)) - 1] if len(ids) else self.time
        self.levels = recent_histories(ids, document)
        self.hit = np.zeros(len(ids), np.int64)
        for length, level in enumerate(self.levels, 1):
            self.hit[level.order[level.rank > 0]] = length

    def factors(self, at: np.ndarray, p: np.ndarray) -> list[Factor]:
        """Factors of recent words, and of recent n-grams of order 2 and more, at places of one document."""
        return [self._words(at), *(self._ngrams(level, at, p) for level in self.levels)]

    def _words(self, at: np.ndarray) -> Factor:
        """log(1 + u(w) / p_1(w)) of every word that was read shortly before."""
        begin = int(self.begin[at[0]])
        reach = int(np.ceil(np.log(_FAINT) / np.log(self.decay))) if self.decay < 1 else len(self.ids)
        low = max(begin, int(self.time[at[0]]) - reach)
        high = int(self.time[at[-1]])
        if low >= high:
            return Factor(np.empty((len(at), 0), np.float32), columns=np.empty(0, np.int64))
        said = self.ids[self.places[low:high]]
        columns, which = np.unique(said, return_inverse=True)
        times = self.time[at]
        age = times[:, None] - 1 - np.arange(low, high)[None]  # (B, tokens before)
        first = int(times[0])
        # what was read before the block decays together; what is in it is added place by place
        old = np.bincount(which[: first - low], self.decay ** (first - 1.0 - np.arange(low, first)), len(columns))
        u = old[None] * (self.decay ** (times - first))[:, None]
        row, j = np.nonzero(age[:, first - low :] >= 0)
        np.add.at(u, (row, which[first - low :][j]), self.decay ** age[row, first - low + j].astype(np.float64))
        whole = (1.0 - self.decay ** (times - begin).astype(np.float64)) / (1.0 - self.decay)
        u /= np.where(whole > 0, whole, 1.0)[:, None]
        return Factor(np.log1p(u / self.one[columns][None]).astype(np.float32), columns=columns)

    def _ngrams(self, level: RecentHistories, at: np.ndarray, p: np.ndarray) -> Factor:
        """log(1 + (c - 1/2) / (2 P)) of every word that followed the same history before."""
        slot = level.slot[at]
        rank = np.where(slot >= 0, level.rank_at[at], 0)
        size = np.minimum(rank, _OCCURRENCES)
        where = ragged(np.where(slot >= 0, slot, 0) - size, size)
        row = np.repeat(np.arange(len(at)), size)
        n = p.shape[1]
        key, count = np.unique(row * n + self.ids[level.order[where]], return_counts=True)
        seen = p.reshape(-1)[key].astype(np.float64)
        return Factor(np.log1p((count - 0.5) / (2.0 * seen)).astype(np.float32), key // n, key % n)


def exponents_of(
    blocks: Sequence[Block],
    free: np.ndarray,
    start: np.ndarray,
    hit: int | None = None,
    prior: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Exponents under which the targets are most probable, by Newton's method; the likelihood is concave in them.

    free     bool (n,), the exponents that are found; the others stay 0
    start    float64 (n,)
    hit      only places with this length of the recent history
    prior    exponents float64 (n,), and a matrix (n, n) that holds them there
    returns  float64 (n,), and the negative matrix of second derivatives, float64 (n, n)
    """
    now = np.where(free, start, 0.0)
    which = np.ix_(free, free)
    second = np.eye(len(now))
    for _ in range(_ROUNDS):
        first, second = _derivatives(blocks, now, free, hit)
        if prior is not None:
            first, second = first - prior[1] @ (now - prior[0]), second + prior[1]
        ridge = _RIDGE * sum(len(block.target) for block in blocks)
        move = np.linalg.solve(second[which] + ridge * np.eye(int(free.sum())), first[free])
        now[free] += np.clip(move, -1.0, 1.0)
        if float(np.abs(move).max()) < _ENOUGH:
            break
    return now, second


def mean_bits_of(blocks: Sequence[Block], exponents: np.ndarray) -> float:
    """Mean of -log2 p of the targets.

    exponents  float64 (hits, n): a row for each length of the recent history, or one row for all
    """
    bits = []
    for block in blocks:
        rows = exponents[block.hit if len(exponents) > 1 else np.zeros(len(block.hit), np.int64)]
        full = np.zeros((len(rows), 1 + len(block.factors)))
        full[:, : rows.shape[1]] = rows
        bits.append(-np.log2(block.of_targets(full)))
    return float(np.concatenate(bits).mean())


def _derivatives(
    blocks: Sequence[Block], now: np.ndarray, free: np.ndarray, hit: int | None
) -> tuple[np.ndarray, np.ndarray]:
    n = len(now)
    first, second = np.zeros(n), np.zeros((n, n))
    for block in blocks:
        b, v = block.base.shape
        here = np.ones(b) if hit is None else (block.hit == hit).astype(np.float64)
        if not here.any():
            continue
        exponents = np.zeros((b, 1 + len(block.factors)))
        exponents[:, :n] = now
        p = block.probabilities(exponents) * here[:, None]
        x = np.zeros((n, b, v), np.float32)
        x[0] = block.base
        for k, factor in enumerate(block.factors[: n - 1], 1):
            if free[k]:
                factor.add_to(x[k], np.ones(b, np.float32))
        mean = np.einsum("bv,nbv->bn", p, x)  # 0 for places that are left out
        first += (here @ x[:, np.arange(b), block.target].T) - mean.sum(0)
        weighed = (x * np.sqrt(p)[None].astype(np.float32)).reshape(n, -1)
        second += weighed @ weighed.T - mean.T @ mean
    return first, second
