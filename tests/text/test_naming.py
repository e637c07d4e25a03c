"""Names of types in word formats: every name parses back to its type and holds no white space."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arpa_files import odd_bytes, odd_types
from markov_cli.text.tokenizer import LEFT, RIGHT
from markov_cli.text.types import MARKERS
from markov_cli.text.vocabulary import Vocabulary
from markov_cli.text.word_escapes import name_of, names_of, parse_name, parse_names


def test_names_are_the_bytes_or_their_escapes():
    assert name_of(b"it's") == b"it's" and name_of("é\\u".encode()) == "é\\u".encode()
    assert name_of(b",", LEFT) == "￭,".encode() and name_of(b"(", RIGHT) == "(￭".encode()
    assert name_of(b"-", LEFT | RIGHT) == "￭-￭".encode()
    assert name_of("a\u00a0b\x0b".encode()) == b"a\\u{A0}b\\u{B}"
    assert [name_of(m.encode())[:6] for m in (*MARKERS, "<UNK>")] == [b"\\u{3C}"] * 4
    assert name_of("￭a￭￭".encode()) == "\\u{FFED}a￭\\u{FFED}".encode()
    assert name_of(b"\\u{20}") == b"\\u{5C}u{20}"
    assert name_of(b"a\xff") == b"a\\u{DCFF}"


@pytest.mark.parametrize(
    "name", ["￭", "￭￭", "\\u{61}", "\\u{020}", "\\u{1F600}", "\\u{110000}", "\\u{D800}", "\\u{}", "\\u{a0}"]
)
def test_a_name_that_is_no_escape_is_its_own_bytes(name):
    assert parse_name(name.encode()) == (name.encode(), 0)


@given(odd_types)
def test_names_parse_back_and_hold_no_white_space(types):
    names = [name_of(*t) for t in types]
    assert len(set(names)) == len(names)
    assert [parse_name(n) for n in names] == types
    for name in names:
        assert not any(c.isspace() or c < " " for c in name.decode())


@given(odd_types)
def test_names_of_a_whole_vocabulary_equal_names_of_single_types(types):
    blob = np.frombuffer(b"".join(t for t, _ in types), np.uint8)
    offsets = np.cumsum([0, 0, 0, 0, *(len(t) for t, _ in types)])
    flags = np.array([0, 0, 0, *(f for _, f in types)], np.uint8)
    names, edge = names_of(Vocabulary(blob, offsets, flags, "words"))
    listed = [names[i:j].tobytes() for i, j in pairwise(edge)]
    assert listed == [*(m.encode() for m in MARKERS), *(name_of(*t) for t in types)]
    back = parse_names(names, edge)
    assert [back.bytes_of(i) for i in range(3, len(back))] == types


@given(st.lists(odd_bytes, min_size=1, max_size=8))
def test_a_foreign_word_is_parsed_alike_alone_and_in_an_array(words):
    together = parse_names(np.frombuffer(b"".join(words), np.uint8), np.cumsum([0, *map(len, words)]))
    assert [together.bytes_of(i) for i in range(len(words))] == [parse_name(w) for w in words]
