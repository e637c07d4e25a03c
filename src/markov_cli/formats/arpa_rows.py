"""Parses blocks of an ARPA section: words, probabilities and backoffs of its rows.

Legend: a is a block's bytes, uint8; k is the section's order; m rows; a field is a run of bytes between
white space; a word's number is that of the interner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..model.listed import LARGEST_BACKOFF
from ..text.interning import TypeInterner
from .decimals import SPARE, Pieces, parsed
from .ngram_listing import Notes

ZERO = -99.0
ROUNDING = 1e-4  # a log10 probability up to this far above 0 is a rounding error, and is read as 0
_SHOWN = 60


@dataclass
class BadLine(Exception):
    """Error on one line of a block: number of lines before it, and the two lines of the message."""

    line: int
    message: str
    hint: str


@dataclass
class Part:
    """Rows of a block of one section.

    words    k columns of uint32 (m,), numbers of words
    log10    float32 (m,)
    backoff  float32 (m,), log10; None if no row has one
    lines    number of lines of the block
    """

    words: list[np.ndarray]
    log10: np.ndarray
    backoff: np.ndarray | None
    notes: Notes
    lines: int


def rows_of(text: bytes, k: int, words: TypeInterner, n_words: int | None = None) -> Part:
    """Parse a block of one section; BadLine for a line that is not an n-gram.

    text     whole lines
    n_words  number of unigrams; None for order 1, whose words are added to the interner
    """
    a = np.zeros(len(text) + SPARE, np.uint8)
    a[: len(text)] = np.frombuffer(text, np.uint8)  # not `text + bytes(SPARE)`: other threads go on
    columns, backed, lines = _even(text, a, k) or _uneven(text, a, k)
    if not columns:
        none = np.empty(0, np.float32)
        return Part([np.empty(0, np.uint32)] * k, none, none, Notes(), lines)
    pieces = Pieces(a)
    log10 = _numbers(text, pieces, *columns[0], "probability")
    notes = Notes()
    above = np.flatnonzero(log10 > 0)
    if len(above):
        i = above[np.argmax(log10[above])]
        if log10[i] > ROUNDING:
            raise _bad_line(text, int(columns[0][0][i]), f"a probability above 1: log10 {log10[i]:g}", _LOGS)
        notes.clamped = len(above)
        log10[above] = 0
    backoff = None
    notes.missing_backoffs = len(log10)
    if backed is not None:
        given = _numbers(text, pieces, *columns[-1], "backoff")
        beyond = np.flatnonzero(given > LARGEST_BACKOFF)
        if len(beyond):
            is_infinite = given[beyond[0]] > _FLOAT32
            said = "an infinite backoff" if is_infinite else f"a backoff weight above 1e{LARGEST_BACKOFF}"
            raise _bad_line(text, int(columns[-1][0][beyond[0]]), said, _LOGS)
        backoff = np.zeros(len(log10), np.float32)
        backoff[backed] = np.maximum(given, -_FLOAT32)
        notes.missing_backoffs -= len(given)
    number = _numbers_of_words(text, a, columns[1 : k + 1], words, n_words)
    return Part(number, np.maximum(log10, -_FLOAT32).astype(np.float32), backoff, notes, lines)


_Columns = list[tuple[np.ndarray, np.ndarray]]  # start and length, int64, of each field
_Backed = np.ndarray | slice | None  # rows with a backoff


def _even(text: bytes, a: np.ndarray, k: int) -> tuple[_Columns, _Backed, int] | None:
    """Fields of rows that all have the same number of fields, separated by one tab or space, and lines; else None."""
    m = len(text.rstrip(b"\n")) + 1  # allows empty lines after the last row
    at = np.flatnonzero(a[:m] < 0x21)
    divider = a.take(at)
    newline = divider == 0x0A
    fields = int(np.argmax(newline)) + 1
    n_rows, odd = divmod(len(at), fields)
    if odd or not k + 1 <= fields <= k + 2 or not newline[fields - 1 :: fields].all():
        return None
    known = newline | (divider == 0x09) | (divider == 0x20)
    if not known.all() or np.count_nonzero(newline) != n_rows:
        return None
    length = np.empty(len(at), np.int64)
    length[0] = at[0]
    np.subtract(at[1:], at[:-1], out=length[1:])
    length[1:] -= 1
    if not length.all():
        return None
    end = at.reshape(n_rows, fields).T
    by_field = np.ascontiguousarray(length.reshape(n_rows, fields).T)
    start = end - by_field
    return list(zip(start, by_field, strict=True)), slice(None) if fields == k + 2 else None, n_rows + len(text) - m


def _uneven(text: bytes, a: np.ndarray, k: int) -> tuple[_Columns, _Backed, int]:
    """Fields of rows in any form, and lines; no columns where there is no row."""
    m, lines = len(text), text.count(b"\n")
    newline = a[:m] == 0x0A
    white = newline | (a[:m] == 0x09) | (a[:m] == 0x20) | (a[:m] == 0x0D) | (a[:m] == 0)
    edge = np.flatnonzero(white[1:] != white[:-1])
    edge += 1
    if not white[0]:
        edge = np.concatenate((np.zeros(1, np.int64), edge))
    start = edge[0::2]
    end = edge[1::2] if len(edge) % 2 == 0 else np.append(edge[1::2], m)
    if not len(start):
        return [], None, lines
    last = _last_of_line(newline, start, end)
    fields = np.diff(last, prepend=-1)
    if int(fields.min()) < k + 1 or int(fields.max()) > k + 2:
        row = int(np.argmax((fields < k + 1) | (fields > k + 2)))
        raise _bad_line(text, int(start[last[row]]), f"{fields[row]} fields, not {k + 1} or {k + 2}", _A_ROW)
    first, length = last - (fields - 1), end - start
    backed = np.flatnonzero(fields == k + 2)
    columns = [(start[first + c], length[first + c]) for c in range(k + 1)]
    if len(backed):
        columns.append((start[last[backed]], length[last[backed]]))
    return columns, backed if len(backed) else None, lines


def _numbers_of_words(
    text: bytes, a: np.ndarray, columns: _Columns, words: TypeInterner, n_words: int | None
) -> list[np.ndarray]:
    """Numbers of words, by column; BadLine for a word that is not a unigram."""
    # reusing the number of the word in the line above was tried: the comparison takes as long as a look-up,
    # even in columns with many repeats, as those words are in the cache
    start, length = (np.concatenate(c) for c in zip(*columns, strict=True))
    number = words.numbers(a, start, length, None)
    if n_words is not None and int(number.max()) >= n_words:
        unknown = np.flatnonzero(number >= n_words)
        i = unknown[np.argmin(start[unknown])]
        word = text[start[i] : start[i] + length[i]]
        raise _bad_line(text, int(start[i]), f"{show(word)} is not among the unigrams", _UNKNOWN_WORD)
    return np.split(number, len(columns))


_FLOAT32 = float(np.finfo(np.float32).max)
_A_ROW = "a row is: log10 probability, words, log10 backoff (tabs or spaces between)"
_LOGS = "numbers are logarithms to base 10, and a probability's is at most 0"
_UNKNOWN_WORD = "every word must be listed in \\1-grams:; export the file again"


def _last_of_line(newline: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Index of the last field of each line with fields: int64, rising."""
    direct = newline.take(end, mode="clip")
    if np.count_nonzero(direct) == np.count_nonzero(newline):  # each newline follows a field directly
        return np.flatnonzero(direct)
    before = np.cumsum(newline, dtype=np.int32)[start]  # newlines before each field
    return np.flatnonzero(np.append(before[1:] != before[:-1], True))


def _numbers(text: bytes, pieces: Pieces, start: np.ndarray, length: np.ndarray, what: str) -> np.ndarray:
    """Parse one field as numbers, -inf as -99: float64; BadLine for an invalid number."""
    x, bad = parsed(pieces, start, length)
    if len(bad):
        i = int(bad[0])
        field_text = text[start[i] : start[i] + length[i]]
        hint = "decimals take a point, not a comma" if b"," in field_text else _A_ROW
        raise _bad_line(text, int(start[i]), f"{show(field_text)} is not a number for a {what}", hint)
    x[x == -np.inf] = ZERO
    return x


def refuse_double(text: bytes, number: np.ndarray, known: int, words: TypeInterner) -> None:
    """Raise BadLine for a unigram that is repeated; `known` is the number of words before this block."""
    if len(words) == known + len(number):
        return
    order = np.argsort(number, kind="stable")
    same = np.flatnonzero(number[order][1:] == number[order][:-1]) + 1
    again = np.concatenate((order[same], np.flatnonzero(number < known)))
    row = int(again.min())
    lines = [(i, t) for i, t in enumerate(text.split(b"\n")) if t.strip(b" \t\r\0")]
    line, content = lines[row]
    raise BadLine(line, f"{show(content.split()[1])} is listed twice", "the file is damaged; export it again")


def _bad_line(text: bytes, at: int, message: str, hint: str) -> BadLine:
    return BadLine(text.count(b"\n", 0, at), message, hint)


def show(text: bytes) -> str:
    """Quote text from a file for a message, shortened."""
    shown = repr(text[:_SHOWN].decode("utf-8", "replace"))
    return shown + (f"... ({len(text):,} bytes)" if len(text) > _SHOWN else "")
