"""Lies of a zip archive's directory, of its members' own headers and of its end."""

import bz2
import lzma
import struct
import zlib
from dataclasses import replace

import numpy as np

from .archives import Entry, archive, entries_of, npy

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


def two_directories(entries, rng, base):
    """A second directory, or a second archive, inside the first."""
    inner = archive([replace(e) for e in entries[:2]])
    e = rng.choice(entries)
    if rng.random() < 0.5:
        e.data, e.size, e.crc = inner, len(inner), zlib.crc32(inner)
        return archive(entries)
    return archive(entries, gap=inner)


def many_of_nothing(entries, rng, base):
    """Members of no bytes that the header does not name, or names."""
    more = [Entry.of(f"count_{k}.npy", npy(np.zeros(0, np.uint8))) for k in range(5, rng.choice((10, 400)))]
    return archive([*entries, *more])


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
    two_directories,
    many_of_nothing,
)


def lie(entries, rng, base):
    """(what was done, the bytes) for some members, which may lie already."""
    way = rng.choice((*WAYS, wrong_sizes))
    if way is crowded and rng.random() < 0.7:
        way = wrong_sizes
    return way.__name__, way(entries, rng, base)


def mutate(base, rng, bases):
    """(what was done, the bytes)."""
    return lie(entries_of(base), rng, base)
