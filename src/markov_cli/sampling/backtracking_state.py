"""Stacks of many unfinished texts, each at its own depth, that can step back token by token.

Legend: t is a depth, the number of tokens of a text so far; a row is a text's index in the columns; a mark
excludes a token at a depth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..text.run_hashes import powers
from .sampler import Samples, in_index_order

_WIDTH, _MARKS = 32, 8  # columns at first; more are added by doubling
_DTYPES = {"token": np.int32, "level": np.int32, "row": np.int64, "bits": np.float64, "run": np.int32}


class TextStacks:
    """State of texts at each of their depths. Methods take indices into `rows`.

    rows     int64 (a,), rows of the unfinished texts, rising
    index    int64 (r,), number of each text
    depth    int64 (r,)
    back     int64 (r,), steps back so far
    sums     uint64 (r, b + width), running sums of h R**j over the tokens, the prompt's first
    columns  by depth: level, row (history), bits (so far), run (consecutive seen runs), token (the next one)
    """

    def __init__(self, index: np.ndarray, history: tuple[int, int], before: np.ndarray, run: int) -> None:
        n, b = len(index), len(before)
        self.rows, self.index, self.n_before = np.arange(n), index, b
        self.depth, self.back = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.sums = np.zeros((n, b + _WIDTH + 1), np.uint64)
        self.sums[:, 1 : b + 1] = np.cumsum(before * powers(b + 1)[0][:b])
        self.columns = {name: np.zeros((n, _WIDTH + 1), dtype) for name, dtype in _DTYPES.items()}
        self.columns["level"][:, 0], self.columns["row"][:, 0], self.columns["run"][:, 0] = *history, run
        self.n_marks = np.zeros(n, np.int64)
        self.marks = np.zeros((n, _MARKS, 2), np.int32)  # (depth, token), sorted by depth
        self.any_marks = False
        self._stay = np.ones(n, bool)
        self._parts: list[Samples] = []

    def at(self, name: str, t: np.ndarray) -> np.ndarray:
        """Entry of a column at depth t of each unfinished text."""
        return self.columns[name][self.rows, t]

    def push(self, which: np.ndarray, t: np.ndarray, found: Any, run: np.ndarray, hash_of: np.ndarray) -> None:
        """Append the drawn tokens to some texts."""
        if not len(which):
            return
        rows, t = self.rows[which], t[which]
        deepest = int(t.max()) + 1
        if deepest >= self.columns["token"].shape[1]:
            self._widen()
        token = found.token[which]
        c = self.columns
        c["token"][rows, t] = token
        c["bits"][rows, t + 1] = c["bits"][rows, t] + found.bits[which]
        c["level"][rows, t + 1], c["row"][rows, t + 1] = found.level[which], found.row[which]
        c["run"][rows, t + 1] = run[which]
        at = t + self.n_before
        self.sums[rows, at + 1] = self.sums[rows, at] + hash_of[token] * powers(deepest + self.n_before)[0][at]
        self.depth[rows] = t + 1

    def finish(self, which: np.ndarray, ended: np.ndarray, bits: np.ndarray) -> None:
        """Finish some texts; those that have not ended are cut."""
        if not len(which):
            return
        rows = self.rows[which]
        length = self.depth[rows]
        most = int(length.max(initial=0))
        ids = self.columns["token"][rows, :most][np.arange(most) < length[:, None]]
        total = self.columns["bits"][rows, length] + np.where(ended[which], bits[which], 0.0)
        self._parts.append(Samples(ids.astype(np.int64), length, ended[which], total, self.index[rows]))
        self._stay[which] = False

    def drop(self, which: np.ndarray) -> np.ndarray:
        """Give up some texts; returns their numbers."""
        self._stay[which] = False
        return self.index[self.rows[which]]

    def step_back(self, which: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Remove the last token of some texts and exclude it there; returns the steps back of each so far."""
        if not len(which):
            return self.back[:0]
        rows, t = self.rows[which], t[which] - 1
        self.depth[rows] = t
        todo = rows
        deep = t
        while len(todo):  # deeper marks belong to tokens that are gone
            todo, deep = todo[self.n_marks[todo] > 0], deep[self.n_marks[todo] > 0]
            below = self.marks[todo, self.n_marks[todo] - 1, 0] > deep
            todo, deep = todo[below], deep[below]
            self.n_marks[todo] -= 1
        if int(self.n_marks[rows].max()) == self.marks.shape[1]:
            self.marks = np.concatenate((self.marks, np.zeros_like(self.marks)), axis=1)
        self.marks[rows, self.n_marks[rows], 0] = t
        self.marks[rows, self.n_marks[rows], 1] = self.columns["token"][rows, t]
        self.n_marks[rows] += 1
        self.any_marks = True
        self.back[rows] += 1
        return self.back[rows]

    def marked(self, which: np.ndarray, t: np.ndarray, token: np.ndarray) -> np.ndarray:
        """True where a token is excluded at the depth of its text: bool (m,).

        which  int64 (m,), may repeat a text
        """
        out = np.zeros(len(which), bool)
        if not self.any_marks:
            return out
        todo = np.arange(len(which))
        j = 1
        while len(todo):
            rows = self.rows[which[todo]]
            there = self.n_marks[rows] >= j
            todo, rows = todo[there], rows[there]
            mark = self.marks[rows, self.n_marks[rows] - j]
            here = mark[:, 0] == t[which[todo]]
            todo, mark = todo[here], mark[here]
            out[todo[mark[:, 1] == token[todo]]] = True
            j += 1
        return out

    def circling(self, which: np.ndarray, t: np.ndarray, n: int, period: int) -> np.ndarray:
        """True where the last n tokens repeat with a period of 1, 2, ... or `period` tokens: bool (m,)."""
        out = np.zeros(len(which), bool)
        if len(which):
            rows, end = self.rows[which], t[which]
            last = self.columns["token"][rows[:, None], end[:, None] + np.arange(-n - period, 0)]
            for p in range(1, period + 1):
                out |= (last[:, period:] == last[:, period - p : period - p + n]).all(1)
        return out

    def leave(self) -> None:
        """Remove finished and given-up texts from `rows`."""
        if self._stay.all():
            return
        self.rows = self.rows[self._stay]
        self._stay = np.ones(len(self.rows), bool)
        if len(self.rows) * 2 > len(self.index):
            return
        some = self.rows
        self.index, self.depth, self.back = self.index[some], self.depth[some], self.back[some]
        self.sums, self.marks, self.n_marks = self.sums[some], self.marks[some], self.n_marks[some]
        self.columns = {name: column[some] for name, column in self.columns.items()}
        self.rows = np.arange(len(some))

    def _widen(self) -> None:
        for name, column in self.columns.items():
            self.columns[name] = np.concatenate((column, np.zeros_like(column)), axis=1)
        self.sums = np.concatenate((self.sums, np.zeros_like(self.sums)), axis=1)

    def drawn(self) -> Samples:
        """The finished texts, in order of their numbers."""
        if not self._parts:
            none = np.zeros(0, np.int64)
            return Samples(none, none, none.astype(bool), none.astype(np.float64), none)
        return in_index_order(self._parts)
