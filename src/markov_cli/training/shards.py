"""Numbers the types of all parts of a text, as workers of a cluster do it: each worker those of a shard.

Legend: a shard is all types whose hash leaves the same rest. So a type is in one shard, whatever part it is in. What a
part has of a shard goes to one worker, which numbers it; the final ids come back the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..counting.document_frequency import Found, HolderCounts
from ..text.interning import TypeInterner
from ..text.run_hashes import token_hashes
from ..text.types import Types
from .exchange import every
from .parts import PartText


@dataclass
class ShardOfPart:
    """The types of a part that are in one shard.

    blob, length, flags, count  see `PartText`
    held  sequences of the part that have each type, None where nothing goes by them; `row` is the place among these
    """

    blob: np.ndarray
    length: np.ndarray
    flags: np.ndarray
    count: np.ndarray
    held: Found | None


@dataclass
class Shard:
    """The types of one shard, numbered.

    types    V of them
    count    int64 (V,)
    held     uint32 (V,), sequences that have each; None where nothing goes by them
    numbers  of the types of each part
    """

    types: Types
    count: np.ndarray
    held: np.ndarray | None
    numbers: list[np.ndarray]


@dataclass(frozen=True)
class Open:
    """The sequences that stand open before a part and behind it, see `HolderCounts.add`."""

    continues: bool
    still_open: int


def _shard(types: Types, n: int) -> np.ndarray:
    return (token_hashes(types) >> np.uint64(32)) % np.uint64(n)


def shards_of_part(part: PartText, n: int) -> list[ShardOfPart]:
    """The types of a part by their shards, of which there are n."""
    types, shard, out = part.types, _shard(part.types, n), []
    for i in range(n):
        which = np.flatnonzero(shard == i)
        some, held = types.take(which), part.held
        if held is not None:
            rows = np.flatnonzero(shard[held.row] == i)
            place = np.searchsorted(which, held.row[rows])
            held = Found(place, held.n[rows], held.first[rows], held.last[rows])
        out.append(ShardOfPart(some.blob, some.length, some.flags, part.count[which], held))
    return out


def merged_shard(parts: list[list[ShardOfPart]], opens: list[Open | None]) -> Shard:
    """Number the types of a shard.

    parts  what each part has of it, as `exchanged` gives it
    opens  per part, where something goes by sequences; None for a part without tokens
    """
    interner, numbers, tally = TypeInterner(), list[np.ndarray](), HolderCounts(0)
    own = every(parts)
    for i, part in enumerate(own):
        start = np.cumsum(part.length) - part.length
        numbers.append(interner.numbers_of(Types(part.blob, start, part.length, part.flags)))
        tally.grow(len(interner))
        here, held = opens[i] if opens else None, part.held
        if here is not None and held is not None:
            by_number = Found(numbers[-1].astype(np.int64)[held.row], held.n, held.first, held.last)
            tally.add(by_number, here.continues, here.still_open)
    count = np.zeros(len(interner), np.int64)
    for number, part in zip(numbers, own, strict=True):
        count[number] += part.count
    return Shard(interner.types(), count, tally.n[: len(count)] if opens else None, numbers)


def vocabulary_of(shard: Shard) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Blob, lengths, flags, counts and sequences of the types of a shard, for the client."""
    types = shard.types.take(np.arange(len(shard.types)))
    return types.blob, types.length, types.flags, shard.count, shard.held


def ids_by_part(shard: Shard, id_of: np.ndarray) -> list[np.ndarray]:
    """The final ids of the types that each part has of a shard.

    id_of  uint32 (V,), those of the types of the shard
    """
    return [id_of[number] for number in shard.numbers]


def ids_of_types(part: PartText, shards: list[list[np.ndarray]], n: int) -> np.ndarray:
    """The final ids of a part's types: uint32.

    shards  those of the types of each of the n shards, as `exchanged` gives them
    """
    ids = np.empty(len(part.count), np.uint32)
    ids[np.argsort(_shard(part.types, n), kind="stable")] = np.concatenate(every(shards))
    return ids
