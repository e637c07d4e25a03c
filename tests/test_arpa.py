"""ARPA: what is written comes back, and what others write is read or refused with a reason."""

import bz2
import gzip
import io
import lzma
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markov_cli.errors import ModelFileError, TextError
from markov_cli.model import arpa_reading
from markov_cli.model.arpa_reading import read
from markov_cli.model.arpa_writing import Rows, write
from markov_cli.model.decimals import SPARE, Pieces, parsed, printed
from markov_cli.model.listing import trie_of
from markov_cli.text.lexicon import Lexicon
from markov_cli.text.naming import name_of, names_of, parse_name, parse_names
from markov_cli.text.tokenizing import LEFT, RIGHT
from markov_cli.text.types import MARKERS
from strategies import anything

SMALL = r"""
\data\
ngram 1=5
ngram 2=4
ngram 3=2

\1-grams:
-1.5	<unk>	0
0	<s>	-0.25
-0.7	</s>	0
-0.5	a	-0.3
-0.6	b	-0.4

\2-grams:
-0.2	<s> a	-0.1
-0.3	a b	-0.05
-0.9	b </s>	0
-0.8	b a	0

\3-grams:
-0.11	<s> a b
-0.22	a b </s>

\end\
"""


def spans(texts):
    data = np.frombuffer(b" ".join(texts) + bytes(SPARE), np.uint8)
    length = np.array([len(t) for t in texts], np.int64)
    return Pieces(data), np.cumsum(length + 1) - length - 1, length


def numbers(*texts):
    x, bad = parsed(*spans(texts))
    assert bad.tolist() == [i for i, v in enumerate(x) if math.isnan(v)]
    return x.tolist()


def as_text(x):
    return printed(np.array(x, np.float64)).tobytes().replace(b"\0", b"").decode().split("\t")[1:]


# ---- decimals


def test_digits_are_eight_at_most_without_zeros_behind():
    x = [0, -0.0, -1, -99, -100, -999, 3.5, -2.3456789, -0.1, -1e-9, -0.999999999, -9.9999999949, 1e-8]
    expected = "0 0 -1 -99 -100 -999 3.5 -2.3456789 -0.1 0 -1 -9.99999999 0.00000001"
    assert " ".join(as_text(x)) == expected


@given(st.lists(st.floats(-999, 999), min_size=1, max_size=20))
def test_printed_as_python_would(x):
    plain = [f"{v:.8f}".rstrip("0").rstrip(".").replace("-0", "0") if abs(v) < 1e-9 else None for v in x]
    for v, text, tiny in zip(x, as_text(x), plain, strict=True):
        assert abs(float(text) - v) <= 5.1e-9 + abs(v) * 1e-15
        assert "e" not in text and not text.endswith(".") and text != "-0"
        assert "." not in text or not text.endswith("0")
        assert tiny is None or text == tiny


@given(st.lists(st.floats(-500, -0.125, width=32), min_size=1, max_size=20))
def test_float32_comes_back_bit_for_bit(x):
    back = np.array(numbers(*(t.encode() for t in as_text(x))), np.float32)
    assert back.tolist() == x


def test_numbers_in_every_notation():
    texts = b"0 -0 -1.5 +1.5 .5 -.5 5. -12.25 -123.5 -1234.5 1e-5 -1.5E+2 -inf inf -99 -0.1234567890123456789"
    assert numbers(*texts.split()) == [float(t) for t in texts.split()]
    none = [b"nan", b"-", b".", b"1_0", b"--1", b"1,5", b"1.2.3", b"0x10", b"1-2", b"12/", b"1:.3", b"x", b"1" * 500]
    assert all(map(math.isnan, numbers(*none)))


decimal = st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{0,12})?", fullmatch=True)


@given(st.lists(st.one_of(decimal, st.floats(-1e30, 1e30).map(repr)), min_size=1, max_size=20))
def test_parsed_is_correctly_rounded(texts):
    assert numbers(*(t.encode() for t in texts)) == [float(t) for t in texts]


# ---- names

_ODD = [
    "\\",
    "u",
    "{",
    "}",
    "\\u{20}",
    "\\u{DCFF}",
    "\\u{5C}u{",
    "￭",
    " ",
    "\u00a0",
    "\u2028",
    "\x85",
    "\x7f",
    "\n",
    "\0",
]
_odd_text = st.lists(
    st.one_of(st.sampled_from([*_ODD, *MARKERS, "<UNK>", "a", "é", "\\u{1F600}"]), anything), max_size=4
)
_odd_bytes = st.one_of(_odd_text.map(lambda t: "".join(t).encode()), st.binary(max_size=4)).filter(len)
_odd_types = st.lists(st.tuples(_odd_bytes, st.integers(0, 3)), min_size=1, max_size=8, unique=True)


def test_names_are_the_bytes_where_nothing_forbids_it():
    assert name_of(b"it's") == b"it's" and name_of("é\\u".encode()) == "é\\u".encode()
    assert name_of(b",", LEFT) == "￭,".encode() and name_of(b"(", RIGHT) == "(￭".encode()
    assert name_of(b"-", LEFT | RIGHT) == "￭-￭".encode()
    assert name_of("a\u00a0b\x0b".encode()) == b"a\\u{A0}b\\u{B}"
    assert [name_of(m.encode())[:6] for m in (*MARKERS, "<UNK>")] == [b"\\u{3C}"] * 4
    assert name_of("￭a￭￭".encode()) == "\\u{FFED}a￭\\u{FFED}".encode()
    assert name_of(b"\\u{20}") == b"\\u{5C}u{20}"
    assert name_of(b"a\xff") == b"a\\u{DCFF}"


@pytest.mark.parametrize(
    "name", ["￭", "￭￭", "\\u{61}", "\\u{020}", "\\u{1F600}", "\\u{110000}", "\\u{D800}", "\\u{}", "\\u{a0}"]
)
def test_a_name_that_no_type_has_stands_for_itself(name):
    assert parse_name(name.encode()) == (name.encode(), 0)


@given(_odd_types)
def test_names_lead_back_and_hold_no_white_space(types):
    names = [name_of(*t) for t in types]
    assert len(set(names)) == len(names)
    assert [parse_name(n) for n in names] == types
    for name in names:
        assert not any(c.isspace() or c < " " for c in name.decode())


@given(_odd_types)
def test_names_of_whole_vocabularies_are_those_of_single_types(types):
    blob = np.frombuffer(b"".join(t for t, _ in types), np.uint8)
    offsets = np.cumsum([0, 0, 0, 0, *(len(t) for t, _ in types)])
    flags = np.array([0, 0, 0, *(f for _, f in types)], np.uint8)
    names, edge = names_of(Lexicon(blob, offsets, flags, "words"))
    listed = [names[i:j].tobytes() for i, j in pairwise(edge)]
    assert listed == [*(m.encode() for m in MARKERS), *(name_of(*t) for t in types)]
    back = parse_names(names, edge)
    assert [back.bytes_of(i) for i in range(3, len(back))] == types


@given(st.lists(_odd_bytes, min_size=1, max_size=8))
def test_any_word_of_others_is_parsed_alike_alone_and_together(words):
    together = parse_names(np.frombuffer(b"".join(words), np.uint8), np.cumsum([0, *map(len, words)]))
    assert [together.bytes_of(i) for i in range(len(words))] == [parse_name(w) for w in words]


# ---- writing


def blob_of(words):
    return np.frombuffer(b"".join(words), np.uint8), np.cumsum([0, *map(len, words)])


def written(words, orders, size=3, **options):
    """orders: per order a list of (ids, log10, backoff); `size` rows in a chunk."""

    def chunks(k):
        rows = orders[k - 1]
        for low in range(0, len(rows), size):
            ids, log10, backoff = zip(*rows[low : low + size], strict=True)
            yield Rows(np.array(ids), np.array(log10), np.array(backoff, float))

    out = io.BytesIO()
    n = write(out, blob_of(words), [len(rows) for rows in orders], chunks, **options)
    assert n == len(out.getvalue())
    return out.getvalue()


def test_every_byte_of_a_small_file():
    words = [b"<unk>", b"<s>", b"</s>", b"a", b"a-word-that-is-longer-than-all-pieces", b"eight--8", b"seven-7"]
    one = [([0], -math.inf, 0), ([1], 0, -0.5), ([2], -1.25, 0), ([3], -0.123456789, 0.5), ([4], -12, 0)]
    one += [([5], -100.5, -0.0), ([6], -5000, -math.inf)]
    two = [([1, 3], -0.5, -1), ([3, 4], -0.25, 0), ([5, 6], -1, 0)]
    three = [([1, 3, 4], -0.125, 7)]
    assert written(words, [one, two, three]).decode() == (
        "\\data\\\nngram 1=7\nngram 2=3\nngram 3=1\n"
        "\n\\1-grams:\n"
        "-99\t<unk>\t0\n0\t<s>\t-0.5\n-1.25\t</s>\t0\n-0.12345679\ta\t0.5\n"
        "-12\ta-word-that-is-longer-than-all-pieces\t0\n-100.5\teight--8\t0\n-999\tseven-7\t-99\n"
        "\n\\2-grams:\n"
        "-0.5\t<s> a\t-1\n-0.25\ta a-word-that-is-longer-than-all-pieces\t0\n-1\teight--8 seven-7\t0\n"
        "\n\\3-grams:\n"
        "-0.125\t<s> a a-word-that-is-longer-than-all-pieces\n"
        "\n\\end\\\n"
    )


def test_empty_orders_at_the_top_are_left_out():
    text = written([b"a", b"b"], [[([0], -1, -2), ([1], -3, -4)], [], []]).decode()
    assert text == "\\data\\\nngram 1=2\n\n\\1-grams:\n-1\ta\n-3\tb\n\n\\end\\\n"


@pytest.mark.parametrize("x", [math.nan, math.inf, 1000.0])
def test_what_is_no_logarithm_is_not_written(x):
    with pytest.raises(ModelFileError, match=r"order 1, row 1 .* cannot be written"):
        written([b"a"], [[([0], x, 0)]])


def test_rows_that_were_announced_must_come():
    with pytest.raises(ValueError, match="order 1: 1 rows given, 2 announced"):
        write(io.BytesIO(), blob_of([b"a"]), [2], lambda k: [Rows(np.zeros((1, 1), int), np.zeros(1))])


# ---- reading


@pytest.fixture
def parse(tmp_path):
    def parse_text(text, **options):
        path = tmp_path / "x.arpa"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read(str(path), **options)

    return parse_text


def rows_of(listing):
    """Per order {words: (log10, backoff)}, as float32; and no row twice."""
    words = [
        listing.blob[i:j].tobytes().decode() for i, j in pairwise(listing.offsets)
    ]
    out = []
    for ids, log10, backoff in listing.orders:
        backoff = [None] * len(log10) if backoff is None else backoff.tolist()
        keys = [" ".join(words[i] for i in row) for row in zip(*(c.tolist() for c in ids), strict=True)]
        out.append(dict(zip(keys, zip(log10.tolist(), backoff, strict=True), strict=True)))
        assert len(out[-1]) == len(log10)
    return out


def same(listing, expected=SMALL):
    """Compare with a plain reading of a well-formed text."""
    plain = []
    for line in expected.splitlines():
        if line.endswith("-grams:"):
            plain.append({})
        elif "\t" in line:
            p, words, *backoff = line.split("\t")
            backoff = float(np.float32(backoff[0])) if backoff else None
            plain[-1][words] = (float(np.float32(p)), backoff)
    assert rows_of(listing) == plain


def test_a_small_file(parse):
    listing = parse(SMALL)
    same(listing)
    assert listing.blob.tobytes() == b"<unk><s></s>ab"
    assert listing.offsets.tolist() == [0, 5, 8, 12, 13, 14]
    assert all(c.dtype == np.uint32 for o in listing.orders for c in o.ids)
    assert all(o.log10.dtype == np.float32 for o in listing.orders)


VARIANTS = {
    "spaces": SMALL.replace("\t", " "),
    "many spaces": SMALL.replace("\t", "  \t "),
    "crlf": SMALL.replace("\n", "\r\n"),
    "trailing": SMALL.replace("\n", " \t\n"),
    "blank lines": SMALL.replace("\n", "\n\n"),
    "no blank lines": SMALL.replace("\n\n", "\n").lstrip(),
    "no newline at the end": SMALL.rstrip(),
    "a byte order mark": "\ufeff" + SMALL.lstrip(),
    "lines before": "made by\n-1 a b\n\\1-grams: no\n" + SMALL,
    "text behind": SMALL + "\n\\1-grams:\nanything\n",
    "exponents": SMALL.replace("-0.5\ta", "-5e-1\ta").replace("-0.22\t", "-22E-2\t"),
    "a header with tabs": SMALL.replace("ngram 1=5", "ngram\t1=\t5 ").replace("ngram 2=4", " ngram 2 = 4"),
    "an empty order": SMALL.replace("ngram 3=2", "ngram 3=2\nngram 4=0").replace("\\end", "\\4-grams:\n\n\\end"),
    "an empty order, no section": SMALL.replace("ngram 3=2", "ngram 3=2\nngram 4=0"),
    "a backoff of 0 at the top": SMALL.replace("<s> a b", "<s> a b\t0"),
}


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("block_bytes", [1, 7, 64, 1 << 20])
def test_variants(name, block_bytes, parse, monkeypatch):
    monkeypatch.setattr(arpa_reading, "BLOCK_BYTES", block_bytes)
    same(parse(VARIANTS[name]))


def test_a_missing_backoff_is_zero_and_counted(parse):
    text = SMALL.replace("</s>\t0", "</s>").replace("b a\t0", "b a")
    listing = parse(text)
    same(listing)
    assert listing.notes.missing_backoffs == 3  # </s>, b </s>, b a
    every = "\n".join(line.rsplit("\t", 1)[0] if line.count("\t") == 2 else line for line in SMALL.split("\n"))
    assert parse(every).notes.missing_backoffs == 9  # 5 unigrams, 4 bigrams; the top order has none to miss


def test_odd_values(parse):
    text = SMALL.replace("a\t-0.3", "a\t3.0").replace("-0.6\tb", "-inf\tb").replace("-0.11", "0.00004")
    listing = parse(text.replace("a b </s>", "a b </s>\t-7"))
    one, _, three = rows_of(listing)
    assert one["a"][1] == 3 and one["b"][0] == -99 and three["<s> a b"] == (0, None)
    assert listing.notes.clamped == 1 and listing.notes.top_backoffs == 1


def test_compressed_and_from_standard_input(tmp_path, monkeypatch):
    for name, packed in (("g", gzip.compress), ("b", bz2.compress), ("x", lzma.compress)):
        (tmp_path / name).write_bytes(packed(SMALL.encode()))
        same(read(str(tmp_path / name)))

    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(gzip.compress(SMALL.encode())))

    monkeypatch.setattr("sys.stdin", Stdin)
    same(read("-"))


def test_words_are_bytes(parse):
    text = SMALL.encode().replace(b"b", b"\xff\x0b\xc2\xa0")  # vertical tab and U+00A0 divide nothing
    text = text.replace(b"ngram 2", b"ngram 2").replace(b"-grams:", b"-grams:")
    text = b"\\data\\\nngram 1=2\n\\1-grams:\n-1 \xff\x0b\xc2\xa0 0\n-1 " + b"w" * 70_000 + b"\n\\end\\"
    listing = parse(text)
    assert listing.blob.tobytes() == b"\xff\x0b\xc2\xa0" + b"w" * 70_000


ERRORS = {
    "not an ARPA": (b"PK\3\4" + bytes(100), "x.arpa: not an ARPA file"),
    "empty": (b"", "not an ARPA file"),
    "header only": ("\\data\\\nngram 1=5\n", r"line 3: truncated: it ends in the header"),
    "no counts": ("\\data\\\n\n\\1-grams:\n-1 a\n\\end\\\n", "line 3: no n-grams are announced"),
    "a line that is no count": (SMALL.replace("ngram 2=4", "ngram 2:4"), "line 4: 'ngram 2:4' where a count"),
    "an absurd count": (
        SMALL.replace("=4", "=1000000000000000"),
        "line 20: section .2-grams: has 4 rows .* 1,000,000,000",
    ),
    "a count of 5,000 digits": (SMALL.replace("=4", "=" + "9" * 5000), "line 4: 'ngram 2=999.*5,008 bytes"),
    "too few rows": (SMALL.replace("ngram 2=4", "ngram 2=5"), "line 20: section .2-grams: has 4 rows .* counts 5"),
    "too many rows": (SMALL.replace("ngram 2=4", "ngram 2=3"), "line 20: section .2-grams: has 4 rows .* counts 3"),
    "an order left out of the header": (
        SMALL.replace("ngram 2=4\n", ""),
        "line 4: the header counts order 3 where order 2",
    ),
    "an order twice in the header": (
        SMALL.replace("ngram 2", "ngram 1"),
        "line 4: the header counts order 1 where order 2",
    ),
    "a section left out": (SMALL.replace("\\2-grams:", "\\3-grams:"), "line 14: .* order 2 should be"),
    "no unigram section": (SMALL.replace("\\1-grams:", ""), "line 8: .* where a count should be"),
    "ends early": (SMALL[: SMALL.index("\\3-grams")] + "\\end\\\n", "line 20: .* ends before order 3"),
    "no end": (SMALL.replace("\\end\\", ""), "line 25: truncated: it ends in section .3-grams:"),
    "cut in a line": (SMALL[: SMALL.index(" a\t0")], "section .2-grams: 2 fields, not 3 or 4"),
    "cut between lines": (SMALL[: SMALL.index("-0.9")], "truncated: it ends in section .2-grams:"),
    "an unknown section": (SMALL.replace("\\2-grams:", "\\bigrams:"), r"line 14: '.+bigrams:' where a section"),
    "a word that is no unigram": (
        SMALL.replace("b </s>\t0", "x </s>\t0"),
        "line 17: section .2-grams: 'x' is not among",
    ),
    "the first of two": (
        SMALL.replace("b a\t0", "b y\t0").replace("b </s>\t0", "x z\t0"),
        "line 17: .* 'x' is not among",
    ),
    "too many fields": (SMALL.replace("a b\t", "a b c\t"), "line 16: section .2-grams: 5 fields, not 3 or 4"),
    "too few fields": (SMALL.replace("-0.3\ta b", "-0.3\tb\t"), None),
    "not a number": (SMALL.replace("-0.3\t", "-0.3x\t"), "line 16: .*'-0.3x' is no number for a probability"),
    "a comma": (SMALL.replace("-0.05", "-0,05"), "line 16: .*'-0,05' is no number for a backoff"),
    "nan": (SMALL.replace("-0.7", "nan"), "line 10: .*'nan' is no number for a probability"),
    "a nan backoff": (SMALL.replace("-0.25", "NaN"), "line 9: .*'NaN' is no number for a backoff"),
    "a probability above 1": (
        SMALL.replace("-0.22", "0.22"),
        "line 22: section .3-grams: a probability above 1: log10 0.22",
    ),
    "an infinite backoff": (SMALL.replace("-0.25", "inf"), "line 9: .*an infinite backoff"),
    "a backoff beyond float32": (SMALL.replace("-0.25", "1e39"), "line 9: .*an infinite backoff"),
    "a unigram twice": (SMALL.replace("\tb\t", "\ta\t", 1), "line 12: section .1-grams: 'a' stands twice"),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("block_bytes", [5, 1 << 20])
def test_errors(name, block_bytes, parse, monkeypatch):
    monkeypatch.setattr(arpa_reading, "BLOCK_BYTES", block_bytes)
    text, message = ERRORS[name]
    if message is None:  # "-0.3 b <tab> <tab> -0.05": the word is taken for what it is
        message = "'-0.05' is not among the unigrams"
    with pytest.raises(ModelFileError, match=message) as caught:
        parse(text)
    assert "x.arpa" in caught.value.message and caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(TextError, match="No such file"):
        read(str(tmp_path / "none"))
    with pytest.raises(TextError):
        read(str(tmp_path))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(SMALL.encode())[:-20])
    with pytest.raises(TextError, match=r"cut\.gz"):
        read(str(tmp_path / "cut.gz"))


class Endless:
    """A file of one line that never ends."""

    def __init__(self, begin):
        self.begin, self.given = begin, 0

    def read(self, n):
        part, self.begin = self.begin, b""
        self.given += n
        return part or b"x" * n

    def close(self):
        pass


@pytest.mark.parametrize(
    ("begin", "message"), [(b"", "not an ARPA"), (SMALL.encode(), "a line of more than 16,777,216")]
)
def test_a_line_without_end_is_not_read_to_its_end(begin, message, monkeypatch):
    file = Endless(begin.replace(b"\\end\\\n", b""))
    monkeypatch.setattr(arpa_reading, "open_bytes", lambda source: file)
    with pytest.raises(ModelFileError, match=message):
        read("x.arpa")
    assert file.given < 1 << 25


# ---- listings as tries


def ngrams_of(trie):
    """Per order {names: (log10, backoff)} by walking the trie; checks its order and its links on the way."""
    names = [*MARKERS, *(name_of(*trie.types.bytes_of(i)).decode() for i in range(len(trie.types)))]
    rows, out = [(i,) for i in range(len(names))], []
    for k, order in enumerate(trie.orders, 1):
        if k > 1:
            first = trie.orders[k - 2].first
            assert first.dtype == np.int64 and first[0] == 0 and first[-1] == len(order) and len(first) == len(rows) + 1
            above = rows
            rows = [(*h, int(w)) for i, h in enumerate(above) for w in order.token[first[i] : first[i + 1]]]
            assert rows == sorted(set(rows))
            if k < len(trie.orders):
                assert [above[i] for i in order.link] == [r[1:] for r in rows]
            else:
                assert order.link is None and order.first is None
        assert len(order) == len(rows)
        backoff = [None] * len(rows) if order.backoff is None else order.backoff.tolist()
        keys = [" ".join(names[i] for i in r) for r in rows]
        out.append(dict(zip(keys, zip(order.log10.tolist(), backoff, strict=True), strict=True)))
    return out


def test_a_trie_holds_what_is_listed(parse):
    listing = parse(SMALL)
    listed = rows_of(listing)
    trie = trie_of(listing)
    two = {**listed[1], "b </s>": listed[1]["b </s>"]}
    assert ngrams_of(trie) == [listed[0], two, listed[2]]
    assert [trie.types.bytes_of(i)[0] for i in range(2)] == [b"a", b"b"]  # -0.5 before -0.6
    assert listing.notes.blanks == 0


def test_ids_fall_by_probability_then_rise_by_bytes_then_flags(parse):
    words = ["zz", "b", "￭b", "ab", "a", "\\u{20}"]
    lines = [f"{-1 if w != 'zz' else -0.5}\t{w}\t0" for w in words]
    text = "\\data\\\nngram 1=6\n\\1-grams:\n" + "\n".join(lines) + "\n\\end\\\n"
    trie = trie_of(parse(text))
    assert [trie.types.bytes_of(i) for i in range(6)] == [
        (b"zz", 0), (b" ", 0), (b"a", 0), (b"ab", 0), (b"b", 0), (b"b", LEFT),
    ]  # fmt: skip
    assert trie.orders[0].log10[:3].tolist() == [-100, -99, -99] and trie.orders[0].backoff is None


def test_missing_markers(parse):
    listing = parse(
        r"\data\ ngram 1=1".replace(" ng", "\nng") + "\nngram 2=1\n\\1-grams:\n-1 a -2\n\\2-grams:\n-3 a a\n\\end\\"
    )
    trie = trie_of(listing)
    assert trie.orders[0].log10.tolist() == [-100, -99, -99, -1]
    assert trie.orders[0].backoff.tolist() == [0, 0, 0, -2]
    assert listing.notes.added_markers == 3


def test_unk_in_capitals_only_where_the_other_is_missing(parse):
    listing = parse(SMALL.replace("<unk>", "<UNK>"))
    assert trie_of(listing).orders[0].log10[0] == -1.5 and listing.notes.unk_in_capitals == 1
    both = parse(SMALL.replace("=5", "=6").replace("0\t<s>", "-2.5\t<UNK>\t0\n0\t<s>"))
    trie = trie_of(both)
    assert trie.orders[0].log10[0] == -1.5 and len(trie.types) == 3 and both.notes.unk_in_capitals == 0


BLANKS = r"""\data\
ngram 1=6
ngram 2=3
ngram 3=2
ngram 4=1
\1-grams:
-2 <unk> 0
-99 <s> -1
-1 </s> 0
-0.5 a -0.125
-0.25 b -0.0625
-0.75 c -3
\2-grams:
-0.5 <s> a -0.25
-0.5 a b -0.5
-0.5 b b 0
\3-grams:
-0.5 <s> a b -2
-0.5 a b c 0
\4-grams:
-0.5 <s> a b b
\end\
"""


def test_blanks_are_put_in_and_change_no_probability(parse):
    listing = parse(BLANKS)
    one, two, three, four = ngrams_of(trie_of(listing))
    # a b c rests on b c, which is not there: p = backoff(b) p(c) = -0.0625 - 0.75
    assert two["b c"] == (-0.8125, 0)
    # <s> a b b rests on a b b: p = backoff(a b) p(b b) = -0.5 - 0.5
    assert three["a b b"] == (-1, 0)
    assert len(two) == 4 and len(three) == 3 and len(four) == 1 and len(one) == 6
    assert listing.notes.blanks == 2


def test_a_blank_may_need_another(parse):
    text = BLANKS.replace("-0.5 b b 0\n", "").replace("ngram 2=3", "ngram 2=2")
    _, two, three, _ = ngrams_of(trie_of(parse(text)))
    assert two["b b"] == (-0.3125, 0)  # backoff(b) p(b) = -0.0625 - 0.25
    assert three["a b b"] == (-0.8125, 0)  # backoff(a b) p(b b) = -0.5 - 0.3125


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL.replace("-0.3\ta b\t-0.05\n", "").replace("ngram 2=4", "ngram 2=3"),
         "section .3-grams: '<s> a b' is there"),  # its history is, but "a b </s>" lacks one
        (SMALL.replace("-0.2\t<s> a", "-0.2\tb b"), "section .3-grams: '<s> a b' is there, and its history '<s> a'"),
        (SMALL.replace("b a\t0", "b </s>\t0"), "section .2-grams: 'b </s>' stands twice"),
        (SMALL.replace("a b </s>", "<s> a b"), "section .3-grams: '<s> a b' stands twice"),
        (SMALL.replace("\tb", "\t\\u{5C}u{20}").replace("\ta", "\t\\u{20}"), None),
    ],
)  # fmt: skip
def test_what_makes_no_trie(text, message, parse):
    if message is None:
        assert trie_of(parse(text.replace(" a", " \\u{20}").replace(" b", " \\u{5C}u{20}"))).types.bytes_of(0) == (
            b" ",
            0,
        )
        return
    if "a b\t-0.05" not in text:  # "<s> a b" has its history; the suffix "a b" is put in, but is no history
        message = "section .3-grams: 'a b </s>' is there, and its history 'a b' is not"
    with pytest.raises(ModelFileError, match=message) as caught:
        trie_of(parse(text))
    assert caught.value.hint and "x.arpa" in caught.value.message


# a model of few words: histories are always there, suffixes not


@st.composite
def models(draw):
    """(words, orders as `written` takes them), rows in any order."""
    types = draw(st.lists(st.tuples(_odd_bytes, st.integers(0, 3)), min_size=1, max_size=4, unique=True))
    words = [*(m.encode() for m in MARKERS), *(name_of(*t) for t in types)]
    number = st.integers(-4000, 0).map(lambda i: i / 1024)  # exact in float32 and in eight decimals, nearly
    orders = [[([i], draw(number), draw(number)) for i in range(len(words))]]
    for _ in range(draw(st.integers(0, 3))):
        before = [ids for ids, _, _ in orders[-1]]
        pairs = st.tuples(st.sampled_from(before), st.integers(0, len(words) - 1)).map(lambda p: (*p[0], p[1]))
        ngrams = draw(st.lists(pairs, min_size=1, max_size=8, unique=True))
        orders.append([(list(g), draw(number), draw(number)) for g in ngrams])
    return words, orders


def oracle(model):
    """The trie's rows, by dicts: what is listed, and every suffix that is not."""
    words, orders = model
    listed = [{tuple(words[i] for i in ids): (p, b) for ids, p, b in rows} for rows in orders]
    for k in range(len(listed) - 1, 1, -1):
        for gram in list(listed[k]):
            listed[k - 1].setdefault(gram[1:], None)
    for k, level in enumerate(listed):
        for gram, values in level.items():
            if values is None:
                level[gram] = (listed[k - 1][gram[:-1]][1] + listed[k - 1][gram[1:]][0], 0)
    return listed


@settings(max_examples=150)
@given(models(), st.integers(1, 9), st.sampled_from([3, 50, 1 << 20]))
def test_what_is_written_comes_back(tmp_path_factory, model, size, block_bytes):
    words, orders = model
    text = written(words, orders, size)
    path = tmp_path_factory.getbasetemp() / "model.arpa"
    path.write_bytes(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arpa_reading, "BLOCK_BYTES", block_bytes)
        listing = read(str(path))
    assert [
        listing.blob[i:j].tobytes() for i, j in pairwise(listing.offsets)
    ] == words
    trie = trie_of(listing)
    expected = oracle(model)
    top = len(orders)
    for k, (got, wanted) in enumerate(zip(ngrams_of(trie), expected, strict=True), 1):
        assert got.keys() == {b" ".join(gram).decode() for gram in wanted}
        for gram, (p, b) in wanted.items():
            log10, backoff = got[b" ".join(gram).decode()]
            assert log10 == pytest.approx(p, abs=2e-6)
            assert backoff is None if k == top else backoff == pytest.approx(b, abs=1e-7)


def test_a_large_model_in_many_blocks(tmp_path, monkeypatch):
    """Columns whose bits do not fit one sort, long words, threads: against sets."""
    random = np.random.default_rng(5)
    words = [m.encode() for m in MARKERS] + [b"w%d" % i + b"x" * (i % 40) for i in range(3000)]
    grams = [np.unique(random.integers(0, len(words), (20_000, 5)) // random.integers(1, 200, (20_000, 1)), axis=0)]
    while grams[0].shape[1] > 1:
        grams.insert(0, np.unique(np.concatenate((grams[0][:, :-1], grams[0][:, 1:])), axis=0))
    grams[0] = np.arange(len(words))[:, None]
    grams[1:] = [random.permutation(g) for g in grams[1:]]
    values = [np.round(-random.random(len(g)) * 5, 6) for g in grams]
    path = tmp_path / "large.arpa"

    def chunks(k):
        ids, x = grams[k - 1], values[k - 1]
        return (Rows(ids[i : i + 999], x[i : i + 999], x[i : i + 999]) for i in range(0, len(x), 999))

    with path.open("wb") as out:
        n = write(out, blob_of(words), [len(g) for g in grams], chunks)
    assert n == path.stat().st_size
    monkeypatch.setattr(arpa_reading, "BLOCK_BYTES", 1 << 15)
    listing = read(str(path))
    for order, ids, x in zip(listing.orders, grams, values, strict=True):
        assert np.array_equal(np.stack(order.ids, 1), ids) and np.array_equal(order.log10, x.astype(np.float32))
    trie = trie_of(listing)
    assert listing.notes.blanks == 0
    assert [len(o) for o in trie.orders] == [len(g) for g in grams]
    found = ngrams_of(trie)
    for got, ids, x in zip(found, grams, values, strict=True):
        keys = (" ".join(words[i].decode() for i in row) for row in ids.tolist())
        assert all(got[key][0] == np.float32(v) for key, v in zip(keys, x.tolist(), strict=True))


def test_kenlm_reads_what_is_written(tmp_path):
    kenlm = pytest.importorskip("kenlm")
    words = [*(m.encode() for m in MARKERS), b"a", b"b"]
    one = [([i], -0.5 - i / 8, -i / 4) for i in range(5)]
    two = [([1, 3], -0.25, -0.5), ([3, 4], -0.125, 0)]
    (tmp_path / "x.arpa").write_bytes(written(words, [one, two]))
    model = kenlm.Model(str(tmp_path / "x.arpa"))
    # <s> a, a b, then backoff(b) p(</s>): -0.25 - 0.125 - 1 - 0.75
    assert model.score("a b") == pytest.approx(-2.125, abs=1e-6)
