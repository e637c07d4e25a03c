"""Printing and parsing arrays of decimal numbers."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from markov_cli.formats.decimals import SPARE, Pieces, parsed, printed


def spans(texts):
    data = np.frombuffer(b" ".join(texts) + bytes(SPARE), np.uint8)
    length = np.array([len(t) for t in texts], np.int64)
    return Pieces(data), np.cumsum(length + 1) - length - 1, length


def numbers(*texts):
    x, bad = parsed(*spans(texts))
    assert bad.tolist() == [i for i, v in enumerate(x) if math.isnan(v)]
    return x.tolist()


def as_text(x):
    return printed(np.array(x, np.float64)).tobytes().replace(b"\0", b"").decode().split("\t")[1:]


def test_numbers_have_up_to_eight_decimals_without_trailing_zeros():
    x = [0, -0.0, -1, -99, -100, -999, 3.5, -2.3456789, -0.1, -1e-9, -0.999999999, -9.9999999949, 1e-8]
    expected = "0 0 -1 -99 -100 -999 3.5 -2.3456789 -0.1 0 -1 -9.99999999 0.00000001"
    assert " ".join(as_text(x)) == expected


@given(st.lists(st.floats(-999, 999), min_size=1, max_size=20))
def test_printed_numbers_equal_pythons(x):
    plain = [f"{v:.8f}".rstrip("0").rstrip(".").replace("-0", "0") if abs(v) < 1e-9 else None for v in x]
    for v, text, tiny in zip(x, as_text(x), plain, strict=True):
        assert abs(float(text) - v) <= 5.1e-9 + abs(v) * 1e-15
        assert "e" not in text and not text.endswith(".") and text != "-0"
        assert "." not in text or not text.endswith("0")
        assert tiny is None or text == tiny


@given(st.lists(st.floats(-500, -0.125, width=32), min_size=1, max_size=20))
def test_float32_survives_printing_and_parsing(x):
    back = np.array(numbers(*(t.encode() for t in as_text(x))), np.float32)
    assert back.tolist() == x


def test_numbers_in_every_notation_are_parsed():
    texts = b"0 -0 -1.5 +1.5 .5 -.5 5. -12.25 -123.5 -1234.5 1e-5 -1.5E+2 -inf inf -99 -0.1234567890123456789"
    assert numbers(*texts.split()) == [float(t) for t in texts.split()]
    none = [b"nan", b"-", b".", b"1_0", b"--1", b"1,5", b"1.2.3", b"0x10", b"1-2", b"12/", b"1:.3", b"x", b"1" * 500]
    assert all(map(math.isnan, numbers(*none)))


decimal = st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{0,12})?", fullmatch=True)


@given(st.lists(st.one_of(decimal, st.floats(-1e30, 1e30).map(repr)), min_size=1, max_size=20))
def test_parsed_numbers_are_correctly_rounded(texts):
    assert numbers(*(t.encode() for t in texts)) == [float(t) for t in texts]
