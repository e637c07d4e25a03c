"""Time to the first text from a model of 3 GB: `python benchmarks/bench_large.py FOLDER`.

The model is constructed, not trained: a valid table, as irregular as a real one where it is read. Every
type has `FOLLOWERS` followers, every pair `LONGER`; each trigram occurs once, in one sequence that covers
all of them. Making it takes about 6 GB of memory and two minutes; `--bits 14` makes a small one.

Legend: V is the number of types, t one of them, id t + 3; its followers are B t + c mod V for c < FOLLOWERS.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from markov_cli.model.count_column import SPAN, Counts, smallest
from markov_cli.model.model_file import Header, save
from markov_cli.model.table import Order, Table
from markov_cli.text.encoder import TextOptions
from markov_cli.text.types import BOS, EOS, N_MARKERS, Types

FOLLOWERS, LONGER = 100, 4
_B = 7_368_787  # odd, so that every type is a follower of FOLLOWERS types


def followers(n_types: int, low: int, high: int) -> np.ndarray:
    """Followers of types low..high-1, in order, as types: int64 (m, FOLLOWERS)."""
    t = np.arange(low, high)[:, None]
    return np.sort((_B * t + np.arange(FOLLOWERS)) % n_types, axis=1)


def place_of(n_types: int, t: np.ndarray, follower: np.ndarray) -> np.ndarray:
    """c of a follower of t."""
    return (follower - _B * t) % n_types


def longer(n_types: int, t: np.ndarray, f: np.ndarray) -> np.ndarray:
    """The types that follow a pair, in order: int64 (m, LONGER)."""
    c = place_of(n_types, t, f)[:, None] + (FOLLOWERS // LONGER) * np.arange(LONGER)
    return np.sort((_B * f[:, None] + c % FOLLOWERS) % n_types, axis=1)


def ones(n: int, value: int = 1) -> Counts:
    """A column of equal counts."""
    sums = np.minimum(np.arange(-(-n // SPAN) + 1, dtype=np.int64) * SPAN, n) * value
    none = np.empty(0, np.uint8)
    return Counts(np.full(n, value, np.uint8), none.astype(smallest(n)), none, sums.astype(smallest(int(sums[-1]))))


def put(counts: Counts, row: int, value: int) -> None:
    """Change one count below 255."""
    change = value - int(counts.small[row])
    counts.small[row] = value
    behind = counts.sums[row // SPAN + 1 :]
    behind[:] = behind.astype(np.int64) + change


def make(path: Path, bits: int) -> int:
    """Write the model; returns its size in bytes. The sequence begins and ends with the types 0 and 1."""
    v = 1 << bits
    n2, n3 = v * FOLLOWERS + 2, v * FOLLOWERS * LONGER + 2
    # order 2: the one follower of BOS, then the followers of each type; type 1 has EOS first
    closing = 1 + 1 * FOLLOWERS  # the row of (1, EOS)
    token2 = np.empty(n2, smallest(v + N_MARKERS - 1))
    token3 = np.empty(n3, smallest(v + N_MARKERS - 1))
    link_of = np.empty(v, np.int64)  # where the followers of a type begin in order 2
    link_of[:] = 1 + np.arange(v) * FOLLOWERS
    link_of[2:] += 1
    link_of[1] += 1
    opening = int(link_of[0]) + int(np.flatnonzero(followers(v, 0, 1)[0] == 1)[0])  # the row of (0, 1)
    token2[0], token2[closing] = N_MARKERS, EOS
    token3[0] = 1 + N_MARKERS  # BOS 0 1
    at = 1
    for low in range(0, v, 1 << 12):
        high = min(low + (1 << 12), v)
        f = followers(v, low, high)
        row = link_of[low:high, None] + np.arange(FOLLOWERS)
        token2[row] = f + N_MARKERS
        t = np.repeat(np.arange(low, high), FOLLOWERS)
        third = (longer(v, t, f.ravel()) + N_MARKERS).ravel()
        if low == 0:  # the sequence ends after (0, 1), where EOS comes first
            cut = (opening - 1) * LONGER
            third = np.concatenate((third[:cut], [EOS], third[cut:]))
        token3[at : at + len(third)] = third
        at += len(third)
    assert at == n3
    size = np.full(n2, LONGER, np.int64)
    size[0], size[closing], size[opening] = 1, 0, LONGER + 1
    first2 = np.concatenate((np.zeros(1, np.int64), np.cumsum(size))).astype(smallest(n3))
    first1 = np.zeros(v + N_MARKERS + 1, np.int64)
    first1[BOS + 1 : N_MARKERS + 1] = 1
    first1[N_MARKERS + 1 :] = link_of + FOLLOWERS
    count1 = np.full(v + N_MARKERS, FOLLOWERS * LONGER, np.int64)
    count1[[0, BOS, EOS]] = 0, 1, 1
    count1[N_MARKERS : N_MARKERS + 2] += 1
    left1 = np.full(v + N_MARKERS, FOLLOWERS, np.int64)
    left1[[0, BOS, EOS]] = 0, 0, 1
    left1[N_MARKERS] += 1
    count2, left2 = ones(n2, LONGER), ones(n2, LONGER)
    for row, count, left in ((0, 1, 0), (closing, 1, 1), (opening, LONGER + 1, LONGER + 1)):
        put(count2, row, count)
        put(left2, row, left)
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)
    digits = [letters[np.arange(v) // 26**i % 26] for i in range(4, -1, -1)]
    blob = np.stack(digits, axis=1).ravel()
    types = Types(blob, 5 * np.arange(v), np.full(v, 5), np.zeros(v, np.uint8))
    table = Table([
        Order(Counts.pack(count1), None, first1.astype(smallest(n2)), Counts.pack(left1)),
        Order(count2, token2, first2, left2),
        Order(ones(n3), token3),
    ])  # fmt: skip
    tokens = int(count1[N_MARKERS:].sum())
    return save(path, Header(3, TextOptions("spaces", "line"), tokens, v, 1, tokens * 6), types, table)


def forget(path: Path) -> bool:
    """Drop the file from the page cache, so it is read from disk."""
    if not hasattr(os, "posix_fadvise"):
        return False
    with open(path, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True


def first_text(path: Path, *more: str) -> float:
    """Seconds from the start of the process to the first byte of its first text."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "markov_cli", "generate", str(path), "--max-tokens", "30", "-q", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None and run.stdout.read(1)
        return time.perf_counter() - begin


def main() -> None:
    """Make the model if it is missing, and measure."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--bits", type=int, default=20, help="2 to this many types: 20 give 3.4 GB")
    asked.add_argument("--runs", type=int, default=7)
    o = asked.parse_args()
    path = o.folder / f"large-{o.bits}.npz"
    if not path.exists():
        o.folder.mkdir(parents=True, exist_ok=True)
        begin = time.perf_counter()
        make(path, o.bits)
        print(f"made in {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    out = {"machine": platform.machine(), "python": platform.python_version(), "numpy": np.__version__}
    out["model_bytes"] = path.stat().st_size
    for name, more in (
        ("raw counts", ()),
        ("kn", ("--smoothing", "kn")),
        ("temperature 0.7", ("--temperature", "0.7")),
    ):
        first_text(path, *more)
        out[f"{name}, warm, s"] = sorted(round(first_text(path, *more), 3) for _ in range(o.runs))
        if forget(path):
            cold = []
            for _ in range(3):
                forget(path)
                cold.append(round(first_text(path, *more), 3))
            out[f"{name}, cold, s"] = cold
        print(
            f"{name:<16} {statistics.median(out[f'{name}, warm, s']):.2f} s to the first text, the file in memory",
            file=sys.stderr,
        )
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
