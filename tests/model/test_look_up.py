"""Look-ups of n-grams: guide tables, binary search, and rows that are worked out before scoring."""

import numpy as np
import pytest

import markov_cli
from engine import model_of
from markov_cli.arrays.threads import ordered_map
from markov_cli.errors import ModelFileError
from markov_cli.model import guide, table
from markov_cli.model.guide import Guide, owners, search
from markov_cli.model.row_values import run_all
from markov_cli.model.smoothing import Smoothed, SmoothingMethod
from markov_cli.scoring import scorer
from markov_cli.scoring.scorer import Scorer


def followers(rng, n_histories, n_ids):
    """Followers of some histories, a few of them with most ids; first and token."""
    most = np.where(rng.random(n_histories) < 0.2, n_ids, 4)
    sets = [np.sort(rng.permutation(n_ids)[: rng.integers(0, m + 1)]) for m in most.tolist()]
    first = np.concatenate(([0], np.cumsum([len(s) for s in sets])))
    return first.astype(np.uint32), np.concatenate(sets).astype(np.uint16)


@pytest.mark.parametrize("rows", [1, 7, 1 << 16])
def test_a_guide_finds_every_follower_and_nothing_else(monkeypatch, rows):
    monkeypatch.setattr(guide, "_ROWS", rows)
    rng = np.random.default_rng(rows)
    n_ids = 60
    for n_histories in (1, 2, 40):
        first, token = followers(rng, n_histories, n_ids)
        made = Guide(first, token, n_ids)
        row, ids = (x.ravel() for x in np.meshgrid(np.arange(n_histories), np.arange(n_ids), indexing="ij"))
        low, high = made.range(row, ids)
        assert (first[row] <= low).all() and (low <= high).all() and (high <= first[row + 1]).all()
        found = search(made.token, low, high, ids)
        there = {(h, int(token[i])): i for h in range(n_histories) for i in range(first[h], first[h + 1])}
        assert found.tolist() == [there.get(pair, -1) for pair in zip(row.tolist(), ids.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("first", "token", "what"),
    [([0, 3, 2], [1, 2], "followers"), ([0, 1, 4], [1, 2], "followers"), ([1, 2, 2], [1, 2], "followers"),
     ([0, 1, 2], [1, 9], "an id")],
)  # fmt: skip
def test_a_damaged_table_has_no_guide(first, token, what):
    with pytest.raises(ValueError, match=what):
        Guide(np.array(first, np.uint32), np.array(token, np.uint16), 5)


def test_a_damaged_table_is_a_model_file_error(harbour, monkeypatch):
    damaged = model_of(harbour, 3).table
    first = damaged.orders[0].first.copy()
    first[5] = len(damaged.orders[1]) + 1
    damaged.orders[0].first = first
    monkeypatch.setattr(table, "pays", lambda first: True)
    with pytest.raises(ModelFileError, match="order 1: followers outside the table"):
        damaged.index(1)


def test_owners_are_those_of_repeat():
    size = np.array([0, 3, 0, 0, 1, 2, 0])
    edges = 5 + np.concatenate(([0], np.cumsum(size)))
    assert owners(edges).tolist() == np.repeat(np.arange(len(size)), size).tolist()


def test_child_with_a_guide_is_child_without(story, monkeypatch):
    plain, guided = (model_of(story, 4).table for _ in range(2))
    monkeypatch.setattr(table, "pays", lambda first: True)
    monkeypatch.setattr(table, "_PIECE", 100)
    rng = np.random.default_rng(1)
    for level in range(1, 4):
        guided.index(level)
        assert level in guided._guides
        row = rng.integers(0, len(plain.orders[level - 1]), 2000)
        ids = rng.integers(-2, plain.n_ids + 2, 2000)
        below = np.arange(len(plain.orders[level]))
        history = plain.history_of(level + 1, below)
        assert guided.child(level, history, plain.tokens(level + 1, below)).tolist() == below.tolist()
        inside = (ids >= 0) & (ids < plain.n_ids)
        found = guided.child(level, row, ids)
        assert found[inside].tolist() == plain.child(level, row[inside], ids[inside]).tolist()
        assert (found[~inside] < 0).all()


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("name", ["kn", "wb", "abs"])
def test_scores_by_prepared_rows_are_the_same_to_the_bit(story, harbour, monkeypatch, name, jobs):
    model = model_of(story, 4, prune=(0, 0, 1) if name == "wb" else (0,))
    plain, ready = (Scorer(Smoothed(model.table, SmoothingMethod.parse(name))) for _ in range(2))
    ready.prepare(jobs)
    rng = np.random.default_rng(2)
    known = np.concatenate([[1, *line, 2] for line in rng.integers(3, model.table.n_ids, (50, 9)).tolist()])
    walk = [1]  # a path in the table, so that the longest n-grams occur
    for _ in range(400):
        level, row = model.table.find(walk)
        low, high = (int(x[0]) for x in model.table.followers(level, np.array([row])))
        token = int(model.table.tokens(level + 1, np.array([rng.integers(low, high)]))[0])
        walk += [2, 1] if token == 2 else [token]
    stream = np.concatenate((known, walk))
    expected, longest = plain.score(stream)
    for piece in (1, 5, 1 << 16):
        monkeypatch.setattr(scorer, "_PIECE", piece)
        p, length = ready.score(stream)
        assert p.tolist() == expected.tolist()
        assert length.tolist() == longest.tolist()
    assert longest.max() == 4


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_overflow_in_another_thread_is_an_error_too(jobs):
    def add(*values):
        np.add(*np.array(values))

    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        run_all(add, [(1.0, 2.0), (1e308, 1e308)], jobs)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        list(ordered_map(lambda x: np.float64(x) * 10, [1e307, 1e308], jobs))


def test_probabilities_that_are_all_zero_are_damage(tmp_path):
    text = "\\data\\\nngram 1=3\n\n\\1-grams:\n-99 <s>\n-99 </s>\n-99 a\n\n\\end\\\n"
    (tmp_path / "m.arpa").write_text(text)
    markov_cli.import_model(tmp_path / "m.arpa").save(tmp_path / "m.npz")
    assert markov_cli.verify(tmp_path / "m.npz").damage == ("log10_1: no type has a probability",)


def test_backoff_weights_that_no_text_has_are_damage(tmp_path):
    """An ARPA file with one is refused; a model file with one is damaged."""
    text = (
        "\\data\\\nngram 1=3\nngram 2=1\n\n\\1-grams:\n-1 <s> 3\n-1 </s>\n-1 a 0\n\n\\2-grams:\n-1 <s> a\n\n\\end\\\n"
    )
    (tmp_path / "m.arpa").write_text(text)
    markov_cli.import_model(tmp_path / "m.arpa").save(tmp_path / "m.npz")
    assert not markov_cli.verify(tmp_path / "m.npz").damage
    members = dict(np.load(tmp_path / "m.npz"))
    members["backoff_1"] = np.where(members["backoff_1"] == 3, np.float32(300), members["backoff_1"])
    np.savez(tmp_path / "m.npz", **members)
    assert markov_cli.verify(tmp_path / "m.npz").damage == ("backoff_1: a backoff weight above 1e99",)
