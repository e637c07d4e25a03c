"""Runs cases of KINDS, many in each process, each with limits of time and memory.

A case fails where the program ends in anything but an answer or two lines of ours; where it takes too long or too much
memory; where it writes a model that `--verify` finds damaged, or that a command stumbles over; where it leaves other
files.
"""

import json
import os
import pkgutil
import random
import resource
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .. import running as models
from . import KINDS

ROOM = 260_000_000  # bytes of memory beside a file's; the longest lines that are read have 64 MB and are joined
EACH = (
    60  # and bytes for each of the file's, decompressed: a whole model is held in memory, with its n-grams as columns
)
BATCH = 40  # cases in a process
SECONDS = 8.0  # of the processor, for a command
TEXT = "a b w0 w1 the cat sat\nw0 w0 w1\n"


@dataclass
class Tally:
    """Results of many cases."""

    cases: int = 0
    outcomes: Counter = field(default_factory=Counter)
    findings: list = field(default_factory=list)
    slowest: float = 0.0
    largest: int = 0
    memory: list = field(default_factory=list)


def case_of(number, seed, kinds):
    """Kind, case and generator of a number."""
    rng = random.Random(f"{seed}/{number}")
    kind = rng.choice(kinds)
    return kind, KINDS[kind].case(rng)


def prepare():
    """Import what the commands import, once."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import rich.console
    import rich.table

    import markov_cli

    for module in pkgutil.walk_packages(markov_cli.__path__, "markov_cli."):
        if not module.name.endswith("__main__"):
            __import__(module.name)
    assert rich.console and rich.table


def _commands(options):
    yield "import", ["import", "given", "-o", "m.npz", *options]
    yield "verify", ["inspect", "m.npz", "--verify"]
    yield "score", ["score", "m.npz", "../text", "--json"]
    yield "wb", ["score", "m.npz", "../text", "--smoothing", "wb"]
    yield "generate", ["generate", "m.npz", "-s", "1", "-c", "2", "--max-tokens", "50"]
    yield "export", ["export", "m.npz", "-o", "-", "--smoothing", "wb"]


def _one(case, tell):
    """All commands on one case; stops where the import ends with an error."""
    Path("given").write_bytes(case.data)
    Path("/proc/self/clear_refs").write_text("5")
    own = models._memory("VmRSS")
    for name, line in _commands(case.options):
        tell(begin=name)
        limit = SECONDS * max(models._pace() / models._BEST, 1.0)
        signal.setitimer(signal.ITIMER_PROF, min(limit, 60.0))
        begin = os.times().user
        code, out, err = models._run(line)
        signal.setitimer(signal.ITIMER_PROF, 0)
        tell(end=name, code=code if isinstance(code, int) else 70, seconds=os.times().user - begin)
        if wrong := models._wrong(code, out, err):
            tell(wrong=wrong)
        said = err.decode("utf-8", "replace")
        if name == "verify" and code:
            tell(wrong=f"--verify: {out.decode('utf-8', 'replace')[:200]!r} {said[:200]!r}")
        if name not in ("import", "verify") and code == 1 and "damaged" in said:
            tell(wrong=f"damaged: {said[:200]!r}")
        if name == "import" and code:
            break
    peak = models._memory("VmHWM") - own
    tell(peak=peak)
    if peak > ROOM + EACH * case.size:
        tell(wrong=f"memory: {peak / 1e6:.0f} MB for {case.size / 1e6:.1f} MB")
    odd = {p.name for p in Path().iterdir()} - {"given", "m.npz", "fd1", "fd2"}
    if odd:
        tell(wrong=f"files left behind: {sorted(odd)}")
    for name in odd | {"given", "m.npz"}:
        Path(name).unlink(missing_ok=True)


def _child(pipe, folder, numbers, seed, kinds):
    def tell(**what):
        os.write(pipe, json.dumps(what).encode() + b"\n")

    os.chdir(folder)
    for fd in (1, 2):
        os.dup2(os.open(f"fd{fd}", os.O_RDWR | os.O_CREAT | os.O_TRUNC), fd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    used = models._memory("VmSize")
    resource.setrlimit(resource.RLIMIT_AS, (used + (3 << 30),) * 2)
    for number in numbers:
        kind, case = case_of(number, seed, kinds)
        tell(case=number, kind=kind, way=f"{case.way} {' '.join(case.options)}")
        _one(case, tell)
        if models._memory("VmSize") > used + (1 << 30):
            break  # the next cases want a process of their own


def run(numbers, seed, folder, jobs=1, kinds=(), say=None):
    """Many cases, shared by processes; a Tally."""
    prepare()
    kinds = list(kinds or KINDS)
    Path(folder, "text").write_text(TEXT, encoding="utf-8")
    numbers, tally = list(numbers), Tally()
    batches = [numbers[i : i + BATCH] for i in range(0, len(numbers), BATCH)]
    open_ones = []
    while batches or open_ones:
        while batches and len(open_ones) < jobs:
            open_ones.append(_start(batches.pop(0), seed, folder, kinds))
        child, pipe, batch = open_ones.pop(0)
        with os.fdopen(pipe, "rb") as read:
            told = [json.loads(line) for line in read.read().splitlines()]
        _, status = os.waitpid(child, 0)
        last = _judge(tally, told, status)
        rest = batch[batch.index(last) + 1 :] if last is not None else []
        if rest:
            batches.append(rest)
        if say and tally.cases % 2000 < BATCH:
            say(f"{tally.cases:,} cases, {len(tally.findings):,} findings")
    return tally


def _start(batch, seed, folder, kinds):
    read, write = os.pipe()
    own = Path(folder, f"job{batch[0]}")
    own.mkdir()
    child = os.fork()
    if not child:
        os.close(read)
        status = 1
        try:
            _child(write, own, batch, seed, kinds)
            status = 0
        except BaseException as error:
            os.write(write, json.dumps({"wrong": f"the fuzzer itself: {error!r}"}).encode() + b"\n")
        finally:
            os._exit(status)
    os.close(write)
    return child, read, batch


def _judge(tally, told, status):
    """Add what a process told; the number of its last case."""
    number, what, command = None, "", ""

    def find(wrong):
        tally.findings.append((number, what, command, wrong))

    for t in told:
        if "case" in t:
            number, what = t["case"], f"{t['kind']}: {t['way']}"
            tally.cases += 1
        command = t.get("begin", command)
        if "wrong" in t:
            find(t["wrong"])
        if "end" in t:
            tally.slowest = max(tally.slowest, t["seconds"])
            if t["end"] == "import":
                tally.outcomes[f"{what.split(':')[0]} {'read' if t['code'] == 0 else 'refused'}"] += 1
        if "peak" in t:
            tally.largest = max(tally.largest, t["peak"])
            tally.memory.append((t["peak"], number, what))
    if status:
        name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        find("too slow" if name == "SIGPROF" else f"ended by {name}")
    return number
