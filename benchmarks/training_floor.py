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
BLOCK = 1 << 20  # bytes, and places, that are worked on at one time: they stay in the cache


def blocks(n: int) -> list[slice]:
    """Slices of a block each."""
    return [slice(i, min(i + BLOCK, n)) for i in range(0, n, BLOCK)]


def main() -> None:
    """Print the time of each operation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    path = parser.parse_args().text
    a = np.fromfile(path, np.uint8)
    padded = np.concatenate((a, np.zeros(8, np.uint8)))
    eight = np.ndarray((len(a),), "<u8", padded, strides=(1,))
    white = np.frombuffer(bytes(b in b" \t\n\v\f\r\0" for b in range(256)), np.uint8)
    edges = np.flatnonzero(np.diff(white[a], prepend=1))
    start = edges[white[a[edges]] == 0]
    end = np.append(edges, len(a))[np.searchsorted(edges, start, "right")]
    head = eight[start] & np.array([(1 << 8 * i) - 1 for i in range(9)], np.uint64)[np.minimum(end - start, 8)]
    _, ids = np.unique(head, return_inverse=True)  # stands for the types: words alike in eight bytes are one
    ids = ids.astype(np.uint32) + np.uint32(1)
    bits = int(ids.max()).bit_length()
    lines = np.searchsorted(start, np.flatnonzero(a == 10))
    stream = np.append(np.insert(ids, lines, 0), np.zeros(2, np.uint32))  # 0 ends a line
    n = len(stream) - 2
    table = np.zeros((1 << max(3 * int(ids.max()), 1).bit_length(), 2), np.uint64)
    slot = np.random.default_rng(0).permutation(len(table))[ids].astype(np.int64)
    id_of = np.arange(int(ids.max()) + 1, dtype=np.uint32)
    keys = stream[:-2].astype(np.uint64) << np.uint64(2 * bits) | stream[1:-1].astype(np.uint64) << np.uint64(bits)
    keys |= np.where(stream[1:-1] == 0, 0, stream[2:])  # a window ends with its line
    ranges = [np.ascontiguousarray(part) for part in np.array_split(np.sort(keys), max(n >> 19, 1))]
    rng = np.random.default_rng(1)
    for part in ranges:
        rng.shuffle(part)
    pairs = rng.permutation(np.unique(keys))
    copies: list[np.ndarray] = []

    def read() -> None:
        with path.open("rb") as file:
            while file.read(BLOCK):
                pass

    def spaces() -> None:
        for s in blocks(len(a)):
            np.flatnonzero(np.diff(np.frombuffer(a[s].tobytes().translate(white.tobytes()), np.uint8)))

    def heads() -> None:
        for s in blocks(len(start)):
            eight[start[s]]

    def slots() -> None:
        for s in blocks(len(slot)):
            table.take(slot[s], axis=0, mode="clip")

    def final() -> None:
        for s in blocks(len(ids)):
            id_of.take(ids[s], mode="clip")

    def windows() -> None:
        for s in blocks(n):
            key = stream[s].astype(np.uint64)
            for k in (1, 2):
                key <<= np.uint64(bits)
                key |= stream[s.start + k : s.stop + k]

    def sort() -> None:
        for part in copies:
            part.sort()

    steps: list[tuple[str, Callable[[], None], list[np.ndarray]]] = [
        (f"read {len(a):,} bytes", read, []),
        ("find white space", spaces, []),
        (f"look up the first eight bytes of {len(start):,} tokens", heads, []),
        (f"look up their types in a table of {table.nbytes >> 20} MiB", slots, []),
        ("look up their final ids", final, []),
        (f"pack {n:,} windows of three ids", windows, []),
        (f"np.sort of {n:,} keys, in {len(ranges)} ranges", sort, ranges),
        (f"np.sort of {len(pairs):,} keys, for left neighbours", sort, [pairs]),
    ]
    print("| bare operation, one thread | seconds |\n|---|---|")
    total = 0.0
    for name, step, given in steps:
        seconds = []
        for _ in range(RUNS):
            copies[:] = [part.copy() for part in given]
            begin = time.process_time()
            step()
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
