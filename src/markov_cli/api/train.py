"""Trains models: `train` in memory, `train_file` from text of any size to a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..model.fingerprints import RATE, Guard
from ..model.language_model import LanguageModel
from ..model.thresholds import Protection
from ..text.encoder import TextOptions
from ..text.reading import check_encoding
from ..text.sources import EXPANSION, sources_of
from ..training.in_memory import Trained, train_sources
from ..training.options import TrainOptions, no_progress
from ..training.plan import Resources
from ..training.plan import train_file as plan_training
from .model import Model


def train(
    paths: Sequence[str | os.PathLike[str]] = (),
    *,
    texts: Iterable[str] = (),
    order: int = 3,
    tokenizer: str = "words",
    unit: str = "sentence",
    lowercase: bool = False,
    pattern: str | None = None,
    encoding: str = "utf-8",
    min_type_count: int = 1,
    prune: Sequence[int] = (),
    min_sequences: int = 1,
    min_files: int = 1,
    cap_per_sequence: int = 0,
    guard: int = 0,
    guard_rate: float = RATE,
    guard_like: Guard | None = None,
    max_expansion: float = EXPANSION,
    jobs: int = 1,
    progress: Callable[[str, float, float], None] | None = None,
) -> Model:
    """Read text and build its model.

    paths  files, folders, `-`
    texts  texts themselves, each as if it were a file
    guard  keep hashes of all runs of so many tokens, for `generate(novel=...)`; it keeps no secret, see
           docs/explanation/evidence.md
    guard_rate  how many new runs it may take for seen ones
    guard_like  another guard, that this model's shall fit, in place of these two
    The rest is as `markov train --help` says.

    >>> import markov_cli
    >>> markov_cli.train(texts=["one two", "one three"], unit="file").header.sequences
    2
    """
    sources = sources_of(paths, texts, max_expansion)
    options = TrainOptions(
        order=order,
        text=TextOptions.of(tokenizer, unit, lowercase, pattern),
        min_type_count=min_type_count,
        prune=tuple(prune),
        protection=Protection(min_sequences, min_files, cap_per_sequence),
        encoding=check_encoding(encoding),
        guard=guard if guard_like is None else guard_like.tokens,
        guard_rate=guard_rate,
        guard_bits=0 if guard_like is None else guard_like.bits,
        jobs=jobs,
    )
    return model_of(train_sources(sources, options, progress or no_progress))


def train_file(
    paths: Sequence[str | os.PathLike[str]],
    output: str,
    *,
    memory: int | None = None,
    temp_dir: str | None = None,
    dask: str | None = None,
    resume: bool = False,
    progress: Callable[[str, float, float], None] | None = None,
    say: Callable[[str], None] = lambda line: None,
    **given: Any,
) -> tuple[Model, int]:
    """Read text of any size and write its model to a file; the model, mapped from there, and its bytes.

    memory    bytes that may be resident; None for half of what is free. What does not fit goes to disk
    temp_dir  the folder for that; None for the folder of `output`
    dask      the address of a Dask scheduler whose workers do it, `local` for one that is started here
    resume    go on with a run that ended early
    say       told what a person may want to know
    given     as for `train`
    """
    sources = sources_of(paths, (), given.pop("max_expansion", EXPANSION))
    text = TextOptions.of(*(given.pop(name, default) for name, default in vars(TextOptions()).items()))
    protection = Protection(*(given.pop(name, default) for name, default in vars(Protection()).items()))
    prune, encoding = tuple(given.pop("prune", ())), check_encoding(given.pop("encoding", "utf-8"))
    options = TrainOptions(text=text, protection=protection, prune=prune, encoding=encoding, **given)
    made = plan_training(
        sources, options, output, Resources(memory, temp_dir, resume, dask), progress or no_progress, say
    )
    if made.trained is not None:
        return model_of(made.trained), made.size
    model = Model.load(output) if made.file is None else Model(LanguageModel.of_file(made.file))
    model.repairs = made.repairs
    return model, made.size


def model_of(trained: Trained) -> Model:
    """A `Model` of what training gave."""
    model = Model(LanguageModel.of(trained.header, trained.types, trained.table))
    model.repairs = trained.repairs
    return model
