"""Time and memory of training on text larger than memory: `make bench-scale`, an hour and 70 GB of disk.

    python benchmarks/bench_scale.py --text FILE --work DIR [--copies 31] [--rows a,b] [--out DIR]

FILE has about 100 MB; grow_text.py makes larger texts of it. Every row is one run. Memory is the resident
memory (VmRSS) of all processes of a command, read every 20 ms from Linux, and the part of it that is
no page of a file (RssAnon).

Rows: growth (1, 10 and 31 copies, and lmplz on the largest), limit (--memory 512M on three copies at
order 5), jobs (one and two threads on ten copies). Exit code 1 if two trainings of one text give
different bytes.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPACES = ["--tokenizer", "spaces", "--unit", "line"]
MARKOV = [sys.executable, "-m", "markov_cli"]


def resident(pid: int) -> tuple[int, int]:
    """Resident bytes of a process and its descendants, and the part that is no page of a file."""
    rss = own = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                rss = int(line.split()[1]) << 10
            elif line.startswith("RssAnon:"):
                own = int(line.split()[1]) << 10
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0, 0
    for child in children:
        more = resident(int(child))
        rss, own = rss + more[0], own + more[1]
    return rss, own


def run(args: list[str], **more: object) -> dict[str, float]:
    """Run a command, which must succeed; returns its seconds and largest memory."""
    begin = time.monotonic()
    peak = peak_own = 0
    with subprocess.Popen(args, stderr=subprocess.DEVNULL, **more) as process:
        while process.poll() is None:
            rss, own = resident(process.pid)
            peak, peak_own = max(peak, rss), max(peak_own, own)
            time.sleep(0.02)
    if process.returncode:
        sys.exit(f"exit {process.returncode}: {' '.join(args)}")
    return {"seconds": round(time.monotonic() - begin, 1), "rss_bytes": peak, "own_bytes": peak_own}


class Scale:
    """State of one run: the text, its larger copies and the rows."""

    def __init__(self, text: Path, work: Path, copies: int) -> None:
        self.text, self.work, self.copies = text, work, copies
        self.rows: list[dict[str, object]] = []

    def grown(self, copies: int) -> Path:
        """A text of this many copies, made if it is missing."""
        path = self.work / f"text-{copies}.txt"
        if not path.exists():
            command = [sys.executable, HERE / "grow_text.py", self.text, path, "--copies", str(copies)]
            subprocess.run([*map(str, command)], check=True)
        return path

    def train(self, name: str, text: Path, *options: str) -> dict[str, object]:
        """Train once and keep the model at NAME.npz."""
        model, said = self.work / f"{name}.npz", self.work / f"{name}.json"
        with said.open("w") as out:
            took = run([*MARKOV, "train", str(text), "-o", str(model), *SPACES, *options, "--json", "-q"], stdout=out)
        made = json.loads(said.read_text())
        row = {"what": name, **took, "tokens": made["tokens"], "types": made["types"], "ngrams": made["ngrams"]}
        row["microseconds_per_token"] = round(1e6 * took["seconds"] / made["tokens"], 3)
        row["model_bytes"] = made["model_bytes"]
        self.keep(row)
        return row

    def keep(self, row: dict[str, object]) -> None:
        """Keep a row, and print it."""
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def growth(self) -> None:
        """Train on texts of growing size; lmplz on the largest."""
        for copies in (1, 10, self.copies):
            self.train(f"order-3-of-{copies}", self.grown(copies), "--memory", "4G", "--jobs", "2")
        lmplz = shutil.which("lmplz")
        if lmplz is None:
            print("lmplz is not on PATH: left out")
            return
        text = self.grown(self.copies)
        with text.open("rb") as source:
            command = [lmplz, "-o", "3", "-S", "4G", "-T", str(self.work), "--discount_fallback", "--arpa", os.devnull]
            took = run(command, stdin=source, stdout=subprocess.DEVNULL)
        self.keep({"what": f"lmplz-of-{self.copies}", **took})

    def limit(self) -> None:
        """Train with a memory limit far below what the text needs."""
        text = self.grown(3)
        free = self.train("order-5-of-3", text, "-n", "5", "--memory", "16G")
        held = self.train("order-5-of-3-in-512M", text, "-n", "5", "--memory", "512M")
        same = filecmp.cmp(self.work / "order-5-of-3.npz", self.work / "order-5-of-3-in-512M.npz", shallow=False)
        ratio = round(held["seconds"] / free["seconds"], 2)
        self.keep({"what": "limit", "same_bytes": same, "held": held["rss_bytes"] <= 512e6, "times_the_time": ratio})

    def jobs(self) -> None:
        """Train with one thread and with two."""
        text = self.grown(10)
        one = self.train("one-job", text, "--jobs", "1", "--memory", "4G")
        two = self.train("two-jobs", text, "--jobs", "2", "--memory", "4G")
        same = filecmp.cmp(self.work / "one-job.npz", self.work / "two-jobs.npz", shallow=False)
        ratio = round(one["seconds"] / two["seconds"], 2)
        self.keep({"what": "jobs", "same_bytes": same, "times_the_speed": ratio})


def main() -> int:
    """Measure the rows asked for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=31)
    parser.add_argument("--rows", default="growth,limit,jobs")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    names = args.rows.split(",")
    if unknown := sorted({*names} - {"growth", "limit", "jobs"}):
        parser.error(f"--rows {unknown[0]}: growth, limit and jobs are known")
    args.work.mkdir(parents=True, exist_ok=True)
    scale = Scale(args.text, args.work, args.copies)
    for name in names:
        getattr(scale, name)()
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "scale.jsonl").write_text("".join(json.dumps(r) + "\n" for r in scale.rows))
    return int(any(row.get("same_bytes") is False for row in scale.rows))


if __name__ == "__main__":
    sys.exit(main())
