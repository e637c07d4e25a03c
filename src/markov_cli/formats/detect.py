"""Recognises the format of another program's model file by its beginning."""

from __future__ import annotations

import re

from ..errors import ModelFileError, OptionError
from ..text.file_kinds import refuse_signature
from ..text.reading import Source, find_sources, open_bytes

FORMATS = ("arpa", "counts", "markovify")
_JSON = (b"{", b"[")
_DATA = re.compile(rb"^[ \t]*\\data\\[ \t\r]*$", re.MULTILINE | re.IGNORECASE)
_PROSE_BYTES = 1 << 16  # some programs write a page of prose before the line \data\
# KenLM lm/binary_format.cc; SRILM lm/src/NgramLM.cc
_BINARIES = {b"mmap lm http://kheafield.com/code": "KenLM", b"SRILM_BINARY_NGRAM_": "SRILM"}


def format_of(file: str) -> str:
    """`arpa`, `markovify` or else `counts`; TextError for a missing file, ModelFileError for a binary model.

    ARPA has a line `\\data\\`, also after prose; a line of counts ends in a tab and a number.
    """
    if file == "-":
        raise OptionError("-: no format is given", f"--format with one of {', '.join(FORMATS)}")
    find_sources([file])
    stream = open_bytes(Source(file))
    try:
        head = stream.read(_PROSE_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    finally:
        stream.close()
    for mark, program in _BINARIES.items():
        if head.startswith(mark):
            raise ModelFileError(
                f"{file}: a binary model of {program}, which only {program} can read",
                "import the ARPA file that it was made from",
            )
    refuse_signature(head, file)
    line = head.split(b"\n")[0].split(b"\t")  # such a line can begin with any of the marks below
    if len(line) > 1 and line[-1].strip().isdigit():
        return "counts"
    if _DATA.search(head):
        return "arpa"
    return "markovify" if head.startswith(_JSON) else "counts"
