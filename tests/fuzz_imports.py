"""Run mutated files of other programs through `import`: `python tests/fuzz_imports.py --cases 20000 --seed 1`.

`--case N` runs one alone, shows what it is and keeps its file.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzzing.readers import KINDS, running


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cases", type=int, default=20_000)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--seed", type=int, help="drawn, and told, where none is given")
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--kinds", nargs="*", choices=[*KINDS])
    asked.add_argument("--case", type=int, help="this one alone")
    asked.add_argument("--keep", help="with --case: write its file here")
    o = asked.parse_args()
    if o.seed is None:
        o.seed = random.randrange(1 << 32)
    print(f"seed {o.seed}", file=sys.stderr)
    numbers = range(o.first, o.first + o.cases) if o.case is None else [o.case]
    if o.keep:
        kind, case = running.case_of(o.case, o.seed, list(o.kinds or KINDS))
        Path(o.keep).write_bytes(case.data)
        print(f"{o.keep}: {kind}, {case.way}, {len(case.data):,} bytes: {' '.join(case.options)}")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = running.run(numbers, o.seed, folder, o.jobs, o.kinds, lambda s: print(s, file=sys.stderr))
    print(f"{tally.cases:,} files, {time.monotonic() - begin:,.0f} s, seed {o.seed}")
    print("outcomes   " + ", ".join(f"{n:,} {k}" for k, n in sorted(tally.outcomes.items())))
    print(f"slowest    {tally.slowest:.2f} s of the processor for a command")
    print(f"memory     {tally.largest / 1e6:.0f} MB at most, beside Python with its modules")
    for peak, number, what in sorted(tally.memory)[-3:]:
        print(f"           {peak / 1e6:,.0f} MB: case {number}, {what}")
    for wrong, n in Counter(f[3][:90] for f in tally.findings).most_common():
        number, what, command, text = next(f for f in tally.findings if f[3][:90] == wrong)
        print(f"\n{n:,} x {text}\n  first: case {number}, {what}: {command}")
    print(f"\n{len(tally.findings):,} findings")
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
