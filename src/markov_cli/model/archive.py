"""The zip archive around the arrays of a model: stored, aligned, checked.

Members are not compressed and the data of each begins at a multiple of 64 bytes, padded in
the extra field of its local header, so that an array can be mapped where it lies.
"""

from __future__ import annotations

import io
import mmap
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO

import numpy as np

from ..errors import ModelFileError
from ..spill.columns import Column

RETRAIN = "retrain it: markov train TEXT -o MODEL"
_ALIGN = 64
_EXTRA_ID = 0xD935  # the extra field that zip tools already use for alignment
_DATE = (1980, 1, 1)
_LOCAL_HEADER = 30
_CRC_AT = 14  # in the local header
_WIDE = 0xFFFFFFFF  # says that the true number is among the 64-bit ones
MAX_HEADER_BYTES = 1 << 20
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


def read_directory(f: IO[bytes], name: str, size: int) -> dict[str, Member]:
    """The members of the archive, in order, each within the file and none overlapping."""
    try:
        with zipfile.ZipFile(f) as archive:
            infos = archive.infolist()
    except Exception as error:  # whatever zipfile makes of hostile bytes
        f.seek(0)
        if f.read(4) == b"PK\x03\x04":
            raise ModelFileError(
                f"{name}: cut short: it begins like a model and has no directory at its end", RETRAIN
            ) from None
        hint = "name a model that markov train wrote"
        raise ModelFileError(f"{name}: not a model: {error}", hint) from None
    members: dict[str, Member] = {}
    edge = 0
    for info in sorted(infos, key=lambda i: i.header_offset):
        plain = info.filename.removesuffix(".npy")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            hint = "np.savez, not savez_compressed; or " + RETRAIN
            raise ModelFileError(f"{name}: member {plain!r} is compressed", hint)
        if info.flag_bits & 1 or plain in members or info.header_offset < edge:
            raise ModelFileError(f"{name}: member {plain!r} is not where it should be", RETRAIN)
        f.seek(info.header_offset)
        local = f.read(_LOCAL_HEADER)
        if len(local) < _LOCAL_HEADER or local[:4] != b"PK\x03\x04":
            raise ModelFileError(f"{name}: member {plain!r} is not where it should be", RETRAIN)
        n_name, n_extra = struct.unpack("<HH", local[26:30])
        begin = info.header_offset + _LOCAL_HEADER + n_name + n_extra
        edge = begin + info.file_size
        if edge > size:
            raise ModelFileError(f"{name}: cut short: member {plain!r} ends behind byte {size:,}", RETRAIN)
        members[plain] = Member(plain, begin, info.file_size, info.CRC)
    return members


def read_array(name: str, buffer: mmap.mmap | bytes, member: Member) -> np.ndarray:
    """One member as a read-only view; never unpickles, never allocates."""
    wrong = ModelFileError(f"{name}: member {member.name!r} is not an array that a model has", RETRAIN)
    head = io.BytesIO(buffer[member.begin : member.begin + min(member.size, MAX_HEADER_BYTES)])
    try:
        version = np.lib.format.read_magic(head)
        if version != (1, 0):
            raise wrong
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(head)
    except ModelFileError:
        raise
    except Exception:  # whatever NumPy makes of hostile bytes
        raise wrong from None
    if fortran or dtype.str not in _DTYPES or len(shape) != 1 or shape[0] < 0:
        raise wrong
    if head.tell() + shape[0] * dtype.itemsize != member.size:
        raise wrong
    a = np.ndarray(shape, dtype, buffer, member.begin + head.tell()) if shape[0] else np.empty(0, dtype)
    if a.size:
        a.flags.writeable = False
    return a
