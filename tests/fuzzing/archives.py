"""Zip archives and `.npy` members that lie, put together by hand so that any field can."""

import bz2
import io
import json
import lzma
import pickle
import struct
import zlib
from dataclasses import dataclass, field, replace

import numpy as np

SPRUNG = "sprung"  # the file that a pickle would make, were it ever unpickled


class _Trap:
    def __reduce__(self):
        return (open, (SPRUNG, "w"))


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
    return b"\x93NUMPY" + version + struct.pack("<H" if version[0] == 1 else "<I", n) + text + a.tobytes()


def entries_of(base):
    """The members of a base as NumPy would write them."""
    rest = {**base.head, "arrays": {n: [a.dtype.str, list(a.shape)] for n, a in base.arrays.items()}}
    head = np.frombuffer(json.dumps(rest).encode(), np.uint8)
    return [Entry.of(f"{n}.npy", npy(a)) for n, a in {"header": head, **base.arrays}.items()]


def archive(entries, comment=b"", end=None, before=b"", gap=b"", zip64_end=None):
    """The file; `end` holds fields of the end record that lie."""
    out, directory = bytearray(before), []
    for e in entries:
        start = len(out)
        said = {
            "name": e.name,
            "size": e.size,
            "packed": len(e.data),
            "crc": e.crc,
            "method": e.method,
            "flags": e.flags,
            "extra": e.extra,
            "comment": b"",
        }
        s = {**said, **e.local}
        out += b"PK\x03\x04" + struct.pack(
            "<HHHHHIIIHH",
            45,
            s["flags"],
            s["method"],
            0,
            33,
            s["crc"] & 0xFFFFFFFF,
            s["packed"] & 0xFFFFFFFF,
            s["size"] & 0xFFFFFFFF,
            len(s["name"]),
            len(s["extra"]),
        )
        out += s["name"] + s["extra"] + e.data
        s = {**said, **e.central}
        at = start if e.at is None else e.at
        extra, size, packed, where = s["extra"], s["size"], s["packed"], at
        if e.zip64 or max(size, packed, at) >= 1 << 32 or min(size, packed, at) < 0:
            extra = struct.pack("<HHQQQ", 1, 24, size % 2**64, packed % 2**64, at % 2**64) + extra
            size = packed = where = 0xFFFFFFFF
        record = (
            b"PK\x01\x02"
            + struct.pack(
                "<HHHHHHIIIHHHHHII",
                45,
                45,
                s["flags"],
                s["method"],
                0,
                33,
                s["crc"] & 0xFFFFFFFF,
                packed,
                size,
                len(s["name"]),
                len(extra),
                len(s["comment"]),
                0,
                0,
                0,
                where,
            )
            + s["name"]
            + extra
            + s["comment"]
        )
        directory += [record] * (2 if e.twice else 1)
    out += gap
    start = len(out)
    out += b"".join(directory)
    f = {"disk": 0, "first": 0, "here": len(directory), "all": len(directory), "size": len(out) - start, "at": start}
    f.update(end or {})
    if zip64_end is not None:
        z = {**f, **zip64_end}
        at = len(out)
        out += b"PK\x06\x06" + struct.pack(
            "<QHHIIQQQQ", 44, 45, 45, 0, 0, *(z[k] % 2**64 for k in ("here", "all", "size", "at"))
        )
        out += b"PK\x06\x07" + struct.pack("<IQI", 0, z.get("record", at) % 2**64, 1)
        f.update(here=0xFFFF, all=0xFFFF, size=0xFFFFFFFF, at=0xFFFFFFFF)
    out += (
        b"PK\x05\x06"
        + struct.pack(
            "<HHHHIIH",
            f["disk"] & 0xFFFF,
            f["first"] & 0xFFFF,
            f["here"] & 0xFFFF,
            f["all"] & 0xFFFF,
            f["size"] & 0xFFFFFFFF,
            f["at"] & 0xFFFFFFFF,
            len(comment),
        )
        + comment
    )
    return bytes(out)


# ------------------------------------------------------------------ lies of the archive

_SIZES = (0, 1, 63, 2**16, 2**31, 2**32 - 1, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1)


def as_it_is(entries, rng, base):
    return archive(entries)


def overlapping(entries, rng, base):
    i, j = rng.randrange(len(entries)), rng.randrange(len(entries))
    offsets = np.cumsum([0, *(30 + len(e.name) + len(e.data) for e in entries)])
    entries[i].at = int(offsets[j]) + rng.choice((0, 0, 1, 30, 64))
    return archive(entries)


def many_in_one(entries, rng, base):
    """The overlapping bomb: every member is the same bytes of the file."""
    one = rng.choice(entries)
    names = [f"x{i}.npy".encode() for i in range(rng.choice((10, 1000)))]
    return archive([one, *(replace(one, name=n, data=b"", at=0) for n in names)])


def same_name(entries, rng, base):
    e = rng.choice(entries)
    if rng.random() < 0.5:
        e.twice = True
        return archive(entries)
    return archive([*entries, replace(e, data=rng.choice(entries).data)])


def wrong_sizes(entries, rng, base):
    e = rng.choice(entries)
    where = rng.choice((e.central, e.local))
    for key in rng.sample(("size", "packed", "crc"), rng.choice((1, 2))):
        where[key] = rng.choice((*_SIZES, len(e.data) + 1, max(len(e.data) - 1, 0)))
    e.zip64 = rng.random() < 0.5
    return archive(entries)


def wrong_place(entries, rng, base):
    e = rng.choice(entries)
    e.at, e.zip64 = rng.choice(_SIZES), True
    return archive(entries)


def odd_extra(entries, rng, base):
    e = rng.choice(entries)
    what = rng.choice(
        (
            struct.pack("<HH", 1, 0),
            struct.pack("<HHQ", 1, 8, 2**63),
            struct.pack("<HH", 1, 0xFFFF),
            b"\x01",
            struct.pack("<HH", 0x7075, 9) + b"\x01" + bytes(8),
            rng.randbytes(20),
        )
    )
    rng.choice((e.central, e.local))["extra"] = what
    if rng.random() < 0.5:
        e.central["size"] = e.central["packed"] = 0xFFFFFFFF
    return archive(entries)


def compressed(entries, rng, base):
    e = rng.choice(entries)
    plain = rng.choice((e.data, bytes(rng.choice((1000, 10**6, 10**7)))))
    pack = {
        8: lambda d: zlib.compress(d, 9)[2:-4],
        12: bz2.compress,
        14: lzma.compress,
        93: lambda d: d,
        99: lambda d: d,
    }
    method = rng.choice([*pack])
    e.data, e.size, e.crc, e.method = pack[method](plain), len(plain), zlib.crc32(plain), method
    if rng.random() < 0.3:
        e.central["size"] = len(e.data)  # as if it were stored
    if rng.random() < 0.3:
        rng.choice((e.central, e.local))["method"] = 0
    return archive(entries)


def odd_flags(entries, rng, base):
    for e in entries if rng.random() < 0.3 else [rng.choice(entries)]:
        rng.choice((e.central, e.local))["flags"] = rng.choice((1, 8, 0x20, 0x41, 0x800, 0x2000, 0xFFFF))
    return archive(entries)


_NAMES = (
    b"",
    b".npy",
    b"/etc/passwd",
    b"../../x.npy",
    b"C:\\x.npy",
    b"header",
    b"header.npy.npy",
    b"HEADER.npy",
    b"a\0b.npy",
    b"\n\x1b[31mred.npy",
    b"\xff\xfe.npy",
    b"x" * 60000,
    b"folder/",
    "ｈeader.npy".encode(),
    b"header.npy\0.npy",
    b"__class__.npy",
    b"count_1.npy/",
    b"[/b]:smile:.npy",
)


def odd_names(entries, rng, base):
    e = rng.choice(entries)
    name = rng.choice(_NAMES)
    which = rng.randrange(4)
    if which == 0:
        e.name = name
    elif which < 3:
        (e.central if which == 1 else e.local)["name"] = name
    else:
        entries.insert(rng.randrange(len(entries)), Entry.of("", b"").__class__.of("", npy(np.zeros(3, np.uint8))))
        entries[0] = replace(entries[0], name=name) if rng.random() < 0.3 else entries[0]
    e.central.setdefault("flags", rng.choice((0, 0x800)))
    return archive(entries)


def disagreeing(entries, rng, base):
    """The directory and the members' own headers name each other's."""
    a, b = rng.sample(range(len(entries)), 2) if len(entries) > 1 else (0, 0)
    way = rng.randrange(3)
    if way == 0:
        entries[a].central["name"], entries[b].central["name"] = entries[b].name, entries[a].name
    elif way == 1:
        entries[a].local["name"] = entries[b].name
    else:
        entries[a].data, entries[b].data = entries[b].data, entries[a].data
    return archive(entries)


def odd_end(entries, rng, base):
    end = {rng.choice(("disk", "first", "here", "all", "size", "at")): rng.choice((0, 1, 0xFFFF, 0xFFFFFFFF, 2**31))}
    return archive(entries, end=end)


def odd_zip64_end(entries, rng, base):
    lie = {rng.choice(("here", "all", "size", "at", "record")): rng.choice(_SIZES)}
    return archive(entries, zip64_end=lie)


def around(entries, rng, base):
    comment = rng.choice((b"", b"hello", b"x" * 65535, b"PK\x05\x06" + bytes(18), archive([])))
    return archive(
        entries, comment, before=rng.choice((b"", b"#!", bytes(4096))), gap=rng.choice((b"", bytes(100)))
    ) + (rng.choice((b"", b"", b"\0", b"PK\x05\x06" + bytes(18), bytes(70000))))


def crowded(entries, rng, base):
    n = rng.choice((1000, 20_000))
    more = [Entry.of(f"m{i}.npy", b"") for i in range(n)]
    return archive([*entries, *more], zip64_end={} if rng.random() < 0.5 else None)


def fewer(entries, rng, base):
    del entries[rng.randrange(len(entries))]
    rng.shuffle(entries)
    return archive(entries)


# ------------------------------------------------------------------ lies of an array's own header


def odd_array(entries, rng, base):
    i = rng.randrange(len(entries))
    name = entries[i].name.decode().removesuffix(".npy")
    a = base.arrays.get(name, np.frombuffer(b"{}", np.uint8))
    n = len(a)
    shape = rng.choice(
        (
            f"({n},)",
            f"({n}, 1)",
            f"(1, {n})",
            "()",
            "(0,)",
            f"({2**40},)",
            f"({2**63},)",
            f"({2**64},)",
            "(-1,)",
            f"({n}, 0)",
            f"({2**32}, {2**32})",
            f"[{n}]",
            f"{n}",
            f"({n}.0,)",
            "(True,)",
            "(1e400,)",
            f"({n}L,)",
            "(" * 200 + ")" * 200,
            "(" + "1," * 5000 + ")",
            f"({'9' * 5000},)",
            "('a',)",
            "(None,)",
            f"(0x{n:x},)",
        )
    )
    descr = rng.choice(
        (f"'{a.dtype.str}'",) * 4
        + (
            "'|O'",
            "'>u2'",
            "'>u8'",
            "'<i8'",
            "'<U3'",
            "'|V8'",
            "'|S0'",
            "'<U0'",
            "'<c16'",
            "'<M8[s]'",
            "'|b1'",
            "'<f2'",
            "'<f8'",
            "'=u4'",
            "'u1'",
            "'u1,u1'",
            "'(3,)u1'",
            "'nonsense'",
            "None",
            "[('a', '<u2'), ('b', '|O')]",
            "[('a', '<u1', (1000000000,))]",
            "'<u8'",
            "'|u1'",
            "'<V2147483647'",
            "'\\x00'",
        )
    )
    order = rng.choice(("False",) * 4 + ("True", "0", "1", "None", "'no'"))
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    way = rng.randrange(8)
    if way == 0:
        text = rng.choice(
            (
                "",
                "{",
                "{}",
                "[]",
                "1",
                "__import__('os').system('touch sprung')",
                "{'descr': '<u1'}",
                "(" * 9000,
                text[:-2] + ", 'more': 1}",
                "lambda: 0",
                "{**{}}",
                "\0" * 50,
                "-" * 5000 + "1",
                "{1: {}}" * 3,
                text.replace("}", "'shape': (1,)}"),
                " " * 60000 + text,
                "'" + "a" * 20000 + "'",
            )
        )
    version = rng.choice((b"\x01\x00",) * 5 + (b"\x02\x00", b"\x03\x00", b"\x00\x00", b"\xff\xff"))
    size = rng.choice((None,) * 6 + (0, 1, 0xFFFF, len(text)))
    data = npy(a, text, version, size)
    if way == 1:
        data = rng.choice((data[: rng.randrange(len(data))], b"\x93NUMPY", data[6:], data + bytes(rng.randrange(100))))
    elif way == 2:
        out = io.BytesIO()
        np.save(out, np.array([_Trap()] * 3, object), allow_pickle=True)
        data = rng.choice((out.getvalue(), pickle.dumps(_Trap())))
    entries[i] = Entry.of(entries[i].name.decode(), data)
    return archive(entries)


WAYS = (
    as_it_is,
    overlapping,
    many_in_one,
    same_name,
    wrong_sizes,
    wrong_place,
    odd_extra,
    compressed,
    odd_flags,
    odd_names,
    disagreeing,
    odd_end,
    odd_zip64_end,
    around,
    crowded,
    fewer,
)


def mutate(base, rng, bases):
    """(what was done, the bytes)."""
    way = rng.choice((*WAYS, wrong_sizes, *(odd_array,) * 8))
    if way is crowded and rng.random() < 0.7:
        way = wrong_sizes
    return way.__name__, way(entries_of(base), rng, base)
