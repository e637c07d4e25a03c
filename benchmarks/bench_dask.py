"""Processor time of each part of a training on a Dask cluster: the client, the scheduler, the workers (Linux).

    python benchmarks/bench_dask.py --text FILE [--order 3] [--workers 2] [--runs 3] [--out DIR]

The scheduler and the workers are processes of their own on this machine. The client's time is told by phase, and each
part by its unit (a token, a type, a row, a task). Exit code 1 if the model is not the one that training in memory
makes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from measure import machine, table_text

PORT = 8799
PHASES = {
    "reading": "text and vocabulary",
    "sorting": "sorting",
    "merging": "rows",
    "writing rows": "rows",
    "joining": "rows",
    "writing": "model file",
}


def seconds_of(pid: int) -> float:
    """Processor time of a process and its descendants."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        threads = Path(f"/proc/{pid}/task").glob("*/children")  # a child belongs to the thread that started it
        children = " ".join(path.read_text() for path in threads).split()
    except OSError:
        return 0.0
    own = sum(int(ticks) for ticks in stat[11:13]) / os.sysconf("SC_CLK_TCK")
    return own + sum(seconds_of(int(child)) for child in children)


def copied() -> int:
    """Bytes that this process has read and written so far, files and pipes; what sockets carry is not in it."""
    found = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(found["rchar"]) + int(found["wchar"])


def client(text: str, target: str, order: int) -> None:
    """Train as a client of the cluster that runs; print the figures as JSON."""
    import distributed

    from markov_cli.text.encoder import TextOptions
    from markov_cli.text.reading import find_sources
    from markov_cli.training.options import TrainOptions
    from markov_cli.training.plan import Resources, train_file

    tasks, by_phase, last = Counter(), Counter(), ["", time.process_time()]
    submit = distributed.Client.submit

    def counted(*args: object, **more: object) -> object:
        tasks["all"] += 1
        return submit(*args, **more)

    def progress(phase: str, done: float, total: float) -> None:
        now = time.process_time()
        by_phase[PHASES.get(last[0], last[0])] += now - last[1]
        last[:] = [phase, now]

    distributed.Client.submit = counted
    begin, before = time.perf_counter(), copied()
    options = TrainOptions(order=order, text=TextOptions.of("spaces", "line"))
    place = Resources(dask=f"tcp://127.0.0.1:{PORT}")
    made = train_file(find_sources([text]), options, target, place, progress)
    progress("", 1, 1)
    assert made.file is None
    figures = {"wall_s": time.perf_counter() - begin, "tasks": tasks["all"], "disk_bytes": copied() - before}
    print(json.dumps({**figures, "client_s": dict(by_phase)}))


def run(text: str, target: str, order: int, workers: int, folder: str) -> dict:
    """Train once on a new cluster."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}
    python = [sys.executable, "-m"]
    scheduler = [*python, "distributed.cli.dask_scheduler", "--port", str(PORT), "--no-dashboard"]
    worker = [*python, "distributed.cli.dask_worker", f"tcp://127.0.0.1:{PORT}", "--nthreads", "1", "--no-dashboard"]
    started = [subprocess.Popen(scheduler, env=env, **quiet)]
    time.sleep(3)
    for i in range(workers):
        where = ["--memory-limit", "6GB", "--local-directory", os.path.join(folder, f"worker{i}")]
        started.append(subprocess.Popen([*worker, *where], env=env, **quiet))
    time.sleep(4)
    try:
        idle = [seconds_of(p.pid) for p in started]
        this = [sys.executable, __file__, "--client", target, "--text", text, "--order", str(order)]
        figures = json.loads(subprocess.run(this, check=True, capture_output=True, text=True).stdout)
        used = [seconds_of(p.pid) - before for p, before in zip(started, idle, strict=True)]
        return {**figures, "scheduler_s": used[0], "workers_s": sum(used[1:])}
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait()


def main() -> int:
    """Measure, check and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--order", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.client:
        client(args.text, args.client, args.order)
        return 0

    import markov_cli
    from markov_cli.model import model_file

    with tempfile.TemporaryDirectory(dir=Path(args.text).parent) as folder:
        target, known = os.path.join(folder, "dask.npz"), os.path.join(folder, "memory.npz")
        runs = [run(args.text, target, args.order, args.workers, folder) for _ in range(args.runs)]
        markov_cli.train_file([args.text], known, order=args.order, tokenizer="spaces", unit="line")
        same = Path(target).read_bytes() == Path(known).read_bytes()
        file = model_file.load(known)
        rows_in_all = sum(len(order) for order in file.table.orders)
        units = {"token": file.header.tokens, "type": file.header.types, "row": rows_in_all}
        del file

    def median(of: str, phase: str | None = None) -> float:
        return statistics.median(r[of][phase] if phase else r[of] for r in runs)

    rows = []
    for who, seconds, unit in (
        ("workers: all steps", median("workers_s"), "token"),
        ("client: text and vocabulary", median("client_s", "text and vocabulary"), "type"),
        ("client: rows", median("client_s", "rows"), "row"),
        ("client: model file", median("client_s", "model file"), "row"),
    ):
        rows.append([who, f"{seconds:.1f}", f"{1e6 * seconds / units[unit]:.3f} us a {unit}"])
    rows.append(
        ["scheduler", f"{median('scheduler_s'):.1f}", f"{1e3 * median('scheduler_s') / runs[0]['tasks']:.1f} ms a task"]
    )
    table = table_text(["part", "processor s", "a unit"], rows)
    more = ", ".join(f"{n:,} {name}s" for name, n in units.items())
    disk = f"{median('disk_bytes') / units['row']:.0f} bytes a row read and written by the client"
    said = f"{more}, {runs[0]['tasks']:,} tasks; {median('wall_s'):.1f} s; {disk}; same bytes: {same}"
    print(f"{table}\n\n{said}")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "table.md").write_text(f"{table}\n\n{said}\n")
        facts = {"machine": machine(), "units": units, "runs": runs, "same_bytes": same}
        (args.out / "summary.json").write_text(json.dumps(facts, indent=1) + "\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
