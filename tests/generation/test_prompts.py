"""Prompts: their history, and how generated texts continue them."""

import pytest

import oracle
from engine import model_of
from markov_cli.api.model import Model
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import HistoryError

PLAIN = {"temperature": 1.0, "top_k": 0, "top_p": 1.0}


def train(text, *args, **options):
    return as_model(model_of(text, *args, **options))


@pytest.fixture(scope="module")
def model(story):
    return train(story)


STORY = "The old clock stopped. The old man (it was late) said: The clock, the old clock, stopped!"


def test_a_prompt_opens_the_sequence():
    model = train(STORY)
    # two sentences open with `The old`: one continues with clock, one with man
    assert {t.text.split()[2].strip(".,") for t in model.generate(100, 1, prompt="The old")} == {"clock", "man"}
    known = model.known("The old", at_start=True)
    assert (known.level, known.ids[0]) == (2, oracle.BOS)


def test_within_continues_in_the_middle_of_a_sequence():
    model = train("b c. a b d. a b d.")
    assert {t.text for t in model.generate(50, 1, prompt="b")} == {"b c."}
    assert {t.text for t in model.generate(200, 1, prompt="b", within=True)} == {"b c.", "b d."}


def test_tokens_of_a_prompt_count():
    model = train("a b c d e")
    (text,) = model.generate(1, 1, prompt="a b", max_tokens=4)
    assert (text.text, text.tokens, text.complete) == ("a b c d", 4, False)
    (text,) = model.generate(1, 1, prompt="a b c d e", max_tokens=5)
    assert (text.text, text.tokens, text.complete) == ("a b c d e", 5, True)
    (text,) = model.generate(1, 1, prompt="a b c", max_tokens=2)  # longer than allowed: never cut
    assert (text.text, text.tokens, text.complete) == ("a b c", 3, False)


def test_an_unknown_prompt_is_an_error_with_a_hint():
    model = train(STORY)
    with pytest.raises(HistoryError) as error:
        [*model.generate(1, 1, prompt="clok")]
    assert "clock" in error.value.hint


def test_a_prompt_known_in_part_is_shortened():
    model = train(STORY)
    # `zebra` is unknown, so the followers of `old` are used
    known = model.known("zebra old", at_start=True)
    assert (known.level, known.shortened) == (1, True)
    texts = {t.text for t in model.generate(100, 1, prompt="zebra old")}
    assert {t.split()[2].strip(".,!") for t in texts} == {"clock", "man"}
    # with an unknown last word there is no history, and any token can follow
    assert model.known("old zebra", at_start=True).level == 0


def test_ignore_case_finds_the_known_spelling():
    model = train("You must be the change.", lowercase=False)
    with pytest.raises(HistoryError):
        model.known("you MUST")
    (text,) = model.generate(1, 1, prompt="you MUST", ignore_case=True)
    assert text.text == "you MUST be the change."


@pytest.mark.parametrize("prompt", ["ÉCOLE", "straße", "École STRAßE"])
def test_ignore_case_works_beyond_ascii(prompt):
    assert train("école Straße.").known(prompt, ignore_case=True).level == len(prompt.split())


def test_ignore_case_takes_the_longest_known_history():
    # `the` is more frequent, but only `The old` occurs
    model = train("the cat. the cat. the cat. The old man.")
    assert model.known("THE OLD", ignore_case=True).level == 2


def test_a_lowercase_model_reads_prompts_in_lower_case():
    model = train("You must be.", lowercase=True)
    assert [t.text for t in model.generate(1, 1, prompt="YOU Must")] == ["YOU Must be."]


@pytest.mark.parametrize(
    "prompt, text",
    [
        ("He said", "He said, (no)!"),  # `,` touches its left neighbour
        ("He said,", "He said, (no)!"),
        ("He said, (", "He said, (no)!"),  # `(` touches its right neighbour
        ("He said, (  ", "He said, (no)!"),  # white space after a prompt is not doubled
        ("He said, (no", "He said, (no)!"),
        ("  He said", "  He said, (no)!"),  # white space before it stays as typed
    ],
)
def test_prompt_and_text_are_joined_as_typed(prompt, text):
    (found,) = train("He said, (no)!").generate(1, 1, prompt=prompt)
    assert found.text == text


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("prompt", ["", " ", "\n\t"])
def test_a_prompt_of_white_space_is_no_prompt(prompt, within):
    model = train(STORY)
    assert [t.text for t in model.generate(5, 1, prompt=prompt, within=within)] == [
        t.text for t in model.generate(5, 1, within=within)
    ]


def test_white_space_is_a_prompt_for_the_tokenizer_chars():
    (text,) = train("a b", 2, "chars", "line").generate(1, 1, prompt="a ")
    assert text.text == "a b"


def test_every_tokenizer_continues_a_prompt(story):
    for tokenizer in ("words", "spaces", "chars", "bytes", "regex"):
        model = train(story[:2000], 3, tokenizer)
        assert all(t.text.startswith("The ") for t in model.generate(5, 1, prompt="The "))


def test_a_prompt_may_be_longer_than_the_order(story):
    model: Model = train(story)
    first = oracle.join(oracle.sequences(story)[3][:8]).decode()
    known = model.known(first, at_start=True)
    assert (known.level, len(known.ids)) == (2, 9)
    assert all(t.text.startswith(first) for t in model.generate(20, 1, prompt=first))


def test_a_prompt_may_be_the_whole_text():
    (text,) = train("a b c").generate(1, 1, prompt="a b c")
    assert (text.text, text.bits, text.complete) == ("a b c", 0, True)
