"""Shared helpers: a chi-squared measure, checks of errors, model files as bytes and arrays."""

import contextlib
import io
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from conftest import Ran, run_in_terminal
from markov_cli.api.model import Model
from markov_cli.cli.main import main
from markov_cli.generation.request import Request
from markov_cli.generation.run import Run


def chi_squared(seen, p, n):
    """Chi-squared of n draws against their probabilities, as a standard normal.

    Wilson and Hilferty (1931): the cube root of chi-squared over its degrees of freedom is
    almost normal, with mean 1 - 2/9f and variance 2/9f. Rare outcomes are pooled.
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
    """Check an error: this exit code, two lines on stderr, the second indented, nothing on stdout."""
    assert ran.code == code, ran.stderr
    lines = ran.stderr.splitlines()
    assert ran.stdout_bytes == b""
    assert len(lines) == 2, ran.stderr
    assert lines[0].startswith("markov: ")
    assert lines[1].startswith("  ")
    for word in words:
        assert word in ran.stderr


# a shell starts background jobs with SIGINT ignored; programs that the tests start would inherit that
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

MARKOV = [sys.executable, "-m", "markov_cli"]
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX processes")
full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")


def run_in_process(*args, stdin=b"", cwd=None):
    """Like `run_markov` of conftest.py, but in this process, which starts sooner."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    streams = [io.TextIOWrapper(io.BytesIO(x), encoding="utf-8", newline="") for x in (data, b"", b"")]
    before = Path.cwd()
    with contextlib.ExitStack() as patched:
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patched.enter_context(mock.patch.object(sys, name, stream))
        patched.enter_context(mock.patch.dict(os.environ, {"COLUMNS": "80"}))
        patched.callback(os.chdir, before)
        os.chdir(cwd or before)
        with pytest.raises(SystemExit) as ended:
            main.main([*map(str, args)])
        for stream in streams[1:]:
            stream.flush()
    out, err = (stream.buffer.getvalue() for stream in streams[1:])
    return Ran(subprocess.CompletedProcess(args, ended.value.code or 0, out, err))


def in_terminal(*args, columns=80, **env):
    """Run a command on a terminal of this width; returns what it shows and its exit code."""
    shown, code = run_in_terminal(*args, columns=columns, **env)
    return shown.decode(), code


def loaded(data):
    """Open the bytes of a model file as a model."""
    handle, path = tempfile.mkstemp()
    os.write(handle, data)
    os.close(handle)
    try:
        return Model.load(path)
    finally:
        os.unlink(path)  # the mapping outlives its name


def arrays_of(data):
    """All arrays of a model file, read by NumPy."""
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def header_of(data):
    return json.loads(arrays_of(data)["header"].tobytes())


def packed(arrays, /, **header):
    """A model file of these arrays with a header that fits them, written by NumPy."""
    head = json.loads(arrays["header"].tobytes())
    rest = {n: a for n, a in arrays.items() if n != "header"}
    head["arrays"] = {n: [a.dtype.str, list(a.shape)] for n, a in rest.items()}
    head.update(header)
    out = io.BytesIO()
    np.savez(out, header=np.frombuffer(json.dumps(head).encode(), np.uint8), **rest)
    return out.getvalue()


def bytes_of_arrays(tiny):
    """Offsets of the arrays' data in the file, which opening does not read."""
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


# An unusual ARPA file: `a c b` is listed and its suffix `c b` is not, so `c b` becomes a blank row. The unigrams
# sum to 1.1, the listed followers of `a` to 1.2, and the backoff of b is positive.
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
    """A run of a request; `asked` are fields of `Request`."""
    return Run(model.language_model, Request(**asked))


def bytes_of(model):
    """The bytes of a model's file."""
    out = io.BytesIO()
    model.save(out)
    return out.getvalue()
