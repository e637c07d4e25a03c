"""`inspect --html`: the figures of a model as a page."""

import json
import re

import pytest

import markov_cli
from helpers import run_in_process, two_lines
from markov_cli.inspecting.statistics import rank_frequency
from markov_cli.render.html.look import inspect_page, look
from markov_cli.render.html.svg import decades
from pages import HOSTILE, assert_harmless


def page_of(model, top=500):
    data = b"".join(inspect_page(model, "m.npz", markov_cli.inspect(model, top=top))).decode()
    return data, assert_harmless(data)


def rows_of(data):
    """The cells of every row of every table."""
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", data)]


@pytest.fixture(scope="module")
def model(story):
    return markov_cli.train(texts=[story], order=3)


def test_the_page_shows_the_figures_of_inspect(model):
    data, _ = page_of(model)
    rows, figures = rows_of(data), markov_cli.inspect(model, top=500)
    for one in figures.orders:
        assert any(
            row[:2] == [str(one.order), f"{one.ngrams:,}"] and row[-1] == f"{one.entropy_bits:.3f}" for row in rows
        )
        for ngram in one.commonest[:3]:
            said = " ".join(ngram.names).replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
            assert [said, str(ngram.count)] in rows
    for one in figures.histogram_of_followers:
        assert any(row[:2] == [one.followers, f"{one.histories:,}"] for row in rows)
    assert f"<dd>{figures.tokens:,}</dd>" in data and f"<dd>{figures.types:,}</dd>" in data
    assert data == page_of(model)[0]


def test_the_curve_goes_through_rank_and_count(model):
    points = rank_frequency(model.table, 200)
    drawn = decades("t", points, "rank", "count")
    path = re.search(r'points="([^"]*)"', drawn)[1].split()
    assert len(path) == len(points)
    x, y = (float(n) for n in path[0].split(","))
    grid = [float(n) for n in re.findall(r'class="axis" x1="52" x2="\d+" y1="([\d.]+)"', drawn)]  # 1, 10, 100
    assert x == 52.0
    assert grid[0] - y == pytest.approx((grid[0] - grid[1]) * points[0][1], abs=0.2)
    assert grid[0] == pytest.approx(float(path[-1].split(",")[1]))  # the rarest type occurs once


@pytest.mark.parametrize("order", [1, 2, 4])
def test_hostile_words_stay_words(order):
    """U+2028 and NUL are white space to the tokenizer or part of a word; either way none gets into the page."""
    model = markov_cli.train(
        texts=[f"{word.replace(' ', '_')} and\n" for word in HOSTILE], tokenizer="spaces", order=order
    )
    data, _ = page_of(model)
    assert "&lt;img_src=x_onerror=alert(1)&gt;" in data and "&lt;/script&gt;&lt;script&gt;alert(1)" in data


@pytest.mark.parametrize("text", ["a", "a a a a", "\u0627\u0644\u0633\u0644\u0627\u0645 \u6f22\u5b57"])
def test_the_smallest_models_have_a_page(text):
    page_of(markov_cli.train(texts=[text], order=5))


def test_a_model_of_probabilities_shows_what_it_has(model, tmp_path):
    markov_cli.export_arpa(model, tmp_path / "m.arpa")
    data, _ = page_of(markov_cli.import_arpa(tmp_path / "m.arpa"))
    assert "The likeliest types" in data and "probability" in data and "Rank and frequency" not in data


def test_a_weighted_model_shows_its_counts():
    a, b = (markov_cli.train(texts=[f"the {x} sat on the mat"]) for x in ("cat", "dog"))
    data, _ = page_of(markov_cli.merge([a, b], weights=[0.5, 2]))
    assert ["the", "5"] in rows_of(data)


def test_a_part_of_a_page_has_the_headings_asked_for(model):
    part = "".join(look(model, markov_cli.inspect(model), level=3))
    assert "<h3>Orders</h3>" in part and "<h2" not in part


def test_the_command_writes_the_page(tmp_path, model):
    model.save(tmp_path / "m.npz")
    done = run_in_process("inspect", "m.npz", "--html", "p.html", "--json", "--top", 3, cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "wrote p.html\n")
    assert [len(o["commonest"]) for o in json.loads(done.stdout)["orders"]] == [3, 3, 3]
    piped = run_in_process("inspect", "m.npz", "--html", "-", "--top", 3, cwd=tmp_path)
    assert piped.stdout == (tmp_path / "p.html").read_text(encoding="utf-8") and piped.stdout.count("<tr>") < 60
    (tmp_path / "folder").mkdir()
    for args, code, said in (
        (["--html", "folder"], 1, "folder: a folder"),
        (["--html", "no/p.html"], 1, "no/p.html: no folder 'no'"),
        (["--html", "m.npz"], 1, "already exists and is a markov model"),
        (["the", "--html", "p.html"], 2, "--html and HISTORY (the) exclude each other"),
        (["--html", "p.html", "--verify"], 2, "--verify and --html exclude each other"),
        (["--html", "p.html", "--format", "csv"], 2, "--html and --format csv exclude each other"),
        (["--html", "-", "--json"], 2, "only one result can go to stdout"),
    ):
        two_lines(run_in_process("inspect", "m.npz", *args, cwd=tmp_path), code, said)


def test_very_long_tokens_are_cut():
    found = page_of(markov_cli.train(texts=["x " * 20 + "y" * 100_000 + " x" * 20], order=5, tokenizer="spaces"))[0]
    assert f"x {'y' * 200}… x" in found and "y" * 201 not in found
    assert len(found) < 200_000
