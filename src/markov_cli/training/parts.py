"""Work on a part of a text by itself, as a worker of a cluster does it: with a vocabulary of its own.

Legend: a part is one or more texts, or a range of bytes of one; n is the highest order that is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..arrays.sorting import distinct_values
from ..counting.document_frequency import Found, found_of, pairs
from ..counting.external_sort import Packing, Rows, Run, block_runs, counted_run, merged
from ..counting.measures import Sequences
from ..text.encoder import Encoder, Piece
from ..text.encoding_threads import block_bytes_for, encode_blocks, read_blocks
from ..text.reading import Repairs, Source
from ..text.records import Labels
from ..text.run_hashes import stream_runs, token_hashes
from ..text.sequences import Collector
from ..text.types import EOS, Types, order_of_types
from .exchange import every
from .options import TrainOptions


@dataclass
class PartText:
    """A part of the text as numbers of its own vocabulary.

    number  uint32 (N,)
    ends    per block: number of tokens, and `end`, `last` and `closing` of its `Piece`
    blob, length, flags, count  types of the part, in the order of their numbers
    held     sequences of the part that have each type, see `_held`; None where nothing goes by them
    times    how often each text counts; empty where each counts once
    text_ends  number of tokens before the end of each text
    """

    number: np.ndarray
    ends: list[tuple[int, np.ndarray, bool, np.ndarray]]
    blob: np.ndarray
    length: np.ndarray
    flags: np.ndarray
    count: np.ndarray
    held: Found | None
    times: list[int]
    text_ends: np.ndarray
    repairs: Repairs
    text_bytes: int

    @property
    def types(self) -> Types:
        """The types of the part, in the order of their numbers."""
        return Types(self.blob, np.cumsum(self.length) - self.length, self.length, self.flags)


def read_part(sources: list[Source], options: TrainOptions) -> PartText:
    """Tokenize a part."""
    encoder, repairs = Encoder(options.text), Repairs()
    keep_bytes = options.text.tokenizer == "bytes"
    labels = Labels() if options.weights else None
    size = min(options.block_bytes, block_bytes_for([encoder]))
    found = read_blocks(sources, options.encoding, keep_bytes, repairs, size, unit=options.text.unit, labels=labels)
    pieces = [piece for piece, _ in encode_blocks(found, [encoder])]
    ends = [(len(p.number), p.end, p.last, p.closing) for p in pieces]
    repairs.add(encoder.repairs)
    number = np.concatenate([np.empty(0, np.uint32), *(p.number for p in pieces)])
    every = np.bincount(number, minlength=1)
    seen = np.flatnonzero(every)
    types = encoder.types(seen)
    order = order_of_types(types, np.zeros(len(seen), np.int64))  # reading a part twice gives the same numbers
    types = types.take(order)
    seen = seen[order]
    own = np.zeros(len(every), np.uint32)
    own[seen] = np.arange(len(seen))
    count, times, text_bytes = every[seen], [], encoder.text_bytes
    number = own[number]
    text_ends = _shifted([p.text_ends for p in pieces], ends)
    if labels is not None:
        times, text_bytes = labels.times, text_bytes + labels.more_bytes
        weight = np.repeat(np.array(times, np.int64), np.diff(text_ends, prepend=0))
        count = np.bincount(number, weight, len(seen)).astype(np.int64)
    held = None
    if options.protection.caps:
        closing = [np.append(p.end, len(p.number)) if p.last else p.end for p in pieces]
        held = _held(number, _shifted(closing, ends))
    return PartText(
        number, ends, types.blob, types.length, types.flags, count, held, times, text_ends, repairs, text_bytes
    )


def _shifted(within: list[np.ndarray], blocks: list[tuple[int, Any, Any, Any]]) -> np.ndarray:
    """Numbers of tokens of the part, from those of tokens of each block."""
    before = np.cumsum([0, *(block[0] for block in blocks)])
    return np.concatenate([np.empty(0, np.int64), *(a + n for a, n in zip(within, before, strict=False))])


def _held(number: np.ndarray, ends: np.ndarray) -> Found:
    """The sequences of a part that have each type. Label 0 is the first, which the part before may have begun."""
    label = np.searchsorted(ends, np.arange(len(number)), "right")
    return found_of(*pairs(number.astype(np.int64), label))


def run_of_counts(columns: list[np.ndarray], count: np.ndarray, packing: Packing) -> list[Run]:
    """The sorted run of windows of an old model."""
    return [counted_run(columns, count, packing)]


@dataclass
class PartFigures:
    """Figures of a part, for the client.

    behind      tokens behind its last break, None where it has none
    last_label  label of its last sequence, see `_held`
    """

    tokens: int
    behind: int | None
    last_label: int
    times: list[int]
    repairs: Repairs
    text_bytes: int


def figures_of(part: PartText) -> PartFigures:
    """Those of a part."""
    behind = None
    for n, end, last, _ in part.ends:
        if last or len(end):
            behind = 0 if last else n - int(end[-1])
        elif behind is not None:
            behind += n
    last_label = 0 if part.held is None else int(part.held.last.max(initial=0))
    return PartFigures(len(part.number), behind, last_label, part.times, part.repairs, part.text_bytes)


def closed_sequences(part: PartText, unit: str, n_open: int) -> tuple[list[np.ndarray], Collector]:
    """Per block of a part, the breaks that end a sequence that is not empty; and figures of all its sequences.

    n_open  tokens of the sequence that the parts before leave open
    """
    collector, kept = Collector(unit, n_open=n_open), []
    for n, end, last, closing in part.ends:
        piece = Piece(np.broadcast_to(np.uint32(0), n), end, last, closing=closing)
        collector.add(piece)
        kept.append(piece.end)
    collector.take()
    return kept, collector


def sequences_of(closed: tuple[list[np.ndarray], Collector]) -> Collector:
    """The figures alone, for the client."""
    return closed[1]


def ids_of(part: PartText, id_of: np.ndarray, closed: tuple[list[np.ndarray], Collector]) -> np.ndarray:
    """Final ids of a part, with EOS after each sequence: uint32.

    id_of   uint32, those of its types
    closed  see `closed_sequences`
    """
    out, at = [np.empty(0, np.uint32)], 0
    for (n, *_), end in zip(part.ends, closed[0], strict=True):
        ids = np.full(n + len(end), EOS, np.uint32)
        token = np.ones(len(ids), bool)
        token[end + np.arange(len(end))] = False
        ids[token] = id_of[part.number[at : at + n]]
        out.append(ids)
        at += n
    return np.concatenate(out)


def head(ids: np.ndarray, n: int) -> np.ndarray:
    """The first n ids: windows of the part before may end in them."""
    return ids[:n].copy()


@dataclass
class Near:
    """Sequences and texts of a part and at its edges, for `Sequences.of_block`."""

    closed: int  # sequences that end before it; -1 for the first part
    file_ends: np.ndarray
    times: np.ndarray | None
    measures: str
    files_before: int


def runs_of(
    ids: np.ndarray, following: list[np.ndarray], opens: bool, closes: bool, packing: Packing, near: Near | None
) -> list[Run]:
    """Sorted runs of all windows that begin in a part; see `block_runs`.

    following  first ids of the parts after it
    opens, closes  it is the first, the last part
    near       None where only occurrences are counted
    """
    n = packing.order
    parts = [np.full(1, EOS, np.uint32)] * opens + [ids, *following, np.zeros(n, np.uint32)]
    m = len(ids) + opens - closes  # none begins with the last EOS
    stream = np.concatenate(parts)[: m + n]
    if near is None or not m:
        return block_runs(stream, m, packing)
    first = near.closed + int(stream[0] == EOS)
    facts = near.file_ends, near.times, near.measures, near.files_before
    return block_runs(stream, m, packing, Sequences.of_block(stream, m, first, *facts))


def described(runs: list[Run]) -> tuple[np.ndarray, int]:
    """Sample of a part's run and number of its windows, for `cuts_of`."""
    return runs[0].sample().copy(), len(runs[0].count)


def divided(runs: list[Run], cuts: list[np.ndarray], packing: Packing) -> list[list[Run]]:
    """The ranges between cuts of the runs of a part."""
    out: list[list[Run]] = [[] for _ in range(len(cuts) + 1)]
    for run in runs:
        at = [0, *(packing.before(run.windows, cut) for cut in cuts), len(run.count)]
        for there, (a, b) in zip(out, pairwise(at), strict=True):
            there.append(run.part(a, b))
    return out


def merge_runs(runs: list[list[list[Run]]], packing: Packing) -> Rows | None:
    """Merge one range of all parts, as `exchanged` gives it, into table rows."""
    return merged([run for part in every(runs) for run in part], packing)


def hashes_of(part: PartText, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of the first tokens of a part, uint64, and where texts end among them; all where `most` is None."""
    number = part.number[:most]
    return token_hashes(part.types)[number], part.text_ends[part.text_ends <= len(number)]


def keys_of(
    part: PartText, following: list[tuple[np.ndarray, np.ndarray]], k: int, edges: np.ndarray
) -> list[np.ndarray]:
    """Distinct hashes of the runs of k tokens that begin in a part, rising, by the ranges between edges.

    following  `hashes_of` the parts after it, k - 1 tokens together
    """
    hashes = [hashes_of(part), *following]
    before = np.cumsum([0, *(len(h) for h, _ in hashes)])[:-1].tolist()
    ends = np.concatenate([e + n for (_, e), n in zip(hashes, before, strict=True)])
    h = np.concatenate([h for h, _ in hashes])[: len(part.number) + k - 1]
    runs = [*stream_runs([(np.arange(len(h)), ends[ends <= len(h)])], h, k)]
    return np.split(key := distinct_values(np.concatenate([h[:0], *runs])), np.searchsorted(key, edges))


def merge_keys(keys: list[list[np.ndarray]]) -> np.ndarray:
    """One range of the hashes of all parts, as `exchanged` gives it, distinct and rising."""
    return distinct_values(np.concatenate(every(keys)))
