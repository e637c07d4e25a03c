"""Texts that meet constraints: from words and lengths to automata, from those to texts, or to why there are none."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..api.results import PromptMatch
from ..errors import AnswerIsNo, OptionError
from ..sampling import automata, state_graph, success_weights
from ..sampling.automata import DEAD, Automaton
from ..sampling.sampler import Sampler, Samples, batch_size, select
from ..sampling.shape import Shape
from ..sampling.walkers import Exact, Rejecting, RejectionSampler, Unconstrained, Walker
from ..text.types import BOS
from .batches import texts_of
from .constraint_parser import ConstraintParser, NamedAutomaton

if TYPE_CHECKING:
    from ..api.model import Model
    from .novelty import Novelty

MEMORY = 1 << 31  # bytes that calculating may take
_WORK = 300_000_000  # steps of places times tokens that a limited length may take: a few seconds
_LESS = "leave one of them out, or allow other lengths"
NO_MOST = 1 << 40  # no limit above
_PAIRS = 6  # constraints up to which it is told which two exclude each other


@dataclass(frozen=True)
class Constraints:
    """What texts must be like; every text ends by itself, within the most tokens.

    contains     words, or several words in a row, each of which stands somewhere
    in_order     they stand in the order given, and do not overlap
    starts_with  the first tokens
    ends_with    the last tokens
    without      words, or several in a row, none of which stands anywhere
    pattern      the whole text: words, `_` for one token, `*` for any number
    tokens       least and most tokens, the prompt's counted
    characters   least and most characters of the finished text
    match        a regular expression of Python's `re`, found somewhere in the finished text
    ban          words, or several in a row, none of which stands anywhere; there may be very many
    balanced     quotes and brackets close; see `text.balance`
    """

    contains: Sequence[str] = ()
    in_order: bool = False
    starts_with: str = ""
    ends_with: str = ""
    without: Sequence[str] = ()
    pattern: str = ""
    tokens: tuple[int, int] | None = None
    characters: tuple[int, int] | None = None
    match: str = ""
    ban: Sequence[str] = ()
    balanced: bool = False

    def __bool__(self) -> bool:
        many = self.contains, self.starts_with, self.ends_with, self.without, self.pattern, self.match, self.ban
        return any(many) or self.balanced or self.tokens is not None or self.characters is not None


class Constrained:
    """Draws a model's texts that meet constraints.

    conditioned   -log2 of the probability that a text meets what is met by calculation; None where all is tried
    note          why texts are tried and not calculated; empty where they are calculated
    unknown       how many of the banned words the model does not know
    """

    def __init__(
        self,
        model: Model,
        constraints: Constraints,
        known: PromptMatch,
        prompt: str = "",
        min_tokens: int = 1,
        max_tokens: int = 1000,
        shape: Shape | None = None,
        smoothing: str | None = None,
        ignore_case: bool = False,
        novelty: Novelty | None = None,
        walker: Walker | None = None,
        cut: bool = False,
    ) -> None:
        """Get ready; AnswerIsNo where no text of the model meets the constraints.

        model    a `Mixed` will do where there is a walker
        known    what stands before the first token
        novelty  texts that copy are tried again
        walker   another way to draw texts than from the model: constraints are met by trying then
        cut      a text that does not end within max_tokens is cut there, and not left out
        """
        self.model, self.known, self.prompt, self.shape = model, known, prompt, shape or Shape()
        self.conditioned: float | None = None
        self.note = ""
        self._history = (known.level, known.row)
        self._ids = [i for i in known.ids if i != BOS]
        self._judges = _judges(constraints)
        self._novelty = novelty if novelty is not None and novelty.novel is not None else None
        self._turned_away = {name: 0 for name, _ in self._judges}
        least, most = _lengths(model, constraints, min_tokens, max_tokens)
        shorter = 0 if self._ids else 1
        self.shortest, self.longest = max(least - len(self._ids), shorter), most - len(self._ids)
        self._given = f"--tokens {_range(constraints.tokens)}" if constraints.tokens else f"--max-tokens {max_tokens}"
        if self.longest < self.shortest:
            raise AnswerIsNo(
                f"{self._given}: the prompt has {len(self._ids)} tokens", "a shorter prompt, or more tokens"
            )
        reader = ConstraintParser(model, ignore_case)
        self.constraints = reader.read(constraints)
        self.unknown = reader.unknown
        for one in self.constraints:
            if one.automaton.after(self._ids) == DEAD:
                raise AnswerIsNo(f"{one.name}: the prompt excludes it", "change one of them")
        self.automaton = automata.product([one.automaton for one in self.constraints])
        if not self.automaton.accept.any() or self.automaton.after(self._ids) == DEAD:
            raise AnswerIsNo(*self._why(lambda a: a.accept.any() and a.after(self._ids) != DEAD))
        if walker is None:
            walker = model.checked(self._walker, smoothing)
        else:
            self.note = (
                "constraints are met by trying: those of mixed models cannot be calculated" if constraints else ""
            )
            walker = self._tried(walker)
        self._trying = RejectionSampler(walker, self.longest, self._judge, cut)

    @property
    def tried(self) -> int:
        """Attempts so far."""
        return self._trying.tried

    @property
    def kept(self) -> int:
        """Texts so far."""
        return self._trying.kept

    @property
    def why_fewer(self) -> str:
        """Why some texts did not come."""
        if not self._trying.ended and self.conditioned is not None:
            return f"no text ended within {self.longest + len(self._ids):,} tokens; raise --max-tokens"
        away = ", ".join(f"by {name} {n:,}" for name, n in self._turned_away.items() if n)
        told = f"; turned away were {away}" if away else ""
        return f"the others did not come in {self._trying.tries:,} tries each{told}"

    def draw(
        self, count: int, seed: int, end: bytes = b"", first: int = 0
    ) -> Iterator[tuple[Samples, bytes, np.ndarray]]:
        """Batches of texts, as `generating.draw` gives them; those that no attempt gave are left out."""
        header = self.model.header
        size = batch_size(count, min(self.longest, header.tokens / max(header.sequences, 1)), 1)
        for begin in range(first, first + count, size):
            drawn = self.model.checked(self._trying.texts, seed, begin, min(size, first + count - begin))
            yield drawn, *self.model.checked(texts_of, self.model.vocabulary, drawn, self.known, self.prompt, end)

    # ------------------------------------------------------------ how

    def _walker(self, smoothing: str | None) -> Walker:
        model = self.model
        state = self.automaton.after(self._ids)
        if model.uses_raw_counts(smoothing):
            found = self._calculated(state)
            if found is not None:
                self.conditioned = -found.log2_probability
                return found
        else:
            self.note = "constraints are met by trying: only --smoothing none can be calculated"
        smoothed = None if model.uses_raw_counts(smoothing) else model.distribution(smoothing)
        sampler = Sampler(model.table, self.shape, True, smoothed)
        return self._tried(Unconstrained(sampler, self._history))

    def _tried(self, inner: Walker) -> Rejecting:
        automaton = self.automaton
        return Rejecting(inner, automaton, automaton.after(self._ids), self.shortest, len(self.model.vocabulary))

    def _calculated(self, state: int) -> Exact | None:
        """The exact way; None, and a note, where it needs too much. AnswerIsNo where there is no text."""
        followers = state_graph.estimate(self.model.table)
        need = followers * (state_graph.BYTES_EACH + _copies(self.automaton) * success_weights.BYTES_EACH)
        if need > MEMORY:
            self.note = (
                f"constraints are met by trying: to calculate them would take {need / 1e9:.1f} GB of memory, "
                f"more than {MEMORY / 1e9:.1f} GB"
            )
            return None
        self._found = state_graph.histories(self.model.table, self.shape, self._history)
        at = success_weights.places(self._found, self.automaton, state, self.model.table.n_ids)
        w = self._weights(at)
        if w is None:
            return None
        if not w.by_tokens[0][at.start]:
            if not self._possible(at, self.shortest, self.longest):
                raise AnswerIsNo(*self._why(self._possible_alone))
            if not w.endless:
                w = success_weights.limited(at, self.shortest, self.longest, narrow=True)
            if not w.by_tokens[0][at.start]:
                self.note = "constraints are met by trying: they are too improbable to calculate"
                return None
        return Exact(at, w, self.shortest)

    def _weights(self, at: success_weights.Places) -> success_weights.Weights | None:
        def affordable(layers: int) -> bool:
            return layers * len(at) * 8 <= MEMORY // 2 and layers * len(at.token) <= _WORK

        if affordable(self.longest + 1):
            return success_weights.limited(at, self.shortest, self.longest)
        if not affordable(self.shortest + 1):
            self.note = f"constraints are met by trying: {self.shortest:,} tokens are too many to calculate"
            return None
        tail = success_weights.unlimited(at)
        if tail is None:
            self.note = "constraints are met by trying: the calculation does not come to an end"
            return None
        return success_weights.limited(at, self.shortest, self.shortest, tail) if self.shortest else tail

    # ------------------------------------------------------------ why not

    def _possible(self, at: success_weights.Places, shortest: int, longest: int) -> bool:
        """Whether a text can come from the start, its probability apart."""
        return success_weights.reachable(at, shortest, longest)

    def _possible_alone(self, automaton: Automaton, lengths: bool = True) -> bool:
        at = success_weights.places(self._found, automaton, automaton.after(self._ids), self.model.table.n_ids)
        if lengths:
            return self._possible(at, self.shortest, self.longest)
        return self._possible(at, 0 if self._ids else 1, 1 << 30)

    def _why(self, possible: Callable[..., bool]) -> tuple[str, str]:
        """Which constraints no text meets: one alone, one with the length, two, or only all together."""
        free = automata.product([])
        calculated = possible == self._possible_alone

        def fails(some: Sequence[NamedAutomaton], lengths: bool = True) -> bool:
            whole = automata.product([one.automaton for one in some])
            if not whole.accept.any() or whole.after(self._ids) == DEAD:
                return True
            return not (possible(whole, lengths) if calculated else possible(whole))

        after = f" that begins with {self.prompt!r}" if self.prompt else ""
        alone = [one.name for one in self.constraints if fails([one], lengths=False)]
        if alone:
            return f"{alone[0]}: no text of the model{after} can meet it", "ask for something else"
        if calculated and not possible(free):
            return f"{self._given}: no text of the model{after} has such a length", "allow other lengths"
        for one in self.constraints:
            if fails([one]):
                return f"{one.name} and {self._given}: no text of the model{after} meets both", "allow other lengths"
        groups: list[Sequence[NamedAutomaton]] = [self.constraints]
        if len(self.constraints) <= _PAIRS:
            groups = [*itertools.combinations(self.constraints, 2), self.constraints]
        for group in groups:
            if fails(group):
                names = [one.name for one in group]
                if calculated and not fails(group, lengths=False):
                    names.append(self._given)
                told = "both" if len(names) == 2 else "all of them"
                return f"{', '.join(names[:-1])} and {names[-1]}: no text of the model{after} meets {told}", _LESS
        return "the constraints: no text of the model meets all of them", _LESS

    # ------------------------------------------------------------ finished texts

    @property
    def _judge(self) -> Callable[[Samples], np.ndarray] | None:
        return self._good if self._judges or self._novelty is not None else None

    def _good(self, drawn: Samples) -> np.ndarray:
        """Which texts are as `characters`, `match` and `--novel` ask: bool (m,)."""
        if self._novelty is not None:
            good = self._novelty.good(drawn)
            if not self._judges or not good.any():
                return good
            good[good] = self._meet(select(drawn, good))
            return good
        return self._meet(drawn)

    def _meet(self, drawn: Samples) -> np.ndarray:
        whole, edge = texts_of(self.model.vocabulary, drawn, self.known, self.prompt)
        edges = edge.tolist()
        texts = (whole[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(edges))
        good = np.ones(len(edges) - 1, bool)
        for k, text in enumerate(texts):
            for name, judge in self._judges:
                if not judge(text):
                    good[k] = False
                    self._turned_away[name] += 1
        return good


def _copies(automaton: Automaton) -> int:
    """How many states all histories may stand beside: those that tokens of class 0 lead to."""
    return len({int(q) for q in automaton.delta[:, 0] if q != DEAD}) + 1


def _lengths(model: Model, c: Constraints, min_tokens: int, max_tokens: int) -> tuple[int, int]:
    """Least and most tokens."""
    least, most = min_tokens, max_tokens
    ranges = [("--tokens", c.tokens)]
    for name, pair in (("--tokens", c.tokens), ("--characters", c.characters)):
        if pair is not None and not 0 <= pair[0] <= pair[1]:
            raise OptionError(f"{name} {_range(pair)}: no such number", "for example 12 or 8..12")
    if model.header.options.tokenizer == "chars":  # every token is one character
        ranges.append(("--characters", c.characters))
    for name, pair in ranges:
        if pair is not None:
            least, most = max(least, pair[0]), min(most, pair[1])
            if least > most:
                raise OptionError(
                    f"{name} {_range(pair)}, at least {min_tokens} and at most {max_tokens} tokens: no length is all",
                    "change --min-tokens or --max-tokens",
                )
    return least, most


def _range(pair: tuple[int, int] | None) -> str:
    if pair is None:
        return ""
    if pair[0] == pair[1]:
        return str(pair[0])
    return f"{pair[0]}..{pair[1] if pair[1] < NO_MOST else ''}"


def _judges(c: Constraints) -> list[tuple[str, Callable[[str], bool]]]:
    """What is looked at in finished texts: its name, and whether a text meets it."""
    out: list[tuple[str, Callable[[str], bool]]] = []
    if c.characters is not None:
        least, most = c.characters
        out.append((f"--characters {_range(c.characters)}", lambda text: least <= len(text) <= most))
    if c.match:
        try:
            compiled = re.compile(c.match)
        except (re.error, OverflowError, RecursionError) as error:
            raise OptionError(f"--match {c.match!r}: {error}", "see the syntax of Python's re") from None
        out.append((f"--match {c.match!r}", lambda text: compiled.search(text) is not None))
    if c.balanced:
        from .brackets import balanced

        out.append(("--balanced", balanced))
    return out


__all__ = ["Constrained", "Constraints"]
