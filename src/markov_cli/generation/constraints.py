"""Draws texts that meet constraints: exactly, by success weights, or by rejection sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..errors import AnswerIsNo, OptionError
from ..model.header import Header
from ..model.table import Table
from ..sampling import automata, state_graph, success_weights
from ..sampling.automata import DEAD, Automaton
from ..sampling.sampler import Samples, select
from ..sampling.walkers import TRIES, Exact, Rejecting, RejectionSampler, Walker
from ..text.types import BOS
from .batches import TextModel, joined
from .constraint_parser import ConstraintParser
from .impossible import explain
from .prompt import PromptMatch
from .request import Constraints, Range, Request
from .text_checks import TextChecks, shown

MEMORY = 1 << 31  # bytes that the calculation may take
_WORK = 300_000_000  # state transitions times tokens for a limited length: a few seconds
_CHECKED_BYTES = 1 << 22  # about so many bytes of text are joined and checked at one time
_TRYING = "constraints are met by trying"


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
        table: Table | None = None,
        why_tried: str = "",
        judge: Callable[[Samples], np.ndarray] | None = None,
    ) -> None:
        """Parse the constraints and solve for success weights.

        walker     draws texts without constraints
        table      raw counts that the walker draws from; None where it draws from another distribution
        why_tried  reason for rejection, for the note, where there is no table
        judge      returns True for finished texts that are kept: bool (m,)

        OptionError for a constraint that cannot be parsed; AnswerIsNo where no text of the model meets them all.
        """
        c = request.constraints
        self.model, self.prompt, self.table, self._accepts = model, prompt, table, judge
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
        for one in self.constraints:
            if one.automaton.after(self._ids) == DEAD:
                raise AnswerIsNo(f"{one.name}: the prompt excludes it", "change the prompt or the constraint")
        self.automaton = automata.product([one.automaton for one in self.constraints])
        if not self._open(self.automaton):
            raise AnswerIsNo(*explain(self.constraints, lambda a, _: self._open(a), False, self._given, prompt.text))
        limits_length = c.tokens is not None or (c.characters is not None and _by_character(model.header))
        everything = self.automaton.accepts_all(self.automaton.after(self._ids))
        self.excludes = bool(self._checks) or limits_length or not everything
        if not self.excludes:
            self.conditioned = 0.0
            return
        found = None
        if table is None:
            self.note = f"{_TRYING}: {why_tried}"
        else:
            found = model.checked(self._calculated, table, self.automaton.after(self._ids))
        if found is not None:
            self.conditioned = -found.log2_probability
        self._sampler = RejectionSampler(
            found or rejecting(walker, self.automaton, self._ids, self.shortest, model), self.longest, self._judge
        )

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

    def _calculated(self, table: Table, state: int) -> Exact | None:
        """Exact walker; None, with a note, where it needs too much. AnswerIsNo where no text is possible."""
        followers = state_graph.estimate(table)
        need = followers * (state_graph.BYTES_EACH + _copies(self.automaton) * success_weights.BYTES_EACH)
        if need > MEMORY:
            self.note = (
                f"{_TRYING}: an exact calculation needs {need / 1e9:.1f} GB of memory, more than {MEMORY / 1e9:.1f} GB"
            )
            return None
        graph = state_graph.histories(table, self.shape, self.prompt.history)
        at = success_weights.product_graph(graph, self.automaton, state, table.n_ids)
        w = self._weights(at)
        if w is None:
            return None
        if not w.by_tokens[0][at.start]:
            if not success_weights.reachable(at, self.shortest, self.longest):

                def feasible(automaton: Automaton, lengths: bool) -> bool:
                    if not self._open(automaton):
                        return False
                    its = success_weights.product_graph(graph, automaton, automaton.after(self._ids), table.n_ids)
                    limits = (self.shortest, self.longest) if lengths else (0 if self._ids else 1, 1 << 30)
                    return success_weights.reachable(its, *limits)

                raise AnswerIsNo(*explain(self.constraints, feasible, True, self._given, self.prompt.text))
            if not w.endless:
                w = success_weights.limited(at, self.shortest, self.longest, narrow=True)
            if not w.by_tokens[0][at.start]:
                self.note = f"{_TRYING}: their probability is too small to calculate"
                return None
        return Exact(at, w, self.shortest)

    def _weights(self, at: success_weights.ProductGraph) -> success_weights.Weights | None:
        def affordable(layers: int) -> bool:
            return layers * len(at) * 8 <= MEMORY // 2 and layers * len(at.token) <= _WORK

        if affordable(self.longest + 1):
            return success_weights.limited(at, self.shortest, self.longest)
        if not affordable(self.shortest + 1):
            self.note = f"{_TRYING}: {self.shortest:,} tokens are too many for an exact calculation"
            return None
        tail = success_weights.unlimited(at)
        if tail is None:
            self.note = f"{_TRYING}: the exact calculation does not converge"
            return None
        return success_weights.limited(at, self.shortest, self.shortest, tail) if self.shortest else tail

    def _open(self, automaton: Automaton) -> bool:
        """True if the automaton accepts some string of tokens after the prompt, possible for the model or not."""
        return bool(automaton.accept.any()) and automaton.after(self._ids) != DEAD

    # ------------------------------------------------------------ finished texts

    @property
    def _judge(self) -> Callable[[Samples], np.ndarray] | None:
        return self._good if self._checks or self._accepts is not None else None

    def _good(self, drawn: Samples) -> np.ndarray:
        """True for finished texts that pass the checks and the judge: bool (m,)."""
        good = np.ones(len(drawn.index), bool) if self._accepts is None else self._accepts(drawn)
        if self._checks and good.any():
            good[good] = np.concatenate([self._checks.good(texts) for texts in self._texts(select(drawn, good))])
        return good

    def _texts(self, drawn: Samples) -> Iterator[list[bytes]]:
        """Finished texts, some millions of bytes at one time."""
        before = np.concatenate(([0], np.cumsum(self.model.vocabulary.spans(drawn.ids)[1])))
        group = before[np.cumsum(drawn.length)] // _CHECKED_BYTES
        for g in np.unique(group).tolist():
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


def _copies(automaton: Automaton) -> int:
    """Upper bound on the automaton states paired with any one history: those that tokens of class 0 lead to."""
    return len({int(q) for q in automaton.delta[:, 0] if q != DEAD}) + 1


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
