"""Recent words and n-grams: against a slow oracle, and the same however the text is cut."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli as m
from conftest import examples
from markov_cli.errors import OptionError
from markov_cli.scoring import recent_text
from markov_cli.scoring.recent_text import estimated_discount, recent, windows
from markov_cli.text.marker_stream import Stream
from markov_cli.text.types import BOS, EOS

LINES = ["the cat ran", "the dog ran", "a cat sat", "a dog sat", "the cat sat on the mat", "a dog ran"]
sentences = st.lists(st.lists(st.integers(3, 7), min_size=1, max_size=5), min_size=1, max_size=6)
documents = st.lists(sentences, min_size=1, max_size=4)


def laid_out(texts):
    ids, number = [], []
    for k, text in enumerate(texts):
        for sentence in text:
            ids += [BOS, *sentence, EOS]
            number += [k] * (len(sentence) + 2)
    return np.array(ids), np.array(number)


def slow(ids, number, half_life, discount, base):
    """Words, n-grams and hit of every place, straight from the definitions."""
    out = []
    for i, w in enumerate(ids):
        begin = min(j for j in range(len(ids)) if number[j] == number[i])
        before = [int(x) for x in ids[begin:i]]
        said = [x for x in before if x != BOS]
        weight = [0.5 ** ((len(said) - 1 - j) / half_life) for j in range(len(said))]
        words = sum(a for a, x in zip(weight, said, strict=True) if x == w) / sum(weight) if said else float("nan")
        sentence = before[len(before) - 1 - before[::-1].index(BOS) :] if BOS in before else []
        p, hit = base[i], 0
        for length in range(4):
            if length > len(sentence):
                break
            h = sentence[len(sentence) - length :]
            after = [
                before[j]
                for j in range(len(before))
                if before[j] != BOS
                and j >= length
                and before[j - length : j] == h
                and BOS not in before[j - length + 1 : j]
            ]
            if after:
                c = after.count(int(w))
                p = (max(c - discount, 0) + discount * len(set(after)) * p) / len(after)
                hit = max(hit, length)
        out.append((words, p, hit))
    return out


@given(documents, st.sampled_from([1.0, 7.0]), st.sampled_from([0.4, 0.9]))
@examples(60)
def test_recent_is_what_the_definitions_say(texts, half_life, discount):
    ids, number = laid_out(texts)
    base = np.linspace(0.01, 0.2, len(ids))
    found = recent(ids, number, half_life, discount, base)
    for i, (words, ngrams, hit) in enumerate(slow(ids, number, half_life, discount, base)):
        if ids[i] != BOS:
            assert found.words[i] == pytest.approx(words, abs=1e-12, nan_ok=True)
            assert found.ngrams[i] == pytest.approx(ngrams, abs=1e-12)
            assert found.hit[i] == hit


@given(documents, st.data())
@examples(60)
def test_the_cut_into_streams_changes_nothing(texts, data):
    ids, number = laid_out(texts)
    base = np.full(len(ids), 0.1)
    ends = np.flatnonzero(np.diff(number)) + 1
    cuts = sorted(data.draw(st.sets(st.integers(1, len(ids) - 1), max_size=4)))
    edges = [0, *cuts, len(ids)]

    def streams():
        for low, high in pairwise(edges):
            yield Stream(ids[low:high], documents=ends[(ends > low) & (ends <= high)] - low)

    old, recent_text.SPAN = recent_text.SPAN, 8  # so that these texts are many spans long
    try:
        whole = next(list(w) for _, w in windows([Stream(ids, documents=ends)]))
        parts = [w for _, some in windows(streams()) for w in some]
    finally:
        recent_text.SPAN = old

    def features(some):
        out = []
        for w in some:
            found = recent(w.codes, w.document, 3.0, 0.5, base[: len(w.codes)])
            out += [x[w.new :] for x in (np.stack((found.words, found.ngrams, found.hit), axis=1),)]
        return np.concatenate(out)

    assert np.array_equal(features(whole), features(parts), equal_nan=True)
    assert np.concatenate([w.codes[w.new :] for w in parts]).tolist() == ids.tolist()


def test_discount_is_that_of_the_pairs():
    # pairs of words: (3 4) twice, (4 5), (5 3), (4 6) once; with the markers two sentences of 5 pairs
    ids, number = laid_out([[[3, 4, 5], [3, 4, 6]]])
    # once: 4 5, 5 </s>, 4 6, 6 </s>, </s> <s>; twice: <s> 3, 3 4
    assert estimated_discount(ids, number) == round(5 / (5 + 2 * 2), 6)
    assert estimated_discount(ids[:2], number[:2]) == 0.5


# ------------------------------------------------------------ score --adapt


@pytest.fixture(scope="module", params=[False, True], ids=["linear", "log-linear"])
def tuned(request):
    model = m.train(texts=LINES * 3, order=4, unit="line")
    held_out = ["the dog sat\nmat on dog\nmat on dog\nmat on dog on a mat\na cat ran on the mat"]
    return m.tune(model, texts=held_out, classes=[3], adapt=True, log_linear=request.param).model


def bits(model, texts, **more):
    return [one.bits for one in m.score_tokens(model, texts=texts, adapt=True, **more)]


def test_a_word_that_was_read_is_more_probable_later(tuned):
    once = bits(tuned, ["the mat sat\nthe mat sat"])
    assert sum(once[4:]) < sum(once[:4])


def test_no_token_sees_itself_or_what_follows(tuned):
    short, long = bits(tuned, ["the cat sat"]), bits(tuned, ["the cat sat\nthe cat ran"])
    assert long[:4] == short  # the same to the last bit


def test_each_text_and_each_object_begins_anew(tuned):
    one = bits(tuned, ["the mat sat"])
    assert bits(tuned, ["the mat sat", "the mat sat"]) == one + one
    found = list(m.score_texts(tuned, ["the mat sat", "the mat sat"], adapt=True))
    assert found[0] == found[1]
    assert found[0].perplexity == pytest.approx(2 ** (sum(one) / 4))


def test_every_adapted_distribution_sums_to_one(tuned):
    words = [tuned.vocabulary.text_of(i) for i in range(3, tuned.table.n_ids)]
    for before in ("", "the cat sat\na dog", "the mat ran\nthe mat"):
        n = len(before.split()) + before.count("\n")
        p = [2 ** -bits(tuned, [f"{before} {w}".strip()])[n] for w in [*words, "zebra"]]
        ended = bits(tuned, [before])[-1:]  # </s>
        if ended:
            assert sum(p) + 2 ** -ended[0] == pytest.approx(1, abs=2e-6)  # log-linear: in float32


def test_adapt_needs_a_model_that_was_tuned_for_it(tuned):
    plain = m.train(texts=LINES, unit="line")
    with pytest.raises(OptionError, match="tuned for it"):
        m.score(plain, texts=["a"], adapt=True)
    with pytest.raises(OptionError, match="tuned for it"):
        m.score(m.tune(plain, texts=["the dog sat"], classes=[2]).model, texts=["a"], adapt=True)
    with pytest.raises(OptionError, match="not kn"):
        m.score(tuned, texts=["a"], adapt=True, smoothing="kn")
    with pytest.raises(OptionError, match="one model"):
        m.score([tuned, tuned], texts=["a"], adapt=True)


def test_json_lines_begin_anew(run, tuned, tmp_path):
    tuned.save(tmp_path / "t.npz")
    (tmp_path / "x.jsonl").write_text('{"t": "the mat sat"}\n' * 2)
    found = run("score", tmp_path / "t.npz", tmp_path / "x.jsonl", "--jsonl", "t", "--adapt")
    first, second = (json.loads(line) for line in found.stdout.splitlines())
    assert first == second and found.code == 0
