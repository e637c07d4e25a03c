"""Classifies records whose class is known: `confusion`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import OptionError, TextError
from ..scoring.confusion import Confusion
from ..scoring.documents import Documents, batches_of, fewest_bits
from ..scoring.predictor import Predictor, predictors_of
from ..text.documents import Documents as DocumentReader
from ..text.group_names import value_of
from ..text.reading import Repairs, Source, check_encoding
from ..text.record_format import record_format
from ..text.sources import EXPANSION, Paths, sources_of
from .model import Model
from .results import Result, rounded


@dataclass(frozen=True, kw_only=True)
class ConfusionTable(Result):
    """Records by their true class and the model that needs the fewest bits for them.

    records    their number; right those given to the model of their class
    accuracy   share that is right; largest_class the share of the most frequent class, for comparison
    models     the classes that can be given
    table      by true class, the number of records given to each model that was given any; `-` where two models tie
    """

    records: int
    right: int
    accuracy: float = rounded(6)
    largest_class: float = rounded(6)
    models: tuple[str, ...]
    table: Mapping[str, Mapping[str, int]]


def model_files(folder: str | os.PathLike[str]) -> list[str]:
    """The models in a folder, in sorted order; OptionError where there are none."""
    found = sorted(str(path) for path in Path(folder).glob("*.npz"))
    if not found:
        raise OptionError(f"{os.fspath(folder)}: no models in this folder", "name a folder of .npz files")
    return found


def confusion(
    models: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    paths: Paths,
    *,
    label: str | int,
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    smoothing: str | None = None,
    encoding: str = "utf-8",
    jobs: int = 1,
) -> ConfusionTable:
    """Give each record to the model that needs the fewest bits for it, and compare with its true class.

    models     a folder of models, one for each class as `train_groups` writes them; or their files
    label      the field with the true class; the model of a class is the file of that name
    smoothing  None for `kn`, or for a model's own probabilities
    jsonl, csv, parquet, skip_bad  the texts are in a field of records, as in `train`
    max_expansion, markers, strip  how files are read, as in `train`

    OptionError for fewer than two models; TextError if a record has no text or no class.

    >>> import markov_cli, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     chat = pathlib.Path(folder, "chat.csv")
    ...     _ = chat.write_text("who,text\\nann,good morning\\nbob,see you\\n")
    ...     made = markov_cli.train_groups(chat, f"{folder}/{{}}.npz", csv="text", group_by="who")
    ...     found = markov_cli.confusion(folder, chat, csv="text", label="who")
    >>> found.accuracy, found.table["bob"]
    (1.0, {'bob': 1})
    """
    one = isinstance(models, (str, os.PathLike))
    files = model_files(models) if one else [os.fspath(path) for path in models]  # type: ignore[arg-type,union-attr]
    if len(files) < 2:
        raise OptionError("a classifier needs several models", "give two models or more")
    records = record_format(jsonl, csv, parquet, label=label, skip_bad=skip_bad)
    sources = sources_of(paths, (), max_expansion, records, markers, strip)
    loaded = [Model.load(path) for path in files]
    predictors = predictors_of([m.language_model for m in loaded], smoothing, files)
    return confusion_table(confused(predictors, files, sources, check_encoding(encoding), Repairs(), jobs))


def confused(
    predictors: Sequence[Predictor],
    files: Sequence[str],
    sources: Sequence[Source],
    encoding: str,
    repairs: Repairs,
    jobs: int,
) -> Confusion:
    """The true and the given classes of all records."""
    scorer = Documents(predictors, jobs, markers=sources[0].markers)
    found = Confusion([Path(path).name.removesuffix(".npz") for path in files])
    documents = DocumentReader(sources, encoding, repairs).read()
    for labels, units in scorer.score(batches_of((d.text, d.label or "") for d in documents)):
        found.add(labels, fewest_bits(units)[0])
    if not found.texts:
        raise TextError(f"{sources[0].name}: no record", "name a file that has records")
    scorer.add_repairs(repairs)
    return found


def confusion_table(found: Confusion) -> ConfusionTable:
    """The table as a result: classes in the order of their names."""
    names = [*map(value_of, found.names), "-"]
    return ConfusionTable(
        records=found.texts,
        right=found.right,
        accuracy=found.right / found.texts,
        largest_class=found.largest / found.texts,
        models=tuple(names[:-1]),
        table={
            label: {name: n for name, n in zip(names, row.tolist(), strict=True) if n}
            for label, row in sorted(found.rows.items())
        },
    )
