"""`--smoothing` of inspect and generate, and models of probabilities: whole outputs and exit codes."""

import json

import numpy as np
import pytest

from arpa_files import SMALL
from helpers import run_in_process, two_lines


@pytest.fixture
def run():
    return run_in_process


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from conftest import run_markov
    from markov_cli.api.importing import import_arpa

    here = tmp_path_factory.mktemp("models")
    options = ["--tokenizer", "spaces", "--unit", "line", "-n", "2", "-o", here / "ab.npz"]
    made = run_markov("train", "-", *options, stdin="a a b a\nb a a b\n")
    assert made.code == 0
    (here / "small.arpa").write_text(SMALL, encoding="utf-8")
    import_arpa(here / "small.arpa").save(here / "small.npz")
    return here


FELL_BACK = "kn: too little text to estimate the discounts of order 1, 2; 0.5, 1 and 1.5 are used\n"
SCORES = "stupid: these are scores, not probabilities; they do not sum to 1\n"


def test_inspect_shows_kneser_ney_probabilities(run, folder):
    """As worked out in tests/model/test_smoothing.py: 207/560, 187/560, 131/560, 35/560 after a."""
    ran = run("inspect", folder / "ab.npz", "a", "--smoothing", "kn")
    assert (ran.code, ran.stderr) == (0, FELL_BACK)
    assert ran.stdout == (
        "a  seen 5 times, 3 followers\n"
        "follower   count   probability\n"
        "─────────────────────────────────────────────────────────\n"
        "a              2        0.3696   ████████████████████████\n"
        "b              2        0.3339   █████████████████████▋\n"
        "</s>           1        0.2339   ███████████████▎\n"
        "<unk>          0        0.0625   ████\n"
        "\n"
        "(no history)  seen 10 times, 3 followers\n"
        "follower   count   probability\n"
        "─────────────────────────────────────────────────────────\n"
        "a              5        0.3393   ████████████████████████\n"
        "</s>           2        0.2679   ███████████████████\n"
        "b              3        0.2679   ███████████████████\n"
        "<unk>          0        0.1250   ████████▉\n"
    )
    assert run("inspect", folder / "ab.npz", "a", "--smoothing", "kn", "-q").stderr == ""


@pytest.mark.parametrize(
    ("smoothing", "note", "p"),
    [
        ("none", "", [0.4, 0.4, 0.2]), ("wb", "", [173 / 416]), ("abs:0.5", "", [0.44625]),
        ("laplace", "", [3 / 9, 3 / 9, 2 / 9, 1 / 9]), ("lidstone:0.5", "", [2.5 / 7, 2.5 / 7, 1.5 / 7, 0.5 / 7]),
        ("stupid", SCORES, [0.4, 0.4, 0.2]),
    ],
)  # fmt: skip
def test_inspect_writes_smoothed_probabilities_as_json_and_csv(run, folder, smoothing, note, p):
    ran = run("inspect", folder / "ab.npz", "a", "--smoothing", smoothing, "--json")
    assert (ran.code, ran.stderr) == (0, note)
    found = [f["probability"] for f in json.loads(ran.stdout)["followers"]]
    assert found[: len(p)] == pytest.approx(p)
    assert len(found) >= 3 and (smoothing == "stupid" or sum(found) == pytest.approx(1))
    csv = run("inspect", folder / "ab.npz", "a", "--smoothing", smoothing, "--format", "csv").stdout.splitlines()
    assert csv[0] == "history,token,marker,touches,count,probability"
    assert csv[1].startswith("a,a,,,2,")
    assert [float(line.split(",")[-1]) for line in csv[1 : len(found) + 1]] == pytest.approx(found, rel=1e-8)


@pytest.mark.parametrize("smoothing", ["kn", "lidstone:0.1"])
def test_generate_draws_unseen_sequences_with_smoothing(run, folder, smoothing):
    ran = run("generate", folder / "ab.npz", "-c", "50", "-s", "1", "--smoothing", smoothing, "--max-tokens", "9")
    assert (ran.code, ran.stderr) == (0, FELL_BACK if smoothing == "kn" else "")
    lines = ran.stdout.splitlines()
    assert len(lines) == 50 and {w for line in lines for w in line.split()} == {"a", "b"}
    assert any("b b" in line for line in lines)  # never seen
    few = run("generate", folder / "ab.npz", "-c", "3", "-s", "1", "--smoothing", smoothing, "--max-tokens", "9", "-q")
    assert (few.stdout.splitlines(), few.stderr) == (lines[:3], "")


def test_raw_counts_are_the_default(run, folder):
    plain = run("generate", folder / "ab.npz", "-c", "20", "-s", "1")
    assert plain.stdout == run("generate", folder / "ab.npz", "-c", "20", "-s", "1", "--smoothing", "none").stdout
    assert "b b" not in plain.stdout


def test_a_model_of_probabilities_generates_and_is_inspected(run, folder):
    ran = run("generate", folder / "small.npz", "-c", "20", "-s", "1", "--json")
    assert (ran.code, ran.stderr) == (0, "")
    assert {w for line in ran.stdout.splitlines() for w in json.loads(line)["text"].split()} == {"a", "b"}
    ran = run("inspect", folder / "small.npz", "a", "--top", "2")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == (
        "a  1 listed follower\n"
        "follower   probability\n"
        "─────────────────────────────────────────────────\n"
        "b               0.5012   ████████████████████████\n"  # 10 ** -.3
        "a               0.1585   ███████▋\n"  # 10 ** (-.3 - .5)
        "\n"
        "(no history)  4 listed followers\n"
        "follower   probability\n"
        "─────────────────────────────────────────────────\n"
        "a               0.3162   ████████████████████████\n"
        "b               0.2512   ███████████████████▏\n"
        "and 2 more\n"
    )
    ran = run("inspect", folder / "small.npz", "a", "--format", "csv", "--top", "1")
    assert ran.stdout.splitlines()[1] == "a,b,,,,0.50118722"  # 10 ** -.3 in float32
    assert 'label="(0.5)"' in run("inspect", folder / "small.npz", "a", "--format", "dot").stdout


def test_inspect_shows_the_whole_of_a_model_of_probabilities(run, folder):
    size = (folder / "small.npz").stat().st_size
    ran = run("inspect", "small.npz", cwd=folder)
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == (
        "small.npz: order 3 (2 tokens of history)\n"
        "spaces, one sequence a line\n"
        "2 types; probabilities only, already smoothed\n"
        "markers: <unk>, <s>, </s>; in a text they are words, but with --markers\n"
        f"{size / 1000:.1f} kB of model; it holds no counts\n"
        "\n"
        "order   n-grams   histories   followers each   with one follower\n"
        "────────────────────────────────────────────────────────────────\n"
        "    1         5           1             4.00                0.0%\n"
        "    2         4           3             1.33               66.7%\n"
        "    3         2           2             1.00              100.0%\n"
        "\n"
        "likeliest\n"
        "type   probability\n"
        "──────────────────\n"
        "a         0.316228\n"
        "b         0.251189\n"
        "\n"
        "followers of the 2 histories of 2 tokens\n"
        "              1 ██████████████████████████████████████████████████ 2\n"
    )
    told = json.loads(run("inspect", folder / "small.npz", "--json").stdout)
    assert (told["holds"], told["orders"][2]["ngrams"], told["orders"][0]["singletons"]) == ("probabilities", 2, None)
    assert run("inspect", folder / "small.npz", "--format", "csv").stdout.splitlines()[2] == "2,4,,3,1.333333,0.666667,"
    assert run("inspect", folder / "small.npz", "--verify").stdout.endswith("small.npz: no damage found\n")


def test_verify_finds_damage_in_a_model_of_probabilities(run, folder):
    data = bytearray((folder / "small.npz").read_bytes())
    with np.load(folder / "small.npz") as z:
        at = data.index(z["log10_3"].tobytes())
    data[at + 3] ^= 0x80  # the sign of the first value
    (folder / "hurt.npz").write_bytes(data)
    ran = run("inspect", "hurt.npz", "--verify", cwd=folder)
    assert (ran.code, ran.stderr) == (3, "")
    assert ran.stdout.startswith("hurt.npz: log10_3: checksum ")
    assert ran.stdout.endswith("\nhurt.npz: log10_3: a probability above 1\n")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["generate", "ab.npz", "--smoothing", "stupid"], 2, "texts cannot be drawn"),
        (["generate", "ab.npz", "--smoothing", "katz"], 2, "one of none, kn, wb, abs, laplace, lidstone, stupid"),
        (["generate", "nosuch.npz", "--smoothing", "katz"], 2, "no such method"),  # checked before the model is read
        (["inspect", "ab.npz", "a", "--smoothing", "abs:2"], 2, "above 0 and up to 1"),
        (["inspect", "ab.npz", "a", "--smoothing", "kn:1"], 2, "kn takes no number"),
        (["inspect", "ab.npz", "c", "--smoothing", "kn"], 1, "not in the model's 2 types"),
        (["generate", "small.npz", "--smoothing", "kn"], 1, "probabilities only"),
        (["generate", "small.npz", "--smoothing", "none"], 1, "leave --smoothing out"),
        (["inspect", "small.npz", "a", "--smoothing", "laplace"], 1, "probabilities only"),
        (["inspect", "small.npz", "a", "--smoothing", "kn", "--format", "dot"], 1, "probabilities only"),
        (["inspect", "small.npz", "c"], 1, "not in the model's 2 types"),
    ],
)
def test_wrong_calls_are_errors_of_two_lines(run, folder, args, code, words):
    two_lines(run(*args, cwd=folder), code, words)
