"""The smoothing oracle against KenLM, kgrams, NLTK and hand calculations; all sums are 1."""

import math
import random
import warnings
from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import peer
from lmplz import MARKERS, numbered
from oracle_smoothing import BOS, EOS, SMOOTHINGS, UNK, Smoothed, abs_discount, kn_discounts

TENTH = F(1, 10)


def model_of(lines, order, smoothing="kn", **more):
    """The oracle of some lines, and functions from words to the probability of the last one and to the backoff."""
    sequences, ids = numbered([line.split() for line in lines])
    model = Smoothed(sequences, order, len(ids), smoothing, **more)

    def p(words):
        *history, word = (ids[w] for w in words.split())
        return model.p(history, word)

    return model, p, lambda words: model.backoff([ids[w] for w in words.split()])


# ------------------------------------------------------------------ KenLM

TOY0 = """
<unk> -.90309  a -.46943438  </s> -.5720968  b -.5720968
<s>_a -.37712017  b_a -.2984526  a_</s> -.58682007  b_</s> -.5220179  <s>_b -.41574955
<s>_a_a -.14885087  b_a_a -.33741078  <s>_b_a -.124077894  a_b_a -.2997394
b_a_</s> -.42082912  a_b_</s> -.397617  a_a_b -.20102891
"""
TOY1 = """
<unk> -1  a -.6146491  b -.6146491  </s> -.6146491  c -.7659168
c_</s> -.20660876  <s>_c_</s> -.09113217  b_b_b -.13375957
"""
# toy0 with `--prune 0 1`
PRUNED = """
<unk> -.90309  a -.46943438  </s> -.5720968  b -.5720968
a_a -.33530766  b_a -.2521814  a_b -.5340067  a_a_b -.18962944
"""
# order 2; the first order's discounts are estimated, from counts of counts that are wrong: kenlm#405
QUIRK = """
<unk> -1.30103  </s> -1.1249387  I -1.0579919  went -.6726411  to -1.1249387  go -.82390875  You -1.0579919
to_</s> -.26962152  ski_</s> -.7123581  <s>_I -.9649993  I_went -.383262
"""
TOY0_LINES, TOY1_LINES = ["a a b a", "b a a b"], ["a a b b b b b b b", "c"]
QUIRK_LINES = ["I went to", "I go to", "You went to", "You go to", "Joe went to", "Joe go to", *["Anna went ski"] * 2]


def pairs(table):
    """(words, value) of the tables above."""
    flat = table.split()
    return [(w.replace("_", " "), float(x)) for w, x in zip(flat[::2], flat[1::2], strict=True)]


@pytest.mark.parametrize(
    ("lines", "order", "prune", "emulate", "table"),
    [(TOY0_LINES, 3, (), False, TOY0), (TOY1_LINES, 3, (), False, TOY1), (TOY0_LINES, 3, (0, 1), False, PRUNED),
     (QUIRK_LINES, 2, (), True, QUIRK)],
)  # fmt: skip
def test_kn_probabilities_equal_lmplz(lines, order, prune, emulate, table):
    _, p, _ = model_of(lines, order, prune=prune, emulate=emulate)
    for words, value in pairs(table):
        assert math.log10(p(words)) == pytest.approx(value, abs=2e-7), words


def test_kn_backoffs_equal_lmplz():
    model, _, backoff = model_of(TOY0_LINES, 3)
    assert len(model.rows()) == 4 + 7 + 7
    assert all(backoff(h) == F(1, 2) for h in ["<s>", "a", "b", "<s> a", "a a", "b a", "<s> b", "a b"])
    assert backoff("</s>") == backoff("<unk>") == backoff("a </s>") == 1  # has no followers
    assert model_of(TOY1_LINES, 3)[2]("b b") == pytest.approx(10**-0.47712123)
    # pruned: log10 -.20412 and -.17609124; <s> keeps no follower
    model, _, backoff = model_of(TOY0_LINES, 3, prune=(0, 1))
    assert len(model.rows()) == 4 + 3 + 1
    assert (backoff("a"), backoff("b"), backoff("a a")) == (F(5, 8), F(2, 3), F(1, 2))
    assert backoff("<s>") == backoff("b a") == 1
    backoff = model_of(QUIRK_LINES, 2, emulate=True)[2]
    for history, value in pairs("<s> -.059768215  I -.5228788  went -.022929981  to -.30103  go 0  ski -.059768215"):
        assert math.log10(backoff(history)) == pytest.approx(value, abs=2e-7)


def test_discounts_are_right_where_kenlm_405_and_427_are_wrong():
    """Right discounts, and lmplz's: it counts `ski`, the last in suffix order, twice instead of once."""
    assert model_of(QUIRK_LINES, 2)[0].discounts[0] == [0, F(5, 9), F(7, 6), F(7, 9)]  # .5556 1.1667 .7778
    assert model_of(QUIRK_LINES, 2, emulate=True)[0].discounts[0] == [0, F(2, 5), F(8, 5), F(7, 5)]  # .4 1.6 1.4
    # `r o t`, `o a r`, `o a t`: n1 = 1 (a) and n2 = 4; lmplz has 0 and 5. Both fall back
    model, _, _ = model_of(["r o t", "o a r", "o a t"], 2)
    unigrams = model.all[()]
    assert sorted(unigrams.values()) == [1, 2, 2, 2, 2] and unigrams[6] == 1
    assert model.discounts[0] == [0, F(1, 2), 1, F(3, 2)]


def test_discounts_by_hand():
    # Y = 60/100; 1 - 2 Y 20/60 = .6, 2 - 3 Y 10/20 = 1.1, 3 - 4 Y 5/10 = 1.8
    assert kn_discounts([0, 60, 20, 10, 5]) == (0, F(3, 5), F(11, 10), F(9, 5))
    assert kn_discounts([9, 60, 20, 10, 0]) == (0, F(3, 5), F(11, 10), 3)  # n4 may be 0
    fallback = (0, F(1, 2), 1, F(3, 2))
    for n in ([0, 0, 9, 9, 9], [0, 9, 0, 9, 9], [0, 9, 9, 0, 9]):
        assert kn_discounts(n) == fallback
    assert kn_discounts([0, 60, 20, 10, 50]) == fallback  # 3 - 4 * .6 * 5 < 0
    assert kn_discounts([0, 4, 1, 1, 0]) == (0, F(2, 3), 0, 3)  # Y = 2/3: 2 - 2 = 0 is allowed
    # 3 / 15 = 1/5: D2 = 2 - 3/5 * 20/6 is exactly 0; floats give -4e-16
    assert kn_discounts([0, 3, 6, 20, 0]) == (0, F(1, 5), 0, 3)
    assert abs_discount([0, 6, 2]) == F(3, 5) and abs_discount([0, 0, 2]) == abs_discount([0, 6, 0]) == F(1, 2)


# ------------------------------------------------------------------ kgrams


@pytest.mark.parametrize(
    ("smoothing", "more", "after_b", "at_start"),
    [
        ("none", {}, 1, 1),
        ("lidstone", {}, 0.5, 0.4),
        ("abs", {"discounts": F(3, 4)}, 0.8292411, 0.6584821),
        ("kn", {"discounts": (F(3, 4),) * 3}, 0.8359375, 0.671875),
        ("kn", {"discounts": (F(1, 4), F(1, 2), F(3, 4))}, 0.878125, 0.878125),
        ("wb", {}, 0.825, 0.7375),
        ("stupid", {}, 1, 1),
    ],
)
def test_kn_equals_kgrams(smoothing, more, after_b, at_start):
    """`a a b a b a`, order 2: P(a|b) and P(a|<s>)."""
    _, p, _ = model_of(["a a b a b a"], 2, smoothing, **more)
    assert float(p("b a")) == pytest.approx(after_b, abs=5e-8)
    assert float(p("<s> a")) == pytest.approx(at_start, abs=5e-8)


# ------------------------------------------------------------------ NLTK

NLTK = {"marks": 2, "bos": True, "bottom": "mle"}  # at order n, n - 1 marks
# a b c d z are 3..7; e and g are <unk>
NLTK_TEXT, NLTK_IDS = [[3, 4, 5, 6], [0, 0, 3, 6, 4, 0]], 8


@pytest.mark.parametrize(
    ("smoothing", "more", "expected"),
    [  # P(c), P(z), P(<unk>), P(c|b), P(c|a b), P(c|z b)
        ("none", {}, ["1/18", 0, "3/18", "1/2", 1, "1/2"]),  # its MLE gives P(c|z b) = 0 and does not back off
        ("wb", {}, ["1/18", 0, "3/18", "5/18", "23/36", "5/18"]),  # .2777778 .6388889
        ("abs", {"discounts": F(3, 4)}, ["1/18", 0, "3/18", "1/6", "3/8", "1/6"]),
        ("stupid", {}, ["1/18", 0, "3/18", "1/2", 1, "1/5"]),
    ],
)
def test_all_methods_equal_nltk_at_order_3(smoothing, more, expected):
    model = Smoothed(NLTK_TEXT, 3, NLTK_IDS, smoothing, **NLTK, **more)
    a, b, c, z = 3, 4, 5, 7
    found = [model.p(h, w) for h, w in [((), c), ((), z), ((), UNK), ((b,), c), ((a, b), c), ((z, b), c)]]
    assert found == [F(x) for x in expected]


@pytest.mark.parametrize(("amount", "expected"), [(TENTH, ["11/18", "21/148", "1/148", "31/148"]),
                                                 (1, ["2/9", "3/22", "1/22", "4/22"])])  # fmt: skip
def test_lidstone_and_laplace_equal_nltk(amount, expected):
    """Order 2: P(d|c) = 1.1/1.8, P(a) = 2.1/14.8, P(z) = .1/14.8, P(<unk>) = 3.1/14.8; and with 1 for .1."""
    model = Smoothed(NLTK_TEXT, 2, NLTK_IDS, "lidstone", amount=amount, **{**NLTK, "marks": 1})
    assert [model.p(h, w) for h, w in [((5,), 6), ((), 3), ((), 7), ((), UNK)]] == [F(x) for x in expected]


def test_lidstone_equals_the_nltk_guide():
    """Its guide: Lidstone .2 of `aaaababaaccbacb`, without markers, over '' <unk> a b c."""
    ids = {"a": 2, "b": 3, "c": 4}
    model = Smoothed([[ids[x] for x in "aaaababaaccbacb"]], 2, 5, "lidstone", amount=F(1, 5), marks=0, bos=True)
    assert [float(model.p([3], w)) for w in range(5)] == pytest.approx([0.05, 0.05, 0.8, 0.05, 0.05])
    assert [float(model.p([2], w)) for w in range(5)] == pytest.approx(
        [0.0222, 0.0222, 0.4667, 0.2444, 0.2444], abs=5e-5
    )


def test_raw_counts_equal_the_nltk_front_page():
    """Its front page: `a b c`, `a c d c e f`, order 2: P(a) = 2/13, P(b|a) = 1/2; over `a b`, `c d` 1.29 bits."""
    sequences, ids = numbered([[*"abc"], [*"acdcef"]])
    model = Smoothed(sequences, 2, len(ids), "none", **{**NLTK, "marks": 1})
    assert float(model.p([], ids["a"])) == pytest.approx(0.15384615)
    bits = [-math.log2(model.p([ids[h]], ids[w])) for h, w in ["ab", "cd"]]
    assert sum(bits) / 2 == pytest.approx(1.292481250360578) and bits[0] == 1


@pytest.mark.parametrize("seed", range(8))
def test_the_oracle_equals_nltk_itself(seed):
    """Five NLTK models on random letters: every id after seen and unseen histories."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lm = peer("nltk.lm")
        from nltk.lm.preprocessing import padded_everygram_pipeline
    r = random.Random(seed)
    order, types = 1 + seed % 4, "abcdef"[: r.randint(1, 6)]
    lines = [r.choices(types + "y", k=r.randint(0, 7)) for _ in range(r.randint(1, 12))]  # y is not in the vocabulary
    ids = {**MARKERS, **{w: 3 + i for i, w in enumerate(types + "z")}}  # z is, but not in the text
    sequences = [[ids.get(w, UNK) for w in line] for line in lines]
    names = {"y" if i == UNK else w: i for w, i in ids.items()}
    conventions = {"marks": order - 1, "bos": True, "bottom": "mle", "number": float}
    for theirs, smoothing, more in [
        (lm.MLE(order), "none", {}),
        (lm.Laplace(order), "lidstone", {}),
        (lm.Lidstone(0.3, order), "lidstone", {"amount": 0.3}),
        (lm.WittenBellInterpolated(order), "wb", {}),
        (lm.AbsoluteDiscountingInterpolated(order, discount=0.6), "abs", {"discounts": 0.6}),
        (lm.StupidBackoff(0.4, order), "stupid", {}),
    ]:
        text, _ = padded_everygram_pipeline(order, lines)
        theirs.fit(text, [*types, "z", "<s>", "</s>"])
        assert len(theirs.vocab) == len(ids)
        mine = Smoothed(sequences, order, len(ids), smoothing, **conventions, **more)
        for _ in range(60):
            history = r.choices([*names], k=r.randint(0, order - 1))
            wanted = history
            while smoothing == "none" and history and not theirs.context_counts(theirs.vocab.lookup(tuple(history))):
                history = history[1:]  # its MLE does not back off
            for w, i in names.items():
                its = theirs.score(w, tuple(history))
                assert mine.p([names[x] for x in wanted], i) == pytest.approx(its, rel=1e-12), (smoothing, wanted, w)


# ------------------------------------------------------------------ by hand, and the law


def test_unpruned_models_by_hand():
    """`a b a`, `a c`: c(.) = 7: a 3, b 1, c 1, </s> 2; a is followed by b, </s>, c, once each. V = 5."""
    for smoothing, of_b, of_unk, of_b_after_a in [
        ("none", F(1, 7), 0, F(1, 3)),
        # T = 4: (1 + 4/5) / 11; 4/5 / 11; T(a) = 3: (1 + 3 p(b)) / 6
        ("wb", F(9, 55), F(4, 55), F(1, 6) + F(9, 110)),
        # D: n1 = 2 (b c), n2 = 1 of order 1: 1/2; order 2 has n1 = 5, n2 = 1: 5/7
        # p(b) = 1/2 / 7 + 2/7 / 5; p(b|a) = 2/7 / 3 + 5/7 p(b)
        ("abs", F(9, 70), F(2, 35), F(2, 21) + F(5, 7) * F(9, 70)),
        ("lidstone", F(2, 12), F(1, 12), F(2, 8)),
        ("stupid", F(1, 7), 0, F(1, 3)),
    ]:
        _, p, _ = model_of(["a b a", "a c"], 2, smoothing)
        assert (p("b"), p("<unk>"), p("a b")) == (of_b, of_unk, of_b_after_a), smoothing
    assert model_of(["a b a", "a c"], 2, "stupid")[1]("c b") == F(2, 5) * F(1, 7)


def test_pruned_models_by_hand():
    """`a b`, `a b`, `a a`, `--prune 0 1`: a is followed by b 2, a 1 (gone), </s> 1 (gone). V = 4.

    c(.) = 9: a 4, b 2, </s> 3. Kept: <s> a (3), a b (2), b </s> (2).
    """
    lines = ["a b", "a b", "a a"]
    for smoothing, own, backoff, lower in [
        ("none", 1, 0, 0),  # only b is left
        ("wb", F(2, 5), F(3, 5), F(2 * 4 + 3, 48)),  # u = 2/(4 + 1); p(b) = (2 + 3/4)/12
        # kept rows: n1 = 0, so D = 1/2; u = 1.5/4. Order 1: n1 = 0 too: p(b) = 1.5/9 + 1.5/9/4
        ("abs", F(3, 8), F(5, 8), F(5, 24)),
        ("lidstone", F(2, 8), F(6, 8), F(1, 4)),  # 2 / (4 + 4), then 1/4
        # order 2, before pruning: n1 = 2, n2 = 2, n3 = 1: Y = 1/3, D2 = 2 - 3 Y / 2; u = (2 - 3/2)/4
        # adjusted: a 2 (<s> and a), b 1, </s> 2; n3 = 0, fallback: p(b) = .5/5 + 2.5/5/4
        ("kn", F(1, 8), F(7, 8), F(9, 40)),
    ]:
        model, p, b = model_of(lines, 2, smoothing, prune=(0, 1))
        assert model.level((3,)) == ({4: own}, backoff), smoothing
        assert p("a b") == own + backoff * lower
        assert b("<unk>") == 1
    assert model_of(lines, 2, "none", prune=(0, 5))[1]("a b") == F(2, 9)  # no follower left: the empty history
    assert model_of(lines, 2, "stupid", prune=(0, 1))[1]("a a") == F(2, 5) * F(4, 9)
    # before pruning T(a) = 3, and n1 = 2, n2 = 2 of order 2: D = 1/3
    assert model_of(lines, 2, "wb", prune=(0, 1), statistics="all")[2]("a") == 1 - F(2, 7)
    assert model_of(lines, 2, "abs", prune=(0, 1), statistics="all")[0].discounts[1] == [0, F(1, 3)]


@st.composite
def settings(draw):
    """Random sequences of few types with <unk>, options, and histories of every kind."""
    types = draw(st.integers(1, 4))
    one = st.lists(st.sampled_from([UNK, *range(3, 3 + types)]), max_size=8)
    sequences = draw(st.lists(one, min_size=1, max_size=8))
    order = draw(st.integers(1, 4))
    prune = sorted(draw(st.lists(st.integers(0, 3), max_size=order - 1)))
    more = {"statistics": draw(st.sampled_from(["kept", "all"])), "prune": (0, *prune)}
    unseen = 3 + types
    histories = st.lists(st.sampled_from([UNK, BOS, EOS, *range(3, unseen + 1), 99]), max_size=5)
    return sequences, order, unseen + 1, more, draw(st.lists(histories, min_size=5, max_size=5))


@given(settings())
def test_probabilities_sum_to_one(drawn):
    """Exactly, after seen, unseen and empty histories, for all methods but `stupid`; none is negative."""
    sequences, order, n_ids, more, histories = drawn
    for smoothing in SMOOTHINGS[:-1]:
        for given_d in {"kn": [None, (F(1), F(2), F(3))], "abs": [None, F(1)]}.get(smoothing, [None]):
            model = Smoothed(sequences, order, n_ids, smoothing, discounts=given_d, **more)
            for history in [(), (BOS,), *histories]:
                p = [model.p(history, w) for w in range(n_ids)]
                assert sum(p) == 1 and min(p) >= 0 and p[BOS] == 0, (smoothing, history)
                assert smoothing == "none" or min(p[:BOS] + p[EOS:]) > 0
                assert p == [model.p(history[-order + 1 :] if order > 1 else (), w) for w in range(n_ids)]


@given(settings())
def test_floats_equal_the_fractions(drawn):
    sequences, order, n_ids, more, histories = drawn
    for smoothing in SMOOTHINGS:
        exact = Smoothed(sequences, order, n_ids, smoothing, **more)
        near = Smoothed(sequences, order, n_ids, smoothing, number=float, **more)
        for history in [(), (BOS,), *histories]:
            for w in range(n_ids):
                assert isinstance(p := near.p(history, w), float)
                assert p == pytest.approx(float(exact.p(history, w)), abs=1e-12)


def test_the_smallest_texts_have_a_distribution():
    """A text of one token, and the empty text."""
    for smoothing in SMOOTHINGS[1:-1]:
        _, p, _ = model_of(["a"], 3, smoothing)
        assert p("a") + p("</s>") + p("<unk>") == 1 and p("a") == p("</s>") > p("<unk>") > 0
        assert Smoothed([], 3, 4, smoothing).p([3, 3], 3) == F(1, 3)


def test_impossible_ids_and_thresholds_are_refused():
    for prune in [(1,), (0, 2, 1)]:
        with pytest.raises(ValueError, match="prune"):
            Smoothed([[3]], 3, 4, prune=prune)
    with pytest.raises(ValueError, match="id 4 of 4"):
        Smoothed([[3]], 3, 4).p([], 4)
