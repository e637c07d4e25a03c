"""Trains a model for each group of records in one pass over the text.

The text is read and encoded once, with one vocabulary for all groups. Then its records are put in the order of their
groups, so that a group is a slice, and each slice is counted alone. The model of a group has the bytes of one that is
trained on its records alone.

Legend: T texts (records), S sequences, N tokens; u types of a group.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..arrays.memory import size_text
from ..arrays.sorting import ragged
from ..arrays.threads import ordered_map
from ..errors import MarkovError, OptionError, TextError
from ..model import model_file
from ..model.atomic_file import atomic_write
from ..model.model_file import Header
from ..text.encoder import Encoder, NumberedTypes, Piece
from ..text.group_names import file_name
from ..text.reading import Repairs, Source
from ..text.records import Labels
from ..text.sequences import Collector
from ..text.types import Types
from .in_memory import train_read
from .options import Progress, TrainOptions, check_options, no_progress
from .reading import EncodedText, read_text

_TOKEN_BYTES = 24  # of the whole text, while it is put in the order of its groups


@dataclass
class GroupFile:
    """The model of one group that was written.

    group    the value of the field
    path     of the file; model_bytes its size
    records  that it was trained on
    """

    group: str
    path: str
    model_bytes: int
    records: int
    header: Header


@dataclass
class Groups:
    """The groups of a text, and those for which no model was made.

    files           in the order of their names
    small           groups with fewer records than asked for, and small_records their records
    empty           groups without a token
    """

    files: list[GroupFile]
    small: int
    small_records: int
    empty: int
    repairs: Repairs


@dataclass
class _Some:
    """The types of one group: u of those that an encoder numbered.

    number  int64 (u,), rising
    """

    encoder: NumberedTypes
    number: np.ndarray

    def n_numbers(self) -> int:
        """The number of types."""
        return len(self.number)

    def types(self, number: np.ndarray) -> Types:
        """The types behind some numbers of the group."""
        return self.encoder.types(self.number[number])


class _Sorted:
    """A text in the order of its groups.

    names     of the groups, rising
    number    uint32 (N,), provisional numbers of the tokens
    size      int64 (S,), tokens of each sequence
    texts     int64 (T,), index of each text in the labels
    at        int64 (groups + 1,), where the texts of each group begin; sequence_at and token_at likewise
    """

    def __init__(self, read: EncodedText) -> None:
        collector, labels = read.collector, read.labels
        assert labels is not None
        pieces = collector.take()
        number = np.concatenate([p.number for p in pieces])
        before = np.cumsum([0, *(len(p.number) for p in pieces)])
        end = np.concatenate([p.end + n for p, n in zip(pieces, before[:-1], strict=True)])
        del pieces
        size = np.diff(end, prepend=0)
        file_end = np.array(collector.file_ends, np.int64)
        n_sequences = np.diff(file_end, prepend=0)  # (T,)
        token_end = np.append(0, end)[file_end]
        n_tokens = np.diff(token_end, prepend=0)
        of = {name: i for i, name in enumerate(sorted(set(labels.groups)))}
        self.names = list(of)
        group = np.fromiter((of[name] for name in labels.groups), np.int64, len(labels.groups))
        order = self.texts = np.argsort(group, kind="stable")
        self.size = size[ragged((file_end - n_sequences)[order], n_sequences[order])]
        self.number = number[ragged((token_end - n_tokens)[order], n_tokens[order])]
        self.at = np.append(0, np.cumsum(np.bincount(group, minlength=len(of))))
        self.sequence_at = np.append(0, np.cumsum(n_sequences[order]))[self.at]
        self.token_at = np.append(0, np.cumsum(n_tokens[order]))[self.at]
        self.n_sequences = n_sequences[order]

    def group(self, i: int, read: EncodedText, options: TrainOptions) -> EncodedText:
        """The text of one group."""
        labels = read.labels
        assert labels is not None
        texts = self.texts[self.at[i] : self.at[i + 1]].tolist()
        own = Labels([], [labels.times[t] for t in texts], [labels.sizes[t] for t in texts])
        kinds, number = np.unique(self.number[self.token_at[i] : self.token_at[i + 1]], return_inverse=True)
        size = self.size[self.sequence_at[i] : self.sequence_at[i + 1]]
        ends = np.cumsum(self.n_sequences[self.at[i] : self.at[i + 1]])
        closing = np.unique(ends[ends > 0])[:-1] - 1
        piece = Piece(number.astype(np.uint32), np.cumsum(size), True, closing=closing)
        collector = Collector(
            options.text.unit,
            [piece],
            len(number),
            len(size),
            longest=int(size.max(initial=0)),
            file_ends=ends.tolist(),
        )
        text_bytes = sum(own.sizes) + own.more_bytes
        encoder = _Some(read.encoders[0], kinds.astype(np.int64))
        return EncodedText(collector, [encoder], Repairs(), text_bytes, own if options.weights else None)


def check_target(target: str) -> None:
    """OptionError where a name of files does not have one `{}`, in its last part."""
    folder, name = os.path.split(target)
    if name.count("{}") != 1 or "{}" in folder:
        raise OptionError(
            f"-o {target}: {{}} stands for the group, and must occur once in the file's name",
            "for example -o 'models/{}.npz'",
        )


def train_groups(
    sources: Sequence[Source],
    options: TrainOptions,
    target: str,
    min_group: int = 1,
    limit: int | None = None,
    progress: Progress = no_progress,
) -> Groups:
    """Read all sources once, and write a model for each group of their records.

    target     the name of the files; `{}` stands for the group
    min_group  groups with fewer records get no model; a record with a weight counts so often
    limit      bytes of memory

    OptionError for options that cannot be; TextError where there is no token; MarkovError where memory does not
    suffice, or two groups have one file.
    """
    options = replace(options, groups=True)
    check_options(options)
    check_target(target)
    if options.protection:
        raise OptionError(
            "--group-by and --min-sequences, --min-files or --cap-per-sequence exclude each other", "leave one out"
        )

    def after(collector: Collector, encoder: Encoder, labels: Labels | None) -> None:
        if limit is not None and collector.n_tokens * _TOKEN_BYTES > limit:
            raise MarkovError(
                f"--memory {size_text(limit)}: --group-by works in memory, and the text has more than "
                f"{collector.n_tokens:,} tokens",
                "use a larger --memory, or divide the text",
            )

    read = read_text(sources, options, progress, after)
    progress("sorting the groups", 0, 1)
    text = _Sorted(read)
    assert read.labels is not None
    times = np.array(read.labels.times, np.int64)[text.texts]
    records = np.add.reduceat(times, text.at[:-1])
    full, filled = records >= min_group, np.diff(text.token_at) > 0
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    files: list[GroupFile] = []
    chosen = np.flatnonzero(full & filled).tolist()
    if not chosen:
        raise TextError(
            f"no group has {min_group:,} records; the largest of {len(records):,} has {records.max():,}",
            "use a smaller --min-group",
        )
    for made in _written(text, read, options, target, chosen, records):
        files.append(made)
        progress("training the groups", len(files), len(chosen))
    small = ~full
    return Groups(files, int(small.sum()), int(records[small].sum()), int((full & ~filled).sum()), read.repairs)


def _written(
    text: _Sorted, read: EncodedText, options: TrainOptions, target: str, chosen: list[int], records: np.ndarray
) -> Iterator[GroupFile]:
    """Train and write the chosen groups, several at a time."""
    one_thread = replace(options, jobs=1)
    names: dict[str, str] = {}
    paths = {}
    for i in chosen:
        name = file_name(text.names[i])
        paths[i] = target.replace("{}", name)
        names.setdefault(paths[i].casefold(), paths[i])

    def one(i: int) -> GroupFile:
        path, group = paths[i], text.names[i]
        trained = train_read(text.group(i, read, options), one_thread)
        other = names[path.casefold()]
        if other != path and os.path.exists(path) and os.path.exists(other) and Path(path).samefile(other):
            raise MarkovError(f"{path}: the files of two groups have one name here", "write to another file system")
        with atomic_write(path, clean=i == chosen[0]) as f:
            size = model_file.write(f, trained.header, trained.types, trained.table)
        return GroupFile(group, path, size, int(records[i]), trained.header)

    return ordered_map(one, chosen, options.jobs)
