"""Relative-entropy pruning: losses equal divergences, the pruned model sums to 1, size limits hold."""

import io
import json
import math

import numpy as np
import pytest

import markov_cli
from conftest import rarely
from engine import model_of
from helpers import loaded
from markov_cli.api.convert import export_arpa
from markov_cli.api.importing import import_arpa
from markov_cli.api.model import Model
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import NeedsCounts, OptionError
from markov_cli.inspecting.verify import damage
from markov_cli.model.distribution import full_distribution
from markov_cli.model.entropy_pruning import EntropyPruner
from markov_cli.model.listed import Listed
from markov_cli.sampling.next_tokens import next_token_distribution
from markov_cli.sampling.sampler import Sampler
from markov_cli.sampling.shape import Shape
from markov_cli.text.types import BOS, EOS

SMOOTHINGS = ["kn", "wb", "abs"]


def divergence(p, other):
    """Sum of p log(p / other), in nats."""
    return sum(a * math.log(a / b) for a, b in zip(p.tolist(), other.tolist(), strict=True) if a > 0)


def changed(p, q, listed):
    """p(w | h) if only `listed` followers of h were kept; q is p(w | h')."""
    rest = (1 - p[listed].sum()) / (1 - q[listed].sum())
    out = rest * q
    out[listed] = p[listed]
    return out


def histories(table, k):
    """(row, first follower's row, listed ids, share of the text) of each history of order k with followers."""
    everything = int(table.total(0, np.zeros(1, np.int64))[0])
    for row in range(len(table.orders[k - 2])):
        low, high = (int(x[0]) for x in table.followers(k - 1, np.array([row])))
        share = int(table.total(k - 1, np.array([row]))[0]) / everything
        if high > low:
            yield row, low, table.tokens(k, np.arange(low, high)), share


@pytest.fixture(scope="module")
def model(harbour):
    return as_model(model_of(harbour[:1200], 3))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("k", [2, 3])
def test_each_loss_is_the_divergence_over_all_types(model, smoothing, k):
    distribution, table = model.distribution(smoothing), model.table
    change = EntropyPruner(distribution).levels[k - 2].change
    for row, low, listed, share in histories(table, k):
        p = full_distribution(distribution, k - 1, row)
        shorter = int(table.shorter(k - 1, np.array([row]))[0])
        q = full_distribution(distribution, k - 2, shorter)
        for i in range(len(listed)):
            d = share * divergence(p, changed(p, q, np.delete(listed, i)))
            assert change[low + i] == pytest.approx(math.expm1(d), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("threshold", [0.0, 1e-4, 3e-4, 1e-3, 1.0])
@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_every_history_of_the_pruned_model_sums_to_one(model, smoothing, threshold):
    table = markov_cli.prune_by_entropy(model, threshold=threshold, smoothing=smoothing).model.table
    left = Listed(table)
    for level in range(table.order):
        for row in range(1 if level == 0 else len(table.orders[level - 1])):
            assert full_distribution(left, level, row).sum() == pytest.approx(1.0, abs=1e-5)


def test_ngrams_above_the_threshold_stay_with_their_histories(model):
    pruner = EntropyPruner(model.distribution("kn"))
    two, three = pruner.levels
    for threshold in (1e-5, 1e-4, 3e-4, 1e-3):
        pruner.choose(threshold)
        assert (three.keep == (three.change >= threshold)).all()
        stood_on = np.isin(np.arange(len(two.keep)), three.history[three.keep])
        assert (two.keep == (two.change >= threshold) | stood_on).all()


@pytest.mark.parametrize("order", [2, 3, *rarely(4)])
def test_a_threshold_of_0_changes_nothing(harbour, order):
    model = as_model(model_of(harbour[:1200], order))
    shrunk = markov_cli.prune_by_entropy(model, threshold=0)
    assert shrunk.ngrams_after == shrunk.ngrams_before == tuple(len(o) for o in model.table.orders)
    assert shrunk.perplexity_rise_estimate == pytest.approx(0.0, abs=1e-9)
    before, after = model.distribution("kn"), Listed(shrunk.model.table)
    for level in range(order):
        for row in range(1 if level == 0 else len(model.table.orders[level - 1])):
            assert full_distribution(after, level, row) == pytest.approx(
                full_distribution(before, level, row), rel=1e-5
            )


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_the_reported_rise_is_the_divergence_of_the_models(harbour, smoothing):
    model = as_model(model_of(harbour[:1200], 2))
    shrunk = markov_cli.prune_by_entropy(model, threshold=2e-3, smoothing=smoothing)
    assert shrunk.ngrams_after[1] < shrunk.ngrams_before[1]
    before, after = model.distribution(smoothing), Listed(shrunk.model.table)
    nats = sum(
        share * divergence(full_distribution(before, 1, row), full_distribution(after, 1, row))
        for row, _, _, share in histories(model.table, 2)
    )
    assert shrunk.perplexity_rise_estimate == pytest.approx(math.expm1(nats), rel=1e-4)


def test_a_higher_threshold_leaves_fewer_ngrams(model):
    sizes = [
        sum(markov_cli.prune_by_entropy(model, threshold=t).ngrams_after) for t in (0, 1e-4, 3e-4, 1e-3, 1e-2, 1e6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1] == len(model.table.orders[0])


def test_the_file_nearly_fills_the_size_asked_for(harbour):
    model = as_model(model_of(harbour, 3))
    whole_file = markov_cli.prune_by_entropy(model, threshold=0).model.save(io.BytesIO())
    for share in (0.5, 0.7, 0.9):
        size = int(whole_file * share)
        taken = markov_cli.prune_by_entropy(model, n_bytes=size).model.save(io.BytesIO())
        assert 0.85 * size < taken <= size
    assert sum(markov_cli.prune_by_entropy(model, n_bytes=10 * whole_file).ngrams_after) == sum(
        len(o) for o in model.table.orders
    )


def test_an_imported_model_is_pruned_by_its_own_probabilities(model, tmp_path):
    with (tmp_path / "m.arpa").open("wb") as out:
        export_arpa(model, out, smoothing="wb")
    listed = import_arpa(tmp_path / "m.arpa")
    shrunk = markov_cli.prune_by_entropy(listed, threshold=1e-4)
    assert sum(shrunk.ngrams_after) < sum(shrunk.ngrams_before)
    left = Listed(shrunk.model.table)
    for row in range(len(shrunk.model.table.orders[1])):
        assert full_distribution(left, 2, row).sum() == pytest.approx(1.0, abs=1e-4)
    with pytest.raises(NeedsCounts):
        markov_cli.prune_by_entropy(listed, threshold=1e-4, smoothing="kn")


def test_order_1_scores_and_tiny_sizes_are_refused(model, harbour):
    with pytest.raises(OptionError, match="order 1"):
        markov_cli.prune_by_entropy(as_model(model_of(harbour[:500], 1)), threshold=0.1)
    for smoothing in ("stupid", "laplace", "none"):
        with pytest.raises(OptionError, match="relative entropy"):
            markov_cli.prune_by_entropy(model, threshold=0.1, smoothing=smoothing)
    with pytest.raises(OptionError, match="--size"):
        markov_cli.prune_by_entropy(model, n_bytes=100)


def test_the_command_reports_perplexity_before_and_after(run, model, tmp_path, harbour):
    model.save(tmp_path / "m.npz")
    (tmp_path / "new.txt").write_text(harbour[1200:3000], encoding="utf-8")
    ran = run("prune", "m.npz", "--threshold", "3e-4", "--heldout", "new.txt", "-o", "s.npz", "--json", cwd=tmp_path)
    assert ran.code == 0, ran.stderr
    said = json.loads(ran.stdout)
    with Model.load(tmp_path / "s.npz") as small:
        assert small.header.holds == "probabilities"
        assert said["perplexity_before"] == model.score([tmp_path / "new.txt"]).perplexity
        assert said["perplexity_after"] == small.score([tmp_path / "new.txt"]).perplexity
        kept = [len(o) for o in small.table.orders]
    assert [a >= b for a, b in zip(said["ngrams_before"], kept, strict=True)] == [True] * 3
    assert said["threshold"] == 3e-4
    assert "held out" in ran.stderr and f"{sum(said['ngrams_before']) - sum(kept):,} of" in ran.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--threshold", "-1"], "--threshold -1"),
        (["--threshold", "nan"], "--threshold nan"),
        (["--threshold", "1e-4", "--size", "1M"], "exclude"),
        (["--size", "1M", "--prune", "0,1"], "excludes other ways to prune"),
        (["--max-types", "9", "--smoothing", "kn"], "--smoothing needs"),
        (["--max-types", "9", "--heldout", "m.npz"], "--heldout needs"),
        (["--size", "1k"], "--size"),
        ([], "no way to prune is named"),
    ],
)
def test_wrong_options_leave_no_file(run, model, tmp_path, options, words):
    model.save(tmp_path / "m.npz")
    ran = run("prune", "m.npz", *options, "-o", "s.npz", cwd=tmp_path)
    assert ran.code == 2, ran.stderr
    assert len(ran.stderr.splitlines()) == 2 and words in ran.stderr
    assert not (tmp_path / "s.npz").exists()


def test_a_pruned_model_is_whole(harbour):
    """Its types keep the order of the counts, and some of its longest n-grams lack their ends."""
    out = io.BytesIO()
    markov_cli.prune_by_entropy(markov_cli.train(texts=[harbour]), threshold=1e-4).model.save(out)
    assert damage(loaded(out.getvalue()).file) == []


@pytest.mark.parametrize("shape", [{"temperature": 0.7}, {"top_p": 0.8}, {"temperature": 1.5, "top_k": 4}])
def test_texts_of_a_model_without_some_ends_have_the_shaped_probabilities(harbour, shape):
    """Bits are those of the whole distribution, computed for each history; such a model was said to be damaged."""
    model = markov_cli.prune_by_entropy(markov_cli.train(texts=[harbour[:4000]]), threshold=3e-4).model
    table = model.table
    rows = table.ngrams(3, np.arange(len(table.orders[2])))
    ends = table.child(1, rows[:, 1], rows[:, 2])
    assert (ends < 0).any() and (ends >= 0).any()
    sampler = Sampler(table, Shape(**shape), True, model.distribution())
    drawn = sampler.texts(3, 0, 25, table.find([BOS]), 1, 1000)
    assert drawn.complete.all()
    for ids, given in zip(np.split(drawn.ids, np.cumsum(drawn.length)[:-1]), drawn.bits, strict=True):
        whole, bits = [BOS, *ids.tolist(), EOS], 0.0
        for i in range(1, len(whole)):
            found, p = next_token_distribution(sampler, *table.find(whole[:i]), model.distribution())
            bits -= math.log2(p[found.tolist().index(whole[i])])
        assert bits == pytest.approx(given, abs=1e-5)
