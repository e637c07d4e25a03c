"""Finds the files to read: files, folders, standard input."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ..errors import NotText, OptionError, TextError
from .byte_ranges import PartOfFile, find_urls, is_url, next_cut, open_url, url_size
from .record_format import RecordFormat

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]  # files, folders, `-`: one, or several
_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.EBADF, errno.ELOOP)
Texts = str | Iterable[str]  # texts themselves: one, or several

READINGS = ("text", "borders", "space")  # of `<s>`, `</s>` and `<unk>`, see markers.py
STRIPPED = ("html", "srt")  # see strip.py
EXPANSION = 200.0  # text becomes 3 to 10 times its compressed size, logs 50; what does more is made to


class FileStat(NamedTuple):
    """Facts of a file as it was found: bytes, time of the last change in ns, kind and permissions."""

    size: int
    mtime_ns: int
    mode: int

    @classmethod
    def of(cls, path: str) -> FileStat:
        """Ask the file system; OSError where there is no such file."""
        found = os.stat(path)
        return cls(found.st_size, found.st_mtime_ns, found.st_mode)


@dataclass(frozen=True)
class Source:
    """One text: a path, or `-`."""

    path: str
    explicit: bool = True  # named by the user, not found in a folder
    data: bytes | None = None  # the text itself, for the Python API
    kept: str = ""  # the file that holds standard input, where it is read more than once
    part: tuple[int, int] | None = None  # bytes of the file that are read, moved on to places where it may be cut
    expansion: float = EXPANSION  # a compressed one may become so many times its size, 0 for any
    records: RecordFormat | None = None  # where the texts in it are; None where it is one text
    known: FileStat | None = None  # of the file, where it was found by its name
    strip: str | None = None  # what it is to be freed of: html or srt
    markers: str = "text"  # how `<s>`, `</s>` and `<unk>` in it are read

    @property
    def name(self) -> str:
        """As messages have it."""
        return "standard input" if self.path == "-" else self.path

    @property
    def is_stdin(self) -> bool:
        """It can be read once."""
        return self.path == "-" and not self.kept

    @property
    def size_bytes(self) -> int:
        """Bytes on disk (compressed ones as they are), 0 where unknown."""
        if self.data is not None:
            return len(self.data)
        if self.is_stdin:
            return 0
        if self.part is not None:
            return self.part[1] - self.part[0]
        if self.known is not None and not self.kept:
            return self.known.size
        if is_url(self.path):
            return url_size(self.path)
        try:
            return os.stat(self.kept or self.path).st_size
        except OSError:
            return 0

    @property
    def whole_bytes(self) -> int:
        """Bytes of a text in memory, or of a regular file that is read whole; -1 for others, and for records."""
        if self.records is not None:
            return -1
        if self.data is not None:
            return len(self.data)
        known = self.known
        if known is None or self.part is not None or self.kept or not stat.S_ISREG(known.mode):
            return -1
        return known.size


def find_sources(paths: list[str], expansion: float = EXPANSION, records: RecordFormat | None = None) -> list[Source]:
    """Every text below `paths`: files as given, folders recursively in sorted order.

    Hidden files and folders inside a folder are left out. What is neither file nor folder is read where it is
    named, a pipe for example, and not where it is found in a folder; links to folders are not followed.
    """
    found: list[Source] = []
    for given in paths:
        if not given:
            raise TextError("'': an empty file name", "name a file, a folder, or `-`")
        if given == "-":
            found.append(Source("-", expansion=expansion))
            continue
        if is_url(given):
            found.extend(Source(url, explicit=url == given, expansion=expansion) for url in find_urls(given))
            continue
        known = _known(given)
        if known is None:
            raise TextError(f"{given}: no such file", _nearby(Path(given)))
        if stat.S_ISDIR(known.mode):
            inside = [
                Source(path, explicit=False, expansion=expansion, known=_known(path)) for path in _walk(Path(given))
            ]
            if not inside:
                raise TextError(f"{given}: a folder without files", "name a folder that holds text")
            found.extend(inside)
        else:
            found.append(Source(given, expansion=expansion, known=known))
    return found if records is None else [replace(source, records=records) for source in found]


def _known(path: str) -> FileStat | None:
    """Facts of a file; None where there is none."""
    try:
        return FileStat.of(path)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_FILE:
            raise
        return None


def sources_of(
    paths: Paths = (),
    texts: Texts = (),
    expansion: float = EXPANSION,
    records: RecordFormat | None = None,
    markers: str = "text",
    strip: str | None = None,
) -> list[Source]:
    """Files and folders, and then texts themselves; one path, or one text, may stand for a list of one.

    records  where the texts in the files are
    markers  how `<s>`, `</s>` and `<unk>` are read in all of them
    strip    html or srt: take the text out of them
    """
    if markers not in READINGS:
        raise OptionError(f"markers {markers!r}: unknown", f"one of {', '.join(READINGS)}")
    if strip is not None and strip not in STRIPPED:
        raise OptionError(f"strip {strip!r}: unknown", f"one of {', '.join(STRIPPED)}")
    if not expansion >= 0:
        raise OptionError(f"max_expansion {expansion}: must be 0 or more", "0 sets no limit")
    named = find_sources([os.fspath(p) for p in listed(paths)], expansion, records)
    every = [Source(f"text {i}", data=t.encode("utf-8", "surrogatepass")) for i, t in enumerate(listed(texts))]
    if markers == "text" and strip is None:
        return named + every
    return [replace(source, markers=markers, strip=strip) for source in named + every]


def listed(given: str | os.PathLike[str] | Iterable[Any]) -> list[Any]:
    """One thing as a list of one; several as a list.

    >>> listed("a.txt"), listed(["a.txt", "b.txt"])
    (['a.txt'], ['a.txt', 'b.txt'])
    """
    return [given] if isinstance(given, (str, os.PathLike)) else list(given)


def read_small(name: str, most: int = 1 << 26) -> bytes:
    """All bytes of a short file, `-` for standard input; TextError for one of more than `most` bytes."""
    if name == "-":
        data = sys.stdin.buffer.read(most + 1)
    else:
        with open(name, "rb") as file:
            data = file.read(most + 1)
    if len(data) > most:
        raise TextError(f"{name}: more than {most:,} bytes", "name a shorter file")
    return data


def _walk(folder: Path) -> Iterator[str]:
    def refuse(error: OSError) -> None:  # os.walk would leave it out without a word
        raise TextError(f"{error.filename}: {error.strerror}", "make it readable, or name the files to read")

    for here, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        begin = os.path.join(str(Path(here)), "") if str(Path(here)) != os.curdir else ""
        for name in sorted(files):
            if not name.startswith("."):
                yield begin + name


def _nearby(path: Path) -> str:
    import difflib

    try:
        names = os.listdir(path.parent)
    except OSError:
        return f"there is no folder {path.parent} either"
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / close[0]}?" if close else "check the name"


def opened(source: Source) -> BinaryIO:
    """The file of a source; TextError for a device, which has no end."""
    if source.data is not None:
        return io.BufferedReader(io.BytesIO(source.data))
    if is_url(source.path):
        return _part(open_url(source.path), source)
    path = source.kept or source.path
    if not source.is_stdin and not source.explicit and not stat.S_ISREG(os.stat(path).st_mode):
        raise NotText(
            f"{path}: neither file nor folder", "name it by itself to read it", "no file"
        )  # a pipe may wait for ever
    file = sys.stdin.buffer if source.is_stdin else open(path, "rb")  # noqa: SIM115
    try:
        mode, null = os.fstat(file.fileno()).st_mode, os.stat(os.devnull)
        endless = stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not file.isatty())
        if endless and not os.path.samestat(os.fstat(file.fileno()), null):
            raise TextError(f"{source.name}: a device, which has no end", "take a part of it: head -c 10M FILE | ...")
    except io.UnsupportedOperation:
        return file  # standard input that is no file
    except TextError:
        if not source.is_stdin:
            file.close()
        raise
    return _part(file, source)


def read_behind(source: Source, n: int = 8) -> bytes:
    """The first bytes behind a part of a file."""
    assert source.part is not None
    with opened(replace(source, part=None)) as file:
        file.seek(next_cut(file, source.part[1], source.markers != "text"))
        return file.read(n)


def _part(file: BinaryIO, source: Source) -> BinaryIO:
    return (
        file
        if source.part is None
        else io.BufferedReader(PartOfFile(file, *source.part, source.markers != "text"), 1 << 16)
    )
