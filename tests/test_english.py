"""Plain English: how docstrings open, words that no help text or error holds, pages without marks of a merge."""

import ast
import re
from pathlib import Path

import click
import pytest

from markov_cli.cli.main import main
from sources import statements

ROOT = Path(__file__).parents[1]
FILES = [path for part in ("src", "tests", "benchmarks") for path in sorted((ROOT / part).rglob("*.py"))]
OPENING = r"(What|Whether|How|Of|The same)\b"
ODD = re.compile(
    r"\b(anew|oftener|what is of it|stands? in|stand at|behind (it|them)|lost their way|said of|is none)\b"
)


def commands(command, name):
    yield name, command
    for sub, one in getattr(command, "commands", {}).items():
        yield from commands(one, f"{name} {sub}")


def test_no_page_holds_the_marks_of_an_unfinished_merge():
    pages = [path for part in ("docs", "benchmarks") for path in sorted((ROOT / part).rglob("*.md"))]
    pages += sorted(ROOT.glob("*.md"))
    assert len(pages) > 20
    marks = re.compile(r"^(<{7} |>{7} |={7}$)", re.MULTILINE)
    assert [path for path in pages if marks.search(path.read_text(encoding="utf-8"))] == []


def test_first_lines_of_docstrings_are_plain_statements():
    """A string in three quotes that begins its line is one, or is held to the same."""
    opening = re.compile(rf'^ *"""{OPENING}.*', re.MULTILINE)
    assert [(path, found[0]) for path in FILES for found in opening.finditer(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "command", [one for _, one in commands(main, "markov")], ids=[name for name, _ in commands(main, "markov")]
)
def test_help_texts_hold_no_odd_words(command):
    texts = [command.help or "", *(p.help or "" for p in command.params if isinstance(p, click.Option))]
    assert [text for text in texts if ODD.search(text)] == []


def test_error_messages_hold_no_odd_words():
    ours = [path for path in FILES if path.is_relative_to(ROOT / "src")]
    raised = [(path, n.exc) for path in ours for n in statements(path) if isinstance(n, ast.Raise) and n.exc]
    said = [(path, c.value) for path, e in raised for c in ast.walk(e) if isinstance(c, ast.Constant)]
    assert [(path, text) for path, text in said if isinstance(text, str) and ODD.search(text)] == []
