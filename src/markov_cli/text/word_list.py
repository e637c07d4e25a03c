"""A word list: the types that a vocabulary may hold, read from a file with one type on each line.

A line is a type's name as `word_escapes` writes it: its bytes, where white space and control characters may
stand as `\\u{HEX}`. White space around it is left out. A word stands for its types of every spacing: `,` is the
comma that touches its neighbour and the one that does not.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import OptionError
from .interning import TypeInterner
from .lines import read_lines
from .reading import Repairs, find_sources
from .sources import EXPANSION
from .types import MARKERS, N_MARKERS, Types
from .vocabulary import Vocabulary
from .word_escapes import JOINER, name_of, names_of, parse_name

_WHITE = b" \t\r\n\f\v\0"
_MARKERS = frozenset(marker.encode() for marker in MARKERS)
_ESCAPE, _JOINER = b"\\u{", JOINER.encode()

_MOST_OTHERS = 1 << 20  # types of a text in the index of a list


class WordList:
    """Distinct words, and what was odd in their file.

    words       as bytes, in the order of the file
    name        for messages
    duplicates  lines that repeat a word; blanks, lines without one; markers, those of `<s>`, `</s>`, `<unk>` found
    """

    def __init__(self, lines: Iterable[bytes], name: str = "the word list", lowercase: bool = False) -> None:
        self.name = name
        self.blanks = n = 0
        self.markers: list[str] = []
        words: dict[bytes, None] = {}
        for line in lines:
            text = line.strip(_WHITE)
            if not text:
                self.blanks += 1
            elif text in _MARKERS:
                self.markers.append(text.decode())
            else:
                n += 1
                if _ESCAPE in text or _JOINER in text:
                    text = parse_name(text)[0]
                words[_lower(text) if lowercase else text] = None
        self.words = [*words]
        self.duplicates = n - len(words)
        if not words:
            raise OptionError(f"--vocab {name}: no word in it", "write one word on each line")
        self._index = self._indexed()

    def _indexed(self) -> tuple[TypeInterner, np.ndarray]:
        """A vocabulary of the words, and the place in the list of each of its numbers."""
        length = np.fromiter(map(len, self.words), np.int64, len(self.words))
        blob = np.frombuffer(b"".join(self.words) + bytes(8), np.uint8)
        interner = TypeInterner()
        return interner, np.argsort(interner.numbers(blob, np.cumsum(length) - length, length, None))

    def __getstate__(self) -> dict[str, Any]:
        """State for another process, without the index."""
        return {name: value for name, value in vars(self).items() if name != "_index"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the index again."""
        vars(self).update(state)
        self._index = self._indexed()

    @classmethod
    def of(
        cls, words: Words, encoding: str = "utf-8", lowercase: bool = False, expansion: float = EXPANSION
    ) -> WordList:
        """The words of a file, or words themselves; TextError or OptionError if there is no file or no word."""
        if isinstance(words, WordList):
            return words
        if not isinstance(words, (str, os.PathLike)):
            return cls((name_of(word.encode("utf-8", "surrogateescape")) for word in words), lowercase=lowercase)
        name = os.fspath(words)
        if name != "-" and Path(name).is_dir():
            raise OptionError(f"--vocab {name}: a folder", "name a file with one word on each line")
        return cls(_lines(name, encoding, expansion), name, lowercase)

    def __len__(self) -> int:
        return len(self.words)

    @property
    def fingerprint(self) -> str:
        """128 bits of a hash of the words, whatever their order: hexadecimal."""
        found = hashlib.sha256()
        for word in sorted(self.words):
            found.update(len(word).to_bytes(8, "little") + word)
        return found.hexdigest()[:32]

    def number(self, types: Types) -> np.ndarray:
        """The place of each type in the list, -1 for types that are not in it: int64 (V,)."""
        interner, place = self._index
        number = interner.numbers(types.padded(), types.start, types.length, None).astype(np.int64)
        out = np.full(len(number), -1, np.int64)
        known = number < len(self)  # the interner now knows types of the text as well, with higher numbers
        out[known] = place[number[known]]
        if len(interner) > 2 * len(self) + _MOST_OTHERS:
            self._index = self._indexed()
        return out

    def absent(self, types: Types) -> list[bytes]:
        """The words that none of these types is."""
        there = np.zeros(len(self) + 1, bool)
        there[self.number(types)] = True
        return [self.words[i] for i in np.flatnonzero(~there[:-1]).tolist()]


def words_of_types(vocabulary: Vocabulary) -> list[bytes]:
    """The types of a vocabulary as lines of a word list: distinct bytes, by their ids."""
    flat = Vocabulary(vocabulary.blob, vocabulary.offsets, vocabulary.flags[:0], vocabulary.tokenizer)
    blob, offsets = names_of(flat)
    text, at = blob.tobytes(), offsets.tolist()
    return [*dict.fromkeys(text[a:b] for a, b in pairwise(at[N_MARKERS:]))]


def _lines(name: str, encoding: str, expansion: float) -> Iterator[bytes]:
    for part in read_lines(find_sources([name], expansion), encoding, Repairs()):
        yield from part.lines


def _lower(word: bytes) -> bytes:
    return word.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape")


Words = str | os.PathLike[str] | Iterable[str] | WordList  # a file with a word on each line, `-`, or the words
