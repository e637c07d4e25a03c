"""Accuracy of telling languages apart with `markov score --classify`, with every confusion.

    python benchmarks/languages.py FOLDER [--order 5] [--smoothing kn] [--lengths 0,50,20,10] [--shortest 20]

FOLDER holds one text file per language, named after it. A text is split into sections at its blank lines (the
articles of a declaration, the paragraphs of a book). Two of three train a model of characters; every third is held
out and classified, whole and cut to its first characters. Held-out sections shorter than --shortest are left out:
headings such as `Article 3` are the same in several languages. The texts are not kept.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

MARKOV = [sys.executable, "-m", "markov_cli"]
EVERY = 3  # one section in this many is held out


def sections(text: str) -> list[str]:
    """The sections of a text, each on one line, with single spaces."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.split()]


def split(text: str) -> tuple[list[str], list[str]]:
    """The sections for training, and those held out: every third."""
    found = sections(text)
    return [s for i, s in enumerate(found) if i % EVERY != EVERY - 1], found[EVERY - 1 :: EVERY]


def train(lines: list[str], path: Path, order: int) -> None:
    """Train the model of one language."""
    subprocess.run(
        [*MARKOV, "train", "-", "--tokenizer", "chars", "--unit", "line", "-n", str(order), "-q", "-o", path],
        input="\n".join(lines).encode(), check=True,
    )  # fmt: skip


def classify(lines: list[str], models: list[Path], smoothing: str) -> list[tuple[str, float]]:
    """The language of each line, and the margin in bits."""
    first, *others = models
    command = [*MARKOV, "score", first, "--classify", "--smoothing", smoothing, "--json", "-q"]
    for other in others:
        command += ["--model", other]
    done = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [(Path(r["model"]).stem if r["model"] else "-", r["margin_bits"] or 0.0) for r in rows]


def report(name: str, truth: list[str], found: list[tuple[str, float]]) -> None:
    """Print accuracy and every confusion."""
    right = sum(a == b for a, (b, _) in zip(truth, found, strict=True))
    print(f"{name}: {right} of {len(truth)} right, {right / len(truth):.2%}")
    wrong = Counter((a, b) for a, (b, _) in zip(truth, found, strict=True) if a != b)
    margin: dict[tuple[str, str], float] = {}
    for a, (b, bits) in zip(truth, found, strict=True):
        margin[a, b] = max(margin.get((a, b), 0.0), bits)
    for (a, b), n in sorted(wrong.items(), key=lambda row: (-row[1], row[0])):
        print(f"  {a:<16} taken for {b:<16} {n:>4}   margin up to {margin[a, b]:.1f} bits")


def main() -> None:
    """Train, classify, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--smoothing", default="kn")
    parser.add_argument("--lengths", default="0,50,20,10", help="characters of each held-out section; 0 is all")
    parser.add_argument("--shortest", type=int, default=20, help="characters that a held-out section has at least")
    args = parser.parse_args()
    files = sorted(p for p in args.folder.iterdir() if p.suffix == ".txt" and not p.name.startswith("README"))
    if len(files) < 2:
        sys.exit(f"{args.folder}: fewer than two .txt files")
    with tempfile.TemporaryDirectory() as folder:
        models, lines, truth = [], [], []
        begin = time.perf_counter()
        for path in files:
            learned, held_out = split(path.read_text(encoding="utf-8"))
            held_out = [line for line in held_out if len(line) >= args.shortest]
            models.append(Path(folder) / f"{path.stem}.npz")
            train(learned, models[-1], args.order)
            lines += held_out
            truth += [path.stem] * len(held_out)
        size = sum(m.stat().st_size for m in models)
        print(f"{len(files)} models of order {args.order}, {size / 1e6:.1f} MB, {time.perf_counter() - begin:.1f} s")
        for length in map(int, args.lengths.split(",")):
            cut = [line[:length] if length else line for line in lines]
            begin = time.perf_counter()
            found = classify(cut, models, args.smoothing)
            name = f"the first {length} characters" if length else "whole sections"
            report(f"{name} ({time.perf_counter() - begin:.1f} s)", truth, found)


if __name__ == "__main__":
    main()
