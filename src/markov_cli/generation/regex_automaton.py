"""Deterministic automata over characters for regular expressions of Python's `re`.

Legend: a place is a number in a nondeterministic automaton; a set of places with the kind of the character before
(none, in a word, other) is a state; A is the number of characters of the alphabet.

What `re` matches by backtracking is a finite automaton where it has no back references, no look-around, no atomic
groups and no flags: these raise `NotFinite`. `^`, `$` and `\\b` look at the characters on both sides.

Source: Thompson (1968) for the places, Rabin and Scott (1959) for the sets.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_STATES = 256
_PLACES = 4000
_NONE, _WORD, _OTHER = range(3)  # kind of the character before

# a place goes on without a character, under an assertion, or over characters: (kind, value, next place)
Arrow = tuple[str, Any, int]


class NotFinite(Exception):
    """The expression is no finite automaton of affordable size."""


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
    start, end = built.add(_parsed(expression), built.end), built.end
    return _determined(built, start, end, alphabet)


def _parsed(expression: str) -> Any:
    """The expression as `re` reads it: a list of (operation, argument)."""
    try:
        parser = importlib.import_module("re._parser")  # Python 3.11 and later
    except ImportError:
        parser = importlib.import_module("sre_parse")
    parsed = parser.parse(expression)
    if parsed.state.flags & ~re.UNICODE:
        raise NotFinite("flags in the expression")
    return parsed


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

    def add(self, items: Any, after: int) -> int:
        """Place from which a parsed expression leads to `after`."""
        for operation, value in reversed([*items]):
            after = self._one(str(operation), value, after)
        return after

    def _one(self, operation: str, value: Any, after: int) -> int:
        if operation in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return self.new(("char", (operation, value), after))
        if operation == "AT" and str(value) == "AT_END" and after == self.end:  # also before a last line break
            last = self.new(("at", "AT_END_STRING", after))
            return self.new(("free", None, last), ("char", ("LITERAL", 10), last))
        if operation == "AT":
            return self.new(("at", str(value), after))
        if operation == "SUBPATTERN" and not value[1] and not value[2]:
            return self.add(value[3], after)
        if operation == "BRANCH":
            return self.new(*(("free", None, self.add(one, after)) for one in value[1]))
        if operation in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, items = value
            if str(most) == "MAXREPEAT":
                loop = self.new(("free", None, after))
                self.arrows[loop].append(("free", None, self.add(items, loop)))
                after = loop
            else:
                end = after
                for _ in range(int(most) - least):
                    after = self.new(("free", None, end), ("free", None, self.add(items, after)))
            for _ in range(least):
                after = self.add(items, after)
            return after
        raise NotFinite(f"{operation.lower()} in the expression")


def _determined(built: _Places, start: int, end: int, alphabet: str) -> CharAutomaton:
    inside = {
        (i, j): np.array([_holds(arrow[1], c) for c in alphabet], bool)
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
    if where in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
        return before == _NONE
    if where == "AT_END_STRING":
        return following is None
    if where == "AT_END":
        if following is not None and newline[following]:
            raise NotFinite("$ before a line break")  # it matches there only if the text ends behind it
        return following is None
    if where in ("AT_BOUNDARY", "AT_NON_BOUNDARY"):
        boundary = (before == _WORD) != (following is not None and bool(word[following]))
        return boundary == (where == "AT_BOUNDARY")
    raise NotFinite(f"{where.lower()} in the expression")


def _holds(condition: tuple[str, Any], c: str) -> bool:
    """True if a character is one of those that a place goes on with."""
    operation, value = condition
    if operation == "ANY":
        return c != "\n"
    if operation in ("LITERAL", "NOT_LITERAL"):
        return (ord(c) == value) == (operation == "LITERAL")
    negated, inside = False, False
    for kind, item in value:
        name = str(kind)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            inside |= ord(c) == item
        elif name == "RANGE":
            inside |= item[0] <= ord(c) <= item[1]
        elif name == "CATEGORY" and str(item) in _CATEGORIES:
            inside |= re.match(_CATEGORIES[str(item)], c) is not None
        else:
            raise NotFinite(f"{name.lower()} in the expression")
    return inside != negated


_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
