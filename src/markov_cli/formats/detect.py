"""The format of another program's file, by how it begins."""

from __future__ import annotations

from ..errors import OptionError
from ..text.reading import Source, find_sources, open_bytes

FORMATS = ("arpa", "counts", "markovify")
_BEGINNINGS = {b"\\data\\": "arpa", b"{": "markovify", b"[": "markovify"}


def format_of(file: str) -> str:
    """`arpa`, `markovify` or else `counts`; TextError where there is no such file."""
    if file == "-":
        raise OptionError("-: no format is given", f"--format with one of {', '.join(FORMATS)}")
    find_sources([file])
    stream = open_bytes(Source(file))
    try:
        head = stream.read(1 << 12).removeprefix(b"\xef\xbb\xbf").lstrip()
    finally:
        stream.close()
    # a line of counts may begin with any of these; it ends in a tab and a number
    line = head.split(b"\n")[0].split(b"\t")
    if len(line) > 1 and line[-1].strip().isdigit():
        return "counts"
    return next((form for mark, form in _BEGINNINGS.items() if head.lower().startswith(mark)), "counts")
