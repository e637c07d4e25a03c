"""Run mutated texts through the readers: `python tests/fuzz_readers.py --cases 20000 --seed 1`.

Records of every format, pages, subtitles, ARPA files and lists of counts. A case fails where the program ends in
anything but an answer
or two lines of ours: a traceback, a signal, too much time or memory. `--case N` runs one alone,
`--keep` keeps its file.
"""

import argparse
import faulthandler
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzzing import running, texts

TEXT = b"The cat sat on the mat. The dog's mat!\n"


def child(pipe, number, seed, parquet, kinds):
    """One case: one JSON line to the pipe for each thing that happens. The folder is the current one."""

    def tell(**what):
        os.write(pipe, json.dumps(what).encode() + b"\n")

    kind, way, data, rng = texts.case(number, seed, parquet, kinds)
    tell(base=kind, kind=kind, way=way)
    names = {
        "IN": f"in.{kind}",
        "OUT": "out.npz",
        "GROUPS": "groups/{}.npz",
        "MODEL": "../model.npz",
        "TEXT": "../text.txt",
    }
    Path(names["IN"]).write_bytes(data)
    for fd in (1, 2):
        os.dup2(os.open(f"fd{fd}", os.O_RDWR | os.O_CREAT | os.O_TRUNC), fd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + len(data) + (1 << 30),) * 2)
    own = running._memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    written = 0
    for line in texts.commands(kind, rng):
        tell(begin=line)
        begin = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, running._seconds())
        code, out, err = running._run([names.get(word, word) for word in line.split()])
        signal.setitimer(signal.ITIMER_PROF, 0)
        tell(end=line, code=code if isinstance(code, int) else 70, seconds=time.process_time() - begin)
        written = max(written, len(out))
        if wrong := running._wrong(code, out, err):
            tell(wrong=wrong)
        made = [*Path().glob("groups/*"), *Path().glob("out.npz")]
        written = max(written, sum(path.stat().st_size for path in made))
        if code == 0 and line.startswith(("train", "import")) and not made:
            tell(wrong="exit 0 without a model")
        if code and made and "GROUPS" not in line:
            tell(wrong=f"exit {code}, and {made[0]} is there")
        for path in made:
            path.unlink()
        odd = {p.name for p in Path().iterdir()} - {names["IN"], "fd1", "fd2", "groups"}
        if odd:
            tell(wrong=f"files left behind: {sorted(odd)}")
    tell(peak=max(running._memory("VmHWM") - own - len(data) - 3 * written, 0))


def run_case(number, seed, parquet, kinds, tally):
    """One case in a process of its own; again where it took too long."""
    for _ in range(3):
        for old in Path().glob("in.*"):
            old.unlink()
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            status = 1
            try:
                os.close(read)
                faulthandler.disable()
                child(write, number, seed, parquet, kinds)
                status = 0
            except BaseException as error:
                os.write(write, json.dumps({"wrong": f"the fuzzer itself: {error!r}"}).encode() + b"\n")
            finally:
                os._exit(status)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            told = [json.loads(line) for line in pipe.read().splitlines()]
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGPROF:
            break
    first = told.pop(0) if told and "base" in told[0] else {}
    codes = Counter(
        {0: "done", 1: "refused", 2: "refused", 3: "no"}.get(t["code"], "other") for t in told if "end" in t
    )
    tally.outcomes.update(codes)
    running._judge(tally, (number, first.get("base", ""), first.get("kind", ""), first.get("way", "")), told, status)


def run(numbers, seed, folder, jobs=1, kinds=None, say=None):
    """Many cases, shared by `jobs` processes; a Tally."""
    running.prepare(folder)
    import markov_cli

    Path(folder, "text.txt").write_bytes(TEXT)
    markov_cli.train(texts=TEXT.decode() * 3).save(f"{folder}/model.npz")
    parquet = texts.make(folder)
    if parquet:  # imported once, for all processes
        __import__("pyarrow.parquet")
        __import__("pyarrow.compute")
    pipes = []
    for job in range(jobs):
        read, write = os.pipe()
        if not os.fork():
            os.close(read)
            tally, own = running.Tally(), Path(folder) / f"readers{job}"
            own.mkdir(exist_ok=True)
            os.chdir(own)
            for number in numbers[job::jobs]:
                before = len(tally.findings)
                run_case(number, seed, parquet, kinds, tally)
                for f in tally.findings[before:] if say else ():
                    say(f"case {f.case}, {f.kind}/{f.way}: {f.command}: {f.what}")
                if say and tally.cases % 1000 == 0:
                    say(f"job {job}: {tally.cases} of {len(numbers[job::jobs])} cases, {len(tally.findings)} findings")
            import pickle

            with os.fdopen(write, "wb") as out:
                pickle.dump(tally, out)
            os._exit(0)
        os.close(write)
        pipes.append(read)
    import pickle

    whole = running.Tally()
    for read in pipes:
        with os.fdopen(read, "rb") as pipe:
            whole.add(pickle.load(pipe))
        os.wait()
    return whole


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cases", type=int, default=20_000)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--seed", type=int, help="drawn, and told, where none is given")
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--kinds", nargs="*", choices=[*texts.KINDS])
    asked.add_argument("--case", type=int, help="this one alone")
    asked.add_argument("--keep", help="with --case: write its file here")
    o = asked.parse_args()
    if o.seed is None:
        o.seed = random.randrange(1 << 32)
    numbers = range(o.first, o.first + o.cases) if o.case is None else range(o.case, o.case + 1)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if o.keep:
            kind, way, data, _ = texts.case(o.case, o.seed, texts.make(folder), o.kinds)
            Path(o.keep).write_bytes(data)
            print(f"{o.keep}: {kind}, {way}, {len(data):,} bytes")
        tally = run(numbers, o.seed, folder, o.jobs, o.kinds, lambda s: print(s, file=sys.stderr))
    print(f"{tally.cases:,} files, {tally.commands:,} commands, {time.monotonic() - begin:,.0f} s, seed {o.seed}")
    print("kinds      " + ", ".join(f"{n:,} {k}" for k, n in sorted(tally.kinds.items())))
    print("outcomes   " + ", ".join(f"{n:,} {k}" for k, n in sorted(tally.outcomes.items())))
    print(f"slowest    {tally.slowest:.2f} s of the processor for a command")
    print(f"memory     {tally.largest / 1e6:.0f} MB at most, beside the file's size and Python with its modules")
    for what, n in Counter(f.what for f in tally.findings).most_common():
        first = next(f for f in tally.findings if f.what == what)
        print(f"\n{n:,} x {what}\n  first: case {first.case}, {first.kind}/{first.way}: {first.command}")
    print(f"\n{len(tally.findings):,} findings")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
