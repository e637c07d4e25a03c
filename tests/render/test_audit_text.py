"""`audit --corpus --html`: the training text with every token shaded by the longest certain string around it."""

import json
import re
from html import unescape

import numpy as np
import pytest

import markov_cli
from helpers import run_in_process
from markov_cli.evidence import model_evidence
from markov_cli.evidence.copying.fragments import RUNS
from markov_cli.evidence.corpus.certain_text import certain_text
from markov_cli.render.html.audit import audit_page
from markov_cli.text.sources import sources_of
from pages import HOSTILE, assert_harmless


def audited(model, text, order=None, most=50_000):
    sources = sources_of((), [text])
    found = model_evidence.audit(model.language_model, order, 4, sources, shaded=True)
    return found, certain_text(model.language_model, found.against, sources, "utf-8", most)


def shades(page):
    """(shade, text) of the parts of the shaded text."""
    (text,) = re.findall(r'<div class="text" dir="auto">(.*?)</div>', page, re.S)
    parts = re.findall(r'<span class="s(\d)">(.*?)</span>|([^<]+)', text, re.S)
    return [(int(shade or 0), unescape(said or plain)) for shade, said, plain in parts]


@pytest.mark.parametrize("order", [2, 3, 4])
def test_lengths_agree_with_the_figures_and_the_strings(story, order):
    """`verified` counts by sums; the strings are listed from another text of the table. The text has each of them."""
    found, text = audited(markov_cli.train(texts=[story[:3000]], order=4), story[:3000], order)
    for least, share in found.against.orders[order].verified.items():
        assert float((text.length >= least).mean()) == share
    ids = found.against.corpus.ids
    length = np.zeros(len(ids), np.int64)
    length[ids > 2] = text.length[ids[(ids != 1) & (ids != 2)] > 2]
    strings, begin = found.strings, 0
    assert len(strings)
    for size, opens, closes in zip(*(c.tolist() for c in (strings.size, strings.opens, strings.closes)), strict=True):
        one = [*[1] * opens, *strings.ids[begin : begin + size].tolist(), *[2] * closes]
        begin += size
        places = [i for i in range(len(ids) - len(one) + 1) if ids[i : i + len(one)].tolist() == one]
        assert places and all((length[i : i + len(one)][np.array(one) > 2] >= size).all() for i in places)


def test_a_text_that_is_certain_as_a_whole():
    """One sequence, each token once: bigrams prove all of it. 12 tokens: the second shade."""
    words = "a b c d e f g h i j k l"
    found, text = audited(markov_cli.train(texts=[words], order=2), words)
    assert text.length.tolist() == [12] * 12 and text.order == 2
    page = b"".join(audit_page(markov_cli.train(texts=[words], order=2), "m", found, 5, text)).decode()
    assert shades(page) == [(2, words)]


def test_the_command_shades_the_text(tmp_path, story):
    text = f"{story[:2500]}\n\n<b>bold</b> & {HOSTILE[0]} {HOSTILE[1]} of its own.\n"
    (tmp_path / "book.txt").write_text(text, encoding="utf-8")
    markov_cli.train(tmp_path / "book.txt", order=3).save(tmp_path / "m.npz")
    run = ["audit", "m.npz", "--corpus"]
    done = run_in_process(*run, "book.txt", "--html", "p.html", "--json", cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "wrote p.html\n")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert_harmless(page)
    found = shades(page)
    assert "".join(said for _, said in found) == text.rstrip("\n") and {shade for shade, _ in found} >= {0, 1, 2}
    share = json.loads(done.stdout)["orders"][-1]["verified"]["20"]
    shown = re.findall(r'<li><span class="s[34]">[^<]*</span> ([\d.]+)%', page)
    assert sum(map(float, shown)) == pytest.approx(100 * share, abs=0.11) and RUNS[2] == 20
    piped = run_in_process(*run, "-", "--html", "-", cwd=tmp_path, stdin=text.encode())
    assert piped.stdout.replace("standard input", "book.txt") == page
    (tmp_path / "other.txt").write_text("The cat sat.", encoding="utf-8")
    other = run_in_process(*run, "other.txt", "--html", "-", cwd=tmp_path)
    assert other.code == 3 and "by certain strings" not in other.stdout


def test_records_stand_apart_and_a_long_text_is_cut(tmp_path):
    (tmp_path / "r.jsonl").write_text('{"t": "a b c d e f g"}\n{"t": "h i j k l m n"}\n', encoding="utf-8")
    model = markov_cli.train(tmp_path / "r.jsonl", jsonl="t", order=2)
    model.save(tmp_path / "m.npz")
    done = run_in_process("audit", "m.npz", "--corpus", "r.jsonl", "--jsonl", "t", "--html", "-", cwd=tmp_path)
    assert re.findall(r'<div class="text" dir="auto">(.*?)</div>', done.stdout) == [
        '<span class="s1">a b c d e f g</span>', '<span class="s1">h i j k l m n</span>'
    ]  # fmt: skip
    text = "a b c d e f g. " * 20
    model = markov_cli.train(texts=[text], order=2)
    found, shown = audited(model, text, most=30)
    page = b"".join(audit_page(model, "m", found, 5, shown)).decode()
    assert "Shown are the first 30 of 160 tokens." in page
    assert np.array_equal(shown.length, np.full(160, 8))
