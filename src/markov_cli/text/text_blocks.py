"""Joins short texts into blocks: each text ends at a break that every tokenizer and unit knows.

Legend: a seam is the newline that stands between two texts of a block and belongs to neither.

A block of a thousand short texts costs what a block of one text costs. Tokens, sequences, counts and repairs
equal those of the texts one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

SEAM = b"\n"  # white space for every tokenizer


def no_seams() -> np.ndarray:
    """The seams of a block with one text: int64 (0,)."""
    return np.empty(0, np.int64)


@dataclass
class Block:
    """Part of a text, or several whole texts, which can be tokenized alone.

    data   uint8 (m + 8,), eight zero bytes behind the m of text
    size   m
    last   True where the text ends with this block
    first  True where the text begins with it
    which  number of the source of each of its t texts
    seams  int64 (t - 1,), offset of the newline between each two of them
    place  line of the file on which each text begins, where the texts are records
    after  the first bytes behind it, which decide if a sentence ends with it
    markers  how `<s>`, `</s>` and `<unk>` in it are read, see `markers.READINGS`
    """

    data: np.ndarray
    size: int
    last: bool
    first: bool
    progress_bytes: int
    which: Sequence[int] = (0,)
    seams: np.ndarray = field(default_factory=no_seams)
    place: Sequence[int] = ()
    after: bytes = b""
    markers: str = "text"

    @property
    def text_bytes(self) -> int:
        """Bytes of text, without seams."""
        return self.size - len(self.seams)


def padded(data: bytes) -> np.ndarray:
    """Bytes with eight zero bytes behind them: uint8."""
    return np.frombuffer(data + bytes(8), np.uint8)


def joined(
    texts: Sequence[bytes],
    which: Sequence[int] | None = None,
    progress_bytes: int = 0,
    place: Sequence[int] = (),
    end: bytes = b"",
) -> Block:
    """Whole texts as one block; one at least.

    texts  bytes in UTF-8, or any for tokenizers that keep bytes
    which  number of the source of each text; 0 for all where None
    place  as in `Block`
    end    stands behind each text, and is a part of it

    >>> block = joined([b"a b.", b"", b"c"])
    >>> bytes(block.data[: block.size]), block.seams.tolist()
    (b'a b.\\n\\nc', [4, 5])
    """
    data = padded((end + SEAM).join(texts) + end)
    edge = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + len(end) + 1)
    which = (0,) * len(texts) if which is None else which
    return Block(data, len(data) - 8, True, True, progress_bytes, which, edge[:-1] - 1, place)


def joined_blocks(texts: Iterable[tuple[bytes, int, int]], block_bytes: int) -> Iterator[Block]:
    """Short texts as blocks of about `block_bytes`, in order.

    texts  bytes of a text, number of its source, and its bytes on disk, for progress

    >>> [block.which for block in joined_blocks([(b"a", 0, 1), (b"bc", 1, 2), (b"d", 2, 1)], 3)]
    [[0, 1], [2]]
    """
    held = Held(block_bytes)
    for text, which, size in texts:
        yield from held.add(text, which, size)
    yield from held.rest()


class Held:
    """Short texts that wait for a block of their own."""

    def __init__(self, block_bytes: int) -> None:
        self.block_bytes = block_bytes
        self._clear()

    def _clear(self) -> None:
        self._texts: list[bytes] = []
        self._which: list[int] = []
        self._bytes = self._progress = 0

    def add(self, text: bytes, which: int, progress_bytes: int) -> Iterator[Block]:
        """Hold a text; gives the block of all that are held where they are enough."""
        self._texts.append(text)
        self._which.append(which)
        self._bytes += len(text)
        self._progress += progress_bytes
        if self._bytes + len(self._texts) > self.block_bytes:
            yield from self.rest()

    def rest(self) -> Iterator[Block]:
        """The block of all texts that are held; none where there are none."""
        if self._texts:
            yield joined(self._texts, self._which, self._progress)
            self._clear()
