"""`score --within`, `--open-end` and the rows of `--each line`, with the numbers of lines."""

import itertools
import json
import math
import random
import shutil
import subprocess

import pytest

import markov_cli
from conftest import CORPORA, PEERS, SCRIPTS
from helpers import run_in_process as run
from helpers import two_lines
from markov_cli.text.encoder import Encoder, TextOptions
from markov_cli.text.marker_stream import Streams
from markov_cli.text.reading import Repairs, Source, blocks
from oracle_smoothing import Smoothed
from strategies import TOKENIZERS, UNITS

WORDS = ["a", "b", "c", "d"]
BORDERS = [*itertools.product((False, True), repeat=2)]


def lines_of(seed, n=10):
    r = random.Random(seed)
    return [r.choices(WORDS, [4, 3, 2, 1], k=r.randint(1, 6)) for _ in range(n)]


@pytest.mark.parametrize(("within", "open_end"), BORDERS)
@pytest.mark.parametrize("smoothing", ["none", "kn", "wb", "abs", "laplace", "stupid"])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_scores_are_those_of_the_oracle_without_borders(order, smoothing, within, open_end):
    lines, test = lines_of(1), [*lines_of(2, 5), ["x", "a"], ["a", "x", "a", "b"]]
    model = markov_cli.train(texts="\n".join(map(" ".join, lines)), tokenizer="spaces", unit="line", order=order)
    ids = {w: i for i, w in enumerate(markov_cli.vocabulary(model), 3)}
    name = {"laplace": "lidstone"}.get(smoothing, smoothing)
    oracle = Smoothed([[ids[w] for w in line] for line in lines], order, len(ids) + 3, name)
    text = "\n".join(map(" ".join, test))
    found = markov_cli.score(model, texts=text, smoothing=smoothing, within=within, open_end=open_end)
    rows = [*markov_cli.score_tokens(model, texts=text, smoothing=smoothing, within=within, open_end=open_end)]
    units = [*markov_cli.score_units(model, texts=text, smoothing=smoothing, within=within, open_end=open_end)]
    expected, by_line = [], []
    for line in test:
        known = [] if within else [1]
        here = []
        for i in [*(ids.get(w, 0) for w in line), *([] if open_end else [2])]:
            p = float(oracle.p(known, i))
            here.append(-math.log2(p) if p else math.inf)
            known.append(i)
        expected += here
        by_line.append(sum(here))
    assert [t.bits for t in rows] == pytest.approx(expected)
    assert [u.bits for u in units] == pytest.approx(by_line)
    assert [u.tokens for u in units] == [len(line) + (not open_end) for line in test]
    assert (found.tokens, found.sequences, found.oov) == (len(expected), len(test), 2)
    assert found.bits == pytest.approx(sum(b for b in expected if b < math.inf))
    one = [
        *markov_cli.score_texts(model, [" ".join(test[0]), ""], smoothing=smoothing, within=within, open_end=open_end)
    ]
    assert one[0].scored_tokens == len(test[0]) + (not open_end) and one[1].scored_tokens == 0


@pytest.mark.parametrize(("within", "open_end"), BORDERS)
def test_a_sequence_that_goes_on_over_many_streams_is_scored_the_same(within, open_end):
    """Streams of a few codes: the history of a token may stand in the one before."""
    from markov_cli.scoring.predictor import Borders, predictor_of
    from markov_cli.scoring.text_totals import Reading, total

    text = (CORPORA / "harbour.txt").read_text(encoding="utf-8")[:6000]
    model = markov_cli.train(texts=text, order=4)
    for smoothing in ("kn", "lidstone:0.1"):
        predictor = predictor_of(model.language_model, smoothing, borders=Borders(within, open_end))
        wholes = [
            total(Reading(predictor, [Source("t", data=text.encode())], stream_codes=size)) for size in (1, 1 << 16)
        ]
        assert wholes[0].tokens == wholes[1].tokens
        assert wholes[0].bits == pytest.approx(wholes[1].bits)


def test_the_command(tmp_path):
    model, text, second = tmp_path / "m.npz", tmp_path / "t", tmp_path / "s.npz"
    text.write_text("a b\n\n \na x b\n\n")
    markov_cli.train(texts="a b a\nb a a b", tokenizer="spaces", unit="line").save(model)
    markov_cli.train(texts="b a", tokenizer="spaces", unit="line").save(second)
    ran = run("score", model, text, "--within", "--open-end")
    assert ran.stdout.splitlines()[0].split()[:9] == ["tokens", "5", "5", "of", "the", "text,", "in", "2", "lines"]
    found = json.loads(run("score", model, text, "--within", "--open-end", "--json").stdout)
    assert (found["tokens"], found["sequences"], found["oov"]) == (5, 2, 1)
    whole = json.loads(run("score", model, text, "--json").stdout)
    assert (whole["tokens"], whole["sequences"]) == (7, 2)
    mixed = run("score", model, text, "--model", second, "--mix", "0.5,0.5", "--open-end", "--json")
    assert json.loads(mixed.stdout)["tokens"] == 5
    tuned = run("score", model, "--model", second, "--tune", text, "--open-end", "--within", "--json")
    assert tuned.code == 0
    told = run("score", model, text, "--model", second, "--classify", "--within", "--open-end")
    assert told.code == 0
    rows = run("score", model, text, "--each", "line").stdout.splitlines()
    assert [(r.split("\t")[0], r.split("\t")[1], r.split("\t")[-1]) for r in rows[1:]] == [
        ("a b", "3", "1"), ("", "0", "2"), ("", "0", "3"), ("a x b", "4", "4"), ("", "0", "5"),
    ]  # fmt: skip
    assert len(rows) - 1 == text.read_text().count("\n")
    kept = run("score", model, text, "--each", "line", "--skip-blank", "--json").stdout.splitlines()
    assert [json.loads(r)["line"] for r in kept] == [1, 4]
    blank = json.loads(run("score", model, text, "--each", "line", "--json").stdout.splitlines()[1])
    assert (blank["tokens"], blank["perplexity"], blank["text"]) == (0, None, "")
    assert len(run("score", model, text, "--each", "line", "--max-perplexity", "1e9").stdout.splitlines()) == 3
    two_lines(run("score", model, text, "--skip-blank"), 2, "--skip-blank needs --each line")
    text.write_text("\n\n")
    two_lines(run("score", model, text, "--each", "line", "-q"), 1, "no token")


@pytest.mark.skipif(not PEERS or shutil.which("query") is None, reason="make peers runs this, with query on PATH")
def test_both_equal_query_without_sentence_context(tmp_path):
    words = markov_cli.train(texts="\n".join(map(" ".join, lines_of(1, 40))), tokenizer="spaces", unit="line")
    arpa = tmp_path / "m.arpa"
    markov_cli.export_arpa(words, arpa, smoothing="kn")
    text = "\n".join(map(" ".join, [*lines_of(2), ["x", "a"]])) + "\n"
    done = subprocess.run(["query", "-n", arpa], input=text, capture_output=True, text=True, check=True)
    totals = [float(line.split("Total:")[1].split()[0]) for line in done.stdout.splitlines() if "Total:" in line]
    ours = [*markov_cli.score_units(words, texts=text, within=True, open_end=True)]
    assert [-u.bits * math.log10(2) for u in ours] == pytest.approx(totals, abs=1e-4)


# ------------------------------------------------------------ numbers of lines


def numbered(text, tokenizer, unit, size):
    """(text, line) of each sequence, and the blanks, read in blocks of about `size` bytes."""
    options = TextOptions.of(tokenizer, unit)
    encoder, streams, repairs = Encoder(options, keep_text=True), Streams(3, unit, 1), Repairs()
    texts = [text] if isinstance(text, str) else text
    pieces = (
        encoder.encode(block)
        for i, one in enumerate(texts)
        for block in blocks(
            Source(f"t{i}", data=one.encode()), keep_bytes=tokenizer == "bytes", block_bytes=size, repairs=repairs
        )
    )
    found = [t for stream in streams.of(pieces) for t in stream.texts]
    return [*zip(found, streams.numbers.lines, strict=True)], streams.numbers.blanks


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_the_line_is_that_of_the_first_token(tokenizer, unit):
    text = (
        "\n\n  One two.\nThree! Four\nfive.\n\n\nSix\r\n \r\nseven. Eight\n\n \n" + SCRIPTS[0].read_text("utf-8")[:300]
    )
    whole, blanks = numbered(text, tokenizer, unit, 1 << 20)
    lines = text.split("\n")
    for one, line in whole:
        held = one.decode() if tokenizer in ("chars", "bytes") else one.decode().lstrip()
        assert lines[line - 1].rstrip("\r").endswith(held.split("\n")[0].rstrip("\r")) or held[:6] in lines[line - 1]
    assert [line for _, line in whole] == sorted(line for _, line in whole)
    if unit == "line":
        every = sorted([line for _, line in whole] + [line for _, line in blanks])
        assert every == [*range(1, len(lines) + (lines[-1] != ""))]
        for before, line in blanks:
            assert sum(n < line for _, n in whole) == before
    for size in (1, 40):
        assert numbered(text, tokenizer, unit, size) == (whole, blanks)


def test_each_text_begins_with_line_one():
    found, blanks = numbered(["a\n\nb", "", "\nc\n"], "words", "line", 1 << 20)
    assert [(t, n) for t, n in found] == [(b"a", 1), (b"b", 3), (b"c", 2)]
    assert blanks == [(1, 2), (2, 1)]
