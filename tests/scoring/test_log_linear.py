"""The log-linear blend: against a slow product of the factors, and its exponents."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli as m
from conftest import examples
from markov_cli.model.blend_parameters import N_HITS, BlendParameters, n_skips
from markov_cli.model.discounts import discounts
from markov_cli.scoring.blended import BlendScorer
from markov_cli.scoring.log_linear import LogLinear, exponents_of, mean_bits_of
from markov_cli.scoring.next_of_blend import NextOfBlend
from markov_cli.text.types import BOS, EOS

texts = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6).map(" ".join), min_size=2, max_size=8)
HALF_LIFE = 5
EXPONENTS = (0.9, 0.3, 0.2, 0.1)
RECENT = (0.5, 0.2, 0.1, 0.3)
ALONE = ((1.0, 0.0, 0.0),) * N_HITS
MIXED = ((0.7, 0.2, 0.1), (0.5, 0.2, 0.3), (0.25, 0.5, 0.25), (0.1, 0.3, 0.6))
DISCOUNT = 0.5


def blend_of(texts, order, adapt=ALONE):
    model = m.train(texts=texts, order=order, unit="line", tokenizer="spaces")
    blend = model.language_model.blend()
    static = EXPONENTS[: 1 + n_skips(order)]
    rows = tuple((*static, *(x * (1 + hit) for x in RECENT)) for hit in range(N_HITS))
    blend.parameters = BlendParameters("log-linear", (), adapt, HALF_LIFE, DISCOUNT, static, rows)
    return model, blend


def skip_ratio(model, lines, d, v, one):
    """p_d(w | v) / p_1(w) of every id, from pairs counted in the text."""
    pairs = Counter((s[i - d], s[i]) for s in lines for i in range(d, len(s)))
    d_of, _ = discounts(np.bincount([min(c, 5) for c in pairs.values()], minlength=6)[:5])
    mine = {w: c for (a, w), c in pairs.items() if a == v}
    total = sum(mine.values())
    if not total:
        return np.ones(len(one))
    u = np.zeros(len(one))
    for w, c in mine.items():
        u[w] = (c - d_of[min(c, 3)]) / total
    b = max(1 - u.sum(), 1e-9)
    return np.where(one > 0, (u + b * one) / np.where(one > 0, one, 1), 1.0)


def slow(model, blend, lines, said, i, adapt):
    """p of every id at place i of `said`, by the formula."""
    one = blend.whole([]) * 0
    for w in range(model.table.n_ids):
        one[w] = blend.words.extend(0, np.zeros(1, np.int64), np.array([w]), np.empty(0))[0]
    one[BOS] = 0
    begin = max(j for j in range(i) if said[j] == BOS)
    sentence, before = said[begin:i], said[:i]
    base = blend.whole(sentence)
    skips = range(2, 2 + n_skips(model.order))
    hit = max((n for n in (1, 2, 3) if n <= len(sentence) and follows(before, sentence[-n:])), default=0)
    row = blend.parameters.adaptive_exponents[hit] if adapt else blend.parameters.exponents
    logs = row[0] * np.log(np.where(base > 0, base, 1))
    for d, exponent in zip(skips, row[1:], strict=False):
        if len(sentence) >= d:
            logs += exponent * np.log(skip_ratio(model, lines, d, sentence[-d], one))
    if adapt:
        exponents = row[1 + len(skips) :]
        read = [x for x in before if x != BOS]
        weight = [0.5 ** ((len(read) - 1 - j) / HALF_LIFE) for j in range(len(read))]
        u = np.zeros(len(one))
        for x, a in zip(read, weight, strict=True):
            u[x] += a / sum(weight)
        logs += exponents[0] * np.log1p(u / np.where(one > 0, one, 1))
        for n in (1, 2, 3):
            seen = Counter(follows(before, sentence[-n:])) if n <= len(sentence) else {}
            for w, c in seen.items():
                logs[w] += exponents[n] * math.log1p((c - 0.5) / (2 * base[w]))
    p = np.exp(logs)
    p[BOS] = 0
    p /= p.sum()
    if not adapt:
        return p
    ngrams = one
    for n in range(hit + 1):
        c = Counter(follows(before, sentence[len(sentence) - n :]))
        if not c:  # the first token of a document
            break
        kept = np.array([max(c[w] - DISCOUNT, 0) for w in range(len(one))])
        ngrams = (kept + DISCOUNT * len(c) * ngrams) / sum(c.values())
    of_logs, of_base, of_ngrams = blend.parameters.adapt[hit]
    return of_logs * p + of_base * base + of_ngrams * ngrams


def follows(before, h):
    n = len(h)
    return [
        before[j]
        for j in range(n, len(before))
        if before[j - n : j] == h and before[j] != BOS and BOS not in before[j - n + 1 : j]
    ]


@given(texts, texts, st.integers(1, 5), st.booleans())
@examples(60)
def test_the_product_of_the_factors(given_texts, others, order, adapt):
    model, blend = blend_of(given_texts, order, MIXED)

    def ids_of(text):
        return [BOS, *((model.vocabulary.find(w.encode()) or [0])[0] for w in text.split()), EOS]

    lines = [ids_of(t) for t in given_texts]
    said = [i for t in others for i in ids_of(t)]
    ids = np.array(said)
    mixture = LogLinear(blend)
    found = mixture.adapted(ids, np.zeros(len(ids), np.int64), 0) if adapt else mixture.score(ids)
    for i, w in enumerate(said):
        if w == BOS:
            assert found[i] == 1
        else:
            p = slow(model, blend, lines, said, i, adapt)
            assert p.sum() == pytest.approx(1, abs=1e-12)
            assert found[i] == pytest.approx(p[w], rel=2e-5)
    blend_next = NextOfBlend(blend, adapt)
    for i in [i for i, w in enumerate(said) if w != BOS][-3:]:
        text = np.array(said[:i] if adapt else said[max(j for j in range(i) if said[j] == BOS) : i])
        p = blend_next.after([text])[0]
        assert p == pytest.approx(slow(model, blend, lines, said, i, adapt), rel=2e-5, abs=1e-12)
        assert p.sum() == pytest.approx(1, abs=1e-6)


@given(texts, st.integers(1, 5))
@examples(30)
def test_every_distribution_sums_to_one_and_bos_has_nothing(given_texts, order):
    _, blend = blend_of(given_texts, order)
    ids = np.array([BOS, 0, 3, 3, EOS, BOS, 3, 0])  # seen and unseen
    for block in LogLinear(blend).blocks(ids, np.zeros(len(ids), np.int64), 0, HALF_LIFE):
        p = block.probabilities(np.array(blend.parameters.adaptive_exponents)[block.hit])
        assert p.sum(axis=1) == pytest.approx(np.ones(len(p)), abs=1e-6)
        assert (p[:, BOS] == 0).all() and (p >= 0).all()
        alone = block.of_targets(np.array(blend.parameters.adaptive_exponents)[block.hit])
        assert alone == pytest.approx(np.where(block.target == BOS, 1, p[np.arange(len(p)), block.target]))


def test_newton_finds_the_maximum():
    _, blend = blend_of(["a b c d", "a c b d", "b a d c", "d a b c"] * 3, 4)
    ids = np.array([BOS, 3, 4, 5, 6, EOS, BOS, 4, 3, 6, 5, EOS] * 3)
    said = np.flatnonzero(ids != BOS)
    blocks = list(LogLinear(blend).blocks(ids, np.zeros(len(ids), np.int64), 0, HALF_LIFE, said))
    free = np.ones(7, bool)
    found, _ = exponents_of(blocks, free, np.eye(7)[0])
    best = mean_bits_of(blocks, found[None])
    penalty = 1e-3  # the ridge lets it stop a little before
    for k in range(7):
        for step in (-0.1, 0.1):
            other = found.copy()
            other[k] += step
            assert mean_bits_of(blocks, other[None]) >= best - penalty


def test_places_that_are_wanted_are_those_of_all():
    _, blend = blend_of(["a b c d", "a c b d"], 4)
    ids = np.array([BOS, 3, 4, 5, EOS, BOS, 4, 3, 6, EOS])
    mixture = LogLinear(blend)
    document = np.zeros(len(ids), np.int64)
    exponents = np.array(blend.parameters.adaptive_exponents)
    whole = mixture.adapted(ids, document, 0)
    for block in mixture.blocks(ids, document, 0, HALF_LIFE, np.array([3, 7])):
        assert block.of_targets(exponents[block.hit]).tolist() == whole[[3, 7]].tolist()
    assert mixture.adapted(ids, document, 6).tolist() == whole[6:].tolist()


def test_tuned_log_linear_is_better_and_is_kept_in_the_file(tmp_path):
    model = m.train(texts=["the cat ran", "the dog ran", "a cat sat on the mat", "a dog sat on a log"] * 4, unit="line")
    held_out = ["the dog sat on the mat\nthe dog sat on a mat\na cat ran\nthe dog ran"]
    found = m.tune(model, texts=held_out, classes=[3], adapt=True, log_linear=True)
    assert found.mixture == "log-linear" and found.sampled_tokens == 22
    assert found.perplexity < m.tune(model, texts=held_out, classes=[3], adapt=True).perplexity
    assert m.score(found.model, texts=held_out, adapt=True).perplexity == pytest.approx(found.perplexity, rel=1e-3)
    found.model.save(tmp_path / "m.npz")
    with m.Model.load(tmp_path / "m.npz") as loaded:
        for adapt in (False, True):
            one = m.score(loaded, texts=held_out, smoothing="blend", adapt=adapt)
            assert one == m.score(found.model, texts=held_out, smoothing="blend", adapt=adapt)
        assert isinstance(BlendScorer(loaded.language_model.blend()).log_linear, LogLinear)
