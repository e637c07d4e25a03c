"""Interning: each distinct token gets one number, even when hashes collide."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import examples
from markov_cli.text import interning
from markov_cli.text.interning import TypeInterner
from markov_cli.text.types import Types, order_of_types


def numbers(known, tokens):
    """Numbers of [(bytes, flags)], passed as the arrays of a block."""
    data = b"".join(t for t, _ in tokens)
    length = np.array([len(t) for t, _ in tokens], np.int64)
    flags = np.array([f for _, f in tokens], np.uint8)
    a = np.frombuffer(data + bytes(8), np.uint8)
    return known.numbers(a, np.cumsum(length) - length, length, flags).tolist()


def listed(types):
    return [
        (types.blob[s : s + n].tobytes(), int(f))
        for s, n, f in zip(types.start, types.length, types.flags, strict=True)
    ]


def check(batches):
    """Check that equal tokens share a number, different ones do not, and the types hold the tokens."""
    known = TypeInterner()
    seen = {}
    for tokens in batches:
        for token, number in zip(tokens, numbers(known, tokens), strict=True):
            assert seen.setdefault(token, number) == number
    types = listed(known.types())
    assert len(types) == len(known) == len(seen)
    assert all(types[number] == token for token, number in seen.items())


# tokens with a common prefix, at lengths around multiples of eight bytes
some_ends = st.binary(min_size=1, max_size=2)
some_bytes = st.one_of(
    st.binary(min_size=1, max_size=3),
    st.builds(lambda n, end: b"a" * n + end, st.sampled_from([5, 6, 7, 8, 14, 15, 16, 23, 31]), some_ends),
    st.builds(lambda n: bytes(n), st.integers(1, 20)),  # NULs only: just the length differs
)
tokens = st.lists(st.tuples(some_bytes, st.integers(0, 3)), min_size=1, max_size=20)
batches = st.lists(tokens, min_size=1, max_size=4)


@examples(200)
@given(batches)
def test_distinct_tokens_have_distinct_numbers(batches):
    check(batches)


@given(batches)
def test_colliding_hashes_are_resolved(batches):
    """All long words get one hash, so only the bytes differ."""

    def constant(self, view, start, *rest):
        return np.full(len(start), 7, np.uint64)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TypeInterner, "_fold", constant)
        check(batches)


@pytest.mark.parametrize("slot", [0, -1])
@given(batches)
def test_colliding_slots_are_resolved(slot, batches):
    """All keys want the first slot of the table, or the last."""

    def constant(mixed, table):
        return np.full(len(mixed), slot % len(table), np.int64)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interning._Slots, "_slot", staticmethod(constant))
        check(batches)


def test_tables_grow():
    """Far more types, short and long, than the tables hold at first."""
    tokens = [(b"%d" % i, 0) for i in range(30_000)] + [(b"a long word %d" % i, i % 4) for i in range(5_000)]
    random.Random(1).shuffle(tokens)
    check([tokens[:100], tokens[:20_000], tokens])


def test_several_threads_agree_on_the_numbers():

    known = TypeInterner()
    some = [(b"%d" % (i % 3000), 0) for i in range(4000)]
    some += [(b"a long word %d" % (i % 900), i % 2) for i in range(2000)]
    lots = [random.Random(i).sample(some, len(some)) for i in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(lambda lot: numbers(known, lot), lots)]
    seen = {}
    for lot, their in zip(lots, found, strict=True):
        for token, number in zip(lot, their, strict=True):
            assert seen.setdefault(token, number) == number
    assert [t for t, _ in sorted(seen.items(), key=lambda item: item[1])] == listed(known.types())


def test_a_look_up_waits_while_another_thread_stores_the_first_long_type():
    """Seen in training: a thread looked up a long token between two steps of storing the first one."""
    known = TypeInterner()
    half_way = Event()

    class Slow(interning.Growing):
        def extend(self, values):
            if not self.size:
                half_way.set()
                time.sleep(0.1)  # without a lock the other thread would look in now
            super().extend(values)

    known._seen = Slow(np.uint64, 4)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(numbers, known, [(b"longerthaneight", 0)])
        assert half_way.wait(60)
        second = numbers(known, [(b"longerthannine", 0), (b"longerthaneight", 0)])
        assert [*first.result(), *second] == [0, 1, 0]


def test_a_block_may_hold_long_words_only():
    check([[(b"abcdefgh", 0), (b"abcdefghi", 0), (b"abcdefgh", 0)], [(b"abcdefgh", 1)]])


def test_very_long_words_are_told_apart():
    # differences in the last byte, the first byte and the length
    long = b"x" * 100_000
    check([[(long + b"a", 0), (long + b"b", 0), (b"y" + long, 0), (long, 0), (long, 0)]])


def test_equal_bytes_with_different_flags_are_different_types():
    for token in (b",", b"1234567", b"12345678", b"a word of many bytes"):
        known = TypeInterner()
        assert len(set(numbers(known, [(token, f) for f in (0, 1, 2, 3)]))) == 4


def types_from(tokens):
    length = np.array([len(t) for t, _ in tokens], np.int64)
    return Types(
        np.frombuffer(b"".join(t for t, _ in tokens), np.uint8),
        np.cumsum(length) - length,
        length,
        np.array([f for _, f in tokens], np.uint8),
    )


counted = st.tuples(st.tuples(some_bytes, st.integers(0, 3)), st.integers(0, 2))


@examples(300)
@given(st.lists(counted, min_size=1, max_size=30, unique_by=lambda t: t[0]))
def test_order_is_by_falling_count_then_bytes_then_flags(rows):
    tokens, count = [t for t, _ in rows], [c for _, c in rows]
    order = order_of_types(types_from(tokens), np.array(count, np.int64))
    assert order.tolist() == sorted(range(len(rows)), key=lambda i: (-count[i], *tokens[i]))


def test_many_types_are_sorted():
    rng = random.Random(2)
    tokens = [*{(bytes(rng.choices(b"ab\0", k=rng.randint(1, 40))), rng.randint(0, 3)) for _ in range(3000)}]
    order = order_of_types(types_from(tokens), np.ones(len(tokens), np.int64))
    assert [tokens[i] for i in order] == sorted(tokens)


def test_taken_types_have_a_blob_of_their_own():
    types = types_from([(b"one", 0), (b"two", 1), (b"three", 2)])
    assert listed(types.take(np.array([2, 0]))) == [(b"three", 2), (b"one", 0)]
    assert types.take(np.array([2, 0])).blob.tobytes() == b"threeone"


def test_types_of_megabytes_are_told_apart_and_sorted():
    # above HUGE a token is hashed and compared as a whole; above 4 kB Python sorts ties
    long = b"x" * 3_000_000
    tokens = [(long + b"b", 0), (long, 0), (long + b"a", 0), (long, 0), (long + b"a", 1)]
    check([tokens])
    distinct = [tokens[0], tokens[1], tokens[2], tokens[4]]
    order = order_of_types(types_from(distinct), np.ones(4, np.int64))
    assert [distinct[i] for i in order] == sorted(distinct)
