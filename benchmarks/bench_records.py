"""Time of training on records beside the same text as plain lines, and of the parsers alone.

    python benchmarks/bench_records.py [--text FILE] [--megabytes 40] [--runs 5] [--jobs 2]

Every third line of the text begins a record; `chat` has JSON lines with more fields, a list among them. The model of
each format must have the bytes of the plain text's; exit code 1 where it has not. All commands take turns.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import make_text
import measure
from measure import Command, Measurements, say

SHARED = ["--unit", "line", "--order", "3", "--quiet"]


def records_of(text: Path, megabytes: float) -> Iterator[str]:
    """Records of three lines each, as one line."""
    size = 0
    with open(text, encoding="utf-8", errors="replace") as lines:
        held: list[str] = []
        for line in lines:
            held.append(line.strip().replace("\r", " "))
            if len(held) == 3:
                yield (one := " ".join(held))
                size += len(one)
                held = []
            if size > megabytes * 1e6:
                return


def write_files(folder: Path, texts: list[str]) -> dict[str, tuple[Path, list[str]]]:
    """Write the records in every format: name -> file and options."""
    rows = [
        {"id": i, "user": f"user{i % 997}", "text": text, "time": "2026-01-31T00:00:00Z"}
        for i, text in enumerate(texts)
    ]
    plain, jsonl, table = folder / "plain.txt", folder / "records.jsonl", folder / "records.csv"
    chat = folder / "chat.jsonl"
    more = {"channel": "general", "reply_to": None, "edited": False, "files": []}
    plain.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    jsonl.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    with open(chat, "w", encoding="utf-8") as file:
        for row in rows:
            reactions = [{"name": "thumbs up", "count": row["id"] % 7, "users": ["ann", "ben"]}]
            file.write(json.dumps(row | more | {"reactions": reactions}) + "\n")
    with open(table, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "user", "text", "time"])
        writer.writeheader()
        writer.writerows(rows)
    found = {
        "plain": (plain, []),
        "jsonl": (jsonl, ["--jsonl", "text"]),
        "chat": (chat, ["--jsonl", "text"]),
        "csv": (table, ["--csv", "text"]),
    }
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        say("no pyarrow here: Parquet left out")
    else:
        packed = folder / "records.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(rows), packed)
        found["parquet"] = (packed, ["--parquet", "text"])
    return found


def parser_seconds(path: Path, options: list[str]) -> float:
    """Seconds of the processor to read all records, without tokens or counts."""
    from markov_cli.text.reading import Repairs
    from markov_cli.text.record_blocks import read_records
    from markov_cli.text.record_format import record_format
    from markov_cli.text.sources import find_sources

    (source,) = find_sources([str(path)], records=record_format(**{options[0][2:]: options[1]}))

    def once() -> None:
        for _ in read_records(source, "utf-8", Repairs()):
            pass

    return best(once)


def best(call: Callable[[], None], runs: int = 3) -> float:
    """The least time of the processor."""
    seconds = []
    for _ in range(runs):
        begin = time.process_time()
        call()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def main() -> int:
    """Measure, and print the table."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--text", type=Path)
    asked.add_argument("--megabytes", type=float, default=40)
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--jobs", type=int, default=2)
    asked.add_argument("--work", type=Path)
    o = asked.parse_args()
    text = o.text or make_text.ensure_text(o.megabytes)
    with tempfile.TemporaryDirectory(dir=o.work) as name:
        folder = Path(name)
        files = write_files(folder, list(records_of(text, o.megabytes)))
        m = Measurements()
        commands = []
        for kind, (path, options) in files.items():
            train = [sys.executable, "-m", "markov_cli", "train", path, *options, *SHARED, "--jobs", str(o.jobs)]
            commands.append(Command(kind, [*train, "-o", folder / f"{kind}.npz"]))
        m.measure(commands, o.runs)
        plain, model = files["plain"][0].stat().st_size, (folder / "plain.npz").read_bytes()
        rows, wrong = [], False
        for kind, (path, options) in files.items():
            size, seconds = path.stat().st_size, m.wall_s(kind)
            same = (folder / f"{kind}.npz").read_bytes() == model
            wrong |= not same
            alone = f"{size / 1e6 / parser_seconds(path, options):.0f} MB/s" if options else "-"
            rows.append([
                kind, f"{size / 1e6:.1f} MB", f"{seconds:.2f} s", f"{size / 1e6 / seconds:.0f} MB/s",
                f"{seconds / m.wall_s('plain'):.2f}", alone, "same model" if same else "WRONG",
            ])  # fmt: skip
    print(f"{len(commands)} formats of one text of {plain / 1e6:.1f} MB, {o.jobs} threads, medians of {o.runs} runs\n")
    print(measure.table_text(["format", "file", "train", "of the file", "x plain", "parser alone", "answer"], rows))
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
