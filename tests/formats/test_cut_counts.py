"""Import of counts whose rare n-grams are missing, as the Web 1T set has them: one file, several, a folder."""

import gzip
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import markov_cli
from conftest import examples
from helpers import loaded, two_lines
from markov_cli.errors import MarkovError, NeedsCounts
from markov_cli.inspecting.verify import damage

METHODS = ("none", "stupid", "wb", "abs", "abs:0.3", "lidstone:0.5")
TEXT = "the cat sat on the mat\nthe cat sat on the log\nthe dog sat on the mat\nthe dog ran\nthe dog ran\n"


def counts_of(model):
    out = io.BytesIO()
    markov_cli.export_counts(model, out)
    return out.getvalue().decode().splitlines()


def whole(model):
    """The model, read back from its file, which must be whole."""
    out = io.BytesIO()
    model.save(out)
    again = loaded(out.getvalue())
    assert damage(again.file) == []
    return again


def imported(tmp_path, lines):
    path = tmp_path / "counts"
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return markov_cli.import_model(path)


@examples(25)
@given(st.text("ab c\n", min_size=30, max_size=300), st.integers(2, 4), st.integers(1, 3))
def test_cut_counts_are_the_pruned_model_of_the_text(tmp_path_factory, text, order, most):
    """`train --prune 0,K-1` keeps the n-grams that were seen K times and the totals: the same probabilities."""
    text = "a b a b\na b a b\na b\nb a b\n" + text
    model = markov_cli.train(texts=[text], tokenizer="spaces", unit="line", order=order)
    pruned = markov_cli.prune(model, (0, most))
    cut = whole(imported(tmp_path_factory.mktemp("cut"), counts_of(pruned)))
    assert min(cut.header.cut_below[1:]) > 1 and cut.notes is None
    assert [len(o) for o in cut.table.orders] == [len(o) for o in pruned.table.orders]
    for method in METHODS:
        ours, theirs = (markov_cli.score(m, texts=[text], smoothing=method) for m in (cut, pruned))
        assert ours.to_dict() == theirs.to_dict()
        one = next(cut.generate(1, 5, smoothing=method, max_tokens=20)) if method != "stupid" else None
        assert one is None or one == next(pruned.generate(1, 5, smoothing=method, max_tokens=20))


def web_1t(folder, compress=True):
    """A folder of the form of the Web 1T set: words seen fewer than 2 times are <UNK>, n-grams below 2 are gone."""
    model = markov_cli.train(texts=[TEXT], tokenizer="spaces", unit="line", order=3, min_type_count=2)
    lines = [line.replace("<s>", "<S>").replace("</s>", "</S>").replace("<unk>", "<UNK>") for line in counts_of(model)]
    kept = [line for line in lines if int(line.split("\t")[1]) > 1]
    for k in (1, 2, 3):
        here = [line + "\n" for line in kept if len(line.split()) == k + 1]
        inside = folder / f"{k}gms"
        inside.mkdir(parents=True)
        half = len(here) // 2
        parts = {f"{k}gm-0000": here[:half], f"{k}gm-0001": here[half:]}
        if k == 1:
            parts = {"vocab": here, "vocab_cs": here[::-1]}
        for name, some in parts.items():
            data = "".join(some).encode()
            (inside / (f"{name}.gz" if compress else name)).write_bytes(gzip.compress(data) if compress else data)
    (folder / "1gms" / "total").write_text("29\n")
    (folder / "2gms" / "2gm.idx").write_text("2gm-0000.gz\t<S> the\n")
    (folder / "readme.txt").write_text("A set of n-grams.\n")
    return model, kept


def test_a_folder_of_the_web_1t_set(run, tmp_path):
    model, _ = web_1t(tmp_path / "set")
    ran = run("import", "set", "-o", "m.npz", cwd=tmp_path)
    assert ran.code == 0, ran.stderr
    lines = ran.stderr.splitlines()
    assert lines[0] == "2 markers in capitals read as <s> and </s>"
    assert lines[1].startswith("4 files left out, of another kind: ") and "total" in lines[1] and "vocab_cs" in lines[1]
    assert lines[2].startswith("markers of the file: <S>, </S>; ")
    assert lines[3].startswith("holds    counts, cut below 2: 23 tokens of 7 types in 5 sequences")
    cut = markov_cli.Model.load(tmp_path / "m.npz")
    assert damage(cut.file) == []
    assert cut.header.cut_below == (2, 2, 2)
    # the story's own counts, from its whole model
    for history in ("the", "sat on", "the dog"):
        theirs = {f.token: f.count for f in model.followers(history).followers if f.count > 1}
        assert theirs and {f.token: f.count for f in cut.followers(history).followers} == theirs
    # stupid backoff is the share of the whole count: 2 of 3 for `the dog` -> `ran`
    ran = run("inspect", "m.npz", "the", "dog", "--smoothing", "stupid", "--json", cwd=tmp_path)
    first = json.loads(ran.stdout)["followers"][0]
    assert (first["token"], first["count"], round(first["probability"], 6)) == ("ran", 2, 0.666667)
    assert "counts, cut below 2" in run("inspect", "m.npz", cwd=tmp_path).stdout.splitlines()[1]
    assert json.loads(run("inspect", "m.npz", "--json", cwd=tmp_path).stdout)["cut_below"] == [2, 2, 2]


def test_files_in_any_order_compressed_or_not_give_the_same_model(run, tmp_path):
    _, kept = web_1t(tmp_path / "packed")
    web_1t(tmp_path / "plain", compress=False)
    (tmp_path / "one").write_text("".join(line + "\n" for line in kept))
    (tmp_path / "turned").write_text("".join(line + "\n" for line in kept[::-1]))
    wanted = run("import", tmp_path / "packed", "-o", "-", "-q").stdout_bytes
    assert wanted
    parts = sorted(p for p in (tmp_path / "packed").rglob("*.gz") if "_cs" not in p.name)
    for paths in ([tmp_path / "plain"], [tmp_path / "one"], [tmp_path / "turned"], parts, parts[::-1]):
        assert run("import", *paths, "-o", "-", "-q").stdout_bytes == wanted
    assert run("import", "-", "-o", "-", "-q", stdin=(tmp_path / "one").read_bytes()).stdout_bytes == wanted


def test_what_needs_the_rare_ngrams_says_why_not(run, tmp_path):
    web_1t(tmp_path / "set")
    run("import", "set", "-o", "m.npz", cwd=tmp_path)
    (tmp_path / "t.txt").write_text(TEXT)
    for args, hint in (
        (("score", "m.npz", "t.txt"), "--smoothing wb, abs, stupid or none"),
        (("export", "m.npz", "-o", "x"), "--smoothing wb"),
        (("merge", "m.npz", "m.npz", "-o", "x.npz"), "before they are cut"),
        (("train", "t.txt", "--update", "m.npz", "-o", "x.npz"), "before they are cut"),
        (("audit", "m.npz"), "markov train TEXT"),
        (("prune", "m.npz", "--max-types", "3", "-o", "x.npz"), "--threshold"),
    ):
        two_lines(run(*args, cwd=tmp_path), 1, "holds counts, cut below 2", hint)
    assert run("score", "m.npz", "t.txt", "--smoothing", "stupid", cwd=tmp_path).code == 0
    assert run("prune", "m.npz", "--prune", "0,2", "-o", "p.npz", cwd=tmp_path).code == 0
    assert run("inspect", "p.npz", "--verify", cwd=tmp_path).code == 0
    assert run("prune", "m.npz", "--threshold", "1e-3", "--smoothing", "wb", "-o", "e.npz", cwd=tmp_path).code == 0
    assert run("inspect", "e.npz", "--verify", cwd=tmp_path).code == 0
    ran = run("export", "m.npz", "--smoothing", "wb", "-o", "m.arpa", cwd=tmp_path)
    assert ran.code == 0 and run("import", "m.arpa", "-o", "a.npz", cwd=tmp_path).code == 0
    assert run("export", "m.npz", "--format", "counts", "-o", "m.tsv", cwd=tmp_path).code == 0
    assert run("import", "m.tsv", "-o", "again.npz", cwd=tmp_path).code == 0
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()


def test_missing_shorter_ngrams_are_put_in_with_their_least_count(tmp_path):
    # only trigrams: `a b` begins 4 + 3 of them and ends none; `b c` ends 4
    model = imported(tmp_path, ["a b c\t4", "a b d\t3", "b c </s>\t5"])
    assert (model.notes.put_in, model.notes.raised) == (8, 0)  # a b, b c, b d, c </s>; a, b, c, d
    whole(model)
    found = model.followers("a b")
    assert [(f.token, f.count) for f in found.followers] == [("c", 4), ("d", 3)]
    row = model.table.row_of([model.vocabulary.find(word)[0] for word in (b"a", b"b")])
    assert model.table.total(2, np.array([row])).tolist() == [7]
    # `b c` is seen 5 times at least, and it is said that it is seen twice
    short = ["a\t9", "b\t9", "c\t9", "</s>\t9", "a b\t9", "b c\t2", "c </s>\t9"]
    model = imported(tmp_path, [*short, "a b c\t2", "b c </s>\t5"])
    assert (model.notes.put_in, model.notes.raised) == (0, 1)
    whole(model)
    assert [(f.token, f.count) for f in model.followers("b").followers] == [("c", 5)]


def test_without_ends_of_sequences_texts_run_on(tmp_path):
    model = whole(imported(tmp_path, ["a b\t4", "b a\t4", "b c\t3", "c a\t3"]))
    text = next(model.generate(1, 3, max_tokens=30))
    assert (text.tokens, text.complete) == (30, False)
    assert next(model.generate(1, 3, smoothing="wb", max_tokens=30)).tokens <= 30


def test_counts_that_no_cut_explains_are_refused(tmp_path):
    lines = counts_of(markov_cli.train(texts=[TEXT], tokenizer="spaces", unit="line"))
    with pytest.raises(MarkovError) as caught:
        imported(tmp_path, lines[:-1])  # some n-grams were seen once
    assert caught.value.hint.endswith("or without any n-gram that was seen once")
    with pytest.raises(MarkovError, match="a marker inside"):
        imported(tmp_path, ["a <s> b\t4", "a b\t9"])
    with pytest.raises(MarkovError, match="line 3: 'a b' is repeated"):
        imported(tmp_path, ["a b\t4", "b a\t9", "a b\t5"])
    with pytest.raises(NeedsCounts):
        imported(tmp_path, ["a b\t4", "b a\t9"]).distribution("kn")


def test_a_folder_without_counts_is_an_error(run, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.txt").write_text("Some text.\n")
    two_lines(run("import", tmp_path / "set", "-o", tmp_path / "m.npz"), 1, "neither ARPA nor counts", "markov train")
    (tmp_path / "set" / "b.arpa").write_text("\\data\\\nngram 1=1\n")
    (tmp_path / "set" / "c.arpa").write_text("\\data\\\nngram 1=1\n")
    two_lines(run("import", tmp_path / "set", "-o", tmp_path / "m.npz"), 2, "a model of format arpa is one", "b.arpa")
