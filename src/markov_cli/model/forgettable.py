"""Tells from a model's header whether a text can be taken out of it exactly, and what the header is then.

Legend: K is the least count of a type that has an id (`--min-type-count`); the last type is the rarest one that has
an id where only the commonest have (`--max-types`).

A type that has no id has at most the count of the last type, and no more without the text. So it stays without an
id as long as all others still come before the last type. A type that had fewer than K keeps fewer than K.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import AnswerIsNo, MarkovError, ModelFileError, NeedsCounts
from ..text.types import N_MARKERS, UNK, Types
from .count_column import DAMAGED
from .header import Header
from .merging import Stored, check_known, differing
from .table import Table

_HINT = "nothing was changed; take out whole texts, as the model was trained on them"


def check_forgettable(model: Stored, has_unknown: bool = False) -> None:
    """MarkovError where a model does not tell what is left of it without a text.

    has_unknown  the text itself may have the unknown token
    """
    h, name = model.header, model.name
    check_known(model, "taken out")
    if h.holds == "weighted counts":
        raise NeedsCounts(
            f"{name}: holds weighted counts: how often it counts a text is not known",
            "take the text out of the model that has it, and merge again",
        )
    if model.table.guard is not None:
        raise MarkovError(
            f"{name}: has a guard: other texts may have runs of this one, and hashes are not counted",
            "leave the guard out: --no-guard; or train it again",
        )
    if h.max_types is not None and has_unknown:
        raise MarkovError(
            f"{name}: trained with --max-types, and a text with --markers borders: <unk> of the text and rare types"
            " cannot be told apart",
            "train it without one of them",
        )
    if h.max_types is not None and (h.min_type_count > 1 or h.vocab_words is not None):
        other = "--vocab" if h.vocab_words is not None else f"--min-type-count {h.min_type_count}"
        raise MarkovError(
            f"{name}: trained with --max-types and {other}: the types it would have without the text are not known",
            "train it with one of them",
        )


def check_alike(model: Stored, text: Stored) -> None:
    """MarkovError where a text is not read today as the model's was."""
    for what, a, b in differing(model.header, text.header):
        raise MarkovError(
            f"{model.name}: made with {what} {a}, and the text is read with {b}: its tokens may be others",
            "use the Python that trained it, or train it again",
        )


def check_unknown(model: Stored, types: Types, count: np.ndarray) -> None:
    """AnswerIsNo if the text has a type that the model would have, had it been trained on the text.

    types, count  those of the text that have no id in the model, and how often they occur in it
    """
    if not len(types):
        return
    h, most = model.header, int(count.max())
    which = int(np.argmax(count))
    if h.max_types is None:
        if most < h.min_type_count:
            return
    else:
        last = len(model.types) - 1
        least = int(model.table.orders[0].count.at(np.array([N_MARKERS + last]))[0])
        tied = [i for i in np.flatnonzero(count == least).tolist() if types.bytes_of(i) < model.types.bytes_of(last)]
        if most <= least and not tied:
            return
        which = which if most > least else tied[0]
    word = types.bytes_of(which)[0].decode("utf-8", "replace")
    raise not_there(model.name, f'"{word}"', 0, int(count[which]))


def check_last_type(model: Stored, count: np.ndarray, last_left: int) -> None:
    """MarkovError if a type that has no id could be commoner, without the text, than one that has.

    count      int64, how often each type is left
    last_left  the type that comes last without the text
    """
    types, last = model.types, len(model.types) - 1
    if model.header.max_types is None:
        return
    least = int(model.table.orders[0].count.at(np.array([N_MARKERS + last]))[0])
    left = int(count[last_left])
    if left > least or (left == least and types.bytes_of(last_left) <= types.bytes_of(last)):
        return
    word = types.bytes_of(last_left)[0].decode("utf-8", "replace")
    raise MarkovError(
        f'{model.name}: trained with --max-types: without the text "{word}" occurs {left:,} times,'
        f" and types that were left out may occur {least:,} times",
        "train it with --min-type-count in place of --max-types, or without both",
    )


def not_there(name: str, what: str, stored: int, asked: int) -> AnswerIsNo:
    """The refusal of a text, with the n-gram that proves that it was not in the model."""
    return AnswerIsNo(
        f"{name}: the text was not in it: {what} occurs {_times(stored)} in the model, {_times(asked)} in the text",
        _HINT,
    )


def not_whole(name: str, ngram: str, left: int) -> AnswerIsNo:
    """The refusal of a text without which an n-gram would be left that no text can have."""
    return AnswerIsNo(
        f"{name}: the text was not in it: without it, {ngram} would be left {_times(left)}, and in no whole text",
        _HINT,
    )


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n:,} times"


def header_left(model: Stored, text: Header) -> Header:
    """The header without a text; types and max_types are still those of the model."""
    h = model.header
    tokens, sequences = h.tokens - text.tokens, h.sequences - text.sequences
    if min(tokens, sequences) < 0 and h.order > 1 and h.borders:
        raise ModelFileError(f"{model.name}: the header has fewer tokens than the counts", DAMAGED)
    if (h.order == 1 or not h.borders) and not (bool(sequences) == bool(tokens) and 0 <= sequences <= tokens):
        raise AnswerIsNo(
            f"{model.name}: the text was not in it: without it, tokens left: {tokens:,}, sequences left: {sequences:,}",
            _HINT,
        )
    if not tokens:
        raise MarkovError(
            f"{model.name}: nothing is left without the text, and there is no model of no text",
            "remove the file",
        )
    text_bytes = h.corpus_bytes - text.corpus_bytes
    if h.corpus_bytes < h.tokens:  # counts of other programs, whose bytes are not known
        text_bytes = max(text_bytes, 0)
    elif text_bytes < tokens:
        raise AnswerIsNo(
            f"{model.name}: the text was not in it: it has {text.corpus_bytes:,} bytes, the model"
            f" {h.corpus_bytes:,}, and {tokens:,} tokens would be left",
            _HINT,
        )
    return replace(h, tokens=tokens, sequences=sequences, corpus_bytes=text_bytes, blend=None)


def header_settled(header: Header, types: Types, table: Table) -> Header:
    """The header of a model whose types are now those that it keeps."""
    cut = header.max_types is not None and bool(table.orders[0].count.slice(UNK, UNK + 1)[0])
    return replace(header, types=len(types), max_types=header.max_types if cut else None)
