"""`--keep-newlines`: line breaks are tokens that join back as such."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_units import parts as _parts

import markov_cli
import oracle
from conftest import examples
from engine import sequences
from markov_cli.errors import OptionError
from strategies import prose, texts

POEM = "Roses are red,\n  violets are blue.\n\nSugar is sweet\r\n\tand so are you.\n"


def parts(text, unit, tokenizer="words"):
    """The sequences of a text, each joined to text."""
    return [oracle.join(s).decode() for s in sequences(text, tokenizer, unit, keep_newlines=True)]


@pytest.mark.parametrize("tokenizer", ["words", "spaces", "regex"])
def test_a_text_comes_back_in_its_lines(tokenizer):
    whole = POEM.replace("\r", "")[:-1]  # a CR is white space, and the last newline is at the edge
    assert parts(POEM, "file", tokenizer) == [whole]
    assert parts(POEM, "paragraph", tokenizer) == whole.split("\n\n")
    assert parts(POEM, "sentence", tokenizer) == whole.split("\n\n")


def test_a_line_break_is_one_token_and_an_empty_line_two():
    assert sequences("a\n b\n\nc", "words", "file", keep_newlines=True) == [
        [(b"a", 0), (b"\n", 3), (b" ", 3), (b"b", 0), (b"\n", 3), (b"\n", 3), (b"c", 0)]
    ]
    assert _parts("a\nb", "file") == ["a b"]


@examples(200)
@given(st.one_of(texts, prose), st.sampled_from(["words", "spaces", "regex"]),
       st.sampled_from(["sentence", "paragraph", "file"]), st.sampled_from([5, 30, 1 << 20]))  # fmt: skip
def test_line_breaks_equal_the_oracle(text, tokenizer, unit, block_bytes):
    found = sequences(text, tokenizer, unit, block_bytes, keep_newlines=True)
    assert found == oracle.sequences(text, tokenizer, unit, keep_newlines=True)


@pytest.mark.parametrize("options", [{"unit": "line"}, {"tokenizer": "chars"}, {"tokenizer": "bytes"}])
def test_the_option_is_refused_where_it_is_in_vain(options):
    with pytest.raises(OptionError, match="--keep-newlines"):
        markov_cli.train(texts=["a"], keep_newlines=True, **options)


@pytest.fixture(scope="module")
def poem():
    return markov_cli.train(texts=[POEM], keep_newlines=True, unit="paragraph", order=12)


def test_the_model_remembers_it(poem, tmp_path):
    poem.save(tmp_path / "poem.npz")
    again = markov_cli.Model.load(tmp_path / "poem.npz")
    assert again.header.options.keep_newlines and again.header.as_dict()["keep_newlines"] is True
    assert "keep_newlines" not in markov_cli.train(texts=["a"]).header.as_dict()
    assert markov_cli.inspect(again).to_dict()["keep_newlines"] is True
    assert {t.text for t in again.generate(9, seed=1)} == {
        "Roses are red,\n  violets are blue.", "Sugar is sweet\n\tand so are you."
    }  # fmt: skip


def test_a_prompt_ends_with_its_line_break(poem):
    assert next(poem.generate(1, prompt="Roses are red,\n  ")).text == "Roses are red,\n  violets are blue."
    assert next(poem.generate(1, prompt="Roses are red,\n")).text == "Roses are red,\n  violets are blue."
    assert next(poem.generate(1, prompt="Roses are red, ")).text == "Roses are red,\n  violets are blue."


def test_constraints_know_line_breaks(poem):
    for wanted in ({"pattern": "* sweet \n *"}, {"contains": ["sweet\n"]}, {"starts_with": "Sugar is sweet\n\t"},
                  {"tokens": (10, 10)}):  # fmt: skip
        constraints = markov_cli.Constraints(**wanted)
        assert next(poem.generate(1, constraints=constraints)).text == "Sugar is sweet\n\tand so are you."


def test_score_trace_and_audit_read_line_breaks(poem):
    score = markov_cli.score(poem, texts=[POEM])
    assert score.tokens == poem.header.tokens + 2 and score.oov == 0
    found = markov_cli.audit(poem, corpus_texts=[POEM])
    assert found.corpus is not None and found.corpus.is_training_text is None
    traced = markov_cli.trace(texts="red,\n  violets", corpus_texts=[POEM], keep_newlines=True, min_tokens=2)
    assert [f.tokens for f in traced.fragments] == [5]


def test_novel_texts_are_read_again_with_their_lines(poem):
    text = next(poem.generate(1, seed=1, corpus_texts=[POEM]))
    assert text.overlap == text.tokens == len(sequences(text.text, "words", "file", keep_newlines=True)[0])


def test_another_way_of_training_gives_the_same_bytes(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text(POEM * 40, newline="")
    whole = markov_cli.train(path, keep_newlines=True)
    for jobs in (1, 3):
        markov_cli.train_file(path, tmp_path / "m.npz", keep_newlines=True, jobs=jobs, memory=1 << 28)
        again = markov_cli.Model.load(tmp_path / "m.npz")
        again.save(tmp_path / "a.npz")
        whole.save(tmp_path / "b.npz")
        assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
