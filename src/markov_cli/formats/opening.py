"""Opens a file of another program: decompressed, decoded, with its beginning to look at before it is read."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import TextError
from ..text.reading import Repairs, Source, check_encoding, open_foreign

LONGEST_LINE = 1 << 24
HEAD_BYTES = 1 << 16  # some programs write a page of prose before their data


class ForeignFile:
    """An open file, or standard input, that is read once.

    name     for messages
    head     its first bytes, which `read` gives again
    repairs  what was read otherwise: byte-order marks, other encodings, invalid bytes
    """

    def __init__(self, source: Source, encoding: str = "utf-8") -> None:
        """Open a source; TextError where that fails, OptionError for an unknown encoding."""
        self.source, self.name = source, source.name
        self.encoding = check_encoding(encoding)
        self.repairs = Repairs()
        self._stream = open_foreign(source, self.encoding, self.repairs)
        pieces: list[bytes] = []
        try:
            while sum(map(len, pieces)) < HEAD_BYTES and (piece := self._stream.read(HEAD_BYTES)):
                pieces.append(piece)
        except BaseException:
            self._stream.close()
            raise
        self._waiting = b"".join(pieces)
        self.head = self._waiting[:HEAD_BYTES]

    def read(self, n: int) -> bytes:
        """About n of the next bytes, b'' at the end."""
        if self._waiting:
            piece, self._waiting = self._waiting[:n], self._waiting[n:]
            return piece
        return self._stream.read(n)

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._waiting = b""
        self._stream.close()

    def __enter__(self) -> ForeignFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_file(source: Source | str, encoding: str = "utf-8") -> ForeignFile:
    """Open a path, `-` for standard input, or a source."""
    return ForeignFile(Source(source) if isinstance(source, str) else source, encoding)


def line_blocks(file: ForeignFile, block_bytes: int, longest: int | None = None) -> Iterator[tuple[bytes, int]]:
    """A file in blocks of whole lines, and the number of the first line of each; the last line may lack its newline.

    TextError for a line of more than `longest` bytes (LONGEST_LINE).
    """
    longest = longest or LONGEST_LINE
    rest, line = b"", 1
    while data := file.read(block_bytes):
        cut = data.rfind(b"\n") + 1
        if not cut:
            rest += data
            if len(rest) > longest:
                raise TextError(f"{file.name}, line {line:,}: more than {longest:,} bytes", "check the file")
            continue
        block = rest + data[:cut]
        rest = data[cut:]
        yield block, line
        line += block.count(b"\n")
    if rest:
        yield rest, line
