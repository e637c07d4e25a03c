"""Measure work that no other program does: tracing, auditing, steered texts, and training with two jobs.

Each row stands beside a simpler command of ours on the same files, in the same run, and its answer is checked:
fragments by a search of the corpus, figures by those of training, texts by what they were asked for.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

import make_text
import measure
import reporting
from answers import Check
from core_state import Bench
from measure import Command, say

QUERY_BYTES = 3_000_000
FRAGMENTS = 20  # that are looked for in the corpus, in plain Python
LINES = ("--tokenizer", "spaces", "--unit", "line")
TEXTS = 2000


def run_trace(b: Bench) -> None:
    """Trace generated texts of 3 MB in the text, beside reading the text alone."""
    train = b.trained("train-1", b.text, "-n", "1")
    b.m.measure([b.trained("train-lines", b.text, *LINES)], 1)
    texts = Command(
        "query",
        [*b.markov, "generate", b.path("train-lines.npz"), "-c", "200000", "-s", "1", "-q"],
        stdout=b.path("all.txt"),
    )
    b.m.measure([texts], 1)
    query = b.path("query.txt")
    query.write_bytes(b.path("all.txt").read_bytes()[: min(QUERY_BYTES, b.text.stat().st_size // 30)])
    trace = [*b.markov, "trace", query, "--corpus", b.text, "--json", "-q"]
    lines = [*trace, *LINES, "--top", str(FRAGMENTS)]
    b.m.measure(
        [
            train,
            Command("trace", [*trace, "--top", "0"], stdout=b.path("trace.json")),
            Command("trace-lines", lines, stdout=b.path("trace-lines.json")),
        ],
        b.runs,
    )
    corpus = b.text.read_bytes()
    found = b.said("trace-lines")["fragments"]
    counted = [
        len(re.findall(rb"(?<!\S)" + re.escape(f["text"].encode()) + rb"(?!\S)", corpus)) if f["tokens"] > 1 else 0
        for f in found
    ]
    place = [corpus.find(f["text"].encode()) for f in found]
    checks = [
        Check("occurrences of the rarest fragments", [f["occurrences"] for f in found], counted, "re.findall"),
        Check(
            "lines of their first occurrence",
            [f["line"] for f in found],
            [corpus.count(b"\n", 0, p) + 1 for p in place],
            "bytes.find",
        ),
    ]
    base = b.m.wall_s("train-1")
    for name, what in (("trace", "defaults"), ("trace-lines", "spaces/line")):
        s = b.m.wall_s(name)
        b.row(
            f"trace {query.stat().st_size / 1e6:.0f} MB, {what}",
            f"train order 1, {base:.2f} s",
            "at most 8 s",
            f"{s:.2f} s, {s / base:.2f} x its time",
            s <= 8,
            checks=checks if name == "trace-lines" else [],
        )


def run_audit(b: Bench) -> None:
    """Audit a model of order 5, beside training it."""
    train = b.trained("train-5", b.text, *LINES, "-n", "5")
    audit = Command("audit", [*b.markov, "audit", b.path("train-5.npz"), "--json", "-q"], stdout=b.path("audit.json"))
    b.m.measure([train], b.runs)
    b.m.measure([audit], 1)
    trained, said = b.said("train-5"), b.said("audit")
    checks = [
        Check("tokens and sequences", *([s[k] for k in ("tokens", "sequences")] for s in (said, trained)), "train"),
        Check("orders", [o["order"] for o in said["orders"]], [1, 2, 3, 4, 5], "the model"),
    ]
    s, base = b.m.wall_s("audit"), b.m.wall_s("train-5")
    b.row(
        f"audit order 5, {trained['tokens'] / 1e6:.1f} M tokens",
        f"training it, {base:.1f} s",
        "at most 60 s",
        f"{s:.0f} s, {s / base:.1f} x its time",
        s <= 60,
        checks=checks,
    )


def run_jobs(b: Bench) -> None:
    """Train with one job and with two."""
    ours = [b.trained(f"jobs-{n}", b.text, *LINES, "--jobs", str(n)) for n in (1, 2)]
    b.m.measure(ours, b.runs)
    one, two = (b.path(f"jobs-{n}.npz").read_bytes() for n in (1, 2))
    ratio = b.m.wall_s("jobs-1") / b.m.wall_s("jobs-2")
    checks = [Check("bytes of the model", one == two, True, "each other")]
    b.row("train --jobs 2", "--jobs 1", "1.6 x", f"{ratio:.2f} x its speed", ratio >= 1.6, checks=checks)


def run_texts(b: Bench, book: Path, word: str) -> None:
    """Draw texts of a smoothed model: with top-p, and with a word by calculation."""
    b.m.measure([b.trained("book", book)], 1)
    generate = [*b.markov, "generate", b.path("book.npz"), "-c", str(TEXTS), "-s", "1", "-q", "--smoothing", "kn"]
    ways = {"kn": [], "kn-top-p": ["--top-p", "0.9"], "kn-contains": ["--contains", word]}
    b.m.measure([Command(n, [*generate, *w], stdout=b.path(f"{n}.txt")) for n, w in ways.items()], max(b.runs, 3))
    few = {n: Command(f"{n}-few", [*generate, "-c", "20", *w], stdout=b.path(f"{n}-few.txt")) for n, w in ways.items()}
    b.m.measure([*few.values()], 1)
    base = b.m.wall_s("kn")
    for name, what, limit, unit in (
        ("kn-top-p", "kn, --top-p 0.9", 4.0, "x"),
        ("kn-contains", f"kn, --contains {word}", 4.0, "s"),
    ):
        s = b.m.wall_s(name)
        texts = b.path(f"{name}.txt").read_text(encoding="utf-8").splitlines()
        first = b.path(f"{name}-few.txt").read_text(encoding="utf-8").splitlines()
        checks = [
            Check("texts", len(texts), TEXTS, "--count"),
            Check(f"texts of {what}", texts[: len(first)] == first, True, f"--count {len(first)}"),
        ]
        if unit == "s":
            checks.append(Check(f"texts with {word}", sum(word in t for t in texts), TEXTS, "--count"))
        holds = s / base <= limit if unit == "x" else s <= limit
        b.row(
            f"generate {TEXTS:,} texts, {what}",
            f"kn alone, {base:.2f} s",
            f"at most {limit:.0f} {unit}",
            f"{s:.2f} s, {s / base:.1f} x its time",
            holds,
            checks=checks,
        )


def common_word(book: Path) -> str:
    """A word of letters that is in about one line of 300: the longest such."""
    text = book.read_text(encoding="utf-8", errors="replace")
    n = len(text.splitlines()) // 300
    counted: dict[str, int] = {}
    for word in re.findall(r"\b[A-Za-z]{4,}\b", text):
        counted[word] = counted.get(word, 0) + 1
    return min(counted, key=lambda w: (abs(counted[w] - n), w))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a large text [default: one is written]")
    parser.add_argument("--book", type=Path, help="a text of some MB, for steered texts [default: 3 MB of --text]")
    parser.add_argument("--word", help="that texts must contain [default: one of the book]")
    parser.add_argument("--megabytes", type=float, default=100, help="size of the text that is written")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=make_text.BUILD / "results-own", help="folder for the figures")
    args = parser.parse_args()
    text = args.text or make_text.ensure_text(args.megabytes)
    with tempfile.TemporaryDirectory(prefix="markov-bench-") as work:
        bench = Bench(text, Path(work), args.runs, 0, 3)
        book = args.book or bench.prefix
        try:
            for what, run in (("tracing", run_trace), ("auditing", run_audit), ("jobs", run_jobs)):
                say(what)
                run(bench)
            say("texts")
            run_texts(bench, book, args.word or common_word(book))
        except (measure.CommandError, json.JSONDecodeError) as error:
            print(error, file=sys.stderr)
            return 1
        return reporting.report(bench, args.out)


if __name__ == "__main__":
    sys.exit(main())
