"""Segmentation into sequences: each rule by example, then all of them against the oracle."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import oracle
from conftest import examples
from engine import model_of, sequences
from markov_cli.text.reading import Source
from strategies import prose, texts


def parts(text, unit="sentence", tokenizer="words"):
    """The sequences of a text, each joined to text."""
    spaced = tokenizer not in ("chars", "bytes")
    return [oracle.join(s, spaced).decode() for s in sequences(text, tokenizer, unit)]


@pytest.mark.parametrize(
    "text, found",
    [
        ("One two. Three! Four? Five", ["One two.", "Three!", "Four?", "Five"]),
        ("Wait... What?! Yes.", ["Wait...", "What?!", "Yes."]),
        # before a lower-case letter nothing ends with an ellipsis, a closing quote or a bracket
        ("Wait... what?! Yes.. no. ok", ["Wait... what?!", "Yes.. no.", "ok"]),
        ("So… où? So… Où?", ["So… où?", "So…", "Où?"]),
        (
            '"Who?" asked Ines. (At last!) she came. "No." É',
            ['"Who?" asked Ines.', "(At last!) she came.", '"No."', "É"],
        ),
        # times and what often ends a sentence, before a lower-case letter; P.M. is no initial
        (
            "At 5 p.m. we left. At 5 P.M. We ate etc. and so on, etc. End",
            ["At 5 p.m. we left.", "At 5 P.M.", "We ate etc. and so on, etc.", "End"],
        ),
        ("It takes 10 min. to boil. For 10 min. Then", ["It takes 10 min. to boil.", "For 10 min.", "Then"]),
        # abbreviations of numbers, before a number
        (
            "See Fig. 3, No. 7, p. 12, Vol. 2 and Eq. (4). No. Then",
            ["See Fig. 3, No. 7, p. 12, Vol. 2 and Eq. (4).", "No.", "Then"],
        ),
        ("It is approx. the third fig. He ate it.", ["It is approx. the third fig.", "He ate it."]),
        ("A hard-wrapped\nbook goes\non. Like this.", ["A hard-wrapped book goes on.", "Like this."]),
        # closing quotes and brackets belong to the sentence they close
        ('"Stop!" He sat. (Really.) End', ['"Stop!"', "He sat.", "(Really.)", "End"]),
        ("'So.' [Then.]  End", ["'So.'", "[Then.]", "End"]),
        ("“Yes.” «Non.» ‘No.’ X", ["“Yes.”", "«Non.»", "‘No.’", "X"]),
        ('He left.") X', ['He left.")', "X"]),
        ('a "b" c) d', ['a "b" c) d']),  # closers alone end nothing
        ("3.14 is e.a.t.en, so.", ["3.14 is e.a.t.en, so."]),  # no white space after the point
        ("Wait… No", ["Wait…", "No"]),
        # a blank line ends a sentence without a mark; white space within it does not matter
        ("Chapter One\n\nIt was", ["Chapter One", "It was"]),
        ("Chapter One\n \t\nIt was\n\n\n\nthen", ["Chapter One", "It was", "then"]),
        ("a\r\nb\r\n\r\nc", ["a b", "c"]),  # with line ends of Windows, too
        ("  a. b.\n", ["a.", "b."]),  # white space at the edges is no sequence
        ("\n\n", []),
        # titles and abbreviations, in any case
        ("Mr. Hale met Dr. Ossery, Prof. X. and st. John.", ["Mr. Hale met Dr. Ossery, Prof. X. and st. John."]),
        ("See e.g. this, i.e. that, cf. those vs. these.", ["See e.g. this, i.e. that, cf. those vs. these."]),
        ("(Mr. A) said-Mrs. B", ["(Mr. A) said-Mrs. B"]),
        # inside a word they are no abbreviations
        ("The farmr. Then 2st. Then o'st. Ok", ["The farmr.", "Then 2st.", "Then o'st.", "Ok"]),
        # initials: a single capital letter, but not I
        ("J. R. Hale and U.S. law. So did I. You?", ["J. R. Hale and U.S. law.", "So did I.", "You?"]),
        ("Plan AB. Next", ["Plan AB.", "Next"]),
        ("É. Then", ["É.", "Then"]),  # only ASCII letters are initials
        ("Mr! Next", ["Mr!", "Next"]),  # only a point belongs to an abbreviation
        ('"Mr." Next', ['"Mr." Next']),  # also before a closing quote
        # scripts written without spaces
        ("我来了。你好！是吗？「好。」他说。", ["我来了。", "你好！", "是吗？", "「好。」", "他说。"]),
        ("真的。。。吗？！好", ["真的。。。", "吗？！", "好"]),  # a run of stops ends once
        ("好。 好", ["好。", "好"]),  # a stop and the white space after it end the sentence once
        ("नमस्ते। कैसे हो? हाँ।नहीं", ["नमस्ते।", "कैसे हो?", "हाँ।नहीं"]),  # a danda is followed by a space
        ("ما هذا؟ نعم۔ لا", ["ما هذا؟", "نعم۔", "لا"]),
        ("one.\u00a0Two.\u3000Three", ["one.", "Two.", "Three"]),  # any white space
    ],
)
def test_a_sentence_ends_by_the_rules(text, found):
    assert parts(text) == found


def test_a_line_ends_at_its_newline():
    assert parts("a b\nc. d\r\n\r\n\ne\rf", "line") == ["a b", "c. d", "e f"]
    assert parts("a\n\nb\n", "line", "chars") == ["a", "b"]
    # chars keeps white space at the edges of a line
    assert parts(" a \r\n\tb", "line", "chars") == [" a ", "\tb"]


def test_empty_lines_are_counted():
    # one between a and b, one after b; nothing after the last newline counts
    assert model_of("a\n\nb\n\n", unit="line").repairs.empty_sequences == 2
    assert model_of("a\n\nb", unit="line").repairs.empty_sequences == 1


def test_a_paragraph_ends_at_a_blank_line():
    assert parts("\n a. b\nc\n\nd\r\n \r\ne\n", "paragraph") == ["a. b c", "d", "e"]
    # one newline is part of the text of chars, the gap between paragraphs is not
    assert parts("a\nb \n\n c\n", "paragraph", "chars") == ["a\nb", "c"]


def test_a_file_is_one_sequence():
    assert parts("a. b\n\nc\n", "file") == ["a. b c"]
    assert parts(" a\n\n", "file", "chars") == [" a\n\n"]
    assert model_of(["a", "b\n\nc"], unit="file").header.sequences == 2


def test_sentences_of_chars_lose_only_the_white_space_between_them():
    assert parts(" A b.  C\nd. ", "sentence", "chars") == ["A b.", "C\nd."]


def test_sentences_of_bytes_end_by_ascii_rules_only():
    # `。` and U+00A0 are ordinary bytes here
    assert parts("好。好. b.\u00a0c", "sentence", "bytes") == ["好。好.", "b.\u00a0c"]


def test_a_stop_inside_a_token_of_spaces_ends_the_sentence_after_that_token():
    # a token belongs to the sequence it starts in
    assert parts("你好。再见 a", "sentence", "spaces") == ["你好。再见", "a"]


def test_no_sequence_runs_from_one_text_into_the_next():

    assert model_of(["a b", "c d"]).header.sequences == 2


@examples(200)
@given(st.one_of(texts, prose), st.sampled_from(["sentence", "line", "paragraph"]))
@example("x.'\")]} y", "sentence")
@example('。’」"a', "sentence")
@example("Mr.\u0301 a", "sentence")
def test_units_of_words_equal_the_oracle(text, unit):
    assert sequences(text, "words", unit) == oracle.sequences(text, "words", unit)


@given(st.one_of(texts, prose), st.sampled_from(["sentence", "line", "paragraph", "file"]))
def test_units_of_chars_equal_the_oracle(text, unit):
    assert sequences(text, "chars", unit) == oracle.sequences(text, "chars", unit)


@given(st.binary(max_size=60), st.sampled_from(["sentence", "line", "paragraph", "file"]), st.sampled_from([7, 1000]))
def test_units_of_bytes_equal_the_oracle(data, unit, block_bytes):
    data = b"." + data  # never the first bytes of a compressed file
    assert sequences(data, "bytes", unit, block_bytes) == oracle.sequences(data, "bytes", unit)


@examples(60)
@given(prose, st.integers(4, 40))
def test_blocks_never_move_a_break(text, block_bytes):
    for unit in ("sentence", "line", "paragraph"):
        assert sequences(text, "words", unit, block_bytes) == sequences(text, "words", unit)


@pytest.mark.parametrize("block_bytes", range(4, 12))
@pytest.mark.parametrize("space", ["\f", "\v", "\x1c", "\0", "\u00a0", " "])
def test_no_block_boundary_hides_a_blank_line(space, block_bytes):
    # two newlines in one run of white space, whatever else is in it
    assert len(sequences(f"aaaa\n{space}\nbbbb", "words", "sentence", block_bytes)) == 2


@pytest.mark.parametrize("tokenizer", ["words", "spaces", "chars", "bytes", "regex"])
def test_lowercase_does_not_change_the_sentences(tokenizer):
    # lower case changes lengths: İ has 2 bytes and becomes 3, the Kelvin sign has 3 and becomes 1
    text = "\u0130\u0130 met J. Hale. \u212a. was there, U.S. Navy. He said so. I. It was Mr. I."
    plain = sequences(text, tokenizer)
    lowered = sequences(text, tokenizer, lowercase=True)
    assert len(lowered) == len(plain) == 6  # neither the Kelvin sign nor `I` is an initial


@pytest.mark.parametrize("tokenizer, unit", [("words", "sentence"), ("bytes", "sentence"), ("regex", "sentence")])
@pytest.mark.parametrize("then", ["but no.", "éclair!", "3 more", "But no."])
def test_what_follows_a_sentence_is_seen_across_blocks_and_parts(tmp_path, tokenizer, unit, then):
    text = f'He said (in Fig. 2) no. So it is... {then} And "yes!" {then} At 5 p.m. {then} No. {then}\n' * 3
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    whole = sequences(text, tokenizer, unit)
    for size in range(4, 60, 7):
        assert sequences(text, tokenizer, unit, size) == whole
    if tokenizer != "regex":  # of which no file is divided
        for cut in range(5, path.stat().st_size, 7):
            parts = [Source(str(path), part=edges) for edges in ((0, cut), (cut, path.stat().st_size))]
            assert sequences(parts, tokenizer, unit) == whole
