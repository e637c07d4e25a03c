"""Texts whose class is known: the table counts what `classify` says of each."""

import json

import pytest

import markov_cli
from helpers import run_in_process, two_lines
from markov_cli.errors import OptionError, TextError

CHAT = [
    ("ann", "the cat sat"), ("ann", "a cat ran"), ("bob/x", "dogs run far"), ("bob/x", "dogs bark"),
    ("cid", "the cat sat"), ("bob/x", ""), ("ann", "dogs bark\nand run"),
]  # fmt: skip


@pytest.fixture
def chat(tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text("".join(json.dumps({"who": who, "text": text}) + "\n" for who, text in CHAT))
    train = tmp_path / "train.jsonl"
    train.write_text("".join(json.dumps({"who": who, "text": text}) + "\n" for who, text in CHAT[:4]))
    markov_cli.train_groups(train, f"{tmp_path}/{{}}.npz", jsonl="text", group_by="who", unit="file")
    return path


def test_the_table_counts_what_classify_says(chat):
    """One record at a time by `score_texts`, as the oracle; `cid` has no model."""
    models = [chat.parent / "ann.npz", chat.parent / "bob%2Fx.npz"]
    expected = {}
    for who, text in CHAT:
        ann, bob = (next(markov_cli.score_texts(m, text)) for m in models)
        bits = [-1 if s.bits_per_byte is None else s.bits_per_byte for s in (ann, bob)]
        given = "-" if bits[0] == bits[1] else ["ann", "bob/x"][bits.index(min(bits))]
        row = expected.setdefault(who, {})
        row[given] = row.get(given, 0) + 1
    found = markov_cli.confusion(chat.parent, chat, jsonl="text", label="who")
    assert found.table == expected
    assert found.models == ("ann", "bob/x")
    assert (found.records, found.right) == (7, expected["ann"]["ann"] + expected["bob/x"]["bob/x"])
    assert found.largest_class == 3 / 7
    ran = run_in_process("score", chat.parent, chat, "--classify", "--jsonl", "text", "--label", "who", "-q")
    assert ran.code == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert (
        lines[0]
        == f"{found.right} of 7 records right: {found.right / 7:.1%}; 42.9% with the most frequent class for all"
    )
    assert lines[2].split() == ["class", "ann", "bob/x", "-"]
    assert [line.split()[0] for line in lines[4:]] == ["ann", "bob/x", "cid"]


def test_records_are_classified_one_by_one(chat):
    ran = run_in_process("score", chat.parent, chat, "--classify", "--jsonl", "text", "--json")
    assert ran.code == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [row["text"] for row in rows] == [text for _, text in CHAT]
    assert "4 records" not in ran.stderr.replace("bob%2Fx.npz\t4 records", "")


def test_what_cannot_be_classified(chat, tmp_path):
    with pytest.raises(OptionError, match="no models in this folder"):
        empty = tmp_path / "none"
        empty.mkdir()
        markov_cli.confusion(empty, chat, jsonl="text", label="who")
    with pytest.raises(TextError, match=r"line 1: no field 'x'"):
        markov_cli.confusion(tmp_path, chat, jsonl="text", label="x")
    with pytest.raises(OptionError, match="needs several models"):
        markov_cli.confusion([tmp_path / "ann.npz"], chat, jsonl="text", label="who")
    two_lines(run_in_process("score", tmp_path / "ann.npz", chat, "--label", "who"), 2, "--label works only with")
    two_lines(
        run_in_process("score", tmp_path, chat, "--classify", "--label", "who"), 2, "--label needs --jsonl, --csv"
    )
