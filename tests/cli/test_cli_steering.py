"""`markov generate` with mixtures, bans, unique texts and streams."""

import json
import re
import signal
import subprocess

import pytest

from cats_and_dogs import CATS, DOGS, train
from conftest import TIMEOUT_S
from engine import model_of
from helpers import MARKOV, posix, two_lines
from markov_cli.api.train import model_of as as_model
from markov_cli.generation.prompt import tokens_of, tokens_of_each


@pytest.fixture(scope="module")
def folder(tmp_path_factory, corpora):
    here = tmp_path_factory.mktemp("steering")
    train(CATS).save(here / "cats.npz")
    train(DOGS).save(here / "dogs.npz")
    as_model(model_of((corpora / "harbour.txt").read_text(encoding="utf-8"), 3)).save(here / "harbour.npz")
    train(CATS, tokenizer="chars").save(here / "chars.npz")
    return here


def test_mixtures_have_json_and_stable_texts(run, folder):
    args = ["generate", folder / "cats.npz", "--model", folder / "dogs.npz", "--mix", "0.7,0.3", "-s", "1"]
    assert args[4] == "--mix"
    ran = run(*args, "-c", "40", "--json")
    assert ran.code == 0 and ran.stderr == ""
    texts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert set(texts[0]) == {"text", "tokens", "bits", "complete", "seed", "index"}
    assert [t["index"] for t in texts] == list(range(40))
    assert run(*args, "-c", "7").stdout.splitlines() == [t["text"] for t in texts[:7]]  # for any count
    even = run("generate", folder / "cats.npz", "--model", folder / "dogs.npz", "-c", "9", "-s", "1").stdout
    assert even == run(*args[:5], "2,2", "-c", "9", "-s", "1").stdout
    cut = run(*args, "-c", "9", "--max-tokens", "2", "--json")
    assert all(json.loads(line)["tokens"] <= 2 for line in cut.stdout.splitlines())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--mix", "0.5,0.5"], "--mix needs several models"),
        (["--model", "dogs.npz", "--mix", "1"], "1 weights for 2 models"),
        (["--model", "dogs.npz", "--mix", "-1,2"], "weights must be 0 or more"),
        (["--model", "chars.npz"], "cats.npz has tokenizer words, chars.npz chars"),
        (["--stream", "--contains", "cat"], "--stream with constraints"),
        (["--stream", "--unique"], "--stream with --unique"),
        (["--stream", "--min-tokens", "3"], "--stream with --min-tokens"),
        (["--ban", "/dev/null"], "the file has no words"),
    ],
)
def test_wrong_calls_are_errors_of_two_lines(run, folder, more, said):
    ran = run("generate", "cats.npz", *more, cwd=folder)
    assert ran.code == 2 and ran.stdout == "" and len(ran.stderr.splitlines()) == 2
    assert said in ran.stderr


def test_a_file_of_banned_words_is_read(run, folder):
    (folder / "ban.txt").write_text("\ufeffmat\r\n\n  the fish \nhorse\n", encoding="utf-8")
    ran = run("generate", folder / "cats.npz", "--ban", folder / "ban.txt", "-c", "50", "-s", "1")
    assert ran.code == 0
    assert ran.stderr == "--ban: the model does not know 1 of the words\n"
    assert not [t for t in ran.stdout.splitlines() if re.search(r"\bmat\b|the fish", t)]
    assert run("generate", folder / "cats.npz", "--ban", "-", "-s", "1", stdin="the\na\n").code == 3
    (folder / "bad.txt").write_bytes(b"cat\n\xff\n")
    ran = run("generate", folder / "cats.npz", "--ban", folder / "bad.txt")
    assert ran.code == 1 and "byte 4 is not UTF-8" in ran.stderr
    assert run("generate", folder / "cats.npz", "--ban", folder / "none.txt").code == 1


def test_unique_reports_fewer_texts(run, folder):
    ran = run("generate", folder / "cats.npz", "--unique", "--tokens", "3", "-c", "200", "-s", "1")
    texts = ran.stdout.splitlines()
    assert ran.code == 3
    assert len(texts) == len(set(texts)) < 200
    assert ran.stderr == f"{len(texts)} of 200 texts: 30,000 draws gave no other distinct texts\n"


def test_the_rate_of_balanced_texts_is_reported(run, folder):
    ran = run("generate", folder / "harbour.npz", "--balanced", "-c", "20", "-s", "1")
    assert ran.code == 0 and len(ran.stdout.splitlines()) == 20
    assert re.fullmatch(r"20 of \d+ tries kept \(\d+\.\d\d%\)\n", ran.stderr)


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("chars.npz", []),
        ("harbour.npz", ["--smoothing", "kn", "--temperature", "0.7"]),
        ("harbour.npz", ["--prompt", "the"]),
    ],
)
def test_a_stream_writes_the_texts_of_the_seed(run, folder, model, more):
    args = ["generate", folder / model, "-c", "5", "-s", "2", *more]
    assert run(*args, "--stream").stdout == run(*args).stdout


def test_a_stream_writes_tokens_as_json(run, folder):
    args = ["generate", folder / "cats.npz", "--model", folder / "dogs.npz", "-s", "2", "--stream"]
    ran = run(*args, "--json", "--max-tokens", "40")
    tokens = [json.loads(line) for line in ran.stdout.splitlines()]
    assert sum("marker" not in t for t in tokens) == 40
    texts = [json.loads(t) for t in run(*args[:-1], "-c", "3", "--json").stdout.splitlines()]
    for i, text in enumerate(texts):
        assert sum(t["bits"] for t in tokens if t["index"] == i) == pytest.approx(text["bits"], abs=1e-4)


@posix
@pytest.mark.parametrize("how", ["interrupt", "close"])
def test_a_stream_ends_when_it_is_stopped(folder, how):
    one = subprocess.Popen(
        [*MARKOV, "generate", folder / "cats.npz", "-s", "1", "--stream"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    for _ in range(100):  # endless, and written while drawing
        assert one.stdout.readline().strip()
    if how == "interrupt":
        one.send_signal(signal.SIGINT)
        said = one.communicate(timeout=TIMEOUT_S)[1]
    else:
        one.stdout.close()
        said = one.stderr.read()
        one.stderr.close()
    assert one.wait(60) == (130 if how == "interrupt" else 0)
    assert b"Traceback" not in said and (said == b"") == (how == "close")


@pytest.mark.parametrize("options", [{}, {"tokenizer": "spaces"}, {"lowercase": True}, {"tokenizer": "chars"}], ids=str)
def test_texts_are_tokenized_alike_together_and_alone(options, harbour):
    texts = [line for line in harbour.splitlines() if line] + [
        "don't",
        "a, b",
        "3.5",
        "Möwe",
        "…",
        "\ufeff",
        "a\udc80b",
    ]
    text_options = train(CATS, **options).header.options
    alone = [[token for token, _ in tokens_of(text, text_options)] for text in texts]
    assert tokens_of_each(texts, text_options) == [one for one in alone if one]


@posix
def test_an_endless_ban_file_is_refused(run, folder):
    two_lines(run("generate", folder / "cats.npz", "--ban", "/dev/zero"), 1, "/dev/zero: more than 67,108,864 bytes")
