"""One pass over records trains the models of their groups, each as if it were trained alone."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import markov_cli
import strategies
from helpers import bytes_of, run_in_process, two_lines
from markov_cli.errors import OptionError, TextError
from markov_cli.text import reading
from markov_cli.text.group_names import file_name, value_of
from markov_cli.training import groups, on_disk
from markov_cli.training.options import TrainOptions

names = st.one_of(st.sampled_from(["ann", "Ann", "a/b", "..", "", "é", 3, True]), st.text(max_size=3))
records = st.lists(st.tuples(names, strategies.prose, st.integers(0, 3)), min_size=1, max_size=12)


@given(
    records,
    st.sampled_from(strategies.TOKENIZERS),
    st.sampled_from(strategies.UNITS),
    st.sampled_from([{}, {"guard": 4}, {"min_type_count": 2, "prune": (0, 1)}]),
    st.booleans(),
    st.integers(1, 3),
)
@example([("a", " ", 1), ("a", "x", 1), ("b", "x y", 0)], "words", "file", {}, True, 1)
def test_a_group_has_the_model_of_its_records(records, tokenizer, unit, more, weighted, min_group):
    how = {"tokenizer": tokenizer, "unit": unit, "order": 3, **more}
    records = [(name, text, n if weighted else 1) for name, text, n in records]
    known = {}
    for name, text, n in records:
        known.setdefault("true" if name is True else str(name), []).append((text, n))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.jsonl")
        lines = [json.dumps({"who": {"name": name}, "text": text, "n": n}) + "\n" for name, text, n in records]
        path.write_text("".join(lines), encoding="utf-8")
        weights = {"weights_field": "n"} if weighted else {}
        try:
            found = markov_cli.train_groups(
                path, f"{folder}/m/{{}}.npz", jsonl="text", group_by="who.name", min_group=min_group, **how, **weights
            )
        except TextError:
            found = None
        made = {}
        for one in found.groups if found else ():
            made[one.group] = Path(one.model).read_bytes()
            assert one.model == f"{folder}/m/{file_name(one.group)}.npz"
            assert one.model_bytes == len(made[one.group])
    expected = {}
    for name, own in known.items():
        texts = [text + ("\n" if unit == "line" else "") for text, n in own for _ in range(n)]
        if len(texts) < min_group:
            continue
        try:
            expected[name] = bytes_of(markov_cli.train(texts=texts, **how))
        except TextError:
            continue
    assert made == expected


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
@example(["a" * 300, "a" * 301])
@example(["con", "%63on"])
@example(["é", "e\u0301"])
@example(["..", "%2E."])
def test_values_have_names_of_their_own(pair):
    made = [file_name(value) for value in pair]
    assert made[0] != made[1]
    for value, name in zip(pair, made, strict=True):
        assert 0 < len(name.encode()) <= 190
        assert not set(name) & set('/\\:*?"<>|\0\n')
        assert not name.startswith(".")
        assert value_of(name) == value or "%-" in name


CHAT = [("ann", "good morning"), ("ann", "good night"), ("bob/x", "see you"), ("cid", "...")]


@pytest.fixture
def chat(tmp_path):
    path = tmp_path / "chat.csv"
    path.write_text("who,text\n" + "".join(f"{who},{text}\n" for who, text in CHAT))
    return path


def test_the_command_and_its_report(chat, tmp_path):
    out = tmp_path / "new" / "{}.npz"
    ran = run_in_process("train", chat, "--csv", "text", "--group-by", "who", "-o", out, "--json", "--min-group", "1")
    assert ran.code == 0, ran.stderr
    assert sorted(p.name for p in out.parent.iterdir()) == ["ann.npz", "bob%2Fx.npz", "cid.npz"]
    told = json.loads(ran.stdout)
    assert [(g["group"], g["records"], g["tokens"]) for g in told["groups"]] == [
        ("ann", 2, 4), ("bob/x", 1, 2), ("cid", 1, 1),
    ]  # fmt: skip
    assert "read     7 tokens in 4 records of 3 groups; largest: ann 2, bob/x 1, cid 1" in ran.stderr
    ran = run_in_process("train", chat, "--csv", "2", "--group-by", "1", "--min-group", "2", "-o", out)
    assert ran.code == 0, ran.stderr
    assert "note     3 groups of fewer than 2 records left out: 3 records" in ran.stderr  # the header is a record, too


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--group-by", "who"], "--group-by needs --jsonl, --csv or --parquet"),
        (["--csv", "text", "--group-by", "who", "-o", "m.npz"], "{} stands for the group"),
        (["--csv", "text", "--group-by", "who", "-o", "{}/{}.npz"], "{} stands for the group"),
        (["--csv", "text", "--group-by", "who", "--resume"], "--group-by and --resume exclude each other"),
        (["--csv", "text", "--group-by", "who", "--update", "m.npz"], "--group-by and --update exclude each other"),
        (["--csv", "text", "--min-group", "3"], "--min-group works only with --group-by"),
    ],
)
def test_options_that_do_not_fit(chat, args, words):
    output = [] if "-o" in args else ["-o", str(chat.parent / "{}.npz")]
    two_lines(run_in_process("train", chat, *args, *output), 2, words)


def test_what_groups_cannot_do(chat, tmp_path):
    out = tmp_path / "{}.npz"
    with pytest.raises(TextError, match="no group has 3 records; the largest of 3 has 2"):
        markov_cli.train_groups(chat, out, csv="text", group_by="who", min_group=3)
    with pytest.raises(TextError, match="no column 'x'"):
        markov_cli.train_groups(chat, out, csv="text", group_by="x")
    with pytest.raises(OptionError, match="with a number, no row is a header"):
        markov_cli.train_groups(chat, out, csv=2, group_by="who")
    (tmp_path / "ann.npz").write_text("my notes")
    ran = run_in_process("train", chat, "--csv", "text", "--group-by", "who", "-o", out)
    assert ran.code == 1
    assert "ann.npz: already exists and is not a markov model" in ran.stderr


def test_newlines_are_kept_in_groups(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"who": "ann", "text": "a b\\nc"}\n{"who": "bob", "text": "d"}\n')
    markov_cli.train_groups(path, tmp_path / "{}.npz", jsonl="text", group_by="who", keep_newlines=True)
    expected = bytes_of(markov_cli.train(texts="a b\nc", keep_newlines=True))
    assert (tmp_path / "ann.npz").read_bytes() == expected
    out = tmp_path / "again-{}.npz"
    ran = run_in_process("train", path, "--jsonl", "text", "--group-by", "who", "--keep-newlines", "-o", out)
    assert ran.code == 0, ran.stderr
    assert (tmp_path / "again-ann.npz").read_bytes() == expected


@pytest.mark.parametrize(
    "more",
    [
        {"unit": "line", "guard": 4}, {"min_sequences": 2, "cap_per_sequence": 1}, {"weights_field": "n", "order": 4},
        {"borders": False, "prune_vocab": ["a", "b"], "min_type_count": 2}, {"tokenizer": "chars", "jobs": 3},
    ],
    ids=str,
)  # fmt: skip
def test_groups_and_texts_larger_than_memory_are_on_disk(tmp_path, monkeypatch, more):
    """Groups with texts in many chunks; a group larger than memory, and smaller ones."""
    lines = [f"a b {i % 7} c {i % 3}.\nThe {'end ' * (i % 5)}" for i in range(120)]
    rows = [{"who": "ab"[i % 9 == 0], "text": line, "n": i % 4} for i, line in enumerate(lines)]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    how = {"jsonl": "text", "group_by": "who", **more}
    markov_cli.train_groups(path, tmp_path / "memory" / "{}.npz", **how)
    for name, value in (("_MIN_BLOCK", 60), ("_MAX_BLOCK", 60)):
        monkeypatch.setattr(on_disk, name, value)
    monkeypatch.setattr(TrainOptions, "token_bytes", 200_000)
    monkeypatch.setattr(groups, "_TOKEN_BYTES", 10**6)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 100)
    options = TrainOptions.__dataclass_fields__["block_bytes"]
    monkeypatch.setattr(options, "default", 100)
    ways = []
    monkeypatch.setattr(on_disk, "train_read", lambda *a, call=on_disk.train_read: ways.append("memory") or call(*a))
    monkeypatch.setattr(on_disk, "stitched", lambda *a, call=on_disk.stitched: ways.append("disk") or call(*a))
    markov_cli.train_groups(path, tmp_path / "disk" / "{}.npz", memory=128_000_000, **how)
    assert "disk" in ways
    for name in "ab":
        made = (tmp_path / "disk" / f"{name}.npz").read_bytes()
        assert made == (tmp_path / "memory" / f"{name}.npz").read_bytes()
    assert sorted(p.name for p in (tmp_path / "disk").iterdir()) == ["a.npz", "b.npz"]
