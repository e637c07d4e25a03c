"""Forgetting a text gives the bytes of a model that was never trained on it, or is refused with a proof."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli as m
from conftest import examples, rarely
from helpers import bytes_of
from markov_cli.errors import AnswerIsNo, MarkovError, NeedsCounts, TextError
from markov_cli.model import forgetting
from strategies import UNITS, prose

LINE = {"tokenizer": "spaces", "unit": "line"}


def forgets(all_of_it, out, rest, **options):
    """True if forgetting some texts gives the bytes of training on the others; keeps what forgetting found."""
    found = m.forget(m.train(texts=all_of_it, **options), texts=out, vocab=options.get("vocab"))
    return bytes_of(found.model) == bytes_of(m.train(texts=rest, **options))


@examples(25)
@given(
    st.lists(prose, min_size=2, max_size=5), st.data(), st.integers(1, 6),
    st.sampled_from(["words", "spaces", "bytes", "regex"]), st.sampled_from(UNITS), st.booleans(), st.integers(1, 3),
)  # fmt: skip
def test_forgetting_is_training_on_the_rest(texts, data, order, tokenizer, unit, lowercase, least):
    """For any texts, any of them, any options."""
    out = data.draw(st.lists(st.sampled_from(range(len(texts))), min_size=1, unique=True))
    options = {
        "order": order, "tokenizer": tokenizer, "unit": unit, "lowercase": lowercase, "min_type_count": least,
        "keep_newlines": tokenizer != "bytes" and unit != "line",
    }  # fmt: skip
    gone, rest = [texts[i] for i in out], [text for i, text in enumerate(texts) if i not in out]
    try:
        m.train(texts=gone, **options), m.train(texts=rest, **options)
    except MarkovError:  # one of them has no token
        return
    assert forgets(texts, gone, rest, **options)


@pytest.mark.parametrize("order", [1, 2, 5])
def test_lines_of_a_story_in_characters(harbour, order):
    lines = harbour.splitlines(keepends=True)[:120]
    out, rest = lines[::3], [line for i, line in enumerate(lines) if i % 3]
    options = {"order": order, "tokenizer": "chars", "unit": "line"}
    assert forgets("".join(lines), "".join(out), "".join(rest), **options)


def test_short_ranges_of_histories_give_the_same_bytes(harbour, monkeypatch):
    lines = harbour.splitlines(keepends=True)
    monkeypatch.setattr(forgetting, "_RANGE_ROWS", 50)
    assert forgets("".join(lines), "".join(lines[:200]), "".join(lines[200:]), unit="line", order=4)


def test_the_longest_sequence_leaves_orders_without_rows():
    assert forgets("a b c d e\na\n", "a b c d e\n", "a\n", order=6, **LINE)
    assert forgets("a b c d e\na b c\n", "a b c d e\n", "a b c\n", order=5, **LINE)


def test_what_was_added_and_merged_can_be_forgotten():
    a, b, c = (f"{x} the cat sat.\n" for x in ("First", "Then", "Now"))
    model = m.merge([m.update(m.train(texts=[a]), texts=[b]), m.train(texts=[c])], [2, 1])
    left = m.forget(m.forget(model, texts=[a, b]).model, texts=[c]).model
    assert bytes_of(left) == bytes_of(m.train(texts=[a, b]))


def test_types_that_are_now_too_rare_become_unk():
    """b is seen twice, and once without the first line: then `a b` and `a d` are both `a <unk>`."""
    text = "a b c\na b\na d\na c c\n"
    assert forgets(text, "a b c\n", "a b\na d\na c c\n", min_type_count=2, **LINE)
    left = m.forget(m.train(texts=[text], min_type_count=2, **LINE), texts=["a b c\n"]).model
    assert [f.token for f in left.followers("a").followers] == [None, "c"]


def test_the_word_list_of_the_training_is_needed():
    text, words = "a b c\na d\nb d\n", ["a", "b", "z"]
    assert forgets(text, "a d\n", "a b c\nb d\n", vocab=words, **LINE)
    model = m.train(texts=[text], vocab=words, **LINE)
    with pytest.raises(MarkovError, match="trained with a word list of 3 words"):
        m.forget(model, texts=["a d\n"])
    with pytest.raises(AnswerIsNo, match='"z" occurs 0 times in the model, once in the text'):
        m.forget(model, texts=["a z\n"], vocab=words)


def test_max_types_where_the_types_stay_the_same():
    """c and d have no id; they have one occurrence each, at most as many as b."""
    text = "a a b b\na b c\na d\na a\n"
    assert forgets(text, "a a\n", "a a b b\na b c\na d\n", max_types=2, **LINE)
    assert forgets(text, "a d\n", "a a b b\na b c\na a\n", max_types=2, **LINE)
    model = m.train(texts=[text], max_types=2, **LINE)
    with pytest.raises(MarkovError, match='without the text "b" occurs 2 times, and types that were left out may'):
        m.forget(model, texts=["a b c\n"])
    # without c and d all types have an id, and the header does not tell of max_types any more
    assert forgets("a a\nb b\na b\nc\nd\n", "c\nd\n", "a a\nb b\na b\n", max_types=2, **LINE)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_texts_without_borders(harbour, order):
    """Histories have totals of their own, and what stands at the beginning of a text alone has no left neighbour."""
    lines = harbour.splitlines(keepends=True)[:200]
    texts = ["".join(lines[i::4]) for i in range(4)]
    model = m.train(texts=texts, order=order, borders=False)
    left = m.forget(model, texts=texts[1:3]).model
    assert bytes_of(left) == bytes_of(m.train(texts=[texts[0], texts[3]], order=order, borders=False))
    with pytest.raises(AnswerIsNo, match="occurs 0 times in the model"):
        m.forget(model, texts=["The zebra of the clock."])


def test_texts_without_borders_that_do_not_tell():
    model = m.train(texts=["a b c", "a b"], order=3, borders=False, tokenizer="spaces")
    with pytest.raises(MarkovError, match="no text of 3 tokens is left"):
        m.forget(model, texts=["a b c"])
    model = m.train(texts=["a b c b", "a b c"], borders=False, tokenizer="spaces", min_type_count=2)
    with pytest.raises(MarkovError, match="seen fewer than 2 times cannot be put together"):
        m.forget(model, texts=["a b c"])


def test_records_that_count_often(tmp_path):
    def written(name, *lines):
        (tmp_path / name).write_text("".join(line + "\n" for line in lines))
        return str(tmp_path / name)

    every = written("all", "Ann\t5", "Bob\t2", "Cy\t1")
    options = {"tokenizer": "chars", "weights": True}
    model = m.train(every, **options)
    left = m.forget(model, written("out", "Ann\t3", "Cy\t1"), weights=True).model
    assert bytes_of(left) == bytes_of(m.train(written("rest", "Ann\t2", "Bob\t2"), **options))


def test_what_of_the_text_stays():
    """`the cat` is in the other text, too; `cat sat` and `sat </s>` are not."""
    found = m.forget(m.train(texts=["the cat sat\nthe cat ran\n"], order=2, **LINE), texts=["the cat sat\n"])
    assert (found.forgotten_tokens, found.forgotten_sequences, found.forgotten_types) == (3, 1, 1)
    assert (found.forgotten_ngrams, found.ngrams_gone) == ((5, 4), (1, 2))
    assert found.model.header.tokens == 3


# ------------------------------------------------------------ refusals


def table_of(lines, n):
    """Counts of all n-grams of lines of letters, shorter ones that open with <s> too: the table of order n."""
    out = Counter()
    for line in lines:
        tokens = ["<s>", *line, "</s>"]
        out.update(tuple(tokens[max(i - n, 0) : i]) for i in range(2, len(tokens) + 1))
    return out


def texts_with(table, n, n_lines, length):
    """All multisets of lines over a and b with this table, by trying."""
    lines = ["".join(p) for size in range(1, length + 1) for p in product("ab", repeat=size)]
    fitting = [line for line in lines if not table_of([line], n) - table]
    found = set()

    def more(chosen, left, first):
        if len(chosen) == n_lines:
            if not left:
                found.add(tuple(chosen))
            return
        for i in range(first, len(fitting)):
            one = table_of([fitting[i]], n)
            if not one - left:
                more([*chosen, fitting[i]], left - one, i)

    more([], table, 0)
    return found


@pytest.mark.parametrize(
    ("lines", "n"), [(("abab", "ba"), 2), (("aabab", "b"), 2), (("ab", "ab", "ba"), 2), *rarely((("abba", "a"), 3))]
)
def test_a_text_is_refused_just_if_no_text_with_this_table_has_it(lines, n):
    def spaced(*some):
        return ["".join(" ".join(line) + "\n" for line in some)]

    model = m.train(texts=spaced(*lines), order=n, **LINE)
    longest = sum(map(len, lines))
    possible = texts_with(table_of(lines, n), n, len(lines), longest)
    assert tuple(sorted(lines)) in {tuple(sorted(text)) for text in possible}
    for size in range(1, longest):
        for line in map("".join, product("ab", repeat=size)):
            try:
                m.forget(model, texts=spaced(line))
                accepted = True
            except AnswerIsNo:
                accepted = False
            assert accepted == any(line in text for text in possible), line


def test_the_ngram_that_proves_it():
    model = m.train(texts=["a b c\na b d\n"], order=3, **LINE)
    for text, said in [
        ("a b e\n", '"e" occurs 0 times in the model, once in the text'),
        ("a b c\na b c\n", '"c" occurs once in the model, 2 times in the text'),
        ("b c\n", '"<s> b" occurs 0 times in the model, once in the text'),
        ("a b\n", '"b </s>" occurs 0 times in the model, once in the text'),
    ]:
        with pytest.raises(AnswerIsNo, match=f"the model: the text was not in it: {said}"):
            m.forget(model, texts=[text])
    with pytest.raises(AnswerIsNo, match='without it, "a b" would be left once, and in no whole text'):
        m.forget(m.train(texts=["a b a c\nd\n"], order=2, **LINE), texts=["a c\n"])
    with pytest.raises(AnswerIsNo, match="tokens left: 1, sequences left: 2"):
        m.forget(m.train(texts=["a\na\na b\n"], order=1, **LINE), texts=["a a b\n"])
    with pytest.raises(AnswerIsNo, match="it has 28 bytes, the model 12, and 3 tokens would be left"):
        m.forget(m.train(texts=["a b c\na b d\n"], **LINE), texts=["a        b             c   \n"])


def test_nothing_left_and_nothing_given():
    model = m.train(texts=["a b\n"], **LINE)
    with pytest.raises(MarkovError, match="nothing is left without the text"):
        m.forget(model, texts=["a b\n"])
    with pytest.raises(TextError, match="no token"):
        m.forget(model, texts=["\n"])


def test_models_that_do_not_tell_what_is_left(tmp_path):
    text = "the cat sat\nthe cat ran\nthe dog sat\n"

    def trained(**more):
        return m.train(texts=[text], **{**LINE, **more})

    arpa = str(tmp_path / "m.arpa")
    m.export_arpa(trained(), arpa)
    for model, error, said in [
        (trained(prune=[0, 1]), MarkovError, r"pruned \(0,1\): the counts it lacks cannot be taken out"),
        (trained(prune_vocab=["the"]), MarkovError, "to a list of 1 words"),
        (trained(min_sequences=2), MarkovError, "n-grams that too few had"),
        (trained(cap_per_sequence=1), MarkovError, "counts of all occurrences"),
        (m.merge([trained(), trained()], [0.5, 1]), NeedsCounts, "weighted counts"),
        (m.import_arpa(arpa), NeedsCounts, "holds probabilities only"),
        (trained(max_types=2, min_type_count=2), MarkovError, "--max-types and --min-type-count 2"),
        (trained(max_types=2), MarkovError, "--max-types, and a text with --markers borders"),
        (trained(guard=5), MarkovError, "hashes are not counted"),
    ]:
        with pytest.raises(error, match=said):
            m.forget(model, texts=["the cat sat\n"], markers="borders" if "borders" in said else "text")
    left = m.forget(trained(guard=5), texts=["the cat sat\n"], keep_guard=False).model
    assert bytes_of(left) == bytes_of(m.train(texts=["the cat ran\nthe dog sat\n"], **LINE))


def test_parameters_of_blend_are_left_out(harbour, tmp_path):
    lines = harbour.splitlines(keepends=True)[:60]
    heldout = tmp_path / "heldout.txt"
    heldout.write_text("".join(lines[:5]))
    model = m.tune(m.train(texts=["".join(lines)], unit="line"), heldout, classes=[2]).model
    left = m.forget(model, texts=["".join(lines[:20])]).model
    assert left.header.blend is None
    assert bytes_of(left) == bytes_of(m.train(texts=["".join(lines[20:])], unit="line"))


def test_counts_of_another_program(tmp_path):
    """They do not tell the bytes of their text, which stay 0."""
    counts = tmp_path / "counts.txt"
    m.export_counts(m.train(texts=["a b\na c\n"], order=2, **LINE), counts)
    imported = m.import_counts(counts)
    left = m.forget(imported, texts=["a c\n"]).model
    want = m.train(texts=["a b\n"], order=2, tokenizer="spaces", unit=imported.header.options.unit)
    assert left.header.corpus_bytes == 0
    assert [np.asarray(o.count.small).tolist() for o in left.table.orders] == [
        np.asarray(o.count.small).tolist() for o in want.table.orders
    ]


def test_another_unicode_version():
    model = m.train(texts=["a b\na c\n"], **LINE)
    model.header.unicode = "1.0"
    with pytest.raises(MarkovError, match=r"made with Unicode 1\.0, and the text is read with"):
        m.forget(model, texts=["a b\n"])
