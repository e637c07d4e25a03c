"""Run KenLM's estimator lmplz on small corpora and compare its ARPA rows with a model."""

import math
import random
import re
import shutil
import subprocess

import pytest

from conftest import PEERS, TIMEOUT_S
from oracle_smoothing import BOS, EOS, Smoothed

LMPLZ = shutil.which("lmplz") if PEERS else None
TOLERANCE = 2e-6  # lmplz computes in float32 and prints eight digits
MARKERS = {"<unk>": 0, "<s>": BOS, "</s>": EOS}
needs_lmplz = pytest.mark.skipif(LMPLZ is None, reason="make peers runs this, where lmplz is on PATH")


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
    """log10 of a float or a Fraction; a Fraction's integers may exceed a float."""
    if not x:
        return -math.inf
    return math.log10(x.numerator) - math.log10(x.denominator) if hasattr(x, "numerator") else math.log10(x)


def compare(arpa, probability, backoff, tolerance=TOLERANCE):
    """Compare every row of an ARPA file with a model; returns the largest differences of log10: (p, backoff).

    arpa         its text, or rows as `read_arpa` returns them
    probability  words (a tuple of str) -> probability of the last after the others; not called for <s>
    backoff      words -> backoff weight of that history; not called for n-grams of the top order
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


def lmplz(lines, order, prune=(), more=()):
    """Run lmplz on lines of words; returns its ARPA file and, from stderr, its discounts by order."""
    options = ["--discount_fallback", "-o", order, *(["--prune", *prune] if prune else []), *more]
    done = subprocess.run(
        [LMPLZ, *map(str, options), "-S", "200M", "--vocab_estimate", "10000"],
        input="".join(" ".join(line) + "\n" for line in lines), capture_output=True, encoding="utf-8",
        check=False, timeout=TIMEOUT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^\d+ [\d/]+ D1=(\S+) D2=(\S+) D3\+=(\S+)$", done.stderr, re.M)
    return done.stdout, [tuple(map(float, d)) for d in found]


def numbered(lines):
    """Lines as ids, with types numbered by first appearance like lmplz, and {word: id}."""
    ids = dict(MARKERS)
    for line in lines:
        for word in line:
            ids.setdefault(word, len(ids))
    return [[ids[w] for w in line] for line in lines], ids


def check(lines, order, prune=(), number=float, emulate=True):
    """Compare rows, probabilities, backoffs and discounts on one corpus; returns the largest differences."""
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


def corpus_of(seed):
    """A small random corpus, sometimes with blank lines, which lmplz reads as empty sentences."""
    r = random.Random(seed)
    words = [f"w{i}" for i in range(r.choice([1, 2, 3, 5, 8, 20, 60]))]
    skew = r.choice([0, 0.5, 1, 1.5])
    weights = [1 / (i + 1) ** skew for i in range(len(words))]
    shortest = r.choice([0, 1, 1])
    lines = [r.choices(words, weights, k=r.randint(shortest, 12)) for _ in range(r.choice([1, 2, 4, 10, 30, 80]))]
    return [*lines, words[:1]]  # at least one word
