"""Wall time, CPU time and peak memory of commands that take turns.

A small launcher (this file, run as a program) starts each command in a process of its own, because
Linux counts the parent's memory as the child's until the child's program starts: started from a
large program, a small command would look large. So memory below about 15 MB is not resolved.

Memory is `ru_maxrss` of `os.wait4`: the largest process of the command's tree. Without `os.wait4`
(Windows) there is only wall time; the rest is None, printed `-`.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Command:
    """A command line and what it reads and writes."""

    name: str
    args: Sequence[str | os.PathLike[str]]
    stdin: Path | None = None
    stdout: Path | None = None


@dataclass(frozen=True)
class Run:
    """One run of one command; figures the system does not give are None."""

    name: str
    run: int
    wall_s: float
    user_s: float | None
    system_s: float | None
    peak_bytes: int | None


class CommandError(Exception):
    """A command ended with an exit code other than 0."""


@dataclass
class Measurements:
    """All runs of a program."""

    runs: list[Run] = field(default_factory=list)

    def measure(self, commands: Sequence[Command], runs: int) -> None:
        """Run all commands once, then all again, `runs` times."""
        for _ in range(runs):
            for command in commands:
                self.once(command)

    def once(self, command: Command) -> Run:
        """Run a command and keep its figures."""
        say(f"  {command.name}")
        number = sum(r.name == command.name for r in self.runs) + 1
        run = Run(name=command.name, run=number, **launch(command))
        self.runs.append(run)
        return run

    def of(self, name: str) -> list[Run]:
        """All runs of one command."""
        return [r for r in self.runs if r.name == name]

    def wall_s(self, name: str) -> float:
        """The median wall time in seconds."""
        return median(r.wall_s for r in self.of(name))

    def peak_bytes(self, name: str) -> float | None:
        """The median peak memory in bytes; None if unknown."""
        known = [r.peak_bytes for r in self.of(name) if r.peak_bytes is not None]
        return median(known) if known else None

    def summary(self) -> list[dict]:
        """Medians and spread of every command."""
        out = []
        for name in dict.fromkeys(r.name for r in self.runs):
            of = self.of(name)
            wall = [r.wall_s for r in of]
            busy = [r.user_s + r.system_s for r in of if r.user_s is not None and r.system_s is not None]
            out.append(
                {
                    "name": name,
                    "runs": len(of),
                    "wall_s_median": median(wall),
                    "wall_s_min": min(wall),
                    "wall_s_max": max(wall),
                    "cpu_s_median": median(busy) if busy else None,
                    "peak_bytes_median": self.peak_bytes(name),
                }
            )
        return out

    def table(self) -> list[list[str]]:
        """The summary for people."""
        return [
            [
                str(s["name"]),
                str(s["runs"]),
                *(f"{s[k]:.3f}" for k in ("wall_s_median", "wall_s_min", "wall_s_max")),
                "-" if s["cpu_s_median"] is None else f"{s['cpu_s_median']:.3f}",
                "-" if s["peak_bytes_median"] is None else f"{s['peak_bytes_median'] / 1e6:,.0f}",
            ]
            for s in self.summary()
        ]

    def write_csv(self, path: Path) -> None:
        """Write every run, in order."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(Run.__dataclass_fields__))
            writer.writeheader()
            writer.writerows(asdict(r) for r in self.runs)


TABLE_HEAD = ["command", "runs", "median s", "min s", "max s", "CPU s", "peak MB"]


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def launch(command: Command) -> dict:
    """Run one command by the launcher; CommandError with the end of its stderr if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        result, errors = Path(folder) / "result.json", Path(folder) / "stderr"
        task = {
            "args": [os.fspath(a) for a in command.args],
            "stdin": str(command.stdin or os.devnull),
            "stdout": str(command.stdout or os.devnull),
            "stderr": str(errors),
            "result": str(result),
        }
        # without written bytecode every start would compile the program again
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run([sys.executable, "-I", "-S", __file__, json.dumps(task)], check=True, env=env)
        got = json.loads(result.read_text())
        code = got.pop("exit_code")
        if code:
            tail = errors.read_text(errors="replace")[-2000:]
            raise CommandError(f"{command.name}: exit code {code}\n{tail}")
        return got


def _launcher(task: dict) -> None:
    """Start the command, wait, and write its time and memory as JSON."""
    with open(task["stdin"], "rb") as stdin, open(task["stdout"], "wb") as stdout, open(task["stderr"], "wb") as stderr:
        begin = time.perf_counter()
        child = subprocess.Popen(task["args"], stdin=stdin, stdout=stdout, stderr=stderr)
        if hasattr(os, "wait4"):
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - begin
            code = os.waitstatus_to_exitcode(status)
            child.returncode = code
            unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, the others kB
            figures = {"user_s": used.ru_utime, "system_s": used.ru_stime, "peak_bytes": used.ru_maxrss * unit}
        else:
            code = child.wait()
            wall = time.perf_counter() - begin
            figures = {"user_s": None, "system_s": None, "peak_bytes": None}
    Path(task["result"]).write_text(json.dumps({"wall_s": wall, **figures, "exit_code": code}))


def machine() -> dict:
    """The system, processor and Python that figures depend on; no names and no paths."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "model": _processor_model(),
        "cores": cores,
        "python": platform.python_version(),
    }


def _processor_model() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)


def table_text(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table with aligned columns."""
    width = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, width, strict=True)) + " |"

    return "\n".join([line(head), "|" + "|".join("-" * (w + 2) for w in width) + "|", *map(line, rows)])


if __name__ == "__main__":
    _launcher(json.loads(sys.argv[1]))
