"""Time of estimating, writing ARPA, importing and scoring, compared with KenLM.

    python benchmarks/bench_lm.py [--text FILE] [--megabytes 100] [--heldout FILE] [--runs 3] [--out DIR]

As in bench_core.py, figures are ratios of medians from one run, the commands take turns, and every
answer is checked. Without lmplz, build_binary and query on PATH it measures ours alone.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import make_text
import measure
import numpy as np
import reporting
from answers import Check, arpa_header
from core_state import Row
from measure import Command, Measurements, say

SPACES = ("--tokenizer", "spaces", "--unit", "line")
TOLERANCE = 2e-6  # in log10; lmplz computes in float32
HELD_OUT_MEGABYTES = 50


class Bench:
    """State of one run: files, commands, measurements and rows."""

    def __init__(
        self, text: Path, held_out: Path, longer: Path, work: Path, runs: int, import_megabytes: float
    ) -> None:
        self.text, self.held_out, self.longer, self.work, self.runs = text, held_out, longer, work, runs
        self.m = Measurements()
        self.notes: list[str] = []
        self.rows: list[Row] = []
        self.peers = {name: shutil.which(name) for name in ("lmplz", "build_binary", "query")}
        beside = shutil.which("markov", path=str(Path(sys.executable).parent)) or shutil.which("markov")
        self.markov = [beside] if beside else [sys.executable, "-m", "markov_cli"]
        self.import_megabytes = import_megabytes
        missing = [name for name, found in self.peers.items() if not found]
        if missing:
            self.notes.append(f"not on PATH: {', '.join(missing)}; ours is measured alone")

    def path(self, name: str) -> Path:
        """A file of this run."""
        return self.work / name

    def theirs(self, name: str, program: str, *args: object, **files: Path) -> list[Command]:
        """A list with one command of KenLM; empty if the program is missing."""
        found = self.peers[program]
        return [Command(name, [found, *map(str, args)], **files)] if found else []

    def ours(self, name: str, *args: object, **files: Path) -> Command:
        """A command of ours."""
        return Command(name, [*self.markov, *map(str, args)], **files)

    def ratio(self, mine: tuple[str, ...], their: tuple[str, ...]) -> float | None:
        """Our seconds divided by theirs; None if theirs were not run."""
        if not all(self.m.of(n) for n in their):
            return None
        return sum(map(self.m.wall_s, mine)) / sum(map(self.m.wall_s, their))


def head_of(text: Path, out: Path, megabytes: float) -> Path:
    """The first part of a text, in whole lines."""
    with text.open("rb") as file:
        data = file.read(int(megabytes * 1e6))
    out.write_bytes(data[: data.rfind(b"\n") + 1])
    return out


# ---------------------------------------------------------------- the runs


def run(b: Bench) -> None:
    """Run and check everything, in order."""
    model, arpa, lmplz = b.path("model.npz"), b.path("ours.arpa"), b.path("lmplz.arpa")
    b.path("tmp").mkdir()
    options = ("-o", 3, "-S", "4G", "-T", b.path("tmp"), "--discount_fallback")
    say("estimating")
    b.m.measure(
        [
            *b.theirs("lmplz -o 3", "lmplz", *options, stdin=b.text, stdout=lmplz),
            b.ours("train -n 3", "train", b.text, "-o", model, *SPACES, "-q"),
            b.ours("export", "export", model, "-o", arpa, "-q"),
        ],
        b.runs,
    )
    say("scoring")
    binary = b.path("lmplz.bin")
    for command in b.theirs("build_binary", "build_binary", "probing", lmplz, binary):
        measure.launch(command)
    b.m.measure(
        [
            *b.theirs("query", "query", "-v", "summary", binary, stdin=b.held_out, stdout=b.path("query.txt")),
            b.ours("score", "score", model, b.held_out, "--json", stdout=b.path("score.json")),
            b.ours("score --jobs 1", "score", model, b.held_out, "--json", "--jobs", 1, stdout=b.path("score1.json")),
        ],
        b.runs,
    )
    say("scoring at order 5")
    score_longer(b)
    say("importing")
    part, small = head_of(b.text, b.path("part.txt"), b.import_megabytes), b.path("part.arpa")
    for command in b.theirs("lmplz of a part", "lmplz", *options, stdin=part, stdout=small):
        measure.launch(command)
    if not small.exists():
        for command in (
            b.ours("t", "train", part, "-o", b.path("part.npz"), *SPACES, "-q"),
            b.ours("e", "export", b.path("part.npz"), "-o", small, "-q"),
        ):
            measure.launch(command)
    b.m.measure(
        [
            *b.theirs("build_binary", "build_binary", "probing", small, b.path("part.bin")),
            b.ours("import", "import", small, "-o", b.path("imported.npz"), "-q"),
        ],
        b.runs,
    )
    say("checking")
    table(b, small)


def score_longer(b: Bench) -> None:
    """Score a text as long as that of the model, by models of order 5."""
    model, arpa, binary = b.path("model5.npz"), b.path("lmplz5.arpa"), b.path("lmplz5.bin")
    measure.launch(b.ours("train -n 5", "train", b.text, "-o", model, *SPACES, "--order", 5, "-q"))
    options = ("-o", 5, "-S", "4G", "-T", b.path("tmp"), "--discount_fallback")
    for command in (
        *b.theirs("lmplz -o 5", "lmplz", *options, stdin=b.text, stdout=arpa),
        *b.theirs("build_binary of order 5", "build_binary", "probing", arpa, binary),
    ):
        measure.launch(command)
    arpa.unlink(missing_ok=True)
    b.m.measure(
        [
            *b.theirs("query -o 5", "query", "-v", "summary", binary, stdin=b.longer, stdout=b.path("query5.txt")),
            b.ours("score, order 5", "score", model, b.longer, "--json", stdout=b.path("score5.json")),
        ],
        b.runs,
    )


# ---------------------------------------------------------------- the table


def seconds_beside(
    b: Bench, what: str, mine: tuple[str, ...], their: str, most: float, checks: list[Check] | None = None
) -> None:
    """Add the row of some commands of ours, whose seconds together may be at most so many times those of a peer."""
    r, ours, program = b.ratio(mine, (their,)), sum(map(b.m.wall_s, mine)), their.split()[0]
    b.rows.append(
        Row(
            what,
            "-" if r is None else f"{program}, {b.m.wall_s(their):.1f} s",
            f"<= {most:g}x",
            f"{ours:.1f} s" if r is None else f"{r:.2f}x ({ours:.1f} s)",
            None if r is None else r <= most,
            checks or [],
        )
    )


def table(b: Bench, small: Path) -> None:
    """The rows, with their checks."""
    seconds_beside(b, "train and write ARPA, order 3", ("train -n 3", "export"), "lmplz -o 3", 1, same_arpa(b))
    said, longer = (json.loads(b.path(f"score{k}.json").read_text(encoding="utf-8")) for k in ("", "5"))
    for name in ("score", "score --jobs 1"):
        r = b.ratio(("query",), (name,)) if b.m.of("query") else None
        speed = said["tokens"] / b.m.wall_s(name) / 1e6
        b.rows.append(
            Row(
                f"{name}, tokens/s",
                "-" if r is None else f"query, {said['tokens'] / b.m.wall_s('query') / 1e6:.2f} M/s",
                ">= 1x" if name == "score" else "-",
                f"{speed:.2f} M/s" if r is None else f"{r:.2f}x ({speed:.2f} M/s)",
                None if r is None or name != "score" else r >= 1,
                same_perplexity(b.path("query.txt"), said),
            )
        )
    what = f"score {b.longer.stat().st_size / 1e6:.0f} MB at order 5"
    seconds_beside(b, what, ("score, order 5",), "query -o 5", 1, same_perplexity(b.path("query5.txt"), longer))
    what = f"import an ARPA of {small.stat().st_size / 1e6:.0f} MB"
    seconds_beside(b, what, ("import",), "build_binary", 0.9)
    b.notes.insert(0, f"text: {b.text.stat().st_size / 1e6:.1f} MB; scored: {b.held_out.stat().st_size / 1e6:.1f} MB")
    b.notes.insert(1, f"scored: {said['tokens']:,} tokens, {said['oov']:,} of them OOV")


def same_arpa(b: Bench) -> list[Check]:
    """Compare rows and numbers of two ARPA files; sorted, some million lines at a time."""
    mine, their = b.path("ours.arpa"), b.path("lmplz.arpa")
    if not their.exists():
        return []
    checks = [Check("n-grams of each order", arpa_header(mine), arpa_header(their), "lmplz")]
    worst, rows, unlike = 0.0, 0, 0
    for ours, theirs in zip(sections(mine, b), sections(their, b), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            (words, numbers), (their_words, their_numbers) = split(one), split(other)
            unlike += words != their_words
            if numbers.shape == their_numbers.shape:
                finite = np.isfinite(their_numbers)
                worst = max(worst, float(np.abs(numbers - their_numbers)[finite].max(initial=0)))
            else:
                unlike += 1
            rows += len(numbers)
    b.notes.append(f"{rows:,} rows of the two ARPA files: largest difference of a log10 {worst:.1e}")
    checks.append(Check("words of every row of the ARPA files", unlike, 0, "lmplz"))
    checks.append(Check(f"every log10 within {TOLERANCE}", worst <= TOLERANCE, True, "lmplz"))
    return checks


def sections(path: Path, b: Bench):
    """For each order its lines sorted by words, in parts, since each program has its own order of rows."""
    env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    n = len(arpa_header(path))
    for k in range(1, n + 1):
        rows = b.path(f"{path.stem}.{k}")
        with path.open("rb") as file, rows.open("wb") as out:
            inside = False
            for line in file:
                if line.startswith(b"\\"):
                    inside = line.startswith(b"\\%d-grams" % k)
                elif inside and line.strip():
                    p, _, rest = line.rstrip(b"\n").partition(b"\t")
                    out.write(rest + b"\t" + p + b"\n" if k == n else rest.replace(b"\t", b"\t" + p + b"\t") + b"\n")
        ranked = b.path(f"{path.stem}.{k}.sorted")
        subprocess.run(["sort", "-t", "\t", "-k1,1", "-o", ranked, rows], check=True, env=env)
        rows.unlink()
        yield parts(ranked)
        ranked.unlink()


def parts(path: Path, lines: int = 1 << 18):
    """Some lines at a time."""
    with path.open("rb") as file:
        while found := [line for _, line in zip(range(lines), file, strict=False)]:
            yield found


def split(lines: list[bytes]) -> tuple[list[bytes], np.ndarray]:
    """The words of some lines, and their numbers as an array."""
    columns = [line.rstrip(b"\n").split(b"\t") for line in lines]
    return [c[0] for c in columns], np.array([c[1:] for c in columns]).astype(np.float64)


def same_perplexity(of_query: Path, said: dict) -> list[Check]:
    """Compare two perplexities to six digits."""
    if not of_query.exists():
        return []
    text = of_query.read_text(encoding="utf-8")
    checks = []
    for key, label in (("perplexity", "including"), ("perplexity_without_oov", "excluding")):
        found = re.search(rf"{label} OOVs:\s*([0-9.e+]+)", text)
        theirs = float(found[1]) if found else float("nan")
        checks.append(Check(f"perplexity {label} OOVs, six digits", f"{said[key]:.6g}", f"{theirs:.6g}", "query"))
    for key, label in (("oov", "OOVs"), ("tokens", "Tokens")):
        found = re.search(rf"^{label}:\s*(\d+)", text, re.M)
        checks.append(Check(label, said[key], int(found[1]) if found else -1, "query"))
    return checks


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Estimate, export, import and score, beside KenLM.")
    parser.add_argument("--text", type=Path, help="a large text [default: one is written]")
    parser.add_argument("--heldout", type=Path, help="the text to score [default: two are written, by other seeds]")
    parser.add_argument("--megabytes", type=float, default=100, help="size of the text that is written")
    parser.add_argument("--import-megabytes", type=float, default=24, help="of the text whose ARPA is imported")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=make_text.BUILD / "results-lm", help="folder for the figures")
    parser.add_argument("--work", type=Path, help="a folder for models; it needs 40 times the text")
    args = parser.parse_args()
    text = args.text or make_text.ensure_text(args.megabytes)
    held_out = args.heldout or make_text.ensure_text(min(HELD_OUT_MEGABYTES, args.megabytes), seed=2)
    longer = args.heldout or make_text.ensure_text(args.megabytes, seed=3)
    with tempfile.TemporaryDirectory(dir=args.work, prefix="markov-bench-") as work:
        bench = Bench(text, held_out, longer, Path(work), args.runs, args.import_megabytes)
        try:
            run(bench)
        except measure.CommandError as error:
            print(error, file=sys.stderr)
            return 1
        return reporting.report(bench, args.out)


if __name__ == "__main__":
    sys.exit(main())
