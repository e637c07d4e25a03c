"""Novelty: avoids copied runs of K tokens, and finds the longest run that a text shares with the training text.

Legend: K is the value of --novel; G the length of the guard's runs, K where the guard is made from the corpus.

The promise holds for the finished text: each text is tokenized again, and drawn again if it has a copied run of K
tokens. (Drawing avoids copies by ids, and two tokens that are joined may read as one.) Tokens are compared by
their bytes. Without K nothing is avoided, and only the longest shared run is reported.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import AnswerIsNo, OptionError, TextError
from ..evidence.copying.shared_runs import Shared
from ..model.fingerprints import Guard
from ..model.language_model import LanguageModel
from ..sampling.backtracking import BacktrackingCounts, BacktrackingSampler, CopyFilter
from ..sampling.sampler import Sampler, Samples
from ..text.encoder import Encoder, TextOptions
from ..text.encoding_threads import pieces_of
from ..text.model_ids import Recoder
from ..text.number_hashes import number_hashes
from ..text.reading import Repairs, Source
from ..text.run_hashes import hash_tokens, run_hashes, token_hashes
from ..text.text_blocks import Block
from ..text.types import N_MARKERS
from ..text.vocabulary import UNSPACED
from .batches import Batch, joined
from .prompt import PromptMatch, tokens_of

CORPUS_RATE = 2.0**-20  # false positives of a guard made from the corpus
_INDEX = 1 << 24  # an index of more runs than this costs too much memory


class Novelty:
    """Runs of the training text that the texts of a model may not copy, or whose copies are reported.

    tally  number of copies, draws and steps back, once texts were drawn
    repairs  changes and omissions when the corpus was read
    exact  runs are compared with the corpus, not with the model's guard
    stream  int64 (N,), the corpus as ids of the model, UNK for tokens that it does not know; empty without a corpus
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

        novel     K; None to avoid nothing
        corpus    the training text; its files are read as one stream
        overlaps  keep the corpus in memory, 4 bytes a token, for `overlap`

        OptionError where K is too small, or there is neither a corpus nor a guard that fits; AnswerIsNo where the
        prompt has a copied run of K tokens.
        """
        self.model, self.prompt, self.novel = model, prompt, novel
        self.options = model.header.options
        self.tally = BacktrackingCounts()
        self.exact = bool(corpus)
        self.shared: Shared | None = None
        self.stream = np.empty(0, np.int64)
        self._steered: BacktrackingSampler | None = None
        guard = model.table.guard
        self.repairs = Repairs()
        _check(novel, model.order, guard, self.exact)
        if corpus:
            self.shared, self.stream = _read(corpus, model, encoding, jobs, self.repairs)
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
                f"--novel {novel}: {novel} tokens of the prompt in a row are in the training text",
                "use another prompt, or a larger --novel",
            )

    @property
    def accuracy(self) -> str:
        """Note on the guard's false positives; empty where runs are compared with the corpus."""
        if self.novel is None or self.exact or self.guard is None:
            return ""
        rate = 1 / max(self.guard.rate, 1e-9)
        return f"guard of runs of {self.guard.tokens} tokens: 1 new run in {rate:,.0f} counts as a copy"

    @property
    def cost(self) -> str:
        """Note on the copies avoided; empty where nothing was drawn."""
        t = self.tally
        if not t.draws:
            return ""
        again = t.lost + t.circles
        more = f", {again:,} texts begun again" if again else ""
        return f"avoided {t.copies:,} copies in {t.draws:,} draws; {t.back:,} steps back{more}"

    def why_fewer(self, min_tokens: int) -> str:
        """Reason for missing texts."""
        if self.tally.dead:
            return (
                f"every other text that this model can write shares a run of {self.novel} tokens with the training "
                "text: use a larger --novel"
            )
        if min_tokens > 1:
            return f"each other attempt ended before --min-tokens {min_tokens} or copied {self.novel} tokens"
        return f"each other attempt copied {self.novel} tokens: use a larger --novel"

    @property
    def limit(self) -> int:
        """Number of consecutive runs of the guard in a copied run of K tokens: K - G + 1."""
        assert self.guard is not None and self.novel is not None
        return self.novel - self.guard.tokens + 1

    def steered(self, sampler: Sampler) -> BacktrackingSampler:
        """Sampler that avoids copies by stepping back."""
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
        """True for texts that have no copied run when they are tokenized again: bool (m,)."""
        batch = joined(self.model.vocabulary, drawn, self.prompt)
        return self._worst(*self._read_again(batch.text, batch.edge)) < self.limit

    def overlap(self, batch: Batch) -> tuple[np.ndarray, str] | None:
        """Tokens of the longest run that each text shares with the training text; None without corpus and guard.

        batch    texts, joined without `end`
        returns  int64 (m,), and `exact`, or `bound` where the guard gives an upper bound
        """
        if not len(batch.samples.index):
            return np.zeros(0, np.int64), "exact" if self.shared else "bound"
        if self.shared is not None:
            return self.shared.longest(*self._read_again(batch.text, batch.edge), most=self.novel), "exact"
        if self.guard is None:
            return None
        h, length = self._read_again(batch.text, batch.edge)
        # a shared run of G + j tokens has j + 1 consecutive runs of the guard
        return np.minimum(self._worst(h, length) + self.guard.tokens - 1, length), "bound"

    # ------------------------------------------------------------ finished texts

    def _worst(self, h: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Greatest number of consecutive runs of the guard in each text: int64 (m,)."""
        assert self.guard is not None
        k, m = self.guard.tokens, len(length)
        out = np.zeros(m, np.int64)
        key = run_hashes(h, k)
        if not len(key):
            return out
        owner = np.repeat(np.arange(m), length)
        inside = owner[: len(key)] == owner[k - 1 :]  # not a run that crosses into the next text
        seen = np.zeros(len(key), bool)
        seen[inside] = self.model.checked(self.guard.seen, key[inside])
        here = np.arange(1, len(key) + 1)
        np.maximum.at(out, owner[: len(key)], here - np.maximum.accumulate(np.where(seen, 0, here)))
        return out

    def _read_again(self, whole: bytes, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hashes of the tokens of finished texts, joined, and the number of tokens of each."""
        kind = self.options.tokenizer
        if kind == "regex" or self.options.keep_newlines:
            edges = edge.tolist()
            texts = [whole[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(edges)]
            tokens = [[token for token, _ in tokens_of(text, self.options)] for text in texts]
            flat = [token for some in tokens for token in some]
            return hash_tokens(flat), np.array([len(some) for some in tokens], np.int64)
        length = np.diff(edge)
        if kind in UNSPACED:  # a token is a byte or a character, so no tokens join
            data = np.frombuffer(whole, np.uint8)
            own, n = (data, length) if kind == "bytes" else _characters(whole, edge)
            seen, which = np.unique(own, return_inverse=True)
            return token_hashes(Encoder(self.options).types(seen.astype(np.int64)))[which], n
        # one line a text: newlines within it become spaces, which changes no token
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
    """Code points of texts, and the number of them in each."""
    edges = edge.tolist()
    texts = [whole[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(edges)]
    points = np.frombuffer("".join(texts).encode("utf-32-le"), "<u4").astype(np.int64)
    return points, np.array([len(text) for text in texts], np.int64)


def _trailing(seen: np.ndarray) -> int:
    """Number of true values at the end."""
    return len(seen) if seen.all() else int(np.argmin(seen[::-1]))


def _check(novel: int | None, order: int, guard: Guard | None, corpus: bool) -> None:
    if novel is None:
        return
    if novel <= order:
        raise OptionError(
            f"--novel {novel}: the model has order {order}, so each {order} tokens that it writes in a row are a copy",
            f"use --novel {order + 1} or more",
        )
    if corpus:
        return
    if guard is None:
        raise OptionError(
            f"--novel {novel}: the model has no guard, and there is no --corpus",
            f"add --corpus FILE, the training text; or train with --guard {novel}",
        )
    if not guard.fitting(novel):
        raise OptionError(
            f"--novel {novel}: the model's guard holds runs of {guard.tokens} tokens and cannot find shorter ones",
            f"use --novel {guard.tokens} or more; or add --corpus FILE, the training text",
        )


def _read(
    corpus: Sequence[Source], model: LanguageModel, encoding: str, jobs: int, repairs: Repairs
) -> tuple[Shared, np.ndarray]:
    """The training text as provisional token numbers, and as ids; TextError if it has no token."""
    options = model.header.options
    if options.tokenizer != "regex":  # with `chars` and `bytes`, characters between sequences are tokens too
        options = replace(options, unit="file")
    recoder = model.checked(Recoder, [model.vocabulary], options, jobs)
    numbers = [piece.number for piece, _ in pieces_of(corpus, encoding, recoder.encoders, repairs)]
    for encoder in recoder.encoders:
        repairs.add(encoder.repairs)
    if not any(map(len, numbers)):
        left_out = f"; {len(repairs.skipped):,} files are not text" if repairs.skipped else ""
        raise TextError(
            f"{corpus[0].name}: no token in the training text{left_out}", "name the text that the model was trained on"
        )
    stream = np.concatenate([recoder.ids(0, number.astype(np.int64) + N_MARKERS) for number in numbers])
    return Shared(numbers, number_hashes(recoder.encoders[0], numbers)), stream.astype(np.int64)


__all__ = ["Novelty"]
