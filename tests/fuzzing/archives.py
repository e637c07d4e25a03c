"""Writes zip archives of `.npy` members by hand, so that any field can lie."""

import json
import struct
import zlib
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Entry:
    """One member: what its two headers say and what is there."""

    name: bytes
    data: bytes  # as it lies in the file
    size: int  # when unpacked
    crc: int
    method: int = 0
    flags: int = 0
    zip64: bool = False
    extra: bytes = b""
    central: dict = field(default_factory=dict)  # fields that the directory says otherwise
    local: dict = field(default_factory=dict)
    at: int | None = None  # where the directory says it lies
    twice: bool = False  # listed twice

    @classmethod
    def of(cls, name, data):
        return cls(name.encode(), data, len(data), zlib.crc32(data))


def npy(a, head=None, version=b"\x01\x00", size=None):
    """An array as `.npy`, its header as given."""
    text = head
    if text is None:
        text = f"{{'descr': '{a.dtype.str}', 'fortran_order': False, 'shape': {a.shape!r}, }}"
    text = text.encode("latin-1", "replace") + b"\n"
    n = len(text) if size is None else size
    size = struct.pack("<H", n % (1 << 16)) if version[0] == 1 else struct.pack("<I", n)
    return b"\x93NUMPY" + version + size + text + a.tobytes()


def entries_of(base):
    """The members of a base as NumPy would write them."""
    rest = {**base.head, "arrays": {n: [a.dtype.str, list(a.shape)] for n, a in base.arrays.items()}}
    head = np.frombuffer(json.dumps(rest).encode(), np.uint8)
    return [Entry.of(f"{n}.npy", npy(a)) for n, a in {"header": head, **base.arrays}.items()]


def archive(entries, comment=b"", end=None, before=b"", gap=b"", zip64_end=None):
    """The file; `end` and `zip64_end` hold fields of the end records that lie."""
    out, directory = bytearray(before), []
    for e in entries:
        start = len(out)
        out += _local(e)
        directory += [_central(e, start)] * (2 if e.twice else 1)
    out += gap
    start = len(out)
    out += b"".join(directory)
    f = {"disk": 0, "first": 0, "here": len(directory), "all": len(directory), "size": len(out) - start, "at": start}
    f.update(end or {})
    if zip64_end is not None:
        out += _end64({**f, **zip64_end}, len(out))
        f.update(here=0xFFFF, all=0xFFFF, size=0xFFFFFFFF, at=0xFFFFFFFF)
    short = [f[k] & 0xFFFF for k in ("disk", "first", "here", "all")]
    return bytes(
        out
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", *short, f["size"] & 0xFFFFFFFF, f["at"] & 0xFFFFFFFF, len(comment))
        + comment
    )


def _said(e, lies):
    return {
        "name": e.name,
        "size": e.size,
        "packed": len(e.data),
        "crc": e.crc,
        "method": e.method,
        "flags": e.flags,
        "extra": e.extra,
        "comment": b"",
        **lies,
    }


def _local(e):
    """A member's own header and its data."""
    s = _said(e, e.local)
    numbers = (s[k] & 0xFFFFFFFF for k in ("crc", "packed", "size"))
    lengths = len(s["name"]), len(s["extra"])
    fixed = struct.pack("<HHHHHIIIHH", 45, s["flags"], s["method"], 0, 33, *numbers, *lengths)
    return b"PK\x03\x04" + fixed + s["name"] + s["extra"] + e.data


def _central(e, start):
    """A member's entry in the directory."""
    s = _said(e, e.central)
    at = start if e.at is None else e.at
    extra, size, packed, where = s["extra"], s["size"], s["packed"], at
    if e.zip64 or max(size, packed, at) >= 1 << 32 or min(size, packed, at) < 0:
        extra = struct.pack("<HHQQQ", 1, 24, size % 2**64, packed % 2**64, at % 2**64) + extra
        size = packed = where = 0xFFFFFFFF
    numbers = s["crc"] & 0xFFFFFFFF, packed, size, len(s["name"]), len(extra), len(s["comment"])
    fixed = struct.pack("<HHHHHHIIIHHHHHII", 45, 45, s["flags"], s["method"], 0, 33, *numbers, 0, 0, 0, where)
    return b"PK\x01\x02" + fixed + s["name"] + extra + s["comment"]


def _end64(z, at):
    """The two records of a directory with 64-bit numbers."""
    numbers = (z[k] % 2**64 for k in ("here", "all", "size", "at"))
    end = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, *numbers)
    return end + b"PK\x06\x07" + struct.pack("<IQI", 0, z.get("record", at) % 2**64, 1)
