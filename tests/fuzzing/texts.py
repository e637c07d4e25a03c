"""Mutated texts for the readers: records of every format, ARPA files, lists of counts."""

import gzip
import json
import random
import re
import subprocess
import sys

WORDS = ["the", "cat", "sat", "on", "a", "mat", "dog's", "3.14", "é", "猫", "Σ", "👩", ".", "!", ","]
PIECES = [
    b'"', b'""', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\t", b";", b"\n", b"\r\n", b"\r", b"\0", b" ", b"'",
    b"null", b"true", b"1e999", b"-1", b"NaN", b"Infinity", b"9" * 40, b"9" * 6000, b"\\ud800", b"\\u0000", b"\\x",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", "\u2028".encode(), b"\x1b[31m",
    b"[" * 3000, b'{"a":' * 3000, b"x" * 70_000, b'"' * 1001, b",\n" * 500, b"\\data\\", b"\\1-grams:", b"ngram 1=",
    b"\\end\\", b"<s>", b"</s>", b"<unk>", b"-99", b"2**40", b"0", b"\x1f\x8b\x08", b"PAR1", b"text", b"who",
    b"<", b">", b"<!--", b"-->", b"</", b"<script>", b"</script>", b"<p a='", b"&", b"&#x", b"<pre>", b" --> ",
    b"<a '" * 9000, b"00:00:01,000 --> 00:00:02,000\n" * 900,
]  # fmt: skip


def _records(rng, n):
    return [
        {
            "who": rng.choice(["ann", "bob", "a/b", "é", 7]),
            "text": " ".join(rng.choices(WORDS, k=rng.randrange(9))),
            "n": rng.randrange(4),
            "in": {"text": rng.choice(WORDS)},
        }
        for _ in range(n)
    ]


def _jsonl(rng):
    return "".join(json.dumps(r, ensure_ascii=rng.random() < 0.5) + "\n" for r in _records(rng, 12)).encode()


def _csv(rng, delimiter=","):
    quoted = rng.random() < 0.7
    rows = [["who", "text", "n"], *([str(r["who"]), r["text"], str(r["n"])] for r in _records(rng, 12))]

    def cell(c):
        c = c.replace(" ", "\n", 1) if quoted and rng.random() < 0.2 else c
        return '"' + c.replace('"', '""') + '"' if quoted else c.replace(delimiter, " ")

    return "".join(delimiter.join(map(cell, row)) + "\n" for row in rows).encode()


def _counted(rng):
    return "".join(f"{r['text']}\t{r['n']}\n" for r in _records(rng, 12)).encode()


def _counts(rng):
    grams = {(a,): rng.randrange(1, 9) for a in WORDS[:5]}
    grams |= {tuple(rng.choices(WORDS[:5], k=2)): rng.randrange(1, 4) for _ in range(9)}
    return "".join(f"{' '.join(g)}\t{n}\n" for g, n in sorted(grams.items())).encode()


def _arpa(rng):
    words = ["<unk>", "<s>", "</s>", *WORDS[:5]]
    pairs = sorted({tuple(rng.choices(words[3:], k=2)) for _ in range(6)})
    out = ["prose first", "", "\\data\\", f"ngram 1={len(words)}", f"ngram 2={len(pairs)}", "", "\\1-grams:"]
    out += [f"-{rng.random() + 0.5:.4f}\t{w}\t-0.3" for w in words]
    out += ["", "\\2-grams:", *(f"-0.{rng.randrange(100, 999)}\t{a} {b}" for a, b in pairs), "", "\\end\\", ""]
    return "\n".join(out).encode()


def _html(rng):
    tags = ["<p>", "</p>", "<br>", "<b class='x'>", "</b>", "<!-- c -->", "<script>a<b</script>", "<pre>", "&amp;",
            "&#233;", '<meta charset="cp1252">', '<a title="x>y">', "<td>", "<!DOCTYPE html>"]  # fmt: skip
    return "".join(rng.choice(tags) + " ".join(rng.choices(WORDS, k=rng.randrange(5))) for _ in range(20)).encode()


def _srt(rng):
    cues = [
        f"{i}\n00:00:0{i},000 --> 00:00:0{i},900\n<i>{' '.join(rng.choices(WORDS, k=4))}</i>\n{{\\an8}}a\n\n"
        for i in range(1, 9)
    ]
    return (rng.choice(("", "WEBVTT\n\nNOTE x\n\n")) + "".join(cues)).encode()


def _marked(rng):
    lines = [f"<s> {' '.join(rng.choices([*WORDS, '<unk>'], k=5))} </s>\n" for _ in range(12)]
    return "".join(lines).encode()


KINDS = {
    "jsonl": _jsonl,
    "csv": _csv,
    "tsv": lambda rng: _csv(rng, "\t"),
    "counted": _counted,
    "parquet": None,  # made once, where pyarrow is installed
    "arpa": _arpa,
    "counts": _counts,
    "html": _html,
    "srt": _srt,
    "marked": _marked,
}
_OPTION = {
    "html": ("--strip html",),
    "srt": ("--strip srt",),
    "marked": ("--markers borders", "--markers space"),
}
_PARQUET = """
import pyarrow, sys
from pyarrow import parquet
rows = [{"who": "ann", "text": "the cat", "n": 1, "in": {"text": "a"}},
        {"who": "bob", "text": None, "n": 2, "in": None},
        {"who": "cid", "text": "a dog. a mat.", "n": 0, "in": {"text": "b"}}] * 4
parquet.write_table(pyarrow.Table.from_pylist(rows), sys.argv[1], row_group_size=5, compression=sys.argv[2])
"""


def make(folder):
    """Parquet files in the folder, for `case`; none without pyarrow. Other processes make them: it has threads."""
    made = []
    for how in ("none", "snappy", "zstd"):
        path = f"{folder}/{how}.parquet"
        done = subprocess.run([sys.executable, "-c", _PARQUET, path, how], capture_output=True, check=False)
        if done.returncode == 0:
            with open(path, "rb") as file:
                made.append(file.read())
    return made


def case(number, seed, parquet, kinds=None):
    """(kind, ways, bytes, the generator for what follows) of one case."""
    rng = random.Random(f"{seed}/{number}")
    chosen = [k for k in kinds or KINDS if k != "parquet" or parquet]
    kind = rng.choice(chosen)
    data = rng.choice(parquet) if kind == "parquet" else KINDS[kind](rng)
    ways = []
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        way = rng.choice(WAYS)
        ways.append(way.__name__)
        data = way(data, rng)
    if rng.random() < 0.05:
        packed = gzip.compress(data)
        data = cut(packed, rng) if rng.random() < 0.3 else flip(packed, rng) if rng.random() < 0.5 else packed
        ways.append("gzip")
    return kind, "+".join(ways), data, rng


def _at(data, rng):
    """A place; half the time beside a mark."""
    marks = [m.start() for m in re.finditer(rb'["{}\[\],:\t\n\\]', data)] if rng.random() < 0.5 else []
    return rng.choice(marks) + rng.randrange(2) if marks else rng.randrange(len(data) + 1)


def insert(data, rng):
    at = _at(data, rng)
    return data[:at] + rng.choice(PIECES) + data[at:]


def replace(data, rng):
    at = _at(data, rng)
    piece = rng.choice(PIECES)
    return data[:at] + piece + data[at + len(piece) :]


def flip(data, rng):
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 30))):
        if out:
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def cut(data, rng):
    return data[: rng.randrange(len(data) + 1)]


def drop(data, rng):
    a, b = sorted((_at(data, rng), _at(data, rng)))
    return data[:a] + data[b:]


def double(data, rng):
    a, b = sorted((_at(data, rng), _at(data, rng)))
    return data[:b] + data[a:b] * rng.choice((1, 2, 20)) + data[b:]


def swap(data, rng):
    lines = data.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def renumber(data, rng):
    found = [*re.finditer(rb"\d+", data)]
    if not found:
        return data
    m = rng.choice(found)
    number = rng.choice((0, 1, 2**31, 2**40 + 1, 2**63, 10**30, -5))
    return data[: m.start()] + str(number).encode() + data[m.end() :]


def encode(data, rng):
    text = data.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp037")), "replace")


WAYS = [insert, insert, replace, flip, cut, drop, double, swap, renumber, encode]


def _train(rng, option):
    unit = rng.choice(("sentence", "line", "file"))
    tokenizer = rng.choice(("words", "words", "chars", "spaces", "regex"))
    return f"train IN {option} --unit {unit} --tokenizer {tokenizer} -n 2 -o OUT"


def commands(kind, rng):
    """The commands for a file of this kind: `IN` is the file, `OUT` and `GROUPS` what is made, `MODEL` a model."""
    if kind in ("arpa", "counts"):
        some = rng.choice(("import IN -o OUT", "import IN -o OUT --format " + kind))
        return [some + (" -n 2" if kind == "counts" and rng.random() < 0.5 else "")]
    if kind in _OPTION:
        option = rng.choice(_OPTION[kind])
        return [
            _train(rng, option),
            rng.choice((f"score MODEL IN {option} --each line", f"trace TEXT --corpus IN {option}")),
        ]
    if kind == "counted":
        option = "--weights"
    else:
        field = rng.choice(("text", "text", "text", "in.text", "who", "2"))
        option = f"--{'csv' if kind == 'tsv' else kind} {field}"
    bad = rng.choice((" --skip-bad", " --skip-bad", ""))
    if rng.random() < 0.2:
        bad += rng.choice((" --strip html", " --strip srt", " --markers borders"))
    lines = [_train(rng, option + bad)]
    if kind != "counted":
        more = rng.choice(
            (
                f"train IN {option}{bad} --group-by who -o GROUPS",
                f"train IN {option}{bad} --weights-field n -o OUT",
                f"score MODEL IN {option}{bad}",
                f"score MODEL IN {option}{bad} --cut 3,30",
                f"score MODEL IN {option}{bad} --model MODEL --classify --label who",
                f"trace TEXT --corpus IN {option}{bad}",
            )
        )
        lines.append(more)
    return lines
