"""Mutated n-gram files of Google Books."""

from .mutations import WORDS, make_case


def _good(rng):
    words = ["cat", "dog", "sat", "cat_NOUN", "café"] + (rng.sample(WORDS, 2) if rng.random() < 0.1 else [])
    form, lines = rng.choice([1, 2, 3]), []
    for _ in range(rng.choice([1, 5, 40])):
        ngram = " ".join([*rng.choices([[], ["_START_"]], [4, 1])[0], *rng.choices(words, k=rng.randint(1, 3))])
        ngram += " _END_" * (rng.random() < 0.2)
        years = sorted(rng.sample(range(1800, 2010), rng.choice([1, 3, 20])))
        if form == 3:
            lines.append(ngram + "".join(f"\t{y},{rng.randint(1, 99)},{rng.randint(1, 9)}" for y in years))
        else:
            lines += [f"{ngram}\t{y}\t{rng.randint(1, 99)}{'	7' * (form == 1)}\t{rng.randint(1, 9)}" for y in years]
    return lines


def case(rng):
    """One mutated file and its options."""
    options = rng.choice(
        [[], ["--format", "books"], ["--years", "1900..1990"], ["--years", "1990.."], ["--order", "2"]]
    )
    return make_case(_good(rng), rng, rng.choice(["\t", "\t", ","]), options)
