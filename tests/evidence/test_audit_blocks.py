"""The audit works in blocks: their size changes no figure."""

import random

import numpy as np
import pytest
from test_content import model_of, source

from markov_cli.evidence.corpus import extraction, leave_one_out
from markov_cli.evidence.model_evidence import audit
from markov_cli.evidence.table import forced_string_list, forced_strings, random_text


def figures(found):
    return [vars(o) | {"differences": None} for o in found.orders], [
        vars(o) | {"differences": None} for _, o in sorted(found.against.orders.items())
    ]


@pytest.mark.parametrize("block", [7])
def test_blocks_of_any_size_give_the_same_audit(monkeypatch, block):
    r = random.Random(block)
    texts = ["".join(r.choice("abcdef") for _ in range(r.randint(1, 40))) for _ in range(12)] + ["abcdefghijklmnop" * 2]
    model = model_of(texts, 4)
    want = audit(model, least=3, corpus=[source(texts)])
    for room in (extraction, leave_one_out, forced_strings, forced_string_list):
        monkeypatch.setattr(room, "_BLOCK", block)
    monkeypatch.setattr(random_text, "_RUNS", block)
    monkeypatch.setattr(random_text, "_STEPS", 2)
    found = audit(model, least=3, corpus=[source(texts)])
    assert figures(found) == figures(want)
    for name in ("ids", "size", "count", "exact", "opens", "closes"):
        assert np.array_equal(getattr(found.strings, name), getattr(want.strings, name))


@pytest.mark.parametrize("most", [3, 40, 1 << 62])
def test_the_first_of_equal_keys_is_found(most):
    r = np.random.default_rng(most)
    for n in (1, 2, 50, 300):
        key = r.integers(0, most, n).astype(np.uint64)  # small ones have no high bits: all groups are mixed
        assert forced_strings._firsts(key).tolist() == sorted(np.unique(key, return_index=True)[1].tolist())
