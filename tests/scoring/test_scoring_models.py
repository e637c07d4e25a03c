"""Scoring with several models: classification, mixtures, tuned weights; buckets by perplexity."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from markov_cli.errors import OptionError
from markov_cli.scoring import buckets
from markov_cli.scoring.documents import Documents, fewest_bits
from markov_cli.scoring.mixture_weights import probabilities, tune
from markov_cli.scoring.predictor import checked_weights, mixed
from markov_cli.scoring.text_totals import Reading, Units
from markov_cli.text import short_files
from scoring_helpers import UNK, model, read, source

# ------------------------------------------------------------ several models


def test_the_model_with_the_fewest_bits_is_best():
    def units(bits, zero=(0, 0, 0, 0)):
        n = np.array([4] * len(bits))
        return Units(n, n * 0, np.array(bits, float), np.array(zero), n, [])

    best, margin = fewest_bits(
        [units([1, 5, 3, 9]), units([2, 1, 3, 9], (0, 0, 0, 1)), units([4, 2, 9, 9], (0, 0, 0, 1))]
    )
    assert best.tolist() == [0, 1, -1, 0]  # a tie has no best model
    assert margin.tolist() == [1, 1, 0, math.inf]


def test_languages_are_classified(corpora):
    names = ["french", "german", "greek", "russian", "japanese"]
    judges, lines, truth = [], [], []
    for i, name in enumerate(names):
        text = (corpora / "scripts" / f"{name}.txt").read_text(encoding="utf-8").split("\n")
        text = [line for line in text if line.strip()]
        half = len(text) // 2
        judges.append(model("\n".join(text[:half]), tokenizer="chars", unit="line", order=4).predictor("kn"))
        lines += [t.encode() for t in text[half:]]
        truth += [i] * (len(text) - half)
    ((_, units),) = Documents(judges, are_lines=True).score([(lines, None)])
    best, margin = fewest_bits(units)
    assert best.tolist() == truth
    assert (margin > 0).all()


A, B = "the cat sat. the dog ran. a cat ran.", "the bird flew. a bird sang. the cat flew."


def test_a_mixture_is_the_weighted_sum():
    """p = sum of w p. A token unknown to one model is <unk> there; it is OOV only if all models lack it."""
    one, other = model(A, order=2), model(B, order=3)
    text = "the cat sang. a dog flew past. the bird sat."
    weights = np.array([0.3, 0.7])
    mixture = mixed([one.predictor(), other.predictor()], weights)
    totals, _, (tokens,) = read(mixture, text)
    (a,), (b,) = read(one.predictor(), text)[2], read(other.predictor(), text)[2]
    assert tokens.p == pytest.approx(0.3 * a.p + 0.7 * b.p, rel=1e-12)
    assert tokens.longest.tolist() == np.maximum(a.longest, b.longest).tolist()
    assert ((a.ids == UNK) != (b.ids == UNK)).any()
    assert (tokens.ids == UNK).tolist() == ((a.ids == UNK) & (b.ids == UNK)).tolist()
    assert totals.oov == 1  # past
    # all weight on one model equals that model
    alone, _, _ = read(mixed([one.predictor(), other.predictor()], np.array([0.0, 1.0])), text)
    assert alone.bits == pytest.approx(read(other.predictor(), text)[0].bits, rel=1e-12)


def test_a_mixture_of_one_vocabulary_sums_to_one():
    """Two orders of one text, with no history."""
    from markov_cli.model.distribution import full_distribution

    one, other = model(A, order=1), model(A, order=3)
    p = [full_distribution(m.distribution("kn"), 0, 0) for m in (one, other)]
    assert np.array([0.4, 0.6]) @ np.stack(p) @ np.ones(len(p[0])) == pytest.approx(1, rel=1e-12)


def test_weights_are_normalized_or_refused():
    assert checked_weights((1, 3), 2)[0].tolist() == [0.25, 0.75]
    assert checked_weights((1, 3), 2)[1] == 4
    for wrong in [(1,), (1, -0.1), (0, 0), (math.nan, 1), (math.inf, 1), (0.2, 0.3, 0.5), (1e308, 1e308)]:
        with pytest.raises(OptionError, match="--mix"):
            checked_weights(wrong, 2)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tokenizer": "spaces"}, "tokenizer words"),
        ({"unit": "line"}, "unit sentence"),
        ({"lowercase": True}, "lowercase False"),
    ],
)
def test_models_with_different_text_options_are_refused(more, words):
    with pytest.raises(OptionError, match=words):
        mixed([model(A).predictor(), model(B, **more).predictor()], np.array([0.5, 0.5]))


def test_one_round_of_tuning_by_hand():
    """One token, p = (1/2, 1/4): from equal weights to 2/3 and 1/3; bits fall from log2 8/3 to log2 12/5."""
    found = tune([np.array([[0.5], [0.25]])], rounds=1)
    assert found.weights.tolist() == pytest.approx([2 / 3, 1 / 3])
    assert found.bits == pytest.approx([math.log2(8 / 3), math.log2(12 / 5)])  # 2/3 1/2 + 1/3 1/4 = 5/12
    assert found.alone.tolist() == [1, 2]


ps = st.floats(1e-6, 1)


@given(st.lists(st.tuples(ps, ps), min_size=1, max_size=40), st.integers(1, 40))
def test_tuning_reaches_the_best_weights(rows, cut):
    """No round lowers the likelihood; the result equals a search over a grid of weights."""
    p = np.array(rows).T
    found = tune([p[:, :cut], p[:, cut:]], rounds=3000, enough=1e-9)
    assert all(b <= a + 1e-12 for a, b in zip(found.bits, found.bits[1:], strict=False))
    assert found.weights.sum() == pytest.approx(1)
    grid = np.linspace(0, 1, 2001)[:, None]
    tried = -np.log2(grid * p[0] + (1 - grid) * p[1]).mean(axis=1)
    assert found.bits[-1] <= tried.min() + 1e-4
    assert found.bits[-1] <= min(found.alone) + 1e-4


def test_tuning_prefers_the_model_of_the_same_text(harbour, messages, monkeypatch):
    monkeypatch.setattr(short_files, "_SHARE", 1 << 30)  # blocks of its own, so that there are several streams
    judges = [model(text, unit="line").predictor() for text in (harbour[:20000], messages)]
    mixture = mixed(judges, np.array([0.5, 0.5]))
    parts, totals = probabilities(Reading(mixture, [source(harbour[20000:])], stream_codes=500))
    found = tune(parts)
    assert len(parts) > 1
    assert totals.tokens == sum(p.shape[1] for p in parts)
    assert found.weights[0] > 0.7  # both halves are one story
    better, _, _ = read(mixed(judges, found.weights), harbour[20000:])
    assert better.bits_per_token == pytest.approx(found.bits[-1], rel=1e-6)
    assert better.bits_per_token < min(read(j, harbour[20000:])[0].bits_per_token for j in judges)


def test_tuning_skips_tokens_impossible_in_every_model():
    found = tune([np.array([[0.5, 0.0, 0.0], [0.5, 0.5, 0.0]])])
    assert found.skipped == 1
    assert found.alone.tolist() == [math.inf, 1]
    assert found.weights[1] > 0.9
    assert tune([np.zeros((2, 3))]).skipped == 3


# ------------------------------------------------------------ buckets and bounds


def test_buckets_are_cut_at_percentiles():
    with buckets.Spool() as spool:
        perplexity = np.array([9.0, 1, 8, 2, 7, 3, 6, 4, 5, 10])
        spool.add([b"%d" % x for x in perplexity[:4]], perplexity[:4])
        spool.add([b"%d" % x for x in perplexity[4:]], perplexity[4:])
        cuts = spool.cuts((30, 60))
        assert cuts == [4, 7]  # 3 of 10 values are below the first cut, 6 below the second
        again = [(r, x) for records, p in spool.records() for r, x in zip(records, p.tolist(), strict=True)]
    assert again == [(b"%d" % x, x) for x in perplexity]
    names = buckets.labels(np.array([3.9, 4, 6.9, 7, math.inf, math.nan]), cuts)
    assert names == ["head", "middle", "middle", "tail", "tail", "tail"]
    with buckets.Spool() as none:
        assert none.cuts((30, 60)) == []


def test_bounds_of_perplexity_are_inclusive():
    perplexity = np.array([1.0, 2, 3, math.inf, math.nan])
    assert buckets.within(perplexity, 2, None).tolist() == [False, True, True, True, False]
    assert buckets.within(perplexity, 2, 2).tolist() == [False, True, False, False, False]
