"""Protection at training time: drops n-grams of few sequences or files, and caps counts per sequence.

Legend: c(g) is the count of an n-gram g, S(g) the set of the sequences that hold it, F(g) that of the files;
h a history, w a follower, T(h) what is divided by.

**Least sequences and files.** An n-gram of order 2 or more stays if |S| >= K, and |F| >= K. What is left out is
left out as by `--prune`: its share goes to the shorter history, totals stay those of the whole text.

What stays is closed: wherever g stands, its prefix and its suffix stand too, so S(g) is a subset of theirs, and
F(g) likewise. If g stays, both stay, and so, order by order, does every n-gram inside it. c is as monotone, and
the thresholds of `--prune` do not fall, so the two together are closed as well.

**Once a sequence** (`--cap-per-sequence 1`). c(g) becomes |S(g)|, for types too. Then

- c(h w) <= c(h), and pruning by counts is closed as above; it goes by sequences now, as does `--min-type-count`.
- A sequence that goes on behind h in two ways counts once for h and once for each: the sum of c(h w) over w is
  c(h) or more, and no longer c(h). T(h) is that sum, taken before anything is left out, and stored: so the
  probabilities of h sum to 1 under every smoothing.
- <s> and </s> stand once in a sequence, and so does what begins or ends with them: those counts do not change.
- Left neighbours are distinct ones, so their numbers do not change. Nor do Kneser-Ney's lower orders, which go by
  them alone; its highest order has other counts, and discounts estimated from these.
- In the graph of the table a history is no longer left as often as it is reached. The table is that of no text,
  and what goes by counts of occurrences, such as bits forgotten, cannot be said of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..counting.levels import Level
from ..errors import OptionError


@dataclass(frozen=True)
class Protection:
    """The least sequences and files of an n-gram that stays, and the cap on its count."""

    min_sequences: int = 1
    min_files: int = 1
    cap_per_sequence: int = 0  # 0: none

    def __bool__(self) -> bool:
        return self.drops or self.caps

    @property
    def drops(self) -> bool:
        """N-grams may be left out."""
        return self.min_sequences > 1 or self.min_files > 1

    @property
    def caps(self) -> bool:
        """A sequence counts once."""
        return self.cap_per_sequence > 0

    @property
    def measures(self) -> str:
        """Measures to count n-grams by: `s` for sequences, `f` for files; see counting/measures.py."""
        return "s" * (self.min_sequences > 1 or self.caps) + "f" * (self.min_files > 1)

    def judged(self, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The counts of some n-grams, int64 (r,), and which have enough sequences and files, bool (r,).

        count  int (r, 1 + measures): occurrences, then `measures`
        """
        by = {kind: count[:, i] for i, kind in enumerate(self.measures, 1)}
        keep = np.ones(len(count), bool)
        for kind, least in (("s", self.min_sequences), ("f", self.min_files)):
            if least > 1:
                keep &= by[kind] >= least
        return (by["s"] if self.caps else count[:, 0]).astype(np.int64), keep

    def check(self) -> None:
        """OptionError for what cannot be, with the value."""
        for name, value in (("--min-sequences", self.min_sequences), ("--min-files", self.min_files)):
            if value < 1:
                raise OptionError(f"{name} {value}: at least 1", "1 keeps every n-gram; 2 is the least that protects")
        if self.cap_per_sequence not in (0, 1):
            raise OptionError(
                f"--cap-per-sequence {self.cap_per_sequence}: the only cap is 1",
                "1 counts an n-gram once in a sequence, however often it occurs there; or leave the option out",
            )

    def check_text(self, sequences: int, files: int) -> None:
        """OptionError where the text has too few sequences, or files, for any n-gram to stay."""
        for name, least, there, what in (
            ("--min-sequences", self.min_sequences, sequences, "sequence"),
            ("--min-files", self.min_files, files, "file"),
        ):
            if least > there:
                raise OptionError(
                    f"{name} {least}: the text has {there:,} {what}{'' if there == 1 else 's'}: no n-gram would stay",
                    f"a lower {name}, or more {what}s of text"
                    + ("; --unit says what a sequence is" if what == "sequence" else ""),
                )

    def fields(self) -> dict[str, Any]:
        """The header's fields for it: only those that were asked for."""
        asked = {
            "min_sequences": self.min_sequences if self.min_sequences > 1 else 0,
            "min_files": self.min_files if self.min_files > 1 else 0,
            "cap_per_sequence": self.cap_per_sequence,
        }
        return {name: value for name, value in asked.items() if value}


@dataclass
class Protected:
    """The rows that stay and the capped totals, for `build_table`.

    keep    [k - 1]: bool (r,), the rows that stay; None where all do
    totals  [k - 1]: int64 (r,), T of rows as histories, None at the highest order; None where counts are not capped
    """

    keep: list[np.ndarray] | None = None
    totals: list[np.ndarray | None] | None = None


def protect(levels: list[Level], protection: Protection) -> Protected:
    """Cap the counts of counted rows, where that is asked for, and say which rows stay; counts become one column."""
    out = Protected([] if protection.drops else None)
    for level in levels:
        level.count, keep = protection.judged(level.count)
        if out.keep is not None:
            out.keep.append(keep if out.keep else np.ones(len(keep), bool))
    if protection.caps:
        out.totals = followed(levels)
    return out


def followed(levels: list[Level]) -> list[np.ndarray | None]:
    """The sum of `count` over the followers of each row, order by order: int64 (r,); None at the highest order."""
    out: list[np.ndarray | None] = []
    for k, level in enumerate(levels):
        if level.children is None or k + 1 == len(levels):
            out.append(None)
            continue
        edges = np.concatenate(([0], np.cumsum(level.children, dtype=np.int64)))
        running = np.concatenate(([0], np.cumsum(levels[k + 1].count, dtype=np.int64)))
        out.append(running[edges[1:]] - running[edges[:-1]])
    return out


def said_protection(fields: dict[str, int]) -> str:
    """The options behind a header's fields, as they were given.

    >>> said_protection({"min_sequences": 2, "cap_per_sequence": 1})
    '--min-sequences 2 --cap-per-sequence 1'
    """
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in fields.items())
