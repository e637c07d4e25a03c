"""ARPA files for tests: a small file, a writer from rows, a reader to dicts."""

import io
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from markov_cli.formats.arpa_reading import read
from markov_cli.formats.arpa_writing import Rows, write
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


def blob_of(words):
    return np.frombuffer(b"".join(words), np.uint8), np.cumsum([0, *map(len, words)])


def written(words, orders, size=3, **options):
    """The bytes of an ARPA file. orders: for each order a list of (ids, log10, backoff); size: rows in a chunk."""

    def chunks(k):
        rows = orders[k - 1]
        for low in range(0, len(rows), size):
            ids, log10, backoff = zip(*rows[low : low + size], strict=True)
            yield Rows(np.array(ids), np.array(log10), np.array(backoff, float))

    out = io.BytesIO()
    n = write(out, blob_of(words), [len(rows) for rows in orders], chunks, **options)
    assert n == len(out.getvalue())
    return out.getvalue()


def reader(folder):
    """A function that reads a text through a file in `folder`."""

    def parse(text):
        path = folder / "x.arpa"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read(str(path))

    return parse


def rows_of(listing):
    """Per order {words: (log10, backoff)} of a listing, as float32; checks that no row is repeated."""
    words = [listing.blob[i:j].tobytes().decode() for i, j in pairwise(listing.offsets)]
    out = []
    for ids, log10, backoff in listing.orders:
        backoff = [None] * len(log10) if backoff is None else backoff.tolist()
        keys = [" ".join(words[i] for i in row) for row in zip(*(c.tolist() for c in ids), strict=True)]
        out.append(dict(zip(keys, zip(log10.tolist(), backoff, strict=True), strict=True)))
        assert len(out[-1]) == len(log10)
    return out


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
odd_bytes = st.one_of(_odd_text.map(lambda t: "".join(t).encode()), st.binary(max_size=4)).filter(len)
odd_types = st.lists(st.tuples(odd_bytes, st.integers(0, 3)), min_size=1, max_size=8, unique=True)
