"""Share of next tokens that a guard lets an attacker guess.

    python benchmarks/guard.py BOOK [--guard 6] [--order 3] [--places 4000] [--rates 0.0039,0.05]

The attacker has the model, knows five tokens of the text, and guesses the next one. The table gives the followers of
the last two tokens; without a guard the best guess is the most frequent. With a guard the attacker asks for each
follower if the text has the five tokens and this one, and guesses the most frequent with the answer yes. The program
prints how often each guess is right at random positions of the text.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

import markov_cli
from markov_cli.evidence.table.membership import read_ids
from markov_cli.text.reading import find_sources
from markov_cli.text.run_hashes import mix, powers, token_hashes
from markov_cli.text.types import N_MARKERS


def read_back(model: markov_cli.Model, ids: np.ndarray, places: np.ndarray) -> tuple[float, float, float]:
    """The shares of next tokens guessed with the table alone and with the guard, and of those with one choice left.

    ids  int64, the whole text with markers
    """
    guard, table, order = model.table.guard, model.table, model.order
    assert guard is not None
    k = guard.tokens
    plain = np.flatnonzero(ids >= N_MARKERS)
    hashes = np.concatenate((np.zeros(N_MARKERS, np.uint64), token_hashes(model.vocabulary.types())))
    up, _ = powers(k)
    right = checked = sure = 0
    for i in places.tolist():
        at = int(plain[i])
        level, row = table.find(ids[max(at - order + 1, 0) : at].tolist())
        low, high = table.followers(level, np.array([row]))
        rows = np.arange(int(low[0]), int(high[0]))
        token, count = table.tokens(level + 1, rows), table.orders[level].count.at(rows)
        inside = token >= N_MARKERS  # the attacker knows that the text goes on
        token, count = token[inside], count[inside]
        before = hashes[ids[plain[i - k + 1 : i]]]
        yes = guard.seen(mix(np.sum(before * up[: k - 1]) + hashes[token] * up[k - 1]))
        truth = ids[at]
        right += int(token[np.argmax(count)] == truth)
        checked += int(token[yes][np.argmax(count[yes])] == truth)
        sure += int(yes.sum() == 1)
    n = len(places)
    return right / n, checked / n, sure / n


def main() -> int:
    """Measure each rate; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("book", type=Path)
    parser.add_argument("--guard", type=int, default=6)
    parser.add_argument("--order", type=int, default=3)
    parser.add_argument("--places", type=int, default=4_000)
    parser.add_argument("--rates", default=f"{1 / 256}")
    args = parser.parse_args()
    print("rate      bits a run   table alone   with the guard   one follower left")
    for rate in map(float, args.rates.split(",")):
        model = markov_cli.train([args.book], order=args.order, guard=args.guard, guard_rate=rate)
        ids = read_ids(model.vocabulary, model.header.options, find_sources([str(args.book)]))
        n = int(np.count_nonzero(ids >= N_MARKERS))
        places = np.random.default_rng(1).integers(args.guard, n, args.places)
        table, checked, sure = read_back(model, ids, places)
        assert model.table.guard is not None
        bits = model.table.guard.bits_each
        print(f"{rate:<8.2g}  {bits:10.1f}   {table:11.1%}   {checked:14.1%}   {sure:17.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
