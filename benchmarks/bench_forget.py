"""Time and memory of forgetting a tenth of a text beside training on the rest; and random splits, for their bytes.

    python benchmarks/bench_forget.py [--text FILE] [--megabytes 20] [--runs 5] [--jobs 2] [--orders 3,5] [--splits 10]

The pieces of the text are its lines, its paragraphs, and its paragraphs as records of ten authors. Every split draws a
tenth of the pieces, or two authors; the model without them must have the bytes of one trained on the rest; exit code
1 where it has not. A play of `NAME:` and speech gives its own authors: --play FILE.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import make_text
import measure
from measure import Command, Measurements, say

from markov_cli.api.forget import forget
from markov_cli.api.model import Model
from markov_cli.api.train import train

AUTHORS = [f"author {i}" for i in range(10)]


def paragraphs_of(text: str) -> list[str]:
    """Paragraphs, with the blank line behind each; ten lines each where there are no blank lines."""
    found = [part + "\n\n" for part in text.split("\n\n") if part.strip()]
    if len(found) > 100:
        return found
    lines = text.splitlines()
    return ["\n".join(lines[i : i + 10]) + "\n\n" for i in range(0, len(lines), 10)]


def speeches_of(play: str) -> list[tuple[str, str]]:
    """Speaker and words of each speech."""
    parts = (part.partition(":\n") for part in play.split("\n\n"))
    return [(name, words.strip()) for name, colon, words in parts if colon and words.strip()]


def bytes_of(model: Model) -> bytes:
    """The bytes of its file."""
    out = io.BytesIO()
    model.save(out)
    return out.getvalue()


def same_of_pieces(pieces: list[str], rng: random.Random, **options: Any) -> bool:
    """Split the pieces, one of ten goes; True if forgetting gives the bytes of training."""
    gone = set(rng.sample(range(len(pieces)), len(pieces) // 10))
    out, rest = ("".join(p for i, p in enumerate(pieces) if (i in gone) == wanted) for wanted in (True, False))
    found = forget(train(texts="".join(pieces), **options), texts=out)
    return bytes_of(found.model) == bytes_of(train(texts=rest, **options))


def same_of_authors(said: list[tuple[str, str]], folder: Path, rng: random.Random, **options: Any) -> bool:
    """Two authors go, drawn in proportion to their records."""
    gone = sorted({rng.choice(said)[0] for _ in range(2)})
    every, rest = folder / "every.jsonl", folder / "rest.jsonl"
    for path, left in ((every, said), (rest, [one for one in said if one[0] not in gone])):
        path.write_text("".join(json.dumps({"user": who, "text": words}) + "\n" for who, words in left))
    found = forget(train(every, jsonl="text", **options), every, jsonl="text", by={"user": gone})
    return bytes_of(found.model) == bytes_of(train(rest, jsonl="text", **options))


def splits(text: str, play: str, folder: Path, n: int) -> list[list[str]]:
    """A row for each way to split the text."""
    lines, paragraphs = text.splitlines(keepends=True), paragraphs_of(text)
    rng = random.Random(0)
    said = [(rng.choice(AUTHORS), paragraph.strip()) for paragraph in paragraphs]
    ways = {
        "lines": lambda rng, order: same_of_pieces(lines, rng, unit="line", order=order),
        "paragraphs": lambda rng, order: same_of_pieces(paragraphs, rng, order=order),
        "authors of records": lambda rng, order: same_of_authors(said, folder, rng, order=order),
    }
    if play:
        speeches = speeches_of(play)
        ways["speakers of a play"] = lambda rng, order: same_of_authors(speeches, folder, rng, order=order)
    rows = []
    for name, same in ways.items():
        say(f"  {n} splits by {name}")
        right = sum(same(random.Random(i), 1 + i % 5) for i in range(n))
        rows.append([name, f"{right} of {n}", "same bytes" if right == n else "WRONG"])
    return rows


def timed(text: str, folder: Path, order: int, runs: int, jobs: int) -> list[list[str]]:
    """A row for training on the rest, and one for forgetting a tenth of the paragraphs."""
    pieces = paragraphs_of(text)
    gone = set(random.Random(0).sample(range(len(pieces)), len(pieces) // 10))
    files = {name: folder / f"{name}.txt" for name in ("all", "out", "rest")}
    for name, path in files.items():
        path.write_text("".join(p for i, p in enumerate(pieces) if name == "all" or (i in gone) == (name == "out")))
    markov = [sys.executable, "-m", "markov_cli"]
    shared = ["--jobs", str(jobs), "--quiet"]

    def training(name: str) -> Command:
        command = [*markov, "train", files[name], "-n", str(order), *shared, "-o", folder / f"{name}.npz"]
        return Command(f"train, order {order}", command)

    left = folder / "left.npz"
    forgetting = Command(
        f"forget, order {order}", [*markov, "forget", folder / "all.npz", files["out"], *shared, "-o", left]
    )
    measure.launch(training("all"))
    m = Measurements()
    m.measure([training("rest"), forgetting], runs)
    same = left.read_bytes() == (folder / "rest.npz").read_bytes()
    plain, *_ = figures = m.summary()
    return [
        [
            one["name"], f"{one['wall_s_median']:.2f} s", f"{one['cpu_s_median']:.2f} s",
            f"{one['peak_bytes_median'] / 1e6:,.0f} MB", f"{one['cpu_s_median'] / plain['cpu_s_median']:.2f}",
            f"{one['peak_bytes_median'] / plain['peak_bytes_median']:.2f}", "same bytes" if same else "WRONG",
        ]
        for one in figures
    ]  # fmt: skip


def main() -> int:
    """Measure, and print the tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--text", type=Path)
    asked.add_argument("--play", type=Path)
    asked.add_argument("--megabytes", type=float, default=20)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--orders", default="3,5")
    asked.add_argument("--splits", type=int, default=10)
    asked.add_argument("--work", type=Path)
    o = asked.parse_args()
    text = (o.text or make_text.ensure_text(o.megabytes)).read_bytes().decode("utf-8", "replace")
    text = text[: int(o.megabytes * 1e6)]
    play = o.play.read_text(encoding="utf-8") if o.play else ""
    with tempfile.TemporaryDirectory(dir=o.work) as name:
        folder = Path(name)
        rows = [row for order in o.orders.split(",") for row in timed(text, folder, int(order), o.runs, o.jobs)]
        head = ["command", "time", "processor", "memory", "x processor", "x memory", "answer"]
        print(f"a tenth of {len(text) / 1e6:.1f} MB, {o.jobs} threads, medians of {o.runs} runs\n")
        print(measure.table_text(head, rows))
        found = splits(text, play, folder, o.splits) if o.splits else []
        if found:
            print("\n" + measure.table_text(["splits by", "right", "answer"], found))
    return int(any(row[-1] == "WRONG" for row in [*rows, *found]))


if __name__ == "__main__":
    sys.exit(main())
