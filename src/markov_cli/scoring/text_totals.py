"""Files to totals: a text read once by one judge.

Legend: a unit is what the model's sequences are; its tokens are those of its text and one `</s>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from ..errors import TextError
from ..text.marker_stream import STREAM_CODES, Stream, Streams
from ..text.model_ids import Recoder
from ..text.reading import Repairs, Source
from ..text.types import EOS, UNK
from .predictor import Predictor
from .totals import Scored, Totals, score_streams

_ROW_CODES = 1 << 16  # a stream's codes where every unit or token becomes a row


def bytes_of_a_token(judge: Predictor) -> int:
    """About how many there are, to know beforehand how much is to be scored."""
    return 1 if judge.options.tokenizer in ("chars", "bytes") else 5


class Reading:
    """One pass of one judge over some texts.

    repairs, text_bytes, empty_sequences  known when `scored` has come to its end
    """

    def __init__(
        self,
        judge: Predictor,
        sources: Sequence[Source],
        encoding: str = "utf-8",
        jobs: int = 1,
        keep_text: bool = False,
        stream_codes: int | None = None,
    ) -> None:
        self.judge, self.sources, self.encoding, self.jobs = judge, sources, encoding, jobs
        due = judge.due(sum(s.size_bytes for s in sources) / bytes_of_a_token(judge))
        with ThreadPoolExecutor(1) as pool:  # beside it the vocabulary is read
            ready = pool.submit(judge.prepare, jobs) if due else None
            self.recoder = judge.guard(Recoder, judge.vocabularies, judge.options, jobs, keep_text)
            if ready is not None:
                ready.result()
        self._size = stream_codes or (_ROW_CODES if keep_text else STREAM_CODES)
        self._streams = Streams(judge.order, judge.options.unit, self._size)

    def streams(self) -> Iterator[Stream]:
        """The text as streams of codes, in order."""
        return self._streams.of(self.recoder.pieces(self.sources, self.encoding))

    def scored(self) -> Iterator[Scored]:
        """The same, scored."""
        return score_streams(self.judge, self.recoder, self.streams(), self.jobs)

    @property
    def text_bytes(self) -> int:
        """Read so far, in UTF-8."""
        return self.recoder.text_bytes

    @property
    def empty_sequences(self) -> int:
        """Units without a token, which are left out as in training."""
        return self._streams.empty_sequences

    @property
    def repairs(self) -> Repairs:
        """What was changed or left out on the way in."""
        out = self.recoder.repairs
        for encoder in self.recoder.encoders:
            out.add(encoder.repairs)
            encoder.repairs = Repairs()
        out.empty_sequences = self.empty_sequences
        return out


def total(reading: Reading, seen: Callable[[Scored], None] | None = None) -> Totals:
    """Read a text to its end; TextError where it has no token."""
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


def check_known(totals: Totals, judge: Predictor) -> None:
    """TextError where the judge knows not one token of a text: what it then says is about `<unk>` alone."""
    if totals.oov and totals.oov == totals.tokens - totals.sequences:
        raise TextError(
            f"{judge.name}: knows none of the {totals.oov:,} tokens of the text",
            f"it was trained with tokenizer {judge.options.tokenizer}"
            f"{', in lower case' if judge.options.lowercase else ''}: is this the right text, or --encoding?",
        )


def no_token(reading: Reading) -> TextError:
    """What is said of a text without a token."""
    names = ", ".join(s.name for s in reading.sources[:3]) + (", ..." if len(reading.sources) > 3 else "")
    return TextError(f"{names}: no token in {reading.text_bytes:,} bytes of text", "name a text to score")


@dataclass
class Units:
    """Units, or documents, one after another, and what each costs.

    tokens, oov, longest  int64 (s,); longest is that of the longest n-gram found in it
    bits     float64 (s,), of the tokens whose probability is not 0
    zero     int64 (s,), how many that leaves out
    texts    s of them, where they were kept
    """

    tokens: np.ndarray
    oov: np.ndarray
    bits: np.ndarray
    zero: np.ndarray
    longest: np.ndarray
    texts: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def all_bits(self) -> np.ndarray:
        """-log2 of the probability of each; infinite where a token has probability 0: float64 (s,)."""
        return np.where(self.zero > 0, np.inf, self.bits)

    @property
    def perplexity(self) -> np.ndarray:
        """2 ** (bits per token), OOVs and `</s>` included; not a number where there is no token: float64 (s,)."""
        empty = self.tokens == 0
        bits = self.all_bits / np.where(empty, 1, self.tokens)
        return np.where(empty, np.nan, 2.0 ** np.where(np.isinf(bits), bits, np.minimum(bits, 1023.0)))


def no_units() -> Units:
    """None at all."""
    none = np.empty(0, np.int64)
    return Units(none, none, np.empty(0), none, none)


class UnitSums:
    """Streams to units; a unit may be open from one stream to the next."""

    def __init__(self) -> None:
        self._open: list[Units] = []

    def of(self, scored: Scored) -> Units:
        """The units that end in a stream."""
        rows = scored.tokens()
        bits, zero = rows.bits()
        columns = np.ones(len(bits), np.int64), rows.ids == UNK, bits, zero
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


def units_of(streams: Iterable[Scored]) -> Iterator[Units]:
    """The units of a text, some at a time."""
    sums = UnitSums()
    for scored in streams:
        found = sums.of(scored)
        if len(found):
            yield found
