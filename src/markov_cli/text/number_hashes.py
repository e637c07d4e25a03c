"""Hashes of the provisional token numbers of an encoded text."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .encoder import NumberedTypes
from .run_hashes import token_hashes


def number_hashes(encoder: NumberedTypes, numbers: Iterable[np.ndarray]) -> np.ndarray:
    """Token hash of each provisional number that occurs, 0 for others: uint64 (encoder.n_numbers(),).

    numbers  arrays of provisional numbers, as in `Piece`
    """
    seen = np.zeros(encoder.n_numbers(), bool)
    for number in numbers:
        seen[number] = True
    some = np.flatnonzero(seen)
    hash_of = np.zeros(len(seen), np.uint64)
    hash_of[some] = token_hashes(encoder.types(some))
    return hash_of
