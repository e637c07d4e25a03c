"""Kill trainings and fill disks, and check that no model is lost: `make stress`.

Kills: a training on disk gets SIGKILL at random moments. Each time the output must be the old model or the
whole new one; at the end a run must succeed with the right bytes and leave no other file. Half of the runs use
--resume.

Full disks: the training runs on disks of growing size, made with mount (needs root and Linux). On each that is too
small it must exit 1 with two lines and leave no file.

Prints a table; exit code 1 if anything was lost.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

CORPORA = Path(__file__).parent.parent / "corpora"

# the program with limits so low that a small text is sorted on disk, in many runs
SPILLED = """
import sys
from markov_cli.training import on_disk, options
options.TrainOptions.token_bytes = 10**9
on_disk._MIN_BLOCK = on_disk._MAX_BLOCK = 20000
from markov_cli.cli.main import main
main(sys.argv[1:])
"""


def text(folder: Path, copies: int) -> Path:
    """The corpora of this project, several times, with new words in each copy."""
    whole = "\n\n".join(p.read_text(encoding="utf-8") for p in sorted(CORPORA.glob("*.txt")))
    path = folder / "text.txt"
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as f:
        for i in range(copies):
            f.write(" ".join(w if rng.random() < 0.9 else f"{w}{i}" for w in whole.split(" ")))
    return path


def command(path: Path, target: Path, *more: str) -> list[str]:
    """The training command."""
    return [sys.executable, "-c", SPILLED, "train", str(path), "-n", "4", "-o", str(target), "-q", *more]


def step_reached(folder: Path) -> str:
    """The last step in the journal of a run that was killed."""
    for journal in folder.glob(".model.npz.*/journal"):
        lines = journal.read_bytes().splitlines()
        if lines:
            try:
                return str(json.loads(lines[-1])[0]).split("_")[0]
            except ValueError:
                return "a line cut short"
    return "before anything was written"


def kills(folder: Path, n: int, seed: int) -> int:
    """Kill n runs; returns the number of failures."""
    path, target = text(folder, 8), folder / "model.npz"
    begin = time.monotonic()
    subprocess.run(command(path, target), check=True)
    seconds = time.monotonic() - begin
    whole = target.read_bytes()
    before = whole[:-1]  # begins as a model does: train replaces nothing else
    rng, bad, reached, ended = random.Random(seed), 0, Counter(), Counter()
    target.write_bytes(before)
    for i in range(n):
        more = ["--resume"] if i % 2 else []
        with subprocess.Popen(command(path, target, *more), stderr=subprocess.DEVNULL) as process:
            time.sleep(rng.uniform(0.05, 1.1 * seconds))
            process.kill()
        reached[step_reached(folder)] += 1
        found = target.read_bytes()
        ended["old" if found == before else "new" if found == whole else "LOST"] += 1
        if found not in (before, whole):
            bad += 1
        if found != before:
            target.write_bytes(before)
    done = subprocess.run(command(path, target), check=False).returncode
    left = [p.name for p in folder.iterdir() if p.name not in ("text.txt", "model.npz")]
    if done or target.read_bytes() != whole or left:
        bad += 1
    print(f"kills      {n}: the model was {dict(ended)}; a run after them: exit {done}, files left: {left or 'none'}")
    print(f"           killed after the step {dict(reached)}")
    return bad


@contextmanager
def disk(folder: Path, size: int):
    """A disk of this many bytes, in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def full_disks(folder: Path) -> int:
    """Train on disks from far too small to large enough; returns the number of failures."""
    path, small = text(folder, 8), folder / "disk"
    small.mkdir()
    bad, size, failed, worked = 0, 20_000, 0, 0
    while worked < 2:
        try:
            with disk(small, size):
                ran = subprocess.run(command(path, small / "model.npz"), capture_output=True, check=False)
                left = sorted(p.name for p in small.iterdir())
        except (OSError, subprocess.CalledProcessError):
            print("full disks skipped: a disk could not be mounted")
            return 0
        lines = ran.stderr.decode().splitlines()
        good = (
            left == ["model.npz"]
            if ran.returncode == 0
            else (ran.returncode == 1 and len(lines) == 2 and not left and "no space" in lines[0].lower())
        )
        if not good:
            bad += 1
            print(f"full disk  {size:,} bytes: exit {ran.returncode}, left {left}, said {lines}")
        failed, worked = failed + (ran.returncode != 0), worked + (ran.returncode == 0)
        size = int(size * 1.25)
    print(f"full disks {failed} too small, {worked} large enough (the last of {size:,} bytes): {bad} wrong")
    return bad


def main() -> None:
    """Run both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        bad += kills(Path(folder), args.kills, args.seed)
    with tempfile.TemporaryDirectory() as folder:
        bad += full_disks(Path(folder))
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
