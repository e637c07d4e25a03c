"""Automata over tokens for properties of the finished text: its number of characters, a regular expression in it.

Legend: a state is a pair of a state of an automaton over characters and the side of the last token: 0 at the start of
the text, 1 after a token that a space may follow, 2 after one that touches the next. Q states, V ids.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..sampling.automata import MAX_STATES, Automaton, trimmed
from ..text.types import BOS, N_MARKERS
from ..text.vocabulary import Vocabulary
from .batches import TextModel
from .constraint_parser import NamedAutomaton
from .prompt import PromptMatch
from .regex_automaton import CharAutomaton, searching
from .regex_parser import NotFinite
from .request import NO_MOST, Constraints, Range
from .text_checks import shown

_CELLS = 1 << 26  # most states times ids
_LONGEST = 1 << 10  # characters of a type; an automaton reads all types together, a character at a time
_START, _SPACED, _TOUCHING = range(3)


class Spelling:
    """Characters of all types of a vocabulary.

    alphabet  the distinct characters, a space among them
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Read the types; NotFinite where one is less than a character, or very long, and where there are none."""
        if vocabulary.tokenizer == "bytes":
            raise NotFinite("tokens that are single bytes")
        if len(vocabulary) == N_MARKERS:
            raise NotFinite("no types")
        self.vocabulary = vocabulary
        n = len(vocabulary)
        words = [vocabulary.bytes_of(i).decode("utf-8", "replace") for i in range(N_MARKERS, n)]
        self.length = np.array([0] * N_MARKERS + [len(word) for word in words], np.int64)
        if self.length.max() > _LONGEST:
            raise NotFinite(f"a type of {self.length.max():,} characters")
        codes = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), "<u4")
        distinct, self._code = np.unique(np.append(codes, 32), return_inverse=True)
        self.space, self._code = int(self._code[-1]), self._code[:-1]
        self.alphabet = "".join(map(chr, distinct.tolist()))
        self._start = np.cumsum(self.length) - self.length
        flags = vocabulary.flags_of(np.arange(n)).astype(np.int64)
        self.left, self.right = flags & 1, flags >> 1 & 1

    def read(self, delta: np.ndarray, state: int) -> np.ndarray:
        """State of an automaton over characters after each id: int64 (V,)."""
        out = np.full(len(self.length), state)
        todo = np.flatnonzero(self.length)
        at = 0
        while len(todo):
            out[todo] = delta[out[todo], self._code[self._start[todo] + at]]
            at += 1
            todo = todo[self.length[todo] > at]
        return out


def characters(spelling: Spelling, limits: Range) -> Automaton:
    """Automaton of the texts with least..most characters."""
    least, most = limits
    n = least + 1 if most >= NO_MOST else most + 2  # the last state stands for more
    if 2 * n > MAX_STATES:
        raise NotFinite(f"{n:,} numbers of characters")
    many = np.arange(n)
    accept = (many >= least) & (many <= most)

    def after(state: int, space: bool) -> np.ndarray:
        return np.minimum(state + space + spelling.length, n - 1)

    return _over_tokens(spelling, accept, after)


def matching(spelling: Spelling, expression: str) -> Automaton:
    """Automaton of the texts in which a regular expression is found."""
    chars: CharAutomaton = searching(expression, spelling.alphabet)

    def after(state: int, space: bool) -> np.ndarray:
        if space:
            state = int(chars.delta[state, spelling.space])
        return spelling.read(chars.delta, state)

    return _over_tokens(spelling, chars.accept, after)


def _over_tokens(spelling: Spelling, accept: np.ndarray, after: Callable[[int, bool], np.ndarray]) -> Automaton:
    """Automaton over tokens.

    accept  bool (n,), of the automaton over characters
    after   after(state, space): its state after each id, with a space before it or not, int64 (V,)
    """
    v = len(spelling.length)
    touches = not spelling.vocabulary.spaced
    side = np.where(spelling.right == 1, _TOUCHING, _SPACED)
    number = {(0, _START): 0}
    states, rows = [(0, _START)], []
    for state, before in states:  # grows
        if len(states) * v > _CELLS:
            raise NotFinite(f"{len(states):,} states for {v:,} types")
        to = after(state, False)
        if before == _SPACED and not touches:
            to = np.where(spelling.left == 1, to, after(state, True))
        key = to * 3 + (_TOUCHING if touches else side)
        distinct, which = np.unique(key[N_MARKERS:], return_inverse=True)
        own = []
        for x in distinct.tolist():
            pair = x // 3, x % 3
            if pair not in number:
                if len(states) >= MAX_STATES:
                    raise NotFinite(f"more than {MAX_STATES:,} states")
                number[pair] = len(states)
                states.append(pair)
            own.append(number[pair])
        rows.append(np.array(own)[which])
    columns, kind = np.unique(np.array(rows, np.int32), axis=1, return_inverse=True)
    kind = kind.reshape(-1)
    common = int(np.bincount(kind).argmax())  # becomes class 0
    order = np.concatenate(([common], np.delete(np.arange(columns.shape[1]), common)))
    place = np.argsort(order)[kind]
    classes = {i: c for i, c in enumerate(place.tolist(), N_MARKERS) if c}
    ends = np.array([bool(accept[state]) for state, _ in states])
    return trimmed(columns[:, order].astype(np.int64), ends, classes)


def text_automata(model: TextModel, c: Constraints, prompt: PromptMatch) -> list[NamedAutomaton]:
    """Automata of the constraints on the finished text that are finite; NotFinite where one needs too many states.

    The names are those of the checks in `text_checks`. Where a prompt is not joined as it was typed, there are none.
    """
    ids = np.array([i for i in prompt.ids if i != BOS], np.int64)
    if len(ids):
        if (ids < N_MARKERS).any():
            return []
        whole, _ = model.vocabulary.join(ids, np.array([len(ids)]))
        if whole != prompt.head:
            return []
    by_characters = c.characters is not None and model.header.options.tokenizer != "chars"
    if not by_characters and not c.match:
        return []
    spelling = Spelling(model.vocabulary)
    out = []
    if by_characters:
        assert c.characters is not None
        out.append(NamedAutomaton(f"--characters {shown(c.characters)}", characters(spelling, c.characters)))
    if c.match:
        out.append(NamedAutomaton(f"--match {c.match!r}", matching(spelling, c.match)))
    return out
