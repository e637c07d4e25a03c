"""A language model: a table of counts or probabilities, with the vocabulary and header that give it meaning.

Everything above takes it, and nothing above changes it. It says nothing of drawing or scoring.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelFileError, NeedsCounts, OptionError
from ..text.types import Types
from ..text.vocabulary import Vocabulary
from . import model_file
from .count_column import DAMAGED
from .header import Header
from .table import Table

if TYPE_CHECKING:
    from .blend import Blend
    from .distribution import Distribution


class LanguageModel:
    """Header, vocabulary and table, and the file that they are mapped from, if there is one."""

    def __init__(
        self, header: Header, vocabulary: Vocabulary, table: Table, file: model_file.ModelFile | None = None
    ) -> None:
        self.header, self.vocabulary, self.table, self.file = header, vocabulary, table, file
        self._distributions: dict[str, Distribution] = {}
        self._blend: Blend | None = None

    @classmethod
    def of(cls, header: Header, types: Types, table: Table) -> LanguageModel:
        """A model in memory, from its types."""
        return cls(header, Vocabulary.of(types, header.options.tokenizer), table)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> LanguageModel:
        """Open a model file; ModelFileError if it is none.

        The file is mapped: nothing is read before it is used. `close` releases it.
        """
        return cls.of_file(model_file.load(path))

    @classmethod
    def of_file(cls, file: model_file.ModelFile) -> LanguageModel:
        """The model in an open file."""
        types = file.types
        vocabulary = Vocabulary(types.blob, types.start, types.flags, file.header.options.tokenizer)
        return cls(file.header, vocabulary, file.table, file)

    def save(self, path: str | os.PathLike[str] | IO[bytes]) -> int:
        """Write the model as `.npz`; returns its bytes. A file at that place is replaced as a whole."""
        return model_file.save(path, self.header, self.vocabulary.types(), self.table)

    def close(self) -> None:
        """Release the file, so that it can be replaced on systems that lock open files."""
        if self.file is not None:
            none = np.empty(0, np.uint8)
            self.vocabulary = Vocabulary(none, np.zeros(1, np.int64), none, self.vocabulary.tokenizer)
            self.table = Table([])
            self._distributions.clear()
            self._blend = None
            self.file = None

    @property
    def order(self) -> int:
        """Length of the longest n-gram."""
        return self.header.order

    @property
    def holds_counts(self) -> bool:
        """False if the model holds probabilities only, already smoothed (from an ARPA file)."""
        return self.header.holds != "probabilities"

    def uses_raw_counts(self, smoothing: str | None) -> bool:
        """True if a smoothing of that name means raw counts in this model."""
        return smoothing in (None, "none") and self.holds_counts

    def distribution(self, smoothing: str | None = None, default: str = "none") -> Distribution:
        """The model's probabilities under a smoothing, for example `kn` or `lidstone:0.1`.

        None means `default`, or the model's own probabilities if it holds no counts; NeedsCounts if it holds
        none and a smoothing is named.
        """
        name = smoothing or (default if self.holds_counts else "own")
        if name not in self._distributions:
            self._distributions[name] = self.checked(self._distribution, name)
        return self._distributions[name]

    def _distribution(self, name: str) -> Distribution:
        from .discounts import SmoothingMethod
        from .listed import Listed
        from .smoothing import Smoothed

        if name == "blend":
            raise OptionError(
                "--smoothing blend has no backoff form, and this needs one",
                "use --smoothing kn; score, generate, explore and inspect can use blend",
            )
        if not self.holds_counts:
            if name != "own":
                raise NeedsCounts(
                    f"--smoothing {name}: the model holds probabilities only, already smoothed",
                    "leave --smoothing out, or train a model from text",
                )
            return Listed(self.table)
        method = SmoothingMethod.parse(name)
        if self.header.cut_below and method.method == "kn":
            raise NeedsCounts(
                f"--smoothing kn: the model holds {self.header.said_holds()}, and kn needs the rare n-grams",
                "--smoothing wb, abs, stupid or none",
            )
        return Smoothed(self.table, method)

    def blend(self, jobs: int = 2) -> Blend:
        """The mixture of Kneser-Ney and class models; tuned, or with parameters from the counts.

        NeedsCounts if the model holds no counts; MarkovError for a pruned model. Working it out takes some seconds
        where the model was not tuned.

        jobs  threads that work out sets of classes; no figure depends on them
        """
        if self._blend is None:
            self._blend = self.checked(self._make_blend, jobs)
        return self._blend

    def _make_blend(self, jobs: int) -> Blend:
        from .blend import tuned_blend, untuned_blend

        if not self.holds_counts:
            raise NeedsCounts(
                "--smoothing blend: the model holds probabilities only, already smoothed",
                "leave --smoothing out, or train a model from text",
            )
        if self.header.blend is not None:
            return tuned_blend(self.table, self.header.blend, jobs)
        return untuned_blend(self.table)

    def checked(self, call: Any, *args: Any) -> Any:
        """Run something on the table; an index out of bounds or an impossible sum means a damaged file."""
        try:
            with np.errstate(divide="raise", invalid="raise", over="raise"):
                return call(*args)
        except (IndexError, ValueError, ArithmeticError) as error:
            raise ModelFileError(f"the table is not whole: {error}", DAMAGED) from None
