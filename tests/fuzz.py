"""Run mutated model files through every command: `python tests/fuzz.py --cases 20000 --seed 1`.

What is looked for is in fuzzing/running.py. A finding is shown with the number of its case;
`--case N` runs that one alone, with every command, and keeps its file.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzzing import commands, running


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cases", type=int, default=20_000)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--seed", type=int, help="drawn, and told, where none is given")
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--kinds", nargs="*", choices=[*running.KINDS])
    asked.add_argument("--commands", type=int, default=4, help="run on each file that opens, beside --verify")
    asked.add_argument("--case", type=int, help="this one alone, with every command")
    asked.add_argument("--keep", help="with --case: write its file here")
    o = asked.parse_args()
    if o.seed is None:
        o.seed = random.randrange(1 << 32)
    print(f"seed {o.seed}: make fuzz SEED={o.seed} CASES={o.cases} runs these again", file=sys.stderr)
    numbers = range(o.first, o.first + o.cases) if o.case is None else range(o.case, o.case + 1)
    n_commands = o.commands if o.case is None else len(commands.CHEAP)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if o.keep:
            base, kind, way, data, _ = running.case_of(o.case, o.seed, running.prepare(folder), o.kinds)
            Path(o.keep).write_bytes(data)
            print(f"{o.keep}: {base.name}, {kind}, {way}, {len(data):,} bytes")
        tally = running.run(
            numbers, o.seed, folder, 1 if o.keep else o.jobs, o.kinds, n_commands, lambda s: print(s, file=sys.stderr)
        )
    print(f"{tally.cases:,} files, {tally.commands:,} commands, {time.monotonic() - begin:,.0f} s, seed {o.seed}")
    print("kinds      " + ", ".join(f"{n:,} {k}" for k, n in sorted(tally.kinds.items())))
    print("outcomes   " + ", ".join(f"{n:,} {k}" for k, n in sorted(tally.outcomes.items())))
    print(f"slowest    {tally.slowest:.2f} s of the processor for a command")
    print(f"memory     {tally.largest / 1e6:.0f} MB at most, beside the file's size and Python with its modules")
    print("other models, whole: " + (", ".join(f"{n:,} {k}" for k, n in sorted(tally.unseen.items())) or "none"))
    for what, n in Counter(f.what for f in tally.findings).most_common():
        first = next(f for f in tally.findings if f.what == what)
        print(f"\n{n:,} x {what}\n  first: case {first.case}, {first.base}, {first.kind}/{first.way}: {first.command}")
    print(f"\n{len(tally.findings):,} findings")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
