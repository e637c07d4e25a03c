"""Trains a model file: chooses memory, disk or a Dask cluster, and limits memory. Each gives the same bytes."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any

from ..arrays.memory import default_memory, size_text
from ..arrays.run_folder import Workspace
from ..errors import MarkovError
from ..model.merging import Stored
from ..text.reading import Source
from .old_model import OldModel
from .on_disk import Say, TrainedFile, Training
from .options import Progress, TrainOptions, check_options, no_progress

_BLOCK_TIMES = 60  # upper bound on bytes of memory per byte of a block while it is tokenized
_BLOCKS = 1000  # of the text that memory would hold: new types of several blocks come at one time
_LEAST_BLOCK = 1 << 17
_SHORTEST_BLOCK = 1 << 22
_SMALL_DISK = 1 << 30  # no note for less disk than this


@dataclass(frozen=True)
class Resources:
    """Memory, disk and machines that training may use.

    memory    limit of resident memory in bytes, None for half of the free memory
    temp_dir  folder for temporary files, None for the folder of the model
    resume    continue a run that was interrupted
    dask      address of a Dask scheduler, or `local` to start a cluster on this machine; None for no cluster
    """

    memory: int | None = None
    temp_dir: str | None = None
    resume: bool = False
    dask: str | None = None


def train_file(
    sources: Sequence[Source],
    options: TrainOptions,
    target: str,
    place: Resources | None = None,
    progress: Progress = no_progress,
    say: Say = lambda line: None,
    old: Stored | None = None,
) -> TrainedFile:
    """Read all sources and write their model to `target`, `-` for standard output.

    old  a model that the text is added to; the options are those that it was trained with

    The bytes equal those of `train_sources`, for an old model of merging, and of saving, for all resources.
    OptionError for impossible options; MarkovError where memory or disk does not suffice; TextError where the
    sources have no token.
    """
    check_options(options)
    place = place or Resources()
    limit = place.memory or default_memory()
    longest = min(max(limit // _BLOCK_TIMES, _SHORTEST_BLOCK), options.longest_block)
    block = min(max(limit // _BLOCKS, _LEAST_BLOCK), options.block_bytes)
    options = replace(options, longest_block=longest, block_bytes=block)
    identity, whole = _identity(sources, options), None if old is None else OldModel(old)
    if whole is not None:
        identity["old"] = whole.fingerprint()
    _say_disk(sources, options, target, place, limit, say)
    work = Workspace(target, place.temp_dir, identity, place.resume and identity["again"])
    if place.resume and not work.found:
        say("--resume: no interrupted run of this text with these options; starting from the beginning")
    try:
        with work:
            steps = None
            if place.dask is not None:
                from .cluster import cluster_steps

                steps = cluster_steps(place.dask, limit)
            return Training(sources, options, target, limit, work, progress, say, steps, whole).run()
    except OSError as error:
        if error.errno == errno.ENOSPC and work.folder:
            where = "free some space, or use --temp-dir DIR on a larger disk; an earlier model file is unchanged"
            raise MarkovError(f"{work.base}: no space left on the disk", where) from None
        raise


def _identity(sources: Sequence[Source], options: TrainOptions) -> dict[str, Any]:
    """Facts that a run must share with an interrupted one to continue it: sources, options, byte order."""
    texts = []
    for s in sources:
        again = s.data is None and not s.is_stdin  # can be read a second time
        known = [s.known.size, s.known.mtime_ns] if s.known is not None and not s.kept else None
        texts.append([s.path, known or (again and [s.size_bytes]), s.records and list(astuple(s.records))])
        texts[-1] += [s.markers, s.strip] if s.markers != "text" or s.strip else []
    plain = asdict(replace(options, vocab=None, prune_vocab=None))
    plain["vocab"] = [words and words.fingerprint for words in (options.vocab, options.prune_vocab)]
    for name in ("jobs", "block_bytes", "longest_block", "range_windows"):
        del plain[name]
    return {"texts": texts, "options": plain, "again": all(bool(t[1]) for t in texts), "byte_order": sys.byteorder}


def _say_disk(
    sources: Sequence[Source], options: TrainOptions, target: str, place: Resources, limit: int, say: Say
) -> None:
    """Tell how much disk a large text may need; assumes three bytes of text a token, and no equal windows."""
    tokens = sum(s.size_bytes for s in sources) // 3
    if tokens * options.token_bytes < limit:
        return
    n = options.order
    more = 4 * n * len(options.protection.measures) + 16 * (options.guard > 0) + 4 * options.weights
    need = tokens * (4 + (12 if n <= 3 else 4 * n + 4) + 12 * (n - 1) + more)
    folder = place.temp_dir or os.path.dirname(os.path.realpath(target))
    if need < _SMALL_DISK:
        return
    free = shutil.disk_usage(folder).free
    disk = f"up to {size_text(need)} of disk in {folder} ({size_text(free)} free)"
    say(f"the text may not fit in {size_text(limit)} of memory; training may use {disk}")
