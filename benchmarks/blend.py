"""Measures `--smoothing blend`: perplexity beside Kneser-Ney, each part alone and left out, time, and bytes it adds.

A text is cut into 20 stretches. The seventh is held-out text, the fourteenth test text, the others are trained on. The
licence that Project Gutenberg adds to a book is left out. Nothing looks at the test text before it is scored.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import markov_cli

PARTS, HELD_OUT, TEST = 20, 6, 13
RUNS = 3
TEXTS = 20_000


def split(text: str) -> tuple[str, str, str]:
    """Training, held-out and test text."""
    text = text.replace("\r\n", "\n")
    begin, end = text.find("*** START"), text.find("End of the Project Gutenberg")
    if begin >= 0:
        text = text[text.find("\n", begin) : end if end > 0 else None]
    units = text.split("\n\n") if text.count("\n\n") >= PARTS else text.split("\n")
    stretches = ["\n\n".join(units[i * len(units) // PARTS : (i + 1) * len(units) // PARTS]) for i in range(PARTS)]
    train = "\n\n".join(s for i, s in enumerate(stretches) if i not in (HELD_OUT, TEST))
    return train, stretches[HELD_OUT], stretches[TEST]


def scored(model: markov_cli.Model, test: str, **options: object) -> tuple[float, float]:
    """Perplexity, OOV included, and microseconds of the processor for each token: the median of some runs."""
    markov_cli.score(model, texts=[test[:1000]], **options)  # what is made once is not measured
    micros: list[float] = []
    while len(micros) < RUNS:
        begin = time.process_time()
        found = markov_cli.score(model, texts=[test], **options)
        micros.append((time.process_time() - begin) / found.tokens * 1e6)
    return found.perplexity, statistics.median(micros)


def drawn(model: markov_cli.Model, **options: object) -> float:
    """Seconds to draw TEXTS texts, what is worked out once included: the median of some runs."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.npz")
        while len(seconds) < RUNS:
            with markov_cli.Model.load(f"{folder}/model.npz") as fresh:
                begin = time.perf_counter()
                if sum(1 for _ in fresh.generate(TEXTS, seed=1, **options)) != TEXTS:
                    raise SystemExit("not all of the texts were drawn")
                seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def measure(path: Path, order: int, classes: list[int]) -> None:
    """Print the tables of one text."""
    train, held_out, test = split(path.read_text(encoding="utf-8", errors="replace"))
    plain = markov_cli.train(texts=[train], order=order, min_type_count=2)
    print(f"\n{path.name}: {plain.header.tokens:,} tokens of {plain.header.types:,} types, order {order}\n")
    with tempfile.TemporaryDirectory() as folder:
        size = plain.save(f"{folder}/plain.npz")
        tuned = {}
        for name, log_linear in (("linear", False), ("log-linear", True)):
            begin = time.process_time()
            tuned[name] = markov_cli.tune(plain, texts=[held_out], classes=classes, adapt=True, log_linear=log_linear)
            seconds = time.process_time() - begin
            added = tuned[name].model.save(f"{folder}/tuned.npz") - size
            print(f"{name}: tuned in {seconds:.0f} s of the processor, adds {added:,} bytes to {size:,}")
    print("\n| test text | perplexity | of kn | us a token |\n|---|---|---|---|")
    first = scored(plain, test, smoothing="kn")
    rows = [("kn", first), ("blend, not tuned", scored(plain, test, smoothing="blend"))]
    for name, found in tuned.items():
        rows.append((name, scored(found.model, test, smoothing="blend")))
        rows.append((f"{name}, --adapt", scored(found.model, test, smoothing="blend", adapt=True)))
    for name, (perplexity, micros) in rows:
        print(f"| {name} | {perplexity:.2f} | {perplexity / first[0]:.3f} | {micros:.1f} |")
    kn, blend = (drawn(tuned["linear"].model, smoothing=smoothing) for smoothing in ("kn", "blend"))
    print(f"\n{TEXTS:,} texts: kn {kn:.2f} s, linear {blend:.2f} s, {kn / blend:.2f} of its speed")
    print("\n| held-out text | weight | alone | left out |\n|---|---|---|---|")
    for name, found in tuned.items():
        for part in found.parts:
            alone = "" if part.perplexity_alone is None else f"{part.perplexity_alone:.2f}"
            print(f"| {name}: {part.part} | {part.weight:.3f} | {alone} | {part.perplexity_without:.2f} |")
        print(f"| {name}: all | | | {found.perplexity:.2f} |")
    print(f"| kn | | {found.perplexity_kn:.2f} | |", flush=True)


def main() -> None:
    """Measure each text that is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", nargs="+", type=Path, help="texts in UTF-8")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--classes", default="100,200,400", help="as of markov tune")
    given = parser.parse_args()
    for path in given.texts:
        measure(path, given.order, [int(n) for n in given.classes.split(",")])


if __name__ == "__main__":
    main()
