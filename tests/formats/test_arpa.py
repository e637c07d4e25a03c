"""ARPA files: ours are well formed; those of other programs are read, or refused with a reason."""

import bz2
import gzip
import io
import lzma
import math

import numpy as np
import pytest

from arpa_files import SMALL, blob_of, reader, rows_of, written
from markov_cli.errors import ModelFileError, TextError
from markov_cli.formats import arpa_reading, opening
from markov_cli.formats.arpa_reading import read
from markov_cli.formats.arpa_writing import Rows, write


def test_a_small_model_is_written_byte_for_byte():
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
def test_impossible_logarithms_are_not_written(x):
    with pytest.raises(ModelFileError, match=r"order 1, row 1 .* cannot be written"):
        written([b"a"], [[([0], x, 0)]])


def test_announced_rows_must_be_written():
    with pytest.raises(ValueError, match="order 1: 1 rows given, 2 announced"):
        write(io.BytesIO(), blob_of([b"a"]), [2], lambda k: [Rows(np.zeros((1, 1), int), np.zeros(1))])


@pytest.fixture
def parse(tmp_path):
    return reader(tmp_path)


def same(listing, expected=SMALL):
    """Compare a listing with a well-formed text, read in plain Python."""
    plain = []
    for line in expected.splitlines():
        if line.endswith("-grams:"):
            plain.append({})
        elif "\t" in line:
            p, words, *backoff = line.split("\t")
            backoff = float(np.float32(backoff[0])) if backoff else None
            plain[-1][words] = (float(np.float32(p)), backoff)
    assert rows_of(listing) == plain


def test_a_small_file_is_read(parse):
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
def test_variants_of_other_programs_are_read(name, block_bytes, parse, monkeypatch):
    monkeypatch.setattr(arpa_reading, "BLOCK_BYTES", block_bytes)
    same(parse(VARIANTS[name]))


def test_a_missing_backoff_is_zero_and_counted(parse):
    text = SMALL.replace("</s>\t0", "</s>").replace("b a\t0", "b a")
    listing = parse(text)
    same(listing)
    assert listing.notes.missing_backoffs == 3  # </s>, b </s>, b a
    every = "\n".join(line.rsplit("\t", 1)[0] if line.count("\t") == 2 else line for line in SMALL.split("\n"))
    assert parse(every).notes.missing_backoffs == 9  # 5 unigrams and 4 bigrams; the top order never has one


def test_extreme_values_are_clamped_and_counted(parse):
    text = SMALL.replace("a\t-0.3", "a\t3.0").replace("-0.6\tb", "-inf\tb").replace("-0.11", "0.00004")
    listing = parse(text.replace("a b </s>", "a b </s>\t-7"))
    one, _, three = rows_of(listing)
    assert one["a"][1] == 3 and one["b"][0] == -99 and three["<s> a b"] == (0, None)
    assert listing.notes.clamped == 1 and listing.notes.top_backoffs == 1


def test_compressed_files_and_standard_input_are_read(tmp_path, monkeypatch):
    for name, packed in (("g", gzip.compress), ("b", bz2.compress), ("x", lzma.compress)):
        (tmp_path / name).write_bytes(packed(SMALL.encode()))
        same(read(str(tmp_path / name)))

    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(gzip.compress(SMALL.encode())))

    monkeypatch.setattr("sys.stdin", Stdin)
    same(read("-"))


def test_words_may_be_any_bytes(parse):
    # vertical tab and U+00A0 separate no words
    text = b"\\data\\\nngram 1=2\n\\1-grams:\n-1 \xff\x0b\xc2\xa0 0\n-1 " + b"w" * 70_000 + b"\n\\end\\"
    listing = parse(text)
    assert listing.blob.tobytes() == b"\xff\x0b\xc2\xa0" + b"w" * 70_000


ERRORS = {
    "not an ARPA": (b"PK\3\4" + bytes(100), "x.arpa: not an ARPA file"),
    "empty": (b"", "not an ARPA file"),
    "header only": ("\\data\\\nngram 1=5\n", r"line 3: truncated: it ends in the header"),
    "no counts": ("\\data\\\n\n\\1-grams:\n-1 a\n\\end\\\n", "line 3: the header counts no n-grams"),
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
    "too few fields": (SMALL.replace("-0.3\ta b", "-0.3\tb\t"), "line 16: .*'-0.05' is not among"),
    "not a number": (SMALL.replace("-0.3\t", "-0.3x\t"), "line 16: .*'-0.3x' is not a number for a probability"),
    "a comma": (SMALL.replace("-0.05", "-0,05"), "line 16: .*'-0,05' is not a number for a backoff"),
    "nan": (SMALL.replace("-0.7", "nan"), "line 10: .*'nan' is not a number for a probability"),
    "a nan backoff": (SMALL.replace("-0.25", "NaN"), "line 9: .*'NaN' is not a number for a backoff"),
    "a probability above 1": (
        SMALL.replace("-0.22", "0.22"),
        "line 22: section .3-grams: a probability above 1: log10 0.22",
    ),
    "an infinite backoff": (SMALL.replace("-0.25", "inf"), "line 9: .*an infinite backoff"),
    "a backoff beyond float32": (SMALL.replace("-0.25", "1e39"), "line 9: .*an infinite backoff"),
    # cases 10213 and 11341 of fuzz seed 1313002: what --verify calls damage is not imported
    "a backoff that no text has": (SMALL.replace("-0.25", "99.5"), "line 9: .*a backoff weight above 1e99"),
    "a unigram twice": (SMALL.replace("\tb\t", "\ta\t", 1), "line 12: section .1-grams: 'a' is listed twice"),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("block_bytes", [5, 1 << 20])
def test_malformed_files_are_errors_with_a_line_number(name, block_bytes, parse, monkeypatch):
    monkeypatch.setattr(arpa_reading, "BLOCK_BYTES", block_bytes)
    text, message = ERRORS[name]
    with pytest.raises(ModelFileError, match=message) as caught:
        parse(text)
    assert "x.arpa" in caught.value.message and caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint


def test_unreadable_files_are_errors(tmp_path):
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
def test_an_endless_line_is_refused(begin, message, monkeypatch):
    file = Endless(begin.replace(b"\\end\\\n", b""))
    monkeypatch.setattr(opening, "open_foreign", lambda *_: file)
    with pytest.raises(ModelFileError, match=message):
        read("x.arpa")
    assert file.given < 1 << 25
