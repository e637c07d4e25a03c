"""Plain English: how docstrings may open, and words that no help text and no error message may hold."""

import ast
import re
from pathlib import Path

import click
import pytest

from markov_cli.cli.main import main

ROOT = Path(__file__).parents[1]
FILES = [path for part in ("src", "tests", "benchmarks") for path in sorted((ROOT / part).rglob("*.py"))]
OPENING = re.compile(r"(What|Whether|How|Of|The same)\b")
ODD = re.compile(
    r"\b(anew|oftener|what is of it|stands? in|stand at|behind (it|them)|lost their way|said of|is none)\b"
)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def commands(command, name):
    yield name, command
    for sub, one in getattr(command, "commands", {}).items():
        yield from commands(one, f"{name} {sub}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_first_lines_of_docstrings_are_plain_statements(path):
    nodes = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, DOCUMENTED)]
    first = [(ast.get_docstring(n) or "").partition("\n")[0] for n in nodes]
    assert [line for line in first if OPENING.match(line)] == []


@pytest.mark.parametrize(
    "command", [one for _, one in commands(main, "markov")], ids=[name for name, _ in commands(main, "markov")]
)
def test_help_texts_hold_no_odd_words(command):
    texts = [command.help or "", *(p.help or "" for p in command.params if isinstance(p, click.Option))]
    assert [text for text in texts if ODD.search(text)] == []


@pytest.mark.parametrize("path", [p for p in FILES if "src" in p.parts], ids=lambda p: str(p.relative_to(ROOT)))
def test_error_messages_hold_no_odd_words(path):
    raised = [
        n.exc for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Raise) and n.exc
    ]
    said = [c.value for e in raised for c in ast.walk(e) if isinstance(c, ast.Constant) and isinstance(c.value, str)]
    assert [text for text in said if ODD.search(text)] == []
