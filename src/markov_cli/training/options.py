"""Options of a training and the header that they give its model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..counting.ngrams import RANGE_WINDOWS
from ..errors import OptionError
from ..model.building import check_prune
from ..model.fingerprints import RATE, check_guard
from ..model.model_file import Header
from ..model.table import MAX_ORDER
from ..model.thresholds import Protection
from ..text.encoder import TextOptions
from ..text.reading import BLOCK_BYTES, LONGEST_BLOCK
from ..text.segmentation import UNITS
from ..text.tokenizer import TOKENIZERS, compile_pattern


@dataclass(frozen=True)
class TrainOptions:
    """What `train` is asked for; the first group changes the model, the second only the work."""

    order: int = 3
    text: TextOptions = field(default_factory=TextOptions)
    min_type_count: int = 1
    prune: tuple[int, ...] = ()
    protection: Protection = field(default_factory=Protection)
    encoding: str = "utf-8"
    guard: int = 0  # tokens of the runs that are kept as hashes; 0 for none
    guard_rate: float = RATE
    guard_bits: int = 0  # of each hash, at least

    jobs: int = 1
    block_bytes: int = BLOCK_BYTES
    longest_block: int = LONGEST_BLOCK
    range_windows: int = RANGE_WINDOWS

    @property
    def in_memory(self) -> str:
        """The option, if any, whose work is done in memory alone."""
        if self.guard:
            return "--guard"
        return "--min-sequences, --min-files or --cap-per-sequence" if self.protection else ""

    @property
    def token_bytes(self) -> int:
        """Bytes of memory that training takes at most for each token where all is held in memory."""
        return 40 + 18 * self.order + (60 if self.protection else 0) + (16 if self.guard else 0)


Progress = Callable[[str, float, float], None]  # phase, done, of how many


def no_progress(phase: str, done: float, total: float) -> None:
    """For when nobody looks."""
    return None


def check_options(options: TrainOptions) -> None:
    """OptionError for what cannot be, with the value."""
    text = options.text
    if not 1 <= options.order <= MAX_ORDER:
        raise OptionError(
            f"--order {options.order}: an n-gram has 1 to {MAX_ORDER:,} tokens", "usual orders are 2 to 6"
        )
    if text.tokenizer not in TOKENIZERS:
        raise OptionError(f"tokenizer {text.tokenizer!r}", f"one of {', '.join(TOKENIZERS)}")
    if text.unit not in UNITS:
        raise OptionError(f"unit {text.unit!r}", f"one of {', '.join(UNITS)}")
    if text.pattern is not None:
        if text.tokenizer != "regex":
            raise OptionError("--pattern needs --tokenizer regex", "add it, or leave --pattern out")
        compile_pattern(text.pattern)
    if options.min_type_count < 1:
        raise OptionError(f"--min-type-count {options.min_type_count}: at least 1", "1 keeps every type")
    check_prune(options.prune)
    options.protection.check()
    if options.guard:
        check_guard(options.guard, options.guard_rate, options.order)


def header_of(options: TrainOptions, tokens: int, types: int, sequences: int, text_bytes: int) -> Header:
    """The header of a model of this text."""
    return Header(
        order=options.order,
        options=options.text,
        tokens=tokens,
        types=types,
        sequences=sequences,
        corpus_bytes=text_bytes,
        min_type_count=options.min_type_count,
        prune=options.prune if any(options.prune) else (),
        **options.protection.fields(),
    )
