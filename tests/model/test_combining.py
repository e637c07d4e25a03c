"""Merging, updating and pruning models gives the bytes that training gives."""

import io
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from conftest import examples
from engine import model_of, rows_of, saved, types_of
from helpers import arrays_of, loaded
from markov_cli.api.combine import merge as merge_models
from markov_cli.api.combine import prune as prune_model
from markov_cli.api.combine import update
from markov_cli.errors import MarkovError, ModelFileError, NeedsCounts, OptionError
from markov_cli.inspecting.verify import damage
from markov_cli.model.distribution import full_distribution
from markov_cli.model.merging import Stored, merge, prune
from markov_cli.model.remap_ids import Part, group, relabelled
from markov_cli.model.weighted_counts import Reals, rounded
from strategies import TOKENIZERS, UNITS, prose


def stored(trained, name="m"):
    return Stored(trained.header, trained.types, trained.table, name)


def halves(harbour):
    lines = harbour.splitlines(keepends=True)
    return "".join(lines[:300]), "".join(lines[300:])


# ------------------------------------------------------------ merging


@pytest.mark.parametrize(
    ("tokenizer", "order"), [*((t, 3) for t in TOKENIZERS), *(("spaces", n) for n in (1, 2, 5)), ("bytes", 12)]
)
def test_merging_two_halves_is_training_on_the_whole(harbour, tokenizer, order):
    options = {"order": order, "tokenizer": tokenizer, "unit": "line"}
    parts = [stored(model_of(half, **options)) for half in halves(harbour)]
    assert saved(merge(parts)) == saved(model_of(harbour, **options))


@pytest.mark.parametrize("unit", UNITS)
def test_merging_is_training_on_both_files(harbour, unit):
    texts = halves(harbour)
    parts = [stored(model_of(text, unit=unit)) for text in texts]
    assert saved(merge(parts, jobs=2)) == saved(model_of(texts, unit=unit))


# without `chars`, which sorts all code points for each model; tested above
@examples(20)
@given(
    st.lists(prose, min_size=1, max_size=4), st.integers(1, 6),
    st.sampled_from(["words", "spaces", "bytes", "regex"]), st.sampled_from(UNITS), st.data(),
)  # fmt: skip
def test_merging_with_whole_weights_is_training_on_repeated_texts(texts, order, tokenizer, unit, data):
    """For any texts: weight 2 is the text read twice."""
    options = {"order": order, "tokenizer": tokenizer, "unit": unit}
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(texts), max_size=len(texts)).filter(any))
    try:
        parts = [stored(model_of(text, **options)) for text in texts]
    except MarkovError:  # one of them has no token
        return
    again = [text for text, w in zip(texts, weights, strict=True) for _ in range(w)]
    assert saved(merge(parts, weights)) == saved(model_of(again, **options))


def test_ranges_of_any_size_give_the_same_table(story):
    trained = model_of(story, 4)
    part = Part(trained.table, np.arange(trained.table.n_ids))
    for size in (1, 50, 1 << 20):
        for level, order in zip(relabelled([part], trained.table.n_ids, 2, size), trained.table.orders, strict=True):
            assert level.count.tolist() == order.count.slice(0, len(order)).tolist()
            if order.left is not None:
                assert level.left.tolist() == order.left.slice(0, len(order)).tolist()
            if order.link is not None:
                assert level.link.tolist() == order.link.tolist()


def test_keys_without_spare_bits_are_grouped():
    # 63 bits of key leave one for the numbers of three keys: the slow path
    key = np.array([1 << 62, 5, 1 << 62], np.uint64)
    for bits in (63, 40):
        key = key if bits == 63 else np.array([9, 5, 9], np.uint64)
        found = group(key, np.array([1, 2, 4]), bits)
        assert found.key.tolist() == sorted(set(key.tolist()))
        assert found.count.tolist() == [2, 5]
        assert found.number.tolist() == [1, 0, 1]


def test_updating_is_training_on_both_texts(harbour):
    first, second = halves(harbour)
    for options in ({}, {"tokenizer": "chars", "unit": "line", "order": 4}, {"lowercase": True, "unit": "paragraph"}):
        old = loaded(saved(model_of(first, **options)))
        data = io.BytesIO()
        update(old, texts=[second]).save(data)
        assert data.getvalue() == saved(model_of([first, second], **options))


def refused(what, *parts, error=MarkovError, **more):
    with pytest.raises(error) as caught:
        merge([*parts], **more)
    assert what in caught.value.message, caught.value.message
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"tokenizer": "spaces"}, "tokenizer spaces"),
        ({"unit": "line"}, "unit line"),
        ({"order": 2}, "order 2"),
        ({"lowercase": True}, "lowercase True"),
        ({"prune": (0, 0, 1)}, "pruned (0,0,1)"),
        ({"min_type_count": 2}, "types seen fewer than 2 times are <unk>"),
    ],
)
def test_models_with_different_options_are_refused(options, what):
    text = "one two three one two three. four"
    message = refused(what, stored(model_of(text), "a.npz"), stored(model_of(text, **options), "b.npz"))
    assert "b.npz" in message


def test_models_with_different_patterns_or_unicode_tables_are_refused():
    one = stored(model_of("a b", tokenizer="regex"), "a.npz")
    refused(r"pattern \w", one, stored(model_of("a b", tokenizer="regex", pattern=r"\w"), "b.npz"))
    old = one._replace(header=replace(one.header, unicode="9.0.0"), name="b.npz")
    assert "b.npz: made with Unicode 9.0.0" in refused("words may end elsewhere", one, old)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), -0.5])
def test_negative_and_infinite_weights_are_refused(weight):
    one = stored(model_of("a b"))
    refused(f"--weight {weight}", one, one, weights=[1, weight], error=OptionError)


def test_weights_too_small_or_too_large_are_refused():
    one = stored(model_of("a b"))
    refused("every --weight is 0", one, one, weights=[0, 0], error=OptionError)
    refused("1 weights for 2", one, one, weights=[1], error=OptionError)
    refused("more than can be counted", one, one, weights=[1, 1e19], error=OptionError)
    refused("more than real counts can hold", one, one, weights=[0.5, 1e15], error=OptionError)
    refused("too small", one, one, weights=[1, 1e-9], error=OptionError)
    refused("no model", error=OptionError)


# ------------------------------------------------------------ weighted counts


@examples(20)
@given(prose, prose, st.integers(1, 4), st.integers(1, 63), st.integers(1, 63))
def test_weighted_counts_are_exact(one, other, order, first, second):
    """Weights in sixteenths: each count is 1/16 of the count with 16 times the weight."""
    try:
        parts = [stored(model_of(text, order, unit="line")) for text in (one, other)]
    except MarkovError:
        return
    real = merge(parts, [first / 16, second / 16])
    scaled = merge(parts, [first, second])
    assert types_of(real) == types_of(scaled)
    for a, b in zip(rows_of(real.table), rows_of(scaled.table), strict=True):
        assert {g: c * 16 for g, c in a.items()} == b
    for a, b in zip(real.table.orders, scaled.table.orders, strict=True):
        assert a.left is None or a.left.slice(0, len(a)).tolist() == b.left.slice(0, len(b)).tolist()


@pytest.fixture(scope="module")
def weighted(harbour):
    """A model of weighted counts, and one with four times the weights, both saved and opened."""
    parts = [stored(model_of(half, unit="line")) for half in halves(harbour)]
    return loaded(saved(merge(parts, [1.5, 0.25]))), loaded(saved(merge(parts, [6, 1])))


def test_a_weighted_model_is_marked_and_undamaged(weighted):
    real, whole = weighted
    assert (real.header.holds, whole.header.holds) == ("weighted counts", "counts")
    assert damage(real.file) == []
    assert real.header.tokens == 9119  # tokens of the texts, unweighted
    again = io.BytesIO()
    real.save(again)
    assert again.getvalue() == bytes(real.file.buffer)


@pytest.mark.parametrize("more", [{}, {"temperature": 0.7}, {"top_k": 3}, {"prompt": "the"}])
def test_a_common_factor_of_the_weights_changes_no_text(weighted, more):

    real, whole = (list(model.generate(200, 7, **more)) for model in weighted)
    assert [t.text for t in real] == [t.text for t in whole]
    assert [t.bits for t in real] == pytest.approx([t.bits for t in whole], abs=1e-9)


def test_many_texts_of_a_weighted_model_begin_with_the_few(weighted):
    some = [t.text for t in weighted[0].generate(50, 3)]
    assert [t.text for t in weighted[0].generate(2500, 3)][:50] == some


@pytest.mark.parametrize("smoothing", ["none", "wb", "abs:0.4", "lidstone:0.1"])
def test_smoothing_of_weighted_counts_sums_to_one(weighted, smoothing):
    distribution = weighted[0].distribution(smoothing)
    for history in ("", "the", "the harbour", "harbour board"):
        known = weighted[0].known(history)
        p = full_distribution(distribution, known.level, known.row)
        assert p.sum() == pytest.approx(1, abs=1e-9)
        assert (p >= 0).all()
    assert len(list(weighted[0].generate(5, 1, smoothing=smoothing))) == 5


@pytest.mark.parametrize("smoothing", ["kn", "abs"])
def test_methods_that_need_whole_counts_are_refused(weighted, smoothing):
    with pytest.raises(NeedsCounts, match=f"--smoothing {smoothing} needs whole counts"):
        weighted[0].distribution(smoothing)


def test_weighted_models_can_be_merged_with_whole_weights(weighted, harbour):
    parts = [stored(model_of(half, unit="line"), half[:5]) for half in halves(harbour)]
    real = Stored(weighted[0].header, weighted[0].vocabulary.types(), weighted[0].table, "w.npz")
    twice = merge([real, parts[0]], [2, 1])  # 2 x (1.5, 0.25) + (1, 0)
    direct = merge(parts, [4, 0.5])
    for a, b in zip(rows_of(twice.table), rows_of(direct.table), strict=True):
        assert a == b
    refused("w.npz: weighted counts", parts[0], real, weights=[1, 0.5])
    refused("more than can be counted", parts[0], real, weights=[1, 1 << 20], error=OptionError)


def test_weights_are_rounded_to_the_bits_that_counts_leave():
    (w,) = rounded([0.1], [10**7])
    assert w == pytest.approx(0.1, abs=2**-24)
    assert w * 2**24 == int(w * 2**24)
    # 10**12 tokens need 40 of 50 bits; 10 are left after the point
    (w,) = rounded([0.7], [10**12])
    assert w * 2**10 == int(w * 2**10)
    assert w == pytest.approx(0.7, abs=2**-10)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=70), st.data())
def test_real_columns_behave_like_whole_ones(values, data):
    from markov_cli.model.count_column import Counts

    whole, real = Counts.pack(np.array(values)), Reals.pack(np.array(values) / 4)
    low = data.draw(st.integers(0, len(values) - 1))
    high = data.draw(st.integers(low + 1, len(values)))
    row = np.arange(len(values) + 1)
    share = data.draw(st.floats(0, 0.999))
    for _ in range(2):
        assert (real.sum_before(row) * 4).tolist() == whole.sum_before(row).tolist()
        assert (real.slice(low, high) * 4).tolist() == whole.slice(low, high).tolist()
        if sum(values[low:high]):
            (found,), (total,) = real.pick(np.array([low]), np.array([high]), np.array([share]))
            assert total * 4 == sum(values[low:high])
            assert low <= found < high and values[found]
            assert sum(values[low:found]) <= share * total * 4 < sum(values[low : found + 1]) + 1e-9
        real.index()
        whole.index()


def changed(data, name, at, value):
    """A model's bytes with one entry of an array replaced, and its checksum made right."""
    arrays = arrays_of(data)
    head = arrays.pop("header")
    arrays[name] = arrays[name].copy()
    arrays[name][at] = value
    out = io.BytesIO()
    np.savez(out, header=head, **arrays)
    return out.getvalue()


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf, 1e300, 2.0**-25, 1 + 2.0**-25])
def test_verify_finds_impossible_counts(weighted, value):
    bad = loaded(changed(bytes(weighted[0].file.buffer), "count_2", 5, value))
    assert any("count_2" in line for line in damage(bad.file))
    with suppress(ModelFileError):  # a wrong text or an error is allowed, a crash is not
        list(bad.generate(20, 1))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_count_that_is_no_number_is_damage_where_it_is_read(weighted, value):
    bad = loaded(changed(bytes(weighted[0].file.buffer), "count_2", 5, value))
    with pytest.raises(ModelFileError, match="no number"):
        bad.table.orders[1].count.at(np.array([4, 5]))


def test_only_weighted_models_hold_real_counts(weighted):
    data = bytes(weighted[0].file.buffer)
    with pytest.raises(ModelFileError, match="float64"):
        loaded(data.replace(b'"holds":"weighted counts"', b'"holds":"counts"         '))
    whole = weighted[1]
    lying = Stored(replace(whole.header, holds="weighted counts"), whole.vocabulary.types(), whole.table)
    with pytest.raises(ModelFileError, match="count_1 is uint8"):
        loaded(saved(lying))


# ------------------------------------------------------------ pruning


@examples(20)
@given(prose, st.integers(1, 5), st.lists(st.integers(0, 3), max_size=3), st.lists(st.integers(0, 3), max_size=3))
def test_pruning_is_training_with_the_thresholds(text, order, first, second):
    first, second = (0, *sorted(first)), (0, *sorted(second))
    try:
        whole = stored(model_of(text, order, unit="line"))
    except MarkovError:
        return
    once = prune(whole, first)
    assert saved(once) == saved(model_of(text, order, unit="line", prune=first))
    through_a_file = loaded(saved(once))
    data = io.BytesIO()
    higher = all(b >= a for a, b in zip(padded(first, order), padded(second, order), strict=True))
    if higher or not any(second):  # no thresholds change nothing
        prune_model(through_a_file, second).save(data)
        expected = second if any(second) else first
        assert data.getvalue() == saved(model_of(text, order, unit="line", prune=expected))


def padded(thresholds, order):
    n = max(order, 5)
    return [*thresholds, *[thresholds[-1]] * n][:n]


def test_lower_thresholds_than_the_models_are_refused():
    model = stored(model_of("a b a b a c a c. d e", prune=(0, 1, 2)), "p.npz")
    with pytest.raises(MarkovError, match=r"p.npz: pruned \(0,1,2\); --prune 0,1 would keep n-grams of order 3"):
        prune(model, (0, 1))
    with pytest.raises(MarkovError, match="pruned"):
        prune(model, (), 2)


def test_weighted_counts_are_pruned_by_their_weighted_value(weighted, harbour):
    """Singletons of the first half have 1.5 and stay above 1."""
    real = Stored(weighted[0].header, weighted[0].vocabulary.types(), weighted[0].table)
    pruned = prune(real, (0, 1))
    expected = {g: c for g, c in rows_of(real.table)[1].items() if c > 1}
    assert rows_of(pruned.table)[1] == expected
    assert damage(loaded(saved(pruned)).file) == []


@examples(20)
@given(prose, st.integers(1, 4), st.integers(1, 12))
def test_max_types_is_training_with_rare_types_replaced(text, order, kept):
    found = oracle.sequences(text, "words", "line")
    if not found:
        return
    trained = stored(model_of(text, order, unit="line"))
    made = prune(trained, max_types=kept)
    known = oracle.types_of(found)[:kept]
    number = {t: 3 + i for i, t in enumerate(known)}
    streams = [[oracle.BOS, *(number.get(t, oracle.UNK) for t in s), oracle.EOS] for s in found]
    rows = rows_of(made.table)
    rows[0] = {g: c for g, c in rows[0].items() if c}
    assert rows == [dict(c) for c in oracle.counts(streams, order)]
    lefts = oracle.lefts(streams, order)
    for k, level in enumerate(made.table.orders[:-1], 1):
        for i, seen in zip(range(len(level)), level.left.slice(0, len(level)).tolist(), strict=True):
            assert seen == len(lefts[k - 1][tuple(made.table.ngram(k, i))])
    assert damage(loaded(saved(made)).file) == []


def test_max_types_equals_min_type_count_for_the_same_types(harbour):
    """For one N the types seen 3 times or more are the N commonest: the tables are equal, pruned or not."""
    rare = model_of(harbour, min_type_count=3)
    pruned = model_of(harbour, min_type_count=3, prune=(0, 0, 1))
    whole = stored(model_of(harbour))
    for thresholds, expected in ((), rare), ((0, 0, 1), pruned):
        made = prune(whole, thresholds, len(rare.types))
        assert saved(made._replace(header=expected.header)) == saved(expected)
        assert made.header.max_types == len(rare.types)
    assert saved(prune(whole, max_types=10**6)) == saved(model_of(harbour))


def test_a_model_without_its_rare_types_is_not_merged():
    model = stored(model_of("a b a b a c. d e"))
    refused("types beyond the commonest", model, prune(model, max_types=2))


def test_combining_damaged_models_never_crashes(story):
    """A wrong byte in the table gives a model or one of our errors."""
    data = saved(model_of(story[:600]))
    begin = data.index(b"token_2.npy")
    rng = np.random.default_rng(5)
    ended = {"made": 0, "refused": 0}
    for at in rng.integers(begin, len(data) - 2000, 60).tolist():
        bad = bytearray(data)
        bad[at] ^= 0x55
        try:
            model = loaded(bytes(bad))
            merge_models([model, model])
            prune_model(model, (0, 0, 1), max_types=20)
            ended["made"] += 1
        except MarkovError:
            ended["refused"] += 1
    assert all(ended.values()), ended
