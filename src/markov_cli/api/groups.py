"""Trains a model for each group of records: `train_groups`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..arrays.memory import default_memory
from ..model.fingerprints import RATE
from ..model.header import Header
from ..model.thresholds import Protection
from ..text.encoder import TextOptions
from ..text.reading import Source
from ..text.record_format import record_format
from ..text.sources import EXPANSION, Paths, sources_of
from ..text.word_list import Words
from ..training.groups import GroupFile, Groups, check_target
from ..training.groups import train_groups as train_groups_here
from ..training.options import TrainOptions, no_progress
from .results import RepairCounts, Result
from .train import options_of, unit_of

__all__ = ["GroupModel", "TrainedGroups", "check_target", "groups_result", "train_group_files", "train_groups"]

Progress = Callable[[str, float, float], None]


@dataclass(frozen=True, kw_only=True)
class GroupModel(Result):
    """The model of one group.

    group    the value of the field
    model    its file, of model_bytes
    records  that it was trained on; with weights, as often as they count
    tokens, types  without markers
    """

    group: str
    model: str
    records: int
    tokens: int
    types: int
    sequences: int
    model_bytes: int


@dataclass(frozen=True, kw_only=True)
class TrainedGroups(Result):
    """The models of the groups of a text.

    groups         in the order of their names
    small_groups   groups with fewer records than `min_group`, which have no model; small_records is their number
                   of records
    empty_groups   groups without a token, which have no model
    repairs        of reading the text
    """

    order: int
    tokenizer: str
    unit: str
    groups: tuple[GroupModel, ...]
    small_groups: int
    small_records: int
    empty_groups: int
    repairs: RepairCounts


def train_groups(
    paths: Paths,
    output: str | os.PathLike[str],
    *,
    group_by: str | int,
    min_group: int = 1,
    order: int = 3,
    tokenizer: str = "words",
    unit: str | None = None,
    lowercase: bool = False,
    pattern: str | None = None,
    keep_newlines: bool = False,
    encoding: str = "utf-8",
    min_type_count: int = 1,
    max_types: int | None = None,
    vocab: Words | None = None,
    prune: Sequence[int] = (),
    prune_vocab: Words | None = None,
    borders: bool = True,
    min_sequences: int = 1,
    min_files: int = 1,
    cap_per_sequence: int = 0,
    guard: int = 0,
    guard_rate: float = RATE,
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    weights_field: str | int | None = None,
    jobs: int = 1,
    memory: int | None = None,
    temp_dir: str | os.PathLike[str] | None = None,
    dask: str | None = None,
    progress: Progress | None = None,
) -> TrainedGroups:
    """Train a model for each value of a field of records, in one pass over the text, and write them to files.

    output     the name of the files; `{}` in it stands for the value, written so that it is safe in a file name
    group_by   the field; a value is a text or a whole number
    min_group  groups with fewer records get no model
    memory     the most bytes of memory to use; None for no limit. What does not fit goes to disk
    temp_dir   the folder for temporary files; None for the folder of the output
    dask       the address of a Dask scheduler, each of whose workers can hold the largest group; `local` starts some

    The others are those of `train`: order, tokenizer, unit, lowercase, pattern, keep_newlines, min_type_count,
    max_types, vocab, prune, prune_vocab, borders, min_sequences, min_files (here: records), cap_per_sequence, guard,
    guard_rate, max_expansion, jsonl, csv, parquet, skip_bad, markers, strip, weights_field, progress.
    Each model has the bytes that `train` gives for the group's records.

    OptionError for options that cannot be; TextError if a record has no text, or no group has enough records;
    MarkovError if memory does not suffice.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     chat = pathlib.Path(folder, "chat.csv")
    ...     _ = chat.write_text("who,text\\nann,good morning\\nbob,good night\\n")
    ...     made = markov_cli.train_groups(chat, f"{folder}/{{}}.npz", csv="text", group_by="who")
    ...     [(one.group, one.tokens) for one in made.groups]
    [('ann', 2), ('bob', 2)]
    """
    records = record_format(jsonl, csv, parquet, group=group_by, times=weights_field, skip_bad=skip_bad)
    unit = unit_of(unit, borders, markers)
    text = TextOptions.of(tokenizer, unit, lowercase, pattern, keep_newlines)
    options = options_of(
        order, text, borders, min_type_count, max_types, vocab, prune, prune_vocab,
        Protection(min_sequences, min_files, cap_per_sequence), encoding, guard, guard_rate, jobs, records,
    )  # fmt: skip
    sources = sources_of(paths, (), max_expansion, records, markers, strip)
    folder = None if temp_dir is None else os.fspath(temp_dir)
    made = train_group_files(
        sources, options, os.fspath(output), min_group, memory, progress or no_progress, folder, dask
    )
    return groups_result(made, options)


def train_group_files(
    sources: Sequence[Source],
    options: TrainOptions,
    target: str,
    min_group: int,
    memory: int | None,
    progress: Progress,
    temp_dir: str | None,
    dask: str | None,
) -> Groups:
    """Train the models of the groups here, or on a cluster."""
    if dask is None:
        return train_groups_here(sources, options, target, min_group, memory, progress, temp_dir)
    from ..training.cluster_groups import train_groups_on

    return train_groups_on(dask, memory or default_memory(), sources, options, target, min_group, progress)


def groups_result(made: Groups, options: TrainOptions) -> TrainedGroups:
    """The models that were made, as a result."""
    return TrainedGroups(
        order=options.order,
        tokenizer=options.text.tokenizer,
        unit=options.text.unit,
        groups=tuple(_group(one, one.header) for one in made.files),
        small_groups=made.small,
        small_records=made.small_records,
        empty_groups=made.empty,
        repairs=RepairCounts.of(made.repairs),
    )


def _group(one: GroupFile, header: Header) -> GroupModel:
    return GroupModel(
        group=one.group,
        model=one.path,
        records=one.records,
        tokens=header.tokens,
        types=header.types,
        sequences=header.sequences,
        model_bytes=one.model_bytes,
    )
