"""Runs a line of shell: each `markov` in this process, everything else in `sh`.

The pages hold some 400 commands. A process and an import for each take 0.3 s; a call takes 0.02 s.
The program sees files as stdin, stdout and stderr, as it does behind a redirection. A line that this
module cannot read (loops, variables, brackets) goes to `sh` whole.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from markov_cli.cli.main import main

KEYWORDS = {"for", "while", "until", "if", "case", "do", "done", "{", "!", "cd", "export", "set"}
# an unquoted one of these needs a real shell, at least for its stage
SPECIAL = set("$`*?[~#")


@dataclass
class Stage:
    """One program of a pipeline."""

    text: str = ""
    words: list[str] = field(default_factory=list)
    redirects: list[tuple[str, str]] = field(default_factory=list)  # (operator, file)
    special: bool = False  # holds something that only a shell expands

    @property
    def is_markov(self) -> bool:
        return self.words[:1] == ["markov"]


@dataclass
class Pipeline:
    """Programs joined by `|`, and the connector before them: "", ";", "&&" or "||"."""

    connector: str
    stages: list[Stage]

    @property
    def text(self) -> str:
        return " | ".join(s.text for s in self.stages)

    @property
    def is_shell(self) -> bool:
        return not any(s.is_markov for s in self.stages) and not self.is_echo

    @property
    def is_echo(self) -> bool:
        """`echo` of words and `$?` alone."""
        (first, *others) = self.stages
        plain = "$" not in first.text.replace("$?", "") and not first.redirects
        return not others and first.words[:1] == ["echo"] and plain


class _Unreadable(Exception):
    """A line for a real shell."""


class _Scanner:
    """Reads a line once, from left to right."""

    def __init__(self, line: str) -> None:
        self.line, self.i = line.replace("\\\n", ""), 0
        self.pipelines = [Pipeline("", [])]
        self.stage, self.word, self.begin = Stage(), None, 0
        self.operator: str | None = None

    def read(self) -> list[Pipeline]:
        while self.i < len(self.line):
            self.step(self.line[self.i])
        self.end_stage()
        return self.pipelines

    def step(self, c: str) -> None:
        two = self.line[self.i : self.i + 2]
        if c in "'\"":
            self.quoted(c)
        elif c == "\\":
            self.add(self.line[self.i + 1 : self.i + 2])
            self.i += 2
        elif c in " \t":
            self.end_word()
            self.i += 1
        elif two in ("&&", "||") or c in "|;":
            self.end_stage()
            mark = two if two in ("&&", "||") else c
            self.i += len(mark)
            self.begin = self.i
            if mark != "|":
                self.pipelines.append(Pipeline(mark, []))
        elif c in "<>":
            self.redirect(c)
        elif c in "&(){}\n":
            raise _Unreadable
        else:
            self.stage.special |= c in SPECIAL
            self.add(c)
            self.i += 1

    def add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def quoted(self, mark: str) -> None:
        end = self.i + 1
        while end < len(self.line) and self.line[end] != mark:
            end += 2 if mark == '"' and self.line[end] == "\\" else 1
        inner = self.line[self.i + 1 : end]
        if mark == '"':
            self.stage.special |= "$" in inner or "`" in inner
            for c in '\\"$`':
                inner = inner.replace("\\" + c, c)
        self.add(inner)
        self.i = end + 1

    def redirect(self, c: str) -> None:
        if self.line[self.i : self.i + 2] in ("<<", "<(", ">(", "<&"):
            raise _Unreadable
        number = ""
        if self.word is not None and self.word.isdigit():
            number, self.word = self.word, None
        self.end_word()
        self.i += 1
        if self.line[self.i : self.i + 1] == ">":
            c, self.i = ">>", self.i + 1
        if self.line[self.i : self.i + 2] == "&1":
            self.i += 2
            self.stage.redirects.append((number + c, "&1"))
        else:
            self.operator = number + c

    def end_word(self) -> None:
        if self.word is None:
            return
        if self.operator is not None:
            self.stage.redirects.append((self.operator, self.word))
            self.operator = None
        else:
            self.stage.words.append(self.word)
        self.word = None

    def end_stage(self) -> None:
        self.end_word()
        stage = self.stage
        stage.text = self.line[self.begin : self.i].strip()
        if not stage.words or stage.words[0] in KEYWORDS or "=" in stage.words[0]:
            raise _Unreadable
        if stage.is_markov and (stage.special or {"--stream", "--dask"} & set(stage.words)):
            raise _Unreadable
        self.pipelines[-1].stages.append(stage)
        self.stage = Stage()


def parse(line: str) -> list[Pipeline] | None:
    """The pipelines of a line, those without `markov` put together; None for a line that needs a real shell."""
    try:
        found = _Scanner(line).read()
    except _Unreadable:
        return None
    out: list[Pipeline] = []
    for pipeline in found:
        if out and out[-1].is_shell and pipeline.is_shell:
            before = out[-1]
            text = f"{before.text} {pipeline.connector} {pipeline.text}"
            out[-1] = Pipeline(before.connector, [Stage(text, ["sh"])])
        else:
            out.append(pipeline)
    return out


def _parts(stages: list[Stage]) -> list[Stage]:
    """The stages of a pipeline, neighbours without `markov` put together."""
    out: list[Stage] = []
    for stage in stages:
        if out and not stage.is_markov and not out[-1].is_markov:
            out[-1] = Stage(f"{out[-1].text} | {stage.text}", ["sh"])
        else:
            out.append(stage)
    return out


def parts_for_sh(line: str) -> int:
    """The number of times that `Shell.run` starts `sh` for a line."""
    pipelines = parse(line)
    if pipelines is None:
        return 1
    return sum(not s.is_markov for p in pipelines if not p.is_echo for s in _parts(p.stages))


def environment() -> dict[str, str]:
    """That of a shell without a terminal."""
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "FORCE_COLOR", "PYTHONWARNINGS")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    return {**env, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"}


def _text(path, mode, **more) -> io.TextIOWrapper:
    return io.TextIOWrapper(open(path, mode), encoding="utf-8", **more)


@contextmanager
def _streams(stdin, stdout, stderr):
    """Put files in place of the three streams, as a shell does."""
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = _text(stdin, "rb")
    sys.stdout = _text(stdout, "ab")
    sys.stderr = _text(stderr, "ab", errors="backslashreplace", line_buffering=True)
    mine = sys.stdin, sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
        for stream in mine:
            stream.close()


def markov(arguments, stdin=os.devnull, stdout=os.devnull, stderr=os.devnull) -> int:
    """Run the program on files; its exit code."""
    with _streams(stdin, stdout, stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # as Python does outside of tests
        try:
            main.main(args=list(arguments))
        except SystemExit as stop:
            return stop.code if isinstance(stop.code, int) else 0
    return 0


class Shell:
    """Runs lines in one folder, one behind another."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.code = folder, 0

    def run(self, line: str) -> str:
        """Run a line; returns its stdout and stderr together."""
        pipelines = parse(line)
        with tempfile.TemporaryDirectory() as work:
            out = Path(work) / "out"
            out.touch()
            if pipelines is None:
                self._sh(line, os.devnull, out, out)
            else:
                for pipeline in pipelines:
                    skipped = {"&&": self.code != 0, "||": self.code == 0}
                    if not skipped.get(pipeline.connector, False):
                        self._pipeline(pipeline, Path(work), out)
            return out.read_bytes().decode("utf-8", "replace")

    def _pipeline(self, pipeline: Pipeline, work: Path, out: Path) -> None:
        if pipeline.is_echo:
            words = [w.replace("$?", str(self.code)) for w in pipeline.stages[0].words[1:]]
            with open(out, "a") as f:
                f.write(" ".join(words) + "\n")
            self.code = 0
            return
        stages = _parts(pipeline.stages)
        source: str | Path = os.devnull
        for i, stage in enumerate(stages):
            target = out if i == len(stages) - 1 else _emptied(work / f"pipe{i}")
            if stage.is_markov:
                self._markov(stage, source, target, out)
            else:
                self._sh(stage.text, source, target, out)
            source = target

    def _markov(self, stage: Stage, stdin, stdout, stderr) -> None:
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            for operator, name in stage.redirects:
                if operator == "<":
                    stdin = name
                elif operator == "2>":
                    stderr = stdout if name == "&1" else _emptied(name)
                else:
                    stdout = name if operator == ">>" else _emptied(name)
            self.code = markov(stage.words[1:], stdin, stdout, stderr)
        finally:
            os.chdir(before)

    def _sh(self, text: str, stdin, stdout, stderr) -> None:
        with open(stdin, "rb") as i, open(stdout, "ab") as o, open(stderr, "ab") as e:
            done = subprocess.run(
                ["sh", "-c", text], cwd=self.folder, env=environment(),
                stdin=i, stdout=o, stderr=e, timeout=300, check=False,
            )  # fmt: skip
        self.code = done.returncode


def _emptied(name):
    open(name, "wb").close()
    return name
