"""Writes a model as `.npz` and opens it again.

The file is a zip archive of `.npy` members, stored and not compressed, each one's data
aligned to 64 bytes, so that `np.load` opens it and this module maps it. The first member,
`header`, is JSON in uint8. docs/reference/model-format.md describes every member.

Opening reads the directory and the headers, nothing else: a model of any size is ready at
once and costs the pages that are touched.
"""

from __future__ import annotations

import errno
import io
import json
import math
import mmap
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ..errors import MarkovError, ModelFileError
from ..text.types import N_MARKERS, Types
from .atomic_file import atomic_write
from .blend_parameters import MOST_CLASSES
from .count_column import SPAN, Counts, Uncounted, smallest
from .fingerprints import EVERY, MOST_BITS, Guard
from .header import FORMAT, VERSION, Header, header_of, read_json
from .npz import MAX_HEADER_BYTES, RETRAIN, Member, ZipWriter, checksum, read_array, read_directory
from .table import MAX_ORDER, Order, Table, no_rows
from .weighted_counts import Reals

if TYPE_CHECKING:
    from .disk_guard import GuardColumns

__all__ = ["FORMAT", "VERSION", "Header", "ModelFile", "framing_differs", "load", "save", "vocabulary_bytes"]
_MOST = 1 << 62  # what all counts of a column sum to is below this
_SPANS = {1: 16, VERSION: SPAN}  # rows between two running sums, by the version of the format
_LOGS = ("log10_", "backoff_")  # members of float32


# ---------------------------------------------------------------- writing


def vocabulary_arrays(types: Types) -> dict[str, np.ndarray]:
    """The members of types, id N_MARKERS first."""
    blob = types.blob
    offsets = np.zeros(N_MARKERS + len(types) + 1, np.int64)
    np.cumsum(types.length, out=offsets[N_MARKERS + 1 :])
    out = {"vocab_bytes": blob, "vocab_offsets": offsets.astype(smallest(len(blob)))}
    if types.flags.any():
        out["vocab_flags"] = np.concatenate((np.zeros(N_MARKERS, np.uint8), types.flags))
    return out


def _arrays(types: Types, table: Table) -> dict[str, np.ndarray]:
    """All members but the header, in the order of the file."""
    out = vocabulary_arrays(types)
    for k, order in enumerate(table.orders, 1):
        if k > 1 and not len(order):
            break  # nor is there any above; reading puts them back
        for name in ("token", "first", "link", "log10", "backoff"):
            column = getattr(order, name)
            if column is not None:
                out[f"{name}_{k}"] = column
        for name in ("count", "left", "left_total", "total"):
            counts = getattr(order, name)
            if counts is not None and not isinstance(counts, Uncounted):
                out[f"{name}_{k}"] = counts.small
                if not counts.whole:
                    out[f"{name}_{k}_sums"] = counts.sums
                    continue
                out[f"{name}_{k}_big_row"] = counts.big_row
                out[f"{name}_{k}_big"] = counts.big
                out[f"{name}_{k}_sums"] = counts.sums
    for k, class_of in enumerate(table.classes, 1):
        out[f"class_{k}"] = class_of
    if table.guard is not None:
        g = table.guard
        out["guard"] = guard_figures(g)
        out |= {"guard_low": g.low, "guard_high": g.high, "guard_first": g.first}
    return out


def vocabulary_bytes(types: Types) -> int:
    """An upper bound of what the vocabulary and the header take in a file."""
    ids = N_MARKERS + len(types) + 1
    blob = int(types.length.sum())
    return blob + ids * smallest(blob).itemsize + (ids if types.flags.any() else 0) + (1 << 10)


def save(path: str | os.PathLike[str] | IO[bytes], header: Header, types: Types, table: Table) -> int:
    """Write a model; returns its bytes.

    A file is written beside its target and put in its place when it is complete, so a
    previous model stays whole whatever happens.
    """
    if hasattr(path, "write"):
        data = io.BytesIO()
        write(data, header, types, table)
        path.write(data.getbuffer())
        return data.tell()
    with atomic_write(path) as f:
        return write(f, header, types, table)


def write(f: IO[bytes], header: Header, types: Types, table: Table) -> int:
    """Write a model to an open file; returns its bytes."""
    return _write_arrays(f, header.as_dict(), _arrays(types, table))


def _write_arrays(f: IO[bytes], head: dict[str, Any], arrays: dict[str, np.ndarray]) -> int:
    head = head | {"arrays": {n: [a.dtype.str, list(a.shape)] for n, a in arrays.items()}}
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > MAX_HEADER_BYTES - 128:
        raise MarkovError(f"order {head['order']:,}: its header is too large for a file", "a lower --order")
    arrays = {"header": np.frombuffer(text, np.uint8), **arrays}
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and reading a model does without

    writer = ZipWriter(f)
    with ThreadPoolExecutor(2) as pool:  # checksums are worked out ahead of the writing
        for (name, a), crc in zip(arrays.items(), pool.map(checksum, arrays.values()), strict=True):
            writer.add(name, a, crc)
    return writer.close()


def guard_figures(g: Guard | GuardColumns) -> np.ndarray:
    """The member `guard`."""
    return np.array([g.tokens, g.bits, g.n], "<u8")


class _Comparer(io.RawIOBase):
    """A file to write to that holds what is written against what is there."""

    def __init__(self, buffer: mmap.mmap | bytes) -> None:
        self._buffer, self._at = buffer, 0
        self.differs: int | None = None

    def write(self, data: Any) -> int:
        there = self._buffer[self._at : self._at + len(data)]
        if self.differs is None and there != bytes(data):
            same = np.frombuffer(there, np.uint8) == np.frombuffer(data, np.uint8)[: len(there)]
            self.differs = self._at + (int(np.argmin(same)) if not same.all() else len(there))
        self._at += len(data)
        return len(data)


def framing_differs(file: ModelFile) -> int | None:
    """The first byte at which the file is not what writing this model again would give."""
    comparer = _Comparer(file.buffer)
    _write_arrays(comparer, file.header.as_dict() | {"version": file.version}, file.arrays)  # type: ignore[arg-type]
    if comparer.differs is None and comparer._at != file.size_bytes:
        return min(comparer._at, file.size_bytes)
    return comparer.differs


# ---------------------------------------------------------------- reading


@dataclass
class ModelFile:
    """A model as read: header, types and table, all of them views of the mapped file."""

    header: Header
    types: Types
    table: Table
    members: dict[str, Member]
    buffer: mmap.mmap | bytes
    size_bytes: int
    arrays: dict[str, np.ndarray]
    version: int  # of the format


def load(path: str | os.PathLike[str]) -> ModelFile:
    """Open a model, `-` for standard input; ModelFileError where it is none that this version can use."""
    name = os.fspath(path)
    try:
        with sys.stdin.buffer if name == "-" else open(name, "rb") as f:
            mode = os.fstat(f.fileno()).st_mode
            regular = stat.S_ISREG(mode)
            size = os.fstat(f.fileno()).st_size
            if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):  # it may have no end
                raise ModelFileError(f"{name}: a device, not a model", "name a model that markov train wrote")
            if name == "-" or not regular:  # a pipe cannot be mapped
                buffer: mmap.mmap | bytes = f.read(4)
                if buffer in (b"", b"PK\x03\x04"):  # anything else need not be waited for
                    buffer += f.read()
                size = len(buffer)
            if size == 0:
                raise ModelFileError(f"{name}: an empty file", RETRAIN)
            if name != "-" and regular:
                buffer = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
            members = read_directory(buffer, name, size)
    except (OSError, ValueError) as error:
        common: dict[int | None, str] = {errno.ENOENT: "no such file", errno.EISDIR: "a folder, not a model"}
        number = getattr(error, "errno", None)
        said = common.get(number) or getattr(error, "strerror", None) or str(error)
        raise ModelFileError(f"{name}: {said}", "check the name, or train: markov train TEXT -o MODEL") from None
    return _parse(name, buffer, size, members)


def _parse(name: str, buffer: mmap.mmap | bytes, size: int, members: dict[str, Member]) -> ModelFile:
    if "header" not in members:
        raise ModelFileError(f"{name}: not a model: no member 'header'", "name a model that markov train wrote")
    if members["header"].size > MAX_HEADER_BYTES:
        raise ModelFileError(f"{name}: a header of {members['header'].size:,} bytes", RETRAIN)
    raw = read_array(name, buffer, members["header"])
    if raw.dtype != np.uint8:
        raise ModelFileError(f"{name}: a header of {raw.dtype}", RETRAIN)
    try:
        head = read_json(raw.tobytes().decode())
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise ValueError("not a model of this program")
        found = head["version"]
        if type(found) is not int or found not in _SPANS:
            said = str(found if isinstance(found, int) else repr(found))[:20]
            raise ModelFileError(
                f"{name}: model format {said}; this markov reads {' and '.join(map(str, _SPANS))}",
                f"upgrade markov, or {RETRAIN}",
            )
        header = header_of(head)
        declared = {k: (v[0], v[1]) for k, v in head["arrays"].items()}
    except ModelFileError:
        raise
    except (
        MarkovError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        RecursionError,
        OverflowError,
    ) as e:
        raise ModelFileError(f"{name}: a damaged header: {str(e)[:80]!r}", RETRAIN) from None
    arrays = {n: read_array(name, buffer, m) for n, m in members.items() if n != "header"}
    actual = {n: (a.dtype.str, [*a.shape]) for n, a in arrays.items()}
    if actual != declared:
        odd = sorted(n for n in {*actual, *declared} if actual.get(n) != declared.get(n))
        raise ModelFileError(f"{name}: member {odd[0]!r} differs from what the header says", RETRAIN)
    types, table = _build(name, header, arrays, _SPANS[found])
    return ModelFile(header, types, table, members, buffer, size, arrays, found)


def _build(name: str, header: Header, arrays: dict[str, np.ndarray], span: int) -> tuple[Types, Table]:
    """Views of the arrays as a table; every name and length must fit the header.

    span  rows between two running sums of the file: SPAN, or a part of it
    """
    left_over = set(arrays)
    reals = _LOGS + (("count_",) if header.holds == "weighted counts" else ())

    def take(key: str, length: int | None = None) -> np.ndarray:
        if key not in arrays:
            raise ModelFileError(f"{name}: no member {key!r}", RETRAIN)
        a = arrays[key]
        if length is not None and len(a) != length:
            raise ModelFileError(f"{name}: {key} has {len(a):,} entries, not {length:,}", RETRAIN)
        left_over.discard(key)
        if (a.dtype.kind == "f") != key.startswith(reals) or (a.dtype == "<f4") != key.startswith(_LOGS):
            raise ModelFileError(f"{name}: {key} is {a.dtype}", RETRAIN)
        return a

    def take_counts(key: str, length: int | None = None) -> Counts:
        small = take(key, length)
        sums = take(f"{key}_sums", math.ceil(len(small) / span) + 1)
        if span < SPAN:
            sums = np.append(sums[:-1][:: SPAN // span], sums[-1])
        if not 0 <= sums[-1] < _MOST:
            raise ModelFileError(f"{name}: {key} sums to {sums[-1]}", RETRAIN)
        if small.dtype.kind == "f":
            return Reals(small, sums)
        if small.dtype != np.uint8:
            raise ModelFileError(f"{name}: {key} is {small.dtype}, not uint8", RETRAIN)
        big = take(f"{key}_big")
        return Counts(small, take_index(f"{key}_big_row", len(big), len(small)), big, sums)

    def take_index(key: str, length: int, limit: int) -> np.ndarray:
        a = take(key, length)
        if a.dtype != smallest(limit):
            raise ModelFileError(f"{name}: {key} is {a.dtype}, not {smallest(limit)}", RETRAIN)
        return a

    n_ids = N_MARKERS + header.types
    blob = take("vocab_bytes")
    offsets = take_index("vocab_offsets", n_ids + 1, len(blob))
    flags = take("vocab_flags", n_ids) if "vocab_flags" in arrays else np.zeros(0, np.uint8)
    types = _types(name, blob, offsets, flags)

    def rows_of(k: int) -> int:
        return len(arrays.get(f"token_{k}", ()))

    pruned = header.pruned
    orders: list[Order] = []
    counted = header.holds != "probabilities"
    for k in range(1, header.order + 1):
        if k > 1 and f"token_{k}" not in arrays:
            orders.append(no_rows(counted))  # for all above it: how many those are is only what the header says
            break
        top = k == header.order
        if counted:
            order = Order(take_counts(f"count_{k}", n_ids if k == 1 else None))
        else:
            order = Order(Uncounted(len(take(f"log10_{k}", n_ids if k == 1 else None))))
            order.log10 = take(f"log10_{k}", len(order))
            order.backoff = None if top else take(f"backoff_{k}", len(order))
        rows = len(order)
        if k > 1:
            order.token = take_index(f"token_{k}", rows, n_ids - 1)
        if not top:
            order.first = take_index(f"first_{k}", rows + 1, rows_of(k + 1))
            if counted:
                order.left = take_counts(f"left_{k}", rows)
            if pruned:
                order.left_total = take_counts(f"left_total_{k}", rows) if f"left_total_{k}" in arrays else None
            if (header.cap_per_sequence or not header.borders) and counted:
                order.total = take_counts(f"total_{k}", rows)
            if k > 2:
                order.link = take_index(f"link_{k}", rows, max(len(orders[-1]) - 1, 0))
        orders.append(order)
    guard = _guard(name, take) if "guard" in arrays else None
    classes = [take_index(f"class_{k}", n_ids, MOST_CLASSES - 1) for k in range(1, header.n_class_sets + 1)]
    if left_over:
        raise ModelFileError(f"{name}: a member {min(left_over)!r} that no model has", RETRAIN)
    table = Table(orders, pruned, np.array(header.counts_of_counts, np.int64), guard=guard, classes=classes)
    table.empty, table.borders = header.empty, header.borders
    del orders[table.height :]
    return types, table


def _types(name: str, blob: np.ndarray, offsets: np.ndarray, flags: np.ndarray) -> Types:
    if blob.dtype != np.uint8 or flags.dtype != np.uint8:
        raise ModelFileError(f"{name}: a vocabulary of the wrong dtype", RETRAIN)
    if int(offsets[0]) != 0 or int(offsets[-1]) != len(blob):
        raise ModelFileError(f"{name}: vocab_offsets do not span vocab_bytes", RETRAIN)
    return Types(blob, offsets, np.empty(0, np.int64), flags)


def _guard(name: str, take: Callable[..., np.ndarray]) -> Guard:
    figures = take("guard", 3)
    if figures.dtype != np.uint64:
        raise ModelFileError(f"{name}: guard is {figures.dtype}", RETRAIN)
    tokens, bits, n = figures.tolist()
    guard = Guard(tokens, bits, n, figures[:0], figures[:0], figures[:0])
    w = guard.low_bits
    if not 1 <= bits <= MOST_BITS or not 2 <= tokens <= MAX_ORDER + 1 or n > 1 << bits or bits - w > 48:
        raise ModelFileError(f"{name}: a guard of {n:,} hashes of {bits} bits of runs of {tokens:,} tokens", RETRAIN)
    buckets = 1 << (bits - w)
    guard.low = take("guard_low", math.ceil(n * w / 64))
    guard.high = take("guard_high", math.ceil((n + buckets) / 64))
    guard.first = take("guard_first", math.ceil(buckets / EVERY))
    if guard.low.dtype != np.uint64 or guard.high.dtype != np.uint64:
        raise ModelFileError(f"{name}: a guard of the wrong dtype", RETRAIN)
    return guard
