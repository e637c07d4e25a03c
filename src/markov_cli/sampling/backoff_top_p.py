"""Temperature, top-k and top-p on backoff distributions, without computing the probability of every id.

Legend: h is a history of k tokens, w its last one; T the temperature; b a backoff weight.

Each id is in one of three lists for h:
    upper    followers of h or of a shorter history of 2 or more tokens: few, each p is computed
    bigram   other followers of w: p = p(. | w) times the product of b over the longer histories
    unigram  all other ids: p = p without a history, times b(w) and that product
The last two lists are sorted once for all h. A power of a product is the product of the powers, so their running
sums hold for any T. A draw chooses a list in proportion to its sum, then a member of it. Top-k needs only the
beginning of each list. Top-p keeps the beginning of each, and binary search finds its end.

Weights and sums of a list are whole numbers as in `shape`; the sums of the bigram and unigram lists are scaled
once and rounded. Equal probabilities within a list are sorted by id; between lists, by the order above.

This needs a distribution that backs off to the next shorter history: Kneser-Ney, Witten-Bell, absolute
discounting, listed probabilities. A table of counts has every end of its n-grams, so each follower of h follows w too.
Pruning leaves some of the longest listed n-grams without their ends: where h has such a follower, only top-k is drawn
here, and `draw` gives -1 for the rest.
"""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import ragged
from ..model.distribution import Distribution, histories
from ..model.listed import Listed
from ..text.types import BOS, UNK
from .history_lists import Columns, HistoryCache, HistoryLists
from .random_stream import uniform
from .shape import Shape, draw_weighted, shaped_weights
from .sorted_followers import (
    BigramLists,
    Lists,
    UnigramList,
    first_gap,
    no_lists,
    place_in,
    segment_sums,
    unigram_ranks,
    whole_weights,
)
from .top_p_cut import ThreeLists
from .top_p_cuts import EXACT, ManyLists
from .upper_lists import Sums, UpperLists

_TOGETHER = 16  # histories from which cutting them together is faster than one by one (measured)
_UPPER = 1 << 20  # ids of upper lists computed at one time


class ShapedBackoff:
    """Draws ids from the shaped backoff distributions of many histories."""

    def __init__(self, distribution: Distribution, shape: Shape) -> None:
        self.distribution, self.table, self.shape = distribution, distribution.table, shape
        self.temperature = shape.temperature or 1.0
        self.unigrams = UnigramList(distribution, self.temperature)
        self.bigrams = BigramLists(distribution, self.unigrams, self.temperature)
        self.histories = HistoryCache(self._weighed)
        self.k = 1 if shape.temperature == 0 else min(shape.top_k, self.table.n_ids)

    def draw(self, level: np.ndarray, row: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw an id and its bits for each text: int64 (m,), float64 (m,); -1 where the weights are not fine enough.

        level, row  int64 (m,), histories; raw uint64 (m,), random numbers
        """
        token, bits = np.full(len(row), -1, np.int64), np.zeros(len(row))
        if not len(self.unigrams.ids):
            return token, bits
        key = row * (self.table.order + 1) + level
        order = np.argsort(key, kind="stable")
        new = np.diff(key[order], prepend=-1) != 0
        which = np.empty(len(row), np.int64)
        which[order] = np.cumsum(new) - 1
        key, level, row = key[order[new]], level[order[new]], row[order[new]]
        for begin, end in self._groups(level, row):
            texts = np.flatnonzero((which >= begin) & (which < end))
            own, u = which[texts] - begin, uniform(raw[texts])
            if self.k:
                token[texts], bits[texts] = self._draw_first(self._upper(level[begin:end], row[begin:end]), own, u)
            else:
                lists = self.histories.lists(key[begin:end], level[begin:end], row[begin:end])
                token[texts], bits[texts] = self._draw_lists(lists, own, u)
        return token, bits

    def _groups(self, level: np.ndarray, row: np.ndarray) -> list[tuple[int, int]]:
        n = np.full(len(level), 8 + 3 * self.k)
        for k, (here, rows) in enumerate(histories(self.table, level, row)):
            if k > 1:
                low, high = self.table.followers(k, rows)
                n[here] += (high - low) * (3 if self.k else 1)
        group = (np.cumsum(n) - n) // _UPPER
        edges = np.flatnonzero(np.diff(group, prepend=-1))
        return [*zip(edges.tolist(), [*edges[1:].tolist(), len(n)], strict=True)]

    def _upper(self, level: np.ndarray, row: np.ndarray) -> UpperLists:
        table, v, s = self.table, self.table.n_ids, len(level)
        word, keys = np.full(s, -1, np.int64), [np.empty(0, np.int64)]
        back = [np.ones(s) for _ in range(max(int(level.max()), 1))]
        rows = []
        for k, (here, some) in enumerate(histories(table, level, row)):
            rows.append(np.zeros(s, np.int64))
            rows[k][here] = some
            if k == 1:
                word[here] = some
            elif k > 1:
                back[k - 1][here] = self.distribution.backoff(k, some)
                low, high = table.followers(k, some)
                keys.append(np.repeat(here, high - low) * v + table.tokens(k + 1, ragged(low, high - low)))
        lists = self._lists(word)
        back[0][word >= 0] = lists.back[word >= 0]
        key = np.sort(np.concatenate(keys))
        owner, token = np.divmod(key[np.diff(key, prepend=-1) != 0], v)
        place, p, n_apart = np.zeros(len(owner), np.int64), np.empty(0), np.zeros(s, np.int64)
        if len(owner):
            low, _ = table.followers(1, word[owner])
            child = table.child(1, word[owner], token)
            apart, inside = np.flatnonzero(child < 0), np.flatnonzero(child >= 0)
            if len(apart) and not isinstance(self.distribution, Listed):
                raise IndexError("an n-gram whose end is not in the table")
            n_apart = np.bincount(owner[apart], minlength=s)
            begin = lists.begin[owner[inside]]
            place[inside] = lists.columns["place"][begin + (child - low)[inside]]
            p = self.unigrams.given[token] * lists.back[owner]
            p[inside] = -lists.columns["minus"][begin + place[inside]]
            for k in range(2, len(rows)):
                here = np.flatnonzero(level[owner] >= k)
                history = rows[k][owner[here]]
                p[here] = self.distribution.extend(k, history, table.child(k, history, token[here]), p[here])
            p[(token == UNK) | (token == BOS)] = 0.0
        factor = np.ones(s)
        for b in back[1:]:
            factor *= b
        begin = np.searchsorted(owner, np.arange(s + 1))
        return UpperLists(
            word,
            back,
            factor,
            factor * back[0],
            owner,
            token,
            p,
            begin,
            place,
            n_apart,
            lists,
        )

    def _lists(self, word: np.ndarray) -> Lists:
        """Bigram lists of words; empty ones where a word is -1."""
        if self.table.order < 2:
            return no_lists(len(word))
        lists = self.bigrams.lists(np.maximum(word, 0))
        empty = word < 0
        lists.size[empty] = lists.n_ranked[empty] = lists.all_taken[empty] = 0
        return lists

    # ------------------------------------------------------------ temperature and top-p

    def _weighed(self, level: np.ndarray, row: np.ndarray) -> tuple[Columns, Columns]:
        """Columns of histories and of their upper lists, as `HistoryLists`."""
        upper = self._upper(level, row).with_places()
        sums = self._sums(upper)
        if self.shape.top_p < 1:
            self._cut(upper, sums)
        s, size = len(row), np.diff(upper.begin)
        in_upper = np.bincount(upper.owner, sums.weight, s)
        in_bigram = np.rint(sums.scale_bigram * sums.free_bigram)
        in_unigram = np.rint(sums.scale_unigram * sums.free_unigram)
        running = np.cumsum(sums.weight)
        some = np.flatnonzero(size)
        before = np.zeros(s, np.int64)
        before[some] = (running - sums.weight)[upper.begin[some]]
        return {
            "begin": upper.begin[:-1].copy(),
            "size": size,
            "word": upper.word,
            "in_upper": in_upper,
            "in_bigram": in_bigram,
            "in_unigram": in_unigram,
            "free_bigram": sums.free_bigram,
            "free_unigram": sums.free_unigram,
            "good": sums.good & (in_upper + in_bigram + in_unigram > 0),
        }, {
            "token": upper.token,
            "running": running - before[upper.owner],
            "left_over": sums.left_over,
            "passed": sums.taken + sums.out,
        }

    def _draw_lists(self, drawn: HistoryLists, which: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        unigrams, upper = self.unigrams, drawn.upper
        own = {name: column[which] for name, column in drawn.history.items()}
        lists = self._lists(own["word"])
        columns = lists.columns
        low = own["begin"]
        total = own["in_upper"] + own["in_bigram"] + own["in_unigram"]
        x = np.floor(u * total)
        token, share = np.full(len(which), -1, np.int64), np.ones(len(which))

        a = np.flatnonzero(own["good"] & (x < own["in_upper"]))
        if len(a):
            target = x[a].astype(np.int64)
            found = place_in(upper["running"], low[a], low[a] + own["size"][a], target)
            weight = upper["running"][found]
            later = np.flatnonzero(found > low[a])
            weight[later] -= upper["running"][found[later] - 1]
            token[a], share[a] = upper["token"][found], weight / total[a]
        x -= own["in_upper"]

        a = np.flatnonzero(own["good"] & (x >= 0) & (x < own["in_bigram"]))
        if len(a):
            free, inside = own["free_bigram"][a], own["in_bigram"][a]
            target = np.minimum(np.floor(x[a] / inside * free).astype(np.int64), free - 1)
            i = place_in(upper["left_over"], low[a], low[a] + own["size"][a], target)
            behind = np.flatnonzero(i > low[a])
            target[behind] += upper["passed"][i[behind] - 1]
            found = place_in(columns["running"], lists.begin[a], lists.begin[a] + lists.size[a], target)
            token[a] = columns["token"][found]
            share[a] = inside / total[a] * (columns["weight"][found] / free)
        x -= own["in_bigram"]

        a = np.flatnonzero(own["good"] & (x >= 0))
        if len(a):
            free, inside = own["free_unigram"][a], own["in_unigram"][a]
            target = np.minimum(np.floor(x[a] / inside * free).astype(np.int64), free - 1)
            i = place_in(columns["left_over"], lists.begin[a], lists.begin[a] + lists.n_ranked[a], target)
            behind = np.flatnonzero(i > lists.begin[a])
            last = i[behind] - 1
            target[behind] += columns["taken"][last] + unigrams.weight_of_rank[columns["rank"][last]]
            found = np.searchsorted(unigrams.running, target, "right") - 1
            token[a] = unigrams.ids[found]
            share[a] = inside / total[a] * (unigrams.weight[found] / free)
        return token, -np.log2(share)

    def _sums(self, upper: UpperLists) -> Sums:
        unigrams, lists, columns, s = self.unigrams, upper.lists, upper.lists.columns, len(upper.bigram_factor)
        order = np.lexsort((upper.place, upper.owner))
        owner, place = upper.owner[order], upper.place[order]
        at = lists.begin[owner] + place
        out = columns["weight"][at]
        taken = np.cumsum(out) - out
        if len(taken):
            taken -= taken[upper.begin[owner]]
        left_over = columns["running"][at] - out - taken
        filled = np.flatnonzero(lists.size)
        free_bigram, first_bigram = np.zeros(s, np.int64), np.zeros(s)
        free_bigram[filled] = columns["running"][lists.begin[filled] + lists.size[filled] - 1]
        free_bigram -= segment_sums(out, upper.begin[:-1], np.diff(upper.begin))
        first_bigram[filled] = -columns["minus"][lists.begin[filled]] * upper.bigram_factor[filled]
        first_unigram = unigrams.p[unigrams.ids[0]] * upper.unigram_factor

        most = np.maximum(self._first_bigram(upper, place), self._first_unigram(upper))
        np.maximum.at(most, upper.owner, upper.p)
        power = 1 / self.temperature
        return Sums(
            whole_weights(upper.p, most[upper.owner], self.temperature),
            out,
            taken,
            left_over,
            place,
            free_bigram,
            unigrams.running[-1] - lists.all_taken,
            np.minimum(first_bigram / most, 1.0) ** power,
            np.minimum(first_unigram / most, 1.0) ** power,
            # a list's unit is its first p; that id may be in an earlier list with a bigram_factor smaller p
            (first_bigram <= most * (1 + 1e-9)) & (first_unigram <= most * (1 + 1e-9)) & (upper.n_apart == 0),
        )

    def _first_bigram(self, upper: UpperLists, place: np.ndarray) -> np.ndarray:
        """Largest p in each bigram list of an id that is not in the upper list: float64 (s,)."""
        lists = upper.lists
        gap = first_gap(place, upper.begin)
        inside = np.flatnonzero(gap < lists.size)
        p = np.zeros(len(upper.bigram_factor))
        p[inside] = -lists.columns["minus"][lists.begin[inside] + gap[inside]] * upper.bigram_factor[inside]
        return p

    def _first_unigram(self, upper: UpperLists) -> np.ndarray:
        """Largest p in each unigram list: float64 (s,)."""
        every = np.arange(len(upper.bigram_factor))
        rank = unigram_ranks(upper.lists, every, np.zeros(len(every), np.int64))
        p = np.zeros(len(every))
        inside = np.flatnonzero(rank < len(self.unigrams.ids))
        p[inside] = self.unigrams.p[self.unigrams.ids[rank[inside]]] * upper.unigram_factor[inside]
        return p

    def _cut(self, upper: UpperLists, sums: Sums) -> None:
        """Keep in `sums` only the fewest likeliest ids that reach top_p."""
        order = np.lexsort((-upper.p, upper.owner))  # ids rise, and the sort is stable
        running = np.concatenate((np.zeros(1, np.int64), np.cumsum(sums.weight[order])))
        good = np.flatnonzero(sums.good)
        kept = np.zeros((3, len(sums.good)), np.int64)  # ids of the upper list, sums of the two others
        together = good[running[upper.begin[good + 1]] - running[upper.begin[good]] < EXACT]
        if len(together) < _TOGETHER:
            together = together[:0]
        else:
            *found, alike = self._cut_many(upper, sums, order, running, together)
            together = together[~alike]
            kept[:, together] = [x[~alike] for x in found]
        for i in np.setdiff1d(good, together).tolist():
            kept[:, i] = self._cut_one(upper, sums, order[int(upper.begin[i]) : int(upper.begin[i + 1])], i)
        sums.free_bigram[good], sums.free_unigram[good] = kept[1:, good]
        begin = upper.begin[good] + kept[0, good]
        sums.weight[order[ragged(begin, upper.begin[good + 1] - begin)]] = 0

    def _cut_many(
        self, upper: UpperLists, sums: Sums, order: np.ndarray, running: np.ndarray, which: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        unigrams, lists, columns = self.unigrams, upper.lists, upper.lists.columns
        begin, low = np.stack((upper.begin[which], upper.begin[which + 1])), lists.begin[which]
        return ManyLists(
            begin,
            -upper.p[order],
            running,
            np.concatenate((np.zeros(1, np.int64), np.cumsum(sums.out))),
            sums.place,
            np.stack((low, low + lists.size[which])),
            columns["minus"],
            columns["running"],
            lists.n_ranked[which],
            columns["rank"],
            columns["taken"],
            lists.all_taken[which],
            unigrams.minus,
            unigrams.running,
            upper.bigram_factor[which],
            upper.unigram_factor[which],
            sums.scale_bigram[which],
            sums.scale_unigram[which],
        ).cut(self.shape.top_p)

    def _cut_one(self, upper: UpperLists, sums: Sums, own: np.ndarray, i: int) -> tuple[int, int, int]:
        unigrams, lists, columns = self.unigrams, upper.lists, upper.lists.columns
        a, b, low = int(upper.begin[i]), int(upper.begin[i + 1]), int(lists.begin[i])
        n, m = low + int(lists.size[i]), low + int(lists.n_ranked[i])
        return ThreeLists(
            -upper.p[own],
            np.concatenate((np.zeros(1), np.cumsum(sums.weight[own], dtype=np.float64))),
            columns["minus"][low:n],
            columns["running"][low:n],
            sums.place[a:b],
            np.append(sums.taken[a:b], sums.taken[b - 1] + sums.out[b - 1] if b > a else 0),
            float(upper.bigram_factor[i]),
            float(sums.scale_bigram[i]),
            unigrams.minus,
            unigrams.running,
            columns["rank"][low:m],
            np.append(columns["taken"][low:m], lists.all_taken[i]),
            float(upper.unigram_factor[i]),
            float(sums.scale_unigram[i]),
        ).cut(self.shape.top_p)

    # ------------------------------------------------------------ top-k

    def _draw_first(self, upper: UpperLists, which: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw from the likeliest k."""
        ids, p, size = self._first(upper)
        w = shaped_weights(p, size, self.shape)
        found, share = draw_weighted(w, np.cumsum(size) - size, size, which, u)
        return ids[found], -np.log2(share)

    def _first(self, upper: UpperLists) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids among which the likeliest k of each history are, their p, and their number: the first k of each list."""
        unigrams, lists, v, s = self.unigrams, upper.lists, self.table.n_ids, len(upper.bigram_factor)
        n_upper = np.diff(upper.begin)
        of_bigram = np.minimum(lists.size, self.k + n_upper)
        of_unigram = np.minimum(len(unigrams.ids) - lists.n_ranked, self.k + upper.n_apart)
        at = ragged(lists.begin, of_bigram)
        own_bigram, own_unigram = np.repeat(np.arange(s), of_bigram), np.repeat(np.arange(s), of_unigram)
        rank = unigram_ranks(lists, own_unigram, ragged(np.zeros(s, np.int64), of_unigram))
        p_bigram, p_unigram = -lists.columns["minus"][at], unigrams.p[unigrams.ids[rank]] * upper.back[0][own_unigram]
        for b in upper.back[1:]:
            p_bigram, p_unigram = p_bigram * b[own_bigram], p_unigram * b[own_unigram]
        # the upper list comes first, so an id that is in several lists keeps its p from there
        owner = np.concatenate((upper.owner, own_bigram, own_unigram))
        ids = np.concatenate((upper.token, lists.columns["token"][at], unigrams.ids[rank]))
        p = np.concatenate((upper.p, p_bigram, p_unigram))
        order = np.argsort(owner * v + ids, kind="stable")
        key = (owner * v + ids)[order]
        order = order[(np.diff(key, prepend=-1) != 0) & (p[order] > 0)]
        owner, ids, p = owner[order], ids[order], p[order]
        return ids, p, np.bincount(owner, minlength=s)

    def first(self, level: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ids among which the likeliest k of each history are, with top-k; their p, and their number for each."""
        parts = [self._first(self._upper(level[a:b], row[a:b])) for a, b in self._groups(level, row)]
        ids, p, size = (np.concatenate(column) for column in zip(*parts, strict=True))
        return ids, p, size
