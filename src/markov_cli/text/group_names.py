"""Names of files for the values of a field, and the values back.

Letters and digits of any script, space and `-_.,+@` stay; other characters are written as `%` and the two digits of
each of their bytes, as in addresses. So different values have different names, and no name leaves its folder.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_KEPT = frozenset("-_.,+@ ")
_LONGEST = 180  # bytes of a name; file systems allow 255, and a temporary file needs some more
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.I)  # names that Windows keeps for devices


def file_name(value: str) -> str:
    """The name of a value's file, without an ending; a long one is cut and ends with `%-` and a hash.

    >>> file_name("Ann"), file_name("a/b: c?"), file_name(".."), file_name("")
    ('Ann', 'a%2Fb%3A c%3F', '%2E.', '%')
    """
    if not value:
        return "%"
    plain = unicodedata.is_normalized("NFC", value)  # some file systems change other forms
    out = []
    for i, c in enumerate(value):
        edge = (i == 0 and c in ".- ") or (i == len(value) - 1 and c in ". " and value.strip(".") != "")
        keep = (c.isalnum() and (plain or c.isascii())) or c in _KEPT
        out.append(c if keep and not edge else _escaped(c))
    if _RESERVED.match(value):
        out[0] = _escaped(value[0])
    name = "".join(out)
    if len(name.encode()) <= _LONGEST:
        return name
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    size, kept = 0, []
    for piece in out:
        size += len(piece.encode())
        if size > _LONGEST - 34:
            break
        kept.append(piece)
    return "".join(kept) + "%-" + digest


def _escaped(c: str) -> str:
    return "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogatepass"))


def value_of(name: str) -> str:
    """The value that a file is named after; the name itself where it was cut, or is of another kind.

    >>> value_of("a%2Fb%3A c%3F"), value_of("%")
    ('a/b: c?', '')
    """
    if name == "%":
        return ""
    raw = re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), name.encode("utf-8", "surrogateescape"))
    value = raw.decode("utf-8", "replace")
    return value if file_name(value) == name else name
