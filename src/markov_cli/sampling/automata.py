"""Deterministic finite automata over tokens, for constraints on texts.

Legend: Q is the number of states, q one of them; C the number of classes. The ids of a class are
equivalent for all constraints; class 0 has the ids that no constraint names. DEAD is the state from
which no text can be accepted.

Source: the subset construction and products of automata (Rabin and Scott 1959).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..errors import OptionError

S = TypeVar("S", bound=Hashable)

MAX_STATES = 4096
DEAD = -1

ONE, ANY = "_", "*"  # a gap of one token, and of any number of tokens
Piece = frozenset[int] | str  # a set of ids for one token, or a gap


@dataclass(frozen=True)
class Automaton:
    """A deterministic automaton that reads the tokens of a text from state 0.

    delta   int64 (Q, C), the state after a token of each class; DEAD where no continuation is accepted
    accept  bool (Q,), a text that ends in this state is accepted
    classes {id: class}; every other id has class 0
    """

    delta: np.ndarray
    accept: np.ndarray
    classes: dict[int, int]

    def __len__(self) -> int:
        return len(self.accept)

    def after(self, ids: Iterable[int], state: int = 0) -> int:
        """State after tokens; DEAD where they cannot begin an accepted text."""
        for i in ids:
            if state == DEAD:
                break
            state = int(self.delta[state, self.classes.get(i, 0)])
        return state

    def accepts_all(self, state: int) -> bool:
        """True if every text is accepted from a state on."""
        reached = {state}
        todo = [state]
        while todo:
            q = todo.pop()
            if q == DEAD or not self.accept[q]:
                return False
            new = set(self.delta[q].tolist()) - reached
            reached |= new
            todo += new
        return True

    def class_of(self, n_ids: int) -> np.ndarray:
        """Class of every id: int32 (n_ids,)."""
        out = np.zeros(n_ids, np.int32)
        if self.classes:
            out[list(self.classes)] = list(self.classes.values())
        return out


def pattern(pieces: Sequence[Piece]) -> Automaton:
    """Automaton that accepts the texts that pieces describe from the first token to the last.

    OptionError where it needs too many states, as for `avoiding` and `product`.

    >>> that = pattern([ANY, frozenset({7}), ONE])  # the last token but one is 7
    >>> [bool(that.accept[that.after(ids)]) for ids in ([7], [3, 7, 7], [7, 3, 3])]
    [False, True, False]
    """
    classes = _classes([p for p in pieces if isinstance(p, frozenset)])
    sample = {c: i for i, c in classes.items()}  # one id of each class

    def closed(places: Iterable[int]) -> frozenset[int]:
        out = set()
        for place in places:  # a gap of any number may be empty
            out.add(place)
            while place < len(pieces) and pieces[place] == ANY:
                place += 1
                out.add(place)
        return frozenset(out)

    def step(places: frozenset[int], c: int) -> frozenset[int]:
        after = []
        for place in places:
            piece = pieces[place] if place < len(pieces) else frozenset()
            if piece == ANY:
                after.append(place)
            elif piece == ONE or (isinstance(piece, frozenset) and c and sample[c] in piece):
                after.append(place + 1)
        return closed(after)

    delta, states = _reached(closed([0]), len(sample) + 1, step)
    return trimmed(delta, np.array([len(pieces) in places for places in states]), classes)


def complement(one: Automaton) -> Automaton:
    """Automaton that accepts the texts that another one rejects."""
    q = len(one)
    delta = np.where(one.delta == DEAD, q, one.delta)
    delta = np.concatenate((delta, np.full((1, delta.shape[1]), q)))
    return trimmed(delta, ~np.append(one.accept, False), one.classes)


def avoiding(phrases: Sequence[Sequence[frozenset[int]]]) -> Automaton:
    """Automaton that accepts the texts without any of many phrases; a phrase has a set of ids for each token.

    Phrases of one token need no states, so there may be very many.

    >>> that = avoiding([[frozenset({7})], [frozenset({8}), frozenset({9})]])
    >>> [that.after(ids) != DEAD for ids in ([8, 8], [9, 8], [8, 9], [3, 7])]
    [True, True, False, False]
    """
    alone = frozenset[int]().union(*(p[0] for p in phrases if len(p) == 1))
    several = sorted({tuple(p) for p in phrases if len(p) > 1}, key=lambda p: [sorted(ids) for ids in p])
    classes = _classes([alone, *dict.fromkeys(ids for p in several for ids in p)])
    sample = {c: i for i, c in classes.items()}  # one id of each class
    begun = {c: {(p, 1) for p, phrase in enumerate(several) if i in phrase[0]} for c, i in sample.items()}
    start: frozenset[tuple[int, int]] = frozenset()  # (phrase, number of its tokens that the text ends with)

    def step(state: frozenset[tuple[int, int]], c: int) -> frozenset[tuple[int, int]] | None:
        if not c:
            return start  # a token that no phrase has
        i = sample[c]
        to = frozenset(begun[c] | {(p, n + 1) for p, n in state if i in several[p][n]})
        return None if i in alone or any(n == len(several[p]) for p, n in to) else to

    delta, states = _reached(start, len(sample) + 1, step)
    return trimmed(delta, np.ones(len(states), bool), classes)


def product(automata: Sequence[Automaton]) -> Automaton:
    """Automaton that accepts the texts that all of these accept; without any, all texts."""
    ids = sorted({i for a in automata for i in a.classes})
    number: dict[tuple[int, ...], int] = {(0,) * len(automata): 0}
    classes = {}
    for i in ids:
        own = tuple(a.classes.get(i, 0) for a in automata)
        classes[i] = number.setdefault(own, len(number))
    columns = list(number)

    def step(state: tuple[int, ...], c: int) -> tuple[int, ...] | None:
        to = tuple(int(a.delta[q, own]) for a, q, own in zip(automata, state, columns[c], strict=True))
        return None if DEAD in to else to

    delta, states = _reached((0,) * len(automata), len(columns), step)
    accept = np.array([all(a.accept[q] for a, q in zip(automata, state, strict=True)) for state in states])
    return trimmed(delta, accept, classes)


def _reached(start: S, n_classes: int, step: Callable[[S, int], S | None]) -> tuple[np.ndarray, list[S]]:
    """All states reachable from `start`, and `delta` between their numbers; OptionError where they are too many.

    step  step(state, class) returns the next state, None for DEAD
    """
    number, states, rows = {start: 0}, [start], []
    for state in states:  # grows
        row = []
        for c in range(n_classes):
            to = step(state, c)
            if to is not None and to not in number:
                _check_size(len(states))
                number[to] = len(states)
                states.append(to)
            row.append(DEAD if to is None else number[to])
        rows.append(row)
    return np.array(rows), states


def _classes(sets: Sequence[frozenset[int]]) -> dict[int, int]:
    """{id: class} from 1 on; ids of a class are in the same sets."""
    number: dict[tuple[bool, ...], int] = {}
    found = {i: tuple(i in s for s in sets) for i in sorted(frozenset().union(*sets))}
    return {i: number.setdefault(own, len(number) + 1) for i, own in found.items()}


def _check_size(n: int) -> None:
    if n >= MAX_STATES:
        raise OptionError(
            f"the constraints together need more than {MAX_STATES:,} states",
            "use fewer words, or --in-order, or fewer gaps after a *",
        )


def trimmed(delta: np.ndarray, accept: np.ndarray, classes: dict[int, int]) -> Automaton:
    """Minimal automaton (Moore 1956): joins equivalent states, makes those that cannot accept DEAD; 0 stays first."""
    group = accept.astype(np.int64)
    delta = np.where(delta == DEAD, len(delta), delta)  # DEAD is a state of its own in this function
    delta = np.concatenate((delta, np.full((1, delta.shape[1]), len(delta))))
    group = np.append(group, 0)
    n = 0
    while True:
        _, group = np.unique(np.column_stack((group, group[delta])), axis=0, return_inverse=True)
        group = group.reshape(-1)
        if group.max() + 1 == n:
            break
        n = int(group.max()) + 1
    _, one = np.unique(group, return_index=True)
    small, accepts = group[delta[one]], np.append(accept, False)[one]
    dead = group[-1]
    order: list[int] = [int(group[0])]  # breadth first, without the dead state
    for q in order:  # grows
        order += [t for t in dict.fromkeys(small[q].tolist()) if t != dead and t not in order]
    number = np.full(n, DEAD)
    if order[0] != dead:
        number[order] = np.arange(len(order))
    return Automaton(number[small[order]], accepts[order], classes)
