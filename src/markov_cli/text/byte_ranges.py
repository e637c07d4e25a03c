"""Reads byte ranges of large files, also of files on other machines.

A part of a file begins and ends where white space is followed by something else, so that it can be
tokenized without knowing the rest: [begin, end) are bytes, and both are moved on to the next such place. So parts
that touch give the whole file, each byte once.
"""

from __future__ import annotations

import io
import os
import re
from typing import Any, BinaryIO

import numpy as np

from ..errors import TextError

_WHITE = np.zeros(256, bool)
_WHITE[[0, 9, 10, 13, 32]] = True
_LOOK = 1 << 14
MARK = ord("<")  # with which `<s>`, `</s>` and `<unk>` begin
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")


def is_url(path: str) -> bool:
    """`s3://bucket/text.txt` and the like, which fsspec opens."""
    return _URL.match(path) is not None


def _fsspec(url: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise TextError(
            f"{url}: an address needs the package fsspec; without it, only files on this machine can be read",
            "pip install fsspec",
        ) from None
    return fsspec


def open_url(url: str) -> BinaryIO:
    """The file at an address; TextError where it cannot be opened."""
    try:
        return _fsspec(url).open(url, "rb").open()
    except TextError:
        raise
    except Exception as error:  # whatever a file system of someone else's raises
        raise TextError(f"{url}: {str(error) or type(error).__name__}", "check the address") from None


def url_size(url: str) -> int:
    """Its bytes, 0 where that is not known."""
    try:
        fs, path = _fsspec(url).core.url_to_fs(url)
        return int(fs.size(path) or 0)
    except Exception:
        return 0


def find_urls(url: str) -> list[str]:
    """The file at an address, or all files below it, in sorted order."""
    try:
        fs, path = _fsspec(url).core.url_to_fs(url)
        if not fs.isdir(path):
            return [url]
        return [fs.unstrip_protocol(p) for p in sorted(fs.find(path)) if "/." not in p]
    except TextError:
        raise
    except Exception as error:  # whatever a file system of someone else's raises
        raise TextError(f"{url}: {str(error) or type(error).__name__}", "check the address") from None


class PartOfFile(io.RawIOBase):
    """Bytes begin..end-1 of a file that seeks, both moved on to the next place where it may be cut."""

    def __init__(self, file: BinaryIO, begin: int, end: int, marked: bool = False) -> None:
        self._file = file
        self._begin = self._at = next_cut(file, begin, marked)
        self._end = next_cut(file, end, marked)
        file.seek(self._at)

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def tell(self) -> int:
        """Bytes of the part that were read."""
        return self._at - self._begin

    def readinto(self, buffer: Any) -> int:
        """Some bytes, 0 of them at the part's end."""
        data = self._file.read(max(min(len(buffer), self._end - self._at), 0))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """The file, too."""
        if not self.closed:
            self._file.close()
        super().close()


def next_cut(file: BinaryIO, at: int, marked: bool = False) -> int:
    """The first place from `at` on where solid ASCII text follows white space; the end of the file where there is none.

    marked  it does not begin with `<`, which may open a marker

    Only what begins with an ASCII character counts, so that no white space of another script is divided.
    """
    if at <= 0:
        return 0
    at -= 1
    look = _LOOK
    while True:
        file.seek(at)
        data = np.frombuffer(file.read(look), np.uint8)
        if len(data) < 2:
            return at + len(data)
        solid = ~_WHITE[data[1:]] & (data[1:] > 32) & (data[1:] < 127)
        if marked:
            solid &= data[1:] != MARK
        found = np.flatnonzero(_WHITE[data[:-1]] & solid)
        if len(found):
            return at + 1 + int(found[0])
        at += len(data) - 1
        look = min(look * 2, 1 << 24)


def file_size(path: str) -> int:
    """Bytes of a file or of what is at an address."""
    return url_size(path) if is_url(path) else os.stat(path).st_size
