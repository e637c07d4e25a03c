"""Table + seed -> ids: many texts side by side.

Legend: n is the order; a history is (level, row): its number of tokens and its row
in that order; t is a step, i the number of a text.

One step: draw a follower of the history in proportion to its count; where a history has no
follower that may be written, go to the history one token shorter and draw there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.table import Table
from ..text.types import EOS, ragged
from . import shaping
from .numbers import Numbers, again, below, uniform
from .prepared import Prepared

BATCH = 1 << 14
_ATTEMPTS = 200  # how often a text that is too short is drawn anew
_SHAPED_FOLLOWERS = 1 << 22  # followers that are bent at one time


@dataclass
class Drawn:
    """Texts as ids, in order.

    ids       int64 (sum of length,), without markers and without the prompt
    length    int64 (m,)
    complete  bool (m,), the text ended by itself
    bits      float64 (m,), -log2 of the probability of what was drawn
    index     int64 (m,)
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
        shape: shaping.Shape | None = None,
        bits: bool = True,
        prepared: Prepared | None = None,
    ) -> None:
        """A sampler of one table.

        bits      work out `Drawn.bits`, which costs a little; else they are 0
        prepared  the table unpacked, where very many texts will be drawn
        """
        self.table, self.bits, self.prepared = table, bits, prepared
        self.shape = shape or shaping.Shape()
        self.shape.check()

    def texts(self, seed: int, begin: int, n: int, history: tuple[int, int], shortest: int, longest: int) -> Drawn:
        """Texts begin..begin+n-1 of a seed.

        history   what stands before the first token
        shortest  a text that ends before is drawn anew, so that what comes is distributed
                  as the model's texts of that length are; left out after many times
        longest   a text is cut there
        """
        numbers = Numbers(seed)
        done: list[Drawn] = []
        todo = np.arange(n)
        for attempt in range(_ATTEMPTS):
            drawn = self._run(numbers, attempt * (longest + 1), begin, todo, history, longest)
            good = (drawn.length >= shortest) | ~drawn.complete
            done.append(_take(drawn, good))
            todo = todo[~good]
            if not len(todo):
                break
        return _in_order(done)

    def _run(
        self,
        numbers: Numbers,
        step: int,
        begin: int,
        which: np.ndarray,
        history: tuple[int, int],
        longest: int,
    ) -> Drawn:
        """Draw each of the texts begin + which once."""
        m = len(which)
        active = np.arange(m)  # places in `which`
        level = np.full(m, history[0], np.int64)
        row = np.full(m, history[1], np.int64)
        so_far = np.zeros(m)  # bits of the active ones
        bits, length, complete = np.zeros(m), np.zeros(m, np.int64), np.zeros(m, bool)
        columns, owners = [], []
        fast = self.prepared if self.shape.plain else None
        for t in range(longest + 1):
            raw = numbers.raw_of(step + t, begin + which[active])
            if fast is not None and (level == fast.level).all():
                token, spent = fast.draw(row, uniform(raw), self.bits)
                new_row = None
            else:
                token, spent, level, new_row = self._step(level, row, raw)
            ended = token == EOS
            if spent is not None:
                so_far += spent
            stop = np.flatnonzero(ended)
            complete[active[stop]] = True
            length[active[stop]] = t
            bits[active[stop]] = so_far[stop]
            if t == longest:  # a text that does not end here is cut
                cut = np.flatnonzero(~ended)
                length[active[cut]] = t
                bits[active[cut]] = so_far[cut] - (spent[cut] if spent is not None else 0)
                break
            if len(stop):
                going = np.flatnonzero(~ended)
                active, token, level, so_far = active[going], token[going], level[going], so_far[going]
                row = row[going]
                new_row = new_row[going] if new_row is not None else None
            columns.append(token)
            owners.append(active)
            if not len(active):
                break
            if new_row is None:
                assert fast is not None
                row = fast.after(row, token)
                if (row < 0).any():
                    raise IndexError("an n-gram whose end is not in the table")
            else:
                row = new_row
        return _gather(columns, owners, length, complete, bits, which + begin)

    def _step(
        self, level: np.ndarray, row: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """One token for every text: token, its bits, and the history after it."""
        m = len(row)
        token, bits = np.empty(m, np.int64), np.empty(m)
        new_level, new_row = np.empty(m, np.int64), np.empty(m, np.int64)
        level, row = level.copy(), row.copy()
        todo = np.arange(m)
        times = 0
        while len(todo):  # each round that leaves some has made their histories shorter
            rest = []
            for k in _distinct(level[todo]):
                here = todo[level[todo] == k]
                low, high = self.table.followers(k, row[here])
                low = self.table.drawable(k, low)
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
                u = again(raw[here], times) if times else raw[here]
                found, bits[here] = self._draw(k, row[here], low, high, u)
                token[here] = self.table.tokens(k + 1, found)
                new_level[here], new_row[here] = self._after(k, row[here], found, token[here])
            todo = np.sort(np.concatenate(rest)) if rest else todo[:0]
            times += 1
        return token, bits, new_level, new_row

    def _draw(
        self, k: int, row: np.ndarray, low: np.ndarray, high: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """A row of order k+1 in [low, high) for each text, and its bits."""
        if not self.shape.plain:
            return self._draw_shaped(k, row, low, high, raw)
        found, bits = low.copy(), np.zeros(len(low))
        several = np.flatnonzero(high - low > 1)
        if len(several):
            count = self.table.orders[k].count
            begin, end = low[several], high[several]
            before = count.sum_before(begin)
            total = count.sum_before(end) - before
            found[several] = count.row_at(before + below(raw[several], total), begin, end)
            bits[several] = np.log2(total / count.at(found[several]))
        return found, bits

    def _draw_shaped(
        self, k: int, row: np.ndarray, low: np.ndarray, high: np.ndarray, raw: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        _, one, which = np.unique(row, return_index=True, return_inverse=True)
        size = (high - low)[one]
        found, bits = np.empty(len(row), np.int64), np.empty(len(row))
        group = np.cumsum(size) // _SHAPED_FOLLOWERS
        for g in np.unique(group).tolist():
            some = np.flatnonzero(group == g)
            first, n = low[one][some], size[some]
            w = shaping.weights(self.table.orders[k].count.at(shaping.segments(first, first + n)), n, self.shape)
            texts = np.flatnonzero((which >= some[0]) & (which <= some[-1]))
            found[texts], p = shaping.draw(w, first, n, which[texts] - some[0], uniform(raw[texts]))
            bits[texts] = -np.log2(p)
        return found, bits

    def _after(self, k: int, row: np.ndarray, found: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The longest known history after a draw: row `found` of order k+1, drawn behind `row`."""
        if k + 1 < self.table.order:
            return np.full(len(found), k + 1, np.int64), found
        level = np.zeros(len(found), np.int64)
        out = np.zeros(len(found), np.int64)
        todo = np.flatnonzero(token != EOS)
        while len(todo) and k > 0:  # k falls
            row = self.table.shorter(k, row)
            child = self.table.child(k - 1, row[todo], token[todo])
            hit = child >= 0
            out[todo[hit]], level[todo[hit]] = child[hit], k
            todo = todo[~hit]
            k -= 1
        return level, out


def _distinct(level: np.ndarray) -> list[int]:
    if (level == level[0]).all():
        return [int(level[0])]
    return np.unique(level).tolist()


def _gather(
    columns: list[np.ndarray],
    owners: list[np.ndarray],
    length: np.ndarray,
    complete: np.ndarray,
    bits: np.ndarray,
    index: np.ndarray,
) -> Drawn:
    """Tokens step by step -> text by text."""
    ids = np.empty(int(length.sum()), np.int64)
    begin = np.cumsum(length) - length
    for t, (column, owner) in enumerate(zip(columns, owners, strict=True)):
        ids[begin[owner] + t] = column
    return Drawn(ids, length, complete, bits, index)


def _take(drawn: Drawn, good: np.ndarray) -> Drawn:
    if good.all():
        return drawn
    return Drawn(
        drawn.ids[np.repeat(good, drawn.length)],
        drawn.length[good],
        drawn.complete[good],
        drawn.bits[good],
        drawn.index[good],
    )


def _in_order(parts: list[Drawn]) -> Drawn:
    if len(parts) == 1:
        return parts[0]
    index = np.concatenate([p.index for p in parts])
    order = np.argsort(index, kind="stable")
    length = np.concatenate([p.length for p in parts])
    begin = (np.cumsum(length) - length)[order]
    return Drawn(
        np.concatenate([p.ids for p in parts])[ragged(begin, length[order])],
        length[order],
        np.concatenate([p.complete for p in parts])[order],
        np.concatenate([p.bits for p in parts])[order],
        index[order],
    )
