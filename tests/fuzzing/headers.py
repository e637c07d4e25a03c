"""JSON headers that lie: wrong counts, numbers, types, nesting, keys."""

import json

import numpy as np

from .archives import Entry, archive, npy

_ODD = (
    None,
    True,
    False,
    0,
    1,
    2,
    3,
    4,
    7,
    -1,
    -(2**63),
    2**31,
    2**62,
    2**63,
    2**64,
    10**30,
    0.5,
    1e308,
    -0.0,
    "",
    "0",
    "words",
    "chars",
    "bytes",
    "regex",
    "sentence",
    "file",
    "\x1b[31m\n\u202e",
    "x" * 5000,
    "\ud800",
    [],
    [0],
    [1],
    [0, 0, 1],
    [-1],
    [2**70],
    ["a"],
    [[]],
    [[0, 1, 1, 1, 1]],
    [[0] * 5] * 3,
    [[0, -1, 2**70, 0, 0]],
    [[0, 1e308, 0, 0, 0]],
    {},
    {"a": 1},
    [None],
    "counts",
    "weighted counts",
    "probabilities",
    "99.0.0",
)
_PATTERNS = (
    r"(a+)+$",
    r"(\w+\s?)*!!",
    "(" * 5000,
    "x{1000000}",
    "(?:x{1,65535}){65535}",
    "",
    r"\w*",
    "(?i)a",
    "\\",
    "[",
    "(?P<a>.)(?P=a)",
    r"((((\w+)+)+)+)+\d\d\d",
    ".",
    r"(?s).*",
    r"(?=a)",
    r"(?<=\w)",
    "x" * 100_000,
    "|".join(["a"] * 20_000),
    r"\b",
    r"(\w|\w\w)+;",
)
_RAW = (
    b"",
    b" ",
    b"{",
    b"[]",
    b"null",
    b"NaN",
    b"-Infinity",
    b'"text"',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"1" * 100_000,
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"format": "markov-ngram-table"}',
    b'{"format": "markov-ngram-table", "version": 1}',
    b'{"format": "markov-ngram-table", "version": ' + b"9" * 5000 + b"}",
    b"\0" * 500,
    b'{"a": 1, "a": ',
)


def with_header(base, text):
    """The file of a base with another text as its header, all checksums right."""
    rest = [Entry.of(f"{n}.npy", npy(a)) for n, a in base.arrays.items()]
    return archive([Entry.of("header.npy", npy(np.frombuffer(text, np.uint8))), *rest])


def one_field(base, rng):
    key = rng.choice([k for k in base.head if k != "arrays"])
    return base.with_arrays(base.arrays, **{key: _value(base.head[key], rng)})


def some_fields(base, rng):
    keys = rng.sample([k for k in base.head if k != "arrays"], rng.choice((2, 3)))
    return base.with_arrays(base.arrays, **{k: _value(base.head[k], rng) for k in keys})


def _value(old, rng):
    if isinstance(old, int) and not isinstance(old, bool) and rng.random() < 0.5:
        return max(old + rng.choice((-2, -1, 1, 2, 1000, old)), -5)
    value = rng.choice(_ODD)
    return "?" if value == "\ud800" else value


def pattern(base, rng):
    return base.with_arrays(base.arrays, tokenizer="regex", pattern=rng.choice(_PATTERNS))


def no_field(base, rng):
    head = {**base.head, "arrays": _told(base)}
    del head[rng.choice([*head])]
    return with_header(base, json.dumps(head).encode())


def another_field(base, rng):
    key = rng.choice(("max_types", "guard", "__proto__", "x" * 3000, "\x1b[2J", ""))
    return base.with_arrays(base.arrays, **{key: _value(5, rng)})


def _told(base):
    return {n: [a.dtype.str, list(a.shape)] for n, a in base.arrays.items()}


def odd_arrays(base, rng):
    told = _told(base)
    name = rng.choice([*told])
    told[name] = rng.choice(
        (
            None,
            [],
            ["|u1"],
            ["|u1", [2**70]],
            ["|u1", [-1]],
            ["<u8", told[name][1]],
            [told[name][0], [1, 2]],
            "abc",
            [told[name][0], ["5"]],
            [None, None],
            {"0": 1},
            [told[name][0], [1e400]],
            ["|O", [3]],
        )
    )
    if rng.random() < 0.2:
        told = rng.choice((None, [], "x", 5, {}, {"count_9": ["|u1", [0]]}))
    return with_header(base, json.dumps({**base.head, "arrays": told}).encode())


def twice(base, rng):
    """A key that stands twice: which one holds?"""
    text = json.dumps({**base.head, "arrays": _told(base)})
    key = rng.choice([*base.head])
    return with_header(base, (text[:-1] + f', "{key}": {json.dumps(_value(base.head[key], rng))}}}').encode())


def raw(base, rng):
    return with_header(base, rng.choice(_RAW))


def numbers(base, rng):
    """Numbers as JSON may spell them."""
    text = json.dumps({**base.head, "arrays": _told(base)})
    key = rng.choice(("order", "tokens", "types", "sequences", "corpus_bytes", "min_type_count", "version"))
    new = rng.choice(
        (
            "NaN",
            "Infinity",
            "-Infinity",
            "1e400",
            "1e3",
            "-0",
            "0.0",
            "3.0",
            "9" * 5000,
            "1E-400",
            "00",
            "0x5",
            "+1",
            "1.",
            "-",
        )
    )
    return with_header(base, text.replace(f'"{key}": {base.head[key]}', f'"{key}": {new}').encode())


def padded(base, rng):
    text = json.dumps({**base.head, "arrays": _told(base)})
    size = rng.choice((1000, (1 << 20) - len(text), 1 << 20, 3 << 20))
    way = rng.choice(
        (
            " " * size + text,
            text + "\n" * size,
            text[:-1] + ', "x": "' + "y" * size + '"}',
            text[:-1] + ', "x": ' + "[" * min(size, 90_000) + "]" * min(size, 90_000) + "}",
        )
    )
    return with_header(base, way.encode())


def bytes_of_it(base, rng):
    text = bytearray(json.dumps({**base.head, "arrays": _told(base)}).encode())
    for _ in range(rng.choice((1, 1, 3))):
        text[rng.randrange(len(text))] = rng.choice((rng.randrange(256), 0x22, 0x2C, 0x39))
    return with_header(base, bytes(text))


WAYS = (one_field, some_fields, pattern, no_field, another_field, odd_arrays, twice, raw, numbers, padded, bytes_of_it)


def mutate(base, rng, bases):
    """(what was done, the bytes)."""
    way = rng.choice((*WAYS, one_field, one_field, some_fields))
    return way.__name__, way(base, rng)
