"""Make a text many times larger, with new words and new n-grams in every copy.

    python benchmarks/grow_text.py TEXT OUT --copies 30 [--seed 1]

In each copy of TEXT one word in eight is replaced by a word from anywhere in TEXT, and a third of the
rare words (seen up to three times) get a new spelling. So each copy adds about 30 % of the types of TEXT, and
two thirds of its trigrams are new, as in a longer text. One seed and TEXT always give the same bytes.

Legend: tokens are separated by white space; ids number the distinct ones.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from markov_cli.arrays.sorting import ragged
from markov_cli.text.encoder import Encoder, TextOptions
from markov_cli.text.reading import Repairs, Source, blocks

REPLACED = 8  # one word in this many is replaced
SELDOM = 3
RESPELLED = 3  # one rare word in this many gets a new spelling


def numbers(path: Path) -> tuple[np.ndarray, np.ndarray, Encoder]:
    """The words of a text as ids, int64 (n,), and for each if a line ends after it."""
    encoder = Encoder(TextOptions("spaces", "line"))
    found, ends = [], []
    for block in blocks(Source(str(path)), keep_bytes=True, repairs=Repairs()):
        piece = encoder.encode(block)
        found.append(piece.number.astype(np.int64))
        last = np.zeros(len(piece.number), bool)
        last[np.maximum(piece.end - 1, 0)] = True
        ends.append(last)
    return np.concatenate(found), np.concatenate(ends), encoder


def main() -> None:
    """Write the larger text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--copies", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    ids, ends, encoder = numbers(args.text)
    types = encoder.types(np.arange(encoder.n_numbers()))
    seldom = np.flatnonzero(np.bincount(ids) <= SELDOM)
    generator = np.random.PCG64(args.seed)
    n = len(ids)
    with args.out.open("wb") as f:
        for copy in range(args.copies):
            mine = ids.copy()
            if copy:
                at = np.flatnonzero(generator.random_raw(n) % np.uint64(REPLACED) == 0)
                mine[at] = ids[(generator.random_raw(len(at)) % np.uint64(n)).astype(np.int64)]
            length = types.length.copy()
            mark = f"{copy:03d}".encode()
            anew = seldom[generator.random_raw(len(seldom)) % np.uint64(RESPELLED) == 0] if copy else seldom[:0]
            respelled = np.zeros(len(length), bool)
            respelled[anew] = True
            for low in range(0, n, 1 << 20):
                some, last = mine[low : low + (1 << 20)], ends[low : low + (1 << 20)]
                extra = np.where(respelled[some], len(mark), 0)
                size = length[some] + extra + 1
                end = np.cumsum(size)
                out = np.empty(int(end[-1]), np.uint8)
                out[ragged(end - size, length[some])] = types.blob[ragged(types.start[some], length[some])]
                here = np.flatnonzero(extra)
                for i, byte in enumerate(mark):
                    out[(end - 1 - len(mark) + i)[here]] = byte
                out[end - 1] = np.where(last, 10, 32)
                f.write(out)


if __name__ == "__main__":
    main()
