"""Counts the classes that models give to texts whose class is known: a confusion table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..text.group_names import file_name


@dataclass
class Confusion:
    """Texts by their true class and by the model that needs the fewest bits.

    names  of the models: those of their files, without an ending
    rows   of each class: int64 (models + 1,), texts given to each model; the last those where two models tie
    """

    names: Sequence[str]
    rows: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, labels: Sequence[str], best: np.ndarray) -> None:
        """Add some texts.

        labels  their true classes
        best    int64 (s,), index of the model of each; -1 for a tie
        """
        for label, i in zip(labels, best.tolist(), strict=True):
            row = self.rows.get(label)
            if row is None:
                row = self.rows[label] = np.zeros(len(self.names) + 1, np.int64)
            row[i] += 1

    def model_of(self, label: str) -> int | None:
        """Index of the model of a class, found by the name of its file; None without one."""
        name = file_name(label)
        return next((i for i, own in enumerate(self.names) if own in (name, label)), None)

    @property
    def texts(self) -> int:
        """The number of texts."""
        return int(sum(row.sum() for row in self.rows.values()))

    @property
    def right(self) -> int:
        """Texts given to the model of their class."""
        return int(sum(row[i] for label, row in self.rows.items() if (i := self.model_of(label)) is not None))

    @property
    def largest(self) -> int:
        """Texts of the most frequent class: as many are right where every text is given to it."""
        return int(max((row.sum() for row in self.rows.values()), default=0))
