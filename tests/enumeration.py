"""A small model, and all its texts with their probabilities, enumerated in plain Python."""

from engine import model_of, rows_of
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
