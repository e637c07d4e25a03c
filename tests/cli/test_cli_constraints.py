"""Constraint options of `markov generate`: texts, notes, errors, exit codes."""

import itertools
import json
import math
import re

import pytest

from enumeration import enumerated, train
from helpers import run_in_process
from markov_cli import Constraints
from markov_cli.api.model import Model
from markov_cli.errors import AnswerIsNo


@pytest.fixture
def run():
    return run_in_process


@pytest.fixture(scope="module")
def model():
    return train()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("constraints") / "m.npz"
    train().save(path)
    return path


def test_json_of_constrained_texts_has_conditioned_bits(run, path):
    done = run("generate", path, "-s", 1, "-c", 2, "--tokens", "5", "--contains", "dog", "--json")
    assert done.code == 0 and done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [*lines[0]] == ["text", "tokens", "bits", "complete", "seed", "index", "conditioned_bits"]
    assert all(line["tokens"] == 5 and 0 <= line["conditioned_bits"] < line["bits"] for line in lines)


def test_the_acceptance_rate_is_reported(run, path):
    done = run("generate", path, "-s", 1, "-c", 50, "--match", "(?i)^A .*sat")
    assert done.code == 0
    assert re.fullmatch(r"50 of [\d,]+ tries kept \([\d.]+%\)\n", done.stderr)
    assert len(done.stdout.splitlines()) == 50
    assert run("generate", path, "-s", 1, "-c", 50, "--match", "(?i)^A .*sat", "-q").stderr == ""


def test_fewer_texts_than_asked_for_exit_3(run, path):
    done = run("generate", path, "-s", 1, "-c", 2, "--match", "(?i)zebra")
    assert done.code == 3 and done.stdout == ""
    assert done.stderr == (
        "0 of 2,000 tries kept (0.00%)\n0 of 2 texts: the others failed in 1,000 tries each; "
        "failed checks: --match '(?i)zebra' 2,000\n"
    )


def test_impossible_constraints_exit_3(run, path):
    done = run("generate", path, "-s", 1, "--match", "zebra")
    assert done.code == 3 and "--match 'zebra': no text of the model can meet it" in done.stderr
    done = run("generate", path, "-s", 1, "--contains", "catt")
    assert done.code == 3
    assert done.stderr == "markov: --contains 'catt': not in the model's 8 types\n  nearest known: cat\n"


@pytest.mark.parametrize("value", ["x", "5..4", "..", "1..2..3", "-1"])
def test_malformed_ranges_are_refused(run, path, value):
    done = run("generate", path, f"--tokens={value}")
    assert done.code == 2 and "--tokens" in done.stderr


def test_tokens_raise_max_tokens_unless_it_is_given(run, path):
    assert run("generate", path, "-s", 1, "--tokens", "30..2000").code == 0
    done = run("generate", path, "-s", 1, "--tokens", "30", "--max-tokens", 20)
    assert done.code == 2 and "--tokens 30" in done.stderr


def test_a_loaded_model_gives_the_same_texts(model, path):
    asked = Constraints(contains=["dog"])
    with Model.load(path) as loaded:
        assert [*loaded.generate(20, 1, constraints=asked)] == [*model.generate(20, 1, constraints=asked)]


def test_all_combinations_of_constraints_hold(model):
    """Every subset of five constraints: texts meet all of them, or the enumeration has none either."""
    single = {
        "contains": (["ate"], lambda w: "ate" in w),
        "starts_with": ("the", lambda w: w[0] == "the"),
        "ends_with": ("cat", lambda w: w[-1] == "cat"),
        "without": (["sat"], lambda w: "sat" not in w),
        "tokens": ((4, 7), lambda w: 4 <= len(w) <= 7),
    }
    whole = enumerated(model, 9, least=0)
    for n in range(1, 6):
        for names in itertools.combinations(single, n):
            keep = [single[name][1] for name in names]
            share = sum(p for w, p in whole.items() if all(k(w) for k in keep))
            asked = Constraints(**{name: single[name][0] for name in names})
            if not share:
                with pytest.raises(AnswerIsNo):
                    next(model.generate(1, 1, constraints=asked, max_tokens=9))
                continue
            texts = [*model.generate(5, 1, constraints=asked, max_tokens=9)]
            assert all(k(t.text.split()) for k in keep for t in texts)
            # bits - conditioned_bits is -log2 of the share of texts that meet the constraints
            assert texts[0].bits - texts[0].conditioned_bits == pytest.approx(-math.log2(share), abs=1e-6)
