"""Encodes blocks of text as provisional numbers of types.

Legend: a piece is what one block became; N tokens, S sequences, V types.

Encoders may share one vocabulary, whose numbers are provisional; `collecting.finish` puts all types
in their final order and rewrites the text once, with final ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..arrays.sorting import ragged
from ..errors import OptionError
from . import char_classes as ch
from . import tokenizer as tk
from .interning import TypeInterner
from .line_breaks import BOTH, between_matches, edge_gaps, with_newlines
from .lower_case import with_offsets_of_lower
from .markers import BORDERS, TEXT, Marks, dropped_bytes, find_marks, with_borders, with_unknown, without_marks
from .pattern_tokens import PatternTokenizer, PatternTokens
from .reading import Repairs
from .segmentation import NO_BREAKS, Breaks, find_breaks
from .text_blocks import Block, no_seams, padded
from .types import UNKNOWN, UNKNOWN_CHAR, Types, code_point_types

_REPLACED = "�".encode()


@dataclass(frozen=True)
class TextOptions:
    """The options that turn text into tokens and sequences; a model keeps all of them."""

    tokenizer: str = "words"
    unit: str = "sentence"
    lowercase: bool = False
    pattern: str | None = None
    keep_newlines: bool = False

    @classmethod
    def of(
        cls, tokenizer: str, unit: str, lowercase: bool = False, pattern: str | None = None, keep_newlines: bool = False
    ) -> TextOptions:
        """These options, with the pattern that `regex` has where none is given; OptionError where one is in vain."""
        if tokenizer == "regex" and pattern is None:
            pattern = tk.DEFAULT_PATTERN
        if pattern is not None and tokenizer != "regex":
            raise OptionError("--pattern needs --tokenizer regex", "add it, or leave --pattern out")
        if keep_newlines and tokenizer in ("chars", "bytes"):
            raise OptionError(
                f"--keep-newlines with --tokenizer {tokenizer}, where a newline is a token anyway", "leave it out"
            )
        if keep_newlines and unit == "line":
            raise OptionError(
                "--keep-newlines with --unit line: no line has a newline", "--unit paragraph, sentence or file"
            )
        return cls(tokenizer, unit, lowercase, pattern, keep_newlines)


@dataclass
class Piece:
    """One block's tokens.

    number   uint32 (n,), provisional
    end      int64 (b,), how many of them stand before each break between sequences
    last     the text ends here, and with it a sequence
    cut      the text itself, where the encoder keeps it
    closing  int64 (t - 1,), of each text but the last of t: index of the break that ends it
    which    number of the source of each of them, t in all
    place    line of the file on which each begins, where the texts are records
    """

    number: np.ndarray
    end: np.ndarray
    last: bool
    cut: Cut | None = None
    closing: np.ndarray = field(default_factory=no_seams)
    which: Sequence[int] = (0,)
    place: Sequence[int] = ()

    @property
    def text_ends(self) -> np.ndarray:
        """Number of tokens before the end of each text that ends here: int64, rising."""
        ends = self.end[self.closing]
        return np.append(ends, len(self.number)) if self.last else ends

    def sequence_sources(self, of: np.ndarray) -> np.ndarray:
        """The sources of some sequences, by the index of the break that ends each: int64 (len(of),)."""
        if len(self.which) == 1:
            return np.full(len(of), self.which[0], np.int64)
        return np.asarray(self.which, np.int64)[np.searchsorted(self.closing, of)]

    def token_sources(self) -> np.ndarray:
        """The source of each token: int64 (n,)."""
        if len(self.which) == 1:
            return np.full(len(self.number), self.which[0], np.int64)
        edges = np.concatenate(([0], self.end[self.closing], [len(self.number)]))
        return np.repeat(np.asarray(self.which, np.int64), np.diff(edges))


@dataclass
class Cut:
    """One block's text, and where sequences end and begin in it.

    data        bytes
    begin, end  int64 (b,), the breaks: each sequence ends at `begin`, the next begins at `end`
    start       int64 (n,), where each token begins; below 0 where `regex` found it in an earlier block
    length      int64 (n,)
    seams       int64, the newlines in `data` that only divide texts
    marked      each `<s>` and `</s>` of it is spaces now
    """

    data: bytes
    begin: np.ndarray
    end: np.ndarray
    start: np.ndarray
    length: np.ndarray
    seams: np.ndarray = field(default_factory=no_seams)
    marked: bool = False


class NumberedTypes(Protocol):
    """The types behind provisional numbers, which are 0 to `n_numbers()`, exclusive."""

    def n_numbers(self) -> int:
        """The number of numbers."""
        ...

    def types(self, number: np.ndarray) -> Types:
        """The types behind some numbers, int64 (n,), rising."""
        ...


class Encoder:
    """Turns blocks into pieces; one per thread, for what it counts along the way."""

    def __init__(
        self,
        options: TextOptions,
        interner: TypeInterner | None = None,
        keep_text: bool = False,
        open_ends: bool = False,
    ) -> None:
        """An encoder; with `keep_text` each piece brings the text it was made of.

        open_ends  a text may be part of a sequence: newlines at its edges are tokens with `--keep-newlines`
        """
        self.options, self.open_ends = options, open_ends
        self.keep_text = keep_text
        self.interner = TypeInterner() if interner is None else interner
        self.repairs = Repairs()
        self.text_bytes = 0
        self._carry = b""  # of a sequence that `regex` found open
        self._original: np.ndarray | None = None  # the block before it was lowered
        self._cased: np.ndarray | None = None  # the same with the offsets of the lowered block
        self._seams = no_seams()  # between texts of the block, as it is now
        self._marks: Marks | None = None  # `<s>`, `</s>` and `<unk>` in the block, where they are none of its words
        self._borders = no_seams()  # the marks that end sequences
        self._shown: np.ndarray | None = None  # the block as it was, but for those marks
        self._unknown_before = no_seams()  # where each `<unk>` begins that stands in `_carry`
        self._pattern = None
        if options.pattern:
            self._pattern = PatternTokenizer(tk.compile_pattern(options.pattern), self.interner)

    def encode(self, block: Block) -> Piece:
        """One block; those of one text in its order where the tokenizer is `regex`."""
        self.text_bytes += block.text_bytes
        if not block.size and not self._carry:
            none, nothing = np.empty(0, np.uint32), np.empty(0, np.uint8)
            return self._piece(none, np.empty(0, np.int64), block, nothing, 0, NO_BREAKS, _NO_GAPS)
        a, m = self._prepare(block)
        self._seams = _moved(block, a, m)
        a = self._without_marks(a, m, block.markers)
        kind = self.options.tokenizer
        if kind == "regex":
            return self._encode_pattern(a, m, block)
        if kind in ("chars", "bytes"):
            return self._encode_units(a, m, block)
        spans, gaps = (tk.split_words if kind == "words" else tk.split_spaces)(a, m)
        breaks = self._breaks(a, m, gaps, block)
        if self.options.keep_newlines and m:
            ends = not self.open_ends
            edges = edge_gaps(gaps, m, block.first and ends, block.last and ends, self._seams)
            spans = with_newlines(spans, a, m, gaps, breaks, edges)
        number, start, length = self.interner.numbers(a, *spans), spans.start, spans.length
        if self._marks is not None and block.markers == BORDERS:
            unknown = self._marks.unknown
            number, start, length = with_unknown(number, start, length, unknown, self._of_unknown())
        if self.options.unit == "line" and gaps.of is not None and self._marks is None:
            end = gaps.of + int(gaps.begin[0] > 0) if len(gaps.of) else gaps.of  # a token stands before each gap
        else:
            end = np.searchsorted(start, breaks.begin)
        return self._piece(number, end, block, a, m, breaks, (start, length))

    def _without_marks(self, a: np.ndarray, m: int, markers: str) -> np.ndarray:
        """The block with white space for its marks, which are kept for the other steps."""
        self._marks = self._shown = None
        self._borders = no_seams()
        if markers == TEXT or not m:
            return a
        marks = self._marks = find_marks(a, m)
        if marks is None:
            return a
        if self.options.tokenizer == "bytes":
            raise OptionError("--markers with --tokenizer bytes, which keeps every byte", "--tokenizer chars or spaces")
        read, self._shown = without_marks(a, marks, markers)
        if markers == BORDERS:
            self._borders = marks.border
        if self._cased is not None:  # its bytes are those of `a`, but for capital letters
            same = self._original is self._cased
            self._cased = without_marks(self._cased, marks, markers)[1]
            self._original = self._cased if same else self._original
        return read

    def _of_unknown(self) -> int:
        """The provisional number of `<unk>`."""
        if self.options.tokenizer == "chars":
            return UNKNOWN_CHAR
        one = np.ones(1, np.int64)
        return int(self.interner.numbers(padded(b"<unk>"), one - 1, one * 5, np.full(1, UNKNOWN, np.uint8))[0])

    def _piece(
        self,
        number: np.ndarray,
        end: np.ndarray,
        block: Block,
        a: np.ndarray,
        m: int,
        breaks: Breaks,
        spans: tuple[np.ndarray, np.ndarray],
    ) -> Piece:
        seams = self._seams if len(block.seams) else block.seams
        closing = np.searchsorted(breaks.begin, seams, "right") - 1
        if not self.keep_text:
            return Piece(number, end, block.last, None, closing, block.which, block.place)
        original = self._original
        if self._shown is not None:
            a = self._shown
        if original is not None and original is self._cased:
            a = original  # as it was before it was lowered
        cut = Cut(a[:m].tobytes(), *breaks, *spans, seams, self._shown is not None)
        return Piece(number, end, block.last, cut, closing, block.which, block.place)

    def _prepare(self, block: Block) -> tuple[np.ndarray, int]:
        """The block as valid UTF-8 (`spaces` and `bytes`: untouched), lower case if asked for."""
        o = self.options
        data = block.data
        raw = o.tokenizer in ("spaces", "bytes")
        if raw and not o.lowercase:
            return data, block.size
        plain = data[: block.size].tobytes()
        self._original = self._cased = None
        if plain.isascii():
            if o.lowercase:
                self._original = self._cased = data
            return (padded(plain.lower()), block.size) if o.lowercase else (data, block.size)
        try:
            text = plain.decode("utf-8", "surrogateescape" if raw else "strict")
            if not o.lowercase:
                return data, block.size
        except UnicodeDecodeError:
            self.repairs.see_invalid(plain)
            text = plain.decode("utf-8", "replace")
            self.repairs.invalid += text.count("�") - plain.count(_REPLACED)
            plain = text.encode()
        if o.lowercase:
            self._original = self._cased = padded(plain)
            errors = "surrogateescape" if raw else "strict"
            plain = text.lower().encode("utf-8", errors)
            if not _in_place(np.frombuffer(plain, np.uint8), self._original[:-8]):
                self._cased = padded(with_offsets_of_lower(text).encode("utf-8", errors))
        return padded(plain), len(plain)

    def _breaks(self, a: np.ndarray, m: int, gaps: tk.Gaps, block: Block) -> Breaks:
        wide, is_text = None, self.options.tokenizer != "bytes"
        if is_text and self.options.unit == "sentence" and (a[:m] >= 0xC0).any():
            wide = ch.decode(a, m)
            if self.options.tokenizer == "spaces":
                wide = _valid(wide, a, m)
        edges = block.first, block.last, self._seams, self._cased, block.after
        breaks = find_breaks(a, m, self.options.unit, gaps, wide, *edges, is_text)
        return with_borders(breaks, self.options.unit, gaps, self._borders, m, block.last, self._seams)

    def _encode_units(self, a: np.ndarray, m: int, block: Block) -> Piece:
        """Characters or bytes: white space is a token like any other, but between sequences."""
        is_chars = self.options.tokenizer == "chars"
        wide = is_chars and bool((a[:m] >= 0x80).any())
        gaps = tk.Gaps(*_NO_GAPS)
        marks = self._marks
        if self.options.unit in ("sentence", "paragraph") or marks is not None:
            gaps = tk.gaps_of(a, m, wide)
        breaks = self._breaks(a, m, gaps, block)
        if is_chars:
            start, size, number = ch.all_code_points(a, m)
        else:
            start, size, number = np.arange(m), np.ones(m, np.int64), a[:m]
        dropped = no_seams() if marks is None else dropped_bytes(a, m, self.options.unit, gaps, marks, block.markers)
        low, high = np.searchsorted(start, breaks.begin), np.searchsorted(start, breaks.end)
        keep = np.ones(len(start), bool)
        keep[ragged(low, high - low)] = False
        if marks is not None:
            keep[np.searchsorted(start, dropped)] = False
            if block.markers == BORDERS:
                number = number.copy()
                number[np.searchsorted(start, marks.unknown)] = UNKNOWN_CHAR
        if is_chars and self.options.unit != "line":
            returned = np.flatnonzero((number[:-1] == 13) & (number[1:] == 10) & keep[:-1] & keep[1:])
            keep[returned] = False
            self.repairs.crlf += len(returned)
        kept_before = np.cumsum(keep) - keep
        end = np.append(kept_before, np.count_nonzero(keep))[low]
        return self._piece(number[keep].astype(np.uint32), end, block, a, m, breaks, (start[keep], size[keep]))

    def _encode_pattern(self, a: np.ndarray, m: int, block: Block) -> Piece:
        """Tokens by a regular expression, each sequence by itself; one that is open may be left for the next block."""
        assert self._pattern is not None
        gaps = tk.gaps_of(a, m, bool((a[:m] >= 0x80).any())) if m else tk.Gaps(*_NO_GAPS)
        breaks = self._breaks(a, m, gaps, block)
        whole = self._carry + a[:m].tobytes()
        before = len(self._carry)
        unknown = self._unknown_before
        if self._marks is not None and block.markers == BORDERS:
            unknown = np.concatenate((unknown, self._marks.unknown + before))
        begin, end = breaks.begin + before, breaks.end + before
        keep = self.options.keep_newlines
        if block.last or (not keep and self._pattern.may_end(whole)):
            begin, end = np.append(begin, len(whole)), np.append(end, len(whole))
        done = int(end[-1]) if len(end) else 0
        self._carry = whole[done:]
        starts = np.append(0, end[:-1])
        found = self._pattern.tokens(whole[:done], starts, begin)
        if keep:
            found = self._with_newlines(found, whole[:done], starts, begin)
        self.repairs.unmatched += found.unmatched
        if len(unknown):
            here, self._unknown_before = unknown[unknown < done], unknown[unknown >= done] - done
            columns = with_unknown(found.number, found.start, found.length, here, self._of_unknown())
            found = PatternTokens(*columns, found.unmatched)
        ends = np.searchsorted(found.start, breaks.begin + before)
        return self._piece(found.number, ends, block, a, m, breaks, (found.start - before, found.length))

    def _with_newlines(self, found: PatternTokens, text: bytes, begin: np.ndarray, end: np.ndarray) -> PatternTokens:
        """Tokens of sequences, with line breaks and indentation among them."""
        a = padded(text)
        start, length = between_matches(a, found.start, found.length, begin, end, self.open_ends)
        number = self.interner.numbers(a, start, length, np.full(len(start), BOTH, np.uint8))
        order = np.argsort(np.concatenate((found.start, start)), kind="stable")
        pairs = (found.number, number), (found.start, start), (found.length, length)
        number, start, length = (np.concatenate(pair)[order] for pair in pairs)
        return PatternTokens(number, start, length, found.unmatched)

    def renew(self, interner: TypeInterner) -> None:
        """Go on with another vocabulary."""
        self.interner = interner
        if self._pattern is not None:
            self._pattern = PatternTokenizer(self._pattern.pattern, interner)

    def n_numbers(self) -> int:
        """Numbers that a piece can hold: 0 to this, exclusive."""
        return {"chars": 0x110000, "bytes": 256}.get(self.options.tokenizer) or len(self.interner)

    def types(self, number: np.ndarray) -> Types:
        """The types behind some numbers, int64 (n,), rising."""
        if self.options.tokenizer == "chars":
            return code_point_types(number)
        if self.options.tokenizer == "bytes":
            one = np.ones(len(number), np.int64)
            return Types(number.astype(np.uint8), np.arange(len(number)), one, np.zeros(len(number), np.uint8))
        types = self.interner.types()
        return types if len(number) == len(types) else types.take(number)


_NO_GAPS = np.empty(0, np.int64), np.empty(0, np.int64)


def _valid(wide: ch.Wide, a: np.ndarray, m: int) -> ch.Wide:
    """Characters that are UTF-8; `spaces` keeps bytes that are none."""
    ok = (wide.at + wide.length <= m) & (wide.cp < 0x110000)
    for i in (1, 2, 3):
        ok &= (wide.length <= i) | ((a[wide.at + i] & 0xC0) == 0x80)
    return ch.Wide(*(c[ok] for c in wide))


def _moved(block: Block, a: np.ndarray, m: int) -> np.ndarray:
    """Seams of a block in its bytes as they are now: repairs and lower case move newlines, and keep their number."""
    if not len(block.seams) or a is block.data:
        return block.seams
    before = np.flatnonzero(block.data[: block.size] == 10)
    return np.flatnonzero(a[:m] == 10)[np.searchsorted(before, block.seams)]


def _in_place(a: np.ndarray, b: np.ndarray) -> bool:
    """The characters of two texts in UTF-8 begin at the same bytes."""
    return len(a) == len(b) and bool((((a & 0xC0) == 0x80) == ((b & 0xC0) == 0x80)).all())
