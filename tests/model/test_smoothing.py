"""Smoothing methods: probabilities and discounts equal the oracle's and sum to 1; other names are refused."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle_smoothing
from conftest import examples
from engine import model_of, types_of
from markov_cli.errors import OptionError
from markov_cli.model import smoothing as engine
from markov_cli.model.discounts import METHODS, SmoothingMethod, discounts
from markov_cli.model.distribution import full_distribution, probability
from markov_cli.model.smoothing import Smoothed
from markov_cli.scoring.scorer import Scorer
from oracle_smoothing import BOS, EOS, UNK

NAMES = ["none", "kn", "wb", "abs", "abs:0.3", "laplace", "lidstone:0.1", "stupid", "stupid:0.7"]
PRUNES = [(), (0, 1), (0, 0, 1), (0, 1, 2)]


def corpus_of(seed):
    """Random lines of words with skewed frequencies, from one word up to thirty lines."""
    r = random.Random(seed)
    n = r.choice([2, 3, 6, 12])
    lines = [r.choices(range(n), [1 / (i + 1) for i in range(n)], k=r.randint(1, 8)) for _ in range(r.randint(1, 30))]
    return [[f"w{i}" for i in line] for line in lines]


def trained(lines, order, **options):
    """The table of some lines, and the lines as ids."""
    text = "\n".join(map(" ".join, lines))
    made = model_of(text, order, "spaces", "line", **options)
    ids = {token.decode(): i for i, (token, _) in enumerate(types_of(made), 3)}
    return made.table, [[ids.get(w, UNK) for w in line] for line in lines]


def oracle_of(sequences, table, name, prune=()):
    """The oracle of the method `name`."""
    chosen = SmoothingMethod.parse(name)
    more = {}
    method = "lidstone" if chosen.method == "laplace" else chosen.method
    if method == "lidstone":
        more["amount"] = chosen.amount
    elif method == "stupid":
        more["factor"] = chosen.amount
    elif method == "abs" and chosen.amount is not None:
        more["discounts"] = chosen.amount
    prune = prune if table.order > 1 else ()
    return oracle_smoothing.Smoothed(sequences, table.order, table.n_ids, method, prune=prune, number=float, **more)


def histories_of(table, seed):
    """Seen and unseen histories of every length up to the order, with markers at any position."""
    r, n = random.Random(seed), table.n_ids
    some = [[], [BOS], [UNK], [EOS], [BOS, UNK], [BOS, 3], [3], [n - 1], [3, 3, 3], [BOS, 3, n - 1, 3]]
    return some + [r.choices(range(n), k=r.randint(1, table.order)) for _ in range(6)]


def stream_of(sequences):
    return np.array([i for s in sequences for i in (BOS, *s, EOS)], np.uint32)


# ------------------------------------------------------------------ the oracle


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("name", NAMES)
def test_every_probability_equals_the_oracle(name, order):
    for trial in range(1 + order % 2, 4):
        prune, least = PRUNES[trial], 1 + (trial == 3)
        lines = corpus_of(31 * order + trial)
        table, sequences = trained(lines, order, prune=prune, min_type_count=least)
        ours, oracle = Smoothed(table, SmoothingMethod.parse(name)), oracle_of(sequences, table, name, prune)
        every = range(table.n_ids)
        for history in histories_of(table, trial):
            level, row = table.find(history)
            used = history[len(history) - level :]
            if name[0] in "kwan":  # an unseen history has the distribution of its longest known suffix
                used = history[max(len(history) - order + 1, 0) :]
            found = full_distribution(ours, level, row)
            expected = [oracle.p(used, w) if w != BOS else 0.0 for w in every]
            assert np.abs(found - expected).max() < 1e-12, (history, prune)
            if trial == 2:
                at = np.full(len(found), level), np.full(len(found), row)
                one = probability(ours, *at, np.arange(len(found)))
                assert np.delete(one, BOS) == pytest.approx(np.delete(found, BOS), abs=1e-15)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_every_scored_token_equals_the_oracle_before_and_after_preparing(name, order):
    for trial in range(3):
        prune = PRUNES[(order + trial) % 4]
        lines = corpus_of(100 + 7 * order + trial)
        table, known = trained(lines, order, prune=prune, min_type_count=1 + trial % 2)
        r = random.Random(trial)
        other = [r.choices([UNK, *range(3, table.n_ids)], k=r.randint(1, 7)) for _ in range(5)]  # not of the text
        stream = stream_of([*known, *other])
        ours, oracle = Smoothed(table, SmoothingMethod.parse(name)), oracle_of(known, table, name, prune)
        p, longest = Scorer(ours).score(stream)
        expected, history = [], []
        for i in stream.tolist():
            history = [] if i == BOS else history
            expected.append(1.0 if i == BOS else oracle.p(history, i))
            history.append(i)
        assert np.abs(p - expected).max() < 1e-12
        ready = Scorer(Smoothed(table, SmoothingMethod.parse(name)))
        ready.prepare()
        again, same = ready.score(stream)
        assert np.abs(again - p).max() < 1e-12
        assert (same == longest).all()


def test_slices_of_any_size_prepare_the_same_weights(story, monkeypatch):
    """b and u of a table, computed a few followers at a time."""
    table = model_of(story, 4, prune=(0, 0, 1)).table
    for name in NAMES:
        whole_at_once = Smoothed(table, SmoothingMethod.parse(name))
        whole_at_once.prepare()
        with monkeypatch.context() as patched:
            patched.setattr(engine, "_SOME", 64)
            in_slices = Smoothed(table, SmoothingMethod.parse(name))
            in_slices.prepare()
            for level in range(table.order):
                rows = np.arange(len(table.orders[level - 1]) if level else 1)
                a, b = in_slices.weights(level, rows)
                assert b == pytest.approx(whole_at_once.backoff(level, rows), abs=1e-12)
                live = a > 0
                assert a[live] == pytest.approx(whole_at_once.weights(level, rows)[0][live])
            if whole_at_once.values is not None and in_slices.values is not None:
                for one, other in zip(whole_at_once.values.of, in_slices.values.of, strict=True):
                    assert one.tolist() == other.tolist()


# ------------------------------------------------------------------ sums


lines = st.lists(st.lists(st.sampled_from([f"w{i}" for i in range(5)]), min_size=1, max_size=6), min_size=1, max_size=8)


@examples(40)
@given(lines, st.integers(1, 4), st.sampled_from(PRUNES), st.integers(1, 2), st.data())
def test_every_distribution_sums_to_one(lines, order, prune, least, data):
    table, _ = trained(lines, order, prune=prune, min_type_count=least)
    history = data.draw(st.lists(st.integers(0, table.n_ids - 1), max_size=order))
    level, row = table.find(history)
    for name in NAMES:
        ours = Smoothed(table, SmoothingMethod.parse(name))
        p = full_distribution(ours, level, row)
        assert p[BOS] == 0 and (p >= 0).all()
        if ours.sums_to_one:
            assert p.sum() == pytest.approx(1, abs=1e-12)
            if name != "none":
                assert (np.delete(p, BOS) > 0).all()  # whatever was never seen


def test_a_text_of_two_types_has_every_smoothing():
    """Every method works, and only raw counts give probabilities of 0 and 1."""
    table, sequences = trained([["a", "b"]], 3)
    for name in NAMES:
        ours, oracle = Smoothed(table, SmoothingMethod.parse(name)), oracle_of(sequences, table, name)
        for history in ([], [BOS], [BOS, 3], [3, 4]):
            assert full_distribution(ours, *table.find(history)) == pytest.approx(
                [oracle.p(history, w) for w in range(5)]
            )


# ------------------------------------------------------------------ by hand

# `a a b a` and `b a a b`: ids a 3, b 4; V = 4 (a, b, </s>, <unk>). a is followed by a twice, b twice, </s> once.
# kn   adjusted counts of a, b, </s>: 3 2 2 left neighbours, no n-gram is seen once below, so 1/2, 1, 3/2 are taken:
#      p(a) = (3 - 3/2) / 7 + (3/2 + 1 + 1) / 7 / 4 = 3/14 + 1/8 = 19/56; after a: b(a) = (1 + 1 + 1/2) / 5 = 1/2,
#      p(a | a) = (2 - 1) / 5 + 1/2 * 19/56 = 207/560
# wb   p(a) = 5/13 + 3/13 / 4 = 23/52; p(a | a) = 2/8 + 3/8 * 23/52 = 173/416
# abs  with 1/2: p(a) = 4.5/10 + 1.5/10 / 4 = .4875; p(a | a) = 1.5/5 + 1.5/5 * .4875 = .44625
# b after b was never seen; b is 3 of 10 tokens, so stupid gives it 0.4 * 3/10
BY_HAND = [
    ("none", 2 / 5, 0.0), ("kn", 207 / 560, None), ("wb", 173 / 416, None), ("abs:0.5", 0.44625, None),
    ("laplace", 3 / 9, 1 / 7), ("lidstone:0.5", 2.5 / 7, 0.5 / 5), ("stupid", 2 / 5, 0.12),
]  # fmt: skip


@pytest.mark.parametrize(("name", "a_after_a", "b_after_b"), BY_HAND)
def test_probabilities_by_hand(name, a_after_a, b_after_b):
    table, _ = trained([[*"aaba"], [*"baab"]], 2)
    ours = Smoothed(table, SmoothingMethod.parse(name))
    assert full_distribution(ours, *table.find([3]))[3] == pytest.approx(a_after_a)
    if b_after_b is not None:
        assert full_distribution(ours, *table.find([4]))[4] == pytest.approx(b_after_b)
    if name == "kn":
        assert ours.fell_back == [1, 2]
        # p(<unk>) = 1/2 / 4; the others after a: 187/560, 131/560, 35/560
        assert full_distribution(ours, *table.find([3])) == pytest.approx(
            [35 / 560, 0, 131 / 560, 207 / 560, 187 / 560]
        )


def test_lidstone_is_uniform_after_a_history_without_followers():
    """<unk> has a row without followers, so a, b, </s> and <unk> have 1/4 each."""
    table, _ = trained([["a", "b"]], 2)
    p, _ = Scorer(Smoothed(table, SmoothingMethod("lidstone", 0.5))).score(np.array([BOS, UNK, 3, 4, EOS], np.uint32))
    # <unk> after <s>: (0 + .5) / (1 + 4 * .5); b after a, and </s> after b: 1.5 / 3
    assert p.tolist() == pytest.approx([1, 0.5 / 3, 1 / 4, 1.5 / 3, 1.5 / 3])


# ------------------------------------------------------------------ discounts


def test_discounts_equal_the_oracle():
    """On small counts of counts, also where a discount is exactly 0, which floats miss."""
    r = random.Random(1)
    some = [[0, *(r.choice([0, 1, 2, 3, 4, 6, 9, 20, 50]) for _ in range(4))] for _ in range(3000)]
    for n in [*some, [0, 3, 6, 20, 0], [0, 4, 1, 1, 0], [0, 10**12, 10**11, 10**10, 10**9]]:
        expected = oracle_smoothing.kn_discounts(n)
        fallback = expected == (0, *oracle_smoothing.FALLBACK)
        found, estimated = discounts(np.array(n))
        assert found.tolist() == pytest.approx([float(d) for d in expected], abs=1e-12), n
        assert (found >= 0).all() and (found <= np.arange(4)).all()
        assert not (estimated and fallback)


def test_a_discount_of_exactly_0_is_no_fallback():
    # Y = 3/15; D2 = 2 - 3 * 1/5 * 20/6 is exactly 0; floats give -4e-16, which would cause a fallback
    assert discounts(np.array([0, 3, 6, 20, 0]))[0].tolist() == [0.0, pytest.approx(0.2), 0.0, 3.0]


def test_orders_that_fall_back_are_reported(harbour):
    assert Smoothed(model_of(harbour, 3, "spaces", "line").table, SmoothingMethod("kn")).fell_back == []
    assert Smoothed(model_of("a b a c", 3, "spaces", "line").table, SmoothingMethod("kn")).fell_back == [1, 2, 3]


def test_pruning_keeps_discounts_and_divisors_of_the_whole_text(story):
    whole_table, pruned = model_of(story, 3).table, model_of(story, 3, prune=(0, 1)).table
    a, b = (Smoothed(t, SmoothingMethod("kn")) for t in (whole_table, pruned))
    for order in (1, 2, 3):
        assert a.discount(order).tolist() == b.discount(order).tolist()
    for history in ([3], [BOS], [BOS, 3], [4, 3]):
        rows = [t.row_of(history) for t in (whole_table, pruned)]
        if min(rows) >= 0:
            found = [s.divisor(len(history), np.array([r])) for s, r in zip((a, b), rows, strict=True)]
            assert found[0] == found[1]


# ------------------------------------------------------------------ names of methods


@pytest.mark.parametrize(
    ("text", "method", "amount", "shown"),
    [
        ("none", "none", None, "none"), ("kn", "kn", None, "kn"), ("wb", "wb", None, "wb"), ("abs", "abs", None, "abs"),
        ("abs:0.75", "abs", 0.75, "abs:0.75"), ("abs:1", "abs", 1.0, "abs:1"), ("laplace", "laplace", 1.0, "laplace"),
        ("lidstone", "lidstone", 0.5, "lidstone:0.5"), ("lidstone:2e1", "lidstone", 20.0, "lidstone:20"),
        ("stupid", "stupid", 0.4, "stupid:0.4"), ("stupid:.1", "stupid", 0.1, "stupid:0.1"),
    ],
)  # fmt: skip
def test_method_names_parse_and_print(text, method, amount, shown):
    found = SmoothingMethod.parse(text)
    assert (found.method, found.amount, str(found)) == (method, amount, shown)
    assert SmoothingMethod.parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no such method"), ("KN", "no such method"), ("katz", "no such method"), (" kn", "no such method"),
        ("kn:0.5", "kn takes no number"), ("kn:", "takes no number"), ("laplace:1", "takes no number"),
        ("none:1", "takes no number"), ("abs:", "a number above 0 and up to 1"), ("abs:0", "a number above 0"),
        ("abs:1.01", "up to 1"), ("abs:-1", "above 0"), ("abs:x", "above 0"), ("abs:nan", "above 0"),
        ("abs:0.5:1", "above 0"), ("lidstone:inf", "above 0"), ("lidstone:0", "above 0"), ("stupid:2", "up to 1"),
    ],
)  # fmt: skip
def test_other_method_names_are_refused(text, says):
    with pytest.raises(OptionError, match=says) as error:
        SmoothingMethod.parse(text)
    assert repr(text) in error.value.message and error.value.hint
    assert "\n" not in error.value.message + error.value.hint


def test_all_methods_are_tested():
    assert Counter(n.partition(":")[0] for n in NAMES).keys() == set(METHODS)
