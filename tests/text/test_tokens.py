"""Bytes to tokens: what each rule says, by example; then all of them, by the oracle."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import oracle
from conftest import examples
from engine import model_of, sequences
from markov_cli.text.char_classes import kinds_of
from strategies import TOKENIZERS, UNITS, texts

L, R = oracle.LEFT, oracle.RIGHT
KINDS = ["space", "word", "mark", "single", "katakana", "extend", "digit"]  # in the order of their numbers


def split(text, tokenizer="words", **more):
    """Tokens of a text that is one sequence; without the flags."""
    found = sequences(text, tokenizer, "file", **more)
    return [t.decode("utf-8", "replace") for t, _ in found[0]] if found else []


def flags(text):
    return [f for _, f in sequences(text, "words", "file")[0]]


@pytest.mark.parametrize(
    "text, tokens",
    [
        ("the old clock", ["the", "old", "clock"]),
        # an apostrophe between letters stays in the word; at its edge it is a quote
        ("it's 'tis dogs' rock’n’roll", ["it's", "'", "tis", "dogs", "'", "rock’n’roll"]),
        ("a''b", ["a", "''", "b"]),  # two of them are no apostrophe
        ("90's", ["90", "'", "s"]),  # and it stands between letters, not digits
        # a point or comma between digits stays in the number
        ("1,000.50 3. .5 a.b 1,,2", ["1,000.50", "3", ".", ".", "5", "a", ".", "b", "1", ",,", "2"]),
        ("1.a b2.3", ["1", ".", "a", "b2.3"]),  # digits run together with letters
        # a run of one mark is one token, another mark begins another
        ("no!!! what?! ... --> __", ["no", "!!!", "what", "?", "!", "...", "--", ">", "__"]),
        ("—— …… —…", ["——", "……", "—", "…"]),  # likewise beyond ASCII
        ("#tag @you 50% $5", ["#", "tag", "@", "you", "50", "%", "$", "5"]),
        ("naïve Straße déjà-vu", ["naïve", "Straße", "déjà", "-", "vu"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),  # a combining accent belongs to its letter
        ("a \u0301b", ["a", "\u0301b"]),  # behind a space it is a letter
        ("!\u0301! !!\u0301", ["!\u0301", "!", "!!\u0301"]),  # on a mark it is part of the mark
        ("co\u00adop zero\u200bwidth", ["co\u00adop", "zero", "\u200b", "width"]),  # soft hyphen joins, U+200B parts
    ],
)
def test_words_of_alphabets(text, tokens):
    assert split(text) == tokens


@pytest.mark.parametrize(
    "text, tokens",
    [
        ("😀😀 😀😁", ["😀😀", "😀", "😁"]),  # a run of the same mark is one, here too
        ("👩\u200d💻x", ["👩\u200d💻", "x"]),  # joined by U+200D: one person with a laptop
        ("👨\u200d👩\u200d👧\u200d👦👍", ["👨\u200d👩\u200d👧\u200d👦", "👍"]),
        ("👍🏽👍", ["👍🏽", "👍"]),  # a skin tone colours what it stands on
        ("❤\ufe0f❤\ufe0f", ["❤\ufe0f", "❤\ufe0f"]),  # U+FE0F asks for a picture
        ("🇩🇪🇫🇷🇯", ["🇩🇪", "🇫🇷", "🇯"]),  # letters of flags pair up, the last one is alone
        ("a🇩🇪b", ["a", "🇩🇪", "b"]),
        ("1\ufe0f\u20e3", ["1\ufe0f\u20e3"]),  # a keycap
    ],
)
def test_words_of_emoji(text, tokens):
    assert split(text) == tokens


@pytest.mark.parametrize(
    "text, tokens",
    [
        ("汉字abc", ["汉", "字", "abc"]),  # each ideograph alone, letters together
        ("人々", ["人", "々"]),
        ("ひらがな", [*"ひらがな"]),
        ("か\u3099く", ["か\u3099", "く"]),  # with the mark upon it
        ("カタカナとコーヒー", ["カタカナ", "と", "コーヒー"]),  # Katakana runs together
        ("ﾃﾞｰﾀ", ["ﾃﾞｰﾀ"]),  # half-width too
        ("ไทย", ["ไ", "ท", "ย"]),
        ("ที่นี่", ["ที่", "นี่"]),  # vowel and tone marks stay on their letter
        ("हिन्दी में", ["हिन्दी", "में"]),  # virama and vowel signs are inside the word
        ("مَرْحَبًا بالعالم", ["مَرْحَبًا", "بالعالم"]),
        ("١٬٢٣٤ ٣.١٤ ٣,١", ["١", "٬", "٢٣٤", "٣.١٤", "٣,١"]),  # only `.` and `,` join digits
        ("안녕하세요 세계", ["안녕하세요", "세계"]),
        ("Привет, мир!", ["Привет", ",", "мир", "!"]),
    ],
)
def test_words_of_other_scripts(text, tokens):
    assert split(text) == tokens


@pytest.mark.parametrize(
    "text, found",
    [
        ("a b", [0, 0]),
        ("a, b", [0, L, 0]),  # the mark carries it: `a` is one type with or without a comma behind it
        ("(a)", [R, 0, L]),
        ("a-b", [0, L | R, 0]),
        ("--> x", [0, L, 0]),  # of two marks, the second
        ("中文", [0, L]),  # of two words, the second
        ("中文。", [0, L, L]),
        ("“a” b", [R, 0, L, 0]),
        ("a,b, c", [0, L | R, 0, L, 0]),  # so `,` is two types here
    ],
)
def test_flags(text, found):
    assert flags(text) == found


@pytest.mark.parametrize("space", [*"\u00a0\u2003\u3000\u2028\x85\x1c\0\v\f\t", "\r\n"])
def test_white_space_of_words(space):
    assert split(f"a{space}b{space}") == ["a", "b"]
    assert flags(f"a{space},") == [0, 0]  # they do not touch


def test_spaces_are_those_of_kenlm():
    # U+00A0, vertical tab and form feed are not among them, and nothing is taken from a token
    assert split("a\tb\0c\r\nd e,f\u00a0g\vh\fi", "spaces") == ["a", "b", "c", "d", "e,f\u00a0g\vh\fi"]


@pytest.mark.parametrize("block_bytes", [4, 8, 100])
def test_no_block_ends_inside_a_token(block_bytes):
    # white space to a reader, but not to this tokenizer: a form feed stays inside its token
    assert sequences("aaaa\fbbbb\vcccc d", "spaces", "line", block_bytes) == [[(b"aaaa\fbbbb\vcccc", 0), (b"d", 0)]]


def test_bytes_and_spaces_keep_what_is_not_utf8():
    assert sequences(b"a\xff\xc3 \x80", "spaces", "file") == [[(b"a\xff\xc3", 0), (b"\x80", 0)]]
    assert sequences(b"\xff\0\x80", "bytes", "file") == [[(b"\xff", 0), (b"\0", 0), (b"\x80", 0)]]


def test_invalid_utf8_becomes_a_token_that_says_so():
    # 0xFF alone, then 0xE2 0x82 cut short by a space: one U+FFFD each, as Python puts it
    assert split(b"a \xff b \xe2\x82 c") == ["a", "\ufffd", "b", "\ufffd", "c"]
    assert split(b"\xffa", "chars") == ["\ufffd", "a"]
    assert model_of(b"a \xff b \xe2\x82 c, a text of which enough is text").repairs.invalid == 2


def test_a_true_replacement_character_is_not_counted_as_invalid():
    assert model_of("a \ufffd b, a text of which enough is text").repairs.invalid == 0


@pytest.mark.parametrize("tokenizer", ["words", "spaces", "chars", "regex"])
def test_a_byte_order_mark_is_not_text(tokenizer):
    assert split("\ufeffab c", tokenizer) == split("ab c", tokenizer)


def test_a_byte_order_mark_is_bytes():
    assert split(b"\xef\xbb\xbfa", "bytes") == ["\ufffd", "\ufffd", "\ufffd", "a"]


def test_chars_read_cr_lf_as_lf():
    assert split("a\r\nb\rc\n", "chars") == ["a", "\n", "b", "\r", "c", "\n"]
    assert split("a\r\nb", "bytes") == ["a", "\r", "\n", "b"]


def test_regex_takes_what_the_pattern_matches():
    assert split("a1 b22, c!", "regex", pattern=r"[a-z]\d*") == ["a1", "b22", "c"]
    # empty matches are no tokens; a token touches its left neighbour or not
    assert sequences("ab c", "regex", "file", pattern=r"\w?") == [[(b"a", 0), (b"b", L), (b"c", 0)]]


def test_lowercase_reads_everything_in_lower_case():
    assert split("The ÉCOLE İ ΣΑΣ", lowercase=True) == ["the", "école", "i\u0307", "σας"]  # as str.lower does
    assert split("The ÉCOLE", "spaces", lowercase=True) == ["the", "école"]


def test_markers_in_the_text_are_text():
    assert split("<s> </s>", "spaces") == ["<s>", "</s>"]
    assert split("<s>") == ["<", "s", ">"]


def test_words_longer_than_a_key():
    # 7 bytes are a key, 8 are a block of the hash, 16 are two
    text = " ".join("x" * n for n in (6, 7, 8, 9, 15, 16, 17, 5000))
    assert split(text) == text.split()


def test_every_character_is_of_the_kind_that_its_name_says():
    # Left out: New Tai Lue, Hangzhou numerals and annotation marks, whose names do not tell
    odd = [*range(0x1980, 0x19DB), *range(0x3021, 0x303C), *range(0x3192, 0x3196)]
    found = kinds_of(0, 0x10000).tolist()
    wrong = [
        hex(cp) for cp in {*range(0x10000)} - {*range(0xD800, 0xE000)} - {*odd}
        if KINDS[found[cp]] != oracle.kind(chr(cp))
    ]  # fmt: skip
    assert wrong == []


@examples(400)
@given(texts)
@example("a\u200d😀")  # a joiner behind a letter
@example("🇩\u0301🇪 \u200d🇩🇪🇩")
@example("1\u0301,2 a’\u0301b")
def test_words_are_the_oracles(text):
    assert sequences(text, "words", "file") == oracle.sequences(text, "words", "file")


@examples(200)
@given(texts, st.sampled_from(TOKENIZERS), st.sampled_from(UNITS), st.booleans(), st.sampled_from([5, 30, 1 << 20]))
def test_tokens_are_the_oracles_however_the_text_is_cut(text, tokenizer, unit, lowercase, block_bytes):
    given_text = text.encode() if tokenizer == "bytes" else text
    lowercase = lowercase and tokenizer != "bytes"
    found = sequences(given_text, tokenizer, unit, block_bytes, lowercase=lowercase)
    assert found == oracle.sequences(given_text, tokenizer, unit, lowercase=lowercase)
