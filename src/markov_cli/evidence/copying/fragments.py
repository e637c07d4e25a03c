"""Fragments of a text that occur in a corpus, by greedy longest-match parsing, and the share of new n-grams.

Legend: n tokens; length[i] is the length of the longest string from token i on, within its sequence, that occurs in
the corpus. The parse takes the longest string, then continues after it; a fragment is such a string, and a token
that is not in the corpus is a piece of its own. No parse has fewer pieces.

Sources: share of new n-grams, McCoy et al. 2023 (RAVEN); verbatim runs, and rarity as the unigram probability of
their tokens, Liu et al. 2025 (OLMoTrace).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...text.encoder import TextOptions
from ...text.passages import Passages
from .longest_matches import Matches
from .suffix_array import extremes

NOVEL = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50)  # lengths n for the share of new n-grams
RUNS = (5, 10, 20, 50)  # lengths for the share of tokens in runs


@dataclass
class Figures:
    """Figures of a text compared with a corpus.

    tokens, sequences  of the text
    new_tokens    tokens that are not in the corpus
    novel         {n: share of the text's n-grams that are not in the corpus}; None where the text has no n-gram
    pieces        of the parse: fragments and new tokens
    longest_fragment  in tokens
    verbatim_10   share of the tokens in fragments of 10 tokens or more
    in_runs       {n: share of the tokens in any shared string of n tokens or more}
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
        """Pieces per 100 tokens."""
        return 100 * self.pieces / self.tokens if self.tokens else None

    @property
    def mean_fragment(self) -> float | None:
        """Mean number of tokens of a piece."""
        return self.tokens / self.pieces if self.pieces else None


@dataclass
class Fragments:
    """Fragments of a parse, in the order of the text; f of them.

    begin       int64 (f,), first token of each
    found       their lengths and places in the corpus
    rarity      float64 (f,), -log2 of their unigram probability in the corpus
    """

    begin: np.ndarray
    found: Matches
    rarity: np.ndarray

    def __len__(self) -> int:
        return len(self.begin)

    def take(self, which: np.ndarray) -> Fragments:
        """The fragments `which`."""
        return Fragments(self.begin[which], self.found.take(which), self.rarity[which])

    def by_rarity(self, least: int) -> Fragments:
        """Fragments of `least` tokens or more, the rarest first, because common phrases have no one source."""
        some = np.flatnonzero(self.found.length >= least)
        return self.take(some[np.argsort(-self.rarity[some], kind="stable")])


@dataclass
class SourceTotal:
    """Fragments whose first occurrence is in one file of the corpus.

    fragments, tokens  number of fragments, and of their tokens
    tokens_only_here   tokens of the fragments that occur in no other file
    """

    name: str
    fragments: int
    tokens: int
    tokens_only_here: int


@dataclass
class Trace:
    """A text compared with a corpus.

    run            int64 (n,), tokens of the longest shared string that contains each token
    length         int64 (n,), tokens of the longest shared string that begins with each token
    sources        names of the corpus files
    corpus_tokens  number of tokens of the corpus
    options, text_unit  options by which the corpus was read, and the unit of the text
    baseline       figures of a baseline text, None without one
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
        """Units that no fragment crosses, as text."""
        unit = self.options.unit
        return unit if unit == self.text_unit else f"{self.text_unit} of the text, or {unit} of the corpus"

    def totals(self, least: int) -> list[SourceTotal]:
        """Fragments of `least` tokens or more by the file of their first occurrence, the most tokens first."""
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
    """First tokens of the pieces of the parse: int64 (pieces,).

    length  int64 (n,), length of the longest shared string from each token on, 0 where the token is new

    Pointer doubling: after k rounds all places within 2**k jumps from the first are marked.

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
    """Tokens of the longest shared string that contains each token: int64 (n,).

    Only strings that are not within the one that begins a token earlier matter. Their beginnings and ends rise, so
    the strings that contain a token are neighbours.

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
    """Figures of a text.

    rest    int64 (n,), tokens from each to the end of its sequence
    length  int64 (n,), tokens of the longest shared string from each on
    run     int64 (n,), tokens of the longest shared string that contains each
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
    """Fragments of the parse, without new tokens.

    unigram_bits  float64 (n,), -log2 of each token's share of the corpus
    """
    begin = parse(found.length)
    begin = begin[found.length[begin] > 0]
    some = found.take(begin)
    total = np.concatenate((np.zeros(1), np.cumsum(np.where(np.isfinite(unigram_bits), unigram_bits, 0.0))))
    return Fragments(begin, some, total[begin + some.length] - total[begin])
