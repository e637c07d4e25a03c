"""Finds tokens by a regular expression of Python's `re` (`--tokenizer regex`).

Legend: a gap is the text between two matches, empty where they touch; a sequence is matched by itself.

`re.split` by the pattern in a group gives gaps and tokens in turn, twice as fast as match objects. Where no part of a
pattern can match or look across a line break, and it does not ask for the beginning or the end of its text, many
sequences are joined by line breaks and split at once, with the same result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ..arrays.sorting import distinct_values, ragged
from ..errors import TextError
from .interning import TypeInterner
from .regex_timeout import at_most
from .text_blocks import padded
from .tokenizer import LEFT

_SECONDS = 1.5
_CHARACTERS_A_SECOND = 20_000  # fewer than this, and a pattern is one that never ends
_CHUNK = 1 << 14  # characters for one timer
_KNOWN = 1 << 17  # strings that are remembered
CUTS = "\0\t\n\r "  # a block may end behind these
_FLAGS = re.compile(r"\(\?[aiLmsux]+\)")


class PatternTokens(NamedTuple):
    """Tokens of some sequences, in order.

    number         uint32 (n,), of their types
    start, length  int64 (n,), bytes
    unmatched      characters between them that are not white space
    """

    number: np.ndarray
    start: np.ndarray
    length: np.ndarray
    unmatched: int


class PatternTokenizer:
    """Finds the tokens of sequences by a pattern, and numbers them with an interner."""

    def __init__(self, pattern: re.Pattern[str], interner: TypeInterner) -> None:
        self.pattern, self.interner = pattern, interner
        self._split, self._stride = _splitter(pattern)
        self._white = matched_cuts(pattern)  # None: each sequence is matched by itself
        self._joins = self._white is not None and "\n" not in self._white
        self._forget()

    def _forget(self) -> None:
        self._tokens, self._gaps = _Strings(_sizes), _Strings(_sizes_and_solid)
        self._number_of = np.empty(0, np.int64)  # of string i that touches nothing on its left: 2 i; else 2 i + 1

    def may_end(self, text: bytes) -> bool:
        """True if no match can go on behind this text, or look back into it; a block ends there."""
        return self._joins and self._white is not None and text[-1:].decode("ascii", "replace") not in self._white

    def tokens(self, text: bytes, begin: np.ndarray, end: np.ndarray) -> PatternTokens:
        """The tokens of sequences, each matched by itself; TextError where that takes a time out of proportion.

        text        valid UTF-8, which begins with the first sequence and ends with the last
        begin, end  int64 (s,), the bytes of each sequence
        """
        if len(self._tokens) + len(self._gaps) > _KNOWN:
            self._forget()
        if self._joins:
            whole, inserted = _joined(text, begin, end)
            texts = [whole]
        else:
            filled = begin < end
            begin, end = begin[filled], end[filled]
            texts = [text[i:j].decode() for i, j in zip(begin.tolist(), end.tolist(), strict=True)]
        gap, string = self._gaps_and_strings(texts)
        length = self._tokens.facts[0][string]
        stop = np.cumsum(self._gaps.facts[0][gap] + length)
        real = np.flatnonzero(length)
        string, length, stop = string[real], length[real], stop[real]
        start = stop - length
        if self._joins:
            start -= np.searchsorted(inserted, start)
        else:
            closes = np.cumsum(end - begin)
            of = np.searchsorted(closes, start, "right")
            start += (end - closes)[of]
        touch = np.zeros(len(start), np.int64)
        touch[1:] = start[1:] == start[:-1] + length[:-1]
        first = np.searchsorted(start, begin)
        touch[first[first < len(start)]] = 0
        return PatternTokens(self._numbers(2 * string + touch), start, length, int(self._gaps.facts[1][gap].sum()))

    def _gaps_and_strings(self, texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of gaps, and of the tokens behind them; a token of no bytes closes each text."""
        gaps: list[str] = []
        tokens: list[str] = []
        for some in _chunks(texts, self._joins):
            for parts in self._parts(some):
                gaps += parts[:: self._stride]
                tokens += parts[1 :: self._stride]
                tokens.append("")
        return self._gaps.numbers(gaps), self._tokens.numbers(tokens)

    def _numbers(self, key: np.ndarray) -> np.ndarray:
        """The types of tokens: uint32."""
        more = 2 * len(self._tokens) - len(self._number_of)
        self._number_of = np.append(self._number_of, np.full(more, -1))
        number = self._number_of[key]
        new = distinct_values(key[number < 0])
        if len(new):
            strings = [self._tokens.text[i].encode() for i in (new >> 1).tolist()]
            length = np.array([*map(len, strings)], np.int64)
            flags = (new & 1).astype(np.uint8) * np.uint8(LEFT)
            data = padded(b"".join(strings))
            self._number_of[new] = self.interner.numbers(data, np.cumsum(length) - length, length, flags)
            number = self._number_of[key]
        return number.astype(np.uint32)

    def _parts(self, texts: list[str]) -> list[list[str]]:
        slow = _TooSlow()
        try:
            with at_most(_SECONDS + sum(map(len, texts)) / _CHARACTERS_A_SECOND, slow):
                return [self._split(text) for text in texts]
        except _TooSlow:
            for text in texts if not self._joins else "".join(texts).split("\n"):
                name = self.pattern.pattern[:60]
                said = TextError(
                    f"the pattern {name!r} takes too long for a sequence of {len(text):,} characters",
                    "a pattern without repeats inside repeats; a model's own is shown by: markov inspect MODEL",
                )
                with at_most(_SECONDS + len(text) / _CHARACTERS_A_SECOND, said):
                    self._split(text)
            return [self._split(text) for text in texts]


class _TooSlow(Exception):
    pass


def _joined(text: bytes, begin: np.ndarray, end: np.ndarray) -> tuple[str, np.ndarray]:
    """A text with line breaks between its sequences, and where one had to be inserted: int64, rising."""
    whole = np.frombuffer(text, np.uint8).copy()
    between = begin[1:] - end[:-1]
    whole[ragged(end[:-1], between)] = 10
    touching = end[:-1][between == 0]
    whole = np.insert(whole, touching, 10)
    return whole.tobytes().decode(), touching + np.arange(len(touching))


def _chunks(texts: Sequence[str], joins: bool) -> Iterator[list[str]]:
    """Texts in groups of some thousand characters; a joined one is cut behind line breaks."""
    held: list[str] = []
    n = 0
    for whole in texts:
        for text in _cut(whole) if joins else (whole,):
            held.append(text)
            n += len(text)
            if n >= _CHUNK:
                yield held
                held, n = [], 0
    if held:
        yield held


def _cut(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        end = text.find("\n", at + _CHUNK) + 1 or len(text)
        yield text[at:end]
        at = end


def _splitter(pattern: re.Pattern[str]) -> tuple[Callable[[str], list[str]], int]:
    """A function from a text to gap, token, gap, token, ..., gap, and the distance from one gap to the next."""
    flags = _FLAGS.match(pattern.pattern)
    rest = pattern.pattern[flags.end() if flags else 0 :]
    end = "\n)" if pattern.flags & re.VERBOSE else ")"
    if not _refers(pattern):
        try:
            whole = re.compile("(" + rest + end, pattern.flags)
        except re.error:
            whole = pattern
        if whole.groups == pattern.groups + 1:
            return whole.split, whole.groups + 1

    def split(text: str) -> list[str]:
        parts: list[str] = []
        seen = 0
        for match in pattern.finditer(text):
            parts += (text[seen : match.start()], match.group())
            seen = match.end()
        parts.append(text[seen:])
        return parts

    return split, 2


def _parsed(pattern: re.Pattern[str]) -> Any:
    parser = getattr(re, "_parser", None) or import_module("sre_parse")  # the latter up to Python 3.10
    return parser.parse(pattern.pattern, pattern.flags)


def _refers(pattern: re.Pattern[str]) -> bool:
    """The pattern refers to a group, by a number that changes within another group."""
    return pattern.groups > 0 and any(name.startswith("GROUPREF") for name, _ in _nodes(_parsed(pattern)))


def _nodes(tree: Any) -> Iterator[tuple[str, Any]]:
    """All nodes of a parsed pattern, sets as one: names of their kinds, and arguments."""
    items = getattr(tree, "data", tree)
    if not isinstance(items, (tuple, list)):
        return
    if len(items) == 2 and hasattr(items[0], "name"):
        yield items[0].name, items[1]
        if items[0].name == "IN":
            return
    for item in items:
        yield from _nodes(item)


_SPACE = frozenset("\t\n\r ")
_ALL = frozenset(CUTS)
_CATEGORIES = {
    "CATEGORY_SPACE": _SPACE, "CATEGORY_NOT_SPACE": _ALL - _SPACE,
    "CATEGORY_DIGIT": frozenset(), "CATEGORY_NOT_DIGIT": _ALL,
    "CATEGORY_WORD": frozenset(), "CATEGORY_NOT_WORD": _ALL,
}  # fmt: skip
_INNER = {
    "BRANCH", "SUBPATTERN", "MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT",
    "GROUPREF", "GROUPREF_EXISTS", "FAILURE",
}  # fmt: skip


def matched_cuts(pattern: re.Pattern[str]) -> frozenset[str] | None:
    r"""The characters of `CUTS` that some part of a pattern can match; None where it asks for an end of its text.

    >>> sorted(matched_cuts(re.compile(r"\w+|[^\w\s]"))), sorted(matched_cuts(re.compile(r"\S+(?!\w)")))
    (['\x00'], ['\x00'])
    >>> sorted(matched_cuts(re.compile("[a-z ]+"))), matched_cuts(re.compile("^a"))
    ([' '], None)
    """
    found: set[str] = set()
    for name, argument in _nodes(_parsed(pattern)):
        if name == "IN":
            found |= _in_set(argument)
        elif name == "LITERAL":
            found |= _ALL & {chr(argument)}
        elif name == "NOT_LITERAL":
            found |= _ALL - {chr(argument)}
        elif name == "ANY":
            dot_all = pattern.flags & re.DOTALL or "(?" in pattern.pattern  # it may be set for a part: (?s:.)
            found |= _ALL if dot_all else _ALL - {"\n"}
        elif name == "AT":
            if argument.name not in ("AT_BOUNDARY", "AT_NON_BOUNDARY"):  # at the ends of a text as at white space
                return None
        elif name not in _INNER:
            return None
    return frozenset(found)


def _in_set(items: Sequence[tuple[Any, Any]]) -> frozenset[str]:
    """The characters of `CUTS` in a set."""
    found: frozenset[str] = frozenset()
    negated = False
    for op, value in items:
        if op.name == "NEGATE":
            negated = True
        elif op.name == "LITERAL":
            found |= {chr(value)}
        elif op.name == "RANGE":
            found |= {c for c in CUTS if value[0] <= ord(c) <= value[1]}
        else:
            found |= _CATEGORIES.get(value.name, _ALL)
    return _ALL - found if negated else _ALL & found


# ------------------------------------------------------------ strings


class _Strings(dict[str, int]):
    """Numbers strings as they are met, and keeps facts of each.

    facts  int64, one array for each fact
    """

    def __init__(self, facts_of: Callable[[list[str]], list[list[int]]]) -> None:
        super().__init__()
        self.text: list[str] = []
        self._facts_of = facts_of
        self.facts = [np.empty(0, np.int64) for _ in facts_of([])]

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self.text)
        self.text.append(text)
        return number

    def numbers(self, texts: list[str]) -> np.ndarray:
        """The number of each string: int64 (len(texts),)."""
        known = len(self.text)
        out = np.fromiter(map(self.__getitem__, texts), np.int64, len(texts))
        if len(self.text) > known:
            fresh = self._facts_of(self.text[known:])
            self.facts = [np.append(old, new) for old, new in zip(self.facts, fresh, strict=True)]
        return out


def _sizes(texts: list[str]) -> list[list[int]]:
    return [[len(text) if text.isascii() else len(text.encode()) for text in texts]]


def _sizes_and_solid(texts: list[str]) -> list[list[int]]:
    """Bytes, and characters that are not white space."""
    return [*_sizes(texts), [0 if text.isspace() else len(text) - sum(map(str.isspace, text)) for text in texts]]
