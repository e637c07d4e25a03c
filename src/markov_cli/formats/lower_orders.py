"""Derives the counts of all lower orders from the n-grams of the highest order.

Legend: n is the order; a window is the n ids from one place of a sequence on, padded with EOS at its end;
m windows; a row of order k is a distinct k-gram.

Every token but EOS begins one window, so the windows determine all counts: the rows of order k are the first k ids
of the windows. The given n-grams of order n are windows. The shorter windows are the ends of n-grams that end in
EOS. A sequence of fewer than n ids, with BOS and EOS, must be given itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..counting.levels import Level
from ..errors import MarkovError
from ..model.count_column import find_sorted
from ..model.remap_ids import group
from ..model.table import MAX_ORDER
from ..text.types import BOS, EOS, MARKERS, N_MARKERS, Types, order_of_types

_U = np.uint64
LONGEST = 1000  # tokens of an n-gram: the ends of a sequence take memory by its square
_HINT = "give the counts of one whole text with all its n-grams, or without any n-gram that was seen once"


@dataclass
class Rows:
    """Given n-grams of one order.

    ids    uint32 (m, k)
    count  int64 (m,)
    line   int64 (m,), line of each in its file, 0 if it has none
    """

    ids: np.ndarray
    count: np.ndarray
    line: np.ndarray


class Derived(NamedTuple):
    """Rows of every order, as from `count_ngrams`, and the types in the order of their ids."""

    levels: list[Level]
    types: Types


def derive(given: dict[int, Rows], types: Types, name: str, order: int | None = None) -> Derived:
    """Derive a table from the n-grams of the longest order and from short sequences.

    given  {order: n-grams}; given n-grams of lower orders are checked. If all of an order open with BOS, others
           may be missing.
    types  of the ids from N_MARKERS on, in any order; all distinct
    name   of the file, for errors
    order  of the table; None for the order of the longest n-gram

    MarkovError where counts contradict each other, with the first such n-gram.
    """
    given = {k: r for k, r in sorted(given.items()) if len(r.count)}
    if not given:
        raise MarkovError(f"{name}: no n-gram", "each line has words separated by spaces, a tab, and their count")
    said = Names(types, name)
    n = max(given) if order is None else order
    longest = max(given)
    if longest > LONGEST:
        raise MarkovError(
            f"{said.at(int(given[longest].line[0]))}: an n-gram of {longest:,} words, more than {LONGEST:,}",
            _HINT,
        )
    if not 1 <= n <= MAX_ORDER:
        raise MarkovError(f"--order {n:,}: an n-gram has 1 to {MAX_ORDER:,} tokens", "usual orders are 2 to 6")
    if longest > n:
        raise MarkovError(f"{name}: n-grams of order {longest}, above {n}", f"use --order {longest}, or leave it out")
    n_ids = N_MARKERS + len(types)
    for k, rows in given.items():
        said.check(k, rows)
    if n == 1:
        levels = [Level(np.arange(n_ids, dtype=np.uint32), _unigrams(given[1], n_ids, said))]
    else:
        n = min(n, longest + 1)  # one order without rows, as in counting
        windows, count = _windows(given, n)
        unigrams = np.zeros(n_ids, np.int64)
        np.add.at(unigrams, windows[:, 0], count)
        unigrams[EOS] = unigrams[BOS]
        levels = [Level(np.arange(n_ids, dtype=np.uint32), unigrams)]
    order_of = order_of_types(types, levels[0].count[N_MARKERS:])
    said.old_id = np.concatenate((np.arange(N_MARKERS), order_of + N_MARKERS))
    levels[0].count = levels[0].count[said.old_id]
    if n > 1:
        tree = _Tree(levels, said.old_id, n)
        tree.grow(windows, count)
        for k, rows in given.items():
            tree.compare(k, rows, said)
        tree.link(said)
    return Derived(levels, types.take(order_of))


class Names:
    """Names of n-grams and lines, for errors."""

    def __init__(self, types: Types, name: str) -> None:
        self.types, self.name = types, name
        self.old_id: np.ndarray | None = None  # of final ids

    def say(self, ids: np.ndarray, final: bool = False) -> str:
        """Words of an n-gram, as `'a b </s>'`; with `final`, ids are those of the table."""
        if final and self.old_id is not None:
            ids = self.old_id[ids]
        words = [
            MARKERS[i] if i < N_MARKERS else self.types.bytes_of(i - N_MARKERS)[0].decode("utf-8", "replace")
            for i in ids.tolist()
        ]
        return f"'{' '.join(words)}'"

    def at(self, line: int) -> str:
        """File and line, as `counts.txt, line 7`."""
        return f"{self.name}, line {line:,}" if line else self.name

    def check(self, k: int, rows: Rows) -> None:
        """Raise MarkovError for a marker inside an n-gram."""
        if k == 1:
            return
        bad = (rows.ids[:, 1:] == BOS).any(axis=1) | (rows.ids[:, :-1] == EOS).any(axis=1)
        if bad.any():
            i = int(np.argmax(bad))
            raise MarkovError(
                f"{self.at(int(rows.line[i]))}: {self.say(rows.ids[i])}: a marker inside the n-gram",
                "<s> can only be the first word of an n-gram, </s> only the last",
            )

    def refuse_double(self, row: np.ndarray, rows: Rows) -> None:
        """Raise MarkovError for a repeated n-gram; `row` is the row of each."""
        order = np.argsort(row, kind="stable")
        same = np.flatnonzero(row[order][1:] == row[order][:-1])
        if len(same):
            i = int(order[same + 1].min())
            said = f"{self.at(int(rows.line[i]))}: {self.say(rows.ids[i])} is repeated"
            raise MarkovError(said, "add the two counts up")


def _unigrams(rows: Rows, n_ids: int, said: Names) -> np.ndarray:
    """Counts of ids, where only unigrams are given."""
    count = np.zeros(n_ids, np.int64)
    ids = rows.ids[:, 0]
    said.refuse_double(ids.astype(np.int64), rows)
    count[ids] = rows.count
    if not count[EOS]:
        raise MarkovError(f"{said.name}: no </s>, so the number of sequences is unknown", _HINT)
    if count[BOS] not in (0, count[EOS]):
        raise MarkovError(f"{said.name}: {count[BOS]:,} <s>, but {count[EOS]:,} </s>", _HINT)
    count[BOS] = count[EOS]
    return count


def _windows(given: dict[int, Rows], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows, uint32 (m, n), and the count of each, int64 (m,)."""
    windows, counts = [], []
    for k in range(max(given), 1, -1):
        if k not in given:
            continue
        ids, count = given[k].ids, given[k].count
        if k < n:  # only whole sequences; other n-grams of this order are checked later
            whole = (ids[:, 0] == BOS) & (ids[:, -1] == EOS)
            ids, count = ids[whole], count[whole]
        windows.append(_closed(ids, n))
        counts.append(count)
        ends = ids[:, -1] == EOS
        ids, count = ids[ends], count[ends]
        for begin in range(1, k - 1):
            windows.append(_closed(ids[:, begin:], n))
            counts.append(count)
    if not windows:
        return np.empty((0, n), np.uint32), np.empty(0, np.int64)
    return np.concatenate(windows), np.concatenate(counts)


def _closed(ids: np.ndarray, n: int) -> np.ndarray:
    return np.pad(ids, ((0, 0), (0, n - ids.shape[1])), constant_values=EOS)


class _Tree:
    """Rows of every order under final ids, in the making.

    keys  {order: uint64 (r,)}, rising: row of the history and last id of each row
    """

    def __init__(self, levels: list[Level], old_id: np.ndarray, order: int) -> None:
        self.levels, self.order = levels, order
        self.new_id = np.empty(len(old_id), np.int64)
        self.new_id[old_id] = np.arange(len(old_id))
        self.bits = max(int(len(old_id) - 1).bit_length(), 2)
        self.keys: dict[int, np.ndarray] = {}

    def _parent(self, k: int) -> np.ndarray:
        return (self.keys[k] >> _U(self.bits)).astype(np.int64)

    def grow(self, windows: np.ndarray, count: np.ndarray) -> None:
        """Make the rows of all orders with `children`, and one order without rows above the longest sequence."""
        row = self.new_id[windows[:, 0]]
        for k in range(2, self.order + 1):
            if k > 2:
                going = np.flatnonzero(windows[:, k - 2] != EOS)
                if len(going) < len(windows):
                    windows, count, row = windows[going], count[going], row[going]
            n_parents = len(self.levels[-1].token)
            key = row.astype(_U) << _U(self.bits) | self.new_id[windows[:, k - 1]].astype(_U)
            grouped = group(key, count, max(n_parents - 1, 1).bit_length() + self.bits)
            self.keys[k], row = grouped.key, grouped.number
            self.levels[-1].children = np.bincount(self._parent(k), minlength=n_parents)
            token = (grouped.key & _U((1 << self.bits) - 1)).astype(np.uint32)
            self.levels.append(Level(token, grouped.count))
            if not len(token):
                break

    def child(self, k: int, row: np.ndarray, token: np.ndarray) -> np.ndarray:
        """Rows of order k that extend rows of order k-1 by a token, -1 where there is none: int64 (m,)."""
        keys = self.keys[k]
        if not len(keys):
            return np.full(len(row), -1)
        wanted = np.maximum(row, 0).astype(_U) << _U(self.bits) | token.astype(_U)
        place = np.minimum(find_sorted(keys, wanted), len(keys) - 1)
        return np.where((keys[place] == wanted) & (row >= 0), place, -1)

    def compare(self, k: int, rows: Rows, said: Names) -> None:
        """Raise MarkovError where given n-grams or counts of an order differ from the derived ones."""
        ids = self.new_id[rows.ids]
        row = ids[:, 0]
        for j in range(2, k + 1):
            row = self.child(j, row, ids[:, j - 1])
        level = self.levels[k - 1]
        derived = np.where(row >= 0, level.count[row], 0) if len(level.count) else np.zeros(len(row), np.int64)
        wrong = derived != rows.count
        if k < self.order and wrong.any():
            i = int(np.argmax(wrong))
            raise MarkovError(
                f"{said.at(int(rows.line[i]))}: {said.say(rows.ids[i])} {int(rows.count[i]):,} times,"
                f" but n-grams of order {self.order} make it {int(derived[i]):,}",
                _HINT,
            )
        said.refuse_double(row, rows)
        if k < self.order and (k == 1 or (rows.ids[:, 0] != BOS).any()):
            missing = np.ones(len(level.token), bool)
            missing[row] = False
            if k == 1:
                missing[:N_MARKERS] = False
            if missing.any():
                shown = said.say(self.ngram(k, int(np.argmax(missing))), final=True)
                raise MarkovError(
                    f"{said.name}: {shown} begins n-grams of order {self.order}, but is not listed in order {k}",
                    _HINT,
                )

    def ngram(self, k: int, row: int) -> np.ndarray:
        """Ids of one row."""
        ids = []
        while k > 1:
            key = int(self.keys[k][row])
            ids.append(key & ((1 << self.bits) - 1))
            row, k = key >> self.bits, k - 1
        return np.array([*reversed([*ids, row])])

    def link(self, said: Names) -> None:
        """Fill in `left` and `link`; MarkovError where the flow of counts is not balanced.

        In a text, every n-gram that does not open with BOS follows some token each time it occurs.
        """
        n_levels = len(self.levels)
        low, high = BOS, BOS + 1
        suffix = self.levels[1].token.astype(np.int64)
        for k in range(2, n_levels + 1):
            here, below = self.levels[k - 1], self.levels[k - 2]
            if k > 2:
                suffix = self.child(k - 1, suffix[self._parent(k)], here.token)
                if (suffix < 0).any():
                    ids = self.ngram(k, int(np.argmax(suffix < 0)))
                    raise MarkovError(
                        f"{said.name}: {said.say(ids, True)}, but no n-gram begins with {said.say(ids[1:], True)}",
                        _HINT,
                    )
            flow = np.zeros(len(below.token), np.int64)
            np.add.at(flow, suffix, here.count)
            flow[low:high] = below.count[low:high]
            wrong = flow != below.count
            if k == 2:
                wrong[EOS] = False  # another n-gram is wrong too then, and tells more
            if wrong.any():
                i = int(np.argmax(wrong))
                raise MarkovError(
                    f"{said.name}: n-grams that begin with {said.say(self.ngram(k - 1, i), True)} have the total count"
                    f" {int(below.count[i]):,}, those that end with it {int(flow[i]):,}",
                    _HINT,
                )
            below.left = np.bincount(suffix, minlength=len(below.token))
            if 2 < k < n_levels:
                here.link = suffix
            assert below.children is not None
            first = np.concatenate((np.zeros(1, np.int64), np.cumsum(below.children)))
            low, high = int(first[low]), int(first[high])
