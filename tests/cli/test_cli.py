"""The main commands as a user runs them: output, exit codes, bad input."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

from helpers import run_in_process, two_lines
from markov_cli.cli.main import main

TINY = Path(__file__).parents[1] / "golden" / "tiny.npz"
YOU = "You must be the change you wish to see in the world\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from conftest import run_markov

    here = tmp_path_factory.mktemp("models")
    (here / "change.txt").write_text(YOU, encoding="utf-8")
    assert run_markov("train", here / "change.txt", "--lowercase", "-o", here / "change.npz").code == 0
    assert run_markov("train", here / "change.txt", "-o", here / "cased.npz").code == 0
    return here


# ------------------------------------------------------------ the running example


def test_inspect_shows_the_readme_example(run, folder):
    # "you" occurs twice, before "must" and before "wish"
    out = json.loads(run("inspect", folder / "change.npz", "you", "--json").stdout)
    assert [(f["token"], f["count"], f["probability"]) for f in out["followers"]] == [
        ("must", 1, 0.5),
        ("wish", 1, 0.5),
    ]
    assert (out["history"], out["used"], out["total"]) == (["you"], 1, 2)
    # no history: 12 tokens and one end
    assert out["backoff"][0]["total"] == 13
    out = json.loads(run("inspect", folder / "change.npz", "must", "--json").stdout)
    assert [(f["token"], f["probability"]) for f in out["followers"]] == [("be", 1.0)]


def test_train_reports_its_figures(run, folder):
    ran = run("train", folder / "change.txt", "-o", folder / "a.npz", "--json")
    assert ran.code == 0
    out = json.loads(ran.stdout)
    assert out["model_bytes"] == (folder / "a.npz").stat().st_size
    keys = ("order", "tokenizer", "unit", "tokens", "types", "sequences", "ngrams", "corpus_bytes")
    assert {k: out[k] for k in keys} == {
        # You and you are two types; rows: 11 types and 3 markers, 13 pairs, 12 triples
        "order": 3, "tokenizer": "words", "unit": "sentence", "tokens": 12, "types": 11, "sequences": 1,
        "ngrams": [14, 13, 12], "corpus_bytes": 52,
    }  # fmt: skip
    assert ran.stderr.splitlines()[0] == "read     12 tokens of 11 types in 1 sequence (one a sentence)"
    quiet = run("train", folder / "change.txt", "-o", folder / "a.npz", "-q")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_generate_prints_one_json_object_per_text(run, folder):
    ran = run("generate", folder / "change.npz", "-c", "2", "-s", "5", "--json")
    one, two = map(json.loads, ran.stdout.splitlines())
    assert one == {"text": YOU.strip().lower(), "tokens": 12, "bits": 0.0, "complete": True, "seed": 5, "index": 0}
    assert two["index"] == 1


def test_a_chosen_seed_is_reported(run, folder):
    ran = run("generate", folder / "change.npz")
    seed = re.fullmatch(r"seed (\d+)\n", ran.stderr).group(1)
    assert run("generate", folder / "change.npz", "--seed", seed).stdout == ran.stdout


def test_null_separates_texts_by_nul(run, folder):
    ran = run("generate", folder / "change.npz", "-c", "2", "-s", "1", "--null")
    assert ran.stdout_bytes.count(b"\0") == 2
    assert b"\n" not in ran.stdout_bytes


def test_a_prompt_is_kept_as_typed_and_continued(run, folder):
    ran = run("generate", folder / "change.npz", "-s", "1", "--prompt", "You  must be")
    assert ran.stdout == "You  must be the change you wish to see in the world\n"
    assert (
        run("generate", folder / "change.npz", "-s", "1", "--prompt", "to see", "--within").stdout
        == "to see in the world\n"
    )


def test_a_shortened_history_is_reported(run, folder):
    ran = run("generate", folder / "change.npz", "-s", "1", "--prompt", "blue must")
    assert ran.stdout == "blue must be the change you wish to see in the world\n"
    known = "'blue' is not in the model; nearest known: 'be'\n"
    assert ran.stderr == known + "history shortened to what the model knows: must\n"


def test_ignore_case_finds_the_known_spelling(run, folder):
    two_lines(run("inspect", folder / "cased.npz", "MUST"), 1, "'MUST'")
    assert "be" in run("inspect", folder / "cased.npz", "MUST", "--ignore-case").stdout


def test_fewer_texts_than_asked_for_exit_3(run, folder):
    ran = run("generate", folder / "change.npz", "-c", "3", "-s", "1", "--min-tokens", "13")
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.stderr.startswith("0 of 3 texts")


def test_inspect_writes_csv_and_dot(run, folder):
    csv = run("inspect", folder / "change.npz", "you", "--format", "csv").stdout.splitlines()
    assert csv[:3] == ["history,token,marker,touches,count,probability", "you,must,,,1,0.5", "you,wish,,,1,0.5"]
    dot = run("inspect", folder / "change.npz", "you", "--format", "dot").stdout
    assert dot.startswith("digraph markov {")
    assert '[label="you must"]' in dot
    two_lines(run("inspect", folder / "change.npz", "--format", "dot"), 2)


def test_verify_finds_a_flipped_bit(run, folder):
    assert run("inspect", folder / "change.npz", "--verify").code == 0
    data = bytearray((folder / "change.npz").read_bytes())
    with np.load(folder / "change.npz") as z:
        at = data.index(z["vocab_bytes"].tobytes())
    data[at] ^= 1
    (folder / "hurt.npz").write_bytes(data)
    ran = run("inspect", folder / "hurt.npz", "--verify")
    assert ran.code == 3
    assert "vocab_bytes: checksum" in ran.stdout


# ------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no token in 0 bytes"),
        (b" \n\t\n \0 ", "no token"),
        (bytes(range(256)) * 20, "not text"),
        ("Some text.".encode("utf-16-le") * 50, "--encoding utf-16-le"),
        (gzip.compress(b"Some text. " * 1000)[:-20], "text"),
    ],
    ids=["empty", "white", "binary", "utf-16 without a mark", "cut gzip"],
)
def test_refused_texts_leave_the_old_model(run, tmp_path, data, words):
    (tmp_path / "text").write_bytes(data)
    earlier = TINY.read_bytes()
    (tmp_path / "m.npz").write_bytes(earlier)
    two_lines(run("train", tmp_path / "text", "-o", tmp_path / "m.npz"), 1, words)
    assert (tmp_path / "m.npz").read_bytes() == earlier
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.npz", "text"]


@pytest.mark.parametrize(
    ("data", "tokens", "words"),
    [
        (b"a \xff b", 3, "1 invalid UTF-8 sequence read as U+FFFD"),
        ("a b".encode("utf-16"), 2, "read by its byte-order mark"),
        ("\ufeffa b".encode(), 2, "1 byte-order mark left out"),
        (b"a b.\r\nc d.\r\n", 6, ""),
        (b"a\0b c", 3, ""),
        (b"!!! ... -- ?!", 5, ""),  # ?! is two marks
        (b"<s> a </s> <unk>", 11, ""),  # < s >, a, < / s > with </ as two marks, < unk >
        (b"x" * 10_000_000, 1, ""),
        (gzip.compress(b"a b"), 2, ""),
    ],
    ids=["invalid", "utf-16", "mark", "crlf", "nul", "marks", "markers", "a long word", "gzip"],
)
def test_repaired_texts_are_read_and_reported(run, tmp_path, data, tokens, words):
    ran = run("train", "-", "-o", tmp_path / "m.npz", "--json", stdin=data)
    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout)["tokens"] == tokens
    assert words in ran.stderr


def test_markers_written_in_a_text_are_plain_text(run, tmp_path):
    ran = run("train", "-", "-o", tmp_path / "m.npz", "--tokenizer", "spaces", stdin=b"<s> a </s> <unk>\n")
    assert ran.code == 0
    assert run("generate", tmp_path / "m.npz", "-s", "1").stdout == "<s> a </s> <unk>\n"


def test_empty_sequences_are_counted(run, tmp_path):
    ran = run("train", "-", "--unit", "line", "-o", tmp_path / "m.npz", stdin=b"a\n\n \nb\n")
    assert "2 empty sequences skipped" in ran.stderr


def test_binary_files_of_a_folder_are_skipped_and_named(run, tmp_path):
    inside = tmp_path / "texts" / "deep"
    inside.mkdir(parents=True)
    (inside / "a.txt").write_text("one two", encoding="utf-8")
    (tmp_path / "texts" / "picture.png").write_bytes(bytes(range(256)) * 4)
    ran = run("train", tmp_path / "texts", "-o", tmp_path / "m.npz")
    assert ran.code == 0
    assert "1 file left out, not text:" in ran.stderr
    (tmp_path / "none").mkdir()
    two_lines(run("train", tmp_path / "none", "-o", tmp_path / "m.npz"), 1, "a folder without files")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["train", "nosuch.txt", "-o", "m.npz"], 1, "no such file"),
        (["train", "-"], 2, "no output file: add -o MODEL.npz"),
        (["train", "change.txt", "-o", "nosuch/m.npz"], 1, "no folder"),
        (["train", "change.txt", "-o", "."], 1, "a folder"),
        (["train", "change.txt", "-o", "m.npz", "-n", "0"], 2, "--order 0"),
        (
            ["train", "change.txt", "-o", "m.npz", "--prune", "0,2,1"],
            2,
            "the number for order 3, 1, is below that for order 2, 2",
        ),
        (["train", "change.txt", "-o", "m.npz", "--prune", "x"], 2, "whole numbers"),
        (["train", "change.txt", "-o", "m.npz", "--encoding", "klingon"], 2, "unknown encoding"),
        (["train", "change.txt", "-o", "m.npz", "--tokenizer", "letters"], 2, "letters"),
        (["generate", "nosuch.npz"], 1, "nosuch.npz"),
        (["generate", "change.txt"], 1, "not a model"),
        (["generate", "change.npz", "--temperature", "-1"], 2, "--temperature"),
        (["generate", "change.npz", "--top-p", "0"], 2, "--top-p"),
        (["generate", "change.npz", "--min-tokens", "9", "--max-tokens", "3"], 2, "no length fits both"),
        (["generate", "change.npz", "--prompt", "mustt"], 1, "nearest known: must"),
        (["inspect", "change.npz", "you", "--json", "--format", "csv"], 2, "exclude each other"),
        (["inspekt"], 2, "inspekt"),  # Click 8.4 also says which was meant
        (["generate", "change.npz", "--coutn", "2"], 2, "--count"),
    ],
)
def test_wrong_calls_are_errors_of_two_lines(run, folder, monkeypatch, args, code, words):
    monkeypatch.chdir(folder)
    two_lines(run(*args), code, words)


def test_escape_sequences_in_file_names_are_escaped(run, tmp_path):
    ran = run("train", tmp_path / "a\x1b[31m\nb", "-o", tmp_path / "m.npz")
    assert b"\x1b" not in ran.stderr_bytes
    assert "\\x1b[31m" in ran.stderr


def test_escape_sequences_of_a_corpus_are_escaped_in_tables(run, tmp_path):
    run("train", "-", "-o", tmp_path / "m.npz", "--tokenizer", "spaces", stdin=b"a \x1b[31mred b\n")
    assert b"\x1b" not in run("inspect", tmp_path / "m.npz", "a").stdout_bytes
    assert b"\x1b" not in run("inspect", tmp_path / "m.npz").stdout_bytes


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help(command):
    ran = run_in_process(command, "--help")
    assert ran.code == 0
    assert f"markov {command} " in ran.stdout


def test_without_a_command_the_help_is_shown(run):
    assert "Usage: markov " in run().stdout + run().stderr
