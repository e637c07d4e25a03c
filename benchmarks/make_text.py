"""Write a large English-like text to measure on.

    python benchmarks/make_text.py OUT --megabytes 100 [--from FILE ...] [--seed 1]

A model with one token of history is trained on real text and writes the lines. They use a few
ten thousand types at most, while natural text keeps adding new ones. So a share of the plain words
is replaced by invented words, whose numbers come from an unbounded power law: n draws give about
n ** 0.7 types, like a Pitman-Yor process with discount 0.7 (Heaps' law; Pitman and Yor 1997). Some
repeat a recent invented word, as the topic of a page does, so that about half of all types occur once.

One seed, source text and version of markov give the same text on every machine: every
number comes from PCG64's integers, by operations that IEEE 754 rounds alike everywhere.

Legend: a is bytes of text, uint8; a span is a start and a length in a; k is the number of an
invented word; u is a uniform number in (0, 1].
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import markov_cli

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"  # ignored by git

SHARE = 0.34  # share of the plain words that is replaced
REPEAT = 0.25  # share of the replacements that repeat a recent invented word
RECENT = 200  # invented words that count as recent
SCALE = 4000.0  # a larger value spreads the power law over more types
LARGEST = 2.0**50  # larger power-law numbers occur once anyway
BATCH = 20_000  # lines

_U = np.uint64
_ONSETS = b"bdfghklmnprstvwz"
_VOWELS = b"aeiou"
SYLLABLES = np.array([[c, v] for c in _ONSETS for v in _VOWELS], np.uint8)  # (80, 2)


class Uniforms:
    """Uniform numbers of one seed, from PCG64's integers."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.PCG64(seed)

    def raw(self, n: int) -> np.ndarray:
        """uint64 (n,)."""
        return np.atleast_1d(self._generator.random_raw(n)) if n else np.empty(0, _U)

    def draw(self, n: int) -> np.ndarray:
        """(0, 1] in steps of 2**-53: float64 (n,)."""
        return ((self.raw(n) >> _U(11)) + _U(1)).astype(np.float64) * 2.0**-53


def word_numbers(uniforms: Uniforms, n: int) -> np.ndarray:
    """Numbers of n invented words, not yet repeated: int64 (n,).

    P(k > x) = (1 + x / SCALE) ** -0.4, so p(k) falls as k ** -1.4 and n draws meet about
    n ** (1 / 1.4) = n ** 0.71 types. u ** -2.5 is written with a root, which is exact everywhere.
    """
    u = uniforms.draw(n)
    k = SCALE * (1.0 / (u * u * np.sqrt(u)) - 1.0)
    other = uniforms.raw(n) >> _U(12)  # for the few that no int64 could hold
    return np.where(k < LARGEST, np.minimum(k, LARGEST), LARGEST + other.astype(np.float64)).astype(np.int64)


def spell(k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Invented words: their bytes, concatenated, and their lengths.

    Each has at least two syllables, so the most frequent have the length of words. Different
    numbers give different words, since the syllables are the digits of k + 80 to base 80.

    >>> letters, length = spell(np.array([0, 1, 6400]))
    >>> letters.tobytes(), length.tolist()
    (b'bebabebebebeba', [4, 4, 6])
    """
    base = len(SYLLABLES)
    rest = k + base
    digits = []
    while rest.any():
        digits.append(np.where(rest > 0, rest % base, -1))
        rest = rest // base
    table = np.stack(digits[::-1], axis=1)  # (n, d), -1 before the first digit
    used = table >= 0
    return SYLLABLES[table[used]].reshape(-1), 2 * used.sum(1)


def plain_words(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spans of the words of three or more small ASCII letters between white space."""
    white = a <= 32
    edge = np.flatnonzero(np.diff(white, prepend=True, append=True))
    start, end = edge[::2], edge[1::2]
    odd = np.concatenate(([0], np.cumsum((a < ord("a")) | (a > ord("z")))))
    good = (odd[end] == odd[start]) & (end - start >= 3)
    return start[good], (end - start)[good]


def replacements(
    a: np.ndarray, uniforms: Uniforms, recent: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Starts and lengths of the words that are replaced, the invented word of each, and all numbers drawn for them.

    The numbers begin with `recent`; word i may repeat one of the last `RECENT` before its own, number len(recent) + i.
    """
    start, length = plain_words(a)
    chosen = uniforms.draw(len(start)) <= SHARE
    start, length = start[chosen], length[chosen]
    n = len(start)
    fresh = np.concatenate((recent, word_numbers(uniforms, n)))
    at = np.arange(n) + len(recent)
    back = np.ceil(uniforms.draw(n) * RECENT).astype(np.int64)
    repeated = (uniforms.draw(n) <= REPEAT) & (at >= back)
    return start, length, fresh[np.where(repeated, at - back, at)], fresh


def replace_words(a: np.ndarray, uniforms: Uniforms, recent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The text with a share of its plain words replaced, and the last invented words."""
    start, length, k, fresh = replacements(a, uniforms, recent)
    letters, size = spell(k)
    return splice(a, start, length, letters, size), fresh[-RECENT:]


def splice(a: np.ndarray, start: np.ndarray, length: np.ndarray, new: np.ndarray, size: np.ndarray) -> np.ndarray:
    """`a` with each span replaced by the next `size` bytes of `new`."""
    kept_from = np.concatenate(([0], start + length))
    kept = np.concatenate((start, [len(a)])) - kept_from
    # kept pieces and spans alternate, with one more kept piece than spans
    before, after = np.empty((2, 2 * len(start) + 1), np.int64)
    before[::2] = after[::2] = kept
    before[1::2], after[1::2] = length, size
    is_kept = np.arange(len(before)) % 2 == 0
    out_kept = np.repeat(is_kept, after)
    out = np.empty(len(out_kept), np.uint8)
    out[out_kept], out[~out_kept] = a[np.repeat(is_kept, before)], new
    return out


def default_sources(folder: Path) -> list[Path]:
    """The corpora of this project, and the help topics that ship inside Python."""
    import pydoc_data.topics

    topics = folder / "topics.txt"
    topics.write_text("\n".join(pydoc_data.topics.topics.values()), encoding="utf-8")
    return [*sorted((ROOT / "corpora").glob("*.txt")), topics]


def chain(sources: list[Path]) -> markov_cli.Model:
    """The model that writes the lines before words are replaced."""
    import markov_cli

    return markov_cli.train(sources, order=2, tokenizer="spaces", unit="line")


def batches(texts: Iterable[str], seed: int) -> Iterator[bytes]:
    """Endless batches of lines with their words replaced."""
    uniforms = Uniforms(seed)
    recent = np.empty(0, np.int64)
    while True:
        lines = "\n".join(itertools.islice(texts, BATCH)) + "\n"
        a = np.frombuffer(lines.encode(), np.uint8)
        a, recent = replace_words(a, uniforms, recent)
        yield a.tobytes()


def write_text(out: Path, megabytes: float, sources: list[Path], seed: int) -> None:
    """Write the text; an existing file is replaced as a whole."""
    wanted = int(megabytes * 1e6)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        model = chain(sources or default_sources(Path(folder)))
    drawn = (t.text for t in model.generate(10**12, seed=seed))
    partial = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    written = 0
    try:
        with partial.open("xb") as file:
            for lines in batches(drawn, seed):
                if written + len(lines) >= wanted:
                    lines = lines[: lines.rfind(b"\n", 0, wanted - written) + 1]
                    file.write(lines)
                    break
                written += file.write(lines)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)


def ensure_text(megabytes: float, seed: int = 1) -> Path:
    """The default text of this size, written if it is missing."""
    out = BUILD / f"text-{megabytes:g}mb-seed{seed}.txt"
    if not out.exists():
        print(f"writing {out.relative_to(ROOT).as_posix()}", file=sys.stderr)
        write_text(out, megabytes, [], seed)
    return out


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write a large English-like text to measure on.")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--from", dest="sources", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    write_text(args.out, args.megabytes, args.sources, args.seed)


if __name__ == "__main__":
    main()
