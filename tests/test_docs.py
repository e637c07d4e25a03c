"""The documentation is true: its commands are run and its outputs compared.

In README.md and docs/*.md every console block is run by the real program, and every python
block is executed. Blocks marked sh or text are not run. In a console block a line that
begins with `$ ` is a command; the lines behind it are what it writes, stderr included. `...` in such a
line stands for anything on that line; a line of only `...` stands for any number of lines.

Refresh docs/commands.md: python tests/test_docs.py --write
Put the true outputs into documents as well: python tests/test_docs.py --write README.md docs/*.md
"""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import markov_cli
from markov_cli.cli.main import main
from markov_cli.generation.prompt import tokens_of
from markov_cli.model.distribution import full_distribution
from markov_cli.text.segmentation import ABBREVIATIONS, UNITS

ROOT = Path(__file__).resolve().parent.parent
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = ROOT / "docs" / "commands.md"
EXIT_CODES = (0, 1, 2, 3, 70, 130)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# what differs from run to run, for --write
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
        return _pattern(self.expected).fullmatch(_normal(output)) is not None


def _normal(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return "".join(line + "\n" for line in lines)


def _pattern(expected: list[str]) -> re.Pattern[str]:
    parts = []
    for line in _normal("\n".join(expected)).splitlines():
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


def _environment() -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "FORCE_COLOR", "PYTHONWARNINGS")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    return {**env, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"}


def run(command: str, folder: Path, **more: str) -> str:
    """What a command writes, stdout and stderr together."""
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env={**_environment(), **more}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace")


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """contextlib.chdir, which Python 3.10 lacks."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def run_python(code: str, names: dict[str, Any], place: str, folder: Path) -> list[str]:
    """Execute a python block, as a doctest where it has prompts; what went wrong."""
    with _inside(folder):
        if ">>> " not in code:
            exec(compile(code, place, "exec"), names)
            return []
        said: list[str] = []
        test = doctest.DocTestParser().get_doctest(code, names, place, place, 0)
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.append, clear_globs=False)
        names.update(test.globs)
        return said


def walk(text: str, folder: Path) -> Iterator[tuple[re.Match[str], Step | None, str]]:
    """Run a document's blocks in their order: each step with its output, python with its complaints."""
    if not (folder / "corpora").exists():
        (folder / "corpora").symlink_to(ROOT / "corpora", target_is_directory=True)
    names: dict[str, Any] = {}
    for block in _FENCE.finditer(text):
        if block[1] == "console":
            for step in steps(block[2]):
                yield block, step, run(step.command, folder)
        elif block[1] == "python":
            line = text.count("\n", 0, block.start()) + 1
            yield block, None, "".join(run_python(block[2], names, f"line {line}", folder))


posix = pytest.mark.skipif(os.name == "nt", reason="the blocks are for a Unix shell")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Future[list[Any]]]]:
    """Documents without python blocks, run beside the others: most of the time is spent in starting processes."""
    with ThreadPoolExecutor(1) as pool:
        yield {
            path: pool.submit(lambda p: list(walk(_text(p), tmp_path_factory.mktemp("doc"))), path)
            for path in DOCS
            if path in SHELL_ONLY
        }


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


SHELL_ONLY = [path for path in DOCS if "\n```python\n" not in _text(path)]


@posix
@pytest.mark.parametrize("path", sorted(DOCS, key=SHELL_ONLY.__contains__), ids=lambda p: p.name)
def test_blocks_run_and_write_what_is_printed(
    path: Path, walked: dict[Path, Future[list[Any]]], tmp_path: Path
) -> None:
    wrong = []
    for _, step, output in walked[path].result() if path in walked else walk(_text(path), tmp_path):
        if step is None:
            wrong += [output] if output else []
        elif not step.matches(output):
            wrong.append(f"$ {step.command}\n-- expected\n" + "\n".join(step.expected) + f"\n-- got\n{output}")
    assert not wrong, "\n\n".join(wrong)


# ---------------------------------------------------------------- commands.md


def help_texts() -> str:
    """docs/commands.md, from the program's own help."""
    parts = [
        "# Commands\n\n"
        "The help of every command, as the program prints it. This file is generated:\n"
        "`python tests/test_docs.py --write`. The [tour](tour.md) shows the options at work.\n"
    ]
    names = [""]
    for name in main.list_commands(click.Context(main)):
        command = main.commands[name]
        inner = command.commands if isinstance(command, click.Group) else ()
        names += [name, *(f"{name} {one}" for one in inner)]
    for name in names:
        words = f"markov {name}".strip()
        with tempfile.TemporaryDirectory() as folder:
            text = run(f"{words} --help", Path(folder), COLUMNS="100")
        parts.append(f"## {words}\n\n```text\n{_normal(text)}```\n")
    return "\n".join(parts)


@posix
def test_commands_md_is_the_help() -> None:
    """Where this fails: python tests/test_docs.py --write"""
    assert _text(COMMANDS).split() == help_texts().split()


def _commands() -> list[click.Command]:
    """All of them, a group before its own."""
    out: list[click.Command] = []
    for c in main.commands.values():
        out += [c, *(c.commands.values() if isinstance(c, click.Group) else ())]
    return out


def _options() -> list[tuple[str, str]]:
    commands = [main, *_commands()]
    found = [(c.name or "", o) for c in commands for p in c.params if isinstance(p, click.Option) for o in p.opts]
    return [(c, o) for c, o in found if o.startswith("--")]


def _mentions(text: str, option: str) -> bool:
    return re.search(rf"{re.escape(option)}(?![\w-])", text) is not None


@pytest.mark.parametrize(("command", "option"), _options())
def test_every_option_is_documented(command: str, option: str) -> None:
    shown = "".join(_text(path) for path in DOCS if path != COMMANDS)
    assert _mentions(_text(COMMANDS), option)
    assert _mentions(shown, option), f"{command} {option} is in no document but docs/commands.md"


@pytest.mark.parametrize("code", EXIT_CODES)
def test_every_exit_code_is_in_the_readme(code: int) -> None:
    assert re.search(rf"^\| {code} \| \S", _text(ROOT / "README.md"), re.MULTILINE)


def test_every_link_leads_somewhere() -> None:
    for path in DOCS:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", _text(path)):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


# ---------------------------------------------------------------- the reader of model-format.md


def _reader() -> dict[str, Any]:
    text = _text(ROOT / "docs/model-format.md")
    (code,) = (b[2] for b in _FENCE.finditer(text) if b[1] == "python" and "def followers(" in b[2])
    (more,) = (b[2] for b in _FENCE.finditer(text) if b[1] == "python" and "def log10_p(" in b[2])
    names: dict[str, Any] = {}
    exec(compile(code + more, "the reader of model-format.md", "exec"), names)
    return names


_MODELS: dict[str, dict[str, Any]] = {
    "default": {},
    "order 1": {"order": 1},
    "order 5": {"order": 5},
    "chars": {"tokenizer": "chars", "unit": "line", "order": 4},
    "rare types": {"min_type_count": 3, "lowercase": True},
    "order above every sequence": {"order": 300},
    "pruned": {"order": 4, "prune": (0, 0, 1)},
}


@pytest.mark.parametrize("options", _MODELS.values(), ids=_MODELS)
def test_the_documented_reader_reads_every_model(options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    model = markov_cli.train([ROOT / "corpora/harbour.txt"], **options)
    model.save(path)
    reader = _reader()
    header, types, a = reader["read"](path)
    assert len(types) == header["types"] + 3 == model.table.n_ids
    for k, order in enumerate(model.table.orders, 1):
        assert not len(order) or len(reader["counts"](a, f"count_{k}")) == len(order)
    rng = np.random.default_rng(1)
    for level in range(min(model.order, 100)):
        rows = len(model.table.orders[level - 1]) if level else 1
        for row in rng.integers(0, rows, 20 if level else 1) if rows else np.empty(0, int).tolist():
            theirs = reader["followers"](a, model.table.ngram(level, row))
            ours = model.follow(level, row) if level else model.followers()
            assert sorted(c for _, c in theirs) == sorted(f.count for f in ours.followers)
            shown = {(f.token or "", f.count) for f in ours.followers}
            assert {(types[i].decode("utf-8", "replace"), c) for i, c in theirs} == shown


@posix
def test_the_documented_reader_agrees_with_inspect(tmp_path: Path) -> None:
    markov_cli.train([ROOT / "corpora/harbour.txt"]).save(tmp_path / "m.npz")
    reader = _reader()
    _, types, a = reader["read"](tmp_path / "m.npz")
    told = json.loads(run("markov inspect m.npz the clock --json --top 1000", tmp_path))
    theirs = reader["followers"](a, [types.index(b"the"), types.index(b"clock")])
    assert {(types[i].decode(), c) for i, c in theirs} == {(f["token"], f["count"]) for f in told["followers"]}
    assert sum(c for _, c in theirs) == told["total"]


def test_the_documented_reader_reads_probabilities(tmp_path: Path) -> None:
    """Of every id behind histories of every length, seen or not."""
    made = markov_cli.train([ROOT / "corpora/harbour.txt"], order=4, prune=(0, 0, 1))
    with open(tmp_path / "x.arpa", "wb") as out:
        markov_cli.export_arpa(made, out, smoothing="kn")
    model = markov_cli.import_arpa(tmp_path / "x.arpa")
    model.save(tmp_path / "m.npz")
    reader = _reader()
    header, types, a = reader["read"](tmp_path / "m.npz")
    assert header["holds"] == "probabilities" and len(types) == model.table.n_ids
    rng = np.random.default_rng(1)
    for history in [[], [1], [5], [1, 6], *rng.integers(3, 30, (20, 3)).tolist()]:
        ours = full_distribution(model.distribution(), *model.table.find(history))
        for i in [0, 2, *rng.integers(3, len(types), 20).tolist()]:
            assert 10 ** reader["log10_p"](a, history, i) == pytest.approx(ours[i], rel=1e-6)


# ---------------------------------------------------------------- the rules of how-it-works.md


def _cells(heading: str) -> Iterator[tuple[str, list[str]]]:
    """Rows of the tables below a heading whose last cells are a text and what becomes of it, in backticks."""
    text = _text(ROOT / "docs/how-it-works.md")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        cells = [re.findall(r"`([^`]+)`", c) for c in line.strip("|").split(" | ")]
        if line.startswith("|") and len(cells) >= 2 and len(cells[-2]) == 1:
            yield cells[-2][0], cells[-1]


def test_the_token_rules_are_true() -> None:
    rows = [r for r in _cells("The rules for tokens") if r[1] and " " not in "".join(r[1]) and "--" not in r[0]]
    assert len(rows) >= 11
    for text, tokens in rows:
        model = markov_cli.train(texts=[text], unit="file", order=1)
        assert [t.decode() for t, _ in tokens_of(text, model.header.options)] == tokens


def test_the_sentence_rules_are_true() -> None:
    rows = [r for r in _cells("The rules for sequences") if len(r[0]) > 5 and r[0] not in UNITS]
    assert len(rows) >= 8
    for text, sentences in rows:
        whole = sentences if len(sentences) > 1 else [text]
        one = markov_cli.train(texts=[text], tokenizer="spaces")
        other = markov_cli.train(texts=whole, tokenizer="spaces", unit="file")
        for a, b in zip(one.table.orders[1:], other.table.orders[1:], strict=True):
            assert a.token is not None and b.token is not None
            assert a.token.tolist() == b.token.tolist(), text
        assert one.header.sequences == len(whole), text


def test_every_abbreviation_is_listed() -> None:
    text = _text(ROOT / "docs/how-it-works.md").lower()
    assert not [a for a in ABBREVIATIONS if f"`{a}`" not in text]


# ---------------------------------------------------------------- refreshing


def _refreshed(step: Step, output: str) -> str:
    if step.matches(output):
        lines = step.expected
    else:
        lines = _normal(output).splitlines()
        for pattern, instead in _VARYING:
            lines = [pattern.sub(instead, line) for line in lines]
        print(f"  changed: $ {step.command}")
    return "".join(line + "\n" for line in [f"$ {step.command}", *lines])


def refresh(path: Path) -> None:
    """Put the true output behind every command whose output is another."""
    text = _text(path)
    blocks: dict[int, str] = {}
    found: dict[int, re.Match[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for block, step, output in walk(text, Path(folder)):
            if step is not None:
                found[block.start()] = block
                blocks[block.start()] = blocks.get(block.start(), "") + _refreshed(step, output)
            elif output:
                print(output)
    for start in sorted(blocks, reverse=True):
        block = found[start]
        text = text[: block.start(2)] + blocks[start] + text[block.end(2) :]
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--write"]:
        sys.exit("usage: python tests/test_docs.py --write [FILE...]")
    COMMANDS.write_text(help_texts(), encoding="utf-8")
    for document in [Path(p).resolve() for p in sys.argv[2:]]:
        print(document.name)
        refresh(document)
