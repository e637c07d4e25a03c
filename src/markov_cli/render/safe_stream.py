"""A terminal that shows control characters and never obeys them.

Text from a corpus or a model may hold escape sequences: they set titles, clear the screen, or type
for the user. In a pipe or file bytes stay as they are; on a terminal they are written out.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable
from typing import IO, Any

from .safe_text import visible


class _Bytes(io.RawIOBase):
    """The binary side: UTF-8 in pieces, and what is none of it as `\\xff`."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, data: Any) -> int:
        """Write bytes as text."""
        data = bytes(data)
        self._shown.write(self._decoder.decode(data))
        return len(data)

    def writable(self) -> bool:
        """True."""
        return True

    def flush(self) -> None:
        """Send held bytes."""
        self._shown.raw.flush()


class Shown:
    """A text stream to a terminal that shows control characters; `raw` is the stream itself."""

    def __init__(self, raw: IO[str]) -> None:
        self.raw = raw
        self.buffer = _Bytes(self)

    def write(self, text: str) -> int:
        """Write text, newline and tab as they are, all else that is no character written out."""
        self.raw.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several strings."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


def guard(stream: Any) -> Any:
    """The stream, or where it is a terminal one that only shows; names that are no UTF-8 can be written to both."""
    if stream is None or isinstance(stream, Shown):
        return stream
    if getattr(stream, "errors", "") in ("strict", "surrogateescape") and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")  # in JSON that is an escape, too
    return Shown(stream) if stream.isatty() else stream


def unguarded(stream: Any) -> Any:
    """The stream itself, for what is drawn here and of which no part is obeyed."""
    return stream.raw if isinstance(stream, Shown) else stream
