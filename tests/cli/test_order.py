"""Results and messages in one pipe: a message stands behind the results that were written before it."""

import ast
import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

import markov_cli
from conftest import environment, start_markov
from helpers import MARKOV, full, posix

PACKAGE = Path(markov_cli.__file__).parent
MESSAGES = PACKAGE / "render" / "messages.py"

# ------------------------------------------------------------ the sources


def ways_to_stderr(tree):
    """(line, way) of all that could write to stderr."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("stderr", "__stderr__"):
            yield node.lineno, "sys.stderr"
        elif isinstance(node, ast.ImportFrom) and node.module in ("sys", "logging", "warnings"):
            yield node.lineno, f"from {node.module} import"
        elif isinstance(node, ast.Import) and {a.name for a in node.names} & {"logging", "warnings"}:
            yield node.lineno, "import logging or warnings"
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("print_exc", "print_exception", "print_stack", "progressbar", "get_text_stream"):
                yield node.lineno, called
            if called == "write" and node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 2:
                yield node.lineno, "os.write(2, ...)"
            yield from ((node.lineno, f"{k.arg}=") for k in node.keywords if k.arg in ("err", "stderr"))


@pytest.mark.parametrize(
    "code",
    [
        "click.echo('x', err=True)",
        "click.echo('x', err=path == '-')",
        "print('x', file=sys.stderr)",
        "Console(stderr=True)",
        "from sys import stderr",
        "import warnings",
        "os.write(2, b'x')",
        "traceback.print_exc()",
    ],
)
def test_every_way_to_stderr_is_seen(code):
    assert list(ways_to_stderr(ast.parse(code)))


def test_one_module_writes_to_stderr():
    found = {p: list(ways_to_stderr(ast.parse(p.read_text(encoding="utf-8")))) for p in PACKAGE.rglob("*.py")}
    assert found.pop(MESSAGES)
    assert {str(p.relative_to(PACKAGE)): ways for p, ways in found.items() if ways} == {}


# ------------------------------------------------------------ real processes

# a command, and how lines of its only stream begin: the first, some in the middle, the last; * where a model ends
COMMANDS = {
    "generate": ("generate m.npz -c 3", ["seed ", ""]),
    "generate, a history shortened": (
        "generate m.npz -s 1 --within --prompt",
        "harbour zebra",
        ["'zebra' is not in the model", "harbour zebra"],
    ),
    "generate, notes behind": ("generate m.npz -s 1 -c 200 --balanced", ["", "200 of "]),
    "score --each line": ("score m.npz lines.txt --each line --cut 9,99", ["bucket\t", "tail\t", "head 0, ", "note: "]),
    "score --each token": ("score m.npz lines.txt --each token", ["token\t", "The\t", "note: 1 empty"]),
    "score --classify": (
        "score m.npz --model small.npz --classify lines.txt",
        ["kn: ", "model\t", "small\t2", "small\t3 lines", "-\t1 line"],
    ),
    "score --jsonl": (
        "score m.npz many.jsonl --jsonl t --min-perplexity 1",
        ['{"t": "the', '{"t": "end', "kept 2,001 of"],
    ),
    "train --json": ("train small.txt --unit line -o new.npz --json", ["read ", "wrote ", "note ", '{"model": ']),
    "train -o - --json": ("train small.txt --unit line -o - --json -q", ["PK", '*{"model": "-"']),
    "merge --json": ("merge small.npz small.npz -o merged.npz --json", ["holds ", "wrote ", '{"model": ']),
    "export -o - --json": ("export small.npz -o - --json", ["\\data\\", "\\end\\", "kn: ", '{"model": ']),
    "inspect": ("inspect m.npz harbour zebra", ["'zebra' is not", "(no history)", ""]),
    "audit --corpus": (
        "audit small.npz --corpus lines.txt",
        ["1 empty", "small.npz: ", "markov: lines.txt: not", "  name "],
    ),
    "audit --rebuild -": ("audit small.npz --rebuild - -s 1", ["a b", "b", "-: a random text"]),
    "audit --strings -": ("audit small.npz --strings -", ["tokens\t", "-: 0 certain"]),
    "trace": ("trace lines.txt --corpus lines.txt", ["lines.txt is also in", "tokens ", "  The"]),
    "canary make": ("canary make --count 9 -s 1 --format {d}{d}", ["", "", "", "27 canaries"]),
    "man --json": ("man pages --json", ['{"folder": ', "wrote "]),
    "explore --json": ("explore m.npz --json -s 1", ['{"text"', "N  ", ":quit", ":nothing", "  :help", '{"text"']),
}
INPUT = b":help\n:nothing\n:back 0\n1\n"  # what explore reads


@pytest.fixture(scope="module")
def folder(tmp_path_factory, corpora):
    here = tmp_path_factory.mktemp("order")
    (here / "small.txt").write_text("a b\na c\n\nb\n")
    (here / "lines.txt").write_text("The harbour was quiet.\nDas Meer war ruhig.\n\nThe old clock struck.\n")
    (here / "many.jsonl").write_text('{"t": "the old clock"}\n' * 2000 + '{"t": "end"}\n')
    for text, name, order in [(corpora / "harbour.txt", "m.npz", 3), (here / "small.txt", "small.npz", 2)]:
        markov_cli.train([text], unit="line", order=order).save(here / name)
    return here


def small_pipe():
    """A pipe that holds a page, so that the writer has to wait for a slow reader."""
    reading, writing = os.pipe()
    if sys.platform == "linux":
        import fcntl

        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    return reading, writing


@posix
@pytest.mark.parametrize("name", COMMANDS)
def test_messages_stand_behind_the_results_before_them(folder, name):
    words, *text, lines = COMMANDS[name]
    reading, writing = small_pipe()
    given, typed = os.pipe()
    end = start_markov([*words.split(), *text], [given, writing, writing], environment(), cwd=folder)
    os.write(typed, INPUT if words.startswith("explore") else b"")
    os.close(typed)
    written = b""
    with open(reading, "rb", buffering=0) as pipe:
        select.select([pipe], [], [])
        time.sleep(0.05)  # whatever can be written before this is read is written
        while piece := pipe.read(1 << 12):
            written += piece
    end()
    between = [r"(?s:.*)" + "\n" * (not line.startswith("*")) + re.escape(line.removeprefix("*")) for line in lines[1:]]
    pattern = re.escape(lines[0]) + "".join(between) + r"[^\n]*\n"
    assert re.fullmatch(pattern, written.decode("utf-8", "replace")), written.decode("utf-8", "replace")


@posix
def test_rows_are_there_before_a_message_is(folder):
    """Two pipes: when a message arrives, the rows before it have arrived."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [*MARKOV, "score", "m.npz", "lines.txt", "--each", "token"],
        cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stderr.readline().startswith(b"note: ")
        assert select.select([running.stdout], [], [], 0)[0]


# ------------------------------------------------------------ stdout that nobody takes


@posix
def test_a_closed_stdout_is_nowhere(folder):
    """`>&-`: what has no place is not written, and no file takes the place of stdout."""
    shell = '"$@" >&- 2>err'
    for args, said in [(["inspect", "m.npz"], ""), (["train", "small.txt", "-o", "closed.npz", "-q", "--json"], "")]:
        done = subprocess.run(["sh", "-c", shell, "sh", *MARKOV, *args], cwd=folder, check=False)
        assert (done.returncode, (folder / "err").read_text()) == (0, said)
    assert markov_cli.Model.load(folder / "closed.npz").order == 3


@posix
def test_a_closed_stderr_loses_messages_only(folder):
    done = subprocess.run(
        ["sh", "-c", '"$@" 2>&-', "sh", *MARKOV, "score", "m.npz", "lines.txt"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"tokens ")
    done = subprocess.run(
        ["sh", "-c", '"$@" 2>&-', "sh", *MARKOV, "score", "m.npz", "nosuch"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (1, b"")


@full
@pytest.mark.parametrize(
    "words",
    [
        "score m.npz lines.txt",
        "score m.npz --model small.npz --classify lines.txt",
        "audit small.npz --corpus lines.txt",  # its answer would be no
        "export small.npz -o -",
    ],
)
def test_a_full_disk_is_told_before_messages_that_stand_behind(folder, words):
    with open("/dev/full", "wb") as out:
        done = subprocess.run([*MARKOV, *words.split()], cwd=folder, stdout=out, stderr=subprocess.PIPE, check=False)
    said = [line for line in done.stderr.decode().splitlines() if not line.startswith(("kn: ", "1 empty"))]
    assert done.returncode == 1
    assert said == [
        "markov: No space left on device",
        "  free some space, or write elsewhere; an earlier file is unchanged",
    ]
