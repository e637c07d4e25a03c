"""Sampling from raw counts: frequencies follow the table, and a seed fixes the text."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

import oracle
from engine import model_of
from helpers import chi_squared, run_of
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import OptionError
from markov_cli.sampling import sampler
from markov_cli.sampling.shape import Shape

PLAIN = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
SHAPES = [
    {}, {"temperature": 0.5}, {"temperature": 2.0}, {"top_k": 3}, {"top_p": 0.6},
    {"temperature": 1.5, "top_k": 5, "top_p": 0.9},
]  # fmt: skip


def train(text, *args, **options):
    return as_model(model_of(text, *args, **options))


@pytest.fixture(scope="module")
def model(story):
    return train(story)


def shaped(counts, temperature=1.0, top_k=0, top_p=1.0):
    """{follower: probability} after shaping, from {follower: count}, in plain Python."""
    order = sorted(counts, key=lambda i: (-counts[i], i))
    weight = {i: counts[i] ** (1 / temperature) for i in order}
    if top_k:
        order = order[:top_k]
    total = sum(weight[i] for i in order)
    kept, reached = [], 0.0
    for i in order:
        if reached < top_p - 1e-9:
            kept.append(i)
        reached += weight[i] / total
    total = sum(weight[i] for i in kept)
    return {i: weight[i] / total for i in kept}


def test_chi_squared_is_a_standard_normal():
    # 3.84 is the 95 % point of one degree of freedom: 1.645 deviations of a normal
    p, n = {1: 0.5, 2: 0.5}, 10_000
    off = math.sqrt(3.841 * n / 4)
    assert chi_squared({1: n / 2 + off, 2: n / 2 - off}, p, n) == pytest.approx(1.645, abs=0.05)
    assert chi_squared({1: 5300, 2: 4700}, p, n) > 4


# ------------------------------------------------------------------ frequencies

SKEWED = "\n".join(w for i, w in enumerate("abcdefghij", 1) for _ in range(i * i))  # a once, j a hundred times


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_first_tokens_are_drawn_in_proportion_to_their_counts(shape):
    counts = {w: i * i for i, w in enumerate("abcdefghij", 1)}
    numbered = {-c: c for c in counts.values()}  # the larger count has the smaller id
    p = {w: q for key, q in shaped(numbered, **shape).items() for w, c in counts.items() if c == -key}
    n = 20_000
    seen = Counter(t.text for t in train(SKEWED, unit="line").generate(n, 11, **shape))
    assert set(seen) <= set(p)
    assert abs(chi_squared(seen, p, n)) < 3.5


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("shape", SHAPES[:5], ids=str)
def test_followers_are_drawn_in_proportion_to_their_counts(story, monkeypatch, shape, indexed):
    """Every token of many texts, grouped by its history of two tokens."""
    if indexed:
        monkeypatch.setattr("markov_cli.generation.run.MANY", 1)
    model = train(story)
    streams = oracle.ids_of(oracle.sequences(story))
    trigrams, bigrams = oracle.counts(streams, 3)[2], oracle.counts(streams, 2)[1]
    seen = Counter()
    for ids in drawn_ids(model, 3000, 5, **shape):
        whole = [oracle.BOS, *ids, oracle.EOS]
        seen.update(tuple(whole[i : i + 3]) for i in range(len(whole) - 2))
        seen[tuple(whole[:2])] += 1
    by_history = {}
    for gram, c in {**trigrams, **{g: c for g, c in bigrams.items() if g[0] == oracle.BOS}}.items():
        by_history.setdefault(gram[:-1], {})[gram[-1]] = c
    tested = 0
    for history, counts in by_history.items():
        p = shaped(counts, **shape)
        here = {w: seen[(*history, w)] for w in counts}
        assert all(w in p for w, n in here.items() if n)
        n = sum(here.values())
        if n >= 200 and len(p) > 1:
            tested += 1
            assert abs(chi_squared(here, p, n)) < 4.5, history
    assert tested >= 8


def drawn_ids(model, count, seed, min_tokens=1, max_tokens=1000, **shape):
    """The ids of each text, as lists."""
    chosen = Shape(**{**PLAIN, **shape})
    run = run_of(model, count=count, seed=seed, min_tokens=min_tokens, max_tokens=max_tokens, shape=chosen)
    for batch in run.batches():
        drawn = batch.samples
        ends = np.cumsum(drawn.length).tolist()
        ids = drawn.ids.tolist()
        for n, end in zip(drawn.length.tolist(), ends, strict=True):
            yield ids[end - n : end]


def test_temperature_0_draws_the_most_frequent_follower():
    assert {t.text for t in train(SKEWED, unit="line").generate(50, 1, temperature=0)} == {"j"}
    # equal counts: the smaller id, which has the smaller bytes
    assert {t.text for t in train("b\na", unit="line").generate(50, 1, temperature=0)} == {"a"}
    assert {t.text for t in train("b\na", unit="line").generate(50, 1, top_k=1)} == {"a"}


def test_extreme_temperatures_stay_finite():
    model = train(SKEWED, unit="line")
    assert {t.text for t in model.generate(50, 1, temperature=1e-300)} == {"j"}
    assert len({t.text for t in model.generate(500, 1, temperature=1e300)}) == 10  # nearly uniform


@pytest.mark.parametrize(
    "shape",
    [
        {"temperature": -1}, {"temperature": math.nan}, {"temperature": math.inf}, {"top_k": -1}, {"top_p": 0},
        {"top_p": 1.1}, {"top_p": math.nan},
    ],
)  # fmt: skip
def test_impossible_shapes_are_refused(model, shape):
    with pytest.raises(OptionError):
        [*model.generate(1, 1, **shape)]


# ------------------------------------------------------------------ one seed, one text


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("order", [1, 2, 4])
def test_text_i_does_not_depend_on_count_or_batch_size(story, monkeypatch, order, shape):
    model = train(story[:3000], order)
    limits = {"min_tokens": 4, "max_tokens": 25}  # some texts are redrawn, some are cut
    long = [*model.generate(20, 9, **limits, **shape)]
    assert [t.index for t in long] == [*range(20)]
    for count in (1, 13):
        same(model.generate(count, 9, **limits, **shape), long)
    for batch, many in ((3, 10**6), (64, 1), (7, 1)):
        monkeypatch.setattr(sampler, "BATCH", batch)
        monkeypatch.setattr("markov_cli.generation.run.MANY", many)
        same(train(story[:3000], order).generate(20, 9, **limits, **shape), long)


def same(texts, known):
    """Equal, except for rounding of bits: many texts sum them in another order."""
    for mine, other in zip(texts, known, strict=False):
        assert mine.bits == pytest.approx(other.bits, abs=1e-9)
        assert replace(mine, bits=0) == replace(other, bits=0)


def test_different_seeds_give_different_texts(model):
    first = [[t.text for t in model.generate(5, seed)] for seed in range(20)]
    assert len({tuple(f) for f in first}) == 20


def test_a_seed_is_chosen_and_reported_when_none_is_given(model):
    text = next(model.generate(1))
    assert next(model.generate(1, text.seed)) == text


def test_a_count_of_0_gives_no_texts(model):
    assert [*model.generate(0, 1)] == []


@pytest.mark.parametrize(
    "options", [{"count": -1}, {"seed": -1}, {"max_tokens": 0}, {"min_tokens": -1}, {"min_tokens": 5, "max_tokens": 4}]
)
def test_impossible_numbers_are_refused(model, options):
    with pytest.raises(OptionError):
        [*model.generate(**{"count": 1, "seed": 1, **options})]


# ------------------------------------------------------------------ what is in a text


@pytest.mark.parametrize(
    "tokenizer, unit", [("words", "sentence"), ("spaces", "line"), ("chars", "line"), ("bytes", "line")]
)
@pytest.mark.parametrize("order", [2, 3, 4])
def test_texts_hold_only_ngrams_of_the_training_text(story, order, tokenizer, unit):
    text = story[:3000]
    model = train(text, order, tokenizer, unit)
    streams = oracle.ids_of(oracle.sequences(text.encode() if tokenizer == "bytes" else text, tokenizer, unit))
    known = {g for counts in oracle.counts(streams, order) for g in counts}
    for ids in drawn_ids(model, 100, 4):
        whole = [oracle.BOS, *ids, oracle.EOS]
        for k in range(1, order + 1):
            assert all(tuple(whole[i : i + k]) in known for i in range(len(whole) - k + 1))


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("many", [1, 10**6])
def test_bits_follow_from_the_counts(story, monkeypatch, order, many):
    """-log2 of count / total for each token after its longest history, the end included."""
    monkeypatch.setattr("markov_cli.generation.run.MANY", many)
    model = train(story, order)
    streams = oracle.ids_of(oracle.sequences(story))
    counts = oracle.counts(streams, order)
    totals = [Counter() for _ in range(order)]
    for k in range(order):
        for g, c in counts[k].items():
            totals[k][g[:-1]] += c if g != (oracle.BOS,) else 0
    texts = [*model.generate(40, 2, max_tokens=12)]
    for text, ids in zip(texts, drawn_ids(model, 40, 2, max_tokens=12), strict=True):
        whole = [oracle.BOS, *ids, *[oracle.EOS] * text.complete]
        bits = 0.0
        for i in range(1, len(whole)):
            g = tuple(whole[max(i - order + 1, 0) : i + 1])
            bits -= math.log2(counts[len(g) - 1][g] / totals[len(g) - 1][g[:-1]])
        assert text.bits == pytest.approx(bits, abs=1e-9)
        assert text.tokens == len(ids)


def test_bits_follow_from_the_shaped_distribution():
    # counts 1, 4, 9 ... 100; at temperature 2 the weights are 1, 2, 3 ... 10, together 55
    for text in train(SKEWED, unit="line").generate(20, 1, temperature=2):
        assert text.bits == pytest.approx(-math.log2(("abcdefghij".index(text.text) + 1) / 55), abs=1e-9)


def test_a_certain_text_has_0_bits():
    (text,) = train("just this one").generate(1, 1)
    assert text.bits == 0 and text.complete


def test_order_1_draws_tokens_independently():
    counts = {"a": 6, "b": 3, "c": 1}
    model = train("a a a a a a b b b c", 1, unit="file")
    seen = Counter(w for t in model.generate(5000, 3) for w in t.text.split())
    n = sum(seen.values())
    assert abs(chi_squared(seen, {w: c / 10 for w, c in counts.items()}, n)) < 3.5
    # 10 tokens for each end: 10 more on average after the first
    assert n / 5000 == pytest.approx(11, rel=0.05)


# ------------------------------------------------------------------ lengths


def test_lengths_are_within_their_limits(model):
    for text in model.generate(300, 1, min_tokens=5, max_tokens=12):
        assert 5 <= text.tokens <= 12
        assert text.complete or text.tokens == 12


def test_complete_is_true_for_texts_that_were_not_cut(model, story):
    ends = {s[-1][0].decode() for s in oracle.sequences(story)}
    cut = [t for t in model.generate(300, 1, max_tokens=10) if not t.complete]
    assert cut and all(t.tokens == 10 for t in cut)
    assert all(t.text.endswith(tuple(ends)) for t in model.generate(100, 1) if t.complete)


def test_a_text_of_exactly_max_tokens_can_be_complete():
    (text,) = train("a b c").generate(1, 1, max_tokens=3)
    assert text.complete and text.text == "a b c"
    (text,) = train("a b c").generate(1, 1, max_tokens=2)
    assert not text.complete and text.text == "a b"


def test_too_short_texts_are_redrawn_without_bias():
    # texts: a 6 times, b b 3 times, c c once; those of two tokens are 3 to 1
    model = train("a\n" * 6 + "b b\n" * 3 + "c c\n", unit="line")
    seen = Counter(t.text for t in model.generate(4000, 1, min_tokens=2))
    assert set(seen) == {"b b", "c c"}
    assert abs(chi_squared(seen, {"b b": 0.75, "c c": 0.25}, 4000)) < 3.5


def test_fewer_texts_come_when_none_is_long_enough(run, tmp_path):
    model = train("a b")
    assert [*model.generate(3, 1, min_tokens=5)] == []
    model.save(tmp_path / "model.npz")
    done = run("generate", tmp_path / "model.npz", "-c", "3", "-s", "1", "--min-tokens", "5")
    assert (done.code, done.stdout) == (3, "")
    assert done.stderr.startswith("0 of 3 texts")


# ------------------------------------------------------------------ <unk>


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES[:4], ids=str)
def test_unk_is_never_written(story, order, shape):
    model = train(story, order, min_type_count=3)
    common = {t for t, _ in oracle.types_of(oracle.sequences(story), 3)}
    for ids in drawn_ids(model, 60, 1, max_tokens=60, **shape):
        assert all(i >= 3 for i in ids)
        assert all(model.vocabulary.bytes_of(i) in common for i in ids)


def test_a_drawn_unk_is_redrawn_in_proportion():
    # <s> is followed by a 6 times, b 3 times, unknown words 11 times
    rare = "\n".join(f"rare{i}" for i in range(11))
    model = train("a\n" * 6 + "b\n" * 3 + rare, unit="line", min_type_count=2)
    seen = Counter(t.text for t in model.generate(3000, 1))
    assert abs(chi_squared(seen, {"a": 6 / 9, "b": 3 / 9}, 3000)) < 3.5


def test_a_history_that_only_unk_follows_is_shortened():
    # `a b` is followed by rare words only; `b` also by c and d, which are drawn
    model = train("a b rare\na b seldom\nx b c\nx b c\nx b d\nx b d\n", unit="line", min_type_count=2)
    texts = {t.text for t in model.generate(200, 1, prompt="a b", max_tokens=3)}
    assert texts == {"a b c", "a b d"}


def test_a_model_of_unknown_types_only_writes_nothing():
    model = train("a b c d", min_type_count=2)
    assert [*model.generate(3, 1)] == []


def test_a_pruned_model_writes_known_types(story):
    model = train(story, 4, prune=(0, 1, 2))
    common = {(t, f) for t, f in oracle.types_of(oracle.sequences(story))}
    for ids in drawn_ids(model, 100, 1, max_tokens=50):
        assert all(model.vocabulary.bytes_of(i) in {t for t, _ in common} for i in ids)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_a_model_pruned_to_its_types_writes_texts(order):
    """Every n-gram above order 1 is seen once and dropped; only the types remain."""
    model = train("the cat sat on a mat.", order, prune=(0, 1))
    assert [len(o) for o in model.table.orders[1:]] == [0] * (order - 1)
    assert len([*model.generate(3, 1, max_tokens=20)]) == 3
