"""Prompts of which a model knows only a part: every unknown token is named, quotes of another kind are found."""

import pytest

import markov_cli
from markov_cli.errors import HistoryError
from markov_cli.generation.prompt import other_quotes, prompt_notes

TEXT = 'The keeper said I don’t know. “The gate is shut,” he said. She said: "\'tis".'


@pytest.fixture(scope="module")
def model():
    return markov_cli.train(texts=[TEXT])


def notes(model, text, ignore_case=False):
    return prompt_notes(model.vocabulary, model.known(text, ignore_case=ignore_case), ignore_case)


def test_every_unknown_token_is_named_with_the_nearest_known_ones(model):
    assert notes(model, "the Keeper said shot xyzzy") == [
        "'the' is not in the model; nearest known: 'he', 'The', 'She'; --ignore-case finds 'The'",
        "'Keeper' is not in the model; nearest known: 'keeper'; --ignore-case finds 'keeper'",
        "'shot' is not in the model; nearest known: 'shut'",
        "'xyzzy' is not in the model; no similar word is known",
    ]
    assert notes(model, "the Keeper said", ignore_case=True) == []
    assert notes(model, "SAID he") == ["'SAID' is not in the model; --ignore-case finds 'said'"]


def test_of_many_unknown_tokens_the_last_are_only_named(model):
    words = [f"x{i}" for i in range(9)]
    found = notes(model, " ".join(["said", *words, "x1"]))
    assert len(found) == 6 and found[5] == "neither are 'x5', 'x6', 'x7', 'x8'"


@pytest.mark.parametrize(
    "text, said",
    [
        ("I don't", ["\"don't\" read as 'don’t', as the model has it"]),
        ("I don’t", []),
        ('said: "', []),  # the model has both kinds
        ("said: ‘tis", ["'‘' read as \"'\", as the model has it"]),
        ("I DON'T", ["\"DON'T\" read as 'don’t', as the model has it"]),
    ],
)
def test_quotes_of_another_kind_are_found_and_it_is_said(model, text, said):
    assert notes(model, text, ignore_case=True) == said


def test_the_prompt_is_written_as_it_was_typed(model):
    assert next(model.generate(1, seed=1, prompt="I don't", within=True)).text == "I don't know."


def test_an_error_names_the_other_case(model):
    with pytest.raises(HistoryError) as raised:
        model.known("KNOW GATE")
    assert raised.value.hint == "--ignore-case finds 'know', 'gate'"


def test_words_of_constraints_find_other_quotes(model):
    asked = markov_cli.Constraints(contains=["don't"])
    assert "don’t" in next(model.generate(1, seed=1, constraints=asked)).text


def test_other_quotes_of_a_token_without_quotes_are_none():
    assert other_quotes(b"abc") == []
    assert {t.decode() for t in other_quotes(b"'")} == {"’", "‘"}


def test_a_mixture_names_what_no_model_knows():
    from markov_cli.generation.mixture import MixedModel

    models = [markov_cli.train(texts=[t]).language_model for t in ("the gate is shut", "the door is shut")]
    known, _ = MixedModel(models, []).known("the gate door xyz")
    assert known.strange == ("xyz",)
