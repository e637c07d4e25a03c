"""The beginning of a text with all that its probabilities come from: for people, token by token.

Legend: t tokens are shown, those of the text and the ends of its sequences; g rows of alternatives; a code is as in
text/model_ids.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..model.table import Table
from ..text.encoder import Encoder
from ..text.marker_stream import Stream
from ..text.model_ids import Recoder
from ..text.passages import Passages, read_passages
from ..text.reading import Repairs, Source
from ..text.types import BOS, EOS, N_MARKERS, UNK
from .alternatives import Alternatives, adapted_alternatives, alternatives
from .likeliest import known_places
from .predictor import Predictor
from .recent_text import windows

SHOWN = 20_000  # tokens
ALTERNATIVES = 5


@dataclass
class Explained:
    """Tokens as they are scored, in order.

    passages  the text, with the place of every token of it; more of them may have been read than are shown
    token     int64 (t,), index of each in the passages; of an end, that of the last token before it
    is_end    bool (t,)
    opens     bool (t,), the first of its sequence
    codes     int64 (t,)
    oov       bool (t,)
    p         float64 (t,)
    longest   int64 (t,), tokens of the longest n-gram of the table that ends there
    count, total  float64 (t,), how often that n-gram was seen, and the history in it; None if there are no counts
    others    alternatives; their rows are -1 where there are none
    borders   sequences open with `<s>`
    order     tokens of the longest n-gram of all
    encoder   names the codes
    mixed     of several models
    all       nothing of the text is left out
    """

    passages: Passages
    token: np.ndarray
    is_end: np.ndarray
    opens: np.ndarray
    codes: np.ndarray
    oov: np.ndarray
    p: np.ndarray
    longest: np.ndarray
    count: np.ndarray | None
    total: np.ndarray | None
    others: Alternatives
    borders: bool
    order: int
    encoder: Encoder
    mixed: bool
    all: bool

    @property
    def bits(self) -> np.ndarray:
        """-log2 of p, infinite where it is 0: float64 (t,)."""
        with np.errstate(divide="ignore"):
            return -np.log2(self.p) + 0.0


def explained(
    predictor: Predictor, sources: Sequence[Source], encoding: str, jobs: int = 1, most: int = SHOWN
) -> Explained:
    """Read about the first `most` tokens of a text, whole sequences if there is one, and explain each."""
    recoder = predictor.guard(Recoder, predictor.vocabularies, predictor.options, jobs, True)
    passages = read_passages(sources, encoding, recoder.encoders, Repairs(), most + 1)
    n, all_ = len(passages), len(passages) <= most
    if not all_:
        ends = passages.ends
        n = int(ends[ends <= most][-1]) if len(ends) and ends[0] <= most else most
    codes, place = _stream(passages, n)
    token = np.searchsorted(place, np.arange(len(codes)), "right") - 1
    closing = passages.texts[passages.texts < n]
    stream = Stream(codes, 0, [], np.append(place[closing] - 1, len(codes)))  # a text ends before the next one's BOS
    ids, p, longest = predictor.score(codes, recoder)
    if predictor.adapts:
        _, before = next(windows([stream]))
        p = predictor.adapted(p, before, recoder)
    shown = codes != BOS
    if predictor.borders.open_end:
        shown &= codes != EOS
    places = np.flatnonzero(shown)
    if predictor.adapts:
        others = adapted_alternatives(predictor, recoder, codes, places, stream.documents, ALTERNATIVES)
    else:
        others = alternatives(predictor, recoder, codes, places, ALTERNATIVES)
    count, total = _counts(predictor, recoder, codes, places, longest)
    return Explained(
        passages,
        token[places],
        codes[places] == EOS,
        codes[np.maximum(places - 1, 0)] == BOS,
        codes[places],
        ids[places] == UNK,
        p[places],
        longest[places].astype(np.int64),
        count,
        total,
        others,
        not predictor.borders.within,
        predictor.order,
        recoder.encoders[0],
        predictor.weights is not None,
        all_,
    )


def _stream(passages: Passages, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The first n tokens as codes with BOS and EOS, and the index of each token among the codes.

    What is cut off in the middle of a sequence has no EOS.
    """
    rest = passages.rest[:n]
    closes = rest == 1
    opens = np.concatenate((np.ones(1, bool), closes[:-1]))[:n]
    width = 1 + opens + closes  # with the markers around it
    place = np.cumsum(width) - width + opens
    codes = np.full(int(width.sum()), BOS, np.int64)
    codes[place] = passages.number[:n].astype(np.int64) + N_MARKERS
    codes[place[closes] + 1] = EOS
    return codes, place


def _counts(
    predictor: Predictor, recoder: Recoder, codes: np.ndarray, places: np.ndarray, longest: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Counts of the longest n-grams that end at places, and of the histories in them; None for other than counts."""
    table = predictor.scorers[0].table
    if predictor.weights is not None or table.orders[0].log10 is not None:
        return None, None
    ids = recoder.ids(0, codes).astype(np.int64)
    found: tuple[np.ndarray, np.ndarray] = predictor.guard(
        _counts_of, table, ids, places, longest, predictor.borders.within
    )
    return found


def _counts_of(
    table: Table, ids: np.ndarray, places: np.ndarray, longest: np.ndarray, within: bool
) -> tuple[np.ndarray, np.ndarray]:
    at = known_places(table, ids, within)
    level, row = at.level[places], at.row[places]
    wanted = longest[places].astype(np.int64) - 1
    for k in range(table.order - 1, 0, -1):
        some = np.flatnonzero((level == k) & (wanted < k))
        level[some], row[some] = k - 1, table.shorter(k, row[some])
    count, total = np.zeros(len(places)), np.zeros(len(places))
    for k in range(table.order):
        some = np.flatnonzero(level == k)
        child = table.child(k, row[some], ids[places[some]])
        seen = np.flatnonzero(child >= 0)
        count[some[seen]] = table.orders[k].count.at(child[seen])
        total[some] = table.total(k, row[some])
    return count, total
