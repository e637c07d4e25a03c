"""One model of several mixed ones: every distribution sums to 1, and n-grams have the mixture's probability."""

import io
import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli
from conftest import examples
from helpers import loaded, two_lines
from markov_cli.errors import MarkovError, NeedsCounts, OptionError
from markov_cli.inspecting.verify import damage
from markov_cli.model.distribution import full_distribution
from markov_cli.text.types import BOS, EOS, N_MARKERS, UNK

texts = st.text("abc\n ", min_size=1, max_size=60).map(lambda t: "a b\n" + t)
METHODS = st.sampled_from(["kn", "wb", "abs"])


def trained(text, order, prune=0):
    return markov_cli.train(texts=[text], tokenizer="spaces", unit="line", order=order, prune=(0, prune))


def word(model, i):
    return model.vocabulary.marker(i) or model.vocabulary.bytes_of(i)


def distribution_of(model, method, history):
    """{word: p} behind a history of words: those that the model does not have are `<unk>`."""
    d = model.distribution(method if model.language_model.holds_counts else None)
    ids = {word(model, i): i for i in range(len(model.vocabulary))}
    now = [ids.get(w, UNK) for w in history]
    for k in range(min(len(now), model.order - 1), -1, -1):
        row = model.table.row_of(now[len(now) - k :]) if k else 0
        if row >= 0:
            break
    return dict(zip(ids, full_distribution(d, k, row).tolist(), strict=True))


def check(models, methods, weights, made):
    """Check all histories of a model that was made: what is listed, what backs off, and the sums."""
    out = io.BytesIO()
    made.save(out)
    assert damage(loaded(out.getvalue()).file) == []
    words = [word(made, i) for i in range(len(made.vocabulary))]
    table = made.table
    rows = [(k, r) for k in range(1, table.order + 1) for r in range(len(table.orders[k - 1]))]
    listed = {tuple(table.ngram(k, r)) for k, r in rows}
    theirs = {
        tuple(word(m, i) for i in m.table.ngram(k, r))
        for m in models
        for k in range(2, m.table.height + 1)
        for r in range(len(m.table.orders[k - 1]))
    }
    named = {tuple(words[i] for i in n) for n in listed}
    assert theirs <= named
    assert set(words) == {word(m, i) for m in models for i in range(len(m.vocabulary))}
    every = (h for k in range(table.order) for h in product(range(len(words)), repeat=k))
    histories = [h for h in every if EOS not in h and BOS not in h[1:]]
    for h in histories:
        names = [words[i] for i in h]
        q = distribution_of(made, None, names)
        assert sum(q.values()) == pytest.approx(1, abs=3e-6)
        each = [distribution_of(m, method, names) for m, method in zip(models, methods, strict=True)]
        shorter = distribution_of(made, None, names[1:]) if h else {}
        ratios = []
        for i, w in enumerate(words):
            p = sum(weight * one.get(w, 0.0) for weight, one in zip(weights, each, strict=True))
            if i == BOS:
                continue
            if not h or (*h, i) in listed:
                assert q[w] == pytest.approx(p, rel=2e-5, abs=1e-7)
            elif h and shorter[w] > 1e-6:
                ratios.append(q[w] / shorter[w])
        assert not ratios or max(ratios) == pytest.approx(min(ratios), rel=1e-3, abs=1e-6)


@examples(25)
@given(texts, texts, st.integers(1, 3), st.integers(1, 3), METHODS, st.floats(0.05, 0.95), st.integers(0, 1))
def test_ngrams_have_the_mixtures_probability_and_all_sums_are_1(one, two, m, n, method, w, prune):
    models = [trained(one, m), trained(two.replace("c", "d"), n, prune)]
    weights = [w, 1 - w]
    made = markov_cli.static_mixture(models, weights, smoothing=method)
    check(models, [method] * 2, weights, made)


@pytest.mark.parametrize("threshold", [0.01, 0.2])
def test_pruned_and_imported_models_are_mixed(tmp_path, threshold):
    """A model pruned by entropy lacks ends of its longest n-grams; here they become histories."""
    a = trained("a b a b c\nb c a\na b c\nc c b a\n", 3)
    b = trained("a b d\na b a b d\nb b d d\n", 4)
    small = markov_cli.prune_by_entropy(a, threshold=threshold, smoothing="wb").model
    markov_cli.export_arpa(b, tmp_path / "b.arpa", "wb")
    imported = markov_cli.import_arpa(tmp_path / "b.arpa")
    made = markov_cli.static_mixture([small, imported, a], [2, 3, 5], smoothing="wb")
    check([small, imported, a], [None, None, "wb"], [0.2, 0.3, 0.5], made)


def arpa_rows(model):
    """{n-gram: log10 p} of a model as ARPA."""
    out = io.BytesIO()
    markov_cli.export_arpa(model, out)
    rows = [line.split("\t") for line in out.getvalue().decode().splitlines() if "\t" in line]
    return {row[1]: float(row[0]) for row in rows if row[1] != "<s>"}


def test_a_model_mixed_with_itself_is_itself(harbour):
    model = markov_cli.train(texts=[harbour[:4000]])
    mixed = markov_cli.static_mixture([model, model], [0.3, 0.7], smoothing="kn")
    assert arpa_rows(mixed) == pytest.approx(arpa_rows(model), abs=1e-5)


def test_probabilities_that_do_not_sum_to_1_are_noted(tmp_path):
    path = tmp_path / "half.arpa"
    path.write_text("\\data\\\nngram 1=2\n\n\\1-grams:\n-0.60206\ta\n-0.60206\t</s>\n\n\\end\\\n", encoding="utf-8")
    half = markov_cli.import_arpa(path)
    made = markov_cli.static_mixture([half, trained("a b\n", 2)], [0.5, 0.5])
    assert made.notes.said == ["model 1: the probabilities of its words sum to 0.5; the mixture's sum to 1"]
    assert full_distribution(made.distribution(), 0, 0).sum() == pytest.approx(1, abs=1e-6)


def test_models_that_cannot_be_mixed(tmp_path):
    a, b = trained("a b\n", 2), markov_cli.train(texts=["a b"], order=2)
    with pytest.raises(MarkovError, match="model 2: tokenizer words, but model 1: tokenizer spaces"):
        markov_cli.static_mixture([a, b])
    with pytest.raises(OptionError, match="a smoothing that backs off"):
        markov_cli.static_mixture([a, a], smoothing="laplace")
    with pytest.raises(OptionError, match="--model-weights 1: 1 weights for 2 models"):
        markov_cli.static_mixture([a, a], [1])
    mixed = markov_cli.static_mixture([a, a])
    with pytest.raises(NeedsCounts):
        markov_cli.static_mixture([mixed, mixed], smoothing="wb")
    assert markov_cli.static_mixture([mixed, a], smoothing="wb").header.holds == "probabilities"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, harbour):
    folder = tmp_path_factory.mktemp("mixing")
    parts = harbour[:9000], harbour[9000:18000], harbour[18000:24000]
    for name, text in zip(("a", "b", "held"), parts, strict=True):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    for name in ("a", "b"):
        markov_cli.train(folder / f"{name}.txt", order=2).save(folder / f"{name}.npz")
    return folder


def test_tuned_weights_say_how_near_the_model_is(run, folder):
    ran = run("merge", "a.npz", "b.npz", "--tune", "held.txt", "-o", "m.npz", "--json", cwd=folder)
    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert sum(found["weights"]) == pytest.approx(1)
    assert found["perplexity_of_model"] == pytest.approx(found["perplexity_of_mixture"], rel=0.02)
    score = json.loads(run("score", "m.npz", "held.txt", "--json", cwd=folder).stdout)
    assert score["perplexity"] == pytest.approx(found["perplexity_of_model"], rel=1e-9)
    said = ran.stderr.splitlines()
    assert said[0].startswith("weights ") and said[1].startswith("perplexity of held.txt: ")
    mix = ("merge", "a.npz", "b.npz", "--tune", "-", "-o", "-", "-q")
    again = run(*mix, cwd=folder, stdin=(folder / "held.txt").read_bytes())
    assert again.stdout_bytes == (folder / "m.npz").read_bytes()
    latin = (folder / "held.txt").read_text(encoding="utf-8").encode("utf-16")
    again = run(*mix, cwd=folder, stdin=latin)
    assert again.stdout_bytes == (folder / "m.npz").read_bytes()


def test_wrong_calls_are_errors_of_two_lines(run, folder):
    def merge(*args):
        return run("merge", "a.npz", "b.npz", *args, "-o", "x.npz", cwd=folder)

    two_lines(merge("--model-weights", "1,2", "--tune", "held.txt"), 2, "exclude each other", "choose one")
    two_lines(
        merge("--model-weights", "1,2", "--weight", "1"), 2, "--weight and --model-weights exclude", "adds counts"
    )
    two_lines(merge("--model-weights", "1,2,3"), 2, "3 weights for 2 models", "one for each MODEL")
    two_lines(merge("--model-weights", "0,0"), 2, "not all 0", "--model-weights 0.7,0.3")
    two_lines(merge("--smoothing", "wb"), 2, "--smoothing needs --model-weights or --tune", "add one")
    two_lines(merge("--tune", "hold.txt"), 1, "no such file", "did you mean")
    two_lines(
        run("merge", "a.npz", "--tune", "held.txt", "-o", "x.npz", cwd=folder), 2, "several models", "name the others"
    )
    assert not (folder / "x.npz").exists()
    ran = merge("--model-weights", "1,3")
    assert ran.code == 0 and ran.stderr.startswith("the weights sum to 4; used: 0.25,0.75")


def test_ids_are_in_the_order_of_their_probability(folder):
    made = markov_cli.static_mixture([folder / "a.npz", folder / "b.npz"])
    assert (np.diff(made.table.orders[0].log10[N_MARKERS:]) <= 0).all()
