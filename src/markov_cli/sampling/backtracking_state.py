"""Many texts that are being written, each at its own depth, and can each take back what was written.

Legend: t is a depth, the number of tokens of a text so far; a row is a text's place in the columns; a mark says
that a token is left out at a depth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..text.run_hashes import powers
from .sampler import Samples, in_index_order

_WIDTH, _MARKS = 32, 8  # columns to begin with; they are doubled
_DTYPES = {"token": np.int32, "level": np.int32, "row": np.int64, "bits": np.float64, "run": np.int32}


class TextStacks:
    """The state of texts at each of their depths.

    rows   int64 (a,), of the texts that go on, rising; what the methods take and give is by place in it
    index  int64 (r,), their numbers
    depth  int64 (r,)
    sums   uint64 (r, b + width), of h R**j over the tokens before each, those of the prompt first
    level, row, bits, run  by depth: history, bits so far, seen runs one behind another; token, the next one
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
        self.marks = np.zeros((n, _MARKS, 2), np.int32)  # depth, token; deeper ones behind
        self.any_marks = False
        self._stay = np.ones(n, bool)
        self._parts: list[Samples] = []

    def at(self, name: str, t: np.ndarray) -> np.ndarray:
        """A column at the depth of each text that goes on."""
        return self.columns[name][self.rows, t]

    def push(self, which: np.ndarray, t: np.ndarray, found: Any, run: np.ndarray, hash_of: np.ndarray) -> None:
        """Write what was found behind some of them."""
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
        """Some of them are texts now; where they have not ended they are cut."""
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
        """Some of them become no text: their numbers."""
        self._stay[which] = False
        return self.index[self.rows[which]]

    def step_back(self, which: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Take back the last token of some of them, and leave it out there; how often each was taken back."""
        if not len(which):
            return self.back[:0]
        rows, t = self.rows[which], t[which] - 1
        self.depth[rows] = t
        todo = rows
        deep = t
        while len(todo):  # marks below are of what no longer stands there
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
        """Whether a token is left out at the depth of each: bool (m,).

        which  int64 (m,), the same one several times maybe
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
        """Whether the last n tokens of some of them repeat those that stand 1, 2, ... or `period` before: bool (m,)."""
        out = np.zeros(len(which), bool)
        if len(which):
            rows, end = self.rows[which], t[which]
            last = self.columns["token"][rows[:, None], end[:, None] + np.arange(-n - period, 0)]
            for p in range(1, period + 1):
                out |= (last[:, period:] == last[:, period - p : period - p + n]).all(1)
        return out

    def leave(self) -> None:
        """Go on without what was finished or dropped."""
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
        """The texts that were finished, in order."""
        if not self._parts:
            none = np.zeros(0, np.int64)
            return Samples(none, none, none.astype(bool), none.astype(np.float64), none)
        return in_index_order(self._parts)
