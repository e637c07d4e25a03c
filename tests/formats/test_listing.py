"""From the rows of an ARPA file to a trie: missing suffixes become blank rows, missing histories are errors."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arpa_files import SMALL, blob_of, odd_bytes, reader, rows_of, written
from conftest import examples, peer
from markov_cli.errors import ModelFileError
from markov_cli.formats import arpa_reading, ngram_listing
from markov_cli.formats.arpa_reading import read
from markov_cli.formats.arpa_writing import Rows, write
from markov_cli.formats.ngram_listing import trie_of
from markov_cli.text.tokenizer import LEFT
from markov_cli.text.types import MARKERS
from markov_cli.text.word_escapes import name_of


@pytest.fixture
def parse(tmp_path):
    return reader(tmp_path)


def ngrams_of(trie):
    """Per order {names: (log10, backoff)} of a trie; checks its order and its links."""
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


def test_a_trie_holds_the_listed_rows(parse):
    listing = parse(SMALL)
    listed = rows_of(listing)
    trie = trie_of(listing)
    two = {**listed[1], "b </s>": listed[1]["b </s>"]}
    assert ngrams_of(trie) == [listed[0], two, listed[2]]
    assert [trie.types.bytes_of(i)[0] for i in range(2)] == [b"a", b"b"]  # -0.5 before -0.6
    assert listing.notes.blanks == 0


def test_ids_are_sorted_by_probability_then_bytes_then_flags(parse):
    words = ["zz", "b", "￭b", "ab", "a", "\\u{20}"]
    lines = [f"{-1 if w != 'zz' else -0.5}\t{w}\t0" for w in words]
    text = "\\data\\\nngram 1=6\n\\1-grams:\n" + "\n".join(lines) + "\n\\end\\\n"
    trie = trie_of(parse(text))
    assert [trie.types.bytes_of(i) for i in range(6)] == [
        (b"zz", 0), (b" ", 0), (b"a", 0), (b"ab", 0), (b"b", 0), (b"b", LEFT),
    ]  # fmt: skip
    assert trie.orders[0].log10[:3].tolist() == [-100, -99, -99] and trie.orders[0].backoff is None


def test_missing_markers_are_added_and_counted(parse):
    listing = parse(
        r"\data\ ngram 1=1".replace(" ng", "\nng") + "\nngram 2=1\n\\1-grams:\n-1 a -2\n\\2-grams:\n-3 a a\n\\end\\"
    )
    trie = trie_of(listing)
    assert trie.orders[0].log10.tolist() == [-100, -99, -99, -1]
    assert trie.orders[0].backoff.tolist() == [0, 0, 0, -2]
    assert listing.notes.added_markers == 3


def test_unk_in_capitals_counts_only_without_the_other(parse):
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


def test_missing_suffixes_become_blanks_that_change_no_probability(parse):
    listing = parse(BLANKS)
    one, two, three, four = ngrams_of(trie_of(listing))
    # `a b c` needs the missing `b c`: log10 p = backoff(b) + p(c) = -0.0625 - 0.75
    assert two["b c"] == (-0.8125, 0)
    # `<s> a b b` needs the missing `a b b`: log10 p = backoff(a b) + p(b b) = -0.5 - 0.5
    assert three["a b b"] == (-1, 0)
    assert len(two) == 4 and len(three) == 3 and len(four) == 1 and len(one) == 6
    assert listing.notes.blanks == 2


def test_a_blank_may_need_another(parse):
    text = BLANKS.replace("-0.5 b b 0\n", "").replace("ngram 2=3", "ngram 2=2")
    _, two, three, _ = ngrams_of(trie_of(parse(text)))
    assert two["b b"] == (-0.3125, 0)  # backoff(b) p(b) = -0.0625 - 0.25
    assert three["a b b"] == (-0.8125, 0)  # backoff(a b) p(b b) = -0.5 - 0.3125


NO_TRIES = {
    "a history that is only put in": (
        SMALL.replace("-0.3\ta b\t-0.05\n", "").replace("ngram 2=4", "ngram 2=3"),
        "section .3-grams: the history 'a b' of 'a b </s>' is not in",
    ),
    "no history": (
        SMALL.replace("-0.2\t<s> a", "-0.2\tb b"),
        "section .3-grams: the history '<s> a' of '<s> a b' is not in",
    ),
    "a bigram twice": (SMALL.replace("b a\t0", "b </s>\t0"), "section .2-grams: 'b </s>' is listed twice"),
    "a trigram twice": (SMALL.replace("a b </s>", "<s> a b"), "section .3-grams: '<s> a b' is listed twice"),
    "a type twice": (  # both words are the type `\u{61}`
        "\\data\\\nngram 1=2\n\\1-grams:\n-1 \\u{5C}u{61}\n-1 \\u{61}\n\\end\\",
        "section .1-grams: two words are one type",
    ),
}


@pytest.mark.parametrize("name", NO_TRIES)
def test_rows_without_a_history_and_repeated_rows_are_errors(name, parse):
    text, message = NO_TRIES[name]
    with pytest.raises(ModelFileError, match=message) as caught:
        trie_of(parse(text))
    assert caught.value.hint and "x.arpa" in caught.value.message


# models of few words in which every n-gram has its history, but maybe not its suffix


@st.composite
def models(draw):
    """(words, orders) for `written`, with the rows in any order."""
    types = draw(st.lists(st.tuples(odd_bytes, st.integers(0, 3)), min_size=1, max_size=4, unique=True))
    words = [*(m.encode() for m in MARKERS), *(name_of(*t) for t in types)]
    number = st.integers(-4000, 0).map(lambda i: i / 1024)  # exact in float32, and nearly in eight decimals
    orders = [[([i], draw(number), draw(number)) for i in range(len(words))]]
    for _ in range(draw(st.integers(0, 3))):
        before = [ids for ids, _, _ in orders[-1]]
        pairs = st.tuples(st.sampled_from(before), st.integers(0, len(words) - 1)).map(lambda p: (*p[0], p[1]))
        ngrams = draw(st.lists(pairs, min_size=1, max_size=8, unique=True))
        orders.append([(list(g), draw(number), draw(number)) for g in ngrams])
    return words, orders


def oracle(model):
    """The rows of the trie as dicts: the listed ones and the missing suffixes."""
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


@examples(60)
@given(models(), st.integers(1, 9), st.sampled_from([30, 1 << 20]))
def test_written_models_come_back(tmp_path_factory, model, size, block_bytes):
    words, orders = model
    text = written(words, orders, size)
    path = tmp_path_factory.getbasetemp() / "model.arpa"
    path.write_bytes(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arpa_reading, "BLOCK_BYTES", block_bytes)
        listing = read(str(path))
    assert [listing.blob[i:j].tobytes() for i, j in pairwise(listing.offsets)] == words
    trie = trie_of(listing)
    expected = oracle(model)
    top = len(orders)
    for k, (got, wanted) in enumerate(zip(ngrams_of(trie), expected, strict=True), 1):
        assert got.keys() == {b" ".join(gram).decode() for gram in wanted}
        for gram, (p, b) in wanted.items():
            log10, backoff = got[b" ".join(gram).decode()]
            assert log10 == pytest.approx(p, abs=2e-6)
            assert backoff is None if k == top else backoff == pytest.approx(b, abs=1e-7)


def test_a_large_model_is_read_in_many_blocks(tmp_path, monkeypatch):
    """Long words, several threads, and columns whose bits do not fit one sort key."""
    random = np.random.default_rng(5)
    words = [m.encode() for m in MARKERS] + [b"w%d" % i + b"x" * (i % 40) for i in range(3000)]
    grams = [np.unique(random.integers(0, len(words), (6_000, 5)) // random.integers(1, 200, (6_000, 1)), axis=0)]
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
    kenlm = peer("kenlm")
    words = [*(m.encode() for m in MARKERS), b"a", b"b"]
    one = [([i], -0.5 - i / 8, -i / 4) for i in range(5)]
    two = [([1, 3], -0.25, -0.5), ([3, 4], -0.125, 0)]
    (tmp_path / "x.arpa").write_bytes(written(words, [one, two]))
    model = kenlm.Model(str(tmp_path / "x.arpa"))
    # <s> a, a b, then backoff(b) p(</s>): -0.25 - 0.125 - 1 - 0.75
    assert model.score("a b") == pytest.approx(-2.125, abs=1e-6)


@given(
    st.lists(st.tuples(*[st.integers(0, 3)] * 4), min_size=1, max_size=60),
    st.sampled_from([2, 12, 16, 30, 32, 57]),
    st.sampled_from([1, 4, 1 << 17]),
    st.integers(1, 5),
)
@example([(i % 4, i // 16, i // 4 % 4, i * i % 4) for i in range(60)], 57, 1 << 17, 1)
@example([(3, 1, 2, i % 2) for i in range(60)], 16, 4, 5)
def test_rows_are_sorted_for_any_width_of_ids(rows, bits, at_a_time, jobs):
    # with 57 bits a key has no room for the numbers of group and row
    up = min(bits, 32) - 2
    columns = [np.array(c, np.uint32) << np.uint32(up) for c in zip(*rows, strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngram_listing, "_SORTED", at_a_time)
        order, new, ids = ngram_listing._sorted(columns, bits, jobs)
    assert [rows[i] for i in order] == sorted(rows)
    assert sorted(order.tolist()) == list(range(len(rows)))
    assert [tuple(int(c) >> up for c in row) for row in zip(*ids, strict=True)] == sorted(set(rows))
    assert np.count_nonzero(new) == len(set(rows))
