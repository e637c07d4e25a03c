"""Mutated ARPA files."""

from .mutations import NUMBERS, WORDS, make_case


def _good(rng):
    """The lines of an ARPA file of two or three orders, with probabilities from anywhere."""
    words = ["<unk>", "<s>", "</s>", *(f"w{i}" for i in range(rng.choice([1, 5, 40])))]
    if rng.random() < 0.1:
        words += rng.sample(WORDS, 3)
    number = (lambda: rng.choice(NUMBERS)) if rng.random() < 0.05 else (lambda: f"{-rng.random() * 4:.4f}")
    orders = [[(w,) for w in dict.fromkeys(words)]]
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        longer = {(*rng.choice(orders[-1]), rng.choice(words)) for _ in range(rng.choice([1, 8, 60]))}
        orders.append(sorted(longer))
    sep = rng.choice(["\t", "\t", " "])
    out = ["\\data\\", *(f"ngram {k}={len(rows)}" for k, rows in enumerate(orders, 1))]
    for k, rows in enumerate(orders, 1):
        out += ["", f"\\{k}-grams:"]
        out += [sep.join([number(), " ".join(n), *([number()] if k < len(orders) else [])]) for n in rows]
    return [*out, "", "\\end\\"], sep


def case(rng):
    """One mutated file and its options."""
    lines, sep = _good(rng)
    if rng.random() < 0.2:
        lines = ["A page of prose", "\\data\\", "ngram 1=nr", "p_1 wd_1 bo_wt_1", "", *lines]
    options = rng.choice(
        [[], [], [], ["--tokenizer", "words"], ["--tokenizer", "chars", "--space-as", "w0"], ["--format", "arpa"]]
    )
    return make_case(lines, rng, sep, options)
