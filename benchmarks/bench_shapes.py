"""Measure other shapes of the same work: a text in many small files, and tokens by a regular expression.

Each row stands beside its peer in the same run: one file of the same text; `re.findall` and a Counter of trigrams.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import make_text
import measure
import reporting
from answers import Check
from core_state import Bench
from measure import Command, say

FILE_BYTES = 250
PATTERN = r"\w+|[^\w\s]"  # of --tokenizer regex
QUERY_BYTES = 100_000


def parted(text: Path, folder: Path, whole: Path) -> int:
    """Write a text as files of about 250 bytes, and as one with a blank line between them: number of files."""
    data = text.read_bytes()
    folder.mkdir()
    parts, at = [], 0
    while at < len(data):
        space = data.find(b"\n", at + FILE_BYTES - 20)
        end = len(data) if space < 0 else space + 1
        parts.append(data[at:end])
        at = end
    for i, part in enumerate(parts):
        (folder / f"{i:06}.txt").write_bytes(part)
    whole.write_bytes(b"\n\n".join(parts))
    return len(parts)


def counts(said: dict) -> list:
    """The figures of `train --json` that the text alone decides."""
    return [said[key] for key in ("tokens", "types", "sequences", "ngrams")]


def run_files(b: Bench) -> None:
    """Train, score and trace with many files, and with one."""
    folder, whole = b.path("many"), b.path("whole.txt")
    n = parted(b.text, folder, whole)
    b.notes.append(
        f"many files: {n:,} of {b.text.stat().st_size / n:.0f} bytes; one file: the same, blank lines between"
    )
    b.path("query.txt").write_bytes(whole.read_bytes()[:QUERY_BYTES])
    ours = {}
    for name, text in (("many", folder), ("one", whole)):
        score = [*b.markov, "score", b.path("train-one.npz"), text, "--json"]
        trace = [*b.markov, "trace", b.path("query.txt"), "--corpus", text, "--unit", "sentence", "--json"]
        ours[name] = [
            b.trained(f"train-{name}", text),
            Command(f"score-{name}", score, stdout=b.path(f"score-{name}.json")),
            Command(f"trace-{name}", trace, stdout=b.path(f"trace-{name}.json")),
        ]
    for many, one in zip(ours["many"], ours["one"], strict=True):
        b.m.measure([one, many], b.runs)
    said = {name: {what: b.said(f"{what}-{name}") for what in ("train", "score", "trace")} for name in ours}
    many, one = said["many"], said["one"]
    checks = {
        "train": Check("tokens, types, sequences, n-grams", counts(many["train"]), counts(one["train"]), "one file"),
        "score": Check(
            "tokens and perplexity",
            *([s["score"]["tokens"], float(f"{s['score']['perplexity']:.12g}")] for s in (many, one)),
            "one file",
        ),
        "trace": Check(
            "shares of the query that are new",
            many["trace"]["novel"],
            one["trace"]["novel"],
            "one file",
        ),
    }
    for what, check in checks.items():
        ratio = b.m.wall_s(f"{what}-many") / b.m.wall_s(f"{what}-one")
        b.row(f"{what}, {n:,} files", "one file", "at most 4", f"{ratio:.2f} x its time", ratio <= 4, checks=[check])


def run_pattern(b: Bench) -> None:
    """Train by a regular expression, and count trigrams in plain Python."""
    train = b.trained("train-regex", b.text, "--tokenizer", "regex", "--unit", "file")
    b.m.measure([b.worker("plain-regex", "count-trigrams", b.text, PATTERN), train], b.runs)
    said, plain = b.said("train-regex"), b.said("plain-regex")
    ratio = b.m.wall_s("train-regex") / b.m.wall_s("plain-regex")
    text = b.text.read_text(encoding="utf-8")
    tokens, seen = [], -1
    for match in re.finditer(PATTERN, text):
        tokens.append((match.group(), match.start() == seen))  # a type is a string, and whether it touches on its left
        seen = match.end()
    trigrams = len(Counter(zip(tokens, tokens[1:], tokens[2:], strict=False))) + 2  # one with <s>, one with </s>
    checks = [
        Check("tokens", said["tokens"], plain["tokens"], "re.findall"),
        Check("trigrams", said["ngrams"][2], trigrams, "a Counter"),
    ]
    b.row(
        "train --tokenizer regex",
        "re.findall, Counter",
        "at most 1.5",
        f"{ratio:.2f} x its time",
        ratio <= 1.5,
        checks=checks,
    )


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a text [default: one is written]")
    parser.add_argument("--megabytes", type=float, default=7.5, help="size of the text that is written")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=make_text.BUILD / "results-shapes", help="folder for the figures")
    args = parser.parse_args()
    text = args.text or make_text.ensure_text(args.megabytes)
    with tempfile.TemporaryDirectory(prefix="markov-bench-") as work:
        bench = Bench(text, Path(work), args.runs, 0, 0)
        try:
            say("many small files")
            run_files(bench)
            say("tokens by a pattern")
            run_pattern(bench)
        except measure.CommandError as error:
            print(error, file=sys.stderr)
            return 1
        return reporting.report(bench, args.out)


if __name__ == "__main__":
    sys.exit(main())
