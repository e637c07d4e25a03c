"""The n-grams of a text, of one to eight ids, as a tree in which the n-grams of a corpus are looked up.

Legend: m codes of the text, B of a part of the corpus, each with marks between sequences; the rows of n are the
distinct n-grams of the text in lexicographic order; the rows of 1 are the ids.

Most places of a corpus begin with a pair or a triple of ids that is not in the text, so few are followed down to the
eighth id; only what is found there can share more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...arrays.sorting import sort_pairs, starts_new
from ...arrays.threads import ordered_map

DEPTH = 8  # a power of two; measured: with 4 the sorting of longer matches takes most of the time
_SLOTS = 4  # for each n-gram (measured: 2 take a fifth longer, 8 save a tenth)
_BLOCK = 1 << 16  # places that are followed together: their arrays stay in the cache
_U = np.uint64
_ODD = _U(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio


class Places(NamedTuple):
    """Places of a corpus where an n-gram of the text begins, in order.

    at   int32 (q,)
    row  int32 (q,), of the n-gram
    """

    at: np.ndarray
    row: np.ndarray


def open_end(codes: np.ndarray, found: list[Places], ids: int) -> int:
    """Ids at the end of a corpus that a string of the text can begin with, or some more of them where DEPTH or more.

    codes  int64 (B,), ids of the text; `ids` for a mark or another token
    found  `TextNgrams.places` of them
    """
    at = found[-1].at
    if len(at) and at[-1] + DEPTH == len(codes):
        gaps = np.flatnonzero(np.diff(at) > 1)
        return len(codes) - int(at[gaps[-1] + 1 if len(gaps) else 0])
    for n in range(DEPTH - 1, 1, -1):
        at = found[n - 2].at
        if len(at) and at[-1] + n == len(codes):
            return n
    return int(len(codes) > 0 and int(codes[-1]) < ids)


class _Longer:
    """The n-grams that continue those of one length, in hashed slots: four slots each, linear probing.

    first  int32 (rows + 1,), the first continuation of each row, and the end of all

    Source: Knuth 1973, section 6.4, algorithm L.
    """

    def __init__(self, row: np.ndarray, token: np.ndarray, rows: int, ids: int) -> None:
        """The rows of their beginnings and their last ids, int64 (n,) each, in order."""
        n = len(row)
        self.first = np.append(0, np.cumsum(np.bincount(row, minlength=rows))).astype(np.int32)
        self._ids = ids
        self._key = np.append(row * ids + token, -1)  # the last is that of an empty slot
        bits = max((_SLOTS * n).bit_length(), 1)
        self._shift, self._last = _U(64 - bits), (1 << bits) - 1
        self._slots = np.full(1 << bits, n, np.int32)
        todo, slot = np.arange(n), self._slot(self._key[:n])
        while len(todo):
            free = self._slots[slot] == n
            self._slots[slot[free]] = todo[free]
            lost = self._slots[slot] != todo
            todo, slot = todo[lost], slot[lost] + 1 & self._last

    def _slot(self, key: np.ndarray) -> np.ndarray:
        """The slot in which the search for a key begins: int64."""
        return (key.view(_U) * _ODD >> self._shift).view(np.int64)

    def find(self, row: np.ndarray, token: np.ndarray) -> np.ndarray:
        """Rows of n-grams by their beginnings and last ids: int32 (q,), -1 where there is none."""
        key = row.astype(np.int64)
        key *= self._ids
        key += token
        slot = self._slot(key)
        found = self._slots.take(slot)
        there = self._key.take(found)
        other = there != key
        found[other] = -1
        todo = np.flatnonzero(other & (there >= 0))
        slot, key = slot[todo], key[todo]
        while len(todo):
            slot = slot + 1 & self._last
            row = self._slots.take(slot)
            there = self._key.take(row)
            same = there == key
            found[todo[same]] = row[same]
            on = np.flatnonzero(~same & (there >= 0))
            todo, slot, key = todo[on], slot[on], key[on]
        return found


class TextNgrams:
    """The n-grams of a text.

    text  int64 (m,), ids; `ids` for a mark
    row   for each n from 1 to DEPTH: int32 (m,), row of the n-gram that begins at each place; -1 where a mark is in it
    size  for each n: number of rows
    """

    def __init__(self, text: np.ndarray, ids: int) -> None:
        self.text, self.ids = text, ids
        self.row = [np.where(text < ids, text, -1).astype(np.int32)]
        self.size = [ids]
        self._longer: list[_Longer] = []
        for n in range(1, DEPTH):
            place = np.flatnonzero(self.row[-1][: max(len(text) - n, 0)] >= 0)
            place = place[text[place + n] < ids]
            first, token = self.row[-1][place].astype(np.int64), text[place + n]
            by = sort_pairs(first, token)
            new = starts_new(first[by], token[by])
            row = np.full(len(text), -1, np.int32)
            row[place[by]] = np.cumsum(new) - 1
            distinct = by[new]
            self._longer.append(_Longer(first[distinct], token[distinct], self.size[-1], ids))
            self.row.append(row)
            self.size.append(len(distinct))

    def places(self, codes: np.ndarray, jobs: int = 1) -> list[Places]:
        """Places of a corpus where n-grams of the text begin, for each n from 2 to DEPTH.

        codes  int64 (B,), ids of the text; `ids` for a mark or another token
        """
        codes = np.append(codes, np.full(DEPTH, self.ids))
        blocks = range(0, len(codes) - DEPTH, _BLOCK)
        found = list(ordered_map(lambda begin: self._block(codes, begin), blocks, jobs))
        none = Places(np.empty(0, np.int32), np.empty(0, np.int32))
        out = []
        for n in range(len(self._longer)):
            parts = [none, *(block[n] for block in found if len(block) > n)]
            out.append(Places(*map(np.concatenate, zip(*parts, strict=True))))
        return out

    def _block(self, codes: np.ndarray, begin: int) -> list[Places]:
        """`places` of one block, up to the greatest n that has any."""
        found: list[Places] = []
        row = codes[begin : begin + _BLOCK]
        at = np.flatnonzero(row < self.ids)
        row, at = row[at], at + begin
        for n, longer in enumerate(self._longer, 1):
            token = codes.take(at + n)
            some = np.flatnonzero(token < self.ids)
            at, row = at.take(some), longer.find(row.take(some), token.take(some))
            some = np.flatnonzero(row >= 0)
            if not len(some):
                break
            at, row = at.take(some), row.take(some)
            found.append(Places(at.astype(np.int32), row))
        return found

    def numbers(self) -> list[np.ndarray]:
        """A number for each row of n = 1 to DEPTH, int64: that of an n-gram is before those of its continuations.

        They are even, so that a number behind each is free. Together they are those of a walk through the tree that
        comes to every n-gram before its continuations, and to these in their order.
        """
        out = []
        for n in range(1, DEPTH + 1):
            number = np.arange(self.size[n - 1])
            shorter = number
            for longer in reversed(self._longer[: n - 1]):  # n-grams of each shorter length that begin before
                shorter = np.searchsorted(longer.first, shorter, "right") - 1
                number = number + shorter + 1
            end = np.arange(self.size[n - 1])
            for longer in self._longer[n - 1 :]:  # those of each greater length before its own continuations
                end = longer.first[end].astype(np.int64)
                number = number + end
            out.append(2 * number)
        return out
