"""The vocabulary of a model: looks up the text of ids, and the ids of text.

Legend: V is the number of ids, markers included; b is bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..arrays.sorting import ragged
from ..errors import MarkovError, ModelFileError
from .tokenizer import LEFT
from .types import MARKERS, N_MARKERS, Types

UNSPACED = ("chars", "bytes")  # tokenizers whose tokens hold the white space themselves
_LOWER = bytes(range(65)) + bytes(range(97, 123)) + bytes(range(91, 256))
_CHUNK = 1 << 20
_JOIN_TOKENS = 1 << 14
_PART_BYTES = 1 << 24  # of a text that is put together part by part
_MOST_BYTES = 1 << 30  # of texts that are put together
_LONG = 1 << 9  # bytes of a type
_COPY_BYTES = 1 << 20  # copied at one time, for an index of 8 bytes stands for each
_OUTSIDE = "the vocabulary points outside itself"
_DAMAGED = "the file is damaged; retrain it"
_NEAR = 50_000  # types among which near ones are looked for


class Vocabulary:
    """The bytes and flags of every id.

    blob     uint8, all types one behind another
    offsets  int64 (V + 1,), the type of id i is blob[offsets[i]:offsets[i+1]]
    flags    uint8 (V,), empty where no token touches another
    """

    def __init__(self, blob: np.ndarray, offsets: np.ndarray, flags: np.ndarray, tokenizer: str) -> None:
        self.blob, self.offsets, self.flags = blob, offsets, flags
        self.tokenizer = tokenizer
        self.spaced = tokenizer not in UNSPACED

    @classmethod
    def of(cls, types: Types, tokenizer: str) -> Vocabulary:
        """Types with the markers before them."""
        offsets = np.zeros(N_MARKERS + len(types) + 1, np.int64)
        np.cumsum(types.length, out=offsets[N_MARKERS + 1 :])
        flags = np.empty(0, np.uint8)
        if types.flags.any():
            flags = np.concatenate((np.zeros(N_MARKERS, np.uint8), types.flags))
        return cls(types.blob, offsets, flags, tokenizer)

    def types(self) -> Types:
        """The types without the markers; none of them shares a byte with another."""
        offsets = self.offsets.astype(np.int64)
        length = np.diff(offsets)[N_MARKERS:]
        if len(length) and ((length < 0).any() or int(offsets[N_MARKERS]) < 0 or int(offsets[-1]) > len(self.blob)):
            raise ModelFileError(_OUTSIDE, _DAMAGED)
        flags = self.flags[N_MARKERS:] if len(self.flags) else np.zeros(len(self) - N_MARKERS, np.uint8)
        return Types(self.blob, offsets[N_MARKERS:-1], length, flags)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def spans(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the bytes of ids lie: starts and lengths, int64."""
        self.check(ids)
        start, end = self.offsets[ids].astype(np.int64), self.offsets[ids + 1].astype(np.int64)
        if ((start < 0) | (start > end) | (end > len(self.blob))).any():
            raise ModelFileError(_OUTSIDE, _DAMAGED)
        return start, end - start

    def check(self, ids: np.ndarray, least: int = 0) -> None:
        """ModelFileError if an id is none of the model's, or below `least`: a table may hold any number."""
        if len(ids) and (int(ids.min()) < least or int(ids.max()) >= len(self)):
            raise ModelFileError("the table holds an id outside the vocabulary", _DAMAGED)

    def bytes_of(self, i: int) -> bytes:
        """One type as bytes; a marker is empty."""
        start, length = self.spans(np.array([i]))
        return self.blob[int(start[0]) : int(start[0] + length[0])].tobytes()

    def text_of(self, i: int) -> str:
        """One type as text, bytes that are no UTF-8 as U+FFFD."""
        return self.bytes_of(i).decode("utf-8", "replace")

    def marker(self, i: int) -> str | None:
        """The marker's name where id i is one."""
        return MARKERS[i] if i < N_MARKERS else None

    def name_of(self, i: int) -> str:
        """A type's text, or a marker's name, for showing."""
        return self.marker(i) or self.text_of(i)

    def flags_of(self, ids: np.ndarray) -> np.ndarray:
        """Touching flags of ids: uint8."""
        self.check(ids)
        return self.flags[ids] if len(self.flags) else np.zeros(len(ids), np.uint8)

    def find(self, token: bytes, flags: int | None = None, ignore_case: bool = False) -> list[int]:
        """Ids of a token, the commonest first; of every flag where `flags` is None."""
        if not ignore_case:
            found = self._scan(token, None)
        else:
            found = self._scan(token.lower(), _LOWER) if token.isascii() else []
            found = sorted({*found, *self._scan_folded(token)})
        if flags is not None and len(self.flags):
            found = [i for i in found if self.flags[i] == flags] or found
        return found

    def _scan(self, token: bytes, table: bytes | None) -> list[int]:
        """Compare with all types of this length, eight bytes at a time at most."""
        found: list[int] = []
        wanted = np.frombuffer(token, np.uint8)
        for low in range(N_MARKERS, len(self), _CHUNK):
            high = min(low + _CHUNK, len(self))
            offsets = self.offsets[low : high + 1].astype(np.int64)
            same = np.flatnonzero(np.diff(offsets) == len(token)) + low
            for i, byte in enumerate(wanted):
                if not len(same):
                    break
                at = self.offsets[same].astype(np.int64) + i
                if at.min() < 0 or at.max() >= len(self.blob):
                    self.spans(same)
                here = self.blob[at]
                if table is not None:
                    here = np.frombuffer(here.tobytes().translate(table), np.uint8)
                same = same[here == byte]
            found += same.tolist()
        return found

    def _scan_folded(self, token: bytes) -> list[int]:
        """The slow way, for types with letters beyond ASCII."""
        wanted = token.decode("utf-8", "replace").casefold()
        found: list[int] = []
        for low in range(N_MARKERS, len(self), _CHUNK):
            offsets = self.offsets[low : low + _CHUNK + 1].astype(np.int64)
            if (np.diff(offsets) < 0).any():  # each type would be as long as all
                raise ModelFileError(_OUTSIDE, _DAMAGED)
            begin, end = int(offsets[0]), int(offsets[-1])
            wide = np.flatnonzero(self.blob[begin:end] >= 0x80) + begin
            some = np.flatnonzero(np.bincount(np.searchsorted(offsets, wide, "right") - 1, minlength=1))
            found += [low + i for i in some.tolist() if self.text_of(low + i).casefold() == wanted]
        return found

    def nearest(self, token: str, n: int = 3) -> list[str]:
        """Known types that look most like `token`, among the commonest 50,000."""
        import difflib

        ids = np.arange(N_MARKERS, min(len(self), _NEAR))
        size = self.spans(ids)[1]
        alike = ids[size <= 8 * len(token) + 8]  # one that is far longer is not near
        known = dict.fromkeys(self.text_of(i) for i in alike.tolist())
        close = difflib.get_close_matches(token, known, n=n, cutoff=0.6)
        return close

    def join(self, ids: np.ndarray, lengths: np.ndarray, end: bytes = b"") -> tuple[bytes, np.ndarray]:
        """Sequences of ids as a person would have typed them.

        ids      int64 (sum of lengths,), without markers, one sequence behind another
        lengths  int64 (s,), tokens of each sequence
        end      what is written behind each sequence
        returns  all of them, and where each one begins and the last ends: int64 (s + 1,)
        """
        last = np.cumsum(lengths)
        parts: list[bytes] = []
        edges = [np.zeros(1, np.int64)]
        at = s = 0
        while s < len(lengths):  # some thousand tokens at a time, to stay in the cache
            begin = int(last[s] - lengths[s])
            stop = max(int(np.searchsorted(last, begin + _JOIN_TOKENS, "right")), s + 1)
            text, edge = self._join(ids[begin : int(last[stop - 1])], lengths[s:stop], end, at)
            parts.append(text)
            edges.append(edge + at)
            at, s = at + len(text), stop
        return b"".join(parts), np.concatenate(edges)

    def join_parts(self, ids: np.ndarray, lengths: np.ndarray, end: bytes = b"") -> Iterator[bytes]:
        """The text that `join` gives, part by part, so that a long one needs no memory for all of it."""
        last = np.cumsum(lengths)
        s = 0
        while s < len(lengths):
            begin = int(last[s] - lengths[s])
            stop = int(np.searchsorted(last, begin + self._tokens_of_part(ids[begin:]), "right"))
            if stop > s:
                yield self._join(ids[begin : int(last[stop - 1])], lengths[s:stop], end, 0)[0]
            else:
                yield from self._long_sequence(ids[begin : int(last[s])])
                yield end
            s = max(stop, s + 1)

    def _long_sequence(self, ids: np.ndarray) -> Iterator[bytes]:
        at = 0
        while at < len(ids):
            n = max(self._tokens_of_part(ids[at:]), 1)
            text = self._join(ids[at : at + n], np.array([len(ids[at : at + n])]), b"", 0)[0]
            yield b" " + text if at and self._apart(int(ids[at - 1]), int(ids[at])) else text
            at += n

    def _tokens_of_part(self, ids: np.ndarray) -> int:
        return int(np.searchsorted(np.cumsum(self.spans(ids[:_JOIN_TOKENS])[1]), _PART_BYTES, "right"))

    def _apart(self, before: int, token: int) -> bool:
        """There is a space between two tokens."""
        left, right = (int(f) for f in self.flags_of(np.array([token, before])))
        return self.spaced and not (left & LEFT or right >> 1 & 1)

    def _join(self, ids: np.ndarray, lengths: np.ndarray, end: bytes, so_far: int) -> tuple[bytes, np.ndarray]:
        start, size = self.spans(ids)
        total = so_far + int(size.sum())
        if total > _MOST_BYTES:  # types of very many bytes can do that
            raise MarkovError(f"texts of {total:,} bytes at one time", "fewer texts, or a lower --max-tokens")
        gap = np.zeros(len(ids), np.int64)
        first = np.cumsum(lengths) - lengths
        filled = np.flatnonzero(lengths)
        if self.spaced and len(ids):
            gap[1:] = 1
            if len(self.flags):
                flags = self.flags[ids]
                gap[1:] -= (flags[1:] & LEFT) | (flags[:-1] >> 1 & 1)
            gap[first[filled]] = 0
        n_before = np.repeat(np.arange(len(lengths)), lengths) * len(end)
        stop = np.cumsum(size + gap) + n_before
        edge = np.concatenate(([0], np.cumsum(size + gap)))[first + lengths] + len(end) * np.arange(1, len(lengths) + 1)
        out = np.full(int(edge[-1]) if len(edge) else 0, 32, np.uint8)
        _copy(self.blob, start, out, stop - size, size)
        for i, byte in enumerate(end):
            out[edge - len(end) + i] = byte
        return out.tobytes(), edge

    def join_one(self, ids: Sequence[int]) -> str:
        """One sequence as text; markers are left out."""
        plain = np.array([i for i in ids if i >= N_MARKERS], np.int64)
        return self.join(plain, np.array([len(plain)]))[0].decode("utf-8", "replace")

    def show(self, ids: Sequence[int]) -> str:
        """An n-gram for people: its tokens with a space between, markers by name."""
        return " ".join(MARKERS[i] if i < N_MARKERS else self.text_of(i) for i in ids)


def _copy(blob: np.ndarray, start: np.ndarray, out: np.ndarray, to: np.ndarray, size: np.ndarray) -> None:
    """Copy stretches of bytes, about a million at a time; long ones go alone, for their indices would take longer."""
    long = np.flatnonzero(size > _LONG)
    for i, j, n in zip(start[long].tolist(), to[long].tolist(), size[long].tolist(), strict=True):
        out[j : j + n] = blob[i : i + n]
    if len(long):
        short = np.flatnonzero(size <= _LONG)
        start, to, size = start[short], to[short], size[short]
    end = np.cumsum(size)
    a = 0
    while a < len(size):
        done = int(end[a] - size[a])
        b = max(int(np.searchsorted(end, done + _COPY_BYTES, "right")), a + 1)
        out[ragged(to[a:b], size[a:b])] = blob[ragged(start[a:b], size[a:b])]
        a = b
