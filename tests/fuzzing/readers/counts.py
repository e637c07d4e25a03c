"""Mutated files of n-gram counts, whole and cut."""

from collections import Counter

from .mutations import WORDS, make_case


def _good(rng):
    words = [f"w{i}" for i in range(rng.choice([1, 4, 30]))] + (rng.sample(WORDS, 2) if rng.random() < 0.2 else [])
    order, least = rng.randint(1, 4), rng.choice([1, 1, 2, 40])
    counts = Counter()
    for _ in range(rng.choice([1, 5, 40])):
        sequence = ["<s>", *rng.choices(words, k=rng.randint(1, 8)), "</s>"]
        for k in range(1, order + 1):
            for i in range(len(sequence) - k + 1):
                counts[tuple(sequence[i : i + k])] += rng.choice([1, least])
    lines = [f"{' '.join(n)}\t{c}" for n, c in sorted(counts.items(), key=lambda x: (len(x[0]), x)) if c >= least]
    if rng.random() < 0.2:
        lines = [line.replace("<s>", "<S>").replace("</s>", "</S>") for line in lines]
    return lines


def case(rng):
    """One mutated file and its options."""
    options = rng.choice([[], [], ["--format", "counts"], ["--order", "2"], ["--order", "3"], ["--tokenizer", "chars"]])
    return make_case(_good(rng) or ["a\t1"], rng, "\t", options)
