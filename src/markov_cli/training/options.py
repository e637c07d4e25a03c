"""Options of training, and the model header made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..arrays.numbers import whole
from ..counting.ngrams import RANGE_WINDOWS
from ..errors import OptionError
from ..model.building import check_prune
from ..model.fingerprints import RATE, check_guard
from ..model.model_file import Header
from ..model.table import MAX_ORDER
from ..model.thresholds import Protection
from ..text.encoder import TextOptions
from ..text.reading import LARGEST_BLOCK, LONGEST_BLOCK
from ..text.segmentation import UNITS
from ..text.sequences import TypeChoice
from ..text.tokenizer import TOKENIZERS, compile_pattern
from ..text.types import N_MARKERS, Types
from ..text.word_list import WordList


@dataclass(frozen=True)
class TrainOptions:
    """Options of `train`: the first group changes the model, the second only time and memory."""

    order: int = 3
    text: TextOptions = field(default_factory=TextOptions)
    min_type_count: int = 1
    max_types: int | None = None
    vocab: WordList | None = None  # the only types that are not UNK
    prune: tuple[int, ...] = ()
    prune_vocab: WordList | None = None  # n-grams with other types are dropped
    protection: Protection = field(default_factory=Protection)
    borders: bool = True  # False: <s> and </s> are not counted
    encoding: str = "utf-8"
    weights: bool = False  # records count as often as they say
    groups: bool = False  # records are labelled with their groups
    guard: int = 0  # tokens in each run that the model keeps as a hash; 0 for no hashes
    guard_rate: float = RATE
    guard_bits: int = 0  # least number of bits of a hash

    jobs: int = 1
    block_bytes: int = LARGEST_BLOCK  # at most
    longest_block: int = LONGEST_BLOCK
    range_windows: int = RANGE_WINDOWS

    @property
    def choice(self) -> TypeChoice:
        """The types that get an id."""
        return TypeChoice(self.min_type_count, self.max_types, self.vocab)

    @property
    def token_bytes(self) -> int:
        """Upper bound on the bytes of memory per token of training in memory."""
        more = 60 * bool(self.protection) + 16 * bool(self.guard) + 48 * self.weights
        return 40 + 18 * self.order + more


Progress = Callable[[str, float, float], None]  # phase, amount done, total


def no_progress(phase: str, done: float, total: float) -> None:
    """Progress callback that does nothing."""
    return None


def check_options(options: TrainOptions) -> None:
    """Raise OptionError for an impossible value, and for options that exclude each other."""
    text = options.text
    for name in ("order", "min_type_count", *(["max_types"] if options.max_types is not None else [])):
        whole(f"--{name.replace('_', '-')}", max(getattr(options, name), 0))
    for number in (options.guard, options.protection.min_sequences, options.protection.min_files):
        whole("--guard, --min-sequences or --min-files", max(number, 0))
    whole("jobs", options.jobs, 1)
    if not 1 <= options.order <= MAX_ORDER:
        raise OptionError(
            f"--order {options.order}: an n-gram has 1 to {MAX_ORDER:,} tokens", "usual orders are 2 to 6"
        )
    if text.tokenizer not in TOKENIZERS:
        raise OptionError(f"tokenizer {text.tokenizer!r}: unknown", f"use one of {', '.join(TOKENIZERS)}")
    if text.unit not in UNITS:
        raise OptionError(f"unit {text.unit!r}: unknown", f"use one of {', '.join(UNITS)}")
    if text.pattern is not None:
        if text.tokenizer != "regex":
            raise OptionError("--pattern needs --tokenizer regex", "add it, or leave --pattern out")
        compile_pattern(text.pattern)
    if options.min_type_count < 1:
        raise OptionError(f"--min-type-count {options.min_type_count}: must be at least 1", "1 keeps every type")
    if options.max_types is not None and options.max_types < 1:
        raise OptionError(f"--max-types {options.max_types}: at least 1", "the number of the commonest types to keep")
    check_prune(options.prune)
    options.protection.check()
    if not options.borders and (options.protection or text.unit != "file"):
        what = "--min-sequences, --min-files and --cap-per-sequence" if options.protection else f"--unit {text.unit}"
        raise OptionError(
            f"--no-borders and {what} exclude each other",
            "without borders a whole file is one text: leave one of them out",
        )
    if options.weights and options.protection:
        raise OptionError(
            "--weights and --min-sequences, --min-files or --cap-per-sequence exclude each other",
            "leave one of them out: a record that counts often is one record",
        )
    if options.guard:
        check_guard(options.guard, options.guard_rate, options.order)


def listed(types: Types, words: WordList) -> tuple[np.ndarray, Types]:
    """The ids that `--prune-vocab` keeps, bool (V,), and their types."""
    ids = np.append(np.ones(N_MARKERS, bool), words.number(types) >= 0)
    return ids, types.take(np.flatnonzero(ids[N_MARKERS:]))


def header_of(
    options: TrainOptions, tokens: int, types: int, sequences: int, text_bytes: int, cut: bool = False
) -> Header:
    """Model header for these options and figures of the text.

    cut  types beyond the commonest were left out
    """
    vocab, pruned = options.vocab, options.prune_vocab
    return Header(
        order=options.order,
        options=options.text,
        tokens=tokens,
        types=types,
        sequences=sequences,
        corpus_bytes=text_bytes,
        min_type_count=options.min_type_count,
        max_types=options.max_types if cut else None,
        vocab_words=None if vocab is None else len(vocab),
        vocab_hash=None if vocab is None else vocab.fingerprint,
        borders=options.borders,
        prune_vocab=None if pruned is None else len(pruned),
        prune=options.prune if any(options.prune) else (),
        **options.protection.fields(),
    )
