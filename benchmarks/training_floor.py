"""The floor of training: the bare NumPy operations that no way of counting n-grams can do without, on a real text.

    python benchmarks/training_floor.py TEXT

Each is run alone, by one thread, on arrays of the size that training has. Nothing of `markov` is in it: no long word is
compared, no new type stored, no count made. What training takes beyond the sum is what can still be saved.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

RUNS = 5
_U = np.uint64
BLOCK = 1 << 20  # bytes, and places, that are worked on at one time: they stay in the cache


def blocks(n: int) -> list[slice]:
    """Slices of a block each."""
    return [slice(i, min(i + BLOCK, n)) for i in range(0, n, BLOCK)]


class Arrays:
    """A text as the arrays that training works on, and its bare operations on them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = a = np.fromfile(path, np.uint8)
        padded = np.concatenate((a, np.zeros(8, np.uint8)))
        self.eight = np.ndarray((len(a),), "<u8", padded, strides=(1,))
        self.white = np.frombuffer(bytes(b in b" \t\n\v\f\r\0" for b in range(256)), np.uint8)
        edges = np.flatnonzero(np.diff(self.white[a], prepend=1))
        self.start = start = edges[self.white[a[edges]] == 0]
        end = np.append(edges, len(a))[np.searchsorted(edges, start, "right")]
        head = self.eight[start] & np.array([(1 << 8 * i) - 1 for i in range(9)], _U)[np.minimum(end - start, 8)]
        _, ids = np.unique(head, return_inverse=True)  # stands for the types: words alike in eight bytes are one
        self.ids = ids.astype(np.uint32) + np.uint32(1)
        top = int(self.ids.max())
        self.bits = top.bit_length()
        lines = np.searchsorted(start, np.flatnonzero(a == 10))
        self.stream = np.append(np.insert(self.ids, lines, 0), np.zeros(2, np.uint32))  # 0 ends a line
        self.n = len(self.stream) - 2
        self.table = np.zeros((1 << (3 * top).bit_length(), 2), _U)
        rng = np.random.default_rng(0)
        self.slot = rng.permutation(len(self.table))[self.ids].astype(np.int64)
        self.id_of = np.arange(top + 1, dtype=np.uint32)
        first, second, third = (self.stream[k : k + self.n].astype(_U) for k in range(3))
        third[second == 0] = 0  # a window ends with its line
        keys = (first << _U(2 * self.bits)) | (second << _U(self.bits)) | third
        self.ranges = [rng.permutation(part) for part in np.array_split(np.sort(keys), max(self.n >> 19, 1))]
        self.trigrams = rng.permutation(np.unique(keys))

    def read(self, _: list[np.ndarray]) -> None:
        """Read the file."""
        with self.path.open("rb") as file:
            while file.read(BLOCK):
                pass

    def spaces(self, _: list[np.ndarray]) -> None:
        """Find where words begin and end."""
        for s in blocks(len(self.text)):
            kind = self.text[s].tobytes().translate(self.white.tobytes())
            np.flatnonzero(np.diff(np.frombuffer(kind, np.uint8)))

    def heads(self, _: list[np.ndarray]) -> None:
        """Look up the first bytes of each token."""
        for s in blocks(len(self.start)):
            self.eight[self.start[s]]

    def slots(self, _: list[np.ndarray]) -> None:
        """Look up its type."""
        for s in blocks(len(self.slot)):
            self.table.take(self.slot[s], axis=0, mode="clip")

    def final(self, _: list[np.ndarray]) -> None:
        """Look up its final id."""
        for s in blocks(len(self.ids)):
            self.id_of.take(self.ids[s], mode="clip")

    def windows(self, _: list[np.ndarray]) -> None:
        """Pack all windows of three ids."""
        for s in blocks(self.n):
            key = self.stream[s].astype(_U)
            for k in (1, 2):
                key <<= _U(self.bits)
                key |= self.stream[s.start + k : s.stop + k]

    def sort(self, copies: list[np.ndarray]) -> None:
        """Sort keys in place."""
        for part in copies:
            part.sort()


def main() -> None:
    """Print the time of each operation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    path = parser.parse_args().text
    of = Arrays(path)
    steps: list[tuple[str, Callable[[list[np.ndarray]], None], list[np.ndarray]]] = [
        (f"read {len(of.text):,} bytes", of.read, []),
        ("find white space", of.spaces, []),
        (f"look up the first eight bytes of {len(of.start):,} tokens", of.heads, []),
        (f"look up their types in a table of {of.table.nbytes >> 20} MiB", of.slots, []),
        ("look up their final ids", of.final, []),
        (f"pack {of.n:,} windows of three ids", of.windows, []),
        (f"np.sort of {of.n:,} keys, in {len(of.ranges)} ranges", of.sort, of.ranges),
        (f"np.sort of {len(of.trigrams):,} keys, for left neighbours", of.sort, [of.trigrams]),
    ]
    print("| bare operation, one thread | seconds |\n|---|---|")
    total = 0.0
    for name, step, given in steps:
        seconds = []
        for _ in range(RUNS):
            copies = [part.copy() for part in given]
            begin = time.process_time()
            step(copies)
            seconds.append(time.process_time() - begin)
        total += statistics.median(seconds)
        print(f"| {name} | {statistics.median(seconds):.2f} |", flush=True)
    words = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run(["wc", "-w", str(path)], stdout=subprocess.DEVNULL, check=True)
        words.append(time.perf_counter() - begin)
    wc = statistics.median(words)
    print(f"| all | {total:.2f} |\n| `wc -w` | {wc:.2f} |")
    print(f"\nDivided between two cores without loss: {total / 2 / wc:.1f} times `wc -w`.")


if __name__ == "__main__":
    main()
