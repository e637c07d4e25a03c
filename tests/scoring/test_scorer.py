"""The scorer: a stream cut anywhere gets the same probabilities and the same longest n-grams."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples
from engine import model_of, rows_of, types_of
from markov_cli.model.discounts import SmoothingMethod
from markov_cli.model.smoothing import Smoothed
from markov_cli.scoring.scorer import Scorer
from markov_cli.scoring.totals import Scored
from oracle_smoothing import BOS, EOS, UNK

NAMES = ["none", "kn", "wb", "abs", "laplace", "lidstone:0.1", "stupid"]


@pytest.fixture(scope="module")
def trained(story):
    return {order: model_of(story, order, prune=(0, 0, 1) * (order == 4)) for order in (1, 2, 3, 4)}


def stream_of(table, seed, n=8):
    """A stream of sequences made of known n-grams and random ids."""
    r = random.Random(seed)
    rows = [table.ngram(k, r.randrange(len(table.orders[k - 1]))) for k in range(2, table.order + 1) for _ in range(n)]
    known = [[i for i in row if i not in (BOS, EOS)] or [3] for row in rows] or [[3]]
    anything = [r.choices([UNK, *range(3, min(table.n_ids, 40))], k=r.randint(1, 6)) for _ in range(n)]
    sequences = [r.choice(known) + r.choice([*known, *anything]) + r.choice(known) for _ in range(n)]
    return np.array([i for s in sequences for i in (BOS, *s, EOS)], np.uint32)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("name", NAMES)
def test_a_stream_cut_anywhere_is_scored_the_same(trained, name, order):
    """Only the ids of the history matter, up to the start of the sequence."""
    table = trained[order].table
    scorer = Scorer(Smoothed(table, SmoothingMethod.parse(name)))
    stream = stream_of(table, order)
    p, longest = scorer.score(stream)
    begins = np.maximum.accumulate(np.where(stream == BOS, np.arange(len(stream)), 0))
    for at in range(1, len(stream)):
        begin = max(at - order + 1, int(begins[at]))
        q, n = scorer.score(stream[begin:])
        assert (q[at - begin :] == p[at:]).all(), at
        assert (n[at - begin :] == longest[at:]).all()
        q, n = scorer.score(stream[:at])
        assert (q == p[:at]).all() and (n == longest[:at]).all()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_longest_is_the_longest_ngram_of_the_table(trained, order):
    table = trained[order].table
    grams = rows_of(table)
    stream = stream_of(table, 10 + order, 60)
    expected, history = [], []
    for i in stream.tolist():
        if i == BOS:
            history = [BOS]
            expected.append(0)
            continue
        history = [*history, i][-order:]
        # the unigram of UNK has a row even if it was not seen
        expected.append(max(k for k in range(1, len(history) + 1) if tuple(history[-k:]) in grams[k - 1]))
    assert Scorer(Smoothed(table, SmoothingMethod("kn"))).score(stream)[1].tolist() == expected
    assert order == 1 or len(set(expected)) == order + 1


@examples(40)
@given(st.integers(1, 200), st.integers(0, 9), st.sampled_from(NAMES))
def test_ids_before_the_first_bos_continue_a_sequence(trained, cut, seed, name):
    """Such ids change no score after the first BOS."""
    table = trained[3].table
    scorer = Scorer(Smoothed(table, SmoothingMethod.parse(name)))
    stream = stream_of(table, seed)
    piece = stream[min(cut, len(stream) - 1) :]
    if not (piece == BOS).any():
        return
    first = int(np.argmax(piece == BOS))
    p, longest = scorer.score(piece)
    q, n = scorer.score(piece[first:])
    assert (p[first:] == q).all() and (longest[first:] == n).all()
    assert (p[piece == BOS] == 1).all() and (longest[piece == BOS] == 0).all()


def test_empty_and_very_short_streams_are_scored(trained):
    scorer = Scorer(Smoothed(trained[3].table, SmoothingMethod("kn")))
    for stream in ([], [BOS], [EOS], [BOS, EOS], [UNK], [5]):
        p, longest = scorer.score(np.array(stream, np.uint32))
        assert len(p) == len(longest) == len(stream)
        assert ((p > 0) & (p <= 1)).all()


def test_streams_of_any_integer_dtype_are_scored_alike(trained):
    scorer = Scorer(Smoothed(trained[3].table, SmoothingMethod("kn")))
    small = np.array([BOS, 3, 4, 5, EOS])
    for dtype in (np.uint8, np.uint16, np.uint32, np.uint64, np.int64):
        assert (scorer.score(small.astype(dtype))[0] == scorer.score(small.astype(np.uint32))[0]).all()


def test_totals_by_hand():
    """A model of `a b a` scores `a b`: raw counts give <s> a 1, a b 1/2, b </s> 0."""
    made = model_of("a b a", 2, "spaces", "line")
    assert [t for t, _ in types_of(made)] == [b"a", b"b"]
    stream = np.array([BOS, 3, 4, EOS, BOS, 0, EOS], np.uint32)
    p, longest = Scorer(Smoothed(made.table, SmoothingMethod("none"))).score(stream)
    # after the unseen <unk>, </s> is 1 of all 4 followers
    assert p.tolist() == [1, 1, 0.5, 0, 1, 0, 0.25] and longest.tolist() == [0, 2, 2, 1, 0, 1, 1]
    keep = stream != BOS
    t = Scored(stream[keep], stream[keep], p[keep], longest[keep], []).totals()
    assert (t.tokens, t.oov, t.sequences, t.zero, t.oov_zero) == (5, 1, 2, 2, 1)
    assert t.bits == 3.0 and t.perplexity == float("inf")  # 1 bit for b, 2 for the second </s>
