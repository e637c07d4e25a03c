"""Constraints on smoothed and imported models, compared with an enumeration of all short texts.

The probabilities come from the oracle of every smoothing, or from an ARPA file in plain Python.
"""

import math
from collections import Counter
from itertools import pairwise

import pytest

from arpa_files import SMALL
from enumeration import CASES, LINES, listed, mixed, smoothed, train
from helpers import ODD, chi_squared, run_of
from markov_cli import Constraints
from markov_cli.api.convert import export_arpa
from markov_cli.api.importing import import_arpa
from markov_cli.errors import AnswerIsNo
from markov_cli.generation import constraints, exact
from markov_cli.generation.mixture import MixedModel
from markov_cli.generation.request import Request
from markov_cli.generation.run import Run
from markov_cli.sampling import backoff_walker, shaped_graph
from markov_cli.sampling.shape import Shape
from markov_cli.text.reading import find_sources
from markov_cli.text.types import BOS, EOS, UNK

LONGEST = 5
SHORT = [name for name in CASES if name not in ("all", "calculated and tried")]
METHODS = ["kn", "wb", "abs", "abs:1"]


@pytest.fixture(scope="module")
def model():
    return train()


def compared(model, whole, asked, keep, n=1000, longest=LONGEST, **more):
    """Compare n texts with the enumeration `whole`; the texts."""
    kept = {" ".join(w): p for w, p in whole.items() if keep(w)}
    share = sum(kept.values())
    request = Request(count=n, seed=7, constraints=Constraints(**asked), max_tokens=longest, **more)
    run = Run(model if isinstance(model, MixedModel) else model.language_model, request)
    assert not run.constrained.note
    texts = [*run.texts()]
    assert [t.index for t in texts] == [*range(n)]
    seen = Counter(t.text for t in texts)
    assert set(seen) <= set(kept)
    assert abs(chi_squared(seen, {t: p / share for t, p in kept.items()}, n)) < 3.5
    for t in texts[:50]:
        assert t.bits == pytest.approx(-math.log2(kept[t.text]), abs=1e-6)
    assert t.conditioned_bits - t.bits == pytest.approx(math.log2(share), abs=1e-6)
    return texts


@pytest.fixture(scope="module")
def enumerations(model):
    return {method: smoothed(model, LINES, LONGEST, method) for method in METHODS}


@pytest.mark.every_combination
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SHORT)
def test_smoothed_texts_are_distributed_as_enumerated(model, enumerations, name, method):
    compared(model, enumerations[method], *CASES[name], smoothing=method)


@pytest.mark.parametrize(("order", "longest"), [(1, 3), (2, 4), (5, 4)])
def test_smoothed_constraints_hold_at_every_order(order, longest):
    other = train(order=order)
    asked = {"contains": ["dog"], "without": ["sat"]}
    whole = smoothed(other, LINES, longest, "kn")
    compared(other, whole, asked, lambda w: "dog" in w and "sat" not in w, longest=longest, smoothing="kn")


def test_pruned_rows_leave_their_share_to_shorter_histories():
    pruned = train(prune=(0, 0, 1))
    whole = smoothed(pruned, LINES, LONGEST, "kn", prune=(0, 0, 1))
    compared(pruned, whole, *CASES["contains two"], smoothing="kn")


def test_a_prompt_counts_for_the_constraints(model):
    ids = model.known("a dog", at_start=True).ids
    whole = smoothed(model, LINES, 3, "kn", start=ids)
    kept = {" ".join(("a", "dog", *w)): p for w, p in whole.items() if "fish" in w}
    asked = Constraints(contains=["fish", "dog"])
    options = {"prompt": "a dog", "smoothing": "kn", "max_tokens": 5}
    texts = [*model.generate(2000, 3, constraints=asked, **options)]
    share = sum(kept.values())
    assert abs(chi_squared(Counter(t.text for t in texts), {t: p / share for t, p in kept.items()}, 2000)) < 3.5


@pytest.mark.parametrize("name", ["contains two", "without a phrase", "pattern", "ends with two"])
def test_weights_of_all_lengths_agree_with_those_by_length(model, name, monkeypatch):
    """Few texts have more than 150 tokens, so the probabilities agree to the last digits."""
    asked = Constraints(**CASES[name][0])
    by_length = [*model.generate(20, 1, constraints=asked, max_tokens=150, smoothing="kn")]
    monkeypatch.setattr(exact, "WORK", 2000)
    solved = [*model.generate(20, 1, constraints=asked, max_tokens=150, smoothing="kn")]
    assert [t.text for t in solved] == [t.text for t in by_length]
    assert solved[0].conditioned_bits == pytest.approx(by_length[0].conditioned_bits, abs=1e-8)


def test_solved_weights_draw_the_enumerated_texts(model, enumerations, monkeypatch):
    monkeypatch.setattr(exact, "WORK", 2000)
    asked, keep = CASES["contains two"]
    kept = {" ".join(w): p for w, p in enumerations["kn"].items() if keep(w)}
    texts = [*model.generate(2000, 5, constraints=Constraints(**asked), max_tokens=LONGEST, smoothing="kn")]
    share = sum(kept.values())
    assert abs(chi_squared(Counter(t.text for t in texts), {t: p / share for t, p in kept.items()}, 2000)) < 3.5


def test_a_draw_that_is_rejected_too_often_compares_all_tokens(model, enumerations, monkeypatch):
    monkeypatch.setattr(backoff_walker, "_TRIES", 2)
    compared(model, enumerations["wb"], *CASES["contains two"], smoothing="wb")


def test_text_i_of_a_smoothed_model_does_not_depend_on_count_or_batch_size(model, monkeypatch):
    asked = Constraints(contains=["dog"], balanced=True)
    long = [t.text for t in model.generate(60, 9, constraints=asked, smoothing="kn")]
    assert [t.text for t in model.generate(7, 9, constraints=asked, smoothing="kn")] == long[:7]
    monkeypatch.setattr("markov_cli.generation.run.batch_size", lambda *_: 7)
    assert [t.text for t in model.generate(60, 9, constraints=asked, smoothing="kn")] == long


def test_texts_of_an_impossible_length_are_refused(model):
    asked = Constraints(contains=["the cat ate"], tokens=(2, 2))
    with pytest.raises(AnswerIsNo, match="'the cat ate' and --tokens 2: no text of the model meets both"):
        next(model.generate(1, 1, constraints=asked, smoothing="kn"))


def test_too_large_a_calculation_is_replaced_by_rejection(model, monkeypatch):
    monkeypatch.setattr(exact, "MEMORY", 1000)
    asked = Constraints(contains=["fish"])
    run = run_of(model, count=200, seed=1, constraints=asked, smoothing="kn", max_tokens=9)
    assert all(b"fish" in text.split() for batch in run.batches() for text in batch.each())
    assert run.constrained.kept == 200 < run.constrained.tried
    assert "needs 0.0 GB of memory" in run.constrained.note


# ------------------------------------------------------------------ shapes


@pytest.mark.parametrize("t", [0.3, 0.8, 2.0])
@pytest.mark.parametrize("method", ["kn", "wb"])
def test_a_temperature_applies_to_the_distribution_that_is_conditioned(model, method, t):
    whole = smoothed(model, LINES, LONGEST, method, shaped=lambda p: [q ** (1 / t) for q in p])
    compared(model, whole, *CASES["contains two"], smoothing=method, shape=Shape(temperature=t))


def cut(shape):
    """The weights of one history after top-k and top-p; ties by id."""

    def shaped(p):
        order = sorted(range(len(p)), key=lambda i: (-p[i], i))[: shape.get("top_k") or None]
        total, out, before = sum(p[i] for i in order), [0.0] * len(p), 0.0
        for i in order:
            if before < shape.get("top_p", 1) * total:
                out[i] = p[i]
            before += p[i]
        return out

    return shaped


@pytest.mark.parametrize("shape", [{"top_k": 3}, {"top_p": 0.83}, {"top_k": 6, "top_p": 0.9}], ids=str)
@pytest.mark.parametrize("method", ["kn", "wb"])
def test_top_k_and_top_p_apply_to_the_distribution_that_is_conditioned(model, method, shape):
    whole = smoothed(model, LINES, LONGEST, method, shaped=cut(shape))
    asked, keep = CASES["contains"]
    compared(model, {w: p for w, p in whole.items() if p}, asked, keep, smoothing=method, shape=Shape(**shape))


def test_too_many_probabilities_are_replaced_by_rejection(model, monkeypatch):
    monkeypatch.setattr(shaped_graph, "WORK", 10)
    run = run_of(
        model, count=9, seed=1, constraints=Constraints(contains=["dog"]), smoothing="kn", shape=Shape(top_p=0.9)
    )
    assert len([*run.texts()]) == 9
    assert "more than 10 probabilities" in run.constrained.note


def test_a_smoothing_without_a_chain_of_backoffs_computes_all_probabilities():
    """At order 2, so that every history is known: texts are drawn by the longest known one."""
    model = train(order=2)
    whole = smoothed(model, LINES, LONGEST, "lidstone", amount=0.1)
    compared(model, whole, *CASES["contains two"], smoothing="lidstone:0.1")


def test_a_low_temperature_leaves_no_probability_too_small(model):
    """0.01 ** 200 is too small for a number, and so is the share of a text with `fish` and `dog`."""
    asked = Constraints(contains=["fish", "dog"], tokens=(3, 4))
    run = run_of(model, count=5, seed=1, constraints=asked, smoothing="kn", shape=Shape(temperature=0.02))
    assert all({"fish", "dog"} <= {*t.text.split()} for t in run.texts())
    assert run.conditioned > 50


# ------------------------------------------------------------------ imported models


class Drawn:
    """p(w | h) of an ARPA file in the way that it is drawn, in plain Python.

    Listed followers keep their p, scaled down if they sum to more than 1. The others share the rest in proportion
    to their probabilities after the history one token shorter. Where `a b c` is listed, `b c` counts as listed.
    """

    def __init__(self, model, text):
        ids = {"<unk>": UNK, "<s>": BOS, "</s>": EOS}
        self.words = [model.vocabulary.text_of(i) for i in range(3, len(model.vocabulary))]
        ids |= {word: i for i, word in enumerate(self.words, 3)}
        self.rows, backoff = {}, {}
        for line in text.splitlines():
            log10, _, rest = line.partition("\t")
            if rest:
                gram, _, weight = rest.partition("\t")
                history, word = tuple(ids[x] for x in gram.split()[:-1]), ids[gram.split()[-1]]
                backoff[(*history, word)] = 10 ** float(weight or 0)
                self.rows.setdefault(history, {})[word] = 10 ** float(log10)
        self.rows[()][BOS] = 0.0
        for _, b, c in [(*h, w) for h, own in self.rows.items() for w in own if len(h) == 2]:
            self.rows.setdefault((b,), {}).setdefault(c, backoff[(b,)] * self.rows[()][c])

    def __call__(self, history, word):
        own = self.rows.get(tuple(history), {})
        total = sum(own.values())
        if not history:
            return own.get(word, 0) / total
        if word in own:
            return own[word] / max(total, 1)
        left = 1 - sum(self(history[1:], w) for w in own)
        return max(1 - total, 0) / left * self(history[1:], word)


@pytest.mark.parametrize("asked", [{"contains": ["b a"]}, {"ends_with": "b", "without": ["a b"]}, {"pattern": "* b _"}])
@pytest.mark.parametrize("text", [SMALL, ODD], ids=["small", "odd"])
def test_imported_texts_are_distributed_as_enumerated(tmp_path, text, asked):
    (tmp_path / "m.arpa").write_text(text, encoding="utf-8")
    model = import_arpa(tmp_path / "m.arpa")
    p = Drawn(model, text)
    keep = {
        "contains": lambda w: ("b", "a") in pairwise(w),
        "ends_with": lambda w: w[-1] == "b" and ("a", "b") not in pairwise(w),
        "pattern": lambda w: len(w) > 1 and w[-2] == "b",
    }[min(asked)]
    compared(model, listed(p, p.words, 6, 3), asked, keep, longest=6)


def test_a_text_that_listed_probabilities_exclude_is_refused(tmp_path):
    """In the odd file the followers of `a` have all of its probability, and the end is not among them."""
    (tmp_path / "m.arpa").write_text(ODD, encoding="utf-8")
    asked = Constraints(ends_with="a", without=["b b"])
    with pytest.raises(AnswerIsNo, match="--ends-with 'a': no text of the model can meet it"):
        next(import_arpa(tmp_path / "m.arpa").generate(1, 1, constraints=asked))


def test_an_exported_model_has_the_same_conditioned_texts(model, enumerations, tmp_path):
    with open(tmp_path / "m.arpa", "wb") as out:
        export_arpa(model, out, "kn")
    compared(import_arpa(tmp_path / "m.arpa"), enumerations["kn"], *CASES["contains two"])


# ------------------------------------------------------------------ mixtures

OTHER = """a dog ran to the cat
the bird sang
a cat saw the bird
the dog ran
a bird ate the dog"""


@pytest.mark.parametrize("method", ["none", "kn", "wb"])
@pytest.mark.parametrize(("orders", "longest"), [((3, 3), 4), ((2, 4), 4), ((1, 2), 4)])
def test_texts_of_a_mixture_are_distributed_as_enumerated(method, orders, longest):
    models, texts = [train(order=orders[0]), train(OTHER, order=orders[1])], [LINES, OTHER]
    whole = mixed(models, texts, [0.7, 0.3], longest, method)
    mixture = MixedModel([one.language_model for one in models], [0.7, 0.3])
    asked, keep = {"contains": ["dog"], "without": ["sat"]}, lambda w: "dog" in w and "sat" not in w
    compared(mixture, {w: p for w, p in whole.items() if p}, asked, keep, longest=longest, smoothing=method)


def test_solved_weights_of_a_mixture_agree_with_those_by_length(monkeypatch):
    mixture = MixedModel([train().language_model, train(OTHER).language_model])
    asked = Constraints(contains=["bird", "fish"])
    request = Request(count=20, seed=1, constraints=asked, smoothing="kn", max_tokens=150)
    by_length = [*Run(mixture, request).texts()]
    monkeypatch.setattr(exact, "WORK", 2000)
    solved = [*Run(mixture, request).texts()]
    assert [t.text for t in solved] == [t.text for t in by_length]
    assert solved[0].conditioned_bits == pytest.approx(by_length[0].conditioned_bits, abs=1e-8)


def test_a_mixture_with_rare_types_is_tried():
    mixture = MixedModel([train(min_type_count=5).language_model, train(OTHER).language_model])
    run = Run(mixture, Request(count=3, seed=1, constraints=Constraints(contains=["dog"])))
    assert len([*run.texts()]) == 3
    assert "<unk>" in run.constrained.note


# ------------------------------------------------------------------ copies


def copies(words, k):
    """True if k words in a row are in the training text."""
    text = LINES.split()
    there = {tuple(text[i : i + k]) for i in range(len(text) - k + 1)}
    return any(tuple(words[i : i + k]) in there for i in range(len(words) - k + 1))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "lines.txt"
    path.write_text(LINES, encoding="utf-8")
    return tuple(find_sources([str(path)]))


@pytest.mark.parametrize("name", ["contains", "ends", "tokens n..m", "without a phrase"])
@pytest.mark.parametrize(("method", "shape"), [("none", {}), ("kn", {}), ("wb", {"temperature": 0.7})])
def test_texts_without_copies_are_distributed_as_enumerated(model, corpus, monkeypatch, name, method, shape):
    monkeypatch.setattr(constraints, "_MANY_COPIES", -1)
    asked, keep = CASES[name]
    power = 1 / shape.get("temperature", 1)
    whole = smoothed(model, LINES, LONGEST, method, shaped=lambda p: [q**power for q in p])
    whole = {w: p for w, p in whole.items() if p}
    more = {"smoothing": method, "shape": Shape(**shape), "novel": 4, "corpus": corpus, "overlaps": False}
    compared(model, whole, asked, lambda w: keep(w) and not copies(w, 4), **more)


def test_copies_are_avoided_by_calculation_where_most_texts_copy(model, corpus):
    """Long texts of raw counts nearly always copy 4 tokens, so trying would give few."""
    asked = Constraints(tokens=(20, 20))
    run = run_of(model, count=40, seed=1, constraints=asked, novel=4, corpus=corpus)
    texts = [*run.texts()]
    assert len(texts) == 40
    assert not any(copies(t.text.split(), 4) for t in texts)
    assert run.constrained.tried == run.constrained.kept
    assert run.conditioned > 5


def test_constraints_that_only_copies_meet_are_refused(model, corpus, monkeypatch):
    monkeypatch.setattr(constraints, "_MANY_COPIES", -1)
    asked = Constraints(pattern="a fish ate the dog")
    with pytest.raises(AnswerIsNo, match="--novel 4: every text that meets the constraints shares a run of 4 tokens"):
        run_of(model, count=1, seed=1, constraints=asked, novel=4, corpus=corpus)
