"""Takes the text out of files that are more than text (`--strip`): HTML, and subtitles."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import Protocol

from .html_text import HtmlText, html_text
from .subtitles import SubtitleText, subtitle_text

WHOLE: dict[str, Callable[[str], str]] = {"html": html_text, "srt": subtitle_text}
_META = re.compile(rb"""<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_LOOK = 1024  # bytes of a page in which its encoding is named, as the HTML standard has it
_AS_WINDOWS = ("ascii", "iso8859-1")  # what these names mean on the web
_READ_BYTES = 1 << 16


class Bytes(Protocol):
    """A reader of the bytes of a text in UTF-8."""

    done_on_disk: int

    def read(self, n: int) -> bytes:
        """The next bytes, b'' at the end."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Stripped:
    """The text of a stream in UTF-8 again; bytes that are no UTF-8 stay as they are."""

    def __init__(self, stream: Bytes, strip: str) -> None:
        self._stream = stream
        self._text = HtmlText() if strip == "html" else SubtitleText()
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._ended = False

    @property
    def done_on_disk(self) -> int:
        """Bytes of the file that were read."""
        return self._stream.done_on_disk

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def read(self, n: int) -> bytes:
        """Some bytes, about n or fewer; b'' at the end."""
        while not self._ended:
            data = self._stream.read(max(n, _READ_BYTES))
            self._ended = not data
            text = self._text.feed(self._decoder.decode(data, self._ended), self._ended)
            if text:
                return text.encode("utf-8", "surrogateescape")
        return b""


def encoding_of_page(head: bytes) -> str | None:
    """The encoding that a page names in `<meta>`, by Python's name; None where it names none, or UTF-8.

    >>> encoding_of_page(b'<head><meta charset="Latin-1">'), encoding_of_page(b"<meta charset=utf-8>")
    ('cp1252', None)
    """
    found = _META.search(head[:_LOOK])
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
        "".encode(name)
    except (LookupError, ValueError, TypeError):
        return None
    if name in _AS_WINDOWS:
        return "cp1252"
    return None if name.startswith(("utf", "unicode")) else name  # a page that can be read so far is no UTF-16
