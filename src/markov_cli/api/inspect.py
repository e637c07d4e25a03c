"""Inspects a model: its figures, the followers of a history, and whether its file is whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..arrays.numbers import whole
from ..errors import MarkovError
from ..generation.prompt import PromptMatch
from ..inspecting import statistics
from ..inspecting.followers import Follower, Followers
from ..inspecting.verify import damage
from ..text.types import MARKERS
from ..text.word_list import words_of_types
from .model import Model, ModelLike, guard_figures, opened
from .results import OPTIONAL, GuardFigures, LengthCount, Marker, Result, rounded


@dataclass(frozen=True)
class CommonNgram(Result):
    """One of the commonest n-grams of an order.

    tokens       its tokens; a marker is a `Marker`
    count        how often it occurs; None where the model holds probabilities only
    probability  that of a type in such a model; else None
    """

    tokens: tuple[str | Marker, ...]
    count: float | None = rounded(6)
    probability: float | None = field(default=None, metadata={**OPTIONAL, "digits": 9})

    @property
    def names(self) -> tuple[str, ...]:
        """The tokens as text, markers by name."""
        return tuple(t.marker if isinstance(t, Marker) else t for t in self.tokens)


@dataclass(frozen=True)
class InspectedOrder(Result):
    """Figures of one order.

    ngrams           rows of the table, markers' rows included
    singletons       of them seen once; None without counts
    histories        distinct histories that something follows
    mean_followers   n-grams per history
    single_follower  share of the histories with one follower
    entropy_bits     bits per token of the training text under this order's raw counts; None where unknown
    commonest        the commonest n-grams, the most frequent first
    """

    order: int
    ngrams: int
    singletons: int | None
    histories: int
    mean_followers: float = rounded(6)
    single_follower: float = rounded(6)
    entropy_bits: float | None = rounded(6)
    commonest: tuple[CommonNgram, ...] = ()


@dataclass(frozen=True)
class FollowerBin(Result):
    """The number of histories of the longest kind whose number of followers is in a range, for example `3-4`."""

    followers: str
    histories: int


@dataclass(frozen=True)
class Inspection(Result):
    """Header and figures of a model.

    model            its file; None for a model in memory
    format, version  of the file format
    tokenizer, unit, lowercase, pattern, keep_newlines  how text is read for it
    tokens, types    without markers
    min_type_count, max_types, prune, min_sequences, min_files, cap_per_sequence  what was left out in training
    blend      the parameters of `--smoothing blend` that `tune` found, as the header has them
    vocab_words, vocab_hash  how many words the list had that it was trained with, and its fingerprint
    prune_vocab      how many words the list had that its n-grams were pruned to; total_0, left_total_0 are sums over
                     all types before that
    borders          False if `<s>` and `</s>` were not counted
    unicode          version of the Unicode tables
    counts_of_counts  of a pruned model; how many n-grams occur once, twice, ...
    holds            `counts`, `weighted counts` or `probabilities`
    cut_below        of imported counts that lack rare n-grams: the least count of each order
    lengths          sequences by their number of tokens, as far as the table knows
    """

    model: str | None
    format: str
    version: int
    order: int
    tokenizer: str
    unit: str
    lowercase: bool
    pattern: str | None
    tokens: int
    types: int
    sequences: int
    corpus_bytes: int
    min_type_count: int
    prune: tuple[int, ...]
    unicode: str
    counts_of_counts: tuple[tuple[int, ...], ...]
    holds: str
    keep_newlines: bool | None = field(default=None, metadata=OPTIONAL)
    max_types: int | None = field(default=None, metadata=OPTIONAL)
    min_sequences: int | None = field(default=None, metadata=OPTIONAL)
    min_files: int | None = field(default=None, metadata=OPTIONAL)
    cap_per_sequence: int | None = field(default=None, metadata=OPTIONAL)
    vocab_words: int | None = field(default=None, metadata=OPTIONAL)
    prune_vocab: int | None = field(default=None, metadata=OPTIONAL)
    total_0: int | None = field(default=None, metadata=OPTIONAL)
    left_total_0: int | None = field(default=None, metadata=OPTIONAL)
    vocab_hash: str | None = field(default=None, metadata=OPTIONAL)
    borders: bool | None = field(default=None, metadata=OPTIONAL)
    blend: dict[str, Any] | None = field(default=None, metadata=OPTIONAL)
    cut_below: tuple[int, ...] | None = field(default=None, metadata=OPTIONAL)
    marker_words: tuple[str, ...] | None = field(default=None, metadata=OPTIONAL)
    model_bytes: int = 0
    guard: GuardFigures | None = field(default=None, metadata=OPTIONAL)
    orders: tuple[InspectedOrder, ...] = ()
    lengths: tuple[LengthCount, ...] = ()
    histogram_of_followers: tuple[FollowerBin, ...] = ()


@dataclass(frozen=True)
class HistoryFollowers(Result):
    """The followers of a history, and of each shorter one that it backs off to.

    history      its tokens, markers by name
    used         tokens of the history that the model knows
    total        how often it was followed by anything; None where the model holds probabilities only
    n_followers  distinct followers; `followers` are the commonest, or the likeliest under a smoothing
    """

    history: tuple[str, ...]
    used: int
    total: float | None = rounded(6)
    n_followers: int = 0
    followers: tuple[Follower, ...] = ()
    backoff: tuple[Followers, ...] = ()


@dataclass(frozen=True)
class Verification(Result):
    """The check of a model file: whole, or the damage found, worst first."""

    model: str | None
    whole: bool
    damage: tuple[str, ...]


def vocabulary(model: ModelLike) -> list[str]:
    """The types of a model as a word list for `train(vocab=...)`, the commonest first.

    White space and control characters in a type are written `\\u{HEX}`. Types that differ only in their spacing are one
    word.

    >>> import markov_cli
    >>> markov_cli.vocabulary(markov_cli.train(texts=["to be, or not to be"]))
    ['be', 'to', ',', 'not', 'or']
    """
    one = opened(model)
    return [word.decode("utf-8", "surrogateescape") for word in one.checked(words_of_types, one.vocabulary)]


def inspect(model: ModelLike, *, top: int = 10) -> Inspection:
    """Figures of a model: its header, each order, the lengths of its sequences.

    top  n-grams listed for each order

    Reads the whole table. ModelFileError if it is damaged.

    >>> import markov_cli
    >>> found = markov_cli.inspect(markov_cli.train(texts=["a b a b a c"], order=2))
    >>> [(o.order, o.ngrams, round(o.entropy_bits, 3)) for o in found.orders]
    [(1, 6, 1.842), (2, 5, 0.394)]
    >>> found.orders[1].commonest[0].tokens
    ('a', 'b')
    """
    whole("top", top, 1)
    one = opened(model)
    return one.checked(_inspect, one, top)


def _inspect(model: Model, top: int) -> Inspection:
    table, header = model.table, model.header.as_dict()
    header["prune"] = tuple(header["prune"])
    header["counts_of_counts"] = tuple(map(tuple, header["counts_of_counts"]))
    header["cut_below"] = tuple(header.get("cut_below", ())) or None
    if model.file is not None:
        header["version"] = model.file.version
    names: dict[int, str | Marker] = {}  # each decoded once: a type can be very long
    orders = []
    for f in statistics.order_figures(table):
        common = [
            CommonNgram(tuple(_token(model, names, i) for i in table.ngram(f.order, row)), count)
            for row, count in statistics.commonest(table, f.order, top)
        ]
        if f.order == 1 and not statistics.counted(table):
            common = [CommonNgram((_token(model, names, i),), None, p) for i, p in statistics.likeliest(table, top)]
        orders.append(InspectedOrder(**vars(f), commonest=tuple(common)))
    return Inspection(
        model=model.path,
        **header,
        model_bytes=model.file.size_bytes if model.file else 0,
        guard=guard_figures(model),
        orders=tuple(orders),
        marker_words=tuple(marker_words(model)) or None,
        lengths=tuple(LengthCount(n, s) for n, s in statistics.lengths(table)),
        histogram_of_followers=tuple(FollowerBin(name, n) for name, n in statistics.follower_histogram(table)),
    )


def marker_words(model: Model) -> list[str]:
    """Those of `<unk>`, `<s>` and `</s>` that the model also has as words of its text."""
    return [name for name in MARKERS if model.checked(model.vocabulary.find, name.encode())]


def _token(model: Model, names: dict[int, str | Marker], i: int) -> str | Marker:
    if i not in names:
        marker = model.vocabulary.marker(i)
        names[i] = Marker(marker) if marker else model.vocabulary.text_of(i)
    return names[i]


def inspect_history(
    model: ModelLike,
    history: str = "",
    *,
    at_start: bool = False,
    ignore_case: bool = False,
    top: int | None = 10,
    smoothing: str | None = None,
) -> HistoryFollowers:
    """The followers of a history, and of each shorter one.

    history      text; its longest known end is used
    at_start     the history is the beginning of a sequence; without a history, what sequences begin with
    ignore_case  `You` also matches `you`
    top          followers listed for each history; None for all
    smoothing    None for raw counts, or the probabilities that the model holds

    HistoryError if the model knows none of its tokens.

    >>> import markov_cli
    >>> found = markov_cli.inspect_history(markov_cli.train(texts=["a b a c a b"]), "a")
    >>> [(f.token, f.probability) for f in found.followers]
    [('b', 0.6666666666666666), ('c', 0.3333333333333333)]
    >>> len(found.backoff)  # the history of no token
    1
    """
    one = opened(model)
    return history_followers(one, one.known(history, at_start, ignore_case), top, smoothing)


def history_followers(model: Model, known: PromptMatch, top: int | None, smoothing: str | None) -> HistoryFollowers:
    """The followers of a known history, and of each shorter one."""
    if top is not None:
        whole("top", top)
    first, *rest = model.backoff(known, top, smoothing)
    same: dict[str, Any] = vars(first) | {"history": tuple(first.history), "followers": tuple(first.followers)}
    return HistoryFollowers(**same, backoff=tuple(rest))


def verify(model: ModelLike) -> Verification:
    """Check every byte and every promise of a model file; reads all of it.

    ModelFileError if the file cannot be opened as a model at all; MarkovError for a model in memory.

    >>> import markov_cli, tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".npz") as f:
    ...     _ = markov_cli.train(texts=["a b a c"]).save(f)
    ...     f.flush()
    ...     markov_cli.verify(f.name).damage
    ()
    """
    one = opened(model)
    if one.file is None:
        raise MarkovError("a model in memory: there is no file to check", "save it, and verify the file")
    found = damage(one.file)
    return Verification(one.path, not found, tuple(found))
