"""Protected models: their files, and the commands that make and show them."""

import json
import random

import numpy as np
import pytest

import markov_cli
from engine import model_of
from helpers import bytes_of, run_in_process
from markov_cli.api.train import model_of as as_model
from markov_cli.errors import NeedsCounts
from markov_cli.inspecting.verify import damage
from markov_cli.model import model_file
from markov_cli.model.count_column import SPAN
from markov_cli.model.model_file import Header
from markov_cli.model.thresholds import Protection
from markov_cli.text.encoder import TextOptions


@pytest.fixture
def run():
    return run_in_process


def texts_of(files):
    return ["\n".join(map(" ".join, file)) for file in files]


def trained(files, order, protection=None, **more):
    return model_of(texts_of(files), order, "spaces", "line", protection=protection or Protection(), **more)


@pytest.mark.parametrize("p", [Protection(2), Protection(1, 2), Protection(2, 2, 1), Protection(1, 1, 1)])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_a_saved_protected_model_is_unchanged(p, order, tmp_path, story, messages):
    made = as_model(model_of([story, messages[:2000], story[1000:]], order, protection=p, prune=(0, 0, 1)))
    path = tmp_path / "m.npz"
    made.save(path)
    again = markov_cli.Model.load(path)
    assert again.header == made.header
    assert again.header.protection() == p.fields()
    assert bytes_of(again) == path.read_bytes()
    for name in ("none", "kn", "wb"):
        texts = [[t.text for t in m.generate(5, 3, smoothing=name)] for m in (made, again)]
        assert texts[0] == texts[1]
    assert damage(model_file.load(path)) == []
    shown = markov_cli.inspect(again, top=3).to_dict()
    assert {name: shown.get(name) for name in p.fields()} == p.fields()
    assert ("min_files" in shown) == (p.min_files > 1)


def test_unset_options_are_not_in_the_header():
    options = TextOptions()
    assert not {"min_sequences", "min_files", "cap_per_sequence"} & Header(3, options, 1, 1, 1, 1).as_dict().keys()
    assert Header(3, options, 1, 1, 1, 1, min_files=2).as_dict()["min_files"] == 2


def test_train_reports_what_it_kept(run, tmp_path, story):
    (tmp_path / "a.txt").write_text(story, encoding="utf-8")
    done = run(
        "train", "a.txt", "--min-sequences", "2", "--cap-per-sequence", "1", "-o", "m.npz", "--json", cwd=tmp_path
    )
    assert "kept     n-grams of 2 sequences or more, counts of sequences" in done.stderr
    assert "note     types of one sequence are kept" in done.stderr
    out = json.loads(done.stdout)
    assert (out["min_sequences"], out["cap_per_sequence"], "min_files" in out) == (2, 1, False)
    done = run("train", "a.txt", "--update", "m.npz", "-o", "m.npz", cwd=tmp_path)
    assert done.code == 1 and "n-grams that too few had, which it lacks, cannot be added to" in done.stderr
    done = run("train", "a.txt", "--min-files", "2", "-o", "x.npz", cwd=tmp_path)
    assert done.code == 2 and not (tmp_path / "x.npz").exists()
    run("train", "a.txt", "-o", "plain.npz", "-q", cwd=tmp_path)
    done = run("train", "a.txt", "--update", "plain.npz", "--min-sequences", "2", "-o", "x.npz", cwd=tmp_path)
    assert done.code == 2 and "--min-sequences 2, but plain.npz was trained with 1" in done.stderr


def test_audit_reports_protection_and_leaves_figures_empty(run, tmp_path, story):
    (tmp_path / "a.txt").write_text(story, encoding="utf-8")
    for name, *options in (("k", "--min-sequences", "2"), ("c", "--cap-per-sequence", "1")):
        assert run("train", "a.txt", *options, "-o", f"{name}.npz", "-q", cwd=tmp_path).code == 0
    kept = json.loads(run("audit", "k.npz", "--json", cwd=tmp_path).stdout)
    assert [o["complete"] for o in kept["orders"]] == [True, False, False]
    assert kept["orders"][2]["forgotten_bits"] is None and kept["orders"][2]["certain"] is not None
    assert kept["min_sequences"] == 2 and "min_files" not in kept
    assert any("--min-sequences 2: n-grams of fewer sequences are left out" in n for n in kept["notes"])
    capped = json.loads(run("audit", "c.npz", "--json", cwd=tmp_path).stdout)
    assert all(o["forgotten_bits"] is None and o["certain"] is None for o in capped["orders"])
    assert any(n.startswith("--cap-per-sequence 1: a count is a number of sequences") for n in capped["notes"])
    for option in ("--rebuild", "--member"):
        done = run("audit", "c.npz", option, "a.txt" if option == "--member" else "out", cwd=tmp_path)
        assert done.code == 1 and "counts an n-gram once a sequence" in done.stderr
    text = " ".join(story.split())
    for s in capped["strings"]:  # certain strings are in the text
        assert " ".join(s["text"].split()) in text


def test_certain_strings_of_capped_tables_are_in_the_text():
    """Random texts, also with rows left out."""
    from markov_cli.evidence.model_evidence import audit

    listed = 0
    for seed in range(60):
        r = random.Random(seed)
        lines = [" ".join(r.choices("abcdefg", k=r.randint(1, 12))) for _ in range(r.randint(1, 6))]
        for least in (1, 2):
            if least > len(lines):
                continue
            model = markov_cli.train(
                texts=["\n".join(lines)], unit="line", order=r.randint(2, 4), cap_per_sequence=1, min_sequences=least
            )
            found = audit(model, least=2)
            text = "\n".join(f" {line} " for line in lines)
            if found.strings is None:
                continue
            at = np.cumsum(found.strings.size) - found.strings.size
            for i, n in zip(at.tolist(), found.strings.size.tolist(), strict=True):
                listed += 1
                assert f" {model.vocabulary.join_one(found.strings.ids[i : i + n].tolist())} " in text
    assert listed > 200


def test_a_capped_model_has_no_counts_of_occurrences(story):
    from markov_cli.evidence.model_evidence import rebuild

    with pytest.raises(NeedsCounts, match="once a sequence"):
        rebuild(markov_cli.train(texts=[story], cap_per_sequence=1), 1)


@pytest.mark.parametrize(
    "name, says",
    [("total_1", "total_1|count_2: followers do not sum"), ("count_3", "sum"), ("count_1", "count_1")],
)
def test_verify_finds_damage_in_a_capped_model(name, says, story, tmp_path):
    """One number of a column is raised, with a right checksum."""
    import io

    model = as_model(model_of(story, 3, protection=Protection(1, 1, 1)))
    path = tmp_path / "m.npz"
    model.save(path)
    file = model_file.load(path)
    arrays = {k: a.copy() for k, a in file.arrays.items()}
    column = arrays[name]
    column[int(np.flatnonzero((column > 0) & (column < 200))[5])] += 1
    out = io.BytesIO()
    model_file._write_arrays(out, file.header.as_dict(), arrays)
    path.write_bytes(out.getvalue())
    found = damage(model_file.load(path))
    assert found and any(word in line for line in found for word in says.split("|"))


def test_verify_finds_followers_above_their_history(story, tmp_path):
    import io

    model = as_model(model_of(story, 3, protection=Protection(2)))
    path = tmp_path / "m.npz"
    model.save(path)
    file = model_file.load(path)
    arrays = {k: a.copy() for k, a in file.arrays.items()}
    arrays["count_2"][:] = 200
    arrays["count_2_sums"] = np.cumsum([0, *(200 * np.bincount(np.arange(len(arrays["count_2"])) // SPAN))]).astype(
        "<u4"
    )
    arrays["count_2_big"], arrays["count_2_big_row"] = (arrays[f"count_2_{x}"][:0] for x in ("big", "big_row"))
    out = io.BytesIO()
    model_file._write_arrays(out, file.header.as_dict(), arrays)
    path.write_bytes(out.getvalue())
    assert "count_2: followers do not sum to their history's count" in damage(model_file.load(path))


def test_counts_of_sequences_can_be_exported_but_not_imported(run, tmp_path, story):
    (tmp_path / "a.txt").write_text(story, encoding="utf-8")
    run("train", "a.txt", "--cap-per-sequence", "1", "-o", "c.npz", "-q", cwd=tmp_path)
    done = run("export", "c.npz", "--format", "counts", "-o", "c.tsv", cwd=tmp_path)
    assert done.code == 0 and "counts are numbers of sequences, which do not add up" in done.stderr
    done = run("import", "c.tsv", "--format", "counts", "-o", "x.npz", cwd=tmp_path)
    assert done.code == 1 and "but n-grams of order 3 make it" in done.stderr


def test_a_capped_model_is_not_compared_with_a_text(run, tmp_path, corpora):
    """Its counts differ from the text's, so the audit would report another text."""
    text = corpora / "harbour.txt"
    assert run("train", text, "--cap-per-sequence", 1, "-q", "-o", tmp_path / "m.npz").code == 0
    done = run("audit", tmp_path / "m.npz", "--corpus", text)
    assert done.code == 1 and done.stdout == ""
    assert done.stderr.startswith("markov: --corpus needs counts of all occurrences, and the model counts")
