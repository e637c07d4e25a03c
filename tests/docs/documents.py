"""Reads the pages of the documentation, runs their blocks, and puts true outputs into them.

In README.md and docs/**/*.md every `console` block is run by the real program and every `python`
block is executed; blocks marked `sh` or `text` are not run. In a console block a line that begins
with `$ ` is a command; the lines after it are what it writes, stderr included. `...` in such a line
stands for anything on that line; a line of only `...` stands for any number of lines.

    python tests/docs/documents.py             write the generated pages and all outputs
    python tests/docs/documents.py PAGE...     the outputs of these pages only
"""

from __future__ import annotations

import doctest
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import python_api
from shell import Shell, markov

from markov_cli.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = ROOT / "docs/reference/commands.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# what differs from run to run or between versions of Python and NumPy
_VARYING = [
    (re.compile(r"^(wrote    [^:]+:) .*$"), r"\1 ..."),
    (re.compile(r"^\S+ \S+ of model for (.* of text): .*$"), r"... of model for \1: ..."),
    (re.compile(r'"model_bytes": \d+'), '"model_bytes": ...'),
    (re.compile(r'"seconds": [\d.]+'), '"seconds": ...'),
    (re.compile(r'"unicode": "[\d.]+"'), '"unicode": "..."'),
    (re.compile(r"^seed \d+$"), "seed ..."),
]


@dataclass
class Step:
    """One command of a console block, and what it should write."""

    command: str
    expected: list[str]

    def matches(self, output: str) -> bool:
        return _pattern(self.expected).fullmatch(normal(output)) is not None

    def renewed(self, output: str) -> list[str]:
        """The command and its true output; the old one where it still matches."""
        lines = self.expected
        if not self.matches(output):
            lines = normal(output).splitlines()
            for pattern, instead in _VARYING:
                lines = [pattern.sub(instead, line) for line in lines]
        return [f"$ {self.command}", *lines]


def page_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def normal(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return "".join(line + "\n" for line in lines)


def _pattern(expected: list[str]) -> re.Pattern[str]:
    parts = []
    for line in normal("\n".join(expected)).splitlines():
        if line == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*".join(map(re.escape, line.split("..."))) + r"\n")
    return re.compile("".join(parts))


def steps(block: str) -> list[Step]:
    out: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            out.append(Step(line[2:], []))
        elif out and out[-1].command.endswith("\\"):
            out[-1].command += "\n" + line
        elif out:
            out[-1].expected.append(line)
        else:
            raise AssertionError(f"a console block begins with a command, not with {line!r}")
    return out


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """contextlib.chdir, which Python 3.10 lacks."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class _Runner(doctest.DocTestRunner):
    """Remembers the examples whose output is another."""

    def __init__(self) -> None:
        super().__init__(optionflags=doctest.ELLIPSIS)
        self.got: list[tuple[doctest.Example, str]] = []

    def report_failure(self, out: Any, test: Any, example: doctest.Example, got: str) -> None:
        super().report_failure(out, test, example, got)
        self.got.append((example, got))


def run_python(code: str, names: dict[str, Any], place: str, folder: Path) -> tuple[str, str]:
    """Execute a python block, as a doctest where it has prompts: the complaints, and the true block."""
    with inside(folder):
        if ">>> " not in code:
            exec(compile(code, place, "exec"), names)
            return "", code
        said: list[str] = []
        runner = _Runner()
        test = doctest.DocTestParser().get_doctest(code, names, place, place, 0)
        runner.run(test, out=said.append, clear_globs=False)
        names.update(test.globs)
    lines = code.splitlines(keepends=True)
    for example, got in reversed(runner.got):
        begin = example.lineno + example.source.count("\n")
        lines[begin : begin + example.want.count("\n")] = got.splitlines(keepends=True)
    return "".join(said), "".join(lines)


@dataclass
class Block:
    """A block that was run: where it stands, what was wrong, and what it should hold."""

    begin: int
    end: int
    wrong: list[str]
    true: str


def walk(text: str, folder: Path) -> Iterator[Block]:
    """Run a page's blocks in their order, in one folder."""
    if not (folder / "corpora").exists():
        (folder / "corpora").symlink_to(ROOT / "corpora", target_is_directory=True)
    shell = Shell(folder)
    names: dict[str, Any] = {}
    for block in FENCE.finditer(text):
        if block[1] == "console":
            wrong, true = [], []
            for step in steps(block[2]):
                output = shell.run(step.command)
                if not step.matches(output):
                    expected = "\n".join(step.expected)
                    wrong.append(f"$ {step.command}\n-- expected\n{expected}\n-- got\n{output}")
                true += step.renewed(output)
            yield Block(block.start(2), block.end(2), wrong, "".join(line + "\n" for line in true))
        elif block[1] == "python":
            line = text.count("\n", 0, block.start()) + 1
            complaint, code = run_python(block[2], names, f"line {line}", folder)
            yield Block(block.start(2), block.end(2), [complaint] if complaint else [], code)


def command_names() -> list[str]:
    """The names of all commands, those of a group after it; "" is the program."""
    names = [""]
    for name in main.list_commands(click.Context(main)):
        command = main.commands[name]
        inner = command.commands if isinstance(command, click.Group) else ()
        names += [name, *(f"{name} {one}" for one in inner)]
    return names


def help_of(name: str) -> str:
    """The output of `markov NAME --help`, 100 columns wide."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            markov([*name.split(), "--help"], stdout=out, stderr=out)
            return normal(page_text(out))
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before


def commands_page() -> str:
    """docs/reference/commands.md, from the program's own help."""
    parts = [
        "# Commands\n\n"
        "The help of every command, as the program prints it. `make docs` writes this page.\n"
        "[Options](options.md) explains the options that need more than a sentence,\n"
        "and the [how-to pages](../README.md#how-to) show them at work.\n"
    ]
    for name in command_names():
        parts.append(f"## markov {name}".rstrip() + f"\n\n```text\n{help_of(name)}```\n")
    return "\n".join(parts)


GENERATED = {COMMANDS: commands_page, python_api.PAGE: python_api.page}


def refresh(path: Path) -> None:
    """Put the true output after every command whose output is another."""
    text = page_text(path)
    with tempfile.TemporaryDirectory() as folder:
        blocks = list(walk(text, Path(folder)))
    for block in reversed(blocks):
        if block.wrong:
            print(f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, block.begin) + 1}: another output")
        text = text[: block.begin] + block.true + text[block.end :]
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    pages = [Path(p).resolve() for p in sys.argv[1:]]
    if not pages:
        for page, written in GENERATED.items():
            page.write_text(written(), encoding="utf-8")
    for page in pages or DOCS:
        refresh(page)
