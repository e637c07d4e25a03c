"""Longest matches: n-grams of a text in a corpus, and longer strings by their suffixes, as in plain strings."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import rarely
from markov_cli.evidence.copying.longest_matches import Part, match
from markov_cli.evidence.copying.suffix_array import NumberedText, distinct_in, extremes, longest_end
from markov_cli.evidence.copying.text_ngrams import DEPTH, TextNgrams, open_end


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.data())
def test_extremes_and_distinct_values_of_ranges(values, data):
    ends = [sorted(data.draw(st.tuples(*[st.integers(0, len(values))] * 2))) for _ in range(6)]
    ends = [(a, b) for a, b in ends if a < b] or [(0, len(values))]
    low, high = np.array(ends).T
    v = np.array(values)
    assert [x.tolist() for x in extremes(v, low, high)] == [
        [min(values[a:b]) for a, b in ends],
        [max(values[a:b]) for a, b in ends],
    ]
    assert distinct_in(v, low, high).tolist() == [len(set(values[a:b])) for a, b in ends]


def shared_by(text, corpus, ids):
    ngrams = TextNgrams(text, ids)
    found = ngrams.places(corpus)
    return found, NumberedText(ngrams).share(corpus, found)


def test_keys_too_wide_for_one_sort_give_the_same_suffix_array():
    rng = np.random.default_rng(1)
    text, corpus = rng.integers(0, 3, 3000), rng.integers(0, 3, 20_000)
    _, one = shared_by(text, corpus, 3)
    with mock.patch("markov_cli.arrays.sorting.KEY_BITS", 20):
        _, two = shared_by(text, corpus, 3)
    assert np.array_equal(one.order, two.order)
    assert len(one.levels) == len(two.levels) > 4 and np.array_equal(one.levels[-1], two.levels[-1])


@given(st.lists(st.integers(0, 2), max_size=60), st.lists(st.integers(0, 3), max_size=60), st.integers(0, 20))
def test_the_longest_end_of_a_corpus_that_occurs_in_the_text(text, corpus, copied):
    corpus = [c if c in text else 3 for c in corpus + text[:copied]]
    codes = np.array(corpus, np.int64)
    found, shared = shared_by(np.array(text, np.int64), codes, 3)
    s, t = "".join(map(str, corpus)), "".join(map(str, text))
    longest = max(k for k in range(len(s) + 1) if k == 0 or ("3" not in s[-k:] and s[-k:] in t))
    most = open_end(codes, found, 3)
    if longest < DEPTH:
        assert most == longest
    else:
        assert most >= longest == longest_end(shared)


@pytest.mark.parametrize("letters", [2, *rarely(3, 5)])
def test_long_matches_equal_a_search_of_the_corpus_as_a_string(letters):
    rng = np.random.default_rng(letters)
    corpus = rng.integers(0, letters, 4000)
    text = np.concatenate(
        (rng.integers(0, letters, 300), corpus[1000:1100], rng.integers(0, letters, 30), corpus[-60:])
    )
    s, t = ("".join(map(str, x)) for x in (corpus, text))
    want = []
    for i in range(len(t)):
        n = 1
        while i + n < len(t) and t[i : i + n + 1] in s:
            n += 1
        want.append((n, sum(s.startswith(t[i : i + n], j) for j in range(len(s))), s.index(t[i : i + n])))
    at = np.arange(len(corpus))
    for size in (None, 500, 77):
        parts = [Part(corpus[i], np.zeros(len(i), np.int32), i.astype(np.int32)) for i in np.array_split(at, 9)]
        found, occurring = match(text, letters, parts, size)
        assert [*zip(found.length.tolist(), found.count.tolist(), found.line.tolist(), strict=True)] == want
        assert occurring.tolist() == [s.count(str(k)) for k in range(letters)]
    assert max(n for n, _, _ in want) > 60


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80))
def test_numbers_of_ngrams_follow_those_of_their_beginnings(text):
    ids = np.array(text, np.int64)  # 4 is a mark
    ngrams = TextNgrams(ids, 4)
    strings = {}
    for n, numbers in enumerate(ngrams.numbers(), 1):
        for i in np.flatnonzero(ngrams.row[n - 1] >= 0).tolist():
            strings[tuple(text[i : i + n])] = int(numbers[ngrams.row[n - 1][i]])
    for w in range(4):
        strings.setdefault((w,), int(ngrams.numbers()[0][w]))
    assert sorted(strings, key=strings.get) == sorted(strings)  # tuples: a beginning before what continues it
    assert sorted(strings.values()) == [2 * i for i in range(len(strings))]
