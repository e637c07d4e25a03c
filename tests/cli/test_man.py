"""Manual pages: complete, and rendered by groff and man without a warning."""

import json
import os
import re
import shutil
import subprocess

import click
import pytest

import markov_cli
from helpers import posix
from markov_cli.cli.main import main
from markov_cli.cli.roff import escaped, pages

groff = pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
PAGES = pages(main, markov_cli.__version__)


def shown(page):
    """Render a page without line breaks; returns the text and groff's warnings."""
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-rLL=4000n", "-P-cbou"], input=page.encode(),
        capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout.decode(), done.stderr.decode()


@groff
@pytest.mark.parametrize("name", PAGES)
def test_groff_renders_every_page_without_a_warning(name):
    text, complaints = shown(PAGES[name])
    assert complaints == ""
    words = text.split()
    command = main.commands.get(name.removesuffix(".1").removeprefix("markov-"), main)
    for option in command.params:
        for flag in option.opts if isinstance(option, click.Option) else ():
            assert flag in words or f"{flag}," in words
    # the whole help, with plain dashes and quotes that can be pasted into a shell
    plain = re.sub(r"[\b]", "", " ".join((command.help or "").split()))
    assert " ".join(plain.split()) in " ".join(words)


@groff
def test_text_that_looks_like_roff_is_escaped():
    nasty = '.TH evil 1\n\'br\n\\fBno\\fR \\n(.x `a` ^b ~c --d "e" \\'

    @click.command(help=f"First.\n\n\b\n{nasty}\n\n{nasty}")
    @click.option("--x", help=nasty, metavar="'.\\X")
    def evil(x):
        pass

    group = click.Group("markov", commands={"evil": evil}, help=".SH not a heading")
    made = pages(group, "1.0")
    text, complaints = shown(made["markov-evil.1"])
    assert complaints == ""
    for line in nasty.splitlines():
        assert line in text
    assert " ".join(nasty.split()) in " ".join(text.split())
    assert "--x '.\\X" in text
    assert ".SH not a heading" in shown(made["markov.1"])[0]


def test_lines_that_look_like_requests_are_escaped():
    assert escaped(".a\n.b\n'c") == "\\&.a\n\\&.b\n\\(aqc"


def test_pages_hold_no_date():
    assert pages(main, markov_cli.__version__) == PAGES
    assert not any(re.search(r"\b20\d\d\b", page) for page in PAGES.values())


def test_man_writes_the_pages(run, tmp_path):
    ran = run("man", tmp_path / "new" / "man1", "--json")
    assert ran.code == 0
    assert json.loads(ran.stdout) == {"folder": str(tmp_path / "new" / "man1"), "pages": list(PAGES)}
    assert {p.name: p.read_text(encoding="utf-8") for p in (tmp_path / "new" / "man1").iterdir()} == PAGES


def test_man_refuses_a_file_as_folder(run, tmp_path):
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    ran = run("man", tmp_path / "file")
    assert ran.code == 2 and len(ran.stderr.splitlines()) == 2
    assert run("man", tmp_path / "file" / "under").code == 1
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


def has_man_db():
    """True if `man` is man-db; minimal systems have a script in its place, and others lack -l."""
    if shutil.which("man") is None:
        return False
    said = subprocess.run(["man", "--version"], capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    return re.match(rb"man \d", said.stdout) is not None


@posix
@pytest.mark.skipif(not has_man_db(), reason="needs man-db")
def test_the_program_man_shows_a_page(tmp_path):
    (tmp_path / "markov-generate.1").write_text(PAGES["markov-generate.1"], encoding="utf-8")
    done = subprocess.run(
        ["man", "-l", tmp_path / "markov-generate.1"], capture_output=True, check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MANWIDTH": "78", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert b"markov generate book.npz -c 5 -s 42" in done.stdout
    assert max(map(len, done.stdout.decode().splitlines())) <= 80
