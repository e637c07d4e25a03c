"""Draws texts that meet constraints: exactly, by success weights, or by rejection sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..arrays.sorting import distinct_values
from ..errors import AnswerIsNo, OptionError
from ..model.header import Header
from ..model.language_model import LanguageModel
from ..sampling import automata
from ..sampling.automata import DEAD, Automaton
from ..sampling.sampler import Samples, select
from ..sampling.walkers import TRIES, Rejecting, RejectionSampler, Walker
from ..text.types import BOS
from .batches import TextModel, joined
from .constraint_parser import ConstraintParser
from .exact import NoText, Task, TooMuch, exact_walker, n_rows, novel_walker
from .impossible import explain
from .novelty import Novelty
from .prompt import PromptMatch
from .regex_parser import NotFinite
from .request import Constraints, Range, Request
from .text_automata import text_automata
from .text_checks import TextChecks, shown

_CHECKED_BYTES = 1 << 22  # about so many bytes of text are joined and checked at one time
STEPS = 20_000_000  # between states, up to which checks of the finished text are calculated at once
_TRYING = "constraints are met by trying"
_SAMPLE, _MANY_COPIES = 64, 0.8  # with more copies in a sample of texts, copies are avoided by calculation


class Constrained:
    """Draws the texts of a model that meet constraints.

    conditioned   -log2 of the probability that a text meets the constraints; None with rejection
    note          reason for rejection sampling; empty where the calculation is exact
    unknown       number of banned words that the model does not know
    excludes      False if every text of the model meets the constraints: use the plain sampler then
    """

    def __init__(
        self,
        model: TextModel,
        request: Request,
        prompt: PromptMatch,
        walker: Walker,
        novelty: Novelty | None = None,
    ) -> None:
        """Parse the constraints and solve for success weights.

        walker  draws texts without constraints
        novelty  tells which finished texts copy a run of the training text; None to allow copies

        OptionError for a constraint that cannot be parsed; AnswerIsNo where no text of the model meets them all.
        """
        c = request.constraints
        self.model, self.prompt = model, prompt
        self._novelty = novelty if novelty is not None and novelty.novel is not None else None
        self.shape = request.shape
        self.conditioned: float | None = None
        self.note = ""
        self._ids = [i for i in prompt.ids if i != BOS]
        self._checks = TextChecks(c)
        least, most = _lengths(model.header, c, request.min_tokens, request.max_tokens)
        self.shortest, self.longest = lengths_behind(prompt, least, most)
        self._given = f"--tokens {shown(c.tokens)}" if c.tokens else f"--max-tokens {request.max_tokens}"
        if self.longest < self.shortest:
            raise AnswerIsNo(
                f"{self._given}: the prompt has {len(self._ids)} tokens", "use a shorter prompt, or allow more tokens"
            )
        parser = ConstraintParser(model, request.ignore_case)
        self.constraints = parser.read(c)
        self.unknown = parser.unknown
        self._combine()
        limits_length = c.tokens is not None or (c.characters is not None and _by_character(model.header))
        everything = self.automaton.accepts_all(self.automaton.after(self._ids))
        self.excludes = bool(self._checks) or limits_length or not everything
        if not self.excludes:
            self.conditioned = 0.0
            return
        found = self._exact_with_checks(c, request.smoothing, STEPS) if self._checks else None
        if found is None:
            found = self._exact(request.smoothing)
        walker = found or rejecting(walker, self.automaton, self._ids, self.shortest, model)
        if self._checks and found is not None and not self._finds_any(found):
            walker = self._exact_with_checks(c, request.smoothing) or walker
        self._sampler = RejectionSampler(walker, self.longest, self._judge)

    def _combine(self) -> None:
        """Combine the constraints to one automaton; AnswerIsNo where no string of tokens meets them."""
        for one in self.constraints:
            if one.automaton.after(self._ids) == DEAD:
                raise AnswerIsNo(f"{one.name}: the prompt excludes it", "change the prompt or the constraint")
        self.automaton = automata.product([one.automaton for one in self.constraints])
        if not self._open(self.automaton):
            prompt = self.prompt.text
            raise AnswerIsNo(*explain(self.constraints, lambda a, _: self._open(a), False, self._given, prompt))

    @property
    def tried(self) -> int:
        """Number of attempts so far."""
        return self._sampler.tried

    @property
    def kept(self) -> int:
        """Number of texts so far."""
        return self._sampler.kept

    @property
    def why_fewer(self) -> str:
        """Reason for missing texts."""
        if not self._sampler.ended and self.conditioned is not None:
            return f"no text ended within {self.longest + len(self._ids):,} tokens; use a larger --max-tokens"
        failed = ", ".join(f"{name} {n:,}" for name, n in self._checks.failed.items() if n)
        limit = "10,000,000 tokens of tries" if self._sampler.long else f"{TRIES:,} tries"
        return f"the others failed in {limit} each{f'; failed checks: {failed}' if failed else ''}"

    def draw(self, seed: int, begin: int, n: int) -> Samples:
        """Texts begin..begin+n-1; those without a successful attempt are left out."""
        return self._sampler.texts(seed, begin, n)

    # ------------------------------------------------------------ exact or rejection

    def _exact_with_checks(self, c: Constraints, smoothing: str | None, steps: int | None = None) -> Walker | None:
        """Exact walker that meets checks of the finished text, too, and leaves these out; None where there is none.

        steps  most steps between states; None for no limit but memory
        """
        before = self.constraints, self.automaton, self.note, self.conditioned
        found = None
        try:
            more = text_automata(self.model, c, self.prompt)
            self.constraints = [*self.constraints, *more]
            self._combine()
            if more and (steps is None or n_rows(self.model) * len(self.automaton) <= steps):
                found = self._exact(smoothing)
        except (NotFinite, OptionError):  # too many states
            pass
        if found is None:
            self.constraints, self.automaton, self.note, self.conditioned = before
        else:
            self._checks.leave_out([one.name for one in more])
        return found

    def _finds_any(self, walker: Walker) -> bool:
        """True if a fixed sample of texts has one that passes the checks."""
        some = RejectionSampler(walker, self.longest).texts(0, 0, _SAMPLE)
        found = bool(len(some.index)) and bool(self._good(some).any())
        self._checks.failed = dict.fromkeys(self._checks.failed, 0)
        return found

    def _exact(self, smoothing: str | None) -> Walker | None:
        """Exact walker; None, with a note, where there is none. AnswerIsNo where no text is possible."""
        opens = self.prompt.ids[:1] == [BOS]
        task = Task(self.shape, self.prompt.history, self.automaton, self._ids, opens, self.shortest, self.longest)
        try:
            found = self.model.checked(exact_walker, self.model, smoothing, task)
        except TooMuch as reason:
            self.note = f"{_TRYING}: {reason}"
            return None
        except NoText as error:
            possible = error.feasible
            raise AnswerIsNo(
                *explain(
                    self.constraints,
                    lambda a, lengths: self._open(a) and possible(a, lengths),
                    True,
                    self._given,
                    self.prompt.text,
                )
            ) from None
        if self._novelty is not None and self._copies(found) > _MANY_COPIES:
            found = self._without_copies(smoothing, task) or found
        self.conditioned = -found.log2_probability
        return found

    def _copies(self, walker: Walker) -> float:
        """Share of a fixed sample of texts that copy a run of the corpus."""
        assert self._novelty is not None
        if not len(self._novelty.stream):
            return 0.0
        some = RejectionSampler(walker, self.longest).texts(0, 0, _SAMPLE)
        return 1.0 - float(self._novelty.good(some).mean()) if len(some.index) else 1.0

    def _without_copies(self, smoothing: str | None, task: Task) -> Walker | None:
        """Exact walker of the texts without copies; None, with a note, where there is none."""
        novelty, model = self._novelty, self.model
        assert novelty is not None and novelty.novel is not None and isinstance(model, LanguageModel)
        try:
            return model.checked(novel_walker, model, smoothing, task, novelty.stream, novelty.novel)
        except TooMuch as reason:
            self.note = f"copies are avoided by trying: {reason}"
            return None
        except NoText:
            raise AnswerIsNo(
                f"--novel {novelty.novel}: every text that meets the constraints shares a run of {novelty.novel} "
                "tokens with the corpus",
                "use a larger --novel, or fewer constraints",
            ) from None

    def _open(self, automaton: Automaton) -> bool:
        """True if the automaton accepts some string of tokens after the prompt, possible for the model or not."""
        return bool(automaton.accept.any()) and automaton.after(self._ids) != DEAD

    # ------------------------------------------------------------ finished texts

    @property
    def _judge(self) -> Callable[[Samples], np.ndarray] | None:
        return self._good if self._checks or self._novelty is not None else None

    def _good(self, drawn: Samples) -> np.ndarray:
        """True for finished texts that pass the checks and copy no run: bool (m,)."""
        good = np.ones(len(drawn.index), bool) if self._novelty is None else self._novelty.good(drawn)
        if self._checks and good.any():
            good[good] = self._checks.can_pass(self._sizes(select(drawn, good)))
        if self._checks and good.any():
            good[good] = np.concatenate([self._checks.good(texts) for texts in self._texts(select(drawn, good))])
        return good

    def _sizes(self, drawn: Samples) -> np.ndarray:
        """Bytes of the tokens of each text: int64 (m,)."""
        before = np.concatenate(([0], np.cumsum(self.model.vocabulary.spans(drawn.ids)[1])))
        return np.diff(before[np.cumsum(drawn.length)], prepend=0)

    def _texts(self, drawn: Samples) -> Iterator[list[bytes]]:
        """Finished texts, some millions of bytes at one time."""
        group = np.cumsum(self._sizes(drawn)) // _CHECKED_BYTES
        for g in distinct_values(group).tolist():
            yield joined(self.model.vocabulary, select(drawn, group == g), self.prompt).each()


def rejecting(walker: Walker, automaton: Automaton, ids: list[int], shortest: int, model: TextModel) -> Rejecting:
    """Walker that gives up a text as soon as the automaton rejects it; `ids` is the prompt."""
    return Rejecting(walker, automaton, automaton.after(ids), shortest, len(model.vocabulary))


def lengths_behind(prompt: PromptMatch, least: int, most: int) -> tuple[int, int]:
    """Least and most tokens to draw after a prompt; at least one without a prompt."""
    n = prompt.tokens
    return max(least - n, 0 if n else 1), most - n


def _by_character(header: Header) -> bool:
    return header.options.tokenizer == "chars"  # every token is one character


def _lengths(header: Header, c: Constraints, min_tokens: int, max_tokens: int) -> Range:
    """Least and most tokens of a text, from all options that limit it; OptionError where no length fits all."""
    least, most = min_tokens, max_tokens
    ranges = [("--tokens", c.tokens)]
    for name, pair in (("--tokens", c.tokens), ("--characters", c.characters)):
        if pair is not None and not 0 <= pair[0] <= pair[1]:
            raise OptionError(f"{name} {shown(pair)}: not a range of numbers", "for example 12 or 8..12")
    if _by_character(header):
        ranges.append(("--characters", c.characters))
    for name, pair in ranges:
        if pair is not None:
            least, most = max(least, pair[0]), min(most, pair[1])
            if least > most:
                raise OptionError(
                    f"{name} {shown(pair)}: a text has at least {min_tokens:,} and at most {max_tokens:,} tokens",
                    f"change {name}, --min-tokens or --max-tokens",
                )
    return least, most


__all__ = ["Constrained", "rejecting"]
