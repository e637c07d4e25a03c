"""Constraint automata against regular expressions, and the solver of success weights against NumPy."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markov_cli.sampling import automata, success_weights
from markov_cli.sampling.automata import ANY, DEAD, ONE


@given(st.lists(st.sampled_from([ANY, ONE, "a", "b"]), max_size=5), st.lists(st.sampled_from("abc"), max_size=6))
def test_patterns_accept_what_the_regular_expression_matches(pieces, text):
    ids = {"a": 3, "b": 4, "c": 5}
    one = automata.pattern([p if p in (ANY, ONE) else frozenset({ids[p]}) for p in pieces])
    end = one.after(ids[c] for c in text)
    accepted = end != DEAD and bool(one.accept[end])
    regex = "".join({ANY: ".*", ONE: "."}.get(p, p) for p in pieces)
    assert accepted == (re.fullmatch(regex, "".join(text)) is not None)
    other = automata.complement(one)
    end = other.after(ids[c] for c in text)
    assert (end != DEAD and bool(other.accept[end])) == (not accepted)
    both = automata.product([one, other])
    assert not both.accept.any()


def test_automata_are_minimal():
    a, b = frozenset({3}), frozenset({4})
    assert len(automata.pattern([ANY, a, ANY])) == 2
    assert len(automata.product([automata.pattern([ANY, w, ANY]) for w in (a, b)])) == 4
    assert len(automata.complement(automata.pattern([ANY, a, ANY]))) == 1
    assert len(automata.product([])) == 1


def test_the_solver_equals_numpy():
    """A random system of 300 states; a tenth never reach b; weights from 1 down to 1e-9."""
    rng = np.random.default_rng(3)
    n = 300
    dense = rng.random((n, n)) * (rng.random((n, n)) < 0.02)
    dense[270:, :270] = 0
    scale = 10.0 ** rng.uniform(-9, 0, n)
    scale[270:] = 1
    dense *= 0.98 / np.maximum(dense.sum(1, keepdims=True), 1)
    b = np.where(np.arange(n) < 30, scale, 0)
    owner, target = np.nonzero(dense)
    first = np.searchsorted(owner, np.arange(n + 1))
    x, off = success_weights.solve(owner, target, dense[owner, target], first, b)
    assert off <= success_weights.TOLERANCE
    assert x == pytest.approx(np.linalg.solve(np.eye(n) - dense, b), rel=1e-9, abs=1e-300)
    assert (x[270:] == 0).all()
