"""The least perplexity that any model can have on a made text, beside those of `kn` and of `--smoothing blend`.

`make_text.py` writes lines by a chain of order 2 and replaces words by invented ones. This is the probability of each
token for one who knows that program with all of its numbers, but not the words that invented ones stand for: those are
weighed by what came before (the forward algorithm of hidden Markov models, Rabiner 1989). More cannot be known before
a token is drawn, so the mean of -log2 p of no model of the text is lower, but by luck.

Legend: v the word of the chain before a token, w the word of the chain there, a(v) its probability after all tokens
before; P(w | v) the chain; s the share of plain words that are replaced; q(k) the probability that an invented word is
number k: 3/4 of a power law, 1/4 of the share of the recent numbers.

    p(w) = sum over v of a(v) P(w | v) (1 - s if w is plain)      for a word that was not replaced, and for </s>
    p(k) = s q(k) sum over v and plain w of a(v) P(w | v)
    p(<unk>) = the sum of both over all words outside the vocabulary of the models that are compared
    a(w) = 1 behind a word that was not replaced; else in proportion to the sum over v of a(v) P(w | v), for plain w
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import make_text
import numpy as np
from make_text import RECENT, REPEAT, SCALE, SHARE

import markov_cli
from markov_cli.text.types import BOS, EOS

ORDER = 5


class Program:
    """A text as the program knows that writes it.

    plain, lines  tokens of each line before and after words are replaced
    number        of each token of all lines: that of an invented word, -1 for others, int64 (tokens,)
    fresh         int64, all numbers that were drawn; `drawn` int64 (tokens,), how many before each token
    """

    def __init__(self, n_lines: int, seed: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.chain = make_text.chain(make_text.default_sources(Path(folder)))
        texts = [t.text for t in self.chain.generate(n_lines, seed=seed)]
        uniforms, recent = make_text.Uniforms(seed), np.empty(0, np.int64)
        self.plain: list[list[str]] = []
        self.lines: list[list[str]] = []
        number, fresh = [], []
        for low in range(0, n_lines, make_text.BATCH):
            data = ("\n".join(texts[low : low + make_text.BATCH]) + "\n").encode()
            a = np.frombuffer(data, np.uint8)
            start, length, k, every = make_text.replacements(a, uniforms, recent)
            letters, size = make_text.spell(k)
            out = make_text.splice(a, start, length, letters, size).tobytes()
            self.plain += [line.split() for line in data.decode().splitlines()]
            self.lines += [line.split() for line in out.decode().splitlines()]
            white = a <= 32
            begin = np.flatnonzero(~white & np.concatenate(([True], white[:-1])))
            mine = np.full(len(begin), -1, np.int64)
            mine[np.searchsorted(begin, start)] = k
            number.append(mine)
            fresh.append(every[len(recent) :])
            recent = every[-RECENT:]
        self.number, self.fresh = np.concatenate(number), np.concatenate(fresh)
        self.drawn = np.cumsum(self.number >= 0) - (self.number >= 0)

    def numbers_of(self, known: set[str]) -> np.ndarray:
        """The numbers of the invented words that are known: int64, rising."""
        tokens = [token for line in self.lines for token in line]
        at = np.flatnonzero(self.number >= 0)
        return np.unique(self.number[at[np.array([tokens[i] in known for i in at.tolist()])]])


class Chain:
    """The words of the chain that can come next, from weights of those that can be here."""

    def __init__(self, model: markov_cli.Model, known: set[str]) -> None:
        table, vocabulary = model.table, model.language_model.vocabulary
        self.n = table.n_ids
        self.words = [vocabulary.name_of(i) for i in range(self.n)]
        self.id_of = {word: i for i, word in enumerate(self.words) if i > EOS}
        self.low, self.high = table.followers(1, np.arange(self.n))
        rows = np.arange(len(table.orders[1]))
        self.token = table.tokens(2, rows).astype(np.int64)
        count = table.orders[1].count.at(rows).astype(np.float64)
        total = np.add.reduceat(np.append(count, 0.0), self.low) * (self.high > self.low)
        self.p = count / np.repeat(total, self.high - self.low)
        self.plain = np.array([is_plain(word) for word in self.words])
        self.unknown = np.array([i > EOS and word not in known for i, word in enumerate(self.words)])

    def after(self, at: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ids of the next word, rising, and the probability of each."""
        size = self.high[at] - self.low[at]
        rows = np.concatenate(
            [np.arange(a, b) for a, b in zip(self.low[at].tolist(), self.high[at].tolist(), strict=True)]
        )
        p = self.p[rows] * np.repeat(weight, size)
        if len(at) == 1:
            return self.token[rows], p
        ids, which = np.unique(self.token[rows], return_inverse=True)
        return ids, np.bincount(which, p)


def bits(program: Program, known: set[str], low: int) -> np.ndarray:
    """-log2 p of the tokens and the ends of the lines from number `low` on; all words but `known` are one."""
    chain, numbers = Chain(program.chain, known), program.numbers_of(known)
    of_law = float(_power_law(numbers).sum())
    is_known = np.isin(program.fresh, numbers)
    place = sum(map(len, program.lines[:low]))
    out = []
    for plain, line in zip(program.plain[low:], program.lines[low:], strict=True):
        at, weight = np.array([BOS]), np.ones(1)
        for word, token in zip(plain, line, strict=True):
            ids, p = chain.after(at, weight)
            may = chain.plain[ids]
            mass, d, k = float(p[may].sum()), int(program.drawn[place]), int(program.number[place])
            recent, repeat = slice(d - RECENT, d), REPEAT * (d >= RECENT)
            here = int(np.searchsorted(ids, chain.id_of[word]))
            if token not in known:
                q = (1 - repeat) * (1 - of_law) + repeat * float((~is_known[recent]).mean())
                stays = chain.unknown[ids]
                out.append(float((p * (1 - SHARE * may))[stays].sum()) + SHARE * mass * q)
            elif k >= 0:
                q = (1 - repeat) * float(_power_law(np.array(k))) + repeat * float((program.fresh[recent] == k).mean())
                out.append(SHARE * mass * q)
            else:
                out.append(float(p[here]) * (1 - SHARE * float(may[here])))
            if k >= 0:
                at, weight = ids[may], p[may] / mass
            else:
                at, weight = ids[here : here + 1], np.ones(1)
            place += 1
        ids, p = chain.after(at, weight)
        out.append(float(p[ids == EOS].sum()))
    return -np.log2(np.array(out))


def _power_law(k: np.ndarray) -> np.ndarray:
    """Probability of each number when it is drawn freshly."""
    return (1 + k / SCALE) ** -0.4 - (1 + (k + 1) / SCALE) ** -0.4


def is_plain(word: str) -> bool:
    """Can the word be replaced?"""
    return len(word) >= 3 and word.isascii() and word.isalpha() and word.islower()


def main() -> None:
    """Print the perplexities."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=500_000)
    parser.add_argument("--test", type=int, default=10_000, help="lines that are scored")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    program = Program(given.lines, given.seed)
    n, test = len(program.lines), len(program.lines) - given.test
    texts = [
        "\n".join(map(" ".join, program.lines[a:b])) for a, b in ((0, n * 8 // 10), (n * 8 // 10, test), (test, n))
    ]
    model = markov_cli.train(texts=texts[:1], order=ORDER, tokenizer="spaces", unit="line", min_type_count=2)
    vocabulary = model.language_model.vocabulary
    known = {vocabulary.name_of(i) for i in range(EOS + 1, len(vocabulary))}
    tuned = markov_cli.tune(model, texts=texts[1:2], adapt=True).model
    print(f"{model.header.tokens:,} tokens of {model.header.types:,} types\n")
    print("| | perplexity | of kn |\n|---|---|---|")
    options: list[tuple[str, markov_cli.Model, dict[str, object]]] = [
        ("kn", model, {"smoothing": "kn"}),
        ("blend, tuned, linear", tuned, {"smoothing": "blend"}),
        ("the same with --adapt", tuned, {"smoothing": "blend", "adapt": True}),
    ]
    found = [(name, markov_cli.score(one, texts=texts[2:], **more)) for name, one, more in options]
    kn = found[0][1].perplexity
    for name, score in found:
        print(f"| {name} | {score.perplexity:.2f} | {score.perplexity / kn:.3f} |")
    each = bits(program, known, test)
    if len(each) != found[0][1].tokens:
        raise SystemExit(f"{found[0][1].tokens:,} tokens were scored, and {len(each):,} by the program")
    least = 2.0 ** float(each.mean())
    print(f"| the program itself | {least:.2f} | {least / kn:.3f} |")


if __name__ == "__main__":
    main()
