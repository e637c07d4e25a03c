"""Completion: what is offered, and that real shells take it."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from conftest import run_markov
from engine import model_of
from helpers import posix
from markov_cli.api.train import model_of as as_model
from markov_cli.text.vocabulary import Vocabulary
from markov_cli.text.word_completion import beginning_with, safe
from terminal import Terminal

LINES = """the old man saw the old sea
the old man don't say
the older boat
the ship
old \x1b[31m ropes"""


def needs(shell):
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"needs {shell}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, and a folder whose `markov` is this one."""
    here = tmp_path_factory.mktemp("completion")
    as_model(model_of(LINES, 3, tokenizer="spaces", unit="line")).save(here / "m.npz")
    (here / "bin").mkdir()
    (here / "bin" / "markov").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m markov_cli "$@"\n')
    (here / "bin" / "markov").chmod(0o755)
    for shell in ("bash", "zsh", "fish"):
        done = subprocess.run([here / "bin" / "markov", "completion", shell], stdout=subprocess.PIPE, check=True)
        (here / f"markov.{shell}").write_bytes(done.stdout)
    return here


def environment(folder):
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("COMP_")},
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder), "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder),
    }  # fmt: skip


def ask(folder, *words):
    """What the program answers a shell."""
    env = {
        "COMP_WORDS": "\n".join(["markov", *words]),
        "COMP_CWORD": str(len(words)),
        "_MARKOV_COMPLETE": "bash_complete",
    }
    done = run_markov(cwd=folder, env=env)
    assert (done.code, done.stderr) == (0, "")
    return [line.split("\t")[:2] for line in done.stdout.splitlines() if line]


def words(folder, *line):
    return [value for kind, value in ask(folder, *line) if kind == "plain"]


@posix
def test_what_is_offered(folder):
    assert words(folder, "ins") == ["inspect"]
    assert "--starts-with" in words(folder, "generate", "m.npz", "--st")
    assert "chars" in words(folder, "train", "--tokenizer", "ch")
    assert ask(folder, "inspect", "m") == [["file", "m"]]
    # the commonest first: old 4 times, older once
    assert words(folder, "inspect", "m.npz", "ol") == ["old", "older"]
    # behind `the`: old, older, ship; behind `the old`: man, sea
    assert words(folder, "inspect", "m.npz", "the", "") == ["old", "older", "ship"]
    assert words(folder, "inspect", "m.npz", "the", "old", "") == ["man", "sea"]
    assert words(folder, "inspect", "m.npz", "the", "old", "s") == ["sea", "saw", "say", "ship"]
    for option in ("--contains", "--without", "--starts-with", "--ends-with", "--pattern", "--prompt"):
        assert words(folder, "generate", "m.npz", option, "shi") == ["ship"]
    assert words(folder, "explore", "m.npz", "--prompt", "'the old m") == ["the old man"]


@posix
def test_nothing_that_could_harm_a_terminal(folder):
    assert words(folder, "inspect", "m.npz", "\x1b") == []
    assert all("\x1b" not in w for w in words(folder, "inspect", "m.npz", ""))
    assert words(folder, "inspect", "m.npz", "old", "") == ["man", "sea"]  # and not the one with a control character


@posix
@pytest.mark.parametrize(
    "line", [["inspect", "no.npz", "t"], ["inspect", "markov.bash", "t"], ["inspect", "m.npz", "zz"]]
)
def test_what_cannot_be_completed_is_silent(folder, line):
    assert ask(folder, *line) == []


def test_of_half_a_million_types():
    """In 0.03 s: the first commonest thousands end the search where there are enough."""
    text = [f"w{i}" for i in range(500_000)]
    blob = "".join(text).encode()
    import numpy as np

    size = np.array([0, 0, 0, *map(len, text)], np.int64)
    vocabulary = Vocabulary(
        np.frombuffer(blob, np.uint8), np.concatenate(([0], np.cumsum(size))), np.empty(0, np.uint8), "words"
    )
    assert beginning_with(vocabulary, "w49", 3) == ["w49", "w490", "w491"]
    begin = time.process_time()
    assert beginning_with(vocabulary, "w499999", 60) == ["w499999"]
    assert beginning_with(vocabulary, "no", 60) == []
    assert time.process_time() - begin < 1  # 0.03 s


@pytest.mark.parametrize(("word", "is_safe"), [
    ("don't", True), ("Möwe", True), ("👩", True), ("", False), ("a b", False), ("a\tb", False), ("\x1b[0m", False),
    ("a\u202eb", False), ("\udc80", False), ("\x85", False), ("\u00a0", False),
])  # fmt: skip
def test_what_is_safe(word, is_safe):
    assert safe(word) == is_safe


@posix
def test_as_json(folder):
    done = subprocess.run(
        [folder / "bin" / "markov", "completion", "zsh", "--json"], stdout=subprocess.PIPE, check=True
    )
    assert json.loads(done.stdout) == {"shell": "zsh", "script": (folder / "markov.zsh").read_text()}


# ------------------------------------------------------------ real shells


def in_shell(folder, argv, typed, shown):
    """Type into a real shell: what it shows until a text comes."""
    t = Terminal(*argv, columns=100, **environment(folder))
    try:
        t.until("GO: ")  # the shell's prompt: from here on it reads keys
        t.type(typed)
        return t.until(shown)
    finally:
        t.type("\x03")
        t.type("\nexit\n")
        t.close()


LINES_TYPED = [
    ("markov insp\t", "markov inspect\r\n"),
    ("markov inspect m.\t", "markov inspect m.npz\r\n"),
    ("markov inspect m.npz the shi\t", "markov inspect m.npz the ship\r\n"),
    ("markov inspect m.npz don\t", "markov inspect m.npz don't\r\n"),
    ('markov generate m.npz --prompt "the old m\t', "markov generate m.npz --prompt the old man\r\n"),
]
ECHO = "\x01echo \x05\r"  # shows what the line has become


@posix
@needs("bash")
@pytest.mark.parametrize(("typed", "shown"), LINES_TYPED)
def test_bash(folder, typed, shown):
    (folder / "rc").write_text(f"cd {folder}; PS1='GO: '; . ./markov.bash\n")
    in_shell(folder, ["bash", "--noprofile", "--rcfile", folder / "rc", "-i"], typed + ECHO, shown)


@posix
@needs("bash")
def test_bash_keeps_the_order(folder):
    """The commonest first, and words with spaces or quotes whole."""
    code = """. ./markov.bash
        t() { COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _markov_completion markov; printf '%s|' "${COMPREPLY[@]}"; }
        t markov inspect m.npz the ""; t markov inspect m.npz don; t markov generate m.npz --prompt 'the old m'"""
    done = subprocess.run(
        ["bash", "-c", code], cwd=folder, env=environment(folder), capture_output=True, check=True, text=True
    )
    assert done.stdout == "old|older|ship|don\\'t|the\\ old\\ man|"


@posix
@needs("zsh")
@pytest.mark.parametrize(("typed", "shown"), [*LINES_TYPED[:4], ("markov inspect m.npz the \t", "old    older  ship")])
def test_zsh(folder, typed, shown):
    rc = f"cd {folder}; PS1='GO: '; autoload -Uz compinit; compinit -u -D; . ./markov.zsh; bindkey -e\n"
    (folder / ".zshrc").write_text(rc)
    echo = ECHO if shown.endswith("\n") else ""
    in_shell(folder, ["env", f"ZDOTDIR={folder}", "zsh", "-d", "-i"], typed + echo, shown)


@posix
@needs("fish")
def test_fish(folder):
    def completed(line):
        code = f"source markov.fish; complete -C {line!r}"
        done = subprocess.run(
            ["fish", "-c", code], cwd=folder, env=environment(folder), capture_output=True, check=True, text=True
        )
        return [one.split("\t")[0] for one in done.stdout.splitlines()]

    assert completed("markov insp") == ["inspect"]
    assert completed("markov inspect m.npz the ") == ["old", "older", "ship"]
    assert completed("markov inspect m.np") == ["m.npz"]
    assert completed("markov generate m.npz --contains don") == ["don't"]
