"""Automata of the finished text accept what the checks of finished texts accept."""

import itertools
import re

import pytest

from engine import model_of
from helpers import run_of
from markov_cli import Constraints
from markov_cli.api.train import model_of as as_model
from markov_cli.generation import exact, text_automata
from markov_cli.generation.prompt import find_prompt
from markov_cli.generation.regex_automaton import MAX_STATES, searching
from markov_cli.generation.regex_parser import NotFinite

EXPRESSIONS = [
    "a", "ab", "a|b c", "^a", "b$", "^(a|b)*$", r"\ba", r"a\b", r"\Ba", r"\bab?\b.*c", "a{2}", "a{1,3}b", "a{2,}",
    "a$", "$", "(b$|a)", "[^a]b", "[a-b]+ c", r"\w \w", r"\W", r"\s$", ".c", "(?:a+b)+?c", "", "^$", "a.*?b.*c",
    r"\Aab", r"c\Z", "()|a",
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_found_where_re_finds_it(expression):
    alphabet = "abc \n"
    automaton = searching(expression, alphabet)
    for n in range(6):
        for text in itertools.product(range(5), repeat=n):
            state = 0
            for c in text:
                state = automaton.delta[state, c]
            whole = "".join(alphabet[c] for c in text)
            assert bool(automaton.accept[state]) == (re.search(expression, whole) is not None), (expression, whole)


@pytest.mark.parametrize(
    "expression", [r"(a)\1", "(?=a)b", "(?<!a)b", "(?i)a", "(?i:a)", "[ab]{5000}", "(a|b)*a" + "(a|b)" * 12 + "$"]
)
def test_what_is_no_finite_automaton_of_moderate_size_is_refused(expression):
    with pytest.raises(NotFinite):
        searching(expression, "ab")
    assert MAX_STATES == 256


ASKED = [
    Constraints(characters=(20, 60)),
    Constraints(characters=(30, 1 << 40)),
    Constraints(match=r"[,;] \w+ the\b"),
    Constraints(match=r"^(He|She) [^,]*\.$"),
    Constraints(match=r"\W\W"),
]


@pytest.mark.parametrize("how", [{}, {"tokenizer": "spaces"}, {"tokenizer": "chars", "order": 5}], ids=str)
@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_the_automaton_accepts_the_texts_that_pass_the_check(harbour, asked, how):
    model = as_model(model_of(harbour, unit="sentence", **{"order": 2, **how}))
    lm = model.language_model
    if how.get("tokenizer") == "chars" and asked.characters:
        pytest.skip("characters are tokens there")
    (one,) = text_automata.text_automata(lm, asked, find_prompt(lm, "", True))
    accepted = 0
    for batch in run_of(model, count=300, seed=1).batches():
        ids, begin = batch.samples.ids, 0
        for text, n in zip(batch.each(), batch.samples.length.tolist(), strict=True):
            q = one.automaton.after(ids[begin : begin + n].tolist())
            begin += n
            whole = text.decode()
            least, most = asked.characters or (0, 1 << 40)
            good = least <= len(whole) <= most and re.search(asked.match, whole) is not None
            assert (q >= 0 and bool(one.automaton.accept[q])) == good, whole
            accepted += good
    assert 0 < accepted < 300


@pytest.mark.parametrize("smoothing", ["none", "kn"])
def test_characters_and_match_are_calculated_with_the_rest(harbour, smoothing):
    model = as_model(model_of(harbour[:20000], unit="sentence"))
    asked = Constraints(contains=["the"], characters=(20, 40), match="^[A-Z][^,]*[.]$", without=["and"])
    run = run_of(model, count=200, seed=3, constraints=asked, smoothing=smoothing)
    texts = [t.text for t in run.texts()]
    assert run.constrained.kept == run.constrained.tried == 200
    assert run.conditioned > 1
    for text in texts:
        assert 20 <= len(text) <= 40 and re.search("^[A-Z][^,]*[.]$", text), text


def test_a_prompt_counts_as_it_is_joined(harbour):
    model = as_model(model_of(harbour, unit="sentence"))
    asked = Constraints(characters=(30, 50), match="^The .*harbour")
    for prompt, calculated in (("The harbour", True), ("The  harbour", False)):
        run = run_of(model, count=20, seed=3, constraints=asked, prompt=prompt)
        texts = [t.text for t in run.texts()]
        assert all(30 <= len(t) <= 50 and t.startswith(prompt) for t in texts)
        assert (run.constrained.tried == run.constrained.kept) == calculated


def test_without_memory_the_checks_are_tried(harbour, monkeypatch):
    model = as_model(model_of(harbour[:6000], unit="sentence"))
    asked = Constraints(characters=(30, 50))
    kept = [t.text for t in model.generate(5, 1, constraints=asked)]
    monkeypatch.setattr(exact, "MEMORY", 1000)
    run = run_of(model, count=5, seed=1, constraints=asked)
    tried = [t.text for t in run.texts()]
    assert all(30 <= len(t) <= 50 for t in [*kept, *tried])
    assert run.constrained.tried > 5


def test_types_of_very_many_characters_are_tried():
    """An automaton would read them a character at a time."""
    model = as_model(model_of("a b c " + "d" * 5000 + " a.", tokenizer="spaces", order=2))
    run = run_of(model, count=5, seed=1, constraints=Constraints(match="a"))
    assert all("a" in t.text for t in run.texts())
    with pytest.raises(NotFinite, match="a type of 5,000 characters"):
        text_automata.Spelling(model.vocabulary)


def test_a_model_without_types_has_no_text_that_matches(run, tmp_path):
    """Every word of it is <unk>."""
    (tmp_path / "v.txt").write_text("zebra\n")
    (tmp_path / "a.txt").write_text("a b c.\n")
    run("train", tmp_path / "a.txt", "--vocab", tmp_path / "v.txt", "-o", tmp_path / "m.npz")
    done = run("generate", tmp_path / "m.npz", "--match", "a", "--characters", "3..40", "-s", 1)
    assert done.code in (1, 3) and done.stdout == "" and "Traceback" not in done.stderr
