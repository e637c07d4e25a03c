"""Time of constraints by calculation, beside the same texts by trying and beside texts without constraints.

    python benchmarks/conditioned.py BOOK [--word Moscow] [--order 3] [--count 2000] [--smoothing kn] [--runs 3]

By trying, the word is a `--match` with a flag, which no automaton has. Every text is searched for the word in plain
Python, and the mean of its tokens must agree between the two ways, as their texts have the same distribution. A
wrong answer gives exit code 1.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path
from statistics import mean, median, stdev

from measure import Command, Measurements


def main() -> int:
    """Measure and check; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path)
    parser.add_argument("--word", default="Moscow")
    parser.add_argument("--order", type=int, default=3)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--smoothing", default="kn")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    markov = [sys.executable, "-m", "markov_cli"]
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "book.npz"
        made = Measurements()
        made.measure([Command("train", [*markov, "train", args.book, "-n", str(args.order), "-q", "-o", model])], 1)
        generate = [*markov, "generate", model, "-c", str(args.count), "-s", "1", "-q"]
        generate += ["--smoothing", args.smoothing]
        ways = {
            "without": [],
            "calculated": ["--contains", args.word],
            "tried": ["--match", rf"(?u:\b{re.escape(args.word)}\b)"],
            "temperature": ["--contains", args.word, "--temperature", "0.8"],
            "12 tokens": ["--contains", args.word, "--tokens", "12"],
        }
        out = {name: Path(folder) / f"{name}.txt" for name in ways}
        made.measure([Command(name, [*generate, *ways[name]], stdout=out[name]) for name in ways], args.runs)
        wrong, lengths = 0, {}
        print("what          wall s   CPU s   times without   texts   without the word")
        for name in ways:
            runs = [r for r in made.runs if r.name == name]
            wall, cpu = median(r.wall_s for r in runs), median((r.user_s or 0) + (r.system_s or 0) for r in runs)
            base = median(r.wall_s for r in made.runs if r.name == "without")
            texts = out[name].read_text(encoding="utf-8").rstrip("\n").split("\n")
            lengths[name] = [len(text.split()) for text in texts]
            lacking = sum(re.search(rf"\b{re.escape(args.word)}\b", text) is None for text in texts)
            print(f"{name:<12} {wall:7.2f}  {cpu:6.2f}   {wall / base:13.2f}   {len(texts):>5}   {lacking:>16}")
            if name != "without":
                wrong += lacking + (len(texts) < args.count)
        a, b = lengths["calculated"], lengths["tried"]
        error = (stdev(a) ** 2 / len(a) + stdev(b) ** 2 / len(b)) ** 0.5
        print(f"mean words: {mean(a):.2f} calculated, {mean(b):.2f} tried, standard error {error:.2f}")
        wrong += abs(mean(a) - mean(b)) > 4 * error
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
