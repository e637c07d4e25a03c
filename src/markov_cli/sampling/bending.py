"""Temperature, top-k and top-p on smoothed distributions, without working out every id's probability.

Legend: h is a history of k tokens, w its last one; T the temperature; b a backoff weight.

Behind h stand three lists, and each id is in one of them:
    near   what follows h or a shorter history of 2 tokens or more: few, worked out one by one
    word   what else follows w: p = b(h) .. b of 2 tokens times p(. | w), whose order is known
    rest   all others: that times b(w) times p without a history, whose order is known too
A power of a product is the product of powers, so the two known orders keep their running sums under any
temperature. A draw takes a list in proportion to its sum, then a member of it. Top-k and top-p need
only the beginning of each list.

Only distributions that back off to the next shorter history are so made: Kneser-Ney, Witten-Bell, absolute
discounting, listed probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.distribution import Distribution, histories, probability
from ..model.listed import Listed
from ..model.smoothing import Smoothed
from ..text.types import BOS, UNK, ragged
from . import shaping
from .numbers import uniform
from .ranked import UNIT, Lists, Types, Words, place_in, whole_weights

_NEAR = 1 << 20  # ids that are worked out at one time
_FIRST = 256  # of each list, that are looked at first for top-p


def bends(distribution: Distribution) -> bool:
    """Whether a distribution has this form."""
    if isinstance(distribution, Smoothed):
        return distribution.method in ("kn", "wb", "abs")
    return isinstance(distribution, Listed)


@dataclass
class _Near:
    """Some histories, and their near lists, by history and id.

    level, row, word  int64 (s,); word -1 where the history is empty
    far, farther      float64 (s,), the factors of the word list and of the rest
    owner, token      int64 (e,); p float64 (e,)
    begin             int64 (s + 1,)
    place             int64 (e,), in the word's list, -1 for what does not follow the word
    lists             of the words; an empty history has that of row 0 with size 0
    """

    level: np.ndarray
    row: np.ndarray
    far: np.ndarray
    farther: np.ndarray
    owner: np.ndarray
    token: np.ndarray
    p: np.ndarray
    begin: np.ndarray
    place: np.ndarray
    lists: Lists

    def __len__(self) -> int:
        return len(self.level)


class Bending:
    """Draws ids from the bent distributions of many histories."""

    def __init__(self, distribution: Distribution, shape: shaping.Shape) -> None:
        self.distribution, self.table, self.shape = distribution, distribution.table, shape
        self.temperature = shape.temperature or 1.0
        self.types = Types(distribution, self.temperature)
        self.words = Words(distribution, self.types, self.temperature)

    def draw(self, level: np.ndarray, row: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An id for each text and its bits; -1 where this way does not lead to one: int64 (m,), float64 (m,).

        level, row  int64 (m,), the histories; raw uint64 (m,)
        """
        token, bits = np.full(len(row), -1, np.int64), np.zeros(len(row))
        if not len(self.types.ids):
            return token, bits
        key = row * (self.table.order + 1) + level
        order = np.argsort(key, kind="stable")
        new = np.diff(key[order], prepend=-1) != 0
        which = np.empty(len(row), np.int64)
        which[order] = np.cumsum(new) - 1
        one = order[new]
        level, row = level[one], row[one]
        for begin, end in self._groups(level, row):
            texts = np.flatnonzero((which >= begin) & (which < end))
            near = self._near(level[begin:end], row[begin:end])
            cut = self.shape.top_k or self.shape.temperature == 0 or self.shape.top_p < 1
            step = self._draw_cut if cut else self._draw_all
            token[texts], bits[texts] = step(near, which[texts] - begin, raw[texts])
        return token, bits

    def _groups(self, level: np.ndarray, row: np.ndarray) -> list[tuple[int, int]]:
        n = np.zeros(len(level), np.int64)
        for k, (here, rows) in enumerate(histories(self.table, level, row)):
            if k > 1:
                low, high = self.table.followers(k, rows)
                n[here] += high - low
        n += min(self.shape.top_k, self.table.n_ids) * 2 + (_FIRST if self.shape.top_p < 1 else 8)
        group = (np.cumsum(n) - n) // _NEAR
        edges = np.flatnonzero(np.diff(group, prepend=-1))
        return [*zip(edges.tolist(), [*edges[1:].tolist(), len(n)], strict=True)]

    # ------------------------------------------------------------ the three lists

    def _near(self, level: np.ndarray, row: np.ndarray) -> _Near:
        table, v = self.table, self.table.n_ids
        far, farther = np.ones(len(level)), np.ones(len(level))
        word = np.zeros(len(level), np.int64)
        keys = []
        for k, (here, rows) in enumerate(histories(table, level, row)):
            if k == 1:
                word[here] = rows
                farther[here] = self.distribution.backoff(1, rows)
            elif k > 1:
                far[here] *= self.distribution.backoff(k, rows)
                low, high = table.followers(k, rows)
                token = table.tokens(k + 1, ragged(low, high - low))
                keys.append(np.repeat(here, high - low) * v + token)
        farther *= far
        key = np.sort(np.concatenate(keys)) if keys else np.empty(0, np.int64)
        key = key[np.diff(key, prepend=-1) != 0]
        owner, token = np.divmod(key, v)
        p = probability(self.distribution, level[owner], row[owner], token) if len(key) else np.empty(0)
        p[(token == UNK) | (token == BOS)] = 0.0
        lists = self.words.lists(word) if table.order > 1 else _no_lists(len(level))
        lists.size[level == 0] = lists.n_ranked[level == 0] = lists.all_taken[level == 0] = 0
        place = table.child(1, word[owner], token) if len(key) else owner
        found = np.flatnonzero(place >= 0)
        low, _ = table.followers(1, word[owner[found]]) if len(found) else (found, found)
        place[found] = lists.columns["place"][lists.begin[owner[found]] + place[found] - low]
        begin = np.searchsorted(owner, np.arange(len(level) + 1))
        return _Near(level, row, far, farther, owner, token, p, begin, place, lists)

    # ------------------------------------------------------------ temperature alone

    def _draw_all(self, near: _Near, which: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        types, lists, columns = self.types, near.lists, near.lists.columns
        m = len(near)
        follows = near.place >= 0
        # what the near lists take out of the word lists, by their places there
        some = np.flatnonzero(follows)
        some = some[np.lexsort((near.place[some], near.owner[some]))]
        owner, place = near.owner[some], near.place[some]
        at = lists.begin[owner] + place
        out = columns["weight"][at] if len(at) else at
        out_begin = np.searchsorted(owner, np.arange(m + 1))
        taken = np.cumsum(out) - out
        taken -= np.append(taken, 0)[out_begin[owner]]
        left_over = (columns["running"][at] if len(at) else at) - out - taken
        all_out = np.bincount(owner, out, m).astype(np.int64)
        filled = np.flatnonzero(lists.size)
        summed = np.zeros(m, np.int64)
        summed[filled] = columns["running"][lists.begin[filled] + lists.size[filled] - 1]
        free_word = summed - all_out
        free_rest = types.running[-1] - lists.all_taken  # what follows h follows w too: nothing more is taken out

        first_word = np.zeros(m)
        first_word[filled] = columns["p"][lists.begin[filled]] * near.far[filled]
        first_rest = types.p[types.ids[0]] * near.farther
        most = np.maximum(self._first_left(near, out_begin, place), self._first_rest(near))
        np.maximum.at(most, near.owner, near.p)
        weight = whole_weights(near.p, most[near.owner], self.temperature)
        scale_word, scale_rest = self._scale(first_word, most), self._scale(first_rest, most)
        in_near = np.bincount(near.owner, weight, m)
        in_word = np.rint(scale_word * free_word)
        in_rest = np.rint(scale_rest * free_rest)
        total = in_near + in_word + in_rest
        good = (_fine(first_word, most) & _fine(first_rest, most) & (total > 0))[which]

        x = np.floor(uniform(raw) * total[which])
        token, share = np.full(len(which), -1, np.int64), np.ones(len(which))
        a = np.flatnonzero(good & (x < in_near[which]))
        running = np.cumsum(weight)
        before = np.append(running - weight, 0)[near.begin[which[a]]]
        found = np.searchsorted(running, x[a].astype(np.int64) + before, "right")
        token[a], share[a] = near.token[found], weight[found] / total[which[a]]
        x -= in_near[which]

        a = np.flatnonzero(good & (x >= 0) & (x < in_word[which]))
        w = which[a]
        target = np.minimum(np.floor(x[a] / in_word[w] * free_word[w]).astype(np.int64), free_word[w] - 1)
        i = place_in(left_over, out_begin[w], out_begin[w + 1], target)
        target += np.where(i > out_begin[w], np.append(taken + out, 0)[i - 1], 0)
        found = place_in(columns["running"], lists.begin[w], lists.begin[w] + lists.size[w], target) if len(a) else a
        token[a] = columns["token"][found] if len(a) else token[a]
        if len(a):
            share[a] = in_word[w] / total[w] * (columns["weight"][found] / free_word[w])
        x -= in_word[which]

        a = np.flatnonzero(good & (x >= 0) & (in_rest[which] > 0))
        w = which[a]
        target = np.minimum(np.floor(x[a] / in_rest[w] * free_rest[w]).astype(np.int64), free_rest[w] - 1)
        begin = lists.begin[w]
        if len(columns["taken"]):
            i = place_in(columns["left_over"], begin, begin + lists.n_ranked[w], target)
            last = np.maximum(i - 1, 0)
            own = types.weight_of_rank[columns["rank"][last]]
            target += np.where(i > begin, columns["taken"][last] + own, 0)
        found = np.searchsorted(types.running, target, "right") - 1
        token[a] = types.ids[found]
        share[a] = in_rest[w] / total[w] * (types.weight[found] / free_rest[w])
        with np.errstate(divide="ignore"):
            return token, -np.log2(share)

    def _first_left(self, near: _Near, out_begin: np.ndarray, place: np.ndarray) -> np.ndarray:
        """The largest p of each word list that is not near: float64 (s,)."""
        lists = near.lists
        gap = _first_gap(place, out_begin)
        inside = np.flatnonzero(gap < lists.size)
        p = np.zeros(len(near))
        p[inside] = lists.columns["p"][lists.begin[inside] + gap[inside]] * near.far[inside]
        return p

    def _first_rest(self, near: _Near) -> np.ndarray:
        """The largest p of each rest: float64 (s,)."""
        lists, types = near.lists, self.types
        rank = self._rest_ranks(lists, np.arange(len(near)), np.zeros(len(near), np.int64))
        p = np.zeros(len(near))
        inside = np.flatnonzero(rank < len(types.ids))
        p[inside] = types.p[types.ids[rank[inside]]] * near.farther[inside]
        return p

    @staticmethod
    def _rest_ranks(lists: Lists, which: np.ndarray, j: np.ndarray) -> np.ndarray:
        """The rank of the j-th type that does not follow the word: int64."""
        begin = lists.begin[which]
        if not len(lists.columns["skipped"]):
            return j
        return j + place_in(lists.columns["skipped"], begin, begin + lists.n_ranked[which], j) - begin

    # ------------------------------------------------------------ top-k and top-p

    def _draw_cut(self, near: _Near, which: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        token, bits = np.full(len(which), -1, np.int64), np.zeros(len(which))
        k = self.shape.top_k or (1 if self.shape.temperature == 0 else 0)
        todo = np.arange(len(near))
        n = k or _FIRST
        while len(todo):
            owner, ids, p, beyond = self._beginnings(near, todo, n)
            size = np.bincount(owner, minlength=len(todo))
            if k:
                w = shaping.weights(p, size, self.shape)
                decided = fine = np.ones(len(todo), bool)
            else:
                total = self._totals(near, todo, owner, p)
                w, decided = shaping.nucleus(p, size, self.shape, total, beyond)
                fine = ~np.isnan(total)
            done = np.full(len(near), -1, np.int64)
            done[todo[decided]] = np.flatnonzero(decided)
            texts = np.flatnonzero(done[which] >= 0)
            if len(texts):
                begin = np.cumsum(size) - size
                found, q = shaping.draw(w, begin, size, done[which[texts]], uniform(raw[texts]))
                token[texts], bits[texts] = ids[found], -np.log2(q)
            todo = todo[~decided & fine]
            n *= 8
        return token, bits

    def _beginnings(
        self, near: _Near, todo: np.ndarray, n: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The first n or more of each list, by history and id: which history, id, p; and the largest p beyond them."""
        lists, types, v = near.lists, self.types, self.table.n_ids
        s = len(todo)
        n_near = np.diff(near.begin)[todo]
        low = lists.begin[todo]
        of_word = np.minimum(lists.size[todo], n + n_near)
        n_rest = len(types.ids) - lists.n_ranked[todo]
        of_rest = np.minimum(n_rest, n + n_near)
        own_near = np.repeat(np.arange(s), n_near)
        own_word = np.repeat(np.arange(s), of_word)
        own_rest = np.repeat(np.arange(s), of_rest)
        from_near = near.token[ragged(near.begin[todo], n_near)]
        at = ragged(low, of_word)
        from_word = lists.columns["token"][at] if len(at) else at
        j = ragged(np.zeros(s, np.int64), of_rest)
        from_rest = types.ids[self._rest_ranks(lists, todo[own_rest], j)]
        key = np.concatenate((own_near * v + from_near, own_word * v + from_word, own_rest * v + from_rest))
        key.sort()
        key = key[np.diff(key, prepend=-1) != 0]
        owner, ids = np.divmod(key, v)
        p = probability(self.distribution, near.level[todo[owner]], near.row[todo[owner]], ids)
        keep = (p > 0) & (ids != UNK) & (ids != BOS)
        beyond = np.zeros(s)
        more = np.flatnonzero(of_word < lists.size[todo])
        beyond[more] = lists.columns["p"][low[more] + of_word[more]] * near.far[todo[more]] if len(more) else 0.0
        more = np.flatnonzero(of_rest < n_rest)
        next_p = types.p[types.ids[self._rest_ranks(lists, todo[more], of_rest[more])]] * near.farther[todo[more]]
        beyond[more] = np.maximum(beyond[more], next_p)
        return owner[keep], ids[keep], p[keep], beyond

    def _totals(self, near: _Near, todo: np.ndarray, owner: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Sums of p ** (1/T) over all ids, in units of 2**-40 of the largest: float64 (todo,)."""
        lists, types = near.lists, self.types
        most = np.zeros(len(todo))
        np.maximum.at(most, owner, p)
        out = np.zeros(len(near))
        follows = np.flatnonzero(near.place >= 0)
        if len(follows):
            at = lists.begin[near.owner[follows]] + near.place[follows]
            np.add.at(out, near.owner[follows], lists.columns["weight"][at])
        word, first = np.zeros(len(near)), np.zeros(len(near))
        filled = np.flatnonzero(lists.size)
        if len(filled):
            word[filled] = lists.columns["running"][lists.begin[filled] + lists.size[filled] - 1]
            first[filled] = lists.columns["p"][lists.begin[filled]] * near.far[filled]
        first_rest = types.p[types.ids[0]] * near.farther[todo]
        total = self._scale(first[todo], most) * (word - out)[todo]
        rest = types.running[-1] - lists.all_taken
        total += self._scale(first_rest, most) * rest[todo]
        at_todo = np.full(len(near), np.inf)
        at_todo[todo] = most
        inside = (near.p / at_todo[near.owner]) ** (1 / self.temperature) * UNIT
        total += np.bincount(near.owner, inside, len(near))[todo]
        return np.where(_fine(first[todo], most) & _fine(first_rest, most), total, np.nan)

    def _scale(self, first: np.ndarray, most: np.ndarray) -> np.ndarray:
        """The weight of the first of a list, where `most` has weight 1: float64; up to 1, see `_fine`."""
        return np.minimum(first / most, 1.0) ** (1 / self.temperature)


def _fine(first: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Whether the weights of a list are fine enough.

    They are in units of its first, which a near list may have, listed with so much less that the others lead.
    """
    return first <= most * (1 + 1e-9)


def _no_lists(n: int) -> Lists:
    names = ("token", "p", "weight", "running", "place", "rank", "left_over", "taken", "skipped")
    a, b, c, d = (np.zeros(n, np.int64) for _ in range(4))
    return Lists(a, b, c, d, {name: np.empty(0, np.float64 if name == "p" else np.int64) for name in names})


def _first_gap(place: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """The first number from 0 that is missing among the rising places of each segment: int64."""
    size = np.diff(begin)
    here = ragged(np.zeros(len(size), np.int64), size)
    out = size.copy()
    some = np.flatnonzero(size)
    if len(some):
        out[some] = np.minimum.reduceat(np.where(place != here, here, np.iinfo(np.int64).max), begin[some])
        out = np.minimum(out, size)
    return out
