"""Classes of words by exchange, from bigram counts (Brown and others 1992; Martin, Liermann and Ney 1998).

Legend: V ids; C classes; N(c d) how often a word of class d follows one of class c; R(w d) how often class d follows
the word w, L(w d) how often it stands before w; f(x) = x log x.

The classes are those under which a class bigram model makes the text most probable. That is, they maximise

    sum over c, d of f(N(c d)) - 2 sum over c of f(N(c))

A word moves to the class where this grows most. Words are taken by falling count, frequent ones alone and rare ones
many at a time, since a few rare words hardly change N. Markers keep a class of their own.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import sort_keys
from ..text.types import N_MARKERS
from .table import Table

PASSES = 8
_SETTLED = 1 / 200  # stop when a smaller part of the words moves in a pass
_SHARE = 1 / 1000  # of all tokens, that the words of one batch may have
_WORDS = 64  # most words of a batch: with 256, too many move into one class (measured)
_CELLS = 1 << 22  # most sums that are worked out at one time
_MOVED_WORDS = 1 << 15  # the commonest words, which are moved in every pass; the others in one pass at the end


def classes_by_exchange(table: Table, n_classes: int, passes: int = PASSES) -> np.ndarray:
    """The class of every id: uint16 (V,), markers first, then up to `n_classes` classes of types; none is empty.

    table  of counts, of order 2 or more

    A type starts in the class of its frequency rank modulo `n_classes`, so equal counts give equal classes.
    """
    n_ids = table.n_ids
    classes = N_MARKERS + np.arange(n_ids - N_MARKERS) % max(n_classes, 1)
    class_of = np.concatenate((np.arange(N_MARKERS), classes)).astype(np.int64)
    if n_classes > 1 and n_ids - N_MARKERS > n_classes and len(table.orders[1]):
        _Exchange(table, class_of, N_MARKERS + n_classes).run(passes)
    used = np.bincount(class_of) > 0
    return (np.cumsum(used) - 1)[class_of].astype("<u2")


_Sums = tuple[np.ndarray, np.ndarray, np.ndarray]  # words of a batch, neighbouring classes, counts of the pairs


def _f(x: np.ndarray) -> np.ndarray:
    return x * np.log(np.maximum(x, 1e-300))


def _add_rows(out: np.ndarray, word: np.ndarray, rows: np.ndarray, which: np.ndarray) -> None:
    """Add rows[which] to the rows `word` of `out`; words rise."""
    step = max(_CELLS // out.shape[1], 1)
    for low in range(0, len(word), step):
        some = word[low : low + step]
        begin = np.flatnonzero(np.diff(some, prepend=-1))
        out[some[begin]] += np.add.reduceat(rows[which[low : low + step]], begin, axis=0)


class _Exchange:
    def __init__(self, table: Table, class_of: np.ndarray, n: int) -> None:
        """Counts of bigrams by their first word and by their second; `class_of` is changed in place."""
        self.class_of, self.n = class_of, n
        orders = table.orders
        n_ids, n_rows = table.n_ids, len(orders[1])
        first = orders[0].first
        assert first is not None
        self.after = first.astype(np.int64)  # rows of each first word
        self.second = table.tokens(2, np.arange(n_rows))
        self.count = orders[1].count.slice(0, n_rows).astype(np.float64)
        one = np.repeat(np.arange(n_ids), np.diff(self.after))
        _, by_second = sort_keys(self.second.astype(np.uint64), max(n_ids - 1, 1).bit_length())
        self.one, self.count_before = one[by_second], self.count[by_second]
        self.before = np.concatenate(([0], np.cumsum(np.bincount(self.second, minlength=n_ids))))
        self.size = np.bincount(one, self.count, n_ids)  # N(w); bigrams that `</s>` ends have it as second only
        self.pairs = one
        self._count_classes()

    def _count_classes(self) -> None:
        a, b = self.class_of[self.pairs], self.class_of[self.second]
        self.both = np.bincount(a * self.n + b, self.count, self.n * self.n).reshape(self.n, self.n)
        self.total = np.bincount(self.class_of, self.size, self.n)
        self.f = _f(self.both)
        self.across, self.f_across = np.ascontiguousarray(self.both.T), np.ascontiguousarray(self.f.T)

    def objective(self) -> float:
        """The sum that is maximised."""
        self._count_classes()
        return float(_f(self.both).sum() - 2 * _f(self.total).sum())

    def run(self, passes: int) -> None:
        """Move words, pass by pass, until few move."""
        n_ids = len(self.class_of)
        common = min(n_ids, N_MARKERS + _MOVED_WORDS)
        batches = self._batches(common)
        for _ in range(passes):
            self._count_classes()  # pairs within a batch were left where they stood
            moved = sum(self._move(low, high) for low, high in batches)
            if moved < _SETTLED * common:
                break
        if common < n_ids:
            for low in range(common, n_ids, _WORDS):
                self._move(low, min(low + _WORDS, n_ids))

    def _batches(self, end: int) -> list[tuple[int, int]]:
        running = np.cumsum(self.size)
        limit = _SHARE * float(running[-1])
        out, low = [], N_MARKERS
        while low < end:
            high = int(np.searchsorted(running, running[low] + limit))
            high = min(max(high, low + 1), low + _WORDS, end)
            out.append((low, high))
            low = high
        return out

    def _sums(self, low: int, high: int, edge: np.ndarray, other: np.ndarray, count: np.ndarray) -> _Sums:
        """Neighbours of words low..high-1 by class: words, classes, counts; words of the batch are no neighbours."""
        rows = slice(int(edge[low]), int(edge[high]))
        word = np.repeat(np.arange(high - low), np.diff(edge[low : high + 1]))
        near = other[rows]
        weight = np.where((near < low) | (near >= high), count[rows], 0.0)
        sums = np.bincount(word * self.n + self.class_of[near], weight, (high - low) * self.n)
        cell = np.flatnonzero(sums)
        return cell // self.n, cell % self.n, sums[cell]

    def _add_gain(self, out: np.ndarray, both: np.ndarray, f: np.ndarray, more: np.ndarray | None, sums: _Sums) -> None:
        """Add, per word and class, the sum over neighbouring classes of f(N + R) - f(N): float64 (m, C).

        f, more  f(N), and f(N + 1) - f(N) if it is worth while
        """
        word, other, c = sums
        if more is not None:
            once = c == 1.0
            _add_rows(out, word[once], more, other[once])
            word, other, c = word[~once], other[~once], c[~once]
        step = max(_CELLS // self.n, 1)
        for low in range(0, len(word), step):
            part = slice(low, low + step)
            grown = _f(both[other[part]] + c[part, None]) - f[other[part]]
            _add_rows(out, word[part], grown, np.arange(len(grown)))

    def _move(self, low: int, high: int) -> int:
        """Move words low..high-1 to their best classes, all against the same counts; returns how many moved."""
        m = high - low
        old = self.class_of[low:high].copy()
        right = self._sums(low, high, self.after, self.second, self.count)
        left = self._sums(low, high, self.before, self.one, self.count_before)
        self._add(old, right, left, -1.0, low, high)
        # the words are taken out first, so that staying is judged as moving is
        gain = np.zeros((m, self.n))
        f, more = self.f, None
        if np.count_nonzero(right[2] == 1) + np.count_nonzero(left[2] == 1) > 2 * self.n:  # rare words
            more = _f(self.both + 1.0) - f
        more_across = None if more is None else np.ascontiguousarray(more.T)
        self._add_gain(gain, self.across, self.f_across, more_across, right)
        self._add_gain(gain, self.both, f, more, left)
        size = self.size[low:high, None]
        gain -= 2 * (_f(self.total[None] + size) - _f(self.total)[None])
        gain[:, :N_MARKERS] = -np.inf
        gain[np.arange(m), old] += 1e-9 * np.abs(gain[np.arange(m), old])  # a tie moves nothing
        new = gain.argmax(1)
        self.class_of[low:high] = new
        self._add(new, right, left, 1.0, low, high)
        return int(np.count_nonzero(new != old))

    def _add(self, classes: np.ndarray, right: _Sums, left: _Sums, sign: float, low: int, high: int) -> None:
        """Add the pairs of a batch to the counts of pairs of classes, wherever these are kept."""
        n = self.n
        cell = np.concatenate((classes[right[0]] * n + right[1], left[1] * n + classes[left[0]]))
        flat = self.both.reshape(-1)
        np.add.at(flat, cell, sign * np.concatenate((right[2], left[2])))
        turned, now = cell % n * n + cell // n, flat[cell]
        f = _f(now)
        self.f.reshape(-1)[cell] = f
        self.across.reshape(-1)[turned], self.f_across.reshape(-1)[turned] = now, f
        self.total += np.bincount(classes, sign * self.size[low:high], n)
