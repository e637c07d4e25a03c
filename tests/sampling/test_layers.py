"""Weights of texts of limited length: those that no longer change with the number of tokens are worked out once."""

import numpy as np
import pytest

from cats_and_dogs import CATS, train
from markov_cli import Constraints
from markov_cli.sampling import backoff_weights, success_weights
from markov_cli.sampling.success_weights import layers_before


def test_weights_that_stay_as_they_are_are_those_of_all_fewer_tokens():
    steps = []

    def step(w, power, t):
        steps.append(t)
        return np.floor(w / 2) + (8.0 if t >= 3 else 0.0), power

    layers, powers = layers_before(step, np.zeros(2), 0, 100, 3)
    expected = [np.zeros(2)]
    for t in range(99, -1, -1):
        expected.append(np.floor(expected[-1] / 2) + (8.0 if t >= 3 else 0.0))
    assert [w.tolist() for w in layers] == [w.tolist() for w in expected[::-1]] and powers == [0] * 101
    assert len(steps) < 12 and steps[-3:] == [2, 1, 0]
    assert len({id(w) for w in layers}) < 12


@pytest.mark.parametrize("smoothing", ["none", "kn"])
@pytest.mark.parametrize("asked", [{"contains": ["mat"]}, {"contains": ["mat"], "tokens": (3, 900)}])
def test_texts_are_those_of_weights_worked_out_one_by_one(monkeypatch, smoothing, asked):
    def texts():
        return [
            (t.text, t.bits, t.conditioned_bits)
            for t in train(CATS).generate(30, 1, smoothing=smoothing, constraints=Constraints(**asked))
        ]

    def one_by_one(step, w, power, last, same_from):
        return layers_before(step, w, power, last, last)

    found = texts()
    for module in (success_weights, backoff_weights):
        monkeypatch.setattr(module, "layers_before", one_by_one)
    assert texts() == found
