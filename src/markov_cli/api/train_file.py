"""Text of any size to a model file: `train_file`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from ..model.thresholds import Protection
from ..text.encoder import TextOptions
from ..text.reading import check_encoding
from ..text.sources import EXPANSION
from ..training.options import TrainOptions, no_progress
from ..training.plan import Resources
from ..training.plan import train_file as place_model
from .model import Model, model_of, sources_of


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
    made = place_model(
        sources, options, output, Resources(memory, temp_dir, resume, dask), progress or no_progress, say
    )
    if made.trained is not None:
        return model_of(made.trained), made.size
    model = Model.load(output) if made.file is None else Model.around(made.file)
    model.repairs = made.repairs
    return model, made.size
