"""Tokenizers: find the tokens of a text by operations on whole arrays.

Legend: a is a block's bytes, uint8 (m + 8,), eight zero bytes behind the m of text;
i is a byte offset; a span is a start and a length in bytes; a gap is a run of white space.

A token's flags say on which side it touched its neighbour without white space:
LEFT, RIGHT. Between two touching tokens one of them carries the flag: a mark rather
than a word, and the second where both are of a kind, so that words keep one type
whatever stands beside them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from ..arrays.sorting import ragged
from ..errors import OptionError
from . import char_classes as ch
from .regex_timeout import at_most
from .whole_tokens import whole_spans

TOKENIZERS = ("words", "spaces", "chars", "bytes", "regex")
DEFAULT_PATTERN = r"\w+|[^\w\s]"  # of `regex`
LEFT, RIGHT = 1, 2
_LONGEST_PATTERN = 10_000
_SECONDS = 1.5
_SPACES = np.zeros(256, np.uint8)
_SPACES[[0, 9, 10, 13, 32]] = 1  # KenLM's separators


class Spans(NamedTuple):
    """Tokens of a block, in order.

    start   int64 (n,)
    length  int64 (n,)
    flags   uint8 (n,), or None where no token touches another
    """

    start: np.ndarray
    length: np.ndarray
    flags: np.ndarray | None


class Gaps(NamedTuple):
    """Runs of white space: int64 (g,) each, [begin, end).

    newline  int64, offsets of all newlines; None where the tokenizer did not come upon them
    of       int64, the gap of each newline
    """

    begin: np.ndarray
    end: np.ndarray
    newline: np.ndarray | None = None
    of: np.ndarray | None = None


def changes(flag: np.ndarray) -> np.ndarray:
    """Offsets i where flag[i] differs from flag[i-1], with 0 and len at the ends."""
    inside = np.flatnonzero(flag[1:] != flag[:-1])
    edge = np.empty(len(inside) + 2, np.int64)
    edge[0], edge[-1] = 0, len(flag)
    np.add(inside, 1, out=edge[1:-1])
    return edge


def split_spaces(a: np.ndarray, m: int) -> tuple[Spans, Gaps]:
    """Runs of bytes between white space, as KenLM reads them."""
    at = np.flatnonzero(a[:m] <= 32)  # few bytes up to the space are not white space
    byte = a.take(at, mode="clip")
    white = _SPACES.take(byte, mode="clip")
    if not white.all():
        at, byte = at[white > 0], byte[white > 0]
    opens = np.ones(len(at), bool)
    np.not_equal(at[1:], at[:-1] + 1, out=opens[1:])
    newline = np.flatnonzero(byte == 10)
    if opens.all():
        begin, end, of = at, at + 1, newline
    else:
        first = np.flatnonzero(opens)
        begin, end = at[first], at[np.append(first[1:], len(at)) - 1] + 1
        of = np.cumsum(opens)[newline] - 1
    before, behind = int(len(begin) == 0 or begin[0] > 0), int(len(end) == 0 or end[-1] < m)
    start, stop = np.zeros(len(begin) + before, np.int64), np.full(len(begin) + behind, m)
    start[before:], stop[: len(begin)] = end, begin
    start, stop = start[: len(start) - 1 + behind], stop[1 - before :]
    return Spans(start, stop - start, None), Gaps(begin, end, at[newline], of)


def gaps_of(a: np.ndarray, m: int, wide: bool) -> Gaps:
    """White space as `words` sees it, for tokenizers that do not look for it themselves."""
    kind = np.frombuffer(a[:m].tobytes().translate(ch.ASCII_KINDS), np.uint8)
    if wide:
        w = ch.decode(a, m)
        space = ch.kinds(w.cp) == ch.SPACE
        if space.any():
            kind = kind.copy()
            for i in range(3):
                inside = space & (w.length > i)
                kind[w.at[inside] + i] = ch.SPACE
    edge = changes(kind == ch.SPACE)
    first = 0 if kind[0] == ch.SPACE else 1
    return Gaps(edge[first:-1:2], edge[first + 1 :: 2])


def split_words(a: np.ndarray, m: int) -> tuple[Spans, Gaps]:
    """Words, numbers and marks; see the module's legend for the flags."""
    plain = a[:m].tobytes()
    with_end = np.empty(m + 1, np.uint8)
    kind = with_end[:m]
    kind[:] = np.frombuffer(plain.translate(ch.ASCII_KINDS), np.uint8)
    with_end[m] = ch.SPACE
    wide = ch.decode(a, m) if (a[:m] >= 0x80).any() else None
    base = _set_wide(kind, wide) if wide is not None else None
    whole = whole_spans(plain, a, with_end)
    _join_inside_words(a, m, kind, wide)
    kind[kind == ch.DIGIT] = ch.WORD
    cut = np.empty(m, bool)  # cut[i]: a token or gap begins at i
    cut[0] = True
    np.not_equal(kind[1:], kind[:-1], out=cut[1:])
    cut[1:] |= (kind[1:] == ch.MARK) & (a[1:m] != a[: m - 1])
    if wide is not None and base is not None:
        _cut_wide(cut, kind, wide, base)
    if whole is not None:
        begin, end = whole
        cut[ragged(begin, end - begin)] = False
        cut[begin] = cut[end[end < m]] = True
        kind[begin] = ch.WORD
    edge = np.flatnonzero(cut)
    of = kind[edge]
    edge = np.append(edge, m)
    solid = of != ch.SPACE
    mark = of == ch.MARK
    # between neighbours x, y that touch: y carries LEFT, but x carries RIGHT
    # where x is a mark and y is not
    touch = solid[1:] & solid[:-1]
    on_left = touch & mark[:-1] & ~mark[1:]
    flags = np.zeros(len(of), np.uint8)
    flags[1:] = touch & ~on_left
    flags[:-1] |= on_left.view(np.uint8) << 1
    token, gap = np.flatnonzero(solid), np.flatnonzero(~solid)  # indices are far cheaper than masks
    start = edge[token]
    return Spans(start, edge[token + 1] - start, flags[token]), Gaps(edge[gap], edge[gap + 1])


def _set_wide(kind: np.ndarray, wide: ch.Wide) -> np.ndarray:
    """Write the kinds of wide characters over all their bytes; returns their own kinds.

    A combining character takes the kind of what it stands on; where it stands on white
    space or on nothing it is a letter.
    """
    base = ch.kinds(wide.cp)
    put = base.copy()
    extend = np.flatnonzero(base == ch.EXTEND)
    if len(extend):
        chained = np.zeros(len(base), bool)
        chained[1:] = (base[:-1] == ch.EXTEND) & (wide.at[:-1] + wide.length[:-1] == wide.at[1:])
        heads = extend[~chained[extend]]
        here = wide.at[heads]
        plain = np.where(here > 0, kind[here - 1], np.uint8(ch.SPACE))
        before = np.maximum(heads - 1, 0)
        touches = (heads > 0) & (wide.at[before] + wide.length[before] == here)
        under = np.where(touches, put[before], plain)
        under[under == ch.SPACE] = ch.WORD
        run = np.cumsum(~chained[extend]) - 1
        put[extend] = under[run]
    for i in range(4):
        inside = wide.length > i
        kind[wide.at[inside] + i] = put[inside]
    return base


def _join_inside_words(a: np.ndarray, m: int, kind: np.ndarray, wide: ch.Wide | None) -> None:
    """Apostrophes between letters, points and commas between digits belong to the word."""
    body = a[:m]
    quote = np.flatnonzero(body == 0x27)
    size = np.ones(len(quote), np.int64)
    if wide is not None:
        curly = wide.at[wide.cp == 0x2019]
        quote = np.concatenate((quote, curly))
        size = np.concatenate((size, np.full(len(curly), 3)))
    inner = (quote > 0) & (quote + size < m)
    quote, size = quote[inner], size[inner]
    inner = (kind[quote - 1] == ch.WORD) & (kind[quote + size] == ch.WORD)
    quote, size = quote[inner], size[inner]
    kind[quote] = ch.WORD
    curly = quote[size == 3]
    kind[curly + 1] = ch.WORD
    kind[curly + 2] = ch.WORD
    point = np.flatnonzero((body == 0x2E) | (body == 0x2C))
    point = point[(point > 0) & (point + 1 < m)]
    kind[point[(kind[point - 1] == ch.DIGIT) & (kind[point + 1] == ch.DIGIT)]] = ch.WORD


def _cut_wide(cut: np.ndarray, kind: np.ndarray, wide: ch.Wide, base: np.ndarray) -> None:
    """No cut inside a wide character or before a combining one; one before each ideograph,
    and between marks that differ."""
    at, length, cp = wide
    for i in (1, 2, 3):
        cut[at[length > i] + i] = False
    joined = np.zeros(len(at), bool)
    joined[1:] = at[:-1] + length[:-1] == at[1:]
    same = np.zeros(len(at), bool)
    same[1:] = joined[1:] & (cp[1:] == cp[:-1])
    mark = kind[at] == ch.MARK
    cut[at[mark & (base != ch.EXTEND) & ~same]] = True
    cut[at[mark & same]] = False
    cut[at[base == ch.SINGLE]] = True
    cut[at[1:][_emoji_joined(joined, cp, base)]] = False
    extend = at[base == ch.EXTEND]
    extend = extend[extend > 0]
    # not after white space: `kind` there differs only because we made the mark a letter
    cut[extend[kind[extend - 1] == kind[extend]]] = False
    _pair_flags(cut, at, joined, cp)


def _emoji_joined(joined: np.ndarray, cp: np.ndarray, base: np.ndarray) -> np.ndarray:
    """True for characters before a symbol behind a zero-width joiner (families, professions): bool."""
    return joined[1:] & (cp[:-1] == 0x200D) & (base[1:] == ch.MARK)


def _pair_flags(cut: np.ndarray, at: np.ndarray, joined: np.ndarray, cp: np.ndarray) -> None:
    """Regional indicators make a flag two by two."""
    letter = (cp >= 0x1F1E6) & (cp <= 0x1F1FF)
    if not letter.any():
        return
    which = np.flatnonzero(letter)
    head = ~(joined[which] & letter[np.maximum(which - 1, 0)])
    run = np.maximum.accumulate(np.where(head, np.arange(len(which)), 0))
    second = (np.arange(len(which)) - run) % 2 == 1
    cut[at[which[second]]] = False
    cut[at[which[~second]]] = True


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The `--pattern` of the `regex` tokenizer; OptionError where it is none."""
    if len(pattern) > _LONGEST_PATTERN:
        raise OptionError(f"--pattern of {len(pattern):,} characters", f"{_LONGEST_PATTERN:,} at most")
    slow = OptionError(f"--pattern {pattern[:60]!r}: takes too long to read", "a simpler one")
    try:
        with at_most(_SECONDS, slow):
            compiled = re.compile(pattern)
            empty = compiled.match("")
    except (re.error, OverflowError, RecursionError) as error:
        raise OptionError(f"--pattern {pattern!r}: {error}", "see the syntax of Python's re") from None
    if empty and not re.sub(r"[*?]", "", pattern):
        raise OptionError(f"--pattern {pattern!r} matches only nothing", r"for example --pattern '\w+'")
    return compiled
