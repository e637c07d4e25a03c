"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..arrays.process_lock import lock

_TRIES = 100
_LONGEST = 230  # bytes of a file name that leave room for a process number and dots


@contextmanager
def atomic_write(path: str | os.PathLike[str], clean: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to, beside its target, and put in its place when it is complete.

    So what stood there before stays whole whatever happens. A device or a pipe is written to, not replaced.

    clean  remove what runs that were killed left of this file, which reads the whole folder
    """
    target = os.path.realpath(os.fspath(path))
    # the real path of /dev/stdout can be no path at all, such as /proc/1/fd/pipe:[2]
    if os.path.exists(path) and not Path(path).is_file():
        with open(path, "wb") as f:
            yield f
        return
    folder, name = os.path.split(target)
    if len(os.fsencode(name)) > _LONGEST:  # the temporary name is longer
        name = f"{zlib.crc32(os.fsencode(name)):08x}"
    if clean:
        _clean(folder, name)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with _new(temporary) as f:
            yield f
            f.flush()
            os.fsync(f.fileno())
            if os.name != "nt":  # while the lock is held, so that nobody takes it for a leftover
                os.replace(temporary, target)
        if os.name == "nt":  # where an open file cannot be renamed
            os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _new(path: str) -> IO[bytes]:
    """A new file that is locked; begun again where another run cleaned up between the two."""
    for _ in range(_TRIES):
        with suppress(FileExistsError):
            f = open(path, "x+b")  # noqa: SIM115 - the caller closes it
            if lock(f) is not False and os.path.exists(path):
                return f
            f.close()
        time.sleep(0.01)
    raise FileExistsError(errno.EEXIST, "another run writes it just now", path)


def _clean(folder: str, name: str) -> None:
    """Remove what runs that were killed left of this file: what nobody holds a lock of."""
    with suppress(OSError):
        for other in os.listdir(folder):
            if other.startswith(f".{name}.") and other.endswith(".tmp") and other[len(name) + 2 : -4].isdigit():
                path = os.path.join(folder, other)
                with suppress(OSError), open(path, "r+b") as f:
                    if lock(f):
                        os.unlink(path)
