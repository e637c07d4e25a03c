"""`train --no-borders`: texts without beginning and end, counted here by a plain loop."""

import math
import random
from collections import Counter, defaultdict

import pytest

import markov_cli
from conftest import CORPORA
from engine import model_of, rows_of, sequences
from helpers import run_in_process as run
from helpers import two_lines
from markov_cli.errors import MarkovError, OptionError
from markov_cli.inspecting.verify import damage
from markov_cli.model.discounts import SmoothingMethod
from markov_cli.model.distribution import full_distribution
from markov_cli.model.model_file import load
from markov_cli.model.smoothing import Smoothed
from markov_cli.text.word_list import WordList
from oracle_smoothing import abs_discount, kn_discounts

HARBOUR = CORPORA / "harbour.txt"


def texts_of(seed):
    r = random.Random(seed)
    return [" ".join(r.choices("abcd", [5, 3, 2, 1], k=r.choice([1, 2, 9, 40]))) for _ in range(r.choice([1, 1, 3]))]


class Oracle:
    """p(w | h) over n-grams of the texts alone: u = (a - D) / A, b = 1 - sum of u, 1/V below."""

    def __init__(self, streams, order, n_ids, method):
        self.v, self.method, self.order = n_ids - 1, method, order
        counts = [
            Counter(tuple(s[i : i + k]) for s in streams for i in range(len(s) - k + 1)) for k in range(1, order + 1)
        ]
        self.counts = counts
        self.used, self.discount = [], []
        for k, of_order in enumerate(counts, 1):
            used = of_order
            if method == "kn" and k < order:
                before = Counter(g[1:] for g in counts[k])
                used = {g: before[g] for g in of_order}
            by = defaultdict(dict)
            for g, c in used.items():
                by[g[:-1]][g[-1]] = c
            self.used.append(by)
            n = Counter(used.values())
            found = {"kn": kn_discounts, "abs": abs_discount}.get(method, lambda n: 0)(n)
            self.discount.append(found if isinstance(found, tuple) else (0, found, found, found))

    def p(self, h, w):
        shorter = self.p(h[1:], w) if h else 1 / self.v
        here = self.used[len(h)].get(h, {})
        total = sum(here.values())
        if not total:
            return shorter
        d = self.discount[len(h)]
        if self.method == "none":
            return here.get(w, 0) / total
        whole = total + (len(here) if self.method == "wb" else 0)
        u = {x: (c - float(d[min(c, 3)])) / whole for x, c in here.items()}
        return u.get(w, 0) + (1 - sum(u.values())) * shorter


@pytest.mark.parametrize("method", ["none", "kn", "wb", "abs"])
@pytest.mark.parametrize("seed", range(8))
def test_counts_and_probabilities_are_those_of_the_text_alone(method, seed):
    texts, order = texts_of(seed), 1 + seed % 4
    made = model_of(texts, order, "spaces", "file", borders=False)
    names = [made.types.bytes_of(i)[0].decode() for i in range(len(made.types))]
    ids = {w: i for i, w in enumerate(names, 3)}
    oracle = Oracle([[ids[w] for w in t.split()] for t in texts], order, len(ids) + 3, method)
    for k, rows in enumerate(rows_of(made.table)):
        assert {g: c for g, c in rows.items() if c} == (oracle.counts[k] if k < len(oracle.counts) else {})
    ours = Smoothed(made.table, SmoothingMethod.parse(method))
    for k in range(order):
        for history in [(), *oracle.counts[k - 1]] if k else [()]:
            if len(history) != k:
                continue
            row = made.table.row_of(list(history)) if k else 0
            p = full_distribution(ours, k, row)
            assert p == pytest.approx([0 if w == 1 else oracle.p(history, w) for w in range(len(p))])
            assert p.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "more", [{}, {"tokenizer": "chars", "order": 5}, {"prune": (0, 0, 1)}, {"vocab": ["the", "."]}], ids=str
)
def test_the_file_is_whole_and_comes_back(tmp_path, more):
    path = tmp_path / "m.npz"
    model = markov_cli.train([HARBOUR, CORPORA / "names.txt"], borders=False, **more)
    model.save(path)
    assert not damage(load(path))
    again = markov_cli.Model.load(path)
    assert (
        again.header.borders,
        again.header.unit if hasattr(again.header, "unit") else again.header.options.unit,
    ) == (False, "file")
    assert again.header.sequences == 2
    out = tmp_path / "again.npz"
    again.save(out)
    assert out.read_bytes() == path.read_bytes()
    made = markov_cli.train_file([HARBOUR, CORPORA / "names.txt"], out, borders=False, jobs=3, **more)
    assert out.read_bytes() == path.read_bytes() and made.model_bytes == len(path.read_bytes())


def test_texts_hold_only_ngrams_of_the_text_and_go_on_to_the_limit():
    text = HARBOUR.read_text(encoding="utf-8")
    model = markov_cli.train(HARBOUR, borders=False)
    (stream,) = sequences(text, "words", "file")
    trigrams = {tuple(t[0] for t in stream[i : i + 3]) for i in range(len(stream) - 2)}
    found = [*model.generate(20, 7, max_tokens=60)]
    assert {t.tokens for t in found} == {60} and not any(t.complete for t in found)
    for one in found:
        tokens = [t[0] for s in sequences(one.text, "words", "file") for t in s]
        assert all(tuple(tokens[i : i + 3]) in trigrams for i in range(len(tokens) - 2))
    assert len({t.text.split()[0] for t in found}) > 5  # begins anywhere
    prompted = next(iter(model.generate(1, 1, prompt="The clock on the", max_tokens=12)))
    assert prompted.text.startswith("The clock on the")
    for smoothing in ("kn", "wb"):
        assert all(t.tokens > 0 for t in model.generate(5, 2, smoothing=smoothing, max_tokens=30))


def test_a_history_that_ends_a_text_backs_off():
    model = markov_cli.train(texts="a b c a b d e", tokenizer="spaces", borders=False)
    assert [f.token for f in model.followers("d e").followers] == ["a", "b", "c", "d", "e"]
    assert {t.text for t in model.generate(200, 1, prompt="d e", max_tokens=3)} >= {"d e a", "d e b", "d e c"}


def test_ends_that_were_not_counted_are_no_followers_under_a_shape():
    """Their count of 0 was said to be damage."""
    model = markov_cli.train(texts="a b c a b d e", tokenizer="spaces", borders=False)
    found = {t.text for t in model.generate(300, 1, prompt="d e", max_tokens=3, temperature=1e-3)}
    assert found == {"d e a", "d e b"}  # twice each
    assert {t.text for t in model.generate(9, 1, prompt="d e", max_tokens=3, top_k=1)} == {"d e a"}


def test_scoring_is_without_borders():
    model = markov_cli.train(texts="a b c a b d", tokenizer="spaces", borders=False, order=2)
    plain = [t.bits for t in markov_cli.score_tokens(model, texts="b c", smoothing="none")]
    assert plain == pytest.approx([math.log2(3), 1])  # 2 of 6; 1 of 2
    found = markov_cli.score(model, texts="b c")
    assert (found.tokens, found.sequences) == (2, 1)
    other = markov_cli.train(texts="a b c a b d", tokenizer="spaces", order=2, unit="file")
    with pytest.raises(OptionError, match="--no-borders: they cannot be mixed"):
        markov_cli.score([model, other], texts="a b")


def test_the_command(tmp_path):
    out, text = tmp_path / "m.npz", tmp_path / "t"
    text.write_text("a b c a b d. A b.\n")
    ran = run("train", text, "--no-borders", "-o", out)
    assert ran.stderr.startswith("read     10 tokens of 6 types in 1 text (without <s> and </s>)\n")
    shown = run("inspect", out).stdout
    assert "each file without beginning and end" in shown and "in 1 text, 10.0 tokens each" in shown
    assert run("inspect", out, "--verify").code == 0
    two_lines(run("inspect", out, "--at-start"), 2, "counts no beginnings")
    two_lines(run("audit", out), 1, "trained with --no-borders")
    two_lines(run("audit", out, "--member", text), 1, "trained with --no-borders")
    two_lines(run("train", text, "--update", out, "-o", out), 1, "trained with --no-borders")
    two_lines(run("merge", out, out, "-o", tmp_path / "x"), 1, "trained with --no-borders")
    two_lines(run("prune", out, "--max-types", "2", "-o", tmp_path / "x"), 1, "trained with --no-borders")
    two_lines(run("tune", out, text, "-o", tmp_path / "x"), 1, "trained with --no-borders")
    two_lines(run("export", out, "--format", "markovify", "-o", tmp_path / "x"), 1, "--no-borders")
    two_lines(run("train", text, "--no-borders", "--unit", "line", "-o", out), 2, "--no-borders and --unit line")
    two_lines(run("train", text, "--no-borders", "--min-sequences", "2", "-o", out), 2, "--no-borders and --min-seq")
    assert "import will not take" in run("export", out, "--format", "counts", "-o", tmp_path / "c").stderr
    arpa = tmp_path / "m.arpa"
    assert run("export", out, "-o", arpa, "--smoothing", "wb").code == 0
    back = markov_cli.import_arpa(arpa, tokenizer="words", unit="file")
    ours = markov_cli.score(out, text, smoothing="wb", within=True, open_end=True)
    theirs = markov_cli.score(back, text, within=True, open_end=True)
    assert ours.bits == pytest.approx(theirs.bits, abs=1e-4)


def test_words_and_limits_go_with_it():
    model = markov_cli.train(HARBOUR, borders=False, max_types=50)
    assert model.header.types == 50
    listed = markov_cli.train(HARBOUR, borders=False, vocab=WordList.of(["the", "clock"]))
    assert listed.header.types == 2
    with pytest.raises(MarkovError, match="--no-borders"):
        markov_cli.merge([model, model])
