"""The laws that hold for any text and every option, by Hypothesis."""

import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import oracle
from conftest import examples
from engine import model_of, rows_of, saved, types_of
from helpers import loaded
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import MarkovError, TextError
from strategies import UNITS, prose, texts

# `chars` sorts all code points of Unicode for each model, so it has its own, smaller turn
LIGHT = ["words", "words", "spaces", "bytes", "regex"]
MARKERS = {"<unk>": 0, "<s>": 1, "</s>": 2}


def build(text, order, tokenizer, unit, **more):
    """A model, and the oracle's sequences of the same text; texts without a token are passed over."""
    given_text = text.encode() if tokenizer == "bytes" else text
    found = oracle.sequences(given_text, tokenizer, unit, lowercase=more.get("lowercase", False))
    assume(found)
    return model_of(given_text, order, tokenizer, unit, **more), found


orders = st.integers(1, 5)
some_text = st.one_of(texts, prose, prose)


@examples(150)
@given(some_text, orders, st.sampled_from(LIGHT), st.sampled_from(UNITS), st.integers(1, 3))
def test_counts_are_the_oracles(text, order, tokenizer, unit, least):
    trained, found = build(text, order, tokenizer, unit, min_type_count=least)
    assert types_of(trained) == oracle.types_of(found, least)
    expected = oracle.counts(oracle.ids_of(found, least), order)
    rows = rows_of(trained.table)
    rows[0] = {g: c for g, c in rows[0].items() if c}  # <unk> has a row, even where nothing is unknown
    assert rows == [dict(c) for c in expected]


@examples(15)
@given(some_text, orders, st.sampled_from(UNITS))
def test_counts_of_chars_are_the_oracles(text, order, unit):
    trained, found = build(text, order, "chars", unit)
    rows = rows_of(trained.table)
    rows[0].pop((0,))
    assert rows == [dict(c) for c in oracle.counts(oracle.ids_of(found), order)]


@examples(60)
@given(prose, st.integers(2, 5), st.sampled_from(LIGHT[1:]), st.sampled_from(UNITS))
def test_followers_are_the_oracles(text, order, tokenizer, unit):
    """Every history of every length: its followers, their order, their probabilities."""
    trained, found = build(text, order, tokenizer, unit)
    model = as_model(trained)
    types = oracle.types_of(found)
    streams = oracle.ids_of(found)
    for k in range(order):
        for history in {()} if k == 0 else {g for g in oracle.counts(streams, k)[k - 1] if g[-1] != oracle.EOS}:
            counts = oracle.followers(streams, history)
            said = model.follow(k, model.table.row_of(list(history)))
            assert said.total == sum(counts.values())
            assert said.n_followers == len(counts)
            expected = sorted(counts, key=lambda i: (-counts[i], i))
            names = [MARKERS[f.marker] if f.marker else None for f in said.followers]
            for i, name, f in zip(expected, names, said.followers, strict=True):
                assert name == i or (name is None and types[i - 3][0].decode("utf-8", "replace") == f.token)
                assert f.count == counts[i]
                assert f.probability == counts[i] / said.total


@examples(60)
@given(some_text, orders, st.sampled_from(LIGHT), st.sampled_from(UNITS), st.sampled_from([(), (0, 1), (0, 0, 1)]))
def test_probabilities_sum_to_1_where_nothing_is_pruned(text, order, tokenizer, unit, prune):
    """For every history that is followed by anything; a pruned one keeps its full total, and sums to less."""
    trained, _ = build(text, order, tokenizer, unit, prune=prune)
    model = as_model(trained)
    for k, order_ in enumerate(trained.table.orders[:-1], 1):
        for row in range(0 if k > 1 else 1, len(order_)):
            said = model.follow(k, row)
            total = sum(f.probability for f in said.followers)
            if said.followers:
                assert total == pytest.approx(1) or (prune and total < 1)
    assert sum(f.probability for f in model.follow(0, 0).followers) == pytest.approx(1)


@examples(50)
@given(
    prose, orders, st.sampled_from(LIGHT), st.sampled_from(UNITS), st.integers(1, 2), st.booleans(),
    st.sampled_from([(), (0, 1), (0, 0, 1)]), st.integers(0, 2**63),
)  # fmt: skip
def test_a_loaded_model_is_the_model(text, order, tokenizer, unit, least, lowercase, prune, seed):
    """A loaded model has the bytes, bits and texts of the model that was saved, for any options."""
    trained, _ = build(text, order, tokenizer, unit, min_type_count=least, lowercase=lowercase, prune=prune)
    data = saved(trained)
    first, second = as_model(trained), loaded(data)
    again = io.BytesIO()
    second.save(again)
    assert again.getvalue() == data
    for shape in ({}, {"temperature": 0.5, "top_p": 0.8}):
        mine = [*first.generate(3, seed, max_tokens=20, **shape)]
        assert [*second.generate(3, seed, max_tokens=20, **shape)] == mine
    for history in ("the", "the cat", text[:5]):
        assert answer(second, history) == answer(first, history)


def answer(model, history):
    try:
        return model.followers(history, ignore_case=True)
    except MarkovError as error:
        return error.message


@examples(60)
@given(st.lists(prose, min_size=1, max_size=4), orders, st.sampled_from(LIGHT), st.sampled_from(UNITS), st.randoms())
def test_the_order_of_texts_changes_nothing(several, order, tokenizer, unit, random):
    try:
        once = saved(model_of(several, order, tokenizer, unit))
    except TextError:
        assume(False)
    shuffled = random.sample(several, len(several))
    assert saved(model_of(shuffled, order, tokenizer, unit)) == once


@examples(60)
@given(
    some_text, orders, st.sampled_from(LIGHT), st.sampled_from(UNITS),
    st.tuples(st.integers(8, 60), st.integers(1, 3), st.integers(1, 20)),
)  # fmt: skip
def test_how_the_work_is_done_changes_nothing(text, order, tokenizer, unit, way):
    trained, _ = build(text, order, tokenizer, unit)
    parts = dict(zip(("block_bytes", "jobs", "range_windows"), way, strict=True))
    assert saved(build(text, order, tokenizer, unit, **parts)[0]) == saved(trained)


@examples(40)
@given(some_text, st.sampled_from(["words", "spaces", "bytes"]), st.integers(0, 2**32))
def test_a_text_of_one_sequence_can_be_read_back(text, tokenizer, seed):
    """With an order longer than the text there is one way through the table: the text itself."""
    plain = text.encode() if tokenizer == "bytes" else text
    n = sum(len(s) for s in oracle.sequences(plain, tokenizer, "file"))
    trained, found = build(text, n + 2, tokenizer, "file")
    (out,) = as_model(trained).generate(1, seed)
    assert out.raw == oracle.join(found[0], tokenizer != "bytes")
    assert out.bits == 0 and out.complete and out.tokens == len(found[0])


@given(st.binary(max_size=200), st.sampled_from(LIGHT), st.sampled_from(UNITS), st.sampled_from([16, 1 << 20]))
def test_any_bytes_are_read_or_refused(data, tokenizer, unit, block_bytes):
    """Nothing but our own errors may come of a file, whatever is in it."""
    try:
        trained = model_of(data, 3, tokenizer, unit, block_bytes=block_bytes)
    except MarkovError as error:
        assert error.message and error.hint
        return
    assert trained.header.tokens > 0
    assert [*as_model(trained).generate(2, 1, max_tokens=30)]
