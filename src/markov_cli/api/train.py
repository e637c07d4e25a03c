"""Trains models: `train` in memory, `train_file` from text of any size to a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..errors import OptionError
from ..model.fingerprints import RATE, Guard
from ..model.language_model import LanguageModel
from ..model.thresholds import Protection
from ..text.encoder import TextOptions
from ..text.reading import check_encoding
from ..text.record_format import RecordFormat, record_format
from ..text.sources import EXPANSION, Paths, Texts, sources_of
from ..text.word_list import WordList, Words
from ..training.in_memory import Trained, train_sources
from ..training.on_disk import TrainedFile as Written
from ..training.options import TrainOptions, no_progress
from ..training.plan import Resources
from ..training.plan import train_file as plan_training
from ..training.spilled_text import see_invalid_types
from .model import Model

Progress = Callable[[str, float, float], None]  # a step's name, how much of it is done, and how much there is


def train(
    paths: Paths = (),
    *,
    texts: Texts = (),
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
    guard_like: Guard | None = None,
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    weights: bool = False,
    weights_field: str | int | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Model:
    """Train a model in memory.

    paths, texts      files, folders, `-`; and texts themselves, each as if it were a file
    order             tokens in the longest n-gram: 3 looks back 2 tokens
    tokenizer         words, spaces, chars, bytes, or regex with a pattern
    unit              one sequence is a sentence, line, paragraph or file; None for a sentence, with
                      `markers="borders"` a line, without borders a file
    lowercase         read everything in lower case
    keep_newlines     line breaks and indentation are tokens
    min_type_count    types seen less often become `<unk>`
    max_types         keep this many types, the commonest; the others become `<unk>`
    vocab             a file with a word on each line, or words: all other types become `<unk>`
    prune             n-grams of order 1, 2, 3... that occur at most this often are dropped; the first is 0; the
                      last also holds for higher orders
    prune_vocab       n-grams with types outside this list are dropped, as by lmplz's `--limit_vocab_file`;
                      discounts and totals stay those of all of the text
    min_sequences, min_files  n-grams of order 2 and more that occur in fewer sequences, or files, are dropped
    cap_per_sequence  1 counts an n-gram at most once in a sequence; 0 counts all
    borders           False counts no `<s>` and `</s>`: each file is a text without beginning and end, the unit a file
    guard             keep hashes of all runs of this many tokens, for `generate(novel=...)`. Anyone can confirm guesses
                      of the text with them, see docs/explanation/evidence.md. guard_rate is the share of new runs
                      that are taken for seen ones
    guard_like        make a guard that can be merged with this one, instead of guard and guard_rate
    max_expansion     refuse a compressed file that expands to more than 1 GiB and this many times its size; 0: no limit
    jsonl             the files are JSON lines with the text in this field; a.b is the field b of the object a
    csv               they are CSV (TSV if named .tsv) with the text in this column: a name in the first row, or a
                      number from 1, and then the first row is a record, too
    parquet           they are Parquet files with the text in this column
    skip_bad          leave out records without a text and count them; otherwise the first is an error
    markers           how `<s>`, `</s>` and `<unk>` are read where they stand as words of their own: `text`, words like
                      any other; `borders`, the ends of sequences and the unknown token; `space`, white space
    strip             take the text out of HTML (`html`) or subtitles (`srt`, also WebVTT), in whole files or in fields
                      of records
    weights           each line of the files is `text<TAB>count`: a record that counts so often
    weights_field     the field, or column, with the number of times that a record counts
    jobs              threads
    progress          called while it works: a step's name, how much of it is done, and how much there is

    OptionError for an impossible option; TextError if a file is missing or is not text, or if there is no token.

    >>> import markov_cli
    >>> markov_cli.train(texts=["one two", "one three"], unit="file").header.sequences
    2
    """
    records = record_format(jsonl, csv, parquet, counted=weights, times=weights_field, skip_bad=skip_bad)
    unit = unit_of(unit, borders, markers)
    options = options_of(
        order, TextOptions.of(tokenizer, unit, lowercase, pattern, keep_newlines), borders,
        min_type_count, max_types, vocab, prune, prune_vocab,
        Protection(min_sequences, min_files, cap_per_sequence), encoding,
        guard if guard_like is None else guard_like.tokens, guard_rate, jobs, records,
    )  # fmt: skip
    if guard_like is not None:
        options = replace(options, guard_bits=guard_like.bits)
    return model_of(
        train_sources(
            sources_of(paths, texts, max_expansion, records, markers, strip), options, progress or no_progress
        )
    )


def unit_of(unit: str | None, borders: bool = True, markers: str = "text") -> str:
    """The part of a text that is one sequence, where none may be named; OptionError for borders that are not counted.

    >>> unit_of(None), unit_of(None, markers="borders"), unit_of("paragraph", markers="borders")
    ('sentence', 'line', 'paragraph')
    """
    if not borders and markers == "borders":
        raise OptionError("--markers borders and --no-borders exclude each other", "leave one of them out")
    if not borders:
        return "file"
    return unit or ("line" if markers == "borders" else "sentence")


def options_of(
    order: int,
    text: TextOptions,
    borders: bool,
    min_type_count: int,
    max_types: int | None,
    vocab: Words | None,
    prune: Sequence[int],
    prune_vocab: Words | None,
    protection: Protection,
    encoding: str,
    guard: int,
    guard_rate: float,
    jobs: int,
    records: RecordFormat | None,
) -> TrainOptions:
    """The engine's options, checked where they are names."""
    return TrainOptions(
        order=order,
        text=text,
        borders=borders,
        min_type_count=min_type_count,
        max_types=max_types,
        vocab=words_of(vocab, encoding, text),
        prune=tuple(prune),
        prune_vocab=words_of(prune_vocab, encoding, text),
        protection=protection,
        encoding=check_encoding(encoding),
        guard=guard,
        guard_rate=guard_rate,
        jobs=jobs,
        weights=records is not None and records.times is not None,
    )


def words_of(words: Words | None, encoding: str, text: TextOptions, expansion: float = EXPANSION) -> WordList | None:
    """The words of `--vocab`, in lower case where the text is read so."""
    return None if words is None else WordList.of(words, check_encoding(encoding), text.lowercase, expansion)


class TrainedFile(NamedTuple):
    """A model that was written while it was trained: the model, mapped from its file, and the file's bytes."""

    model: Model
    model_bytes: int


def train_file(
    paths: Paths,
    output: str | os.PathLike[str],
    *,
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
    weights: bool = False,
    weights_field: str | int | None = None,
    jobs: int = 1,
    memory: int | None = None,
    temp_dir: str | os.PathLike[str] | None = None,
    dask: str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> TrainedFile:
    """Train a model from text of any size and write it to a file; the bytes are those that `train` gives.

    output    the model's file, replaced as a whole
    memory    the most bytes of memory to use; None for half of the free memory. What does not fit goes to disk
    temp_dir  the folder for temporary files; None for the folder of the output
    dask      the address of a Dask scheduler whose workers do the work; `local` starts some here
    resume    continue an interrupted run of the same text and options
    say       called with notes for a person, one line each
    The others are those of `train`.

    OptionError, TextError as `train`; MarkovError if memory or disk do not suffice.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     text = pathlib.Path(folder, "a.txt")
    ...     _ = text.write_text("one two")
    ...     model, n_bytes = markov_cli.train_file(text, text.with_suffix(".npz"))
    ...     model.header.tokens
    2
    """
    records = record_format(jsonl, csv, parquet, counted=weights, times=weights_field, skip_bad=skip_bad)
    unit = unit_of(unit, borders, markers)
    options = options_of(
        order, TextOptions.of(tokenizer, unit, lowercase, pattern, keep_newlines), borders,
        min_type_count, max_types, vocab, prune, prune_vocab,
        Protection(min_sequences, min_files, cap_per_sequence), encoding, guard, guard_rate, jobs, records,
    )  # fmt: skip
    sources, target = sources_of(paths, (), max_expansion, records, markers, strip), os.fspath(output)
    resources = Resources(memory, None if temp_dir is None else os.fspath(temp_dir), resume, dask)
    return trained_file(plan_training(sources, options, target, resources, progress or no_progress, say), target)


def trained_file(made: Written, target: str) -> TrainedFile:
    """The model that was written to a file."""
    if made.trained is not None:
        model = model_of(made.trained)
    else:
        model = Model.load(target) if made.file is None else Model(LanguageModel.of_file(made.file))
        model.repairs = made.repairs
    model.path = target
    return TrainedFile(model, made.size)


def model_of(trained: Trained) -> Model:
    """The model that training made."""
    model = Model(LanguageModel.of(trained.header, trained.types, trained.table))
    model.repairs = trained.repairs
    if model.header.options.tokenizer == "spaces":
        see_invalid_types(model.repairs, [trained.types])
    return model
