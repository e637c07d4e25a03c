"""Word lists: types of a vocabulary that is given, and the lists that models write."""

import io
import json
from collections import Counter

import pytest

import markov_cli
from conftest import CORPORA
from engine import model_of, rows_of, sequences, types_of
from helpers import run_in_process as run
from helpers import two_lines
from markov_cli.errors import MarkovError, OptionError, TextError
from markov_cli.text.word_list import WordList
from strategies import TOKENIZERS

TEXT = 'The cat sat. The dog, the cat; a cow sat! \\u{20} is text. <s> and </s> too.\n\nA "cow" (the cow) sat.'
KEPT = ["cat", "cow", "sat", ".", ",", "the", "a", "c", " ", "t", "</s>"]
HARBOUR = CORPORA / "harbour.txt"


def bytes_of(model):
    data = io.BytesIO()
    model.save(data)
    return data.getvalue()


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("the\nclock\n\nthe\n</s>\nzebra\n  ,\t\r\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_types_outside_the_list_are_unk_before_anything_is_counted(tokenizer):
    """The table is that of the text with <unk> in their place, counted here by hand."""
    made = model_of(TEXT, 3, tokenizer, vocab=WordList.of(KEPT))
    texts = sequences(TEXT, tokenizer)
    seen = Counter(t for s in texts for t in s if t[0].decode() in KEPT)
    ids = {t: i for i, t in enumerate(sorted(seen, key=lambda t: (-seen[t], t)), 3)}
    assert types_of(made) == list(ids)
    streams = [[1, *(ids.get(t, 0) for t in s), 2] for s in texts]
    for k, rows in enumerate(rows_of(made.table), 1):
        counted = Counter(tuple(s[i : i + k]) for s in streams for i in range(len(s) - k + 1))
        assert {gram: n for gram, n in rows.items() if n} == counted
    assert (made.header.vocab_words, made.header.max_types) == (len(KEPT), None)


def test_the_list_as_text_with_the_same_words_gives_the_same_model():
    """SRILM's -vocab with -unk: as if the other words had been written <unk>, here a type that is cut by its count."""
    lines = ["the cat sat on the mat", "a cat saw the dog", "the dog sat"]
    made = markov_cli.train(texts=lines, unit="file", vocab=["the", "cat", "sat", "dog"])
    assert markov_cli.vocabulary(made) == ["the", "cat", "dog", "sat"]
    assert [(f.token, f.marker, f.count) for f in made.followers("the").followers] == [
        ("dog", None, 2), (None, "<unk>", 1), ("cat", None, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("most", [1, 7, 1404, 1405, 10**6])
def test_max_types_gives_the_model_that_prune_makes(most):
    whole = markov_cli.train(HARBOUR)
    made = bytes_of(markov_cli.train(HARBOUR, max_types=most))
    assert made == bytes_of(markov_cli.prune(whole, max_types=most))
    assert (most < 1405) == (made != bytes_of(whole))


def test_list_count_and_number_of_types_hold_together():
    made = model_of("a a a b b c c c c d d", 2, vocab=WordList.of(["a", "b", "c", "x"]), min_type_count=2, max_types=2)
    assert types_of(made) == [(b"c", 0), (b"a", 0)]
    assert (made.header.min_type_count, made.header.max_types, made.header.vocab_words) == (2, 2, 4)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_the_list_that_a_model_writes_gives_that_model(tokenizer):
    """Also where tokens are white space, escapes, or spell markers."""
    more = {"pattern": r"\s+|\S+ \S+|\S"} if tokenizer == "regex" else {}
    text = TEXT + "\n x\u2028y \xa0 z\x0b"
    whole = markov_cli.train(texts=text, tokenizer=tokenizer, unit="file", **more)
    words = markov_cli.vocabulary(whole)
    assert len(set(words)) == len(words) and not any(any(c in w for c in "\n\r\x0b\u2028") for w in words)
    again = markov_cli.train(texts=text, tokenizer=tokenizer, unit="file", vocab=words_as_file(words), **more)
    assert markov_cli.vocabulary(again) == words
    assert again.header.types == whole.header.types and not again.table.orders[0].count.slice(0, 1)[0]


def words_as_file(words):
    return WordList([w.encode("utf-8", "surrogateescape") for w in words])


def test_bytes_that_are_no_text_stand_in_lists():
    made = model_of(b"caf\xe9 \xff bar caf\xe9", 2, "spaces")  # U+1E08A1 by its bytes, which is no code point
    words = markov_cli.vocabulary(markov_cli.Model(made_model(made)))
    assert words == ["caf\\u{DCE9}", "bar", "\\u{DCFF}"]
    assert WordList([w.encode() for w in words]).words == [b"caf\xe9", b"bar", b"\xff"]


def made_model(trained):
    from markov_cli.model.language_model import LanguageModel

    return LanguageModel.of(trained.header, trained.types, trained.table)


def test_what_is_odd_in_a_list_is_said(tmp_path, listed):
    out = tmp_path / "m.npz"
    ran = run("train", HARBOUR, "--vocab", listed, "-o", out, "--json")
    assert ran.code == 0
    assert json.loads(ran.stdout)["vocab"] == {
        "words": 4, "absent": 1, "duplicates": 1, "blank_lines": 1, "markers": ["</s>"],
    }  # fmt: skip
    assert ran.stderr.splitlines()[-4:] == [
        f"note     {listed}: 1 repeated word read once",
        f"note     {listed}: 1 blank line left out",
        f"note     {listed}: left out </s>, which every model has; a word of the text is \\u{{3C}}/s>",
        f"note     1 of 4 words of {listed} never occur: zebra",
    ]
    shown = run("inspect", out, "--vocab")
    assert (shown.code, shown.stdout) == (0, ",\nthe\nclock\n")
    assert json.loads(run("inspect", out, "--vocab", "--json").stdout)["types"] == [",", "the", "clock"]
    assert "types of a list of 4 words" in run("inspect", out).stdout
    assert run("inspect", out, "--verify").code == 0


def test_a_list_in_another_encoding_and_in_lower_case(tmp_path):
    path = tmp_path / "list"
    path.write_bytes("Über\nCafé\n".encode("latin-1"))
    text = tmp_path / "text"
    text.write_bytes("über café Über tee".encode("latin-1"))
    made = markov_cli.train(text, vocab=path, encoding="latin-1", lowercase=True)
    assert markov_cli.vocabulary(made) == ["über", "café"]
    path.write_bytes("\ufeffÜber\n".encode("utf-16-le"))
    assert WordList.of(path).words == ["Über".encode()]


def test_update_and_merge_give_the_model_of_all_texts(tmp_path, listed):
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    text = HARBOUR.read_text(encoding="utf-8")
    a.write_text(text[:9000], encoding="utf-8")
    b.write_text(text[9000:], encoding="utf-8")
    whole = bytes_of(markov_cli.train([a, b], vocab=listed, unit="line"))
    first = markov_cli.train(a, vocab=listed, unit="line")
    assert bytes_of(markov_cli.update(first, b, vocab=listed)) == whole
    assert bytes_of(markov_cli.merge([first, markov_cli.train(b, vocab=listed, unit="line")])) == whole
    out = tmp_path / "m.npz"
    first.save(out)
    assert run("train", b, "--update", out, "--vocab", listed, "-o", out, "-q").code == 0
    assert out.read_bytes() == whole
    for given, said in (((), "word list of 4 words"), (("--vocab", a), f"and {a} has")):
        ran = run("train", b, "--update", out, *given, "-o", out)
        two_lines(ran, 1, said)
    with pytest.raises(MarkovError, match="another --vocab, of 4 words"):
        markov_cli.merge([markov_cli.train(b, unit="line"), first])
    with pytest.raises(MarkovError, match="trained without a word list"):
        markov_cli.update(markov_cli.train(a), b, vocab=listed)
    with pytest.raises(MarkovError, match="types beyond the commonest"):
        markov_cli.update(markov_cli.train(a, max_types=5), b)


def test_a_list_that_is_none_is_an_error(tmp_path, listed):
    empty = tmp_path / "empty"
    empty.write_text("\n<s>\n")
    for words, error, said in (
        (empty, OptionError, "no word in it"), (tmp_path, OptionError, "a folder"),
        (tmp_path / "none", TextError, "no such file"), ([], OptionError, "no word"),
    ):  # fmt: skip
        with pytest.raises(error, match=said):
            markov_cli.train(texts="a b", vocab=words)
    with pytest.raises(OptionError, match="--max-types 0"):
        markov_cli.train(texts="a b", max_types=0)
    two_lines(run("train", "-", "--vocab", "-", "-o", tmp_path / "m"), 2, "only once")
    nothing = markov_cli.train(texts="a b c", vocab=["x"])
    assert (nothing.header.types, nothing.header.tokens) == (0, 3)
    for other in (("--verify",), ("the",), ("--at-start",), ("--format", "csv")):
        two_lines(run("inspect", tmp_path / "m", "--vocab", *other), 2, "exclude each other")
