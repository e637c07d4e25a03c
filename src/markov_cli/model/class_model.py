"""A class n-gram model, derived from the table of a word model (Brown and others 1992).

Legend: c(w) is the class of the word w, c(h) the classes of a history; N(w), N(c) counts of words and classes.

    p(w | h) = P(c(w) | c(h)) N(w) / N(c(w))      P is Kneser-Ney on class n-grams

The class n-grams are the n-grams of the words with classes in their place, so the file needs the classes only.
"""

from __future__ import annotations

import numpy as np

from ..text.types import BOS, N_MARKERS
from .building import build_table
from .discounts import SmoothingMethod
from .remap_ids import Part, relabelled
from .smoothing import Smoothed
from .table import Table


def are_classes(class_of: np.ndarray) -> bool:
    """Each marker is alone in the class of its own number, and no class is empty."""
    size = np.bincount(class_of)
    markers = np.arange(N_MARKERS)
    return bool(size.all() and (class_of[:N_MARKERS] == markers).all() and (size[:N_MARKERS] == 1).all())


class ClassModel:
    """The class n-grams of a table.

    class_of      int64 (V,), the class of each id; markers have their own, with their own numbers
    table         of class n-grams
    distribution  Kneser-Ney on them
    within        float64 (V,), N(w) / N(c(w)); sums to 1 in each class
    """

    def __init__(self, table: Table, class_of: np.ndarray, jobs: int = 1) -> None:
        """Derive it from an unpruned table of whole counts; `class_of` must leave no class empty."""
        self.class_of = class_of.astype(np.int64)
        n = int(self.class_of.max()) + 1
        self.table = build_table(relabelled([Part(table, self.class_of)], n, jobs), table.order, jobs=jobs)
        self.distribution = Smoothed(self.table, SmoothingMethod("kn"))
        self.count = table.orders[0].count.slice(0, table.n_ids).astype(np.float64)
        self.total = np.bincount(self.class_of, self.count, n)
        members = np.bincount(self.class_of, minlength=n)
        known = self.total[self.class_of] > 0
        alone = 1.0 / members[self.class_of]  # a class that was never seen: all alike
        self.within = np.where(known, self.count / np.where(known, self.total[self.class_of], 1.0), alone)

    def whole(self, p_class: np.ndarray) -> np.ndarray:
        """Probabilities of all ids from those of all classes: float64 (..., V)."""
        p: np.ndarray = p_class[..., self.class_of] * self.within
        p[..., BOS] = 0.0
        return p
