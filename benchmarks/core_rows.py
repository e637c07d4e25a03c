"""The rows of bench_core.py's table, with their targets and checks.

Legend: b is the `Bench` of one run.
"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean, stdev

import answers
from answers import Check
from core_state import Bench

GB = 1e9


# ---------------------------------------------------------------- the checks


def whole_checks(b: Bench, facts: answers.TextFacts) -> dict[str, list[Check]]:
    """Checks of tokens, types and n-grams of the whole text, by command."""
    three, five = b.train["train-3"], b.train["train-5"]
    out: dict[str, list[Check]] = {}
    for name, said, order in (("train-3", three, 3), ("train-5", five, 5)):
        checks = [
            Check("tokens", said["tokens"], facts.tokens, facts.tokens_judge),
            Check("types", said["types"], facts.types, "a Python set"),
        ]
        if b.lmplz and not facts.unlike_kenlm:
            header = answers.arpa_header(b.path(f"lmplz-{order}.arpa"))
            checks.append(Check("n-grams of each order", said["ngrams"], header, "lmplz"))
        out[name] = checks
    if b.lmplz and facts.unlike_kenlm:
        b.notes.append(f"n-grams not compared with lmplz's: the text has {facts.unlike_kenlm}")
    out["train-5"].append(Check("n-grams of orders 1 to 3", five["ngrams"][:3], three["ngrams"], "order 3"))
    return out


def sample_checks(b: Bench) -> dict[str, list[Check]]:
    """Checks on 1 MB of the text, counted by plain Python and by markovify."""
    import markov_cli

    lines = answers.sample_of(b.text)
    text = "\n".join(lines) + "\n"
    spaces = {"tokenizer": "spaces", "unit": "line"}
    model = markov_cli.train(texts=[text], order=3, **spaces)
    plain = answers.chain_of(lines)
    ours = answers.our_chain(model)
    size = f"{sum(map(len, plain.values())):,} trigrams of a sample"
    chain = [
        Check(f"{size} with their counts", ours == plain, True, "plain Python"),
        Check("followers of 200 histories", answers.followers_agree(model, plain), True, "plain Python"),
    ]
    if b.markovify:
        import markovify

        theirs = markovify.NewlineText(text.strip(), state_size=2, retain_original=False, well_formed=False)
        chain.append(Check(f"{size} with their counts", ours == theirs.chain.model, True, "markovify's chain"))
    longest = markov_cli.train(texts=[text], order=5, **spaces)
    rows = [len(o) for o in longest.table.orders]
    drawn = [*model.generate(20_000, seed=1, max_tokens=100_000)]
    ascii_text = answers.plain_ascii(text)
    words = markov_cli.train(texts=[ascii_text]).header
    return {
        "chain": chain,
        "orders": [Check("n-grams of a sample", rows, answers.rows_of(lines, 5), "plain Python")],
        "words": [
            Check(
                "tokens and types of a sample",
                [words.tokens, words.types],
                [*answers.ascii_words(ascii_text)],
                "a regex",
            )
        ],
        "generate": [
            Check(
                "20,000 texts of a sample's model are walks in it",
                answers.walks([t.text for t in drawn], plain),
                True,
                "plain Python",
            ),
            Check("their mean length is the sample's", mean_agrees(drawn, model.header), True, "6 standard errors"),
        ],
    }


def mean_agrees(drawn: list, header) -> bool:
    """True if the mean length of drawn texts is that of the training lines, within 6 standard errors."""
    length = [t.tokens for t in drawn]
    error = stdev(length) / math.sqrt(len(length))
    return abs(fmean(length) - header.tokens / header.sequences) <= 6 * error


def words_in(path: Path) -> tuple[int, int]:
    """Lines and words of a file that `generate` wrote."""
    lines = words = 0
    with path.open("rb") as file:
        for line in file:
            lines += 1
            words += len(line.rstrip(b"\n").split(b" "))
    return lines, words


# ---------------------------------------------------------------- the table


def rows_training(b: Bench, whole: dict[str, list[Check]], sample: dict[str, list[Check]]) -> None:
    """Rows of training time relative to wc."""
    wc = b.m.wall_s("wc -w")
    for name, what, limit, checks in (
        ("train-3", "train order 3, spaces/line", 5, [*whole["train-3"], *sample["chain"]]),
        ("train-3-defaults", "train order 3, defaults", 12, sample["words"]),
        ("train-5", "train order 5, spaces/line", 9, [*whole["train-5"], *sample["orders"]]),
    ):
        seconds = b.m.wall_s(name)
        peer = f" (KenLM {kenlm_s(b, int(name[6])) / wc:.1f}x)" if b.lmplz and "defaults" not in name else ""
        holds = seconds / wc <= limit if b.wc else None
        b.row(
            what,
            f"wc -w, {wc:.2f} s{peer}",
            f"<= {limit}x",
            f"{seconds / wc:.2f}x ({seconds:.2f} s)",
            holds,
            checks=checks,
        )


def kenlm_s(b: Bench, order: int) -> float:
    """Seconds of lmplz and build_binary together."""
    return sum(b.m.wall_s(n) for n in (f"lmplz -o {order}", f"build_binary -o {order}") if b.m.of(n))


def rows_memory(b: Bench, whole: dict[str, list[Check]]) -> None:
    """Rows of the peak memory of training."""
    for order in (3, 5):
        ours = b.m.peak_bytes(f"train-{order}")
        theirs = b.m.peak_bytes(f"lmplz -o {order}") if b.lmplz else None
        against = "-" if theirs is None else f"lmplz -S 4G, {theirs / GB:.2f} GB"
        result = "-" if ours is None else f"{ours / GB:.2f} GB"
        holds = None if ours is None else ours <= 0.9 * GB
        b.row(f"train peak memory, order {order}", against, "<= 0.9 GB", result, holds, checks=whole[f"train-{order}"])


def rows_markovify(b: Bench, sample: dict[str, list[Check]]) -> None:
    """Rows of training and generating relative to markovify, on one text."""
    name = "train-3" if b.prefix == b.text else "train-3-prefix"
    speed = b.train[name]["tokens"] / b.m.wall_s(name)
    peak = b.m.peak_bytes(name)
    lines, words = words_in(b.path("generate-many.txt"))
    whole = words / b.m.wall_s("generate-many")
    only = b.said("generate-many-api")
    only_speed = only["generate_words"] / only["generate_s"]
    generate_checks = [
        *sample["generate"],
        Check("texts written", lines, b.texts, "--count"),
        Check("words of the command and the Python API", words, only["generate_words"], "each other"),
    ]
    first = b.path("generate-many.txt").open("rb").readline()
    if b.prefix == b.text:
        one = b.path("generate-1.txt").read_bytes()
        generate_checks.append(Check("text 0 of the same seed", one == first, True, "--count 1"))
    if not b.markovify:
        b.row("train order 3, words/s", "-", ">= 8x", f"{speed / 1e6:.2f} M/s", None)
        b.row("generate texts, words/s", "-", ">= 10x", f"{whole / 1e6:.2f} M/s", None, checks=generate_checks)
        return
    said = b.said("markovify")
    their_speed = said["train_words"] / said["train_s"]
    ratio = speed / their_speed
    b.row(
        "train order 3, words/s",
        f"markovify, {their_speed / 1e6:.2f} M/s",
        ">= 8x",
        f"{ratio:.1f}x ({speed / 1e6:.2f} M/s)",
        ratio >= 8,
        checks=sample["chain"],
    )
    if peak is not None and said["train_peak_bytes"]:
        share = said["train_peak_bytes"] / peak
        b.row(
            "train order 3, memory",
            f"markovify, {said['train_peak_bytes'] / GB:.2f} GB",
            "<= 1/5",
            f"1/{share:.1f} ({peak / GB:.2f} GB)",
            share >= 5,
            checks=sample["chain"],
        )
    theirs = said["generate_words"] / said["generate_s"]
    b.row(
        f"generate {b.texts:,} texts, words/s, whole command",
        f"markovify, generation only, {theirs / 1e6:.2f} M/s",
        ">= 10x",
        f"{whole / theirs:.1f}x ({whole / 1e6:.2f} M/s)",
        whole >= 10 * theirs,
        checks=generate_checks,
    )
    b.row(
        "the same, generation only (Python API)",
        f"markovify, {theirs / 1e6:.2f} M/s",
        "-",
        f"{only_speed / theirs:.1f}x ({only_speed / 1e6:.2f} M/s)",
        None,
    )


def rows_quick(b: Bench) -> None:
    """Rows of commands that should answer at once."""
    s = b.m.wall_s("markov --help")
    shown = "train" in b.path("help.txt").read_text(encoding="utf-8")
    bare = f"python -c pass, {b.m.wall_s('python -c pass') * 1000:.0f} ms"
    b.row(
        "markov --help",
        bare,
        "<= 0.1 s",
        f"{s:.3f} s",
        s <= 0.1,
        checks=[Check("help names train", shown, True, "the text")],
    )
    s = b.m.wall_s("generate-1")
    one = b.path("generate-1.txt").read_bytes()
    written = Check("texts written", one.count(b"\n"), 1, "--count")
    b.row("generate --count 1, whole text's model", "-", "<= 0.35 s", f"{s:.3f} s", s <= 0.35, checks=[written])
    if b.markovify:
        load = b.m.wall_s("markovify-load")
        share = load / s
        result = f"1/{share:.0f}"
        if b.prefix != b.text:  # loading time grows with the chain
            rows = b.train["train-3"]["ngrams"][2] / b.train["train-3-prefix"]["ngrams"][2]
            share *= rows
            result += f"; 1/{share:.0f} by the whole text's trigrams"
        size = b.prefix.stat().st_size / 1e6
        b.row(
            "generate --count 1", f"markovify loads JSON of {size:.0f} MB, {load:.1f} s", "<= 1/50", result, share >= 50
        )


def row_size(b: Bench, checks: list[Check]) -> None:
    """Row of the model's bytes per n-gram."""
    said = b.train["train-3"]
    each = said["model_bytes"] / sum(said["ngrams"])
    size = b.path("train-3.npz").stat().st_size
    binary = b.path("lmplz-3.bin")
    against = "-"
    if binary.exists():
        against = f"KenLM probing, {binary.stat().st_size / sum(answers.arpa_header(b.path('lmplz-3.arpa'))):.1f}"
    b.row(
        "model file, order 3, bytes per n-gram",
        against,
        "<= 7.5",
        f"{each:.2f}",
        each <= 7.5,
        checks=[*checks, Check("bytes of the file", said["model_bytes"], size, "the file system")],
    )
