"""`score --html`: a text with each token shaded by its bits, and the data that its details are shown from."""

import json
import math
import re

import pytest

import markov_cli
from helpers import run_in_process, two_lines
from markov_cli.api.score_results import totals_of
from markov_cli.render.html.score import BITS, score_page
from markov_cli.scoring.explained import explained
from markov_cli.scoring.predictor import predictor_of
from markov_cli.text.sources import sources_of
from pages import HOSTILE, assert_harmless

OTHER = "The clock in the hall was silent.  He said nothing,\nand looked at the zebra. Zebra & clock!"


@pytest.fixture
def folder(tmp_path, story):
    markov_cli.train(texts=[story[:2500]], order=3).save(tmp_path / "m.npz")
    (tmp_path / "t.txt").write_text(OTHER, encoding="utf-8")
    return tmp_path


def score(folder, *args, stdin=b""):
    done = run_in_process("score", "m.npz", *args, "--html", "-", "-q", cwd=folder, stdin=stdin)
    assert (done.code, done.stderr) == (0, "")
    found = assert_harmless(done.stdout)
    (data,) = (json.loads(inside) for _, a, inside in found.all("script") if a.get("id") == "scored")
    tokens = [
        (inside, attributes.get("class", ""))
        for tag, attributes, inside in found.found
        if tag == "span" and attributes.get("class") not in ("token",)
    ][len(BITS) + 1 + bool(data["oov"]) :]  # behind those of the legend
    assert len(tokens) == len(data["bits"])
    return done.stdout, data, tokens


def test_every_token_is_there_with_its_bits_and_its_shade(folder):
    page, data, tokens = score(folder, "t.txt")
    wanted = list(markov_cli.score_tokens(folder / "m.npz", folder / "t.txt"))
    assert [said for said, _ in tokens] == [t.token or "¶" for t in wanted]
    assert [data["words"][i] for i in data["word"]] == [t.token or "</s>" for t in wanted]
    numbers = [*dict.fromkeys(data["word"])]  # by first appearance, whichever thread met a type first
    assert numbers == [*range(len(numbers))]
    assert data["bits"] == pytest.approx([t.bits for t in wanted], abs=1e-4)
    assert data["longest"] == [t.longest for t in wanted]
    for one, (_, kind) in zip(wanted, tokens, strict=True):
        level = sum(one.bits >= least for least in BITS)
        assert kind.split() == [f"s{level}"] * (level > 0) + ["oov"] * one.oov + ["end"] * (one.token is None)
    plain = re.sub("<[^>]*>", "", re.search(r'<div class="text".*?</div>', page, re.S)[0])
    assert plain.replace("¶", "").replace("&amp;", "&") == OTHER  # white space and all
    assert (
        page
        == score(folder, "t.txt")[0]
        == score(folder, "-", stdin=OTHER.encode())[0].replace("standard input", "t.txt")
    )


def test_alternatives_are_the_followers_of_inspect(folder):
    _, data, _ = score(folder, "t.txt")
    words = [data["words"][w] for w in data["word"]]
    i = words.index("in") + 2  # `hall`, after `in the`
    row = data["others"][data["group"][i]]
    found = markov_cli.inspect_history(folder / "m.npz", "in the", smoothing="kn", top=5)
    assert found.used == 2
    assert [data["words"][w] for w in row[::2]] == [f.token or f.marker for f in found.followers]
    assert row[1::2] == pytest.approx([f.probability for f in found.followers], rel=1e-3)


def test_the_hardest_tokens_are_listed_and_linked(folder):
    page, data, _ = score(folder, "t.txt")
    listed = re.findall(r'<a href="#t(\d+)">([^<]*)</a></td><td>([\d.]+)', page)
    order = sorted(range(len(data["bits"])), key=lambda i: (-data["bits"][i], i))
    hardest = [i for k, i in enumerate(order) if data["word"][i] not in {data["word"][j] for j in order[:k]}][:30]
    assert [int(i) for i, _, _ in listed] == hardest and float(listed[0][2]) == pytest.approx(
        max(data["bits"]), abs=0.01
    )
    assert all(f'id="t{i}"' in page for i in hardest)


@pytest.mark.parametrize("tokenizer", ["words", "spaces", "chars", "bytes", "regex"])
def test_hostile_words_stay_words(tmp_path, tokenizer):
    text = "\n".join(HOSTILE) + "\nplain\u0000text &amp; caf\u00e9\n"
    markov_cli.train(texts=[text, text], tokenizer=tokenizer, unit="line", order=2).save(tmp_path / "m.npz")
    (tmp_path / "<img src=x onerror=alert(1)>.txt").write_bytes(text.encode("utf-8", "replace") + b"\xff\xfe")
    page, data, tokens = score(tmp_path, "<img src=x onerror=alert(1)>.txt")
    if tokenizer == "spaces":
        said = [word for word, _ in tokens]
        assert "</script><script>alert(1)</script>" in said and "onerror=alert(1)>" in said
    assert "<h1>&lt;img src=x onerror=alert(1)&gt;.txt</h1>" in page
    assert any(("\\xe2" if tokenizer == "bytes" else "\\u202e") in word for word in data["words"])


def test_records_and_files_are_texts_of_their_own(folder):
    (folder / "r.jsonl").write_text('{"text": "He said."}\n{"text": "The clock."}\n', encoding="utf-8")
    (folder / "r.csv").write_text("id,text\n1,He said.\n2,The clock.\n", encoding="utf-8")
    of_json = score(folder, "r.jsonl", "--jsonl", "text")[0]
    assert re.findall(r'<div class="text".*?</div>', of_json, re.S)[1].startswith('<div class="text" dir="auto"><span')
    assert score(folder, "r.csv", "--csv", "text")[0] == of_json.replace("r.jsonl", "r.csv")
    (folder / "b.txt").write_text("The clock.", encoding="utf-8")
    page = score(folder, "t.txt", "b.txt")[0]
    assert page.count('<div class="text"') == 2 and "<h3>t.txt</h3>" in page and "<h3>b.txt</h3>" in page


def test_impossible_tokens_have_no_number(folder):
    page, data, tokens = score(folder, "t.txt", "--smoothing", "none")
    impossible = [i for i, b in enumerate(data["bits"]) if b is None]
    assert impossible and all("s4" in tokens[i][1] for i in impossible)
    assert "infinite" in page and "probability 0" in page


def test_mixtures_and_borders_are_named(folder):
    markov_cli.train(texts=["The zebra and the clock."], order=2).save(folder / "o.npz")
    page, data, _ = score(folder, "t.txt", "--model", "o.npz", "--mix", "0.5,0.5", "--within", "--open-end")
    assert "scored with m.npz, o.npz mixed by 0.5,0.5; order 3" in page and "--within; --open-end" in page
    assert data["count"] is None and "20 likeliest of each model" in page and "¶" not in page.split("<dl>")[0]
    assert "weights" not in score(folder, "t.txt", "--model", "o.npz", "--tune", "t.txt")[0]


def test_what_is_left_out_is_said(folder):
    long, model = "x" * 5000, markov_cli.Model.load(folder / "m.npz")
    predictor, sources = predictor_of(model.language_model), sources_of((), [f"{long} " + "He said nothing. " * 60])
    totals, _ = totals_of(predictor, sources, "utf-8", 1)
    found = explained(predictor, sources, "utf-8", most=102)
    page = b"".join(score_page(found, totals, ["t"], "m")).decode()
    assert len(found.p) == 101 + 25  # with the ends of 25 sentences
    assert "Shown are the first 126 of 301 tokens" in page
    assert "… (5,000 bytes)" in page and long[:201] not in page and len(page) < 60_000


def test_the_command(folder):
    done = run_in_process("score", "m.npz", "t.txt", "--html", "p.html", "--json", cwd=folder)
    assert done.code == 0 and done.stderr.endswith("wrote p.html\n")
    assert json.loads(done.stdout) == markov_cli.score(folder / "m.npz", folder / "t.txt").to_dict()
    assert (folder / "p.html").read_text(encoding="utf-8") == score(folder, "t.txt")[0]
    assert math.isclose(json.loads(done.stdout)["perplexity"], 2 ** json.loads(done.stdout)["bits_per_token"])
    (folder / "dir").mkdir()
    for args, code, said in (
        (["t.txt", "--html", "dir"], 1, "dir: a folder"),
        (["t.txt", "--html", "m.npz"], 2, "m.npz: this file would be read and written"),
        (["t.txt", "--html", "t.txt"], 2, "t.txt: this file would be read and written"),
        (["t.txt", "--html", "no/p.html"], 1, "no folder 'no'"),
        (["t.txt", "--html", "-", "--json"], 2, "only one result can go to stdout"),
        (["t.txt", "--html", "q.html", "--max-perplexity", 9], 2, "--html and --max-perplexity exclude each other"),
        (["t.txt", "--html", "q.html", "--model", "m.npz"], 2, "--html works with one model, and 2 are named"),
        (["t.txt", "--html", "q.html", "--model", "m.npz", "--classify"], 2, "--classify and --html exclude"),
        (["no.txt", "--html", "q.html"], 1, "no.txt"),
    ):
        two_lines(run_in_process("score", "m.npz", *args, cwd=folder), code, said)
    assert not (folder / "q.html").exists()
