"""Parses the regular expressions that finite automata can match, in the syntax of Python's `re`.

    expression  branch | branch | ...
    branch      any number of: atom, atom repeated
    atom        character, . escape, [set], (expression), (?:expression), (?P<name>expression), ^ $ \\b \\B \\A \\Z
    repeated    * + ? {m} {m,} {,n} {m,n}, and the same with ? behind it

Anything else of `re` raises `NotFinite`, which names it and the place where it stands: back references, look-around,
atomic groups, possessive repeats, conditions and flags. An expression that `re` does not compile may be read
as another.

Source: the documentation of Python's `re`, Regular Expression Syntax.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_CATEGORIES = {c: re.compile("\\" + c) for c in "dDsSwW"}
_CONTROLS = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}
_HEX = {"x": 2, "u": 4, "U": 8}
_PLACES = {"b": "boundary", "B": "no boundary", "A": "beginning", "Z": "end"}
_REFUSED = {
    "(?=": "look-ahead", "(?!": "negative look-ahead", "(?<=": "look-behind", "(?<!": "negative look-behind",
    "(?P=": "back reference", "(?>": "atomic group", "(?(": "condition",
}  # fmt: skip
_BRACES = re.compile(r"\{(\d*)(,?)(\d*)\}", re.ASCII)
_NAMED = re.compile(r"\(\?P<[^>]*>")
_OCTAL = re.compile(r"0[0-7]{0,2}|[0-3][0-7]{2}")


class NotFinite(Exception):
    """The expression is no finite automaton of affordable size."""


@dataclass(frozen=True)
class Characters:
    """One character: of some ranges or categories, or of none of them.

    ranges      pairs of code points, both inclusive
    categories  letters behind a backslash: d, D, s, S, w, W
    """

    ranges: tuple[tuple[int, int], ...] = ()
    categories: str = ""
    negated: bool = False

    def holds(self, c: str) -> bool:
        """True for a character that it matches."""
        found = any(low <= ord(c) <= high for low, high in self.ranges)
        return self.negated != (found or any(_CATEGORIES[name].match(c) is not None for name in self.categories))


@dataclass(frozen=True)
class Place:
    """A place between characters: line start (`^`), line end (`$`), beginning, end, boundary, no boundary."""

    name: str


@dataclass(frozen=True)
class Choice:
    """One of several branches."""

    branches: tuple[Items, ...]


@dataclass(frozen=True)
class Repeat:
    """Items from `least` to `most` times; None for any number."""

    least: int
    most: int | None
    items: Items


Items = tuple[Characters | Place | Choice | Repeat, ...]


def parsed(expression: str) -> Items:
    """The parts of an expression; NotFinite for what is no finite automaton.

    >>> parsed("a+$")
    (Repeat(least=1, most=None, items=(Characters(ranges=((97, 97),), categories='', negated=False),)), Place(name='$'))
    >>> parsed(r"(a)\\1")
    Traceback (most recent call last):
    markov_cli.generation.regex_parser.NotFinite: back reference \\1 at character 4
    """
    parser = _Parser(expression)
    items = parser.choice()
    if parser.at < len(expression):
        raise parser.refuse("unbalanced )")
    return items


class _Parser:
    """Reads an expression from left to right; `at` is the next character."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def refuse(self, what: str, at: int | None = None) -> NotFinite:
        return NotFinite(f"{what} at character {(self.at if at is None else at) + 1}")

    def take(self) -> str:
        if self.at >= len(self.text):
            raise self.refuse("the end of an unfinished expression")
        self.at += 1
        return self.text[self.at - 1]

    def next_is(self, text: str) -> bool:
        """Pass over a text if it comes next."""
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def pass_comments(self) -> int:
        """Pass over `(?#...)`; the next character."""
        while self.text.startswith("(?#", self.at):
            end = self.text.find(")", self.at)
            if end < 0:
                raise self.refuse("an unfinished comment")
            self.at = end + 1
        return self.at

    def choice(self) -> Items:
        branches = [self.branch()]
        while self.next_is("|"):
            branches.append(self.branch())
        return branches[0] if len(branches) == 1 else (Choice(tuple(branches)),)

    def branch(self) -> Items:
        out: list[Characters | Place | Choice | Repeat] = []
        while self.pass_comments() < len(self.text) and self.text[self.at] not in "|)":
            items = self.atom()
            limits = self.limits()
            if limits is None:
                out += items
            else:
                out.append(Repeat(*limits, items))
        return tuple(out)

    def limits(self) -> tuple[int, int | None] | None:
        """Repetitions of the item before; None where there is no such sign."""
        self.pass_comments()
        begin = self.at
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        found = simple.get(self.text[begin : begin + 1])
        if found is not None:
            self.at += 1
        else:
            braces = _BRACES.match(self.text, begin)
            if braces is None or braces[0] == "{}":
                return None
            self.at = braces.end()
            least = int(braces[1] or 0)
            found = least, least if not braces[2] else int(braces[3]) if braces[3] else None
        if self.next_is("+"):
            raise self.refuse("possessive repeat", begin)
        self.next_is("?")
        return found

    def atom(self) -> Items:
        begin, c = self.at, self.take()
        if c == "(":
            return self.group(begin)
        if c == "[":
            return (self.characters(),)
        if c == ".":
            return (Characters(((10, 10),), negated=True),)
        if c in "^$":
            return (Place(c),)
        if c != "\\":
            return (Characters(((ord(c), ord(c)),)),)
        c = self.take()
        if c in _PLACES:
            return (Place(_PLACES[c]),)
        if c in _CATEGORIES:
            return (Characters((), c),)
        if c.isdigit() and _OCTAL.match(self.text, self.at - 1) is None:
            raise self.refuse(f"back reference \\{c}", begin)
        code = self.escaped(c)
        return (Characters(((code, code),)),)

    def group(self, begin: int) -> Items:
        named = _NAMED.match(self.text, begin)
        if named is not None:
            self.at = named.end()
        elif self.text.startswith("(?", begin) and not self.next_is("?:"):
            kind = next((name for mark, name in _REFUSED.items() if self.text.startswith(mark, begin)), "flags")
            raise self.refuse(kind, begin)
        items = self.choice()
        if not self.next_is(")"):
            raise self.refuse("the end of an unfinished group")
        return (Choice((items,)),)

    def escaped(self, c: str) -> int:
        """The code point behind a backslash and a character, which was taken."""
        if c in _CONTROLS:
            return _CONTROLS[c]
        octal = _OCTAL.match(self.text, self.at - 1)
        if octal is not None:
            self.at = octal.end()
            return int(octal[0], 8)
        if c in _HEX:
            digits = self.text[self.at : self.at + _HEX[c]]
            self.at += len(digits)
            return int(digits, 16)
        if c == "N":
            end = self.text.index("}", self.at)
            name, self.at = self.text[self.at + 1 : end], end + 1
            return ord(unicodedata.lookup(name))
        return ord(c)

    def characters(self) -> Characters:
        """A set, behind its opening bracket."""
        negated, first = self.next_is("^"), True
        ranges: list[tuple[int, int]] = []
        categories = ""
        while first or not self.next_is("]"):
            first = False
            low = self.one_of_set()
            if isinstance(low, str):
                categories += low
                continue
            high: int | str = low
            if self.text.startswith("-", self.at) and not self.text.startswith("-]", self.at):
                self.at += 1
                high = self.one_of_set()
            if isinstance(high, str):
                raise self.refuse("a range that ends with a category")
            ranges.append((low, high))
        return Characters(tuple(ranges), categories, negated)

    def one_of_set(self) -> int | str:
        """A code point, or the letter of a category."""
        c = self.take()
        if c != "\\":
            return ord(c)
        c = self.take()
        if c in _CATEGORIES:
            return c
        if c == "b":
            return 8
        octal = re.compile("[0-7]{1,3}").match(self.text, self.at - 1)
        if octal is not None:
            self.at = octal.end()
            return int(octal[0], 8)
        return self.escaped(c)
