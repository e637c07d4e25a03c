"""Text that is not UTF-8: each command says so, and suggests an encoding where the bytes make sense in one."""

import json

import pytest

from conftest import rarely
from markov_cli.text.file_kinds import around_invalid, encoding_hint
from markov_cli.text.types import Types, invalid_types

WEST = "It\u2019s late \u2013 very late. Caf\u00e9 au lait costs 5 \u20ac. And so on, for a while, and it is fine.\n"
EAST = "hello " * 40 + "так было раньше\n"
CP1252 = "--encoding cp1252 may be right"
NAME = "--encoding NAME? For example windows-1251"


@pytest.mark.parametrize(("text", "encoding", "hint"), [(WEST, "cp1252", CP1252), (EAST, "cp1251", NAME)])
@pytest.mark.parametrize("tokenizer", ["words", "spaces", "chars", "regex"])
def test_training_notes_invalid_bytes_with_a_hint(run, tmp_path, text, encoding, hint, tokenizer):
    (tmp_path / "t").write_bytes(text.encode(encoding))
    ran = run("train", "t", "--tokenizer", tokenizer, "-o", "m.npz", cwd=tmp_path)
    notes = [line for line in ran.stderr.splitlines() if line.startswith("note ") and "--encoding" in line]
    assert len(notes) == 1, ran.stderr
    assert all(hint in line for line in notes)
    ran = run("train", "t", "--tokenizer", tokenizer, "-o", "m.npz", "--encoding", encoding, cwd=tmp_path)
    assert ran.code == 0 and "--encoding" not in ran.stderr


@pytest.mark.parametrize("tokenizer", ["words", *rarely("spaces")])
def test_every_command_that_reads_text_gives_the_note_and_takes_the_option(run, tmp_path, tokenizer):
    (tmp_path / "west").write_bytes(WEST.encode("cp1252"))
    (tmp_path / "utf8").write_text(WEST, encoding="utf-8")
    (tmp_path / "plain").write_text("It is late. And so on.\n", encoding="utf-8")
    run("train", "plain", "--tokenizer", tokenizer, "-o", "plain.npz", cwd=tmp_path)
    run("train", "utf8", "--tokenizer", tokenizer, "-o", "m.npz", cwd=tmp_path)
    run("train", "plain", "--tokenizer", tokenizer, "-o", "n.npz", cwd=tmp_path)
    commands = [
        ("score", "m.npz", "west"),
        ("score", "m.npz", "west", "--each", "line"),
        ("score", "m.npz", "west", "--each", "token"),
        ("score", "m.npz", "west", "--model", "n.npz"),
        ("score", "m.npz", "west", "--model", "n.npz", "--classify"),
    ]
    if tokenizer == "words":
        commands += [
            ("trace", "west", "--corpus", "plain"),
            ("trace", "plain", "--corpus", "west"),
            ("audit", "m.npz", "--corpus", "west"),
            ("generate", "m.npz", "-s", "1", "--novel", "4", "--corpus", "west"),
        ]
    for args in commands:
        ran = run(*args, cwd=tmp_path)
        assert any(CP1252 in line for line in ran.stderr.splitlines()), (args, ran.stderr)
        again = run(*args, "--encoding", "cp1252", cwd=tmp_path)
        assert "--encoding" not in again.stderr, (args, again.stderr)
    ran = run("prune", "m.npz", "--threshold", "1e-3", "--heldout", "west", "-o", "p.npz", "--json", cwd=tmp_path)
    again = run(*ran_args("cp1252"), cwd=tmp_path)
    plain = run(*ran_args("utf-8", "utf8"), cwd=tmp_path)
    values = [json.loads(r.stdout)["perplexity_before"] for r in (ran, again, plain)]
    assert values[1] == values[2] != values[0]


def ran_args(encoding, name="west"):
    return ("prune", "m.npz", "--threshold", "1e-3", "--heldout", name, "--encoding", encoding, "-o", "p.npz", "--json")


def test_hints():
    assert around_invalid("plain é".encode()) == b""
    assert around_invalid(b"x" * 200 + b"\xff" + b"y" * 9000, 100)[64:66] == b"\xffy"
    assert encoding_hint("f\udcfcr").startswith(CP1252)
    assert CP1252 not in encoding_hint("f\udc81r")  # a byte that Windows-1252 has not
    assert CP1252 not in encoding_hint("")


def test_invalid_types_are_counted():
    import numpy as np

    words = [b"a", "é".encode(), b"\xe9", b"b\xff", "я".encode()]
    length = np.array([*map(len, words)])
    blob = np.frombuffer(b"".join(words), np.uint8)
    types = Types(blob, np.cumsum(length) - length, length, np.zeros(len(words), np.uint8))
    assert invalid_types(types) == (2, "\udce9 b\udcff")
    split = Types(np.frombuffer("é".encode(), np.uint8), np.array([0, 1]), np.array([1, 1]), np.zeros(2, np.uint8))
    assert invalid_types(split)[0] == 2  # two halves of a character
