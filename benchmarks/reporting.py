"""What a benchmark prints and keeps."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import measure


def report(b: Any, out: Path, more: dict | None = None) -> int:
    """Print the tables and write the files; the exit code.

    b     has rows, notes and measurements (`m`)
    more  what else the summary holds
    """
    head = ["what", "against", "target", "result", ""]
    rows = [[r.what, r.against, r.target, r.result, r.verdict] for r in b.rows]
    checks = [*dict.fromkeys(str(c) for r in b.rows for c in r.checks)]
    where = measure.machine() | {"versions": versions()}
    lines = [measure.table_text(head, rows), "", measure.table_text(measure.TABLE_HEAD, b.m.table()), ""]
    lines += [f"- {n}" for n in b.notes] + [f"- {c}" for c in checks] + [f"- {k}: {v}" for k, v in where.items()]
    text = "\n".join(lines)
    print(text)
    out.mkdir(parents=True, exist_ok=True)
    b.m.write_csv(out / "raw.csv")
    (out / "table.md").write_text(text + "\n", encoding="utf-8")
    summary = {
        "machine": where,
        "notes": b.notes,
        "rows": [
            {
                "what": r.what,
                "against": r.against,
                "target": r.target,
                "result": r.result,
                "verdict": r.verdict,
                "checks": [{"what": c.what, "judge": c.judge, "agrees": c.agrees} for c in r.checks],
            }
            for r in b.rows
        ],
        "commands": b.m.summary(),
        **(more or {}),
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(any(r.verdict == "WRONG" for r in b.rows))


def versions() -> dict[str, str]:
    """Of the packages that matter."""
    found = {}
    for name in ("markov-ngrams", "numpy", "click", "rich", "markovify"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
