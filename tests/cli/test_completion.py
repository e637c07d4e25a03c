"""Shell completion: the words offered, and scripts that work in real shells."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from conftest import run_markov
from engine import model_of
from helpers import posix
from markov_cli.api.train import model_of as as_model
from markov_cli.text import word_completion
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
    """A folder with a model, the completion scripts and a `markov` that runs this program."""
    here = tmp_path_factory.mktemp("completion")
    as_model(model_of(LINES, 3, tokenizer="spaces", unit="line")).save(here / "m.npz")
    (here / "bin").mkdir()
    (here / "bin" / "markov").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m markov_cli "$@"\n', encoding="utf-8")
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
    """The completions that the program sends to a shell."""
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
def test_commands_options_and_words_of_a_model_are_offered(folder):
    assert words(folder, "ins") == ["inspect"]
    assert "--starts-with" in words(folder, "generate", "m.npz", "--st")
    assert "chars" in words(folder, "train", "--tokenizer", "ch")
    assert ask(folder, "inspect", "m") == [["file", "m"]]
    # most frequent first: old 4 times, older once
    assert words(folder, "inspect", "m.npz", "ol") == ["old", "older"]
    # after `the`: old, older, ship; after `the old`: man, sea
    assert words(folder, "inspect", "m.npz", "the", "") == ["old", "older", "ship"]
    assert words(folder, "inspect", "m.npz", "the", "old", "") == ["man", "sea"]
    assert words(folder, "inspect", "m.npz", "the", "old", "s") == ["sea", "saw", "say", "ship"]
    for option in ("--contains", "--without", "--starts-with", "--ends-with", "--pattern", "--prompt"):
        assert words(folder, "generate", "m.npz", option, "shi") == ["ship"]
    assert words(folder, "explore", "m.npz", "--prompt", "'the old m") == ["the old man"]


@posix
def test_words_with_control_characters_are_not_offered(folder):
    assert words(folder, "inspect", "m.npz", "\x1b") == []
    assert all("\x1b" not in w for w in words(folder, "inspect", "m.npz", ""))
    assert words(folder, "inspect", "m.npz", "old", "") == ["man", "sea"]  # not the type with a control character


@posix
@pytest.mark.parametrize(
    "line", [["inspect", "no.npz", "t"], ["inspect", "markov.bash", "t"], ["inspect", "m.npz", "zz"]]
)
def test_failed_completion_is_silent(folder, line):
    assert ask(folder, *line) == []


def test_a_search_ends_with_the_first_frequent_types(monkeypatch):
    """A large vocabulary is searched in parts, most frequent types first, until there are enough."""
    text = [f"w{i}" for i in range(200_000)]
    size = np.array([0, 0, 0, *map(len, text)], np.int64)
    vocabulary = Vocabulary(
        np.frombuffer("".join(text).encode(), np.uint8), np.concatenate(([0], np.cumsum(size))),
        np.empty(0, np.uint8), "words",
    )  # fmt: skip
    search, searched = word_completion._beginning, []
    monkeypatch.setattr(word_completion, "_beginning", lambda v, w, ids: searched.append(len(ids)) or search(v, w, ids))
    assert beginning_with(vocabulary, "w49", 3) == ["w49", "w490", "w491"]
    assert searched == [word_completion._CHUNK]
    searched.clear()
    assert beginning_with(vocabulary, "w199999", 60) == ["w199999"]
    assert beginning_with(vocabulary, "no", 60) == []
    assert sum(searched) == 2 * len(text)


@pytest.mark.parametrize(("word", "is_safe"), [
    ("don't", True), ("Möwe", True), ("👩", True), ("", False), ("a b", False), ("a\tb", False), ("\x1b[0m", False),
    ("a\u202eb", False), ("\udc80", False), ("\x85", False), ("\u00a0", False),
])  # fmt: skip
def test_safe_words_are_printable_without_white_space(word, is_safe):
    assert safe(word) == is_safe


@posix
def test_completion_prints_its_script_as_json(folder):
    done = subprocess.run(
        [folder / "bin" / "markov", "completion", "zsh", "--json"], stdout=subprocess.PIPE, check=True
    )
    assert json.loads(done.stdout) == {"shell": "zsh", "script": (folder / "markov.zsh").read_text(encoding="utf-8")}


# ------------------------------------------------------------ real shells


def in_shell(folder, argv, prompt, typed, shown):
    """Type into a real shell; returns its output up to `shown`."""
    t = Terminal(*argv, columns=100, **environment(folder))
    try:
        t.until("READY")
        t.until(prompt)  # the shell reads keys from here on
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
ECHO = "\x01echo \x05\r"  # prints the completed line


@posix
@needs("bash")
@pytest.mark.parametrize(("typed", "shown"), LINES_TYPED)
def test_bash_completes(folder, typed, shown):
    (folder / "rc").write_text(f"cd {folder}; PS1='$ '; . ./markov.bash; echo READ\"\"Y\n", encoding="utf-8")
    in_shell(folder, ["bash", "--noprofile", "--rcfile", folder / "rc", "-i"], "$ ", typed + ECHO, shown)


@posix
@needs("bash")
def test_bash_keeps_the_order_and_quotes_words(folder):

    code = """. ./markov.bash
        t() { COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _markov_completion markov; printf '%s|' "${COMPREPLY[@]}"; }
        t markov inspect m.npz the ""; t markov inspect m.npz don; t markov generate m.npz --prompt 'the old m'"""
    done = subprocess.run(
        ["bash", "-c", code], cwd=folder, env=environment(folder), capture_output=True, check=True, encoding="utf-8"
    )
    assert done.stdout == "old|older|ship|don\\'t|the\\ old\\ man|"


@posix
@needs("zsh")
@pytest.mark.parametrize(("typed", "shown"), [*LINES_TYPED[:4], ("markov inspect m.npz the \t", "old    older  ship")])
def test_zsh_completes(folder, typed, shown):
    rc = f"cd {folder}; PS1='> '; autoload -Uz compinit; compinit -u -D; . ./markov.zsh; bindkey -e; print READ\"\"Y\n"
    (folder / ".zshrc").write_text(rc, encoding="utf-8")
    echo = ECHO if shown.endswith("\n") else ""
    in_shell(folder, ["env", f"ZDOTDIR={folder}", "zsh", "-d", "-i"], "> ", typed + echo, shown)


@posix
@needs("fish")
def test_fish_completes(folder):
    def completed(line):
        code = f"source markov.fish; complete -C {line!r}"
        done = subprocess.run(
            ["fish", "-c", code], cwd=folder, env=environment(folder), capture_output=True, check=True, encoding="utf-8"
        )
        return [one.split("\t")[0] for one in done.stdout.splitlines()]

    assert completed("markov insp") == ["inspect"]
    assert completed("markov inspect m.npz the ") == ["old", "older", "ship"]
    assert completed("markov inspect m.np") == ["m.npz"]
    assert completed("markov generate m.npz --contains don") == ["don't"]
