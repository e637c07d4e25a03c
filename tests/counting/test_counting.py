"""Counting n-grams: counts, children, left neighbours and links of every order equal the oracle's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from conftest import examples
from engine import id_counts, stream_of
from markov_cli.counting import key_sort, ngrams, suffixes
from markov_cli.counting.key_sort import keys_along, keys_at, packed, refined, sorted_windows
from markov_cli.counting.ngrams import count_ngrams
from markov_cli.text.types import EOS


def streams_of(ids, v=6):
    """Sequences of ids over `v` types, UNK among them."""
    one = st.lists(st.one_of(st.just(0), st.integers(3, v + 2)), min_size=1, max_size=12)
    return st.lists(one.map(lambda s: [1, *s, 2]), min_size=1, max_size=ids)


def check(streams, order, v, jobs=1, range_windows=1 << 20):
    """Compare all levels with the oracle's, row by row, in trie order."""
    stream, length = stream_of(streams, order)
    levels = count_ngrams(stream, length, id_counts(streams, v + 3), order, jobs, range_windows)
    counts, lefts = oracle.counts(streams, order), oracle.lefts(streams, order)
    counts[0] = {(i,): counts[0][(i,)] for i in range(v + 3)}  # every id has a row, also an unseen one
    grams = [sorted(c) for c in counts]
    assert len(levels) == order
    for k, level in enumerate(levels, 1):
        mine, above = grams[k - 1], grams[k] if k < order else []
        assert level.token.tolist() == [g[-1] for g in mine]
        assert level.count.tolist() == [counts[k - 1][g] for g in mine]
        if k == order:
            assert level.children is None and level.left is None and level.link is None
            continue
        extended = [g[:-1] for g in above]
        number = {}
        for g in extended:
            number[g] = number.get(g, 0) + 1
        assert level.children.tolist() == [number.get(g, 0) for g in mine]
        assert level.left.tolist() == [len(lefts[k - 1][g]) for g in mine]
        if k > 2:
            row = {g: i for i, g in enumerate(grams[k - 2])}
            assert level.link.tolist() == [row[g[1:]] for g in mine]
        else:
            assert level.link is None


def test_counts_of_a_text_counted_by_hand():
    # "a b a", "a" as ids 3 4 3 and 3: <s> a b a </s>, <s> a </s>
    stream = np.array([2, 3, 4, 3, 2, 3, 2, 0, 0, 0], np.uint32)
    one, two, three = count_ngrams(stream, 7, np.array([0, 2, 2, 3, 1]), 3)
    assert one.count.tolist() == [0, 2, 2, 3, 1]  # <unk> <s> </s> a b
    # <s> a | a </s>, a b | b a
    assert two.token.tolist() == [3, 2, 4, 3] and two.count.tolist() == [2, 2, 1, 1]
    assert one.children.tolist() == [0, 1, 0, 2, 1]
    # `a` follows <s> and b; `b` and </s> follow a
    assert one.left.tolist() == [0, 0, 1, 2, 1]
    # <s> a </s>, <s> a b | a b a | b a </s>
    assert three.token.tolist() == [2, 4, 3, 2] and three.count.tolist() == [1, 1, 1, 1]
    assert two.left.tolist() == [0, 2, 1, 1]  # `a </s>` follows <s> and b


@examples(150)
@given(streams_of(8), st.integers(1, 7), st.sampled_from([1, 3, 10, 1 << 20]), st.integers(1, 3))
def test_counts_equal_the_oracle(streams, order, range_windows, jobs):
    check(streams, order, 6, jobs, range_windows)


@examples(50)
@given(streams_of(8), st.integers(2, 7), st.sampled_from([2, 7, 1 << 20]))
def test_column_wise_sorting_equals_packed_sorting(streams, order, range_windows):
    """The slow path of sorting, on windows that would fit one key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "sorted_windows", refined)
        check(streams, order, 6, 1, range_windows)


@examples(30)
@given(streams_of(6, 9), st.integers(2, 7), st.integers(14, 20))
def test_large_vocabularies_need_several_keys(streams, order, bits):
    """Few ids of 14 to 20 bits fit one key, so orders from 4 or 5 on are sorted column by column."""
    v = 1 << bits
    far = [[i if i < 6 else v - 6 + i for i in s] for s in streams]  # the largest ids among them
    check_sparse(far, order, v)


def check_sparse(streams, order, v):
    """Compare the rows of orders 2 and up; for a vocabulary too large to list."""
    stream, length = stream_of(streams, order)
    count = np.bincount([i for s in streams for i in s], minlength=v + 3)
    levels = count_ngrams(stream, length, count, order)
    counts, lefts = oracle.counts(streams, order), oracle.lefts(streams, order)
    for k, level in enumerate(levels[1:], 2):
        grams = sorted(counts[k - 1])
        assert level.token.tolist() == [g[-1] for g in grams]
        assert level.count.tolist() == [counts[k - 1][g] for g in grams]
        if k < order:
            assert level.left.tolist() == [len(lefts[k - 1][g]) for g in grams]


@pytest.mark.parametrize("order", [70, 300])
def test_ngrams_may_be_longer_than_sequences(order):
    """From order 255 on, positions need two bytes."""
    rng = np.random.default_rng(1)
    streams = [[1, *rng.integers(3, 6, n).tolist(), 2] for n in (1, 2, 30, 80, 320)]
    streams.append(streams[3])
    check(streams, order, 3)


def test_a_text_of_one_token_is_counted():
    for order in (1, 2, 3, 5):
        check([[1, 3, 2]], order, 1)


def test_a_short_text_of_a_long_order_has_empty_top_orders():
    stream, length = stream_of([[1, 3, 2]], 5)
    levels = count_ngrams(stream, length, np.array([0, 1, 1, 1]), 5)
    assert [len(level.token) for level in levels] == [4, 2, 1, 0, 0]


def test_unknown_tokens_differ_from_padding():
    # <unk> is id 0 and so is padding: `a </s>` and `a <unk>` must stay different
    check([[1, 3, 0, 0, 2], [1, 3, 2], [1, 0, 2], [1, 3, 0, 2]], 4, 1)


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("jobs, range_windows", [(1, 1 << 20), (2, 500), (3, 50)])
def test_ranges_and_threads_change_no_count(order, jobs, range_windows):
    rng = np.random.default_rng(order)
    streams = [[1, *(3 + np.minimum(rng.geometric(0.1, n), 40)).tolist(), 2] for n in rng.integers(1, 30, 150)]
    check(streams, order, 41, jobs, range_windows)


def test_windows_too_wide_for_a_key_are_sorted_by_argsort(monkeypatch):
    """2**17 windows need 17 bits for their rank and 17 for their number: no room for ids of 31 bits."""
    used = []
    argsort = np.argsort
    monkeypatch.setattr(np, "argsort", lambda *a, **more: used.append(1) or argsort(*a, **more))
    m, order = 1 << 17, 4
    rng = np.random.default_rng(7)
    first = np.repeat(np.arange(3, m // 2 + 3), 2)  # each first id twice, so all are tied
    # consecutive windows id, x, y, EOS; x and y break the ties
    stream = np.full((m, 4), EOS, np.uint32)
    stream[:, 0] = rng.permutation(first)
    stream[:, 1:3] = rng.integers(1 << 30, (1 << 30) + 3, (m, 2))
    flat = np.concatenate((stream.ravel(), np.zeros(order, np.uint32)))
    place = np.arange(0, 4 * m, 4)
    found = sorted_windows(keys_at(flat, place, order, 31), order, 31)
    assert used  # the slow path ran
    expected, number = np.unique(stream, axis=0, return_counts=True)
    for k in range(order):
        assert (found.ids(np.arange(len(expected)), k) == expected[:, k]).all()
    assert (np.diff(found.at) == number).all()
    same = expected[1:] == expected[:-1]
    assert (found.d[1:] == 1 + same.argmin(1)).all() and found.d[0] == 1


@examples(100)
@given(st.integers(2, 32), st.integers(1, 9), st.integers(1, 200), st.integers(2, 40), st.integers(0, 2**32))
def test_windows_are_sorted_as_rows_are(bits, order, m, kinds, seed):
    """Keys of any width and number, with weights and labels and without, beside NumPy's sort of rows."""
    rng = np.random.default_rng(seed)
    some = rng.integers(3, max(1 << bits, 4), kinds) if bits > 2 else np.full(kinds, 3)
    rows = some[rng.integers(0, kinds, (m, order))].astype(np.uint32)
    rows[:, 0] = np.where(rng.random(m) < 0.2, some.max(), rows[:, 0])
    weight = rng.integers(1, 9, m)
    label = np.sort(rng.integers(0, 5, m)).astype(np.uint32)
    for labelled in (False, True):
        wide = np.column_stack((label, rows)) if labelled else rows
        expected, which = np.unique(wide, axis=0, return_inverse=True)
        which = which.reshape(-1)
        differ = (expected[1:] != expected[:-1]).argmax(axis=1) + 1
        for by in (None, weight):
            keys = packed([*rows.T], bits)
            if labelled:
                found = refined(keys, order, bits, by, label)
            else:
                found = (sorted_windows if order % 2 else refined)(keys, order, bits, by)
            assert np.diff(found.at).tolist() == np.bincount(which, by).tolist()
            assert found.d[1:].tolist() == differ.tolist() and found.d[0] == 1
            for k in range(order):
                assert found.ids(np.arange(len(expected)), k).tolist() == expected[:, k + labelled].tolist()


@pytest.mark.parametrize(("bits", "order"), [(22, 3), (24, 3), (18, 4), (14, 5), (9, 8), (3, 22), (21, 3), (16, 2)])
@pytest.mark.parametrize("weights", ["none", "one", "three"])
@pytest.mark.parametrize("spread", ["few", "many", "all"])
def test_windows_of_a_few_bits_more_than_a_key_are_sorted_in_groups(monkeypatch, bits, order, weights, spread):
    """First ids that are near to each other, far apart, and the smallest and largest of all; some windows are equal."""
    monkeypatch.setattr(key_sort, "_GROUP", 64)
    monkeypatch.setattr(key_sort, "_GATHERED", 100)
    monkeypatch.setattr(key_sort, "_MANY", 1000)
    rng = np.random.default_rng(bits)
    m, top = 1500, 1 << bits
    rows = rng.integers(0, top, (m, order)).astype(np.uint32)
    rows[:, 0] = {
        "few": top - 1 - rng.integers(0, min(top, 3), m),
        "many": (top ** rng.random(m)).astype(np.int64) - 1,
        "all": rng.choice([0, top - 1], m),
    }[spread]
    rows[rng.integers(0, m, m // 2)] = rows[rng.integers(0, m, m // 2)]
    weight = {"none": None, "one": rng.integers(1, 9, m), "three": rng.integers(0, 9, (m, 3))}[weights]
    expected, which = np.unique(rows, axis=0, return_inverse=True)
    every = np.ones(m, np.int64) if weight is None else weight
    total = np.zeros((len(expected), *every.shape[1:]), np.int64)
    np.add.at(total, which.reshape(-1), every)
    used = []
    groups = key_sort._groups
    monkeypatch.setattr(key_sort, "_groups", lambda *a: used.append(groups(*a)) or used[-1])
    found = sorted_windows(packed([*rows.T], bits), order, bits, weight)
    assert np.array_equal(np.diff(found.at, axis=0), total)
    for k in range(order):
        assert found.ids(np.arange(len(expected)), k).tolist() == expected[:, k].tolist()
    assert found.d.tolist() == [1, *((expected[1:] != expected[:-1]).argmax(axis=1) + 1)]
    if bits * order > 64 or weights != "none":
        (base,) = used
        assert len(base) > 1 or spread == "few" or bits == 3


@pytest.mark.parametrize(("bits", "order"), [(8, 16), (16, 8), (21, 6), (32, 4)])
@pytest.mark.parametrize("m", [1, 2])
def test_windows_whose_other_columns_fill_a_key(bits, order, m):
    rows = np.random.default_rng(1).integers(3, 1 << bits, (m, order)).astype(np.uint32)
    found = sorted_windows(packed([*rows.T], bits), order, bits)
    assert [found.ids(np.arange(m), k).tolist() for k in range(order)] == rows[np.lexsort(rows.T[::-1])].T.tolist()


def test_a_block_that_fails_ends_the_count(monkeypatch):
    """Threads that wait for what it would have filled get its error, too."""
    rng = np.random.default_rng(3)
    streams = [[1, *rng.integers(3, 9, n).tolist(), 2] for n in rng.integers(1, 30, 100)]
    argsort, calls = np.argsort, []

    def failing(*args, **more):
        calls.append(1)
        if len(calls) == 3:
            raise MemoryError
        return argsort(*args, **more)

    stream, length = stream_of(streams, 3)
    counts = id_counts(streams, 9)
    monkeypatch.setattr(ngrams, "_STREAM_BLOCK", 100)
    monkeypatch.setattr(ngrams.np, "argsort", failing)
    with pytest.raises(MemoryError):
        count_ngrams(stream, length, counts, 3, 2)


@examples(100)
@given(streams_of(8), st.integers(1, 9), st.sampled_from([4, 5, 9, 20, 32]))
def test_keys_along_a_text_are_those_of_its_places(streams, order, bits):
    stream, length = stream_of(streams, order)
    place = np.arange(length - 1)
    along, at = keys_along(stream, length - 1, order, bits), keys_at(stream, place, order, bits)
    assert [key.tolist() for key in along] == [key.tolist() for key in at]


def test_links_are_found_by_argsort_when_a_key_has_no_spare_bits(monkeypatch):
    """As if the row's number did not fit beside its key."""
    argsorted = []
    suffix_range = suffixes._suffix_range

    def wide(suffix, token, low, high, bits, wants_link):
        argsorted.append(1)
        return suffix_range(suffix, token, low, high, 60 - int(high).bit_length(), wants_link)

    monkeypatch.setattr(suffixes, "_suffix_range", wide)
    rng = np.random.default_rng(5)
    streams = [[1, *rng.integers(3, 9, n).tolist(), 2] for n in rng.integers(1, 30, 100)]
    check(streams, 5, 6)
    check(streams, 5, 6, 2, 100)
    assert argsorted
