"""Trains a model for each group of records in one pass over the text.

The text is read and encoded once, with one vocabulary for all groups. Then its records are put in the order of their
groups, so that a group is a slice, and each slice is counted alone. The model of a group has the bytes of one that is
trained on its records alone.

Legend: T texts (records), S sequences, N tokens; u types of a group.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..arrays.disk_array import Column
from ..arrays.run_folder import Workspace
from ..arrays.sorting import distinct_values, ragged, starts_new
from ..arrays.threads import ordered_map
from ..errors import MarkovError, OptionError, TextError
from ..model import model_file
from ..model.model_file import Header
from ..text.encoder import NumberedTypes, Piece
from ..text.group_names import file_name
from ..text.reading import Repairs, Source
from ..text.records import Labels
from ..text.sequences import Collector
from ..text.types import Types
from .on_disk import Training, check_types
from .options import Progress, TrainOptions, check_options, no_progress
from .reading import After, EncodedText, read_text
from .spilled_text import column

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


class Chunk:
    """Whole texts one behind another, in the order of their groups.

    group     int64 (g,), the numbers of the groups, rising
    texts     int64 (T,), the number of each text in the labels
    n_sequences  int64 (T,)
    at        int64 (g + 1,), where the texts of each group begin; sequence_at and token_at likewise
    number, size  provisional numbers of tokens, uint32 (N,), and tokens of each sequence, int64 (S,); or their columns
    """

    number: np.ndarray | Column
    size: np.ndarray | Column

    def __init__(self, number: np.ndarray, end: np.ndarray, text_end: np.ndarray, group: np.ndarray, first: int):
        """Put texts in the order of their groups.

        end       int64 (S,), tokens before the end of each sequence
        text_end  int64 (T,), sequences before the end of each text
        group     int64 (T,), the number of each text's group
        first     number of the first text in the labels
        """
        n_sequences = np.diff(text_end, prepend=0)
        token_end = np.append(0, end)[text_end]
        n_tokens = np.diff(token_end, prepend=0)
        order = np.argsort(group, kind="stable")
        self.texts, self.n_sequences = order + first, n_sequences[order]
        self.size = np.diff(end, prepend=0)[ragged((text_end - n_sequences)[order], n_sequences[order])]
        self.number = number[ragged((token_end - n_tokens)[order], n_tokens[order])]
        new = starts_new(group[order])
        self.group = group[order][new]
        self.at = np.append(np.flatnonzero(new), len(order))
        self.sequence_at = np.append(0, np.cumsum(n_sequences[order]))[self.at]
        self.token_at = np.append(0, np.cumsum(n_tokens[order]))[self.at]

    @classmethod
    def of(
        cls,
        pieces: list[Piece],
        file_ends: list[int],
        groups: list[str],
        numbers: dict[str, int],
        rest: tuple[np.ndarray, np.ndarray] = (np.empty(0, np.uint32), np.empty(0, np.int64)),
        first: int = 0,
    ) -> tuple[Chunk, tuple[np.ndarray, np.ndarray]]:
        """The texts that have ended; and the tokens of the one that has not, with the ends of its sequences.

        file_ends  sequences before the end of each text, counted from these pieces
        groups     the group of each text; numbers gets those that are new
        rest       what was left over before; first  number of the first text in the labels
        """
        number = np.concatenate([rest[0], *(p.number for p in pieces)])
        before = len(rest[0]) + np.cumsum([0, *(len(p.number) for p in pieces)])
        end = np.concatenate([rest[1], *(p.end + n for p, n in zip(pieces, before[:-1].tolist(), strict=True))])
        text_end = np.array(file_ends, np.int64)
        n_sequences = int(text_end[-1]) if len(text_end) else 0
        n_tokens = int(end[n_sequences - 1]) if n_sequences else 0
        group = np.fromiter((numbers.setdefault(g, len(numbers)) for g in groups), np.int64, len(groups))
        chunk = cls(number[:n_tokens], end[:n_sequences], text_end, group, first)
        return chunk, (number[n_tokens:], end[n_sequences:] - n_tokens)

    def totals(self, n_groups: int, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The number of records of each group, and of its tokens: int64 (n_groups,).

        times  int64, how often each text of the labels counts
        """
        records, tokens = np.zeros((2, n_groups), np.int64)
        if len(self.group):
            records[self.group] = np.add.reduceat(times[self.texts], self.at[:-1])
        tokens[self.group] = np.diff(self.token_at)
        return records, tokens

    def spill(self, work: Workspace, name: str) -> None:
        """Put what takes most memory on disk."""
        assert isinstance(self.number, np.ndarray) and isinstance(self.size, np.ndarray)
        self.number = column(work, f"{name}.number", self.number)
        self.size = column(work, f"{name}.size", self.size)

    def texts_of(self, group: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
        """The tokens of a group, the sizes of its sequences, its texts and their numbers of sequences."""
        i = int(np.searchsorted(self.group, group))
        if i == len(self.group) or self.group[i] != group:
            return None
        texts = slice(self.at[i], self.at[i + 1])
        number = _read(self.number, int(self.token_at[i]), int(self.token_at[i + 1]))
        size = _read(self.size, int(self.sequence_at[i]), int(self.sequence_at[i + 1]))
        return number, size, self.texts[texts], self.n_sequences[texts]


def _read(values: np.ndarray | Column, low: int, high: int) -> np.ndarray:
    return values[low:high] if isinstance(values, np.ndarray) else values.read(low, high)


class _Grouped:
    """The texts that were read, chunk by chunk, in the order of their groups.

    numbers  of the groups, by their names
    """

    def __init__(self, target: str, temp_dir: str | None) -> None:
        self.work = Workspace(target, temp_dir, {"groups": True})
        self.numbers: dict[str, int] = {}
        self.chunks: list[Chunk] = []
        self._texts, self._sequences = 0, 0  # in the chunks
        self._rest = np.empty(0, np.uint32), np.empty(0, np.int64)  # of a text that has not ended

    def take(self, collector: Collector, labels: Labels, to_disk: bool) -> None:
        """Make a chunk of the texts that have ended."""
        ends = collector.file_ends[self._texts :]
        sequences = ends[-1] - self._sequences if ends else 0
        chunk, self._rest = Chunk.of(
            collector.take(), [end - self._sequences for end in ends],
            labels.groups[self._texts : self._texts + len(ends)], self.numbers, self._rest, self._texts,
        )  # fmt: skip
        if len(ends):
            self.chunks.append(chunk)
            if to_disk:
                chunk.spill(self.work, f"chunk_{len(self.chunks)}")
        self._texts, self._sequences = len(collector.file_ends), self._sequences + sequences

    def totals(self, labels: Labels) -> tuple[np.ndarray, np.ndarray]:
        """The number of records of each group, and of its tokens: int64."""
        times = np.array(labels.times, np.int64)
        of_chunks = np.array([chunk.totals(len(self.numbers), times) for chunk in self.chunks]).sum(axis=0)
        return of_chunks[0], of_chunks[1]

    def read(self, group: int, whole: EncodedText, options: TrainOptions, after: After) -> EncodedText:
        """The text of one group; `after` is called after each chunk's part."""
        labels = whole.labels
        assert labels is not None
        own, collector = Labels(), Collector(options.text.unit)
        kinds = distinct_values(
            np.concatenate([distinct_values(c[0]) for chunk in self.chunks if (c := chunk.texts_of(group))])
        )
        encoder = _Some(whole.encoders[0], kinds.astype(np.int64))
        for chunk in self.chunks:
            found = chunk.texts_of(group)
            if found is None:
                continue
            number, size, texts, n_sequences = found
            some = labels.some(texts)
            own.times += some.times
            own.sizes += some.sizes
            ends = np.cumsum(n_sequences)
            closing = distinct_values(ends[ends > 0])[:-1] - 1
            numbered = np.searchsorted(kinds, number).astype(np.uint32)
            collector.add_closed(Piece(numbered, np.cumsum(size), True, closing=closing), ends)
            after(collector, encoder, own)
        text_bytes = sum(own.sizes) + own.more_bytes
        return EncodedText(collector, [encoder], Repairs(), text_bytes, own if options.weights else None)


def check_target(target: str) -> None:
    """OptionError where a name of files does not have one `{}`, in its last part."""
    folder, name = os.path.split(target)
    if name.count("{}") != 1 or "{}" in folder:
        raise OptionError(
            f"-o {target}: {{}} stands for the group, and must occur once in the file's name",
            "for example -o 'models/{}.npz'",
        )


def prepared(options: TrainOptions, target: str) -> TrainOptions:
    """The options of reading groups; the folder of the target is made. OptionError for what cannot be."""
    options = replace(options, groups=True)
    check_options(options)
    check_target(target)
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    return options


def train_groups(
    sources: Sequence[Source],
    options: TrainOptions,
    target: str,
    min_group: int = 1,
    limit: int | None = None,
    progress: Progress = no_progress,
    temp_dir: str | None = None,
) -> Groups:
    """Read all sources once, and write a model for each group of their records.

    target     the name of the files; `{}` stands for the group
    min_group  groups with fewer records get no model; a record with a weight counts so often
    limit      bytes of memory; texts and groups that do not fit go to disk
    temp_dir   folder for temporary files, None for the folder of the target

    OptionError for options that cannot be; TextError where there is no token; MarkovError where memory or disk do not
    suffice, or two groups have one file.
    """
    options = prepared(options, target)
    text = _Grouped(target, temp_dir)

    def after(collector: Collector, encoder: NumberedTypes, labels: Labels | None) -> None:
        if limit is not None and labels is not None:
            check_types(encoder, limit)
            if sum(len(p.number) for p in collector.pieces) * _TOKEN_BYTES > limit // 2:
                text.take(collector, labels, to_disk=True)

    with text.work:
        read = read_text(sources, options, progress, after)
        assert read.labels is not None
        progress("sorting the groups", 0, 1)
        text.take(read.collector, read.labels, to_disk=bool(text.chunks))
        records, tokens = text.totals(read.labels)
        chosen, out = chosen_groups(text.numbers, records, tokens, min_group, read.repairs)
        for made in _written(text, read, options, target, chosen, records, limit, temp_dir):
            out.files.append(made)
            progress("training the groups", len(out.files), len(chosen))
    return out


def chosen_groups(
    numbers: dict[str, int], records: np.ndarray, tokens: np.ndarray, min_group: int, repairs: Repairs
) -> tuple[list[str], Groups]:
    """The names of the groups that get a model, rising, and the others; TextError where none does.

    numbers  of the groups, into records and tokens, int64
    """
    full, filled = records >= min_group, tokens > 0
    chosen = [name for name in sorted(numbers) if full[numbers[name]] and filled[numbers[name]]]
    if not chosen:
        raise TextError(
            f"no group has {min_group:,} records; the largest of {len(records):,} has {records.max():,}",
            "use a smaller --min-group",
        )
    small = ~full
    return chosen, Groups([], int(small.sum()), int(records[small].sum()), int((full & ~filled).sum()), repairs)


def paths_of(target: str, names: list[str]) -> Iterator[tuple[str, str]]:
    """Each group with its file; MarkovError where another group's file has that name in this file system."""
    paths = {name: target.replace("{}", file_name(name)) for name in names}
    first: dict[str, str] = {}
    for path in paths.values():
        first.setdefault(path.casefold(), path)
    for name, path in paths.items():
        other = first[path.casefold()]
        if other != path and os.path.exists(path) and os.path.exists(other) and Path(path).samefile(other):
            raise MarkovError(f"{path}: the files of two groups have one name here", "write to another file system")
        yield name, path


def _written(
    text: _Grouped,
    read: EncodedText,
    options: TrainOptions,
    target: str,
    chosen: list[str],
    records: np.ndarray,
    limit: int | None,
    temp_dir: str | None,
) -> Iterator[GroupFile]:
    """Train and write the chosen groups, several at a time."""
    alone = replace(options, jobs=1, groups=False)

    def one(named: tuple[str, str]) -> GroupFile:
        (group, path), number = named, text.numbers[named[0]]
        most = sys.maxsize if limit is None else limit // options.jobs
        work = Workspace(path, temp_dir, {}, clean=group == chosen[0])
        with work:
            training = Training([], alone, path, most, work, no_progress, lambda line: None)
            # all groups have one vocabulary, which is in memory
            training.read = lambda after, is_full, empty: text.read(number, read, options, after)
            made = training.run()
        header = made.trained.header if made.trained else model_file.load(path).header
        return GroupFile(group, path, made.size, int(records[number]), header)

    return ordered_map(one, paths_of(target, chosen), options.jobs)
