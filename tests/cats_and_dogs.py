"""Two small texts and their models, for tests of mixtures."""

from engine import model_of
from markov_cli.api.train import model_of as as_model

CATS = """the cat sat
the cat ate the fish
a cat sat on the mat, a cat"""
DOGS = """the dog sat
a dog ate the cat
the cat on a dog ran"""
W = (0.7, 0.3)


def train(text, order=3, **options):
    return as_model(model_of(text, order, unit="line", **options))
