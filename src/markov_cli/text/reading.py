"""Reads text as UTF-8 from files, folders and standard input, compressed or not.

A `Source` is one text. `blocks` yields it in pieces that end at a safe place, so
that a piece can be tokenized without knowing its neighbours.
"""

from __future__ import annotations

import bz2
import codecs
import errno
import gzip
import lzma
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from ..errors import NotText, OptionError, TextError
from .byte_ranges import MARK
from .file_kinds import SNIFF_BYTES, around_invalid, refuse_binary, refuse_signature
from .sources import Source, find_sources, opened, read_behind
from .strip import Stripped, encoding_of_page
from .text_blocks import Block, padded

__all__ = [
    "BLOCK_BYTES",
    "LARGEST_BLOCK",
    "Block",
    "Repairs",
    "Source",
    "blocks",
    "can_be_parted",
    "check_encoding",
    "find_sources",
    "open_bytes",
    "open_foreign",
    "open_text",
]

BLOCK_BYTES = 1 << 20  # small enough for the second-level cache with its temporaries
LARGEST_BLOCK, _SHARE = 5 << 19, 8  # a block is at most this share of what was read before
_BOMB_BYTES = 1 << 30  # up to this size nobody asks
LONGEST_BLOCK = 1 << 30  # bytes without white space to cut at; they take many times as much memory
_MAGIC = {
    b"\x1f\x8b": "gzip",
    **{b"BZh%d1AY&SY" % level: "bzip2" for level in range(1, 10)},
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_MARKS = [  # the longer first: UTF-32 begins like UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_MARKERS = re.compile(rb"</?s>|<unk>", re.IGNORECASE)
_HEADS, _HEAD_BYTES = 8, 1 << 14  # of files that are kept to say what the text looks like
_LOOK_AHEAD = 8  # bytes of the next block
SPECIAL_HEADS = (*_MAGIC, *(mark for mark, _ in _MARKS))  # of files that are not read as they are
_WHITE = np.zeros(256, bool)  # what separates tokens for every tokenizer: places to cut at
_WHITE[[0, 9, 10, 13, 32]] = True


@dataclass
class Repairs:
    """The bytes that were replaced or left out while reading; every command reports them."""

    invalid: int = 0  # byte sequences that were not UTF-8, each now U+FFFD
    invalid_types: int = 0  # types that are not UTF-8, kept as they are by tokenizers that keep bytes
    invalid_text: str = ""  # some of the text around those bytes, which are surrogates in it
    crlf: int = 0  # line ends CR LF read as LF, where it makes a difference
    byte_order_marks: int = 0
    empty_sequences: int = 0
    unmatched: int = 0  # characters that --pattern left out
    transcoded: list[str] = field(default_factory=list)  # `name (utf-16)`
    declared: list[str] = field(default_factory=list)  # `name (cp1252)` of pages that name their encoding
    skipped: list[str] = field(default_factory=list)  # files of a folder that are not text
    kinds: list[str] = field(default_factory=list)  # what each of them is
    bad_records: dict[str, int] = field(default_factory=dict)  # number of records left out, by reason
    first_bad: str = ""  # `name: line 7`
    found_by: dict[str, int] = field(default_factory=dict)  # number of records with each FIELD=VALUE that was asked for
    heads: list[str] = field(default_factory=list)  # the first bytes, as characters, of the first files: what are they?

    def add(self, other: Repairs) -> None:
        """Add what an encoder, or another reading, counted; empty sequences are counted for the whole."""
        self.invalid += other.invalid
        self.invalid_types += other.invalid_types
        self.invalid_text = self.invalid_text or other.invalid_text
        self.crlf += other.crlf
        self.byte_order_marks += other.byte_order_marks
        self.unmatched += other.unmatched
        self.transcoded += other.transcoded
        self.declared += other.declared
        self.skipped += other.skipped
        self.kinds += other.kinds
        for reason, n in other.bad_records.items():
            self.bad_records[reason] = self.bad_records.get(reason, 0) + n
        self.first_bad = self.first_bad or other.first_bad
        for value, n in other.found_by.items():
            self.found_by[value] = self.found_by.get(value, 0) + n
        self.heads = (self.heads + other.heads)[:_HEADS]

    def see(self, head: bytes, source: Source) -> None:
        """Keep the first bytes of a source, if it is one of the first; without the markers that are read as such."""
        if head and len(self.heads) < _HEADS:
            head = head[:_HEAD_BYTES]
            self.heads.append((head if source.markers == "text" else _MARKERS.sub(b"", head)).decode("latin-1"))

    def see_invalid(self, data: bytes) -> None:
        """Keep some text around the first invalid bytes, from which an encoding may be guessed."""
        if not self.invalid_text:
            self.invalid_text = around_invalid(data).decode("utf-8", "surrogateescape")

    def leave_out_record(self, place: str, reason: str) -> None:
        """Count a record that has no text to read."""
        self.bad_records[reason] = self.bad_records.get(reason, 0) + 1
        self.first_bad = self.first_bad or place

    def leave_out(self, source: Source, error: NotText) -> None:
        """Note a file of a folder that is no text; a file that the user named is the error."""
        if source.explicit:
            raise error
        self.skipped.append(source.name)
        self.kinds.append(error.kind)


def _decompressed(raw: BinaryIO, name: str) -> Any:
    if hasattr(raw, "peek"):
        head = raw.peek(10)[:10]
    elif raw.seekable():  # a file at an address
        head = raw.read(10)
        raw.seek(0)
    else:
        head = b""
    kind = next((k for magic, k in _MAGIC.items() if head.startswith(magic)), None)
    if kind == "gzip":
        return gzip.GzipFile(fileobj=raw)
    if kind == "bzip2":
        return bz2.BZ2File(raw)
    if kind == "xz":
        return lzma.LZMAFile(raw)
    if kind == "zstd":
        try:
            if sys.version_info >= (3, 14):
                from compression.zstd import ZstdFile
            else:
                from backports.zstd import ZstdFile  # type: ignore[import-not-found]
        except ImportError:
            raise TextError(
                f"{name}: zstandard-compressed, and this Python {sys.version_info.major}."
                f"{sys.version_info.minor} cannot read that",
                "pip install backports.zstd, or: zstd -dc FILE | markov train - ...",
            ) from None
        return ZstdFile(raw)
    return raw


_READ_ERRORS = (OSError, EOFError, lzma.LZMAError, zlib.error, ValueError)


class _Stream:
    """Bytes of one source as UTF-8 (or untouched), decompressed, its marks removed."""

    def __init__(
        self, source: Source, encoding: str, keep_bytes: bool, repairs: Repairs, see_marks: bool | None = None
    ) -> None:
        """Open a source; byte-order marks are heeded unless bytes are kept, or as `see_marks` says."""
        self.source, self.repairs = source, repairs
        self._see_marks = see_marks if see_marks is not None else not keep_bytes or encoding != "utf-8"
        if source.data is not None:
            encoding = "utf-8"
        try:
            self._raw: BinaryIO = opened(source)
            self._file = self._raw if source.part is not None else _decompressed(self._raw, source.name)
        except OSError as error:
            gone = error.errno in (errno.ENOENT, errno.ELOOP)  # a link to nothing, or a file that was there
            said = f"{source.name}: {error.strerror or error}"
            raise (NotText(said, "check the file", "no file") if gone else TextError(said, "check the file")) from None
        self._decoder: codecs.IncrementalDecoder | None = None
        self._first = source.part is None or source.part[0] == 0
        self._encoding, self._keep_bytes = encoding, keep_bytes
        self._unchecked = self._first and not keep_bytes and source.data is None  # a text by itself is given as text
        self.done_on_disk = self._unpacked = 0

    def close(self) -> None:
        if self._file is not self._raw:
            self._file.close()
        if not self.source.is_stdin:
            self._raw.close()

    def read(self, n: int) -> bytes:
        """The next bytes of UTF-8, b'' at the end."""
        while True:
            try:
                data = self._file.read(n)
                if not self.source.is_stdin and self._raw.seekable():  # a pipe that was named is not
                    self.done_on_disk = self._raw.tell()
                if self._file is not self._raw:
                    self._check_expansion(len(data))
            except _READ_ERRORS as error:
                said = getattr(error, "strerror", None) or error
                raise TextError(f"{self.source.name}: {said}", "check the file") from None
            if self._first:
                self._first = False
                data = self._begin(data)
            if self._decoder is not None:
                try:
                    text = self._decoder.decode(data, final=not data)
                except UnicodeError as error:  # though told to replace: UTF-16 needs its mark
                    hint = "--encoding utf-16-le, or utf-16-be"
                    raise NotText(f"{self.source.name}: {error}", hint, f"not {self._encoding}") from None
                self.repairs.invalid += text.count("�")
                if data and not text:
                    continue
                data = text.encode("utf-8", "replace")
            if self._unchecked:
                self._unchecked = False
                refuse_binary(data[:SNIFF_BYTES], self.source.name, self._encoding)
                if not self.source.records and self.source.strip is None:
                    self.repairs.see(data[:SNIFF_BYTES], self.source)
            return data

    def _check_expansion(self, more: int) -> None:
        """Refuse what unpacks out of proportion: a file of some kB can become any number of TB."""
        self._unpacked += more
        most, packed = self.source.expansion, self._raw.tell() if self._raw.seekable() else 0
        if self._unpacked > _BOMB_BYTES and most and packed and self._unpacked > most * packed:
            raise TextError(
                f"{self.source.name}: {packed:,} compressed bytes became over {self._unpacked:,}: no text does that",
                f"if you know it, --max-expansion 0, or a number above {most:g}",
            )

    def _begin(self, data: bytes) -> bytes:
        if self._unchecked:
            refuse_signature(data[:SNIFF_BYTES], self.source.name)
        encoding = self._encoding
        if self._see_marks:
            for mark, named in _MARKS:
                if data.startswith(mark):
                    self.repairs.byte_order_marks += 1
                    encoding = named
                    if named == "utf-8":
                        data = data[len(mark) :]
                    break
        if self.source.strip == "html" and encoding == "utf-8" and self.source.records is None:
            declared = encoding_of_page(data) if self.source.data is None else None
            if declared is not None:
                self.repairs.declared.append(f"{self.source.name} ({declared})")
                self._encoding = encoding = declared
        if encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
            if encoding != self._encoding:
                self.repairs.transcoded.append(f"{self.source.name} ({encoding})")
                self._encoding = encoding
        return data


def can_be_parted(source: Source, encoding: str, tokenizer: str) -> bool:
    """Ranges of its bytes can be read by themselves: plain UTF-8 on a file that seeks, and no `regex`.

    Only the first part of a file is looked at for being text, so a binary file is not divided.
    """
    if source.data is not None or source.is_stdin or source.records or encoding != "utf-8" or tokenizer == "regex":
        return False
    if source.strip is not None:
        return False
    try:
        with opened(source) as file:
            head = file.read(SNIFF_BYTES)
            seeks = file.seekable()
        if tokenizer != "bytes":
            refuse_signature(head, source.name)
            refuse_binary(head, source.name)
    except (OSError, NotText):
        return False
    marks = [mark for mark, named in _MARKS if named != "utf-8"]
    return seeks and not head.startswith((*_MAGIC, *marks))


def open_stream(source: Source, encoding: str, keep_bytes: bool, repairs: Repairs) -> _Stream | Stripped:
    """The bytes of a text as `blocks` reads them."""
    stream = _Stream(source, encoding, keep_bytes, repairs)
    return stream if source.strip is None or source.records is not None else Stripped(stream, source.strip)


def open_text(source: Source, encoding: str, repairs: Repairs) -> _Stream | Stripped:
    """The bytes of a text as UTF-8, for a reader that finds its lines itself; not all need be valid."""
    return open_stream(source, encoding, False, repairs)


def open_bytes(source: Source) -> _Stream:
    """The bytes of a file that is no text of words: decompressed, and otherwise untouched."""
    return _Stream(source, "utf-8", True, Repairs())


def open_foreign(source: Source, encoding: str, repairs: Repairs) -> _Stream:
    """The bytes of another program's file as UTF-8: byte-order marks are heeded, other bytes in UTF-8 untouched."""
    return _Stream(source, encoding, True, repairs, see_marks=True)


def check_encoding(encoding: str) -> str:
    """The codec's own name for `encoding`; OptionError where Python has none."""
    try:
        name = codecs.lookup(encoding).name
        "".encode(encoding)
    except (LookupError, ValueError, TypeError):
        raise OptionError(
            f"--encoding {encoding}: unknown encoding", "for example utf-8, latin-1, cp1252, utf-16"
        ) from None
    return name


def blocks(
    source: Source,
    *,
    encoding: str = "utf-8",
    keep_bytes: bool = False,
    block_bytes: int = BLOCK_BYTES,
    longest: int = LONGEST_BLOCK,
    repairs: Repairs,
    which: int = 0,
) -> Iterator[Block]:
    """The text of `source` in blocks of about `block_bytes`; the first are smaller, so that threads share a short one.

    which  number of the source, for `Block.which`

    A block ends where white space is followed by something else, so no token, no run of
    white space and no decision about the end of a sentence is divided; where markers are read,
    no block but the first begins with `<`. A text without white space is one block.
    """
    stream = open_stream(source, encoding, keep_bytes, repairs)
    try:
        pending: list[bytes] = []
        first = source.part is None or source.part[0] == 0
        before = taken = 0
        want, marked = min(block_bytes, BLOCK_BYTES), source.markers != "text"
        while True:
            piece = stream.read(want)
            if not piece:
                break
            pending.append(piece)
            cut = _safe_cut(piece, marked)
            if cut is None and len(pending) > 1 and _WHITE[pending[-2][-1]]:
                cut = 0 if _starts_solid(piece, marked) else None
            if cut is None:
                want = min(want * 2, 1 << 26)  # keeps a long line without a space linear
                if sum(map(len, pending)) > longest:
                    raise TextError(
                        f"{source.name}: no white space in {longest:,} bytes, and a text is divided there",
                        "break it into lines; or a higher --memory",
                    )
                continue
            taken += sum(map(len, pending))
            want = min(block_bytes, max(taken // _SHARE, BLOCK_BYTES))
            pending[-1] = piece[:cut]
            after = piece[cut : cut + _LOOK_AHEAD]
            yield _block(pending, False, first, stream.done_on_disk - before, which, after)
            before = stream.done_on_disk
            pending, first = [piece[cut:]], False
        after = b"" if source.part is None else read_behind(source)
        if pending or first:  # an empty part was the white space at the end of the one before it
            yield _block(pending, not after, first, stream.done_on_disk - before, which, after)
    finally:
        stream.close()


def _block(pieces: list[bytes], last: bool, first: bool, progress: int, which: int, after: bytes) -> Block:
    data = padded(b"".join(pieces))
    return Block(data, len(data) - 8, last, first, progress, (which,), after=after)


def _starts_solid(piece: bytes, marked: bool) -> bool:
    """The piece begins with a character that is not white space (and is whole), and with no marker where `marked`."""
    if piece[0] < 0x80:
        return not (_WHITE[piece[0]] or chr(piece[0]).isspace() or (marked and piece[0] == MARK))
    head = piece[:4].decode("utf-8", "ignore")
    return bool(head) and not head[0].isspace()


def _safe_cut(piece: bytes, marked: bool) -> int | None:
    """The last place in `piece` where solid text follows ASCII white space; None if none."""
    end = len(piece)
    width = 1 << 12
    while end > 1:
        begin = max(0, end - width)
        white = _WHITE[np.frombuffer(piece, np.uint8, end - begin, begin)]
        places = np.flatnonzero(white[:-1] & ~white[1:]) + begin + 1
        for cut in places[::-1].tolist():
            if _starts_solid(piece[cut : cut + 4], marked):
                return int(cut)
        if begin == 0:
            return None
        end, width = begin + 1, width * 4
    return None
