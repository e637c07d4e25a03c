"""Hostile text: hash collisions, packed bombs, devices and pipes, control characters for the terminal."""

import bz2
import gzip
import os
import random
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import markov_cli
from conftest import TIMEOUT_S
from helpers import in_terminal, run_in_process
from markov_cli.errors import TextError
from markov_cli.text import reading
from markov_cli.text.interning import TypeInterner, _Slots

NASTY = "\x1b[31mred\x1b[0m \x1b]0;owned\x07 bell\x07 \x9b31m back\x08space del\x7f \u202eright \u2066left\r over\n"
unix = pytest.mark.skipif(sys.platform == "win32", reason="needs ptys, FIFOs and links")


# ------------------------------------------------------------ the hash


def sets_of_keys(n):
    i = np.arange(1, n + 1, dtype=np.uint64)
    top = np.uint64(7 << 56)
    yield "dense", i | top
    yield "high", (i << np.uint64(40)) | top
    yield "folded", np.array([(k << 29) ^ k for k in range(1, n + 1)], np.uint64)
    yield "letters", np.array([int.from_bytes(bytes(97 + k // 26**j % 26 for j in range(7)), "little") for k in range(n)], np.uint64) | top  # fmt: skip # noqa: E501


def test_regular_words_do_not_cluster_under_any_salt():
    """A key's distance from its slot is the number of rounds a look-up takes; random keys reach 18."""
    for name, keys in sets_of_keys(1 << 13):
        worst = []
        for seed in range(60):
            slots = _Slots()
            slots.salt = np.uint64(random.Random(seed).getrandbits(64) | 1)
            slots.add(keys, np.arange(len(keys), dtype=np.uint32))
            at = np.flatnonzero(slots.table[:, 0])
            own = slots._slot(slots.table[at, 0].copy(), slots.table)
            worst.append(int(((at - own) & (len(slots.table) - 1)).max()))
        assert sorted(worst)[30] < 30 and max(worst) < 400, (name, sorted(worst)[-5:])


def pairs_that_met(n):
    """Pairs of 16-byte words whose 64-bit keys were once equal under every salt.

    The highest bit of the first eight bytes passed through the multiplication unchanged, and the
    second eight bytes could cancel it.
    """
    out = []
    for k in range(n):
        word = bytearray(b"%07dx%07dy" % (k, k * 7))
        out.append(bytes(word))
        word[7] ^= 0x80
        word[12] ^= 1
        word[15] ^= 0x80
        out.append(bytes(word))
    return out


def test_no_pair_of_words_collides_by_design():
    words = pairs_that_met(5000)
    a = np.frombuffer(b"".join(words) + bytes(8), np.uint8)
    interner = TypeInterner()
    number = interner.numbers(a, np.arange(len(words)) * 16, np.full(len(words), 16), None)
    assert len(set(number.tolist())) == len(words)
    assert not interner._collided


def test_colliding_words_cost_linear_work(monkeypatch):
    """If all keys are equal, calls and compared tokens grow with the number of words; once it was their square."""
    compare, work = TypeInterner._differ, [0]

    def differ(self, t, own):
        work[0] += len(own)
        return compare(self, t, own)

    def count(frame, event, arg):
        work[0] += event in ("call", "c_call")

    monkeypatch.setattr(TypeInterner, "_fold", lambda self, view, start, *_: np.full(len(start), 5, np.uint64))
    monkeypatch.setattr(TypeInterner, "_differ", differ)
    done = []
    for n in (250, 1000):
        words = pairs_that_met(n)
        a = np.frombuffer(b"".join(words) + bytes(8), np.uint8)
        interner, work[0] = TypeInterner(), 0
        sys.setprofile(count)
        try:
            number = interner.numbers(a, np.arange(len(words)) * 16, np.full(len(words), 16), None)
        finally:
            sys.setprofile(None)
        done.append(work[0])
        assert len(set(number.tolist())) == len(words)
    assert done[1] < 5 * done[0]


# ------------------------------------------------------------ packed bombs


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_packed_bomb_is_refused_unless_the_limit_is_lifted(tmp_path, monkeypatch, run, pack):
    path = tmp_path / "a.txt.packed"
    path.write_bytes(pack(b"na " * 600_000))
    monkeypatch.setattr(reading, "_BOMB_BYTES", 1 << 20)
    with pytest.raises(TextError, match="no text does that") as error:
        markov_cli.train([path])
    assert "--max-expansion 0" in error.value.hint
    assert markov_cli.train([path], max_expansion=0, order=1).header.tokens == 600_000
    path.write_bytes(pack(b"na " * 1000))
    assert markov_cli.train([path]).header.tokens == 1000  # a small file may expand any number of times


def test_a_line_without_white_space_is_limited_by_the_memory(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"x" * (6 << 20))
    with pytest.raises(TextError, match="no white space in 4,194,304 bytes") as error:
        markov_cli.train_file([tmp_path / "a.txt"], str(tmp_path / "model.npz"), memory=128_000_000)
    assert "--memory" in error.value.hint
    assert markov_cli.train([tmp_path / "a.txt"]).header.tokens == 1  # no --memory, no limit


# ------------------------------------------------------------ devices, pipes, links, folders


@unix
def test_an_endless_device_is_refused(run, tmp_path):
    for tokenizer in ("words", "bytes"):
        for args in (["/dev/zero"], ["-"]):
            with open("/dev/zero", "rb") as zero:
                ran = _run_with(zero, "train", *args, "--tokenizer", tokenizer, "-o", str(tmp_path / "m.npz"))
            assert ran.returncode == 1 and b"a device, which has no end" in ran.stderr
    ran = run("train", "/dev/null", "-o", tmp_path / "m.npz")
    assert ran.code == 1 and "no token" in ran.stderr


def _run_with(stdin, *args):
    import subprocess

    return subprocess.run([sys.executable, "-m", "markov_cli", *args], stdin=stdin, capture_output=True, timeout=TIMEOUT_S, check=False)  # fmt: skip # noqa: E501


@unix
def test_pipes_and_broken_links_in_a_folder_are_skipped_and_named(tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("a b c. " * 5, encoding="utf-8")
    os.mkfifo(folder / "pipe")  # opening it would block
    (folder / "loop").symlink_to("loop")
    (folder / "gone").symlink_to("nowhere")
    (folder / "back").symlink_to(folder)  # a folder in itself
    model = markov_cli.train([folder])
    assert model.header.tokens == 20
    assert sorted(Path(s).name for s in model.repairs.skipped) == ["gone", "loop", "pipe"]


@unix
def test_a_pipe_given_by_name_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text("a b c. " * 5, encoding="utf-8"))
    writer.start()
    assert markov_cli.train([tmp_path / "pipe"]).header.tokens == 20
    writer.join()


@unix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "in").mkdir(mode=0)
    with pytest.raises(TextError, match="Permission denied"):
        markov_cli.train([tmp_path])


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a b", encoding="utf-8")

    def walk(folder, onerror=None):
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return iter(())

    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(TextError, match="Permission denied"):
        markov_cli.train([tmp_path])


@unix
def test_file_names_with_newlines_and_invalid_bytes_are_escaped(run, tmp_path):
    folder = tmp_path / "texts"
    folder.mkdir()
    name = os.fsencode(folder) + b"/a\n\x1b[31m\xff.txt"
    with open(name, "wb") as f:
        f.write(b"\0\1\2" * 100)
    (folder / "b.txt").write_text("a b c. " * 5, encoding="utf-8")
    ran = run("train", folder, "-o", tmp_path / "m.npz", "--json")
    assert ran.code == 0 and "\x1b" not in ran.stderr and "\\x1b[31m" in ran.stderr
    import json

    assert json.loads(ran.stdout)["repairs"]["skipped"] == [os.fsdecode(name)]
    ran = run("train", os.fsdecode(name), "-o", tmp_path / "m.npz")
    assert ran.code == 1 and len(ran.stderr.splitlines()) == 2 and "\x1b" not in ran.stderr


# ------------------------------------------------------------ the terminal


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nasty")
    (folder / "t.txt").write_text(NASTY * 3, encoding="utf-8")
    for tokenizer in ("words", "spaces", "chars", "bytes"):
        markov_cli.train([folder / "t.txt"], tokenizer=tokenizer, unit="line").save(folder / f"{tokenizer}.npz")
    return folder


@unix
@pytest.mark.parametrize(
    "line",
    ["generate {}/spaces.npz -c 3 -s 1", "generate {}/chars.npz -c 2 -s 1 --json", "generate {}/bytes.npz -s 1 --null",
     "inspect {}/chars.npz", "inspect {}/spaces.npz --json", "inspect {}/words.npz bell --format csv",
     "score {}/spaces.npz {}/t.txt --each line", "score {}/chars.npz {}/t.txt --each token",
     "audit {}/spaces.npz --min-tokens 2", "export {}/spaces.npz --format counts -o -"],
)  # fmt: skip
def test_no_control_characters_reach_a_terminal(nasty, line):
    out, code = in_terminal(*line.format(nasty, nasty).split(), NO_COLOR="1", TERM="dumb")
    assert code == 0, out
    text = out.replace("\r\n", "\n")
    assert not [c for c in text if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066"]
    assert "\\x1b" in text or "\\u001b" in text or "bell" in text


@unix
def test_a_pipe_gets_the_bytes_unchanged(nasty, run):
    ran = run("generate", nasty / "spaces.npz", "-s", "1", "-q")
    assert b"\x1b[31mred" in ran.stdout_bytes


def test_every_command_that_reads_packed_text_takes_the_limit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.txt").write_text("na na. no na.\n")
    run_in_process("train", "t.txt", "-n", "2", "-o", "m.npz")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"na. no.\n" * 150_000))
    (tmp_path / "w.gz").write_bytes(gzip.compress(b"na\nno\n" * 200_000))
    counts = b"".join(b"the-same-long-beginning-of-all-words-%d\t1\n" % i for i in range(40_000))
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"<s>\t1\n</s>\t1\n" + counts))
    monkeypatch.setattr(reading, "_BOMB_BYTES", 1 << 20)
    for line in (
        "import c.gz -o o.npz", "train t.txt --vocab w.gz -o o.npz", "score m.npz b.gz", "trace b.gz --corpus t.txt",
        "prune m.npz --vocab w.gz -o o.npz", "prune m.npz --threshold 0 --heldout b.gz -o o.npz",
        "audit m.npz --corpus b.gz", "audit m.npz --member b.gz", "forget m.npz b.gz -o o.npz",
        "trace t.txt --corpus b.gz", "page m.npz --corpus b.gz -o o", "generate m.npz --novel 9 --corpus b.gz",
        "merge m.npz m.npz --tune b.gz -o o.npz", "tune m.npz b.gz -o o.npz",
    ):  # fmt: skip
        refused = run_in_process(*line.split(), "--max-expansion", "2")
        assert refused.code == 1 and "no text does that" in refused.stderr, (line, refused.stderr)
        assert "--max-expansion 0, or a number above 2" in refused.stderr
    assert run_in_process("import", "c.gz", "-o", "o.npz", "--max-expansion", "0").code == 0
