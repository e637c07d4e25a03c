r"""Reads ARPA files of any program into a listing of their n-grams.

Legend: k is an order 1..n; a section is the rows of one order; a word's number is that of the interner, its place
is its index among the unigrams.

Accepts the variants that programs write: fields separated by tabs or spaces, CR LF, empty lines anywhere, lines
before `\data\`, missing backoffs, positive backoffs, backoffs at the top order (ignored), exponents, `-inf`, empty
orders at the top. Words are not changed.

The file is read in blocks, which a few threads parse with whole-array operations. Memory follows the rows read,
not the counts in the header.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..arrays.threads import thread_pool
from ..errors import ModelFileError
from ..text.interning import TypeInterner
from .arpa_rows import BadLine, Part, refuse_double, rows_of, show
from .ngram_listing import ListedOrder, Listing, Notes
from .opening import ForeignFile, open_file

BLOCK_BYTES = 1 << 21
LINE_BYTES = 1 << 24  # a longer line is an error, and is never read whole
_JUNK_BYTES = 1 << 20  # searched for `\data\`
_DATA = re.compile(rb"^[ \t]*\\data\\[ \t\r]*\n", re.MULTILINE | re.IGNORECASE)
_NEXT_LINE = re.compile(rb"\s*(\S[^\n]*)\n")  # that is not blank
_SECTION = re.compile(rb"\\(\d{1,9})-grams:?\s*")
_COUNT = re.compile(rb"ngram\s+(\d{1,9})\s*=\s*(\d{1,18})\s*")


@dataclass
class _Section:
    order: int
    parts: list[Part] = field(default_factory=list)
    rows: int = 0


def read(file: ForeignFile | str, *, jobs: int = 2) -> Listing:
    """Read an ARPA file: an open one, or a path; `-` is standard input.

    ModelFileError for a file that is not ARPA or is truncated, wrong counts in the header, orders out of sequence,
    a line that is not an n-gram, an invalid number, a probability above 1, a word that is not a unigram, or a
    repeated unigram. TextError where the file cannot be read. `trie_of` finds missing histories and repeated longer
    n-grams.
    """
    with open_file(file) if isinstance(file, str) else file as stream:
        return _Reader(stream.name, stream, jobs).read()


class _Reader:
    """State of reading one file: the current line, and everything read before it."""

    def __init__(self, name: str, stream: Any, jobs: int) -> None:
        self.name, self.stream, self.jobs = name, stream, jobs
        self.line = 1  # of the first byte not yet parsed
        self.notes = Notes()
        self.counts: list[int] = []
        self.words = TypeInterner()
        self.place = np.empty(0, np.uint32)  # by number: index among the unigrams
        self.waiting: deque[tuple[Future[Part], _Section]] = deque()

    def fail(self, message: str, hint: str, line: int | None = None) -> ModelFileError:
        """Error with the file's name and the line."""
        at = "" if line is None else f", line {line:,}"
        return ModelFileError(f"{self.name}{at}: {message}", hint)

    def read(self) -> Listing:
        lines = self._lines()
        rest = self._find_data(lines)
        body = self._header(rest, lines)
        orders = self._sections(body, lines)
        blob, offsets = self._unigrams()
        return Listing(self.name, blob, offsets, orders, self.notes)

    def _lines(self) -> Iterator[bytes]:
        """Blocks of whole lines; a last line without a newline gets one."""
        pending: list[bytes] = []
        size = 0
        while piece := self.stream.read(BLOCK_BYTES):
            cut = piece.rfind(b"\n") + 1
            if cut:
                yield b"".join([*pending, memoryview(piece)[:cut]])
                pending, size = [piece[cut:]], len(piece) - cut
            else:
                pending.append(piece)
                size += len(piece)
            if size > LINE_BYTES:
                raise self._too_long()
        if last := b"".join(pending):
            yield last + b"\n"

    def _too_long(self) -> ModelFileError:
        for _ in range(len(self.waiting)):  # an earlier error is reported first
            self._take()
        if not self.counts:
            return self._no_arpa()
        return self.fail(
            f"a line of more than {LINE_BYTES:,} bytes", "an ARPA file has one n-gram a line; check the file"
        )

    def _no_arpa(self) -> ModelFileError:
        return self.fail(
            f"not an ARPA file: no line \\data\\ in its first {_JUNK_BYTES:,} bytes",
            "give a file written by lmplz, SRILM or a similar tool; a markov model needs no import",
        )

    def _find_data(self, lines: Iterator[bytes]) -> bytes:
        """Skip to the first line `\\data\\` that a count follows; returns the rest of its block."""
        seen, first = 0, None
        for block in lines:
            for found in _DATA.finditer(block):
                following = _NEXT_LINE.match(block, found.end())
                line = self.line + block.count(b"\n", 0, found.end())
                if following is None or following[1][:1] == b"\\" or _COUNT.fullmatch(following[1].strip()):
                    self.line = line
                    self.notes.junk_lines = line - 2
                    return block[found.end() :]
                first = first or (following[1].strip(), line + following[0].count(b"\n") - 1)
            self.line += block.count(b"\n")
            seen += len(block)
            if seen > _JUNK_BYTES:
                break
        if first is not None:
            raise self._no_count(*first)
        raise self._no_arpa()

    def _header(self, block: bytes, lines: Iterator[bytes]) -> bytes:
        """Read the lines `ngram K=COUNT`; returns the block from the first section on."""
        while True:
            at = 0
            while at < len(block):
                end = block.index(b"\n", at)
                text = block[at:end].strip()
                if text.startswith(b"\\"):
                    if not any(self.counts):
                        raise self.fail("the header counts no n-grams", "export the model again", self.line)
                    return block[at:]
                if text:
                    self._count(text)
                at = end + 1
                self.line += 1
            following = next(lines, None)
            if following is None:
                raise self._truncated("the header")
            block = following

    def _count(self, text: bytes) -> None:
        found = _COUNT.fullmatch(text)
        if not found:
            raise self._no_count(text, self.line)
        order, expected = int(found[1]), len(self.counts) + 1
        if order != expected:
            raise self.fail(
                f"the header counts order {order} where order {expected} should be",
                "the file is damaged, or an order is missing; export it again",
                self.line,
            )
        self.counts.append(int(found[2]))

    def _no_count(self, text: bytes, line: int) -> ModelFileError:
        return self.fail(f"{show(text)} where a count should be", "a header's lines are: ngram ORDER=COUNT", line)

    def _truncated(self, where: str) -> ModelFileError:
        return self.fail(f"truncated: it ends in {where} and has no line \\end\\", "copy or export it again", self.line)

    def _sections(self, block: bytes, lines: Iterator[bytes]) -> list[ListedOrder]:
        orders: list[ListedOrder] = []
        section: _Section | None = None
        with thread_pool(self.jobs) as pool:
            while True:
                for begin, end in _between_markers(block):
                    if begin == end:
                        continue
                    if block[begin] == 0x5C:
                        self._take_all()
                        if section is not None:
                            self._close(section, orders)
                        text = block[begin:end].strip()
                        if text == b"\\end\\":
                            if len(orders) < self._order():
                                raise self._gap(f"ends before order {len(orders) + 1}")
                            return orders
                        section = self._open(text, len(orders) + 1)
                        self.line += 1
                    elif section is not None:
                        self._submit(pool, section, block[begin:end])
                following = next(lines, None)
                if following is None:
                    self._take_all()
                    raise self._truncated("the header" if section is None else f"section \\{section.order}-grams:")
                block = following

    def _order(self) -> int:
        """Highest order with rows."""
        return max(k for k, n in enumerate(self.counts, 1) if n)

    def _gap(self, what: str) -> ModelFileError:
        return self.fail(
            f"the header counts {len(self.counts)} orders, and the file {what}",
            "the file is damaged, or a section is missing; export it again",
            self.line,
        )

    def _open(self, text: bytes, expected: int) -> _Section:
        found = _SECTION.fullmatch(text)
        if not found:
            raise self.fail(
                f"{show(text)} where a section should begin",
                "sections are \\1-grams: and so on, then \\end\\",
                self.line,
            )
        order = int(found[1])
        if order != expected or order > len(self.counts):
            raise self._gap(f"has {show(text)} where order {expected} should be")
        return _Section(order)

    def _submit(self, pool: ThreadPoolExecutor, section: _Section, text: bytes) -> None:
        if section.order == 1:  # in turn, as the vocabulary grows
            done: Future[Part] = Future()
            self.waiting.append((done, section))
            known = len(self.words)
            try:
                part = rows_of(text, 1, self.words)
                refuse_double(text, part.words[0], known, self.words)
                done.set_result(part)
            except BadLine as bad:
                done.set_exception(bad)
        else:
            self.waiting.append((pool.submit(rows_of, text, section.order, self.words, len(self.place)), section))
        while len(self.waiting) > (self.jobs if section.order > 1 else 0):
            self._take()

    def _take_all(self) -> None:
        while self.waiting:
            self._take()

    def _take(self) -> None:
        """Wait for the oldest block and add its rows."""
        done, section = self.waiting.popleft()
        try:
            part = done.result()
        except BadLine as bad:
            raise self.fail(f"section \\{section.order}-grams: {bad.message}", bad.hint, self.line + bad.line) from None
        section.parts.append(part)
        section.rows += len(part.log10)
        self.line += part.lines
        self.notes.add(part.notes)

    def _close(self, section: _Section, orders: list[ListedOrder]) -> None:
        k = section.order
        if section.rows != self.counts[k - 1]:
            raise self.fail(
                f"section \\{k}-grams: has {section.rows:,} rows and the header counts {self.counts[k - 1]:,}",
                "the file is damaged or was cut; export it again",
                self.line,
            )
        if k == 1:
            number = np.concatenate([p.words[0] for p in section.parts])
            self.place = np.empty(len(number), np.uint32)
            self.place[number] = np.arange(len(number), dtype=np.uint32)
        if k <= self._order():
            top = k == self._order()
            orders.append(self._listed(section.parts, k, top))

    def _listed(self, parts: list[Part], k: int, top: bool) -> ListedOrder:
        ids = [np.concatenate([p.words[j] for p in parts]) for j in range(k)]
        for column in ids:
            np.take(self.place, column, out=column, mode="clip")  # all are inside; "clip" allows out=column
        log10 = np.concatenate([p.log10 for p in parts])
        given = [p.backoff is not None for p in parts]
        if top:
            self.notes.missing_backoffs -= sum(p.notes.missing_backoffs for p in parts)
            for p in parts:
                if p.backoff is not None:
                    self.notes.top_backoffs += int(np.count_nonzero(p.backoff))
            return ListedOrder(ids, log10, None)
        if not any(given):
            return ListedOrder(ids, log10, np.zeros(len(log10), np.float32))
        backoff = [np.zeros(len(p.log10), np.float32) if p.backoff is None else p.backoff for p in parts]
        return ListedOrder(ids, log10, np.concatenate(backoff))

    def _unigrams(self) -> tuple[np.ndarray, np.ndarray]:
        types = self.words.types()
        number = np.empty(len(self.place), np.int64)
        number[self.place] = np.arange(len(number))
        types = types.take(number)
        return types.blob, np.append(types.start, len(types.blob))


def _between_markers(block: bytes) -> Iterator[tuple[int, int]]:
    """Offsets [begin, end) of lines that begin with a backslash, and of the text between them, in turn."""
    at = 0
    if not _may_have_marker(block):
        yield 0, len(block)
        return
    while at < len(block):
        marker = at if block[at] == 0x5C else block.find(b"\n\\", at) + 1
        if not marker and block[at] != 0x5C:
            yield at, len(block)
            return
        yield at, marker
        end = block.index(b"\n", marker) + 1
        yield marker, end
        at = end


def _may_have_marker(block: bytes) -> bool:
    """True if a line begins with a backslash; faster than a search for two bytes, and other threads go on."""
    if b"\\" not in block:
        return False
    a = np.frombuffer(block, np.uint8)
    return block[0] == 0x5C or bool(((a[1:] == 0x5C) & (a[:-1] == 0x0A)).any())
