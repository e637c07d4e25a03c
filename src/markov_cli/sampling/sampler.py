"""Draws texts from a table and a seed: ancestral sampling of many texts side by side.

Legend: n is the order; a history is (level, row): its number of tokens and its row
in that order; t is a step, i the number of a text.

One step draws a follower of the history in proportion to its count. A history without a
follower that may be drawn is replaced by the one a token shorter. Smoothed distributions
have a step of their own, in `smoothed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from ..arrays.sorting import distinct_values, ragged
from ..model.distribution import Distribution
from ..model.table import Table
from ..text.types import EOS
from .next_history import distinct_levels
from .random_stream import RandomStream, rehash, uniform
from .shape import Shape, draw_weighted, shaped_weights

BATCH = 1 << 16  # most texts side by side; fewer where they are long
_BATCH_TOKENS = 1 << 20
_MOST_TOKENS = 1 << 24  # of a batch, if a file claims that texts are short and they are not
_PARTS = 8  # of such a batch, each drawn by itself
_ATTEMPTS = 200  # at a text that is too short
_SHARED = 64  # with fewer followers for each text, one running sum for all texts is fastest
_SHAPED_FOLLOWERS = 1 << 22  # followers that are shaped at one time


# level, row and random numbers of many texts -> token, its bits, and level and row after it
Step = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]


def batch_size(count: int, mean_tokens: float) -> int:
    """Number of texts to draw side by side: all of `count`, or about a million tokens."""
    return max(min(BATCH, int(_BATCH_TOKENS / max(mean_tokens, 1.0)), count), 1)


@dataclass
class Samples:
    """Texts as ids, in order of their numbers.

    ids       int64 (sum of length,), without markers and without the prompt
    length    int64 (m,)
    complete  bool (m,), the text ended by itself
    bits      float64 (m,), -log2 of the probability of the drawn tokens and of the end
    index     int64 (m,), number of each text
    """

    ids: np.ndarray
    length: np.ndarray
    complete: np.ndarray
    bits: np.ndarray
    index: np.ndarray


class Sampler:
    """Draws texts from a table."""

    def __init__(
        self,
        table: Table,
        shape: Shape | None = None,
        bits: bool = True,
        smoothed: Distribution | None = None,
    ) -> None:
        """Make a sampler of one table; OptionError for an impossible shape.

        bits      compute `Samples.bits`, which costs a little time; else they are 0
        smoothed  the distribution to draw from, None for raw counts
        """
        self.table, self.bits, self.smoothed = table, bits, smoothed
        self.shape = shape or Shape()
        self.shape.check()
        self._step: Step = self._raw_step
        if smoothed is not None:
            from .smoothed import SmoothedStep  # raw counts do without, and start sooner

            self._step = SmoothedStep(smoothed, self.shape, bits)

    def texts(self, seed: int, begin: int, n: int, history: tuple[int, int], shortest: int, longest: int) -> Samples:
        """Texts begin..begin+n-1 of a seed.

        history   level and row before the first token
        shortest  a text with fewer tokens is drawn again, so texts are distributed as the model's
                  texts of that length; it is left out after 200 attempts
        longest   a text with more tokens is cut
        """
        numbers = RandomStream(seed)
        done: list[Samples] = []
        todo = np.arange(n)
        for attempt in range(_ATTEMPTS):
            drawn = self._run_all(numbers, attempt, begin, todo, history, longest)
            good = (drawn.length >= shortest) | ~drawn.complete
            done.append(select(drawn, good))
            todo = todo[~good]
            if not len(todo):
                break
        return in_index_order(done)

    def _run_all(
        self,
        numbers: RandomStream,
        attempt: int,
        begin: int,
        which: np.ndarray,
        history: tuple[int, int],
        longest: int,
    ) -> Samples:
        """`_run`, in several parts if all texts at one time would fill the memory."""
        drawn = self._run(numbers, attempt, begin, which, history, longest)
        if drawn is not None:
            return drawn
        parts = [
            self._run_all(numbers, attempt, begin, some, history, longest)
            for some in np.array_split(which, min(len(which), _PARTS))
        ]
        return Samples(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Samples)))

    def _run(
        self,
        numbers: RandomStream,
        attempt: int,
        begin: int,
        which: np.ndarray,
        history: tuple[int, int],
        longest: int,
    ) -> Samples | None:
        """Draw each of the texts begin + which once; None if they come to too many tokens together."""
        m = len(which)
        active = np.arange(m)  # indices into `which`
        level = np.full(m, history[0], np.int64)
        row = np.full(m, history[1], np.int64)
        so_far = np.zeros(m)  # bits of the active texts
        bits, length, complete = np.zeros(m), np.zeros(m, np.int64), np.zeros(m, bool)
        columns, owners = [], []
        tokens = 0
        for t in range(longest + 1):
            raw = numbers.raw_of(t, begin + which[active], attempt)
            token, spent, level, row = self._step(level, row, raw)
            ended = token == EOS
            so_far += spent
            stop = np.flatnonzero(ended)
            complete[active[stop]] = True
            length[active[stop]] = t
            bits[active[stop]] = so_far[stop]
            if t == longest:  # a text that does not end here is cut
                cut = np.flatnonzero(~ended)
                length[active[cut]] = t
                bits[active[cut]] = so_far[cut] - spent[cut]
                break
            if len(stop):
                going = np.flatnonzero(~ended)
                active, token, level, so_far = active[going], token[going], level[going], so_far[going]
                row = row[going]
            columns.append(token.astype(np.int32))
            owners.append(active)
            tokens += len(active)
            if tokens > _MOST_TOKENS and m > 1:
                return None
            if not len(active):
                break
        return gathered(columns, owners, length, complete, bits, which + begin)

    def _raw_step(
        self, level: np.ndarray, row: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Draw one token for every text from raw counts; see `Step`."""
        if (level == level[0]).all():
            low, high = self._drawable(int(level[0]), row)
            if (low < high).all():
                return self._draw_after(int(level[0]), row, low, high, raw)
        m = len(row)
        token, bits = np.empty(m, np.int64), np.empty(m)
        new_level, new_row = np.empty(m, np.int64), np.empty(m, np.int64)
        level, row = level.copy(), row.copy()
        todo = np.arange(m)
        times = 0
        while len(todo):  # each round shortens the histories of those that remain
            rest = []
            for k in distinct_levels(level[todo]):
                here = todo[level[todo] == k]
                low, high = self._drawable(k, row[here])
                stuck = low >= high
                if stuck.any():
                    back = here[stuck]
                    row[back] = self.table.shorter(k, row[back])
                    level[back] = k - 1
                    if k == 0:
                        raise IndexError("a table without anything to draw")
                    rest.append(back)
                    here, low, high = here[~stuck], low[~stuck], high[~stuck]
                    if not len(here):
                        continue
                u = rehash(raw[here], times) if times else raw[here]
                token[here], bits[here], new_level[here], new_row[here] = self._draw_after(k, row[here], low, high, u)
            todo = np.sort(np.concatenate(rest)) if rest else todo[:0]
            times += 1
        return token, bits, new_level, new_row

    def _drawable(self, k: int, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of order k+1 that may be drawn after histories: [low, high)."""
        low, high = self.table.followers(k, row)
        return self.table.drawable(k, low), high

    def _draw_after(
        self, k: int, row: np.ndarray, low: np.ndarray, high: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Draw a follower in [low, high) for every text; all histories have k tokens. Returns as `Step`."""
        found, bits = self._draw(k, row, low, high, raw)
        token = self.table.tokens(k + 1, found)
        return token, bits, *self._after(k, row, found, token)

    def _draw(
        self, k: int, row: np.ndarray, low: np.ndarray, high: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw a row of order k+1 in [low, high) for each text, with its bits."""
        if not self.shape.plain:
            return self._draw_shaped(k, row, low, high, raw)
        count = self.table.orders[k].count
        found, bits = low.copy(), np.zeros(len(low))
        if int(high[0] - low[0]) < _SHARED * len(row) and (row == row[0]).all():  # one history for all
            running = np.cumsum(count.slice(int(low[0]), int(high[0])))
            target = uniform(raw) * running[-1]
            if count.whole:
                target = np.minimum(target.astype(np.int64), running[-1] - 1)
            found += np.minimum(np.searchsorted(running, target, "right"), len(running) - 1)
            if self.bits:
                bits = np.log2(running[-1] / count.at(found))
            return found, bits
        several = np.flatnonzero(high - low > 1)
        if len(several):
            share = uniform(raw[several])
            found[several], total = count.pick(low[several], high[several], share)
            if self.bits:
                bits[several] = np.log2(total / count.at(found[several]))
        return found, bits

    def _draw_shaped(
        self, k: int, row: np.ndarray, low: np.ndarray, high: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        _, one, which = np.unique(row, return_index=True, return_inverse=True)
        self.table.followers_of_each(k, row[one])
        size = (high - low)[one]
        found, bits = np.empty(len(row), np.int64), np.empty(len(row))
        group = np.cumsum(size) // _SHAPED_FOLLOWERS
        for g in distinct_values(group).tolist():
            some = np.flatnonzero(group == g)
            first, n = low[one][some], size[some]
            w = shaped_weights(self.table.orders[k].count.at(ragged(first, n)), n, self.shape)
            texts = np.flatnonzero((which >= some[0]) & (which <= some[-1]))
            found[texts], p = draw_weighted(w, first, n, which[texts] - some[0], uniform(raw[texts]))
            bits[texts] = -np.log2(p)
        return found, bits

    def _after(self, k: int, row: np.ndarray, found: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Longest known history after drawing row `found` of order k+1 as a follower of `row`."""
        if k + 1 < self.table.order:
            return np.full(len(found), k + 1, np.int64), found
        level = np.zeros(len(found), np.int64)
        out = np.zeros(len(found), np.int64)
        todo = np.arange(len(found)) if k else found[:0]  # with k = 0 the empty history remains
        while len(todo) and k > 0:  # k falls
            row = self.table.shorter(k, row)
            child = self.table.child(k - 1, row[todo], token[todo])
            hit = child >= 0
            if len(todo) == len(out) and hit.all():
                return np.full(len(out), k, np.int64), child
            out[todo[hit]], level[todo[hit]] = child[hit], k
            todo = todo[~hit]
            k -= 1
        return level, out


def gathered(
    columns: list[np.ndarray],
    owners: list[np.ndarray],
    length: np.ndarray,
    complete: np.ndarray,
    bits: np.ndarray,
    index: np.ndarray,
) -> Samples:
    """Samples from tokens that were drawn step by step.

    columns  per step, tokens of the texts that go on
    owners   per step, the index of each token's text
    """
    ids = np.empty(int(length.sum()), np.int64)
    begin = np.cumsum(length) - length
    for t, (column, owner) in enumerate(zip(columns, owners, strict=True)):
        ids[begin[owner] + t] = column
    return Samples(ids, length, complete, bits, index)


def select(drawn: Samples, good: np.ndarray) -> Samples:
    """The texts where `good`, bool (m,), is true."""
    if good.all():
        return drawn
    return Samples(
        drawn.ids[np.repeat(good, drawn.length)],
        drawn.length[good],
        drawn.complete[good],
        drawn.bits[good],
        drawn.index[good],
    )


def in_index_order(parts: list[Samples]) -> Samples:
    """Join samples and sort the texts by their numbers."""
    if len(parts) == 1:
        return parts[0]
    index = np.concatenate([p.index for p in parts])
    order = np.argsort(index, kind="stable")
    length = np.concatenate([p.length for p in parts])
    begin = (np.cumsum(length) - length)[order]
    return Samples(
        np.concatenate([p.ids for p in parts])[ragged(begin, length[order])],
        length[order],
        np.concatenate([p.complete for p in parts])[order],
        np.concatenate([p.bits for p in parts])[order],
        index[order],
    )
