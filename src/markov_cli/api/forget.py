"""Takes text out of a model: `forget`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..evidence.table.ngram_graph import unreached
from ..model.forgettable import check_forgettable, not_whole
from ..model.forgetting import Remainder, remainder, settled
from ..model.language_model import LanguageModel
from ..model.merging import Stored
from ..text.reading import check_encoding
from ..text.record_format import record_format
from ..text.sources import EXPANSION, Paths, Texts, sources_of
from ..text.vocabulary import Vocabulary
from ..text.word_list import Words
from ..training.in_memory import train_sources
from ..training.options import TrainOptions, no_progress
from .combine import check_words, stored_of, without_guard
from .model import Model, ModelLike, opened
from .results import OPTIONAL, PYTHON_ONLY, RepairCounts, Result
from .train import Progress, words_of


@dataclass(frozen=True, kw_only=True)
class Forgotten(Result):
    """A model without a text, and what of the text is still in it. Its JSON begins with the model's summary.

    model             the model of the other texts
    forgotten_records  that have the values of `by`; None without it
    forgotten_tokens, forgotten_sequences, forgotten_types  of the text; the types are those that no other text has
    forgotten_ngrams  distinct n-grams of the text, by order
    ngrams_gone       those of them that are not in the model any more: no other text has them
    repairs           what was changed when the text was read
    """

    model: Model = field(metadata=PYTHON_ONLY, repr=False)
    forgotten_records: int | None = field(default=None, metadata=OPTIONAL)
    forgotten_tokens: int
    forgotten_sequences: int
    forgotten_types: int
    forgotten_ngrams: tuple[int, ...]
    ngrams_gone: tuple[int, ...]
    repairs: RepairCounts

    def to_dict(self) -> dict[str, Any]:
        """The result as `--json` prints it, after the summary of the model."""
        return {**self.model.summary().to_dict(), **self.figures()}

    def figures(self) -> dict[str, Any]:
        """The result without the summary of the model."""
        return super().to_dict()


def forget(
    model: ModelLike,
    paths: Paths = (),
    *,
    texts: Texts = (),
    vocab: Words | None = None,
    keep_guard: bool = True,
    encoding: str = "utf-8",
    max_expansion: float = EXPANSION,
    jsonl: str | None = None,
    csv: str | int | None = None,
    parquet: str | None = None,
    skip_bad: bool = False,
    markers: str = "text",
    strip: str | None = None,
    by: Mapping[str, str | Sequence[str]] | None = None,
    weights: bool = False,
    weights_field: str | int | None = None,
    name: str | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Forgotten:
    """Take text out of a model; the result is the model that was never trained on it. The text is read as it was.

    paths, texts   files, folders, `-`; and texts themselves
    vocab          the word list that the model was trained with, and only that
    keep_guard     False leaves out the guard, without which a model with one is refused
    encoding       of the files
    max_expansion  refuse a compressed file that expands to more than 1 GiB and this many times its size; 0 for no limit
    jsonl, csv, parquet, skip_bad, weights, weights_field  the text is in a field of records, as in `train`
    markers, strip  how the text is read, as in `train`
    by             take out only records with this value, or one of these values, in each of these fields
    name           what messages call the model; None for its file
    progress       called with a step's name, and how much of it is done and in all

    AnswerIsNo, with the n-gram that proves it, if the text was not in the model, wholly or in part; MarkovError if
    the model does not tell what is left without the text; TextError if the text has no token.

    >>> import markov_cli
    >>> model = markov_cli.train(texts=["one two", "one three"])
    >>> less = markov_cli.forget(model, texts=["one two"])
    >>> [(f.token, f.count) for f in less.model.followers("one").followers]
    [('three', 1)]
    >>> less.forgotten_ngrams, less.ngrams_gone
    ((4, 3, 2), (1, 2, 2))
    """
    old = opened(model)
    name = name or old.path or "the model"
    if not keep_guard:
        old = without_guard(old)
    stored = stored_of(old, name)
    check_forgettable(stored, markers == "borders")
    o = old.header.options
    words = words_of(vocab, encoding, o)
    check_words(old.header, words, name)
    records = record_format(jsonl, csv, parquet, counted=weights, times=weights_field, skip_bad=skip_bad, by=by)
    options = TrainOptions(
        order=old.order, text=o, vocab=words, encoding=check_encoding(encoding), jobs=jobs, borders=old.header.borders,
        weights=records is not None and records.times is not None,
    )  # fmt: skip
    sources = sources_of(paths, texts, max_expansion, records, markers, strip)
    text = train_sources(sources, options, progress or no_progress)
    if progress is not None:
        progress("taking out", 0, 1)
    found, left = old.checked(_without, stored, Stored(text.header, text.types, text.table), jobs)
    made = Model(LanguageModel.of(left.header, left.types, left.table))
    made.repairs = text.repairs
    return Forgotten(
        model=made,
        forgotten_records=None if records is None else records.number_found(text.repairs.found_by),
        forgotten_tokens=text.header.tokens,
        forgotten_sequences=text.header.sequences,
        forgotten_types=old.header.types - left.header.types,
        forgotten_ngrams=found.ngrams,
        ngrams_gone=found.gone,
        repairs=RepairCounts.of(text.repairs),
    )


def _without(model: Stored, text: Stored, jobs: int) -> tuple[Remainder, Stored]:
    """Subtract the text; AnswerIsNo if what is left is the table of no text."""
    found = remainder(model, text, jobs)
    table = found.model.table
    apart = unreached(table, table.height) if table.order > 1 and table.borders else None
    if apart is not None:
        names = Vocabulary.of(found.model.types, found.model.header.options.tokenizer)
        raise not_whole(model.name, f'"{names.show(apart[0])}"', apart[1])
    return found, settled(found.model, jobs)
