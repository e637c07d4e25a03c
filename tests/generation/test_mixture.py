"""Mixtures of models: every step draws from the weighted sum, and texts match an enumeration."""

import math
from collections import Counter

import numpy as np
import pytest

from cats_and_dogs import CATS, DOGS, W, train
from engine import rows_of
from helpers import chi_squared
from markov_cli import Constraints
from markov_cli.api.mixture import Mixture
from markov_cli.errors import OptionError
from markov_cli.generation.request import Request
from markov_cli.generation.run import Run
from markov_cli.model.distribution import full_distribution
from markov_cli.sampling.random_stream import RandomStream
from markov_cli.sampling.shape import Shape, shaped_weights
from markov_cli.text.types import BOS, EOS, N_MARKERS, UNK


@pytest.fixture(scope="module")
def pair():
    """Two models, each with types that the other lacks."""
    return [train(CATS), train(DOGS)]


class Oracle:
    """One model over (token, flags), from dictionaries of n-grams."""

    def __init__(self, model):
        self.model = model
        t = model.vocabulary.types()
        self.type_of = {i: t.bytes_of(i - N_MARKERS) for i in range(N_MARKERS, model.table.n_ids)}
        self.id_of = {one: i for i, one in self.type_of.items()}
        self.followers = {}
        for k, grams in enumerate(rows_of(model.table)):
            for gram, count in grams.items():
                if count and gram[-1] != UNK and (k or gram[-1] != BOS):
                    self.followers.setdefault(gram[:-1], {})[gram[-1]] = count

    def ids(self, text):
        return [BOS, *(self.id_of.get(token, UNK) for token in text)]

    def p(self, text, smoothing="none"):
        """{(token, flags), or None for the end: probability} after a text."""
        ids = self.ids(text)
        if smoothing == "none":
            before = tuple(ids[max(len(ids) - self.model.order + 1, 0) :])
            while before not in self.followers:
                before = before[1:]
            total = sum(self.followers[before].values())
            found = {i: c / total for i, c in self.followers[before].items()}
        else:
            p = full_distribution(self.model.distribution(smoothing), *self.model.table.find(ids))
            found = {i: x / (1 - p[UNK]) for i, x in enumerate(p.tolist()) if x and i != UNK}
        return {self.type_of.get(i): x for i, x in found.items()}


def mixture_of(oracles, mix, text, smoothing):
    out = Counter()
    for one, w in zip(oracles, mix, strict=True):
        for token, p in one.p(text, smoothing).items() if w else ():
            out[token] += w * p
    return out


def walker_of(models, mix=W, prompt="", smoothing="none", shape=None):
    mixed = Mixture(models, mix, ["a", "b"]).mixed_model
    known, each = mixed.known(prompt, at_start=True)
    return mixed, known, mixed.walker(each, smoothing, shape or Shape())


def drawn_texts(models, n, smoothing="none", shape=None, mix=W, prompt="", asked=None, most=30):
    mixed = Mixture(models, mix, ["a", "b"]).mixed_model
    request = Request(
        n, 5, prompt, max_tokens=most, shape=shape or Shape(), smoothing=smoothing, constraints=asked or Constraints()
    )
    out = []
    for batch in Run(mixed, request).batches():
        drawn = batch.samples
        ids = np.split(drawn.ids, np.cumsum(drawn.length)[:-1])
        texts = [text.decode() for text in batch.each()]
        out += list(zip(ids, drawn.bits.tolist(), drawn.complete.tolist(), texts, strict=True))
    return mixed, out


def types_of(mixed, ids):
    t = mixed.vocabulary.types()
    return [t.bytes_of(int(i) - N_MARKERS) for i in ids]


@pytest.mark.parametrize("mix", [W, (0.0, 1.0), (0.5, 0.5)], ids=str)
@pytest.mark.parametrize("smoothing", ["none", "kn", "laplace"])
@pytest.mark.parametrize("more", [{}, {"min_type_count": 2}], ids=["whole", "rare types"])
def test_every_step_draws_from_the_weighted_sum(smoothing, mix, more):
    """Frequencies and bits after several texts, some with tokens of the other model."""
    models = [train(CATS, **more), train(DOGS, 2, **more)]
    oracles = [Oracle(m) for m in models]
    mixed, _, walker = walker_of(models, mix, smoothing=smoothing)
    union = {one: i for i, one in enumerate(types_of(mixed, range(N_MARKERS, len(mixed.vocabulary))), N_MARKERS)}
    n = 2_000
    texts = [[], ["the"], ["the", "cat"], ["a", "dog", "cat"], ["dog", "mat"], ["the", "cat", "sat", "on", "the"]]
    for text in texts:
        flagged = [(w.encode(), 0) for w in text]
        if any(t not in union for t in flagged):
            continue
        state = walker.begin(n)
        for token in flagged:
            ids = np.full(n, union[token])
            after = [o.after(state[2 * k], state[2 * k + 1], o.own[ids]) for k, o in enumerate(walker.components)]
            state = tuple(column for pair in after for column in pair)
        token, bits, *_ = walker.step(0, state, RandomStream(3).raw(0, 0, n))
        told = {union.get(t, EOS): p for t, p in mixture_of(oracles, mix, flagged, smoothing).items()}
        assert sum(told.values()) == pytest.approx(1)
        assert set(token.tolist()) <= set(told)
        assert abs(chi_squared(Counter(token.tolist()), told, n)) < 4
        np.testing.assert_allclose(2.0**-bits, [told[i] for i in token.tolist()], rtol=1e-9)


@pytest.mark.parametrize("smoothing", ["none", "wb"])
def test_bits_of_texts_follow_from_the_weighted_sum(pair, smoothing):
    oracles = [Oracle(m) for m in pair]
    mixed, texts = drawn_texts(pair, 200, smoothing, most=8)
    assert {complete for _, _, complete, _ in texts} == {True, False}
    for ids, bits, complete, _ in texts:
        tokens = types_of(mixed, ids)
        steps = [*range(len(tokens)), *([len(tokens)] if complete else [])]
        p = [mixture_of(oracles, W, tokens[:t], smoothing)[(*tokens, None)[t]] for t in steps]
        assert bits == pytest.approx(-sum(map(math.log2, p)), abs=1e-9)


def test_mixed_texts_are_distributed_as_enumerated(pair):
    oracles = [Oracle(m) for m in pair]
    told, todo = {}, [((), 1.0)]
    while todo:
        text, p = todo.pop()
        for token, q in mixture_of(oracles, W, text, "none").items():
            if token is None:
                told[text] = p * q
            elif p * q > 1e-6:
                todo.append(((*text, token), p * q))
    told[()] = 1 - sum(told.values())  # all improbable texts together
    assert told[()] < 0.07
    mixed, texts = drawn_texts(pair, 5_000, most=200)
    seen = Counter(tuple(types_of(mixed, ids)) for ids, *_ in texts)
    seen[()] = sum(n for text, n in seen.items() if text not in told)
    assert abs(chi_squared(seen, told, 5_000)) < 4
    both = [t for _, _, _, t in texts if "dog" in t and "fish" in t]
    assert both  # neither corpus has a line with both


@pytest.mark.parametrize("shape", [{"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.7, "temperature": 2.0}], ids=str)
@pytest.mark.parametrize("smoothing", ["none", "kn"])
def test_the_weighted_sum_is_shaped(pair, smoothing, shape):
    oracles = [Oracle(m) for m in pair]
    mixed, _, walker = walker_of(pair, smoothing=smoothing, shape=Shape(**shape))
    n = 2_000
    token, bits, *_ = walker.step(0, walker.begin(n), RandomStream(3).raw(0, 0, n))
    union = {one: i for i, one in enumerate(types_of(mixed, range(N_MARKERS, len(mixed.vocabulary))), N_MARKERS)}
    plain = sorted((union.get(t, EOS), p) for t, p in mixture_of(oracles, W, [], smoothing).items())
    w = shaped_weights(np.array([p for _, p in plain]), np.array([len(plain)]), Shape(**shape))
    told = {i: x / w.sum() for (i, _), x in zip(plain, w.tolist(), strict=True) if x}
    assert set(token.tolist()) <= set(told)
    assert abs(chi_squared(Counter(token.tolist()), told, n)) < 4
    np.testing.assert_allclose(2.0**-bits, [told[i] for i in token.tolist()], rtol=1e-6)


def test_a_prompt_may_be_known_to_one_model_only(pair):
    _, texts = drawn_texts(pair, 50, prompt="a mat")
    assert all(t.startswith("a mat") for *_, t in texts)
    _, texts = drawn_texts(pair, 50, prompt="mat")
    assert len({t for *_, t in texts}) > 5


def test_constraints_hold_on_a_mixture(pair):
    _, texts = drawn_texts(pair, 100, asked=Constraints(contains=["fish", "dog"]))
    assert len(texts) == 100 and all("fish" in t and "dog" in t for *_, t in texts)


def test_a_model_mixed_with_itself_is_unchanged(pair):
    a = pair[0]
    told = {t.text: 2.0**-t.bits for t in a.generate(2_000, 3)}
    _, texts = drawn_texts([a, a], 2_000, most=1000)
    for _, bits, _, text in texts:
        if text in told:
            assert bits == pytest.approx(-math.log2(told[text]))


def test_models_with_different_text_options_are_refused():
    with pytest.raises(OptionError, match="lowercase"):
        Mixture([train(CATS), train(CATS, lowercase=True)], W, ["a", "b"])
