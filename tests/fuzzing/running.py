"""Runs mutated files through the program, each in a process of its own.

A case is a number; what it does follows from it and the seed alone. A case fails where the program
ends in anything but an answer or two lines of ours: a traceback, a signal, too much time or memory, a
file written or code run that it has no business with; or where `--verify` calls a file whole that is
another one, or that a command then stumbles over.
"""

import faulthandler
import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from . import bases, commands, contents, flips, headers, meanings, npy_lies, pairs, zip_lies

SECONDS = 4.0  # of the processor, for a command, at the pace that the run began with; 200 MB of JSON take 2 s
PATIENCE = 900.0  # of the clock, for a case: what takes so long on any machine waits for something
ROOM = 130_000_000  # bytes of memory beside those of the file and of the interpreter with its modules; xz takes 95 MB
_SHOWN = 1 << 26  # bytes of an output that are looked at: some tokens are long
_TRIES = 3  # a case that takes too long is run again: others may have held the memory and the caches
KINDS = {
    "flips": flips,
    "zip": zip_lies,
    "npy": npy_lies,
    "headers": headers,
    "contents": contents,
    "meanings": meanings,
    "pairs": pairs,
}
_WEIGHTS = (15, 10, 8, 12, 20, 20, 15)


@dataclass
class Finding:
    """A case that failed."""

    case: int
    base: str
    kind: str
    way: str
    command: str
    what: str


@dataclass
class Tally:
    """Results of many cases."""

    cases: int = 0
    commands: int = 0
    outcomes: Counter = field(default_factory=Counter)
    kinds: Counter = field(default_factory=Counter)
    slowest: float = 0.0  # seconds of the processor for a command
    largest: int = 0  # bytes of memory beyond the file's size and what the interpreter had at the start
    findings: list = field(default_factory=list)
    unseen: Counter = field(default_factory=Counter)  # lies that make another whole model

    def add(self, other):
        """Add what another worker found."""
        self.cases += other.cases
        self.commands += other.commands
        for mine, its in ((self.outcomes, other.outcomes), (self.kinds, other.kinds), (self.unseen, other.unseen)):
            mine.update(its)
        self.slowest, self.largest = max(self.slowest, other.slowest), max(self.largest, other.largest)
        self.findings += other.findings


def case_of(number, seed, found, kinds=None):
    """(base, kind, way, bytes, the generator for what follows) of one case."""
    rng = random.Random(f"{seed}/{number}")
    chosen = kinds or [*KINDS]
    weights = [w for k, w in zip(KINDS, _WEIGHTS, strict=True) if k in chosen]
    kind = rng.choices(chosen, weights)[0]
    base = rng.choice(found)
    way, data = KINDS[kind].mutate(base, rng, found)
    return base, kind, way, data, rng


# ------------------------------------------------------------ in the child


def _pace():
    """Seconds of the processor for some fixed work: more where other programs share its caches."""
    begin = time.process_time()
    sum(i * i for i in range(60_000))
    return time.process_time() - begin


_BEST = min(_pace() for _ in range(20))


def _seconds():
    """The limit for a command at the pace of this moment."""
    return SECONDS * min(max(_pace() / _BEST, 1.0), 5.0)


def _watch(folder, report):
    """Report whatever a model file has no business with: writing elsewhere, running things."""
    inside = os.path.realpath(folder)
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def hook(event, args):
        if event == "open" and (
            (isinstance(args[1], str) and set(args[1]) & set("wax+")) or (args[2] and args[2] & writes)
        ):
            path = os.path.realpath(os.fsdecode(args[0])) if isinstance(args[0], (str, bytes)) else inside
            if path != os.devnull and inside not in (path, os.path.dirname(path)):
                report(f"writes {path!r}")
        elif event in (
            "pickle.find_class",
            "os.system",
            "os.exec",
            "os.posix_spawn",
            "subprocess.Popen",
            "socket.connect",
        ):
            report(f"{event} {args!r:.80}")

    sys.addaudithook(hook)


def _run(arguments):
    """Run the program as `markov ARGUMENTS`: code, stdout, stderr."""
    from markov_cli.cli.main import main

    for fd in (1, 2):
        os.lseek(fd, 0, os.SEEK_SET)
        os.ftruncate(fd, 0)
    code = None
    try:
        main.main(arguments)
    except SystemExit as end:
        code = end.code
    except BaseException as error:
        code = f"{type(error).__name__}: {error}"
    sys.stdout.flush()
    sys.stderr.flush()
    return code, *(os.pread(fd, min(os.fstat(fd).st_size, _SHOWN), 0) for fd in (1, 2))


def _wrong(code, out, err):
    """A wrong end of a command in words; '' for a right one."""
    said = err.decode("utf-8", "replace")
    if code not in (0, 1, 2, 3) or "Traceback" in said:
        last = [x for x in said.splitlines() if x and not x.startswith((" ", "markov "))]
        place = [x.strip() for x in said.splitlines() if x.startswith("  File") and "markov_cli" in x]
        where = "" if not place else place[-1].split("markov_cli")[-1]
        return f"exit {code}: {last[-1] if last else ''} {where}"
    lines = said.splitlines()
    if code in (1, 2) and not (len(lines) >= 2 and lines[-2].startswith("markov: ") and lines[-1].startswith("  ")):
        return f"exit {code} without two lines: {said[:200]!r}"
    if code == 1 and ("allocate" in said or "not enough memory" in said):
        return f"memory: {said[:200]!r}"
    if any((ord(c) < 32 and c not in "\n\t") or ord(c) == 127 for c in said):
        return f"control characters on stderr: {said[:200]!r}"
    if "Warning" in said:
        return f"a warning: {said[:300]!r}"
    return ""


def _memory(what):
    """VmRSS or VmHWM, in bytes."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(what))
    return int(line.split()[1]) * 1024


def _child(pipe, folder, case, n_commands):
    """Make the file and run commands on it; one JSON line to the pipe for each thing that happens."""

    def tell(**what):
        os.write(pipe, json.dumps(what).encode() + b"\n")

    base, kind, way, data, rng = case_of(*case)
    tell(base=base.name, kind=kind, way=way)
    # an audit of the large base takes its seconds whether it is whole or not
    some = [c for c in commands.CHEAP if base.name != "large" or not c.startswith("audit")]
    lines = [commands.VERIFY, *rng.sample(some, min(n_commands, len(some)))]
    original = base.data
    os.chdir(folder)
    model = Path("model.npz")
    model.write_bytes(data)
    for fd in (1, 2):
        os.dup2(os.open(f"fd{fd}", os.O_RDWR | os.O_CREAT | os.O_TRUNC), fd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + len(data) + (1 << 30),) * 2)
    own = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the most memory is that of the commands, not of making the file
    _watch(".", lambda what: tell(wrong=what))
    whole, written = None, 0
    for line in lines:
        tell(begin=line)
        limit = _seconds()
        begin = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, limit)
        code, out, err = _run(
            commands.arguments(line, "model.npz", "../text.txt", "../part.txt", "../words.npz", "out")
        )
        signal.setitimer(signal.ITIMER_PROF, 0)
        tell(end=line, code=code if isinstance(code, int) else 70, seconds=time.process_time() - begin)
        made = Path("out").stat().st_size if Path("out").is_file() else 0
        written = max(written, os.fstat(1).st_size, made)
        wrong = _wrong(code, out, err)
        if wrong:
            tell(wrong=wrong)
        elif line == commands.VERIFY:
            whole = code == 0
            if whole and data != original:
                tell(unseen=True)
            if code == 1:
                break  # it does not open; nor will it for another command
        elif whole and code == 1 and b"damaged" in err.splitlines()[-1]:
            tell(wrong=f"--verify says whole, and: {err.decode('utf-8', 'replace')[:200]!r}")
        if model.read_bytes() != data:
            tell(wrong="the model file was written to")
            model.write_bytes(data)
    odd = {p.name for p in Path().iterdir()} - {"model.npz", "fd1", "fd2", "out"}
    if odd:
        tell(wrong=f"files left behind: {sorted(odd)}")
    # what is written is held as text, as JSON or lines of it, and as bytes
    tell(peak=max(_memory("VmHWM") - own - len(data) - 3 * written, 0))
    for name in odd | {"out"}:
        Path(name).unlink(missing_ok=True)


# ------------------------------------------------------------ in the worker


def run_case(number, seed, found, folder, tally, kinds=None, n_commands=6):
    """One case in a process of its own; again where it took too long."""
    for _ in range(_TRIES):
        told, status = _forked(folder, (number, seed, found, kinds), n_commands)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGPROF:
            break
    first = told.pop(0) if told and "base" in told[0] else {}
    _judge(tally, (number, first.get("base", ""), first.get("kind", ""), first.get("way", "")), told, status)


def _forked(folder, case, n_commands):
    """The report of a child on a case, and its exit status."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        status = 1
        try:
            faulthandler.disable()
            _child(write, folder, case, n_commands)
            status = 0
        except BaseException as error:
            os.write(write, json.dumps({"wrong": f"the fuzzer itself: {error!r}"}).encode() + b"\n")
        finally:
            os._exit(status)
    os.close(write)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    with os.fdopen(read, "rb") as pipe:
        told = [json.loads(line) for line in pipe.read().splitlines()]
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return told, status


def _judge(tally, case, told, status):
    tally.cases += 1
    tally.kinds[case[2]] += 1
    current, wrong = "", []
    for t in told:
        current = t.get("begin", current)
        if "wrong" in t:
            wrong.append((current, t["wrong"]))
        elif "end" in t:
            tally.commands += 1
            tally.slowest = max(tally.slowest, t["seconds"])
            if t["end"] == commands.VERIFY:
                tally.outcomes[{0: "whole", 1: "refused", 3: "damage found"}.get(t["code"], "other")] += 1
        elif "peak" in t:
            tally.largest = max(tally.largest, t["peak"])
            if t["peak"] > ROOM:
                wrong.append(("", f"memory: {t['peak'] / 1e6:.0f} MB beside the file"))
        elif "unseen" in t:
            if case[2] in ("flips", "zip", "npy"):
                wrong.append((current, "--verify says whole, and it is not the file that was written"))
            else:
                tally.unseen[f"{case[2]}/{case[3]}"] += 1
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        wrong.append((current, f"{SECONDS:g} s of the processor" if name == "SIGPROF" else f"killed by {name}"))
    tally.findings += [Finding(*case, command, what) for command, what in wrong]


def prepare(folder):
    """Import what the commands import, so that each process need not; returns the bases."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import pkgutil

    import rich.console
    import rich.table

    import markov_cli

    for module in pkgutil.walk_packages(markov_cli.__path__, "markov_cli."):
        if not module.name.endswith("__main__"):
            __import__(module.name)
    assert rich.console and rich.table
    return bases.make(folder)


def run(cases, seed, folder, jobs=1, kinds=None, n_commands=6, say=None):
    """Many cases, shared by `jobs` processes; a Tally."""
    found = prepare(folder)
    pipes = []
    for job in range(jobs):
        read, write = os.pipe()
        if not os.fork():
            os.close(read)
            tally = Tally()
            own = Path(folder) / f"job{job}"
            own.mkdir(exist_ok=True)
            for number in cases[job::jobs]:
                before = len(tally.findings)
                run_case(number, seed, found, own, tally, kinds, n_commands)
                for f in tally.findings[before:] if say else ():
                    say(f"case {f.case}, {f.base}, {f.kind}/{f.way}: {f.command}: {f.what}")
                if say and tally.cases % 250 == 0:
                    say(f"job {job}: {tally.cases} of {len(cases[job::jobs])} cases, {len(tally.findings)} findings")
            with os.fdopen(write, "wb") as pipe:
                pipe.write(json.dumps({**vars(tally), "findings": [vars(f) for f in tally.findings]}).encode())
            os._exit(0)
        os.close(write)
        pipes.append(read)
    whole = Tally()
    for read in pipes:
        with os.fdopen(read, "rb") as pipe:
            said = json.loads(pipe.read())
        os.wait()
        said["findings"] = [Finding(**f) for f in said["findings"]]
        for name in ("outcomes", "kinds", "unseen"):
            said[name] = Counter(said[name])
        whole.add(Tally(**said))
    return whole
