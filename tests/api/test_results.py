"""Results as JSON: what is left out, put inline, rounded."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

import markov_cli
from markov_cli.api.results import INLINE, OPTIONAL, PYTHON_ONLY, Marker, Result, rounded, significant


@dataclass(frozen=True)
class Inner(Result):
    share: float | None = rounded(2)


@dataclass(frozen=True, kw_only=True)
class Outer(Result):
    name: str
    shares: Mapping[int, float] = rounded(2)
    p: float = significant(3)
    token: str | Marker = "a"
    missing: int | None = field(default=None, metadata=OPTIONAL)
    inner: Inner | None = field(default=None, metadata=INLINE)
    raw: bytes = field(default=b"", metadata=PYTHON_ONLY)


def test_every_kind_of_field():
    one = Outer(name="x", shares={10: 1 / 3, 20: 0.0}, p=0.00012345, token=Marker("</s>"), inner=Inner(0.125), raw=b"x")
    assert one.to_dict() == {
        "name": "x", "shares": {"10": 0.33, "20": 0.0}, "p": 0.000123,
        "token": {"token": None, "marker": "</s>"}, "share": 0.12,
    }  # fmt: skip
    assert list(Outer(name="x", shares={}, p=1.0).to_dict()) == ["name", "shares", "p", "token"]
    assert Outer(name="x", shares={}, p=1.0, missing=0).to_dict()["missing"] == 0


@pytest.mark.parametrize("x", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_is_null(x):
    assert Inner(x).to_dict() == {"share": None}


def test_no_minus_zero():
    assert json.dumps(Inner(-0.001).to_dict()) == '{"share": 0.0}'


def test_a_result_cannot_be_changed():
    with pytest.raises(AttributeError):
        Inner(1.0).share = 2.0


def test_full_precision_in_python_and_rounded_in_json():
    found = markov_cli.inspect(markov_cli.train(texts="a b a b a c", order=2)).orders[1]
    assert found.entropy_bits == pytest.approx(2.7548875 / 7, abs=1e-6)  # three steps from a: 2 log2(3/2) + log2 3
    assert found.to_dict()["entropy_bits"] == round(found.entropy_bits, 6) != found.entropy_bits
