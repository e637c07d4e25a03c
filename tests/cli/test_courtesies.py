"""Options that would do nothing, numbers that cannot be, names that cannot be written: each is told."""

import json
import os
import subprocess
import sys

import pytest

import markov_cli as m
from conftest import TIMEOUT_S, environment
from helpers import run_in_process as run
from helpers import two_lines
from markov_cli.render.json_text import json_text

TEXT = "the cat sat. the dog sat. the cat saw the dog."


@pytest.fixture(scope="module")
def model():
    return m.train(texts=TEXT, order=2)


@pytest.fixture
def path(tmp_path, model):
    out = tmp_path / "m.npz"
    model.save(out)
    return out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("generate", "--encoding", "latin-1"), "--encoding needs --corpus"),
        (("generate", "--in-order"), "--in-order needs --contains"),
        (("inspect", "--smoothing", "kn"), "--smoothing needs a HISTORY"),
        (("inspect", "--ignore-case"), "--ignore-case needs a HISTORY"),
        (("inspect", "--verify", "the"), "--verify and HISTORY (the) exclude each other"),
        (("inspect", "--verify", "--at-start"), "--verify and --at-start exclude each other"),
        (("inspect", "--vocab", "--smoothing", "kn"), "--vocab and --smoothing exclude each other"),
    ],
)
def test_an_option_in_vain_is_an_error(path, words, said):
    two_lines(run(words[0], path, *words[1:]), 2, said)


def test_the_same_options_where_they_do_something(path, tmp_path):
    (tmp_path / "t").write_text(TEXT)
    assert run("generate", path, "--corpus", tmp_path / "t", "--encoding", "latin-1", "--novel", "9").code in (0, 3)
    assert run("generate", path, "--contains", "cat", "--contains", "dog", "--in-order", "-s", "1").code == 0
    assert run("inspect", path, "--at-start", "--smoothing", "kn").code == 0
    assert run("inspect", path, "THE", "--ignore-case").code == 0


CALLS = {
    "no token: no text to train on": lambda model: m.train(),
    "no token: no text to score": lambda model: m.score(model),
    "jobs 0": lambda model: m.train(texts="a b", jobs=0),
    "jobs -3": lambda model: m.train(texts="a b", jobs=-3),
    "jobs 0: merge": lambda model: m.merge([model, model], jobs=0),
    "jobs 0: prune": lambda model: m.prune(model, (0, 1), jobs=0),
    "jobs 0: types": lambda model: m.prune(model, max_types=2, jobs=0),
    "jobs 0: score": lambda model: m.score(model, texts="the cat", jobs=0),
    "jobs 0: tokens": lambda model: [*m.score_tokens(model, texts="the cat", jobs=0)],
    "jobs 0: classify": lambda model: [*m.classify([model, model], ["the cat"], jobs=0)],
    "seed -1: rebuild": lambda model: m.rebuild(model, seed=-1),
    "seed -1: generate": lambda model: [*model.generate(1, -1)],
    "seed -1: stream": lambda model: next(iter(model.stream(-1))),
    "seed -1: canaries": lambda model: m.make_canaries("x {d}", count=1, repeat=[1], seed=-1),
    "--min-type-count nan": lambda model: m.train(texts="a b", min_type_count=float("nan")),
    "--min-type-count 1.5": lambda model: m.train(texts="a b", min_type_count=1.5),
    "--prune: 0.5": lambda model: m.train(texts="a b", prune=(0, 0.5)),
    "--prune: 0.5: prune": lambda model: m.prune(model, (0, 0.5)),
    "--max-types 2.5: prune": lambda model: m.prune(model, max_types=2.5),
    "--max-types 1.5": lambda model: m.train(texts="a b", max_types=1.5),
    "--order 2.5": lambda model: m.train(texts="a b", order=2.5),
    "max_expansion -1": lambda model: m.train(texts="a b", max_expansion=-1),
    "max_expansion nan": lambda model: m.train(texts="a b", max_expansion=float("nan")),
    "top -1: inspect": lambda model: m.inspect(model, top=-1),
    "top -1: history": lambda model: m.inspect_history(model, "the", top=-1),
    "top -1: followers": lambda model: model.followers("the", top=-1),
    "top -1: audit": lambda model: m.audit(model, top=-1),
    "top -1: trace": lambda model: m.trace(texts="a b c", corpus_texts="a b c", top=-1, min_tokens=1),
    "top -1: session": lambda model: m.explore(model).state(-1),
    "2.5: guard": lambda model: m.train(texts="a b", guard=2.5),
    "1.5: sequences": lambda model: m.train(texts="a b", min_sequences=1.5),
    "1.5: count": lambda model: [*model.generate(1.5, 1)],
    "2.5: tokens": lambda model: [*model.generate(1, 1, max_tokens=2.5)],
}


@pytest.mark.parametrize("said", CALLS)
def test_a_caller_s_mistake_is_no_damage(model, said):
    with pytest.raises(m.TextError if said.startswith("no token") else m.OptionError) as raised:
        CALLS[said](model)
    assert said.split(":")[0].removeprefix("--prune").strip() in raised.value.message or said in raised.value.message


def test_one_word_is_a_list_of_one(model):
    asked = m.Constraints(contains="dog", without="cat")
    assert (asked.contains, asked.without, asked.ban) == (("dog",), ("cat",), ())
    assert not m.Constraints(contains="", ban="")
    texts = [t.text for t in model.generate(5, 1, constraints=asked)]
    assert texts and all("dog" in t and "cat" not in t for t in texts)


@pytest.mark.skipif(os.name == "nt", reason="a Unix shell closes stdout")
def test_a_stream_without_a_reader_ends(path):
    command = f'"{sys.executable}" -m markov_cli generate "{path}" --stream -s 1 >&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=TIMEOUT_S, env=environment(), check=False)
    assert done.returncode == 0


def test_json_lines_hold_no_infinity_and_say_what_they_replace(path):
    lines = '{"t": "the cat", "perplexity": 7, "x": [Infinity, {"y": NaN}], "z": 1.5}\n{"t": "the dog"}\n'
    ran = run("score", path, "--jsonl", "t", stdin=lines)
    first, second = (json.loads(line, parse_constant=pytest.fail) for line in ran.stdout.splitlines())
    assert (first["x"], first["z"]) == ([None, {"y": None}], 1.5)
    assert first["perplexity"] != 7 and second["perplexity"] > 1
    assert "note: 1 object had the key 'perplexity' already; its value was replaced" in ran.stderr
    again = run("score", path, "--jsonl", "t", stdin=ran.stdout)
    assert "2 objects had the key 'scored_tokens' already" in again.stderr


def test_json_is_utf_8_whatever_a_file_is_called(tmp_path, model):
    assert json_text({"a": "caf\udce9 \U0001f600"}) == '{"a": "caf\\udce9 \U0001f600"}'
    if sys.platform.startswith("linux"):
        out = f"{tmp_path}/caf\udce9.npz"  # as Python reads a byte that is no UTF-8
        model.save(out)
        for words in (("inspect",), ("inspect", "--verify"), ("score", "--model", out, "-")):
            ran = run(words[0], out, *words[1:], "--json", stdin="the cat")
            assert ran.code == 0
            found = json.loads(ran.stdout_bytes.decode("utf-8"))
            one = found[0] if isinstance(found, list) else found
            assert one["model"] == out


@pytest.mark.skipif(os.name == "nt", reason="links and long names are others there")
def test_a_target_that_cannot_be_is_told_before_the_work(tmp_path):
    text = tmp_path / "t"
    text.write_text(TEXT)
    link = tmp_path / "link.npz"
    link.symlink_to(tmp_path / "gone" / "m.npz")
    two_lines(run("train", text, "-o", link), 1, f"a link to {tmp_path}/gone/m.npz, whose folder is not there")
    long = tmp_path / ("n" * 300)
    two_lines(run("train", text, "-o", long), 1, "a name of 300 bytes", "at most 255")
    for name in ("n" * 251 + ".npz", "ä" * 120 + ".npz"):
        assert run("train", text, "-o", tmp_path / name, "-q").code == 0
        assert m.Model.load(tmp_path / name).header.tokens == 14
    into = tmp_path / "into.npz"
    into.symlink_to(tmp_path / "real.npz")
    assert run("train", text, "-o", into, "-q").code == 0
    assert into.is_symlink() and (tmp_path / "real.npz").is_file()


def test_text_with_nuls_between_its_pieces_is_text(tmp_path):
    names = tmp_path / "names"
    names.write_bytes(b"".join(b"file %d.txt\0" % i for i in range(500)) + b"ab\0c\0" * 300)
    assert m.train(names).header.tokens > 1500
    wide = tmp_path / "wide"
    wide.write_bytes(("The clock on the house.\n" * 60).encode("utf-16-le"))
    with pytest.raises(m.TextError, match="UTF-16-LE without a byte-order mark"):
        m.train(wide)
