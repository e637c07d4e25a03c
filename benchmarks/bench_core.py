"""Time and memory of training and generating, compared with wc, markovify and KenLM.

    python benchmarks/bench_core.py [--text FILE] [--megabytes 100] [--runs 3] [--out DIR]

Every figure is a ratio of medians from one run of this program, in which the commands take turns.
Every row says if its answers agree with other programs' (answers.py). Missing peers are left out
with a note. Exit code 1 if an answer is wrong; a missed target is no error.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import answers
import core_rows
import make_text
import measure
import reporting
from core_state import Bench
from measure import Command, say

SPACES = ("--tokenizer", "spaces", "--unit", "line")
FULL_SIZE = 90e6  # the targets are meant for texts of 100 MB
QUICK_RUNS = 11  # of commands that take a fraction of a second


# ---------------------------------------------------------------- the runs


def run_training(b: Bench) -> None:
    """Run our training, wc and KenLM in turn on the whole text."""
    if b.wc:
        wc = Command("wc -w", [b.wc, "-w", b.text])
    else:
        b.notes.append("no wc here: plain Python counts words in its place, and ratios to it mean nothing")
        wc = b.worker("wc -w", "count-words", b.text)
    ours = [
        b.trained("train-3", b.text, "--order", "3", *SPACES),
        b.trained("train-3-defaults", b.text),
        b.trained("train-5", b.text, "--order", "5", *SPACES),
    ]
    commands = [c for one in ours for c in (wc, one)]
    if b.lmplz:
        commands += kenlm(b, 3)
    else:
        b.notes.append("no lmplz on PATH: KenLM left out")
    b.m.measure(commands, b.runs)
    if b.lmplz:
        for command in kenlm(b, 5):
            b.m.once(command)
    for c in ours:
        b.train[c.name] = b.said(c.name)


def kenlm(b: Bench, order: int) -> list[Command]:
    """The commands that make an ARPA file with lmplz and KenLM's fastest binary from it."""
    arpa = b.path(f"lmplz-{order}.arpa")
    options = ["-o", str(order), "-S", "4G", "-T", b.work / "lmplz", "--discount_fallback", "--skip_symbols"]
    out = [Command(f"lmplz -o {order}", [b.lmplz or "", *options], stdin=b.text, stdout=arpa)]
    if b.build_binary:
        out.append(Command(f"build_binary -o {order}", [b.build_binary, arpa, b.path(f"lmplz-{order}.bin")]))
    return out


def run_markovify(b: Bench) -> None:
    """Run ours several times and markovify once, on one text."""
    whole = b.prefix == b.text
    if not whole:
        train = b.trained("train-3-prefix", b.prefix, "--order", "3", *SPACES)
        b.m.measure([train], b.runs)
        b.train[train.name] = b.said(train.name)
    model = b.path("train-3.npz" if whole else "train-3-prefix.npz")
    seeded = ["--seed", "1", "--quiet"]
    generate = [*b.markov, "generate", model, "--count", str(b.texts), *seeded]
    b.m.measure([Command("generate-many", generate, stdout=b.path("generate-many.txt"))], b.runs)
    b.m.once(b.worker("generate-many-api", "draw", model, b.texts, b.runs))
    if b.markovify:
        chain = b.path("chain.json")
        b.m.once(b.worker("markovify", "markovify-work", b.prefix, chain, b.texts))
        b.m.once(b.worker("markovify-load", "markovify-load", chain))
        if not whole:
            b.notes.append(f"markovify was given the first {b.prefix.stat().st_size / 1e6:.0f} MB of the text")
    else:
        b.notes.append("no markovify here (pip install '.[peers]'): it is left out")
    large = [*b.markov, "generate", b.path("train-3.npz"), "--count", "1", *seeded]
    quick = [
        Command("python -c pass", [sys.executable, "-c", "pass"]),
        Command("markov --help", [*b.markov, "--help"], stdout=b.path("help.txt")),
        Command("generate-1", large, stdout=b.path("generate-1.txt")),
    ]
    for c in quick[1:]:  # once untimed, to compile the byte code of all modules
        measure.launch(c)
    b.m.measure(quick, QUICK_RUNS)


# ---------------------------------------------------------------- the program


def run(b: Bench) -> None:
    """Run and check everything, in order."""
    say("counting without the program")
    facts = answers.text_facts(b.text)
    b.path("lmplz").mkdir()
    say("training")
    run_training(b)
    say("generating, and markovify")
    run_markovify(b)
    say("checking")
    whole, sample = core_rows.whole_checks(b, facts), core_rows.sample_checks(b)
    core_rows.rows_training(b, whole, sample)
    core_rows.rows_memory(b, whole)
    core_rows.rows_markovify(b, sample)
    core_rows.rows_quick(b)
    core_rows.row_size(b, whole["train-3"])
    if facts.bytes < FULL_SIZE:
        b.notes.append(f"a text of {facts.bytes / 1e6:.0f} MB: the targets are for 100 MB; short texts look worse")
    b.notes.insert(0, f"text: {facts.bytes / 1e6:.1f} MB, {facts.tokens:,} tokens, {facts.types:,} types")


def trained(b: Bench) -> dict:
    """The JSON of each `train`, without file names."""
    return {k: {i: v for i, v in said.items() if i != "model"} for k, said in b.train.items()}


def markovify_said(b: Bench) -> dict | None:
    """The figures of markovify's run."""
    return b.said("markovify") if b.markovify else None


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="a large text [default: one is written]")
    parser.add_argument("--megabytes", type=float, default=100, help="size of the text that is written")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--texts", type=int, default=100_000, help="how many are generated")
    parser.add_argument("--markovify-megabytes", type=float, default=20, help="of the text, for markovify; 0: all")
    parser.add_argument("--out", type=Path, default=make_text.BUILD / "results", help="folder for the figures")
    parser.add_argument("--work", type=Path, help="a folder for models; it needs 15 times the text with all peers")
    args = parser.parse_args()
    text = args.text or make_text.ensure_text(args.megabytes)
    if not text.is_file() or not text.stat().st_size:
        parser.error(f"--text {text}: no such file, or empty")
    if args.runs < 1:
        parser.error(f"--runs {args.runs}: at least 1")
    with tempfile.TemporaryDirectory(dir=args.work, prefix="markov-bench-") as work:
        bench = Bench(text, Path(work), args.runs, args.texts, args.markovify_megabytes)
        try:
            run(bench)
        except measure.CommandError as error:
            print(error, file=sys.stderr)
            return 1
        return reporting.report(bench, args.out, {"trained": trained(bench), "markovify": markovify_said(bench)})


if __name__ == "__main__":
    sys.exit(main())
