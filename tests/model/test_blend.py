"""Classes by exchange, class models, weights by leaving one out, and the distribution of `--smoothing blend`."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli as m
from conftest import examples
from markov_cli.errors import MarkovError, NeedsCounts
from markov_cli.model.classes import _Exchange, classes_by_exchange
from markov_cli.model.leave_one_out import left_out, predicted
from markov_cli.model.mixture_weights import estimated_weights
from markov_cli.text.types import BOS, EOS, N_MARKERS

PAIRS = ["the cat ran", "the dog ran", "a cat sat", "a dog sat", "the cat sat", "a dog ran"] * 3
texts = st.lists(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=8)


def model_of(texts, order=3):
    return m.train(texts=texts, order=order, unit="line", tokenizer="spaces")


def test_words_that_stand_in_the_same_places_share_a_class():
    model = model_of(PAIRS)
    class_of = classes_by_exchange(model.table, 3)
    of = {w: class_of[model.vocabulary.find(w.encode())[0]] for w in ("cat", "dog", "ran", "sat", "the", "a")}
    assert of["cat"] == of["dog"] and of["ran"] == of["sat"] and of["the"] == of["a"]
    assert len(set(of.values())) == 3
    assert class_of[:N_MARKERS].tolist() == [0, 1, 2]


@given(texts, st.integers(1, 4))
@examples(60)
def test_exchange_never_ends_below_its_start(texts, n):
    table = model_of(texts, 2).table
    start = np.concatenate((np.arange(N_MARKERS), N_MARKERS + np.arange(table.n_ids - N_MARKERS) % n))
    before = _Exchange(table, start.astype(np.int64), N_MARKERS + n).objective()
    found = classes_by_exchange(table, n).astype(np.int64)
    after = _Exchange(table, found, int(found.max()) + 1).objective()
    assert np.bincount(found).all()  # no class is empty
    assert after >= before - 1e-6 * abs(before) or n >= table.n_ids - N_MARKERS


# ------------------------------------------------------------ leaving one out


def slow_left_out(model, gram):
    """p of the last id of an n-gram without one occurrence, from sets and counters; discounts of the whole text."""
    table, n = model.table, model.order
    top = Counter()
    for ids, count in predicted(table, 1 << 20):
        for row, c in zip(ids.tolist(), count.tolist(), strict=True):
            top[tuple(row)] += int(c)
    top[gram] -= 1
    top = +top
    exist = {k: {g for g in top if len(g) == k and (k == n or g[0] == BOS)} for k in range(1, n + 1)}
    for k in range(n, 1, -1):
        exist[k - 1] |= {g[1:] for g in exist[k]}
    smoothed = model.distribution("kn")

    def adjusted(g):
        if g in top and (len(g) == n or g[0] == BOS):
            return top[g]
        return sum(1 for x in exist.get(len(g) + 1, ()) if x[1:] == g)

    p = 1 / (table.n_ids - 1)
    for j in range(len(gram)):
        h = gram[len(gram) - 1 - j : -1]
        followers = [g for g in exist[j + 1] if g[:-1] == h and g[-1] != BOS]
        total = sum(map(adjusted, followers))
        if not total:
            continue
        d = smoothed.discount(j + 1)
        own = {g: adjusted(g) - d[min(adjusted(g), 3)] for g in followers}
        p = own.get((*h, gram[-1]), 0) / total + (1 - sum(own.values()) / total) * p
    return p


@given(texts, st.integers(1, 4))
@examples(40)
def test_left_out_is_kneser_ney_without_the_occurrence(texts, order):
    model = model_of(texts, order)
    for ids, _ in predicted(model.table, 1 << 20):
        found = left_out(model.distribution("kn"), ids)
        for row, p in zip(ids.tolist(), found.tolist(), strict=True):
            assert p == pytest.approx(slow_left_out(model, tuple(row)), abs=1e-12)


@given(texts, st.integers(1, 4))
@examples(40)
def test_every_token_is_predicted_once(texts, order):
    model = model_of(texts, order)
    total = sum(float(count.sum()) for _, count in predicted(model.table, 1 << 20))
    assert total == model.header.tokens + model.header.sequences


def test_weights_are_the_weights_that_made_the_tokens():
    rng = np.random.default_rng(5)
    made_by = rng.random(20_000) < 0.7
    token = np.where(made_by, rng.random(20_000) < 0.9, rng.random(20_000) < 0.2)
    p = np.stack([np.where(token, 0.9, 0.1), np.where(token, 0.2, 0.8)], axis=1)
    weights = estimated_weights(p, rounds=400)
    assert weights == pytest.approx([0.7, 0.3], abs=0.02)


# ------------------------------------------------------------ the distribution


@given(texts, st.integers(1, 4), st.lists(st.integers(0, 9), max_size=4))
@examples(60)
def test_every_distribution_sums_to_one(texts, order, strange):
    model = model_of(texts, order)
    blend = model.language_model.blend()
    n_ids = model.table.n_ids
    seen = next(predicted(model.table, 4))[0][0].tolist()
    for ids in ([], [BOS], [i % n_ids for i in strange if i % n_ids not in (BOS, EOS)], seen[:-1]):
        p = blend.whole(ids)
        assert p.sum() == pytest.approx(1, abs=1e-12)
        assert p[BOS] == 0 and (p >= 0).all() and np.delete(p, BOS).min() > 0


@given(texts, texts, st.integers(1, 4))
@examples(40)
def test_a_score_is_the_probability_in_the_whole_distribution(texts, others, order):
    model = model_of(texts, order)
    blend = model.language_model.blend()
    found = [one.bits for one in m.score_tokens(model, texts=["\n".join(others)], smoothing="blend")]
    slow = []
    for line in others:
        ids = [BOS]
        for word in line.split():
            slow.append(-np.log2(blend.whole(ids)[known := (model.vocabulary.find(word.encode()) or [0])[0]]))
            ids.append(known)
        slow.append(-np.log2(blend.whole(ids)[EOS]))
    assert found == pytest.approx(slow, abs=1e-9)


def test_two_words_are_enough():
    model = model_of(["a b"], 2)
    assert model.language_model.blend().whole([BOS]).sum() == pytest.approx(1, abs=1e-12)


def test_classes_help_where_words_were_seen_in_other_places():
    # no text has "the dog sat", but the cat does all that the dog does
    model = model_of([t for t in PAIRS if t not in ("the cat ran",)])
    lines = ["the cat ran"] * 4
    assert m.score(model, texts=lines, smoothing="blend").bits < m.score(model, texts=lines, smoothing="kn").bits


# ------------------------------------------------------------ what it is not for


def test_a_pruned_model_says_what_to_do():
    model = m.prune(model_of(PAIRS), (0, 0, 1))
    with pytest.raises(MarkovError, match="pruned, and class n-grams need every count"):
        m.score(model, texts=["the cat"], smoothing="blend")


def test_a_model_of_probabilities_says_what_to_do():
    model = m.prune_by_entropy(model_of(PAIRS), threshold=1e-4).model
    with pytest.raises(NeedsCounts):
        m.score(model, texts=["the cat"], smoothing="blend")


def test_a_blend_is_no_backoff_model(tmp_path):
    with pytest.raises(MarkovError, match="no backoff form"):
        m.export_arpa(model_of(PAIRS), tmp_path / "x.arpa", smoothing="blend")
