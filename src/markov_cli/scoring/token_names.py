"""Names the distinct tokens of a scored stream."""

from __future__ import annotations

import numpy as np

from ..arrays.sorting import distinct
from ..text.encoder import Encoder
from ..text.types import MARKERS, N_MARKERS
from .totals import Scored


def token_names(rows: Scored, encoder: Encoder) -> tuple[list[tuple[str | None, str | None]], np.ndarray]:
    """(token, marker) of each distinct token, one of them None; and the name of each row: int64 (m,)."""
    return names_of_codes(rows.codes, encoder)


def names_of_codes(every: np.ndarray, encoder: Encoder) -> tuple[list[tuple[str | None, str | None]], np.ndarray]:
    """(token, marker) of each distinct code, one of them None; and the name of each code: int64 (m,)."""
    codes, which = distinct(every)
    plain = codes[codes >= N_MARKERS] - N_MARKERS
    types = encoder.types(plain)
    names: list[tuple[str | None, str | None]] = [(None, MARKERS[c]) for c in codes[codes < N_MARKERS].tolist()]
    names += [(types.bytes_of(i)[0].decode("utf-8", "replace"), None) for i in range(len(plain))]
    return names, which
