"""Trains a model for each group of records on a Dask cluster: `--group-by` with `--dask`.

Each worker reads whole files and puts their texts in the order of the groups. The texts of one group then come together
on one worker, which trains the group's model in memory.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arrays.sorting import distinct, distinct_values
from ..model import model_file
from ..model.atomic_file import atomic_write
from ..model.model_file import Header
from ..text.encoder import Piece
from ..text.interning import TypeInterner
from ..text.reading import Repairs, Source
from ..text.records import Labels
from ..text.sequences import Collector
from ..text.types import Types
from .cluster import parts_of, refuse_stdin
from .cluster_text import NumberedList
from .dask_client import TaskSize, connected
from .groups import Chunk, GroupFile, Groups, chosen_groups, paths_of, prepared
from .in_memory import train_read
from .options import Progress, TrainOptions
from .reading import EncodedText, check_read, read_pieces

# ------------------------------------------------------------ tasks of workers


@dataclass
class GroupedPart:
    """The texts of some files in the order of their groups.

    names    of the groups, by their numbers
    types    by the numbers of the chunk's tokens
    """

    chunk: Chunk
    names: list[str]
    types: Types
    labels: Labels
    repairs: Repairs
    text_bytes: int


@dataclass
class GroupOfPart:
    """The texts of one group in a part.

    number  uint32, into types; size  int64, tokens of each sequence; ends  int64, sequences before each text's end
    """

    number: np.ndarray
    size: np.ndarray
    ends: np.ndarray
    types: Types
    labels: Labels


def read_groups(sources: list[Source], options: TrainOptions) -> GroupedPart:
    """Tokenize some files."""
    read = read_pieces(sources, options)
    assert read.labels is not None
    names: dict[str, int] = {}
    chunk, _ = Chunk.of(read.collector.take(), read.collector.file_ends, read.labels.groups, names)
    encoder = read.encoders[0]
    assert isinstance(chunk.number, np.ndarray)
    seen, chunk.number = distinct(chunk.number)
    return GroupedPart(chunk, [*names], encoder.types(seen), read.labels, read.repairs, read.text_bytes)


def described(part: GroupedPart) -> tuple[list[str], np.ndarray, np.ndarray, Repairs, int]:
    """Names of the groups, their records and tokens, repairs and bytes of a part, for the client."""
    records, tokens = part.chunk.totals(len(part.names), np.array(part.labels.times, np.int64))
    return part.names, records, tokens, part.repairs, part.text_bytes


def group_of(part: GroupedPart, name: str) -> GroupOfPart:
    """One group of a part."""
    found = part.chunk.texts_of(part.names.index(name))
    assert found is not None
    number, size, texts, n_sequences = found
    kinds, own = distinct(number)
    return GroupOfPart(
        own.astype(np.uint32), size, np.cumsum(n_sequences), part.types.take(kinds), part.labels.some(texts)
    )


def train_group(parts: list[GroupOfPart], options: TrainOptions) -> tuple[bytes, Header]:
    """The file of a group's model."""
    interner, collector, labels = TypeInterner(), Collector(options.text.unit), Labels()
    for part in parts:
        number = interner.numbers_of(part.types)[part.number]
        closing = distinct_values(part.ends[part.ends > 0])[:-1] - 1
        collector.add_closed(Piece(number, np.cumsum(part.size), True, closing=closing), part.ends)
        labels.times += part.labels.times
        labels.sizes += part.labels.sizes
    text_bytes = sum(labels.sizes) + labels.more_bytes
    encoder = NumberedList(interner.types())
    read = EncodedText(collector, [encoder], Repairs(), text_bytes, labels if options.weights else None)
    trained = train_read(read, options)
    data = io.BytesIO()
    model_file.write(data, trained.header, trained.types, trained.table)
    return data.getvalue(), trained.header


# ------------------------------------------------------------ the client


def train_groups_on(
    address: str,
    memory: int,
    sources: Sequence[Source],
    options: TrainOptions,
    target: str,
    min_group: int,
    progress: Progress,
) -> Groups:
    """As `groups.train_groups`, on a cluster; a group must fit into the memory of a worker."""
    options = prepared(options, target)
    refuse_stdin(sources)
    alone = replace(options, jobs=1, groups=False)
    with connected(address, memory, options.jobs) as client:

        def submit(call: Any, *args: Any) -> Any:
            return client.submit(call, *args, pure=False)

        plain = replace(options, jobs=1, vocab=None, prune_vocab=None)
        parts = [submit(read_groups, group, plain) for group in parts_of(sources, options, TaskSize(client, options))]
        numbers: dict[str, int] = {}
        records, tokens = np.zeros((2, 0), np.int64)
        holders: list[list[int]] = []
        repairs, text_bytes = Repairs(), 0
        for i, part in enumerate(parts):
            names, own_records, own_tokens, own_repairs, own_bytes = submit(described, part).result()
            which = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
            more = np.zeros(len(numbers) - len(records), np.int64)
            records, tokens = np.append(records, more), np.append(tokens, more)
            records[which] += own_records
            tokens[which] += own_tokens
            holders += [[] for _ in more]
            for number in which.tolist():
                holders[number].append(i)
            repairs.add(own_repairs)
            text_bytes += own_bytes
            progress("reading", i + 1, len(parts))
        check_read(sources, int(tokens.sum()), repairs, text_bytes)
        chosen, out = chosen_groups(numbers, records, tokens, min_group, repairs)
        models = []
        for name in chosen:
            pieces = [submit(group_of, parts[i], name) for i in holders[numbers[name]]]
            models.append(submit(train_group, pieces, alone))
        for name, path in paths_of(target, chosen):
            data, header = models.pop(0).result()
            with atomic_write(path, clean=name == chosen[0]) as f:
                f.write(data)
            out.files.append(GroupFile(name, path, len(data), int(records[numbers[name]]), header))
            progress("training the groups", len(out.files), len(chosen))
    return out
