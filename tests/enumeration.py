"""A small model, and all its texts with their probabilities, enumerated in plain Python."""

import re

import oracle_smoothing
from engine import model_of, rows_of, sequences, types_of
from markov_cli.api.train import model_of as as_model
from markov_cli.text.types import BOS, EOS, UNK

LINES = """the cat sat
the cat ate the fish
the dog ate
a dog sat on the cat
a fish ate the dog on the cat
the cat
a cat
the dog ate a cat
the fish ate a dog
the cat on the dog
a dog on a cat sat on the dog"""
FEW = """the cat sat
the cat ate the fish
the dog ate
a dog sat on the cat
a fish ate the dog on the cat
the cat
a cat"""


def train(text=LINES, order=3, unit="line", **options):
    return as_model(model_of(text, order, unit=unit, **options))


def enumerated(model, longest, history=(BOS,), least=1e-7):
    """{tokens: probability} of all texts of up to `longest` tokens, without the least probable."""
    rows = rows_of(model.table)
    followers = {}
    for k, grams in enumerate(rows):
        for gram, c in grams.items():
            if gram[-1] != UNK and c and (k or gram[-1] != BOS):
                followers.setdefault(gram[:-1], {})[gram[-1]] = c
    out = {}
    todo = [((), tuple(history), 1.0)]
    while todo:
        text, before, p = todo.pop()
        before = before[max(len(before) - model.order + 1, 0) :]
        while before not in followers:  # like the sampler: shorten an unknown history
            before = before[1:]
        here = followers[before]
        for i, c in here.items():
            q = p * c / sum(here.values())
            if i == EOS:
                out[text] = q
            elif len(text) < longest and q > least:
                todo.append(((*text, i), (*before, i), q))
    return {tuple(model.vocabulary.text_of(i) for i in text): p for text, p in out.items() if text}


def oracle_of(model, text, method, **more):
    """The oracle of a smoothing of a text's counts, and the words in order of their ids, from 3 on."""
    types = types_of(model_of(text, 1, unit="line"))
    ids = {token: i for i, (token, _) in enumerate(types, 3)}
    lines = [[ids[token] for token, _ in line] for line in sequences(text, unit="line")]
    name, _, amount = method.partition(":")
    if amount:
        more["discounts"] = float(amount)
    oracle = oracle_smoothing.Smoothed(lines, model.order, len(ids) + 3, name, number=float, **more)
    return oracle, [token.decode() for token, _ in types]


def smoothed(model, text, longest, method, start=(BOS,), shaped=None, **more):
    """{tokens: probability} of all texts of up to `longest` tokens, under a smoothing of a text's counts."""
    oracle, words = oracle_of(model, text, method, **more)
    return listed(oracle.p, words, longest, model.order, start, shaped)


def mixed(models, texts, weights, longest, method):
    """{tokens: probability} of all texts of up to `longest` tokens under a mixture of models."""
    parts = [oracle_of(model, text, method) for model, text in zip(models, texts, strict=True)]
    union = list(dict.fromkeys(word for _, words in parts for word in words))
    own = [[0, 1, 2, *(words.index(w) + 3 if w in words else UNK for w in union)] for _, words in parts]

    def p(history, i):
        q = 0
        for (oracle, _), ids, weight in zip(parts, own, weights, strict=True):
            before = tuple(ids[j] for j in history)
            if i != UNK and ids[i] != UNK:
                q += weight * oracle.p(before, ids[i]) / (1 - oracle.p(before, UNK))
        return q

    return listed(p, union, longest, max(model.order for model in models))


def listed(p, words, longest, order, start=(BOS,), shaped=None):
    """{tokens: probability} of all texts of up to `longest` tokens.

    p       p(history, id) is the distribution
    shaped  shaped(list of p) gives the weights that the ids are drawn by
    """
    known = {}

    def after(history):
        if history not in known:
            here = [0 if i == UNK else p(history, i) for i in range(len(words) + 3)]
            here = shaped(here) if shaped else here
            known[history] = [q / sum(here) for q in here]
        return known[history]

    out, todo = {}, [((), tuple(start), 1.0)]
    while todo:
        text, before, q = todo.pop()
        before = before[max(len(before) - order + 1, 0) :]
        here = after(before)
        out[text] = q * here[EOS]
        if len(text) < longest:
            todo += [((*text, w), (*before, i), q * here[i]) for i, w in enumerate(words, 3) if here[i]]
    return {text: q for text, q in out.items() if text}


def holds(words, *inner):
    return any(tuple(words[i : i + len(inner)]) == inner for i in range(len(words)))


CASES = {
    "contains": ({"contains": ["dog"]}, lambda w: "dog" in w),
    "contains two": ({"contains": ["dog", "cat"]}, lambda w: "dog" in w and "cat" in w),
    "contains in order": (
        {"contains": ["dog", "cat"], "in_order": True},
        lambda w: any(w[i] == "dog" and "cat" in w[i:] for i in range(len(w))),
    ),
    "contains a phrase": ({"contains": ["the cat"]}, lambda w: holds(w, "the", "cat")),
    "starts": ({"starts_with": "a dog"}, lambda w: w[:2] == ("a", "dog")),
    "ends": ({"ends_with": "cat"}, lambda w: w[-1] == "cat"),
    "ends with two": ({"ends_with": "the cat"}, lambda w: w[-2:] == ("the", "cat")),
    "without": ({"without": ["sat", "on"]}, lambda w: "sat" not in w and "on" not in w),
    "without a phrase": ({"without": ["the cat"]}, lambda w: not holds(w, "the", "cat")),
    "pattern": ({"pattern": "the * on _ _"}, lambda w: len(w) > 3 and w[0] == "the" and w[-3] == "on"),
    "gaps": ({"pattern": "_ _ * cat"}, lambda w: len(w) > 2 and w[-1] == "cat"),
    "tokens": ({"tokens": (5, 5)}, lambda w: len(w) == 5),
    "tokens n..m": ({"tokens": (4, 6)}, lambda w: 4 <= len(w) <= 6),
    "characters": ({"characters": (11, 15)}, lambda w: 11 <= len(" ".join(w)) <= 15),
    "match": ({"match": r"^t.*\b(sat|fish)$"}, lambda w: re.search(r"^t.*\b(sat|fish)$", " ".join(w))),
    "all": (
        {"tokens": (5, 8), "contains": ["ate"], "ends_with": "cat", "without": ["sat"], "starts_with": "the"},
        lambda w: 5 <= len(w) <= 8 and "ate" in w and w[-1] == "cat" and "sat" not in w and w[0] == "the",
    ),
    "calculated and tried": (
        {"contains": ["dog"], "characters": (12, 24)},
        lambda w: "dog" in w and 12 <= len(" ".join(w)) <= 24,
    ),
}  # fmt: skip
