"""Writes and reads the zip archive of a model: members stored, aligned and checked.

Members are not compressed and the data of each begins at a multiple of 64 bytes, padded in
the extra field of its local header, so that an array can be mapped where it lies.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from dataclasses import dataclass
from typing import IO

import numpy as np

from ..arrays.disk_array import Column
from ..errors import ModelFileError

RETRAIN = "retrain it: markov train TEXT -o MODEL"
_ALIGN = 64
_EXTRA_ID = 0xD935  # the extra field that zip tools already use for alignment
_DATE = (1980, 1, 1)
_LOCAL_HEADER = 30
_CRC_AT = 14  # in the local header
_WIDE = 0xFFFFFFFF  # says that the true number is among the 64-bit ones
MAX_HEADER_BYTES = 1 << 20
MAX_MEMBERS = 1 << 16  # more than a header of that size can name
_ARRAY_HEAD = 1 << 10
_LATER, _FLAGS = 8, 0x808  # sizes behind the data; and names in UTF-8
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_ENTRY = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR = struct.Struct("<4sIQI")
_DTYPES = {"|u1", "<u2", "<u4", "<u8", "<f4", "<f8"}


_COMMON = struct.pack("<HHHHH", 45, 0, 0, 0, (_DATE[0] - 1980) << 9 | _DATE[1] << 5 | _DATE[2])


class ZipWriter:
    """The few records of a zip archive of stored members, 64-bit throughout.

    `zipfile` cannot align data without knowing private details of it, and its output differs
    between Python versions; these records have been fixed since 2001 (PKWARE APPNOTE 4.3).
    """

    def __init__(self, f: IO[bytes]) -> None:
        self._f = f
        self._at = self._start = 0
        self._directory: list[bytes] = []

    def _put(self, data: bytes | memoryview) -> None:
        self._f.write(data)
        self._at += len(data)

    def add(self, name: str, a: np.ndarray, crc: int) -> None:
        """One array as member `name`.npy, with its `checksum`."""
        a = np.ascontiguousarray(a)
        npy = _npy_header(a.dtype, a.shape)
        self._begin(name, npy, a.nbytes, crc)
        if a.size:
            self._put_body(a)
        self._end(name, npy, a.nbytes, crc)

    def add_column(self, name: str, column: Column, dtype: np.dtype) -> None:
        """An array on disk; its checksum is put in its place when it is known, so the file must be one that seeks."""
        npy = _npy_header(dtype, (len(column),))
        size = len(column) * dtype.itemsize
        self._begin(name, npy, size, 0)
        crc = zlib.crc32(npy)
        for block in column.blocks():
            a = block.astype(dtype, copy=False)
            crc = zlib.crc32(a.view(np.uint8).data, crc)
            self._put_body(a)
        self._f.seek(self._start + _CRC_AT)
        self._f.write(struct.pack("<I", crc))
        self._f.seek(self._at)
        self._end(name, npy, size, crc)

    def _put_body(self, a: np.ndarray) -> None:
        body = memoryview(a.reshape(-1).view(np.uint8).data)
        for begin in range(0, len(body), 1 << 24):
            self._put(body[begin : begin + (1 << 24)])

    def _begin(self, name: str, npy: bytes, body_bytes: int, crc: int) -> None:
        """The records before an array's data."""
        size = len(npy) + body_bytes
        file_name = f"{name}.npy".encode()
        self._start = self._at
        zip64 = struct.pack("<HHQQ", 1, 16, size, size)
        fixed = _LOCAL_HEADER + len(file_name) + len(zip64) + 4
        pad = -(self._at + fixed + len(npy)) % _ALIGN
        extra = zip64 + struct.pack("<HH", _EXTRA_ID, pad) + bytes(pad)
        local = struct.pack("<III", crc, _WIDE, _WIDE) + struct.pack("<HH", len(file_name), len(extra))
        self._put(b"PK\x03\x04" + _COMMON + local + file_name + extra + npy)

    def _end(self, name: str, npy: bytes, body_bytes: int, crc: int) -> None:
        """The directory's entry for the array that was put last."""
        size = len(npy) + body_bytes
        file_name = f"{name}.npy".encode()
        entry = b"PK\x01\x02" + struct.pack("<BB", 45, 3) + _COMMON
        entry += struct.pack("<III", crc, _WIDE, _WIDE)
        full = struct.pack("<HHQQQ", 1, 24, size, size, self._start)
        entry += struct.pack("<HHHHHII", len(file_name), len(full), 0, 0, 0, 0o644 << 16, _WIDE)
        self._directory.append(entry + file_name + full)

    def close(self) -> int:
        """The directory, behind all members; returns the bytes of the whole."""
        start, n = self._at, len(self._directory)
        self._put(b"".join(self._directory))
        size = self._at - start
        end64 = self._at
        self._put(b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, n, n, size, start))
        self._put(b"PK\x06\x07" + struct.pack("<IQI", 0, end64, 1))
        self._put(b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, *(0xFFFFFFFF,) * 2, 0))
        return self._at


def checksum(a: np.ndarray) -> int:
    """CRC-32 of an array as `.npy`."""
    a = np.ascontiguousarray(a)
    return zlib.crc32(a.reshape(-1).view(np.uint8).data if a.size else b"", zlib.crc32(_npy_header(a.dtype, a.shape)))


def _npy_header(dtype: np.dtype, shape: tuple[int, ...]) -> bytes:
    """Format 1.0 of NumPy's `.npy`, padded to 64 bytes."""
    text = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': {shape!r}, }}"
    pad = -(10 + len(text) + 1) % _ALIGN
    body = text.encode("latin-1") + b" " * pad + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body)) + body


@dataclass
class Member:
    """One array of the file: where it lies, and what the directory says of it."""

    name: str
    begin: int  # of the .npy data, header included
    size: int
    crc: int


def read_directory(buffer: mmap.mmap | bytes, name: str, size: int) -> dict[str, Member]:
    """The members of the archive, in order, each within the file and none overlapping.

    Only what this program and NumPy write is taken: stored members, one disk, nothing before the first and
    nothing behind the end. So the file has one reading, whichever of its headers a zip reader believes.
    """
    start, end, n = _directory(buffer, name, size)
    data = buffer[start:end]
    entries: list[tuple[int, str, int, int, int]] = []
    names: set[str] = set()
    at = 0
    for _ in range(n):
        entry, at = _entry(data, at, name)
        if entry[1] in names:
            raise ModelFileError(f"{name}: member {entry[1]!r} is listed twice", RETRAIN)
        names.add(entry[1])
        entries.append(entry)
    if at != len(data):
        raise ModelFileError(f"{name}: the zip directory has another length than its end record says", RETRAIN)
    members: dict[str, Member] = {}
    edge = 0
    for offset, plain, length, crc, flags in sorted(entries):
        if offset < edge or (not edge and offset):
            raise ModelFileError(f"{name}: member {plain!r} is not where it should be", RETRAIN)
        begin = _local(buffer, offset, plain, length, crc, flags, name)
        edge = begin + length
        if edge > start:
            raise ModelFileError(f"{name}: cut short: member {plain!r} ends behind byte {start:,}", RETRAIN)
        members[plain] = Member(plain, begin, length, crc)
    return members


def _directory(buffer: mmap.mmap | bytes, name: str, size: int) -> tuple[int, int, int]:
    """Where the zip directory begins and ends, and its members; the end record must be the file's end."""
    wrong = ModelFileError(f"{name}: the end record of the zip archive is damaged", RETRAIN)
    end = size - _END.size
    last = buffer[max(end, 0) : size]
    if end < 0 or not last.startswith(b"PK\x05\x06"):
        if buffer[:4] == b"PK\x03\x04":
            raise ModelFileError(f"{name}: cut short: the zip directory at the end is missing", RETRAIN)
        raise ModelFileError(f"{name}: not a model: no zip archive", "name a model that markov train wrote")
    _, disk, first, here, every, length, start, comment = _END.unpack(last)
    if 0xFFFF in (here, every) or 0xFFFFFFFF in (length, start):
        if end < _LOCATOR.size + _END64.size:
            raise wrong
        sign, disk, at, disks = _LOCATOR.unpack(buffer[end - _LOCATOR.size : end])
        end -= _LOCATOR.size + _END64.size
        if sign != b"PK\x06\x07" or at != end or disks > 1:
            raise wrong
        sign, rest, _, _, first, disk_too, here, every, length, start = _END64.unpack(buffer[end : end + _END64.size])
        if sign != b"PK\x06\x06" or rest != _END64.size - 12 or disk_too:
            raise wrong
    if disk or first or here != every or comment or start + length != end:
        raise wrong
    if every > MAX_MEMBERS or length > MAX_MEMBERS * 256:
        raise ModelFileError(f"{name}: {every:,} members in {length:,} bytes: more than a model has", RETRAIN)
    return start, end, every


def _entry(data: bytes, at: int, name: str) -> tuple[tuple[int, str, int, int, int], int]:
    """One entry of the directory, (offset, member, size, crc, flags), and where the next one is."""
    wrong = ModelFileError(f"{name}: the zip directory is damaged at its byte {at:,}", RETRAIN)
    if at + _ENTRY.size > len(data):
        raise wrong
    sign, _, _, flags, method, _, _, crc, packed, size, n_name, n_extra, n_comment, disk, _, _, offset = (
        _ENTRY.unpack_from(data, at)
    )
    begin = at + _ENTRY.size
    end = begin + n_name + n_extra + n_comment
    if sign != b"PK\x01\x02" or end > len(data) or disk not in (0, 0xFFFF):
        raise wrong
    wide = [x for x, full in ((size, _WIDE), (packed, _WIDE), (offset, _WIDE)) if x == full]
    if wide:
        found = _zip64(data[begin + n_name : begin + n_name + n_extra])
        if found is None or len(found) < 8 * len(wide):
            raise wrong
        numbers = iter(struct.unpack(f"<{len(wide)}Q", found[: 8 * len(wide)]))
        size, packed, offset = (next(numbers) if x == _WIDE else x for x in (size, packed, offset))
    plain = data[begin : begin + n_name].decode("utf-8", "replace").removesuffix(".npy")
    if method or size != packed:
        hint = "np.savez, not savez_compressed; or " + RETRAIN
        raise ModelFileError(f"{name}: member {plain[:40]!r} is compressed", hint)
    if flags & ~_FLAGS:
        raise ModelFileError(f"{name}: member {plain[:40]!r} is encrypted, or packed as no model is", RETRAIN)
    return (offset, plain, size, crc, flags), end


def _zip64(extra: bytes) -> bytes | None:
    """The body of the record with 64-bit sizes in an extra field."""
    at = 0
    while at + 4 <= len(extra):
        kind, n = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            return extra[at + 4 : at + 4 + n]
        at += 4 + n
    return None


def _local(buffer: mmap.mmap | bytes, at: int, plain: str, size: int, crc: int, flags: int, name: str) -> int:
    """Where a member's data begin; its own header must say what the directory says."""
    wrong = ModelFileError(f"{name}: member {plain[:40]!r} is not where it should be", RETRAIN)
    head = buffer[at : at + _LOCAL.size]
    if len(head) < _LOCAL.size:
        raise wrong
    sign, _, own_flags, method, _, _, own_crc, packed, own_size, n_name, n_extra = _LOCAL.unpack(head)
    begin = at + _LOCAL.size
    own = buffer[begin : begin + n_name]
    if sign != b"PK\x03\x04" or method or own_flags != flags:
        raise wrong
    if own.decode("utf-8", "replace").removesuffix(".npy") != plain:
        raise ModelFileError(f"{name}: member {plain[:40]!r} has another name in its header", RETRAIN)
    if not flags & _LATER:
        if _WIDE in (packed, own_size):
            found = _zip64(buffer[begin + n_name : begin + n_name + n_extra]) or b""
            if len(found) < 16:
                raise wrong
            own_size, packed = struct.unpack("<QQ", found[:16])
        if (own_crc, own_size, packed) != (crc, size, size):
            raise ModelFileError(f"{name}: member {plain[:40]!r} has another size or checksum in its header", RETRAIN)
    return begin + n_name + n_extra


_ARRAY = re.compile(rb"\{'descr': '([<|][uf][1248])', 'fortran_order': False, 'shape': \((0|[1-9]\d{0,17}),\), \} *\n")
_MAGIC = b"\x93NUMPY\x01\x00"


def read_array(name: str, buffer: mmap.mmap | bytes, member: Member) -> np.ndarray:
    """One member as a read-only view; never unpickles, never evaluates, never allocates.

    The header of an array of one dimension has one form, whoever writes it: NumPy's own reader takes it for
    an expression of Python.
    """
    wrong = ModelFileError(f"{name}: member {member.name!r} is not an array of a model", RETRAIN)
    head = buffer[member.begin : member.begin + min(member.size, _ARRAY_HEAD)]
    n = len(_MAGIC) + 2
    if len(head) < n or not head.startswith(_MAGIC):
        raise wrong
    begin = n + int(struct.unpack_from("<H", head, len(_MAGIC))[0])
    found = _ARRAY.fullmatch(head[n:begin])
    if found is None or begin > len(head) or found[1].decode() not in _DTYPES:
        raise wrong
    dtype, length = np.dtype(found[1].decode()), int(found[2])
    if begin + length * dtype.itemsize != member.size:
        raise wrong
    a = np.ndarray((length,), dtype, buffer, member.begin + begin) if length else np.empty(0, dtype)
    if a.size:
        a.flags.writeable = False
    return a
