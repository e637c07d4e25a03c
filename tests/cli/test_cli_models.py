"""The commands merge, update, prune, export and import."""

import json

import pytest

from engine import model_of, rows_of, saved
from helpers import run_in_process, two_lines
from markov_cli.api.model import Model
from markov_cli.api.train import model_of as as_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory, corpora):
    here = tmp_path_factory.mktemp("exchange")
    lines = (corpora / "harbour.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    for name, text in (("a", lines[:300]), ("b", lines[300:])):
        (here / f"{name}.txt").write_text("".join(text), encoding="utf-8")
        model = as_model(model_of("".join(text), unit="line"))
        model.save(here / f"{name}.npz")
    (here / "whole.npz").write_bytes(saved(model_of("".join(lines), unit="line")))
    (here / "pruned.npz").write_bytes(saved(model_of("".join(lines), unit="line", prune=(0, 0, 1))))
    return here


@pytest.fixture
def run():
    return run_in_process


def test_merge_and_update_give_the_model_of_the_whole_text(run, folder):
    whole = (folder / "whole.npz").read_bytes()
    out = folder / "m.npz"
    ran = run("merge", folder / "a.npz", folder / "b.npz", "-o", out, "--json")
    assert ran.code == 0, ran.stderr
    assert out.read_bytes() == whole
    assert {k: json.loads(ran.stdout)[k] for k in ("tokens", "sequences", "model_bytes")} == {
        "tokens": 9119, "sequences": 610, "model_bytes": len(whole),
    }  # fmt: skip
    assert ran.stderr.startswith("holds    9,119 tokens of 1,405 types in 610 sequences (one a line)\n")
    piped = run("merge", folder / "a.npz", folder / "b.npz", "-o", "-", "-q")
    assert (piped.stdout_bytes, piped.stderr) == (whole, "")
    out.write_bytes((folder / "a.npz").read_bytes())
    ran = run("train", folder / "b.txt", "--update", out, "-o", out, "-q")  # over itself
    assert (ran.code, ran.stderr) == (0, "")
    assert out.read_bytes() == whole
    given = run("train", folder / "b.txt", "--update", folder / "a.npz", "--unit", "line", "-o", out, "--json")
    assert given.code == 0
    assert out.read_bytes() == whole
    assert json.loads(given.stdout)["repairs"]["empty_sequences"] == 113


def test_prune_gives_the_pruned_model(run, folder):
    out = folder / "p.npz"
    assert run("prune", folder / "whole.npz", "--prune", "0,0,1", "-o", out, "-q").code == 0
    assert out.read_bytes() == (folder / "pruned.npz").read_bytes()
    ran = run("prune", folder / "whole.npz", "--max-types", "100", "-o", out, "--json")
    assert (json.loads(ran.stdout)["types"], json.loads(ran.stdout)["tokens"]) == (100, 9119)
    assert json.loads(run("inspect", out, "--json").stdout)["max_types"] == 100
    assert "the 100 commonest types" in run("inspect", out).stdout
    assert run("inspect", out, "--verify").code == 0


def test_merge_weights_the_counts(run, folder):
    out = folder / "w.npz"
    ran = run("merge", folder / "a.npz", folder / "b.npz", "--weight", "0.5", "--weight", "2", "-o", out)
    assert ran.code == 0, ran.stderr
    assert json.loads(run("inspect", out, "--json").stdout)["holds"] == "weighted counts"
    found = json.loads(run("inspect", out, "the", "harbour", "--json").stdout)
    with Model.load(folder / "a.npz") as a, Model.load(folder / "b.npz") as b:
        totals = [m.followers("the harbour").total for m in (a, b)]
    assert found["total"] == 0.5 * totals[0] + 2 * totals[1]
    two_lines(run("generate", out, "--smoothing", "kn"), 1, "--smoothing kn needs whole counts")


def test_exported_models_are_imported_again(run, folder):
    tsv, back = folder / "w.tsv", folder / "back.npz"
    ran = run("export", folder / "whole.npz", "--format", "counts", "-o", tsv, "--json")
    assert (ran.code, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["bytes"] == tsv.stat().st_size
    assert run("export", folder / "whole.npz", "--format", "counts", "-o", "-").stdout_bytes == tsv.read_bytes()
    ran = run("import", tsv, "-o", back, "--tokenizer", "words")
    assert ran.stderr.splitlines()[0] == "markers of the file: <s>, </s>; in a text they are words, but with --markers"
    assert ran.stderr.splitlines()[1].startswith("holds    9,119 tokens of 1,405 types in 610 sequences (one a line)")
    with Model.load(back) as one, Model.load(folder / "whole.npz") as other:
        assert rows_of(one.table) == rows_of(other.table)
        assert [t.text for t in one.generate(5, 1)] == [t.text for t in other.generate(5, 1)]
    ran = run("export", folder / "whole.npz", "--format", "markovify", "-o", folder / "w.json")
    assert "markovify writes a space" in ran.stderr
    assert run("import", folder / "w.json", "-o", back, "-q").code == 0
    ran = run(
        "import", "-", "-o", back, "--format", "counts", "-q", stdin="<s>\t1\n</s>\t1\na\t1\n<s> a\t1\na </s>\t1\n"
    )
    assert (ran.code, ran.stderr) == (0, "")
    assert run("generate", back, "-s", 1).stdout == "a\n"


@pytest.mark.parametrize("data", [b"a\tx\n", b"{", b"\xff\xfe\x00", b"a\t1\n", b"PK\x03\x04\x00 \t 7"])
def test_a_failed_import_leaves_the_old_model(run, folder, data):
    (folder / "bad").write_bytes(data)
    before = (folder / "a.npz").read_bytes()
    two_lines(run("import", folder / "bad", "-o", folder / "a.npz"), 1, "bad")
    assert (folder / "a.npz").read_bytes() == before
    assert not [*folder.glob(".*")]


def test_wrong_calls_are_errors_of_two_lines(run, folder):
    a, out = folder / "a.npz", folder / "none.npz"
    assert run("merge").code == 2
    two_lines(run("merge", a), 2, "no output file")
    two_lines(run("merge", a, folder / "nope.npz", "-o", out), 1, "nope.npz: no such file")
    two_lines(run("merge", a, folder / "pruned.npz", "-o", out), 1, "pruned (0,0,1)")
    two_lines(run("merge", a, a, "--weight", "1", "--weight", "-1", "-o", out), 2, "--weight -1.0: no weight")
    two_lines(run("prune", a, "-o", out), 2, "no way to prune is named")
    two_lines(run("prune", folder / "pruned.npz", "--max-types", "5", "-o", out), 1, "pruned.npz: pruned (0,0,1)")
    two_lines(run("train", folder / "b.txt", "--update", a, "-n", "4", "-o", out), 2, "--order 4, but", "with 3")
    two_lines(run("train", folder / "b.txt", "--update", folder / "pruned.npz", "-o", out), 1, "pruned")
    two_lines(run("export", a), 2, "no output file")
    two_lines(run("export", a, "--format", "markovify", "--order", "2", "-o", out), 2, "--order is not for")
    two_lines(run("import", folder / "nope", "-o", out), 1, "no such file")
    two_lines(run("import", "-", "-o", out, stdin=b"a\t1"), 1, "no </s>")
    assert not out.exists()


def test_forget_gives_the_model_of_the_other_text_or_leaves_the_model_alone(run, folder):
    model = folder / "f.npz"
    model.write_bytes((folder / "whole.npz").read_bytes())
    refused = run("forget", model, folder / "a.txt", folder / "a.txt", "-o", model)
    two_lines(refused, 3, "the text was not in it: ", " in the model, ", " in the text")
    assert model.read_bytes() == (folder / "whole.npz").read_bytes()
    ran = run("forget", model, "-", "-o", model, stdin=(folder / "a.txt").read_bytes())  # over itself
    assert (ran.code, model.read_bytes()) == (0, (folder / "b.npz").read_bytes())
    assert ran.stderr.splitlines()[:3] == [
        "forgot   3,379 tokens in 230 sequences, with 307 types",
        "left     of its 3,075 3-grams 2,725 are gone; other texts have the 350 that stay",
        "holds    5,740 tokens of 1,098 types in 380 sequences (one a line)",
    ]
    assert run("forget", folder / "whole.npz", folder / "a.txt", "-o", "-", "-q").stdout_bytes == model.read_bytes()
    two_lines(run("forget", folder / "pruned.npz", folder / "a.txt", "-o", model), 1, "pruned (0,0,1)")
    two_lines(run("forget", model, folder / "b.txt", "-o", model), 1, "nothing is left")
    two_lines(run("forget", model, folder / "b.txt"), 2, "no output file")
    two_lines(run("forget", model, folder / "b.txt", "--by", "=x", "-o", model), 2, "write a field and its value")
    two_lines(run("forget", model, "-", "--vocab", "-", "-o", model), 2, "standard input can be read only once")
