"""Helpers that several test modules share."""

import io
import json
import math
import os
import sys
import tempfile
import zipfile

import numpy as np
import pytest

from conftest import run_in_terminal
from markov_cli.api.model import Model
from markov_cli.generation.request import Request
from markov_cli.generation.run import Run


def chi_squared(seen, p, n):
    """How far n draws are from their probabilities, in units of a standard normal.

    Wilson and Hilferty (1931): the cube root of chi-squared over its degrees of freedom is
    almost normal, with mean 1 - 2/9f and variance 2/9f. Rare outcomes are put together.
    """
    expected = sorted(((n * p[i], seen[i]) for i in p), reverse=True)
    groups = [e for e in expected if e[0] >= 5]
    rest = [e for e in expected if e[0] < 5]
    if sum(e for e, _ in rest) >= 5:
        groups.append((sum(e for e, _ in rest), sum(s for _, s in rest)))
    f = len(groups) - 1
    if f < 1:
        return 0.0
    x = sum((s - e) ** 2 / e for e, s in groups)
    return ((x / f) ** (1 / 3) - (1 - 2 / (9 * f))) / math.sqrt(2 / (9 * f))


def two_lines(ran, code, *words):
    """An error: two lines on stderr, the second indented, nothing on stdout, no traceback."""
    assert ran.code == code, ran.stderr
    lines = ran.stderr.splitlines()
    assert ran.stdout_bytes == b""
    assert len(lines) == 2, ran.stderr
    assert lines[0].startswith("markov: ")
    assert lines[1].startswith("  ")
    for word in words:
        assert word in ran.stderr


MARKOV = [sys.executable, "-m", "markov_cli"]
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX processes")


def in_terminal(*args, columns=80):
    """What a command shows on a terminal of that width, and its exit code."""
    shown, code = run_in_terminal(*args, columns=columns)
    return shown.decode(), code


def loaded(data):
    """The same model through a file."""
    handle, path = tempfile.mkstemp()
    os.write(handle, data)
    os.close(handle)
    try:
        return Model.load(path)
    finally:
        os.unlink(path)  # the mapping outlives its name


def arrays_of(data):
    """All members, as NumPy itself reads them."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def header_of(data):
    return json.loads(arrays_of(data)["header"].tobytes())


def packed(arrays, /, **header):
    """A file of these arrays, and of a header that fits them, by NumPy's own writer."""
    head = json.loads(arrays["header"].tobytes())
    rest = {n: a for n, a in arrays.items() if n != "header"}
    head["arrays"] = {n: [a.dtype.str, list(a.shape)] for n, a in rest.items()}
    head.update(header)
    out = io.BytesIO()
    np.savez(out, header=np.frombuffer(json.dumps(head).encode(), np.uint8), **rest)
    return out.getvalue()


def bytes_of_arrays(tiny):
    """Where in the file the arrays' own bytes stand: what opening does not look at."""
    found = []
    with zipfile.ZipFile(io.BytesIO(tiny)) as archive:
        for info in archive.infolist():
            size = arrays_of(tiny)[info.filename.removesuffix(".npy")].nbytes
            start = info.header_offset
            extra = sum(int.from_bytes(tiny[start + i : start + i + 2], "little") for i in (26, 28))
            end = start + 30 + extra + info.file_size
            if info.filename != "header.npy":
                found += range(end - size, end)
    return found


# `b a` has a backoff, and its own end `a` has it too; but `c b` is a blank: `a c b` is there and `c b` is not.
# The types of the empty history sum to 1.1, those behind `a` listed here to 1.2, and b has a positive backoff.
ODD = """
\\data\\
ngram 1=6
ngram 2=4
ngram 3=3

\\1-grams:
-1.0\t<unk>\t0
-99\t<s>\t-0.2
-0.69897\t</s>
-0.60206\ta\t-0.5
-0.60206\tb\t0.3
-0.5228787\tc\t-0.1

\\2-grams:
-0.09691\ta c\t-0.3
-0.39794\ta b\t-0.2
-0.30103\t<s> a\t-0.1
-0.69897\tb a\t-0.4

\\3-grams:
-0.30103\ta c b
-0.2\tb a c
-0.5\t<s> a b

\\end\\
"""


def run_of(model, **asked):
    """A request under way; `asked` are fields of `Request`."""
    return Run(model.language_model, Request(**asked))


def bytes_of(model):
    import io

    out = io.BytesIO()
    model.save(out)
    return out.getvalue()
