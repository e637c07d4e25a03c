"""Runs a request for texts: prepares prompt, constraints and novelty, draws the texts, and reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from ..errors import OptionError
from ..model.discounts import BLEND
from ..model.language_model import LanguageModel
from ..model.table import Table
from ..sampling import automata
from ..sampling.backtracking import BacktrackingSampler
from ..sampling.mixture import Mixture
from ..sampling.sampler import Sampler, Samples, batch_size
from ..sampling.walkers import RejectionSampler, Unconstrained, Walker
from ..scoring.predictor import check_adapts
from ..text.types import BOS
from .batches import Batch, batches, mean_tokens
from .blend import BlendWalker, blend_walker
from .constraints import Constrained, lengths_behind, rejecting
from .mixture import MixedModel
from .novelty import Novelty
from .prompt import PromptMatch, find_prompt
from .request import Request, new_seed
from .samplers import MANY, SMALL, prepare, sampler_of
from .stream import stream
from .texts import Text
from .unique import UniqueTexts

_STEERED = 1 << 14  # texts side by side where copies are avoided


class Run:
    """One request, answered by a model or a mixture.

    seed      of the request, or a chosen one
    prompt    in the model's ids
    notes     for the user, before the first text
    constrained  draws texts that meet constraints; None if nothing is excluded
    novelty   finds runs shared with the training text; None if not requested
    written   number of texts so far
    """

    def __init__(self, model: LanguageModel | MixedModel, request: Request) -> None:
        """Prepare to draw; every error that can be found before the first text is raised here.

        OptionError for impossible options; HistoryError for an unknown prompt; AnswerIsNo where no text is possible.
        """
        request.check()
        if request.adapt:
            check_adapts(model.models if isinstance(model, MixedModel) else [model], request.smoothing, ["the model"])
            request = replace(request, smoothing=BLEND)
        self.model, self.request = model, request
        self.seed = new_seed() if request.seed is None else request.seed
        self.notes: list[str] = []
        self.written = 0
        self.novelty: Novelty | None = None
        self.constrained: Constrained | None = None
        self.conditioned: float | None = None
        self._unique: UniqueTexts | None = None
        self._sampler: Sampler | None = None
        self.prompt: PromptMatch
        self.walker: Walker
        if isinstance(model, MixedModel):
            self.prompt, each = model.known(request.prompt, not request.within, request.ignore_case)
            self.walker = model.walker(each, request.smoothing, request.shape)
            if request.novel is not None or request.corpus:
                name = "--novel" if request.novel is not None else "--corpus"
                raise OptionError(f"{name} with --model: a mixture has several training texts", "leave one of them out")
        else:
            self.prompt = find_prompt(model, request.prompt, not request.within, request.ignore_case)
            if request.smoothing == BLEND:
                self.walker = blend_walker(model, request, self.prompt)
                self._get_novelty(model)
                if request.constraints:
                    self._get_constraints()
                return
            self._sampler = sampler_of(model, request.shape, request.smoothing, request.bits)
            self.walker = Unconstrained(self._sampler, self.prompt.history)
            self._get_novelty(model)
        if request.constraints:
            self._get_constraints()

    def _get_novelty(self, model: LanguageModel) -> None:
        asked = self.request
        if asked.novel is None and not asked.corpus and not (asked.overlaps and model.table.guard):
            return
        self.novelty = Novelty(
            model, self.prompt, asked.novel, asked.corpus, asked.encoding, asked.jobs, asked.overlaps
        )
        if self.novelty.accuracy:
            self.notes.append(self.novelty.accuracy)

    def _get_constraints(self) -> None:
        model, request = self.model, self.request
        some = Constrained(model, request, self.prompt, self.walker, self.novelty)
        self.conditioned = some.conditioned
        if some.note:
            self.notes.append(some.note)
        if some.unknown:
            self.notes.append(f"--ban: the model does not know {some.unknown:,} of the words")
        if some.excludes:
            self.constrained = some

    # ------------------------------------------------------------ texts

    def batches(self, end: bytes = b"") -> Iterator[Batch]:
        """Texts in batches, each text followed by `end`."""
        found = self._drawn(0, self.request.count, end)
        if self.request.unique:
            self._unique = UniqueTexts(lambda first, n: self._drawn(first, n, end))
            found = self._unique.batches(self.request.count)
        for batch in found:
            self.written += len(batch.samples.index)
            yield batch

    def texts(self) -> Iterator[Text]:
        """Texts one by one."""
        n_prompt = self.prompt.tokens
        for batch in self.batches():
            drawn = batch.samples
            shared = self.novelty.overlap(batch) if self.novelty is not None else None
            for k, one in enumerate(batch.each()):
                bits = float(drawn.bits[k])
                yield Text(
                    one.decode("utf-8", "replace"),
                    int(drawn.length[k]) + n_prompt,
                    bits,
                    bool(drawn.complete[k]),
                    self.seed,
                    int(drawn.index[k]),
                    one,
                    None if self.conditioned is None else bits - self.conditioned,
                    None if shared is None else int(shared[0][k]),
                    None if shared is None else shared[1],
                )

    def tokens(self) -> Iterator[tuple[int, int, float]]:
        """Endless stream of tokens of texts 0, 1, 2, ...: number of the text, id, bits."""
        self._index()
        source = stream(self.walker, self.seed, self.prompt.tokens > 0)
        while True:
            yield self.model.checked(next, source)

    def _drawn(self, first: int, count: int, end: bytes) -> Iterator[Batch]:
        """Texts first..first+count-1; those that could not be drawn are left out."""
        mean = mean_tokens(self.model.header, self._lengths[1])
        if self.constrained is not None:
            some, size = self.constrained, batch_size(count, mean)
            return batches(lambda a, n: some.draw(self.seed, a, n), self.model, self.prompt, first, count, size, end)
        self._index()
        if self._sampler is None:
            tried, size = self._tried, batch_size(count, mean)
            return batches(lambda a, n: tried.texts(self.seed, a, n), self.model, self.prompt, first, count, size, end)
        size = batch_size(count, mean)  # more batches than needed save no time: a step costs as much for few texts
        if self._steered is not None:
            size = min(size, _STEERED)
        drawer = self._steered or self._sampler

        def draw(begin: int, n: int) -> Samples:
            return drawer.texts(self.seed, begin, n, self.prompt.history, *self._lengths)

        return batches(draw, self.model, self.prompt, first, count, size, end, self.request.jobs)

    def _index(self) -> None:
        """Index the tables that are drawn from, where that saves time."""
        for table, raw in self._tables:
            if self.request.count >= MANY or table.rows <= SMALL:
                self.model.checked(prepare, table, raw)

    @property
    def _tables(self) -> list[tuple[Table, bool]]:
        """The tables that texts without constraints are drawn from; True for those that raw counts are drawn from."""
        if isinstance(self.walker, BlendWalker):
            return [(part.table, False) for part in self.walker.parts]
        samplers = [] if self._sampler is None else [self._sampler]
        if isinstance(self.walker, Mixture):
            samplers = [part.sampler for part in self.walker.components]
        return [(sampler.table, sampler.smoothed is None) for sampler in samplers]

    @cached_property
    def _steered(self) -> BacktrackingSampler | None:
        if self._sampler is None or self.novelty is None or self.novelty.novel is None:
            return None
        return self.novelty.steered(self._sampler)

    @cached_property
    def _tried(self) -> RejectionSampler:
        """Sampler of a mixture or a blend without constraints; a text that copies a run is drawn again."""
        ids = [i for i in self.prompt.ids if i != BOS]
        shortest, longest = self._lengths
        walker = rejecting(self.walker, automata.product([]), ids, shortest, self.model)
        judge = self.novelty.good if self.novelty is not None and self._novel else None
        return RejectionSampler(walker, longest, judge, cut=True)

    @property
    def _novel(self) -> bool:
        return self.novelty is not None and self.novelty.novel is not None

    @property
    def _lengths(self) -> tuple[int, int]:
        shortest, longest = lengths_behind(self.prompt, self.request.min_tokens, self.request.max_tokens)
        return shortest, max(longest, 0)

    def overlap(self, batch: Batch) -> tuple[np.ndarray, str] | None:
        """Longest run that each text shares with the training text; see `Novelty.overlap`."""
        return self.novelty.overlap(batch) if self.novelty is not None else None

    # ------------------------------------------------------------ afterwards

    @property
    def fewer(self) -> bool:
        """Fewer texts were written than requested."""
        return self.written < self.request.count

    def closing_notes(self) -> list[str]:
        """Notes for the user after the last text: cost of constraints and novelty, reason for missing texts."""
        out = []
        some = self.constrained or (self._tried if self._novel and self._sampler is None else None)
        if some is not None and some.tried > some.kept:
            out.append(f"{some.kept:,} of {some.tried:,} tries kept ({some.kept / some.tried:.2%})")
        if self.novelty is not None and self.novelty.cost:
            out.append(self.novelty.cost)
        if self.fewer:
            out.append(f"{self.written} of {self.request.count} texts: {self._why_fewer()}")
        return out

    def _why_fewer(self) -> str:
        least = self.request.min_tokens
        if self._unique is not None:
            return f"{self._unique.drawn:,} draws gave no other distinct texts"
        if self.constrained is not None:
            return self.constrained.why_fewer
        if self.novelty is not None and self.novelty.novel is not None:
            return self.novelty.why_fewer(least)
        return f"each other attempt ended before --min-tokens {least}"
