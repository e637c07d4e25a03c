"""Deterministic automata over characters for regular expressions of Python's `re`.

Legend: a place is a number in a nondeterministic automaton; a set of places with the kind of the character before
(none, in a word, other) is a state; A is the number of characters of the alphabet.

What `re` matches by backtracking is a finite automaton where it has no back references, no look-around, no atomic
groups and no flags: these raise `NotFinite`, see regex_parser.py. `^`, `$` and `\\b` look at the characters on both
sides.

Source: Thompson (1968) for the places, Rabin and Scott (1959) for the sets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from .regex_parser import Characters, Choice, Items, NotFinite, Place, Repeat, parsed

MAX_STATES = 256
_PLACES = 4000
_NONE, _WORD, _OTHER = range(3)  # kind of the character before
_INSIDE_NOTHING = re.search(r"\B", "") is not None  # from Python 3.14 on
_NEWLINE = Characters(((10, 10),))

# a place goes on without a character, under an assertion, or over characters: (kind, value, next place)
Arrow = tuple[str, Any, int]


@dataclass
class CharAutomaton:
    """A deterministic automaton over characters, from state 0.

    delta   int64 (Q, A), every state goes on with every character
    accept  bool (Q,)
    """

    delta: np.ndarray
    accept: np.ndarray


def searching(expression: str, alphabet: str) -> CharAutomaton:
    """Automaton of the texts in which an expression is found; NotFinite where there is none.

    >>> that = searching("b+$", "ab")
    >>> state = 0
    >>> for c in "abb":
    ...     state = that.delta[state, "ab".index(c)]
    >>> bool(that.accept[state])
    True
    """
    built = _Places()
    start, end = built.add(parsed(expression), built.end), built.end
    return _determined(built, start, end, alphabet)


class _Places:
    """Places of a nondeterministic automaton; arrows[i] are those of place i."""

    def __init__(self) -> None:
        self.arrows: list[list[Arrow]] = []
        self.end = self.new()

    def new(self, *arrows: Arrow) -> int:
        if len(self.arrows) >= _PLACES:
            raise NotFinite(f"more than {_PLACES:,} places")
        self.arrows.append([*arrows])
        return len(self.arrows) - 1

    def add(self, items: Items, after: int) -> int:
        """Place from which a parsed expression leads to `after`."""
        for one in reversed(items):
            after = self._one(one, after)
        return after

    def _one(self, one: Characters | Place | Choice | Repeat, after: int) -> int:
        if isinstance(one, Characters):
            return self.new(("char", one, after))
        if isinstance(one, Place):
            if one.name == "$" and after == self.end:  # also before a last line break
                last = self.new(("at", "end", after))
                return self.new(("free", None, last), ("char", _NEWLINE, last))
            return self.new(("at", one.name, after))
        if isinstance(one, Choice):
            return self.new(*(("free", None, self.add(branch, after)) for branch in one.branches))
        if one.most is None:
            loop = self.new(("free", None, after))
            self.arrows[loop].append(("free", None, self.add(one.items, loop)))
            after = loop
        else:
            end = after
            for _ in range(one.most - one.least):
                after = self.new(("free", None, end), ("free", None, self.add(one.items, after)))
        for _ in range(one.least):
            after = self.add(one.items, after)
        return after


def _determined(built: _Places, start: int, end: int, alphabet: str) -> CharAutomaton:
    inside = {
        (i, j): np.array([arrow[1].holds(c) for c in alphabet], bool)
        for i, arrows in enumerate(built.arrows)
        for j, arrow in enumerate(arrows)
        if arrow[0] == "char"
    }
    word = np.array([re.match(r"\w", c) is not None for c in alphabet], bool)
    newline = np.array([c == "\n" for c in alphabet], bool)
    # characters that no place and no assertion tells apart behave alike
    columns = np.array([*inside.values(), word, newline])
    _, one, which = np.unique(columns, axis=1, return_index=True, return_inverse=True)
    which = which.reshape(-1)

    def closed(state: tuple[frozenset[int], int], following: int | None) -> set[int]:
        """Places reached without a character, before the character `following`; None at the end."""
        places, before = state
        out, todo = set(places), [*places]
        while todo:
            for kind, value, to in built.arrows[todo.pop()]:
                if to not in out and (
                    kind == "free" or (kind == "at" and _at(value, before, following, word, newline))
                ):
                    out.add(to)
                    todo.append(to)
        return out

    found: tuple[frozenset[int], int] = frozenset({end}), _NONE  # the expression was found: it stays so
    begin = frozenset({start}), _NONE
    number, states, rows = {begin: 0}, [begin], []
    for state in states:  # grows
        row = []
        for c in one.tolist():
            places = closed(state, c)
            if end in places:
                to = found
            else:
                over = {
                    arrow[2]
                    for i in places
                    for j, arrow in enumerate(built.arrows[i])
                    if arrow[0] == "char" and inside[i, j][c]
                }
                to = frozenset(over | {start}), _WORD if word[c] else _OTHER
            if to not in number:
                if len(states) >= MAX_STATES:
                    raise NotFinite(f"more than {MAX_STATES} states")
                number[to] = len(states)
                states.append(to)
            row.append(number[to])
        rows.append(row)
    accept = np.array([end in closed(state, None) for state in states])
    return CharAutomaton(np.array(rows, np.int64)[:, which], accept)


def _at(where: str, before: int, following: int | None, word: np.ndarray, newline: np.ndarray) -> bool:
    """True if an assertion holds between two characters."""
    if where in ("^", "beginning"):
        return before == _NONE
    if where == "end":
        return following is None
    if where == "$":
        if following is not None and newline[following]:
            raise NotFinite("$ before a line break")  # it matches there only if the text ends behind it
        return following is None
    if before == _NONE and following is None:
        return where == "no boundary" and _INSIDE_NOTHING
    boundary = (before == _WORD) != (following is not None and bool(word[following]))
    return boundary == (where == "boundary")
