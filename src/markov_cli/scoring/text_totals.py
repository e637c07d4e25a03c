"""Scores files: reads a text once with one predictor, and sums up bits for the text and for each of its units.

Legend: a unit is one sequence as the model reads text; its tokens are those of its text and one `</s>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field

import numpy as np

from ..errors import TextError
from ..text.line_numbers import LineNumbers
from ..text.marker_stream import STREAM_CODES, Stream, Streams
from ..text.model_ids import Recoder
from ..text.reading import Repairs, Source
from ..text.types import EOS, UNK
from .predictor import Predictor
from .totals import Scored, Totals, score_streams

_ROW_CODES = 1 << 16  # codes of a stream if each unit or token becomes a row of output


def bytes_of_a_token(predictor: Predictor) -> int:
    """Rough number of bytes of a token, to estimate the number of tokens from the size of a file."""
    return 1 if predictor.options.tokenizer in ("chars", "bytes") else 5


class Reading:
    """One pass of one predictor over texts.

    repairs, text_bytes, empty_sequences  complete at the end of `scored`
    """

    def __init__(
        self,
        predictor: Predictor,
        sources: Sequence[Source],
        encoding: str = "utf-8",
        jobs: int = 1,
        keep_text: bool = False,
        stream_codes: int | None = None,
    ) -> None:
        self.predictor, self.sources, self.encoding, self.jobs = predictor, sources, encoding, jobs
        due = predictor.due(sum(s.size_bytes for s in sources) / bytes_of_a_token(predictor))
        with ThreadPoolExecutor(1) as pool:  # prepares while the vocabulary is read
            ready = pool.submit(copy_context().run, predictor.prepare, jobs) if due else None
            # half of the threads read, since all of them score: more of both wait for each other
            readers = (jobs + 1) // 2
            self.recoder = predictor.guard(Recoder, predictor.vocabularies, predictor.options, readers, keep_text)
            if ready is not None:
                ready.result()
        self._size = stream_codes or (_ROW_CODES if keep_text else STREAM_CODES)
        self._streams = Streams(predictor.order, predictor.options.unit, self._size)

    def streams(self) -> Iterator[Stream]:
        """The text as streams of codes, in order."""
        return self._streams.of(self.recoder.pieces(self.sources, self.encoding))

    def scored(self) -> Iterator[Scored]:
        """The text as scored streams, in order."""
        return score_streams(self.predictor, self.recoder, self.streams(), self.jobs)

    @property
    def numbers(self) -> LineNumbers:
        """Lines of the units, where the text is kept."""
        return self._streams.numbers

    @property
    def text_bytes(self) -> int:
        """Bytes of text read so far, in UTF-8."""
        return self.recoder.text_bytes

    @property
    def empty_sequences(self) -> int:
        """Number of units without a token, which are left out as in training."""
        return self._streams.empty_sequences

    @property
    def repairs(self) -> Repairs:
        """Changes made while reading."""
        self.recoder.see_invalid_types()
        out = self.recoder.repairs
        for encoder in self.recoder.encoders:
            out.add(encoder.repairs)
            encoder.repairs = Repairs()
        out.empty_sequences = self.empty_sequences
        return out


def total(reading: Reading, seen: Callable[[Scored], None] | None = None) -> Totals:
    """Score a text to its end; TextError where it has no token.

    seen  called with each scored stream
    """
    out = Totals()
    for scored in reading.scored():
        out.add(scored.totals())
        if seen is not None:
            seen(scored)
    out.text_bytes = reading.text_bytes
    out.empty_sequences = reading.empty_sequences
    if not out.tokens:
        raise no_token(reading)
    return out


def check_known(totals: Totals, predictor: Predictor) -> None:
    """Raise TextError where the model knows no token of a text, so that all scores are of `<unk>`."""
    if totals.oov and totals.oov == totals.tokens - totals.ends:
        raise TextError(
            f"{predictor.name}: knows none of the {totals.oov:,} tokens of the text",
            f"it was trained with tokenizer {predictor.options.tokenizer}"
            f"{', in lower case' if predictor.options.lowercase else ''}: is this the right text, or --encoding?",
        )


def no_token(reading: Reading) -> TextError:
    """Error for a text without a token."""
    if not reading.sources:
        return TextError("no token: no text to score", "name files, or give texts: score(model, texts=[...])")
    names = ", ".join(s.name for s in reading.sources[:3]) + (", ..." if len(reading.sources) > 3 else "")
    skipped = reading.repairs.skipped
    if skipped:
        return TextError(
            f"{names}: no token; {len(skipped):,} files are not text", f"name a text; left out: {skipped[0]}"
        )
    return TextError(f"{names}: no token in {reading.text_bytes:,} bytes of text", "give a text that is not empty")


@dataclass
class Units:
    """Scores of s units or documents.

    tokens, oov, longest  int64 (s,); longest is the length of the longest n-gram found in it
    bits     float64 (s,), of the tokens with a probability above 0
    zero     int64 (s,), tokens of probability 0
    texts    s of them, if kept
    lines    int64 (s,), the line on which each begins, if it is known
    """

    tokens: np.ndarray
    oov: np.ndarray
    bits: np.ndarray
    zero: np.ndarray
    longest: np.ndarray
    texts: list[bytes] = field(default_factory=list)
    lines: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def all_bits(self) -> np.ndarray:
        """-log2 of the probability of each; infinite where a token has probability 0: float64 (s,)."""
        return np.where(self.zero > 0, np.inf, self.bits)

    @property
    def perplexity(self) -> np.ndarray:
        """Perplexity with OOV and `</s>`: 2 ** (bits per token), NaN where there is no token: float64 (s,)."""
        empty = self.tokens == 0
        bits = self.all_bits / np.where(empty, 1, self.tokens)
        return np.where(empty, np.nan, 2.0 ** np.where(np.isinf(bits), bits, np.minimum(bits, 1023.0)))


def no_units() -> Units:
    """Scores of zero units."""
    none = np.empty(0, np.int64)
    return Units(none, none, np.empty(0), none, none)


class UnitSums:
    """Sums scored streams by units; a unit may continue from one stream into the next."""

    def __init__(self) -> None:
        self._open: list[Units] = []

    def of(self, scored: Scored) -> Units:
        """Scores of the units that end in a stream."""
        rows = scored.closed()
        bits, zero = rows.bits()
        counted = np.where(rows.ids == EOS, int(not scored.open_end), 1)
        columns = counted, rows.ids == UNK, bits, zero
        end = np.flatnonzero(rows.ids == EOS) + 1
        done = int(end[-1]) if len(end) else 0
        if done < len(bits):
            tail = [np.array([c[done:].sum()]) for c in columns]
            tail.append(np.array([rows.longest[done:].max()], np.int64))
            rest = [Units(tail[0], tail[1], tail[2], tail[3], tail[4])]
        else:
            rest = []
        if not done:
            self._open += rest
            return no_units()
        begin = np.append(0, end[:-1])
        sums = [np.add.reduceat(c[:done].astype(np.float64 if c is bits else np.int64), begin) for c in columns]
        longest = np.maximum.reduceat(rows.longest[:done], begin).astype(np.int64)
        out = Units(sums[0], sums[1], sums[2], sums[3], longest, rows.texts)
        for part in self._open:
            for name in ("tokens", "oov", "bits", "zero"):
                getattr(out, name)[0] += getattr(part, name)[0]
            longest[0] = max(longest[0], part.longest[0])
        self._open = rest
        return out


def numbered_units(reading: Reading, blank: bool = False) -> Iterator[Units]:
    """Scores of the units of a text with the lines on which they begin.

    reading  keeps the text
    blank    lines without a token are units of no tokens, where a line is a unit and there is a token at all
    """
    numbers, done, n_blank = reading.numbers, 0, 0
    for units in units_of(reading.scored()):
        units.lines = np.array(numbers.lines[done : done + len(units)], np.int64)
        found: list[tuple[int, int]] = []
        if blank:
            while n_blank + len(found) < len(numbers.blanks):
                before, line = numbers.blanks[n_blank + len(found)]
                if before >= done + len(units):
                    break
                found.append((before - done, line))
        done += len(units)
        n_blank += len(found)
        yield _with_blanks(units, found)
    rest = numbers.blanks[n_blank:] if blank and done else []
    if rest:
        yield _with_blanks(no_units(), [(0, line) for _, line in rest])


def _with_blanks(units: Units, blanks: Sequence[tuple[int, int]]) -> Units:
    """Units with one of no tokens before some of them: (index, line) each."""
    if not blanks:
        return units
    at = [i for i, _ in blanks]
    columns = (units.tokens, units.oov, units.bits, units.zero, units.longest)
    tokens, oov, bits, zero, longest = (np.insert(c, at, 0) for c in columns)
    texts = list(units.texts)
    for i in reversed(at):
        texts.insert(i, b"")
    return Units(tokens, oov, bits, zero, longest, texts, np.insert(units.lines, at, [line for _, line in blanks]))


def units_of(streams: Iterable[Scored]) -> Iterator[Units]:
    """Scores of the units of a text, stream by stream."""
    sums = UnitSums()
    for scored in streams:
        found = sums.of(scored)
        if len(found):
            yield found
