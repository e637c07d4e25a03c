"""Results and messages in one pipe: a message stands behind the results that were written before it."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import markov_cli
from helpers import MARKOV, posix

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

LINES = "The harbour was quiet.\nDas Meer war ruhig.\n\nThe old clock struck.\n"
KEPT = "<kept>"  # in place of the model that `setup` made

# command, and how lines of its one stream begin, in their order
COMMANDS = {
    "generate": (["generate", "m.npz", "-c", "3"], ["seed ", "", "", ""]),
    "generate, history shortened": (
        ["generate", "m.npz", "-s", "1", "--prompt", "zebra the harbour", "--within"],
        ["history shortened", "zebra the harbour"],
    ),
    "generate, notes behind": (
        ["generate", "m.npz", "-s", "1", "-c", "400", "--match", "^The"],
        ["The"] * 400 + ["kept 400 of "],
    ),
    "generate, fewer": (["generate", "small.npz", "-s", "1", "-c", "9", "--unique"], ["", "", "", "kept "]),
    "score": (["score", "m.npz", "lines.txt"], ["kn: ", "tokens ", "OOV", "perplexity", " ", "bits", "bits", "log10"]),
    "score --each line": (
        ["score", "m.npz", "lines.txt", "--each", "line", "--cut", "9,99"],
        ["kn: ", "bucket\t", *["head\t", "middle\t", "tail\t"], "head"],
    ),
    "score --classify": (
        ["score", "m.npz", "--model", "small.npz", "--classify", "lines.txt"],
        ["kn: ", "model\t", "m\t", "", "", "", "m\t3 lines", "-\t1 line"],
    ),
    "score --max-perplexity": (
        ["score", "m.npz", "many.txt", "--max-perplexity", "1e9"],
        ["kn: ", *["The harbour", "Das Meer"] * 1000, "kept 2,000 of 2,000 lines"],
    ),
}
