"""Reads and writes n-gram count files: lines `w1 w2 w3<TAB>count`, as Google's n-grams and SRILM's `-write`.

Legend: m is a number of lines; a piece is a word or a count, with the character after it.

Words are names of types, as `text/word_escapes.py` writes them; markers are `<s>`, `</s>` and `<unk>`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

import numpy as np

from ..arrays.sorting import in_parts, ragged
from ..errors import MarkovError
from ..model.table import MAX_ORDER, Table
from ..text.interning import TypeInterner
from ..text.types import BOS, EOS, N_MARKERS, UNK, Types
from ..text.vocabulary import Vocabulary
from ..text.word_escapes import names_of, parse_names
from .lower_orders import Rows
from .ngram_listing import Notes
from .opening import ForeignFile, line_blocks

_ROWS = 1 << 15  # written at one time, to stay in the cache
_BYTES = 1 << 22  # of words written at one time, about
_BLOCK_BYTES = 1 << 22
_DIGITS = 18  # of a count
_MOST = 1 << 58  # that counts sum to
_SPACE = np.zeros(256, bool)
_SPACE[[9, 10, 13, 32]] = True
_NAMED = {b"<s>": BOS, b"</s>": EOS, b"<unk>": UNK, b"<UNK>": UNK}
_CAPITAL = {b"<S>": BOS, b"</S>": EOS}  # of the Web 1T set; markers where a file has no <s> and </s>
_FORM = "each line has words separated by spaces, a tab, and their count"


def write_counts(
    out: IO[bytes], table: Table, vocabulary: Vocabulary, orders: list[int], space_as: str | None = None
) -> int:
    """Write the n-grams of some orders, each in table order; returns the number of lines.

    space_as  name of the type that is one space
    """
    blob, offsets = names_of(vocabulary, space_as)
    written = 0
    for k in orders:
        n = len(table.orders[k - 1])
        for low in range(0, n, _ROWS):
            row = np.arange(low, min(low + _ROWS, n))
            count = table.orders[k - 1].count.slice(low, low + len(row))
            row, count = row[count > 0], count[count > 0]
            ids = table.ngrams(k, row)
            length = (offsets[ids + 1] - offsets[ids]).sum(1)
            for some in in_parts(length, _ROWS, _BYTES):  # one, but for very long words
                out.write(_lines(ids[some], count[some], blob, offsets))
            written += len(row)
    return written


def _lines(ids: np.ndarray, count: np.ndarray, blob: np.ndarray, offsets: np.ndarray) -> bytes:
    """Text of n-grams, int64 (m, k), and counts (m,)."""
    m, k = ids.shape
    values, which = np.unique(count, return_inverse=True)
    said = [repr(v).encode() for v in values.tolist()]
    size = np.array([len(s) for s in said], np.int64)
    start = np.concatenate((offsets[ids], (len(blob) + np.cumsum(size) - size)[which][:, None]), axis=1)
    length = np.concatenate((offsets[ids + 1] - offsets[ids], size[which][:, None]), axis=1)
    end = np.cumsum(length.ravel() + 1)  # of each piece
    whole = np.concatenate((blob, np.frombuffer(b"".join(said), np.uint8)))
    out = np.full(int(end[-1]) if m else 0, 32, np.uint8)
    out[ragged(end - 1 - length.ravel(), length.ravel())] = whole[ragged(start.ravel(), length.ravel())]
    last = end.reshape(m, k + 1)
    out[last[:, k - 1] - 1] = 9
    out[last[:, k] - 1] = 10
    return out.tobytes()


def read_counts(
    files: Iterable[ForeignFile], notes: Notes, space_as: str | None = None
) -> tuple[dict[int, Rows], Types]:
    """Read the n-grams of files, by their order, and the types of the ids from N_MARKERS on.

    notes     takes what is read otherwise
    space_as  the name that stands for one space

    Words are separated by spaces or tabs, and the last field of a line is its count. Empty lines and n-grams with
    count 0 are skipped. MarkovError, with the number of the line, for an invalid line.
    """
    found = CountRows()
    for file in files:
        for block, line in line_blocks(file, _BLOCK_BYTES):
            found.add(block, line, file.name)
    return found.finish(notes, space_as)


class CountRows:
    """N-grams and counts read so far, by order."""

    def __init__(self) -> None:
        self.names = TypeInterner()
        self.parts: dict[int, list[Rows]] = {}

    def add(self, block: bytes, line: int | None, name: str) -> None:
        """Add whole lines of a file, from line number `line` on; None if they are not those of the file."""
        _read_block(block, line, self.names, self.parts, name)

    def finish(self, notes: Notes, space_as: str | None = None) -> tuple[dict[int, Rows], Types]:
        """The n-grams by order, under the ids of the types from N_MARKERS on."""
        new_id, types, notes.markers = _types(self.names, space_as)
        notes.capital_markers = sum(name.encode() in _CAPITAL for name in notes.markers)
        rows = {
            k: Rows(new_id[np.concatenate([p.ids for p in some])], *(_joined(some, c) for c in ("count", "line")))
            for k, some in self.parts.items()
        }
        for k, some in rows.items():
            if (total := float(some.count.sum(dtype=np.float64))) > _MOST:
                raise MarkovError(f"the counts of order {k} sum to {total:.3g}, more than can be counted", _FORM)
        return rows, types


def _joined(parts: list[Rows], column: str) -> np.ndarray:
    return np.concatenate([getattr(p, column) for p in parts])


def _read_block(block: bytes, line: int | None, names: TypeInterner, parts: dict[int, list[Rows]], name: str) -> None:
    """Parse whole lines from line number `line` on, and append their n-grams."""
    a = np.frombuffer(block + bytes(8), np.uint8)
    solid = np.zeros(len(block) + 2, bool)
    np.logical_not(_SPACE[a[: len(block)]], out=solid[1:-1])
    edge = np.flatnonzero(solid[1:] != solid[:-1])
    start, length = edge[::2], edge[1::2] - edge[::2]
    newline = np.flatnonzero(a[: len(block)] == 10)
    of_line = np.searchsorted(newline, start)
    n_words = np.bincount(of_line, minlength=len(newline) + 1) - 1  # without the count
    last = np.cumsum(n_words + 1) - 1

    def fail(i: int, what: str) -> MarkovError:
        return MarkovError(f"{name}, line {(line or 1) + i:,}: {what}", _FORM)

    if (n_words == 0).any():
        raise fail(int(np.argmax(n_words == 0)), "a count without words, or words without a count")
    lines = np.flatnonzero(n_words > 0)
    if len(lines) and int(n_words.max()) > MAX_ORDER:
        raise fail(int(np.argmax(n_words)), f"{int(n_words.max()):,} words, more than {MAX_ORDER:,}")
    count, wrong = whole_numbers(a, start[last[lines]], length[last[lines]])
    if wrong.any():
        i = int(np.argmax(wrong))
        at = last[lines[i]]
        shown = block[start[at] : start[at] + min(length[at], 30)].decode("utf-8", "replace")
        raise fail(int(lines[i]), f"{shown!r} is not a whole count")
    is_word = np.ones(len(start), bool)
    is_word[last[lines]] = False
    number = np.zeros(len(start), np.uint32)
    number[is_word] = names.numbers(a, start[is_word], length[is_word], None)
    seen = count > 0
    lines, count = lines[seen], count[seen]
    for k in np.flatnonzero(np.bincount(n_words[lines])).tolist() if len(lines) else []:
        some = n_words[lines] == k
        ids = number[(last[lines[some]] - k)[:, None] + np.arange(k)]
        parts.setdefault(k, []).append(
            Rows(ids, count[some], (line + lines[some]) if line else np.zeros(len(ids), np.int64))
        )


def whole_numbers(a: np.ndarray, start: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parse whole numbers, int64 (m,); True for invalid ones, bool (m,)."""
    value = np.zeros(len(start), np.int64)
    wrong = length > _DIGITS
    for i in range(int(min(length.max(initial=0), _DIGITS))):
        inside = length > i
        digit = a[np.where(inside, start + i, 0)].astype(np.int64) - 48
        wrong |= inside & ((digit < 0) | (digit > 9))
        value = np.where(inside, value * 10 + digit, value)
    return value, wrong


def _types(names: TypeInterner, space_as: str | None) -> tuple[np.ndarray, Types, list[str]]:
    """Ids of names, uint32 (names,); distinct types of the ids from N_MARKERS on; the names of markers."""
    named = names.types()
    new_id = np.zeros(len(named), np.uint32)
    is_type = np.ones(len(named), bool)
    found: dict[bytes, int] = {}
    short = np.flatnonzero((named.length >= 3) & (named.length <= 5))
    for i in short[named.blob[named.start[short]] == 0x3C].tolist() if len(short) else []:
        found[named.bytes_of(i)[0]] = i
    markers = _NAMED if found.keys() & {b"<s>", b"</s>"} else _NAMED | _CAPITAL
    those = sorted(markers.keys() & found.keys(), key=markers.__getitem__)
    for name in those:
        new_id[found[name]], is_type[found[name]] = markers[name], False
    plain = named.take(np.flatnonzero(is_type))
    parsed = parse_names(plain.blob, np.append(plain.start, len(plain.blob)), space_as)
    types = TypeInterner()
    number = types.numbers(parsed.padded(), parsed.start, parsed.length, parsed.flags)
    new_id[is_type] = number + np.uint32(N_MARKERS)
    return new_id, types.types(), [name.decode() for name in those]
