"""Novelty: texts without a copied run of K tokens, and the longest run that each shares with the training text.

Legend: K is what is asked for; G the length of the guard's runs, K where it is made of the corpus.

The promise holds for the finished text: each one is read again, as the model reads text, and drawn again if
a run of K occurs in it. (Steering goes by ids; two tokens that are joined may read as one.)
A token is its bytes here. Without K nothing is avoided, and only the longest shared run is told.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ..errors import AnswerIsNo, OptionError
from ..evidence.copying.shared_runs import Shared
from ..model.fingerprints import Guard
from ..model.language_model import LanguageModel
from ..sampling.backtracking import BacktrackingCounts, BacktrackingSampler, CopyFilter
from ..sampling.sampler import Sampler, Samples
from ..text.encoder import Encoder, TextOptions
from ..text.encoding_threads import encode_blocks, new_encoders, read_blocks
from ..text.reading import Block, Repairs, Source
from ..text.run_hashes import hash_tokens, run_hashes, token_hashes
from ..text.types import N_MARKERS
from ..text.vocabulary import UNSPACED
from .batches import Batch, joined
from .prompt import PromptMatch, tokens_of

CORPUS_RATE = 2.0**-20  # of false "seen", where the set is made for the one use
_INDEX = 1 << 24  # runs up to which looking up is made faster


class Novelty:
    """The runs that texts of a model may not copy, or may be told to share.

    tally  the cost of steering, once texts were drawn
    exact  runs are compared with the corpus, not with a guard
    """

    def __init__(
        self,
        model: LanguageModel,
        prompt: PromptMatch,
        novel: int | None = None,
        corpus: Sequence[Source] = (),
        encoding: str = "utf-8",
        jobs: int = 1,
        overlaps: bool = True,
    ) -> None:
        """Read the corpus, or take the model's guard.

        novel     K; None where nothing is avoided
        corpus    the training text, read as one stream, a file behind another
        overlaps  keep the corpus, 4 bytes a token, so that `overlap` can say

        OptionError where K or what is needed for it is missing; AnswerIsNo where the prompt is a copy.
        """
        self.model, self.prompt, self.novel = model, prompt, novel
        self.options = model.header.options
        self.tally = BacktrackingCounts()
        self.exact = bool(corpus)
        self.shared: Shared | None = None
        self._steered: BacktrackingSampler | None = None
        guard = model.table.guard
        _check(novel, model.order, guard, self.exact)
        if corpus:
            self.shared = _read(corpus, self.options, encoding, jobs)
            guard = None
            if novel is not None:
                guard = Guard.of_text(self.shared.blocks(), self.shared.hash_of, novel, CORPUS_RATE, index_runs=_INDEX)
            if not overlaps:
                self.shared = None
        self.guard = guard
        if guard is not None and guard.n <= _INDEX:
            model.checked(guard.index)
        typed = prompt.text
        self._before = hash_tokens([token for token, _ in tokens_of(typed, self.options)]) if typed else _NONE
        if novel is not None and self._worst(self._before, np.array([len(self._before)]))[0] >= self.limit:
            raise AnswerIsNo(
                f"--novel {novel}: a run of {novel} tokens of the prompt stands in the training text",
                "another prompt, or a larger --novel",
            )

    @property
    def told(self) -> str:
        """A note on how sure `novel` is; empty where runs are compared with the corpus."""
        if self.novel is None or self.exact or self.guard is None:
            return ""
        rate = 1 / max(self.guard.rate, 1e-9)
        return f"guard of runs of {self.guard.tokens} tokens: of {rate:,.0f} new ones 1 counts as seen"

    @property
    def cost(self) -> str:
        """The cost of steering in one line; empty where nothing was steered."""
        t = self.tally
        if not t.draws:
            return ""
        again = t.lost + t.circles
        more = f", {again:,} begun again" if again else ""
        return f"steered around {t.copies:,} copies in {t.draws:,} draws; {t.back:,} steps back{more}"

    def why_fewer(self, min_tokens: int) -> str:
        """The reason why some texts did not come."""
        if self.tally.dead:
            return (
                f"every other text that this model can write shares a run of {self.novel} tokens with the training "
                "text: use a larger --novel"
            )
        if min_tokens > 1:
            return f"the others ended before --min-tokens {min_tokens}, or met only copies, each time"
        return f"the others met only copies of {self.novel} tokens each time: use a larger --novel"

    @property
    def limit(self) -> int:
        """So many seen runs of the guard one behind another may be a copied run of K."""
        assert self.guard is not None and self.novel is not None
        return self.novel - self.guard.tokens + 1

    def steered(self, sampler: Sampler) -> BacktrackingSampler:
        """A sampler that steers around copies."""
        guard = self.guard
        assert guard is not None and self.novel is not None
        vocabulary = self.model.vocabulary
        hash_of = np.concatenate((np.zeros(N_MARKERS, np.uint64), token_hashes(vocabulary.types())))
        last = self._before[max(len(self._before) - guard.tokens + 1, 0) :]
        run = _trailing(self.model.checked(guard.seen, run_hashes(self._before, guard.tokens)))
        avoided = CopyFilter(guard, guard.tokens, self.limit, hash_of, last, run)
        self._steered = BacktrackingSampler(sampler, avoided, self.good)
        self.tally = self._steered.tally
        return self._steered

    def good(self, drawn: Samples) -> np.ndarray:
        """True for texts that, as they read, have no copied run: bool (m,)."""
        batch = joined(self.model.vocabulary, drawn, self.prompt)
        return self._worst(*self._read_again(batch.text, batch.edge)) < self.limit

    def overlap(self, batch: Batch) -> tuple[np.ndarray, str] | None:
        """The longest run each text shares with the training text, int64 (m,), and `exact` or `bound`: at most so much.

        batch  texts, without anything behind each
        """
        if not len(batch.samples.index):
            return np.zeros(0, np.int64), "exact" if self.shared else "bound"
        if self.shared is not None:
            return self.shared.longest(*self._read_again(batch.text, batch.edge), most=self.novel), "exact"
        if self.guard is None:
            return None
        h, length = self._read_again(batch.text, batch.edge)
        # a shared run of G + j tokens is j + 1 seen runs one behind another
        return np.minimum(self._worst(h, length) + self.guard.tokens - 1, length), "bound"

    # ------------------------------------------------------------ finished texts

    def _worst(self, h: np.ndarray, length: np.ndarray) -> np.ndarray:
        """The most seen runs one behind another in each text: int64 (m,)."""
        assert self.guard is not None
        k, m = self.guard.tokens, len(length)
        out = np.zeros(m, np.int64)
        key = run_hashes(h, k)
        if not len(key):
            return out
        owner = np.repeat(np.arange(m), length)
        inside = owner[: len(key)] == owner[k - 1 :]  # runs that go from one text into the next are none
        seen = np.zeros(len(key), bool)
        seen[inside] = self.model.checked(self.guard.seen, key[inside])
        here = np.arange(1, len(key) + 1)
        np.maximum.at(out, owner[: len(key)], here - np.maximum.accumulate(np.where(seen, 0, here)))
        return out

    def _read_again(self, whole: bytes, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The hashes of the tokens of finished texts, one text behind another, and how many each has."""
        kind = self.options.tokenizer
        if kind == "regex":
            edges = edge.tolist()
            texts = [whole[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(edges)]
            tokens = [[token for token, _ in tokens_of(text, self.options)] for text in texts]
            flat = [token for some in tokens for token in some]
            return hash_tokens(flat), np.array([len(some) for some in tokens], np.int64)
        length = np.diff(edge)
        if kind in UNSPACED:  # a token a byte, or a character: nothing joins
            data = np.frombuffer(whole, np.uint8)
            own, n = (data, length) if kind == "bytes" else _characters(whole, edge)
            seen, which = np.unique(own, return_inverse=True)
            return token_hashes(Encoder(self.options).types(seen.astype(np.int64)))[which], n
        # a line each: a newline is white space, as a space is, and no token holds one
        lines = np.full(len(whole) + len(length) + 8, 10, np.uint8)
        data = np.frombuffer(whole, np.uint8)
        place = np.arange(len(data)) + np.repeat(np.arange(len(length)), length)
        lines[place] = np.where(data == 10, 32, data)
        lines[-8:] = 0
        size = len(lines) - 8
        encoder = Encoder(TextOptions(kind, "line", self.options.lowercase, self.options.pattern))
        piece = encoder.encode(Block(lines, size, last=True, first=True, progress_bytes=0))
        hashes = token_hashes(encoder.types(np.arange(encoder.n_numbers())))
        return hashes[piece.number], np.diff(piece.end, prepend=0)


_NONE = np.empty(0, np.uint64)


def _characters(whole: bytes, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Code points of texts, and how many each has."""
    edges = edge.tolist()
    texts = [whole[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(edges)]
    points = np.frombuffer("".join(texts).encode("utf-32-le"), "<u4").astype(np.int64)
    return points, np.array([len(text) for text in texts], np.int64)


def _trailing(seen: np.ndarray) -> int:
    """How many at the end are true."""
    return len(seen) if seen.all() else int(np.argmin(seen[::-1]))


def _check(novel: int | None, order: int, guard: Guard | None, corpus: bool) -> None:
    if novel is None:
        return
    if novel <= order:
        raise OptionError(
            f"--novel {novel}: the model has order {order}, and every run of up to {order} that it writes is a copy",
            f"--novel {order + 1} or more",
        )
    if corpus:
        return
    if guard is None:
        raise OptionError(
            f"--novel {novel}: the model has no guard, and no --corpus is named",
            f"--corpus FILE, the training text; or train with --guard {novel}",
        )
    if not guard.fitting(novel):
        raise OptionError(
            f"--novel {novel}: the model's guard is of runs of {guard.tokens} tokens, and cannot tell shorter ones",
            f"--novel {guard.tokens} or more; or --corpus FILE, the training text",
        )


def _read(corpus: Sequence[Source], options: TextOptions, encoding: str, jobs: int) -> Shared:
    """The training text as numbers of types."""
    if options.tokenizer != "regex":  # with `chars` and `bytes` what is between sequences is text like any other
        options = TextOptions(options.tokenizer, "file", options.lowercase, options.pattern)
    encoders = new_encoders(options, jobs)
    blocks = read_blocks(corpus, encoding, options.tokenizer == "bytes", Repairs())
    numbers = [piece.number for piece, _ in encode_blocks(blocks, encoders)]
    n = encoders[0].n_numbers()
    seen = np.zeros(n, bool)
    for number in numbers:
        seen[number] = True
    some = np.flatnonzero(seen)
    hash_of = np.zeros(n, np.uint64)
    hash_of[some] = token_hashes(encoders[0].types(some))
    return Shared(numbers, hash_of)


__all__ = ["Novelty"]
