"""The fragments of a text that a corpus has: how much is new, and where the rest comes from.

Legend: n tokens; length[i] is the longest string from token i on that stands in the corpus, within its sequence; a
fragment is such a string in the parse, which takes the longest one, then goes on behind it. A token that
the corpus has not is a piece of one token. No parse has fewer pieces.

Sources: novelty by n as McCoy and others 2023 (RAVEN); verbatim runs and the rarity of one, the probability of its
tokens each by itself, as Liu and others 2025 (OLMoTrace).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...text.encoder import TextOptions
from .located_text import Passages
from .longest_matches import Matches
from .suffix_array import extremes

NOVEL = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50)  # lengths whose share of new n-grams is told
RUNS = (5, 10, 20, 50)  # lengths of runs whose share of the tokens is told


@dataclass
class Figures:
    """A text compared with a corpus.

    tokens, sequences  of the text
    new_tokens    that the corpus has not
    novel         share of the n-grams of the text that the corpus has not, by n; None where it has none that long
    pieces        of the parse: fragments, and new tokens
    fragments_per_100, mean_fragment  pieces for 100 tokens; tokens of a piece
    longest_fragment  in tokens
    verbatim_10   share of the tokens in fragments of 10 or more
    in_runs       share of the tokens that stand in any string of so many, or more, that the corpus has
    """

    tokens: int
    sequences: int
    new_tokens: int
    novel: dict[int, float | None]
    pieces: int
    longest_fragment: int
    verbatim_10: float | None
    in_runs: dict[int, float | None]

    @property
    def fragments_per_100(self) -> float | None:
        """Pieces for 100 tokens."""
        return 100 * self.pieces / self.tokens if self.tokens else None

    @property
    def mean_fragment(self) -> float | None:
        """Tokens of a piece."""
        return self.tokens / self.pieces if self.pieces else None


@dataclass
class Fragments:
    """The fragments of a parse, in the order of the text: int64 (f,) each.

    begin       the first token
    found       their lengths, and where they stand
    rarity      float64 (f,), -log2 of the product of the shares that their tokens have in the corpus
    """

    begin: np.ndarray
    found: Matches
    rarity: np.ndarray

    def __len__(self) -> int:
        return len(self.begin)

    def take(self, which: np.ndarray) -> Fragments:
        """Some of them."""
        return Fragments(self.begin[which], self.found.take(which), self.rarity[which])

    def by_rarity(self, least: int) -> Fragments:
        """Those of `least` tokens or more, the rarest first: what occurs often is a phrase, not a source."""
        some = np.flatnonzero(self.found.length >= least)
        return self.take(some[np.argsort(-self.rarity[some], kind="stable")])


@dataclass
class SourceTotal:
    """The fragments of a text that stand first in one file of the corpus.

    fragments, tokens  of its fragments
    tokens_only_here   of those fragments that no other file has
    """

    name: str
    fragments: int
    tokens: int
    tokens_only_here: int


@dataclass
class Trace:
    """A text held against a corpus.

    run            int64 (n,), tokens of the longest string of the corpus that each token stands in
    length         int64 (n,), of the longest that begins with it
    sources        names of the corpus' files
    corpus_tokens  how large it is
    options, text_unit  how the corpus was read, and what a sequence of the text is
    baseline       the same figures of another text, None without one
    """

    text: Passages
    figures: Figures
    fragments: Fragments
    length: np.ndarray
    run: np.ndarray
    sources: list[str]
    corpus_tokens: int
    options: TextOptions
    text_unit: str
    baseline: Figures | None = None

    @property
    def marks(self) -> str:
        """The boundary that no fragment crosses."""
        unit = self.options.unit
        return unit if unit == self.text_unit else f"{self.text_unit} of the text, or {unit} of the corpus"

    def totals(self, least: int) -> list[SourceTotal]:
        """Fragments of `least` tokens or more by the file in which they stand first, the most tokens first."""
        found = self.fragments.found
        some = found.take(np.flatnonzero(found.length >= least))
        n = len(self.sources)
        fragments = np.bincount(some.file, minlength=n)
        tokens = np.bincount(some.file, some.length, minlength=n)
        alone = np.bincount(some.file, some.length * (some.files == 1), minlength=n)
        order = np.argsort(-tokens, kind="stable")
        return [
            SourceTotal(self.sources[i], int(fragments[i]), int(tokens[i]), int(alone[i]))
            for i in order.tolist()
            if fragments[i]
        ]


def parse(length: np.ndarray) -> np.ndarray:
    """Where the pieces of the parse begin: int64 (pieces,).

    length  int64 (n,), of the longest string from each token on, 0 where the token is new

    All places that can be reached from the first are marked by doubling: after k rounds those of 2**k jumps.

    >>> parse(np.array([2, 3, 2, 1, 0, 1])).tolist()
    [0, 2, 4, 5]
    """
    n = len(length)
    jump = np.append(np.arange(n) + np.maximum(length, 1), n)
    reached = np.zeros(n + 1, bool)
    reached[0] = True
    while jump[0] < n:
        reached[jump[reached]] = True
        jump = jump[jump]
    reached[jump[reached]] = True
    return np.flatnonzero(reached[:n])


def runs(length: np.ndarray) -> np.ndarray:
    """Tokens of the longest shared string that each token stands in: int64 (n,).

    Only strings that do not lie in the one that begins a token earlier matter. They begin, and end, one
    behind another, so that those over a token are neighbours.

    >>> runs(np.array([2, 3, 2, 1, 0, 1])).tolist()
    [2, 3, 3, 3, 0, 1]
    """
    before = np.zeros_like(length)
    before[1:] = length[:-1]
    begin = np.flatnonzero((length > 0) & (length >= before))
    size = length[begin]
    here = np.arange(len(length))
    low, high = np.searchsorted(begin + size, here, "right"), np.searchsorted(begin, here, "right")
    out = np.zeros(len(length), np.int64)
    some = np.flatnonzero(high > low)
    out[some] = extremes(size, low[some], high[some])[1]
    return out


def figures(rest: np.ndarray, length: np.ndarray, run: np.ndarray) -> Figures:
    """The figures of a text.

    rest    int64 (n,), tokens from each to the end of its sequence
    length  int64 (n,), of the longest string from each on
    run     int64 (n,), of the longest string over each
    """
    n = len(length)
    pieces = parse(length)
    size = length[pieces]
    novel: dict[int, float | None] = {}
    for k in NOVEL:
        there = int(np.count_nonzero(rest >= k))
        novel[k] = float(np.count_nonzero((rest >= k) & (length < k)) / there) if there else None
    return Figures(
        tokens=n,
        sequences=int(np.count_nonzero(rest == 1)),
        new_tokens=int(np.count_nonzero(length == 0)),
        novel=novel,
        pieces=len(pieces),
        longest_fragment=int(length.max(initial=0)),
        verbatim_10=float(size[size >= 10].sum() / n) if n else None,
        in_runs={k: float(np.count_nonzero(run >= k) / n) if n else None for k in RUNS},
    )


def fragments(found: Matches, unigram_bits: np.ndarray) -> Fragments:
    """The fragments of the parse, new tokens left out.

    unigram_bits  float64 (n,), -log2 of the share that each token has in the corpus
    """
    begin = parse(found.length)
    begin = begin[found.length[begin] > 0]
    some = found.take(begin)
    total = np.concatenate((np.zeros(1), np.cumsum(np.where(np.isfinite(unigram_bits), unigram_bits, 0.0))))
    return Fragments(begin, some, total[begin + some.length] - total[begin])
