"""Results of `audit`, `rebuild` and `member`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .results import INLINE, OPTIONAL, PYTHON_ONLY, GuardFigures, Result, rounded, significant


@dataclass(frozen=True)
class HeldoutFigures(Result):
    """Figures of one order with held-out text; None where they cannot be calculated.

    heldout_perplexity           of the held-out text
    membership_auc               probability that a sequence of the corpus costs less than a held-out one
    membership_tpr_at_1_percent  share of the corpus that costs less than all but 1 % of the held-out sequences
    """

    heldout_perplexity: float | None = rounded(6)
    membership_auc: float | None = rounded(6)
    membership_tpr_at_1_percent: float | None = rounded(6)


@dataclass(frozen=True, kw_only=True)
class OrderInCorpus(Result):
    """Figures of one order with the training text; None where they cannot be calculated.

    verified                  share of the tokens in certain strings, by least length
    greedy                    share of continuations that come out by the likeliest token each time, by length
    rebuilt_sequences, rebuilt_10grams  share of those of a random text with this table that the corpus has
    memorised_bits_per_token  bits per token that a sequence saves because it was in the training text
    perplexity, leave_one_out_perplexity  of the corpus; Witten-Bell
    rows_from_one_sequence, rows_from_one_file  share of the rows that one sequence, or file, alone accounts for
    ngrams_not_in_table, ngrams_of_other_count  n-grams that prove that this is not the training text
    corpus_order_bits, corpus_content_bits_per_token, corpus_retained  like those of `AuditedOrder`, with the equal
                              sequences of the corpus known. None if it is proven not to be the training text
    corpus_content_is         `exact`, or `estimate` if the forgotten bits are one
    """

    verified: Mapping[int, float] | None = rounded(6)
    greedy: Mapping[int, float | None] | None = rounded(6)
    rebuilt_sequences: float | None = rounded(6)
    rebuilt_10grams: float | None = rounded(6)
    memorised_bits_per_token: float | None = rounded(6)
    perplexity: float | None = rounded(6)
    leave_one_out_perplexity: float | None = rounded(6)
    rows_from_one_sequence: float | None = rounded(6)
    rows_from_one_file: float | None = rounded(6)
    ngrams_not_in_table: int
    ngrams_of_other_count: int
    corpus_order_bits: float | None = rounded(6)
    corpus_content_bits_per_token: float | None = rounded(6)
    corpus_content_is: str | None
    corpus_retained: float | None = rounded(6)
    heldout: HeldoutFigures | None = field(default=None, metadata=INLINE)


@dataclass(frozen=True, kw_only=True)
class AuditedOrder(Result):
    """Audit of one order; None where a figure cannot be calculated.

    rows             n-grams of this order
    complete         nothing seems to be missing: evidence, not proof
    forgotten_bits   log2 of the number of texts with this table; 0: the table is the text
    forgotten_is     `exact`, `estimate` (with forgotten_error_bits) or `bound`
    order_bits       of these, the order of the sequences; an upper bound
    content_bits_per_token  of these, the content of the sequences; a lower bound
    content_is       what these two and `retained` are: `exact` if there is one sequence; `bound`; or `estimate` if the
                     forgotten bits are one. Exact figures need the text: see `OrderInCorpus`
    retained         share that the table keeps of the information in the order of the tokens; an upper bound
    certain          share of the tokens in strings that the table proves, by least length; certain_bound at least
    half             half of all tokens are in certain strings of this many tokens or more
    longest          tokens of the longest certain string
    corpus           figures with the training text; None without it. In JSON they are beside the others
    """

    order: int
    rows: int
    complete: bool
    histories: int
    forgotten_bits: float | None = rounded(6)
    forgotten_is: str | None
    forgotten_error_bits: float | None = rounded(6)
    forgotten_bound_bits: float | None = rounded(6)
    order_bits: float | None = rounded(6)
    content_bits_per_token: float | None = rounded(6)
    content_is: str | None
    retained: float | None = rounded(6)
    certain: Mapping[int, float] | None = rounded(6)
    certain_bound: Mapping[int, float] | None = rounded(6)
    half: int | None
    longest: int | None
    corpus: OrderInCorpus | None = field(default=None, metadata=INLINE)


@dataclass(frozen=True)
class CertainString(Result):
    """A string that occurs in every text with the model's table.

    occurrences      how often it occurs; occurrences_is says if this is `exact` or a lower `bound`
    opens, closes    True if it is known to begin, or to end, a sequence
    """

    text: str
    tokens: int
    occurrences: int
    occurrences_is: str
    opens: bool
    closes: bool


@dataclass(frozen=True)
class AuditSource(Result):
    """One file of the corpus; rows_only_here and memorised_bits_per_token are those of the longest order."""

    file: str
    tokens: int
    sequences: int
    rows_only_here: int | None
    memorised_bits_per_token: float | None = rounded(6)


@dataclass(frozen=True)
class CorpusFigures(Result):
    """The comparison of a model with the text that is said to be its training text.

    is_training_text    False if it is proven that it is not; else None
    proof               why not, in one sentence
    corpus_distinct_sequences  number of distinct sequences
    strings_looked_up   certain strings; strings_not_found of them occur less often than the model proves
    corpus_notes        what cannot be calculated, and why
    """

    corpus_tokens: int
    corpus_sequences: int
    corpus_distinct_sequences: int
    is_training_text: bool | None
    proof: str | None
    strings_looked_up: int
    strings_not_found: int
    sources: tuple[AuditSource, ...]
    corpus_notes: tuple[str, ...]


@dataclass(frozen=True)
class AuditReport(Result):
    """The part of its training text that a model keeps.

    orders                     a report for each order
    model_bytes                bytes of the model's file, 0 in memory; also per token and per byte of text
    text_bytes_per_token_xz    what xz makes of the text, or of a random text with this table (`estimate`)
    strings                    the longest certain strings, of strings_order; strings_found in all
    notes                      what cannot be calculated, and why
    corpus                     the comparison with the training text; None without it. In JSON its fields are
                               beside the others
    """

    model: str | None
    order: int
    unit: str
    tokens: int
    sequences: int
    min_sequences: int | None = field(default=None, metadata=OPTIONAL)
    min_files: int | None = field(default=None, metadata=OPTIONAL)
    cap_per_sequence: int | None = field(default=None, metadata=OPTIONAL)
    orders: tuple[AuditedOrder, ...] = ()
    model_bytes: int = 0
    model_bytes_per_token: float | None = rounded(6, default=None)
    model_bytes_per_text_byte: float | None = rounded(6, default=None)
    text_bytes_per_token_xz: float | None = rounded(6, default=None)
    text_bytes_per_token_xz_is: str | None = None
    text_bytes_xz_per_text_byte: float | None = rounded(6, default=None)
    strings_order: int | None = None
    strings_found: int = 0
    strings: tuple[CertainString, ...] = ()
    guard: GuardFigures | None = None
    notes: tuple[str, ...] = ()
    corpus: CorpusFigures | None = field(default=None, metadata=INLINE)


@dataclass(frozen=True)
class RebuiltText(Result):
    """A random text that has exactly the model's table, as the seed draws it.

    raw    the same as bytes, for text that is not all UTF-8
    order  the order whose table it has
    """

    text: str
    order: int
    seed: int
    raw: bytes = field(default=b"", metadata=PYTHON_ONLY, repr=False)


@dataclass(frozen=True)
class SequenceMembership(Result):
    """The verdict on one sequence: `in` or `out` of the training text, both proven, or `undecided`.

    occurrences_at_least  times it occurs in every text with the model's table
    expected              times it occurs in a random one, an estimate; None where unknown
    """

    verdict: str
    occurrences_at_least: int
    expected: float | None = significant(6)
    text: str = ""


@dataclass(frozen=True)
class Membership(Result):
    """Verdicts on the sequences of a text, and how many there are of each."""

    model: str | None
    order: int
    proven_in: int
    proven_out: int
    undecided: int
    member: tuple[SequenceMembership, ...]
