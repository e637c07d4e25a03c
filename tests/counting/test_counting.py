"""Rows of every order: counts, children, left neighbours and links equal the oracle's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
from conftest import examples
from engine import id_counts, stream_of
from markov_cli.counting import key_sort, ngrams
from markov_cli.counting.key_sort import sort_windows
from markov_cli.counting.ngrams import count_ngrams
from markov_cli.text.types import EOS


def streams_of(ids, v=6):
    """Sequences of ids over `v` types, UNK among them."""
    one = st.lists(st.one_of(st.just(0), st.integers(3, v + 2)), min_size=1, max_size=12)
    return st.lists(one.map(lambda s: [1, *s, 2]), min_size=1, max_size=ids)


def check(streams, order, v, jobs=1, range_windows=1 << 20):
    """All levels against the oracle's, row by row, in the order of the trie."""
    stream, length = stream_of(streams, order)
    levels = count_ngrams(stream, length, id_counts(streams, v + 3), order, jobs, range_windows)
    counts, lefts = oracle.counts(streams, order), oracle.lefts(streams, order)
    counts[0] = {(i,): counts[0][(i,)] for i in range(v + 3)}  # every id has its row, seen or not
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


def test_by_hand():
    # "a b a", "a" as ids 3 4 3 and 3: <s> a b a </s>, <s> a </s>
    stream = np.array([2, 3, 4, 3, 2, 3, 2, 0, 0, 0], np.uint32)
    one, two, three = count_ngrams(stream, 7, np.array([0, 2, 2, 3, 1]), 3)
    assert one.count.tolist() == [0, 2, 2, 3, 1]  # <unk> <s> </s> a b
    # <s> a | a </s>, a b | b a
    assert two.token.tolist() == [3, 2, 4, 3] and two.count.tolist() == [2, 2, 1, 1]
    assert one.children.tolist() == [0, 1, 0, 2, 1]
    # `a` stands behind <s> and b, `b` and </s> behind a
    assert one.left.tolist() == [0, 0, 1, 2, 1]
    # <s> a </s>, <s> a b | a b a | b a </s>
    assert three.token.tolist() == [2, 4, 3, 2] and three.count.tolist() == [1, 1, 1, 1]
    assert two.left.tolist() == [0, 2, 1, 1]  # `a </s>` stands behind <s> and b


@examples(150)
@given(streams_of(8), st.integers(1, 7), st.sampled_from([1, 3, 10, 1 << 20]), st.integers(1, 3))
def test_counts_are_the_oracles(streams, order, range_windows, jobs):
    check(streams, order, 6, jobs, range_windows)


@examples(50)
@given(streams_of(8), st.integers(2, 7), st.sampled_from([2, 7, 1 << 20]))
def test_refining_gives_what_packing_gives(streams, order, range_windows):
    """The long way of sorting, for windows that one key would hold."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(key_sort, "fits_one_key", lambda order, bits: False)
        check(streams, order, 6, 1, range_windows)


@examples(30)
@given(streams_of(6, 9), st.integers(2, 7), st.integers(14, 20))
def test_many_types(streams, order, bits):
    """Ids of so many bits that few of them fit one key: orders from 4 (or 5) on are refined."""
    v = 1 << bits
    far = [[i if i < 6 else v - 6 + i for i in s] for s in streams]  # the largest ids among them
    check_sparse(far, order, v)


def check_sparse(streams, order, v):
    """As `check`, for a vocabulary too large to list: the rows above the first."""
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
def test_very_long_ngrams(order):
    """Longer than most sequences; from order 255 on, positions need two bytes."""
    rng = np.random.default_rng(1)
    streams = [[1, *rng.integers(3, 6, n).tolist(), 2] for n in (1, 2, 30, 80, 320)]
    streams.append(streams[3])
    check(streams, order, 3)


def test_one_token():
    for order in (1, 2, 3, 5):
        check([[1, 3, 2]], order, 1)


def test_a_short_text_of_a_long_order_has_empty_top_orders():
    stream, length = stream_of([[1, 3, 2]], 5)
    levels = count_ngrams(stream, length, np.array([0, 1, 1, 1]), 5)
    assert [len(level.token) for level in levels] == [4, 2, 1, 0, 0]


def test_unknown_tokens_are_not_the_zeros_behind_a_sequence():
    # <unk> is id 0, and windows are filled up with 0: `a </s>` and `a <unk>` stay two
    check([[1, 3, 0, 0, 2], [1, 3, 2], [1, 0, 2], [1, 3, 0, 2]], 4, 1)


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("jobs, range_windows", [(1, 1 << 20), (2, 500), (3, 50)])
def test_a_longer_stream_in_ranges(order, jobs, range_windows):
    rng = np.random.default_rng(order)
    streams = [[1, *(3 + np.minimum(rng.geometric(0.1, n), 40)).tolist(), 2] for n in rng.integers(1, 30, 150)]
    check(streams, order, 41, jobs, range_windows)


def test_windows_that_fit_no_key_are_sorted_all_the_same(monkeypatch):
    """2**17 windows need 17 bits for their rank and 17 for their number: no room for ids of 31 bits."""
    used = []
    argsort = np.argsort
    monkeypatch.setattr(np, "argsort", lambda *a, **more: used.append(1) or argsort(*a, **more))
    m, order = 1 << 17, 4
    rng = np.random.default_rng(7)
    first = np.repeat(np.arange(3, m // 2 + 3), 2)  # each first id twice, so that all are tied
    # windows one behind another, each closed: id, x, y, EOS; x and y decide
    stream = np.full((m, 4), EOS, np.uint32)
    stream[:, 0] = rng.permutation(first)
    stream[:, 1:3] = rng.integers(1 << 30, (1 << 30) + 3, (m, 2))
    flat = np.concatenate((stream.ravel(), np.zeros(order, np.uint32)))
    place = np.arange(0, 4 * m, 4)
    found = sort_windows(flat, place, order, 31)
    assert used  # the slow way, which this is about
    expected, number = np.unique(stream, axis=0, return_counts=True)
    for k in range(order):
        assert (found.ids(np.arange(len(expected)), k) == expected[:, k]).all()
    assert (np.diff(found.at) == number).all()
    same = expected[1:] == expected[:-1]
    assert (found.d[1:] == 1 + same.argmin(1)).all() and found.d[0] == 1


def test_no_key_fits_anywhere(monkeypatch):
    """Every column by itself, as if ids had 52 bits."""
    refined = key_sort._refined

    def with_wide_ids(columns, bits, weight=None):
        return refined(columns, 52, weight)

    monkeypatch.setattr(key_sort, "fits_one_key", lambda order, bits: False)
    monkeypatch.setattr(key_sort, "_refined", with_wide_ids)
    rng = np.random.default_rng(3)
    streams = [[1, *rng.integers(3, 6, n).tolist(), 2] for n in rng.integers(1, 30, 100)]
    for order in (2, 3, 6):
        check(streams, order, 3)


def test_left_neighbours_in_tiny_ranges_without_room_for_a_number(monkeypatch):
    """`link` by `argsort`, as where the number of a row has no room beside its key."""
    argsorted = []
    suffix_range = ngrams._suffix_range

    def wide(suffix, token, low, high, bits, wants_link):
        argsorted.append(1)
        return suffix_range(suffix, token, low, high, 60 - int(high).bit_length(), wants_link)

    monkeypatch.setattr(ngrams, "_suffix_range", wide)
    rng = np.random.default_rng(5)
    streams = [[1, *rng.integers(3, 9, n).tolist(), 2] for n in rng.integers(1, 30, 100)]
    check(streams, 5, 6)
    check(streams, 5, 6, 2, 100)
    assert argsorted
