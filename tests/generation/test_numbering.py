"""Text i of a seed depends on the seed, i, the model and what excludes something, and on nothing else.

Draws are numbered by text, token and attempt; `--min-tokens 12` draws most texts several times, so that every
test here also holds the numbers of second and later attempts.
"""

import json

import pytest

import markov_cli
from helpers import run_of
from markov_cli import Constraints
from markov_cli.generation import batches

BASE = {"seed": 1, "count": 8, "min_tokens": 12}
OPTIONS = ["-s", "1", "-c", "8", "--min-tokens", "12"]
ZEBRA = Constraints(without=["zebra"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory, corpora):
    folder = tmp_path_factory.mktemp("numbering")
    story = (corpora / "harbour.txt").read_text(encoding="utf-8")[:12_000]
    (folder / "story.txt").write_text(story, encoding="utf-8")
    markov_cli.train([folder / "story.txt"]).save(folder / "m.npz")
    (folder / "ban.txt").write_text("zebra\nthe zebra\n")
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return markov_cli.Model.load(folder / "m.npz")


def texts(model, **request):
    return [text.text for text in run_of(model, **{**BASE, **request}).texts()]


@pytest.fixture(scope="module", params=["none", "kn"])
def smoothing(request):
    return request.param


@pytest.fixture(scope="module")
def plain(model, smoothing):
    return texts(model, smoothing=smoothing)


def test_some_of_these_texts_are_drawn_again(model, smoothing, plain):
    first = texts(model, smoothing=smoothing, min_tokens=0)
    assert len({*first} & {*plain}) < len(plain) == 8


@pytest.mark.parametrize(
    "more",
    [
        {"max_tokens": 500},
        {"max_tokens": 10_000},
        {"jobs": 2},
        {"bits": True},
        {"unique": True},
        {"constraints": Constraints()},
        {"constraints": ZEBRA},
        {"constraints": Constraints(ban=["zebra", "the zebra"])},
        {"constraints": Constraints(without=["zebra"], ban=["striped horse"])},
    ],
    ids=str,
)
def test_an_option_that_changes_no_text_leaves_the_others_alone(model, smoothing, plain, more):
    assert texts(model, smoothing=smoothing, **more) == plain


@pytest.mark.parametrize("count", [1, 3, 8, 100])
def test_text_i_is_the_same_for_any_count(model, smoothing, plain, count):
    n = min(count, 8)
    assert texts(model, smoothing=smoothing, count=count)[:n] == plain[:n]


@pytest.mark.parametrize("constraints", [Constraints(), ZEBRA], ids=["free", "without"])
def test_novelty_that_excludes_nothing(model, folder, smoothing, plain, constraints):
    """No text shares a run of 200 tokens with the corpus."""
    from markov_cli.text.sources import find_sources

    corpus = tuple(find_sources([str(folder / "story.txt")]))
    assert texts(model, smoothing=smoothing, novel=200, corpus=corpus, constraints=constraints) == plain


@pytest.mark.parametrize("shape", [{"temperature": 0.7}, {"top_k": 3}, {"top_p": 0.8}], ids=str)
def test_the_same_with_temperature_top_k_and_top_p(model, smoothing, shape):
    one = [text.text for text in model.generate(6, 1, min_tokens=12, smoothing=smoothing, **shape)]
    for more in ({"max_tokens": 500}, {"constraints": ZEBRA}, {"unique": True}):
        again = model.generate(6, 1, min_tokens=12, smoothing=smoothing, **shape, **more)
        assert [text.text for text in again] == one


def test_a_text_that_repeats_moves_no_other(model):
    """--unique drops repeated texts; those that it keeps are in the order of the seed."""
    every = [text.text for text in model.generate(400, 1, max_tokens=3)]
    kept = [text.text for text in model.generate(60, 1, max_tokens=3, unique=True)]
    assert kept == list(dict.fromkeys(every))[: len(kept)] and len({*every}) < len(every)


COMMANDS = [
    [],
    ["--max-tokens", "500"],
    ["--without", "zebra"],
    ["--ban", "ban.txt"],
    ["--unique"],
    ["--novel", "200", "--corpus", "story.txt"],
    ["--json"],
    ["--json", "--without", "zebra"],
    ["--json", "--trace", "--corpus", "story.txt"],
]


@pytest.mark.parametrize("more", COMMANDS, ids=" ".join)
def test_the_command_writes_the_texts_of_the_function(run, folder, plain, smoothing, more):
    ran = run("generate", "m.npz", *OPTIONS, "--smoothing", smoothing, *more, cwd=folder)
    assert ran.code == 0, ran.stderr
    lines = ran.stdout.splitlines()
    if "--json" in more:
        lines = [found["text"] for line in lines if "text" in (found := json.loads(line))]
    assert lines == plain


def test_a_stream_writes_the_texts_of_the_seed(run, folder, model):
    ran = run("generate", "m.npz", "-s", 1, "--stream", "-c", 8, cwd=folder)
    assert ran.stdout.splitlines() == [text.text for text in model.generate(8, 1)]


@pytest.mark.parametrize("room", [1, 200, 5000])
def test_texts_that_are_joined_in_parts_are_the_same(model, monkeypatch, room):
    whole = texts(model, count=40)
    monkeypatch.setattr("markov_cli.generation.batches._TEXT_BYTES", room)
    assert texts(model, count=40) == whole
    assert len(whole) == 40


def test_texts_of_very_long_tokens_are_never_joined_all_together(monkeypatch):
    """A token of 200 kB: 300 texts have 60 MB, of which a part is held at a time."""
    model = markov_cli.train(texts=["x" * 200_000], unit="line")
    sizes, joined = [], batches.joined

    def told(*given):
        sizes.append(len((batch := joined(*given)).text))
        return batch

    monkeypatch.setattr(batches, "joined", told)
    assert len([*model.generate(300, seed=1)]) == 300
    assert sum(sizes) == 300 * 200_000
    assert max(sizes) <= batches._TEXT_BYTES + 200_000
