"""The floor of training: the bare NumPy operations that no way of counting n-grams can do without, on a real text.

    python benchmarks/training_floor.py TEXT
    python benchmarks/training_floor.py TEXT --order 5

Each is run alone, by one thread and by two at a time, on arrays of the size that training has. No work of `markov` is
in it: no long word is compared, no new type stored, no count made. What training takes beyond the sum is what can still
be saved. How much faster two threads do twice the same is what `--jobs 2` can give at most.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from markov_cli.arrays.processor import set_up_numpy

set_up_numpy()  # as the command does, before anything imports NumPy

import numpy as np  # noqa: E402

RUNS = 5
_U = np.uint64
BLOCK = 1 << 20  # bytes, and places, that are worked on at one time: they stay in the cache


def blocks(n: int) -> list[slice]:
    """Slices of a block each."""
    return [slice(i, min(i + BLOCK, n)) for i in range(0, n, BLOCK)]


class Arrays:
    """A text as the arrays that training works on, and its bare operations on them."""

    def __init__(self, path: Path, order: int) -> None:
        self.path, self.order = path, order
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
        self.stream = np.append(np.insert(self.ids, lines, 0), np.zeros(order - 1, np.uint32))  # 0 ends a line
        self.n = len(self.stream) - order + 1
        self.table = np.zeros((1 << (3 * top).bit_length(), 2), _U)
        rng = np.random.default_rng(0)
        self.slot = rng.permutation(len(self.table))[self.ids].astype(np.int64)
        self.id_of = np.arange(top + 1, dtype=np.uint32)
        self.per = min(64 // self.bits, order)  # ids in a key
        keys = [self.windows_of(slice(0, self.n), low, min(low + self.per, order)) for low in range(0, order, self.per)]
        ranges = max(self.n >> 19, 1)
        self.ranges = [rng.permutation(part) for key in keys for part in np.array_split(np.sort(key), ranges)]
        self.above = []  # a key for each n-gram of the orders from 3 on
        for k in range(3, order + 1):
            key = self.windows_of(slice(0, self.n), 0, min(k, self.per))
            if k > self.per:
                _, number = np.unique(key, return_inverse=True)
                key = number.astype(_U) << _U(self.bits * (k - self.per)) | self.windows_of(
                    slice(0, self.n), self.per, k
                )
            self.above.append(rng.permutation(np.unique(key)))

    def windows_of(self, s: slice, low: int, high: int) -> np.ndarray:
        """Ids low..high-1 of the windows that begin at some places, packed; a window ends with its line."""
        key = np.zeros(s.stop - s.start, _U)
        ended = np.zeros(s.stop - s.start, bool)
        for k in range(high):
            ids = np.where(ended, np.uint32(0), self.stream[s.start + k : s.stop + k])
            if k:
                ended |= ids == 0
            if k >= low:
                key = key << _U(self.bits) | ids
        return key

    def read(self, _: list[np.ndarray]) -> None:
        """Read the file."""
        with self.path.open("rb") as file:
            while file.read(BLOCK):
                pass

    def spaces(self, _: list[np.ndarray]) -> None:
        """Find where words begin and end."""
        for s in blocks(len(self.text)):
            self.text[s].take(np.flatnonzero(self.text[s] <= 32))

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
        """Pack all windows."""
        for s in blocks(self.n):
            for low in range(0, self.order, self.per):
                key = self.stream[s.start + low : s.stop + low].astype(_U)
                for k in range(low + 1, min(low + self.per, self.order)):
                    key <<= _U(self.bits)
                    key |= self.stream[s.start + k : s.stop + k]

    def sort(self, copies: list[np.ndarray]) -> None:
        """Sort keys in place."""
        for part in copies:
            part.sort()


def seconds(step: Callable[[list[np.ndarray]], None], given: list[np.ndarray], threads: int) -> float:
    """The time in which so many threads each do a step once: the median of several."""
    found = []
    for _ in range(RUNS):
        copies = [[part.copy() for part in given] for _ in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            begin = time.perf_counter()
            for _ in pool.map(step, copies):
                pass
            found.append(time.perf_counter() - begin)
    return statistics.median(found)


def main() -> None:
    """Print the time of each operation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--order", type=int, default=3)
    args = parser.parse_args()
    of = Arrays(args.text, args.order)
    steps: list[tuple[str, Callable[[list[np.ndarray]], None], list[np.ndarray]]] = [
        (f"read {len(of.text):,} bytes", of.read, []),
        ("find white space", of.spaces, []),
        (f"look up the first eight bytes of {len(of.start):,} tokens", of.heads, []),
        (f"look up their types in a table of {of.table.nbytes >> 20} MiB", of.slots, []),
        ("look up their final ids", of.final, []),
        (f"pack {of.n:,} windows of {of.order} ids", of.windows, []),
        (f"np.sort of {sum(map(len, of.ranges)):,} keys, in {len(of.ranges)} ranges", of.sort, of.ranges),
        (f"np.sort of {sum(map(len, of.above)):,} keys, for left neighbours", of.sort, of.above),
    ]
    print("| bare operation | seconds | twice the same, by two threads | their gain |\n|---|---|---|---|")
    total = both = 0.0
    for name, step, given in steps:
        one, two = seconds(step, given, 1), seconds(step, given, 2)
        total, both = total + one, both + two
        print(f"| {name} | {one:.2f} | {two:.2f} | {2 * one / two:.2f} |", flush=True)
    words = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run(["wc", "-w", str(args.text)], stdout=subprocess.DEVNULL, check=True)
        words.append(time.perf_counter() - begin)
    wc = statistics.median(words)
    print(f"| all | {total:.2f} | {both:.2f} | {2 * total / both:.2f} |\n| `wc -w` | {wc:.2f} | | |")
    print(f"\nDivided between two threads with that gain: {both / 2 / wc:.1f} times `wc -w`.")


if __name__ == "__main__":
    main()
