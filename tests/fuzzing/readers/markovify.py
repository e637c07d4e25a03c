"""Mutated models of markovify."""

import json
from collections import defaultdict

from .mutations import NUMBERS, WORDS, make_case


def case(rng):
    """One mutated file and its options."""
    size = rng.randint(1, 3)
    words = ["a", "b", "c", "___BEGIN__"[: rng.choice([3, 9])], *rng.sample(WORDS, rng.choice([0, 0, 2]))]
    after = defaultdict(dict)
    for _ in range(rng.choice([1, 3, 20])):
        sequence = [*["___BEGIN__"] * size, *rng.choices(words, k=rng.randint(1, 6)), "___END__"]
        for i in range(len(sequence) - size):
            follows = after[tuple(sequence[i : i + size])]
            follows[sequence[i + size]] = follows.get(sequence[i + size], 0) + 1
    chain = [[list(state), follows] for state, follows in after.items()]
    if rng.random() < 0.3:
        some = rng.choice(chain)[1]
        some[rng.choice([*some])] = rng.choice([None, -1, 0, 1.5, 1e308, [], "x", rng.choice(NUMBERS)])
    model = {"state_size": size, "chain": json.dumps(chain), "parsed_sentences": None}
    text = json.dumps(model if rng.random() < 0.8 else chain)
    options = rng.choice([[], [], ["--format", "markovify"]])
    return make_case([text], rng, rng.choice([",", "[", ":"]), options)
