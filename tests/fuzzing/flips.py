"""Damage by bytes: what disks, networks and hands do to a file."""

import struct

NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)


def _places(data, rng):
    """A byte of the file; half the time one near a mark of its structure."""
    if rng.random() < 0.5:
        return rng.randrange(len(data))
    marks = [
        i
        for m in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"\x93NUMPY")
        for i in _all(data, m)
    ]
    return min(rng.choice(marks or [0]) + rng.randrange(90), len(data) - 1)


def _all(data, mark):
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def flip_bits(data, rng, others):
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8, 100))):
        out[_places(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(out)


def set_bytes(data, rng, others):
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 4, 30))):
        out[_places(data, rng)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(out)


def set_number(data, rng, others):
    at, width = _places(data, rng), rng.choice((2, 4, 8))
    number = rng.choice((*NUMBERS, len(data), len(data) + 1, len(data) - 1)) & (1 << 8 * width) - 1
    return data[:at] + struct.pack("<Q", number)[:width] + data[at + width :]


def truncate(data, rng, others):
    return data[: rng.choice((rng.randrange(len(data)), len(data) - rng.randrange(1, 200), rng.randrange(200)))]


def insert(data, rng, others):
    at = _places(data, rng)
    return data[:at] + rng.randbytes(rng.choice((1, 2, 8, 64, 1000))) + data[at:]


def delete(data, rng, others):
    at = _places(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 8, 64, 1000)) :]


def repeat(data, rng, others):
    at, n = _places(data, rng), rng.choice((1, 64, 1000))
    return data[: at + n] + data[at : at + n] * rng.choice((1, 3, 50)) + data[at + n :]


def swap(data, rng, others):
    n = rng.choice((1, 8, 64, 400))
    a, b = sorted((_places(data, rng), _places(data, rng)))
    if b < a + n or b + n > len(data):
        return data[::-1]
    return data[:a] + data[b : b + n] + data[a + n : b] + data[a : a + n] + data[b + n :]


def fill(data, rng, others):
    at, n = _places(data, rng), rng.choice((4, 16, 64, 500, 5000))
    n = min(n, len(data) - at)
    return data[:at] + rng.choice((bytes(n), b"\xff" * n, rng.randbytes(n))) + data[at + n :]


def splice(data, rng, others):
    other = rng.choice(others).data
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def prepend(data, rng, others):
    return rng.choice((b"#!/bin/sh\n", bytes(64), data, rng.choice(others).data, rng.randbytes(100))) + data


def append(data, rng, others):
    return data + rng.choice(
        (b"\n", bytes(64), data, rng.choice(others).data, rng.randbytes(100), b"PK\x05\x06" + bytes(18))
    )


def noise(data, rng, others):
    head = rng.choice((b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x93NUMPY\x01\x00", b"\x1f\x8b"))
    return head + rng.randbytes(rng.choice((0, 1, 22, 100, 5000)))


WAYS = (flip_bits, set_bytes, set_number, truncate, insert, delete, repeat, swap, fill, splice, prepend, append, noise)


def mutate(base, rng, bases):
    """(what was done, the bytes)."""
    way = rng.choice((*WAYS, flip_bits, set_bytes, set_number, set_number))
    data = way(base.data, rng, bases)
    while rng.random() < 0.15 and data:
        data = flip_bits(data, rng, bases) if len(data) > 4 and b"PK" in data else data + b"x"
    return way.__name__, data
