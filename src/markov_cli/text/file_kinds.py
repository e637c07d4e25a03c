"""Tells text from binary files by their first bytes: signatures, control characters, invalid UTF-8.

Shares of the first 64 KiB, measured on the Universal Declaration in 38 languages and on some 10,000 files of a Linux
system: no text has control characters, but for a stray one. Compressed data has 8 % of them. In UTF-8, Latin scripts
in Windows-1252, 1250 and the like have up to 9 % of invalid sequences, Vietnamese 14 %, other scripts and EBCDIC 39 %
and more.
"""

from __future__ import annotations

from ..errors import NotText
from .old_encodings import cp1252_note

SNIFF_BYTES = 1 << 16
MODEL_FORMAT = "markov-ngram-table"  # in the header of every model, among its first bytes
_HEADER_BYTES = 1 << 12
_FEW = 16  # fewer odd bytes than this do not make a file binary, however short it is
_MOST_CONTROL = 0.03
_MOST_CONTROL_NUL = 0.05
_MOST_ODD = 0.10
_ALLOWED = b"\0\b\t\n\v\f\r\x1b\x1c\x1d\x1e\x1f"  # white space, separators, overstriking, colours
_CONTROL = bytes(c for c in (*range(32), 127) if c not in _ALLOWED)

_ARCHIVE = "unpack it, and name the text in it"
_CONVERT = "save it as plain text first"
_ANY = "name text files; train --tokenizer bytes reads any bytes"
_MODEL = "name text; models are joined with: markov merge"
_SIGNATURES: dict[bytes, tuple[str, str]] = {
    b"%PDF-": ("a PDF", _CONVERT),
    b"\x89PNG\r\n\x1a\n": ("a PNG image", _ANY),
    b"\xff\xd8\xff": ("a JPEG image", _ANY),
    b"GIF87a": ("a GIF image", _ANY),
    b"GIF89a": ("a GIF image", _ANY),
    b"II*\0": ("a TIFF image", _ANY),
    b"MM\0*": ("a TIFF image", _ANY),
    b"\x7fELF": ("an ELF program", _ANY),
    b"\0asm": ("a WebAssembly program", _ANY),
    b"\xca\xfe\xba\xbe": ("a Java class", _ANY),
    b"SQLite format 3\0": ("an SQLite database", "export its text first"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("a Microsoft Office document", _CONVERT),
    b"PK\x05\x06": ("an empty zip archive", _ARCHIVE),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", _ARCHIVE),
    b"Rar!\x1a\x07": ("a RAR archive", _ARCHIVE),
    b"!<arch>\n": ("an ar archive", _ARCHIVE),
    b"\x93NUMPY": ("a NumPy array", _ANY),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file", _ANY),
    b"PAR1\x15": ("a Parquet file", "name its column of texts: --parquet COLUMN"),
    b"OggS\0": ("an Ogg file", _ANY),
    b"fLaC\0": ("a FLAC file", _ANY),
}
_FIRSTS = frozenset(s[0] for s in _SIGNATURES) | {ord("P"), ord("R")}  # one look settles it for nearly all texts
_ZIPS = [
    (b"[Content_Types].xml", "an Office document", _CONVERT),
    (b"mimetypeapplication/epub", "an EPUB book", _CONVERT),
    (b"mimetypeapplication/vnd.oasis", "an OpenDocument file", _CONVERT),
]


def is_model(head: bytes) -> bool:
    """True where a file begins as a model does, whatever its version and whatever is damaged behind that."""
    return head.startswith(b"PK\x03\x04") and f'"{MODEL_FORMAT}"'.encode() in head[:_HEADER_BYTES]


def signature(head: bytes) -> tuple[str, str] | None:
    """The kind of a file that names itself in its first bytes, and what to do with it; None for others.

    >>> signature(b"%PDF-1.7 ...")[0], signature(b"Once upon a time")
    ('a PDF', None)
    """
    if head and head[0] in _FIRSTS:
        if head.startswith(b"PK\x03\x04"):
            if is_model(head):
                return "a markov model", _MODEL
            found = ((kind, hint) for mark, kind, hint in _ZIPS if head.startswith(mark, 30))
            return next(found, ("a zip archive", _ARCHIVE))
        if head.startswith(b"RIFF") and head[8:12] in (b"WAVE", b"AVI ", b"WEBP"):
            return f"a {head[8:12].decode().strip()} file", _ANY
        for mark, found_kind in _SIGNATURES.items():
            if head.startswith(mark):
                return found_kind
    if head.startswith(b"ustar", 257):
        return "a tar archive", _ARCHIVE
    return None


def refuse_signature(head: bytes, name: str) -> None:
    """NotText where the first bytes of a file, decompressed and not yet decoded, are those of a binary format."""
    found = signature(head)
    if found is not None:
        kind, hint = found
        raise NotText(f"{name}: {kind}, not text", hint, kind.partition(" ")[2])


def refuse_binary(head: bytes, name: str, encoding: str = "utf-8") -> None:
    """NotText where too many of a text's first bytes are control characters or no characters at all.

    head      what should be UTF-8: the file's own bytes, or decoded from `encoding` with U+FFFD for what it has not
    """
    n = len(head)
    control = n - len(head.translate(None, _CONTROL))
    nul = head.count(0)
    invalid = 0
    if not head.isascii():
        replaced = head.count("�".encode())
        invalid = replaced if encoding != "utf-8" else head.decode("utf-8", "replace").count("�") - replaced
    unit = "bytes"
    if encoding.startswith(("utf-16", "utf-32")):  # nearly any two bytes are a character, if no assigned one
        text, unit = head.decode("utf-8", "replace"), "characters"
        n = len(text)
        invalid = n - _readable(text) - control - nul
    odd = control + nul + invalid
    if odd < _FEW or (nul == odd and _is_separated(head)):
        return
    binary = control > _MOST_CONTROL * n or (control and control + nul > _MOST_CONTROL_NUL * n)
    if not binary and odd <= _MOST_ODD * n:
        return
    if encoding == "utf-8" and (binary or nul > _MOST_CONTROL_NUL * n) and (wide := utf_16_without_mark(head)):
        kind = f"{wide.upper()} without a byte-order mark"
        raise NotText(f"{name}: {kind}, not UTF-8", f"--encoding {wide}", wide.upper())
    share = f"{odd / n:.0%} of its first {n:,} {unit}"
    if binary or nul > invalid:
        raise NotText(f"{name}: not text: {share} are control characters or invalid", _ANY, "binary data")
    hint = "--encoding NAME: for example windows-1251, koi8-r, shift_jis, gb18030"
    if encoding == "utf-8" and cp1252_note(head):
        hint = "--encoding cp1252 makes sense of them"
    shown = "UTF-8" if encoding == "utf-8" else encoding
    raise NotText(f"{name}: not {shown}: {share} are invalid", hint, f"not {shown}")


def around_invalid(data: bytes, n: int = 1 << 12) -> bytes:
    """Up to n bytes of a text from shortly before its first bytes that are not UTF-8; b"" where all are.

    >>> around_invalid("so war es früher".encode("latin-1"))
    b'so war es fr\xfcher'
    """
    try:
        data.decode()
    except UnicodeDecodeError as error:
        begin = max(error.start - 64, 0)
        return data[begin : begin + n]
    return b""


def encoding_hint(text: str) -> str:
    """Advice for text that is not UTF-8, its invalid bytes as surrogates: cp1252 where they make sense in that.

    >>> [encoding_hint(t.encode(e).decode("utf-8", "surrogateescape")) for t, e in
    ...     (("so war es früher", "cp1252"), ("так было раньше", "cp1251"))]  # doctest: +NORMALIZE_WHITESPACE
    ["--encoding cp1252 may be right: 1 of 1 bytes that are no UTF-8 make sense so, as in 'früher'",
     '--encoding NAME? For example windows-1251, koi8-r, shift_jis or gb18030']
    """
    meant = cp1252_note(text.encode("utf-8", "surrogateescape"))
    return meant or "--encoding NAME? For example windows-1251, koi8-r, shift_jis or gb18030"


def _is_separated(head: bytes) -> bool:
    """True where NULs stand between pieces of text, as `find -print0` writes them.

    In UTF-16 they keep to every other byte.

    >>> _is_separated(b"one\\0four\\0three\\0" * 9), _is_separated("one two".encode("utf-16-le"))
    (True, False)
    """
    nul = head.count(0)
    even = head[::2].count(0)
    return nul > 0 and b"\0\0" not in head and 10 * min(even, nul - even) >= nul


def in_another_encoding(kind: str) -> bool:
    """True for a `NotText.kind` of what may be text, though not in the encoding that was asked for."""
    return kind.startswith(("not ", "UTF-16"))


def utf_16_without_mark(head: bytes) -> str:
    """The byte order of UTF-16 without a mark, as an encoding's name; empty where it is none.

    >>> utf_16_without_mark("Ein Text, der lang genug ist.".encode("utf-16-le"))
    'utf-16-le'
    """
    best, found = 0.0, ""
    for encoding in ("utf-16-le", "utf-16-be"):
        text = head[: min(len(head), 1 << 13) & ~1].decode(encoding, "replace")
        readable = _readable(text)
        ascii_too = sum(map(str.isascii, text))  # Latin letters in the wrong order are ideographs
        if readable > 0.97 * len(text) and readable + ascii_too > best:
            best, found = readable + ascii_too, encoding
    return found


def _readable(text: str) -> int:
    """The number of characters that are assigned and not control characters."""
    return sum(map(str.isprintable, text)) + sum(map(str.isspace, text)) - text.count(" ") - text.count("�")
