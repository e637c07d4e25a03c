"""Where results are written: names that are made up, and files that are not overwritten."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

import markov_cli
from helpers import MARKOV, posix, two_lines
from markov_cli.cli.output import check_model_target, check_target, default_name
from markov_cli.errors import MarkovError, OptionError

TINY = Path(__file__).parents[1] / "golden" / "tiny.npz"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to stand in, with a text, a folder of texts, a model and what is none of them."""
    (tmp_path / "dir" / "texts.d").mkdir(parents=True)
    for name in ("dir/book.txt", "dir/texts.d/a.txt", "dir/.txt", "text.npz"):
        (tmp_path / name).write_text("a b\na c\n")
    (tmp_path / "model.npz").write_bytes(TINY.read_bytes())
    (tmp_path / "picture.npz").write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    (tmp_path / "empty.npz").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ------------------------------------------------------------ the name of a model


@pytest.mark.parametrize(
    ("corpus", "name"),
    [
        ("book.txt", "book.npz"),
        ("dir/book.txt.gz", "book.npz"),
        ("dir/book.TXT.BZ2", "book.npz"),
        ("book.zst", "book.npz"),
        ("notes.markdown.xz", "notes.npz"),
        ("book", "book.npz"),
        ("v1.2", "v1.2.npz"),
        ("v1.2.txt", "v1.2.npz"),
        ("dir/texts.d", "texts.d.npz"),
        ("dir/texts.d/", "texts.d.npz"),
        ("dir/../dir/", "dir.npz"),
        ("Ein Buch.txt", "Ein Buch.npz"),
    ],
)
def test_a_model_is_named_after_its_text(here, corpus, name):
    assert default_name([corpus]) == name


@pytest.mark.parametrize(
    "corpus",
    [
        ["-"],
        ["."],
        [".."],
        ["/"],
        ["dir/.."],
        ["dir/.txt"],
        [".gz"],
        ["a.txt", "b.txt"],
        ["s3://a/b.txt"],
        [os.devnull],
    ],
    ids=" ".join,
)
def test_some_texts_give_no_name(here, corpus):
    with pytest.raises(OptionError, match="no output file: add -o MODEL") as error:
        default_name(corpus)
    assert error.value.hint.startswith(f"for example: markov train {corpus[0]} ")
    assert error.value.hint.endswith(" -o MODEL.npz")


@posix
def test_a_pipe_gives_no_name(here):
    os.mkfifo("pipe.txt")
    with pytest.raises(OptionError):
        default_name(["pipe.txt"])


def test_train_without_an_output(run, here):
    ran = run("train", "dir/book.txt", cwd=here)
    assert ran.code == 0
    assert "wrote    book.npz: " in ran.stderr
    assert run("train", "dir/texts.d", "--json", cwd=here).stdout.startswith('{"model": "texts.d.npz", ')
    before = (here / "book.npz").read_bytes()
    assert run("train", "dir/book.txt", "-n", "2", cwd=here).code == 0  # an earlier model is replaced
    assert (here / "book.npz").read_bytes() != before
    two_lines(run("train", "dir/book.txt", "text.npz", cwd=here), 2, "no output file: add -o MODEL.npz")
    two_lines(run("train", "text.npz", cwd=here), 1, "text.npz: already exists and is not a markov model")
    two_lines(run("train", "dir/book.txt", "--update", "book.npz", cwd=here), 2, "no output file", "-o book.npz")
    assert run("train", stdin="a b", cwd=here).code == 2
    assert sorted(p.name for p in here.glob("*.npz")) == sorted(
        ["book.npz", "empty.npz", "model.npz", "picture.npz", "text.npz", "texts.d.npz"]
    )


# ------------------------------------------------------------ what is not overwritten


def test_a_model_replaces_a_model_and_nothing_else(here):
    for free in ("new.npz", "model.npz", "empty.npz", os.devnull):
        check_model_target(free)
    with pytest.raises(MarkovError, match=r"^text\.npz: already exists and is not a markov model$"):
        check_model_target("text.npz")
    with pytest.raises(MarkovError, match=r"^picture\.npz: already exists and is not a markov model but a PNG image$"):
        check_model_target("picture.npz")


def test_a_damaged_model_may_be_replaced(here):
    data = TINY.read_bytes()
    for damaged in (data[: len(data) // 2], data[:-1], data[:1000] + bytes(50) + data[1050:]):
        Path("model.npz").write_bytes(damaged)
        check_model_target("model.npz")
    Path("model.npz").write_bytes(data.replace(b"markov-ngram-table", b"markov-other-table"))
    with pytest.raises(MarkovError, match="not a markov model but a zip archive"):
        check_model_target("model.npz")


def test_a_model_of_another_version_may_be_replaced(here):
    Path("model.npz").write_bytes(TINY.read_bytes().replace(b'"version":1', b'"version":9'))
    check_model_target("model.npz")


@posix
def test_a_link_is_what_it_leads_to(here):
    Path("link").symlink_to("text.npz")
    with pytest.raises(MarkovError, match="not a markov model"):
        check_model_target("link")
    Path("other").symlink_to("model.npz")
    check_model_target("other")
    with pytest.raises(MarkovError, match="a markov model"):
        check_target("other")


def test_other_results_replace_anything_but_a_model(here):
    for free in ("new.arpa", "text.npz", "picture.npz", "empty.npz", os.devnull):
        check_target(free)
    with pytest.raises(MarkovError, match=r"^model\.npz: already exists and is a markov model$"):
        check_target("model.npz")


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        (["train", "dir/book.txt", "-o", "dir/book.txt"], "not a markov model"),
        (["train", "dir/book.txt", "--update", "model.npz", "-o", "dir/book.txt"], "not a markov model"),
        (["merge", "model.npz", "model.npz", "-o", "dir/book.txt"], "not a markov model"),
        (["prune", "model.npz", "--prune", "0,1", "-o", "dir/book.txt"], "not a markov model"),
        (["import", "dir/book.txt", "--format", "counts", "-o", "dir/book.txt"], "not a markov model"),
        (["export", "model.npz", "-o", "model.npz"], "a markov model"),
        (["audit", "model.npz", "--strings", "model.npz"], "a markov model"),
        (["audit", "model.npz", "--html", "model.npz"], "a markov model"),
        (["trace", "dir/book.txt", "--corpus", "dir", "--html", "model.npz"], "a markov model"),
        (["canary", "make", "--format", "{d}{d}", "-o", "model.npz"], "a markov model"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_command_that_writes_looks_first(run, here, args, kind):
    path = args[-1]
    before = (here / path).read_bytes()
    two_lines(
        run(*args, cwd=here), 1, f"{path}: already exists and is {kind}", "choose another name, or remove it first"
    )
    assert (here / path).read_bytes() == before


@pytest.mark.parametrize(
    "args",
    [
        ["audit", "model.npz", "--corpus", "text.txt", "--rebuild", "text.txt"],
        ["audit", "model.npz", "--corpus", "text.txt", "--strings", "./text.txt"],
        ["audit", "model.npz", "--member", "text.txt", "--rebuild", "text.txt"],
        ["audit", "model.npz", "--strings", "out", "--html", "out"],
        ["trace", "text.txt", "--corpus", "text.txt", "--html", "text.txt"],
    ],
    ids=" ".join,
)
def test_no_output_is_an_input_or_another_output(run, tmp_path, args):
    (tmp_path / "text.txt").write_text("The cat sat. The dog sat.")
    markov_cli.train(tmp_path / "text.txt").save(tmp_path / "model.npz")
    two_lines(run(*args, cwd=tmp_path), 2, "this file would be", "name another file for the output")
    assert (tmp_path / "text.txt").read_text() == "The cat sat. The dog sat." and not (tmp_path / "out").exists()


def test_key_files_of_canaries_are_not_replaced(run, tmp_path):
    make = ["canary", "make", "--format", "c {d} {d}", "-q", "-o"]
    assert run(*make, "one.txt", cwd=tmp_path).code == 0
    before = (tmp_path / "canaries.json").read_bytes()
    two_lines(run(*make, "two.txt", cwd=tmp_path), 1, "canaries.json: already exists and is of other canaries")
    assert (tmp_path / "canaries.json").read_bytes() == before


@posix
def test_results_go_to_a_pipe_that_has_a_name(tmp_path):
    markov_cli.train(texts="The cat sat.").save(tmp_path / "model.npz")
    command = shlex.join([*MARKOV, "export", str(tmp_path / "model.npz"), "-o", "/dev/stdout", "-q"])
    done = subprocess.run(["sh", "-c", f"{command} | cat"], stdout=subprocess.PIPE, check=True)
    assert done.stdout.startswith(b"\\data\\")
