"""Sampling from smoothed counts and from imported models: frequencies equal the probabilities."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from arpa_files import SMALL
from engine import model_of
from helpers import ODD, chi_squared
from markov_cli.api.combine import prune_by_entropy
from markov_cli.api.convert import export_arpa
from markov_cli.api.importing import import_arpa
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import OptionError
from markov_cli.model.distribution import full_distribution
from markov_cli.model.thresholds import Protection
from markov_cli.sampling import backoff_top_p, sampler, sorted_followers
from markov_cli.sampling.random_stream import RandomStream
from markov_cli.sampling.sampler import Sampler
from markov_cli.sampling.shape import Shape, shaped_weights
from markov_cli.sampling.smoothed import SmoothedStep
from markov_cli.scoring.scorer import Scorer
from oracle_smoothing import BOS, EOS, UNK

METHODS = ["kn", "wb", "abs", "abs:1", "laplace", "lidstone:0.05"]
SHAPES = [
    {}, {"temperature": 0.5}, {"temperature": 3.0}, {"top_k": 3}, {"top_k": 40, "temperature": 2.0}, {"top_p": 0.6},
    {"top_p": 0.97, "temperature": 1.5}, {"temperature": 1.5, "top_k": 20, "top_p": 0.8},
]  # fmt: skip
N = 3_000


@pytest.fixture(scope="module")
def models(story):
    made = {
        "order 1": {"order": 1}, "order 2": {"order": 2}, "order 4": {"order": 4}, "pruned": {"prune": (0, 0, 1)},
        "capped": {"protection": Protection(2, 1, 1), "order": 4},
        "rare types": {"min_type_count": 2}, "rare and pruned": {"prune": (0, 1), "min_type_count": 3},
    }  # fmt: skip
    return {name: as_model(model_of(story[:3000], unit="line", **options)) for name, options in made.items()}


@pytest.fixture(scope="module")
def imported(tmp_path_factory, models):
    """Imported models: our export, a well-formed file, an unusual one, our export that pruning left with gaps."""
    folder = tmp_path_factory.mktemp("arpa")
    with open(folder / "story", "wb") as out:
        export_arpa(models["order 4"], out, "kn")
    (folder / "small").write_text(SMALL, encoding="utf-8")
    (folder / "odd").write_text(ODD, encoding="utf-8")
    made = {name: import_arpa(folder / name) for name in ("story", "small", "odd")}
    return {**made, "pruned": prune_by_entropy(made["story"], threshold=1e-4).model}


def histories_of(model, seed=1):
    """Some histories of the table, of every length: (level, row)."""
    table, rng = model.table, np.random.default_rng(seed)
    out = [(0, 0)]
    for level in range(1, table.order):
        low, high = table.followers(level, np.arange(len(table.orders[level - 1])))
        rows = np.flatnonzero(high > low)
        often = rows[np.argsort(low[rows] - high[rows], kind="stable")[:3]]
        out += [(level, int(r)) for r in {*often.tolist()[:2], *rng.choice(rows, 1).tolist()}]
    return out


def first_ids(model, smoothing, history, shape=None, n=N, seed=7):
    """Draw n ids after a history; returns them and their bits."""
    step = SmoothedStep(model.distribution(smoothing), Shape(**(shape or {})), True)
    level, row = (np.full(n, x, np.int64) for x in history)
    ids, bits, *_ = step(level, row, RandomStream(seed).raw(0, 0, n))
    return ids, bits


def expected(model, smoothing, history, shape=None):
    """{id: probability} from the whole distribution, with the share of UNK redistributed."""
    p = full_distribution(model.distribution(smoothing), *history)
    p /= 1 - p[UNK]
    p[UNK] = 0
    ids = np.flatnonzero(p)
    if shape:  # test_sampling.py tests the shaping itself
        w = shaped_weights(p[ids], np.array([len(ids)]), Shape(**shape))
        return {i: q / w.sum() for i, q in zip(ids.tolist(), w.tolist(), strict=True) if q}
    return dict(zip(ids.tolist(), p[ids].tolist(), strict=True))


def check(ids, p, limit=4.0):
    seen = Counter(ids.tolist())
    assert set(seen) <= set(p)
    assert sum(p.values()) == pytest.approx(1)
    assert abs(chi_squared(seen, p, len(ids))) < limit


# ------------------------------------------------------------------ frequencies


@pytest.mark.parametrize("name", ["order 1", "order 4", "pruned", "rare and pruned", "capped"])
@pytest.mark.parametrize("smoothing", METHODS)
def test_smoothed_counts_are_drawn_in_proportion_to_their_probabilities(models, name, smoothing):
    model = models[name]
    for history in histories_of(model)[:: 2 if model.order > 2 else 1]:
        check(first_ids(model, smoothing, history)[0], expected(model, smoothing, history))


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
@pytest.mark.parametrize("smoothing", ["kn", "wb", "abs", "lidstone:0.05"])
def test_temperature_top_k_and_top_p_shape_the_whole_distribution(models, smoothing, shape):
    for name in ("order 4", "rare and pruned"):
        for history in histories_of(models[name])[1::2]:
            ids, _ = first_ids(models[name], smoothing, history, shape, n=2000)
            check(ids, expected(models[name], smoothing, history, shape))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["story", "small", "pruned"])
def test_an_imported_model_is_drawn_in_proportion_to_its_listed_probabilities(imported, name, shape):
    model = imported[name]
    for history in histories_of(model)[:7]:
        # `small` sums to 0.8 with no history, and to other values elsewhere
        p = listed(model, history) if not shape else expected(model, None, history, shape)
        check(first_ids(model, None, history, shape)[0], p)


def listed(model, history):
    """{id: probability} drawn from listed probabilities, in plain Python.

    Listed followers keep their p, scaled down if they sum to more than 1. The others share the
    rest in proportion to their probabilities after the history one token shorter.
    """
    table, own = model.table, model.distribution()

    def level_of(level, row):
        low, high = (int(x[0]) for x in table.followers(level, np.array([row])))
        rows = np.arange(low, high)
        p = own.listed(level + 1, rows)
        here = dict(zip(table.tokens(level + 1, rows).tolist(), (p / max(p.sum(), 1)).tolist(), strict=True))
        if level == 0:
            total = sum(here.values())
            return {i: q / total for i, q in here.items()}
        below = level_of(level - 1, int(table.shorter(level, np.array([row]))[0]))
        free = sum(q for i, q in below.items() if i not in here)
        left = max(1 - sum(here.values()), 0)
        return {**{i: q * left / free for i, q in below.items() if i not in here}, **here}

    p = level_of(*history)
    return {i: q / (1 - p[UNK]) for i, q in p.items() if q and i not in (UNK, BOS)}


def test_listed_sums_above_1_and_blank_rows_are_drawn(imported):
    """In the odd file every listed follower is drawn, whatever precedes it in the table."""
    model = imported["odd"]
    own = model.distribution()
    assert full_distribution(own, 0, 0).sum() == pytest.approx(1.1, abs=1e-6)
    a, b, c = (model.vocabulary.find(x.encode(), None, False)[0] for x in "abc")
    assert model.table.row_of([c, b]) >= 0  # the blank was given a row
    for ids in ([], [a], [b], [BOS], [b, a], [a, c], [BOS, a], [c, b]):
        level, row = model.table.find(ids)
        check(first_ids(model, None, (level, row))[0], listed(model, (level, row)))
    # after a: c .8 and b .4, together 1.2
    assert listed(model, model.table.find([a])) == pytest.approx({c: 2 / 3, b: 1 / 3}, abs=1e-5)


# ------------------------------------------------------------------ bits


@pytest.mark.parametrize(
    ("smoothing", "name"),
    [(s, "order 2") for s in METHODS] + [(s, n) for s in METHODS[:4] for n in ("order 4", "rare and pruned")],
)
def test_bits_equal_the_scorers(models, smoothing, name):
    """-log2 p of every drawn token and of the end; p with the share of <unk> redistributed."""
    model = models[name]
    own = model.distribution(smoothing)
    known = model.known("", at_start=True)
    drawn = Sampler(model.table, None, True, own).texts(3, 0, 15, (known.level, known.row), 1, 20)
    assert_bits(drawn, Scorer(own))


@pytest.mark.parametrize("name", ["story", "small", "pruned"])
def test_bits_of_an_imported_model_equal_the_scorers(imported, name):
    own = imported[name].distribution()
    known = imported[name].known("", at_start=True)
    assert_bits(Sampler(own.table, None, True, own).texts(3, 0, 15, (known.level, known.row), 1, 20), Scorer(own))


def assert_bits(drawn, scorer):
    ends = np.cumsum(drawn.length).tolist()
    for end, n, complete, bits in zip(ends, drawn.length.tolist(), drawn.complete, drawn.bits, strict=True):
        ids = [BOS, *drawn.ids[end - n : end].tolist(), *[EOS] * bool(complete)]
        assert UNK not in ids
        n = len(ids) - 1
        instead = [[*ids[:i], UNK] for i in range(1, n + 1)]  # <unk> at each place
        p, _ = scorer.score(np.array([i for s in [*instead, ids] for i in s], np.uint32))
        unknown = p[np.cumsum([len(s) for s in instead]) - 1]
        assert bits == pytest.approx(-np.log2(p[-n:] / (1 - unknown)).sum(), abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
@pytest.mark.parametrize("smoothing", ["kn", "wb", "abs", "abs:1", "lidstone:0.05"])
def test_bits_follow_from_the_shaped_distribution(models, smoothing, shape):
    """Every drawn id has the probability that the whole vocabulary gives it."""
    for name in ("order 1", "order 4", "rare and pruned"):
        for history in histories_of(models[name])[:6:2]:
            assert_shaped(models[name], smoothing, history, shape)


@pytest.mark.parametrize("shape", [*SHAPES[1:], {"temperature": 0.01}, {"temperature": 1e300}], ids=str)
def test_bits_follow_from_the_shaped_imported_distribution(imported, shape):
    for model in imported.values():
        for history in histories_of(model):
            assert_shaped(model, None, history, shape)


@pytest.mark.parametrize("shape", [*SHAPES[1:], {"temperature": 0.0}], ids=str)
def test_followers_without_their_ends_are_drawn(imported, shape):
    """Pruning may leave `a b c d` in the table and drop `b c d` and `c d`."""
    model, k = imported["pruned"], 4
    table, rows = model.table, np.arange(len(model.table.orders[k - 1]))
    history = table.history_of(k, rows)
    token = table.tokens(k, rows)
    ends = table.child(1, table.ngrams(k, rows)[:, k - 2], token)
    without = np.unique(history[ends < 0]).tolist()
    assert len(without) > 3
    for row in without[:4]:
        assert_shaped(model, None, (k - 1, row), shape)


def assert_shaped(model, smoothing, history, shape):
    p = expected(model, smoothing, history, shape)
    ids, bits = first_ids(model, smoothing, history, shape, n=100)
    wrong = [i for i in ids.tolist() if i not in p]
    if wrong:  # top_p may keep other types of equal probability
        assert shape.get("top_p")
        least = min(p.values())
        assert len(wrong) < 20 and bits[~np.isin(ids, list(p))] == pytest.approx(-math.log2(least), abs=1e-4)
    assert bits == pytest.approx([-math.log2(p.get(i, min(p.values()))) for i in ids.tolist()], abs=1e-4)


def test_many_histories_are_drawn_as_each_alone(models):
    """In one call, in groups of any size, and with the sorted lists dropped in between."""
    model = models["order 4"]
    found = histories_of(model)
    level, row = (np.array(x).repeat(30) for x in zip(*found, strict=True))
    raw = RandomStream(5).raw(0, 0, len(level))
    for shape in SHAPES[1:]:
        own = model.distribution("kn")
        ids, bits, *_ = SmoothedStep(own, Shape(**shape), True)(level, row, raw)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(backoff_top_p, "_UPPER", 10)
            patched.setattr(sorted_followers, "_KEPT", 3)
            other, same, *_ = SmoothedStep(own, Shape(**shape), True)(level, row, raw)
        assert (ids == other).all() and bits == pytest.approx(same)


# ------------------------------------------------------------------ one seed, one text


@pytest.mark.parametrize("shape", [SHAPES[0], SHAPES[2], SHAPES[5], SHAPES[7]], ids=str)
@pytest.mark.parametrize("smoothing", ["kn", "laplace", None])
def test_text_i_does_not_depend_on_count_or_batch_size(models, imported, monkeypatch, smoothing, shape):
    model = models["rare types"] if smoothing else imported["story"]
    limits = {"min_tokens": 3, "max_tokens": 12, "smoothing": smoothing}  # some texts are redrawn, some are cut
    long = [*model.generate(20, 9, **limits, **shape)]
    assert [t.index for t in long] == [*range(20)]
    for batch, many, count in ((1 << 16, 10**6, 1), (3, 10**6, 20), (7, 1, 13)):
        monkeypatch.setattr(sampler, "BATCH", batch)
        monkeypatch.setattr("markov_cli.generation.run.MANY", many)
        for mine, other in zip(model.generate(count, 9, **limits, **shape), long, strict=False):
            assert mine.bits == pytest.approx(other.bits, abs=1e-9)
            assert replace(mine, bits=0) == replace(other, bits=0)


@pytest.mark.parametrize("shape", [{"top_p": 0.5}, {"top_p": 0.93, "temperature": 1.7}, {"top_p": 0.999}])
def test_top_p_cuts_many_histories_as_each_alone(models, imported, monkeypatch, shape):
    """Two ways to find the same cut: whole arrays for all histories, and Python's arithmetic for each."""
    for model, smoothing in ((models["order 1"], "kn"), (models["order 4"], "kn"), (imported["story"], None)):
        level, row = (np.array(x) for x in zip(*histories_of(model), strict=True))
        raw = RandomStream(3).raw(0, 0, len(row))
        drawn = []
        for together in (1, 10**9):
            monkeypatch.setattr(backoff_top_p, "_TOGETHER", together)
            shaped = backoff_top_p.ShapedBackoff(model.distribution(smoothing), Shape(**shape))
            token, bits = shaped.draw(level, row, raw)
            drawn.append((token.tolist(), bits.tolist()))
        assert drawn[0] == drawn[1]


def test_unk_is_never_written(models):
    """With so many rare types <unk> is often the likeliest follower."""
    model = models["rare and pruned"]
    assert model.table.orders[0].count.at(np.array([UNK]))[0] > 200
    for smoothing in ("kn", "wb", "lidstone:0.05"):
        for shape in ({}, {"temperature": 0.0}, {"top_p": 0.1}):
            step = Sampler(model.table, Shape(**shape), True, model.distribution(smoothing))
            drawn = step.texts(1, 0, 20, (1, BOS), 0, 4)
            assert len(drawn.ids) and drawn.ids.min() > EOS
            assert np.isfinite(drawn.bits).all() and (drawn.bits >= -1e-9).all()


def test_temperature_0_draws_the_likeliest_follower(models, imported):
    for model, smoothing in (
        (models["order 4"], "kn"),
        (models["pruned"], "wb"),
        (imported["story"], None),
        (imported["pruned"], None),
    ):
        for history in histories_of(model):
            p = expected(model, smoothing, history)
            best = min(p, key=lambda i: (-p[i], i))
            for shape in ({"temperature": 0.0}, {"top_k": 1}, {"temperature": 1e-4}):
                ids, _ = first_ids(model, smoothing, history, shape, n=20)
                assert set(ids.tolist()) == {best} or shape.get("temperature")
                if set(ids.tolist()) == {best}:
                    continue
                assert math.isclose(p[int(ids[0])], p[best], rel_tol=1e-3)  # nearly equal, so either may be drawn


def test_stupid_backoff_scores_cannot_be_drawn(models):
    with pytest.raises(OptionError, match="stupid"):
        [*models["order 2"].generate(1, 1, smoothing="stupid")]
