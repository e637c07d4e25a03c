"""`markov train --group-by`: a model for each group of records."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from ..errors import OptionError
from .options import note, sources_in
from .output import check_model_target, write_json

_NOT_WITH = ("update", "resume", "weights")


def run(ctx: click.Context, corpus: tuple[str, ...], output: str | None, words: Any) -> None:
    """Train the groups and report them."""
    from ..api.groups import check_target, groups_result, train_group_files
    from ..api.train import options_of, unit_of
    from ..arrays.memory import check_memory, default_memory
    from ..arrays.threads import usable_cores
    from ..model.fingerprints import RATE
    from ..model.thresholds import Protection
    from ..render.groups import group_lines
    from ..render.progress import TrainProgress
    from ..text.encoder import TextOptions
    from ..text.record_format import record_format
    from .word_lists import word_list

    kw = ctx.params
    default = click.core.ParameterSource.DEFAULT
    for name in _NOT_WITH:
        if ctx.get_parameter_source(name) is not default:
            raise OptionError(f"--group-by and --{name.replace('_', '-')} exclude each other", "leave one of them out")
    if output is None:
        raise OptionError("--group-by needs a name for the files", "add -o 'models/{}.npz': {} stands for the group")
    check_target(output)
    folder, name = os.path.split(output)
    before, _, behind = name.partition("{}")
    for other in os.listdir(folder or ".") if Path(folder or ".").is_dir() else ():
        if other.startswith(before) and other.endswith(behind):
            check_model_target(os.path.join(folder, other))
    records = record_format(
        kw["jsonl"], kw["csv"], kw["parquet"],
        group=kw["group_by"], times=kw["weights_field"], skip_bad=kw["skip_bad"],
    )  # fmt: skip
    guard, rate = kw["guard"] or (0, RATE)
    borders = not kw["no_borders"]
    unit = unit_of(kw["unit"], borders, kw["markers"])
    text = TextOptions.of(kw["tokenizer"], unit, kw["lowercase"], kw["pattern"], kw["keep_newlines"])
    options = options_of(
        kw["order"], text, borders, kw["min_type_count"], kw["max_types"], words, kw["prune"],
        word_list(ctx, corpus, "prune_vocab"),
        Protection(kw["min_sequences"], kw["min_files"], kw["cap_per_sequence"]), kw["encoding"],
        guard, rate, kw["jobs"] or usable_cores(), records,
    )  # fmt: skip
    sources = sources_in(corpus, kw, records)
    memory = check_memory(kw["memory"]) if kw["memory"] else default_memory()
    begin = time.monotonic()
    with TrainProgress(kw["quiet"]) as progress:
        made = train_group_files(
            sources, options, output, kw["min_group"], memory, progress.update, kw["temp_dir"], kw["dask"]
        )
    seconds = time.monotonic() - begin
    found = groups_result(made, options)
    for line in group_lines(found, made.repairs, output, kw["min_group"], seconds):
        note(line, kw["quiet"])
    if kw["as_json"]:
        write_json(groups_json(found, seconds), output)


def groups_json(found: Any, seconds: float) -> str:
    """The result as JSON, with the time it took."""
    from ..render.json_text import json_text

    return json_text({**found.to_dict(), "seconds": round(seconds, 3)})
