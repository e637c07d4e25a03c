"""State of one run of bench_core.py: its files, its commands, and the rows of its table."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

import answers
from answers import Check
from measure import Command, Measurements

HERE = Path(__file__).resolve().parent


@dataclass
class Row:
    """One line of the table; `holds` is None if nothing was compared."""

    what: str
    against: str
    target: str
    result: str
    holds: bool | None
    checks: list[Check] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """WRONG for any wrong answer, whatever the time."""
        if not all(c.agrees for c in self.checks):
            return "WRONG"
        return {True: "pass", False: "short", None: "-"}[self.holds]


class Bench:
    """State of one run: files, commands, measurements and rows."""

    def __init__(self, text: Path, work: Path, runs: int, texts: int, markovify_megabytes: float) -> None:
        self.text, self.work, self.runs, self.texts = text, work, runs, texts
        self.m = Measurements()
        self.notes: list[str] = []
        self.rows: list[Row] = []
        self.train: dict[str, dict] = {}  # the output of `train --json`, by command name
        self.lmplz, self.build_binary = shutil.which("lmplz"), shutil.which("build_binary")
        self.wc = shutil.which("wc")
        self.markovify = importlib.util.find_spec("markovify") is not None
        beside = shutil.which("markov", path=str(Path(sys.executable).parent)) or shutil.which("markov")
        self.markov = [beside] if beside else [sys.executable, "-m", "markov_cli"]
        self.prefix = self._prefix(markovify_megabytes)

    def _prefix(self, megabytes: float) -> Path:
        """The text for markovify: a prefix in whole lines, or all of it."""
        size = int(megabytes * 1e6)
        if not size or size >= self.text.stat().st_size:
            return self.text
        out = self.work / "prefix.txt"
        with self.text.open("rb") as file:
            data = file.read(size)
        out.write_bytes(data[: data.rfind(b"\n") + 1])
        return out

    def path(self, name: str) -> Path:
        """A file of this run."""
        return self.work / name

    def trained(self, name: str, text: Path, *options: str) -> Command:
        """The command `markov train` to NAME.npz, its JSON to NAME.json."""
        args = [*self.markov, "train", text, "-o", self.path(f"{name}.npz"), *options, "--json", "--quiet"]
        return Command(name, args, stdout=self.path(f"{name}.json"))

    def worker(self, name: str, *args: object) -> Command:
        """The command for a function of workers.py, its JSON to NAME.json."""
        return Command(name, [sys.executable, HERE / "workers.py", *map(str, args)], stdout=self.path(f"{name}.json"))

    def said(self, name: str) -> dict:
        """The JSON that a command printed."""
        return json.loads(self.path(f"{name}.json").read_text(encoding="utf-8"))

    def row(self, *args: object, checks: list[answers.Check] | None = None) -> None:
        """Keep one line of the table."""
        self.rows.append(Row(*args, checks=checks or []))  # type: ignore[arg-type]
