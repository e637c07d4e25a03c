"""KenLM's own estimator beside the oracle: every row of its ARPA files; skipped where `lmplz` is not on PATH.

What it takes to have lmplz's numbers: lmplz numbers types by first appearance, and one of its
counters is off (`oracle_smoothing.quirk`), which is repeated here and nowhere else.
"""

import math
import random
import re
import shutil
import subprocess
from fractions import Fraction

import pytest

from oracle_smoothing import BOS, EOS, Smoothed

LMPLZ = shutil.which("lmplz")
TOLERANCE = 2e-6  # lmplz computes in float32 and prints eight digits
MARKERS = {"<unk>": 0, "<s>": BOS, "</s>": EOS}

needs_lmplz = pytest.mark.skipif(LMPLZ is None, reason="lmplz is not on PATH")


# ------------------------------------------------------------------ the comparer


def read_arpa(text):
    """{words: (log10 probability, log10 backoff or None)} of a well-formed ARPA file; words is a tuple of str."""
    rows, declared, found, k = {}, {}, {}, 0
    for line in text.split("\n"):
        if m := re.fullmatch(r"ngram (\d+)=(\d+)", line):
            declared[int(m[1])] = int(m[2])
        elif m := re.fullmatch(r"\\(\d+)-grams:", line):
            k = int(m[1])
        elif "\t" in line:
            p, words, *backoff = line.split("\t")
            assert len(words.split(" ")) == k and len(backoff) == (k < max(declared)), line
            rows[tuple(words.split(" "))] = float(p), float(backoff[0]) if backoff else None
            found[k] = found.get(k, 0) + 1
    assert {k: n for k, n in declared.items() if n} == found
    assert len(rows) == sum(found.values())  # no row twice
    return rows


def log10(x):
    """From numerator and denominator where they are integers too large or small for a float."""
    if not x:
        return -math.inf
    return math.log10(x.numerator) - math.log10(x.denominator) if hasattr(x, "numerator") else math.log10(x)


def compare(arpa, probability, backoff, tolerance=TOLERANCE):
    """Hold every row of an ARPA file against a model; returns the largest differences of log10: (p, backoff).

    arpa         its text, or rows as `read_arpa` returns them
    probability  words (a tuple of str) -> probability of the last behind the others; not asked for <s>
    backoff      words -> backoff weight of that history; not asked for n-grams of the top order
    tolerance    of log10; AssertionError beyond it, with the ten worst rows
    """
    rows = read_arpa(arpa) if isinstance(arpa, str) else arpa
    worst, bad = [0.0, 0.0], []
    for words, values in rows.items():
        for i, mine in enumerate((probability, backoff)):
            if values[i] is None or (i == 0 and words == ("<s>",)):
                continue
            own = log10(mine(words))
            off = 0.0 if own == values[i] else abs(own - values[i])  # both may be -inf
            worst[i] = max(worst[i], off)
            if not off <= tolerance:
                bad.append((off, words, ("p", "backoff")[i], values[i], own))
    bad.sort(reverse=True, key=lambda row: row[0])
    assert not bad, f"{len(bad)} rows beyond {tolerance}: (difference, words, which, file, model) {bad[:10]}"
    return tuple(worst)


# ------------------------------------------------------------------ lmplz, and what it read


def lmplz(lines, order, prune=(), more=()):
    """Its ARPA file, and its discounts by order from stderr; lines of words."""
    options = ["--discount_fallback", "-o", order, *(["--prune", *prune] if prune else []), *more]
    done = subprocess.run(
        [LMPLZ, *map(str, options), "-S", "200M", "--vocab_estimate", "10000"],
        input="".join(" ".join(line) + "\n" for line in lines), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^\d+ [\d/]+ D1=(\S+) D2=(\S+) D3\+=(\S+)$", done.stderr, re.M)
    return done.stdout, [tuple(map(float, d)) for d in found]


def numbered(lines):
    """Lines as ids, types numbered by first appearance as lmplz does, and {word: id}."""
    ids = dict(MARKERS)
    for line in lines:
        for word in line:
            ids.setdefault(word, len(ids))
    return [[ids[w] for w in line] for line in lines], ids


def check(lines, order, prune=(), number=float, emulate=True):
    """One corpus, one set of options: rows, probabilities, backoffs, discounts. Returns the largest differences."""
    text, discounts = lmplz(lines, order, prune)
    sequences, ids = numbered(lines)
    model = Smoothed(sequences, order, len(ids), "kn", prune=prune, number=number, emulate=emulate)
    rows = read_arpa(text)
    assert {tuple(ids[w] for w in words) for words in rows} == model.rows() | {(BOS,)}
    assert rows["<s>",][0] == 0  # a row without a probability
    if order > 1:
        assert rows["</s>",][1] == 0 and rows["<unk>",][1] == 0
    assert len(discounts) == order
    for mine, its in zip(model.discounts, discounts, strict=True):
        assert [float(d) for d in mine[1:]] == pytest.approx(its, abs=2e-6, rel=1e-5)  # six digits are printed
    return compare(
        rows,
        lambda words: model.p([ids[w] for w in words[:-1]], ids[words[-1]]),
        lambda words: model.backoff([ids[w] for w in words]),
    )


# ------------------------------------------------------------------ tests


def corpus_of(seed):
    """A small corpus with its own skew of types, sometimes with blank lines, which lmplz reads as empty sentences."""
    r = random.Random(seed)
    words = [f"w{i}" for i in range(r.choice([1, 2, 3, 5, 8, 20, 60]))]
    skew = r.choice([0, 0.5, 1, 1.5])
    weights = [1 / (i + 1) ** skew for i in range(len(words))]
    shortest = r.choice([0, 1, 1])
    lines = [r.choices(words, weights, k=r.randint(shortest, 12)) for _ in range(r.choice([1, 2, 4, 10, 30, 80]))]
    return [*lines, words[:1]]  # at least one word


@needs_lmplz
@pytest.mark.parametrize("seed", range(60))
def test_random_corpora(seed):
    order = 2 + seed % 4
    prune = [(), (), (0, 1), (0, 0, 1), (0, 1, 2)][seed % 5][:order]
    check(corpus_of(seed), order, prune)


@needs_lmplz
@pytest.mark.parametrize("prune", [(), (0, 1), (0, 0, 1)])
@pytest.mark.parametrize("order", [2, 3, 4, 5])
def test_a_story(harbour, order, prune):
    check([line.split() for line in harbour.split("\n") if line.strip()], order, prune[:order])


@needs_lmplz
def test_its_quirk_is_needed():
    """Without it the numbers of kenlm#405 are far from lmplz's: seen here, so that the day it is mended is noticed."""
    lines = [line.split() for line in ["I went to", "I go to", "You went to", "You go to", "Joe went to", "Joe go to"]]
    lines += [["Anna", "went", "ski"]] * 2
    check(lines, 2)
    with pytest.raises(AssertionError):
        check(lines, 2, emulate=False)


@needs_lmplz
def test_a_backoff_of_zero():
    """`c c c`, `c c b b`: n1..n4 = 4 1 1 0, so D2 = 0 and nothing is left behind <s>, which c follows twice."""
    lines = [[*"ccc"], [*"ccbb"]]
    assert read_arpa(lmplz(lines, 2)[0])["<s>",][1] == -math.inf
    check(lines, 2, number=Fraction)


@needs_lmplz
def test_padded_vocabulary():
    """`--vocab_pad N` shares what is left among N ids, <s> not among them."""
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


def test_the_comparer():
    """It takes every row, and one wrong number of any kind is noticed."""
    p, b = (lambda words: P[" ".join(words)]), (lambda words: B[" ".join(words)])
    assert compare(ARPA, p, b) == pytest.approx((0, 4.4e-9), abs=1e-9)  # log10 2 = .3010299957
    for old, new in [("-0.25", "-0.250003"), ("-2\n", "-2.00001\n"), ("-1\t", "-inf\t"), ("-0.30103", "nan")]:
        with pytest.raises(AssertionError, match="1 rows"):
            compare(ARPA.replace(old, new, 1), p, b)
    for old, new in [("ngram 2=1", "ngram 2=2"), ("-0.25\t<s> a\n", ""), ("\ta\t-2", "\ta"), ("<s> a", "<s>  a")]:
        with pytest.raises(AssertionError):
            compare(ARPA.replace(old, new, 1), p, b)
