"""Canaries: made from a seed; their exposure equals the rank among all fillings."""

import json
import math
from itertools import product

import numpy as np
import pytest

import markov_cli
from markov_cli.errors import OptionError, TextError
from markov_cli.evidence.corpus import exposure
from markov_cli.evidence.corpus.canary import Canaries, Canary, fill, make
from markov_cli.evidence.corpus.exposure import score

LINE = "the code of {name} is {d} {d} {d}"


def model_with(keys, story, order=3, unit="sentence", **more):
    lines = "\n\n".join(keys.lines())
    return markov_cli.train(texts=[story, lines], order=order, unit=unit, **more)


def expose(model, keys, smoothing="wb", jobs=1):
    return score(model.predictor(smoothing), model.header.options, keys, jobs)


def oracle(model, keys, canary, smoothing):
    """Exposure of a canary: score every filling as a text of its own, count cheaper ones and ties."""
    costs = {}
    for filling in product(*keys.alphabets):
        text = fill(keys.format, canary.name, "".join(filling))
        found = model.score(texts=[text], smoothing=smoothing)
        costs["".join(filling)] = math.inf if found.zero_probability else round(found.bits, 6)
    own = costs[canary.filling]
    cheaper = sum(c < own for c in costs.values())
    equal = sum(c == own for c in costs.values())
    return math.log2(len(costs)) - math.log2(cheaper + (equal + 1) / 2)


@pytest.mark.parametrize(
    ("order", "smoothing", "unit"), [(2, "wb", "sentence"), (3, "kn", "line"), (3, "none", "sentence")]
)
def test_exposure_equals_the_rank_among_all_fillings(story, order, smoothing, unit):
    keys = make("{name} has {d} no {d}.", 1, [2], 1, seed=5)
    model = model_with(keys, story, order, unit)
    found = expose(model, keys, smoothing)
    assert found.scored == found.space == 100
    # without smoothing a control's line is impossible from its name on, for every filling
    for one in found.each if smoothing != "none" else found.of_repeat(2):
        assert one.bits == pytest.approx(oracle(model, keys, one.canary, smoothing), abs=1e-6)
        assert one.p == pytest.approx(one.rank / 100)


def test_adjacent_slots_are_read_as_one_token(story):
    keys = make("{name} has {d}{d}", 1, [2], 1, seed=2)
    model = model_with(keys, story)
    found = expose(model, keys, "kn")
    for one in found.each:
        assert one.bits == pytest.approx(oracle(model, keys, one.canary, "kn"), abs=1e-6)
    assert found.unknown > 0.95  # nearly all fillings except the planted one


def test_planted_canaries_have_full_exposure_and_controls_are_at_chance(story):
    keys = make(LINE, 1, [4], 60, seed=11)
    found = expose(model_with(keys, story, 4), keys, jobs=2)
    (one,) = found.of_repeat(4)
    assert (one.rank, one.bits) == (1.0, math.log2(1000))
    controls = [c.bits for c in found.of_repeat(0)]
    # by chance 30 of 60 have more than 1 bit and 4 more than 4; allow five standard deviations
    assert sum(b > 1 for b in controls) < 30 + 5 * math.sqrt(60 / 4)
    assert sum(b > 4 for b in controls) < 4 + 5 * math.sqrt(60 / 16)


def test_a_sample_of_fillings_agrees_with_all_and_is_marked_as_estimate(story, monkeypatch):
    keys = make(LINE, 2, [1], 3, seed=3)
    model = model_with(keys, story)
    exact = expose(model, keys)
    monkeypatch.setattr(exposure, "MOST", 900)
    sampled = expose(model, keys)
    assert (sampled.scored, sampled.space) == (900, 1000)
    for a, b in zip(exact.each, sampled.each, strict=True):
        assert b.how in ("estimate", "bound")
        if a.rank > 20:
            assert b.how == "estimate" and abs(a.bits - b.bits) < 0.7
        if b.how == "bound":
            assert b.bits == pytest.approx(math.log2(900))


def test_the_same_seed_makes_the_same_canaries():
    a, b = make(LINE, 3, [1, 2], 2, seed=9), make(LINE, 3, [1, 2], 2, seed=9)
    assert a.to_dict() == b.to_dict() and [*a.lines()] == [*b.lines()]
    assert [c.repeat for c in a.canaries] == [1, 1, 1, 2, 2, 2, 0, 0]
    assert len({c.name for c in a.canaries}) == 8
    assert sorted(a.lines()) == sorted(a.text(c) for c in a.canaries for _ in range(c.repeat))
    assert make(LINE, 3, [1, 2], 2, seed=10).canaries != a.canaries
    assert Canaries.of_dict(a.to_dict(), "x").canaries == a.canaries


@pytest.mark.parametrize("line", ["no slot", "{name} only", "{x}", "{d", "d}", "a\n{d}", "{d} {}"])
def test_malformed_formats_are_refused(line):
    with pytest.raises(OptionError):
        make(line, 1, [1], 1, seed=1)


def test_more_canaries_than_fillings_are_refused():
    with pytest.raises(OptionError, match="12 canaries and controls, but 10 fillings"):
        make("code {d}", 6, [1], 6, seed=1)
    assert len({c.filling for c in make("code {d}", 5, [1], 5, seed=1).canaries}) == 10


def test_a_line_of_several_sequences_is_refused(story):
    keys = Canaries("So it is. Code {d} {d}", 1, [Canary("", "12", 1)])
    with pytest.raises(TextError, match="2 sequences"):
        expose(model_with(keys, story), keys)


def test_the_commands_make_and_score_canaries(run, tmp_path, story):
    (tmp_path / "book.txt").write_text(story, encoding="utf-8")
    made = run(
        "canary", "make", "--format", LINE, "-s", 4, "--count", 2, "--repeat", "1,3", "-o", "c.txt", cwd=tmp_path
    )
    assert made.code == 0
    assert made.stderr == "4 canaries in 8 lines, 2 controls, 1,000 fillings; keys in canaries.json\n"
    assert made.stdout == ""
    lines = (tmp_path / "c.txt").read_text(encoding="utf-8")
    assert len([x for x in lines.split("\n") if x]) == 8 and "\n\n" in lines
    piped = run("canary", "make", "--format", LINE, "-s", 4, "--count", 2, "--repeat", "1,3", "-q", cwd=tmp_path)
    assert (piped.stdout, piped.stderr) == (lines, "")
    assert run("train", "book.txt", "c.txt", "-n", 4, "-o", "m.npz", "-q", cwd=tmp_path).code == 0
    shown = run("canary", "score", "m.npz", "canaries.json", cwd=tmp_path)
    assert shown.code == 0 and "at most 9.97 bits" in shown.stdout and "\nnever " in shown.stdout
    found = json.loads(run("canary", "score", "m.npz", "canaries.json", "--json", cwd=tmp_path).stdout)
    assert [g["repeat"] for g in found["groups"]] == [0, 1, 3]
    assert found["groups"][2]["median_exposure_bits"] > 7 > found["groups"][0]["median_exposure_bits"]
    assert all(c["exposure_is"] == "exact" and c["text"].startswith("the code of ") for c in found["canaries"])
    both = run("canary", "make", "--format", LINE, "-s", 4, "--json", "-o", "d.txt", "--keys", "d.json", cwd=tmp_path)
    assert json.loads(both.stdout)["lines"] == 70


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["make", "--format", "x {q}"], 2, "markov: --format 'x {q}': {q} is not a slot\n"),
        (["make", "--format", "x {d}", "--repeat", "1,0"], 2, "markov: invalid value for '--repeat': '1,0'"),
        (["make", "--format", "x {d}", "-o", "a", "--keys", "a"], 2, "markov: -o a and --keys a: one file\n"),
        (["make", "--format", "x {d}", "--count", "1", "--repeat", "1", "--keys", "book.txt"], 1,
         "markov: book.txt: already exists and is not a key file of canaries\n"),
        (["score", "m.npz", "book.txt"], 1, "markov: book.txt: not a key file of canaries\n"),
        (["score", "m.npz", "none.json"], 1, "markov: none.json: "),
        (["score", "m.npz", "odd.json"], 1, "markov: odd.json: its canaries do not fit its line\n"),
    ],
)  # fmt: skip
def test_wrong_calls_are_errors(run, tmp_path, args, code, said):
    (tmp_path / "book.txt").write_text("A text.", encoding="utf-8")
    odd = make(LINE, 1, [1], 0, 1).to_dict()
    odd["canaries"][0]["filling"] = "12x"
    (tmp_path / "odd.json").write_text(json.dumps(odd), encoding="utf-8")
    done = run("canary", *args, cwd=tmp_path)
    assert (done.code, done.stdout) == (code, "")
    assert done.stderr.startswith(said)
    assert (tmp_path / "book.txt").read_text(encoding="utf-8") == "A text."


def test_forced_steps_and_choice_bits_of_generated_texts(run, tmp_path, story):
    (tmp_path / "book.txt").write_text(story, encoding="utf-8")
    run("train", "book.txt", "-o", "m.npz", "-q", cwd=tmp_path)
    done = run("generate", "m.npz", "-c", 20, "-s", 1, "--trace", "--corpus", "book.txt", "--json", cwd=tmp_path)
    assert done.code == 0
    *texts, last = [json.loads(x) for x in done.stdout.splitlines()]
    model = markov_cli.Model.load(tmp_path / "m.npz")
    for one in texts:
        # every history is in the table, so the followers of each step can be counted
        ids = [1, *(t for t in _ids(model, one["text"])), 2]
        forced = 0
        for i in range(1, len(ids)):
            level, row = model.table.find(ids[max(i - 2, 0) : i])
            low, high = model.table.followers(level, np.array([row]))
            forced += int(high[0] - low[0] == 1)
        assert (one["forced_steps"], one["steps"]) == (forced, len(ids) - 1)
        assert one["choice_bits_per_token"] == pytest.approx(one["bits"] / one["tokens"], abs=1e-5)
        assert [one["novel"][n] for n in "123" if one["novel"][n] is not None] == [0.0] * min(one["tokens"], 3)
        assert sum(f["tokens"] for f in one["fragments"]) == one["tokens"]
    total = last["trace"]
    assert total["tokens"] == sum(t["tokens"] for t in texts)
    assert total["steps"] == sum(t["steps"] for t in texts)
    assert total["forced_share"] == pytest.approx(sum(t["forced_steps"] for t in texts) / total["steps"], abs=1e-6)
    plain = run("generate", "m.npz", "-c", 20, "-s", 1, "--trace", "--corpus", "book.txt", cwd=tmp_path)
    assert plain.stdout == "".join(t["text"] + "\n" for t in texts)
    assert "of the steps had one continuation" in plain.stderr and "--baseline" in plain.stderr
    alone = run("generate", "m.npz", "--trace", cwd=tmp_path)
    assert (alone.code, alone.stderr) == (2, "markov: --trace needs the training text\n  add --corpus FILE\n")


def _ids(model, text):
    from markov_cli.generation.prompt import tokens_of

    return [model.vocabulary.find(token, flags)[0] for token, flags in tokens_of(text, model.header.options)]
