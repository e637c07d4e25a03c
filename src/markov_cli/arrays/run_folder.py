"""The temporary folder of one run: its files, and a journal of the steps that are complete.

A journal has a line of JSON for each step that is done, with the bytes and the checksum of every file the step
wrote. So a run that was killed goes on from its last complete step, and a file that a
crash of the machine cut short is noticed and made again.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from .process_lock import lock

_JOURNAL, _LOCK = "journal", "lock"
_PIECE = 1 << 24


class Workspace:
    """A folder beside the target, the current one for `-`, or in `temp_dir`; made when it is first written to.

    Folders of runs that ended early are removed, or, with `resume`, one of the same `identity` is gone on
    with. Those of runs that are still going are left alone. `clean` False leaves all alone.
    """

    def __init__(
        self,
        target: str,
        temp_dir: str | None,
        identity: dict[str, Any],
        resume: bool = False,
        clean: bool = True,
    ) -> None:
        real = os.path.realpath(target)
        self.base = temp_dir or os.path.dirname(real)
        mark = zlib.crc32(os.fsencode(real))
        self._prefix = f".{os.fsdecode(os.fsencode(Path(real).name)[:100])}.{mark:08x}.run."
        self._identity = json.loads(json.dumps(identity))
        self._lock: IO[bytes] | None = None
        self._steps: dict[str, Any] = {}
        self.folder = ""
        self.found = False  # there was a run to go on with
        if clean:
            self._clean(resume)

    def _clean(self, resume: bool) -> None:
        try:
            names = sorted(n for n in os.listdir(self.base) if n.startswith(self._prefix))
        except OSError:
            return
        for name in names:
            folder = os.path.join(self.base, name)
            held = self._take(folder)
            if held is None or not lock(held):
                continue
            steps = _read_journal(os.path.join(folder, _JOURNAL))
            if resume and not self.found and steps.get("begin") == self._identity and len(steps) > 1:
                self.folder, self._lock, self._steps, self.found = folder, held, steps, True
                continue
            shutil.rmtree(folder, ignore_errors=True)
            held.close()

    @staticmethod
    def _take(folder: str) -> IO[bytes] | None:
        """The folder's lock, None where another run has it."""
        try:
            held = open(os.path.join(folder, _LOCK), "ab")  # noqa: SIM115 - held as long as the run lasts
        except OSError:
            return None
        if lock(held) is not False and os.path.exists(os.path.join(folder, _LOCK)):
            return held
        held.close()
        return None

    def path(self, name: str) -> str:
        """A file in the folder."""
        if not self.folder:
            self._make()
        return os.path.join(self.folder, name)

    def _make(self) -> None:
        for i in range(1000):
            folder = os.path.join(self.base, f"{self._prefix}{os.getpid()}.{i}")
            try:
                Path(folder).mkdir(0o700)  # it holds the text
            except FileExistsError:
                continue
            self._lock = self._take(folder)
            if self._lock is None:  # another run cleaned up at that moment
                continue
            self.folder = folder
            self.done("begin", self._identity)
            return
        raise FileExistsError(17, "too many folders of earlier runs", self.base)

    def done(self, step: str, data: Any, files: dict[str, tuple[int, int]] | None = None) -> None:
        """Note that a step is complete: its data, and the bytes and checksums of its files."""
        line = json.dumps([step, data, files or {}]).encode() + b"\n"
        with open(self.path(_JOURNAL), "ab") as f:
            f.write(line)
            f.flush()
            os.fsync(f.fileno())
        self._steps[step] = [data, {}] if step != "begin" else data

    def step(self, name: str) -> Any:
        """The data noted for a step; None if the step or one of its files is not complete."""
        found = self._steps.get(name)
        if found is None:
            return None
        data, files = found
        for file, (size, crc) in files.items():
            if not _is_whole(self.path(file), size, crc):
                del self._steps[name]
                return None
        found[1] = {}  # looked at once
        return data

    def drop(self, *names: str) -> None:
        """Remove files that no later step needs."""
        for name in names:
            with suppress(OSError):
                os.unlink(self.path(name))

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keeps = kind is not None and issubclass(kind, KeyboardInterrupt) and "text" in self._steps
        if self.folder and not keeps:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _read_journal(path: str) -> dict[str, Any]:
    """The steps of a journal, up to its end or to a line that was cut off."""
    steps: dict[str, Any] = {}
    with suppress(OSError, ValueError, TypeError):
        for line in Path(path).read_bytes().splitlines():
            step, data, files = json.loads(line)
            steps[str(step)] = data if step == "begin" else [data, files]
    return steps


def _is_whole(path: str, size: int, crc: int) -> bool:
    try:
        if os.stat(path).st_size != size:
            return False
        found = 0
        with open(path, "rb") as f:
            while piece := f.read(_PIECE):
                found = zlib.crc32(piece, found)
    except OSError:
        return False
    return found == crc
