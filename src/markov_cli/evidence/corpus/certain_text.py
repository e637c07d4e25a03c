"""The beginning of a training text, divided by the certain strings around its tokens, for display."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ...model.language_model import LanguageModel
from ...text.model_ids import Recoder
from ...text.passages import Passages, read_passages
from ...text.reading import Repairs, Source
from ..copying.fragments import RUNS
from ..copying.shading import Stretch, by_length
from .comparison import CorpusComparison

SHOWN = 50_000  # tokens


@dataclass
class CertainText:
    """A text and the length of the longest certain string around each token.

    order   of the table that proves them
    length  int32 (tokens,), of the whole text; 0 where a token is in none
    shown   tokens that are in `passages`
    """

    passages: Passages
    order: int
    length: np.ndarray
    shown: int

    @property
    def share(self) -> np.ndarray:
        """Share of all tokens of each shade: float64 (len(RUNS) + 1,)."""
        shade = np.searchsorted(np.array(RUNS), self.length, "right")
        return np.bincount(shade, minlength=len(RUNS) + 1) / max(len(shade), 1)

    def stretches(self) -> Iterator[tuple[str, list[Stretch]]]:
        """Name and stretches of each text, as in copying/shading.py."""
        return by_length(self.passages, self.length[: self.shown])


def certain_text(
    model: LanguageModel, against: CorpusComparison, sources: Sequence[Source], encoding: str, most: int = SHOWN
) -> CertainText | None:
    """Read the beginning of the text that a table was compared with; None where nothing is certain about it.

    sources  of that text, which are read again
    """
    if against.certain is None or against.certain_order is None or against.is_not:
        return None
    recoder = model.checked(Recoder, [model.vocabulary], model.header.options, 1, True)
    passages = read_passages(sources, encoding, recoder.encoders, Repairs(), most)
    return CertainText(passages, against.certain_order, against.certain, min(len(passages), most))
