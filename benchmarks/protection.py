"""Perplexity that each protection costs, and the text that a protected model still reveals.

    python benchmarks/protection.py TEXT [--orders 3,5] [--dp 10,4,1] [--out FILE]

TEXT is split into sequences at its blank lines. Every tenth is held out. If sequences open with a line that ends in
a colon, as in a play, each speaker has a file of their own, so --min-files counts people. Tokens are separated by
white space. For each setting:

rows       n-grams of order 2 and more
wb, kn     perplexity of the held-out tenth, Witten-Bell and Kneser-Ney, words outside the vocabulary included
certain    share of tokens in strings of 10 or more that the table proves to be in the text, from the table alone
covered    share of the text's tokens inside such a string, of any order
secrets    the planted secrets with all their n-grams in the table: `1` occurs once in one sequence, `r` five
           times in one, `s` once in each of five sequences of one speaker

--dp adds models of noisy counts. An n-gram counts once in a sequence, and a sequence is cut after 30 tokens, so it
changes at most 32 counts of each order by 1. Each order has Gaussian noise with sigma^2 = 32 / (2 rho) and a threshold
that hides, up to delta, the n-grams of one sequence only. In all, rho = (sqrt(ln 1/delta + epsilon) - sqrt(ln
1/delta))^2, zCDP (Bun and Steinke 2016), shared evenly by the orders; delta is 1e-6, half of it for the thresholds.
The types count as public: private ones would cost more. Sequences are protected, not speakers. The text is not kept.
"""

from __future__ import annotations

import argparse
import csv
import math
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from markov_cli import Model, train
from markov_cli.evidence.model_evidence import audit
from markov_cli.model.building import build_table, levels_of
from markov_cli.model.language_model import LanguageModel
from markov_cli.model.thresholds import Protected, followed

EVERY = 10  # one sequence in this many is held out
LEAST = 10  # tokens of a string
CUT = 30  # tokens of a sequence that count, for --dp
DELTA = 1e-6
SECRETS = {
    "1": "zq the first code of the old gate is zq11 zq12 zq13 zq14 zq15",
    "r": "zr the second code of the old gate is zr21 zr22 zr23 zr24 zr25",
    "s": "zs the third code of the old gate is zs31 zs32 zs33 zs34 zs35",
}
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("nothing", {}),
    ("--order 1", {"order": 1}),
    ("--prune 0,..,1, top only", {"prune": "top"}),
    ("--prune 0,1", {"prune": (0, 1)}),
    ("--prune 0,2", {"prune": (0, 2)}),
    ("--prune 0,4", {"prune": (0, 4)}),
    ("--cap-per-sequence 1", {"cap_per_sequence": 1}),
    ("--min-sequences 2", {"min_sequences": 2}),
    ("--min-sequences 3", {"min_sequences": 3}),
    ("--min-sequences 5", {"min_sequences": 5}),
    ("--min-files 2", {"min_files": 2}),
    ("--min-files 3", {"min_files": 3}),
    ("--min-files 5", {"min_files": 5}),
]


def sequences(text: str) -> list[tuple[str, str]]:
    """(speaker, sequence); every speaker is empty unless half of the sequences have one."""
    out = []
    for part in re.split(r"\n[ \t]*\n", text):
        if part.split():
            named = re.match(r"\s*([^\n]+):(\n|$)", part)
            out.append((named[1] if named else "", part.strip()))
    if 2 * sum(who != "" for who, _ in out) < len(out):
        return [("", part) for _, part in out]  # not a play; a few paragraphs begin with a colon line by chance
    return out


def planted(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The sequences with the three secrets added, all by the first speaker."""
    who = parts[0][0]
    repeated = " ".join([SECRETS["r"]] * 5)
    return [*parts, (who, SECRETS["1"]), (who, repeated), *[(who, SECRETS["s"])] * 5]


def files_of(parts: list[tuple[str, str]], folder: Path) -> int:
    """Write a file for each speaker; returns their number."""
    by = defaultdict(list)
    for who, part in parts:
        by[who].append(part)
    for i, those in enumerate(by.values()):
        (folder / f"{i:04}.txt").write_text("\n\n".join(those) + "\n", encoding="utf-8")
    return len(by)


def knows(model: Model, secret: str) -> bool:
    """True if all n-grams of a secret, of the highest order, are in the table."""
    ids, n = model.known(secret).ids, model.order
    return n > 1 and all(model.table.row_of(ids[i : i + n]) >= 0 for i in range(len(ids) - n + 1))


def covered(model: Model, parts: list[tuple[str, str]]) -> float:
    """The share of the text's tokens inside a string of `LEAST` tokens or more that some order proves."""
    found = defaultdict(set)
    for order in range(2, model.order + 1):  # a lower order may be unpruned
        strings = audit(model, order, LEAST).strings
        if strings is None:
            continue
        begin = np.cumsum(strings.size) - strings.size
        for a, n in zip(begin.tolist(), strings.size.tolist(), strict=True):
            words = tuple(model.vocabulary.join_one(strings.ids[a : a + n].tolist()).split())
            found[words[:LEAST]].add(words)
    lines = [tuple(part.split()) for _, part in parts]
    inside = 0
    for line in lines:
        mark = np.zeros(len(line), bool)
        for i in range(len(line) - LEAST + 1):
            for words in found.get(line[i : i + LEAST], ()):
                if line[i : i + len(words)] == words:
                    mark[i : i + len(words)] = True
        inside += int(mark.sum())
    return inside / sum(map(len, lines))


def figures(
    name: str, model: Model, held_out: str, parts: list[tuple[str, str]], with_kn: bool = True
) -> dict[str, Any]:
    """A row of the table."""
    rows = sum(len(o) for o in model.table.orders[1:])
    wb = model.score(texts=[held_out], smoothing="wb")
    kn = model.score(texts=[held_out], smoothing="kn").perplexity if with_kn else float("nan")
    found = audit(model, model.order, LEAST).orders[0] if with_kn else None
    certain = found.certain[LEAST] if found is not None and found.certain else float("nan")
    return {
        "setting": name,
        "order": model.order,
        "rows": rows,
        "wb": round(wb.perplexity, 1),
        "kn": round(kn, 1),
        "certain": round(100 * certain, 2),
        "covered": round(100 * covered(model, parts), 2) if with_kn else float("nan"),
        "secrets": "".join(key for key, secret in SECRETS.items() if knows(model, secret)) or "-",
    }


# ---------------------------------------------------------------- differential privacy


def private(model: Model, epsilon: float, seed: int = 1) -> tuple[Model, float, list[float]]:
    """A capped model with noisy counts above thresholds; returns also sigma and the threshold of each order."""
    levels, _, _ = levels_of(model.table)
    n = model.order
    delta = DELTA / 2
    root = math.sqrt(math.log(1 / delta))
    rho = (math.sqrt(math.log(1 / delta) + epsilon) - root) ** 2 / n
    most = CUT + 2
    sigma = math.sqrt(most / (2 * rho))
    tau = 1 + sigma * NormalDist().inv_cdf((1 - delta / n) ** (1 / most))
    r = np.random.Generator(np.random.PCG64(seed))
    keep = []
    for k, level in enumerate(levels, 1):
        noisy = np.rint(level.count + r.normal(0, sigma, len(level.count))).astype(np.int64)
        here = noisy > tau if k > 1 else np.ones(len(noisy), bool)
        level.count = np.maximum(noisy, 0 if k == 1 else 1)
        keep.append(here)
    levels[0].count[:3] = np.maximum(levels[0].count[:3], (0, 1, 1))
    _close(levels, keep)
    totals = followed(levels)
    for k, total in enumerate(totals):  # a history's total comes from noisy counts only
        if total is not None:
            edges = np.concatenate(([0], np.cumsum(levels[k].children)))
            running = np.concatenate(([0], np.cumsum(np.where(keep[k + 1], levels[k + 1].count, 0))))
            totals[k] = np.maximum(running[edges[1:]] - running[edges[:-1]], levels[k].count)
    table = build_table(levels, n, protected=Protected(keep, totals))
    return Model(LanguageModel(model.header, model.vocabulary, table)), sigma, [tau] * (n - 1)


def _close(levels: list[Any], keep: list[np.ndarray]) -> None:
    """Drop n-grams whose history or suffix was dropped."""
    suffix = None
    for k in range(1, len(levels)):
        above = levels[k - 1]
        assert above.children is not None
        parent = np.repeat(np.arange(len(above.token)), above.children)
        keep[k] &= keep[k - 1][parent]
        if k == 1:
            suffix = levels[1].token.astype(np.int64)
        elif levels[k].link is not None:
            suffix = levels[k].link.astype(np.int64)
        else:  # the highest order: child of the history's suffix
            suffix = _ends(levels, k, parent)
        keep[k] &= keep[k - 1][suffix]


def _ends(levels: list[Any], k: int, parent: np.ndarray) -> np.ndarray:
    shorter = levels[k - 1].link if k > 2 else levels[1].token
    history = shorter.astype(np.int64)[parent]
    children = levels[k - 2].children if k > 1 else None
    key = (np.repeat(np.arange(len(levels[k - 2].token)), children) << 32) | levels[k - 1].token
    return np.searchsorted(key, (history << 32) | levels[k].token)


# ---------------------------------------------------------------- the run


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--orders", default="3,5")
    parser.add_argument("--dp", default="")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--lines", action="store_true", help="a sequence is a line")
    parser.add_argument("--only", default="", help="settings with this in their name")
    parser.add_argument("--no-audit", action="store_true", help="without certain, covered and kn: for large texts")
    args = parser.parse_args()
    text = args.text.read_text(encoding="utf-8", errors="replace")
    parts = [("", line) for line in text.split("\n") if line.split()] if args.lines else sequences(text)
    kept = planted([p for i, p in enumerate(parts) if i % EVERY != EVERY - 1])
    held_out = "\n\n".join(part for _, part in parts[EVERY - 1 :: EVERY])
    how = {"tokenizer": "spaces", "unit": "paragraph", "jobs": 2}
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_files = files_of(kept, folder)
        n_tokens = sum(len(part.split()) for _, part in kept)
        print(f"{n_tokens:,} tokens in {len(kept):,} sequences and {n_files:,} files", file=sys.stderr)
        for order in map(int, args.orders.split(",")):
            for label, options in SETTINGS:
                if options.get("min_files", 1) > n_files or args.only not in label:
                    continue
                given = dict(options)
                if given.get("prune") == "top":
                    given["prune"] = (*[0] * (order - 1), 1)
                model = train([folder], **{"order": order, **given}, **how)
                rows.append(figures(label, model, held_out, kept, not args.no_audit))
                print(rows[-1], file=sys.stderr)
            if args.dp:
                cut = "\n\n".join(" ".join(part.split()[:CUT]) for _, part in kept)
                capped = train(texts=[cut], order=order, cap_per_sequence=1, **how)
                for epsilon in map(float, args.dp.split(",")):
                    made, sigma, tau = private(capped, epsilon)
                    label = f"dp epsilon {epsilon:g} delta {DELTA:g} sigma {sigma:.1f} threshold {tau[0]:.1f}"
                    rows.append(figures(label, made, held_out, kept, False))
                    print(rows[-1], file=sys.stderr)
    out = args.out.open("w", newline="") if args.out else sys.stdout
    writer = csv.DictWriter(out, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
