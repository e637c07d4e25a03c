"""Blocks of text -> provisional numbers -> ids.

Legend: a piece is what one block became; N tokens, S sequences, V types.

Encoders may share one vocabulary, whose numbers are provisional; `finish` puts all types
in their final order and rewrites the text once, with final ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..arrays import ragged
from ..errors import OptionError
from . import characters as ch
from . import tokenizing as tk
from .reading import Block, Repairs
from .types import EOS, N_MARKERS, UNK, Types, order_of_types
from .units import NO_BREAKS, Breaks, find_breaks
from .vocabulary import Vocabulary

_REPLACED = "�".encode()


@dataclass(frozen=True)
class TextOptions:
    """How text becomes tokens and sequences; every one of these is kept in the model."""

    tokenizer: str = "words"
    unit: str = "sentence"
    lowercase: bool = False
    pattern: str | None = None

    @classmethod
    def of(cls, tokenizer: str, unit: str, lowercase: bool = False, pattern: str | None = None) -> TextOptions:
        """These options, with the pattern that `regex` has where none is given; OptionError where one is in vain."""
        if tokenizer == "regex" and pattern is None:
            pattern = tk.DEFAULT_PATTERN
        if pattern is not None and tokenizer != "regex":
            raise OptionError("--pattern needs --tokenizer regex", "add it, or leave --pattern out")
        return cls(tokenizer, unit, lowercase, pattern)


@dataclass
class Piece:
    """One block's tokens.

    number  uint32 (n,), provisional
    end     int64 (b,), how many of them stand before each break between sequences
    last    the text ends here, and with it a sequence
    cut     the text itself, where the encoder keeps it
    """

    number: np.ndarray
    end: np.ndarray
    last: bool
    cut: Cut | None = None


@dataclass
class Cut:
    """One block's text, and where sequences end and begin in it.

    data        bytes
    begin, end  int64 (b,), the breaks: each sequence ends at `begin`, the next begins at `end`
    """

    data: bytes
    begin: np.ndarray
    end: np.ndarray


class Encoder:
    """Turns blocks into pieces; one per thread, for what it counts along the way."""

    def __init__(self, options: TextOptions, vocabulary: Vocabulary | None = None, keep_text: bool = False) -> None:
        """An encoder; with `keep_text` each piece brings the text it was made of."""
        self.options = options
        self.keep_text = keep_text
        self.vocabulary = Vocabulary() if vocabulary is None else vocabulary
        self.repairs = Repairs()
        self.text_bytes = 0
        self._carry: list[bytes] = []
        self._original: np.ndarray | None = None  # the block before it was lowered
        self._pattern = tk.compile_pattern(options.pattern) if options.pattern else None

    def encode(self, block: Block) -> Piece:
        """One block; those of one text in its order where the tokenizer is `regex`."""
        self.text_bytes += block.size
        if not block.size and not self._carry:
            return self._piece(
                np.empty(0, np.uint32), np.empty(0, np.int64), block, np.empty(0, np.uint8), 0, NO_BREAKS
            )
        a, m = self._prepare(block)
        kind = self.options.tokenizer
        if kind == "regex":
            return self._encode_pattern(a, m, block)
        if kind in ("chars", "bytes"):
            return self._encode_units(a, m, block)
        spans, gaps = (tk.split_words if kind == "words" else tk.split_spaces)(a, m)
        breaks = self._breaks(a, m, gaps, block)
        number = self.vocabulary.numbers(a, *spans)
        return self._piece(number, np.searchsorted(spans.start, breaks.begin), block, a, m, breaks)

    def _piece(self, number: np.ndarray, end: np.ndarray, block: Block, a: np.ndarray, m: int, breaks: Breaks) -> Piece:
        if not self.keep_text:
            return Piece(number, end, block.last)
        original = self._original
        if original is not None and m == block.size and _in_place(a[:m], original[:m]):
            a = original  # as it was before it was lowered
        return Piece(number, end, block.last, Cut(a[:m].tobytes(), breaks.begin, breaks.end))

    def _prepare(self, block: Block) -> tuple[np.ndarray, int]:
        """The block as valid UTF-8 (`spaces` and `bytes`: untouched), lower case if asked for."""
        o = self.options
        data = block.data
        raw = o.tokenizer in ("spaces", "bytes")
        if raw and not o.lowercase:
            return data, block.size
        plain = data[: block.size].tobytes()
        self._original = None
        if plain.isascii():
            if o.lowercase:
                self._original = data
            return (_padded(plain.lower()), block.size) if o.lowercase else (data, block.size)
        try:
            text = plain.decode("utf-8", "surrogateescape" if raw else "strict")
        except UnicodeDecodeError:
            text = plain.decode("utf-8", "replace")
            self.repairs.invalid += text.count("�") - plain.count(_REPLACED)
            plain = text.encode()
        if o.lowercase:
            self._original = _padded(plain)
            plain = text.lower().encode("utf-8", "surrogateescape" if raw else "strict")
        return _padded(plain), len(plain)

    def _breaks(self, a: np.ndarray, m: int, gaps: tk.Gaps, block: Block) -> Breaks:
        wide = None
        sees_wide = self.options.unit == "sentence" and self.options.tokenizer != "bytes"
        if sees_wide and (a[:m] >= 0xC0).any():
            wide = _whole(ch.decode(a, m), m)
        return find_breaks(a, m, self.options.unit, gaps, wide, block.first, block.last, self._original)

    def _encode_units(self, a: np.ndarray, m: int, block: Block) -> Piece:
        """Characters or bytes: white space is a token like any other, but between sequences."""
        is_chars = self.options.tokenizer == "chars"
        wide = is_chars and bool((a[:m] >= 0x80).any())
        gaps = tk.Gaps(*_NO_GAPS)
        if self.options.unit in ("sentence", "paragraph"):
            gaps = tk.gaps_of(a, m, wide)
        breaks = self._breaks(a, m, gaps, block)
        if is_chars:
            start, _, number = ch.all_code_points(a, m)
        else:
            start, number = np.arange(m), a[:m]
        low, high = np.searchsorted(start, breaks.begin), np.searchsorted(start, breaks.end)
        keep = np.ones(len(start), bool)
        keep[ragged(low, high - low)] = False
        if is_chars and self.options.unit != "line":
            returned = np.flatnonzero((number[:-1] == 13) & (number[1:] == 10) & keep[:-1])
            keep[returned] = False
            self.repairs.crlf += len(returned)
        kept_before = np.cumsum(keep) - keep
        end = np.append(kept_before, np.count_nonzero(keep))[low]
        return self._piece(number[keep].astype(np.uint32), end, block, a, m, breaks)

    def _encode_pattern(self, a: np.ndarray, m: int, block: Block) -> Piece:
        """Python's `re` over each whole sequence: slow, and only here."""
        gaps = tk.gaps_of(a, m, bool((a[:m] >= 0x80).any())) if m else tk.Gaps(*_NO_GAPS)
        breaks = self._breaks(a, m, gaps, block)
        numbers, ends, n = [], [], 0
        at = 0
        plain = a[:m].tobytes()
        stops = [*zip(breaks.begin.tolist(), breaks.end.tolist(), strict=True)]
        if block.last:
            stops.append((m, m))
        for begin, end in stops:
            text = b"".join([*self._carry, plain[at:begin]]).decode("utf-8", "replace")
            self._carry.clear()
            at = end
            if text:
                found = self._match(text)
                numbers.append(found)
                n += len(found)
            ends.append(n)
        self._carry.append(plain[at:])
        if block.last:
            self._carry.clear()
            ends.pop()
        number = np.concatenate(numbers) if numbers else np.empty(0, np.uint32)
        return self._piece(number, np.array(ends, np.int64), block, a, m, breaks)

    def _match(self, text: str) -> np.ndarray:
        assert self._pattern is not None
        tokens, touch, seen, skipped = [], [], -1, 0
        for match in tk.matches(self._pattern, text):
            i, j = match.span()
            if i == j:
                continue
            tokens.append(match.group().encode())
            touch.append(i == seen)
            between = text[max(seen, 0) : i]
            skipped += len(between) - sum(map(str.isspace, between))
            seen = j
        rest = text[max(seen, 0) :]
        self.repairs.unmatched += skipped + len(rest) - sum(map(str.isspace, rest))
        length = np.array([len(t) for t in tokens], np.int64)
        flags = np.array(touch, np.uint8) * np.uint8(tk.LEFT)
        return self.vocabulary.numbers(_padded(b"".join(tokens)), np.cumsum(length) - length, length, flags)

    def n_numbers(self) -> int:
        """Numbers that a piece can hold: 0 to this, exclusive."""
        return {"chars": 0x110000, "bytes": 256}.get(self.options.tokenizer) or len(self.vocabulary)

    def types(self, number: np.ndarray) -> Types:
        """The types behind some numbers, int64 (n,), rising."""
        if self.options.tokenizer == "chars":
            return _code_point_types(number)
        if self.options.tokenizer == "bytes":
            one = np.ones(len(number), np.int64)
            return Types(number.astype(np.uint8), np.arange(len(number)), one, np.zeros(len(number), np.uint8))
        types = self.vocabulary.types()
        return types if len(number) == len(types) else types.take(number)


_NO_GAPS = np.empty(0, np.int64), np.empty(0, np.int64)


def _whole(wide: ch.Wide, m: int) -> ch.Wide:
    """Characters that end within m; `spaces` may hold bytes that are no UTF-8."""
    return ch.Wide(*(c[wide.at + wide.length <= m] for c in wide))


def _in_place(a: np.ndarray, b: np.ndarray) -> bool:
    """The characters of two texts in UTF-8 begin at the same bytes."""
    return bool((((a & 0xC0) == 0x80) == ((b & 0xC0) == 0x80)).all())


def _padded(data: bytes) -> np.ndarray:
    return np.frombuffer(data + bytes(8), np.uint8)


def _code_point_types(cp: np.ndarray) -> Types:
    """Code points as types: their UTF-8."""
    length = 1 + (cp >= 0x80).astype(np.int64) + (cp >= 0x800) + (cp >= 0x10000)
    form = np.zeros((len(cp), 4), np.uint8)
    for n, head in ((1, 0), (2, 0xC0), (3, 0xE0), (4, 0xF0)):
        rows = length == n
        for i in range(n):
            bits = cp[rows] >> (6 * (n - 1 - i))
            form[rows, i] = (bits | head) if i == 0 else (bits & 0x3F) | 0x80
    return Types(form.ravel(), 4 * np.arange(len(cp)), length, np.zeros(len(cp), np.uint8))


@dataclass
class Corpus:
    """A text as ids.

    stream     uint32 (N + S + 1,): EOS, then each sequence followed by EOS
    types      the vocabulary's types, id N_MARKERS first
    count      int64 (V,), how often each id occurs; BOS and EOS both S times
    """

    stream: np.ndarray
    types: Types
    count: np.ndarray
    n_tokens: int
    n_sequences: int

    def take_stream(self) -> np.ndarray:
        """The stream, which is then no longer here: counting lets go of it as soon as it can."""
        stream, self.stream = self.stream, np.empty(0, np.uint32)
        return stream


@dataclass
class Collector:
    """Puts pieces in order together: closes sequences, drops empty ones."""

    unit: str
    pieces: list[Piece] = field(default_factory=list)
    n_tokens: int = 0
    n_sequences: int = 0
    empty_sequences: int = 0
    longest: int = 0  # tokens in the longest sequence
    _open: int = 0  # tokens in the sequence that is not yet closed

    def add(self, piece: Piece) -> None:
        """Pieces of one text must come in its order; texts one after another."""
        n = len(piece.number)
        end = np.append(piece.end, n) if piece.last else piece.end
        size = np.diff(end, prepend=-self._open)
        self.longest = max(self.longest, int(size.max(initial=0)))
        filled = size > 0
        empty = len(end) - int(np.count_nonzero(filled))
        if self.unit == "line":  # what stands behind the last newline is no line if it is empty
            self.empty_sequences += empty - int(piece.last and not filled[-1])
        elif self.unit == "file":
            self.empty_sequences += empty
        self._open = self._open + n if not len(end) else n - int(end[-1])
        piece.end = end[filled]
        self.n_tokens += n
        self.n_sequences += len(piece.end)
        if n or len(piece.end):
            self.pieces.append(piece)

    def counts(self, n_types: int) -> np.ndarray:
        """How often each provisional number occurs: int64 (n_types,)."""
        count = np.zeros(n_types, np.int64)
        for group in _groups([p.number for p in self.pieces]):
            some = np.bincount(group)
            count[: len(some)] += some
        return count


def _groups(arrays: list[np.ndarray], size: int = 1 << 21) -> Iterator[np.ndarray]:
    held: list[np.ndarray] = []
    n = 0
    for x in arrays:
        held.append(x)
        n += len(x)
        if n >= size:
            yield np.concatenate(held)
            held, n = [], 0
    if held:
        yield np.concatenate(held)


def finish(collector: Collector, encoder: Encoder, min_type_count: int, pad: int, jobs: int = 1) -> Corpus:
    """Give every type its final id and rewrite the text with it; the pieces are used up.

    encoder  any of those that made the pieces
    pad      readable entries behind the stream (zeros)
    """
    every = collector.counts(encoder.n_numbers())
    seen = np.flatnonzero(every)
    types, count = encoder.types(seen), every[seen]
    order = order_of_types(types, count)
    order = order[: np.count_nonzero(count >= max(min_type_count, 1))]
    id_of = np.full(len(every), UNK, np.uint32)
    id_of[seen[order]] = np.arange(N_MARKERS, N_MARKERS + len(order), dtype=np.uint32)
    n_unknown = int(count.sum() - count[order].sum())
    s = collector.n_sequences
    all_counts = np.concatenate((np.array([n_unknown, s, s], np.int64), count[order]))
    stream = np.zeros(collector.n_tokens + s + 1 + pad, np.uint32)
    stream[0] = EOS
    pieces = collector.pieces
    ends = np.cumsum([1, *(len(p.number) + len(p.end) for p in pieces)]).tolist()

    def write(i: int) -> None:
        piece, here = pieces[i], stream[ends[i] : ends[i + 1]]
        pieces[i] = _USED
        ids = id_of[piece.number]
        if len(piece.end):
            token = np.ones(len(here), bool)
            token[piece.end + np.arange(len(piece.end))] = False
            here[token] = ids
            here[~token] = EOS
        else:
            here[:] = ids

    from concurrent.futures import ThreadPoolExecutor  # slow to import, and a prompt does without

    with ThreadPoolExecutor(jobs) as pool:
        kept = pool.submit(types.take, order)
        for _ in pool.map(write, range(len(pieces))):
            pass
    pieces.clear()
    return Corpus(stream, kept.result(), all_counts, collector.n_tokens, s)


_USED = Piece(np.empty(0, np.uint32), np.empty(0, np.int64), False)
