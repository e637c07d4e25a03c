"""Upper lists of histories, whose followers are computed one by one, and the weights of all three lists.

Legend: see `backoff_top_p`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .sorted_followers import Lists


@dataclass
class UpperLists:
    """Upper lists of s histories, sorted by history and id.

    word          int64 (s,), the last token; -1 for an empty history
    back          float64 (s,) for 1, 2, .. tokens: b, 1 where the history is shorter
    bigram_factor, unigram_factor  float64 (s,), factor of p in the bigram and in the unigram list
    owner, token  int64 (e,); p float64 (e,), 0 for UNK and BOS
    begin         int64 (s + 1,)
    place         int64 (e,), index in the bigram list
    n_apart       int64 (s,), ids of the upper list that are not in the bigram list; their place says nothing
    lists         bigram lists of the words; empty for an empty history
    """

    word: np.ndarray
    back: list[np.ndarray]
    bigram_factor: np.ndarray
    unigram_factor: np.ndarray
    owner: np.ndarray
    token: np.ndarray
    p: np.ndarray
    begin: np.ndarray
    place: np.ndarray
    n_apart: np.ndarray
    lists: Lists

    def with_places(self) -> UpperLists:
        """Upper lists of the histories that have no ids apart, and empty ones for the others."""
        if not self.n_apart.any():
            return self
        keep = self.n_apart[self.owner] == 0
        owner = self.owner[keep]
        begin = np.searchsorted(owner, np.arange(len(self.begin)))
        columns = {"owner": owner, "token": self.token[keep], "p": self.p[keep], "place": self.place[keep]}
        return replace(self, begin=begin, **columns)


@dataclass
class Sums:
    """Weights of the three lists for s histories.

    weight      int64 (e,), of the upper list
    out         int64 (e,), by history and place: weights in the bigram list of ids in the upper list; taken: sums
                of these before each, within its history; left_over: sums of the other bigram weights before it
    place       int64 (e,), rising for each history
    free_bigram, free_unigram    int64 (s,), sums of the lists' weights, without ids of earlier lists
    scale_bigram, scale_unigram  float64 (s,), unit of these weights, in units of the upper list
    good        bool (s,), the weights are fine enough
    """

    weight: np.ndarray
    out: np.ndarray
    taken: np.ndarray
    left_over: np.ndarray
    place: np.ndarray
    free_bigram: np.ndarray
    free_unigram: np.ndarray
    scale_bigram: np.ndarray
    scale_unigram: np.ndarray
    good: np.ndarray
