"""Temperature, top-k and top-p on smoothed distributions, without working out every id's probability.

Legend: h is a history of k tokens, w its last one; T the temperature; b a backoff weight.

Behind h stand three lists, and each id is in one of them:
    near   what follows h or a shorter history of 2 tokens or more: few, worked out one by one
    word   what else follows w: p = b(h) .. b of 2 tokens times p(. | w), whose order is known
    rest   all others: that times b(w) times p without a history, whose order is known too
A power of a product is the product of powers, so the two known orders keep their running sums under any
temperature. A draw takes a list in proportion to its sum, then a member of it. Top-k needs only the
beginning of each list; top-p keeps a beginning of each, and where they end is found by halving.

Weights are whole numbers as in `shaping`, and so are the sums of a list; the sums of the two known orders
are scaled once and made whole again. Equal probabilities of one list stand by id, of several lists in
their order above.

Only distributions that back off to the next shorter history are so made: Kneser-Ney, Witten-Bell, absolute
discounting, listed probabilities. What follows h follows w too, for a table has the end of each n-gram.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays.sorting import ragged
from ..model.distribution import Distribution, histories
from ..model.listed import Listed
from ..model.smoothing import Smoothed
from ..text.types import BOS, UNK
from .random_stream import uniform
from .shape import Shape, draw_weighted, shaped_weights
from .sorted_followers import Lists, Types, Words, place_in, whole_weights
from .top_p_cut import ThreeLists

_NEAR = 1 << 20  # ids that are worked out at one time


def bends(distribution: Distribution) -> bool:
    """Whether a distribution has this form."""
    if isinstance(distribution, Smoothed):
        return distribution.method in ("kn", "wb", "abs")
    return isinstance(distribution, Listed)


@dataclass
class _Near:
    """Some histories, and their near lists, by history and id.

    back          float64 (s,) for 1, 2, .. tokens: b, 1 where the history is shorter
    far, farther  float64 (s,), the factors of the word list and of the rest
    owner, token  int64 (e,); p float64 (e,), 0 for UNK and BOS
    begin         int64 (s + 1,)
    place         int64 (e,), in the word's list
    lists         of the words; an empty history has an empty list
    """

    back: list[np.ndarray]
    far: np.ndarray
    farther: np.ndarray
    owner: np.ndarray
    token: np.ndarray
    p: np.ndarray
    begin: np.ndarray
    place: np.ndarray
    lists: Lists


@dataclass
class _Sums:
    """How much of each list is left to draw from, in the units of near lists: float64 (s,) of whole numbers.

    weight      int64 (e,), of what is near
    out         int64 (e,), by history and place: what is near, as the word's list weighs it; taken: sums of
                these before each, of its own history; left_over: sums of the others before it
    place       int64 (e,), rising for each history
    free_word, free_rest  int64 (s,), sums of the lists' own weights
    scale_word, scale_rest  float64 (s,), what one such unit is
    good        bool (s,), the weights are fine enough
    """

    weight: np.ndarray
    out: np.ndarray
    taken: np.ndarray
    left_over: np.ndarray
    place: np.ndarray
    free_word: np.ndarray
    free_rest: np.ndarray
    scale_word: np.ndarray
    scale_rest: np.ndarray
    good: np.ndarray


class Bending:
    """Draws ids from the bent distributions of many histories."""

    def __init__(self, distribution: Distribution, shape: Shape) -> None:
        self.distribution, self.table, self.shape = distribution, distribution.table, shape
        self.temperature = shape.temperature or 1.0
        self.types = Types(distribution, self.temperature)
        self.words = Words(distribution, self.types, self.temperature)
        self.k = 1 if shape.temperature == 0 else min(shape.top_k, self.table.n_ids)

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
        level, row = level[order[new]], row[order[new]]
        for begin, end in self._groups(level, row):
            texts = np.flatnonzero((which >= begin) & (which < end))
            near = self._near(level[begin:end], row[begin:end])
            step = self._draw_first if self.k else self._draw_lists
            token[texts], bits[texts] = step(near, which[texts] - begin, uniform(raw[texts]))
        return token, bits

    def _groups(self, level: np.ndarray, row: np.ndarray) -> list[tuple[int, int]]:
        n = np.full(len(level), 8 + 3 * self.k)
        for k, (here, rows) in enumerate(histories(self.table, level, row)):
            if k > 1:
                low, high = self.table.followers(k, rows)
                n[here] += (high - low) * (3 if self.k else 1)
        group = (np.cumsum(n) - n) // _NEAR
        edges = np.flatnonzero(np.diff(group, prepend=-1))
        return [*zip(edges.tolist(), [*edges[1:].tolist(), len(n)], strict=True)]

    def _near(self, level: np.ndarray, row: np.ndarray) -> _Near:
        table, v, s = self.table, self.table.n_ids, len(level)
        word, keys = np.zeros(s, np.int64), [np.empty(0, np.int64)]
        back = [np.ones(s) for _ in range(max(int(level.max()), 1))]
        rows = []
        for k, (here, some) in enumerate(histories(table, level, row)):
            rows.append(np.zeros(s, np.int64))
            rows[k][here] = some
            if k == 1:
                word = rows[1]
            elif k > 1:
                back[k - 1][here] = self.distribution.backoff(k, some)
                low, high = table.followers(k, some)
                keys.append(np.repeat(here, high - low) * v + table.tokens(k + 1, ragged(low, high - low)))
        lists = self.words.lists(word) if table.order > 1 else _no_lists(s)
        empty = level == 0
        lists.size[empty] = lists.n_ranked[empty] = lists.all_taken[empty] = 0
        back[0][~empty] = lists.back[~empty]
        key = np.sort(np.concatenate(keys))
        owner, token = np.divmod(key[np.diff(key, prepend=-1) != 0], v)
        place, p = owner, np.empty(0)
        if len(owner):
            low, _ = table.followers(1, word[owner])
            child = table.child(1, word[owner], token)
            if (child < 0).any():
                raise IndexError("an n-gram whose end is not in the table")
            place = lists.columns["place"][lists.begin[owner] + child - low]
            p = -lists.columns["minus"][lists.begin[owner] + place]
            for k in range(2, len(rows)):
                here = np.flatnonzero(level[owner] >= k)
                history = rows[k][owner[here]]
                p[here] = self.distribution.extend(k, history, table.child(k, history, token[here]), p[here])
            p[(token == UNK) | (token == BOS)] = 0.0
        far = np.ones(s)
        for b in back[1:]:
            far *= b
        return _Near(
            back, far, far * back[0], owner, token, p, np.searchsorted(owner, np.arange(s + 1)), place, lists
        )  # fmt: skip

    # ------------------------------------------------------------ temperature and top-p

    def _draw_lists(self, near: _Near, which: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        types, lists, columns = self.types, near.lists, near.lists.columns
        sums = self._sums(near)
        if self.shape.top_p < 1:
            self._cut(near, sums)
        in_near = np.bincount(near.owner, sums.weight, len(near.far))
        in_word = np.rint(sums.scale_word * sums.free_word)
        in_rest = np.rint(sums.scale_rest * sums.free_rest)
        total = in_near + in_word + in_rest
        good = (sums.good & (total > 0))[which]
        x = np.floor(u * total[which])
        token, share = np.full(len(which), -1, np.int64), np.ones(len(which))

        a = np.flatnonzero(good & (x < in_near[which]))
        if len(a):
            running = np.cumsum(sums.weight)
            before = (running - sums.weight)[near.begin[which[a]]]
            found = np.searchsorted(running, x[a].astype(np.int64) + before, "right")
            token[a], share[a] = near.token[found], sums.weight[found] / total[which[a]]
        x -= in_near[which]

        a = np.flatnonzero(good & (x >= 0) & (x < in_word[which]))
        if len(a):
            w = which[a]
            target = np.minimum(np.floor(x[a] / in_word[w] * sums.free_word[w]).astype(np.int64), sums.free_word[w] - 1)
            i = place_in(sums.left_over, near.begin[w], near.begin[w + 1], target)
            behind = np.flatnonzero(i > near.begin[w])
            target[behind] += (sums.taken + sums.out)[i[behind] - 1]
            found = place_in(columns["running"], lists.begin[w], lists.begin[w] + lists.size[w], target)
            token[a] = columns["token"][found]
            share[a] = in_word[w] / total[w] * (columns["weight"][found] / sums.free_word[w])
        x -= in_word[which]

        a = np.flatnonzero(good & (x >= 0))
        if len(a):
            w = which[a]
            target = np.minimum(np.floor(x[a] / in_rest[w] * sums.free_rest[w]).astype(np.int64), sums.free_rest[w] - 1)
            i = place_in(columns["left_over"], lists.begin[w], lists.begin[w] + lists.n_ranked[w], target)
            behind = np.flatnonzero(i > lists.begin[w])
            last = i[behind] - 1
            target[behind] += columns["taken"][last] + types.weight_of_rank[columns["rank"][last]]
            found = np.searchsorted(types.running, target, "right") - 1
            token[a] = types.ids[found]
            share[a] = in_rest[w] / total[w] * (types.weight[found] / sums.free_rest[w])
        return token, -np.log2(share)

    def _sums(self, near: _Near) -> _Sums:
        types, lists, columns, s = self.types, near.lists, near.lists.columns, len(near.far)
        order = np.lexsort((near.place, near.owner))
        owner, place = near.owner[order], near.place[order]
        at = lists.begin[owner] + place
        out = columns["weight"][at]
        taken = np.cumsum(out) - out
        if len(taken):
            taken -= taken[near.begin[owner]]
        left_over = columns["running"][at] - out - taken
        filled = np.flatnonzero(lists.size)
        free_word, first_word = np.zeros(s, np.int64), np.zeros(s)
        free_word[filled] = columns["running"][lists.begin[filled] + lists.size[filled] - 1]
        free_word -= _whole_sums(out, near.begin)
        first_word[filled] = -columns["minus"][lists.begin[filled]] * near.far[filled]
        first_rest = types.p[types.ids[0]] * near.farther

        most = np.maximum(self._first_word(near, place), self._first_rest(near))
        np.maximum.at(most, near.owner, near.p)
        bent = 1 / self.temperature
        return _Sums(
            whole_weights(near.p, most[near.owner], self.temperature),
            out,
            taken,
            left_over,
            place,
            free_word,
            types.running[-1] - lists.all_taken,
            np.minimum(first_word / most, 1.0) ** bent,
            np.minimum(first_rest / most, 1.0) ** bent,
            # a list's unit is its first, which may be near and listed with so much less that the others lead
            (first_word <= most * (1 + 1e-9)) & (first_rest <= most * (1 + 1e-9)),
        )

    def _first_word(self, near: _Near, place: np.ndarray) -> np.ndarray:
        """The largest p of each word list that is not near: float64 (s,)."""
        lists = near.lists
        gap = _first_gap(place, near.begin)
        inside = np.flatnonzero(gap < lists.size)
        p = np.zeros(len(near.far))
        p[inside] = -lists.columns["minus"][lists.begin[inside] + gap[inside]] * near.far[inside]
        return p

    def _first_rest(self, near: _Near) -> np.ndarray:
        """The largest p of each rest: float64 (s,)."""
        every = np.arange(len(near.far))
        rank = _rest_ranks(near.lists, every, np.zeros(len(every), np.int64))
        p = np.zeros(len(every))
        inside = np.flatnonzero(rank < len(self.types.ids))
        p[inside] = self.types.p[self.types.ids[rank[inside]]] * near.farther[inside]
        return p

    def _cut(self, near: _Near, sums: _Sums) -> None:
        """Leave in `sums` only the fewest of the likeliest that reach top_p: some searches for each history."""
        types, lists, columns = self.types, near.lists, near.lists.columns
        order = np.lexsort((near.token, -near.p, near.owner))
        behind = sums.taken + sums.out
        for i in np.flatnonzero(sums.good).tolist():
            a, b, low = int(near.begin[i]), int(near.begin[i + 1]), int(lists.begin[i])
            n, m = low + int(lists.size[i]), low + int(lists.n_ranked[i])
            own = order[a:b]
            kept, sums.free_word[i], sums.free_rest[i] = ThreeLists(
                -near.p[own],
                np.concatenate((np.zeros(1), np.cumsum(sums.weight[own], dtype=np.float64))),
                columns["minus"][low:n],
                columns["running"][low:n],
                sums.place[a:b],
                np.append(sums.taken[a:b], behind[b - 1] if b > a else 0),
                float(near.far[i]),
                float(sums.scale_word[i]),
                types.minus,
                types.running,
                columns["rank"][low:m],
                np.append(columns["taken"][low:m], lists.all_taken[i]),
                float(near.farther[i]),
                float(sums.scale_rest[i]),
            ).cut(self.shape.top_p)
            sums.weight[own[kept:]] = 0

    # ------------------------------------------------------------ top-k

    def _draw_first(self, near: _Near, which: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From the k first of each list, among which the k first of all are."""
        types, lists, v, s = self.types, near.lists, self.table.n_ids, len(near.far)
        n_near = np.diff(near.begin)
        of_word = np.minimum(lists.size, self.k + n_near)
        of_rest = np.minimum(len(types.ids) - lists.n_ranked, self.k)
        at = ragged(lists.begin, of_word)
        own_word, own_rest = np.repeat(np.arange(s), of_word), np.repeat(np.arange(s), of_rest)
        rank = _rest_ranks(lists, own_rest, ragged(np.zeros(s, np.int64), of_rest))
        p_word, p_rest = -lists.columns["minus"][at], types.p[types.ids[rank]] * near.back[0][own_rest]
        for b in near.back[1:]:
            p_word, p_rest = p_word * b[own_word], p_rest * b[own_rest]
        # near ones first, so that they are what stays of those that stand in both lists
        owner = np.concatenate((near.owner, own_word, own_rest))
        ids = np.concatenate((near.token, lists.columns["token"][at], types.ids[rank]))
        p = np.concatenate((near.p, p_word, p_rest))
        order = np.argsort(owner * v + ids, kind="stable")
        key = (owner * v + ids)[order]
        order = order[(np.diff(key, prepend=-1) != 0) & (p[order] > 0)]
        owner, ids, p = owner[order], ids[order], p[order]
        size = np.bincount(owner, minlength=s)
        w = shaped_weights(p, size, self.shape)
        found, share = draw_weighted(w, np.cumsum(size) - size, size, which, u)
        return ids[found], -np.log2(share)


def _whole_sums(values: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Sums of segments: int64."""
    running = np.concatenate((np.zeros(1, np.int64), np.cumsum(values)))
    return running[begin[1:]] - running[begin[:-1]]


def _rest_ranks(lists: Lists, which: np.ndarray, j: np.ndarray) -> np.ndarray:
    """The rank of the j-th type that does not follow the word: int64."""
    begin = lists.begin[which]
    return j + place_in(lists.columns["skipped"], begin, begin + lists.n_ranked[which], j) - begin


def _no_lists(n: int) -> Lists:
    """Those of empty histories, in a table without others."""
    names = ("token", "minus", "weight", "running", "place", "rank", "left_over", "taken", "skipped")
    a, b, c, d = (np.zeros(n, np.int64) for _ in range(4))
    empty = {name: np.empty(0, np.float64 if name == "minus" else np.int64) for name in names}
    return Lists(a, b, np.ones(n), c, d, empty)


def _first_gap(place: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """The first number from 0 that is missing among the rising places of each segment: int64."""
    size = np.diff(begin)
    here = ragged(np.zeros(len(size), np.int64), size)
    out = size.copy()
    some = np.flatnonzero(size)
    if len(some):
        first = np.minimum.reduceat(np.where(place != here, here, np.iinfo(np.int64).max), begin[some])
        out[some] = np.minimum(first, size[some])
    return out
