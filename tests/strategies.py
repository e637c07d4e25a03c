"""Hypothesis strategies for texts with many awkward characters side by side."""

from hypothesis import strategies as st

ATOMS = [
    *"abcABIJ019 ", " ", " ", " ", "\n", "\n", "\n\n", "\t", "\r\n", "\r", "\0", "\v", "\f", "\x1c", "\x85",
    "\u00a0", "\u3000", "\u2028", "\u200b", *".,.,.!?'\"’”»)(]}«“-—…_/@#$%&<>*", "Mr", "dr", "e.g", "St",
    "it's", "3.14", "1,000", "٣", "२", "๓", "é", "e\u0301", "\u0301", "\u0308", "\u200d", "\u200c", "\ufe0f",
    "\ufeff", "ß", "İ", "Σ", "σ", "Я", "ж", "א", "ب", "ـ", "؟", "۔", "न", "ि", "्", "।", "ก", "ำ", "ั", "中",
    "文", "々", "〇", "の", "が", "カ", "ー", "・", "ｶ", "ﾞ", "한", "글", "。", "！", "？", "、", "」", "「", "…",
    "😀", "👨", "👩", "💻", "❤", "🏽", "🇩", "🇪", "🇫", "\U00020000", "\ufffd", "<s>", "</s>", "<unk>", "longerthan7",
    "longerthaneightbytes", "longerthaneightbytez",
]  # fmt: skip

# without surrogates and the code points whose names do not show their class (see test_tokens)
anything = st.characters(exclude_categories=("Cs", "Cn"), max_codepoint=0x16FFF).filter(
    lambda c: not 0x1900 <= ord(c) <= 0x1AFF and not 0x3021 <= ord(c) <= 0x303B and not 0x3190 <= ord(c) <= 0x319F
)

atoms = st.sampled_from(ATOMS)
texts = (
    st.lists(st.one_of(atoms, atoms, atoms, anything), max_size=40)
    .map("".join)
    .map(
        lambda t: t.lstrip("\ufeff")  # at the start it is a byte order mark, not text
    )
)

# texts like prose, with repetition
_words = st.sampled_from(
    [
        "the",
        "cat",
        "sat",
        "on",
        "A",
        "Mat",
        "it's",
        "Mr",
        "e.g",
        "ran",
        "3.5",
        "猫",
        "é",
        "É",
        "p.m",
        "P.M",
        "Fig",
        "ca",
        "7",
    ]
)
_marks = st.sampled_from(
    [" "] * 4 + [", ", ". ", "! ", "\n", ".\n\n", "; ", "。", '." ', ". ", "... ", "…\n", '?" ', ". (", " . "]
)
prose = st.lists(st.tuples(_words, _marks).map("".join), min_size=1, max_size=30).map("".join)

# texts like chats: links, names and emoji, whole and broken
_chat_atoms = st.sampled_from(
    ["http://", "www.", "a", "b.c", "@", "@x", "#", "#t", ":", ":a:", "::", "<", "<a", ">", "1", "_", "-", ".", "(",
     ")", "/", " ", " ", "é", "猫", "カ", "“", "\u0301", "\ufe0f", "+", "%", "&", "'", "\n", "9", "w", "😀", ",", "[",
     "]", "’"]
)  # fmt: skip
chats = st.lists(_chat_atoms, max_size=24).map("".join)

TOKENIZERS = ["words", "spaces", "chars", "bytes", "regex"]
UNITS = ["sentence", "line", "paragraph", "file"]
