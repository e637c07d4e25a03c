"""Steering: banned words, balanced quotes and brackets, unique texts, constraints on smoothed models."""

import re
from collections import Counter

import numpy as np
import pytest

from cats_and_dogs import CATS, DOGS, train
from engine import model_of
from helpers import chi_squared, run_of
from markov_cli import Constraints
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import AnswerIsNo
from markov_cli.generation.brackets import balanced
from markov_cli.sampling import automata
from markov_cli.sampling.automata import ANY, DEAD

# ------------------------------------------------------------ banned words


def test_an_automaton_avoids_many_phrases():
    rng = np.random.default_rng(1)
    phrases = [[frozenset({int(i)}) for i in rng.integers(3, 9, n)] for n in (1, 2, 2, 3, 3, 4)]
    one = automata.avoiding(phrases)
    other = automata.product([automata.complement(automata.pattern([ANY, *p, ANY])) for p in phrases])
    assert len(one) == len(other)
    for ids in rng.integers(3, 10, (500, 6)).tolist():
        assert (one.after(ids) == DEAD) == (other.after(ids) == DEAD)
        plain = any(
            all(ids[k + j] in p[j] for j in range(len(p))) for p in phrases for k in range(len(ids) - len(p) + 1)
        )
        assert (one.after(ids) == DEAD) == plain


@pytest.mark.parametrize("smoothing", [None, "kn"])
def test_banned_words_are_never_written(smoothing):
    asked = Constraints(ban=["cat", "the dog", "horse"])
    texts = [t.text for t in train(CATS + "\n" + DOGS).generate(200, 1, constraints=asked, smoothing=smoothing)]
    assert len(texts) == 200
    assert not [t for t in texts if re.search(r"\bcat\b|\bthe dog\b", t)]
    assert any("dog" in t for t in texts)


def test_banning_a_word_conditions_the_distribution():
    """The distribution of the model's texts that lack the word."""
    model = train(CATS)
    p = {t.text: 2.0**-t.bits for t in model.generate(5_000, 9) if "mat" not in t.text}
    texts = [t.text for t in model.generate(2_000, 1, constraints=Constraints(ban=["mat"]))]
    told = {text: q / sum(p.values()) for text, q in p.items()}
    assert abs(chi_squared(Counter(texts), told, 2_000)) < 4


def test_a_thousand_words_can_be_banned(harbour):
    model = as_model(model_of(harbour, 3))
    words = [model.vocabulary.text_of(i) for i in range(60, 1_000)]
    texts = [t.text for t in model.generate(20, 1, constraints=Constraints(ban=words))]
    strange = set(words)
    assert len(texts) == 20
    assert not [w for t in texts for w in re.findall(r"\w+", t) if w in strange]


def test_banning_every_text_is_an_error():
    with pytest.raises(AnswerIsNo, match=r"^--ban with 2 lines: no text of the model can meet it$"):
        list(train(CATS).generate(1, 1, constraints=Constraints(ban=["the", "a"])))


# ------------------------------------------------------------ balanced quotes and brackets


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("", True), ("plain", True), ("(a [b] {c})", True), ("(a [b) c]", False), (")(", False),
        ("“Yes,” he said, “no.”", True), ("“Yes, he said.", False), ("Yes,” he said.", False),
        ("“He said ‘yes’ to it.”", True), ("“He said ‘yes” to it.’", False), ("don’t, the dogs’ own", True),
        ("‘don’t’", True), ("‘don’t", False), ("'tis the dogs'", True),
        ('He said "yes".', True), ('He said "yes.', False), ('yes" he said', False), ('("a") "b"', True),
        ('"a "b"', False), ("„Ja“, sagte er", True), ("„Ja”", True), ("»Ja«", True), ("«Oui»", True), ("«Oui", False),
        ("「は『い』」", True), ("「は", False),
    ],
)  # fmt: skip
def test_balanced_recognizes_closed_quotes_and_brackets(text, closes):
    assert balanced(text) == closes


@pytest.mark.parametrize("smoothing", [None, "kn"])
def test_balanced_texts_close_their_quotes(harbour, smoothing):
    model = as_model(model_of(harbour, 3))
    free = [t.text for t in model.generate(100, 1, smoothing=smoothing)]
    texts = [t.text for t in model.generate(100, 1, constraints=Constraints(balanced=True), smoothing=smoothing)]
    assert not all(map(balanced, free))
    assert len(texts) == 100 and all(map(balanced, texts))
    assert any('"' in t for t in texts)


def test_the_reasons_of_rejection_are_counted(harbour):
    model = as_model(model_of(harbour, 3))
    asked = Constraints(balanced=True, match="(?i)never so", tokens=(5, 5))
    run = run_of(model, seed=1, constraints=asked)
    assert list(run.texts()) == []
    assert re.fullmatch(
        r"the others failed in 1,000 tries each; failed checks: --match '\(\?i\)never so' 1,000, --balanced \d+",
        run.constrained.why_fewer,
    )


def test_balanced_combines_with_other_constraints(harbour):
    asked = Constraints(balanced=True, contains=["clock"], tokens=(10, 20))
    texts = list(as_model(model_of(harbour, 3)).generate(50, 1, constraints=asked))
    assert len(texts) == 50
    assert all("clock" in t.text and 10 <= t.tokens <= 20 and balanced(t.text) for t in texts)


# ------------------------------------------------------------ all constraints on smoothed models


@pytest.mark.parametrize("smoothing", ["kn", "wb", "abs", "laplace", "lidstone:0.1"])
def test_all_constraints_hold_on_smoothed_models(smoothing):
    model = train(CATS + "\n" + DOGS)
    asked = [
        (Constraints(contains=["cat", "dog"]), lambda t: "cat" in t and "dog" in t),
        (Constraints(contains=["cat", "dog"], in_order=True), lambda t: re.search(r"\bcat\b.*\bdog\b", t)),
        (Constraints(starts_with="the cat"), lambda t: t.startswith("the cat")),
        (Constraints(ends_with="dog"), lambda t: t.endswith("dog")),
        (Constraints(tokens=(4, 5)), lambda t: 4 <= len(re.findall(r"\w+|,", t)) <= 5),
        (Constraints(characters=(10, 20)), lambda t: 10 <= len(t) <= 20),
        (Constraints(without=["cat"]), lambda t: not re.search(r"\bcat\b", t)),
        (Constraints(match="o.*o"), lambda t: re.search("o.*o", t)),
        (Constraints(pattern="the _ sat *"), lambda t: re.match(r"the \w+ sat\b", t)),
    ]
    for constraints, holds in asked:
        texts = list(model.generate(5, 1, constraints=constraints, smoothing=smoothing))
        assert len(texts) == 5, constraints
        assert all(holds(t.text) and t.complete for t in texts), constraints
        assert all(t.conditioned_bits is not None for t in texts), constraints


# ------------------------------------------------------------ unique texts


def test_unique_keeps_the_first_of_equal_texts(monkeypatch):
    model = train(CATS)
    first = []
    for t in model.generate(3_000, 4):
        if t.text not in [x.text for x in first]:
            first.append(t)
    for count in (3, 7, 8):
        for round_size in (1 << 16, 5):
            monkeypatch.setattr("markov_cli.generation.unique._ROUND", round_size)
            some = list(model.generate(count, 4, unique=True))
            assert [(t.text, t.index, t.bits) for t in some] == [(t.text, t.index, t.bits) for t in first[:count]]


def test_unique_stops_when_no_new_text_comes():
    model = train("a b\na c")
    run = run_of(model, count=5, seed=1, max_tokens=9, unique=True)
    assert sorted(text.text for text in run.texts()) == ["a b", "a c"]
    assert run.closing_notes() == ["2 of 5 texts: 10,500 draws gave no other distinct texts"]


def test_unique_combines_with_constraints():
    some = list(train(CATS).generate(5, 1, unique=True, constraints=Constraints(contains=["cat"])))
    assert len({t.text for t in some}) == 5 and all("cat" in t.text for t in some)
