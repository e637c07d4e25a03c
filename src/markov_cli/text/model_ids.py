"""Encodes text as the ids of trained models.

Legend: a code is N_MARKERS + the provisional number of a type; a marker's code is its id.

The types of the models are the first of the vocabulary, so that a token's code says which of them
it is; what comes later is outside all models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .encoder import Piece, TextOptions
from .encoding_threads import new_encoders, pieces_of
from .interning import TypeInterner
from .reading import Repairs, Source
from .types import N_MARKERS, UNK, Types, invalid_types
from .vocabulary import Vocabulary


class Recoder:
    """Reads text once for one or more models that were trained with the same text options.

    text_bytes  how much was read, in UTF-8
    """

    def __init__(
        self, vocabularies: Sequence[Vocabulary], options: TextOptions, jobs: int = 1, keep_text: bool = False
    ) -> None:
        self.options = options
        self.repairs = Repairs()
        interner = TypeInterner()
        self._id_of = [_ids(interner, vocabulary, options.tokenizer) for vocabulary in vocabularies]
        self._n_known = len(interner)
        self.encoders = new_encoders(options, jobs, interner, keep_text)

    @property
    def text_bytes(self) -> int:
        """Bytes of text read so far."""
        return sum(e.text_bytes for e in self.encoders)

    def pieces(self, sources: Sequence[Source], encoding: str = "utf-8") -> Iterator[Piece]:
        """The text in pieces, in order."""
        for piece, _ in pieces_of(sources, encoding, self.encoders, self.repairs):
            yield piece

    def see_invalid_types(self) -> None:
        """Count the text's types that no model has and that are not UTF-8, where the tokenizer keeps bytes."""
        if self.options.tokenizer == "spaces":
            types = self.encoders[0].interner.types()
            n, text = invalid_types(types.take(np.arange(self._n_known, len(types))))
            self.repairs.invalid_types = n
            self.repairs.invalid_text = self.repairs.invalid_text or text

    def types(self, codes: np.ndarray) -> Types:
        """The types behind some codes of tokens, int64 (n,), rising."""
        return self.encoders[0].types(codes - N_MARKERS)

    def ids(self, model: int, codes: np.ndarray) -> np.ndarray:
        """Codes as one model's ids, UNK for what it does not know: uint32 (m,)."""
        table = self._id_of[model]
        return table[np.minimum(codes, len(table) - 1)]

    def codes(self, model: int, ids: np.ndarray) -> np.ndarray:
        """Ids of one model as codes, those below 0 as they are: int64, of any shape."""
        table = self._id_of[model]
        known = np.flatnonzero(table != UNK)
        code_of = np.zeros(int(table.max()) + 1, np.int64)
        code_of[table[known]] = known
        return np.where(ids < 0, ids, code_of[np.maximum(ids, 0)])


def _ids(interner: TypeInterner, vocabulary: Vocabulary, tokenizer: str) -> np.ndarray:
    """The id of each code, and UNK behind the last: uint32 (codes + 1,)."""
    first, last = (
        vocabulary.offsets[N_MARKERS:-1].astype(np.int64),
        vocabulary.offsets[N_MARKERS + 1 :].astype(np.int64),
    )
    if (last <= first).any() or (len(last) and int(last[-1]) > len(vocabulary.blob)):
        raise IndexError("the vocabulary points outside itself")
    blob = np.concatenate((vocabulary.blob, np.zeros(8, np.uint8)))
    if tokenizer == "bytes":
        number = blob[first].astype(np.int64)
    elif tokenizer == "chars":
        text = blob[: len(blob) - 8].tobytes().decode("utf-8", "replace")
        number = np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.int64)
        if len(number) != len(first):
            raise IndexError("a type of a model of characters is not one character")
    else:
        flags = vocabulary.flags_of(np.arange(N_MARKERS, len(vocabulary)))
        number = interner.numbers(blob, first, last - first, flags if len(vocabulary.flags) else None).astype(np.int64)
    id_of = np.full(N_MARKERS + int(number.max(initial=-1)) + 2, UNK, np.uint32)
    id_of[:N_MARKERS] = np.arange(N_MARKERS)
    id_of[N_MARKERS + number] = np.arange(N_MARKERS, N_MARKERS + len(number))
    return id_of
