"""The tokenizers: each rule by example, then all of them against the oracle."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import oracle
from conftest import examples
from engine import model_of, sequences
from markov_cli.text.char_classes import kinds_of
from strategies import TOKENIZERS, UNITS, chats, texts

L, R = oracle.LEFT, oracle.RIGHT
KINDS = ["space", "word", "mark", "single", "katakana", "extend", "digit"]  # in the order of their codes


def split(text, tokenizer="words", **more):
    """The tokens of a text read as one sequence, without flags."""
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
        ("a''b", ["a", "''", "b"]),  # two in a row are a quote
        ("90's", ["90", "'", "s"]),  # only between letters, not after digits
        # a point or comma between digits stays in the number
        ("1,000.50 3. .5 a.b 1,,2", ["1,000.50", "3", ".", ".", "5", "a", ".", "b", "1", ",,", "2"]),
        ("1.a b2.3", ["1", ".", "a", "b2.3"]),  # digits run together with letters
        # a run of one mark is one token; a different mark starts a new one
        ("no!!! what?! ... --> __", ["no", "!!!", "what", "?", "!", "...", "--", ">", "__"]),
        ("—— …… —…", ["——", "……", "—", "…"]),  # also beyond ASCII
        ("#tag @you 50% $5", ["#tag", "@you", "50", "%", "$", "5"]),
        ("naïve Straße déjà-vu", ["naïve", "Straße", "déjà", "-", "vu"]),
        ("e\u0301te\u0301", ["e\u0301te\u0301"]),  # a combining accent belongs to its letter
        ("a \u0301b", ["a", "\u0301b"]),  # after a space it counts as a letter
        ("!\u0301! !!\u0301", ["!\u0301", "!", "!!\u0301"]),  # on a mark it is part of the mark
        (
            "co\u00adop zero\u200bwidth",
            ["co\u00adop", "zero", "\u200b", "width"],
        ),  # U+200B separates
    ],
)
def test_words_of_alphabets(text, tokens):
    assert split(text) == tokens


@pytest.mark.parametrize(
    "text, tokens",
    [
        # links, without the marks behind them; a bracket stays where its pair is in the link
        ("(see https://a.org/b?c=1&d#e), ok", ["(", "see", "https://a.org/b?c=1&d#e", ")", ",", "ok"]),
        (
            "www.a.org! http://a.org/b_(c). <ftp://x>",
            ["www.a.org", "!", "http://a.org/b_(c)", ".", "<", "ftp://x", ">"],
        ),
        ('[t](http://a.b/) "http://a.b"', ["[", "t", "]", "(", "http://a.b/", ")", '"', "http://a.b", '"']),
        ("看http://t.co/a好 http://a.b/é", ["看", "http://t.co/a", "好", "http://a.b/é"]),  # ideographs end a link
        (":// http:// x://. www.", [":", "//", "http", ":", "//", "x", ":", "//", ".", "www", "."]),  # none
        # mail addresses, with what services put before them
        ("a.b+c@d-e.org. me@host x@1.2", ["a.b+c@d-e.org", ".", "me", "@", "host", "x", "@", "1.2"]),
        ("@a@b.org", ["@a@b.org"]),
        # names and tags begin a word; a tag has a letter; C# and entities of HTML are none
        ("@a_1! @größe a@b @ @@c", ["@a_1", "!", "@größe", "a", "@", "b", "@", "@@", "c"]),
        (
            "#a_1 #1 #東京 C# x#y &#39; ##z",
            ["#a_1", "#", "1", "#東京", "C", "#", "x", "#", "y", "&", "#", "39", ";", "##", "z"],
        ),
        ("@it's #a’s @3.5 &#x27;", ["@it", "'s", "#a", "’s", "@3", ".5", "&", "#", "x27", ";"]),
        # emoji by name, also several; times and C++ are none
        (":a: :+1::b-c: <:d:1> <a:e:2>", [":a:", ":+1:", ":b-c:", "<:d:1>", "<a:e:2>"]),
        ("7:45:10 a:b: x::y:", ["7", ":", "45", ":", "10", "a", ":", "b", ":", "x", "::", "y", ":"]),
    ],
)
def test_words_of_chats(text, tokens):
    assert split(text) == tokens


@pytest.mark.parametrize(
    "text, tokens",
    [
        ("😀😀 😀😁", ["😀😀", "😀", "😁"]),  # a run of the same emoji is one token
        ("👩\u200d💻x", ["👩\u200d💻", "x"]),  # joined by U+200D: one person with a laptop
        ("👨\u200d👩\u200d👧\u200d👦👍", ["👨\u200d👩\u200d👧\u200d👦", "👍"]),
        ("👍🏽👍", ["👍🏽", "👍"]),  # a skin tone belongs to its emoji
        ("❤\ufe0f❤\ufe0f", ["❤\ufe0f", "❤\ufe0f"]),  # U+FE0F is the emoji variation selector
        ("🇩🇪🇫🇷🇯", ["🇩🇪", "🇫🇷", "🇯"]),  # regional indicators pair up; a third stays alone
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
        ("か\u3099く", ["か\u3099", "く"]),  # with its combining mark
        ("カタカナとコーヒー", ["カタカナ", "と", "コーヒー"]),  # Katakana runs together
        ("ﾃﾞｰﾀ", ["ﾃﾞｰﾀ"]),  # half-width too
        ("ไทย", ["ไ", "ท", "ย"]),
        ("ที่นี่", ["ที่", "นี่"]),  # vowel and tone marks stay on their letter
        ("हिन्दी में", ["हिन्दी", "में"]),  # virama and vowel signs belong to the word
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
        ("a, b", [0, L, 0]),  # the comma carries the flag, so `a` is one type with or without a comma
        ("(a)", [R, 0, L]),
        ("a-b", [0, L | R, 0]),
        ("--> x", [0, L, 0]),  # of two marks, the second
        ("中文", [0, L]),  # of two words, the second
        ("中文。", [0, L, L]),
        ("“a” b", [R, 0, L, 0]),
        ("a,b, c", [0, L | R, 0, L, 0]),  # `,` has two flags here, so it is two types
    ],
)
def test_flags_say_which_side_touches(text, found):
    assert flags(text) == found


@pytest.mark.parametrize("space", [*"\u00a0\u2003\u3000\u2028\x85\x1c\0\v\f\t", "\r\n"])
def test_every_white_space_character_separates_words(space):
    assert split(f"a{space}b{space}") == ["a", "b"]
    assert flags(f"a{space},") == [0, 0]  # they do not touch


def test_spaces_splits_where_kenlm_splits():
    # U+00A0, vertical tab and form feed do not split
    assert split("a\tb\0c\r\nd e,f\u00a0g\vh\fi", "spaces") == ["a", "b", "c", "d", "e,f\u00a0g\vh\fi"]


@pytest.mark.parametrize("block_bytes", [4, 8, 100])
def test_no_block_ends_inside_a_token(block_bytes):
    # a form feed is no white space to the tokenizer `spaces`
    assert sequences("aaaa\fbbbb\vcccc d", "spaces", "line", block_bytes) == [[(b"aaaa\fbbbb\vcccc", 0), (b"d", 0)]]


def test_bytes_and_spaces_keep_invalid_utf8():
    assert sequences(b"a\xff\xc3 \x80", "spaces", "file") == [[(b"a\xff\xc3", 0), (b"\x80", 0)]]
    assert sequences(b"\xff\0\x80", "bytes", "file") == [[(b"\xff", 0), (b"\0", 0), (b"\x80", 0)]]


def test_invalid_utf8_becomes_replacement_characters_and_is_counted():
    # 0xFF alone, then 0xE2 0x82 cut short by a space: one U+FFFD each, as in Python
    assert split(b"a \xff b \xe2\x82 c") == ["a", "\ufffd", "b", "\ufffd", "c"]
    assert split(b"\xffa", "chars") == ["\ufffd", "a"]
    assert model_of(b"a \xff b \xe2\x82 c, a text of which enough is text").repairs.invalid == 2


def test_a_replacement_character_of_the_text_is_not_counted_as_invalid():
    assert model_of("a \ufffd b, a text of which enough is text").repairs.invalid == 0


@pytest.mark.parametrize("tokenizer", ["words", "spaces", "chars", "regex"])
def test_a_byte_order_mark_is_not_text(tokenizer):
    assert split("\ufeffab c", tokenizer) == split("ab c", tokenizer)


def test_the_tokenizer_bytes_keeps_a_byte_order_mark():
    assert split(b"\xef\xbb\xbfa", "bytes") == ["\ufffd", "\ufffd", "\ufffd", "a"]


def test_chars_read_cr_lf_as_lf():
    assert split("a\r\nb\rc\n", "chars") == ["a", "\n", "b", "\r", "c", "\n"]
    assert split("a\r\nb", "bytes") == ["a", "\r", "\n", "b"]


def test_regex_tokens_are_the_matches_of_the_pattern():
    assert split("a1 b22, c!", "regex", pattern=r"[a-z]\d*") == ["a1", "b22", "c"]
    # empty matches are no tokens; LEFT marks a token that touches the one before
    assert sequences("ab c", "regex", "file", pattern=r"\w?") == [[(b"a", 0), (b"b", L), (b"c", 0)]]


def test_lowercase_equals_str_lower():
    assert split("The ÉCOLE İ ΣΑΣ", lowercase=True) == [
        "the",
        "école",
        "i\u0307",
        "σας",
    ]
    assert split("The ÉCOLE", "spaces", lowercase=True) == ["the", "école"]


def test_markers_written_in_a_text_are_plain_text():
    assert split("<s> </s>", "spaces") == ["<s>", "</s>"]
    assert split("<s>") == ["<", "s", ">"]


def test_words_around_the_lengths_of_keys_stay_whole():
    # a key holds 7 bytes, a block of the hash 8
    text = " ".join("x" * n for n in (6, 7, 8, 9, 15, 16, 17, 5000))
    assert split(text) == text.split()


def test_every_character_class_agrees_with_the_character_name():
    # left out: New Tai Lue, Hangzhou numerals and annotation marks, whose names do not show their class
    odd = [*range(0x1980, 0x19DB), *range(0x3021, 0x303C), *range(0x3192, 0x3196)]
    found = kinds_of(0, 0x10000).tolist()
    wrong = [
        hex(cp) for cp in {*range(0x10000)} - {*range(0xD800, 0xE000)} - {*odd}
        if KINDS[found[cp]] != oracle.kind(chr(cp))
    ]  # fmt: skip
    assert wrong == []


@examples(400)
@given(texts)
@example("a\u200d😀")  # a joiner after a letter
@example("🇩\u0301🇪 \u200d🇩🇪🇩")
@example("1\u0301,2 a’\u0301b")
def test_words_equal_the_oracle(text):
    assert sequences(text, "words", "file") == oracle.sequences(text, "words", "file")


@examples(300)
@given(chats)
@example("http://http://a.b) www.c")
@example(":a::b:c::d: <:e:1><a:f:2>")
@example("@a@b.c #a@b.c @@b _@c.d")
def test_words_of_chats_equal_the_oracle(text):
    assert sequences(text, "words", "file") == oracle.sequences(text, "words", "file")


@examples(200)
@given(texts, st.sampled_from(TOKENIZERS), st.sampled_from(UNITS), st.booleans(), st.sampled_from([5, 30, 1 << 20]))
def test_tokens_equal_the_oracle_in_blocks_of_any_size(text, tokenizer, unit, lowercase, block_bytes):
    given_text = text.encode() if tokenizer == "bytes" else text
    lowercase = lowercase and tokenizer != "bytes"
    found = sequences(given_text, tokenizer, unit, block_bytes, lowercase=lowercase)
    assert found == oracle.sequences(given_text, tokenizer, unit, lowercase=lowercase)
