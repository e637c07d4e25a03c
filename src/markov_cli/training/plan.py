"""Text to a model file: in memory, on disk, or on other machines, as it fits; the same bytes in each way."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..arrays.memory import default_memory, size_text
from ..arrays.run_folder import Workspace
from ..errors import MarkovError, OptionError
from ..text.byte_ranges import is_url
from ..text.reading import Source
from .on_disk import Say, TrainedFile, Training
from .options import Progress, TrainOptions, check_options, no_progress

_BLOCK_TIMES = 60  # bytes of memory that a byte of a block takes while it is tokenized, at most
_SHORTEST_BLOCK = 1 << 22
_SMALL_DISK = 1 << 30  # needs below this are not worth a word


@dataclass(frozen=True)
class Resources:
    """Where a training may put what it needs.

    memory    bytes of resident memory, None for half of what is free
    temp_dir  for what does not fit; None for the folder of the model
    resume    go on with a run that ended early
    dask      the address of a Dask scheduler whose workers do it, `local` for one that is started here
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
) -> TrainedFile:
    """Read all sources and write their model to `target`, `-` for standard output.

    The same bytes as `train_sources` and saving give, whatever the place.
    """
    check_options(options)
    place = place or Resources()
    if place.dask is not None and options.in_memory:
        raise OptionError(f"--dask: {options.in_memory} works in the memory of one machine", "leave one of them out")
    limit = place.memory or default_memory()
    options = replace(options, longest_block=min(max(limit // _BLOCK_TIMES, _SHORTEST_BLOCK), options.longest_block))
    identity = _identity(sources, options)
    _say_disk(sources, options, target, place, limit, say)
    work = Workspace(target, place.temp_dir, identity, place.resume and identity["again"])
    if place.resume and not work.found:
        say("--resume: no run of this text with these options to go on with; starting anew")
    try:
        with work:
            spread = None
            if place.dask is not None:
                from .cluster import cluster_steps

                spread = cluster_steps(place.dask, limit)
            return Training(sources, options, target, limit, work, progress, say, spread).run()
    except OSError as error:
        if error.errno == errno.ENOSPC and work.folder:
            where = "make room there, or --temp-dir DIR on a larger disk; an earlier model in its place is whole"
            raise MarkovError(f"{work.base}: no space left on the disk", where) from None
        raise


def _identity(sources: Sequence[Source], options: TrainOptions) -> dict[str, Any]:
    """What must be the same for a run to be gone on with."""
    texts = []
    for s in sources:
        again = s.data is None and not s.is_stdin
        stat = os.stat(s.path) if again and not is_url(s.path) else None
        texts.append([s.path, [stat.st_size, stat.st_mtime_ns] if stat else again and [s.size_bytes]])
    plain = asdict(options)
    for name in ("jobs", "block_bytes", "longest_block", "range_windows"):
        del plain[name]
    return {"texts": texts, "options": plain, "again": all(bool(t[1]) for t in texts), "python": sys.byteorder}


def _say_disk(
    sources: Sequence[Source], options: TrainOptions, target: str, place: Resources, limit: int, say: Say
) -> None:
    """How much disk a large text may need: three bytes of text a token, and every window another."""
    tokens = sum(s.size_bytes for s in sources) // 3
    if tokens * options.token_bytes < limit:
        return
    n = options.order
    need = tokens * (4 + (12 if n <= 3 else 4 * n + 4) + 12 * (n - 1))
    folder = place.temp_dir or os.path.dirname(os.path.realpath(target))
    if need < _SMALL_DISK:
        return
    free = shutil.disk_usage(folder).free
    where = f"up to {size_text(need)} of disk in {folder}, where {size_text(free)} are free"
    say(f"the text may not fit in {size_text(limit)} of memory: {where}")
