"""Explains why no text of a model meets some constraints: finds a small group of them that excludes all texts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from ..sampling import automata
from ..sampling.automata import Automaton
from .constraint_parser import NamedAutomaton

_LESS = "leave one of them out, or allow other lengths"
_PAIRS = 6  # with more constraints, pairs are not tested


def explain(
    constraints: Sequence[NamedAutomaton],
    feasible: Callable[[Automaton, bool], bool],
    with_lengths: bool,
    lengths: str,
    prompt: str,
) -> tuple[str, str]:
    """The two lines of an error: the constraints that no text meets, and what to change.

    constraints   constraints that no text meets together
    feasible      feasible(automaton, lengths): True if some text meets it, of the requested lengths or of any
    with_lengths  `feasible` takes lengths into account
    lengths       the option that limits lengths, as it was given
    """

    def fails(some: Sequence[NamedAutomaton], of_any_length: bool = False) -> bool:
        return not feasible(automata.product([one.automaton for one in some]), not of_any_length)

    after = f" that begins with {prompt!r}" if prompt else ""
    alone = [one.name for one in constraints if fails([one], of_any_length=True)]
    if alone:
        return f"{alone[0]}: no text of the model{after} can meet it", "change or leave out this constraint"
    if with_lengths and fails([]):
        return f"{lengths}: no text of the model{after} has such a length", "allow other lengths"
    for one in constraints:
        if fails([one]):
            return f"{one.name} and {lengths}: no text of the model{after} meets both", "allow other lengths"
    groups: list[Sequence[NamedAutomaton]] = [constraints]
    if len(constraints) <= _PAIRS:
        groups = [*itertools.combinations(constraints, 2), constraints]
    for group in groups:
        if fails(group):
            names = [one.name for one in group]
            if with_lengths and not fails(group, of_any_length=True):
                names.append(lengths)
            number = "both" if len(names) == 2 else "all of them"
            return f"{', '.join(names[:-1])} and {names[-1]}: no text of the model{after} meets {number}", _LESS
    return "the constraints: no text of the model meets all of them", _LESS
