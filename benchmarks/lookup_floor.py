"""The floor of scoring: the bare look-ups that no search in a sorted table can do without, of a real text.

    python benchmarks/lookup_floor.py MODEL TEXT

For each token and order: the range of a history's followers, the token of the one that is found, and its values, u
and b. Where each lies is worked out before, so there is no search; what is not found costs nothing. They are measured
as `take` of NumPy, for 65,536 tokens at a time, by one thread and by two. TEXT is read by lines, split at white space.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from markov_cli.arrays.processor import set_up_numpy

set_up_numpy()  # as the command does, before anything imports NumPy

import numpy as np  # noqa: E402

import markov_cli  # noqa: E402
from markov_cli.text.types import BOS, EOS, UNK  # noqa: E402

RUNS, PIECE = 3, 1 << 16


def ids_of(model: markov_cli.Model, path: Path) -> np.ndarray:
    """Ids of all lines, each between BOS and EOS: int64."""
    number = {model.vocabulary.bytes_of(i): i for i in range(EOS + 1, model.table.n_ids)}
    lines = (line.split() for line in path.read_bytes().splitlines())
    ids = ([BOS, *(number.get(word, UNK) for word in words), EOS] for words in lines if words)
    return np.fromiter((i for line in ids for i in line), np.int64)


def accesses(model: markov_cli.Model, ids: np.ndarray) -> tuple[list[tuple[np.ndarray, np.ndarray]], int]:
    """Pairs of an array and the rows that are looked up in it; and the bytes of the arrays."""
    table, found = model.table, []
    place, node = np.arange(1, len(ids)), ids[:-1]
    for level in range(1, table.order):
        keep = ids[place] != BOS
        place, node = place[keep], node[keep]
        child = table.child(level, node, ids[place])
        first = np.array(table.orders[level - 1].first)
        found += [(first, node), (first[1:], node)]
        there = np.flatnonzero(child >= 0)
        place, node = place[there] + 1, child[there]
        found += [(np.array(table.orders[level].token), node), (np.zeros((len(table.orders[level]), 2)), node)]
        inside = place < len(ids)
        place, node = place[inside], node[inside]
    return found, sum(a.nbytes for a, _ in found[1:])


def look_up(found: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """All look-ups, some at a time."""
    for array, rows in found:
        for low in range(0, len(rows), PIECE):
            array.take(rows[low : low + PIECE], axis=0)


def main() -> None:
    """Print the time of all look-ups."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text", type=Path)
    args = parser.parse_args()
    model = markov_cli.Model.load(args.model)
    ids = ids_of(model, args.text)
    found, held = accesses(model, ids)
    n = sum(len(rows) for _, rows in found)
    print(f"{len(ids):,} tokens and ends, {n:,} look-ups in arrays of {held >> 20} MiB")
    for threads in (1, 2):
        half = [(a, part) for a, rows in found for part in np.array_split(rows, threads)]
        parts = [half[i::threads] for i in range(threads)]
        seconds = []
        for _ in range(RUNS):
            with ThreadPoolExecutor(threads) as pool:
                begin = time.perf_counter()
                for _ in pool.map(look_up, parts):
                    pass
                seconds.append(time.perf_counter() - begin)
        took = statistics.median(seconds)
        print(f"{threads} thread{'s' * (threads > 1)}: {took:.2f} s, {took / n * 1e9:.1f} ns a look-up")


if __name__ == "__main__":
    main()
