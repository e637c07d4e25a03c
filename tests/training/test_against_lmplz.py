"""The smoothing oracle against every row of ARPA files by KenLM's lmplz; skipped without `lmplz` on PATH.

To get lmplz's numbers, types are numbered by first appearance, and one wrong counter of lmplz
(`oracle_smoothing.quirk`) is repeated here and nowhere else.
"""

import io
import math
import random
from fractions import Fraction

import pytest

import markov_cli
from lmplz import TOLERANCE, check, compare, corpus_of, lmplz, needs_lmplz, numbered, read_arpa
from oracle_smoothing import Smoothed


@needs_lmplz
@pytest.mark.parametrize("seed", range(60))
def test_the_oracle_equals_lmplz_on_random_corpora(seed):
    order = 2 + seed % 4
    prune = [(), (), (0, 1), (0, 0, 1), (0, 1, 2)][seed % 5][:order]
    check(corpus_of(seed), order, prune)


@needs_lmplz
@pytest.mark.parametrize("prune", [(), (0, 1), (0, 0, 1)])
@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_the_oracle_equals_lmplz_on_a_story(harbour, order, prune):
    check([line.split() for line in harbour.split("\n") if line.strip()], order, prune[:order])


@needs_lmplz
@pytest.mark.parametrize("seed", range(40))
def test_a_limited_vocabulary_equals_lmplz(tmp_path, seed):
    """Rows, probabilities and backoffs of `prune --vocab` are those of lmplz's --limit_vocab_file."""
    lines = [*filter(None, corpus_of(seed)), ["last"]]  # the highest id, once: kenlm#405 does not show
    order, r = 1 + seed % 5, random.Random(seed)
    prune = [(), (0, 1), (0, 0, 1)][seed % 3][:order] if order > 1 else ()
    kept = [w for w in dict.fromkeys(w for line in lines for w in line) if r.random() < 0.6]
    path = tmp_path / "words"
    path.write_text("\n".join([*kept, "never"]), encoding="utf-8")
    rows = read_arpa(lmplz(lines, order, prune, ["--limit_vocab_file", path])[0])
    model = markov_cli.train(texts="\n".join(map(" ".join, lines)), tokenizer="spaces", unit="line", order=order)
    out = io.BytesIO()
    markov_cli.export_arpa(markov_cli.prune(model, prune, vocab=path), out, smoothing="kn")
    ours = read_arpa(out.getvalue().decode())
    assert set(ours) == set(rows)
    for words, (p, backoff) in rows.items():
        if words != ("<s>",):
            assert ours[words][0] == pytest.approx(p, abs=TOLERANCE)
        assert (ours[words][1] or 0) == pytest.approx(backoff or 0, abs=TOLERANCE)


@needs_lmplz
def test_without_the_quirk_the_oracle_differs_from_lmplz():
    """kenlm#405. This test fails once KenLM fixes it."""
    lines = [line.split() for line in ["I went to", "I go to", "You went to", "You go to", "Joe went to", "Joe go to"]]
    lines += [["Anna", "went", "ski"]] * 2
    check(lines, 2)
    with pytest.raises(AssertionError):
        check(lines, 2, emulate=False)


@needs_lmplz
def test_a_backoff_of_zero_equals_lmplz():
    """`c c c`, `c c b b`: n1..n4 = 4 1 1 0, so D2 = 0, and <s>, which c follows twice, has no backoff."""
    lines = [[*"ccc"], [*"ccbb"]]
    assert read_arpa(lmplz(lines, 2)[0])["<s>",][1] == -math.inf
    check(lines, 2, number=Fraction)


@needs_lmplz
def test_a_padded_vocabulary_equals_lmplz():
    """`--vocab_pad N` shares the remaining probability among N ids, without <s>."""
    lines = corpus_of(3)
    sequences, ids = numbered(lines)
    model = Smoothed(sequences, 3, 1001, emulate=True)
    compare(
        lmplz(lines, 3, more=("--vocab_pad", 1000))[0],
        lambda words: model.p([ids[w] for w in words[:-1]], ids[words[-1]]),
        lambda words: model.backoff([ids[w] for w in words]),
    )


ARPA = "\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n-1\t<unk>\t0\n0\t<s>\t-0.30103\n-0.5\t</s>\t0\n-0.5\ta\t-2\n" \
       "\n\\2-grams:\n-0.25\t<s> a\n\n\\end\\\n"  # fmt: skip
P = {"<unk>": 0.1, "</s>": 10**-0.5, "a": 10**-0.5, "<s> a": 10**-0.25}
B = {"<unk>": 1, "<s>": 0.5, "</s>": 1, "a": 0.01}


def test_compare_finds_every_wrong_number():
    """`compare` accepts equal rows and reports one wrong number of any kind."""
    p, b = (lambda words: P[" ".join(words)]), (lambda words: B[" ".join(words)])
    assert compare(ARPA, p, b) == pytest.approx((0, 4.4e-9), abs=1e-9)  # log10 2 = .3010299957
    for old, new in [("-0.25", "-0.250003"), ("-2\n", "-2.00001\n"), ("-1\t", "-inf\t"), ("-0.30103", "nan")]:
        with pytest.raises(AssertionError, match="1 rows"):
            compare(ARPA.replace(old, new, 1), p, b)
    for old, new in [("ngram 2=1", "ngram 2=2"), ("-0.25\t<s> a\n", ""), ("\ta\t-2", "\ta"), ("<s> a", "<s>  a")]:
        with pytest.raises(AssertionError):
            compare(ARPA.replace(old, new, 1), p, b)
