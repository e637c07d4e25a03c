"""Time of `generate --novel`, with its texts checked for copied runs in plain Python.

    python benchmarks/novel.py BOOK [--novel 6] [--order 3] [--count 10000] [--runs 5]

Trains on BOOK with a guard, writes texts with --novel from the corpus and from the guard, and looks for shared runs
with the oracle's tokenizer (tests/oracle.py: plain Python, nothing of the program) and with `str.split`. A shared
run gives exit code 1. Times are relative to the same number of texts without --novel.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from measure import Command, Measurements

from oracle import words


def n_sharing(texts: list[str], corpus: str, k: int, split: object) -> int:
    """The number of texts that share a run of k tokens with the corpus."""
    stream = [*split(corpus)]  # type: ignore[operator]
    runs = {tuple(stream[i : i + k]) for i in range(len(stream) - k + 1)}
    shared = 0
    for text in texts:
        tokens = [*split(text)]  # type: ignore[operator]
        shared += any(tuple(tokens[i : i + k]) in runs for i in range(len(tokens) - k + 1))
    return shared


def tokens(text: str) -> list[str]:
    """The tokens of a text by the oracle, without flags."""
    return [found[0] for found in words(text)]


def main() -> int:
    """Measure and check; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path)
    parser.add_argument("--novel", type=int, default=6)
    parser.add_argument("--order", type=int, default=3)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    markov = [sys.executable, "-m", "markov_cli"]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        plain, checked = work / "plain.npz", work / "guarded.npz"
        train = [*markov, "train", args.book, "-n", str(args.order), "-q", "-o"]
        generate = [*markov, "generate", checked, "-c", str(args.count), "-s", "1", "-q"]
        made = Measurements()
        made.measure(
            [
                Command("train", [*train, plain]),
                Command("train --guard", [*train, checked, "--guard", str(args.novel)]),
            ],
            args.runs,
        )
        out = {name: work / f"{name}.txt" for name in ("without", "corpus", "guard")}
        novel = [*generate, "--novel", str(args.novel)]
        made.measure(
            [
                Command("without", generate, stdout=out["without"]),
                Command("corpus", [*novel, "--corpus", args.book], stdout=out["corpus"]),
                Command("guard", novel, stdout=out["guard"]),
            ],
            args.runs,
        )
        book = args.book.read_text(encoding="utf-8-sig")
        wrong = 0
        base: dict[str, float] = {}
        print("what           wall s   CPU s   times without   texts   with a shared run   by white space")
        for name in ("train", "train --guard", "without", "corpus", "guard"):
            runs = [r for r in made.runs if r.name == name]
            wall, cpu = median(r.wall_s for r in runs), median((r.user_s or 0) + (r.system_s or 0) for r in runs)
            line = f"{name:<14} {wall:6.2f}  {cpu:6.2f}"
            if name in out:
                base.setdefault("wall", wall)
                base.setdefault("cpu", cpu)
                texts = out[name].read_text(encoding="utf-8").rstrip("\n").split("\n")
                found = [n_sharing(texts, book, args.novel, split) for split in (tokens, str.split)]
                line += f"   {wall / base['wall']:.2f} ({cpu / base['cpu']:.2f} CPU)  {len(texts):>6}"
                line += f"   {found[0]:>16}   {found[1]:>14}"
                if name != "without":
                    wrong += sum(found) + (len(texts) < args.count)
            print(line)
        sizes = plain.stat().st_size, checked.stat().st_size
        print(f"model {sizes[0]:,} bytes, with the guard {sizes[1]:,}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
