"""Oracle of every smoothing method, from the counts of a text, in the simplest Python.

Sequences are lists of ids (0 UNK, 1 BOS, 2 EOS, types from 3 on; an id 0 inside is a rare type that was
mapped to UNK). One BOS opens a sequence and one EOS closes it; BOS is never predicted, so
V = n_ids - 1 ids have a probability.

Legend: n is the order; h a history (a tuple of ids), h' the same without its first id; w an id;
c(hw) a count; c(h.) the sum of the counts of h's followers; T(h) the number of followers of h;
u(w|h) the share of w in h's own distribution; b(h) the backoff weight.

All but `stupid` are one recursion, p(w|h) = u(w|h) + b(h) p(w|h'), where b(h) = 1 - the sum of u(w|h).
A history without followers has b(h) = 1 and no u. Below the empty history lies 1/V.

    none      u = c / c(h.); a history with followers has b(h) = 0, so shorter ones have no say
    kn        u = (a - D(a)) / a(h.), a the adjusted counts (Chen and Goodman 1998, section 3; Heafield et al. 2013):
              the count at the top order and for n-grams that open with BOS, else the number of
              distinct left neighbours
    wb        u = c / (c(h.) + T(h)) (Witten and Bell 1991)
    abs       u = max(c - D, 0) / c(h.) (Ney, Essen and Kneser 1994)
    lidstone  u = c / (c(h.) + g V), and in place of p(w|h') there is 1/V; so p = (c + g) / (c(h.) + g V),
              and 1/V after a history never seen
    stupid    S = c / c(h.) where w was seen after h, else 0.4 S(w|h'), also after a history never seen;
              0 for an id never seen (Brants et al. 2007). Not a distribution: the sum is not 1.

A pruned table lacks the n-grams of order k >= 2 whose count in the text is at most the threshold of order
k; they have no u. Adjusted counts, kn's discounts and c(h.) are those before pruning, so the share of
a pruned follower goes to b(h), and every distribution still sums to 1. Three figures use only
the kept rows: `none` divides by the sum of the kept counts (no kept follower: go on to h'), T(h)
counts kept followers, and the discounts of abs are estimated from kept rows. `statistics="all"`
takes the last two before pruning.
"""

from collections import Counter, defaultdict
from fractions import Fraction

UNK, BOS, EOS = 0, 1, 2
FALLBACK = (Fraction(1, 2), Fraction(1), Fraction(3, 2))
SMOOTHINGS = ["none", "kn", "wb", "abs", "lidstone", "stupid"]


def kn_discounts(n_with_count):
    """(0, D1, D2, D3+) of one order; FALLBACK for all three where one is undefined or out of [0, k].

    n_with_count  [k] = how many n-grams have adjusted count k

    Y = n1 / (n1 + 2 n2), Dk = k - (k + 1) Y n(k+1) / nk (Chen and Goodman 1998, equation 26). n4 may be 0.
    """
    n = n_with_count
    if not (n[1] and n[2] and n[3]):
        return (0, *FALLBACK)
    y = Fraction(n[1], n[1] + 2 * n[2])
    d = [k - (k + 1) * y * Fraction(n[k + 1], n[k]) for k in (1, 2, 3)]
    return (0, *d) if all(0 <= d[k - 1] <= k for k in (1, 2, 3)) else (0, *FALLBACK)


def abs_discount(n_with_count):
    """D of one order: n1 / (n1 + 2 n2), and 1/2 where n1 or n2 is 0 (it would be 0 or 1)."""
    n = n_with_count
    return Fraction(n[1], n[1] + 2 * n[2]) if n[1] and n[2] else Fraction(1, 2)


def padded(sequences, marks=1):
    """Sequences with their markers."""
    return [[BOS] * marks + list(s) + [EOS] * marks for s in sequences]


def count(streams, order, once=False):
    """[k - 1]: how often each k-gram occurs; with `once`, in how many sequences."""
    found = [Counter() for _ in range(order)]
    for s in streams:
        for k in range(1, order + 1):
            here = [tuple(s[i : i + k]) for i in range(len(s) - k + 1)]
            found[k - 1].update(set(here) if once else here)
    return found


def adjust(streams, counts):
    """[k - 1]: the adjusted count of each k-gram."""
    lefts = defaultdict(set)
    for s in streams:
        for k in range(1, len(counts)):
            for i in range(1, len(s) - k + 1):
                lefts[tuple(s[i : i + k])].add(s[i - 1])
    return [
        {g: c if k == len(counts) or g[0] == BOS else len(lefts[g]) for g, c in of_order.items()}
        for k, of_order in enumerate(counts, 1)
    ]


def quirk(streams, order):
    """The n-grams that lmplz counts raw in its statistics instead of adjusted (kenlm#405).

    These are the proper suffixes of the last window of `order` ids in suffix order (compared from
    the last id backwards), where order - 1 BOS open each sequence. N-grams that start with BOS have
    no adjusted count. Ids must be lmplz's: by first appearance in the text.
    """
    windows = set()
    for s in streams:
        long = [BOS] * (order - 2) + s
        windows |= {tuple(long[i : i + order]) for i in range(len(long) - order + 1)}
    last = max(windows, key=lambda g: g[::-1])
    return {last[i:] for i in range(1, order) if last[i] != BOS}


class Smoothed:
    """p(w|h) of one smoothing over the counts of some sequences.

    order       length of the longest n-gram
    n_ids       UNK, BOS, EOS and all types; a larger number is like `--vocab_pad`
    prune       thresholds of orders 1, 2, ..; the last one repeats; order 1 has 0
    discounts   kn: (D1, D2, D3+), abs: D, for every order; None estimates them per order
    amount      lidstone's g
    factor      stupid's 0.4
    number      Fraction, or float where a Fraction takes too long
    statistics  "kept" or "all": rows that wb's T and abs's estimate use after pruning
    emulate     True repeats lmplz's quirk, for comparisons with lmplz
    marks       markers at each end; NLTK has n - 1
    bos         True predicts BOS like any other id, as NLTK does
    keep        n-gram -> bool, a further condition to stay; None keeps all
    once        a sequence counts an n-gram once
    bottom      "uniform", or "mle": the empty history of wb and abs is c / c(.) with nothing below, as in NLTK
    """

    def __init__(
        self, sequences, order, n_ids, smoothing="kn", *, prune=(), discounts=None, amount=1, factor=Fraction(2, 5),
        number=Fraction, statistics="kept", emulate=False, marks=1, bos=False, bottom="uniform",
        keep=None, once=False,
    ):  # fmt: skip
        self.order, self.n_ids, self.smoothing, self.number = order, n_ids, smoothing, number
        self.amount, self.factor, self.statistics = number(amount), number(factor), statistics
        self.bos, self.bottom, self.v = bos, bottom, n_ids - (not bos)
        thresholds = [*prune, *[prune[-1] if prune else 0] * order][:order]
        if thresholds[0] or thresholds != sorted(thresholds):
            raise ValueError(f"prune {prune}: 0 for order 1, then not falling")
        streams = padded(sequences, marks)
        raw = count(streams, order, once)
        self.keep = keep or (lambda g: True)
        used = adjust(streams, raw) if smoothing == "kn" else raw
        if not bos:
            used = [{g: c for g, c in of_order.items() if g[-1] != BOS} for of_order in used]
        # {h: {w: count}}, before pruning and after
        self.all, self.kept = defaultdict(dict), defaultdict(dict)
        for k, of_order in enumerate(used, 1):
            for g, c in of_order.items():
                self.all[g[:-1]][g[-1]] = c
                if raw[k - 1][g] > thresholds[k - 1] and self.keep(g):
                    self.kept[g[:-1]][g[-1]] = c
        self.discounts = self._discounts(raw, used, thresholds, discounts, quirk(streams, order) if emulate else ())
        self._levels = {}

    def _discounts(self, raw, used, thresholds, given, quirks):
        """[k - 1]: D by count (0, D1, D2, D3+), the last for all higher counts."""
        out = []
        for of_order, raw_of_order, t in zip(used, raw, thresholds, strict=True):
            if self.smoothing == "kn":
                n = Counter(raw_of_order[g] if g in quirks else c for g, c in of_order.items())
                d = (0, *given) if given else kn_discounts(n)
            else:
                least = t if self.statistics == "kept" else 0
                n = Counter(c for g, c in of_order.items() if c > least and (self.statistics == "all" or self.keep(g)))
                d = (0, abs_discount(n) if given is None else given)
            out.append([self.number(x) for x in d])
        return out

    def level(self, history):
        """{w: u(w|h)} and b(h) of one history, a tuple of at most n - 1 ids."""
        if history not in self._levels:
            self._levels[history] = self._level(history)
        return self._levels[history]

    def _level(self, history):
        before, kept = self.all.get(history, {}), self.kept.get(history, {})
        if not before or (self.smoothing == "none" and not kept):
            return {}, self.number(1)
        total = self.number(sum(before.values()))
        take = {w: self.number(c) for w, c in kept.items()}  # c(hw) minus the discount
        if self.bottom == "mle" and history == () and self.smoothing in ("wb", "abs"):
            pass
        elif self.smoothing == "none":
            total = sum(take.values())
        elif self.smoothing in ("kn", "abs"):
            d = self.discounts[len(history)]
            take = {w: max(c - d[min(kept[w], len(d) - 1)], self.number(0)) for w, c in take.items()}
        elif self.smoothing == "wb":
            total += len(kept if self.statistics == "kept" else before)
        elif self.smoothing == "lidstone":
            total += self.amount * self.v
        return {w: c / total for w, c in take.items()}, (total - sum(take.values())) / total

    def p(self, history, word):
        """The probability of an id after a history of any length; for `stupid` its score."""
        if not 0 <= word < self.n_ids:
            raise ValueError(f"id {word} of {self.n_ids}")
        if word == BOS and not self.bos:
            return self.number(0)
        return self._p(tuple(history)[max(len(history) - self.order + 1, 0) :], word)

    def _p(self, history, word):
        own, backoff = self.level(history)
        if self.smoothing == "stupid":
            if word in own or not history:
                return own.get(word, self.number(0))
            return self.factor * self._p(history[1:], word)
        share = own.get(word, self.number(0))
        if not backoff:
            return share
        if history and self.smoothing != "lidstone":
            return share + backoff * self._p(history[1:], word)
        return share + backoff / self.v

    def backoff(self, history):
        """b(h) of a history of at most n - 1 ids, as an ARPA file has it."""
        return self.level(tuple(history))[1]

    def rows(self):
        """The n-grams of an ARPA file: all kept ones, and every id except BOS, whose row has no probability."""
        return {(w,) for w in range(self.n_ids) if w != BOS} | {(*h, w) for h in self.kept for w in self.kept[h]}
