"""Mutations that any text of lines and fields can have, and any file: bytes, lines, fields, encodings, compression."""

import bz2
import gzip
import lzma
import random
from dataclasses import dataclass, field

_LONGEST = 20_000_000  # characters of a line
NUMBERS = [
    "0",
    "-0",
    "1",
    "-1",
    "2",
    "40",
    "-99",
    "-100",
    "-999",
    "1e5",
    "-1e5",
    "1e999",
    "-1e999",
    "nan",
    "inf",
    "-inf",
    "0x10",
    "1_0",
    "",
    "+",
    "-",
    ".",
    "--1",
    "1.5",
    "-0.30103",
    "3e-46",
    "1e-400",
    "٣",
    "½",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "999999999999999999",
    "1000000000000000000",
    "9" * 40,
    "-" + "9" * 400,
]
WORDS = [
    "a",
    "b",
    "<s>",
    "</s>",
    "<unk>",
    "<UNK>",
    "<S>",
    "</S>",
    "￭",
    "￭a",
    "a￭",
    "\\u{20}",
    "\\u{DC80}",
    "\\u{110000}",
    "\\data\\",
    "\\end\\",
    "\\1-grams:",
    "ngram",
    "",
    "\u00a0",
    "\u2028",
    "\x00",
    "\x1f",
    "\x7f",
    "é",
    "\ud83d",
    "x" * 3000,
    "_NOUN_",
    "_END_",
    "🎉",
    "{",
    "[",
    '"',
]
_MARKS = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff"]


@dataclass
class Case:
    """A file, the command's options, the bytes of its text (decompressed), and its mutation."""

    data: bytes
    way: str
    options: list = field(default_factory=list)
    size: int = 0


def pick_word(rng):
    """A word, often a strange one."""
    return (
        rng.choice(WORDS)
        if rng.random() < 0.7
        else "".join(chr(rng.randrange(1, 0x3000)) for _ in range(rng.randint(1, 8)))
    )


def mutate_lines(lines, rng, split="\t"):
    """A list of lines with one to three mutations, and their names."""
    lines, ways = list(lines), []
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        way = rng.choice([*LINE_WAYS])
        ways.append(way)
        if lines:
            LINE_WAYS[way](lines, rng, split)
    return lines, "+".join(ways) or "as it was"


def _at(lines, rng):
    return rng.randrange(len(lines))


def _fields(lines, rng, split, change):
    i = _at(lines, rng)
    fields = lines[i].split(split)
    change(fields, rng)
    lines[i] = split.join(fields)


def _number(fields, rng):
    fields[rng.choice([0, -1, rng.randrange(len(fields))])] = rng.choice(NUMBERS)


def _word(fields, rng):
    j = rng.randrange(len(fields))
    words = fields[j].split(" ")
    words[rng.randrange(len(words))] = pick_word(rng)
    fields[j] = " ".join(words)


def _more(fields, rng):
    fields[rng.randrange(len(fields) + 1) : 0] = [rng.choice([pick_word(rng), rng.choice(NUMBERS)])] * rng.choice(
        [1, 1, 2, 50]
    )


def _fewer(fields, rng):
    del fields[rng.randrange(len(fields))]


def _drop(lines, rng, split):
    low = _at(lines, rng)
    del lines[low : low + rng.choice([1, 1, 2, 10])]


def _double(lines, rng, split):
    i = _at(lines, rng)
    lines[i:i] = [lines[i]] * rng.choice([1, 1, 3])


def _swap(lines, rng, split):
    i, j = _at(lines, rng), _at(lines, rng)
    lines[i], lines[j] = lines[j], lines[i]


def _insert(lines, rng, split):
    junk = ["", " ", "\t", "\r", "\x00", "#", "a", "-1", "\\", split * 3, " ".join(pick_word(rng) for _ in range(5))]
    lines.insert(_at(lines, rng), rng.choice(junk))


def _long(lines, rng, split):
    i = _at(lines, rng)
    between, times = rng.choice([" ", split]), rng.choice([10, 1000, 20_000])
    times = min(times, _LONGEST // max(len(lines[i]), 1))  # so that a line made long twice is no matter of memory
    lines[i] += between.join([lines[i]] * times)


def _join(lines, rng, split):
    i = _at(lines, rng)
    lines[i : i + 2] = ["".join(lines[i : i + 2])]


LINE_WAYS = {
    "number": lambda lines, rng, split: _fields(lines, rng, split, _number),
    "number ": lambda lines, rng, split: _fields(lines, rng, split, _number),
    "word": lambda lines, rng, split: _fields(lines, rng, split, _word),
    "word ": lambda lines, rng, split: _fields(lines, rng, split, _word),
    "more": lambda lines, rng, split: _fields(lines, rng, split, _more),
    "fewer": lambda lines, rng, split: _fields(lines, rng, split, _fewer),
    "drop": _drop,
    "double": _double,
    "swap": _swap,
    "insert": _insert,
    "long": _long,
    "join": _join,
    "shuffle": lambda lines, rng, split: rng.shuffle(lines),
}


def mutate_bytes(data, rng):
    """Bytes with a mutation that no line knows of, and its name."""
    data = bytearray(data)
    way = rng.choice(["flip", "cut", "insert", "repeat", "zero", *["none"] * 20])
    at = rng.randrange(len(data) + 1)
    if way == "flip":
        for _ in range(rng.choice([1, 2, 8])):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
    elif way == "cut":
        del data[at:]
    elif way == "insert":
        data[at:at] = rng.randbytes(rng.choice([1, 3, 40]))
    elif way == "repeat":
        data[at:at] = data[max(at - 200, 0) : at] * rng.choice([1, 3, 100])
    elif way == "zero":
        data[at:at] = bytes(rng.choice([1, 100, 5000]))
    return bytes(data), way


def encoded(lines, rng):
    """Lines as bytes: usually UTF-8 and newlines; sometimes marks, other encodings, other ends of lines."""
    end = rng.choice(["\n"] * 20 + ["\r\n", "\r", "\n\n"])
    text = end.join(lines) + rng.choice([end, end, ""])
    way = rng.choice(["utf-8"] * 40 + ["mark", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252"])
    if way == "mark":
        return rng.choice(_MARKS) + text.encode("utf-8", "replace"), way
    return text.encode(way, "replace"), way


def packed(data, rng):
    """Compressed, damaged or plain, and its name."""
    way = rng.choice(["plain"] * 60 + ["gzip", "bzip2", "xz", "two", "damaged", "cut", "bomb"])
    if way == "bomb":
        small = data[: len(data) // 2] + rng.choice([b" ", b"\n", b"a", b"1", b"\0", b"\t"]) * rng.choice(
            [1 << 20, 1 << 25, 1 << 27]
        )
        return gzip.compress(small, 1), way, len(small)
    pack = {"bzip2": bz2.compress, "xz": lzma.compress}.get(way, gzip.compress)
    if way == "plain":
        return data, way, len(data)
    out = pack(data)
    if way == "two":
        out += pack(b"a b\t40\n")
    if way == "damaged":
        out = bytearray(out)
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    if way == "cut":
        out = out[: rng.randrange(len(out))]
    return bytes(out), way, len(data)


def make_case(lines, rng, split, options):
    """A case from the lines of a good file."""
    lines, a = mutate_lines(lines, rng, split)
    data, b = encoded(lines, rng)
    data, c = mutate_bytes(data, rng)
    data, d, size = packed(data, rng)
    if rng.random() < 0.05:
        options = [
            *options,
            "--encoding",
            rng.choice(["latin-1", "utf-16", "utf-16-le", "cp1252", "utf-8", "shift_jis"]),
        ]
    return Case(data, "/".join((a, b, c, d)), options, size)


def fresh(seed):
    """A generator of its own."""
    return random.Random(seed)
