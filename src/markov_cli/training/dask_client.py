"""Connects to a Dask cluster, or starts one on this machine; how large a part of the work one task is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import MarkovError, OptionError
from ..text.vocabulary import UNSPACED
from .options import TrainOptions

PART_BYTES = 1 << 25  # of text
RANGE_WINDOWS = 1 << 22
PARTS_OF_A_SHARD = 16
_TASKS = 1000  # parts, or ranges, from which these are larger than above, if memory permits
_UNKNOWN_MEMORY = 4 << 30  # of a worker without a limit
_TOKEN_BYTES = 4  # of text, at least, of words
# Dask has its workers give memory back early, so that each larger array is asked for anew: training takes 1.7 times as
# long without this
_KEEP_ARRAYS = {"distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": 1 << 25}
_TIMEOUT_S = 10  # for a scheduler to answer


def import_distributed() -> Any:
    """The package; OptionError where it is missing."""
    try:
        import distributed
    except ImportError:
        raise OptionError("--dask needs the package distributed", "pip install distributed") from None
    return distributed


@contextmanager
def connected(address: str, memory: int, jobs: int) -> Iterator[Any]:
    """Client of a cluster.

    address  of a scheduler, or `local` to start a cluster on this machine
    memory   bytes that all workers together may use, for `local`
    jobs     workers, for `local`

    OptionError where the package distributed is missing; MarkovError where the cluster fails.
    """
    distributed = import_distributed()
    try:
        with _client(distributed, address, memory, jobs) as client:
            yield client
    except (OSError, TimeoutError) as error:
        if isinstance(error, (FileNotFoundError, PermissionError)):
            raise
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MarkovError(
            f"--dask {address}: {said}", "give the address that dask scheduler prints when it starts, or: local"
        ) from None
    except distributed.KilledWorker as error:
        raise MarkovError(
            f"--dask {address}: several workers died: {str(error).splitlines()[0]}",
            "give each worker more memory, or fewer threads; --memory is for the workers of --dask local",
        ) from None
    except ModuleNotFoundError as error:
        raise MarkovError(
            f"--dask {address}: a worker has {error}",
            "on every worker, in the folder of this program: pip install .",
        ) from None


def _client(distributed: Any, address: str, memory: int, jobs: int) -> Any:
    if address != "local":
        return distributed.Client(address, timeout=_TIMEOUT_S, set_as_default=False)
    from dask import config

    with config.set(_KEEP_ARRAYS):
        cluster = distributed.LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            memory_limit=max(memory // jobs, 1 << 28),
            dashboard_address=None,
            silence_logs=50,
        )
    return _local_client(distributed, cluster)


@contextmanager
def _local_client(distributed: Any, cluster: Any) -> Iterator[Any]:
    """Client of a cluster that was started here; closes both."""
    client = distributed.Client(cluster, set_as_default=False)
    try:
        yield client
    finally:
        client.close()
        cluster.close()


class TaskSize:
    """The largest part of the work of one task, by the memory that a worker has for each of its threads."""

    def __init__(self, client: Any, options: TrainOptions) -> None:
        """That of the workers that are known now."""
        workers = client.scheduler_info()["workers"].values()
        self._threads = sum(w.get("nthreads", 1) for w in workers)
        limits = [(w.get("memory_limit") or _UNKNOWN_MEMORY) // max(w.get("nthreads", 1), 1) for w in workers]
        self._windows = min(limits, default=_UNKNOWN_MEMORY) // (2 * options.token_bytes)
        self._token_bytes = 1 if options.text.tokenizer in UNSPACED else _TOKEN_BYTES

    def part_bytes(self, text_bytes: int) -> int:
        """Bytes of text of a part."""
        return max(min(max(PART_BYTES, text_bytes // _TASKS), self._windows * self._token_bytes), 1)

    def range_windows(self, windows: int) -> int:
        """Windows of a range, where all parts have so many."""
        return max(min(max(RANGE_WINDOWS, windows // _TASKS), self._windows), 1)

    def shards(self, parts: int) -> int:
        """Shards of the vocabulary of so many parts."""
        return max(-(-parts // PARTS_OF_A_SHARD), min(parts, self._threads, PARTS_OF_A_SHARD), 1)
