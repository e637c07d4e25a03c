"""Finds what `words` keeps whole: links, mail addresses, @names, #tags, `<:emoji:1>` and `:emoji:`.

Legend: a is a block's bytes, uint8 (m + 8,); kind is the kind of the character of each byte, uint8 (m + 1,). Only the
surroundings of colons, @ and # are looked at, for most texts have few of them.

    link     letters and `://`, or `www.`, then what is no white space, no wide mark, no letter of a script without
             spaces and none of "<>[]{}|\\^`; marks at its end are left out, `)` only where the link has no `(`
    mail     letters, digits and ._%+- around an @, a point and a letter at the end behind it
    @name    letters, digits and _ behind an @
    #tag     the same behind a #, one of them a letter; letters of any script
    :emoji:  letters, digits and _+- between two colons; also `<:emoji:1>` and `<a:emoji:1>`
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays.sorting import ragged
from . import char_classes as ch

_ALNUM = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LETTERS, _DIGITS = _ALNUM[10:], _ALNUM[:10]
_LOCAL = _ALNUM + b"._%+-"  # of a mail address
_LINK = bytes(c for c in range(33, 127) if c not in b'"<>[]{}|\\^`')
_TRIMMED = b".,;:!?'*_~(&"  # at the end of a link
_SIGNS = bytes(c in b":@#(" for c in range(256))
_LONGEST_NAME = 64  # of an emoji

Inside = Callable[[np.ndarray], np.ndarray]  # which offsets of a block belong to a class
Spans = tuple[np.ndarray, np.ndarray]  # begin and end of each, int64


def whole_spans(plain: bytes, a: np.ndarray, kind: np.ndarray) -> Spans | None:
    """The parts of a block that are one token each, in order; None where there is none.

    plain  the block's bytes
    kind   uint8 (m + 1,), white space last; words are not yet put together: digits and apostrophes are not yet letters
    """
    found: list[Spans] = []
    signs = np.flatnonzero(np.frombuffer(plain.translate(_SIGNS), bool))  # one pass in place of four
    byte = a[signs]
    colons = signs[byte == ord(":")]
    has_www = b"www." in plain
    if has_www or b"://" in plain:
        found.append(_links(plain, a, kind, colons, signs[byte == ord("(")], has_www))
    pairs = _pairs(a, kind, colons)
    if len(pairs.begin):
        found.append(_emoji_with_number(a, pairs))
    at_signs, hashes = signs[byte == ord("@")], signs[byte == ord("#")]
    if len(at_signs):
        found.append(_mails(a, at_signs))
        found.append(_names(a, kind, at_signs))
    if len(hashes):
        found.append(_tags(a, kind, hashes))
    if len(pairs.begin):
        found.append((pairs.begin[pairs.free], pairs.end[pairs.free]))
    if not any(len(begin) for begin, _ in found):
        return None
    return _without_overlaps(found)


def _without_overlaps(found: list[Spans]) -> Spans:
    """Spans of several lists: none whose ends lie in one of an earlier list, or that begins in one of its own."""
    begin = end = np.empty(0, np.int64)
    for own_begin, own_end in found:
        if not len(own_begin):
            continue
        free = np.ones(len(own_begin), bool)
        free[1:] = own_begin[1:] >= np.maximum.accumulate(own_end)[:-1]
        if len(begin):
            free &= ~_within(own_begin, begin, end) & ~_within(own_end - 1, begin, end)
        chosen = np.flatnonzero(free)
        own_begin, own_end = own_begin[chosen], own_end[chosen]
        if len(begin):
            order = np.argsort(np.concatenate((begin, own_begin)), kind="stable")  # of two rising lists
            begin = np.concatenate((begin, own_begin))[order]
            end = np.concatenate((end, own_end))[order]
        else:
            begin, end = own_begin, own_end
    return begin, end


def _within(at: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """True for places inside one of some spans, which are in order: bool."""
    which = np.searchsorted(begin, at, "right") - 1
    return (which >= 0) & (end[which] > at)


def _bytes(a: np.ndarray, of: bytes) -> Inside:
    """Membership of bytes."""
    table = _bytes_table(of)
    return lambda at: table[a[at]]


def _bytes_table(of: bytes) -> np.ndarray:
    """True for the bytes that belong to some: bool (256,)."""
    table = _TABLES.get(of)
    if table is None:
        table = _TABLES[of] = np.isin(np.arange(256), [*of])
    return table


_TABLES: dict[bytes, np.ndarray] = {}


def _run_end(inside: Inside, at: np.ndarray, m: int, width: int = 16) -> np.ndarray:
    """Where the run that begins at each offset ends, at most at m; the offset itself where there is none.

    width  bytes that are looked at together; nearly all runs should be shorter
    """
    return _run(inside, at, m, 1, width)


def _run_begin(inside: Inside, at: np.ndarray, m: int, width: int = 16) -> np.ndarray:
    """Where the run that ends before each offset begins."""
    return _run(inside, at - 1, m, -1, width) + 1


def _run(inside: Inside, at: np.ndarray, m: int, step: int, width: int) -> np.ndarray:
    at, todo = at.copy(), np.arange(len(at))
    while len(todo):
        if len(todo) * width > m:  # many long runs, and they may be one
            edges = np.concatenate(([-1], np.flatnonzero(~inside(np.arange(m))), [m]))
            which = np.searchsorted(edges, at[todo], "left" if step > 0 else "right")
            at[todo] = edges[which if step > 0 else which - 1]
            break
        look = at[todo, None] + np.arange(0, step * width, step)
        look = np.minimum(look, m) if step > 0 else np.maximum(look, -1)  # neither is inside
        stop = ~inside(look)
        n = stop.argmax(axis=1)
        on = np.flatnonzero((n == 0) & ~stop[:, 0])
        n[on] = width
        at[todo] += step * n
        todo = todo[on]
        width *= 2
    return at


def _is_word(kind: np.ndarray) -> np.ndarray:
    return (kind == ch.WORD) | (kind == ch.DIGIT)


def _word_before(a: np.ndarray, kind: np.ndarray, at: np.ndarray, also: bytes = b"") -> np.ndarray:
    """True for offsets behind a letter, a digit, `_` or one of some bytes: bool."""
    before = np.maximum(at - 1, 0)
    return (at > 0) & (_is_word(kind[before]) | _bytes(a, b"_" + also)(before))


def _links(
    plain: bytes, a: np.ndarray, kind: np.ndarray, colons: np.ndarray, opening: np.ndarray, has_www: bool
) -> Spans:
    m = len(plain)
    colons = colons[(a[colons + 1] == ord("/")) & (a[colons + 2] == ord("/"))]
    begin = _run_begin(_bytes(a, _LETTERS), colons, m, 8)
    full = begin < colons
    begin, body = begin[full], colons[full] + 3
    if has_www:
        w = np.flatnonzero(a[3:m] == ord("."))  # three before a point
        w = w[(a[w + 2] == ord("w")) & (a[w + 1] == ord("w")) & (a[w] == ord("w"))]
        w = w[~_word_before(a, kind, w, b".-/@")]
        begin, body = np.concatenate((begin, w)), np.concatenate((body, w + 4))
        order = np.argsort(begin, kind="stable")
        begin, body = begin[order], body[order]

    end = _run_end(_in_link(a, kind, plain.isascii()), body, m, 32)
    paired = np.searchsorted(opening, body) < np.searchsorted(opening, end)
    for trimmed, some in ((_TRIMMED, paired), (_TRIMMED + b")", ~paired)):
        which = np.flatnonzero(some)
        end[which] = _run_begin(_bytes(a, trimmed), end[which], m, 4)
    good = end > body
    return begin[good], end[good]


def _in_link(a: np.ndarray, kind: np.ndarray, is_ascii: bool) -> Inside:
    """The characters of a link behind its beginning."""
    if is_ascii:
        return _bytes(a, _LINK)
    table = _bytes_table(_LINK)

    def inside(at: np.ndarray) -> np.ndarray:
        byte = a[at]
        found = table[byte]
        wide = byte >= 0x80
        if wide.any():
            found |= wide & _is_word(kind[at])
        return found

    return inside


def _mails(a: np.ndarray, signs: np.ndarray) -> Spans:
    m = len(a) - 8
    signs = signs[_bytes(a, _ALNUM)(signs + 1) & (signs > 0)]
    signs = signs[_bytes(a, _LOCAL)(signs - 1)]
    begin = _run_begin(_bytes(a, _LOCAL), signs, m)
    begin = np.minimum(_run_end(_bytes(a, b"._%+-"), begin, m, 4), signs)
    end = _run_end(_bytes(a, _ALNUM + b".-"), signs + 1, m)
    end = np.maximum(_run_begin(_bytes(a, b".-"), end, m, 4), signs + 1)
    good = (begin < signs) & (_run_end(_bytes(a, _ALNUM + b"-"), signs + 1, m) < end)
    good &= _bytes(a, _LETTERS)(end - 1)
    begin, end = begin[good], end[good]
    second = (begin > 0) & (a[np.maximum(begin - 1, 0)] == ord("@"))
    second &= (begin < 2) | ~_bytes(a, _ALNUM + b"_")(np.maximum(begin - 2, 0))
    return begin - second, end


def _of_words(a: np.ndarray, kind: np.ndarray, *kinds: int) -> Inside:
    """Characters of some kinds, and `_`."""
    table = np.isin(np.arange(16), kinds)
    return lambda at: table[kind[at]] | (a[at] == ord("_"))


def _names(a: np.ndarray, kind: np.ndarray, signs: np.ndarray) -> Spans:
    signs = signs[~_word_before(a, kind, signs, b"@")]
    end = _run_end(_of_words(a, kind, ch.WORD, ch.DIGIT), signs + 1, len(kind) - 1)
    good = end > signs + 1
    return signs[good], end[good]


def _tags(a: np.ndarray, kind: np.ndarray, signs: np.ndarray) -> Spans:
    m = len(kind) - 1
    signs = signs[~_word_before(a, kind, signs, b"#&/")]
    end = _run_end(_of_words(a, kind, ch.WORD, ch.DIGIT, ch.SINGLE, ch.KATAKANA), signs + 1, m)
    good = end > _run_end(_bytes(a, _DIGITS + b"_"), signs + 1, m, 4)
    return signs[good], end[good]


class _Pairs:
    """Two colons with a name between them.

    begin, end  int64, of the first colon and behind the second
    free        bool, no word stands before the first
    """

    def __init__(self, begin: np.ndarray, end: np.ndarray, free: np.ndarray) -> None:
        self.begin, self.end, self.free = begin, end, free


def _pairs(a: np.ndarray, kind: np.ndarray, colons: np.ndarray) -> _Pairs:
    first, second = colons[:-1], colons[1:]
    near = np.flatnonzero((second - first > 1) & (second - first <= _LONGEST_NAME + 1))
    in_name, lettered = _bytes(a, _ALNUM + b"_+-"), _bytes(a, _LETTERS)
    near = near[in_name(first[near] + 1) & _bytes(a, _ALNUM + b"_")(second[near] - 1)]
    size = second[near] - first[near] - 1
    if len(near):
        good = np.logical_and.reduceat(in_name(ragged(first[near] + 1, size)), np.cumsum(size) - size)
        near = near[good]
        good = lettered(first[near] + 1) | _bytes(a, b"+-")(first[near] + 1)
        some = np.flatnonzero(~good)  # those whose first character is no letter
        if len(some):
            size = second[near[some]] - first[near[some]] - 1
            inside = ragged(first[near[some]] + 1, size)
            good[some] = np.logical_or.reduceat(lettered(inside), np.cumsum(size) - size)
        near = near[good]
    behind = (near > 0) & (colons[np.maximum(near - 1, 0)] == colons[near] - 1)
    pair_at = np.full(len(colons), -1)
    pair_at[near] = np.arange(len(near))
    before = np.where(behind & (near > 1), pair_at[near - 2], -1)  # the pair that ends there
    free = ~behind & ~_word_before(a, kind, first[near])
    root = np.where(before >= 0, before, np.arange(len(near)))
    while not np.array_equal(root, above := root[root]):  # the first of those that touch
        root = above
    return _Pairs(first[near], second[near] + 1, free[root])


def _emoji_with_number(a: np.ndarray, pairs: _Pairs) -> Spans:
    begin, end = pairs.begin, pairs.end
    back = np.where(a[np.maximum(begin - 1, 0)] == ord("a"), 2, 1)
    some = np.flatnonzero((begin >= back) & (a[np.maximum(begin - back, 0)] == ord("<")))
    begin, end = (begin - back)[some], end[some]
    digits = _run_end(_bytes(a, _DIGITS), end, len(a) - 8)
    good = (digits > end) & (a[digits] == ord(">"))
    return begin[good], digits[good] + 1
