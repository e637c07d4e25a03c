"""The content figure of `audit --corpus`: exact, as the list of all texts with the same table says."""

import itertools
import json
import math
import random
from collections import Counter

import numpy as np
import pytest

import markov_cli
from markov_cli.evidence.corpus import equal_sequences as equal
from markov_cli.evidence.corpus.corpus_rows import read_corpus
from markov_cli.evidence.model_evidence import audit
from markov_cli.text.reading import Source

CORPORA = [
    ["ab", "ab", "ba"],  # the table of bigrams proves no copy
    ["ab", "ab"],
    ["a", "a", "a", "b"],
    ["abab"],
    ["ab", "a", "ab"],
    ["aba", "aba"],
    ["aab", "ab", "b"],
    ["ba", "ab", "aa"],
]


def model_of(texts, order, **more):
    return markov_cli.train(
        texts=["\n".join(map(" ".join, texts))], order=order, tokenizer="spaces", unit="line", **more
    )


def source(texts, name="text"):
    return Source(name, data="\n".join(map(" ".join, texts)).encode())


def ngrams(texts, order):
    padded = ["<" * (order - 1) + t + ">" for t in texts]
    return Counter(t[i : i + order] for t in padded for i in range(len(t) - order + 1))


def orders_of(texts):
    """Number of orders that the sequences can stand in."""
    return len(set(itertools.permutations(texts)))


@pytest.mark.parametrize("texts", CORPORA, ids="-".join)
def test_content_equals_the_list_of_all_texts(texts):
    tokens = sum(map(len, texts))
    letters = "".join(texts) + ">" * (len(texts) - 1)
    every = {tuple("".join(p).split(">")) for p in itertools.permutations(letters)}
    found = audit(model_of(texts, 3), corpus=[source(texts)]).against
    table = {o.order: o for o in audit(model_of(texts, 3)).orders}
    assert found.distinct_sequences == len(set(texts))
    bits = {}
    for order in (1, 2, 3):
        bits[order] = math.log2(sum(ngrams(t, order) == ngrams(texts, order) for t in every))
    of_order = math.log2(orders_of(texts))
    for order in (1, 2, 3):
        one = found.orders[order].division
        assert one.order_bits == pytest.approx(of_order, abs=1e-9)
        assert one.content_bits_per_token == pytest.approx((bits[order] - of_order) / tokens, abs=1e-9)
        if bits[1] > of_order:
            assert one.retained == pytest.approx(1 - (bits[order] - of_order) / (bits[1] - of_order), abs=1e-9)
        assert table[order].content_bits_per_token <= one.content_bits_per_token + 1e-9  # the bound is one
        assert table[order].retained >= one.retained - 1e-9
        assert table[order].content_is == ("exact" if len(texts) == 1 else "bound")


def test_the_text_shows_copies_that_the_table_does_not():
    found = audit(model_of(["ab", "ab", "ba"], 2), corpus=[source(["ab", "ab", "ba"])])
    assert found.orders[1].content_bits_per_token < found.against.orders[2].division.content_bits_per_token


@pytest.mark.parametrize("chunk", [1, 7, 1 << 19])
def test_equal_sequences_equal_plain_python(monkeypatch, chunk):
    monkeypatch.setattr(equal, "_CHUNK", chunk)
    r = random.Random(chunk)
    for _ in range(6):
        texts = ["".join(r.choice("ab") for _ in range(r.randint(1, 4))) for _ in range(r.randint(1, 30))]
        model = model_of(texts, 2)
        c = read_corpus(model.vocabulary, model.header.options, [source(texts)])
        want = sorted(n for n in Counter(texts).values() if n > 1)
        assert sorted(equal.equal_sequences(c).tolist()) == want
        with monkeypatch.context() as m:  # all hashes collide
            m.setattr(equal, "_hashes", lambda c: np.zeros(c.sequences, np.uint64))
            assert sorted(equal.equal_sequences(c).tolist()) == want


def test_content_is_given_only_for_the_models_own_text():
    texts = ["ab", "ab", "ba"]
    for other in (["ab", "ba", "ba"], ["ab", "ab"], ["ab", "ab", "ba", "ab"]):
        found = audit(model_of(texts, 2), corpus=[source(other)])
        assert found.against.is_not
        assert all(o.division is None for o in found.against.orders.values())
    split = audit(model_of(texts, 2), corpus=[source(texts[:1], "one"), source(texts[1:], "two")])
    assert split.against.orders[2].division.content_bits_per_token > 0


def test_content_of_unusual_models():
    texts = ["ab", "ab", "ac", "ad", "ba"]
    rare = audit(model_of(texts, 2, min_type_count=2), corpus=[source(texts)])  # c and d are <unk>: `a <unk>` twice
    assert sorted(rare.against.equal.tolist()) == [2, 2]
    assert rare.against.orders[2].division.content_bits_per_token > 0
    for more in ({"prune": (0, 1)}, {"min_sequences": 2}):  # rows are missing: the number of texts is unknown
        found = audit(model_of(texts, 2, **more), corpus=[source(texts)])
        assert found.orders[1].forgotten is None and found.notes
        assert found.against.orders[2].division is None
    one = model_of(texts, 2)
    weighted = audit(markov_cli.merge([one, one], weights=[0.5, 2.0]), corpus=[source(texts)])
    assert weighted.against.orders[2].division is None and "weighted" in weighted.notes[0]
    merged = audit(markov_cli.merge([one, one]), corpus=[source(texts), source(texts, "again")])
    assert sorted(merged.against.equal.tolist()) == [2, 2, 2, 4]


def test_the_command_prints_the_exact_figure_beside_the_bound(tmp_path, run):
    text, model = tmp_path / "t.txt", tmp_path / "m.npz"
    text.write_text("a b\na b\nb a\n")
    assert run("train", text, "--unit", "line", "-n", 2, "-o", model, "-q").code == 0
    shown = run("audit", model, "--corpus", text).stdout
    assert "content, a token >=" in shown and "\ncontent, a token  " in shown
    assert "3 sequences, 2 of them distinct" in shown
    found = json.loads(run("audit", model, "--corpus", text, "--json").stdout)
    top = found["orders"][1]
    assert found["corpus_distinct_sequences"] == 2 and top["corpus_content_is"] == "exact"
    assert top["corpus_order_bits"] == pytest.approx(math.log2(3), abs=1e-6)
    assert top["content_bits_per_token"] < top["corpus_content_bits_per_token"] and top["content_is"] == "bound"
    alone = json.loads(run("audit", model, "--json").stdout)["orders"][1]
    assert "corpus_content_bits_per_token" not in alone and alone["content_is"] == "bound"
