"""`markov page` without a browser: what it holds, its sizes, its errors, and pages of hostile texts."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

import markov_cli
from pages import HOSTILE, assert_harmless

SMALL = "the cat sat on the mat. the dog sat on the log. the cat saw the dog. a dog saw a cat.\n"


@pytest.fixture
def model(tmp_path):
    (tmp_path / "small.txt").write_text(SMALL)
    markov_cli.train(texts=[SMALL]).save(tmp_path / "small.npz")
    return tmp_path / "small.npz"


def header_of(data):
    """The header of the data in a page, after its length."""
    plain = zlib.decompress(data)
    return json.loads(plain[4 : 4 + int.from_bytes(plain[:4], "little")])


def data_in(page):
    """The model's data in a page."""
    (said,) = re.findall('<script type="application/json" id="model-data">"([^"]*)"', page)
    return base64.b64decode(said)


def test_the_page_holds_the_model_and_nothing_that_could_run(run, model, tmp_path):
    ran = run("page", model, "-o", tmp_path / "p.html", "--json")
    assert ran.code == 0 and ran.stderr == f"wrote    {tmp_path / 'p.html'}: 0.1 MB\n"
    page = (tmp_path / "p.html").read_bytes().decode()
    told = json.loads(ran.stdout)
    assert told["page_bytes"] == len(page.encode()) and told["threshold"] is None
    found = assert_harmless(page)
    assert [a["id"] for _, a, _ in found.all("section")] == ["write", "look", "steps", "argument", "about"]
    assert data_in(page) == markov_cli.page(model).data
    assert str(tmp_path) not in page  # the name of the file, and not of its folder
    assert "markov generate small.npz" in page


def test_pages_of_hostile_texts_are_harmless(run, tmp_path):
    words = [word for word in HOSTILE if "\ud800" not in word]
    (tmp_path / "t.txt").write_text("\n".join(f"x {word} y" for word in words), encoding="utf-8")
    name = '"><img src=x onerror=alert(1)>.npz'
    assert run("train", tmp_path / "t.txt", "--tokenizer", "spaces", "--unit", "line", "-o", tmp_path / name).code == 0
    ran = run("page", tmp_path / name, "--corpus", tmp_path / "t.txt", "-o", tmp_path / "p.html")
    assert ran.code == 0, ran.stderr
    assert_harmless((tmp_path / "p.html").read_bytes().decode())


def test_the_largest_size_holds_and_more_room_means_more_ngrams(run, harbour, tmp_path):
    markov_cli.train(texts=[harbour]).save(tmp_path / "story.npz")
    assert run("page", tmp_path / "story.npz", "-o", tmp_path / "p.html").code == 0
    whole = (tmp_path / "p.html").read_bytes().decode()
    around = len(whole.encode()) - len(data_in(whole)) * 4 // 3
    kept = []
    for size in (around + 15_000, around + 20_000, 10**6):
        ran = run("page", tmp_path / "story.npz", "--max-size", size, "-o", tmp_path / "p.html", "--json")
        told = json.loads(ran.stdout)
        assert told["page_bytes"] == (tmp_path / "p.html").stat().st_size <= size
        kept.append(sum(told["ngrams_after"]))
        page = (tmp_path / "p.html").read_text(encoding="utf-8")
        if told["threshold"] is not None:
            left = sum(told["ngrams_before"]) - kept[-1]
            assert f"{left:,} are left out" in page and "holds    " in ran.stderr
            small = markov_cli.prune_by_entropy(tmp_path / "story.npz", threshold=told["threshold"]).model
            assert [len(o) for o in small.table.orders] == told["ngrams_after"]
            assert f"--threshold {told['threshold']!r} -o story-page.npz" in page
    assert kept == sorted(set(kept)) and kept[-1] == sum(told["ngrams_before"])


def test_counts_of_a_pruned_page_are_the_whole_models(harbour):
    """Only counts of the text, where a model of probabilities has none; how often something follows is such a count."""
    model = markov_cli.train(texts=[harbour[:6000]])
    head = header_of(markov_cli.page(model, max_bytes=6_000).data)
    assert head["holds"] == "probabilities" and head["counted"]
    assert head["total"] == model.table.total(0, np.zeros(1, int))[0]
    assert {"count1", "log10_1", "backoff1", "count3"} <= {one["name"] for one in head["columns"]}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "no output file: add -o PAGE.html"),
        (["-o", "{}/p.html", "--max-size", "50k"], 2, "--max-size 50,000: the page takes"),
        (["-o", "{}/small.npz"], 2, "read and written"),
        (["-o", "{}/p.html", "--corpus", "{}/missing.txt"], 1, "no such file"),
        (["-o", "{}/p.html", "--no-audit", "--corpus", "{}/small.txt"], 2, "exclude each other"),
        (["-o", "-", "--json"], 2, "only one result can go to stdout"),
    ],
)
def test_errors_have_two_lines_and_leave_no_page(run, model, tmp_path, options, code, words):
    ran = run("page", model, *(one.format(tmp_path) for one in options))
    assert ran.code == code and words in ran.stderr and len(ran.stderr.splitlines()) == 2
    assert not (tmp_path / "p.html").exists() and markov_cli.verify(model).whole


def test_types_that_do_not_fit_are_an_error():
    model = markov_cli.train(texts=[" ".join(f"w{i * i}" for i in range(3000))])
    with pytest.raises(markov_cli.OptionError, match="--max-size: the 3,000 types alone take"):
        markov_cli.page(model, max_bytes=4000)


def test_another_text_is_proven_and_the_page_is_written(run, model, tmp_path):
    (tmp_path / "other.txt").write_text("the cat sat.\n")
    ran = run("page", model, "--corpus", tmp_path / "other.txt", "-o", tmp_path / "p.html", "-q")
    assert ran.code == 3 and "not the training text" in ran.stderr
    assert "The corpus is not the training text" in (tmp_path / "p.html").read_text(encoding="utf-8")
    ran = run("page", model, "--corpus", tmp_path / "small.txt", "-o", tmp_path / "p.html", "-q")
    assert ran.code == 0 and ran.stderr == ""
    assert "What both can sign, at order 3: " in (tmp_path / "p.html").read_text(encoding="utf-8")


def test_models_without_counts_or_borders_have_a_page(run, model, tmp_path):
    """It says why the last question has no answer; weighted counts become probabilities."""
    one = markov_cli.Model.load(model)
    markov_cli.export_arpa(one, tmp_path / "m.arpa")
    markov_cli.import_arpa(tmp_path / "m.arpa", tokenizer="words").save(tmp_path / "arpa.npz")
    markov_cli.train(texts=[SMALL], borders=False).save(tmp_path / "endless.npz")
    markov_cli.merge([one, one], [0.5, 0.7]).save(tmp_path / "weighted.npz")
    for name, words in (
        ("arpa", "the likeliest"),
        ("endless", "the model was trained with --no-borders"),
        ("weighted", "--smoothing wb"),
        ("small", "its audit was left out (--no-audit)"),
    ):
        more = ["--no-audit"] if name == "small" else []
        ran = run("page", tmp_path / f"{name}.npz", "-o", tmp_path / "p.html", "-q", *more)
        assert (ran.code, ran.stderr) == (0, ""), ran.stderr
        page = (tmp_path / "p.html").read_text(encoding="utf-8")
        assert_harmless(page)
        assert words in page
        holds = header_of(data_in(page))["holds"]
        assert holds == ("counts" if name in ("endless", "small") else "probabilities")


def test_a_damaged_model_has_no_page(run, model, tmp_path):
    data = bytearray(model.read_bytes())
    for at in range(len(data) // 3, len(data) // 2):
        data[at] ^= 0x55
    model.write_bytes(bytes(data))
    ran = run("page", model, "-o", tmp_path / "p.html")
    assert ran.code == 1 and len(ran.stderr.splitlines()) == 2 and "Traceback" not in ran.stderr
    assert not (tmp_path / "p.html").exists()
