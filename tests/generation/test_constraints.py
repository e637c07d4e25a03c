"""Constrained generation, compared with an enumeration of all texts that meet the constraints.

The enumeration is plain Python over dictionaries: every text with its probability, filtered by a
predicate over lists of tokens.
"""

import math
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from enumeration import CASES, FEW, enumerated, train
from helpers import chi_squared, run_of
from markov_cli import Constraints
from markov_cli.errors import AnswerIsNo, OptionError
from markov_cli.generation import exact, text_automata
from markov_cli.generation.text_checks import TextChecks
from markov_cli.sampling import success_weights
from markov_cli.text.types import BOS


@pytest.fixture(scope="module")
def model():
    return train()


@pytest.fixture(scope="module")
def few():
    """A model with so few texts that nearly all can be enumerated."""
    return train(FEW)


def as_enumerated(model, asked, keep, longest, n=4000, **more):
    """Compare n texts with the enumeration; returns the probability of the constraints, and the texts."""
    whole = enumerated(model, longest, least=0)
    kept = {" ".join(w): p for w, p in whole.items() if keep(w)}
    share = sum(kept.values())
    texts = [*model.generate(n, 5, constraints=Constraints(**asked), max_tokens=longest, **more)]
    assert [t.index for t in texts] == [*range(n)]
    seen = Counter(t.text for t in texts)
    assert set(seen) <= set(kept)
    assert abs(chi_squared(seen, {t: p / share for t, p in kept.items()}, n)) < 3.5
    for t in texts[:50]:
        assert t.complete
        assert t.tokens == len(t.text.split())
        assert t.bits == pytest.approx(-math.log2(kept[t.text]), abs=1e-6)
    return share, texts


@pytest.mark.parametrize(("asked", "keep"), CASES.values(), ids=CASES)
def test_constrained_texts_are_distributed_as_enumerated(model, asked, keep):
    share, texts = as_enumerated(model, asked, keep, 9)
    if texts[0].conditioned_bits is not None:
        assert texts[0].conditioned_bits - texts[0].bits == pytest.approx(math.log2(share), abs=1e-6)


@pytest.mark.parametrize(("order", "longest"), [(1, 4), (2, 7), (4, 8)])
def test_constraints_hold_at_every_order(order, longest):
    asked = {"contains": ["dog"], "ends_with": "cat", "tokens": (3, longest), "without": ["sat"]}
    as_enumerated(
        train(order=order), asked, lambda w: "dog" in w and w[-1] == "cat" and len(w) > 2 and "sat" not in w, longest
    )


@pytest.mark.parametrize("name", ["contains two", "without", "ends", "pattern", "calculated and tried"])
def test_texts_of_unlimited_length_are_distributed_as_enumerated(few, name, monkeypatch):
    """Success weights come from the linear system, not length by length."""
    model = few
    monkeypatch.setattr(exact, "WORK", 2000)
    asked, keep = CASES[name]
    whole = enumerated(model, 22, least=1e-6)
    kept = {" ".join(w): p for w, p in whole.items() if keep(w)}
    share = sum(kept.values())
    some = run_of(model, constraints=Constraints(**asked)).constrained
    assert some._sampler.walker.weights.endless
    assert some._sampler.walker.weights.off <= success_weights.TOLERANCE
    texts = [*model.generate(4000, 5, constraints=Constraints(**asked))]
    assert all(keep(t.text.split()) if name != "pattern" else keep(tuple(t.text.split())) for t in texts)
    seen = Counter(t.text if t.text in kept else "rest" for t in texts)
    p = {t: q / share for t, q in kept.items()}
    assert sum(n for t, n in seen.items() if t == "rest") <= 4  # the enumeration omits a few in a million
    assert abs(chi_squared(seen, p, 4000)) < 3.5


def test_limited_and_unlimited_lengths_agree(model, monkeypatch):
    """Nearly all texts end within 400 tokens, so the probabilities agree to the last digits."""
    asked = Constraints(contains=["fish", "dog"], without=["sat"])
    by_length = next(model.generate(1, 1, constraints=asked, max_tokens=400))
    monkeypatch.setattr(exact, "WORK", 2000)
    solved = next(model.generate(1, 1, constraints=asked, max_tokens=400))
    assert solved.text == by_length.text
    assert solved.conditioned_bits == pytest.approx(by_length.conditioned_bits, abs=1e-10)


def test_min_tokens_holds_with_an_unlimited_length(few, monkeypatch):
    model = few
    monkeypatch.setattr(exact, "WORK", 2000)
    whole = enumerated(model, 22, least=1e-6)
    kept = {" ".join(w): p for w, p in whole.items() if "dog" in w and len(w) >= 6}
    texts = [*model.generate(3000, 2, constraints=Constraints(contains=["dog"]), min_tokens=6)]
    seen = Counter(t.text for t in texts)
    share = sum(kept.values())
    assert min(t.tokens for t in texts) == 6
    assert abs(chi_squared(seen, {t: p / share for t, p in kept.items()}, 3000)) < 3.5


@pytest.mark.parametrize("options", [{"min_type_count": 3}, {"prune": (0, 0, 1)}, {"prune": (0, 1, 2)}], ids=str)
def test_constraints_hold_with_rare_types_and_pruned_rows(options):
    """Both shorten histories: <unk> is never written, and pruned rows are missing."""
    model = train(**options)
    as_enumerated(model, {"contains": ["cat"], "tokens": (2, 6)}, lambda w: "cat" in w and 2 <= len(w) <= 6, 6)


def test_constraints_count_the_prompt(model):
    """`the cat` counts for --contains, --starts-with and the length."""
    known = model.known("the cat", at_start=True)
    whole = enumerated(model, 4, history=(BOS, *known.ids[1:]))
    kept = {" ".join(("the", "cat", *w)): p for w, p in whole.items() if len(w) == 4}
    asked = Constraints(tokens=(6, 6), contains=["cat"], starts_with="the cat")
    texts = [*model.generate(2000, 3, prompt="the cat", constraints=asked)]
    assert {t.tokens for t in texts} == {6}
    share = sum(kept.values())
    assert abs(chi_squared(Counter(t.text for t in texts), {t: p / share for t, p in kept.items()}, 2000)) < 3.5
    # the text may be the prompt alone
    only = [*model.generate(1, 3, prompt="the cat", constraints=Constraints(tokens=(2, 2)))]
    assert [t.text for t in only] == ["the cat"]
    assert only[0].conditioned_bits == pytest.approx(0)


def test_constraints_hold_after_a_prompt_within_a_text(model):
    asked = Constraints(ends_with="fish")
    texts = [*model.generate(50, 3, prompt="ate", within=True, constraints=asked)]
    assert all(t.text.startswith("ate ") and t.text.endswith("fish") for t in texts)


@pytest.mark.parametrize("shape", [{"temperature": 0.5}, {"top_k": 1}, {"top_p": 0.7}], ids=str)
def test_constraints_condition_the_shaped_distribution(model, shape):
    """As by rejection: first shaped, then conditioned."""
    asked = Constraints(ends_with="cat", tokens=(2, 6))
    want = Counter()
    for t in model.generate(20_000, 1, **shape):
        if t.text.endswith("cat") and 2 <= t.tokens <= 6:
            want[t.text] += 1
    n = sum(want.values())
    got = Counter(t.text for t in model.generate(n, 2, constraints=asked, **shape))
    assert set(got) - set(want) == set() or shape == {"temperature": 0.5}
    p = {t: (want[t] + got[t]) / (2 * n) for t in want | got}
    assert abs(chi_squared(got, p, n)) < 3.5


# ------------------------------------------------------------------ rejection


@pytest.mark.parametrize("name", ["contains two", "without", "pattern", "tokens n..m", "calculated and tried"])
def test_rejection_is_used_when_memory_is_too_small(model, monkeypatch, name):
    monkeypatch.setattr(exact, "MEMORY", 1000)
    asked, keep = CASES[name]
    _, texts = as_enumerated(model, asked, keep, 9, n=1500)
    assert texts[0].conditioned_bits is None


def test_rejection_gives_up(monkeypatch):
    """No text has 500 characters: 1,000 tries, then none."""
    monkeypatch.setattr(exact, "MEMORY", 1000)
    assert [*train().generate(2, 1, constraints=Constraints(characters=(500, 600)), max_tokens=20)] == []


def test_the_number_of_tries_matches_the_probability(model, monkeypatch):
    """A condition of probability p needs 1 / p tries a text."""
    monkeypatch.setattr(text_automata, "MAX_STATES", 4)
    keep = CASES["characters"][1]
    whole = enumerated(model, 9, least=0)
    p = sum(q for w, q in whole.items() if keep(w)) / sum(whole.values())
    run = run_of(model, count=3000, seed=4, constraints=Constraints(characters=(11, 15)), max_tokens=9)
    list(run.batches())
    some = run.constrained
    # tries are geometric with mean 1/p; its standard error is sqrt(1-p)/p/sqrt(3000)
    assert abs(some.tried / 3000 - 1 / p) < 4 * math.sqrt(1 - p) / p / math.sqrt(3000) + 0.02


# ------------------------------------------------------------------ one seed, one text


@pytest.mark.parametrize("name", ["all", "calculated and tried", "contains two"])
@pytest.mark.parametrize("way", ["limited", "unlimited", "tried"])
def test_text_i_does_not_depend_on_count_or_batch_size(model, monkeypatch, name, way):
    if way == "unlimited":
        monkeypatch.setattr(exact, "WORK", 2000)
    if way == "tried":
        monkeypatch.setattr(exact, "MEMORY", 1000)
    asked = Constraints(**CASES[name][0])
    long = [*model.generate(60, 9, constraints=asked)]
    for count in (1, 7, 33):
        assert [replace(t, bits=0, conditioned_bits=0) for t in model.generate(count, 9, constraints=asked)] == [
            replace(t, bits=0, conditioned_bits=0) for t in long[:count]
        ]
    monkeypatch.setattr("markov_cli.generation.run.batch_size", lambda *_: 7)
    assert [t.text for t in model.generate(60, 9, constraints=asked)] == [t.text for t in long]
    assert len({tuple(t.text for t in model.generate(9, s, constraints=asked)) for s in range(8)}) > 6


# ------------------------------------------------------------------ impossible constraints


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"contains": ["catt"]}, "--contains 'catt': not in the model's 8 types"),
        ({"contains": ["the catt"]}, "--contains 'the catt': 'catt': not in the model's 8 types"),
        ({"starts_with": "fish"}, "--starts-with 'fish': no text of the model can meet it"),
        ({"starts_with": "fish", "tokens": (5, 5)}, "--starts-with 'fish': no text of the model can meet it"),
        ({"contains": ["cat"], "without": ["cat"]}, "--contains 'cat' and --without 'cat': no text of the model"),
        ({"contains": ["sat on", "fish"], "tokens": (2, 5)}, "--contains 'sat on' and --tokens 2..5: no text"),
        ({"pattern": "a _", "tokens": (3, 3)}, "--pattern 'a _' and --tokens 3: no text of the model meets both"),
        ({"starts_with": "a", "contains": ["fish"], "without": ["ate"]}, "no text of the model meets all of them"),
        ({"starts_with": "a", "ends_with": "ate", "tokens": (3, 3)}, "'a', --ends-with 'ate' and --tokens 3: no text"),
        ({"tokens": (0, 0)}, "--tokens 0"),
        ({"match": "z"}, "--match 'z': no text of the model can meet it"),
        ({"characters": (1, 2)}, "--characters 1..2: no text of the model can meet it"),
        ({"match": "dog$", "ends_with": "cat"}, "--ends-with 'cat' and --match 'dog$': no text of the model"),
    ],
    ids=str,
)  # fmt: skip
def test_impossible_constraints_are_named(model, asked, said):
    with pytest.raises((AnswerIsNo, OptionError)) as error:
        next(model.generate(1, 1, constraints=Constraints(**asked)))
    assert said in error.value.message


def test_an_unknown_word_gets_the_nearest_known(model):
    with pytest.raises(AnswerIsNo) as error:
        next(model.generate(1, 1, constraints=Constraints(contains=["catt"])))
    assert error.value.hint == "nearest known: cat"


def test_an_unknown_word_may_be_excluded(model):
    assert next(model.generate(1, 1, constraints=Constraints(without=["zebra"]))).text


def test_a_prompt_that_contradicts_a_constraint_is_an_error(model):
    for asked in ({"starts_with": "a"}, {"without": ["the"]}, {"tokens": (1, 1)}):
        with pytest.raises(AnswerIsNo) as error:
            next(model.generate(1, 1, prompt="the cat", constraints=Constraints(**asked)))
        assert "the prompt" in error.value.message


def test_improbable_is_not_impossible():
    """The text has probability 52**-200, which a float cannot hold."""
    text = "\n".join("\n".join([f"w{i} w{i + 1}", *[f"w{i}"] * 50]) for i in range(201))
    model = train(text, order=2)
    asked = Constraints(contains=["w0", "w200"], in_order=True)
    found = next(model.generate(1, 1, constraints=asked, max_tokens=250))
    assert found.text.split()[:201] == [f"w{i}" for i in range(201)]
    assert found.bits > 200 * math.log2(52)
    assert found.conditioned_bits < 1


@pytest.mark.parametrize(
    "asked",
    [{"match": "("}, {"contains": [" "]}, {"tokens": (5, 4)}, {"characters": (-1, 4)}, {"pattern": " "}],
    ids=str,
)
def test_malformed_constraints_are_refused(model, asked):
    with pytest.raises(OptionError):
        next(model.generate(1, 1, constraints=Constraints(**asked)))


def test_too_many_states_are_refused():
    model = train("\n".join(f"w{i} w{i + 1}" for i in range(20)), order=2)
    with pytest.raises(OptionError, match="4,096 states"):
        next(model.generate(1, 1, constraints=Constraints(contains=[f"w{i}" for i in range(15)])))


# ------------------------------------------------------------------ tokenizers


def test_characters_of_a_character_model_count_as_tokens(names):
    model = train(names, order=4, tokenizer="chars")
    texts = [*model.generate(300, 1, constraints=Constraints(characters=(9, 9), contains=["ar"], pattern="*r_*e*"))]
    assert len(texts) == 300
    assert all(len(t.text) == 9 and "ar" in t.text and re.fullmatch(".*r..*e.*", t.text) for t in texts)
    assert texts[0].conditioned_bits is not None


def test_ignore_case_finds_every_spelling(harbour):
    model = train(harbour, unit="sentence")
    texts = [*model.generate(300, 1, constraints=Constraints(contains=["THE"]), ignore_case=True)]
    found = {w for t in texts for w in t.text.split() if w.lower() == "the"}
    assert found == {"The", "the", "THE"}
    with pytest.raises(AnswerIsNo):
        next(model.generate(1, 1, constraints=Constraints(contains=["tHE"])))


def test_marks_in_a_pattern_touch_words(harbour):
    model = train(harbour, unit="sentence")
    for t in model.generate(20, 1, constraints=Constraints(pattern="He *, * ."), max_tokens=40):
        assert re.fullmatch(r"He .*, .*\.", t.text)


def test_texts_with_too_many_bytes_are_not_joined():
    checks = TextChecks(Constraints(characters=(3, 40), match="x"))
    assert checks.can_pass(np.array([2, 160, 161])).tolist() == [True, True, False]
    assert checks.good(["\U0001f600".encode() * 39 + b"x"]).all()  # 157 bytes
    assert list(checks.failed.values()) == [1, 0]
    checks.leave_out(["--characters 3..40"])
    assert checks.can_pass(np.array([161])).all()
