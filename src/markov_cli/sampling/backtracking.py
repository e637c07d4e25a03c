"""Draws texts that copy no run of K tokens, by excluding copies and stepping back (backtracking).

Legend: m texts are drawn side by side, each at its own depth t, its number of tokens so far; a row is a text's
index in the columns of `TextStacks`; a copy is a token that would complete a run of K tokens of the training text;
a draw is one token drawn for each text, or one step back.

Each token is drawn from the model's distribution after temperature, top-k and top-p, without copies, scaled to
sum to 1. Where no token is left, the text steps back one token and excludes that token there. So each token has its
probability among the tokens after which the text can go on: in draws without replacement, the first token of a
subset is chosen in proportion to its weight in the subset.

Where every continuation is a copy, a text could repeat itself forever. A text whose last 32 (or 2 K) tokens have a
period of up to 16 is given up and drawn again.

A copy is drawn again. After several copies, or with few followers, copies are excluded follower by follower.
Draw d of attempt a at text i uses the random number of step d: before the first copy, that of the plain sampler.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..arrays.sorting import distinct_values, ragged
from ..model.distribution import full_distribution
from ..text.run_hashes import mix, powers
from ..text.types import EOS, UNK
from . import next_history
from .backtracking_state import TextStacks
from .random_stream import RandomStream, rehash, uniform
from .sampler import Sampler, Samples, in_index_order, select
from .shape import shaped_weights

_ATTEMPTS = 200  # at a text that ends too early, or that the judge rejects
_BACK = 500  # most steps back in an attempt
_LOST = 20  # most attempts that exceed _BACK or repeat themselves
_CIRCLE, _PERIOD = 32, 16
_FEW = 32  # with no more followers, copies are excluded at once
_AGAIN, _AGAIN_SMOOTHED = 4, 60  # draws before copies are excluded one by one
_OTHER = np.uint64(0xA0761D6478BD642F)  # makes random numbers that no first draw uses
_FOLLOWERS = 1 << 21  # read at one time


class Seen(Protocol):
    """Set of the runs of the training text; may have false positives."""

    def seen(self, key: np.ndarray) -> np.ndarray:
        """True for runs in the set: bool (m,); key is uint64 (m,), hashes as in text/run_hashes.py."""
        ...


@dataclass
class CopyFilter:
    """Set of runs that must not be copied, with the end of the prompt.

    seen     set of runs of `tokens` tokens
    limit    number of consecutive seen runs that make a copy: K - tokens + 1
    hash_of  uint64 (n_ids,), hash of each id's token
    before   uint64 (b,), hashes of the last tokens of the prompt, fewer than `tokens`
    run      number of consecutive seen runs at the end of the prompt
    """

    seen: Seen
    tokens: int
    limit: int
    hash_of: np.ndarray
    before: np.ndarray
    run: int = 0


@dataclass
class BacktrackingCounts:
    """Numbers of draws, copies and steps back.

    draws   tokens drawn, copies included
    copies  draws that would have completed a copied run
    back    steps back
    lost    attempts given up after too many steps back
    circles attempts given up because they repeated themselves
    dead    texts given up because every text of the model copies a run
    """

    draws: int = 0
    copies: int = 0
    back: int = 0
    lost: int = 0
    circles: int = 0
    dead: int = 0

    def add(self, other: BacktrackingCounts) -> None:
        """Add the numbers of another batch."""
        for name, n in vars(other).items():
            setattr(self, name, getattr(self, name) + n)


class BacktrackingSampler:
    """Draws texts as `Sampler` does, without copies."""

    def __init__(
        self, sampler: Sampler, avoided: CopyFilter, judge: Callable[[Samples], np.ndarray] | None = None
    ) -> None:
        """Make a sampler that avoids copies.

        judge  returns True for finished texts that are kept, bool (m,); the others are drawn again
        """
        self.sampler, self.table, self.avoided, self.judge = sampler, sampler.table, avoided, judge
        self.tally, self._lock = BacktrackingCounts(), threading.Lock()
        self._behind = avoided.hash_of * powers(avoided.tokens)[0][avoided.tokens - 1]  # as a run's last token
        self.raw = sampler._step == sampler._raw_step

    def texts(self, seed: int, begin: int, n: int, history: tuple[int, int], shortest: int, longest: int) -> Samples:
        """Texts begin..begin+n-1 of a seed, as `Sampler.texts`; impossible and given-up texts are left out."""
        numbers, tally = RandomStream(seed), BacktrackingCounts()
        done: list[Samples] = []
        todo = np.arange(begin, begin + n)
        lost = np.zeros(n, np.int64)
        for attempt in range(_ATTEMPTS):
            drawn, gone, dead = self._run(numbers, attempt, todo, history, longest, tally)
            good = (drawn.length >= shortest) | ~drawn.complete
            if self.judge is not None and good.any():
                some = np.flatnonzero(good)
                good[some[~self.judge(select(drawn, good))]] = False
            done.append(select(drawn, good))
            lost[gone - begin] += 1
            over = np.concatenate((drawn.index[good], dead, gone[lost[gone - begin] >= _LOST]))
            todo = np.setdiff1d(todo, over, assume_unique=True)
            if not len(todo):
                break
        with self._lock:
            self.tally.add(tally)
        return in_index_order(done)

    def _run(
        self,
        numbers: RandomStream,
        attempt: int,
        index: np.ndarray,
        history: tuple[int, int],
        longest: int,
        tally: BacktrackingCounts,
    ) -> tuple[Samples, np.ndarray, np.ndarray]:
        """Draw each text once: finished texts, numbers of given-up texts, and numbers of impossible texts."""
        w = TextStacks(index, history, self.avoided.before, self.avoided.run)
        gone, dead = [index[:0]], [index[:0]]
        draw = 0
        circle = max(_CIRCLE, 2 * self.avoided.tokens)
        while len(w.rows):
            t = w.depth[w.rows]
            turning = np.flatnonzero((t % circle == 0) & (t >= circle + _PERIOD))
            turning = turning[w.circling(turning, t, circle, _PERIOD)]
            if len(turning):
                tally.circles += len(turning)
                gone.append(w.drop(turning))
                w.leave()
                if not len(w.rows):
                    break
                t = w.depth[w.rows]
            raw = numbers.raw_of(draw, w.index[w.rows], attempt)
            level, row = w.at("level", t), w.at("row", t)
            token, bits, *after = self.sampler._step(level, row, raw)
            found = _Found(token.copy(), bits, after[0], after[1])
            copied = self._copied(w, t)
            at_end = t == longest  # the text is cut here, so this draw only tells if it ends
            run, bad = copied.of(np.arange(len(t)), found.token)
            bad |= w.marked(np.arange(len(t)), t, found.token)
            bad &= ~at_end
            tally.draws += len(t)
            alive = np.ones(len(t), bool)
            if bad.any():
                again_at = np.flatnonzero(bad)
                tally.copies += len(again_at)
                self._draw_again(w, copied, again_at, t, level, row, raw, found)
                run[again_at], _ = copied.of(again_at, np.maximum(found.token[again_at], EOS))
                alive = found.token >= 0
            ended = alive & (found.token == EOS)
            w.push(np.flatnonzero(alive & ~ended & ~at_end), t, found, run, self.avoided.hash_of)
            w.finish(np.flatnonzero(ended | at_end), found.token == EOS, found.bits)
            back = np.flatnonzero(~alive)
            if len(back):
                tally.back += len(back)
                empty = t[back] == 0
                dead.append(w.drop(back[empty]))
                over = w.step_back(back[~empty], t) >= _BACK
                gone.append(w.drop(back[~empty][over]))
                tally.lost += int(over.sum())
            w.leave()
            draw += 1
        missing, impossible = np.concatenate(gone), np.concatenate(dead)
        tally.dead += len(impossible)
        return w.drawn(), missing, impossible

    # ------------------------------------------------------------ copies

    def _copied(self, w: TextStacks, t: np.ndarray) -> _Copied:
        """Test for copies of each active text at its depth."""
        k = self.avoided.tokens
        at = t + len(self.avoided.before)
        ready = at >= k - 1
        base = np.zeros(len(t), np.uint64)
        some = np.flatnonzero(ready)
        if len(some):
            first = at[some] - (k - 1)
            sums = w.sums[w.rows[some], at[some]] - w.sums[w.rows[some], first]
            base[some] = sums * powers(int(first.max()) + 1)[1][first]
        return _Copied(self.avoided, self._behind, base, ready, w.at("run", t))

    # ------------------------------------------------------------ without copies

    def _draw_again(
        self,
        w: TextStacks,
        copied: _Copied,
        which: np.ndarray,
        t: np.ndarray,
        level: np.ndarray,
        row: np.ndarray,
        raw: np.ndarray,
        found: _Found,
    ) -> None:
        """Draw a token that is no copy for some texts; -1 where none is left."""
        shape = self.sampler.shape
        todo = which
        one = shape.temperature == 0 or shape.top_k == 1
        if self.raw:
            level, row = level.copy(), row.copy()
            low, high = self._followers(level, row, which)
            many = high - low > _FEW
            todo, times = which[many & (not one)], _AGAIN
        else:
            times = 0 if one else _AGAIN_SMOOTHED
        found.token[which] = -1
        for j in range(times):
            if not len(todo):
                break
            token, bits, *after = self.sampler._step(level[todo], row[todo], rehash(raw[todo] ^ _OTHER, j + 1))
            bad = copied.of(todo, token)[1] | w.marked(todo, t, token)
            good = ~bad
            found.put(todo[good], token[good], bits[good], after[0][good], after[1][good])
            todo = todo[bad]
        left = which[found.token[which] < 0]
        u = uniform(rehash(raw ^ _OTHER, 0))
        if self.raw:
            low, high = self._followers(level, row, left)
            group = np.cumsum(high - low) // _FOLLOWERS
            for k in distinct_values(level[left]).tolist():
                for g in distinct_values(group).tolist():
                    some = np.flatnonzero((level[left] == k) & (group == g))
                    if len(some):
                        self._from_followers(w, copied, left[some], t, k, row, low[some], high[some], u, found)
        else:
            for i in left.tolist():
                self._from_all(w, copied, i, t, level, row, u, found)

    def _followers(self, level: np.ndarray, row: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows that may be drawn after histories; a history without any is shortened in place."""
        low, high = np.zeros(len(which), np.int64), np.zeros(len(which), np.int64)
        for k in range(int(level[which].max(initial=0)), -1, -1):
            here = np.flatnonzero(level[which] == k)
            low[here], high[here] = self.sampler._drawable(k, row[which[here]])
            stuck = which[here[low[here] >= high[here]]]
            if len(stuck) and k:
                row[stuck] = self.table.shorter(k, row[stuck])
                level[stuck] = k - 1
        return low, high

    def _from_followers(
        self,
        w: TextStacks,
        copied: _Copied,
        which: np.ndarray,
        t: np.ndarray,
        k: int,
        row: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        u: np.ndarray,
        found: _Found,
    ) -> None:
        """Draw from all followers of histories of k tokens that are no copies, for raw counts."""
        size = high - low
        rows = ragged(low, size)
        owner = np.repeat(np.arange(len(which)), size)
        token = self.table.tokens(k + 1, rows)
        weight = self.table.orders[k].count.at(rows)
        if not self.sampler.shape.plain:
            weight = shaped_weights(weight, size, self.sampler.shape)
        total = np.bincount(owner, weight, len(which))
        live = weight > 0
        live &= ~copied.of(which[owner], token)[1]
        live &= ~w.marked(which[owner], t, token)
        rows, owner, token, weight = rows[live], owner[live], token[live], weight[live].astype(np.float64)
        n = np.bincount(owner, minlength=len(which))
        end = np.cumsum(n)
        running = np.cumsum(weight)
        some = np.flatnonzero(n)
        if not len(some):
            return
        before = np.append(0.0, running)[end - n][some]
        target = before + u[which[some]] * (running[end[some] - 1] - before)
        place = np.clip(np.searchsorted(running, target, "right"), (end - n)[some], end[some] - 1)
        after = self.sampler._after(k, row[which[some]], rows[place], token[place])
        found.put(which[some], token[place], np.log2(total[some] / weight[place]), *after)

    def _from_all(
        self,
        w: TextStacks,
        copied: _Copied,
        i: int,
        t: np.ndarray,
        level: np.ndarray,
        row: np.ndarray,
        u: np.ndarray,
        found: _Found,
    ) -> None:
        """Draw from all ids that are no copies, for one text and a smoothed distribution."""
        step = self.sampler._step
        p = full_distribution(step.distribution, int(level[i]), int(row[i]))  # type: ignore[attr-defined]
        p[UNK] = 0.0
        token = np.flatnonzero(p > 0)
        weight = shaped_weights(p[token], np.array([len(token)]), self.sampler.shape)
        total = float(weight.sum())
        same = np.full(len(token), i)
        live = np.flatnonzero((weight > 0) & ~copied.of(same, token)[1] & ~w.marked(same, t, token))
        if not len(live):
            return
        running = np.cumsum(weight[live].astype(np.float64))
        place = min(int(np.searchsorted(running, u[i] * running[-1], "right")), len(live) - 1)
        one, at = np.array([token[live[place]]]), np.array([i])
        after = next_history.after(self.sampler.table, level[at], row[at], one)
        found.put(at, one, np.log2(total / weight[live[place : place + 1]]), *after)


@dataclass
class _Found:
    """Drawn token of each active text, and the history after it; `token` is -1 where none is left."""

    token: np.ndarray
    bits: np.ndarray
    level: np.ndarray
    row: np.ndarray

    def put(self, which: np.ndarray, token: np.ndarray, bits: np.ndarray, level: np.ndarray, row: np.ndarray) -> None:
        """Set the draw of some texts."""
        self.token[which], self.bits[which], self.level[which], self.row[which] = token, bits, level, row


@dataclass
class _Copied:
    """Test for copies of each active text.

    behind  uint64 (n_ids,), hash of each id as the last token of a run
    base    uint64 (m,), hash of the last tokens of the text, one fewer than in a run
    ready   bool (m,), the text has that many tokens
    run     int32 (m,), consecutive seen runs at its end
    """

    avoided: CopyFilter
    behind: np.ndarray
    base: np.ndarray
    ready: np.ndarray
    run: np.ndarray

    def of(self, which: np.ndarray, token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Consecutive seen runs after appending a token to each text, int32 (m,); True for copies, bool (m,).

        EOS completes no run.
        """
        run = np.zeros(len(token), np.int32)
        asked = np.flatnonzero(self.ready[which] & (token != EOS))
        some = which[asked]
        seen = self.avoided.seen.seen(mix(self.base[some] + self.behind[token[asked]]))
        run[asked[seen]] = self.run[some[seen]] + 1
        return run, run >= self.avoided.limit
