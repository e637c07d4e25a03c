"""The reader that reference/model-format.md prints reads every model."""

import json

import numpy as np
import pytest
from documents import FENCE, ROOT, page_text
from shell import Shell

import markov_cli
from markov_cli.model.distribution import full_distribution


def _reader():
    text = page_text(ROOT / "docs/reference/model-format.md")
    (code,) = (b[2] for b in FENCE.finditer(text) if b[1] == "python" and "def followers(" in b[2])
    (more,) = (b[2] for b in FENCE.finditer(text) if b[1] == "python" and "def log10_p(" in b[2])
    names = {}
    exec(compile(code + more, "the reader of model-format.md", "exec"), names)
    return names


_MODELS = {
    "default": {},
    "order 1": {"order": 1},
    "order 5": {"order": 5},
    "chars": {"tokenizer": "chars", "unit": "line", "order": 4},
    "rare types": {"min_type_count": 3, "lowercase": True},
    "order above every sequence": {"order": 300},
    "pruned": {"order": 4, "prune": (0, 0, 1)},
}


@pytest.mark.parametrize("options", _MODELS.values(), ids=_MODELS)
def test_the_documented_reader_reads_every_model(options, tmp_path):
    path = tmp_path / "model.npz"
    model = markov_cli.train([ROOT / "corpora/harbour.txt"], **options)
    model.save(path)
    reader = _reader()
    header, types, a = reader["read"](path)
    assert len(types) == header["types"] + 3 == model.table.n_ids
    for k, order in enumerate(model.table.orders, 1):
        assert not len(order) or len(reader["counts"](a, f"count_{k}")) == len(order)
    rng = np.random.default_rng(1)
    for level in range(min(model.order, 100)):
        rows = len(model.table.orders[level - 1]) if level else 1
        for row in rng.integers(0, rows, 20 if level else 1) if rows else np.empty(0, int).tolist():
            theirs = reader["followers"](a, model.table.ngram(level, row))
            ours = model.follow(level, row) if level else model.followers()
            assert sorted(c for _, c in theirs) == sorted(f.count for f in ours.followers)
            shown = {(f.token or "", f.count) for f in ours.followers}
            assert {(types[i].decode("utf-8", "replace"), c) for i, c in theirs} == shown


def test_the_documented_reader_agrees_with_inspect(tmp_path):
    markov_cli.train([ROOT / "corpora/harbour.txt"]).save(tmp_path / "m.npz")
    reader = _reader()
    _, types, a = reader["read"](tmp_path / "m.npz")
    told = json.loads(Shell(tmp_path).run("markov inspect m.npz the clock --json --top 1000"))
    theirs = reader["followers"](a, [types.index(b"the"), types.index(b"clock")])
    assert {(types[i].decode(), c) for i, c in theirs} == {(f["token"], f["count"]) for f in told["followers"]}
    assert sum(c for _, c in theirs) == told["total"]


def test_the_documented_reader_reads_probabilities(tmp_path):
    """Every id after histories of every length, seen or not."""
    made = markov_cli.train([ROOT / "corpora/harbour.txt"], order=4, prune=(0, 0, 1))
    with open(tmp_path / "x.arpa", "wb") as out:
        markov_cli.export_arpa(made, out, "kn")
    model = markov_cli.import_arpa(tmp_path / "x.arpa")
    model.save(tmp_path / "m.npz")
    reader = _reader()
    header, types, a = reader["read"](tmp_path / "m.npz")
    assert header["holds"] == "probabilities" and len(types) == model.table.n_ids
    rng = np.random.default_rng(1)
    for history in [[], [1], [5], [1, 6], *rng.integers(3, 30, (20, 3)).tolist()]:
        ours = full_distribution(model.distribution(), *model.table.find(history))
        for i in [0, 2, *rng.integers(3, len(types), 20).tolist()]:
            assert 10 ** reader["log10_p"](a, history, i) == pytest.approx(ours[i], rel=1e-6)
