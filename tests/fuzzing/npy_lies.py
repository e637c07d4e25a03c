"""Lies of the headers of `.npy` members: dtypes, shapes, lengths, versions, code."""

import io
import pickle
import struct

import numpy as np

from .archives import Entry, archive, entries_of, npy

SPRUNG = "sprung"  # the file that a pickle would make, were it ever unpickled
_DTYPES = (
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


class _Trap:
    def __reduce__(self):
        return (open, (SPRUNG, "w"))


def _shapes(n):
    """Shapes that a header can claim instead of `(n,)`."""
    return (
        f"({n},)",
        f"({n + 1},)",
        f"({max(n - 1, 0)},)",
        f"({2 * n},)",
        f"({-(-n // 2)},)",
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


def _texts(text):
    """Headers that are no dictionary, or one with more in it."""
    return (
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


def _described(a, rng):
    dtype = f"'{a.dtype.str}'" if rng.random() < 0.5 else rng.choice(_DTYPES)
    order = rng.choice(("False",) * 4 + ("True", "0", "1", "None", "'no'"))
    return f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {rng.choice(_shapes(len(a)))}, }}"


def odd_header(a, rng):
    """A header that says something else of the array."""
    text = _described(a, rng)
    version = rng.choice((b"\x01\x00",) * 5 + (b"\x02\x00", b"\x03\x00", b"\x00\x00", b"\xff\xff"))
    return npy(a, text, version, rng.choice((None,) * 6 + (0, 1, 0xFFFF, len(text))))


def odd_text(a, rng):
    """A header that is something else."""
    return npy(a, rng.choice(_texts(_described(a, rng))))


def cut(a, rng):
    """Less than an array, or more."""
    data = npy(a)
    return rng.choice((data[: rng.randrange(len(data))], b"\x93NUMPY", data[6:], data + bytes(rng.randrange(100))))


def pickled(a, rng):
    """An array of objects, or a pickle by itself."""
    out = io.BytesIO()
    np.save(out, np.array([_Trap()] * 3, object), allow_pickle=True)
    return rng.choice((out.getvalue(), pickle.dumps(_Trap())))


def other_dtype(a, rng):
    """Bytes read as numbers of another width, with shape and size that agree."""
    dtype = np.dtype(rng.choice(("|u1", "<u2", "<u4", "<u8", "<f4", "<f8")))
    raw = a.tobytes()
    return npy(np.frombuffer(raw[: len(raw) // dtype.itemsize * dtype.itemsize], dtype))


def long_header(a, rng):
    """A header that is filled up beyond what any reader should look at."""
    text = f"{{'descr': '{a.dtype.str}', 'fortran_order': False, 'shape': ({len(a)},), }}"
    text += " " * rng.choice((0, 1, 900, 1100, 60_000))
    n = len(text) + 1
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", n) + text.encode() + b"\n" + a.tobytes()


WAYS = (odd_header, odd_header, odd_text, cut, pickled, other_dtype, long_header)


def spoil(entries, rng, base):
    """Make one member lie; returns the way."""
    i = rng.randrange(len(entries))
    name = entries[i].name.decode().removesuffix(".npy")
    way = rng.choice(WAYS)
    entries[i] = Entry.of(entries[i].name.decode(), way(base.arrays.get(name, np.frombuffer(b"{}", np.uint8)), rng))
    return way.__name__


def mutate(base, rng, bases):
    """(what was done, the bytes)."""
    entries = entries_of(base)
    return spoil(entries, rng, base), archive(entries)
